//! A scripted peer calls us, and does what phones in the field do.

use tokio::sync::mpsc::Receiver;
use undertone_sip::{DialogEvent, EndCause, Incoming, Sip, SipConfig};

use crate::peer::{Message, Peer, Script};
use crate::support::{ANSWER, OFFER, T1_MS, call_in, config, drained, endpoint, next, silence};

pub(crate) struct Ringing {
    pub(crate) sip: Sip,
    pub(crate) incoming: Receiver<Incoming>,
    pub(crate) peer: Peer,
    pub(crate) script: Script,
    pub(crate) call: Incoming,
}

async fn ringing() -> Ringing {
    ringing_with(config(), "").await
}

/// The INVITE has these headers too.
pub(crate) async fn ringing_with(config: SipConfig, extra: &str) -> Ringing {
    let (sip, mut incoming) = Sip::bind(config).await.unwrap();
    let mut peer = Peer::new().await;
    let script = Script::new(sip.local_addr(), "call-1@peer");
    let extra = format!("{extra}Content-Type: application/sdp\r\n");
    let invite = script.request(&peer, "INVITE", "invite", &extra, OFFER);
    peer.raw(invite.as_bytes(), sip.local_addr()).await;
    peer.expect("SIP/2.0 100").await;
    let call = call_in(&mut incoming).await;
    Ringing { sip, incoming, peer, script, call }
}

async fn answered() -> (Ringing, Message) {
    answered_of(ringing().await).await
}

pub(crate) async fn answered_of(mut up: Ringing) -> (Ringing, Message) {
    up.call.dialog.answer(ANSWER.into());
    let ok = up.peer.expect("SIP/2.0 200").await;
    up.script.their_tag = ok.tag("To");
    (up, ok)
}

pub(crate) async fn confirmed() -> Ringing {
    confirmed_of(ringing().await).await.0
}

pub(crate) async fn confirmed_of(ringing: Ringing) -> (Ringing, Message) {
    let (mut up, ok) = answered_of(ringing).await;
    up.script.send(&up.peer, "ACK", "ack").await;
    assert_eq!(next(&mut up.call.events).await, DialogEvent::Confirmed { sdp: None });
    (up, ok)
}

#[tokio::test]
async fn an_answer_says_who_we_are_and_what_we_can() {
    let (up, ok) = answered().await;
    assert_eq!(ok.body, ANSWER);
    assert_eq!(ok.header("Content-Type"), "application/sdp");
    assert!(ok.header("Contact").contains(&up.sip.local_addr().to_string()));
    assert!(ok.header("Allow").contains("INFO"));
    assert_eq!(up.call.from.name, "Bob B");
    assert_eq!(up.call.from.user, "bob");
    assert_eq!(up.call.to.user, "200");
    assert_eq!(up.call.source, up.peer.addr);
    assert!(up.call.contact.contains(&up.peer.addr.to_string()));
    assert_eq!(up.call.call_id, "call-1@peer");
}

#[tokio::test]
async fn a_cancel_ends_a_ringing_call_with_487() {
    let mut up = ringing().await;
    up.call.dialog.ring();
    up.peer.expect("SIP/2.0 180").await;
    up.script.send(&up.peer, "CANCEL", "invite").await;
    up.peer.expect("SIP/2.0 200").await;
    let terminated = up.peer.expect("SIP/2.0 487").await;
    up.script.their_tag = terminated.tag("To");
    up.script.send(&up.peer, "ACK", "invite").await;
    assert!(matches!(next(&mut up.call.events).await, DialogEvent::Failed { code: 487, .. }));
    silence(&mut up.call.events).await;
    drained(&up.sip).await;
}

#[tokio::test]
async fn an_invite_that_comes_twice_is_one_call() {
    let mut up = ringing().await;
    up.script.invite(&up.peer, "invite", OFFER).await;
    up.peer.expect("SIP/2.0 100").await;
    assert!(up.incoming.try_recv().is_err());
    assert_eq!(up.sip.gauges().dialogs, 1);
    // The same call by another way (section 8.2.2.2).
    up.script.invite(&up.peer, "fork", OFFER).await;
    up.peer.expect("SIP/2.0 482").await;
    assert!(up.incoming.try_recv().is_err());
}

