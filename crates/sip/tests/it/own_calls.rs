//! Calls of an endpoint to itself: two users at one address are two ends of a call. A call of ours
//! that somebody sends back to us is a loop as it was, and a call with another Request-URI.

use tokio::sync::mpsc::Receiver;
use undertone_sip::{DialogEvent, DialogHandle, EndCause, Incoming, Sip, Transport};

use crate::peer::{Message, Peer};
use crate::scripted_callee::called;
use crate::support::{ANSWER, OFFER, call_in, drained, endpoint, next, next_final, silence, to};

struct Own {
    sip: Sip,
    ours: DialogHandle,
    our_events: Receiver<DialogEvent>,
    theirs: DialogHandle,
    their_events: Receiver<DialogEvent>,
}

async fn ringing(transport: Option<Transport>, offer: &str) -> (Own, Receiver<Incoming>) {
    let (sip, mut incoming) = endpoint().await;
    let mut call = to(sip.local_addr());
    (call.transport, call.offer) = (transport, offer.to_owned());
    let (ours, our_events) = sip.call(call);
    let came = call_in(&mut incoming).await;
    assert_eq!((came.call_id.as_str(), came.request_user.as_str()), (ours.call_id(), "200"));
    let (theirs, their_events) = (came.dialog, came.events);
    (Own { sip, ours, our_events, theirs, their_events }, incoming)
}

async fn up(transport: Option<Transport>, offer: &str) -> Own {
    let (mut own, _) = ringing(transport, offer).await;
    own.theirs.ring();
    assert!(matches!(next(&mut own.our_events).await, DialogEvent::Progress { code: 180, .. }));
    own.theirs.answer(ANSWER.into());
    assert_eq!(next_final(&mut own.our_events).await, DialogEvent::Answered { sdp: ANSWER.into() });
    assert_eq!(next(&mut own.their_events).await, DialogEvent::Confirmed { sdp: None });
    own
}

async fn hung_up(mut own: Own, by_caller: bool) {
    let (us, them) = (EndCause::Us, EndCause::FarEnd);
    let (ours, theirs) = if by_caller { (us, them) } else { (them, us) };
    if by_caller {
        own.ours.bye()
    } else {
        own.theirs.bye()
    }
    assert_eq!(next(&mut own.our_events).await, DialogEvent::Ended { cause: ours });
    assert_eq!(next(&mut own.their_events).await, DialogEvent::Ended { cause: theirs });
    silence(&mut own.our_events).await;
    silence(&mut own.their_events).await;
    drained(&own.sip).await;
}

#[tokio::test]
async fn users_of_one_endpoint_call_each_other_and_either_hangs_up() {
    for transport in [None, Some(Transport::Udp), Some(Transport::Tcp)] {
        for by_caller in [true, false] {
            hung_up(up(transport, OFFER).await, by_caller).await;
        }
    }
}

#[tokio::test]
async fn an_own_call_too_large_for_udp_goes_over_a_connection_to_ourselves() {
    let offer = OFFER.to_owned() + &"a=x-filling:0123456789\r\n".repeat(60);
    let own = up(None, &offer).await;
    assert_eq!(own.sip.gauges().connections, 2, "one that we opened and the same as it came");
    hung_up(own, true).await;
}

#[tokio::test]
async fn both_ends_of_an_own_call_can_offer_anew() {
    let mut own = up(None, OFFER).await;
    for from_caller in [true, false] {
        let (asks, answers, events) = if from_caller {
            (own.ours.clone(), own.theirs.clone(), &mut own.their_events)
        } else {
            (own.theirs.clone(), own.ours.clone(), &mut own.our_events)
        };
        let asking = tokio::spawn(async move { asks.reinvite(OFFER.into()).await });
        let DialogEvent::Reoffer { token, .. } = next(events).await else { panic!("no offer") };
        answers.answer_reinvite(token, Ok(ANSWER.into()));
        assert_eq!(asking.await.unwrap(), Ok(ANSWER.into()));
    }
    hung_up(own, false).await;
}

#[tokio::test]
async fn an_own_call_is_refused_and_cancelled_like_any_other() {
    let (mut own, _) = ringing(None, OFFER).await;
    own.theirs.reject(486, None);
    let failed = next_final(&mut own.our_events).await;
    assert!(matches!(failed, DialogEvent::Failed { code: 486, .. }), "{failed:?}");
    drained(&own.sip).await;
    let (mut own, _) = ringing(None, OFFER).await;
    own.theirs.ring();
    assert!(matches!(next(&mut own.our_events).await, DialogEvent::Progress { .. }));
    own.ours.bye();
    for events in [&mut own.our_events, &mut own.their_events] {
        let failed = next(events).await;
        assert!(matches!(failed, DialogEvent::Failed { code: 487, .. }), "{failed:?}");
    }
    drained(&own.sip).await;
}

/// Our INVITE as a proxy would pass it back to us.
fn passed_back(invite: &Message, request_uri: &str, by: &Peer) -> String {
    format!(
        "INVITE {request_uri} SIP/2.0\r\nVia: SIP/2.0/UDP {};branch=z9hG4bKback\r\nVia: {}\r\n\
         From: {}\r\nTo: {}\r\nCall-ID: {}\r\nCSeq: 1 INVITE\r\nContact: {}\r\n\
         Max-Forwards: 69\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{OFFER}",
        by.addr,
        invite.header("Via"),
        invite.header("From"),
        invite.header("To"),
        invite.header("Call-ID"),
        invite.header("Contact"),
        OFFER.len(),
    )
}

#[tokio::test]
async fn a_call_of_ours_that_comes_back_as_it_was_is_a_loop() {
    let mut called = called().await;
    let us = called.sip.local_addr();
    let asked = called.invite.start.split(' ').nth(1).unwrap();
    let back = passed_back(&called.invite, asked, &called.peer);
    called.peer.raw(back.as_bytes(), us).await;
    let refused = called.peer.expect("SIP/2.0 482").await;
    assert_eq!(refused.branch(), "z9hG4bKback");
    called.peer.respond(&called.invite, "482 Loop Detected", "a", "", "").await;
    called.peer.expect("ACK").await;
    assert!(matches!(next(&mut called.events).await, DialogEvent::Failed { code: 482, .. }));
}

#[tokio::test]
async fn a_call_of_ours_that_comes_back_for_another_user_is_a_call_and_its_copy_is_none() {
    let (sip, mut incoming) = endpoint().await;
    let mut peer = Peer::new().await;
    let (_ours, _events) = sip.call(to(peer.addr));
    let invite = peer.expect("INVITE").await;
    let us = sip.local_addr();
    let back = passed_back(&invite, &format!("sip:300@{us}"), &peer);
    peer.raw(back.as_bytes(), us).await;
    let call = call_in(&mut incoming).await;
    assert_eq!((call.request_user.as_str(), call.max_forwards), ("300", 69));
    // A second branch of the same proxy (section 8.2.2.2).
    let copy = back.replace("z9hG4bKback", "z9hG4bKcopy");
    peer.raw(copy.as_bytes(), us).await;
    assert_eq!(peer.expect("SIP/2.0 482").await.branch(), "z9hG4bKcopy");
    assert_eq!(sip.gauges().dialogs, 2);
}
