//! REGISTER from both sides: our client with our registrar, and each with a scripted peer.

use tokio::sync::watch;
use tokio::time::timeout;
use undertone_sip::{
    Credentials, DialogEvent, Offer, PeerState, PeerWatch, Registration, RegistrationState, Sip,
};

use crate::keeper::{PASSWORD, at, desk, desk_with};
use crate::peer::{Message, Peer};
use crate::support::{LIMIT, endpoint, next_final, to};

fn wanted(server: std::net::SocketAddr, password: &str, expires_s: u32) -> Registration {
    Registration {
        registrar_uri: format!("sip:{server}"),
        targets: vec![at(server)],
        aor_uri: format!("sip:ana@{server}"),
        contact_user: "ana".into(),
        credentials: Some(Credentials::new("ana", password)),
        expires_s,
        q_thousandths: None,
    }
}

async fn until<T: Copy + PartialEq + std::fmt::Debug>(
    state: &mut watch::Receiver<T>,
    test: impl FnMut(&T) -> bool,
) -> T {
    *timeout(LIMIT, state.wait_for(test)).await.expect("not in time").expect("watched")
}

fn is_up(state: &RegistrationState) -> bool {
    matches!(state, RegistrationState::Registered { .. })
}

#[tokio::test]
async fn a_phone_registers_refreshes_and_leaves() {
    for offer in [Offer::Md5, Offer::Sha256, Offer::Both] {
        let desk = desk(offer).await;
        let (phone, _) = endpoint().await;
        let registered = phone.register(wanted(desk.sip.local_addr(), PASSWORD, 1)).unwrap();
        until(&mut registered.state(), is_up).await;
        let bound = desk.registrar.bindings("ana").pop().expect("a binding");
        assert_eq!(bound.target, phone.local_addr());
        assert_eq!(bound.contact, format!("sip:ana@{}", phone.local_addr()));
        desk.kept.until(|all| all.len() >= 3).await;
        // The refreshes proved themselves ahead: one challenge for all of them.
        assert_eq!((desk.sip.gauges().door.challenged, desk.sip.gauges().door.wrong), (1, 0));
        drop(registered);
        desk.kept.until(|all| all.last().is_some_and(Vec::is_empty)).await;
        assert_eq!(desk.registrar.bindings("ana"), []);
    }
}

#[tokio::test]
async fn what_was_bound_is_called_after_a_restart() {
    let desk = desk(Offer::Md5).await;
    let (phone, mut calls) = endpoint().await;
    let registered = phone.register(wanted(desk.sip.local_addr(), PASSWORD, 600)).unwrap();
    until(&mut registered.state(), is_up).await;
    let again = desk_with(Offer::Md5, desk.kept.last(), |_| ()).await;
    let bound = again.registrar.bindings("ana").pop().expect("still bound");
    let mut call = to(bound.target);
    call.to_uri = bound.contact;
    let (_ours, _events) = again.sip.call(call);
    let ringing = crate::support::call_in(&mut calls).await;
    assert_eq!(ringing.request_user, "ana");
}

#[tokio::test]
async fn a_wrong_password_is_refused_and_tried_again_later() {
    let desk = desk(Offer::Md5).await;
    let (phone, _) = endpoint().await;
    let registered = phone.register(wanted(desk.sip.local_addr(), "wrong", 60)).unwrap();
    let refused = |s: &RegistrationState| *s == RegistrationState::Refused { code: 401 };
    until(&mut registered.state(), refused).await;
    assert_eq!(desk.sip.gauges().door.wrong, 1, "it was shown once, not again and again");
    assert_eq!(desk.registrar.bindings("ana"), []);
}

#[tokio::test]
async fn a_registrar_that_is_dead_is_passed_over() {
    let desk = desk(Offer::Md5).await;
    let dead = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let (phone, _) = endpoint().await;
    let mut what = wanted(desk.sip.local_addr(), PASSWORD, 60);
    what.targets.insert(0, at(dead.local_addr().unwrap()));
    let registered = phone.register(what).unwrap();
    let state = until(&mut registered.state(), is_up).await;
    let taken = RegistrationState::Registered { at: at(desk.sip.local_addr()), expires_s: 60 };
    assert_eq!(state, taken);
}

#[tokio::test]
async fn too_brief_is_asked_again_as_long_as_the_registrar_wants() {
    let desk = desk_with(Offer::Md5, Vec::new(), |door| {
        door.registrar.as_mut().unwrap().expires_min_s = 90;
    })
    .await;
    let (phone, _) = endpoint().await;
    let registered = phone.register(wanted(desk.sip.local_addr(), PASSWORD, 30)).unwrap();
    let state = until(&mut registered.state(), is_up).await;
    assert!(matches!(state, RegistrationState::Registered { expires_s: 90, .. }), "{state:?}");
}

