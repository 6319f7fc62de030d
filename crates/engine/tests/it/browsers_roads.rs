//! The roads of browsers: TCP where UDP is blocked, datagrams that come on another thread than
//! their leg's, names and addresses that nobody knows, floods, a wrong certificate.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

use undertone_core::id::BridgeId;
use undertone_core::id::LegId;
use undertone_engine::{BrowserRefused, Greet, Greeted};
use undertone_media::bridge::BridgeEvent;
use undertone_media::leg::webrtc::WebError;
use undertone_sdp::Codec;
use undertone_testkit::browser::{Browser, BrowserConfig, signed_check};

use crate::room::{Room, SOON, eventually, two_way};
use crate::salon::{
    BROWSER, BROWSER_HZ, HOME, browser_in, call, greet, listen, phone_in, room, secret,
};

const PCMU: (u8, Codec) = (0, Codec::Pcmu);

fn config() -> BrowserConfig {
    BrowserConfig::new(&[Codec::Pcmu], BROWSER_HZ)
}

fn udp_of(room: &Room, thread: usize) -> SocketAddr {
    SocketAddr::new(HOME, room.engine.web_ports().unwrap().0[thread])
}

fn tcp_of(room: &Room) -> SocketAddr {
    SocketAddr::new(HOME, room.engine.web_ports().unwrap().1.unwrap())
}

/// A check with this name, as any stranger could write it: the signature is rubbish.
fn check(name: &str) -> Vec<u8> {
    let user = format!("{name}:abcd");
    let mut attributes = Vec::new();
    let mut add = |kind: u16, value: &[u8]| {
        attributes.extend_from_slice(&kind.to_be_bytes());
        attributes.extend_from_slice(&(value.len() as u16).to_be_bytes());
        attributes.extend_from_slice(value);
        attributes.resize(attributes.len().next_multiple_of(4), 0);
    };
    add(0x0006, user.as_bytes());
    add(0x0024, &1_000u32.to_be_bytes());
    add(0x802a, &7u64.to_be_bytes());
    add(0x0008, &[7; 20]);
    let mut out = vec![0, 1];
    out.extend_from_slice(&(attributes.len() as u16).to_be_bytes());
    out.extend_from_slice(&[0x21, 0x12, 0xa4, 0x42]);
    out.extend_from_slice(&[9; 12]);
    out.extend_from_slice(&attributes);
    out
}

/// A check that says the same 345 times, and nothing else.
fn many(kind: u16) -> Vec<u8> {
    let attributes = [kind.to_be_bytes(), [0; 2]].concat().repeat(345);
    let head = [&[0, 1][..], &(attributes.len() as u16).to_be_bytes()].concat();
    [&head[..], &[0x21, 0x12, 0xa4, 0x42], &[9; 12], &attributes].concat()
}

#[test]
fn where_udp_is_blocked_audio_passes_by_one_tcp_port() {
    // Whichever thread's UDP port it was told as well: the first one has TCP.
    for others in 0..2 {
        let room = room(2);
        let strangers: Vec<_> = (0..others).map(|_| Browser::new(config())).collect();
        let _greeted: Vec<_> = strangers.iter().map(|browser| greet(&room, browser)).collect();
        let config = BrowserConfig { tcp_only: true, ..config() };
        let (_, browser, phone) = call(&room, config, &[PCMU]);
        listen(&phone, Codec::Pcmu, 20);
        let level = listen(&phone, Codec::Pcmu, 50).steady(Codec::Pcmu, BROWSER_HZ);
        assert!((-12.0..-8.0).contains(&level), "{level}");
        // Paced by what it hears: a burst would run ahead of time, and be held back.
        for mark in 1..=20 {
            listen(&phone, Codec::Pcmu, 1);
            phone.say(mark);
        }
        eventually("the browser hears the phone", || {
            browser.noticed().log.iter().any(|line| line.3 == [20; 160])
        });
    }
}

