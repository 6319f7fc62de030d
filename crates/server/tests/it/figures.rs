//! The metrics of the door and of refusals, as they are read at `/metrics`: counted by words of
//! ours, with nobody's name in them.

use crate::house::{House, Options, SOON, another_engine};
use crate::tapping::{dials, is_told};
use crate::trunks::provision;
use std::time::Duration;
use tokio::time::timeout;
use undertone::codes::CodesConfig;
use undertone_phone::{
    Codec, Phone, PhoneConfig, Registered, RegistrationState, Target, Transport,
};

const NAME: &str = "canary-of-a-user";

async fn page(house: &mut House) -> String {
    let any = "127.0.0.1:0".parse().expect("an address");
    if house.server.metrics.is_none() {
        house.server.serve_metrics(Some(any)).await.expect("metrics");
    }
    let addr = house.server.metrics.expect("an address");
    let answer = reqwest::get(format!("http://{addr}/metrics")).await.expect("an answer");
    answer.text().await.expect("text")
}

fn value(page: &str, name: &str) -> u64 {
    let line = page.lines().find(|line| line.split(' ').next() == Some(name));
    let line = line.unwrap_or_else(|| panic!("{name} is not in\n{page}"));
    line.rsplit(' ').next().and_then(|n| n.parse().ok()).expect("a number")
}

/// A phone with this password, once the server has said so to its REGISTER.
async fn knocks(house: &House, password: &str, code: Option<u16>) -> (Phone, Registered) {
    let engine = another_engine();
    let (password, codecs) = (Some(password.to_owned()), vec![Codec::Pcmu]);
    let config = PhoneConfig { password, codecs, t1_ms: 50, ..PhoneConfig::new(NAME, &engine) };
    let phone = Phone::start(config).await.expect("a phone");
    let server = Target { addr: house.server.sip_addr, transport: Transport::Udp };
    let registered = phone.register(server, 60).expect("an address");
    let said = |state: &RegistrationState| match (state, code) {
        (RegistrationState::Refused { code }, Some(wanted)) => *code == wanted,
        (RegistrationState::Registered { .. }, None) => true,
        _ => false,
    };
    timeout(SOON, registered.state().wait_for(said)).await.expect("in time").expect("said");
    (phone, registered)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_door_counts_challenges_wrong_passwords_and_locks_and_names_nobody() {
    let mut house = House::open().await;
    let device = format!(
        "[[device]]\nid = \"soft\"\nowner = \"bo\"\nextension = \"1012\"\naccount = \"{NAME}\"\n\
         password = \"right\"\n"
    );
    provision(&house, "", &device).await;
    let (good, _registered) = knocks(&house, "right", None).await;
    let before = page(&mut house).await;
    assert!(value(&before, "undertone_sip_door_challenged_total") >= 1);
    assert_eq!(value(&before, "undertone_sip_door_refused_total{reason=\"wrong_password\"}"), 0);
    assert_eq!(value(&before, "undertone_sip_door_locks_total"), 0);
    let mut guessers = Vec::new();
    for n in 1..=11 {
        let code = if n <= 10 { 401 } else { 403 };
        guessers.push(knocks(&house, "wrong", Some(code)).await);
    }
    let after = page(&mut house).await;
    assert!(value(&after, "undertone_sip_door_refused_total{reason=\"wrong_password\"}") >= 10);
    assert_eq!(value(&after, "undertone_sip_door_locks_total"), 1);
    assert!(value(&after, "undertone_sip_door_refused_total{reason=\"locked\"}") >= 1);
    assert_eq!(value(&after, "undertone_sip_door_refused_total{reason=\"too_often\"}"), 0);
    assert!(!after.contains(NAME) && !after.contains("127.0.0.1"), "{after}");
    house.close().await;
    good.shutdown().await;
    for (phone, _) in guessers {
        phone.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_calls_and_codes_are_counted_by_their_reason() {
    let codes = CodesConfig { on: true, ..CodesConfig::default() };
    let mut house = House::with(Options { codes, ..Options::default() }).await;
    let (mia, heard) = dials(&house, "*809999").await;
    is_told(&heard).await;
    timeout(SOON, mia.ended()).await.expect("it ends");
    let call = house.phones["ana"].call(&house.at("777")).expect("a call");
    timeout(SOON, call.ended()).await.expect("it fails");
    let page = page(&mut house).await;
    assert_eq!(value(&page, "undertone_tapping_codes_refused_total{reason=\"no_such_agent\"}"), 1);
    assert_eq!(value(&page, "undertone_calls_refused_total{reason=\"no_route\"}"), 1);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_too_often_is_counted_as_that() {
    let mut house = House::open().await;
    // A stranger's datagrams, more than its bucket holds: what is over it is told so at once.
    let socket = tokio::net::UdpSocket::bind("127.0.0.1:0").await.expect("a socket");
    let from = socket.local_addr().expect("an address");
    let slowed = "undertone_sip_door_refused_total{reason=\"too_often\"}";
    let flood = async {
        let mut n = 0;
        while value(&page(&mut house).await, slowed) == 0 {
            for _ in 0..300 {
                n += 1;
                let text = format!(
                    "OPTIONS sip:x@h SIP/2.0\r\nVia: SIP/2.0/UDP {from};branch=z9hG4bK{n}\r\n\
                     From: <sip:a@h>;tag=1\r\nTo: <sip:x@h>\r\nCall-ID: {n}\r\nCSeq: 1 OPTIONS\r\n\
                     Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
                );
                socket.send_to(text.as_bytes(), house.server.sip_addr).await.expect("sent");
            }
        }
    };
    timeout(Duration::from_secs(20), flood).await.expect("its bucket runs dry");
    house.close().await;
}
