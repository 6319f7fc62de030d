//! Mixing: on the tick, a sum of the row's own strands in 32 bits, saturated once; and the move
//! back to forwarding, which first sends what the jitter buffer still holds, encoded.

use crate::codec::{self, Encoder};
use crate::leg::rtp::Outgoing;
use crate::noise;
use crate::rtp::Packet;
use crate::sound::Player;
use undertone_core::id::SeatId;
use undertone_core::plan::Source;
use undertone_core::time::Mono;
use undertone_sdp::{Codec, Media};

use super::Out;
use super::forward::{Arrived, Kind, fitting};
use super::outlet::{Line, Outlet, SourceInfo, Sources, Way};
use crate::guard::Stamp;

/// A mix of one source goes back to forwarding after this.
const ALONE_US: u64 = 2_000_000;
/// No leg is silent on the wire for longer.
const SILENCE_US: u64 = 200_000;
const NOISE_DBOV: u8 = 70;

/// One tick, as an outlet needs it: when it is, and when it should have been.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tick {
    pub(crate) now: Mono,
    pub(crate) due: Mono,
}

impl Outlet {
    pub(crate) fn tick(
        &mut self,
        tick: Tick,
        line: &mut Line<'_>,
        players: &mut [Player],
        sources: &dyn Sources,
    ) {
        let returns = self.way == Way::Mix && self.returns(tick.now, line.media, sources);
        match self.way {
            Way::Forward(seat) => self.flush(tick.now, seat, line, sources, None),
            Way::Mix if returns => {
                self.back_to_forwarding(tick.now, line, sources);
            }
            Way::Mix => self.mixed(tick, line, players),
            Way::Idle if !self.tail.is_empty() => self.mixed(tick, line, players),
            Way::Idle => {}
        }
        self.fill_silence(tick.now, line);
    }

    fn mixed(&mut self, tick: Tick, line: &mut Line<'_>, players: &mut [Player]) {
        let codec = line.media.codecs.first().map_or(Codec::Pcmu, |(_, codec)| *codec);
        if !self.sum_up(tick, codec.sample_rate(), players) {
            return;
        }
        self.silence_forbidden(tick.now, line.out);
        self.send_pcm(tick.now, codec, line);
        self.filling = false;
    }

    /// Fills `pcm` with this tick's 20 ms. False: not yet, the source that goes on has not come.
    pub(crate) fn sum_up(&mut self, tick: Tick, rate: u32, players: &mut [Player]) -> bool {
        let n = rate as usize / 50;
        if !self.enter(tick, rate) {
            return false;
        }
        #[cfg(not(feature = "faults"))]
        self.sum.clear();
        self.sum.resize(n, 0);
        for (sum, tail) in self.sum.iter_mut().zip(self.tail.drain(..)) {
            *sum += tail;
        }
        self.within.clear();
        let entered = self.entry.take().map(|entry| entry.source);
        let mix = self.way == Way::Mix;
        for strand in self.strands.iter_mut().filter(|_| mix) {
            if !self.row.of(strand.source).is_some_and(|e| e.sounds()) {
                continue;
            }
            // The source that goes on was pulled when the mix was entered.
            if entered != Some(strand.source) {
                let player = players.iter_mut().find(|p| p.source == strand.source);
                strand.pull(tick.due, rate, player);
            }
            if strand.add(rate, &mut self.sum) {
                self.within.push(strand.source);
            }
        }
        self.pcm.clear();
        self.pcm.extend(self.sum.iter().map(|s| (*s).clamp(-32_768, 32_767) as i16));
        true
    }

    pub(crate) fn silence_forbidden(&mut self, now: Mono, out: &mut dyn Out) {
        let within = std::mem::take(&mut self.within);
        if !self.may_hear(now, within.iter().copied(), out) {
            self.pcm.fill(0);
        }
        self.within = within;
    }

    fn enter(&mut self, tick: Tick, rate: u32) -> bool {
        let Some(entry) = self.entry else { return true };
        let Some(strand) = self.strand(entry.source) else {
            self.entry = None;
            return true;
        };
        let begun = strand.pull(tick.due, rate, None);
        if !begun && tick.now < entry.until {
            return false;
        }
        if !begun {
            // It has paused: the others have waited long enough, and time has passed.
            self.follows = false;
        }
        true
    }

    /// 20 ms, or shorter pieces where the listener takes no more.
    fn send_pcm(&mut self, now: Mono, codec: Codec, line: &mut Line<'_>) {
        let Some(pt) = line.media.codecs.first().map(|(pt, _)| *pt) else { return };
        if self.encoder.as_ref().is_none_or(|e| e.codec() != codec) {
            self.encoder = Encoder::new(codec, &line.media.opus).ok();
        }
        let Some(encoder) = &mut self.encoder else { return };
        self.payload.clear();
        if encoder.encode(&self.pcm, &mut self.payload).is_err() {
            return;
        }
        let most = line.media.maxptime_ms.map_or(20, |ms| usize::from(ms.clamp(5, 20)));
        let pieces = if codec == Codec::Opus { 1 } else { 20usize.div_ceil(most) };
        let size = self.payload.len().div_ceil(pieces).max(1);
        for piece in self.payload.chunks(size) {
            let at = if self.follows { line.sender.next_ts() } else { line.sender.line(now) };
            let moved = at != line.sender.next_ts();
            let Some(ticks) = codec::rtp_ticks(codec, piece) else { continue };
            let seq = line.sender.next_seq();
            let packet = Outgoing { seq, ts: at, pt, marker: moved, payload: piece, ticks };
            Self::put(now, codec.rtp_clock(), line, packet);
            self.follows = true;
        }
    }

