//! Replaces (RFC 3891): which dialog it names, and who may not replace it.

use undertone_sip::{KnownDialog, Replaces};

use crate::peer::{Peer, Script};
use crate::scripted_caller::{Ringing, confirmed};
use crate::support::{OFFER, call_in, drained, endpoint, to, up};

/// A second call from the same peer, that would replace the dialog of the first.
async fn replace(up: &mut Ringing, value: &str) -> String {
    let script = Script::new(up.sip.local_addr(), &format!("{value}@second"));
    let kind = "Content-Type: application/sdp\r\n";
    let extra = format!("Replaces: {value}\r\nRequire: replaces\r\n{kind}");
    let branch = format!("second{}", value.len());
    let text = script.request(&up.peer, "INVITE", &branch, &extra, OFFER);
    let text = text.replace(&format!("Call-ID: {value}"), "Call-ID: second");
    up.peer.raw(text.as_bytes(), up.sip.local_addr()).await;
    loop {
        let answer = up.peer.expect("SIP/2.0").await;
        if !answer.start.starts_with("SIP/2.0 100") {
            return answer.start;
        }
    }
}

#[tokio::test]
async fn a_call_that_replaces_one_of_ours_says_which() {
    let mut up = confirmed().await;
    let tag = up.script.their_tag.clone();
    assert_eq!(tag, up.call.dialog.local_tag());
    let value = format!("call-1@peer;to-tag={tag};from-tag=peertag");
    let known = up.sip.dialog_of("call-1@peer", &tag, "peertag");
    assert_eq!(known, Some(KnownDialog { confirmed: true, ours: false }));
    let script = Script::new(up.sip.local_addr(), "second@peer");
    let extra = format!("Replaces: {value}\r\nContent-Type: application/sdp\r\n");
    let text = script.request(&up.peer, "INVITE", "second", &extra, OFFER);
    up.peer.raw(text.as_bytes(), up.sip.local_addr()).await;
    let second = call_in(&mut up.incoming).await;
    let (call_id, from_tag) = ("call-1@peer".into(), "peertag".into());
    let named = Replaces { call_id, to_tag: tag, from_tag, early_only: false };
    assert_eq!(second.replaces, Some(named));
    assert_eq!(up.sip.dialog_of("call-1@peer", "peertag", "peertag"), None);
}

#[tokio::test]
async fn what_may_not_be_replaced_is_refused_with_its_code() {
    let mut up = confirmed().await;
    let tag = up.script.their_tag.clone();
    let named = format!("call-1@peer;to-tag={tag};from-tag=peertag");
    for (value, code) in [
        ("no-such@peer;to-tag=1;from-tag=2".to_owned(), "481"),
        (format!("call-1@peer;to-tag={tag};from-tag=other"), "481"),
        (format!("{named};early-only"), "486"),
        ("call-1@peer;to-tag=1".to_owned(), "400"),
        (format!("{named}\r\nReplaces: {named}"), "400"),
    ] {
        let start = replace(&mut up, &value).await;
        assert!(start.starts_with(&format!("SIP/2.0 {code}")), "{value}: {start}");
    }
    // Ended, it is declined: whoever asks came too late.
    up.script.cseq = 2;
    up.script.send(&up.peer, "BYE", "bye").await;
    up.peer.expect("SIP/2.0 200").await;
    while up.sip.gauges().dialogs > 0 {
        tokio::task::yield_now().await;
    }
    assert!(replace(&mut up, &named).await.starts_with("SIP/2.0 603"));
    assert!(up.incoming.try_recv().is_err());
}

#[tokio::test]
async fn an_early_dialog_can_be_replaced_only_where_we_called() {
    let (sip, mut incoming) = endpoint().await;
    let mut peer = Peer::new().await;
    let script = Script::new(sip.local_addr(), "early@peer");
    script.invite(&peer, "invite", OFFER).await;
    let call = call_in(&mut incoming).await;
    call.dialog.ring();
    let tag = peer.expect("SIP/2.0 180").await.tag("To");
    let known = sip.dialog_of("early@peer", &tag, "peertag");
    assert_eq!(known, Some(KnownDialog { confirmed: false, ours: false }));
    let second = Script::new(sip.local_addr(), "second@peer");
    let extra = format!("Replaces: early@peer;to-tag={tag};from-tag=peertag\r\n");
    let text = second.request(&peer, "INVITE", "second", &extra, "");
    peer.raw(text.as_bytes(), sip.local_addr()).await;
    peer.expect("SIP/2.0 481").await;
}

#[tokio::test]
async fn a_call_of_ours_carries_replaces_and_who_referred_us() {
    let (sip, _) = endpoint().await;
    let mut peer = Peer::new().await;
    let mut call = to(peer.addr);
    let (call_id, to_tag, from_tag) = ("id@x".into(), "1".into(), "2".into());
    call.replaces = Some(Replaces { call_id, to_tag, from_tag, early_only: true });
    call.referred_by = Some("<sip:bob@peer>\r\nEvil: yes".into());
    call.max_forwards = Some(12);
    let (_handle, _events) = sip.call(call);
    let invite = peer.expect("INVITE").await;
    assert_eq!(invite.header("Replaces"), "id@x;to-tag=1;from-tag=2;early-only");
    assert_eq!(invite.header("Require"), "replaces");
    assert_eq!(invite.header("Referred-By"), "<sip:bob@peer>Evil: yes");
    assert_eq!(invite.header("Max-Forwards"), "12");
}

#[tokio::test]
async fn a_dialog_of_ours_is_known_while_it_lives() {
    let up = up().await;
    let (ours, theirs) = (up.ours.local_tag().to_owned(), up.theirs.local_tag().to_owned());
    let id = up.ours.call_id().to_owned();
    let known = |confirmed, ours| Some(KnownDialog { confirmed, ours });
    assert_eq!(up.caller.dialog_of(&id, &ours, &theirs), known(true, true));
    assert_eq!(up.callee.dialog_of(&id, &theirs, &ours), known(true, false));
    up.ours.bye();
    drained(&up.caller).await;
    assert_eq!(up.caller.dialog_of(&id, &ours, &theirs), None);
}
