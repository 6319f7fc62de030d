//! Crowds of connections: who is needed stays, who is new gets in, and ours are not in their way.

use tokio::net::TcpListener;
use tokio::time::timeout;
use undertone_sip::{DialogEvent, EndCause, Offer, Outgoing, RegistrationState, Sip, Transport};

use crate::keeper::{PASSWORD, at, desk};
use crate::stream::{Stream, Talk};
use crate::support::{ANSWER, LIMIT, OFFER, call_in, config, next, to};

/// One that has said something, been answered, and stays.
async fn talker(sip: &Sip, n: usize) -> Stream {
    let mut peer = Stream::connect(sip.local_addr()).await;
    let talk = Talk::new(&peer, &format!("talker{n}"));
    let options = talk.request(&peer, "OPTIONS", "");
    peer.raw(options.as_bytes()).await;
    peer.expect("SIP/2.0 200").await;
    peer
}

#[tokio::test]
async fn who_has_a_call_stays_and_who_only_spoke_makes_room() {
    let mut config = config();
    config.streams.connections_max = 4;
    let (sip, mut incoming) = Sip::bind(config).await.unwrap();
    let mut caller = Stream::connect(sip.local_addr()).await;
    let mut talk = Talk::new(&caller, "caller");
    caller.raw(talk.request(&caller, "INVITE", OFFER).as_bytes()).await;
    let mut call = call_in(&mut incoming).await;
    call.dialog.answer(ANSWER.into());
    talk.their_tag = caller.expect("SIP/2.0 200").await.tag("To");
    let ack = talk.request(&caller, "ACK", "");
    caller.raw(ack.as_bytes()).await;
    assert_eq!(next(&mut call.events).await, DialogEvent::Confirmed { sdp: None });
    let mut crowd = Vec::new();
    for n in 0..30 {
        crowd.push(talker(&sip, n).await);
    }
    assert!(sip.gauges().connections <= 8);
    crowd.remove(0).closed().await;
    call.dialog.bye();
    let bye = caller.expect("BYE").await;
    caller.respond(&bye, "200 OK", "", "").await;
    assert_eq!(next(&mut call.events).await, DialogEvent::Ended { cause: EndCause::Us });
}

#[tokio::test]
async fn no_crowd_of_connections_keeps_us_from_opening_one() {
    let mut config = config();
    config.streams.connections_max = 2;
    config.streams.per_source_max = 2;
    let (sip, _incoming) = Sip::bind(config).await.unwrap();
    let _crowd = [talker(&sip, 1).await, talker(&sip, 2).await];
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let (_ours, _events) = sip.call(Outgoing { transport: Some(Transport::Tcp), ..to(addr) });
    Stream::accept(&listener).await.expect("INVITE").await;
}

fn registration(server: std::net::SocketAddr) -> undertone_sip::Registration {
    undertone_sip::Registration {
        registrar_uri: format!("sip:{server}"),
        targets: vec![undertone_sip::Target { transport: Transport::Tcp, ..at(server) }],
        aor_uri: format!("sip:ana@{server}"),
        contact_user: "ana".into(),
        credentials: Some(undertone_sip::Credentials::new("ana", PASSWORD)),
        expires_s: 600,
        q_thousandths: None,
    }
}

#[tokio::test]
async fn the_connection_that_we_registered_by_is_not_idle() {
    let desk = desk(Offer::Md5).await;
    let mut config = config();
    config.streams.idle_ms = 50;
    let (phone, _) = Sip::bind(config).await.unwrap();
    let registered = phone.register(registration(desk.sip.local_addr())).unwrap();
    desk.kept.until(|all| all.last().is_some_and(|bound| !bound.is_empty())).await;
    let gone = desk.kept.until(|all| all.last().is_some_and(Vec::is_empty));
    let twenty_times_idle = std::time::Duration::from_millis(1_000);
    assert!(timeout(twenty_times_idle, gone).await.is_err(), "it was closed, and nobody can call");
    drop(registered);
    desk.kept.until(|all| all.last().is_some_and(Vec::is_empty)).await;
}

#[tokio::test]
async fn a_registration_whose_connection_is_lost_is_made_anew_at_once() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (phone, _) = Sip::bind(config()).await.unwrap();
    let registered = phone.register(registration(listener.local_addr().unwrap())).unwrap();
    for granted in 600..603 {
        let mut peer = Stream::accept(&listener).await;
        let register = peer.expect("REGISTER").await;
        let contact = register.header("Contact");
        let extra = format!("Contact: {contact};expires={granted}\r\n");
        peer.respond(&register, "200 OK", &extra, "").await;
        let up = |s: &RegistrationState| match s {
            RegistrationState::Registered { expires_s, .. } => *expires_s == granted,
            _ => false,
        };
        timeout(LIMIT, registered.state().wait_for(up)).await.expect("in time").expect("watched");
        peer.reset();
    }
}
