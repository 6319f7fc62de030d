//! Live events: what a supervisor's page and an agent's are told, where each begins again, and
//! how each ends.

use crate::browser::{Browser, Events};
use crate::house::{House, rings};
use reqwest::Method;
use serde_json::{Value, json};
use undertone::clock;
use undertone_api::{Beginning, LetGo, LiveBoard as _, SignedIn};
use undertone_core::access::{Actor, Right};
use undertone_core::id::{CallId, PersonId};
use undertone_core::view::Channel;

fn call<'a>(frame: &'a Value, id: &str) -> Option<&'a Value> {
    frame["calls"].as_array()?.iter().find(|call| call["id"] == id)
}

fn cursor(frame: &Value) -> &str {
    frame["cursor"].as_str().expect("a cursor")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_supervisor_sees_calls_come_change_and_go() {
    let house = House::open().await;
    let mia = Browser::of(&house, "mia").await;
    let mut events = mia.events(None).await.expect("a socket");
    let first = events.next().await.unwrap();
    assert_eq!((&first["type"], &first["calls"]), (&json!("snapshot"), &json!([])));
    assert_eq!(first["agents"].as_array().unwrap().len(), 3);
    let talk = house.talk().await;
    let talks = |frame: &Value| call(frame, &talk.id).is_some_and(|c| c["state"] == "talking");
    let (found, mut before) = events.until(talks).await;
    before.push(found);
    let busy = |frame: &Value| {
        let mut agents = frame["agents"].as_array().into_iter().flatten();
        agents.any(|a| a["id"] == "ana" && a["state"] == "on_call")
    };
    if !before.iter().any(busy) {
        events.until(busy).await;
    }
    let (supervision, phone) = house.join(&talk.id, "listen").await;
    // The lamp is measured at her output: a tone is there, so it is lit.
    let lamp = |frame: &Value| {
        let Some(call) = call(frame, &talk.id) else { return false };
        let hears = |p: &Value| p["hears"].as_array().is_some_and(|heard| heard.len() == 2);
        let mut parties = call["parties"].as_array().into_iter().flatten();
        let lit = parties.any(|p| p["role"] == "supervisor" && hears(p));
        lit && call["supervisions"][0]["state"] == "live"
    };
    events.until(lamp).await;
    house.send(Method::DELETE, &format!("/supervisions/{supervision}"), None).await;
    drop(phone);
    talk.customer.hang_up();
    let gone = |frame: &Value| frame["gone_calls"] == json!([talk.id]);
    events.until(gone).await;
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_comes_back_with_a_cursor_gets_what_they_missed_and_else_all_there_is() {
    let house = House::open().await;
    let mia = Browser::of(&house, "mia").await;
    let mut events = mia.events(None).await.expect("a socket");
    let after = cursor(&events.next().await.unwrap()).to_owned();
    drop(events);
    let talk = house.talk().await;
    let mut events = mia.events(Some(&after)).await.expect("a socket");
    let talks = |frame: &Value| call(frame, &talk.id).is_some_and(|c| c["state"] == "talking");
    let (found, before) = events.until(talks).await;
    assert!(before.iter().chain([&found]).all(|frame| frame["type"] == "changes"), "{before:?}");
    for unknown in ["", "b", "0.all.1", "1.all.999999", "1.own", "1.all.-1", "1.all.1e9"] {
        let mut events = mia.events(Some(unknown)).await.expect("a socket");
        let first = events.next().await.unwrap();
        assert_eq!(first["type"], "snapshot", "{unknown}");
        assert!(call(&first, &talk.id).is_some());
    }
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_sees_the_own_call_and_of_a_silent_listener_nothing_at_all() {
    let house = House::open().await;
    let ana = Browser::of(&house, "ana").await;
    let mut events = ana.events(None).await.expect("a socket");
    let first = events.next().await.unwrap();
    let names: Vec<_> = first["agents"].as_array().unwrap().iter().map(|a| &a["id"]).collect();
    assert_eq!(names, ["ana"]);
    let talk = house.talk().await;
    let talks = |frame: &Value| call(frame, &talk.id).is_some_and(|c| c["state"] == "talking");
    events.until(talks).await;
    // A call of others between which nothing of is told.
    let other = house.phones["rosa"].call(&house.for_phone("rosa", "1002")).expect("a call");
    let bo = rings(&house.phones["bo"]).await.answer().expect("answered");
    let (supervision, phone) = house.join(&talk.id, "listen").await;
    let path = format!("/calls/{}", talk.id);
    for act in ["hold", "resume"] {
        let (status, now) = ana.send(Method::POST, &format!("{path}/{act}"), Some(json!({}))).await;
        assert_eq!((status, now["parties"].as_array().unwrap().len()), (200, 2), "{now}");
        assert!(!now.to_string().contains("mia"), "{now}");
    }
    assert_eq!(house.mode(&supervision, "whisper").await["mode"], "whisper");
    let told = |frame: &Value| {
        call(frame, &talk.id).is_some_and(|c| !c["supervisions"].as_array().unwrap().is_empty())
    };
    let (found, before) = events.until(told).await;
    for frame in &before {
        let now = call(frame, &talk.id).expect("the own call and no other");
        assert_eq!(frame["calls"].as_array().unwrap().len(), 1, "{frame}");
        assert_eq!(now["parties"].as_array().unwrap().len(), 2, "{frame}");
        assert!(!frame.to_string().contains("mia"), "{frame}");
        // Nor by a frame in which nothing is different: only lamps change in a quiet call.
    }
    let shown: Vec<_> = before.iter().filter_map(|frame| call(frame, &talk.id)).collect();
    assert!(shown.windows(2).all(|two| untimed(two[0]) != untimed(two[1])), "{before:?}");
    let seen = &call(&found, &talk.id).unwrap()["supervisions"][0];
    assert_eq!((&seen["mode"], &seen["supervisor"]["id"]), (&json!("whisper"), &json!("mia")));
    let spans: Vec<_> = seen["spans"].as_array().unwrap().iter().map(|s| &s["mode"]).collect();
    assert_eq!(spans, ["whisper"], "that she listened before is not told");
    drop((phone, other, bo, talk));
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agents_meters_do_not_tell_of_a_silent_listener() {
    let house = House::open().await;
    let talk = house.talk().await;
    let ana = Browser::of(&house, "ana").await;
    let (_, phone) = house.join(&talk.id, "listen").await;
    let hold = format!("/calls/{}/hold", talk.id);
    assert_eq!(ana.send(Method::POST, &hold, Some(json!({}))).await.0, 200);
    let level = |frame: &Value, role: &str| {
        let mut parties = frame["parties"].as_array().into_iter().flatten().cloned();
        let id = if role == "agent" { "p2" } else { "p1" };
        parties.find(|party| party["id"] == id).map(|party| party["level_dbfs"].clone())
    };
    // Nobody but the listener hears Ana now: a supervisor's page has her level by that.
    let mia = Browser::of(&house, "mia").await;
    let mut board = mia.events(None).await.expect("a socket");
    board.watch(&talk.id).await;
    let by_listener = |frame: &Value| {
        frame["type"] == "meters" && level(frame, "agent").is_some_and(|level| !level.is_null())
    };
    board.until(by_listener).await;
    let mut events = ana.events(None).await.expect("a socket");
    events.watch(&talk.id).await;
    let meters = |frame: &Value| frame["type"] == "meters";
    for _ in 0..5 {
        let (frame, _) = events.until(meters).await;
        assert_eq!(level(&frame, "agent"), Some(Value::Null), "{frame}");
        assert_eq!(frame["parties"].as_array().unwrap().len(), 2, "{frame}");
        // It is heard as ever meanwhile.
        board.until(by_listener).await;
    }
    drop((phone, talk));
    house.close().await;
}

fn untimed(call: &Value) -> Value {
    let mut call = call.clone();
    call["timing"] = Value::Null;
    call
}

#[tokio::test(flavor = "multi_thread")]
async fn levels_come_for_calls_that_are_watched_and_may_be_seen() {
    let house = House::open().await;
    let talk = house.talk().await;
    let mia = Browser::of(&house, "mia").await;
    let bo = Browser::of(&house, "bo").await;
    let mut events = mia.events(None).await.expect("a socket");
    events.watch(&talk.id).await;
    let loud = |frame: &Value| {
        let parties = frame["parties"].as_array().into_iter().flatten();
        frame["type"] == "meters" && parties.filter(|party| party["speaking"] == true).count() == 2
    };
    let (frame, _) = events.until(loud).await;
    assert_eq!(frame["call_id"], talk.id.as_str());
    let mut strangers = bo.events(None).await.expect("a socket");
    strangers.watch(&talk.id).await;
    // His own state is told, and until then no level.
    let away = house.phones["rosa"].call(&house.for_phone("rosa", "1002")).expect("a call");
    let ringing = rings(&house.phones["bo"]).await; // dropped, it would be declined
    let rung = |frame: &Value| frame["type"] == "changes";
    let (_, before) = strangers.until(rung).await;
    assert!(before.iter().all(|frame| frame["type"] == "snapshot"), "{before:?}");
    drop((ringing, away));
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_or_key_that_ends_takes_its_socket_along() {
    let house = House::open().await;
    let mia = Browser::of(&house, "mia").await;
    let mut by_cookie = mia.events(None).await.expect("a socket");
    let bearer = format!("Bearer {}", house.token);
    let signed = ("authorization", bearer.as_str());
    let mut by_key = Events::open(&house.url(""), None, signed).await.expect("a socket");
    assert_eq!(mia.send(Method::DELETE, "/session", None).await.0, 204);
    let (code, last) = by_cookie.end().await;
    assert_eq!((code, &last.unwrap()["type"]), (4_401, &json!("signed_out")));
    assert_eq!(mia.events(None).await.err(), Some(401));
    by_key.next().await.expect("the key's goes on");
    house.server.store.revoke_key(&house.key, clock::now().wall).await.expect("revoked");
    let (code, last) = by_key.end().await;
    assert_eq!((code, &last.unwrap()["reason"]), (4_401, &json!("revoked")));
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn other_rights_begin_anew_in_the_new_scope() {
    let house = House::open().await;
    let talk = house.talk().await;
    let mia = Browser::of(&house, "mia").await;
    let mut events = mia.events(None).await.expect("a socket");
    let first = events.next().await.unwrap();
    assert!(call(&first, &talk.id).is_some());
    let without = house.file().replace("\"see_wallboard\", ", "");
    let what = undertone::provision::read(&without).expect("people");
    house.server.store.provision(what).await.expect("provisioned");
    let (code, last) = events.end().await;
    assert_eq!(code, 4_001);
    let me = last.unwrap();
    assert_eq!(me["type"], "me");
    assert!(!me["me"]["rights"].as_array().unwrap().contains(&json!("see_wallboard")));
    let mut events = mia.events(Some(cursor(&first))).await.expect("a socket");
    let again = events.next().await.unwrap();
    assert_eq!((&again["type"], &again["calls"]), (&json!("snapshot"), &json!([])));
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_does_not_read_is_let_go_and_a_server_that_stops_says_so() {
    let house = House::open().await;
    let talk = house.talk().await;
    let who = SignedIn {
        actor: Actor {
            person: PersonId::parse("mia").unwrap(),
            name: "mia".into(),
            key: None,
            session: None,
            channel: Channel::Web,
            origin: "test".into(),
            rights: Right::ALL.iter().copied().collect(),
        },
        session: None,
    };
    let live = house.server.live.clone();
    let slow = live.follow(who, Beginning::default()).await.expect("a follower");
    let id = CallId::parse(&talk.id).unwrap();
    slow.watched.send_replace(vec![id; 16]);
    let waiting = tokio::time::timeout(crate::house::SOON, slow.let_go);
    assert_eq!(waiting.await.expect("let go").expect("with a word"), LetGo::TooSlow);
    let mia = Browser::of(&house, "mia").await;
    let mut events = mia.events(None).await.expect("a socket");
    events.next().await.expect("a snapshot");
    let (code, ()) = tokio::join!(async { events.end().await.0 }, house.close());
    assert_eq!(code, 1_001);
}
