//! kill -9 while rows are appended: what was answered is there once, and the chain is whole.

use crate::fixture::{Engine, Fresh, entry, on_both, org};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use undertone_store::{AuditFilter, Class, Store, StoreConfig, Verified};

const CHILD: &str = "UNDERTONE_STORE_CRASH_CHILD";
const ROUNDS: u64 = 4;

/// No test of its own: the child that gets killed. Prints the number of each committed row.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child() {
    let Ok(target) = std::env::var(CHILD) else { return };
    let (kind, rest) = target.split_once('|').unwrap();
    let (round, place) = rest.split_once('|').unwrap();
    let config = match kind {
        "sqlite" => StoreConfig::Sqlite { dir: place.into() },
        _ => StoreConfig::Postgres { url: place.into() },
    };
    let store = Store::open(config, org()).await.unwrap();
    let first = round.parse::<u64>().unwrap() * 1_000_000;
    let mut out = std::io::stdout();
    let mut waiting = std::collections::VecDeque::new();
    for n in first.. {
        waiting.push_back((n, store.append(entry(n), Class::Other)));
        if waiting.len() == 64 {
            let (n, committed) = waiting.pop_front().unwrap();
            committed.await.unwrap();
            writeln!(out, "row {n}").unwrap();
        }
    }
}

on_both! {
    async fn a_killed_process_loses_and_doubles_no_committed_row(engine: Engine) {
        let fresh = Fresh::on(engine).await;
        let place = match &fresh.config {
            StoreConfig::Sqlite { dir } => format!("{}", dir.display()),
            StoreConfig::Postgres { url } => url.clone(),
        };
        let kind = if engine == Engine::Sqlite { "sqlite" } else { "postgres" };
        let mut answered = Vec::new();
        for round in 0..ROUNDS {
            let mut child = Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "crash::child", "--nocapture"])
                .env(CHILD, format!("{kind}|{round}|{place}"))
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            let lines = BufReader::new(child.stdout.take().unwrap()).lines();
            let rows = 150 + round * 370; // a different place in the batches each time
            for line in lines.map_while(Result::ok) {
                let Some(n) = line.strip_prefix("row ") else { continue };
                answered.push(n.parse::<u64>().unwrap());
                if answered.len() as u64 % 10_000 >= rows { break; }
            }
            child.kill().unwrap(); // SIGKILL
            child.wait().unwrap();
        }
        assert!(answered.len() > 500, "{} rows were answered", answered.len());
        let store = fresh.open().await;
        let verified = store.verify().await.unwrap();
        assert!(matches!(verified, Verified::Whole { .. }), "{verified:?}");
        let mut found: BTreeMap<u64, u32> = BTreeMap::new();
        let mut filter = AuditFilter { limit: 1_000, ..Default::default() };
        loop {
            let page = store.audit(filter.clone()).await.unwrap();
            for row in &page.items {
                *found.entry(row.entry.detail["n"].parse().unwrap()).or_default() += 1;
            }
            filter.before = page.next;
            if page.next.is_none() { break; }
        }
        assert!(found.values().all(|times| *times == 1), "a row is there twice");
        for n in &answered {
            assert!(found.contains_key(n), "row {n} was answered and is lost");
        }
        println!("{kind}: {} answered, {} found, 0 lost, 0 doubled", answered.len(), found.len());
    }
}
