//! Session timers (RFC 4028) on both sides, at seconds instead of minutes.

use undertone_sip::{DialogEvent, EndCause, SipConfig};

use crate::scripted_callee::{answered_of, called_from, hung_up, in_dialog};
use crate::scripted_caller::{confirmed_of, ringing_with};
use crate::support::{ANSWER, OFFER, config, drained, next, silence};

fn short() -> SipConfig {
    SipConfig { session_expires_s: 3, min_se_s: 1, ..config() }
}

#[tokio::test]
async fn a_call_of_ours_asks_for_a_timer_and_leaves_the_refresher_open() {
    let called = called_from(config()).await;
    assert_eq!(called.invite.header("Session-Expires"), "1800");
    assert_eq!(called.invite.header("Min-SE"), "90");
    assert!(called.invite.header("Supported").contains("timer"));
}

#[tokio::test]
async fn an_interval_that_is_too_small_for_the_callee_is_raised_as_it_asks() {
    let mut called = called_from(short()).await;
    called.peer.respond(&called.invite, "422 Too Small", "x", "Min-SE: 40\r\n", "").await;
    called.peer.expect("ACK").await;
    let again = called.peer.expect("INVITE").await;
    assert_eq!(again.header("CSeq"), "2 INVITE");
    assert_eq!(again.header("Call-ID"), called.invite.header("Call-ID"));
    assert_eq!(again.header("Session-Expires"), "40");
    assert_eq!(again.header("Min-SE"), "40");
    assert_eq!(again.body, OFFER);
    // It does not learn: that is its answer.
    called.peer.respond(&again, "422 Too Small", "x", "Min-SE: 40\r\n", "").await;
    called.peer.expect("ACK").await;
    assert!(matches!(next(&mut called.events).await, DialogEvent::Failed { code: 422, .. }));
    drained(&called.sip).await;
}

#[tokio::test]
async fn as_the_refresher_we_refresh_by_update_where_it_is_allowed() {
    let called = called_from(short()).await;
    let terms =
        "Allow: INVITE, BYE, UPDATE\r\nRequire: timer\r\nSession-Expires: 2;refresher=uac\r\n";
    let (mut called, _) = answered_of(called, terms).await;
    for _ in 0..3 {
        let update = called.peer.expect("UPDATE").await;
        assert_eq!(update.header("Session-Expires"), "2;refresher=uac");
        assert_eq!(update.body, "");
        let extra = "Session-Expires: 2;refresher=uac\r\n";
        called.peer.respond(&update, "200 OK", "", extra, "").await;
    }
    assert!(called.events.try_recv().is_err());
    called.handle.bye();
    let bye = called.peer.expect("BYE").await;
    called.peer.respond(&bye, "200 OK", "", "", "").await;
    drained(&called.sip).await;
}

#[tokio::test]
async fn as_the_refresher_we_refresh_by_the_same_offer_where_update_is_not_allowed() {
    let terms = "Require: timer\r\nSession-Expires: 2;refresher=uac\r\n";
    let (mut called, _) = answered_of(called_from(short()).await, terms).await;
    let reinvite = called.peer.expect("INVITE").await;
    assert_eq!(reinvite.body, OFFER, "the same description: nothing changes");
    called.peer.ok(&reinvite, "", ANSWER).await;
    called.peer.expect("ACK").await;
    // It said nothing of a timer: there is none from now on.
    called.peer.never("BYE", 2_500).await;
}

#[tokio::test]
async fn a_refresh_that_nobody_answers_ends_the_call() {
    let terms = "Allow: UPDATE\r\nSession-Expires: 2;refresher=uac\r\n";
    let (mut called, _) = answered_of(called_from(short()).await, terms).await;
    called.peer.expect("UPDATE").await;
    let bye = called.peer.expect("BYE").await;
    called.peer.respond(&bye, "200 OK", "", "", "").await;
    assert_eq!(next(&mut called.events).await, DialogEvent::Ended { cause: EndCause::Lost });
    silence(&mut called.events).await;
    drained(&called.sip).await;
}

