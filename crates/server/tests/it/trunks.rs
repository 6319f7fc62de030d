//! Calls that come and go by trunks. The carrier is a real phone on a socket of its own: it calls
//! and is called as one that is known by its address.

use crate::house::{AGENT, CUSTOMER, House, RATE, SOON, another_engine, hears, never_hears, rings};
use std::net::{Ipv4Addr, SocketAddr};
use undertone_core::directory::Directory;
use undertone_core::id::TrunkId;
use undertone_engine::Rank;
use undertone_phone::{Answering, CallEnd, Codec, Phone, PhoneCall, PhoneConfig};

pub const NUMBER: &str = "+4570001001";

pub async fn carrier() -> Phone {
    let engine = another_engine();
    let config = PhoneConfig {
        answering: Answering::ByHand,
        codecs: vec![Codec::Pcmu],
        t1_ms: 50,
        ..PhoneConfig::new("+4512345678", &engine)
    };
    Phone::start(config).await.expect("a carrier")
}

/// Where nobody is: a port that was free just now.
pub async fn dead() -> SocketAddr {
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let socket = tokio::net::UdpSocket::bind(any).await.expect("a socket");
    socket.local_addr().expect("an address")
}

/// A trunk `carrier` at these addresses, a number that leads to Ana, a way out that she alone is
/// allowed. `more` goes into the trunk's entry.
pub fn outside(places: &[impl std::fmt::Display], more: &str) -> String {
    let places: Vec<_> = places.iter().map(|place| format!("\"{place}\"")).collect();
    format!(
        "[[trunk]]\nid = \"carrier\"\naddresses = [{}]\n{more}\n\
         [[number]]\npattern = \"{NUMBER}\"\nperson = \"ana\"\n\
         [[route]]\npattern = \"00.\"\nstrip = 2\nprepend = \"+\"\ntrunks = [\"carrier\"]\n\
         [[outbound]]\npeople = [\"ana\"]\nto = [\"+45.\"]\ncalls_max = 1\n",
        places.join(", ")
    )
}

