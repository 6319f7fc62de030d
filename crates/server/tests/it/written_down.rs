//! What who supervises writes down, what they are told of before, and whether the customer heard
//! them.

use crate::browser::Browser;
use crate::house::{House, SUPERVISOR, ended, hears};
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn marks_are_in_the_timeline_of_the_ended_call_and_an_agent_sees_none() {
    let house = House::open().await;
    let talk = house.talk().await;
    let ana = Browser::of(&house, "ana").await;
    let (supervision, phone) = house.join(&talk.id, "whisper").await;
    let path = format!("/supervisions/{supervision}/marks");
    let note = json!({ "kind": "note", "text": "asks twice" });
    let (status, mark) = house.post(&path, note.clone()).await;
    assert_eq!((status, &mark["text"]), (201, &json!("asks twice")), "{mark}");
    assert_eq!(house.post(&path, json!({ "kind": "bookmark" })).await.0, 201);
    let (status, no) = ana.send(Method::POST, &path, Some(note)).await;
    assert_eq!((status, &no["code"]), (403, &json!("not_allowed")));
    let mut at_ana = ana.events(None).await.expect("a socket");
    let frame = at_ana.next().await.expect("a snapshot");
    let own = &frame["calls"][0];
    assert_eq!(own["supervisions"].as_array().map(Vec::len), Some(1), "she is told of Mia");
    assert_eq!(own["timeline"], json!([]));
    talk.customer.hang_up();
    ended(&talk.agent).await;
    let kept = |page: &Value| page["items"][0]["id"] == json!(talk.id);
    let page = house.until("/history/calls", kept).await;
    let timeline = page["items"][0]["timeline"].as_array().expect("moments").clone();
    let of = |what: &str| timeline.iter().filter(|moment| moment["what"] == what).count();
    assert_eq!((of("noted"), of("bookmarked"), of("flagged")), (1, 1, 0), "{timeline:?}");
    house.audited(|row| row["what"] == "supervision.mark" && row["outcome"] == "allowed").await;
    drop(phone);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn how_many_of_an_agents_calls_one_has_heard_counts_this_one() {
    let house = House::open().await;
    let bo = Browser::of(&house, "bo").await;
    for n in 1..=2 {
        let talk = house.talk().await;
        let (supervision, phone) = house.join(&talk.id, "listen").await;
        let path = format!("/supervisions/{supervision}/heard-before");
        let heard = house.get(&path).await.1;
        let ana = json!([{ "id": "ana", "name": "ana", "calls": n }]);
        assert_eq!(heard["agents"], ana, "{heard}");
        assert_eq!(bo.get(&path).await.0, 403, "not his own");
        talk.customer.hang_up();
        ended(&talk.agent).await;
        let kept = |page: &Value| page["items"][0]["id"] == json!(talk.id);
        house.until("/history/calls", kept).await;
        house.off_the_call("ana").await;
        drop(phone);
    }
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_answer_to_going_back_says_whether_the_customer_heard_anything() {
    let house = House::open().await;
    let talk = house.talk().await;
    let heard = talk.customer.record(8_000).expect("a recording");
    let (supervision, phone) = house.join(&talk.id, "whisper").await;
    // Muted there is no way to the customer, however long it takes to go back.
    house.change(&supervision, json!({ "muted": true })).await;
    let muted = house.mode(&supervision, "barge").await;
    assert_eq!(muted["last_raise"]["heard"], false, "{muted}");
    let back = house.mode(&supervision, "listen").await;
    assert_eq!(back["last_raise"]["heard"], false, "{back}");
    house.change(&supervision, json!({ "muted": false })).await;
    house.mode(&supervision, "barge").await;
    hears(&heard, SUPERVISOR).await;
    let back = house.mode(&supervision, "listen").await;
    let raise = &back["last_raise"];
    assert_eq!((&raise["mode"], &raise["heard"]), (&json!("barge"), &json!(true)), "{back}");
    drop((phone, talk));
    house.close().await;
}
