//! One bridge in virtual time, fed by parties that are nothing but generated RTP. What it sends is
//! kept with its instant. No socket, no thread, no clock.

use crate::link::Link;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use undertone_core::id::{BridgeId, LegId, SeatId, TapId};
use undertone_core::plan::HearingPlan;
use undertone_core::time::Mono;
use undertone_media::bridge::{Bridge, BridgeConfig, BridgeEvent, Lane, Leg, LegConfig, Out};
use undertone_media::codec::Encoder;
use undertone_media::rtp::Header;
use undertone_sdp::{Codec, EventFormat, Media, OpusParams};

pub const TICK_US: u64 = 20_000;

/// What our side agreed with a far end that takes these codecs, the first of them best.
pub fn media(codecs: &[Codec]) -> Media {
    let number = |codec: &Codec| codec.static_payload().unwrap_or(111);
    let codecs: Vec<(u8, Codec)> = codecs.iter().map(|c| (number(c), *c)).collect();
    let addr = SocketAddr::from((Ipv4Addr::LOCALHOST, 40_000));
    let events = vec![EventFormat { pt: 101, clock: 8_000 }];
    Media {
        addr,
        rtcp: addr,
        rtcp_mux: false,
        sends: true,
        receives: true,
        arriving: codecs.clone(),
        codecs,
        events: events.clone(),
        events_arriving: events,
        comfort_noise: None,
        ptime_ms: 20,
        maxptime_ms: None,
        opus: OpusParams::default(),
    }
}

/// Packets of one sound, to be said in a loop.
#[derive(Clone, Debug)]
pub struct Voice {
    pub payloads: Arc<Vec<Vec<u8>>>,
}

impl Voice {
    /// `sound` fills 20 ms at the codec's rate.
    pub fn new(codec: Codec, packets: usize, mut sound: impl FnMut(&mut [i16])) -> Self {
        let mut encoder = Encoder::new(codec, &OpusParams::default()).expect("a codec of ours");
        let mut pcm = vec![0; codec.sample_rate() as usize / 50];
        let payloads = (0..packets)
            .map(|_| {
                sound(&mut pcm);
                let mut payload = Vec::new();
                encoder.encode(&pcm, &mut payload).expect("20 ms");
                payload
            })
            .collect();
        Self { payloads: Arc::new(payloads) }
    }
}

/// A packet under way; ordered by arrival, then by the order of sending.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct UnderWay {
    arrives: u64,
    sent: u64,
    bytes: Vec<u8>,
}

pub struct Party {
    pub seat: SeatId,
    pub leg: LegId,
    pub codec: Codec,
    pub link: Link,
    pub ssrc: u32,
    pub seq: u16,
    pub ts: u32,
    /// Sends nothing while false; its clock runs.
    pub talks: bool,
    pt: u8,
    voices: Vec<Voice>,
    /// From when on which voice.
    says: Vec<(u64, usize)>,
    next: u64,
    sent: u64,
    under_way: BinaryHeap<Reverse<UnderWay>>,
    seed: u64,
}

impl Party {
    pub fn new(seat: u32, codec: Codec, link: Link, voices: Vec<Voice>, seed: u64) -> Self {
        let mut dice = crate::link::Dice::new(seed ^ u64::from(seat) << 32);
        Self {
            seat: SeatId(seat),
            leg: LegId(u64::from(seat)),
            codec,
            link,
            ssrc: dice.roll() as u32,
            seq: dice.roll() as u16,
            ts: dice.roll() as u32,
            talks: true,
            pt: codec.static_payload().unwrap_or(111),
            voices,
            says: vec![(0, 0)],
            next: dice.below(TICK_US),
            sent: 0,
            under_way: BinaryHeap::new(),
            seed: dice.roll(),
        }
    }

    /// The voice of what is captured from then on.
    pub fn say(&mut self, from_us: u64, voice: usize) {
        self.says.retain(|(from, _)| *from < from_us);
        self.says.push((from_us, voice));
        let now = self.next;
        while self.says.len() > 1 && self.says[1].0 <= now {
            self.says.remove(0);
        }
    }

