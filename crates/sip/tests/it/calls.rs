//! Two endpoints of ours.

use std::sync::Arc;

use undertone_sip::{DialogEvent, DoorConfig, EndCause, Listen, Outgoing, Sip, SipError};

use crate::keeper::Open;
use crate::support::{
    ANSWER, OFFER, call_in, config, drained, endpoint, next, next_final, silence, to, up,
};

#[tokio::test]
async fn a_call_rings_is_answered_and_hung_up_and_leaves_nothing() {
    let (caller, _) = endpoint().await;
    let (callee, mut incoming) = endpoint().await;
    let (ours, mut events) = caller.call(to(callee.local_addr()));
    let mut call = call_in(&mut incoming).await;
    assert_eq!(call.from.user, "100");
    assert_eq!(call.from.name, "Alice Adams");
    assert_eq!(call.request_user, "200");
    assert_eq!(call.source, caller.local_addr());
    assert_eq!(call.offer.as_deref(), Some(OFFER));
    assert_eq!(call.call_id, ours.call_id());
    call.dialog.ring();
    assert_eq!(next(&mut events).await, DialogEvent::Progress { code: 180, sdp: None });
    call.dialog.answer(ANSWER.into());
    assert_eq!(next(&mut events).await, DialogEvent::Answered { sdp: ANSWER.into() });
    assert_eq!(next(&mut call.events).await, DialogEvent::Confirmed { sdp: None });
    ours.bye();
    assert_eq!(next(&mut events).await, DialogEvent::Ended { cause: EndCause::Us });
    assert_eq!(next(&mut call.events).await, DialogEvent::Ended { cause: EndCause::FarEnd });
    silence(&mut events).await;
    silence(&mut call.events).await;
    drained(&caller).await;
    drained(&callee).await;
}

#[tokio::test]
async fn a_call_works_over_ipv6() {
    let mut v6 = config();
    v6.listen = Listen::both("[::1]:0".parse().unwrap()).to_vec();
    let (caller, _) = Sip::bind(v6.clone()).await.unwrap();
    let (callee, mut incoming) = Sip::bind(v6).await.unwrap();
    let (ours, mut events) = caller.call(to(callee.local_addr()));
    let mut call = call_in(&mut incoming).await;
    assert_eq!(call.source, caller.local_addr());
    call.dialog.answer(ANSWER.into());
    assert!(matches!(next(&mut events).await, DialogEvent::Answered { .. }));
    assert_eq!(next(&mut call.events).await, DialogEvent::Confirmed { sdp: None });
    call.dialog.bye();
    assert_eq!(next(&mut events).await, DialogEvent::Ended { cause: EndCause::FarEnd });
    drop(ours);
    drained(&caller).await;
    drained(&callee).await;
}

#[tokio::test]
async fn early_media_is_progress_with_a_description() {
    let (caller, _) = endpoint().await;
    let (callee, mut incoming) = endpoint().await;
    let (_ours, mut events) = caller.call(to(callee.local_addr()));
    let call = call_in(&mut incoming).await;
    call.dialog.progress(183, Some(ANSWER.into()));
    let sdp = Some(ANSWER.into());
    assert_eq!(next(&mut events).await, DialogEvent::Progress { code: 183, sdp });
}

#[tokio::test]
async fn a_rejected_call_fails_with_its_code() {
    let (caller, _) = endpoint().await;
    let (callee, mut incoming) = endpoint().await;
    let (_ours, mut events) = caller.call(to(callee.local_addr()));
    let mut call = call_in(&mut incoming).await;
    call.dialog.reject(486, Some("busy"));
    let failed = next_final(&mut events).await;
    assert_eq!(failed, DialogEvent::Failed { code: 486, reason: "Busy Here".into() });
    assert_eq!(next(&mut call.events).await, DialogEvent::Ended { cause: EndCause::Us });
    drained(&caller).await;
    drained(&callee).await;
}

