//! REFER and Replaces from telephones' own buttons: to a free and to a busy colleague, from either
//! side, two calls made one, and a seat that another leg takes over.

use crate::house::{
    AGENT, CUSTOMER, House, RATE, SOON, SUPERVISOR, ended, hears, never_hears, no_longer_hears,
    rings,
};
use undertone_phone::{CallEnd, CallError, PhoneCall, Replaces};

/// What the colleague says.
const COLLEAGUE: f64 = 1_000.0;

/// What NOTIFY said last.
async fn told(call: &PhoneCall) -> (u16, bool) {
    let last = call.wait_for(SOON, |s| s.referred.last().is_some_and(|(_, last)| *last)).await;
    *last.expect("the end is told").referred.last().expect("a word")
}

/// As another phone would name this call's dialog with the server.
fn named(house: &House, call: &PhoneCall) -> Replaces {
    let register = &house.server.board.house().register;
    Replaces {
        call_id: call.call_id().into(),
        to_tag: register.tag_of(call.call_id()).expect("a dialog of the server's"),
        from_tag: call.tag().into(),
        early_only: false,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agents_phone_transfers_to_a_free_colleague_and_is_told_to_the_end() {
    let house = House::open().await;
    let talk = house.talk().await;
    let at_customer = talk.customer.record(RATE).unwrap();
    hears(&at_customer, AGENT).await;
    talk.agent.refer(&house.at("1002"), None).await.unwrap();
    let ringing = rings(&house.phones["bo"]).await;
    no_longer_hears(&at_customer, AGENT).await;
    let bo = ringing.answer().unwrap();
    bo.tone(Some(COLLEAGUE));
    hears(&at_customer, COLLEAGUE).await;
    assert_eq!(told(&talk.agent).await, (200, true));
    assert_eq!(ended(&talk.agent).await, CallEnd::FarEnd);
    never_hears(&at_customer, AGENT, COLLEAGUE, 300).await;
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_colleague_is_told_and_the_agent_has_the_call_again() {
    let house = House::open().await;
    let talk = house.talk().await;
    let at_customer = talk.customer.record(RATE).unwrap();
    talk.agent.refer(&house.at("1002"), None).await.unwrap();
    rings(&house.phones["bo"]).await.reject(486);
    assert_eq!(told(&talk.agent).await, (486, true));
    hears(&at_customer, AGENT).await;
    assert!(talk.agent.status().is_up());
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customers_phone_transfers_the_agent_to_a_free_and_a_busy_colleague() {
    let house = House::open().await;
    let talk = house.talk().await;
    let (at_agent, at_customer) =
        (talk.agent.record(RATE).unwrap(), talk.customer.record(RATE).unwrap());
    talk.customer.refer(&house.at("1002"), None).await.unwrap();
    rings(&house.phones["bo"]).await.reject(486);
    assert_eq!(told(&talk.customer).await, (486, true));
    hears(&at_customer, AGENT).await;
    talk.customer.refer(&house.at("1002"), None).await.unwrap();
    let bo = rings(&house.phones["bo"]).await.answer().unwrap();
    bo.tone(Some(COLLEAGUE));
    hears(&at_agent, COLLEAGUE).await;
    assert_eq!(ended(&talk.customer).await, CallEnd::FarEnd);
    never_hears(&at_agent, CUSTOMER, COLLEAGUE, 300).await;
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_transfers_that_cross_the_second_is_refused() {
    let house = House::open().await;
    let talk = house.talk().await;
    talk.agent.refer(&house.at("1002"), None).await.unwrap();
    let ringing = rings(&house.phones["bo"]).await;
    let crossing = talk.customer.refer(&house.at("2001"), None).await;
    assert_eq!(crossing, Err(CallError::Refused(491)));
    let unknown = talk.agent.refer(&house.at("9999"), None).await;
    assert!(matches!(unknown, Err(CallError::Refused(_))), "{unknown:?}");
    let bo = ringing.answer().unwrap();
    bo.tone(Some(COLLEAGUE));
    let at_customer = talk.customer.record(RATE).unwrap();
    hears(&at_customer, COLLEAGUE).await;
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_hangs_up_after_refer_is_called_back_when_the_colleague_is_busy() {
    let house = House::open().await;
    let talk = house.talk().await;
    let at_customer = talk.customer.record(RATE).unwrap();
    talk.agent.refer(&house.at("1002"), None).await.unwrap();
    let ringing = rings(&house.phones["bo"]).await;
    talk.agent.hang_up();
    ended(&talk.agent).await;
    house.off_the_call("ana").await;
    ringing.reject(486);
    let again = rings(&house.phones["ana"]).await.answer().unwrap();
    again.tone(Some(COLLEAGUE));
    hears(&at_customer, COLLEAGUE).await;
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_joins_its_two_calls_and_the_customers_goes_on_without_it() {
    let house = House::open().await;
    let talk = house.talk().await;
    let (supervision, mia) = house.join(&talk.id, "listen").await;
    let at_customer = talk.customer.record(RATE).unwrap();
    let at_mia = mia.record(RATE).unwrap();
    talk.agent.hold().await.unwrap();
    no_longer_hears(&at_customer, AGENT).await;
    // Her second line, to the colleague.
    let second = house.phones["ana"].call(&house.at("1002")).unwrap();
    let bo = rings(&house.phones["bo"]).await.answer().unwrap();
    tokio::time::timeout(SOON, second.up()).await.unwrap().unwrap();
    bo.tone(Some(COLLEAGUE));
    let at_bo = bo.record(RATE).unwrap();
    let replaces = named(&house, &second);
    talk.agent.refer(&house.at("1002"), Some(replaces)).await.unwrap();
    hears(&at_customer, COLLEAGUE).await;
    hears(&at_bo, CUSTOMER).await;
    hears(&at_mia, COLLEAGUE).await;
    assert_eq!(told(&talk.agent).await, (200, true));
    assert_eq!(ended(&talk.agent).await, CallEnd::FarEnd);
    assert_eq!(ended(&second).await, CallEnd::FarEnd);
    let (_, calls) = house.get("/calls").await;
    let ids: Vec<_> = calls["items"].as_array().unwrap().iter().map(|c| &c["id"]).collect();
    assert_eq!(ids, [&talk.id], "one call is left, the customer's");
    let (_, now) = house.get(&format!("/supervisions/{supervision}")).await;
    assert_eq!(now["state"], "live");
    // The leg that moved hears and is told of its end as any other.
    bo.hang_up();
    assert_eq!(ended(&talk.customer).await, CallEnd::FarEnd);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_leg_of_the_same_phone_takes_the_seat_and_nobody_elses_may() {
    let house = House::open().await;
    let talk = house.talk().await;
    let at_customer = talk.customer.record(RATE).unwrap();
    hears(&at_customer, AGENT).await;
    let replaces = named(&house, &talk.agent);
    let stranger = house.phones["bo"].call_replacing(&house.at("1001"), replaces.clone()).unwrap();
    assert!(matches!(ended(&stranger).await, CallEnd::Failed { code: 603, .. }));
    let unknown = Replaces { call_id: "no-such-call".into(), ..replaces.clone() };
    let lost = house.phones["ana"].call_replacing(&house.at("1001"), unknown).unwrap();
    assert!(matches!(ended(&lost).await, CallEnd::Failed { code: 481, .. }));
    hears(&at_customer, AGENT).await;
    let own = house.phones["ana"].call_replacing(&house.at("1001"), replaces).unwrap();
    tokio::time::timeout(SOON, own.up()).await.unwrap().unwrap();
    own.tone(Some(COLLEAGUE));
    assert_eq!(ended(&talk.agent).await, CallEnd::FarEnd);
    hears(&at_customer, COLLEAGUE).await;
    let at_own = own.record(RATE).unwrap();
    hears(&at_own, CUSTOMER).await;
    let (_, call) = house.get(&format!("/calls/{}", talk.id)).await;
    assert_eq!(call["parties"].as_array().unwrap().len(), 2, "the same two seats");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_owner_of_a_takeover_passes_the_customer_on_by_telephone() {
    let house = House::open().await;
    let talk = house.talk().await;
    let (supervision, mia) = house.join(&talk.id, "listen").await;
    let at_customer = talk.customer.record(RATE).unwrap();
    let early = mia.refer(&house.at("1002"), None).await;
    assert_eq!(early, Err(CallError::Refused(403)), "who only listens may not");
    house.mode(&supervision, "takeover").await;
    hears(&at_customer, SUPERVISOR).await;
    mia.refer(&house.at("1002"), None).await.unwrap();
    let bo = rings(&house.phones["bo"]).await.answer().unwrap();
    bo.tone(Some(COLLEAGUE));
    hears(&at_customer, COLLEAGUE).await;
    assert_eq!(told(&mia).await, (200, true));
    let (_, now) = house.get(&format!("/supervisions/{supervision}")).await;
    assert_eq!((&now["mode"], &now["state"]), (&"listen".into(), &"live".into()), "{now}");
    hears(&mia.record(RATE).unwrap(), COLLEAGUE).await;
    house.close().await;
}
