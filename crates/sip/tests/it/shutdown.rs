//! `Sip::shutdown` waits for dialogs, and for nothing that only the far end's timers would end.

use std::time::Duration;

use tokio::time::timeout;
use undertone_sip::{DialogEvent, EndCause, Sip, SipConfig};

use crate::peer::{Peer, Script};
use crate::scripted_callee::{answered_of, called_from};
use crate::support::{OFFER, call_in, config, next, up};

/// Timers as in life: what waited for one of them would be seen.
fn slow() -> SipConfig {
    SipConfig { t1_ms: 500, shutdown_ms: 30_000, ..config() }
}

/// Far below the shortest of those timers that could be waited for (T4 = 5 s).
const AT_ONCE: Duration = Duration::from_millis(2_500);

async fn stops(sip: &Sip) {
    timeout(AT_ONCE, sip.shutdown()).await.expect("shutdown waited for a timer");
}

#[tokio::test]
async fn a_refused_invite_does_not_hold_it() {
    let (sip, mut incoming) = Sip::bind(slow()).await.unwrap();
    let mut peer = Peer::new().await;
    let script = Script::new(sip.local_addr(), "refused@peer");
    script.invite(&peer, "one", OFFER).await;
    let call = call_in(&mut incoming).await;
    call.dialog.reject(486, None);
    peer.expect("SIP/2.0 486").await;
    script.send(&peer, "ACK", "one").await;
    // One more that nobody acknowledges.
    let script = Script::new(sip.local_addr(), "unheard@peer");
    script.invite(&peer, "two", OFFER).await;
    call_in(&mut incoming).await.dialog.reject(486, None);
    peer.expect("SIP/2.0 486").await;
    stops(&sip).await;
}

#[tokio::test]
async fn an_invite_that_comes_into_it_does_not_hold_it() {
    let (mut called, _) = answered_of(called_from(slow()).await, "").await;
    let sip = called.sip.clone();
    let stopping = tokio::spawn(async move { stops(&sip).await });
    let bye = called.peer.expect("BYE").await;
    let script = Script::new(called.sip.local_addr(), "late@peer");
    script.invite(&called.peer, "late", OFFER).await;
    called.peer.expect("SIP/2.0 503").await;
    script.send(&called.peer, "ACK", "late").await;
    called.peer.respond(&bye, "200 OK", "", "", "").await;
    stopping.await.unwrap();
}

#[tokio::test]
async fn a_bye_of_theirs_ends_the_wait_for_the_answer_to_ours() {
    let (mut called, _) = answered_of(called_from(slow()).await, "").await;
    let sip = called.sip.clone();
    let stopping = tokio::spawn(async move { stops(&sip).await });
    called.peer.expect("BYE").await;
    let bye = crate::scripted_callee::in_dialog(&called, "BYE", 7, "theirs");
    called.peer.raw(bye.as_bytes(), called.sip.local_addr()).await;
    called.peer.expect("SIP/2.0 200").await;
    stopping.await.unwrap();
    let cause = EndCause::Shutdown;
    assert_eq!(next(&mut called.events).await, DialogEvent::Ended { cause });
}

#[tokio::test]
async fn two_sides_of_many_calls_stop_together() {
    for _ in 0..5 {
        let up = up().await;
        let begun = tokio::join!(stops(&up.caller), stops(&up.callee));
        assert_eq!(begun, ((), ()));
    }
}
