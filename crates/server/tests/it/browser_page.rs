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

/// Mia's telephone in a browser, whispering to Ana in this call.
async fn whispers(mia: &Browser, call: &str) -> (Chromium, String) {
    let page = Chromium::start(1_000.0, Roads::All).await;
    let offer = page.connect(&["pcmu"]).await;
    let body = json!({ "sdp": offer, "tab": "one", "here": false });
    let (status, phone) = mia.send(Method::POST, "/me/phone", Some(body)).await;
    assert_eq!(status, 201, "{phone}");
    page.answered(phone["sdp"].as_str().expect("an answer")).await;
    let body = json!({ "mode": "whisper", "leg": { "kind": "phone" } });
    let path = format!("/calls/{call}/supervisions");
    let (status, joined) = mia.send(Method::POST, &path, Some(body)).await;
    assert_eq!((status, &joined["mode"]), (201, &json!("whisper")), "{joined}");
    (page, joined["id"].as_str().expect("an id").to_owned())
}

async fn falls_to_listen(mia: &Browser, id: &str) {
    let fallen = async {
        while supervision(mia, id).await["mode"] != "listen" {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(GONE + SOON, fallen).await.expect("nobody steers, and she is heard");
}

async fn raises(mia: &Browser, id: &str) {
    let body = json!({ "mode": "whisper" });
    let (status, now) = mia.send(Method::PATCH, &format!("/supervisions/{id}"), Some(body)).await;
    assert_eq!((status, &now["mode"]), (200, &json!("whisper")), "{now}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_their_page_a_whispering_supervisor_is_in_listen_and_may_raise_again() {
    let house = House::open().await;
    let mia = Browser::of(&house, "mia").await;
    let events = opens(&mia).await;
    let talk = house.talk().await;
    let (page, id) = whispers(&mia, &talk.id).await;

    let began = Instant::now();
    drop(events);
    falls_to_listen(&mia, &id).await;
    assert!(began.elapsed() >= GONE, "a page that is loaded again is not gone");
    house.audited(|row| row["detail"]["because"] == "control_lost").await;

    let events = opens(&mia).await;
    raises(&mia, &id).await;
    drop((events, page, talk));
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_never_had_a_page_or_has_one_that_is_cut_off_is_in_listen_too() {
    let house = House::open().await;
    let mia = Browser::of(&house, "mia").await;
    let talk = house.talk().await;
    let (page, id) = whispers(&mia, &talk.id).await;
    falls_to_listen(&mia, &id).await;

    // Nobody reads it, so that no ping is answered; the connection itself stays.
    let cut_off = opens(&mia).await;
    raises(&mia, &id).await;
    falls_to_listen(&mia, &id).await;
    drop((cut_off, page, talk));
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_told_when_another_takes_its_phone_and_again_when_it_has_it_back() {
    let house = House::open().await;
    let mia = Browser::of(&house, "mia").await;
    let (mut one, mut two) = (mia.page("one").await, mia.page("two").await);
    let page = Chromium::start(1_000.0, Roads::All).await;
    let takes = async |tab: &str| {
        let offer = page.connect(&["pcmu"]).await;
        let body = json!({ "sdp": offer, "tab": tab, "here": true });
        let (status, phone) = mia.send(Method::POST, "/me/phone", Some(body)).await;
        assert_eq!(status, 201, "{phone}");
        page.answered(phone["sdp"].as_str().expect("an answer")).await;
    };
    let is = |state: &'static str| move |frame: &Value| frame["phone"]["state"] == state;
    takes("one").await;
    one.until(is("up")).await;
    two.until(is("elsewhere")).await;
    takes("two").await;
    one.until(is("elsewhere")).await;
    two.until(is("up")).await;
    takes("one").await;
    two.until(is("elsewhere")).await;
    one.until(is("up")).await;
    for (tab, state) in [("?tab=one", "up"), ("?tab=two", "elsewhere"), ("", "up")] {
        assert_eq!(mia.get(&format!("/me/phone{tab}")).await.1["state"], state, "{tab}");
    }
    drop((one, two, page));
    house.close().await;
}
