//! Whose packets a leg takes on real sockets: floods of rubbish, reports of strangers, one port
//! for RTP and RTCP, a phone whose address changes.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};

use undertone_core::id::{BridgeId, SeatId};
use undertone_engine::{EngineConfig, PortsExhausted, Rank};
use undertone_media::bridge::BridgeEvent;

use crate::room::{Peer, Room, SOON, eventually, media, two_way};

/// Sources that are not the leg's: another host, and another port of the phone's own.
fn strangers() -> [UdpSocket; 2] {
    ["127.0.0.66:0", "127.0.0.1:0"].map(|at| UdpSocket::bind(at).unwrap())
}

/// Rubbish by number: cut short, no RTP, RTCP, RTP of another SSRC, of a type nobody agreed to,
/// with a header that reaches beyond the packet.
fn rubbish(n: u32) -> Vec<u8> {
    let b = n.to_be_bytes();
    let rtp = |first: u8, second: u8, len: usize| {
        let mut out = vec![first, second, b[2], b[3], b[0], b[1], b[2], b[3], 9, 9, b[2], b[3]];
        out.resize(len.max(12), 0x55);
        out
    };
    match n % 8 {
        0 => Vec::new(),
        1 => vec![0x80; (n as usize / 8) % 12],
        2 => vec![b[3]; 172],
        3 => rtp(0x80, 200, 28),
        4 => rtp(0x80, 0, 172),
        5 => rtp(0x80, 97, 172),
        6 => rtp(0xbf, 0x80, 20),
        _ => rtp(0x90, 0, 1_500),
    }
}

/// Three packets in a row: the leg's source is locked.
fn known(one: &Peer, two: &Peer) {
    for mark in 1..=3 {
        one.say(mark);
        assert!(two.hears(mark));
    }
}

#[test]
fn two_hundred_rubbish_packets_for_each_good_one_cost_no_good_one() {
    let room = Room::new(1);
    let (_, one, two) = room.call(1);
    let strangers = strangers();
    known(&one, &two);
    // 10,000 a second beside one stream of 20 ms packets, in portions of 50.
    let (mut n, before) = (0u32, room.engine.gauges().turns);
    for mark in 4..=100 {
        for portion in 0..4 {
            for _ in 0..50 {
                let from = &strangers[n as usize % 2];
                from.send_to(&rubbish(n), one.toward).unwrap();
                n += 1;
            }
            if portion == 0 {
                one.say(mark);
            }
            eventually("the portion is read", || {
                room.engine.gauges().packets_foreign >= u64::from(n)
            });
        }
        assert!(two.hears(mark), "packet {mark} was lost among {n}");
    }
    let gauges = room.engine.gauges();
    assert_eq!(gauges.packets_foreign, u64::from(n), "all of it, and nothing else");
    assert_eq!((gauges.bridges, gauges.bridges_panicked), (1, 0));
    // One a turn would let a flood fill the buffer in which good packets wait.
    assert!(gauges.turns - before < u64::from(n) / 2, "{} turns", gauges.turns - before);
    for stranger in strangers {
        stranger.set_nonblocking(true).unwrap();
        assert!(stranger.recv_from(&mut [0; 64]).is_err(), "a stranger was answered");
    }
}

#[test]
fn rubbish_from_the_phone_s_own_socket_ends_nothing() {
    let room = Room::new(1);
    let (bridge, one, two) = room.call(1);
    known(&one, &two);
    for mark in 4..=50 {
        for n in 0..20 {
            one.socket.send_to(&rubbish(n + u32::from(mark) * 20), one.toward).unwrap();
        }
        one.say(mark);
        assert!(two.hears(mark), "packet {mark}");
    }
    assert_eq!(room.engine.inspect(bridge, |b| b.seats().count()).wait(SOON), Some(2));
}

#[test]
fn before_anybody_spoke_a_stranger_is_neither_heard_nor_answered() {
    let room = Room::new(1);
    let (_, one, two) = room.call(1);
    let [stranger, _] = strangers();
    for _ in 0..20 {
        one.say_from(&stranger, 99);
    }
    eventually("all are dropped", || room.engine.gauges().packets_foreign == 20);
    two.say(5);
    assert!(one.hears(5), "the phone is sent to, where its description says");
    stranger.set_nonblocking(true).unwrap();
    assert!(stranger.recv_from(&mut [0; 64]).is_err(), "a stranger was answered");
}

#[test]
fn a_phone_whose_nat_gives_it_another_port_goes_on() {
    let room = Room::new(1);
    let (bridge, one, two) = room.call(1);
    room.engine.trust(bridge, SeatId(1), Ipv4Addr::new(127, 0, 0, 77).into());
    let [first, second] = [0; 2].map(|_| UdpSocket::bind("127.0.0.77:0").unwrap());
    for mark in 1..=5 {
        one.say_from(&first, mark);
        assert!(two.hears(mark), "learnt from where the signalling comes");
    }
    two.say(50);
    assert!(hears(&first, 50), "and answered there");
    for _ in 0..2 {
        one.say_from(&second, 98);
    }
    one.say_from(&second, 6);
    assert!(two.hears(6), "a row of three from the new port");
    let foreign = || room.engine.gauges().packets_foreign;
    eventually("the first two of them are counted, and not heard", || foreign() == 2);
    two.say(51);
    assert!(hears(&second, 51));
}

