//! Tapping codes from telephones behind a trunk: one that has made sure of its callers, one that
//! has not. The telephone system behind it is a server of its own, with which Mia's real phone
//! registers by her password and which asserts her number (RFC 3325).

use crate::house::{
    AGENT, CUSTOMER, House, Options, RATE, SOON, SUPERVISOR, another_engine, config, ended, hears,
    never_hears,
};
use crate::tapping::{in_mode, is_told, rows};
use crate::trunks::provision;
use std::net::SocketAddr;
use std::time::Duration;
use tempfile::TempDir;
use tokio::time::timeout;
use undertone::codes::CodesConfig;
use undertone::serve::{Server, open_store};
use undertone_phone::{
    CallEnd, Codec, Phone, PhoneConfig, Registered, RegistrationState, Target, Transport,
};

const PIN: &str = "493827";
const PASSWORD: &str = "canary-of-the-pbx";

async fn house() -> House {
    let codes = CodesConfig { on: true, ..CodesConfig::default() };
    House::with(Options { codes, pin: Some(PIN), ..Options::default() }).await
}

/// A trunk at this address, with this in its entry.
async fn with_trunk(house: &House, at: SocketAddr, more: &str) {
    let trunk = format!("[[trunk]]\nid = \"pbx\"\naddresses = [\"{at}\"]\n{more}\n");
    provision(house, "", &trunk).await;
}

async fn phone(user: &str, password: Option<&str>) -> Phone {
    let engine = another_engine();
    let password = password.map(str::to_owned);
    let codecs = vec![Codec::Pcmu];
    let config = PhoneConfig { password, codecs, t1_ms: 50, ..PhoneConfig::new(user, &engine) };
    Phone::start(config).await.expect("a phone")
}

/// Another house's telephone system, and Mia's phone there.
struct Pbx {
    server: Server,
    mia: Phone,
    _registered: Registered,
    _dir: TempDir,
}

async fn pbx(house: SocketAddr) -> Pbx {
    let dir = tempfile::tempdir().expect("a folder");
    let config = config(dir.path());
    let store = open_store(&config).await.expect("a store");
    let text = format!(
        "[[person]]\nid = \"m\"\nname = \"Mia\"\n\
         [[device]]\nid = \"m-phone\"\nowner = \"m\"\nextension = \"2001\"\naccount = \"mia\"\n\
         password = \"{PASSWORD}\"\n\
         [[trunk]]\nid = \"undertone\"\naddresses = [\"{house}\"]\ntrusted = true\n\
         [[route]]\npattern = \"*.\"\ntrunks = [\"undertone\"]\n\
         [[outbound]]\npeople = \"all\"\nto = [\"*.\"]\n"
    );
    let what = undertone::provision::read(&text).expect("a good file");
    store.provision(what).await.expect("provisioned");
    let server = Server::over(&config, store).await.expect("a server");
    let mia = phone("mia", Some(PASSWORD)).await;
    let target = Target { addr: server.sip_addr, transport: Transport::Udp };
    let registered = mia.register(target, 60).expect("an address");
    let is_up = |s: &RegistrationState| matches!(s, RegistrationState::Registered { .. });
    timeout(SOON, registered.state().wait_for(is_up)).await.expect("in time").expect("registered");
    Pbx { server, mia, _registered: registered, _dir: dir }
}

