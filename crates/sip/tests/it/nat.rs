//! Phones over UDP behind a NAT: what they say of themselves leads nowhere, and everything in a
//! dialog reaches them all the same.

use undertone_sip::{DialogEvent, EndCause, Outgoing};

use crate::peer::{Peer, Script};
use crate::support::{ANSWER, OFFER, call_in, drained, endpoint, next, next_final, to};

/// What the phone believes its address to be. TEST-NET-1: nobody is there.
const INSIDE: &str = "192.0.2.77:5060";

#[tokio::test]
async fn a_caller_behind_a_nat_gets_what_we_send_in_its_call() {
    let (sip, mut incoming) = endpoint().await;
    let mut peer = Peer::new().await;
    let mut script = Script::new(sip.local_addr(), "nat@peer");
    let own = peer.addr.to_string();
    let inside = |text: String| text.replace(&own, INSIDE);
    let sdp = "Content-Type: application/sdp\r\n";
    let invite = inside(script.request(&peer, "INVITE", "i", sdp, OFFER));
    peer.raw(invite.as_bytes(), script.us).await;
    let mut call = call_in(&mut incoming).await;
    assert_eq!(call.source, peer.addr);
    call.dialog.answer(ANSWER.into());
    script.their_tag = peer.expect("SIP/2.0 200").await.tag("To");
    peer.raw(inside(script.request(&peer, "ACK", "a", "", "")).as_bytes(), script.us).await;
    assert_eq!(next(&mut call.events).await, DialogEvent::Confirmed { sdp: None });
    // A re-INVITE of ours, and its ACK, whose Contact is that of the answer.
    let ours = call.dialog.clone();
    let offered = tokio::spawn(async move { ours.reinvite(OFFER.into()).await });
    let reinvite = peer.expect("INVITE").await;
    let extra = format!("Contact: <sip:bob@{INSIDE}>\r\n{sdp}");
    peer.respond(&reinvite, "200 OK", "", &extra, ANSWER).await;
    assert_eq!(offered.await.unwrap(), Ok(ANSWER.to_owned()));
    peer.expect("ACK").await;
    call.dialog.bye();
    let bye = peer.expect("BYE").await;
    peer.respond(&bye, "200 OK", "", "", "").await;
    assert_eq!(next(&mut call.events).await, DialogEvent::Ended { cause: EndCause::Us });
    drained(&sip).await;
}

#[tokio::test]
async fn a_registered_phone_behind_a_nat_gets_the_prack_the_ack_and_the_bye() {
    let (sip, _incoming) = endpoint().await;
    let mut peer = Peer::new().await;
    // As the registrar has it: what the phone named, and where its REGISTER came from.
    let to_uri = format!("sip:bob@{INSIDE}");
    let (handle, mut events) =
        sip.call(Outgoing { to_uri, to_addr: Some(peer.addr), ..to(peer.addr) });
    let invite = peer.expect("INVITE").await;
    assert!(invite.start.starts_with(&format!("INVITE sip:bob@{INSIDE} ")));
    let contact = format!("Contact: <sip:bob@{INSIDE}>\r\n");
    let reliable = format!("{contact}Require: 100rel\r\nRSeq: 1\r\n");
    peer.respond(&invite, "180 Ringing", "a", &reliable, "").await;
    let prack = peer.expect("PRACK").await;
    peer.respond(&prack, "200 OK", "", "", "").await;
    let extra = format!("{contact}Content-Type: application/sdp\r\n");
    peer.respond(&invite, "200 OK", "a", &extra, ANSWER).await;
    assert_eq!(next_final(&mut events).await, DialogEvent::Answered { sdp: ANSWER.into() });
    peer.expect("ACK").await;
    handle.bye();
    let bye = peer.expect("BYE").await;
    peer.respond(&bye, "200 OK", "", "", "").await;
    assert_eq!(next(&mut events).await, DialogEvent::Ended { cause: EndCause::Us });
    drained(&sip).await;
}

#[tokio::test]
async fn a_contact_that_may_be_meant_is_followed() {
    let (sip, mut incoming) = endpoint().await;
    let mut peer = Peer::new().await;
    let mut other = Peer::on("127.0.0.2:0").await;
    let mut script = Script::new(sip.local_addr(), "elsewhere@peer");
    let sdp = "Content-Type: application/sdp\r\n";
    let invite = script.request(&peer, "INVITE", "i", sdp, OFFER);
    let contact = |addr| format!("Contact: <sip:bob@{addr}>");
    let invite = invite.replace(&contact(peer.addr), &contact(other.addr));
    peer.raw(invite.as_bytes(), script.us).await;
    let mut call = call_in(&mut incoming).await;
    call.dialog.answer(ANSWER.into());
    script.their_tag = peer.expect("SIP/2.0 200").await.tag("To");
    script.send(&peer, "ACK", "a").await;
    assert_eq!(next(&mut call.events).await, DialogEvent::Confirmed { sdp: None });
    call.dialog.bye();
    let bye = other.expect("BYE").await;
    other.respond(&bye, "200 OK", "", "", "").await;
    assert_eq!(next(&mut call.events).await, DialogEvent::Ended { cause: EndCause::Us });
    drained(&sip).await;
}
