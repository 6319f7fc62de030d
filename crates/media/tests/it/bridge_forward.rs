//! What a forwarded packet looks like, byte by byte, and what is never forwarded.

use undertone_core::id::{LegId, SeatId};
use undertone_core::plan::{Edge, EdgeRef, HearingPlan, Listener, Opens, PlanVersion, Source};
use undertone_core::time::Mono;
use undertone_media::bridge::{Bridge, BridgeConfig, BridgeEvent, Lane, Leg, LegConfig};
use undertone_media::rtp::{Header, Packet};
use undertone_sdp::Codec::{self, Opus, Pcma, Pcmu};
use undertone_sdp::Media;
use undertone_testkit::sim::{Recorder, media};

pub(crate) fn edge(source: u32, listener: u32) -> Edge {
    Edge {
        source: Source::Seat(SeatId(source)),
        listener: Listener::Seat(SeatId(listener)),
        audio: true,
        events: false,
        gain_cdb: 0,
        opens: Opens::AtOnce,
        until: None,
    }
}

pub(crate) fn plan(version: u64, edges: &[Edge]) -> HearingPlan {
    let mut edges = edges.to_vec();
    edges.sort_by_key(|e| (e.listener, e.source));
    HearingPlan { version: PlanVersion(version), edges, ..HearingPlan::default() }
}

pub(crate) struct Desk {
    pub(crate) bridge: Bridge,
    pub(crate) out: Recorder,
    pub(crate) now: u64,
}

impl Desk {
    pub(crate) fn new(legs: &[(u32, Media)]) -> Self {
        let config = BridgeConfig { id: undertone_core::id::BridgeId(1), seed: 1 };
        let mut bridge = Bridge::new(Mono(0), config);
        let mut out = Recorder::default();
        for (seat, media) in legs {
            let id = LegId(u64::from(*seat));
            out.watched.push(id);
            let config = LegConfig { id, media: media.clone(), seed: 77 };
            bridge.attach(Mono(0), SeatId(*seat), Leg::new(Mono(0), config), &mut out);
        }
        Self { bridge, out, now: 0 }
    }
    pub(crate) fn apply(&mut self, plan: HearingPlan) {
        self.bridge.apply(Mono(self.now), plan.into(), &mut self.out);
    }
    pub(crate) fn packet(&mut self, seat: u32, bytes: &[u8]) {
        let leg = LegId(u64::from(seat));
        self.out.now = Mono(self.now);
        self.bridge.handle_packet(Mono(self.now), leg, Lane::Rtp, bytes, &mut self.out);
    }
    pub(crate) fn rtp(&mut self, seat: u32, seq: u16, ts: u32, pt: u8, payload: &[u8]) {
        let mut bytes = Vec::new();
        Header { marker: false, pt, seq, ts, ssrc: seat }.write(payload, &mut bytes);
        self.packet(seat, &bytes);
    }
    pub(crate) fn tick(&mut self) {
        self.now += 20_000;
        self.out.now = Mono(self.now);
        self.bridge.tick(Mono(self.now), &mut self.out);
    }
    /// RTP sent to the seat since the last call.
    pub(crate) fn taken(&mut self, seat: u32) -> Vec<Vec<u8>> {
        let mine = LegId(u64::from(seat));
        let packets = std::mem::take(&mut self.out.packets);
        packets
            .into_iter()
            .filter(|p| p.leg == mine && p.lane == Lane::Rtp)
            .map(|p| p.bytes)
            .collect()
    }
}

fn pair(a: &[Codec], b: &[Codec]) -> Desk {
    let mut desk = Desk::new(&[(1, media(a)), (2, media(b))]);
    desk.apply(plan(1, &[edge(2, 1), edge(1, 2)]));
    desk
}