#[test]
fn a_leg_away_from_its_port_and_moved_again_and_again_loses_nothing_for_good() {
    let room = room(3);
    let bridge = BridgeId(1);
    let browser = Browser::new(config());
    let Greeted { answer, leg, thread, .. } = greet(&room, &browser);
    room.engine.open_on(bridge, 7, (thread + 1) % 3).unwrap();
    room.engine.attach_leg(bridge, BROWSER, leg).unwrap();
    browser.answered(&answer);
    room.wait_event(|e| *e == BridgeEvent::LegConnected { seat: BROWSER });
    let phone = phone_in(&room, bridge, &[PCMU]);
    room.engine.apply(bridge, two_way(1));
    listen(&phone, Codec::Pcmu, 10);
    let mut missing = 0;
    for step in 0..30 {
        room.engine.move_bridge(bridge, step % 3).unwrap();
        let got = listen(&phone, Codec::Pcmu, 5);
        assert_eq!(got.log.len(), 5, "the browser's audio stopped at move {step}");
        missing += got.gaps();
    }
    assert_eq!(missing, 0, "numbers missing at the phone");
    phone.say(99);
    eventually("the browser hears", || browser.noticed().log.iter().any(|l| l.3 == [99; 160]));
}

#[test]
fn names_that_nobody_has_are_not_answered_and_leave_nothing_behind() {
    let room = room(1);
    let (_, browser, phone) = call(&room, config(), &[PCMU]);
    let toward = udp_of(&room, 0);
    let stranger = UdpSocket::bind("127.0.0.1:0").unwrap();
    let before = room.engine.gauges().packets_foreign;
    let mut sent = 0u64;
    for n in 0..20_000u32 {
        let datagram = match n % 4 {
            0 if n % 8 == 0 => check(&format!("name{n}")),
            // Attributes of length 0, as many as there is room for.
            0 => many([0x0001, 0x000a, 0x8023, 0xc057][n as usize / 8 % 4]),
            // DTLS and RTP of an address that nobody has named.
            1 => vec![22; 100],
            2 => [&[0x80, 0][..], &n.to_be_bytes(), &[1; 160]].concat(),
            _ => n.to_be_bytes().to_vec(),
        };
        stranger.send_to(&datagram, toward).unwrap();
        sent += 1;
        if n % 64 == 0 {
            eventually("they are read", || room.engine.gauges().packets_foreign >= before + sent);
        }
    }
    eventually("all are read", || room.engine.gauges().packets_foreign >= before + sent);
    stranger.set_nonblocking(true).unwrap();
    assert!(stranger.recv_from(&mut [0; 64]).is_err(), "a stranger was answered");
    listen(&phone, Codec::Pcmu, 10);
    let level = listen(&phone, Codec::Pcmu, 30).steady(Codec::Pcmu, BROWSER_HZ);
    assert!((-12.0..-8.0).contains(&level), "{level}");
    drop(browser);
}

#[test]
fn who_knows_a_name_and_not_its_password_is_nobody() {
    let room = room(1);
    let bridge = BridgeId(1);
    room.engine.open(bridge, 7).unwrap();
    let browser = Browser::new(config());
    let Greeted { answer, leg, .. } = greet(&room, &browser);
    room.engine.attach_leg(bridge, BROWSER, leg).unwrap();
    let name = answer.lines().find_map(|l| l.strip_prefix("a=ice-ufrag:")).unwrap();
    let stranger = UdpSocket::bind("127.0.0.1:0").unwrap();
    for _ in 0..200 {
        stranger.send_to(&check(name), udp_of(&room, 0)).unwrap();
        stranger.send_to(&[22; 100], udp_of(&room, 0)).unwrap();
    }
    browser.answered(&answer);
    room.wait_event(|e| *e == BridgeEvent::LegConnected { seat: BROWSER });
    stranger.set_nonblocking(true).unwrap();
    assert!(stranger.recv_from(&mut [0; 64]).is_err(), "a stranger was answered");
}

