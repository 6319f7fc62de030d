//! Supervision from a telephone's keypad, by real phones: dialled codes, keys, what is said back.

use crate::house::{
    AGENT, CUSTOMER, House, Options, RATE, SOON, SUPERVISOR, Talk, hears, never_hears,
    no_longer_hears,
};
use undertone::codes::CodesConfig;
use undertone_phone::{CallEnd, PhoneCall, Recording};

async fn house() -> House {
    let codes = CodesConfig { on: true, ..CodesConfig::default() };
    House::with(Options { codes, ..Options::default() }).await
}

/// Mia dials, and is through.
pub async fn dials(house: &House, number: &str) -> (PhoneCall, Recording) {
    let mia = house.phones["mia"].call(&house.at(number)).expect("a call");
    let heard = mia.record(RATE).expect("a recording");
    mia.up().await.expect("the code is answered");
    mia.tone(Some(SUPERVISOR));
    (mia, heard)
}

/// The one supervision of the call, once it is in this mode.
pub async fn in_mode(house: &House, talk: &Talk, mode: &str) -> serde_json::Value {
    let is_so = |call: &serde_json::Value| {
        let now = &call["supervisions"][0];
        now["state"] == "live" && now["mode"] == mode
    };
    house.until(&format!("/calls/{}", talk.id), is_so).await["supervisions"][0].clone()
}

pub async fn rows(house: &House) -> Vec<serde_json::Value> {
    let (status, rows) = house.get("/audit").await;
    assert_eq!(status, 200, "{rows}");
    rows["items"].as_array().expect("rows").clone()
}

fn is_loud(pcm: &[i16]) -> bool {
    let energy: f64 = pcm.iter().map(|s| f64::from(*s).powi(2)).sum();
    energy / pcm.len() as f64 > 1e6
}

/// Somebody speaks, where everybody else is silent: the newest quarter second is loud.
pub async fn is_told(heard: &Recording) {
    let found = heard.until(RATE as usize / 4, SOON, is_loud).await;
    assert!(found.is_some(), "nothing was said");
}

/// The newest quarter second is silent.
pub async fn is_silent(heard: &Recording) {
    let found = heard.until(RATE as usize / 4, SOON, |pcm| !is_loud(pcm)).await;
    assert!(found.is_some(), "something is still said");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_opens_in_listen_and_keys_raise_lower_and_leave_the_call_unharmed() {
    let house = house().await;
    let talk = house.talk().await;
    let (at_customer, at_agent) =
        (talk.customer.record(RATE).unwrap(), talk.agent.record(RATE).unwrap());
    let (mia, at_mia) = dials(&house, "*801001").await;
    let joined = in_mode(&house, &talk, "listen").await;
    assert_eq!(joined["supervisor"]["id"], "mia", "{joined}");
    hears(&at_mia, CUSTOMER).await;
    hears(&at_mia, AGENT).await;
    never_hears(&at_customer, SUPERVISOR, AGENT, 400).await;
    never_hears(&at_agent, SUPERVISOR, CUSTOMER, 400).await;

    mia.digits("5").await.unwrap();
    in_mode(&house, &talk, "whisper").await;
    hears(&at_agent, SUPERVISOR).await;
    never_hears(&at_customer, SUPERVISOR, AGENT, 600).await;
    mia.digits("*6").await.unwrap();
    in_mode(&house, &talk, "barge").await;
    hears(&at_customer, SUPERVISOR).await;
    mia.digits("4").await.unwrap();
    in_mode(&house, &talk, "listen").await;
    no_longer_hears(&at_customer, SUPERVISOR).await;
    no_longer_hears(&at_agent, SUPERVISOR).await;

    mia.hang_up();
    assert_eq!(mia.ended().await, CallEnd::Us);
    never_hears(&at_customer, SUPERVISOR, AGENT, 400).await;
    let by_keys = rows(&house).await.into_iter().filter(|row| row["channel"] == "dtmf").count();
    assert!(by_keys >= 4, "the join and three changes are audited as keyed: {by_keys}");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_takeover_only_star_keys_count_and_star_7_hands_back() {
    let house = house().await;
    let talk = house.talk().await;
    let at_customer = talk.customer.record(RATE).unwrap();
    let (mia, _) = dials(&house, "*831001").await;
    in_mode(&house, &talk, "takeover").await;
    hears(&at_customer, SUPERVISOR).await;
    no_longer_hears(&at_customer, AGENT).await;
    let before = rows(&house).await.len();
    mia.digits("456").await.unwrap();
    // The keys travel in order: once the star key has acted, the others had their chance.
    mia.digits("*7").await.unwrap();
    in_mode(&house, &talk, "listen").await;
    hears(&at_customer, AGENT).await;
    no_longer_hears(&at_customer, SUPERVISOR).await;
    let keyed = rows(&house).await.len() - before;
    assert_eq!(keyed, 1, "the hand-back alone; the keys without a star were no wishes");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_refused_is_said_to_the_supervisor_alone_and_audited() {
    let house = house().await;
    let talk = house.talk().await;
    let at_customer = talk.customer.record(RATE).unwrap();
    let (mia, at_mia) = dials(&house, "*801001").await;
    in_mode(&house, &talk, "listen").await;
    // Nobody else says anything, so that what is loud is the word.
    talk.customer.tone(None);
    talk.agent.tone(None);
    mia.tone(None);
    is_silent(&at_mia).await;
    is_silent(&at_customer).await;
    let from = at_customer.position();
    mia.digits("7").await.unwrap();
    house.audited(|row| row["outcome"] == "refused").await;
    is_told(&at_mia).await;
    is_silent(&at_mia).await;
    let meanwhile = at_customer.between(from, at_customer.position());
    assert!(meanwhile.chunks(RATE as usize / 10).all(|pcm| !is_loud(pcm)), "for Mia alone");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_for_nobody_is_answered_by_a_word_and_a_row_and_the_call_ends() {
    let house = house().await;
    for (number, reason) in [("*809999", "no_such_agent"), ("*811002", "agent_not_on_call")] {
        let (mia, heard) = dials(&house, number).await;
        is_told(&heard).await;
        assert_eq!(mia.ended().await, CallEnd::FarEnd);
        let rows = rows(&house).await;
        let row = rows.iter().find(|row| row["reasons"][0] == reason).expect("a row");
        assert_eq!((&row["outcome"], &row["channel"]), (&"refused".into(), &"dtmf".into()));
    }
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_lacks_the_right_to_the_keypad_hears_so_and_joins_nothing() {
    let house = house().await;
    let talk = house.talk().await;
    let bo = house.phones["bo"].call(&house.at("*801001")).expect("a call");
    let heard = bo.record(RATE).unwrap();
    is_told(&heard).await;
    bo.ended().await;
    let (_, call) = house.get(&format!("/calls/{}", talk.id)).await;
    assert!(call["supervisions"].as_array().is_none_or(Vec::is_empty), "{call}");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_codes_are_off_they_are_numbers_like_any_other() {
    let house = House::open().await;
    let talk = house.talk().await;
    let mia = house.phones["mia"].call(&house.at("*801001")).expect("a call");
    let refused = mia.up().await.expect_err("no such number");
    assert!(matches!(refused, CallEnd::Failed { code: 404, .. }), "{refused:?}");
    let (id, phone) = house.join(&talk.id, "listen").await;
    phone.digits("5").await.unwrap();
    let whispers = house.mode(&id, "whisper").await;
    let spans = whispers["spans"].as_array().expect("spans");
    assert_eq!(spans.len(), 2, "the key changed nothing: {whispers}");
    house.close().await;
}
