//! `leg: sip` for a supervisor's own phone that registers: real phones with digests, called
//! wherever they are, and named when they are nowhere.

use crate::house::{AGENT, CUSTOMER, House, RATE, SOON, another_engine, ended, hears, rings};
use crate::trunks::provision;
use std::time::Duration;
use tokio::time::timeout;
use undertone_phone::{
    CallEnd, Codec, Phone, PhoneConfig, Registered, RegistrationState, Target, Transport,
};

const PASSWORD: &str = "canary-of-own-phones";

/// The house with a phone of Mia's and one of Bo's that register, as users who are called neither
/// as the devices nor as their extensions.
async fn house() -> House {
    let house = House::open().await;
    let device = |id: &str, owner: &str, extension: &str| {
        format!(
            "[[device]]\nid = \"{id}\"\nowner = \"{owner}\"\nextension = \"{extension}\"\n\
             account = \"{owner}.at.home\"\npassword = \"{PASSWORD}\"\n"
        )
    };
    let devices = device("mia-soft", "mia", "2011") + &device("bo-soft", "bo", "1012");
    provision(&house, "", &devices).await;
    house
}

async fn registers(house: &House, account: &str) -> (Phone, Registered) {
    let (password, codecs) = (Some(PASSWORD.to_owned()), vec![Codec::Pcmu]);
    let engine = another_engine();
    let config = PhoneConfig { password, codecs, t1_ms: 50, ..PhoneConfig::new(account, &engine) };
    let phone = Phone::start(config).await.expect("a phone");
    let server = Target { addr: house.server.sip_addr, transport: Transport::Udp };
    let registered = phone.register(server, 60).expect("an address");
    let is_up = |s: &RegistrationState| matches!(s, RegistrationState::Registered { .. });
    timeout(SOON, registered.state().wait_for(is_up)).await.expect("in time").expect("registered");
    (phone, registered)
}

async fn listens(house: &House, call: &str, uri: &str) -> (u16, serde_json::Value) {
    let body = serde_json::json!({ "mode": "listen", "leg": { "kind": "sip", "uri": uri } });
    house.post(&format!("/calls/{call}/supervisions"), body).await
}

#[tokio::test(flavor = "multi_thread")]
async fn it_rings_wherever_it_has_registered_and_the_first_answer_supervises() {
    let house = house().await;
    let talk = house.talk().await;
    let (desk, _at_desk) = registers(&house, "mia.at.home").await;
    let (mobile, _at_mobile) = registers(&house, "mia.at.home").await;
    let uri = house.at("2011");
    let answering = async {
        let (mut first, second) = (rings(&desk).await, rings(&mobile).await);
        let answered = second.answer().expect("answered");
        timeout(SOON, first.cancelled()).await.expect("the other stops ringing");
        answered
    };
    let ((status, joined), mia) = tokio::join!(listens(&house, &talk.id, &uri), answering);
    assert_eq!((status, &joined["state"]), (201, &"live".into()), "{joined}");
    assert_eq!(joined["leg"], serde_json::json!({ "kind": "sip", "device_id": "mia-soft" }));
    let heard = mia.record(RATE).unwrap();
    hears(&heard, CUSTOMER).await;
    hears(&heard, AGENT).await;
    mia.hang_up();
    house.until(&format!("/calls/{}", talk.id), |c| c["supervisions"][0]["state"] == "ended").await;
    house.close().await;
    desk.shutdown().await;
    mobile.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_account_that_it_registers_as_names_it_too() {
    let house = house().await;
    let talk = house.talk().await;
    let (desk, _registered) = registers(&house, "mia.at.home").await;
    let answering = async { rings(&desk).await.answer().expect("answered") };
    let by_account = listens(&house, &talk.id, "sip:mia.at.home@undertone");
    let ((status, joined), _mia) = tokio::join!(by_account, answering);
    assert_eq!((status, &joined["leg"]["device_id"]), (201, &"mia-soft".into()), "{joined}");
    house.close().await;
    desk.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_not_registered_or_no_more_is_a_named_refusal_and_leaves_nothing() {
    let house = house().await;
    let talk = house.talk().await;
    let ports = house.server.engine.gauges().ports_in_use;
    let uri = house.at("2011");
    let never = listens(&house, &talk.id, &uri).await;
    let (desk, registered) = registers(&house, "mia.at.home").await;
    drop(registered);
    let registrar = house.server.sip().registrar().expect("a registrar");
    let gone = async {
        while !registrar.bindings("mia.at.home").is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(SOON, gone).await.expect("its place is taken out");
    let no_more = listens(&house, &talk.id, &uri).await;
    for (status, refused) in [never, no_more] {
        assert_eq!((status, &refused["code"]), (409, &"leg_not_registered".into()), "{refused}");
    }
    let (_, call) = house.get(&format!("/calls/{}", talk.id)).await;
    let supervisions = call["supervisions"].as_array().expect("supervisions");
    let failed =
        |s: &serde_json::Value| s["state"] == "failed" && s["end_reason"] == "leg_not_registered";
    assert!(supervisions.iter().all(failed), "{call}");
    assert_eq!(house.server.engine.gauges().ports_in_use, ports);
    house.close().await;
    desk.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_elses_is_refused_though_it_is_registered() {
    let rights = ["listen", "see_audit", "see_wallboard"];
    let rights = rights.map(|code| undertone_core::access::Right::parse(code).expect("a right"));
    let options = crate::house::Options { rights: rights.to_vec(), ..Default::default() };
    let house = House::with(options).await;
    let device = format!(
        "[[device]]\nid = \"bo-soft\"\nowner = \"bo\"\nextension = \"1012\"\n\
         account = \"bo-soft\"\npassword = \"{PASSWORD}\"\n"
    );
    provision(&house, "", &device).await;
    let talk = house.talk().await;
    let (bo, _registered) = registers(&house, "bo-soft").await;
    let (status, refused) = listens(&house, &talk.id, &house.at("1012")).await;
    assert_eq!((status, &refused["code"]), (403, &"leg_not_own".into()), "{refused}");
    house.close().await;
    bo.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_of_a_phone_that_is_not_registered_hears_that_it_is_away() {
    let house = house().await;
    let call = house.phones["rosa"].call(&house.at("1012")).expect("a call");
    let end = ended(&call).await;
    // RFC 3261 section 21.4.18.
    assert!(matches!(end, CallEnd::Failed { code: 480, .. }), "{end:?}");
    house.close().await;
}