#[tokio::test]
async fn a_ringing_call_that_is_cancelled_ends_at_both_ends() {
    let (caller, _) = endpoint().await;
    let (callee, mut incoming) = endpoint().await;
    let (ours, mut events) = caller.call(to(callee.local_addr()));
    let mut call = call_in(&mut incoming).await;
    call.dialog.ring();
    assert!(matches!(next(&mut events).await, DialogEvent::Progress { code: 180, .. }));
    ours.cancel();
    assert!(matches!(next(&mut events).await, DialogEvent::Failed { code: 487, .. }));
    assert!(matches!(next(&mut call.events).await, DialogEvent::Failed { code: 487, .. }));
    silence(&mut events).await;
    drained(&caller).await;
    drained(&callee).await;
}

#[tokio::test]
async fn hold_and_resume_work_from_both_sides() {
    let mut up = up().await;
    for _ in 0..2 {
        let hold = OFFER.replace("sendrecv", "sendonly");
        let held = ANSWER.replace("sendrecv", "recvonly");
        for (offer, answer) in [(hold, held), (OFFER.to_owned(), ANSWER.to_owned())] {
            let asking = tokio::spawn({
                let (handle, offer) = (up.ours.clone(), offer.clone());
                async move { handle.reinvite(offer).await }
            });
            let DialogEvent::Reoffer { token, sdp, .. } = next(&mut up.their_events).await else {
                panic!("no offer came");
            };
            assert_eq!(sdp, Some(offer));
            up.theirs.answer_reinvite(token, Ok(answer.clone()));
            assert_eq!(asking.await.unwrap(), Ok(answer));
        }
        std::mem::swap(&mut up.ours, &mut up.theirs);
        std::mem::swap(&mut up.our_events, &mut up.their_events);
    }
    up.ours.bye();
    assert_eq!(next(&mut up.our_events).await, DialogEvent::Ended { cause: EndCause::Us });
    assert_eq!(next(&mut up.their_events).await, DialogEvent::Ended { cause: EndCause::FarEnd });
    drained(&up.caller).await;
    drained(&up.callee).await;
}

#[tokio::test]
async fn a_refused_reinvite_leaves_the_call_up() {
    let mut up = up().await;
    let asking = tokio::spawn({
        let handle = up.ours.clone();
        async move { handle.reinvite(OFFER.into()).await }
    });
    let DialogEvent::Reoffer { token, .. } = next(&mut up.their_events).await else { panic!() };
    up.theirs.answer_reinvite(token, Err(488));
    assert_eq!(asking.await.unwrap(), Err(SipError::Refused(488)));
    assert_eq!(up.ours.options().await, Ok(200));
    up.theirs.bye();
    assert_eq!(next(&mut up.our_events).await, DialogEvent::Ended { cause: EndCause::FarEnd });
}

#[tokio::test]
async fn reinvites_that_cross_get_491_and_the_call_stays() {
    let mut up = up().await;
    let (one, two) = (up.ours.clone(), up.theirs.clone());
    let one = tokio::spawn(async move { one.reinvite(OFFER.into()).await });
    let two = tokio::spawn(async move { two.reinvite(ANSWER.into()).await });
    // Whichever is not refused is answered by its receiver.
    let (ours, theirs) = (up.ours.clone(), up.theirs.clone());
    let answering = async {
        loop {
            let (handle, event) = tokio::select! {
                event = up.our_events.recv() => (&ours, event),
                event = up.their_events.recv() => (&theirs, event),
            };
            if let Some(DialogEvent::Reoffer { token, .. }) = event {
                handle.answer_reinvite(token, Ok(ANSWER.into()));
            }
        }
    };
    let both = async { (one.await.unwrap(), two.await.unwrap()) };
    let (one, two) = tokio::select! { both = both => both, () = answering => unreachable!() };
    for result in [&one, &two] {
        let fine = matches!(result, Ok(_) | Err(SipError::Refused(491)) | Err(SipError::Pending));
        assert!(fine, "{result:?}");
    }
    assert_eq!(up.ours.options().await, Ok(200));
    assert_eq!(up.theirs.options().await, Ok(200));
}

