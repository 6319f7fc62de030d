//! One bridge under any plans, packets and ticks in any order: it never panics, and what it sends
//! is RTP that keeps to one SSRC a leg and never uses a number twice.

use crate::bytes::Bytes;
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use undertone_core::id::{BridgeId, LegId, SeatId, TapId};
use undertone_core::plan::{
    Edge, EdgeRef, HearingPlan, Listener, Never, Opens, PlanVersion, Source,
};
use undertone_core::time::Mono;
use undertone_media::bridge::{Bridge, BridgeConfig, BridgeEvent, Lane, Leg, LegConfig, Out};
use undertone_media::rtp::{Header, Packet, seq_diff};
use undertone_sdp::{Capabilities, Codec, LocalAddr, Media, Session};

const SEATS: u32 = 4;
const OPERATIONS_MAX: usize = 600;

#[derive(Default)]
struct Watch {
    /// By leg: its SSRC and its highest number.
    lines: BTreeMap<LegId, (u32, u16)>,
}

impl Out for Watch {
    fn packet(&mut self, leg: LegId, lane: Lane, bytes: &[u8]) {
        if lane == Lane::Rtcp {
            return assert!(bytes.len() <= 1_500);
        }
        let Ok(packet) = Packet::parse(bytes) else { panic!("what we send is no RTP") };
        let line = self.lines.entry(leg).or_insert((packet.ssrc, packet.seq.wrapping_sub(1)));
        assert_eq!(line.0, packet.ssrc, "one SSRC a leg");
        assert_ne!(line.1, packet.seq, "a number twice in a row");
        if seq_diff(packet.seq, line.1) > 0 {
            line.1 = packet.seq;
        }
    }

    fn tap(&mut self, _: TapId, rate: u32, pcm: &[i16]) {
        assert_eq!(pcm.len(), rate as usize / 50);
    }

    fn event(&mut self, event: BridgeEvent) {
        assert_ne!(event, BridgeEvent::Panicked);
    }
}

pub fn bridge_ops(data: &[u8]) {
    let mut bytes = Bytes(data);
    let mut out = Watch::default();
    let mut bridge = Bridge::new(Mono(0), BridgeConfig { id: BridgeId(1), seed: 3 });
    let (mut now, mut version, mut next_leg) = (Mono(0), 0, 1);
    for _ in 0..OPERATIONS_MAX {
        if bytes.is_empty() {
            break;
        }
        let seat = SeatId(u32::from(bytes.byte()) % SEATS + 1);
        match bytes.byte() % 12 {
            0 => {
                let Some(media) = media(&mut bytes) else { continue };
                let config = LegConfig::new(LegId(next_leg), media, 9);
                bridge.attach(now, seat, Leg::new(now, config), &mut out);
                next_leg += 1;
            }
            1 => drop(bridge.detach(now, seat)),
            2 => {
                version += u64::from(bytes.byte() % 3);
                let plan = plan(version, &mut bytes);
                bridge.apply(now, plan.into(), &mut out);
            }
            3..=6 => {
                let packet = packet(&mut bytes);
                let leg = LegId(u64::from(bytes.byte()) % next_leg.max(1) + 1);
                let lane = if bytes.byte() < 16 { Lane::Rtcp } else { Lane::Rtp };
                bridge.handle_packet(now, leg, lane, &packet, &mut out);
            }
            7 => bridge.open_tap(TapId(1), bytes.one_of(&[8_000, 16_000, 48_000])),
            8 => drop(bridge.press(seat, bytes.byte() % 20, bytes.word())),
            9 => {
                if let (Some(media), Some(leg)) = (media(&mut bytes), bridge.leg_mut(seat)) {
                    leg.reconfigure(now, media);
                }
            }
            10 => bridge.prove(seat, bytes.flag()),
            _ => {
                for _ in 0..bytes.byte() % 60 {
                    now = now.plus_ms(20);
                    bridge.tick(now, &mut out);
                }
                now = now.plus_us(u64::from(bytes.word()));
            }
        }
        bridge.hears(seat);
        bridge.stats(seat);
    }
    bridge.close_tap(TapId(1));
}

/// What two of our sessions agree on, with the codecs that the bytes choose.
fn media(bytes: &mut Bytes<'_>) -> Option<Media> {
    let first = bytes.one_of(&[Codec::Pcmu, Codec::Pcma, Codec::G722, Codec::Opus]);
    let second = bytes.one_of(&[Codec::Pcmu, Codec::Pcma, Codec::G722, Codec::Opus]);
    let mut codecs = vec![first];
    if second != first {
        codecs.push(second);
    }
    let local = LocalAddr { ip: Ipv4Addr::LOCALHOST.into(), rtp_port: 4_000, rtcp_port: 4_001 };
    let caps = Capabilities {
        codecs,
        comfort_noise: bytes.flag(),
        ptime_ms: bytes.one_of(&[10, 20, 30, 40, 60]),
        ..Capabilities::default()
    };
    let (mut ours, mut theirs) =
        (Session::new(1, local, caps.clone()), Session::new(2, local, caps));
    let offer = theirs.offer(undertone_sdp::Direction::SendRecv);
    let mut media = ours.answer(&offer).ok()?.1;
    media.addr = SocketAddr::from((Ipv4Addr::LOCALHOST, 40_000));
    (media.sends, media.receives) = (!bytes.byte().is_multiple_of(8), bytes.byte() >= 32);
    Some(media)
}

fn plan(version: u64, bytes: &mut Bytes<'_>) -> HearingPlan {
    let mut edges = BTreeMap::new();
    for _ in 0..bytes.byte() % 10 {
        let source = match bytes.byte() % 8 {
            0 => Source::Tone(1),
            1 => Source::Music(1),
            n => Source::Seat(SeatId(u32::from(n) % SEATS + 1)),
        };
        let listener = match bytes.byte() % 6 {
            0 => Listener::Tap(TapId(1)),
            n => Listener::Seat(SeatId(u32::from(n) % SEATS + 1)),
        };
        let until = bytes.flag().then_some(EdgeRef { source: Source::Music(1), listener });
        let edge = Edge {
            source,
            listener,
            audio: bytes.byte() < 224,
            events: bytes.flag(),
            gain_cdb: i16::from(bytes.byte()) * -10,
            opens: bytes.one_of(&[Opens::AtOnce, Opens::AfterGuard]),
            until,
        };
        edges.insert((listener, source), edge);
    }
    let mut never = Never::new();
    for _ in 0..bytes.byte() % 4 {
        let listener = Listener::Seat(SeatId(u32::from(bytes.byte()) % SEATS + 1));
        let source = Source::Seat(SeatId(u32::from(bytes.byte()) % SEATS + 1));
        never.entry(listener).or_default().insert(source);
    }
    let edges = edges.into_values().collect();
    HearingPlan { version: PlanVersion(version), edges, never }
}

/// A packet that is RTP, mostly.
fn packet(bytes: &mut Bytes<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    if bytes.byte() < 32 {
        out.extend_from_slice(bytes.some(255));
        return out;
    }
    let pt = bytes.one_of(&[0, 8, 9, 96, 101, 102, 13, 127]);
    let (seq, ts) = (bytes.word(), bytes.long());
    let ssrc = u32::from(bytes.byte() % 3);
    Header { marker: bytes.flag(), pt, seq, ts, ssrc }.write(bytes.some(255), &mut out);
    out
}
