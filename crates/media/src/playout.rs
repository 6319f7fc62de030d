//! One source as steady PCM: jitter buffer, decoder, concealment and time-scaling joined. Asked for
//! a frame on each tick, it always gives one. Knows no listener and no plan.

use crate::codec::{CodecError, Decoder, FRAME_MS, MAX_PACKET_MS, samples};
use crate::conceal::Concealer;
use crate::jitter::{Advice, Inserted, JitterBuffer, JitterConfig, Pull};
use crate::{noise, stretch};
use std::collections::VecDeque;
use undertone_core::time::Mono;
use undertone_sdp::Codec;

/// Between two time-scalings that nobody needs at once.
const CALM_TICKS: u8 = 5;
/// What is made up may lean on what was said so long before.
const LEAN_MS: u32 = 60;
const SILENT: i64 = 5_369;

/// What a frame is made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FrameInfo {
    /// RTP timestamp of the oldest sample that went into the frame, or that the concealment or
    /// crossfade in it leans on; None: nothing of the source is in it (silence before its start).
    pub oldest_ts: Option<u32>,
    /// RTP timestamp just after the last sample of the frame.
    pub end_ts: Option<u32>,
    /// Samples of the frame that were made up.
    pub concealed: usize,
}

/// A stretch of decoded PCM and where it came from.
#[derive(Clone, Copy, Debug)]
struct Segment {
    len: usize,
    oldest: Option<u32>,
    end: Option<u32>,
    made_up: bool,
}

pub struct Playout {
    pub jitter: JitterBuffer,
    codecs: Vec<(u8, Codec)>,
    comfort_noise: Option<u8>,
    decoder: Decoder,
    concealer: Concealer,
    pcm: Vec<i16>,
    scratch: Vec<i16>,
    payload: Vec<u8>,
    segments: VecDeque<Segment>,
    /// Timestamp after the last packet decoded, and its length in samples.
    end_ts: Option<u32>,
    packet: usize,
    /// The source said that it is silent, at this level below overload.
    quiet: Option<u8>,
    noise: noise::ComfortNoise,
    since_scaling: u8,
}

impl Playout {
    pub fn new(codec: Codec) -> Result<Self, CodecError> {
        let rate = codec.sample_rate();
        let longest = rate as usize * (MAX_PACKET_MS + 3 * FRAME_MS) / 1000;
        Ok(Self {
            jitter: JitterBuffer::new(JitterConfig::new(codec.rtp_clock())),
            codecs: Vec::new(),
            comfort_noise: None,
            decoder: Decoder::new(codec)?,
            concealer: Concealer::new(rate),
            pcm: Vec::with_capacity(longest),
            scratch: Vec::with_capacity(longest),
            payload: Vec::with_capacity(256),
            segments: VecDeque::with_capacity(8),
            end_ts: None,
            packet: rate as usize * FRAME_MS / 1000,
            quiet: None,
            noise: noise::ComfortNoise::new(1),
            since_scaling: 0,
        })
    }

    /// Payload types and their codecs, should more than one be negotiated. A packet of a payload
    /// type that is not among them is treated as lost.
    pub fn set_codecs(&mut self, codecs: &[(u8, Codec)], comfort_noise: Option<u8>) {
        self.codecs.clear();
        self.codecs.extend_from_slice(codecs);
        self.comfort_noise = comfort_noise;
    }

    pub fn insert(&mut self, now: Mono, seq: u16, ts: u32, pt: u8, payload: &[u8]) -> Inserted {
        self.jitter.insert(now, seq, ts, pt, payload)
    }

    /// The rate of what `frame` gives: that of the packets now being played.
    pub fn rate(&self) -> u32 {
        self.decoder.rate()
    }

    pub fn codec(&self) -> Codec {
        self.decoder.codec()
    }

    /// Fills `out` (cleared first) with 20 ms at `rate()`.
    pub fn frame(&mut self, now: Mono, out: &mut Vec<i16>) -> FrameInfo {
        out.clear();
        self.fill(now);
        self.scale(now);
        self.fill(now);
        let n = self.frame_len();
        out.extend(self.pcm.drain(..n));
        self.info(n)
    }

    /// Decoder, concealment and what was decoded but not played start from nothing; the jitter
    /// buffer keeps its packets and its place.
    pub fn reset_audio(&mut self) {
        self.decoder.reset();
        self.concealer.reset();
        self.pcm.clear();
        self.segments.clear();
        self.end_ts = None;
        self.quiet = None;
        self.packet = self.frame_len();
        self.since_scaling = 0;
    }

