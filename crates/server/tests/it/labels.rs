//! What the organisation calls things, from one administrator's page to every other's, over a
//! restart, and never by who is none.

use crate::browser::Browser;
use crate::house::{House, config};
use reqwest::Method;
use serde_json::{Value, json};
use undertone::config::Config;
use undertone::limits::AttentionConfig;
use undertone::serve::{Server, open_store};
use undertone_core::policy::Limits;

#[tokio::test(flavor = "multi_thread")]
async fn new_words_reach_every_open_page_and_are_written() {
    let house = House::open().await;
    let (mia, ana) = (Browser::of(&house, "mia").await, Browser::of(&house, "ana").await);
    let none = json!({ "preset": "undertone", "words": {} });
    assert_eq!(ana.get("/me").await.1["labels"], none);
    let mut at_ana = ana.events(None).await.expect("a socket");
    at_ana.next().await.expect("a snapshot");
    let words = json!({ "preset": "sales", "words": { "whisper": "Coach" } });
    let (status, now) = mia.send(Method::PUT, "/labels", Some(words.clone())).await;
    assert_eq!((status, &now), (200, &words));
    let (frame, before) = at_ana.until(|frame| frame["type"] == "me").await;
    assert_eq!(frame["me"]["labels"], words);
    assert!(before.iter().all(|frame| frame["type"] != "me"), "{before:?}");
    assert_eq!(ana.get("/me").await.1["labels"], words);
    let row = |row: &Value| {
        row["what"] == "labels.change"
            && row["detail"]["preset"] == "sales"
            && row["detail"]["words.whisper"] == "Coach"
    };
    house.audited(row).await;
    let (status, problem) = ana.send(Method::PUT, "/labels", Some(none.clone())).await;
    assert_eq!((status, &problem["code"]), (403, &json!("not_allowed")));
    assert_eq!(mia.get("/me").await.1["labels"], words, "and nothing has changed");
    // The word is the preset's again.
    let back = Some(json!({ "preset": "sales", "words": { "whisper": "" } }));
    assert_eq!(mia.send(Method::PUT, "/labels", back).await.0, 200);
    let gone = |frame: &Value| frame["me"]["labels"]["words"] == json!({});
    at_ana.until(gone).await;
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn words_outlast_a_restart_and_limits_are_the_configurations() {
    let dir = tempfile::tempdir().expect("a folder");
    let attention = AttentionConfig { hold_long_s: 45, ..AttentionConfig::default() };
    let config = Config { attention, ..config(dir.path()) };
    let store = open_store(&config).await.expect("a store");
    let words = [("agent", "rep"), ("panel", "Live Call")];
    let labels = undertone_core::labels::Labels::parse("talk", words).expect("labels");
    store.put_labels(&labels).await.expect("written");
    store.close().await;
    let server = Server::start(&config).await.expect("a server");
    let dir = server.board.directory();
    assert_eq!(dir.labels, labels);
    assert_eq!(dir.policy.limits, Limits { hold_long_ms: 45_000, ..Limits::default() });
    server.stop(std::time::Duration::ZERO).await;
}
