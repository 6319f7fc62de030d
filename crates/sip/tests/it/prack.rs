//! Reliable provisional answers (RFC 3262), as callee and as caller.

use undertone_sip::DialogEvent;

use crate::peer::{Message, Peer, Script};
use crate::scripted_callee::{called, hung_up};
use crate::support::{ANSWER, OFFER, call_in, drained, endpoint, next, up_with};

/// An INVITE that says of 100rel what `extra` says.
async fn invited(extra: &str) -> (undertone_sip::Sip, Peer, Script, undertone_sip::Incoming) {
    let (sip, mut incoming) = endpoint().await;
    let mut peer = Peer::new().await;
    let script = Script::new(sip.local_addr(), "prack@peer");
    let extra = format!("{extra}Content-Type: application/sdp\r\n");
    let text = script.request(&peer, "INVITE", "invite", &extra, OFFER);
    peer.raw(text.as_bytes(), sip.local_addr()).await;
    peer.expect("SIP/2.0 100").await;
    let call = call_in(&mut incoming).await;
    (sip, peer, script, call)
}

async fn prack(peer: &mut Peer, script: &mut Script, of: &Message, branch: &str) -> Message {
    script.their_tag = of.tag("To");
    script.cseq += 1;
    let rack = format!("RAck: {} 1 INVITE\r\n", of.header("RSeq"));
    let text = script.request(peer, "PRACK", branch, &rack, "");
    peer.raw(text.as_bytes(), script.us).await;
    loop {
        let answer = peer.expect("SIP/2.0").await;
        if answer.header("CSeq").contains("PRACK") {
            return answer;
        }
    }
}

#[tokio::test]
async fn a_caller_who_requires_it_gets_each_provisional_answer_until_its_prack() {
    let (sip, mut peer, mut script, mut call) = invited("Require: 100rel\r\n").await;
    call.dialog.ring();
    let first = peer.expect("SIP/2.0 180").await;
    assert_eq!(first.header("Require"), "100rel");
    let again = peer.expect("SIP/2.0 180").await;
    assert_eq!(again.header("RSeq"), first.header("RSeq"), "a repetition is the same answer");
    // One at a time: the next waits for the PRACK of this.
    call.dialog.progress(183, Some(ANSWER.into()));
    peer.never("SIP/2.0 183", 60).await;
    assert_eq!(prack(&mut peer, &mut script, &first, "p1").await.start, "SIP/2.0 200 OK");
    let second = peer.expect("SIP/2.0 183").await;
    let number = |m: &Message| m.header("RSeq").parse::<u32>().unwrap();
    assert_eq!(number(&second), number(&first) + 1);
    assert_eq!(second.body, ANSWER);
    // The 200 waits for the PRACK of a description.
    call.dialog.answer(ANSWER.into());
    peer.never("SIP/2.0 200", 60).await;
    prack(&mut peer, &mut script, &second, "p2").await;
    peer.expect("SIP/2.0 200").await;
    let late = prack(&mut peer, &mut script, &second, "p3").await;
    assert!(late.start.starts_with("SIP/2.0 481"), "acknowledged twice: {}", late.start);
    script.cseq = 1;
    script.send(&peer, "ACK", "ack").await;
    assert_eq!(next(&mut call.events).await, DialogEvent::Confirmed { sdp: None });
    script.cseq = 9;
    hung_up(&sip, &mut peer, &script, &mut call.events).await;
}

#[tokio::test]
async fn a_caller_who_supports_it_gets_only_descriptions_so() {
    let (_sip, mut peer, mut script, call) = invited("Supported: timer, 100rel\r\n").await;
    call.dialog.ring();
    assert_eq!(peer.expect("SIP/2.0 180").await.header("RSeq"), "");
    call.dialog.progress(183, Some(ANSWER.into()));
    let early = peer.expect("SIP/2.0 183").await;
    assert_ne!(early.header("RSeq"), "");
    prack(&mut peer, &mut script, &early, "p1").await;
    call.dialog.answer(ANSWER.into());
    peer.expect("SIP/2.0 200").await;
}

#[tokio::test]
async fn a_provisional_answer_that_nobody_acknowledges_ends_the_call_with_504() {
    let (sip, mut peer, script, mut call) = invited("Require: 100rel\r\n").await;
    call.dialog.ring();
    peer.expect("SIP/2.0 504").await;
    assert!(matches!(next(&mut call.events).await, DialogEvent::Failed { code: 504, .. }));
    script.send(&peer, "ACK", "invite").await;
    drained(&sip).await;
}

#[tokio::test]
async fn a_cancel_while_a_provisional_answer_waits_for_its_prack_ends_the_call() {
    let (sip, mut peer, script, mut call) = invited("Require: 100rel\r\n").await;
    call.dialog.ring();
    peer.expect("SIP/2.0 180").await;
    script.send(&peer, "CANCEL", "invite").await;
    peer.expect("SIP/2.0 487").await;
    script.send(&peer, "ACK", "invite").await;
    assert!(matches!(next(&mut call.events).await, DialogEvent::Failed { code: 487, .. }));
    drained(&sip).await;
}

