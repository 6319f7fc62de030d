//! `GET /events`: the wallboard as it happens, over a WebSocket (RFC 6455).

use super::phone::named;
use super::signing::bad_origin;
use crate::cookie;
use crate::live::{Beginning, Cursor, Follower, LetGo, SignedOut, Told, WATCHED_MAX};
use crate::problem::Problem;
use crate::request::{Query, Signed};
use crate::router::Api;
use crate::wire::{Frame, MeWire};
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::time::Duration;
use undertone_core::id::CallId;
use utoipa::IntoParams;

/// What a page may say at once; it says which calls it watches, and that it is there.
const SAID_MAX_BYTES: usize = 8 * 1024;
const PING_EVERY: Duration = Duration::from_millis(2_500);
/// A page that says nothing for so long is gone: not even the answer to three pings, which any
/// WebSocket gives (RFC 6455 section 5.5.2). Less than the ten seconds after which a supervisor
/// whom no page steers is heard by nobody.
const SPEAKS_WITHIN_MS: u64 = 7_500;
/// A page that takes nothing for so long is gone.
const TAKES_WITHIN: Duration = Duration::from_secs(10);
const CLOSE_SIGNED_OUT: u16 = 4_401;
/// RFC 6455 section 7.4.1; 1013, try again later, by IANA's registry of these codes.
const CLOSE_GOING: u16 = 1_001;
const CLOSE_TOO_SLOW: u16 = 1_013;
/// Nothing of ours: the page comes back at once.
const CLOSE_ANEW: u16 = 4_001;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Events {
    /// The `cursor` of the last frame that was taken; unknown or too old: a fresh snapshot.
    after: Option<String>,
    /// The page's `tab`, as given to `POST /me/phone`: then it is told when another page takes the
    /// phone (`elsewhere`).
    tab: Option<String>,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
enum Said {
    Watch { calls: Vec<String> },
    Pong {},
}

#[utoipa::path(
    get,
    path = "/api/v1/events",
    operation_id = "events",
    summary = "Live calls and agents as they change, over a WebSocket.",
    tag = "events",
    params(Events),
    responses(
        (status = 101, description = "Frames of JSON follow", body = Frame),
        (status = "default", description = "A refusal or mistake", body = Problem,
         content_type = "application/problem+json")
    )
)]
pub(crate) async fn events(
    State(api): State<Api>,
    Signed(who): Signed,
    Query(query): Query<Events>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Result<Response, Problem> {
    // A browser sends the cookie along with any page's WebSocket: only Origin tells them apart.
    if who.session.is_some() && !cookie::own_origin(&headers, api.https) {
        return Err(bad_origin());
    }
    let tab = query.tab.filter(|tab| !tab.is_empty());
    if let Some(tab) = &tab {
        named(tab)?;
    }
    let how = Beginning { after: query.after.map(Cursor), tab };
    let follower = api.live.follow(who, how).await?;
    let upgrade = upgrade.max_message_size(SAID_MAX_BYTES).max_frame_size(SAID_MAX_BYTES);
    Ok(upgrade.on_upgrade(move |socket| tell(api, follower, socket)))
}

async fn tell(api: Api, mut follower: Follower, mut socket: WebSocket) {
    let mut ping = tokio::time::interval(PING_EVERY);
    ping.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let close = loop {
        let frame = tokio::select! {
            told = follower.told.recv() => match told {
                Some(Told::SignedOut(why)) => {
                    let _ = send(&mut socket, &Frame::signed_out(why)).await;
                    break (CLOSE_SIGNED_OUT, reason(why));
                }
                Some(Told::Me(who)) => match api.sign_in.me(&who.actor).await {
                    Ok(me) => Frame::me(MeWire::new(&who, me)),
                    Err(_) => continue,
                },
                Some(told) => Frame::of(told),
                None => break match follower.let_go.try_recv() {
                    Ok(LetGo::TooSlow) => (CLOSE_TOO_SLOW, "too slow"),
                    Ok(LetGo::Anew) => (CLOSE_ANEW, "begin anew"),
                    Err(_) => (CLOSE_GOING, "going away"),
                },
            },
            said = socket.recv() => match said {
                Some(Ok(Message::Close(_)) | Err(_)) | None => {
                    // Its own end is the last that is heard of it.
                    return follower.heard.mark();
                }
                Some(Ok(said)) => {
                    follower.heard.mark();
                    if let Message::Text(text) = said {
                        heard(&follower, &text);
                    }
                    continue;
                }
            },
            _ = ping.tick() => {
                let asked = socket.send(Message::Ping(Bytes::new()));
                let taken = tokio::time::timeout(TAKES_WITHIN, asked).await;
                if follower.heard.silent_ms() > SPEAKS_WITHIN_MS || !matches!(taken, Ok(Ok(()))) {
                    return;
                }
                Frame::ping()
            }
        };
        if !send(&mut socket, &frame).await {
            return;
        }
    };
    let frame = CloseFrame { code: close.0, reason: Utf8Bytes::from_static(close.1) };
    let last = socket.send(Message::Close(Some(frame)));
    let _ = tokio::time::timeout(TAKES_WITHIN, last).await;
}

fn reason(why: SignedOut) -> &'static str {
    match why {
        SignedOut::Ended => "signed out",
        SignedOut::Revoked => "revoked",
    }
}

/// What a page says wrong is as if it had said nothing: it can only ask for less or more meters.
fn heard(follower: &Follower, text: &str) {
    if let Ok(Said::Watch { calls }) = serde_json::from_str(text) {
        // Each once: what is watched is measured.
        let mut known = BTreeSet::new();
        let each = calls.iter().filter_map(|id| CallId::parse(id).ok());
        let each = each.filter(|id| known.insert(id.clone())).take(WATCHED_MAX);
        follower.watched.send_replace(each.collect());
    }
}

async fn send(socket: &mut WebSocket, frame: &Frame) -> bool {
    let Ok(text) = serde_json::to_string(frame) else { return false };
    let sent = tokio::time::timeout(TAKES_WITHIN, socket.send(Message::Text(text.into()))).await;
    matches!(sent, Ok(Ok(())))
}
