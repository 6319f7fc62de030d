//! No message, description or credential reaches a log that runs with the filter we ship.

use std::io;
use std::sync::{Arc, Mutex};

use tracing_subscriber::EnvFilter;
use undertone_sip::DialogEvent;

use crate::peer::{Peer, Script};
use crate::support::{ANSWER, call_in, endpoint, next, next_final, to};

#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl io::Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn no_credential_and_no_description_is_logged() {
    let sink = Sink::default();
    let writer = sink.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new("trace,rsipstack=warn,mio=warn"))
        .with_writer(move || writer.clone())
        .finish();
    // This thread alone: the runtime of a test has no other.
    let _guard = tracing::subscriber::set_default(subscriber);
    tracing::info!("the log is live");

    let (sip, mut incoming) = endpoint().await;
    let (other, mut theirs) = endpoint().await;
    let peer = Peer::new().await;
    let script = Script::new(sip.local_addr(), "log@peer");
    let secret = "Authorization: Digest username=\"u\", response=\"CANARY-digest\"\r\n\
                  Content-Type: application/sdp\r\n";
    let body = format!("{ANSWER}a=crypto:CANARY-key\r\n");
    for (method, branch) in [("INVITE", "a"), ("OPTIONS", "b"), ("BYE", "c"), ("ODD", "d")] {
        let text = script.request(&peer, method, branch, secret, &body);
        peer.raw(text.as_bytes(), sip.local_addr()).await;
        let torn = &text.as_bytes()[..text.len() - 30];
        peer.raw(torn, sip.local_addr()).await;
        peer.raw(&[torn, b"\xff\xfe"].concat(), sip.local_addr()).await;
    }
    call_in(&mut incoming).await.dialog.answer(body.clone());
    let mut call = to(other.local_addr());
    call.offer.clone_from(&body);
    let (_ours, mut events) = sip.call(call);
    let answering = call_in(&mut theirs).await;
    answering.dialog.answer(body.clone());
    assert!(matches!(next_final(&mut events).await, DialogEvent::Answered { .. }));
    answering.dialog.bye();
    assert!(matches!(next(&mut events).await, DialogEvent::Ended { .. }));

    let logged = String::from_utf8(sink.0.lock().unwrap().clone()).unwrap();
    assert!(logged.contains("the log is live"));
    assert!(!logged.contains("CANARY"), "{logged}");
}