    /// Takes what was decoded and not yet played: for a listener that goes back to being forwarded
    /// to, before it drains the jitter buffer.
    pub fn leftover(&mut self, out: &mut Vec<i16>) {
        out.clear();
        out.append(&mut self.pcm);
        self.segments.clear();
    }

    /// What was decoded and not played, for a listener that goes back to being forwarded to.
    pub fn take_rest(&mut self, out: &mut Vec<i16>) {
        out.append(&mut self.pcm);
        self.segments.clear();
    }

    fn frame_len(&self) -> usize {
        self.rate() as usize * FRAME_MS / 1000
    }

    fn ticks(&self, samples: usize) -> u32 {
        let clock = u64::from(self.codec().rtp_clock());
        (samples as u64 * clock / u64::from(self.rate())) as u32
    }

    fn fill(&mut self, now: Mono) {
        while self.pcm.len() < self.frame_len() {
            self.more(now);
        }
    }

    /// Appends one packet, or what stands for it.
    fn more(&mut self, now: Mono) {
        match self.jitter.pull(now) {
            Pull::Packet(held) => {
                let (ts, pt) = (held.ts, held.pt);
                self.payload.clear();
                self.payload.extend_from_slice(held.payload);
                self.packet(ts, pt);
            }
            Pull::Lost { ts, ticks, next } => {
                self.payload.clear();
                self.payload.extend(next.iter().flat_map(|held| held.payload));
                let codec = self.decoder.codec();
                let rate = u64::from(codec.sample_rate());
                let missing = u64::from(ticks) * rate / u64::from(codec.rtp_clock());
                // A pause is no loss: more than a packet's length is not made up at once.
                let missing = (missing as usize).min(rate as usize * MAX_PACKET_MS / 1000).max(1);
                self.lost(missing, true);
                self.end_ts = Some(ts.wrapping_add(ticks));
            }
            Pull::Wait => {
                let wanted = self.frame_len() - self.pcm.len();
                self.wait(wanted);
            }
        }
    }

    fn packet(&mut self, ts: u32, pt: u8) {
        if self.comfort_noise == Some(pt) {
            self.quiet = noise::level(&self.payload);
            self.end_ts = Some(ts);
            let wanted = self.frame_len();
            return self.wait(wanted);
        }
        let negotiated =
            self.codecs.iter().find(|(known, _)| *known == pt).map(|(_, codec)| *codec);
        let codec = negotiated.unwrap_or(self.codec());
        if !self.codecs.is_empty() && negotiated.is_none() || !self.switch(codec) {
            return self.lost(self.packet, false);
        }
        self.scratch.clear();
        if self.decoder.decode(&self.payload, &mut self.scratch).is_err() {
            return self.lost(self.packet, false);
        }
        let merged = self.concealing();
        if !self.conceals_itself() {
            self.concealer.good(&mut self.scratch);
        }
        self.quiet = None;
        self.packet = self.scratch.len();
        let end = ts.wrapping_add(self.ticks(self.scratch.len()));
        let oldest = if merged { self.leant_on().unwrap_or(ts) } else { ts };
        self.end_ts = Some(end);
        self.append(Segment {
            len: self.scratch.len(),
            oldest: Some(oldest),
            end: Some(end),
            made_up: false,
        });
    }

    /// False: the codec could not be had.
    fn switch(&mut self, codec: Codec) -> bool {
        if codec == self.codec() {
            return true;
        }
        let Ok(decoder) = Decoder::new(codec) else { return false };
        let rate = codec.sample_rate();
        if rate != self.rate() {
            // Less than a frame of the old rate is let go.
            self.concealer = Concealer::new(rate);
            self.pcm.clear();
            self.segments.clear();
        }
        self.decoder = decoder;
        true
    }

    fn lost(&mut self, missing: usize, fec: bool) {
        self.scratch.clear();
        let from_next = fec
            && !self.payload.is_empty()
            && samples(self.codec(), &self.payload).is_some()
            && self.decoder.decode_fec(&self.payload, missing, &mut self.scratch);
        if !from_next {
            self.make_up(missing);
        }
        let end = self.end_ts.map(|ts| ts.wrapping_add(self.ticks(missing)));
        self.append(Segment { len: missing, oldest: self.leant_on(), end, made_up: true });
        self.end_ts = end;
    }

