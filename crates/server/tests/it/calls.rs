//! Two devices call each other through the server.

use crate::house::{AGENT, CUSTOMER, House, Options, RATE, SOON, SUPERVISOR, hears, never_hears};
use undertone_core::access::{Actor, Right};
use undertone_core::call::Input;
use undertone_core::id::PersonId;
use undertone_core::refusal::Reason;
use undertone_core::view::Channel;
use undertone_phone::{CallEnd, CallState, Transport};

#[tokio::test(flavor = "multi_thread")]
async fn two_devices_talk_and_each_hears_the_other_alone() {
    let house = House::open().await;
    let talk = house.talk().await;
    let (at_customer, at_agent) =
        (talk.customer.record(RATE).unwrap(), talk.agent.record(RATE).unwrap());
    hears(&at_customer, AGENT).await;
    hears(&at_agent, CUSTOMER).await;
    never_hears(&at_customer, CUSTOMER, AGENT, 300).await;
    let (_, call) = house.get(&format!("/calls/{}", talk.id)).await;
    assert_eq!(call["direction"], "inbound");
    let roles: Vec<_> =
        call["parties"].as_array().unwrap().iter().map(|p| p["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["customer", "agent"], "by whose device it is, not by who dialled");
    talk.customer.hang_up();
    assert_eq!(talk.agent.ended().await, CallEnd::FarEnd);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn phones_that_speak_tcp_talk_and_are_supervised() {
    let options = Options { transport: Transport::Tcp, ..Options::default() };
    let house = House::with(options).await;
    let talk = house.talk().await;
    let (at_customer, at_agent) =
        (talk.customer.record(RATE).unwrap(), talk.agent.record(RATE).unwrap());
    hears(&at_customer, AGENT).await;
    let (_, coach) = house.join(&talk.id, "whisper").await;
    hears(&at_agent, SUPERVISOR).await;
    never_hears(&at_customer, SUPERVISOR, AGENT, 300).await;
    // Three phones, and nothing of it by UDP.
    assert_eq!(house.server.sip().gauges().connections, 3);
    coach.hang_up();
    talk.agent.hang_up();
    assert_eq!(talk.customer.ended().await, CallEnd::FarEnd);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_to_nobody_fails_and_a_strange_caller_is_refused() {
    let house = House::open().await;
    let call = house.phones["rosa"].call(&house.at("9999")).unwrap();
    let ended = tokio::time::timeout(SOON, call.ended()).await.unwrap();
    assert!(matches!(ended, CallEnd::Failed { code: 404, .. }), "{ended:?}");
    let mut stranger = undertone_phone::PhoneConfig::new("1001", &crate::house::another_engine());
    stranger.t1_ms = 50;
    let stranger = undertone_phone::Phone::start(stranger).await.unwrap();
    let call = stranger.call(&house.at("1002")).unwrap();
    let ended = tokio::time::timeout(SOON, call.ended()).await.unwrap();
    assert!(matches!(ended, CallEnd::Failed { code: 403, .. }), "{ended:?}");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_who_gives_up_stops_the_ringing() {
    let house = House::open().await;
    let call = house.phones["rosa"].call(&house.at("1001")).unwrap();
    let mut ringing = house.phones["ana"].incoming().await.unwrap();
    let rings = call.wait_for(SOON, |s| matches!(s.state, CallState::Ringing(_))).await;
    assert!(rings.is_some(), "180 is passed on");
    call.hang_up();
    tokio::time::timeout(SOON, ringing.cancelled()).await.expect("the agent's phone is told");
    house.server.board.house().register.until_empty().await;
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agents_hold_by_phone_gives_the_customer_music_and_resume_takes_it_away() {
    let house = House::open().await;
    let talk = house.talk().await;
    let at_customer = talk.customer.record(RATE).unwrap();
    hears(&at_customer, AGENT).await;
    talk.agent.hold().await.unwrap();
    crate::house::no_longer_hears(&at_customer, AGENT).await;
    let (_, call) = house.get(&format!("/calls/{}", talk.id)).await;
    assert_eq!(call["state"], "held");
    let loud = |pcm: &[i16]| undertone_testkit::spectrum::level(pcm) > -45.0;
    let music = at_customer.until(RATE as usize / 10, SOON, loud).await;
    assert!(music.is_some(), "held, and no music");
    talk.agent.resume().await.unwrap();
    hears(&at_customer, AGENT).await;
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_places_a_call_holds_resumes_and_ends_it() {
    let house = House::open().await;
    let body = serde_json::json!({ "from_agent": "1001", "to": "1002" });
    let placed = house.post("/calls", body);
    let answering = async {
        let ana = house.phones["ana"].incoming().await.unwrap().answer().unwrap();
        let bo = house.phones["bo"].incoming().await.unwrap().answer().unwrap();
        (ana, bo)
    };
    let ((status, call), (ana, bo)) = tokio::join!(placed, answering);
    assert_eq!((status, &call["direction"]), (201, &"internal".into()), "{call}");
    bo.tone(Some(AGENT));
    let at_ana = ana.record(RATE).unwrap();
    hears(&at_ana, AGENT).await;
    let id = call["id"].as_str().unwrap();
    let party = serde_json::json!({ "party": "p1" });
    let (status, held) = house.post(&format!("/calls/{id}/hold"), party.clone()).await;
    assert_eq!((status, &held["parties"][0]["held"]), (200, &true.into()), "{held}");
    crate::house::no_longer_hears(&at_ana, AGENT).await;
    let (status, _) = house.post(&format!("/calls/{id}/resume"), party).await;
    assert_eq!(status, 200);
    hears(&at_ana, AGENT).await;
    let (status, _) = house.send(reqwest::Method::DELETE, &format!("/calls/{id}"), None).await;
    assert!(status == 204 || status == 200, "{status}");
    assert_eq!(ana.ended().await, CallEnd::FarEnd);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_of_a_call_that_has_just_ended_is_refused_and_written() {
    let house = House::open().await;
    let talk = house.talk().await;
    let register = house.server.board.house().register.clone();
    // As somebody has it who looked the call up an instant before its end.
    let call = register.all().pop().expect("the call");
    talk.customer.hang_up();
    talk.agent.ended().await;
    register.until_empty().await;
    let by = Actor {
        person: PersonId::parse("mia").expect("an id"),
        name: "Mia".into(),
        key: Some(house.key.clone()),
        session: None,
        channel: Channel::Api,
        origin: "here".into(),
        rights: Right::ALL.iter().copied().collect(),
    };
    let hold = |request| Input::Hold { by, seat: None, request: Some(request) };
    let answer = call.ask(&house.server.board, hold).await;
    assert_eq!(answer.expect_err("a refusal").reasons, [Reason::CallEnded]);
    let written = async {
        loop {
            let (_, audit) = house.get("/audit").await;
            let rows = audit["items"].as_array().expect("rows");
            let is = |row: &serde_json::Value| {
                row["what"] == "call.hold" && row["reasons"][0] == "call_ended"
            };
            if let Some(row) = rows.iter().find(|row| is(row)) {
                return (row["call_id"].clone(), row["person_id"].clone());
            }
            tokio::task::yield_now().await;
        }
    };
    let row = tokio::time::timeout(SOON, written).await.expect("the refusal is written");
    assert_eq!(row, (talk.id.as_str().into(), "mia".into()));
    house.close().await;
}
