//! We call; a scripted peer answers, late, twice, oddly or not at all.

use tokio::sync::mpsc::Receiver;
use undertone_sip::{DialogEvent, DialogHandle, EndCause, Sip, SipConfig, SipError};

use crate::peer::{Message, Peer, Script};
use crate::support::{ANSWER, OFFER, config, drained, next, next_final, silence, to};

pub(crate) struct Called {
    pub(crate) sip: Sip,
    pub(crate) peer: Peer,
    pub(crate) handle: DialogHandle,
    pub(crate) events: Receiver<DialogEvent>,
    pub(crate) invite: Message,
}

pub(crate) async fn called() -> Called {
    called_from(config()).await
}

pub(crate) async fn called_from(config: SipConfig) -> Called {
    let (sip, _) = Sip::bind(config).await.unwrap();
    let mut peer = Peer::new().await;
    let (handle, events) = sip.call(to(peer.addr));
    let invite = peer.expect("INVITE").await;
    Called { sip, peer, handle, events, invite }
}

pub(crate) async fn answered_by(extra: &str) -> Called {
    answered_of(called().await, extra).await.0
}

pub(crate) async fn answered() -> (Called, Message) {
    answered_of(called().await, "").await
}

/// The peer answers with these headers too.
pub(crate) async fn answered_of(mut called: Called, extra: &str) -> (Called, Message) {
    let extra = format!("{}{extra}Content-Type: application/sdp\r\n", called.peer.contact());
    called.peer.respond(&called.invite, "200 OK", "a", &extra, ANSWER).await;
    let ack = called.peer.expect("ACK").await;
    assert_eq!(next(&mut called.events).await, DialogEvent::Answered { sdp: ANSWER.into() });
    (called, ack)
}

/// A caller that a script plays says BYE, and nothing is left.
pub(crate) async fn hung_up(
    sip: &Sip,
    peer: &mut Peer,
    script: &Script,
    events: &mut Receiver<DialogEvent>,
) {
    script.send(peer, "BYE", "last").await;
    while !peer.expect("SIP/2.0 200").await.header("CSeq").contains("BYE") {}
    assert_eq!(next(events).await, DialogEvent::Ended { cause: EndCause::FarEnd });
    drained(sip).await;
}

#[tokio::test]
async fn an_invite_says_who_calls_what_we_offer_and_where_we_are() {
    let Called { sip, invite, .. } = called().await;
    assert!(invite.header("From").starts_with("\"Alice Adams\" <sip:100@127.0.0.1"));
    assert_eq!(invite.header("Content-Type"), "application/sdp");
    assert_eq!(invite.body, OFFER);
    assert_eq!(invite.header("Max-Forwards"), "70");
    assert!(invite.header("Allow").contains("BYE"));
    assert!(invite.header("Contact").contains(&sip.local_addr().to_string()));
    assert!(!invite.header("Call-ID").contains("rsipstack"));
}

#[tokio::test]
async fn a_200_without_a_1xx_is_acknowledged_and_so_is_its_retransmission() {
    let (mut called, ack) = answered().await;
    assert_eq!(ack.header("CSeq"), "1 ACK");
    assert_eq!(ack.tag("To"), "a");
    called.peer.ok(&called.invite, "a", ANSWER).await;
    let again = called.peer.expect("ACK").await;
    assert_eq!(again.tag("To"), "a");
    called.handle.bye();
    let bye = called.peer.expect("BYE").await;
    called.peer.respond(&bye, "200 OK", "", "", "").await;
    assert_eq!(next(&mut called.events).await, DialogEvent::Ended { cause: EndCause::Us });
    silence(&mut called.events).await;
    drained(&called.sip).await;
}

#[tokio::test]
async fn a_cancel_waits_for_the_first_1xx() {
    let mut called = called().await;
    called.handle.cancel();
    assert!(matches!(next(&mut called.events).await, DialogEvent::Failed { code: 487, .. }));
    called.peer.never("CANCEL", 120).await;
    called.peer.respond(&called.invite, "180 Ringing", "a", "", "").await;
    let cancel = called.peer.expect("CANCEL").await;
    assert_eq!(cancel.branch(), called.invite.branch());
    assert_eq!(cancel.header("CSeq"), "1 CANCEL");
    called.peer.respond(&cancel, "200 OK", "a", "", "").await;
    called.peer.respond(&called.invite, "487 Request Terminated", "a", "", "").await;
    called.peer.expect("ACK").await;
    silence(&mut called.events).await;
    drained(&called.sip).await;
}

