//! A supervisor on a live call, by a phone of her own: who hears her, mode by mode.

use crate::house::{AGENT, CUSTOMER, House, RATE, SUPERVISOR, hears, never_hears, no_longer_hears};
use undertone_phone::CallEnd;

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_hears_both_and_nobody_hears_her() {
    let house = House::open().await;
    let talk = house.talk().await;
    let (_, mia) = house.join(&talk.id, "listen").await;
    let at_mia = mia.record(RATE).unwrap();
    hears(&at_mia, CUSTOMER).await;
    hears(&at_mia, AGENT).await;
    let (at_customer, at_agent) =
        (talk.customer.record(RATE).unwrap(), talk.agent.record(RATE).unwrap());
    tokio::join!(
        never_hears(&at_customer, SUPERVISOR, AGENT, 500),
        never_hears(&at_agent, SUPERVISOR, CUSTOMER, 500)
    );
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whisper_reaches_the_agent_barge_both_and_back_again() {
    let house = House::open().await;
    let talk = house.talk().await;
    let (at_customer, at_agent) =
        (talk.customer.record(RATE).unwrap(), talk.agent.record(RATE).unwrap());
    let (id, _mia) = house.join(&talk.id, "whisper").await;
    hears(&at_agent, SUPERVISOR).await;
    never_hears(&at_customer, SUPERVISOR, AGENT, 500).await;
    let barge = house.mode(&id, "barge").await;
    assert_eq!(barge["guard_ms"], 250, "{barge}");
    hears(&at_customer, SUPERVISOR).await;
    hears(&at_agent, SUPERVISOR).await;
    house.mode(&id, "whisper").await;
    no_longer_hears(&at_customer, SUPERVISOR).await;
    hears(&at_agent, SUPERVISOR).await;
    house.mode(&id, "listen").await;
    no_longer_hears(&at_agent, SUPERVISOR).await;
    let gone = house.send(reqwest::Method::DELETE, &format!("/supervisions/{id}"), None).await;
    assert_eq!((gone.0, &gone.1["state"]), (200, &"ended".into()), "{gone:?}");
    never_hears(&at_customer, SUPERVISOR, AGENT, 200).await;
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn takeover_makes_her_the_customers_party_and_hand_back_returns_the_call() {
    let house = House::open().await;
    let talk = house.talk().await;
    let (at_customer, at_agent) =
        (talk.customer.record(RATE).unwrap(), talk.agent.record(RATE).unwrap());
    let (id, mia) = house.join(&talk.id, "listen").await;
    let body = serde_json::json!({ "mode": "takeover", "agent_after": "held" });
    house.change(&id, body).await;
    hears(&at_customer, SUPERVISOR).await;
    no_longer_hears(&at_customer, AGENT).await;
    no_longer_hears(&at_agent, CUSTOMER).await;
    let at_mia = mia.record(RATE).unwrap();
    hears(&at_mia, CUSTOMER).await;
    let back = serde_json::json!({ "action": "hand_back" });
    let (status, handed) = house.post(&format!("/supervisions/{id}/agent"), back).await;
    assert_eq!(status, 200, "{handed}");
    hears(&at_customer, AGENT).await;
    hears(&at_agent, CUSTOMER).await;
    no_longer_hears(&at_customer, SUPERVISOR).await;
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_barge_the_agent_is_held_resumed_and_removed_and_the_customer_stays() {
    let house = House::open().await;
    let talk = house.talk().await;
    let at_customer = talk.customer.record(RATE).unwrap();
    let (id, mia) = house.join(&talk.id, "barge").await;
    hears(&at_customer, SUPERVISOR).await;
    let path = format!("/supervisions/{id}/agent");
    let act = |action: &'static str| house.post(&path, serde_json::json!({ "action": action }));
    assert_eq!(act("hold").await.0, 200);
    no_longer_hears(&at_customer, AGENT).await;
    assert_eq!(act("resume").await.0, 200);
    hears(&at_customer, AGENT).await;
    assert_eq!(act("remove").await.0, 200);
    assert_eq!(talk.agent.ended().await, CallEnd::FarEnd);
    hears(&at_customer, SUPERVISOR).await;
    mia.hang_up();
    assert_eq!(talk.customer.ended().await, CallEnd::FarEnd, "her leaving is the owner's");
    house.close().await;
}
