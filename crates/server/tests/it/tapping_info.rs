//! Keys by SIP INFO (`application/dtmf-relay`), by a real phone: they do what telephone events do,
//! and what comes both ways counts once.

use crate::house::{AGENT, CUSTOMER, House, Options, RATE, SOON, SUPERVISOR, Talk, hears};
use crate::tapping::{dials, in_mode, rows};
use undertone::codes::CodesConfig;

async fn house() -> House {
    let codes = CodesConfig { on: true, ..CodesConfig::default() };
    House::with(Options { codes, ..Options::default() }).await
}

/// What was keyed on the supervision, oldest first: the join is the first.
async fn keyed(house: &House) -> Vec<String> {
    let rows = rows(house).await;
    let keyed = rows.iter().rev().filter(|row| row["channel"] == "dtmf");
    keyed.map(|row| row["what"].as_str().unwrap_or_default().to_owned()).collect()
}

async fn modes(house: &House, talk: &Talk) -> Vec<String> {
    let (_, call) = house.get(&format!("/calls/{}", talk.id)).await;
    let spans = call["supervisions"][0]["spans"].as_array().expect("spans").clone();
    spans.iter().map(|span| span["mode"].as_str().unwrap_or_default().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_by_info_raise_lower_take_nothing_over_by_themselves_and_hand_back() {
    let house = house().await;
    let talk = house.talk().await;
    let (at_customer, at_agent) =
        (talk.customer.record(RATE).unwrap(), talk.agent.record(RATE).unwrap());
    let (mia, _) = dials(&house, "*831001").await;
    in_mode(&house, &talk, "takeover").await;
    hears(&at_customer, SUPERVISOR).await;
    // Without a star no wish, in takeover; a star key is.
    mia.info("456*7").await.unwrap();
    in_mode(&house, &talk, "listen").await;
    hears(&at_customer, AGENT).await;
    mia.info("5").await.unwrap();
    in_mode(&house, &talk, "whisper").await;
    hears(&at_agent, SUPERVISOR).await;
    mia.info("*6").await.unwrap();
    in_mode(&house, &talk, "barge").await;
    hears(&at_customer, SUPERVISOR).await;
    mia.info("4").await.unwrap();
    in_mode(&house, &talk, "listen").await;
    assert_eq!(
        modes(&house, &talk).await[1..],
        ["takeover", "listen", "whisper", "barge", "listen"]
    );
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_late_copy_of_a_digit_that_came_by_info_is_not_a_second_one() {
    let house = house().await;
    let talk = house.talk().await;
    let at_customer = talk.customer.record(RATE).unwrap();
    let (mia, _) = dials(&house, "*801001").await;
    let id = in_mode(&house, &talk, "listen").await["id"].as_str().unwrap().to_owned();
    mia.info("5").await.unwrap();
    in_mode(&house, &talk, "whisper").await;
    house.mode(&id, "listen").await;
    mia.digits("5").await.unwrap();
    // In takeover her digits are the customer's: once one arrives there, those before it have
    // been through the server.
    house.mode(&id, "takeover").await;
    // The guard is over, and digits pass.
    hears(&at_customer, SUPERVISOR).await;
    mia.digits("1").await.unwrap();
    let heard = talk.customer.wait_for(SOON, |status| status.digits == "1").await;
    assert!(heard.is_some(), "{:?}", talk.customer.status());
    assert_eq!(modes(&house, &talk).await, ["listen", "whisper", "listen", "takeover"]);
    assert_eq!(keyed(&house).await.len(), 2, "the join and one key: {:?}", keyed(&house).await);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_that_sends_each_digit_both_ways_is_heard_once() {
    let house = house().await;
    let talk = house.talk().await;
    let at_customer = talk.customer.record(RATE).unwrap();
    let (mia, at_mia) = dials(&house, "*801001").await;
    let id = in_mode(&house, &talk, "listen").await["id"].as_str().unwrap().to_owned();
    hears(&at_mia, CUSTOMER).await;
    for (key, mode) in [("5", "whisper"), ("6", "barge"), ("4", "listen"), ("6", "barge")] {
        let (event, info) = tokio::join!(mia.digits(key), mia.info(key));
        event.unwrap();
        info.unwrap();
        in_mode(&house, &talk, mode).await;
    }
    house.mode(&id, "takeover").await;
    hears(&at_customer, SUPERVISOR).await;
    // The way that was first goes on to be the one that counts, so both are pressed.
    let (event, info) = tokio::join!(mia.digits("1"), mia.info("1"));
    event.unwrap();
    info.unwrap();
    let heard = talk.customer.wait_for(SOON, |status| status.digits.ends_with('1')).await;
    assert!(heard.is_some(), "{:?}", talk.customer.status());
    let expected = ["listen", "whisper", "barge", "listen", "barge", "takeover"];
    assert_eq!(modes(&house, &talk).await, expected);
    assert_eq!(keyed(&house).await.len(), 5, "{:?}", keyed(&house).await);
    house.close().await;
}