fn channels(house: &House) -> String {
    let figures = undertone::figures::of(&house.server)();
    let line = figures.lines().find(|l| l.starts_with("undertone_trunk_channels_in_use"));
    line.expect("the trunk's figure").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_registers_with_a_pbx_that_vouches_for_her_supervises_by_code_and_pin() {
    let house = house().await;
    let pbx = pbx(house.server.sip_addr).await;
    with_trunk(&house, pbx.server.sip_addr, "vouches_for = [\"2XXX\"]").await;
    let talk = house.talk().await;
    let (at_customer, at_agent) =
        (talk.customer.record(RATE).unwrap(), talk.agent.record(RATE).unwrap());
    let mia = pbx.mia.call(&format!("sip:*801001@{}", pbx.server.sip_addr)).expect("a call");
    let at_mia = mia.record(RATE).unwrap();
    timeout(SOON, mia.up()).await.expect("in time").expect("the code is answered");
    mia.tone(Some(SUPERVISOR));
    is_told(&at_mia).await;
    mia.digits("493827#").await.unwrap();
    let joined = in_mode(&house, &talk, "listen").await;
    assert_eq!(joined["supervisor"]["id"], "mia", "{joined}");
    let leg = serde_json::json!({ "kind": "sip", "trunk_id": "pbx" });
    assert_eq!(joined["leg"], leg);
    hears(&at_mia, CUSTOMER).await;
    hears(&at_mia, AGENT).await;
    mia.digits("5").await.unwrap();
    in_mode(&house, &talk, "whisper").await;
    hears(&at_agent, SUPERVISOR).await;
    never_hears(&at_customer, SUPERVISOR, AGENT, 400).await;
    assert!(channels(&house).ends_with(" 1"), "{}", channels(&house));
    mia.hang_up();
    let path = format!("/calls/{}", talk.id);
    house.until(&path, |call| call["supervisions"][0]["state"] == "ended").await;
    let rows = rows(&house).await;
    let origin = "number 2001 behind trunk pbx, by PIN";
    assert!(rows.iter().any(|r| r["origin"] == origin && r["what"] == "supervision.join"));
    assert!(channels(&house).ends_with(" 0"), "{}", channels(&house));
    house.close().await;
    pbx.server.stop(Duration::ZERO).await;
    pbx.mia.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_a_trunk_asserts_nothing_the_number_in_from_counts_and_its_channels_are_counted() {
    let (house, behind) = (house().await, phone("2001", None).await);
    with_trunk(&house, behind.addr(), "vouches_for = [\"2001\"]\nchannels_max = 1").await;
    let talk = house.talk().await;
    let mia = behind.call(&house.at("*801001")).expect("a call");
    timeout(SOON, mia.up()).await.expect("in time").expect("the code is answered");
    let second = behind.call(&house.at("*801001")).expect("a call");
    assert!(matches!(ended(&second).await, CallEnd::Failed { code: 503, .. }));
    house.audited(|row| row["reasons"][0] == "trunk_full").await;
    mia.info("493827#").await.unwrap();
    in_mode(&house, &talk, "listen").await;
    mia.hang_up();
    house.until(&format!("/calls/{}", talk.id), |c| c["supervisions"][0]["state"] == "ended").await;
    house.close().await;
    behind.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_that_the_trunk_does_not_vouch_for_is_told_so_and_joins_nothing() {
    let (house, behind) = (house().await, phone("2001", None).await);
    with_trunk(&house, behind.addr(), "vouches_for = [\"2002\"]").await;
    let talk = house.talk().await;
    let mia = behind.call(&house.at("*801001")).expect("a call");
    let heard = mia.record(RATE).unwrap();
    is_told(&heard).await;
    assert_eq!(ended(&mia).await, CallEnd::FarEnd);
    let rows = house.audited(|row| row["reasons"][0] == "unknown_caller").await;
    let row = rows.iter().find(|row| row["reasons"][0] == "unknown_caller").unwrap();
    assert_eq!(row["origin"], "number 2001 behind trunk pbx");
    assert_eq!((&row["channel"], &row["person_id"]), (&"dtmf".into(), &serde_json::Value::Null));
    let (_, call) = house.get(&format!("/calls/{}", talk.id)).await;
    assert!(call["supervisions"].as_array().is_none_or(Vec::is_empty), "{call}");
    house.close().await;
    behind.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_trunk_that_vouches_for_nobody_a_code_is_a_number_that_leads_nowhere() {
    let (house, behind) = (house().await, phone("2001", None).await);
    with_trunk(&house, behind.addr(), "trusted = true").await;
    let call = behind.call(&house.at("*801001")).expect("a call");
    assert!(matches!(ended(&call).await, CallEnd::Failed { code: 404, .. }));
    house.audited(|row| row["reasons"][0] == "no_route").await;
    house.close().await;
    behind.shutdown().await;
}
