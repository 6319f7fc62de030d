//! Who supervises by a browser steers by its page: when that is gone for good, nobody hears them
//! any more, though their browser still sends.

use crate::browser::{Browser, Events};
use crate::chromium::{Chromium, Roads};
use crate::house::{House, SOON};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Longer than a page may be gone before its supervisor is no longer heard, by policy.
const GONE: Duration = Duration::from_secs(10);

async fn opens(mia: &Browser) -> Events {
    let mut events = mia.events(None).await.expect("a socket");
    assert_eq!(events.next().await.expect("a frame")["type"], "snapshot");
    events
}

async fn supervision(mia: &Browser, id: &str) -> Value {
    mia.get(&format!("/supervisions/{id}")).await.1
}

#[tokio::test(flavor = "multi_thread")]
async fn without_their_page_a_whispering_supervisor_is_in_listen_and_may_raise_again() {
    let house = House::open().await;
    let mia = Browser::of(&house, "mia").await;
    let events = opens(&mia).await;
    let page = Chromium::start(1_000.0, Roads::All).await;
    let offer = page.connect(&["pcmu"]).await;
    let body = json!({ "sdp": offer, "tab": "one", "here": false });
    let (status, phone) = mia.send(Method::POST, "/me/phone", Some(body)).await;
    assert_eq!(status, 201, "{phone}");
    page.answered(phone["sdp"].as_str().expect("an answer")).await;
    let talk = house.talk().await;
    let body = json!({ "mode": "whisper", "leg": { "kind": "phone" } });
    let path = format!("/calls/{}/supervisions", talk.id);
    let (status, joined) = mia.send(Method::POST, &path, Some(body)).await;
    assert_eq!((status, &joined["mode"]), (201, &json!("whisper")), "{joined}");
    let id = joined["id"].as_str().expect("an id");

    let began = Instant::now();
    drop(events);
    let fallen = async {
        while supervision(&mia, id).await["mode"] != "listen" {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(GONE + SOON, fallen).await.expect("nobody steers, and she is heard");
    assert!(began.elapsed() >= GONE, "a page that is loaded again is not gone");
    house.audited(|row| row["detail"]["because"] == "control_lost").await;

    let events = opens(&mia).await;
    let body = json!({ "mode": "whisper" });
    let (status, now) = mia.send(Method::PATCH, &format!("/supervisions/{id}"), Some(body)).await;
    assert_eq!((status, &now["mode"]), (200, &json!("whisper")), "{now}");
    drop((events, page, talk));
    house.close().await;
}
