//! Telephone events go where the plan's `events` say, on the listener's own line.

use crate::bridge_forward::{Desk, edge, plan};
use undertone_core::id::SeatId;
use undertone_core::plan::{Edge, Opens};
use undertone_media::bridge::BridgeEvent;
use undertone_media::events::EventPayload;
use undertone_media::rtp::Packet;
use undertone_sdp::Codec::{Opus, Pcmu};
use undertone_sdp::EventFormat;
use undertone_testkit::sim::media;

fn press(desk: &mut Desk, seat: u32, seq: u16, ts: u32) {
    for n in 0..5u16 {
        let end = n >= 2;
        let duration = 160 * (n.min(2) + 1);
        let payload = EventPayload { event: 5, end, volume: 10, duration }.bytes();
        desk.rtp(seat, seq + n, ts, 101, &payload);
    }
}

fn talk(desk: &mut Desk, seat: u32, seqs: std::ops::Range<u16>, skew: u16) {
    for seq in seqs {
        desk.rtp(seat, seq, u32::from(seq - skew) * 160, 0, &[0x22; 160]);
        desk.tick();
    }
}

fn three() -> Desk {
    let mut own = media(&[Pcmu]);
    own.events = vec![EventFormat { pt: 96, clock: 8_000 }];
    Desk::new(&[(1, own), (2, media(&[Pcmu])), (3, media(&[Pcmu]))])
}

#[test]
fn a_routed_event_has_the_listeners_payload_type_and_one_timestamp() {
    let mut desk = three();
    desk.apply(plan(1, &[Edge { events: true, ..edge(2, 1) }]));
    talk(&mut desk, 2, 0..10, 0);
    let before = desk.taken(1);
    let last = Packet::parse(before.last().unwrap()).unwrap();
    let (seq, ts) = (last.seq, last.ts);
    press(&mut desk, 2, 10, 1_600);
    let sent = desk.taken(1);
    assert_eq!(sent.len(), 5);
    for (n, bytes) in sent.iter().enumerate() {
        let packet = Packet::parse(bytes).unwrap();
        assert_eq!(packet.pt, 96);
        assert_eq!(packet.ts, ts.wrapping_add(160));
        assert_eq!(packet.seq, seq.wrapping_add(1 + n as u16));
        assert_eq!(packet.marker, n == 0);
    }
    let told = |started| BridgeEvent::Digit { seat: SeatId(2), event: 5, started };
    assert!(desk.out.events.contains(&told(true)) && desk.out.events.contains(&told(false)));
}

#[test]
fn an_event_that_no_edge_carries_reaches_nobody_and_leaves_no_hole() {
    let mut desk = three();
    desk.apply(plan(1, &[edge(2, 1), edge(2, 3)]));
    talk(&mut desk, 2, 0..10, 0);
    press(&mut desk, 2, 10, 1_600);
    talk(&mut desk, 2, 15..25, 2);
    let sent = desk.taken(1);
    let numbers: Vec<u16> = sent.iter().map(|b| Packet::parse(b).unwrap().seq).collect();
    assert_eq!(numbers.len(), 20);
    assert!(numbers.windows(2).all(|w| w[1] == w[0].wrapping_add(1)), "{numbers:?}");
    assert!(sent.iter().all(|b| Packet::parse(b).unwrap().pt == 0));
    let told = BridgeEvent::Digit { seat: SeatId(2), event: 5, started: true };
    assert!(desk.out.events.contains(&told));
}

#[test]
fn an_event_that_began_before_the_guard_let_its_source_through_is_dropped() {
    let mut desk = three();
    desk.apply(plan(1, &[]));
    talk(&mut desk, 2, 0..50, 0);
    let guarded = Edge { events: true, opens: Opens::AfterGuard, ..edge(2, 1) };
    desk.apply(plan(2, &[guarded]));
    desk.taken(1);
    press(&mut desk, 2, 50, 50 * 160);
    talk(&mut desk, 2, 55..90, 5);
    press(&mut desk, 2, 90, 85 * 160);
    let events: Vec<Vec<u8>> = desk.taken(1).into_iter().filter(|b| b[1] & 0x7f == 96).collect();
    assert_eq!(events.len(), 5, "only the second");
}

#[test]
fn a_digit_of_our_own_goes_out_on_the_legs_line() {
    let mut desk = three();
    assert!(desk.bridge.press(SeatId(1), 4, 100));
    for _ in 0..12 {
        desk.tick();
    }
    let sent = desk.taken(1);
    let events: Vec<_> = sent
        .iter()
        .filter_map(|b| {
            let packet = Packet::parse(b).unwrap();
            (packet.pt == 96).then(|| EventPayload::parse(packet.payload).unwrap())
        })
        .collect();
    assert!(events.iter().all(|e| e.event == 4));
    assert_eq!(events.iter().filter(|e| e.end).count(), 3);
}

const WIDE: EventFormat = EventFormat { pt: 102, clock: 48_000 };
const NARROW: EventFormat = EventFormat { pt: 101, clock: 8_000 };

