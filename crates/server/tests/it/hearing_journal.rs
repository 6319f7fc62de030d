//! The journal does not answer while a call is supervised: what closes acts at once, what opens is
//! refused in time, and the rows of what closed are there afterwards.
#![allow(clippy::print_stdout)] // figures are what a proof shows

use crate::stage::{RATE, SOON, Setup, Stage, Who, size, tone::*, within};
use sqlx::{Connection, Executor, SqliteConnection};
use std::time::{Duration, Instant};
use undertone_core::id::PersonId;
use undertone_phone::{CallEnd, Recording};
use undertone_store::Verified;
use undertone_testkit::tone_ear::steady;

/// From the request to silence at the listener: two ticks, the phone's own buffer, 50 ms of
/// windows in which the tone must be gone; and a busy machine.
const AT_ONCE: Duration = Duration::from_millis(600);

async fn until(heard: &Recording, hz: f64, yes: bool) {
    let so = |pcm: &[i16]| {
        let level = steady(pcm, RATE, hz);
        if yes { level > -16.0 } else { level < -50.0 }
    };
    let found = heard.until(RATE as usize / 20, SOON, so).await;
    assert!(found.is_some(), "{hz} Hz heard: not {yes}");
}

fn at_once(what: &str, asked: Instant) {
    let took = asked.elapsed();
    println!("  {what}: silent after {} ms", took.as_millis());
    assert!(took < AT_ONCE, "{what} took {took:?}");
}

async fn refused(what: &str, answer: impl Future<Output = (u16, serde_json::Value)>) {
    let asked = Instant::now();
    let (status, body) = answer.await;
    let took = asked.elapsed();
    println!("  {what}: {status} {} after {} ms", body["reasons"], took.as_millis());
    assert_eq!(body["reasons"][0], "audit_unavailable", "{what}: {status} {body}");
    let bound = Duration::from_millis(1_900)..Duration::from_millis(3_000);
    assert!(bound.contains(&took), "{what}: refused after {took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blocked_journal_delays_nothing_that_closes_and_refuses_what_opens() {
    let stage = Stage::open(Setup::default()).await;
    let talk = stage.talk().await;
    let (whispering, mia) = stage.join(Who::Mia, &talk.id, "whisper", WHISPER).await;
    let (_, noor) = stage.join(Who::Noor, &talk.id, "whisper", WHISPER_2).await;
    until(&talk.agent.heard, WHISPER, true).await;
    until(&talk.agent.heard, WHISPER_2, true).await;

    let path = stage.data.path().join("journal.db").display().to_string();
    let mut other = SqliteConnection::connect(&format!("sqlite://{path}")).await.expect("a file");
    other.execute("BEGIN EXCLUSIVE").await.expect("the lock");
    let blocked = Instant::now();
    println!("journal blocked:");

    let asked = Instant::now();
    stage.call_control(&talk.id, "hold").await;
    until(&talk.agent.heard, CUSTOMER, false).await;
    at_once("hold", asked);

    let raise = serde_json::json!({ "mode": "barge" });
    let join = serde_json::json!({ "mode": "listen", "leg": { "kind": "stream" } });
    let change = format!("/supervisions/{whispering}");
    let new = format!("/calls/{}/supervisions", talk.id);
    tokio::join!(
        refused("raise to barge", stage.send(Who::Mia, "PATCH", &change, Some(raise))),
        refused("new supervision", stage.send(Who::Olaf, "POST", &new, Some(join))),
    );

    let asked = Instant::now();
    let person = PersonId::parse("noor").expect("an id");
    stage.server.board.rights_lost(person, Some(stage.keys[Who::Noor as usize].clone())).await;
    until(&talk.agent.heard, WHISPER_2, false).await;
    at_once("revoke", asked);
    assert_eq!(within(noor.call.ended()).await, CallEnd::FarEnd);

    let asked = Instant::now();
    stage.leave(Who::Mia, &whispering).await;
    until(&talk.agent.heard, WHISPER, false).await;
    at_once("leave", asked);
    assert_eq!(within(mia.call.ended()).await, CallEnd::FarEnd);

    let asked = Instant::now();
    let (status, _) = stage.send(Who::Mia, "DELETE", &format!("/calls/{}", talk.id), None).await;
    assert!((200..300).contains(&status), "{status}");
    let ends = within(async { tokio::join!(talk.customer.call.ended(), talk.agent.call.ended()) });
    assert_eq!(ends.await, (CallEnd::FarEnd, CallEnd::FarEnd));
    at_once("hang-up", asked);

    let at_least = Duration::from_secs(size(3, 10) as u64);
    tokio::time::sleep_until((blocked + at_least).into()).await;
    println!("journal free after {} ms", blocked.elapsed().as_millis());
    other.execute("COMMIT").await.expect("freed");
    rows_are_there(&stage, &talk.id).await;
    stage.close().await;
}

/// Every act that closed has its row, and the chain is whole.
async fn rows_are_there(stage: &Stage, call: &str) {
    let wanted = ["call.hold", "supervision.leave", "call.hang_up", "call.end"];
    let what = within(async {
        loop {
            let (_, page) = stage.get(&format!("/audit?call={call}&limit=200")).await;
            let items = page["items"].as_array().cloned().unwrap_or_default();
            let what: Vec<String> = items.iter().map(|row| row["what"].to_string()).collect();
            let has = |w: &&str| what.iter().any(|have| have.trim_matches('"') == *w);
            if wanted.iter().all(has) && stage.server.store.gauges().waiting == 0 {
                return what;
            }
            tokio::task::yield_now().await;
        }
    })
    .await;
    println!("{} rows of the call afterwards", what.len());
    let whole = stage.server.store.verify().await.expect("read");
    assert!(matches!(whole, Verified::Whole { .. }), "{whole:?}");
}
