//! REFER as the wire of a transfer (RFC 3515, RFC 5589): both sides, its NOTIFYs, and its end.

use undertone_sip::{DialogEvent, EndCause, ReferToken, Replaces, SipError};

use crate::peer::{Message, Peer};
use crate::scripted_caller::{Ringing, confirmed};
use crate::support::{drained, next, silence, up};

async fn refer(up: &mut Ringing, cseq: u32, extra: &str) {
    up.script.cseq = cseq;
    let text = up.script.request(&up.peer, "REFER", &format!("refer{cseq}"), extra, "");
    up.peer.raw(text.as_bytes(), up.sip.local_addr()).await;
}

async fn referred(up: &mut Ringing, cseq: u32) -> ReferToken {
    refer(up, cseq, "Refer-To: <sip:300@example.com>\r\nReferred-By: <sip:bob@peer>\r\n").await;
    let event = next(&mut up.call.events).await;
    let DialogEvent::Refer { token, to, replaces: None, referred_by } = event else {
        panic!("{event:?}")
    };
    assert_eq!(to, "sip:300@example.com");
    assert_eq!(referred_by.as_deref(), Some("<sip:bob@peer>"));
    token
}

/// The next NOTIFY, answered.
async fn notified(peer: &mut Peer, line: &str, state: &str) -> Message {
    let notify = peer.expect("NOTIFY").await;
    assert!(notify.body.starts_with(line), "{}", notify.body);
    assert!(notify.header("Subscription-State").starts_with(state));
    assert!(notify.header("Content-Type").starts_with("message/sipfrag"));
    peer.respond(&notify, "200 OK", "", "", "").await;
    notify
}

#[tokio::test]
async fn an_accepted_refer_is_told_to_its_end() {
    let mut up = confirmed().await;
    let token = referred(&mut up, 2).await;
    up.call.dialog.accept_refer(token);
    up.peer.expect("SIP/2.0 202").await;
    let first = notified(&mut up.peer, "SIP/2.0 100 Trying", "active;expires=").await;
    assert_eq!(first.header("Event"), "refer");
    up.call.dialog.notify_refer(token, 180, false);
    notified(&mut up.peer, "SIP/2.0 180 Ringing", "active").await;
    up.call.dialog.notify_refer(token, 200, true);
    notified(&mut up.peer, "SIP/2.0 200 OK", "terminated;reason=noresource").await;
    up.call.dialog.notify_refer(token, 486, true);
    up.peer.never("NOTIFY", 120).await;
    // A second one in the same dialog carries an id.
    let token = referred(&mut up, 3).await;
    up.call.dialog.accept_refer(token);
    up.peer.expect("SIP/2.0 202").await;
    let first = notified(&mut up.peer, "SIP/2.0 100 Trying", "active").await;
    assert_eq!(first.header("Event"), "refer;id=3");
    up.call.dialog.notify_refer(token, 486, true);
    notified(&mut up.peer, "SIP/2.0 486 Busy Here", "terminated").await;
    up.call.dialog.bye();
    let bye = up.peer.expect("BYE").await;
    up.peer.respond(&bye, "200 OK", "", "", "").await;
    drained(&up.sip).await;
}

#[tokio::test]
async fn news_of_a_refer_goes_in_order_each_after_the_answer_to_the_one_before() {
    let mut up = confirmed().await;
    let token = referred(&mut up, 2).await;
    up.call.dialog.accept_refer(token);
    up.call.dialog.notify_refer(token, 180, false);
    up.call.dialog.notify_refer(token, 200, true);
    up.peer.expect("SIP/2.0 202").await;
    let first = up.peer.expect("NOTIFY").await;
    up.peer.never("NOTIFY sip:bob", 20).await;
    up.peer.respond(&first, "200 OK", "", "", "").await;
    notified(&mut up.peer, "SIP/2.0 180", "active").await;
    notified(&mut up.peer, "SIP/2.0 200", "terminated").await;
}

#[tokio::test]
async fn a_refused_refer_gets_its_code_and_no_notify() {
    let mut up = confirmed().await;
    let token = referred(&mut up, 2).await;
    up.call.dialog.refuse_refer(token, 403);
    up.peer.expect("SIP/2.0 403").await;
    up.peer.never("NOTIFY", 120).await;
}

#[tokio::test]
async fn a_refer_that_nobody_decides_is_declined_and_the_call_stays() {
    let mut up = confirmed().await;
    referred(&mut up, 2).await;
    up.peer.expect("SIP/2.0 603").await;
    up.script.cseq = 3;
    up.script.send(&up.peer, "OPTIONS", "options").await;
    up.peer.expect("SIP/2.0 200").await;
}

#[tokio::test]
async fn a_refer_that_cannot_be_understood_is_refused_unseen() {
    let mut up = confirmed().await;
    let two = "Refer-To: <sip:1@a>\r\nr: <sip:2@a>\r\n";
    let cases = ["", two, "Refer-To: <tel:1>\r\n", "Refer-To: <sip:1@a;method=BYE>\r\n"];
    for (cseq, extra) in (2..).zip(cases) {
        refer(&mut up, cseq, extra).await;
        up.peer.expect("SIP/2.0 400").await;
    }
    assert!(up.call.events.try_recv().is_err());
}

#[tokio::test]
async fn a_refer_may_name_the_dialog_to_replace() {
    let mut up = confirmed().await;
    let to = "Refer-To: <sip:300@b;user=phone?Replaces=id%40x%3Bto-tag%3D1%3Bfrom-tag%3D2&X=y>\r\n";
    refer(&mut up, 2, to).await;
    let event = next(&mut up.call.events).await;
    let DialogEvent::Refer { to, replaces, .. } = event else { panic!("{event:?}") };
    assert_eq!(to, "sip:300@b;user=phone");
    let (call_id, to_tag, from_tag) = ("id@x".into(), "1".into(), "2".into());
    assert_eq!(replaces, Some(Replaces { call_id, to_tag, from_tag, early_only: false }));
}