#[tokio::test]
async fn as_a_caller_we_acknowledge_each_reliable_answer_once_and_in_order() {
    let mut called = called().await;
    assert!(called.invite.header("Supported").contains("100rel"));
    let reliable = |number: u32, peer: &Peer| {
        format!("Require: 100rel\r\nRSeq: {number}\r\n{}", peer.contact())
    };
    let extra = reliable(7, &called.peer);
    called.peer.respond(&called.invite, "180 Ringing", "a", &extra, "").await;
    let first = called.peer.expect("PRACK").await;
    assert_eq!(first.header("RAck"), "7 1 INVITE");
    assert_eq!(first.header("CSeq"), "2 PRACK");
    assert_eq!(first.tag("To"), "a");
    called.peer.respond(&first, "200 OK", "", "", "").await;
    // Out of order: 9 may not be acknowledged before 8 has come.
    let extra = reliable(9, &called.peer);
    called.peer.respond(&called.invite, "182 Queued", "a", &extra, "").await;
    called.peer.never("PRACK", 120).await;
    let extra = reliable(8, &called.peer) + "Content-Type: application/sdp\r\n";
    called.peer.respond(&called.invite, "183 Session Progress", "a", &extra, ANSWER).await;
    let second = called.peer.expect("PRACK").await;
    assert_eq!(second.header("RAck"), "8 1 INVITE");
    called.peer.respond(&second, "200 OK", "", "", "").await;
    called.peer.ok(&called.invite, "a", ANSWER).await;
    called.peer.expect("ACK").await;
    called.handle.bye();
    let bye = called.peer.expect("BYE").await;
    assert_eq!(bye.header("CSeq"), "4 BYE", "numbers go on after the PRACKs");
    called.peer.respond(&bye, "200 OK", "", "", "").await;
    drained(&called.sip).await;
}

#[tokio::test]
async fn each_fork_that_rings_reliably_gets_its_own_prack_over_its_own_route() {
    let mut called = called().await;
    let mut proxy = Peer::new().await;
    // Each fork counts for itself, from any number on.
    for (tag, number) in [("a", 70), ("b", 8)] {
        let extra = format!(
            "Record-Route: <sip:{};lr>\r\nRequire: 100rel\r\nRSeq: {number}\r\n{}",
            proxy.addr,
            called.peer.contact()
        );
        called.peer.respond(&called.invite, "180 Ringing", tag, &extra, "").await;
        let prack = proxy.expect("PRACK").await;
        assert_eq!(prack.tag("To"), tag);
        assert!(prack.header("Route").contains(&proxy.addr.to_string()));
        assert!(prack.start.contains(&called.peer.addr.to_string()), "{}", prack.start);
        proxy.respond(&prack, "200 OK", "", "", "").await;
    }
    called.peer.respond(&called.invite, "486 Busy Here", "a", "", "").await;
    called.peer.expect("ACK").await;
    drained(&called.sip).await;
}

#[tokio::test]
async fn two_endpoints_of_ours_agree_on_early_media() {
    let up = up_with(|call| {
        call.dialog.progress(183, Some(ANSWER.into()));
        call.dialog.answer(ANSWER.into());
    })
    .await;
    up.theirs.bye();
    drained(&up.caller).await;
    drained(&up.callee).await;
}

#[tokio::test]
async fn a_caller_who_requires_it_and_offers_nothing_hears_nothing_before_the_answer() {
    // RFC 3262 section 5: a reliable 180 without our offer would be none.
    let (sip, mut incoming) = endpoint().await;
    let mut peer = Peer::new().await;
    let mut script = Script::new(sip.local_addr(), "late@peer");
    let text = script.request(&peer, "INVITE", "invite", "Require: 100rel\r\n", "");
    peer.raw(text.as_bytes(), sip.local_addr()).await;
    peer.expect("SIP/2.0 100").await;
    let mut call = call_in(&mut incoming).await;
    call.dialog.ring();
    peer.never("SIP/2.0 18", 100).await;
    call.dialog.answer(OFFER.into());
    let ok = peer.expect("SIP/2.0 200").await;
    assert_eq!(ok.body, OFFER);
    script.their_tag = ok.tag("To");
    let sdp = "Content-Type: application/sdp\r\n";
    let ack = script.request(&peer, "ACK", "ack", sdp, ANSWER);
    peer.raw(ack.as_bytes(), sip.local_addr()).await;
    let confirmed = crate::support::next(&mut call.events).await;
    assert_eq!(confirmed, DialogEvent::Confirmed { sdp: Some(ANSWER.into()) });
    script.cseq = 2;
    hung_up(&sip, &mut peer, &script, &mut call.events).await;
}
