//! What strangers send in numbers costs an answer at most, and keeps nobody else out.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;
use undertone_sip::{
    Access, Account, Asked, DialogEvent, DoorConfig, Gate, Offer, Rate, Sip, SipConfig,
};

use crate::keeper::desk;
use crate::peer::{Peer, Script};
use crate::scripted_callee::called;
use crate::support::{ANSWER, LIMIT, OFFER, call_in, config, endpoint, next, next_final};

/// The same for everybody.
struct Anybody(Access);

impl Gate for Anybody {
    fn judge(&self, _asked: &Asked) -> Access {
        self.0
    }

    fn is_emergency(&self, number: &str) -> bool {
        number == "112"
    }

    fn account(&self, _user: &str) -> Option<Arc<Account>> {
        None
    }
}

fn open_to_all(access: Access, change: impl FnOnce(&mut DoorConfig)) -> SipConfig {
    let mut door = DoorConfig::new(Arc::new(Anybody(access)), "undertone");
    change(&mut door);
    SipConfig { door: Some(door), ..config() }
}

fn nothing_is_kept(sip: &Sip) {
    let gauges = sip.gauges();
    let kept = (gauges.transactions, gauges.finished, gauges.dialogs, gauges.tasks);
    assert_eq!(kept, (0, 0, 0, 0), "{gauges:?}");
}

#[tokio::test]
async fn requests_of_dialogs_that_are_not_there_keep_nothing() {
    let (sip, mut incoming) = endpoint().await;
    let mut peer = Peer::new().await;
    let mut script = Script::new(sip.local_addr(), "tags");
    for n in 0..400_u32 {
        let method = ["INVITE", "BYE", "INFO", "UPDATE", "OPTIONS"][n as usize % 5];
        (script.cseq, script.their_tag) = (n + 1, format!("madeup{n}"));
        script.send(&peer, method, &format!("tag{n}")).await;
        let answer = peer.expect("SIP/2.0").await;
        assert!(answer.start.starts_with("SIP/2.0 481"), "{method}: {}", answer.start);
        assert_eq!(answer.tag("To"), script.their_tag);
    }
    nothing_is_kept(&sip);
    // Nor is it said again by itself, as an answer to an INVITE is that has a transaction.
    peer.never("SIP/2.0 481", 200).await;
    assert!(incoming.try_recv().is_err());
}

#[tokio::test]
async fn who_is_challenged_or_has_no_business_keeps_nothing() {
    let desk = desk(Offer::Md5).await;
    let (open, _incoming) = endpoint().await;
    let mut peer = Peer::new().await;
    for (us, methods) in [
        (desk.sip.local_addr(), ["INVITE", "REGISTER", "OPTIONS", "BYE", "MESSAGE"]),
        (open.local_addr(), ["REGISTER", "OPTIONS", "BYE", "MESSAGE", "REFER"]),
    ] {
        let mut script = Script::new(us, "stranger");
        for n in 0..100 {
            script.cseq = n + 1;
            let method = methods[n as usize % 5];
            let branch = format!("{}{n}", us.port());
            script.send(&peer, method, &branch).await;
            let first = peer.expect("SIP/2.0").await;
            script.send(&peer, method, &branch).await;
            let again = peer.expect("SIP/2.0").await;
            assert_eq!(first.start, again.start, "{method}");
            assert_eq!(first.tag("To"), again.tag("To"), "a repetition is told the same");
        }
    }
    nothing_is_kept(&desk.sip);
    nothing_is_kept(&open);
}

