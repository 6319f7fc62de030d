//! Offers that cross: 491, and the second try after the time of RFC 3261 section 14.1.

use undertone_sip::{DialogEvent, SipError};

use crate::scripted_callee::{answered, in_dialog, offer_in_dialog};
use crate::support::{ANSWER, OFFER, T1_MS, next};

#[tokio::test]
async fn after_491_our_offer_waits_and_comes_again() {
    let (mut called, _) = answered().await;
    let asking = tokio::spawn({
        let handle = called.handle.clone();
        async move { handle.reinvite(OFFER.into()).await }
    });
    let first = called.peer.expect("INVITE").await;
    called.peer.respond(&first, "491 Request Pending", "", "", "").await;
    called.peer.expect("ACK").await;
    let begun = std::time::Instant::now();
    let again = called.peer.expect("INVITE").await;
    // We chose the Call-ID: 2.1 s at T1 = 500 ms, less what the machine took to read the 491.
    assert!(begun.elapsed().as_millis() > u128::from(2_000 * T1_MS / 500));
    assert_eq!(again.header("CSeq"), "3 INVITE");
    assert_eq!(again.body, OFFER);
    called.peer.ok(&again, "", ANSWER).await;
    assert_eq!(asking.await.unwrap(), Ok(ANSWER.into()));
}

#[tokio::test]
async fn an_offer_that_theirs_overtook_is_not_sent_again() {
    let (mut called, _) = answered().await;
    let asking = tokio::spawn({
        let handle = called.handle.clone();
        async move { handle.reinvite(OFFER.into()).await }
    });
    let first = called.peer.expect("INVITE").await;
    called.peer.respond(&first, "491 Request Pending", "", "", "").await;
    called.peer.expect("ACK").await;
    // Theirs comes in our wait, which is 210 ms at the least.
    let offer = offer_in_dialog(&called, "INVITE", 7, "theirs");
    called.peer.raw(offer.as_bytes(), called.sip.local_addr()).await;
    let event = next(&mut called.events).await;
    let DialogEvent::Reoffer { token, .. } = event else { panic!("{event:?}") };
    called.handle.answer_reinvite(token, Ok(ANSWER.into()));
    called.peer.expect("SIP/2.0 200").await;
    let ack = in_dialog(&called, "ACK", 7, "theirs-ack");
    called.peer.raw(ack.as_bytes(), called.sip.local_addr()).await;
    assert_eq!(asking.await.unwrap(), Err(SipError::Refused(491)));
    assert_eq!(called.sip.gauges().dialogs, 1);
}

#[tokio::test]
async fn a_far_end_that_always_says_491_gets_four_tries() {
    let (mut called, _) = answered().await;
    let asking = tokio::spawn({
        let handle = called.handle.clone();
        async move { handle.reinvite(OFFER.into()).await }
    });
    for _ in 0..4 {
        let invite = called.peer.expect("INVITE").await;
        called.peer.respond(&invite, "491 Request Pending", "", "", "").await;
        called.peer.expect("ACK").await;
    }
    assert_eq!(asking.await.unwrap(), Err(SipError::Refused(491)));
    called.peer.never("INVITE", 500).await;
}
