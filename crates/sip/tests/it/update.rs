//! UPDATE (RFC 3311) in a call that is up: with a description it is an offer, without one it is
//! not; and how it meets other offers.

use undertone_sip::{DialogEvent, SipError};

use crate::scripted_callee::{answered, answered_by, in_dialog, offer_in_dialog};
use crate::scripted_caller::confirmed;
use crate::support::{ANSWER, OFFER, drained, next, silence, up};

#[tokio::test]
async fn an_update_carries_an_offer_and_its_answer() {
    let mut up = up().await;
    for _ in 0..2 {
        let asking = tokio::spawn({
            let handle = up.ours.clone();
            async move { handle.update(OFFER.into()).await }
        });
        let DialogEvent::Reoffer { token, sdp, source } = next(&mut up.their_events).await else {
            panic!("no offer came");
        };
        assert_eq!(sdp.as_deref(), Some(OFFER));
        assert!(source == up.caller.local_addr() || source == up.callee.local_addr());
        up.theirs.answer_reinvite(token, Ok(ANSWER.into()));
        assert_eq!(asking.await.unwrap(), Ok(ANSWER.into()));
        std::mem::swap(&mut up.ours, &mut up.theirs);
        std::mem::swap(&mut up.our_events, &mut up.their_events);
    }
    up.ours.bye();
    assert!(matches!(next(&mut up.our_events).await, DialogEvent::Ended { .. }));
    drained(&up.caller).await;
    drained(&up.callee).await;
}

#[tokio::test]
async fn an_update_without_a_description_is_answered_and_moves_the_target() {
    let mut up = confirmed().await;
    let mut moved = crate::peer::Peer::new().await;
    up.script.cseq = 2;
    let text = up.script.request(&up.peer, "UPDATE", "update", "", "");
    let (old, new) = (up.peer.addr.to_string(), moved.addr.to_string());
    let text =
        text.replace(&format!("Contact: <sip:bob@{old}>"), &format!("Contact: <sip:bob@{new}>"));
    up.peer.raw(text.as_bytes(), up.sip.local_addr()).await;
    let ok = up.peer.expect("SIP/2.0 200").await;
    assert_eq!(ok.header("CSeq"), "2 UPDATE");
    assert_eq!(ok.body, "");
    assert!(ok.header("Contact").contains(&up.sip.local_addr().to_string()));
    assert!(up.call.events.try_recv().is_err(), "no offer, no event");
    up.call.dialog.bye();
    let bye = moved.expect("BYE").await;
    moved.respond(&bye, "200 OK", "", "", "").await;
    drained(&up.sip).await;
}

#[tokio::test]
async fn an_update_of_theirs_gets_491_while_ours_is_open_and_500_while_theirs_is() {
    let mut up = confirmed().await;
    let asking = tokio::spawn({
        let handle = up.call.dialog.clone();
        async move { handle.reinvite(OFFER.into()).await }
    });
    let reinvite = up.peer.expect("INVITE").await;
    let sdp = "Content-Type: application/sdp\r\n";
    up.script.cseq = 2;
    let text = up.script.request(&up.peer, "UPDATE", "one", sdp, OFFER);
    up.peer.raw(text.as_bytes(), up.sip.local_addr()).await;
    up.peer.expect("SIP/2.0 491").await;
    // One without an offer meets nothing.
    up.script.cseq = 3;
    up.script.send(&up.peer, "UPDATE", "two").await;
    up.peer.expect("SIP/2.0 200").await;
    up.peer.ok(&reinvite, "", ANSWER).await;
    assert_eq!(asking.await.unwrap(), Ok(ANSWER.into()));
    up.script.cseq = 4;
    let text = up.script.request(&up.peer, "UPDATE", "three", sdp, OFFER);
    up.peer.raw(text.as_bytes(), up.sip.local_addr()).await;
    let DialogEvent::Reoffer { token, .. } = next(&mut up.call.events).await else { panic!() };
    up.script.cseq = 5;
    let text = up.script.request(&up.peer, "UPDATE", "four", sdp, OFFER);
    up.peer.raw(text.as_bytes(), up.sip.local_addr()).await;
    assert_eq!(up.peer.expect("SIP/2.0 500").await.header("Retry-After"), "1");
    up.call.dialog.answer_reinvite(token, Ok(ANSWER.into()));
    assert_eq!(up.peer.expect("SIP/2.0 200").await.header("CSeq"), "4 UPDATE");
}

#[tokio::test]
async fn a_refused_update_leaves_the_call_up() {
    let up = up().await;
    let mut their_events = up.their_events;
    let asking = tokio::spawn({
        let handle = up.ours.clone();
        async move { handle.update(OFFER.into()).await }
    });
    let DialogEvent::Reoffer { token, .. } = next(&mut their_events).await else { panic!() };
    up.theirs.answer_reinvite(token, Err(488));
    assert_eq!(asking.await.unwrap(), Err(SipError::Refused(488)));
    assert_eq!(up.ours.options().await, Ok(200));
}

#[tokio::test]
async fn no_update_goes_to_who_does_not_allow_it_and_none_is_advertised_early() {
    let (called, _) = answered().await;
    assert!(!called.invite.header("Allow").contains("UPDATE"));
    assert_eq!(called.handle.update(OFFER.into()).await, Err(SipError::Refused(405)));
    let mut called = answered_by("Allow: INVITE, UPDATE\r\n").await;
    let asking = tokio::spawn({
        let handle = called.handle.clone();
        async move { handle.update(OFFER.into()).await }
    });
    let update = called.peer.expect("UPDATE").await;
    assert!(update.header("Allow").contains("UPDATE"));
    called.peer.ok(&update, "", ANSWER).await;
    assert_eq!(asking.await.unwrap(), Ok(ANSWER.into()));
}

#[tokio::test]
async fn an_update_before_the_answer_is_answered_at_once() {
    let mut called = crate::scripted_callee::called().await;
    called.peer.respond(&called.invite, "180 Ringing", "a", &called.peer.contact(), "").await;
    let plain = in_dialog(&called, "UPDATE", 7, "plain");
    called.peer.raw(plain.as_bytes(), called.sip.local_addr()).await;
    called.peer.expect("SIP/2.0 200").await;
    let offer = offer_in_dialog(&called, "UPDATE", 8, "offer");
    called.peer.raw(offer.as_bytes(), called.sip.local_addr()).await;
    called.peer.expect("SIP/2.0 491").await;
    called.peer.respond(&called.invite, "486 Busy Here", "a", "", "").await;
    called.peer.expect("ACK").await;
    let mut events = called.events;
    while !matches!(next(&mut events).await, DialogEvent::Failed { code: 486, .. }) {}
    silence(&mut events).await;
    drained(&called.sip).await;
}