/// Provisions a running server, and waits until it has seen it.
pub async fn provision(house: &House, top: &str, rest: &str) {
    let text = format!("{top}{}{rest}", house.file());
    let what = undertone::provision::read(&text).expect("a good file");
    house.server.store.provision(what).await.expect("provisioned");
    let stored = house.server.store.directory().await.expect("a directory");
    let is_seen = |seen: &Directory| {
        let same = seen.trunks == stored.trunks && seen.devices == stored.devices;
        same && seen.numbers == stored.numbers && seen.emergency == stored.emergency
    };
    let seen = async {
        while !is_seen(&house.server.board.directory()) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(SOON, seen).await.expect("the server sees it");
}

async fn with_carrier(more: &str) -> (House, Phone) {
    let (house, carrier) = (House::open().await, carrier().await);
    provision(&house, "emergency_numbers = [\"112\"]\n", &outside(&[carrier.addr()], more)).await;
    (house, carrier)
}

pub async fn failed(call: &PhoneCall) -> u16 {
    match tokio::time::timeout(SOON, call.ended()).await.expect("in time") {
        CallEnd::Failed { code, .. } => code,
        other => panic!("{other:?}"),
    }
}

/// Until a row says this.
async fn audited(house: &House, what: &str, reason: &str) {
    let written = async {
        loop {
            let (_, audit) = house.get("/audit").await;
            let rows = audit["items"].as_array().expect("rows").clone();
            let is = |row: &serde_json::Value| {
                let reasons = row["reasons"].as_array().expect("reasons");
                row["what"] == what && reasons.iter().any(|r| r == reason)
            };
            if rows.iter().any(is) {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(SOON, written).await.expect("the refusal is written");
}

pub async fn close(house: House, carrier: Phone) {
    house.close().await;
    carrier.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_by_a_trunk_reaches_a_number_of_ours_and_nothing_else() {
    let (house, carrier) = with_carrier("").await;
    let call = carrier.call(&house.at(NUMBER)).unwrap();
    let ringing = rings(&house.phones["ana"]).await;
    assert_eq!(ringing.from().user, "+4512345678", "the caller's number is passed on");
    let agent = ringing.answer().unwrap();
    call.up().await.unwrap();
    call.tone(Some(CUSTOMER));
    agent.tone(Some(AGENT));
    hears(&agent.record(RATE).unwrap(), CUSTOMER).await;
    let (_, calls) = house.get("/calls").await;
    assert_eq!(calls["items"][0]["direction"], "inbound");
    assert_eq!(calls["items"][0]["parties"][0]["role"], "customer");
    assert_eq!(calls["items"][0]["parties"][0]["net"], "external");
    for inside in ["1001", "ana-phone", "0015550100"] {
        let call = carrier.call(&house.at(inside)).unwrap();
        let code = failed(&call).await;
        assert!(code == 404 || code == 482 || code == 403, "{inside}: {code}");
    }
    call.hang_up();
    agent.ended().await;
    close(house, carrier).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_by_a_trunk_never_hears_a_whisper() {
    let (house, carrier) = with_carrier("").await;
    let call = carrier.call(&house.at(NUMBER)).unwrap();
    let agent = rings(&house.phones["ana"]).await.answer().unwrap();
    call.up().await.unwrap();
    agent.tone(Some(AGENT));
    let (_, calls) = house.get("/calls").await;
    let id = calls["items"][0]["id"].as_str().unwrap().to_owned();
    let (at_agent, at_customer) = (agent.record(RATE).unwrap(), call.record(RATE).unwrap());
    let (_, mia) = house.join(&id, "whisper").await;
    hears(&at_agent, crate::house::SUPERVISOR).await;
    never_hears(&at_customer, crate::house::SUPERVISOR, AGENT, 300).await;
    mia.hang_up();
    call.hang_up();
    agent.ended().await;
    close(house, carrier).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn outside_is_denied_unless_allowed_and_only_as_far_as_the_cap() {
    let (house, carrier) = with_carrier("").await;
    let denied = house.phones["bo"].call(&house.at("004599")).unwrap();
    assert_eq!(failed(&denied).await, 403);
    let elsewhere = house.phones["ana"].call(&house.at("001555")).unwrap();
    assert_eq!(failed(&elsewhere).await, 403, "not that country");
    audited(&house, "call.start", "outbound_denied").await;
    let first = house.phones["ana"].call(&house.at("004599")).unwrap();
    let far = rings(&carrier).await;
    assert_eq!(far.to_user(), "+4599", "as the route changes it");
    let far = far.answer().unwrap();
    first.up().await.unwrap();
    let second = house.phones["ana"].call(&house.at("004598")).unwrap();
    assert_eq!(failed(&second).await, 480);
    audited(&house, "call.start", "account_cap").await;
    first.hang_up();
    far.ended().await;
    house.server.board.house().register.until_empty().await;
    let third = house.phones["ana"].call(&house.at("004598")).unwrap();
    rings(&carrier).await.reject(486);
    assert_eq!(failed(&third).await, 486);
    close(house, carrier).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_calls_outside_for_an_agent_who_is_allowed_and_says_why_for_others() {
    let (house, carrier) = with_carrier("").await;
    let body = serde_json::json!({ "from_agent": "1002", "to": "004599" });
    let (status, refused) = house.post("/calls", body).await;
    assert_eq!((status, &refused["reasons"][0]), (403, &"outbound_denied".into()), "{refused}");
    audited(&house, "call.place", "outbound_denied").await;
    let body = serde_json::json!({ "from_agent": "1001", "to": "004599" });
    let placed = house.post("/calls", body);
    let answering = async {
        let ana = rings(&house.phones["ana"]).await.answer().unwrap();
        (ana, rings(&carrier).await.answer().unwrap())
    };
    let ((status, call), (ana, far)) = tokio::join!(placed, answering);
    assert_eq!((status, &call["direction"]), (201, &"outbound".into()), "{call}");
    assert_eq!(call["parties"][1]["number"], "+4599");
    far.tone(Some(CUSTOMER));
    hears(&ana.record(RATE).unwrap(), CUSTOMER).await;
    ana.hang_up();
    far.ended().await;
    close(house, carrier).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_without_control_has_no_agents_phone_call() {
    let rights = vec![undertone_core::access::Right::SeeAudit];
    let options = crate::house::Options { rights, ..Default::default() };
    let house = House::with(options).await;
    let body = serde_json::json!({ "from_agent": "1001", "to": "1002" });
    let (status, refused) = house.post("/calls", body).await;
    assert_eq!((status, &refused["reasons"][0]), (403, &"not_allowed".into()), "{refused}");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_first_address_is_dead_the_second_is_called_and_the_dead_one_then_passed_over() {
    let (house, carrier) = (House::open().await, carrier().await);
    let dead = dead().await;
    provision(&house, "", &outside(&[dead, carrier.addr()], "")).await;
    let call = house.phones["ana"].call(&house.at("004599")).unwrap();
    let far = rings(&carrier).await.answer().unwrap();
    call.up().await.unwrap();
    let trunk = house.server.board.directory();
    let trunk = trunk.trunk(&TrunkId::parse("carrier").unwrap()).unwrap();
    let now = undertone::clock::now().mono;
    let ways = house.server.board.house().exchange.traffic().ways(trunk, now, false);
    assert_eq!(ways, [carrier.addr().to_string().parse().unwrap()], "the dead one is skipped");
    call.hang_up();
    far.ended().await;
    close(house, carrier).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_503_means_the_next_address_and_a_persons_no_does_not() {
    let (house, first, second) = (House::open().await, carrier().await, carrier().await);
    provision(&house, "", &outside(&[first.addr(), second.addr()], "")).await;
    let call = house.phones["ana"].call(&house.at("004599")).unwrap();
    // Our phone rings before it is asked: a 503 after that is a person's no.
    rings(&first).await.reject(603);
    assert_eq!(failed(&call).await, 603);
    let busy = first.endpoint().sip().clone();
    busy.shutdown().await;
    let call = house.phones["ana"].call(&house.at("004599")).unwrap();
    let far = rings(&second).await.answer().unwrap();
    call.up().await.unwrap();
    call.hang_up();
    far.ended().await;
    close(house, second).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_trunk_says_so_to_both_sides_and_a_call_for_help_goes_out_over_it() {
    let (house, carrier) = with_carrier("channels_max = 1").await;
    let first = house.phones["ana"].call(&house.at("004599")).unwrap();
    let far = rings(&carrier).await.answer().unwrap();
    first.up().await.unwrap();
    let figures = undertone::figures::of(&house.server)();
    assert!(figures.contains("undertone_trunk_channels_in_use{trunk=\"carrier\"} 1"), "{figures}");
    let inbound = carrier.call(&house.at(NUMBER)).unwrap();
    assert_eq!(failed(&inbound).await, 503);
    audited(&house, "call.start", "trunk_full").await;
    // Bo has no permission, and there is no channel.
    let help = house.phones["bo"].call(&house.at("112")).unwrap();
    let helper = rings(&carrier).await;
    assert_eq!(helper.to_user(), "112");
    let helper = helper.answer().unwrap();
    help.up().await.unwrap();
    let figures = undertone::figures::of(&house.server)();
    assert!(figures.contains("undertone_trunk_channels_in_use{trunk=\"carrier\"} 2"), "{figures}");
    help.hang_up();
    first.hang_up();
    far.ended().await;
    helper.ended().await;
    house.server.board.house().register.until_empty().await;
    let figures = undertone::figures::of(&house.server)();
    assert!(figures.contains("undertone_trunk_channels_in_use{trunk=\"carrier\"} 0"), "{figures}");
    close(house, carrier).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_for_help_goes_on_to_the_next_trunk_unless_a_person_said_no() {
    let (house, first, second) = (House::open().await, carrier().await, carrier().await);
    let top = "emergency_numbers = [\"112\"]\nemergency_trunks = [\"carrier\", \"backup\"]\n";
    let backup = format!("[[trunk]]\nid = \"backup\"\naddresses = [\"{}\"]\n", second.addr());
    provision(&house, top, &(backup + &outside(&[first.addr()], ""))).await;
    // Our phone rings before it is asked, so all of these come after a 180.
    for code in [404, 500, 503] {
        let help = house.phones["bo"].call(&house.at("112")).unwrap();
        rings(&first).await.reject(code);
        let helper = rings(&second).await;
        assert_eq!(helper.to_user(), "112", "after {code}");
        let helper = helper.answer().unwrap();
        help.up().await.unwrap();
        help.hang_up();
        helper.ended().await;
    }
    for code in [486, 603] {
        let help = house.phones["bo"].call(&house.at("112")).unwrap();
        rings(&first).await.reject(code);
        assert_eq!(failed(&help).await, code);
    }
    first.shutdown().await;
    close(house, second).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_for_help_begins_while_the_server_drains_and_no_other_does() {
    let (house, carrier) = with_carrier("").await;
    house.server.board.drain();
    let call = house.phones["bo"].call(&house.at("1001")).unwrap();
    assert_eq!(failed(&call).await, 503);
    let help = house.phones["bo"].call(&house.at("112")).unwrap();
    let helper = rings(&carrier).await.answer().unwrap();
    help.up().await.unwrap();
    help.hang_up();
    helper.ended().await;
    close(house, carrier).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_for_help_has_its_media_when_other_calls_have_used_up_theirs() {
    let rtp = Some(crate::ports::range(40));
    let house = House::with(crate::house::Options { rtp, ..Default::default() }).await;
    let carrier = carrier().await;
    let outside = outside(&[carrier.addr()], "");
    provision(&house, "emergency_numbers = [\"112\"]\n", &outside).await;
    let engine = house.server.engine.clone();
    let take = || engine.reserve_for(Ipv4Addr::LOCALHOST.into(), Rank::Second).ok();
    let mut held: Vec<_> = std::iter::from_fn(take).collect();
    let take = || engine.reserve_for(Ipv4Addr::LOCALHOST.into(), Rank::First).ok();
    held.extend(std::iter::from_fn(take));
    let call = house.phones["bo"].call(&house.at("1001")).unwrap();
    assert_eq!(failed(&call).await, 503);
    let help = house.phones["bo"].call(&house.at("112")).unwrap();
    let helper = rings(&carrier).await.answer().unwrap();
    help.up().await.unwrap();
    help.hang_up();
    helper.ended().await;
    drop(held);
    close(house, carrier).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_is_refused_even_for_a_number_of_ours_and_the_audit_knows() {
    let (house, trunk) = with_carrier("").await;
    let stranger = carrier().await;
    for number in [NUMBER, "112", "004599"] {
        let call = stranger.call(&house.at(number)).unwrap();
        assert_eq!(failed(&call).await, 403, "{number}");
    }
    audited(&house, "call.start", "unknown_caller").await;
    stranger.shutdown().await;
    close(house, trunk).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_phones_of_a_person_ring_and_the_first_to_answer_has_the_call() {
    let (house, carrier, soft) = (House::open().await, carrier().await, carrier().await);
    let more = format!(
        "[[device]]\nid = \"ana-soft\"\nowner = \"ana\"\nextension = \"1011\"\ncontact = \"{}\"\n",
        soft.uri()
    );
    provision(&house, "", &(more + &outside(&[carrier.addr()], ""))).await;
    let call = carrier.call(&house.at(NUMBER)).unwrap();
    let mut desk = rings(&house.phones["ana"]).await;
    let answered = rings(&soft).await.answer().unwrap();
    call.up().await.unwrap();
    tokio::time::timeout(SOON, desk.cancelled()).await.expect("the other is cancelled");
    answered.tone(Some(AGENT));
    hears(&call.record(RATE).unwrap(), AGENT).await;
    call.hang_up();
    answered.ended().await;
    // Busy at one and refused at the other: the call fails once, with what a person said.
    let call = carrier.call(&house.at(NUMBER)).unwrap();
    rings(&soft).await.reject(404);
    rings(&house.phones["ana"]).await.reject(486);
    assert_eq!(failed(&call).await, 486);
    soft.shutdown().await;
    close(house, carrier).await;
}

/// Until the figures hold this line.
pub async fn figure(house: &House, line: &str) {
    let there = async {
        while !undertone::figures::of(&house.server)().lines().any(|l| l == line) {
            // Figures tell nobody; OPTIONS are asked once a second.
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    let bound = std::time::Duration::from_secs(30);
    let come = tokio::time::timeout(bound, there).await;
    assert!(come.is_ok(), "{line}:\n{}", undertone::figures::of(&house.server)());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trunk_that_does_not_answer_options_is_down_and_is_not_called() {
    let (house, carrier) = with_carrier("options_s = 1").await;
    figure(&house, "undertone_trunk_up{trunk=\"carrier\"} 1").await;
    let call = house.phones["ana"].call(&house.at("004599")).unwrap();
    rings(&carrier).await.reject(486);
    assert_eq!(failed(&call).await, 486);
    carrier.shutdown().await;
    figure(&house, "undertone_trunk_up{trunk=\"carrier\"} 0").await;
    let call = house.phones["ana"].call(&house.at("004599")).unwrap();
    assert_eq!(failed(&call).await, 503);
    audited(&house, "call.start", "trunk_down").await;
    house.close().await;
}