    /// One source for 2 s, at its own level, in packets that fit: nothing is left to mix.
    fn returns(&mut self, now: Mono, media: &Media, sources: &dyn Sources) -> bool {
        let long = self.alone_since.is_some_and(|at| now.since(at) >= ALONE_US);
        if !long || self.entry.is_some() || !self.tail.is_empty() {
            return false;
        }
        if self.unfit_at.is_some_and(|at| now.since(at) < ALONE_US) {
            return false;
        }
        let Some(Source::Seat(seat)) = self.row.alone() else { return false };
        let Some(info) = sources.get(seat) else { return false };
        let unfit = fitting(Kind::Audio(info.codec), 0, 1, media).is_none();
        let Some(strand) = self.strand(Source::Seat(seat)) else { return false };
        let ready = strand.is_steady_at_unity() && strand.epoch == info.clock.epoch();
        let Some(playout) = &strand.playout else { return false };
        ready && !unfit && !playout.jitter.is_empty() && strand.end_ts.is_some()
    }

    fn back_to_forwarding(&mut self, now: Mono, line: &mut Line<'_>, sources: &dyn Sources) {
        let Some(Source::Seat(seat)) = self.row.alone() else { return };
        let Some(strand) = self.strand(Source::Seat(seat)) else { return };
        let Some(end_ts) = strand.end_ts else { return };
        // Less than a packet may be decoded and not yet played (packets of 30 ms, time-scaling).
        let mut rest = Vec::new();
        if let Some(playout) = &mut strand.playout {
            playout.take_rest(&mut rest);
        }
        let clock = sources.get(seat).map_or(8_000, |info| info.codec.rtp_clock());
        let (played, codec) = (rest.len(), strand.playout.as_ref().map(|p| p.codec()));
        let rate = codec.map_or(8_000, Codec::sample_rate);
        let due = end_ts.wrapping_add((played as u64 * u64::from(clock) / u64::from(rate)) as u32);
        let ours = line.media.codecs.first().map(|(_, codec)| *codec);
        if played > 0 && ours == codec && codec != Some(Codec::Opus) {
            self.pcm.clear();
            self.pcm.extend_from_slice(&rest);
            if let Some(codec) = ours {
                self.send_pcm(now, codec, line);
            }
        }
        self.way = Way::Forward(seat);
        (self.alone_since, self.unfit_at) = (None, None);
        self.forwarding.leave();
        self.flush(now, seat, line, sources, Some(due));
    }

    /// Sends what the strand of a source that is forwarded still holds, and lets go of it.
    fn flush(
        &mut self,
        now: Mono,
        seat: SeatId,
        line: &mut Line<'_>,
        sources: &dyn Sources,
        due: Option<u32>,
    ) {
        let source = Source::Seat(seat);
        let Some(at) = self.strands.iter().position(|s| s.source == source) else { return };
        let mut strand = self.strands.swap_remove(at);
        let Some(info) = sources.get(seat) else { return };
        let Some(playout) = &mut strand.playout else { return };
        while let Some(held) = playout.jitter.drain() {
            let Some(stamp) = info.clock.place(held.seq, held.ts) else { continue };
            let Some((kind, clock)) = kind_of(held.pt, &info) else { continue };
            let ticks = match kind {
                Kind::Audio(codec) => codec::rtp_ticks(codec, held.payload).unwrap_or(0),
                Kind::ComfortNoise => 0,
            };
            let packet = Packet {
                marker: false,
                pt: held.pt,
                seq: held.seq,
                ts: held.ts,
                ssrc: 0,
                payload: held.payload,
            };
            let stamp = Stamp { epoch: strand.epoch, ..stamp };
            let arrived = Arrived { packet, kind, stamp, ticks, clock };
            self.forward(now, seat, &arrived, line, due);
        }
    }

    /// 200 ms without a packet bring comfort noise, if that was agreed, else silence.
    fn fill_silence(&mut self, now: Mono, line: &mut Line<'_>) {
        let quiet = match line.sender.last_at() {
            Some(last) => now.since(last) >= SILENCE_US,
            None => now.since(*self.since.get_or_insert(now)) >= SILENCE_US,
        };
        if !line.media.sends || !(quiet || self.filling) || self.way == Way::Mix {
            return;
        }
        let codec = line.media.codecs.first().map_or(Codec::Pcmu, |(_, codec)| *codec);
        if let Some(pt) = line.media.comfort_noise {
            if quiet {
                let (seq, ts) = (line.sender.next_seq(), line.sender.line(now));
                let payload = &noise::payload(NOISE_DBOV);
                let packet = Outgoing { seq, ts, pt, marker: false, payload, ticks: 0 };
                Self::put(now, codec.rtp_clock(), line, packet);
                self.forwarding.renumber();
            }
            return;
        }
        self.follows = std::mem::replace(&mut self.filling, true);
        self.pcm.clear();
        self.pcm.resize(codec.sample_rate() as usize / 50, 0);
        self.send_pcm(now, codec, line);
    }
}

pub(crate) fn kind_of(pt: u8, info: &SourceInfo<'_>) -> Option<(Kind, u32)> {
    if let Some(codec) = info.media.codec_of(pt) {
        return Some((Kind::Audio(codec), codec.rtp_clock()));
    }
    (info.media.comfort_noise == Some(pt)).then(|| (Kind::ComfortNoise, info.codec.rtp_clock()))
}
