//! No message, description or credential reaches a log that runs with the filter we ship.

use std::io;
use std::sync::{Arc, Mutex};

use tracing_subscriber::EnvFilter;
use undertone_sip::{
    Algorithm, Credentials, DialogEvent, Offer, Registration, RegistrationState, ha1,
};

use crate::keeper::{PASSWORD, REALM, at, desk};
use crate::peer::{Peer, Script};
use crate::support::{ANSWER, LIMIT, call_in, endpoint, next, next_final, to};

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

/// A log of everything but the SIP library's own chatter, of this thread alone: the runtime of a
/// test has no other.
fn listening(sink: &Sink) -> tracing::subscriber::DefaultGuard {
    let writer = sink.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new("trace,rsipstack=warn,mio=warn"))
        .with_writer(move || writer.clone())
        .finish();
    let guard = tracing::subscriber::set_default(subscriber);
    tracing::info!("the log is live");
    guard
}

#[tokio::test]
async fn no_password_nonce_or_digest_is_logged_by_either_side_of_a_registration() {
    let sink = Sink::default();
    let _guard = listening(&sink);
    let desk = desk(Offer::Both).await;
    let (phone, _) = endpoint().await;
    for password in [PASSWORD, "canary-wrong-password"] {
        let server = desk.sip.local_addr();
        let registered = phone.register(Registration {
            registrar_uri: format!("sip:{server}"),
            targets: vec![at(server)],
            aor_uri: format!("sip:ana@{server}"),
            contact_user: "ana".into(),
            credentials: Some(Credentials::new("ana", password)),
            expires_s: 60,
            q_thousandths: None,
        });
        let mut state = registered.as_ref().unwrap().state();
        let settled = state.wait_for(|state| *state != RegistrationState::Trying);
        tokio::time::timeout(LIMIT, settled).await.expect("in time").expect("watched");
    }
    let logged = String::from_utf8(sink.0.lock().unwrap().clone()).unwrap();
    assert!(logged.contains("the log is live") && logged.contains("not registered"), "{logged}");
    for secret in ["canary", "nonce", "cnonce", "Digest ", "response="] {
        assert!(!logged.contains(secret), "{secret}: {logged}");
    }
    for algorithm in [Algorithm::Md5, Algorithm::Sha256] {
        assert!(!logged.contains(&ha1(algorithm, "ana", REALM, PASSWORD)));
    }
}

#[tokio::test]
async fn no_credential_and_no_description_is_logged() {
    let sink = Sink::default();
    let _guard = listening(&sink);

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