    /// Sends what is due up to `until`, in capture order.
    fn send(&mut self, until: u64) {
        while self.next <= until {
            let at = self.next;
            let spoken = self.says.iter().rev().find(|(from, _)| *from <= at);
            let voice = &self.voices[spoken.map_or(0, |(_, voice)| *voice)].payloads;
            let payload = &voice[(self.sent % voice.len() as u64) as usize];
            let arrives = self.link.send(at);
            if let (Some(arrives), true) = (arrives, self.talks) {
                let (pt, seq, ts, ssrc) = (self.pt, self.seq, self.ts, self.ssrc);
                let header = Header { marker: false, pt, seq, ts, ssrc };
                let mut bytes = Vec::with_capacity(12 + payload.len());
                header.write(payload, &mut bytes);
                self.under_way.push(Reverse(UnderWay { arrives, sent: self.sent, bytes }));
            }
            self.seq = self.seq.wrapping_add(u16::from(self.talks));
            self.ts = self.ts.wrapping_add(self.codec.rtp_clock() / 50);
            self.sent += 1;
            self.next += TICK_US;
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    pub at: Mono,
    pub leg: LegId,
    pub lane: Lane,
    pub bytes: Vec<u8>,
}

/// What the bridge gave out. Packets are kept of the legs that are watched.
#[derive(Debug, Default)]
pub struct Recorder {
    pub now: Mono,
    pub watched: Vec<LegId>,
    pub packets: Vec<Sent>,
    pub events: Vec<BridgeEvent>,
    pub taps: Vec<(TapId, Vec<i16>)>,
}

impl Out for Recorder {
    fn packet(&mut self, leg: LegId, lane: Lane, bytes: &[u8]) {
        if self.watched.contains(&leg) {
            self.packets.push(Sent { at: self.now, leg, lane, bytes: bytes.to_vec() });
        }
    }
    fn tap(&mut self, tap: TapId, _rate: u32, pcm: &[i16]) {
        self.taps.push((tap, pcm.to_vec()));
    }
    fn event(&mut self, event: BridgeEvent) {
        self.events.push(event);
    }
}

pub struct Sim {
    pub bridge: Bridge,
    pub parties: Vec<Party>,
    pub out: Recorder,
    now: u64,
    next_tick: u64,
    stalled_until: u64,
    missed: u32,
    seed: u64,
}

impl Sim {
    pub fn new(seed: u64) -> Self {
        let bridge = Bridge::new(Mono(0), BridgeConfig { id: BridgeId(1), seed });
        let out = Recorder::default();
        let (parties, now, next_tick) = (Vec::new(), 0, TICK_US);
        Self { bridge, parties, out, now, next_tick, stalled_until: 0, missed: 0, seed }
    }

    pub fn now_us(&self) -> u64 {
        self.now
    }

    /// Attaches the party; its far end takes `takes`.
    pub fn join(&mut self, mut party: Party, takes: &[Codec]) {
        while party.next < self.now {
            party.next += TICK_US;
        }
        let seed = self.seed ^ party.seed;
        let config = LegConfig { id: party.leg, media: media(takes), seed };
        let leg = Leg::new(Mono(self.now), config);
        self.out.now = Mono(self.now);
        self.bridge.attach(Mono(self.now), party.seat, leg, &mut self.out);
        self.parties.push(party);
    }

    pub fn leave(&mut self, seat: SeatId) -> Option<Party> {
        let at = self.parties.iter().position(|p| p.seat == seat)?;
        self.bridge.detach(Mono(self.now), seat);
        Some(self.parties.remove(at))
    }

    pub fn party(&mut self, seat: u32) -> Option<&mut Party> {
        self.parties.iter_mut().find(|p| p.seat == SeatId(seat))
    }

    pub fn apply(&mut self, plan: impl Into<Arc<HearingPlan>>) {
        self.out.now = Mono(self.now);
        self.bridge.apply(Mono(self.now), plan.into(), &mut self.out);
    }

    /// The media thread does nothing until then.
    pub fn stall(&mut self, until_us: u64) {
        self.stalled_until = until_us;
    }

    pub fn run_for_ms(&mut self, ms: u64) {
        self.run_until(self.now + ms * 1_000);
    }

    pub fn run_until(&mut self, end: u64) {
        while self.now < end {
            let step = self.next_tick.min(end);
            for party in &mut self.parties {
                party.send(step);
            }
            self.deliver(step);
            self.now = step;
            if step == self.next_tick {
                self.next_tick += TICK_US;
                self.missed += 1;
                if step >= self.stalled_until {
                    // Ticks that a stall left out come in a row, after what waited was read.
                    for _ in 0..std::mem::take(&mut self.missed) {
                        self.out.now = Mono(step);
                        self.bridge.tick(Mono(step), &mut self.out);
                    }
                }
            }
        }
    }

    /// Hands over what has arrived by then, in order of arrival; late, if the thread stood still.
    fn deliver(&mut self, by: u64) {
        if by < self.stalled_until {
            return;
        }
        loop {
            let first = |p: &Party| p.under_way.peek().map(|Reverse(u)| u.arrives);
            let parties = self.parties.iter().enumerate();
            let next = parties.filter_map(|(i, p)| Some((first(p)?, i))).min();
            let Some((arrives, at)) = next.filter(|(arrives, _)| *arrives <= by) else { return };
            let party = &mut self.parties[at];
            let Some(Reverse(came)) = party.under_way.pop() else { return };
            let now = Mono(arrives.max(self.stalled_until.min(by)));
            self.out.now = now;
            let out = &mut self.out;
            self.bridge.handle_packet(now, party.leg, Lane::Rtp, &came.bytes, out);
        }
    }
}