#[test]
fn a_browser_with_another_certificate_than_it_announced_is_refused() {
    let room = room(1);
    let bridge = BridgeId(1);
    room.engine.open(bridge, 7).unwrap();
    let browser = Browser::new(BrowserConfig { lies: true, ..config() });
    let Greeted { answer, leg, .. } = greet(&room, &browser);
    room.engine.attach_leg(bridge, BROWSER, leg).unwrap();
    browser.answered(&answer);
    let since = Instant::now();
    room.wait_event(|e| *e == BridgeEvent::LegLost { seat: BROWSER });
    assert!(since.elapsed() < Duration::from_secs(6), "noticed only after {:?}", since.elapsed());
}

#[test]
fn an_offer_that_is_none_is_refused_by_name() {
    let room = room(1);
    let offer = Browser::new(config()).offer.clone();
    let refused = |offer: &str| {
        let leg = LegId(1);
        let greet = Greet { offer, leg, seed: 1, secret: secret(), prefer: None, told: HOME };
        room.engine.greet(greet).err().unwrap()
    };
    let not_one = |r: BrowserRefused| matches!(r, BrowserRefused::Offer(WebError::NotAnOffer));
    assert!(not_one(refused("")));
    assert!(not_one(refused("v=0\r\n")));
    assert!(not_one(refused(&offer.replace("a=fingerprint", "a=finger"))));
    assert!(not_one(refused(&offer.replace("m=audio", "m=video"))));
    let twice = format!("{offer}{}", &offer[offer.find("m=audio").unwrap()..]);
    assert!(not_one(refused(&twice)));
    assert!(matches!(refused(&"v".repeat(70_000)), BrowserRefused::Offer(WebError::TooLarge)));
    let speex = offer.replace("PCMU/8000", "speex/8000").replace("a=rtpmap:0", "a=rtpmap:99");
    let speex = speex.replace("m=audio 9 UDP/TLS/RTP/SAVPF 0 ", "m=audio 9 UDP/TLS/RTP/SAVPF 99 ");
    let none = refused(&speex);
    assert!(matches!(none, BrowserRefused::Offer(WebError::NoCommonCodec)), "{none:?}");
    assert_eq!(room.engine.gauges().browsers, 0, "a refused one is not counted");
}

#[test]
fn a_tcp_connection_that_names_nobody_is_closed_and_rubbish_at_once() {
    let room = room(1);
    let (_, _browser, phone) = call(&room, config(), &[PCMU]);
    let mut silent = TcpStream::connect(tcp_of(&room)).unwrap();
    let mut rubbish = TcpStream::connect(tcp_of(&room)).unwrap();
    rubbish.write_all(&[0xff; 600]).unwrap();
    let gone = |stream: &mut TcpStream| {
        stream.set_read_timeout(Some(Duration::from_secs(9))).unwrap();
        matches!(stream.read(&mut [0; 16]), Ok(0) | Err(_))
    };
    assert!(gone(&mut rubbish));
    assert!(gone(&mut silent));
    // Many from one source: some find no room, and the call goes on.
    let many: Vec<_> = (0..200).filter_map(|_| TcpStream::connect(tcp_of(&room)).ok()).collect();
    assert_eq!(listen(&phone, Codec::Pcmu, 40).gaps(), 0);
    drop(many);
}

/// Browsers of which only the checks are there, each in a bridge of its own: offer and answer.
fn greeted(room: &Room, count: u64) -> Vec<(String, String)> {
    let browser = Browser::new(config());
    let one = |n| {
        let Greeted { answer, leg, .. } = greet(room, &browser);
        room.engine.open(BridgeId(n), n).unwrap();
        room.engine.attach_leg(BridgeId(n), BROWSER, leg).unwrap();
        (browser.offer.clone(), answer)
    };
    (1..=count).map(one).collect()
}

fn framed(datagram: &[u8]) -> Vec<u8> {
    [&(datagram.len() as u16).to_be_bytes()[..], datagram].concat()
}