#[test]
fn a_payload_goes_on_untouched_without_extension_csrc_or_padding() {
    let mut desk = pair(&[Pcmu], &[Pcmu]);
    let payload: Vec<u8> = (0..160).map(|i| i as u8).collect();
    // Version 2, padding, extension, two CSRCs, marker, payload type 0.
    let mut bytes = vec![0xb2, 0x80, 0, 7, 0, 0, 3, 0xe8, 0, 0, 0, 9];
    bytes.extend([1, 1, 1, 1, 2, 2, 2, 2]);
    bytes.extend([0xbe, 0xde, 0, 1, 0x10, 0xaa, 0, 0]);
    bytes.extend(&payload);
    bytes.extend([0, 0, 0, 4]);
    desk.packet(2, &bytes);
    let sent = desk.taken(1);
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].len(), 172);
    assert_eq!((sent[0][0], sent[0][1]), (0x80, 0x80), "no extras; marker kept");
    assert_eq!(sent[0][12..], payload);
    let ssrc = Packet::parse(&sent[0]).unwrap().ssrc;
    assert_ne!(ssrc, 9, "the leg's own");
}

#[test]
fn loss_and_order_of_the_source_stay_visible() {
    let mut desk = pair(&[Pcmu], &[Pcmu]);
    for seq in [65_533u16, 65_534, 0, 65_535, 3] {
        let n = u32::from(seq.wrapping_sub(65_533));
        desk.rtp(2, seq, n * 160, 0, &[n as u8; 160]);
    }
    // Twice the same number, with other words in it: only the first goes on.
    desk.rtp(2, 3, 6 * 160, 0, &[0x55; 160]);
    let sent = desk.taken(1);
    let parsed: Vec<Packet<'_>> = sent.iter().map(|b| Packet::parse(b).unwrap()).collect();
    let from =
        |p: &Packet<'_>| (p.seq.wrapping_sub(parsed[0].seq), p.ts.wrapping_sub(parsed[0].ts));
    let got: Vec<_> = parsed.iter().map(from).collect();
    assert_eq!(got, [(0, 0), (1, 160), (3, 480), (2, 320), (6, 960)]);
    assert!(parsed.iter().all(|p| p.payload[0] != 0x55));
}

#[test]
fn a_payload_type_is_the_listeners_own() {
    let mut theirs = media(&[Opus]);
    theirs.codecs = vec![(96, Opus)];
    let mut desk = Desk::new(&[(1, theirs), (2, media(&[Opus]))]);
    desk.apply(plan(1, &[edge(2, 1)]));
    desk.rtp(2, 1, 0, 111, &[0xf8, 1, 2, 3]);
    let sent = desk.taken(1);
    assert_eq!(sent[0][1] & 0x7f, 96);
    assert_eq!(sent[0][12..], [0xf8, 1, 2, 3]);
}

#[test]
fn a_packet_longer_than_the_listener_takes_is_mixed() {
    let mut short = media(&[Pcmu]);
    short.maxptime_ms = Some(20);
    let mut desk = Desk::new(&[(1, short), (2, media(&[Pcmu]))]);
    desk.apply(plan(1, &[edge(2, 1)]));
    for n in 0..50u32 {
        desk.rtp(2, n as u16, n * 480, 0, &[0x33; 480]);
        for _ in 0..if n % 2 == 0 { 1 } else { 2 } {
            desk.tick();
        }
    }
    let sent = desk.taken(1);
    assert!(sent.len() > 60, "{}", sent.len());
    assert!(sent.iter().all(|b| b.len() == 172));
}

#[test]
fn what_nobody_negotiated_goes_nowhere() {
    let mut desk = pair(&[Pcmu], &[Pcmu, Pcma]);
    desk.rtp(2, 1, 0, 77, &[1; 160]);
    desk.packet(2, &[1, 2, 3]);
    desk.packet(2, &[]);
    assert!(desk.taken(1).is_empty());
    assert_eq!(desk.bridge.stats(SeatId(2)).unwrap().unusable, 3);
}