    fn wait(&mut self, wanted: usize) {
        self.scratch.clear();
        match (self.quiet, self.end_ts) {
            (Some(dbov), _) => {
                self.scratch.resize(wanted, 0);
                self.noise.fill(dbov, &mut self.scratch);
            }
            (None, None) => self.scratch.resize(wanted, 0),
            (None, Some(_)) => self.make_up(wanted),
        }
        let oldest = if self.quiet.is_some() { self.end_ts } else { self.leant_on() };
        let made_up = self.end_ts.is_some();
        self.append(Segment { len: wanted, oldest, end: self.end_ts, made_up });
    }

    fn make_up(&mut self, wanted: usize) {
        self.scratch.clear();
        if self.conceals_itself() && self.decoder.lost(wanted, &mut self.scratch) {
            return;
        }
        self.scratch.clear();
        self.scratch.resize(wanted, 0);
        self.concealer.lost(&mut self.scratch);
    }

    fn conceals_itself(&self) -> bool {
        self.codec() == Codec::Opus
    }

    fn concealing(&self) -> bool {
        self.segments.back().is_some_and(|segment| segment.made_up)
    }

    fn leant_on(&self) -> Option<u32> {
        let lean = self.codec().rtp_clock() * LEAN_MS / 1000;
        self.end_ts.map(|ts| ts.wrapping_sub(lean))
    }

    fn append(&mut self, segment: Segment) {
        self.pcm.extend_from_slice(&self.scratch);
        self.segments.push_back(Segment { len: self.scratch.len(), ..segment });
    }

    /// Brings the delay toward its target, if it is time.
    fn scale(&mut self, now: Mono) {
        self.since_scaling = self.since_scaling.saturating_add(1);
        let advice = self.jitter.advice();
        let calm = self.since_scaling >= CALM_TICKS;
        let silent = is_silent(&self.pcm);
        let moved = match advice {
            Advice::Keep => return,
            Advice::Shrink { urgent, .. } if urgent || calm || silent => {
                if self.pcm.len() < self.rate() as usize * stretch::NEEDS_MS / 1000 {
                    self.fill(now);
                }
                -(stretch::shrink(&mut self.pcm, self.decoder.rate(), silent) as i64)
            }
            Advice::Grow { .. } if calm || silent => {
                stretch::grow(&mut self.pcm, self.decoder.rate(), silent) as i64
            }
            Advice::Shrink { .. } | Advice::Grow { .. } => return,
        };
        // Where no two places were alike, those of the next tick will hardly be.
        self.since_scaling = 0;
        if moved == 0 {
            return;
        }
        self.resegment(moved);
        self.jitter.moved(moved * 1_000_000 / i64::from(self.rate()));
    }

    /// The first 20 ms are now a blend; so much longer or shorter.
    fn resegment(&mut self, moved: i64) {
        let oldest = self.segments.front().and_then(|segment| segment.oldest);
        let mut blended = self.rate() as usize * stretch::NEEDS_MS / 1000;
        let mut owed = moved;
        for segment in &mut self.segments {
            if blended == 0 {
                break;
            }
            blended = blended.saturating_sub(segment.len);
            segment.oldest = oldest.or(segment.oldest);
            let len = segment.len as i64 + owed;
            owed = len.min(0);
            segment.len = len.max(0) as usize;
        }
        self.segments.retain(|segment| segment.len > 0);
    }

    fn info(&mut self, n: usize) -> FrameInfo {
        let mut info = FrameInfo::default();
        let mut left = n;
        while left > 0 {
            let Some(front) = self.segments.front_mut() else { break };
            let used = left.min(front.len);
            let rest = front.len - used;
            info.oldest_ts = info.oldest_ts.or(front.oldest);
            if front.made_up {
                info.concealed += used;
            }
            let clock = u64::from(self.decoder.codec().rtp_clock());
            let after = (rest as u64 * clock / u64::from(self.decoder.rate())) as u32;
            info.end_ts = front.end.map(|ts| ts.wrapping_sub(after)).or(info.end_ts);
            front.len = rest;
            left -= used;
            if rest == 0 {
                self.segments.pop_front();
            }
        }
        info
    }
}

fn is_silent(pcm: &[i16]) -> bool {
    let energy: i64 = pcm.iter().map(|s| i64::from(*s) * i64::from(*s)).sum();
    energy < SILENT * pcm.len() as i64
}
