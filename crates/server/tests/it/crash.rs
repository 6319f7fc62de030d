//! kill -9 of a server in mid-call, again and again: what it had answered is written, what it
//! left open is closed by the next start, once, and nothing is taken up again.
#![allow(clippy::print_stdout)] // figures are what a proof shows

use crate::house::SOON;
use crate::process::{Outpost, Process};
use crate::stage::size;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::Value;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::watch;

/// The last known time of a lost call is written every 2 s while it lives; a busy machine.
const LAST_KNOWN_AT_MOST_MS: i64 = 4_000;

/// What the outside was told by the server that will be killed.
#[derive(Default)]
struct Told {
    /// Supervisions that were answered as live, of all servers so far.
    live: Mutex<Vec<String>>,
    /// The one that is live now.
    now: watch::Sender<Option<String>>,
}

/// A call with a supervisor who changes mode, and an agent who holds, for as long as it may.
async fn scenario(outpost: Arc<Outpost>, http: SocketAddr, sip: SocketAddr, told: Arc<Told>) {
    let (_customer, agent) = outpost.talk(sip).await;
    let Some((id, _mia)) = outpost.supervise(http, "whisper").await else { return };
    told.live.lock().expect("unpoisoned").push(id.clone());
    told.now.send_replace(Some(id.clone()));
    for mode in ["barge", "listen", "whisper"].iter().cycle() {
        let body = serde_json::json!({ "mode": mode });
        let path = format!("/supervisions/{id}");
        if outpost.send(http, "PATCH", &path, Some(body)).await.is_none() {
            return;
        }
        if *mode == "listen" && (agent.hold().await.is_err() || agent.resume().await.is_err()) {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_loses_no_row_and_the_next_start_closes_its_calls_once() {
    let seed = rand::random();
    println!("seed {seed}");
    let mut chance = StdRng::seed_from_u64(seed);
    let (outpost, told) = (Arc::new(Outpost::open().await), Arc::new(Told::default()));
    let kills = size(20, 100);
    let (mut in_supervision, mut closed) = (0, 0);
    let mut server = outpost.serve(&[], &[]).await;
    for kill in 0..kills {
        told.now.send_replace(None);
        let (http, sip) = (server.http, server.sip);
        let running = tokio::spawn(scenario(outpost.clone(), http, sip, told.clone()));
        if kill % 2 == 0 {
            let mut now = told.now.subscribe();
            let live = now.wait_for(|now| now.is_some());
            tokio::time::timeout(SOON, live).await.expect("a supervision").expect("told");
        }
        let after = chance.random_range(0..if kill % 2 == 0 { 400 } else { 250 });
        tokio::time::sleep(Duration::from_millis(after)).await; // the random moment itself
        let supervised = told.now.borrow().clone();
        let at = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_millis() as i64;
        server.kill().await;
        running.abort();
        let _ = running.await;
        drain_phones(&outpost);
        server = outpost.serve(&[], &[]).await;
        closed = whole(&outpost, &server, &told).await;
        if let Some(id) = supervised {
            in_supervision += 1;
            ended_as_lost(&outpost, &server, &id, at).await;
        }
    }
    let rows = verify(&outpost);
    println!(
        "{kills} kills, {in_supervision} of them in supervision: {closed} calls closed, {rows}"
    );
    assert!(in_supervision >= kills / 2);
}

/// Rings of the killed server must not be taken for the next one's.
fn drain_phones(outpost: &Outpost) {
    for phone in outpost.phones.values() {
        while futures::FutureExt::now_or_never(phone.incoming()).flatten().is_some() {}
        while futures::FutureExt::now_or_never(phone.answered()).flatten().is_some() {}
    }
}

fn verify(outpost: &Outpost) -> String {
    let mut verify = Command::new(env!("CARGO_BIN_EXE_undertone"));
    let output = verify.args(["audit", "verify", "--data"]).arg(outpost.data()).output();
    let output = output.expect("it runs");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

async fn audit(outpost: &Outpost, server: &Process) -> Vec<Value> {
    let (mut rows, mut cursor) = (Vec::new(), String::new());
    loop {
        let (status, page) = outpost.get(server, &format!("/audit?limit=1000{cursor}")).await;
        assert_eq!(status, 200, "{page}");
        rows.extend(page["items"].as_array().expect("rows").iter().cloned());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return rows,
        }
    }
}

/// Every call began once and ended once, in the audit and on record, and so did every
/// supervision; nobody's answer is missing. How many calls there were.
async fn whole(outpost: &Outpost, server: &Process, told: &Told) -> usize {
    let (_, live) = outpost.get(server, "/calls").await;
    assert_eq!(live["items"], serde_json::json!([]), "nothing lives on");
    let mut calls: BTreeMap<String, [usize; 2]> = BTreeMap::new();
    let mut supervisions: BTreeMap<String, [usize; 2]> = BTreeMap::new();
    for row in audit(outpost, server).await {
        let id = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
        let allowed = row["outcome"] == "allowed";
        match row["what"].as_str().expect("a code") {
            "call.start" if allowed => calls.entry(id("call_id")).or_default()[0] += 1,
            "call.end" => calls.entry(id("call_id")).or_default()[1] += 1,
            "supervision.join" if allowed => {
                supervisions.entry(id("supervision_id")).or_default()[0] += 1;
            }
            "supervision.ended" | "supervision.failed" => {
                supervisions.entry(id("supervision_id")).or_default()[1] += 1;
            }
            _ => {}
        }
    }
    let once = |(id, count): (&String, &[usize; 2])| assert_eq!(count, &[1, 1], "{id}");
    calls.iter().for_each(once);
    supervisions.iter().for_each(once);
    for id in told.live.lock().expect("unpoisoned").iter() {
        assert!(supervisions.contains_key(id), "{id} was answered and is lost");
    }
    for id in calls.keys() {
        let (status, call) = outpost.get(server, &format!("/calls/{id}")).await;
        assert_eq!((status, &call["state"]), (200, &"ended".into()), "{call}");
        let timing = |name: &str| call["timing"][name].as_u64().expect("a time");
        let named = ["queue_ms", "ring_ms", "talk_ms", "hold_ms", "other_ms"].map(timing);
        assert_eq!(timing("duration_ms"), named.iter().sum::<u64>(), "{call}");
        for supervision in call["supervisions"].as_array().expect("a list") {
            let over = ["ended", "failed"].contains(&supervision["state"].as_str().expect("one"));
            let spans = supervision["spans"].as_array().expect("spans");
            assert!(over && spans.iter().all(|span| span["to"].is_string()), "{supervision}");
        }
    }
    calls.len()
}

async fn ended_as_lost(outpost: &Outpost, server: &Process, supervision: &str, killed_ms: i64) {
    let rows = audit(outpost, server).await;
    let end = rows
        .iter()
        .find(|row| row["supervision_id"] == supervision && row["what"] == "supervision.ended");
    let end = end.expect("a row of its end");
    assert_eq!(end["detail"]["why"], "node_lost", "{end}");
    let id = end["call_id"].as_str().expect("a call");
    let (_, call) = outpost.get(server, &format!("/calls/{id}")).await;
    assert_eq!(call["end_reason"], "node_lost", "{call}");
    let all = call["supervisions"].as_array().expect("a list");
    let own = all.iter().find(|s| s["id"] == supervision).expect("on record");
    assert_eq!((&own["state"], &own["end_reason"]), (&"ended".into(), &"node_lost".into()));
    let last: i64 =
        end["detail"]["last_known_ms"].as_str().and_then(|t| t.parse().ok()).expect("ms");
    let before = killed_ms - last;
    assert!((-50..LAST_KNOWN_AT_MOST_MS).contains(&before), "known until {before} ms before");
}