#[tokio::test]
async fn an_unacknowledged_200_is_repeated_and_then_ended_by_bye() {
    let (mut up, _) = answered().await;
    up.peer.expect("SIP/2.0 200").await;
    up.peer.expect("SIP/2.0 200").await;
    let begun = std::time::Instant::now();
    let bye = up.peer.expect("BYE").await;
    assert!(begun.elapsed().as_millis() < u128::from(64 * T1_MS));
    up.peer.respond(&bye, "200 OK", "", "", "").await;
    assert_eq!(next(&mut up.call.events).await, DialogEvent::Ended { cause: EndCause::NoAck });
    drained(&up.sip).await;
}

#[tokio::test]
async fn our_bye_waits_for_the_ack() {
    let (mut up, _) = answered().await;
    up.call.dialog.bye();
    assert_eq!(next(&mut up.call.events).await, DialogEvent::Ended { cause: EndCause::Us });
    up.peer.never("BYE", 200).await;
    up.script.send(&up.peer, "ACK", "ack").await;
    let bye = up.peer.expect("BYE").await;
    up.peer.respond(&bye, "200 OK", "", "", "").await;
    drained(&up.sip).await;
}

#[tokio::test]
async fn a_bye_that_overtakes_the_ack_ends_the_call() {
    let (mut up, _) = answered().await;
    up.script.cseq = 2;
    up.script.send(&up.peer, "BYE", "bye").await;
    let mut ok = up.peer.expect("SIP/2.0 200").await;
    while ok.header("CSeq") != "2 BYE" {
        ok = up.peer.expect("SIP/2.0 200").await;
    }
    assert_eq!(next(&mut up.call.events).await, DialogEvent::Ended { cause: EndCause::FarEnd });
    up.script.cseq = 1;
    up.script.send(&up.peer, "ACK", "ack").await;
    drained(&up.sip).await;
}

#[tokio::test]
async fn a_bye_before_any_answer_ends_the_call() {
    let mut up = ringing().await;
    up.call.dialog.ring();
    up.script.their_tag = up.peer.expect("SIP/2.0 180").await.tag("To");
    up.script.cseq = 2;
    up.script.send(&up.peer, "BYE", "bye").await;
    up.peer.expect("SIP/2.0 200").await;
    up.peer.expect("SIP/2.0 487").await;
    assert!(matches!(next(&mut up.call.events).await, DialogEvent::Failed { code: 487, .. }));
    up.script.cseq = 1;
    up.script.send(&up.peer, "ACK", "invite").await;
    drained(&up.sip).await;
}

#[tokio::test]
async fn a_late_offer_is_ours_and_its_answer_is_in_the_ack() {
    let (sip, mut incoming) = endpoint().await;
    let mut peer = Peer::new().await;
    let mut script = Script::new(sip.local_addr(), "late@peer");
    script.invite(&peer, "invite", "").await;
    let mut call = call_in(&mut incoming).await;
    assert_eq!(call.offer, None);
    call.dialog.answer(OFFER.into());
    let ok = peer.expect("SIP/2.0 200").await;
    assert_eq!(ok.body, OFFER);
    script.their_tag = ok.tag("To");
    let sdp = "Content-Type: application/sdp\r\n";
    let ack = script.request(&peer, "ACK", "ack", sdp, ANSWER);
    peer.raw(ack.as_bytes(), sip.local_addr()).await;
    let sdp = Some(ANSWER.to_owned());
    assert_eq!(next(&mut call.events).await, DialogEvent::Confirmed { sdp });
    // And once more in the dialog.
    script.cseq = 2;
    script.invite(&peer, "again", "").await;
    let DialogEvent::Reoffer { token, sdp: None, .. } = next(&mut call.events).await else {
        panic!()
    };
    call.dialog.answer_reinvite(token, Ok(OFFER.into()));
    peer.expect("SIP/2.0 200").await;
    let ack = script.request(&peer, "ACK", "ack2", "Content-Type: application/sdp\r\n", ANSWER);
    peer.raw(ack.as_bytes(), sip.local_addr()).await;
    let sdp = Some(ANSWER.to_owned());
    assert_eq!(next(&mut call.events).await, DialogEvent::Confirmed { sdp });
}