#[tokio::test]
async fn our_bye_lets_the_last_word_go_first_and_ends_what_has_none() {
    let mut up = confirmed().await;
    let (one, two) = (referred(&mut up, 2).await, referred(&mut up, 3).await);
    up.call.dialog.accept_refer(one);
    up.call.dialog.accept_refer(two);
    up.call.dialog.notify_refer(one, 200, true);
    up.call.dialog.bye();
    let mut last = Vec::new();
    for _ in 0..4 {
        let notify = up.peer.expect("NOTIFY").await;
        if notify.header("Subscription-State").starts_with("terminated") {
            last.push(notify.body.clone());
        }
        up.peer.respond(&notify, "200 OK", "", "", "").await;
    }
    last.sort();
    assert!(last[0].starts_with("SIP/2.0 200") && last[1].starts_with("SIP/2.0 503"), "{last:?}");
    let bye = up.peer.expect("BYE").await;
    up.peer.respond(&bye, "200 OK", "", "", "").await;
    drained(&up.sip).await;
}

#[tokio::test]
async fn a_transferor_that_hangs_up_is_told_all_the_same() {
    let mut up = confirmed().await;
    let token = referred(&mut up, 2).await;
    up.call.dialog.accept_refer(token);
    notified(&mut up.peer, "SIP/2.0 100", "active").await;
    up.script.cseq = 3;
    up.script.send(&up.peer, "BYE", "bye").await;
    up.peer.expect("SIP/2.0 200").await;
    assert_eq!(next(&mut up.call.events).await, DialogEvent::Ended { cause: EndCause::FarEnd });
    up.call.dialog.notify_refer(token, 200, true);
    notified(&mut up.peer, "SIP/2.0 200", "terminated").await;
    drained(&up.sip).await;
}

#[tokio::test]
async fn a_refer_goes_from_each_side_and_its_news_comes_back() {
    let mut up = up().await;
    for code in [200, 486] {
        let asking = tokio::spawn({
            let handle = up.ours.clone();
            async move { handle.refer("sip:300@example.com", None).await }
        });
        let event = next(&mut up.their_events).await;
        let DialogEvent::Refer { token, to, referred_by, .. } = event else { panic!("{event:?}") };
        assert_eq!(to, "sip:300@example.com");
        assert!(referred_by.is_some());
        up.theirs.accept_refer(token);
        assert_eq!(asking.await.unwrap(), Ok(()));
        let notified = |code, last| DialogEvent::Notified { code, last };
        assert_eq!(next(&mut up.our_events).await, notified(100, false));
        up.theirs.notify_refer(token, code, true);
        assert_eq!(next(&mut up.our_events).await, notified(code, true));
        std::mem::swap(&mut up.ours, &mut up.theirs);
        std::mem::swap(&mut up.our_events, &mut up.their_events);
    }
    assert_eq!(up.ours.refer("bad uri", None).await, Err(SipError::BadAddress));
    up.ours.bye();
    assert!(matches!(next(&mut up.our_events).await, DialogEvent::Ended { .. }));
    silence(&mut up.our_events).await;
    drained(&up.caller).await;
    drained(&up.callee).await;
}

#[tokio::test]
async fn a_notify_of_nothing_is_refused() {
    let mut up = confirmed().await;
    let cases = [("Event: refer", "481"), ("Event: presence", "489"), ("Event: dialog", "489")];
    for (cseq, (event, code)) in (2..).zip(cases) {
        up.script.cseq = cseq;
        let extra =
            format!("{event}\r\nSubscription-State: active\r\nContent-Type: message/sipfrag\r\n");
        let text = up.script.request(&up.peer, "NOTIFY", event, &extra, "SIP/2.0 200 OK\r\n");
        let text = text.replace("z9hG4bKEvent: ", "z9hG4bK");
        up.peer.raw(text.as_bytes(), up.sip.local_addr()).await;
        up.peer.expect(&format!("SIP/2.0 {code}")).await;
    }
    assert!(up.call.events.try_recv().is_err());
}

#[tokio::test]
async fn two_refers_before_the_first_is_accepted_are_told_apart() {
    let mut up = confirmed().await;
    let first = referred(&mut up, 2).await;
    let second = referred(&mut up, 3).await;
    for (token, event) in [(first, "refer"), (second, "refer;id=3")] {
        up.call.dialog.accept_refer(token);
        let notify = notified(&mut up.peer, "SIP/2.0 100 Trying", "active").await;
        assert_eq!(notify.header("Event"), event);
    }
}

#[tokio::test]
async fn of_a_refer_that_was_refused_no_news_is_taken() {
    let mut up = confirmed().await;
    let ours = up.call.dialog.clone();
    let asked = tokio::spawn(async move { ours.refer("sip:300@example.com", None).await });
    let refer = up.peer.expect("REFER").await;
    up.peer.respond(&refer, "603 Decline", "", "", "").await;
    assert_eq!(asked.await.unwrap(), Err(SipError::Refused(603)));
    up.script.cseq += 1;
    let extra = "Event: refer\r\nSubscription-State: terminated\r\n\
                 Content-Type: message/sipfrag\r\n";
    let text = up.script.request(&up.peer, "NOTIFY", "news", extra, "SIP/2.0 200 OK\r\n");
    up.peer.raw(text.as_bytes(), up.sip.local_addr()).await;
    up.peer.expect("SIP/2.0 481").await;
    assert!(up.call.events.try_recv().is_err());
}