/// Waits until it has read so many messages.
async fn has_read(sip: &Sip, messages: u64) {
    let wait = async {
        while sip.gauges().received < messages {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    timeout(LIMIT, wait).await.expect("not read in time");
}

#[tokio::test]
async fn strangers_fill_a_corner_of_the_room_and_who_has_a_call_goes_on() {
    let mut config = open_to_all(Access::Nobody, |door| {
        door.source_rate = Rate { per_s: 100_000, at_once: 100_000 };
    });
    // 1,024 transactions is the least that room is made for, a sixteenth of it for strangers.
    config.dialogs_max = 1;
    let (sip, mut incoming) = Sip::bind(config).await.unwrap();
    let mut caller = Peer::new().await;
    let mut script = Script::new(sip.local_addr(), "caller@peer");
    script.invite(&caller, "i", OFFER).await;
    let call = call_in(&mut incoming).await;
    call.dialog.answer(ANSWER.into());
    script.their_tag = caller.expect("SIP/2.0 200").await.tag("To");
    script.send(&caller, "ACK", "a").await;
    let stranger = Peer::new().await;
    let before = sip.gauges().received;
    for n in 1..=1_500 {
        // A third call is one too many; its 503 waits for an ACK that never comes.
        Script::new(sip.local_addr(), &format!("{n}@flood")).invite(&stranger, "x", "").await;
        if n % 50 == 0 {
            has_read(&sip, before + n).await;
        }
        assert!(sip.gauges().transactions <= 70, "{:?}", sip.gauges());
    }
    assert!(sip.gauges().transactions > 30, "{:?}", sip.gauges());
    let mut other = Peer::new().await;
    let asks = Script::new(sip.local_addr(), "other@peer");
    asks.send(&other, "OPTIONS", "other").await;
    assert!(other.expect("SIP/2.0").await.start.starts_with("SIP/2.0 200"), "it needs no room");
    for method in ["OPTIONS", "BYE"] {
        script.cseq += 1;
        script.send(&caller, method, method).await;
        while !caller.expect("SIP/2.0 200").await.header("CSeq").contains(method) {}
    }
}

#[tokio::test]
async fn a_call_for_help_is_heard_where_no_other_is() {
    let mut config = open_to_all(Access::Open, |_| ());
    config.dialogs_max = 1;
    let (sip, _incoming) = Sip::bind(config).await.unwrap();
    let (crowd, mut peer) = (Peer::new().await, Peer::new().await);
    for n in 1..=1_100 {
        Script::new(sip.local_addr(), &format!("{n}@crowd")).invite(&crowd, "x", "").await;
        if n % 50 == 0 {
            has_read(&sip, n).await;
        }
    }
    assert!(sip.gauges().transactions <= 1_030, "{:?}", sip.gauges());
    let script = Script::new(sip.local_addr(), "one@more");
    script.invite(&peer, "more", "").await;
    peer.never("SIP/2.0", 100).await;
    let text = script.request(&peer, "INVITE", "help", "", "").replacen("sip:200@", "sip:112@", 1);
    peer.raw(text.as_bytes(), sip.local_addr()).await;
    peer.expect("SIP/2.0").await;
}

#[tokio::test]
async fn an_invite_that_is_at_work_is_answered_again_however_many_others_come() {
    let slow = Rate { per_s: 1, at_once: 1 };
    let config = open_to_all(Access::Nobody, |door| door.source_rate = slow);
    let (sip, mut incoming) = Sip::bind(config).await.unwrap();
    let mut peer = Peer::new().await;
    let script = Script::new(sip.local_addr(), "slow@peer");
    script.invite(&peer, "i", OFFER).await;
    let call = call_in(&mut incoming).await;
    call.dialog.ring();
    peer.expect("SIP/2.0 180").await;
    let other = Script::new(sip.local_addr(), "other@peer");
    other.invite(&peer, "o", OFFER).await;
    assert_eq!(peer.expect("SIP/2.0 503").await.header("Call-ID"), "other@peer");
    script.invite(&peer, "i", OFFER).await;
    peer.expect("SIP/2.0 180").await;
}

#[tokio::test]
async fn repetitions_of_a_request_that_waits_are_not_kept() {
    let mut called = called().await;
    let ringing = called.peer.contact();
    called.peer.respond(&called.invite, "180 Ringing", "a", &ringing, "").await;
    assert!(matches!(next(&mut called.events).await, DialogEvent::Progress { .. }));
    // An INFO waits until the call is up; an INVITE would too.
    let mut script = Script::new(called.sip.local_addr(), called.invite.header("Call-ID"));
    (script.our_tag, script.their_tag) = ("a".into(), called.invite.tag("From"));
    let before = called.sip.gauges().received;
    for n in 1..=300 {
        script.cseq = 1;
        script.send(&called.peer, "INFO", "info").await;
        script.cseq = 2;
        script.send(&called.peer, "INVITE", "early").await;
        has_read(&called.sip, before + 2 * n).await;
    }
    called.peer.ok(&called.invite, "a", ANSWER).await;
    assert!(matches!(next_final(&mut called.events).await, DialogEvent::Answered { .. }));
    called.peer.expect("ACK").await;
    // Each that was kept is answered again as soon as somebody reads it.
    let mut answers = 0;
    let count = async {
        loop {
            called.peer.expect("SIP/2.0").await;
            answers += 1;
        }
    };
    let _ = timeout(Duration::from_millis(300), count).await;
    assert!((2..=40).contains(&answers), "{answers}");
}

#[tokio::test]
async fn a_callee_with_ever_new_tags_gets_no_more_byes_than_forks_there_are() {
    let mut called = called().await;
    called.peer.ok(&called.invite, "kept", ANSWER).await;
    assert!(matches!(next(&mut called.events).await, DialogEvent::Answered { .. }));
    let before = called.sip.gauges().received;
    for n in 0..60_u64 {
        let tag = format!("fork{n}");
        let long = format!("{ANSWER}a=x:{}\r\n", "y".repeat(1_000));
        called.peer.ok(&called.invite, &tag, &long).await;
        has_read(&called.sip, before + n + 1).await;
    }
    let mut ended = std::collections::BTreeSet::new();
    let byes = async {
        loop {
            let bye = called.peer.expect("BYE").await;
            ended.insert(bye.tag("To"));
            called.peer.respond(&bye, "200 OK", "", "", "").await;
        }
    };
    let _ = timeout(Duration::from_millis(300), byes).await;
    assert_eq!(ended.len(), 16);
    assert!(!ended.contains("kept"));
}