#[tokio::test]
async fn a_second_reinvite_before_the_first_is_answered_gets_500() {
    let mut up = confirmed().await;
    up.script.cseq = 2;
    up.script.invite(&up.peer, "one", OFFER).await;
    let DialogEvent::Reoffer { token, .. } = next(&mut up.call.events).await else { panic!() };
    up.script.cseq = 3;
    up.script.invite(&up.peer, "two", OFFER).await;
    let refused = up.peer.expect("SIP/2.0 500").await;
    assert_eq!(refused.header("Retry-After"), "1");
    up.call.dialog.answer_reinvite(token, Ok(ANSWER.into()));
    let ok = up.peer.expect("SIP/2.0 200").await;
    assert_eq!(ok.header("CSeq"), "2 INVITE");
}

#[tokio::test]
async fn a_reinvite_that_nobody_answers_is_refused_and_the_call_stays() {
    let mut up = confirmed().await;
    up.script.cseq = 2;
    up.script.invite(&up.peer, "one", OFFER).await;
    assert!(matches!(next(&mut up.call.events).await, DialogEvent::Reoffer { .. }));
    up.peer.expect("SIP/2.0 500").await;
    up.script.send(&up.peer, "ACK", "one").await;
    up.script.cseq = 3;
    up.script.send(&up.peer, "OPTIONS", "options").await;
    up.peer.expect("SIP/2.0 200").await;
}

#[tokio::test]
async fn a_bye_during_their_reinvite_ends_both() {
    let mut up = confirmed().await;
    up.script.cseq = 2;
    up.script.invite(&up.peer, "one", OFFER).await;
    assert!(matches!(next(&mut up.call.events).await, DialogEvent::Reoffer { .. }));
    up.script.cseq = 3;
    up.script.send(&up.peer, "BYE", "bye").await;
    up.peer.expect("SIP/2.0 200").await;
    up.peer.expect("SIP/2.0 487").await;
    assert_eq!(next(&mut up.call.events).await, DialogEvent::Ended { cause: EndCause::FarEnd });
    up.script.cseq = 2;
    up.script.send(&up.peer, "ACK", "one").await;
    drained(&up.sip).await;
}

#[tokio::test]
async fn a_lost_ack_of_a_reinvite_ends_the_call_after_64_t1() {
    let mut up = confirmed().await;
    up.script.cseq = 2;
    up.script.invite(&up.peer, "one", OFFER).await;
    let DialogEvent::Reoffer { token, .. } = next(&mut up.call.events).await else { panic!() };
    up.call.dialog.answer_reinvite(token, Ok(ANSWER.into()));
    up.peer.expect("SIP/2.0 200").await;
    let bye = up.peer.expect("BYE").await;
    up.peer.respond(&bye, "200 OK", "", "", "").await;
    assert_eq!(next(&mut up.call.events).await, DialogEvent::Ended { cause: EndCause::NoAck });
    drained(&up.sip).await;
}

#[tokio::test]
async fn old_sequence_numbers_are_refused_and_gaps_are_not() {
    let mut up = confirmed().await;
    up.script.cseq = 40;
    up.script.send(&up.peer, "OPTIONS", "gap").await;
    assert_eq!(up.peer.expect("SIP/2.0 200").await.header("CSeq"), "40 OPTIONS");
    up.script.cseq = 39;
    up.script.send(&up.peer, "OPTIONS", "old").await;
    assert_eq!(up.peer.expect("SIP/2.0 500").await.header("CSeq"), "39 OPTIONS");
}