#[test]
fn a_phone_gets_its_leg_back_from_a_neighbour_who_spoke_first() {
    let room = Room::new(1);
    let (_, one, two) = room.call(1);
    let neighbour = UdpSocket::bind((one.socket.local_addr().unwrap().ip(), 0)).unwrap();
    for mark in 1..=3 {
        one.say_from(&neighbour, mark);
        assert!(two.hears(mark), "nobody else has spoken yet");
    }
    two.say(50);
    assert!(hears(&neighbour, 50), "and has the leg");
    for _ in 0..2 {
        one.say(98);
    }
    one.say(4);
    assert!(two.hears(4), "a row of three from the described address");
    two.say(51);
    assert!(one.hears(51), "which has it from now on");
    let before = room.engine.gauges().packets_foreign;
    one.say_from(&neighbour, 99);
    eventually("the neighbour is a stranger", || room.engine.gauges().packets_foreign > before);
}

fn hears(socket: &UdpSocket, mark: u8) -> bool {
    socket.set_read_timeout(Some(SOON)).unwrap();
    let mut buffer = [0; 2_048];
    while let Ok((len, _)) = socket.recv_from(&mut buffer) {
        if len == 172 && buffer[12..172] == [mark; 160] {
            return true;
        }
    }
    false
}

/// A receiver report that says BYE of nobody we know; 8 bytes are a whole one.
fn report(ssrc: u32) -> Vec<u8> {
    let mut out = vec![0x80, 201, 0, 1];
    out.extend_from_slice(&ssrc.to_be_bytes());
    out
}

#[test]
fn reports_come_on_their_own_port_or_with_rtcp_mux_on_the_one_port_and_never_on_both() {
    for mux in [false, true] {
        let room = Room::new(1);
        let bridge = BridgeId(1);
        room.engine.open(bridge, 1).unwrap();
        let rtcp = UdpSocket::bind("127.0.0.1:0").unwrap();
        let (peer, ports) = room.peer_with(bridge, SeatId(1), |described| {
            described.rtcp_mux = mux;
            described.rtcp = if mux { described.addr } else { rtcp.local_addr().unwrap() };
        });
        let other = room.seat(bridge, SeatId(2));
        room.engine.apply(bridge, two_way(1));
        room.wait_event(|e| matches!(e, BridgeEvent::PlanInForce(_)));
        known(&peer, &other);
        let foreign = || room.engine.gauges().packets_foreign;
        // Right, wrong, and from somebody else: (socket, port).
        let right = if mux { (&peer.socket, ports.0) } else { (&rtcp, ports.1) };
        let wrong = if mux { (&rtcp, ports.1) } else { (&peer.socket, ports.0) };
        let [stranger, _] = strangers();
        for (from, to, strange) in
            [(right.0, right.1, 0), (wrong.0, wrong.1, 1), (&stranger, right.1, 1)]
        {
            let (before, all) = (foreign(), room.engine.gauges().packets_in);
            from.send_to(&report(7), to).unwrap();
            eventually("it is read", || room.engine.gauges().packets_in > all);
            assert_eq!(foreign() - before, strange, "mux {mux}, to {to}");
        }
        // Ours come where theirs go, from the first report on (2.5 to 5 s after the start).
        let reports = if mux { &peer.socket } else { &rtcp };
        assert!(is_reported_to(reports), "mux {mux}");
    }
}

fn is_reported_to(socket: &UdpSocket) -> bool {
    socket.set_read_timeout(Some(SOON)).unwrap();
    let mut buffer = [0; 2_048];
    while let Ok((len, _)) = socket.recv_from(&mut buffer) {
        if len >= 8 && matches!(buffer[1], 200 | 201) {
            return true;
        }
    }
    false
}

#[test]
fn each_far_end_gets_a_pair_of_its_own_family() {
    let both = EngineConfig {
        also: Some(("::1".parse().unwrap(), 0..=0)),
        priority: false,
        ..EngineConfig::default()
    };
    let room = Room::of(both);
    let far: [IpAddr; 3] =
        ["192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1"].map(|ip| ip.parse().unwrap());
    let given = far.map(|ip| room.engine.reserve_for(ip, Rank::First).unwrap().rtp.is_ipv6());
    assert_eq!(given, [false, true, false]);
    drop(room);
    let room = Room::new(1);
    let refused = room.engine.reserve_for(far[1], Rank::First);
    assert!(matches!(refused, Err(PortsExhausted::Family)), "{refused:?}");
}

#[test]
fn a_call_between_the_families_is_carried() {
    let both = EngineConfig {
        also: Some(("::1".parse().unwrap(), 0..=0)),
        priority: false,
        ..EngineConfig::default()
    };
    let room = Room::of(both);
    let bridge = BridgeId(1);
    room.engine.open(bridge, 1).unwrap();
    let one = room.seat(bridge, SeatId(1));
    let two = Peer::at("[::1]:0");
    let two = room.seat_of(bridge, SeatId(2), two, media);
    room.engine.apply(bridge, two_way(1));
    room.wait_event(|e| matches!(e, BridgeEvent::PlanInForce(_)));
    assert!(SocketAddr::is_ipv6(&two.toward));
    for mark in 1..=20 {
        one.say(mark);
        assert!(two.hears(mark));
        two.say(mark + 100);
        assert!(one.hears(mark + 100));
    }
}