#[test]
fn a_source_that_must_never_be_heard_is_silent_though_the_plan_names_it() {
    let mut desk = Desk::new(&[(1, media(&[Pcmu])), (2, media(&[Pcmu])), (3, media(&[Pcmu]))]);
    for both in [false, true] {
        let mut wrong = plan(if both { 2 } else { 1 }, &[edge(2, 1)]);
        if both {
            wrong = plan(2, &[edge(2, 1), edge(3, 1)]);
        }
        wrong.never.entry(Listener::Seat(SeatId(1))).or_default().insert(Source::Seat(SeatId(2)));
        desk.apply(wrong);
        for n in 0..20u32 {
            let seq = n as u16 + if both { 20 } else { 0 };
            for seat in [2, 3] {
                desk.rtp(seat, seq, u32::from(seq) * 160, 0, &[0x22; 160]);
            }
            desk.tick();
        }
        let sent = desk.taken(1);
        assert!(!sent.is_empty(), "silence, not nothing");
        assert!(sent.iter().all(|b| b[12..].iter().all(|s| *s == 0xff)), "mixed: {both}");
    }
    let alarm = BridgeEvent::PrivacyAlarm {
        listener: Listener::Seat(SeatId(1)),
        source: Source::Seat(SeatId(2)),
    };
    assert!(desk.out.events.contains(&alarm));
    assert!(desk.bridge.stats(SeatId(1)).unwrap().alarms >= 20);
}

#[test]
fn an_edge_until_another_opens_closes_in_that_very_tick() {
    let mut desk = Desk::new(&[(1, media(&[Pcmu])), (2, media(&[Pcmu])), (3, media(&[Pcmu]))]);
    desk.apply(plan(1, &[edge(2, 1)]));
    let run = |desk: &mut Desk, from: u32, to: u32| {
        let mut heard = Vec::new();
        for n in from..to {
            desk.rtp(2, n as u16, n * 160, 0, &[0x22; 160]);
            desk.rtp(3, n as u16, n * 160, 0, &[0x33; 160]);
            desk.tick();
            heard.extend(desk.taken(1).into_iter().map(|b| b[12]));
        }
        heard
    };
    assert!(run(&mut desk, 0, 50).iter().all(|b| *b == 0x22));
    let guarded = Edge { opens: Opens::AfterGuard, ..edge(3, 1) };
    let until: Option<EdgeRef> = Some(guarded.name());
    desk.apply(plan(2, &[Edge { until, ..edge(2, 1) }, guarded]));
    let heard = run(&mut desk, 50, 100);
    let first = heard.iter().position(|b| *b == 0x33).unwrap();
    assert!(heard[..first].iter().all(|b| *b == 0x22));
    assert!(heard[first..].iter().all(|b| *b == 0x33));
    assert!((12..=15).contains(&first), "opened after {first} packets");
    let passed = BridgeEvent::GuardPassed { edge: guarded.name(), version: PlanVersion(2) };
    assert_eq!(desk.out.events.iter().filter(|e| **e == passed).count(), 1);
}

#[test]
fn no_leg_is_silent_on_the_wire() {
    let mut quiet = media(&[Pcma]);
    quiet.comfort_noise = Some(13);
    let mut desk = Desk::new(&[(1, media(&[Pcmu])), (2, quiet)]);
    for _ in 0..50 {
        desk.tick();
    }
    let noise = |p: &&undertone_testkit::sim::Sent| p.leg == LegId(2) && p.bytes.len() == 13;
    assert_eq!(desk.out.packets.iter().filter(noise).count(), 4);
    let silence = desk.taken(1);
    assert!(silence.len() >= 40, "{}", silence.len());
    assert!(silence.iter().all(|b| b[12..].iter().all(|s| *s == 0xff)));
}

/// A figure, not a judgement: the machine may be busy.
#[test]
fn what_a_plain_call_costs_is_printed() {
    let mut desk = pair(&[Pcmu], &[Pcmu]);
    desk.out.watched.clear();
    let mut bytes = Vec::new();
    let (mut spent, mut ticks) = (0u128, 0u128);
    for n in 0..20_000u32 {
        for seat in [1, 2] {
            let header = Header { marker: false, pt: 0, seq: n as u16, ts: n * 160, ssrc: seat };
            header.write(&[0x22; 160], &mut bytes);
            let began = std::time::Instant::now();
            desk.packet(seat, &bytes);
            spent += began.elapsed().as_nanos();
        }
        let began = std::time::Instant::now();
        desk.tick();
        ticks += began.elapsed().as_nanos();
    }
    println!("forwarded: {} ns a packet; {} ns a tick of two legs", spent / 40_000, ticks / 20_000);
}