#[tokio::test]
async fn a_callee_that_does_not_refresh_as_it_promised_gets_our_bye() {
    let terms = "Require: timer\r\nSession-Expires: 3;refresher=uas\r\n";
    let (mut called, _) = answered_of(called_from(short()).await, terms).await;
    let update = in_dialog(&called, "UPDATE", 7, "refresh").replace(
        "Content-Length",
        "Supported: timer\r\nSession-Expires: 2;refresher=uac\r\nContent-Length",
    );
    called.peer.raw(update.as_bytes(), called.sip.local_addr()).await;
    let ok = called.peer.expect("SIP/2.0 200").await;
    assert_eq!(ok.header("Session-Expires"), "2;refresher=uac", "its sender goes on refreshing");
    assert_eq!(ok.header("Require"), "timer");
    let bye = called.peer.expect("BYE").await;
    called.peer.respond(&bye, "200 OK", "", "", "").await;
    assert_eq!(next(&mut called.events).await, DialogEvent::Ended { cause: EndCause::Lost });
    drained(&called.sip).await;
}

#[tokio::test]
async fn a_caller_with_a_timer_is_granted_it_and_is_to_refresh() {
    let asks = "Supported: timer\r\nSession-Expires: 3600\r\nMin-SE: 90\r\n";
    let (up, ok) = confirmed_of(ringing_with(config(), asks).await).await;
    assert_eq!(ok.header("Session-Expires"), "1800;refresher=uac");
    assert_eq!(ok.header("Require"), "timer");
    drop(up);
    let (_up, ok) = confirmed_of(ringing_with(config(), "").await).await;
    assert_eq!(ok.header("Session-Expires"), "", "who knows no timer gets none");
}

#[tokio::test]
async fn a_caller_that_asks_for_too_little_gets_422() {
    let (sip, mut incoming) = undertone_sip::Sip::bind(config()).await.unwrap();
    let mut peer = crate::peer::Peer::new().await;
    let script = crate::peer::Script::new(sip.local_addr(), "small@peer");
    let asks = "Supported: timer\r\nx: 60\r\nContent-Type: application/sdp\r\n";
    let invite = script.request(&peer, "INVITE", "invite", asks, OFFER);
    peer.raw(invite.as_bytes(), sip.local_addr()).await;
    assert_eq!(peer.expect("SIP/2.0 422").await.header("Min-SE"), "90");
    script.send(&peer, "ACK", "invite").await;
    assert!(incoming.try_recv().is_err());
    drained(&sip).await;
}

#[tokio::test]
async fn as_a_callee_we_refresh_where_the_caller_wants_that() {
    let asks = "Supported: timer\r\nAllow: UPDATE\r\nSession-Expires: 2;refresher=uas\r\n";
    let (mut up, ok) = confirmed_of(ringing_with(short(), asks).await).await;
    assert_eq!(ok.header("Session-Expires"), "2;refresher=uas");
    let update = up.peer.expect("UPDATE").await;
    assert_eq!(update.header("Session-Expires"), "2;refresher=uac", "we send it, so we are uac");
    let extra = "Session-Expires: 2;refresher=uac\r\n";
    up.peer.respond(&update, "200 OK", "", extra, "").await;
    up.script.cseq = 2;
    hung_up(&up.sip, &mut up.peer, &up.script, &mut up.call.events).await;
}

#[tokio::test]
async fn a_caller_that_vanishes_gets_our_bye_when_its_session_lapses() {
    let asks = "Supported: timer\r\nSession-Expires: 2;refresher=uac\r\n";
    let (mut up, _) = confirmed_of(ringing_with(short(), asks).await).await;
    let bye = up.peer.expect("BYE").await;
    up.peer.respond(&bye, "200 OK", "", "", "").await;
    assert_eq!(next(&mut up.call.events).await, DialogEvent::Ended { cause: EndCause::Lost });
    drained(&up.sip).await;
}