/// A registrar that asks under a new nonce each time, calling the last one stale.
async fn challenged(peer: &mut Peer, realm: &str) -> Message {
    let request = peer.expect("REGISTER").await;
    let nonce = request.branch().to_owned();
    let extra = format!(
        "WWW-Authenticate: Digest realm=\"{realm}\", nonce=\"{nonce}\", stale=true, qop=\"auth\"\
         \r\n"
    );
    peer.respond(&request, "401 Unauthorized", "t", &extra, "").await;
    request
}

#[tokio::test]
async fn a_rogue_registrar_gets_two_answers_and_no_more() {
    let mut peer = Peer::new().await;
    let (phone, _) = endpoint().await;
    let registered = phone.register(wanted(peer.addr, PASSWORD, 60)).unwrap();
    let mut shown = Vec::new();
    for _ in 0..3 {
        let request = challenged(&mut peer, "r").await;
        shown.push(!request.header("Authorization").is_empty());
    }
    assert_eq!(shown, [false, true, true]);
    let refused = |s: &RegistrationState| *s == RegistrationState::Refused { code: 401 };
    until(&mut registered.state(), refused).await;
}

#[tokio::test]
async fn a_realm_that_is_not_ours_is_shown_nothing() {
    let mut peer = Peer::new().await;
    let (phone, _) = endpoint().await;
    let mut what = wanted(peer.addr, PASSWORD, 60);
    what.credentials = Some(Credentials::new("ana", PASSWORD).for_realm("ours"));
    let registered = phone.register(what).unwrap();
    assert_eq!(challenged(&mut peer, "theirs").await.header("Authorization"), "");
    let refused = |s: &RegistrationState| *s == RegistrationState::Refused { code: 401 };
    until(&mut registered.state(), refused).await;
}

#[tokio::test]
async fn what_asks_without_proof_is_challenged_whatever_its_method() {
    let desk = desk(Offer::Md5).await;
    let mut peer = Peer::new().await;
    let mut script = crate::peer::Script::new(desk.sip.local_addr(), "gate");
    for method in ["REGISTER", "OPTIONS", "MESSAGE", "SUBSCRIBE", "NOTIFY", "INFO", "BYE"] {
        script.cseq += 1;
        script.send(&peer, method, method).await;
        let answer = peer.expect("SIP/2.0").await;
        assert!(answer.start.starts_with("SIP/2.0 401"), "{method}: {}", answer.start);
        assert!(answer.header("WWW-Authenticate").starts_with("Digest realm=\"undertone\""));
    }
    let (caller, _) = endpoint().await;
    let (_call, mut events) = caller.call(to(desk.sip.local_addr()));
    let failed = next_final(&mut events).await;
    assert!(matches!(failed, DialogEvent::Failed { code: 401, .. }), "{failed:?}");
}

#[tokio::test]
async fn a_flood_is_told_to_wait_and_keeps_nothing() {
    let desk = desk_with(Offer::Md5, Vec::new(), |door| {
        door.source_rate = undertone_sip::Rate { per_s: 1, at_once: 5 };
    })
    .await;
    let mut peer = Peer::new().await;
    let mut script = crate::peer::Script::new(desk.sip.local_addr(), "flood");
    let mut busy = 0;
    for n in 0..200_u32 {
        script.cseq = n + 1;
        script.send(&peer, "OPTIONS", &format!("f{n}")).await;
        let answer = peer.expect("SIP/2.0").await;
        if answer.start.starts_with("SIP/2.0 503") {
            busy += 1;
            assert!(answer.header("Retry-After").parse::<u32>().is_ok());
        }
    }
    assert!(busy > 150, "{busy}");
    assert_eq!(desk.sip.gauges().door.slowed, busy);
}

#[tokio::test]
async fn a_peer_is_up_while_it_answers_and_down_when_it_does_not() {
    let (watching, _) = endpoint().await;
    let (peer, _) = endpoint().await;
    let target = at(peer.local_addr());
    assert_eq!(watching.options("sip:peer@127.0.0.1", target).await, Ok(200));
    let every = std::time::Duration::from_millis(50);
    let what = PeerWatch { uri: "sip:peer@127.0.0.1".into(), target, every };
    let watched = watching.watch_peer(what).unwrap();
    until(&mut watched.state(), |state| *state == PeerState::Up).await;
    peer.shutdown().await;
    drop::<Sip>(peer);
    until(&mut watched.state(), |state| *state == PeerState::Down).await;
}