#[test]
fn a_tap_has_a_row_of_its_own_and_hears_each_tick() {
    use undertone_core::id::TapId;
    let mut desk = Desk::new(&[(1, media(&[Pcmu])), (2, media(&[Pcmu]))]);
    desk.bridge.open_tap(TapId(5), 16_000);
    let tap = Listener::Tap(TapId(5));
    desk.apply(plan(1, &[edge(2, 1), Edge { listener: tap, ..edge(2, 1) }]));
    for n in 0..20u32 {
        desk.rtp(2, n as u16, n * 160, 0, &[0x22; 160]);
        desk.rtp(1, n as u16, n * 160, 0, &[0x33; 160]);
        desk.tick();
    }
    assert_eq!(desk.out.taps.len(), 20);
    assert!(desk.out.taps.iter().all(|(_, pcm)| pcm.len() == 320));
    let level = undertone_media::meter::level_dbfs(&desk.out.taps[19].1);
    let own = undertone_media::codec::g711::ULAW_TO_LINEAR[0x22];
    let wanted = undertone_media::meter::level_dbfs(&[own; 320]);
    assert!((level - wanted).abs() < 0.5, "{level}, not {wanted}");
}

#[test]
fn music_is_mixed_and_a_prompt_ends_with_an_event() {
    use undertone_media::tones::{Clip, coaching_beep, hold_music};
    let mut desk = Desk::new(&[(1, media(&[Pcmu]))]);
    desk.bridge.set_source(Source::Music(0), Box::new(Clip::looped(8_000, hold_music(8_000))));
    desk.bridge.set_source(Source::Tone(1), Box::new(Clip::once(8_000, coaching_beep(8_000))));
    let sound = |source| Edge { source, ..edge(9, 1) };
    desk.apply(plan(1, &[sound(Source::Music(0)), sound(Source::Tone(1))]));
    for _ in 0..50 {
        desk.tick();
    }
    assert_eq!(desk.taken(1).len(), 50);
    let ended = |e: &&BridgeEvent| **e == BridgeEvent::SourceEnded(Source::Tone(1));
    assert_eq!(desk.out.events.iter().filter(ended).count(), 1);
    let heard = desk.bridge.hears(SeatId(1));
    assert!(heard.iter().any(|(s, level)| *s == Source::Music(0) && *level > -40.0), "{heard:?}");
}

#[test]
fn audio_is_proven_by_three_packets_out_and_one_in() {
    let mut desk = pair(&[Pcmu], &[Pcmu]);
    desk.bridge.prove(SeatId(1), true);
    for n in 0..10u32 {
        desk.rtp(2, n as u16, n * 160, 0, &[0x22; 160]);
        desk.tick();
    }
    let proven = BridgeEvent::AudioProven { seat: SeatId(1), incoming: true };
    assert!(!desk.out.events.contains(&proven), "nothing came in");
    desk.rtp(1, 0, 0, 0, &[0x22; 160]);
    desk.tick();
    assert!(desk.out.events.contains(&proven));
}

#[test]
fn a_network_that_held_back_600_ms_makes_the_delay_at_most_100_ms_longer() {
    let mut desk = pair(&[Pcmu], &[Pcmu]);
    let mut line = Vec::new();
    for n in 0..150u32 {
        let held = (50..80).contains(&n);
        let from = if n == 80 { 50 } else { n };
        for packet in (from..=n).filter(|_| !held) {
            desk.rtp(2, packet as u16, packet * 160, 0, &[0x22; 160]);
        }
        desk.tick();
        let last = desk.taken(1).pop().map(|b| Packet::parse(&b).unwrap().ts);
        line.extend(last.map(|ts| (n, ts)));
    }
    let (first, last) = (line[0], line[line.len() - 1]);
    let ahead = i64::from(last.1.wrapping_sub(first.1)) / 8 - i64::from(last.0 - first.0) * 20;
    assert!((0..=120).contains(&ahead), "{ahead} ms");
}