/// A TCP connection on which this browser's check was answered.
fn lane(room: &Room, (offer, answer): &(String, String)) -> TcpStream {
    let mut stream = TcpStream::connect(tcp_of(room)).unwrap();
    stream.set_read_timeout(Some(SOON)).unwrap();
    assert!(answers(&mut stream, (offer, answer)), "a check was not answered");
    stream
}

fn answers(stream: &mut TcpStream, (offer, answer): (&str, &str)) -> bool {
    let check = signed_check(offer, answer);
    if stream.write_all(&framed(&check)).is_err() {
        return false;
    }
    // Datagrams of DTLS may come as well.
    loop {
        let mut head = [0; 2];
        let Ok(()) = stream.read_exact(&mut head) else { return false };
        let mut datagram = vec![0; usize::from(u16::from_be_bytes(head))];
        let Ok(()) = stream.read_exact(&mut datagram) else { return false };
        if datagram.starts_with(&[1, 1]) && datagram[8..20] == check[8..20] {
            return true;
        }
    }
}

/// Whatever still comes, and then the end of the connection.
fn ends(stream: &mut TcpStream) -> bool {
    let deadline = Instant::now() + SOON;
    let mut buffer = [0; 2_048];
    while Instant::now() < deadline {
        match stream.read(&mut buffer) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(error) => return error.kind() == ErrorKind::ConnectionReset,
        }
    }
    false
}

#[test]
fn a_site_of_a_hundred_browsers_behind_one_address_finds_room_by_tcp() {
    let room = room(1);
    let browsers = greeted(&room, 100);
    let mut silent = TcpStream::connect(tcp_of(&room)).unwrap();
    silent.set_read_timeout(Some(SOON)).unwrap();
    let mut lanes: Vec<_> = browsers.iter().map(|browser| lane(&room, browser)).collect();
    assert!(ends(&mut silent), "who proves nothing is closed");
    for (stream, (offer, answer)) in lanes.iter_mut().zip(&browsers) {
        assert!(answers(stream, (offer, answer)), "a browser's connection was closed");
    }
}

#[test]
fn a_name_without_its_password_keeps_no_tcp_connection() {
    let room = room(1);
    let browsers = greeted(&room, 1);
    let name = browsers[0].1.lines().find_map(|l| l.strip_prefix("a=ice-ufrag:")).unwrap();
    let mut stranger = TcpStream::connect(tcp_of(&room)).unwrap();
    let mut browser = lane(&room, &browsers[0]);
    stranger.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    let since = Instant::now();
    // It goes on and on, so that silence is not what ends it.
    while stranger.write_all(&framed(&check(name))).is_ok() && since.elapsed() < SOON {
        if matches!(stranger.read(&mut [0; 16]), Ok(0)) {
            break;
        }
    }
    assert!(since.elapsed() < SOON, "it is still open");
    assert!(answers(&mut browser, (&browsers[0].0, &browsers[0].1)));
}

#[test]
fn one_browser_has_four_tcp_connections_at_most_and_takes_them_with_it() {
    let room = room(2);
    let browsers = greeted(&room, 2);
    let mut other = lane(&room, &browsers[1]);
    let mut lanes: Vec<_> = (0..5).map(|_| lane(&room, &browsers[0])).collect();
    assert!(ends(&mut lanes[0]), "the first makes room for the fifth");
    for stream in &mut lanes[1..] {
        assert!(answers(stream, (&browsers[0].0, &browsers[0].1)));
    }
    room.engine.close(BridgeId(1));
    assert!(lanes[1..].iter_mut().all(ends), "they end with the leg");
    assert!(answers(&mut other, (&browsers[1].0, &browsers[1].1)));
}

#[test]
fn legs_that_end_take_their_names_with_them() {
    let room = room(2);
    let bridge = BridgeId(1);
    room.engine.open(bridge, 7).unwrap();
    for _ in 0..20 {
        let browser = browser_in(&room, bridge, config());
        drop(room.engine.detach(bridge, BROWSER));
        eventually("it is told", || browser.noticed().closed);
        eventually("it is off the count", || room.engine.gauges().browsers == 0);
    }
}