#[tokio::test]
async fn info_is_handed_on_and_other_methods_are_refused() {
    let mut up = confirmed().await;
    up.script.cseq = 2;
    let kind = "Content-Type: application/dtmf-relay\r\n";
    let info = up.script.request(&up.peer, "INFO", "info", kind, "Signal=5\r\nDuration=100\r\n");
    up.peer.raw(info.as_bytes(), up.sip.local_addr()).await;
    up.peer.expect("SIP/2.0 200").await;
    let DialogEvent::Info { content_type, body } = next(&mut up.call.events).await else {
        panic!()
    };
    assert_eq!(content_type, "application/dtmf-relay");
    assert_eq!(body, "Signal=5\r\nDuration=100\r\n");
    for (cseq, method) in [(3, "MESSAGE"), (4, "PUBLISH"), (5, "SUBSCRIBE")] {
        up.script.cseq = cseq;
        up.script.send(&up.peer, method, method).await;
        assert!(up.peer.expect("SIP/2.0 405").await.header("Allow").contains("INVITE"));
    }
    up.script.cseq = 6;
    up.script.send(&up.peer, "WIBBLE", "unknown").await;
    up.peer.expect("SIP/2.0 501").await;
}

#[tokio::test]
async fn requests_of_no_dialog_are_answered_as_they_should() {
    let (sip, _incoming) = endpoint().await;
    let mut peer = Peer::new().await;
    let mut script = Script::new(sip.local_addr(), "none@peer");
    script.send(&peer, "OPTIONS", "options").await;
    assert!(peer.expect("SIP/2.0 200").await.header("Allow").contains("INVITE"));
    script.send(&peer, "CANCEL", "cancel").await;
    peer.expect("SIP/2.0 481").await;
    script.send(&peer, "REGISTER", "register").await;
    peer.expect("SIP/2.0 405").await;
    script.their_tag = "unknown".into();
    for method in ["BYE", "INVITE", "INFO"] {
        script.send(&peer, method, method).await;
        peer.expect("SIP/2.0 481").await;
    }
    drained(&sip).await;
}

#[tokio::test]
async fn our_requests_follow_the_contact_of_an_accepted_reinvite() {
    let mut up = confirmed().await;
    let mut moved = Peer::new().await;
    up.script.cseq = 2;
    let text =
        up.script.request(&up.peer, "INVITE", "move", "Content-Type: application/sdp\r\n", OFFER);
    let old = format!("Contact: <sip:bob@{}>", up.peer.addr);
    let new = format!("Contact: <sip:b%40b@{}>", moved.addr);
    up.peer.raw(text.replace(&old, &new).as_bytes(), up.sip.local_addr()).await;
    let DialogEvent::Reoffer { token, .. } = next(&mut up.call.events).await else { panic!() };
    up.call.dialog.answer_reinvite(token, Ok(ANSWER.into()));
    up.peer.expect("SIP/2.0 200").await;
    up.script.send(&up.peer, "ACK", "moveack").await;
    // Our own re-INVITE would be Pending until that ACK is in; BYE need not wait.
    up.call.dialog.bye();
    let bye = moved.expect("BYE").await;
    assert!(bye.start.starts_with(&format!("BYE sip:b%40b@{}", moved.addr)), "{}", bye.start);
}

#[tokio::test]
async fn compact_and_folded_headers_and_no_content_length_are_read() {
    let (sip, mut incoming) = endpoint().await;
    let peer = Peer::new().await;
    let (us, addr) = (sip.local_addr(), peer.addr);
    let text = format!(
        "INVITE sip:200@{us} SIP/2.0\r\nv: SIP/2.0/UDP {addr}\r\n ;branch=z9hG4bKfold\r\n\
         f: \"Carol\r\n\t Clark\" <sip:c@{addr}>;tag=1\r\nt: <sip:200@{us}>\r\ni: compact@peer\r\n\
         CSEQ: 1\r\n INVITE\r\nm: <sip:c@{addr}>\r\nc: application/sdp\r\n\r\n{OFFER}"
    );
    peer.raw(text.as_bytes(), us).await;
    let call = call_in(&mut incoming).await;
    assert_eq!(call.from.name, "Carol Clark");
    assert_eq!(call.call_id, "compact@peer");
    assert_eq!(call.offer.as_deref(), Some(OFFER));
}