#[tokio::test]
async fn digits_by_info_arrive_in_order() {
    let mut up = up().await;
    let sending = tokio::spawn({
        let handle = up.ours.clone();
        async move { handle.info("4*").await }
    });
    for digit in ["4", "*"] {
        let DialogEvent::Info { content_type, body } = next(&mut up.their_events).await else {
            panic!("no INFO");
        };
        assert_eq!(content_type, "application/dtmf-relay");
        assert!(body.starts_with(&format!("Signal={digit}\r\n")), "{body}");
    }
    assert_eq!(sending.await.unwrap(), Ok(()));
    assert_eq!(up.ours.info("x").await, Err(SipError::BadAddress));
}

#[tokio::test]
async fn byes_that_cross_end_the_call_once_at_each_end() {
    let mut up = up().await;
    up.ours.bye();
    up.theirs.bye();
    for events in [&mut up.our_events, &mut up.their_events] {
        assert!(matches!(next(events).await, DialogEvent::Ended { .. }));
        silence(events).await;
    }
    drained(&up.caller).await;
    drained(&up.callee).await;
}

#[tokio::test]
async fn a_dropped_handle_ends_its_call() {
    let mut up = up().await;
    drop(up.ours);
    assert_eq!(next(&mut up.their_events).await, DialogEvent::Ended { cause: EndCause::FarEnd });
}

#[tokio::test]
async fn descriptions_of_3_9_and_20_kilobytes_pass() {
    for kilobytes in [3, 9, 20] {
        let (caller, _) = endpoint().await;
        let (callee, mut incoming) = endpoint().await;
        let line = format!("a=x-filler:{}\r\n", "x".repeat(85));
        let large = format!("{OFFER}{}", line.repeat(kilobytes * 10));
        assert!(large.len() > kilobytes * 950);
        let mut call = to(callee.local_addr());
        call.offer.clone_from(&large);
        let (_ours, mut events) = caller.call(call);
        let mut call = call_in(&mut incoming).await;
        assert_eq!(call.offer.as_deref(), Some(large.as_str()));
        call.dialog.answer(large.clone());
        assert_eq!(next_final(&mut events).await, DialogEvent::Answered { sdp: large });
        assert_eq!(next(&mut call.events).await, DialogEvent::Confirmed { sdp: None });
    }
}

#[tokio::test]
async fn a_call_beyond_the_limit_gets_503() {
    let (caller, _) = endpoint().await;
    let mut small = config();
    small.dialogs_max = 1;
    let (callee, mut incoming) = Sip::bind(small).await.unwrap();
    let (_first, _first_events) = caller.call(to(callee.local_addr()));
    let _call = call_in(&mut incoming).await;
    let (_second, mut events) = caller.call(to(callee.local_addr()));
    assert!(matches!(next_final(&mut events).await, DialogEvent::Failed { code: 503, .. }));
    assert_eq!(callee.gauges().refused, 1);
    assert_eq!(callee.gauges().dialogs, 1);
}

#[tokio::test]
async fn a_call_for_help_is_taken_beyond_the_limit_and_while_draining_up_to_a_limit_of_its_own() {
    let (caller, _) = endpoint().await;
    let mut small = config();
    small.dialogs_max = 1;
    small.door = Some(DoorConfig::new(Arc::new(Open), "undertone"));
    let (callee, mut incoming) = Sip::bind(small).await.unwrap();
    let for_help = || Outgoing {
        to_uri: format!("sip:112@{}", callee.local_addr()),
        ..to(callee.local_addr())
    };
    let (_first, _first_events) = caller.call(to(callee.local_addr()));
    let mut taken = vec![call_in(&mut incoming).await];
    let (_second, mut events) = caller.call(to(callee.local_addr()));
    assert!(matches!(next_final(&mut events).await, DialogEvent::Failed { code: 503, .. }));
    callee.drain();
    let mut ours = Vec::new();
    loop {
        assert!(taken.len() < 200, "there is no limit at all");
        let (dialog, mut events) = caller.call(for_help());
        tokio::select! {
            call = call_in(&mut incoming) => taken.push(call),
            event = next_final(&mut events) => {
                assert!(matches!(event, DialogEvent::Failed { code: 503, .. }), "{event:?}");
                break;
            }
        }
        ours.push((dialog, events));
    }
    assert!(taken.len() > 10, "{}", taken.len());
}