/// What went out as events: payload type, timestamp, and the payload itself.
fn events_in(sent: &[Vec<u8>], pt: u8) -> Vec<(u32, EventPayload)> {
    let parsed = sent.iter().map(|b| Packet::parse(b).unwrap()).filter(|p| p.pt == pt);
    parsed.map(|p| (p.ts, EventPayload::parse(p.payload).unwrap())).collect()
}

/// A phone of G.711 with events at 8000 and one of Opus with events at 48000.
fn narrow_and_wide() -> Desk {
    let mut wide = media(&[Opus]);
    (wide.events, wide.events_arriving) = (vec![WIDE], vec![WIDE]);
    let mut desk = Desk::new(&[(1, wide), (2, media(&[Pcmu]))]);
    let both = [edge(2, 1), edge(1, 2)].map(|edge| Edge { events: true, ..edge });
    desk.apply(plan(1, &both));
    desk
}

#[test]
fn a_digit_from_8000_reaches_48000_at_its_clock_and_with_its_length() {
    let mut desk = narrow_and_wide();
    talk(&mut desk, 2, 0..20, 0);
    desk.taken(1);
    press(&mut desk, 2, 20, 3_200);
    let events = events_in(&desk.taken(1), WIDE.pt);
    let durations: Vec<u16> = events.iter().map(|(_, e)| e.duration).collect();
    assert_eq!(durations, [960, 1_920, 2_880, 2_880, 2_880]);
    assert!(events.iter().all(|(ts, e)| *ts == events[0].0 && e.event == 5));
}

#[test]
fn a_digit_from_48000_reaches_8000_at_its_clock_and_with_its_length() {
    let mut desk = narrow_and_wide();
    for n in 0..5u16 {
        let duration = 960 * (n.min(2) + 1);
        let payload = EventPayload { event: 9, end: n >= 2, volume: 10, duration }.bytes();
        desk.rtp(1, n, 48_000, WIDE.pt, &payload);
    }
    let events = events_in(&desk.taken(2), NARROW.pt);
    let durations: Vec<u16> = events.iter().map(|(_, e)| e.duration).collect();
    assert_eq!(durations, [160, 320, 480, 480, 480]);
    assert!(events.iter().all(|(ts, e)| *ts == events[0].0 && e.event == 9));
}

#[test]
fn events_follow_the_clock_of_the_audio_that_the_listener_is_sent() {
    let mut both = media(&[Opus, Pcmu]);
    (both.events, both.events_arriving) = (vec![WIDE, NARROW], vec![WIDE, NARROW]);
    let mut desk = Desk::new(&[(1, both), (2, media(&[Pcmu]))]);
    desk.apply(plan(1, &[Edge { events: true, ..edge(2, 1) }, edge(1, 2)]));
    // Its best codec is Opus, and what goes to it is G.711, untouched.
    talk(&mut desk, 2, 0..10, 0);
    assert!(desk.taken(1).iter().all(|b| b[1] & 0x7f == 0));
    press(&mut desk, 2, 10, 1_600);
    let sent = desk.taken(1);
    assert_eq!(events_in(&sent, NARROW.pt).len(), 5);
    assert_eq!(events_in(&sent, WIDE.pt), []);
    // So does a digit of our own.
    assert!(desk.bridge.press(SeatId(1), 4, 100));
    desk.tick();
    let own = events_in(&desk.taken(1), NARROW.pt);
    assert_eq!((own.len(), own[0].1.duration), (1, 160));
    // And whichever of its two numbers it uses itself, it is heard.
    for (seq, format) in [(1u16, WIDE), (2, NARROW)] {
        let payload = EventPayload { event: 7, end: true, volume: 10, duration: 800 }.bytes();
        desk.rtp(1, seq, u32::from(seq) * 10_000, format.pt, &payload);
    }
    let told = BridgeEvent::Digit { seat: SeatId(1), event: 7, started: true };
    assert_eq!(desk.out.events.iter().filter(|e| **e == told).count(), 2);
}

#[test]
fn a_side_without_telephone_event_gets_none_and_no_hole_where_they_were() {
    let mut without = media(&[Pcmu]);
    (without.events, without.events_arriving) = (Vec::new(), Vec::new());
    let mut desk = Desk::new(&[(1, without), (2, media(&[Pcmu]))]);
    desk.apply(plan(1, &[Edge { events: true, ..edge(2, 1) }]));
    talk(&mut desk, 2, 0..10, 0);
    press(&mut desk, 2, 10, 1_600);
    talk(&mut desk, 2, 15..25, 2);
    let sent = desk.taken(1);
    let numbers: Vec<u16> = sent.iter().map(|b| Packet::parse(b).unwrap().seq).collect();
    assert_eq!(numbers.len(), 20);
    assert!(numbers.windows(2).all(|w| w[1] == w[0].wrapping_add(1)), "{numbers:?}");
    assert!(!desk.bridge.press(SeatId(1), 4, 100), "nor can we press a key there");
    let told = BridgeEvent::Digit { seat: SeatId(2), event: 5, started: true };
    assert!(desk.out.events.contains(&told), "whoever waits for codes still hears of it");
}
