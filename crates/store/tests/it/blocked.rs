//! A database that is away: callers give up on their own, their rows do not.
//!
//! The time that the database is held is real, since the locks and the stopped server are.

use crate::fixture::{Engine, Fresh, entry, org};
use crate::postgres::{self, Postgres};
use sqlx::Executor;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use undertone_store::{Class, Store, StoreConfig, Verified};

/// `make proof` sets 10; shorter than several rounds of retrying it must not be.
fn held() -> Duration {
    let seconds = std::env::var("UNDERTONE_BLOCKED_S").ok().and_then(|s| s.parse().ok());
    Duration::from_secs(seconds.unwrap_or(3))
}

/// Appends while the database is away for `held()`; then everything must be there, in order.
async fn rows_outlive_the_block(store: &Store, release: impl AsyncFnOnce()) {
    let began = Instant::now();
    let deadline = Duration::from_millis(100);
    let mut rows = 0;
    while began.elapsed() < held() {
        let committed = store.append(entry(rows), Class::Supervision);
        rows += 1;
        let in_time = tokio::time::timeout(deadline, committed).await;
        assert!(in_time.is_err(), "answered while the database was held: {in_time:?}");
    }
    assert_eq!(store.gauges().waiting as u64, rows);
    let last = store.append(entry(rows), Class::Supervision);
    release().await;
    assert_eq!(last.await.unwrap(), rows + 2, "after the first row and all that waited");
    let verified = store.verify().await.unwrap();
    assert!(matches!(verified, Verified::Whole { rows: r, .. } if r == rows + 2), "{verified:?}");
    assert_eq!(store.gauges().waiting, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_journal_locked_by_another_connection_loses_no_row_sqlite() {
    let fresh = Fresh::on(Engine::Sqlite).await;
    let store = fresh.open().await;
    store.append(entry(0), Class::Supervision).await.unwrap();
    let mut other = fresh.raw().await;
    other.execute("BEGIN EXCLUSIVE").await.unwrap();
    rows_outlive_the_block(&store, async || {
        other.execute("COMMIT").await.unwrap();
    })
    .await;
    assert!(store.gauges().retries > 0, "the lock was met");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_stopped_loses_no_row_postgres() {
    let server = Postgres::start(); // its own: nobody else is to wait for it
    let url = server.database().await;
    let store = Store::open(StoreConfig::Postgres { url }, org()).await.unwrap();
    store.append(entry(0), Class::Supervision).await.unwrap();
    server.signal("STOP");
    rows_outlive_the_block(&store, async || server.signal("CONT")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_cut_in_the_middle_doubles_no_row_postgres() {
    let fresh = Fresh::on(Engine::Postgres).await;
    let store = fresh.open().await;
    let mut other = fresh.raw().await;
    let mut waiting = Vec::new();
    for n in 0..2_000u64 {
        waiting.push(store.append(entry(n), Class::Other));
        if n % 200 == 199 {
            let cut = "SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity \
                       WHERE pid <> pg_backend_pid() AND datname = current_database()";
            other.execute(cut).await.unwrap();
        }
    }
    for (index, committed) in waiting.into_iter().enumerate() {
        assert_eq!(committed.await.unwrap(), index as u64 + 1);
    }
    let verified = store.verify().await;
    // The readers' connections were cut as well; their pool replaces them.
    let verified = match verified {
        Ok(verified) => verified,
        Err(_) => store.verify().await.unwrap(),
    };
    assert!(matches!(verified, Verified::Whole { rows: 2_000, .. }), "{verified:?}");
}

/// Stands between the store and the server. Every third COMMIT reaches the server, but its
/// answer does not come back: the connection breaks instead.
async fn answers_get_lost(at: &Path, server: &Path, lost: Arc<AtomicU32>) {
    let listener = UnixListener::bind(at).unwrap();
    let server = server.to_owned();
    tokio::spawn(async move {
        let commits = Arc::new(AtomicU32::new(0));
        loop {
            let (client, _) = listener.accept().await.unwrap();
            let far = UnixStream::connect(&server).await.unwrap();
            tokio::spawn(relay(client, far, commits.clone(), lost.clone()));
        }
    });
}

async fn relay(
    mut client: UnixStream,
    mut far: UnixStream,
    commits: Arc<AtomicU32>,
    lost: Arc<AtomicU32>,
) {
    let (mut up, mut down) = ([0; 65_536], [0; 65_536]);
    let mut lose = false;
    loop {
        tokio::select! {
            n = client.read(&mut up) => {
                let Ok(n @ 1..) = n else { return };
                if up[..n].windows(6).any(|w| w == b"COMMIT") {
                    lose = commits.fetch_add(1, Ordering::Relaxed) % 3 == 2;
                }
                if far.write_all(&up[..n]).await.is_err() { return }
            }
            n = far.read(&mut down) => {
                let Ok(n @ 1..) = n else { return };
                if lose {
                    lost.fetch_add(1, Ordering::Relaxed);
                    return; // it is committed, and nobody is told
                }
                if client.write_all(&down[..n]).await.is_err() { return }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_whose_answer_was_lost_is_not_written_again_postgres() {
    let url = postgres::shared().database().await;
    let dir = tempfile::tempdir().unwrap();
    let lost = Arc::new(AtomicU32::new(0));
    let server = postgres::shared().socket();
    answers_get_lost(&dir.path().join(".s.PGSQL.5432"), &server, lost.clone()).await;
    let (before_host, _) = url.split_once("&host=").unwrap();
    let url = format!("{before_host}&host={}", dir.path().display());
    // The tables are made on the direct way: that opening is tried again is not promised.
    let direct = StoreConfig::Postgres { url: format!("{before_host}&host={}", parent(&server)) };
    Store::open(direct, org()).await.unwrap().close().await;
    let store = loop {
        match Store::open(StoreConfig::Postgres { url: url.clone() }, org()).await {
            Ok(store) => break store,
            Err(error) => assert!(lost.load(Ordering::Relaxed) > 0, "{error}"),
        }
    };
    let mut expected = 0;
    for round in 0..40u64 {
        let batch: Vec<_> = (0..=round % 5).map(|n| store.append(entry(n), Class::Other)).collect();
        for committed in batch {
            expected += 1;
            assert_eq!(committed.await.unwrap(), expected);
        }
    }
    assert!(lost.load(Ordering::Relaxed) >= 5, "answers were lost");
    let verified = store.verify().await.unwrap();
    assert!(matches!(verified, Verified::Whole { rows, .. } if rows == expected), "{verified:?}");
}

fn parent(path: &Path) -> String {
    path.parent().unwrap().display().to_string()
}
