//! `GET /events` over a real WebSocket: who may open one, what is said on it, how it ends.

use crate::doors::Far;
use crate::session::{House, house};
use futures::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use undertone_api::{
    Beginning, Changes, Cursor, LetGo, Meter, Served, SignedOut, Told, WATCHED_MAX,
};
use undertone_core::id::{CallId, PersonId, SeatId};
use undertone_core::time::Wall;
use undertone_core::view::{AgentState, AgentView};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;
const SOON: Duration = Duration::from_secs(10);
const COOKIE: (&str, &str) = ("cookie", "undertone=cookie");

impl House {
    /// The socket, or the status of the refusal.
    async fn open(&self, query: &str, headers: &[(&'static str, &str)]) -> Result<Socket, u16> {
        let url = format!("ws://{}/api/v1/events{query}", self.addr);
        let mut request = url.into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        match connect_async(request).await {
            Ok((socket, _)) => Ok(socket),
            Err(Error::Http(answer)) => Err(answer.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }

    async fn opened(&self) -> (Socket, Far) {
        let socket = self.open("", &[COOKIE]).await.expect("a socket");
        let far = self.board.0.lock().unwrap().take();
        (socket, far.expect("the board was asked"))
    }
}

/// The next frame that is no ping.
async fn next(socket: &mut Socket) -> Value {
    loop {
        let message = tokio::time::timeout(SOON, socket.next()).await.expect("in time");
        let Message::Text(text) = message.expect("a frame").expect("a good one") else { continue };
        let frame: Value = serde_json::from_str(&text).unwrap();
        if frame["type"] != "ping" {
            return frame;
        }
    }
}

/// The code it was closed with.
async fn closed(mut socket: Socket) -> u16 {
    loop {
        let message = tokio::time::timeout(SOON, socket.next()).await.expect("in time");
        if let Some(Ok(Message::Close(Some(frame)))) = message {
            return frame.code.into();
        }
        assert!(matches!(message, Some(Ok(_))), "{message:?}");
    }
}

fn ana() -> AgentView {
    AgentView {
        person: PersonId::parse("ana").unwrap(),
        name: "Ana".into(),
        extension: None,
        state: AgentState::OnCall,
        since: Wall(0),
        call: None,
        reason: None,
        next_away: None,
    }
}

#[tokio::test]
async fn only_who_is_signed_in_follows_and_a_page_of_another_site_does_not() {
    let house = house(Served::default()).await;
    let own = format!("http://{}", house.addr);
    let evil = ("origin", "http://evil.example");
    let key = ("authorization", "Bearer ut_good");
    for (headers, wanted) in [
        (vec![], Some(401)),
        (vec![("cookie", "undertone=other")], Some(401)),
        (vec![("authorization", "Bearer ut_wrong")], Some(401)),
        (vec![COOKIE, evil], Some(403)),
        (vec![COOKIE, ("origin", "null")], Some(403)),
        (vec![COOKIE, ("origin", own.as_str())], None),
        (vec![COOKIE], None),
        (vec![key, evil], None),
    ] {
        assert_eq!(house.open("", &headers).await.err(), wanted, "{headers:?}");
    }
}

#[tokio::test]
async fn a_snapshot_then_changes_and_levels_and_the_cursor_comes_back_as_it_went() {
    let house = house(Served::default()).await;
    let (mut socket, far) = house.opened().await;
    assert_eq!((far.who.actor.name.as_str(), far.how), ("Sue", Beginning::default()));
    let (at, cursor) = (Wall(1_700_000_000_000), Cursor("b1.all.7".into()));
    let now = Arc::new(Changes { agents: vec![ana()], ..Changes::default() });
    far.told.send(Told::Snapshot { cursor, at, now }).await.unwrap();
    let frame = next(&mut socket).await;
    assert_eq!((&frame["type"], &frame["cursor"]), (&json!("snapshot"), &json!("b1.all.7")));
    assert_eq!(frame["at"], "2023-11-14T22:13:20.000Z");
    assert_eq!((&frame["calls"], &frame["agents"][0]["state"]), (&json!([]), &json!("on_call")));
    let gone_calls = vec![CallId::parse("eu.n1.1.c1").unwrap()];
    let what = Arc::new(Changes { gone_calls, ..Changes::default() });
    far.told.send(Told::Changes { cursor: Cursor("8".into()), at, what }).await.unwrap();
    let frame = next(&mut socket).await;
    assert_eq!((&frame["type"], &frame["gone_calls"]), (&json!("changes"), &json!(["eu.n1.1.c1"])));
    let parties = vec![
        Meter { seat: SeatId(1), level_dbfs: Some(-20.0), hears: vec![SeatId(2)] },
        Meter { seat: SeatId(2), level_dbfs: None, hears: vec![] },
    ];
    let call = CallId::parse("eu.n1.1.c1").unwrap();
    far.told.send(Told::Meters { at, call, parties }).await.unwrap();
    let frame = next(&mut socket).await;
    assert_eq!(
        frame["parties"],
        json!([
            {"id": "p1", "level_dbfs": -20.0, "speaking": true, "hears": ["p2"]},
            {"id": "p2", "level_dbfs": null, "speaking": false, "hears": []}
        ])
    );
    house.open("?after=b1.all.8&tab=one", &[COOKIE]).await.expect("a socket");
    let far = house.board.0.lock().unwrap().take().unwrap();
    let (after, tab) = (Some(Cursor("b1.all.8".into())), Some("one".into()));
    assert_eq!(far.how, Beginning { after, tab });
    let long = format!("?tab={}", "x".repeat(65));
    assert_eq!(house.open(&long, &[COOKIE]).await.err(), Some(422));
}

#[tokio::test]
async fn a_page_says_which_calls_it_watches_and_nothing_that_it_says_breaks_anything() {
    let house = house(Served::default()).await;
    let (mut socket, mut far) = house.opened().await;
    let calls: Vec<_> = (0..40).map(|n| format!("eu.n1.1.c{n}")).collect();
    for text in [
        "no json".to_owned(),
        json!({"type": "takeover"}).to_string(),
        json!({"type": "pong"}).to_string(),
        json!({"type": "watch", "calls": calls}).to_string(),
    ] {
        socket.send(Message::text(text)).await.unwrap();
    }
    tokio::time::timeout(SOON, far.watched.changed()).await.unwrap().unwrap();
    assert_eq!(far.watched.borrow_and_update().len(), WATCHED_MAX);
    // Sixteen times the same call is one call.
    let twice = json!({"type": "watch", "calls": ["eu.n1.1.c2", "eu.n1.1.c1", "eu.n1.1.c2"]});
    socket.send(Message::text(twice.to_string())).await.unwrap();
    tokio::time::timeout(SOON, far.watched.changed()).await.unwrap().unwrap();
    let watched: Vec<_> = far.watched.borrow().iter().map(ToString::to_string).collect();
    assert_eq!(watched, ["eu.n1.1.c2", "eu.n1.1.c1"]);
    // More than a page may say at once ends it.
    socket.send(Message::text("x".repeat(9 * 1024))).await.unwrap();
    tokio::time::timeout(SOON, far.told.closed()).await.expect("the page is let go");
}

#[tokio::test]
async fn rights_that_changed_are_told_as_who_one_is_now() {
    let house = house(Served::default()).await;
    let (mut socket, far) = house.opened().await;
    let mut who = far.who.clone();
    who.actor.rights.clear();
    far.told.send(Told::Me(Box::new(who))).await.unwrap();
    let frame = next(&mut socket).await;
    assert_eq!((&frame["type"], &frame["me"]["rights"]), (&json!("me"), &json!([])));
    assert_eq!((&frame["me"]["role"], &frame["me"]["csrf"]), (&json!("agent"), &json!("word")));
}

#[tokio::test]
async fn how_it_ends_is_told_by_its_code() {
    let house = house(Served::default()).await;
    let (mut socket, far) = house.opened().await;
    far.told.send(Told::SignedOut(SignedOut::Revoked)).await.unwrap();
    assert_eq!(next(&mut socket).await, json!({"type": "signed_out", "reason": "revoked"}));
    assert_eq!(closed(socket).await, 4_401);
    for (why, code) in [(LetGo::TooSlow, 1_013), (LetGo::Anew, 4_001)] {
        let (socket, far) = house.opened().await;
        far.let_go.send(why).unwrap();
        drop(far.told);
        assert_eq!(closed(socket).await, code);
    }
    let (socket, far) = house.opened().await;
    drop(far);
    assert_eq!(closed(socket).await, 1_001, "the server goes");
}
