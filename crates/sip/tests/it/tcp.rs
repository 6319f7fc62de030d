//! Calls over TCP: between endpoints of ours, and with peers that cut, pipeline, lie and vanish.

use std::time::Duration;

use tokio::net::TcpListener;
use tokio::time::timeout;
use undertone_sip::{DialogEvent, EndCause, FlowId, Incoming, Outgoing, Sip, Transport};

use crate::peer::{Peer, Script};
use crate::stream::{Stream, Talk};
use crate::support::{
    ANSWER, LIMIT, OFFER, call_in, config, drained, endpoint, next, next_final, silence, to,
};

/// A description of about so many bytes.
fn long_sdp(bytes: usize) -> String {
    let mut sdp = OFFER.to_owned();
    while sdp.len() < bytes {
        sdp += "a=x-filling:0123456789012345678901234567890123456789\r\n";
    }
    sdp
}

/// Nothing is left of connections either.
async fn disconnected(sip: &Sip) {
    let wait = async {
        while sip.gauges().connections > 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(LIMIT, wait).await.expect("connections are left");
}

async fn alive(sip: &Sip) {
    let mut peer = Stream::connect(sip.local_addr()).await;
    let talk = Talk::new(&peer, "alive@peer");
    let options = talk.request(&peer, "OPTIONS", "");
    peer.raw(options.as_bytes()).await;
    peer.expect("SIP/2.0 200").await;
}

#[tokio::test]
async fn a_call_goes_over_tcp_in_both_directions_and_leaves_nothing() {
    let (caller, _) = endpoint().await;
    let (callee, mut incoming) = endpoint().await;
    let call = Outgoing { transport: Some(Transport::Tcp), ..to(callee.local_addr()) };
    let (ours, mut events) = caller.call(call);
    let mut call = call_in(&mut incoming).await;
    assert_eq!(call.transport, Transport::Tcp);
    assert!(call.flow.is_some());
    assert_eq!(call.known_as(), caller.local_addr());
    assert_ne!(call.source, caller.local_addr());
    assert_eq!(call.contact, format!("sip:undertone@{};transport=TCP", caller.local_addr()));
    call.dialog.answer(ANSWER.into());
    assert_eq!(next_final(&mut events).await, DialogEvent::Answered { sdp: ANSWER.into() });
    assert_eq!(next(&mut call.events).await, DialogEvent::Confirmed { sdp: None });
    let offered = tokio::spawn({
        let theirs = call.dialog.clone();
        async move { theirs.reinvite(OFFER.into()).await }
    });
    let DialogEvent::Reoffer { token, .. } = next(&mut events).await else { panic!() };
    ours.answer_reinvite(token, Ok(ANSWER.into()));
    assert_eq!(offered.await.unwrap(), Ok(ANSWER.to_owned()));
    assert_eq!(ours.options().await, Ok(200));
    assert_eq!((caller.gauges().connections, callee.gauges().connections), (1, 1));
    call.dialog.bye();
    assert_eq!(next(&mut events).await, DialogEvent::Ended { cause: EndCause::FarEnd });
    drained(&caller).await;
    drained(&callee).await;
    caller.shutdown().await;
    disconnected(&callee).await;
}

#[tokio::test]
async fn a_message_that_comes_byte_by_byte_and_several_in_one_piece_are_read() {
    let (sip, mut incoming) = endpoint().await;
    let mut peer = Stream::connect(sip.local_addr()).await;
    let mut talk = Talk::new(&peer, "split@peer");
    for byte in talk.request(&peer, "INVITE", OFFER).as_bytes() {
        peer.raw(std::slice::from_ref(byte)).await;
        tokio::task::yield_now().await;
    }
    let mut call = call_in(&mut incoming).await;
    assert_eq!(call.offer.as_deref(), Some(OFFER));
    assert_eq!((call.source, call.transport), (peer.addr, Transport::Tcp));
    call.dialog.answer(ANSWER.into());
    let ok = peer.expect("SIP/2.0 200").await;
    assert_eq!(ok.header("Contact"), format!("<sip:undertone@{};transport=tcp>", sip.local_addr()));
    talk.their_tag = ok.tag("To");
    let ack = talk.request(&peer, "ACK", "");
    talk.cseq = 2;
    let mut together = "\r\n".to_owned() + &ack + "\r\n\r\n";
    together += &talk.request(&peer, "OPTIONS", "");
    talk.cseq = 3;
    together += &talk.request(&peer, "BYE", "");
    peer.raw(together.as_bytes()).await;
    // Each is a transaction of its own: their answers have no order.
    let mut answered = Vec::new();
    for _ in 0..2 {
        answered.push(peer.expect("SIP/2.0 200").await.header("CSeq").to_owned());
    }
    answered.sort();
    assert_eq!(answered, ["2 OPTIONS", "3 BYE"]);
    assert_eq!(next(&mut call.events).await, DialogEvent::Confirmed { sdp: None });
    assert_eq!(next(&mut call.events).await, DialogEvent::Ended { cause: EndCause::FarEnd });
    drop(peer);
    drained(&sip).await;
    disconnected(&sip).await;
}

#[tokio::test]
async fn a_ping_is_answered_and_does_not_count_as_a_message() {
    let mut config = config();
    config.streams.first_byte_ms = 300;
    let (sip, _incoming) = Sip::bind(config).await.unwrap();
    let mut peer = Stream::connect(sip.local_addr()).await;
    peer.raw(b"\r\n\r\n").await;
    assert_eq!(peer.bytes().await, b"\r\n");
    peer.closed().await;
    disconnected(&sip).await;
    let mut peer = Stream::connect(sip.local_addr()).await;
    let talk = Talk::new(&peer, "ping@peer");
    let options = talk.request(&peer, "OPTIONS", "");
    peer.raw(options.as_bytes()).await;
    peer.expect("SIP/2.0 200").await;
    peer.raw(b"\r\n\r\n").await;
    assert_eq!(peer.bytes().await, b"\r\n");
}

#[tokio::test]
async fn many_requests_in_one_piece_are_all_answered_and_in_our_name_over_tcp() {
    let (sip, _incoming) = endpoint().await;
    let mut peer = Stream::connect(sip.local_addr()).await;
    let mut talk = Talk::new(&peer, "pipeline@peer");
    let mut together = String::new();
    for cseq in 1..=300 {
        talk.cseq = cseq;
        together += &talk.request(&peer, "OPTIONS", "");
    }
    peer.raw(together.as_bytes()).await;
    for cseq in 1..=300 {
        let ok = peer.expect("SIP/2.0 200").await;
        assert_eq!(ok.header("CSeq"), format!("{cseq} OPTIONS"));
        let ours = format!("<sip:undertone@{};transport=tcp>", sip.local_addr());
        assert_eq!(ok.header("Contact"), ours);
    }
}

#[tokio::test]
async fn lengths_that_cannot_be_trusted_are_answered_and_end_the_connection() {
    let (sip, mut incoming) = endpoint().await;
    let big = format!("X-Filling: {}\r\nContent-Length: 0", "x".repeat(40_000));
    for (length, code) in [
        ("Content-Length: 4000000000", "413"),
        ("Content-Length: 99999999999999999999999", "413"),
        ("Content-Length: -5", "400"),
        ("Content-Length: 0\r\nContent-Length: 7", "400"),
        ("X-Nothing: here", "400"),
        (big.as_str(), "513"),
    ] {
        for spoke in [false, true] {
            let mut peer = Stream::connect(sip.local_addr()).await;
            let talk = Talk::new(&peer, "length@peer");
            let options = talk.request(&peer, "OPTIONS", "");
            if spoke {
                peer.raw(options.as_bytes()).await;
                peer.expect("SIP/2.0 200").await;
            }
            let text = talk.request(&peer, "INVITE", "").replace("Content-Length: 0", length);
            // The far end may close before it has read all of it.
            let _ = tokio::io::AsyncWriteExt::write_all(&mut peer.stream, text.as_bytes()).await;
            if code != "513" {
                let refused = peer.expect("SIP/2.0").await;
                assert!(refused.start.starts_with(&format!("SIP/2.0 {code}")), "{refused:?}");
            }
            peer.closed().await;
        }
    }
    assert!(incoming.try_recv().is_err());
    alive(&sip).await;
    drained(&sip).await;
    disconnected(&sip).await;
}

#[tokio::test]
async fn a_request_is_sent_once_over_tcp() {
    let (sip, _incoming) = endpoint().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("sip:200@{};transport=tcp", listener.local_addr().unwrap());
    let call = Outgoing { to_uri: uri, ..to(listener.local_addr().unwrap()) };
    let (_ours, _events) = sip.call(call);
    let mut peer = Stream::accept(&listener).await;
    let invite = peer.expect("INVITE").await;
    let via = format!("SIP/2.0/TCP {};", sip.local_addr());
    assert!(invite.header("Via").starts_with(&via), "{invite:?}");
    let contact = invite.header("Contact").to_ascii_lowercase();
    assert!(contact.contains(";transport=tcp>"), "{contact}");
    peer.never("INVITE", 500).await;
}

/// A UDP peer, and a TCP listener on its port.
async fn both_ways() -> (Peer, TcpListener) {
    loop {
        let peer = Peer::new().await;
        if let Ok(listener) = TcpListener::bind(peer.addr).await {
            return (peer, listener);
        }
    }
}

#[tokio::test]
async fn a_request_too_large_for_udp_goes_by_tcp_and_its_call_stays_on_udp() {
    let (sip, _incoming) = endpoint().await;
    let (mut udp, listener) = both_ways().await;
    let call = Outgoing { offer: long_sdp(3_000), ..to(udp.addr) };
    let (ours, mut events) = sip.call(call);
    let mut tcp = Stream::accept(&listener).await;
    let invite = tcp.expect("INVITE").await;
    assert!(invite.header("Via").starts_with("SIP/2.0/TCP "), "{invite:?}");
    assert_eq!(invite.body, long_sdp(3_000));
    tcp.never("INVITE", 300).await;
    let extra = format!("{}Content-Type: application/sdp\r\n", udp.contact());
    tcp.respond(&invite, "200 OK", &extra, ANSWER).await;
    assert_eq!(next_final(&mut events).await, DialogEvent::Answered { sdp: ANSWER.into() });
    tcp.expect("ACK").await;
    ours.bye();
    // Small again, and the Contact asks for no transport.
    let bye = udp.expect("BYE").await;
    assert!(bye.header("Via").starts_with("SIP/2.0/UDP "), "{bye:?}");
    udp.respond(&bye, "200 OK", "", "", "").await;
    udp.never("INVITE", 50).await;
    drop(tcp);
    drained(&sip).await;
    disconnected(&sip).await;
}

#[tokio::test]
async fn a_cancel_goes_where_its_invite_went() {
    let (sip, _incoming) = endpoint().await;
    let (mut udp, listener) = both_ways().await;
    let (ours, mut events) = sip.call(Outgoing { offer: long_sdp(2_000), ..to(udp.addr) });
    let mut tcp = Stream::accept(&listener).await;
    let invite = tcp.expect("INVITE").await;
    tcp.respond(&invite, "180 Ringing", "", "").await;
    assert!(matches!(next(&mut events).await, DialogEvent::Progress { code: 180, .. }));
    ours.cancel();
    let cancel = tcp.expect("CANCEL").await;
    assert_eq!(cancel.header("Via"), invite.header("Via"));
    tcp.respond(&cancel, "200 OK", "", "").await;
    tcp.respond(&invite, "487 Request Terminated", "", "").await;
    tcp.expect("ACK").await;
    udp.never("CANCEL", 50).await;
    assert!(matches!(next(&mut events).await, DialogEvent::Failed { code: 487, .. }));
    drop(tcp);
    drained(&sip).await;
}

#[tokio::test]
async fn a_large_request_goes_by_udp_where_nobody_takes_tcp() {
    let (sip, _incoming) = endpoint().await;
    let mut udp = Peer::new().await;
    for _ in 0..2 {
        let (ours, mut events) = sip.call(Outgoing { offer: long_sdp(3_000), ..to(udp.addr) });
        let invite = udp.expect("INVITE").await;
        assert!(invite.header("Via").starts_with("SIP/2.0/UDP "), "{invite:?}");
        assert_eq!(invite.body, long_sdp(3_000));
        udp.ok(&invite, "tag", ANSWER).await;
        assert!(matches!(next_final(&mut events).await, DialogEvent::Answered { .. }));
        udp.expect("ACK").await;
        ours.bye();
        let bye = udp.expect("BYE").await;
        udp.respond(&bye, "200 OK", "", "", "").await;
    }
    drained(&sip).await;
    disconnected(&sip).await;
}

#[tokio::test]
async fn descriptions_of_3_9_and_20_kb_are_read_from_a_datagram() {
    let (sip, mut incoming) = endpoint().await;
    let mut peer = Peer::new().await;
    for bytes in [3_000, 9_000, 20_000] {
        let mut script = Script::new(sip.local_addr(), &format!("{bytes}@peer"));
        script.invite(&peer, "large", &long_sdp(bytes)).await;
        let call = call_in(&mut incoming).await;
        assert_eq!(call.offer, Some(long_sdp(bytes)));
        call.dialog.answer(long_sdp(bytes));
        let ok = peer.expect("SIP/2.0 200").await;
        assert_eq!(ok.body, long_sdp(bytes));
        script.their_tag = ok.tag("To");
        script.send(&peer, "ACK", "ack").await;
        script.cseq = 2;
        script.send(&peer, "BYE", "bye").await;
        while peer.expect("SIP/2.0 200").await.header("CSeq") != "2 BYE" {}
    }
    drained(&sip).await;
}

/// A peer over TCP whose Contact leads nowhere, as behind a NAT, with its call up.
async fn behind_a_nat(sip: &Sip, incoming: &mut tokio::sync::mpsc::Receiver<Incoming>) -> Nat {
    let mut peer = Stream::connect(sip.local_addr()).await;
    let mut talk = Talk::new(&peer, "nat@peer");
    // TEST-NET-1: nobody is there, and nothing says so.
    talk.contact = "<sip:bob@192.0.2.77:5060;transport=tcp>".into();
    let invite = talk.request(&peer, "INVITE", OFFER);
    peer.raw(invite.as_bytes()).await;
    let mut call = call_in(incoming).await;
    call.dialog.answer(ANSWER.into());
    talk.their_tag = peer.expect("SIP/2.0 200").await.tag("To");
    let ack = talk.request(&peer, "ACK", "");
    peer.raw(ack.as_bytes()).await;
    assert_eq!(next(&mut call.events).await, DialogEvent::Confirmed { sdp: None });
    Nat { flow: call.flow.unwrap(), peer, call }
}

struct Nat {
    peer: Stream,
    flow: FlowId,
    call: Incoming,
}

#[tokio::test]
async fn a_contact_that_leads_nowhere_is_reached_over_its_connection() {
    let (sip, mut incoming) = endpoint().await;
    let mut nat = behind_a_nat(&sip, &mut incoming).await;
    nat.call.dialog.bye();
    let bye = nat.peer.expect("BYE").await;
    assert!(bye.start.starts_with("BYE sip:bob@192.0.2.77:5060"), "{bye:?}");
    nat.peer.respond(&bye, "200 OK", "", "").await;
    assert_eq!(next(&mut nat.call.events).await, DialogEvent::Ended { cause: EndCause::Us });
    // And it is called over it.
    let uri = "sip:bob@192.0.2.77:5060;transport=tcp".to_owned();
    let call = Outgoing { to_uri: uri, flow: Some(nat.flow), ..to(sip.local_addr()) };
    let (ours, mut events) = sip.call(call.clone());
    let invite = nat.peer.expect("INVITE").await;
    assert!(invite.start.starts_with("INVITE sip:bob@192.0.2.77:5060"), "{invite:?}");
    let extra =
        "Contact: <sip:bob@192.0.2.77:5060;transport=tcp>\r\nContent-Type: application/sdp\r\n";
    nat.peer.respond(&invite, "200 OK", extra, ANSWER).await;
    assert_eq!(next_final(&mut events).await, DialogEvent::Answered { sdp: ANSWER.into() });
    nat.peer.expect("ACK").await;
    ours.bye();
    let bye = nat.peer.expect("BYE").await;
    nat.peer.respond(&bye, "200 OK", "", "").await;
    // While it is held it says when it goes.
    let hold = sip.hold_flow(nat.flow).unwrap();
    drop(nat.peer);
    timeout(LIMIT, hold.ended()).await.expect("its end was not told");
    let (_late, mut events) = sip.call(call);
    assert!(matches!(next(&mut events).await, DialogEvent::Failed { code: 430, .. }));
    drained(&sip).await;
    disconnected(&sip).await;
}

#[tokio::test]
async fn a_call_over_a_dead_connection_ends_when_it_is_asked_after() {
    let (sip, mut incoming) = endpoint().await;
    let mut nat = behind_a_nat(&sip, &mut incoming).await;
    nat.peer.reset();
    assert_eq!(nat.call.dialog.options().await, Err(undertone_sip::SipError::Timeout));
    assert_eq!(next(&mut nat.call.events).await, DialogEvent::Ended { cause: EndCause::Lost });
    drained(&sip).await;
    disconnected(&sip).await;
}

#[tokio::test]
async fn a_call_whose_connection_dies_before_the_answer_fails_by_name() {
    let (sip, _incoming) = endpoint().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    for ringing in [false, true] {
        let call = Outgoing { transport: Some(Transport::Tcp), ..to(addr) };
        let (_ours, mut events) = sip.call(call);
        let mut peer = Stream::accept(&listener).await;
        let invite = peer.expect("INVITE").await;
        if ringing {
            peer.respond(&invite, "180 Ringing", "", "").await;
            assert!(matches!(next(&mut events).await, DialogEvent::Progress { .. }));
        }
        peer.reset();
        let reason = "Connection Lost".to_owned();
        assert_eq!(next(&mut events).await, DialogEvent::Failed { code: 503, reason });
        silence(&mut events).await;
    }
    drop(listener);
    let call = Outgoing { transport: Some(Transport::Tcp), ..to(addr) };
    let (_ours, mut events) = sip.call(call);
    let reason = "No Connection".to_owned();
    assert_eq!(next(&mut events).await, DialogEvent::Failed { code: 503, reason });
    drained(&sip).await;
    disconnected(&sip).await;
}

#[tokio::test]
async fn a_caller_whose_connection_dies_has_given_up() {
    let (sip, mut incoming) = endpoint().await;
    let mut peer = Stream::connect(sip.local_addr()).await;
    let talk = Talk::new(&peer, "gone@peer");
    let invite = talk.request(&peer, "INVITE", OFFER);
    peer.raw(invite.as_bytes()).await;
    let mut call = call_in(&mut incoming).await;
    call.dialog.ring();
    peer.expect("SIP/2.0 180").await;
    peer.reset();
    assert!(matches!(next(&mut call.events).await, DialogEvent::Failed { code: 487, .. }));
    drained(&sip).await;
    disconnected(&sip).await;
}

#[tokio::test]
async fn callers_that_connect_invite_and_reset_leave_nothing() {
    let proof = std::env::var_os("UNDERTONE_PROOF").is_some();
    let cycles = if proof { 100_000 } else { 1_000 };
    let (sip, mut incoming) = endpoint().await;
    let answering = tokio::spawn(async move {
        // Some are answered, some ring, some are refused.
        let mut n = 0_usize;
        let mut kept = std::collections::VecDeque::new();
        while let Some(call) = incoming.recv().await {
            match n % 3 {
                0 => call.dialog.answer(ANSWER.into()),
                1 => call.dialog.ring(),
                _ => call.dialog.reject(486, None),
            }
            n += 1;
            kept.push_back(call);
            if kept.len() > 64 {
                kept.pop_front();
            }
        }
    });
    for n in 0..cycles {
        let mut peer = Stream::connect(sip.local_addr()).await;
        let talk = Talk::new(&peer, &format!("cycle-{n}@peer"));
        let invite = talk.request(&peer, "INVITE", OFFER);
        // Whole, cut, and not at all.
        let bytes = &invite.as_bytes()[..invite.len() * (n % 4).min(2) / 2];
        peer.raw(bytes).await;
        if n % 8 == 7 {
            peer.expect("SIP/2.0 100").await;
        }
        peer.reset();
    }
    answering.abort();
    alive(&sip).await;
    drained(&sip).await;
    disconnected(&sip).await;
}

#[tokio::test]
async fn connections_that_say_nothing_are_bounded_and_make_room() {
    let mut config = config();
    config.streams.connections_max = 8;
    config.streams.first_byte_ms = 400;
    config.streams.message_ms = 400;
    let (sip, _incoming) = Sip::bind(config).await.unwrap();
    let mut silent = Vec::new();
    for n in 0..40 {
        let mut peer = Stream::connect(sip.local_addr()).await;
        if n % 2 == 0 {
            // A message that never ends.
            peer.raw(b"OPTIONS sip:x SIP/2.0\r\n").await;
        }
        silent.push(peer);
    }
    // Who speaks is heard all the same.
    alive(&sip).await;
    assert!(sip.gauges().connections <= 16);
    for mut peer in silent {
        peer.closed().await;
    }
    assert!(sip.gauges().connections_refused >= 32);
    disconnected(&sip).await;
    drained(&sip).await;
}

#[tokio::test]
async fn one_host_has_its_share_of_connections() {
    let mut config = config();
    config.streams.per_source_max = 2;
    let (sip, _incoming) = Sip::bind(config).await.unwrap();
    let (_one, _two) =
        (Stream::connect(sip.local_addr()).await, Stream::connect(sip.local_addr()).await);
    let mut third = Stream::connect(sip.local_addr()).await;
    third.closed().await;
    assert_eq!(sip.gauges().connections_refused, 1);
}

#[tokio::test]
async fn a_connection_that_is_used_is_not_idle() {
    let mut config = config();
    config.streams.idle_ms = 150;
    let (sip, _incoming) = Sip::bind(config).await.unwrap();
    let mut peer = Stream::connect(sip.local_addr()).await;
    let talk = Talk::new(&peer, "idle@peer");
    let options = talk.request(&peer, "OPTIONS", "");
    peer.raw(options.as_bytes()).await;
    peer.expect("SIP/2.0 200").await;
    peer.closed().await;
    disconnected(&sip).await;
}

#[tokio::test]
async fn a_peer_that_asks_and_never_reads_is_cut_off() {
    let mut config = config();
    config.streams.write_ms = 300;
    let (sip, _incoming) = Sip::bind(config).await.unwrap();
    let mut peer = Stream::connect(sip.local_addr()).await;
    let talk = Talk::new(&peer, "deaf@peer");
    let bad = talk.request(&peer, "WIBBLE", "");
    let asking = async {
        while tokio::io::AsyncWriteExt::write_all(&mut peer.stream, bad.as_bytes()).await.is_ok() {}
    };
    timeout(LIMIT, asking).await.expect("it is still written to");
    disconnected(&sip).await;
}
