//! Supervisions joined and left at random while calls come and go: nothing of them is left.
#![allow(clippy::print_stdout)] // figures are what a proof shows

use crate::stage::{Party, SOON, Setup, Stage, Talk, Who, size, tone::*, turn, within};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::Mutex;

/// What a process holds, counted from outside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Holds {
    files: usize,
    tasks: usize,
    rss_kb: usize,
}

fn holds() -> Holds {
    // The database's own are left out: its pool opens one more when two look at a time, and keeps
    // it; the pool is bounded.
    let open = std::fs::read_dir("/proc/self/fd").expect("a list").flatten();
    let named = open.filter_map(|entry| std::fs::read_link(entry.path()).ok());
    let files = named.filter(|name| !name.to_string_lossy().contains(".db")).count();
    let tasks = tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let status = std::fs::read_to_string("/proc/self/status").expect("a status");
    let line = status.lines().find(|l| l.starts_with("VmRSS:")).unwrap_or("VmRSS: 0");
    let rss_kb = line.split_whitespace().nth(1).and_then(|n| n.parse().ok()).unwrap_or(0);
    Holds { files, tasks, rss_kb }
}

#[derive(Default)]
struct Count {
    supervisions: AtomicUsize,
    calls: AtomicUsize,
    ends: Mutex<BTreeMap<String, usize>>,
}

impl Count {
    async fn note(&self, what: &str) {
        *self.ends.lock().await.entry(what.into()).or_default() += 1;
    }
}

/// Begins a call and finds its id: one begins at a time, since ids are told apart by novelty.
async fn begin(stage: &Stage, known: &Mutex<Vec<String>>) -> Talk {
    let mut known = known.lock().await;
    let customer = stage.customer.call(&stage.at("1001")).expect("a call");
    let customer = Party::on(customer, Some(CUSTOMER));
    let agent = stage.agent_answers().await;
    within(customer.call.up()).await.expect("through");
    let id = within(async {
        loop {
            let (_, calls) = stage.get("/calls").await;
            let items = calls["items"].as_array().cloned().unwrap_or_default();
            let talking = items.iter().filter(|c| c["state"] == "talking");
            let ids = talking.filter_map(|c| c["id"].as_str());
            if let Some(id) = ids.into_iter().find(|id| !known.iter().any(|k| k == id)) {
                return id.to_string();
            }
            tokio::task::yield_now().await;
        }
    })
    .await;
    known.push(id.clone());
    Talk { customer, agent, id }
}

/// One person's stay by telephone: joined in some mode, changed a few times, left in some way.
async fn by_phone(stage: &Stage, who: Who, call: &str, dice: &mut StdRng, count: &Count) {
    const MODES: [&str; 3] = ["listen", "whisper", "barge"];
    let mode = MODES[dice.random_range(0..3)];
    let (id, party) = stage.join(who, call, mode, WHISPER).await;
    for _ in 0..dice.random_range(0..3) {
        stage.mode(who, &id, MODES[dice.random_range(0..3)]).await;
    }
    if dice.random_bool(0.5) {
        stage.leave(who, &id).await;
        count.note("left by API").await;
    } else {
        party.call.hang_up();
        count.note("hung up").await;
    }
    within(party.call.ended()).await;
    // The call's task hears of it a moment later; until then she attends.
    within(async {
        loop {
            let (_, now) = stage.get(&format!("/supervisions/{id}")).await;
            if matches!(now["state"].as_str(), Some("ended") | None) {
                return;
            }
            tokio::task::yield_now().await;
        }
    })
    .await;
}

/// A stay by stream, read for a moment, then let go by the reader.
async fn by_stream(stage: &Stage, call: &str, count: &Count) {
    let body = serde_json::json!({ "mode": "listen", "leg": { "kind": "stream" } });
    let path = format!("/calls/{call}/supervisions");
    let request = stage.request(Who::Olaf, "POST", &path).header("Accept", "audio/wav");
    let mut sound = within(request.json(&body).send()).await.expect("an answer");
    if sound.status().as_u16() != 201 {
        // The reader before is gone, but the call's task has not heard of it yet.
        count.note("stream refused").await;
        return;
    }
    let mut read = 0;
    while read < 4_000 {
        let chunk = within(sound.chunk()).await.expect("sound");
        read += chunk.expect("more sound").len();
    }
    count.supervisions.fetch_add(1, Ordering::Relaxed);
    count.note("stream let go").await;
}