#[tokio::test]
async fn a_200_that_crosses_a_cancel_is_acknowledged_and_ended_by_bye() {
    let mut called = called().await;
    called.peer.respond(&called.invite, "180 Ringing", "a", "", "").await;
    assert!(matches!(next(&mut called.events).await, DialogEvent::Progress { code: 180, .. }));
    called.handle.cancel();
    let cancel = called.peer.expect("CANCEL").await;
    called.peer.ok(&called.invite, "a", ANSWER).await;
    called.peer.respond(&cancel, "200 OK", "a", "", "").await;
    called.peer.expect("ACK").await;
    let bye = called.peer.expect("BYE").await;
    called.peer.respond(&bye, "200 OK", "", "", "").await;
    assert!(matches!(next(&mut called.events).await, DialogEvent::Failed { code: 487, .. }));
    silence(&mut called.events).await;
    drained(&called.sip).await;
}

#[tokio::test]
async fn a_peer_that_is_silent_and_then_answers_after_we_gave_up_gets_a_bye() {
    let mut called = called().await;
    assert!(matches!(next(&mut called.events).await, DialogEvent::Failed { code: 408, .. }));
    called.peer.ok(&called.invite, "a", ANSWER).await;
    called.peer.expect("ACK").await;
    let bye = called.peer.expect("BYE").await;
    called.peer.respond(&bye, "200 OK", "", "", "").await;
    drained(&called.sip).await;
}

#[tokio::test]
async fn a_fork_that_answers_second_is_acknowledged_and_ended() {
    let mut called = called().await;
    for tag in ["a", "b"] {
        called.peer.respond(&called.invite, "180 Ringing", tag, "", "").await;
    }
    called.peer.ok(&called.invite, "a", ANSWER).await;
    assert_eq!(called.peer.expect("ACK").await.tag("To"), "a");
    assert!(matches!(next_final(&mut called.events).await, DialogEvent::Answered { .. }));
    called.peer.ok(&called.invite, "b", ANSWER).await;
    assert_eq!(called.peer.expect("ACK").await.tag("To"), "b");
    let bye = called.peer.expect("BYE").await;
    assert_eq!(bye.tag("To"), "b");
    called.peer.respond(&bye, "200 OK", "", "", "").await;
    called.handle.bye();
    let bye = called.peer.expect("BYE").await;
    assert_eq!(bye.tag("To"), "a");
    called.peer.respond(&bye, "200 OK", "", "", "").await;
    drained(&called.sip).await;
}

#[tokio::test]
async fn a_202_counts_as_an_answer() {
    let mut called = called().await;
    let extra = format!("{}Content-Type: application/sdp\r\n", called.peer.contact());
    called.peer.respond(&called.invite, "202 Accepted", "a", &extra, ANSWER).await;
    called.peer.expect("ACK").await;
    assert_eq!(next(&mut called.events).await, DialogEvent::Answered { sdp: ANSWER.into() });
}

#[tokio::test]
async fn a_200_without_a_contact_is_acknowledged_to_where_it_came_from() {
    let mut called = called().await;
    let extra = "Content-Type: application/sdp\r\n";
    called.peer.respond(&called.invite, "200 OK", "a", extra, ANSWER).await;
    called.peer.expect("ACK").await;
    assert_eq!(next(&mut called.events).await, DialogEvent::Answered { sdp: ANSWER.into() });
}

#[tokio::test]
async fn an_answer_without_a_description_ends_the_call() {
    let mut called = called().await;
    called.peer.ok(&called.invite, "a", "").await;
    called.peer.expect("ACK").await;
    assert!(matches!(next(&mut called.events).await, DialogEvent::Failed { code: 488, .. }));
    called.peer.expect("BYE").await;
}

#[tokio::test]
async fn an_answer_given_in_the_183_alone_counts() {
    let mut called = called().await;
    let extra = format!("{}Content-Type: application/sdp\r\n", called.peer.contact());
    called.peer.respond(&called.invite, "183 Session Progress", "a", &extra, ANSWER).await;
    let sdp = Some(ANSWER.to_owned());
    assert_eq!(next(&mut called.events).await, DialogEvent::Progress { code: 183, sdp });
    called.peer.ok(&called.invite, "a", "").await;
    assert_eq!(next(&mut called.events).await, DialogEvent::Answered { sdp: ANSWER.into() });
}

#[tokio::test]
async fn a_challenge_is_a_failure_until_we_have_digest() {
    let mut called = called().await;
    let challenge = "WWW-Authenticate: Digest realm=\"x\", nonce=\"1\"\r\n";
    called.peer.respond(&called.invite, "401 Unauthorized", "a", challenge, "").await;
    called.peer.expect("ACK").await;
    assert!(matches!(next(&mut called.events).await, DialogEvent::Failed { code: 401, .. }));
    drained(&called.sip).await;
}

