//! Challenges to our calls: answered where they may be, and nowhere else.

use undertone_sip::{Credentials, DialogEvent, EndCause, Identity, Offer, Outgoing};

use crate::keeper::{PASSWORD, desk};
use crate::peer::{Message, Peer};
use crate::support::{ANSWER, OFFER, call_in, drained, endpoint, next, next_final, to};

fn with_password(mut call: Outgoing) -> Outgoing {
    call.credentials = Some(Credentials::new("ana", PASSWORD).for_realm("r"));
    call
}

fn challenge(name: &str, nonce: &str, more: &str) -> String {
    format!("{name}: Digest realm=\"r\", nonce=\"{nonce}\"{more}, qop=\"auth,auth-int\"\r\n")
}

/// One parameter of what a request shows.
fn shown(request: &Message, name: &str, parameter: &str) -> String {
    let value = request.header(name).replace('"', "");
    let mut all = value.trim_start_matches("Digest ").split(", ");
    let found = all.find_map(|p| p.strip_prefix(&format!("{parameter}=")));
    found.unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_caller_with_its_password_is_let_in_under_its_account() {
    for offer in [Offer::Md5, Offer::Sha256, Offer::Both] {
        let mut desk = desk(offer).await;
        let (caller, _) = endpoint().await;
        let identity = Identity {
            asserted: vec!["\"Ana\" <sip:1001@example.org>".into(), "<tel:+4512345678>".into()],
            privacy: Some("id".into()),
            diversion: vec!["<sip:2002@example.org>;reason=no-answer".into()],
            identity: vec!["eyJhbGciOiJFUzI1NiJ9.e30.c2ln;info=<https://x>".into()],
        };
        let mut call = to(desk.sip.local_addr());
        call.from_user = "100".into();
        call.credentials = Some(Credentials::new("ana", PASSWORD));
        call.identity.clone_from(&identity);
        call.route = vec![format!("<sip:{};lr>", desk.sip.local_addr())];
        let (handle, mut events) = caller.call(call);
        let ringing = call_in(&mut desk.incoming).await;
        assert_eq!(ringing.account.as_deref(), Some("ana"));
        assert_eq!(ringing.identity, identity, "what was said beside From came whole");
        ringing.dialog.answer(ANSWER.into());
        assert_eq!(next_final(&mut events).await, DialogEvent::Answered { sdp: ANSWER.into() });
        assert_eq!(desk.sip.gauges().door.challenged, 1, "one challenge for the whole call");
        handle.bye();
        assert_eq!(next(&mut events).await, DialogEvent::Ended { cause: EndCause::Us });
        drained(&caller).await;
    }
}

#[tokio::test]
async fn a_challenged_reinvite_and_a_challenged_bye_go_on_with_the_call() {
    let (sip, _) = endpoint().await;
    let mut peer = Peer::new().await;
    let (handle, mut events) = sip.call(with_password(to(peer.addr)));
    let invite = peer.expect("INVITE").await;
    let first = challenge("WWW-Authenticate", "n1", "");
    peer.respond(&invite, "401 Unauthorized", "x", &first, "").await;
    let again = peer.expect("INVITE").await;
    assert_eq!(again.header("Call-ID"), invite.header("Call-ID"));
    assert_eq!(again.tag("From"), invite.tag("From"));
    assert_eq!(again.header("CSeq"), "2 INVITE");
    assert_eq!(shown(&again, "Authorization", "nc"), "00000001");
    peer.ok(&again, "a", ANSWER).await;
    assert_eq!(next_final(&mut events).await, DialogEvent::Answered { sdp: ANSWER.into() });
    let ours = handle.clone();
    let reinvited = tokio::spawn(async move { ours.reinvite(OFFER.into()).await });
    let reinvite = peer.expect("INVITE").await;
    peer.respond(&reinvite, "401 Unauthorized", "a", &first, "").await;
    let again = peer.expect("INVITE").await;
    assert_eq!(shown(&again, "Authorization", "nc"), "00000002", "the nonce was used before");
    peer.ok(&again, "a", ANSWER).await;
    assert_eq!(reinvited.await.unwrap(), Ok(ANSWER.into()));
    handle.bye();
    let bye = peer.expect("BYE").await;
    let proxy = challenge("Proxy-Authenticate", "n2", ", algorithm=SHA-256");
    peer.respond(&bye, "407 Proxy Authentication Required", "a", &proxy, "").await;
    let again = peer.expect("BYE").await;
    assert_eq!(shown(&again, "Proxy-Authorization", "algorithm"), "SHA-256");
    peer.respond(&again, "200 OK", "a", "", "").await;
    assert_eq!(next(&mut events).await, DialogEvent::Ended { cause: EndCause::Us });
    drained(&sip).await;
}

#[tokio::test]
async fn a_challenger_without_end_gets_two_answers_and_the_call_fails() {
    let (sip, _) = endpoint().await;
    let mut peer = Peer::new().await;
    let (_call, mut events) = sip.call(with_password(to(peer.addr)));
    let mut with_proof = 0;
    for n in 0..3 {
        let invite = peer.expect("INVITE").await;
        with_proof += usize::from(!invite.header("Authorization").is_empty());
        let anew = challenge("WWW-Authenticate", &format!("n{n}"), ", stale=true");
        peer.respond(&invite, "401 Unauthorized", "x", &anew, "").await;
    }
    let failed = next_final(&mut events).await;
    assert!(matches!(failed, DialogEvent::Failed { code: 401, .. }), "{failed:?}");
    assert_eq!(with_proof, 2);
    peer.never("INVITE", 300).await;
}

#[tokio::test]
async fn a_rogue_whom_an_answer_names_is_shown_nothing() {
    let (sip, _) = endpoint().await;
    let mut peer = Peer::new().await;
    let mut rogue = Peer::on("127.0.0.2:0").await;
    let (handle, mut events) = sip.call(with_password(to(peer.addr)));
    let invite = peer.expect("INVITE").await;
    let extra = format!("{}Content-Type: application/sdp\r\n", rogue.contact());
    peer.respond(&invite, "200 OK", "a", &extra, ANSWER).await;
    assert_eq!(next_final(&mut events).await, DialogEvent::Answered { sdp: ANSWER.into() });
    handle.bye();
    let bye = rogue.expect("BYE").await;
    let theirs = challenge("WWW-Authenticate", "rogue", "");
    rogue.respond(&bye, "401 Unauthorized", "a", &theirs, "").await;
    assert_eq!(next(&mut events).await, DialogEvent::Ended { cause: EndCause::Us });
    drained(&sip).await;
    rogue.never("BYE", 300).await;
}

#[tokio::test]
async fn another_realm_is_shown_nothing() {
    let (sip, _) = endpoint().await;
    let mut peer = Peer::new().await;
    let (_call, mut events) = sip.call(with_password(to(peer.addr)));
    let invite = peer.expect("INVITE").await;
    let other = "WWW-Authenticate: Digest realm=\"other\", nonce=\"n\"\r\n";
    peer.respond(&invite, "401 Unauthorized", "x", other, "").await;
    let failed = next_final(&mut events).await;
    assert!(matches!(failed, DialogEvent::Failed { code: 401, .. }), "{failed:?}");
    peer.never("INVITE", 300).await;
}

#[tokio::test]
async fn who_was_called_answers_no_challenge_of_its_caller() {
    let (sip, mut incoming) = endpoint().await;
    let mut peer = Peer::new().await;
    let mut script = crate::peer::Script::new(sip.local_addr(), "inbound");
    script.invite(&peer, "i", OFFER).await;
    let call = call_in(&mut incoming).await;
    call.dialog.answer(ANSWER.into());
    let ok = peer.expect("SIP/2.0 200").await;
    script.their_tag = ok.tag("To");
    script.send(&peer, "ACK", "ack").await;
    let mut events = call.events;
    assert_eq!(next(&mut events).await, DialogEvent::Confirmed { sdp: None });
    call.dialog.bye();
    let bye = peer.expect("BYE").await;
    peer.respond(&bye, "401 Unauthorized", "", &challenge("WWW-Authenticate", "n", ""), "").await;
    assert_eq!(next(&mut events).await, DialogEvent::Ended { cause: EndCause::Us });
    drained(&sip).await;
    peer.never("BYE", 300).await;
}