async fn worker(
    stage: &Stage,
    who: Who,
    seed: u64,
    known: &Mutex<Vec<String>>,
    count: &Count,
    goal: usize,
) {
    let mut dice = StdRng::seed_from_u64(seed);
    while count.supervisions.load(Ordering::Relaxed) < goal {
        let talk = begin(stage, known).await;
        count.calls.fetch_add(1, Ordering::Relaxed);
        for _ in 0..dice.random_range(1..12) {
            if who == Who::Mia && dice.random_bool(0.4) {
                tokio::join!(by_stream(stage, &talk.id, count), async {
                    by_phone(stage, who, &talk.id, &mut dice, count).await;
                });
            } else {
                by_phone(stage, who, &talk.id, &mut dice, count).await;
            }
            count.supervisions.fetch_add(1, Ordering::Relaxed);
        }
        // Some calls end under a supervisor.
        let attended = dice.random_bool(0.3);
        let over = if attended {
            count.supervisions.fetch_add(1, Ordering::Relaxed);
            Some(stage.join(who, &talk.id, "listen", LISTEN).await.1)
        } else {
            None
        };
        let ends = if dice.random_bool(0.5) { &talk.customer } else { &talk.agent };
        ends.call.hang_up();
        within(async { tokio::join!(talk.customer.call.ended(), talk.agent.call.ended()) }).await;
        if let Some(over) = over {
            within(over.call.ended()).await;
            count.note("ended with the call").await;
        }
    }
}

/// Two calls at a time, until so many supervisions have been.
async fn round(stage: &Stage, seed: u64, goal: usize) -> (usize, usize) {
    let (known, count) = (Mutex::default(), Count::default());
    tokio::join!(
        worker(stage, Who::Mia, seed, &known, &count, goal),
        worker(stage, Who::Noor, seed + 1, &known, &count, goal)
    );
    println!("  {:?}", count.ends.lock().await);
    (count.supervisions.load(Ordering::Relaxed), count.calls.load(Ordering::Relaxed))
}

/// Waits until the server holds nothing of any call, and the process no more than `before`.
async fn settled(stage: &Stage, before: Option<Holds>) -> Holds {
    let mut look = tokio::time::interval(std::time::Duration::from_millis(50));
    let wait = async {
        loop {
            look.tick().await;
            let media = stage.server.engine.gauges();
            let none = [media.bridges, media.legs, media.taps, media.ports_in_use];
            let calls = stage.server.board.house().register.live_calls();
            let sip = stage.server.sip().gauges();
            let phones = stage.customer.endpoint().sip().gauges().dialogs
                + stage.agent.endpoint().sip().gauges().dialogs;
            let free = none == [0; 4] && calls == 0 && sip.dialogs == 0 && phones == 0;
            let now = holds();
            let back = before.is_none_or(|b| now.files <= b.files && now.tasks <= b.tasks);
            // Ended transactions are kept for 32 s (RFC 3261 section 17): `make proof` waits.
            if free && back && (size(0, 1) == 0 || sip.transactions == 0) {
                return now;
            }
        }
    };
    let come = tokio::time::timeout(SOON * 4, wait).await;
    come.unwrap_or_else(|_| {
        let (media, sip) = (stage.server.engine.gauges(), stage.server.sip().gauges());
        panic!("left: {:?}, before {before:?}; {sip:?}; {media:?}", holds())
    })
}

/// File handles are a process's: it is one of its own, so that no other test's are counted.
#[tokio::test(flavor = "multi_thread")]
async fn supervisions_at_random_leave_no_leg_port_task_or_file_behind() {
    const ALONE: &str = "UNDERTONE_PROOF_ALONE";
    if std::env::var_os(ALONE).is_some() {
        return at_random().await;
    }
    let _turn = turn().await;
    let itself = std::env::current_exe().expect("a program");
    let name = "hearing_churn::supervisions_at_random_leave_no_leg_port_task_or_file_behind";
    let mut child = tokio::process::Command::new(itself);
    child.args([name, "--exact", "--nocapture"]).env(ALONE, "1").kill_on_drop(true);
    let ended = child.output().await.expect("an end");
    let (out, err) =
        (String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
    println!("{out}{err}");
    assert!(ended.status.success(), "{}", ended.status);
    assert!(out.contains("1 passed"), "it ran: {out}");
}

async fn at_random() {
    let goal = size(200, 10_000);
    let seed = std::env::var("UNDERTONE_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(7);
    println!("seed {seed}");
    let stage = Stage::open(Setup { media_threads: 2, ..Setup::default() }).await;
    // What is made once (connections to the database, idle HTTP connections) is made first.
    round(&stage, seed, goal / 10).await;
    let before = settled(&stage, None).await;
    let half = round(&stage, seed + 2, goal / 2).await;
    let middle = settled(&stage, Some(before)).await;
    let rest = round(&stage, seed + 4, goal / 2).await;
    let after = settled(&stage, Some(before)).await;
    println!(
        "{} supervisions on {} calls; before {before:?}, middle {middle:?}, after {after:?}",
        half.0 + rest.0,
        half.1 + rest.1
    );
    let grown_kb = after.rss_kb.saturating_sub(middle.rss_kb);
    assert!(grown_kb < 8_192, "memory grew by {grown_kb} kB in the second half");
    stage.close().await;
}