#[tokio::test]
async fn requests_follow_the_far_ends_new_contact() {
    let (mut called, _) = answered().await;
    let mut moved = Peer::new().await;
    let asking = tokio::spawn({
        let handle = called.handle.clone();
        async move { handle.reinvite(OFFER.into()).await }
    });
    let reinvite = called.peer.expect("INVITE").await;
    assert_eq!(reinvite.header("CSeq"), "2 INVITE");
    let extra = format!("{}Content-Type: application/sdp\r\n", moved.contact());
    called.peer.respond(&reinvite, "200 OK", "", &extra, ANSWER).await;
    assert_eq!(asking.await.unwrap(), Ok(ANSWER.to_owned()));
    moved.expect("ACK").await;
    called.handle.bye();
    let bye = moved.expect("BYE").await;
    moved.respond(&bye, "200 OK", "", "", "").await;
    drained(&called.sip).await;
}

#[tokio::test]
async fn a_record_route_leads_every_later_request_over_it() {
    let mut called = called().await;
    let mut proxy = Peer::new().await;
    let extra = format!(
        "Record-Route: <sip:{};lr>\r\n{}Content-Type: application/sdp\r\n",
        proxy.addr,
        called.peer.contact()
    );
    called.peer.respond(&called.invite, "200 OK", "a", &extra, ANSWER).await;
    let ack = proxy.expect("ACK").await;
    assert!(ack.start.contains(&called.peer.addr.to_string()));
    assert!(matches!(next(&mut called.events).await, DialogEvent::Answered { .. }));
    called.handle.bye();
    let bye = proxy.expect("BYE").await;
    assert!(bye.header("Route").contains(&proxy.addr.to_string()));
    proxy.respond(&bye, "200 OK", "", "", "").await;
}

#[tokio::test]
async fn a_481_to_a_reinvite_ends_the_call() {
    let (mut called, _) = answered().await;
    let asking = tokio::spawn({
        let handle = called.handle.clone();
        async move { handle.reinvite(OFFER.into()).await }
    });
    let reinvite = called.peer.expect("INVITE").await;
    called.peer.respond(&reinvite, "481 Gone", "", "", "").await;
    assert_eq!(asking.await.unwrap(), Err(SipError::Refused(481)));
    assert_eq!(next(&mut called.events).await, DialogEvent::Ended { cause: EndCause::Lost });
    called.peer.expect("BYE").await;
}

#[tokio::test]
async fn a_reinvite_of_theirs_gets_491_while_ours_is_open() {
    let (mut called, _) = answered().await;
    let asking = tokio::spawn({
        let handle = called.handle.clone();
        async move { handle.reinvite(OFFER.into()).await }
    });
    let reinvite = called.peer.expect("INVITE").await;
    let theirs = in_dialog(&called, "INVITE", 7, "glare");
    called.peer.raw(theirs.as_bytes(), called.sip.local_addr()).await;
    let refused = called.peer.expect("SIP/2.0 491").await;
    assert_eq!(refused.header("CSeq"), "7 INVITE");
    called.peer.ok(&reinvite, "", ANSWER).await;
    assert_eq!(asking.await.unwrap(), Ok(ANSWER.to_owned()));
}

#[tokio::test]
async fn a_bye_during_our_reinvite_ends_the_call() {
    let (mut called, _) = answered().await;
    let asking = tokio::spawn({
        let handle = called.handle.clone();
        async move { handle.reinvite(OFFER.into()).await }
    });
    let reinvite = called.peer.expect("INVITE").await;
    let bye = in_dialog(&called, "BYE", 7, "bye");
    called.peer.raw(bye.as_bytes(), called.sip.local_addr()).await;
    called.peer.expect("SIP/2.0 200").await;
    assert_eq!(next(&mut called.events).await, DialogEvent::Ended { cause: EndCause::FarEnd });
    assert_eq!(asking.await.unwrap(), Err(SipError::Ended));
    called.peer.respond(&reinvite, "487 Request Terminated", "", "", "").await;
    drained(&called.sip).await;
}

pub(crate) fn offer_in_dialog(called: &Called, method: &str, cseq: u32, branch: &str) -> String {
    let body = format!("Content-Type: application/sdp\r\n\r\n{OFFER}");
    in_dialog(called, method, cseq, branch).replace("Content-Length: 0\r\n\r\n", &body)
}

pub(crate) fn in_dialog(called: &Called, method: &str, cseq: u32, branch: &str) -> String {
    let (us, peer, invite) = (called.sip.local_addr(), called.peer.addr, &called.invite);
    format!(
        "{method} sip:x@{us} SIP/2.0\r\nVia: SIP/2.0/UDP {peer};branch=z9hG4bK{branch}\r\n\
         From: {};tag=a\r\nTo: {}\r\nCall-ID: {}\r\nCSeq: {cseq} {method}\r\n\
         Content-Length: 0\r\n\r\n",
        invite.header("To"),
        invite.header("From"),
        invite.header("Call-ID"),
    )
}