#[tokio::test]
async fn calls_that_nobody_takes_get_503_and_no_memory() {
    let (caller, _) = endpoint().await;
    let (callee, incoming) = endpoint().await;
    drop(incoming);
    let (_ours, mut events) = caller.call(to(callee.local_addr()));
    assert!(matches!(next_final(&mut events).await, DialogEvent::Failed { code: 503, .. }));
    drained(&callee).await;
}

#[tokio::test]
async fn an_address_where_nobody_listens_fails_fast() {
    let gone = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let addr = gone.local_addr().unwrap();
    drop(gone);
    let (caller, _) = endpoint().await;
    let begun = std::time::Instant::now();
    let (_ours, mut events) = caller.call(to(addr));
    assert!(matches!(next(&mut events).await, DialogEvent::Failed { code: 408, .. }));
    assert!(begun.elapsed() < std::time::Duration::from_secs(2));
    drained(&caller).await;
}

#[tokio::test]
async fn shutdown_ends_what_is_up_and_what_rings() {
    let mut up = up().await;
    let (_ringing, mut ringing_events) = up.caller.call(to(up.callee.local_addr()));
    up.caller.shutdown().await;
    let cause = EndCause::Shutdown;
    assert_eq!(next(&mut up.our_events).await, DialogEvent::Ended { cause });
    assert!(matches!(next_final(&mut ringing_events).await, DialogEvent::Failed { .. }));
    assert_eq!(next(&mut up.their_events).await, DialogEvent::Ended { cause: EndCause::FarEnd });
    let (_late, mut events) = up.caller.call(to(up.callee.local_addr()));
    assert!(matches!(next(&mut events).await, DialogEvent::Failed { code: 503, .. }));
}

#[tokio::test]
async fn a_display_name_cannot_break_out_of_its_header() {
    let (caller, _) = endpoint().await;
    let (callee, mut incoming) = endpoint().await;
    let mut call = to(callee.local_addr());
    call.from_name = "Eve\" <sip:root@x>\r\nEvil: yes\\".into();
    call.from_user = "a b@c:d".into();
    let (_ours, _events) = caller.call(call);
    let call = call_in(&mut incoming).await;
    assert_eq!(call.from.name, "Eve sip:root@xEvil: yes");
    assert!(!call.from.uri.contains("root"));
    assert_eq!(call.from.user, "a b@c:d");
}

#[tokio::test]
async fn a_dropped_handle_cancels_a_ringing_call() {
    let (caller, _) = endpoint().await;
    let (callee, mut incoming) = endpoint().await;
    let (ours, mut events) = caller.call(to(callee.local_addr()));
    let mut call = call_in(&mut incoming).await;
    call.dialog.ring();
    assert!(matches!(next(&mut events).await, DialogEvent::Progress { code: 180, .. }));
    drop(ours);
    assert!(matches!(next(&mut events).await, DialogEvent::Failed { code: 487, .. }));
    assert!(matches!(next(&mut call.events).await, DialogEvent::Failed { code: 487, .. }));
    drained(&caller).await;
}

#[tokio::test]
async fn dropping_the_endpoint_leaves_no_task_and_no_socket() {
    let mut up = up().await;
    let addr = up.caller.local_addr();
    drop(up.caller);
    // The events end with the dialog's task, the socket with the last of them.
    silence(&mut up.our_events).await;
    let again = async {
        while tokio::net::UdpSocket::bind(addr).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(crate::support::LIMIT, again).await.expect("the socket is still bound");
}
