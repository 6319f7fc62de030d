//! Endpoints of ours at T1 = 50 ms, and waits with a limit.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::sync::mpsc::Receiver;
use tokio::time::timeout;
use undertone_sip::{DialogEvent, DialogHandle, Incoming, Outgoing, Sip, SipConfig};

pub(crate) const T1_MS: u64 = 50;
/// 64 * T1 and as much again, for a machine that is busy.
pub(crate) const LIMIT: Duration = Duration::from_millis(64 * T1_MS * 4);

pub(crate) const OFFER: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\n\
                                t=0 0\r\nm=audio 4000 RTP/AVP 0\r\na=sendrecv\r\n";
pub(crate) const ANSWER: &str = "v=0\r\no=- 2 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\n\
                                 t=0 0\r\nm=audio 5000 RTP/AVP 0\r\na=sendrecv\r\n";

pub(crate) fn config() -> SipConfig {
    let mut config = SipConfig::new("127.0.0.1:0".parse().unwrap());
    config.t1_ms = T1_MS;
    config.unreachable_ms = 1_000;
    config
}

pub(crate) async fn endpoint() -> (Sip, Receiver<Incoming>) {
    Sip::bind(config()).await.unwrap()
}

pub(crate) fn to(addr: SocketAddr) -> Outgoing {
    Outgoing {
        to_uri: format!("sip:200@{addr}"),
        from_user: "100".into(),
        from_name: "Alice Adams".into(),
        offer: OFFER.into(),
        ..Outgoing::default()
    }
}

pub(crate) async fn next(events: &mut Receiver<DialogEvent>) -> DialogEvent {
    let event = timeout(LIMIT, events.recv()).await.expect("no event in time");
    event.expect("the events ended")
}

/// The next event that is no provisional answer.
pub(crate) async fn next_final(events: &mut Receiver<DialogEvent>) -> DialogEvent {
    loop {
        match next(events).await {
            DialogEvent::Progress { .. } => {}
            event => return event,
        }
    }
}

pub(crate) async fn call_in(incoming: &mut Receiver<Incoming>) -> Incoming {
    timeout(LIMIT, incoming.recv()).await.expect("no call in time").expect("endpoint closed")
}

/// After the last event nothing follows.
pub(crate) async fn silence(events: &mut Receiver<DialogEvent>) {
    assert_eq!(timeout(LIMIT, events.recv()).await.expect("events stay open"), None);
}

/// Dialogs and transactions at 0, within what RFC 3261 lets them live.
pub(crate) async fn drained(sip: &Sip) {
    let wait = async {
        loop {
            let gauges = sip.gauges();
            if gauges.dialogs == 0 && gauges.transactions == 0 && gauges.tasks == 0 {
                return;
            }
            // Gauges tell nobody when they change; the bound is the test's.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    if timeout(LIMIT, wait).await.is_err() {
        panic!("not drained: {:?}", sip.gauges());
    }
}

pub(crate) struct Up {
    pub(crate) caller: Sip,
    pub(crate) callee: Sip,
    pub(crate) ours: DialogHandle,
    pub(crate) our_events: Receiver<DialogEvent>,
    pub(crate) theirs: DialogHandle,
    pub(crate) their_events: Receiver<DialogEvent>,
}

/// A call between two endpoints, answered and acknowledged.
pub(crate) async fn up() -> Up {
    up_with(|call| call.dialog.answer(ANSWER.into())).await
}

/// The same, answered as `answer` does.
pub(crate) async fn up_with(answer: impl FnOnce(&Incoming)) -> Up {
    let (caller, _) = endpoint().await;
    let (callee, mut incoming) = endpoint().await;
    let (ours, mut our_events) = caller.call(to(callee.local_addr()));
    let call = call_in(&mut incoming).await;
    answer(&call);
    let (theirs, mut their_events) = (call.dialog, call.events);
    assert_eq!(next_final(&mut our_events).await, DialogEvent::Answered { sdp: ANSWER.into() });
    assert_eq!(next(&mut their_events).await, DialogEvent::Confirmed { sdp: None });
    Up { caller, callee, ours, our_events, theirs, their_events }
}
