//! How a server ends, and what it leaves.

use crate::house::{House, SOON};
use std::time::Duration;
use undertone_phone::CallEnd;

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stops_ends_live_calls_and_leaves_nothing() {
    let house = House::open().await;
    let talk = house.talk().await;
    let (_, mia) = house.join(&talk.id, "whisper").await;
    let ended = async {
        let ends = tokio::join!(talk.customer.ended(), talk.agent.ended(), mia.ended());
        assert_eq!(ends, (CallEnd::FarEnd, CallEnd::FarEnd, CallEnd::FarEnd));
    };
    let both = async { tokio::join!(house.close(), ended) };
    tokio::time::timeout(SOON, both).await.expect("all ends in time");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draining_server_takes_no_new_call_and_lets_the_live_one_go_on() {
    let house = House::open().await;
    let talk = house.talk().await;
    house.server.board.drain();
    let call = house.phones["bo"].call(&house.at("2001")).unwrap();
    let ended = tokio::time::timeout(SOON, call.ended()).await.unwrap();
    assert!(matches!(ended, CallEnd::Failed { code: 503, .. }), "{ended:?}");
    let body = serde_json::json!({ "mode": "listen", "leg": { "kind": "stream" } });
    let (_, refused) = house.post(&format!("/calls/{}/supervisions", talk.id), body).await;
    assert_eq!(refused["reasons"][0], "shutting_down", "{refused}");
    assert!(talk.customer.status().is_up());
    talk.agent.hang_up();
    assert_eq!(talk.customer.ended().await, CallEnd::FarEnd);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ended_call_is_on_record_with_its_supervision() {
    let house = House::open().await;
    let talk = house.talk().await;
    let (id, _mia) = house.join(&talk.id, "listen").await;
    talk.customer.hang_up();
    house.server.board.house().register.until_empty().await;
    let recorded = async {
        loop {
            let (status, call) = house.get(&format!("/calls/{}", talk.id)).await;
            if status == 200 {
                return call;
            }
            tokio::task::yield_now().await;
        }
    };
    let call = tokio::time::timeout(Duration::from_secs(5), recorded).await.expect("recorded");
    assert_eq!(call["state"], "ended");
    assert_eq!(call["supervisions"][0]["id"], id.as_str());
    let whole = house.server.store.verify().await.unwrap();
    assert!(matches!(whole, undertone_store::Verified::Whole { .. }), "{whole:?}");
    house.close().await;
}
