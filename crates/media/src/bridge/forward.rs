//! Forwarding: a payload goes on untouched, under a header of the listener's own line. Keeps the
//! source's sequence differences, so that the far end sees what was lost on the way to us.

use crate::guard::Stamp;
use crate::leg::rtp::Outgoing;
use crate::rtp::{Packet, ts_diff};
use undertone_core::id::SeatId;
use undertone_core::plan::Source;
use undertone_core::time::Mono;
use undertone_sdp::{Codec, Media};

use super::outlet::{Line, Outlet, SourceInfo, Way};

/// A gap longer than this is a restart, and not shown as loss.
const MAX_GAP: u64 = 100;
/// How long a backlog is looked for after silence was sent, and how much of it is kept.
const BACKLOG_US: u64 = 2_000_000;
const MOST_AHEAD_US: i64 = 100_000;
/// Opus repeats the frame before a packet, for FEC.
const OPUS_LEAN_US: i64 = 20_000;

/// What a packet carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Audio(Codec),
    ComfortNoise,
}

/// An audio packet that came from a source, read once for all listeners.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrived<'a> {
    pub(crate) packet: Packet<'a>,
    pub(crate) kind: Kind,
    pub(crate) stamp: Stamp,
    /// Length on the source's timestamp line.
    pub(crate) ticks: u32,
    pub(crate) clock: u32,
}

impl Arrived<'_> {
    pub(crate) fn lean_us(&self) -> i64 {
        if self.kind == Kind::Audio(Codec::Opus) { OPUS_LEAN_US } else { 0 }
    }
}

#[derive(Clone, Copy, Debug)]
struct Base {
    epoch: u32,
    first: i64,
    seq_off: i64,
    ts_off: u32,
}

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Forwarding {
    base: Option<Base>,
    /// Epoch and highest sequence number of the source forwarded, or not to be forwarded.
    pub(crate) last: Option<(u32, i64)>,
}

impl Forwarding {
    pub(crate) fn leave(&mut self) {
        *self = Self::default();
    }

    /// Other packets took numbers: what comes next is numbered anew, after them.
    pub(crate) fn renumber(&mut self) {
        self.base = None;
    }

    /// A packet of the source is not for this listener: no hole is left where it was.
    pub(crate) fn swallow(&mut self, stamp: &Stamp) {
        let newer = self.last.is_some_and(|(epoch, seq)| epoch == stamp.epoch && stamp.seq > seq);
        if let Some(base) = self.base.as_mut().filter(|_| newer) {
            base.seq_off -= 1;
            self.last = Some((stamp.epoch, stamp.seq));
        }
    }

    /// A packet that is not the source's own takes a number in between.
    pub(crate) fn make_room(&mut self) {
        if let Some(base) = &mut self.base {
            base.seq_off += 1;
        }
    }

    /// Number and timestamp on the listener's line for a packet of the source.
    pub(crate) fn place(
        &mut self,
        now: Mono,
        stamp: &Stamp,
        ts: u32,
        line: &Line<'_>,
        due: Option<u32>,
    ) -> Option<(u64, u32, bool)> {
        let floor = self.last.filter(|(epoch, _)| *epoch == stamp.epoch);
        let next_seq = line.sender.next_seq();
        let kept = self.base.filter(|b| {
            let ahead = (stamp.seq + b.seq_off) as u64;
            b.epoch == stamp.epoch && ahead <= next_seq + MAX_GAP
        });
        let (base, moved) = match kept {
            Some(base) => (base, false),
            None => {
                // Late: it belongs before the move.
                if floor.is_some_and(|(_, seq)| stamp.seq <= seq) {
                    return None;
                }
                let at = match due {
                    // The source's own time goes on from the sample that is due.
                    Some(due) => line.sender.next_ts().wrapping_add(ts.wrapping_sub(due)),
                    None => line.sender.line(now),
                };
                let moved = at != line.sender.next_ts();
                let seq_off = next_seq as i64 - stamp.seq;
                let ts_off = at.wrapping_sub(ts);
                let base = Base { epoch: stamp.epoch, first: stamp.seq, seq_off, ts_off };
                self.base = Some(base);
                (base, moved)
            }
        };
        if stamp.seq < base.first {
            return None;
        }
        let seq = (stamp.seq + base.seq_off) as u64;
        Some((seq, ts.wrapping_add(base.ts_off), moved))
    }

    fn passed(&mut self, stamp: &Stamp) {
        let higher = self.last.is_none_or(|(epoch, seq)| epoch != stamp.epoch || stamp.seq > seq);
        if higher {
            self.last = Some((stamp.epoch, stamp.seq));
        }
    }
}

/// The listener's payload type for the packet; None: it cannot be forwarded there.
pub(crate) fn fitting(kind: Kind, ticks: u32, clock: u32, media: &Media) -> Option<u8> {
    match kind {
        Kind::ComfortNoise => media.comfort_noise,
        Kind::Audio(codec) => {
            let too_long = media
                .maxptime_ms
                .is_some_and(|max| u64::from(ticks) * 1_000 > u64::from(max) * u64::from(clock));
            let known = media.codecs.iter().find(|(_, c)| *c == codec);
            known.filter(|_| !too_long).map(|(pt, _)| *pt)
        }
    }
}

/// What became of a packet at one listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Took {
    Done,
    /// The row has to be arranged anew before the packet can be taken.
    Rearrange,
}

impl Outlet {
    /// A packet of a source of this row.
    pub(crate) fn audio(
        &mut self,
        now: Mono,
        from: SeatId,
        arrived: &Arrived<'_>,
        info: &SourceInfo<'_>,
        line: Option<&mut Line<'_>>,
    ) -> Took {
        let clock = info.clock;
        let source = Source::Seat(from);
        let Some(e) = self.row.of_mut(source).filter(|e| e.edge.audio && e.lives()) else {
            return Took::Done;
        };
        if let Some(guard) = &mut e.guard {
            let was_open = guard.is_open();
            if guard.restarted(clock) {
                self.strands.retain(|s| s.source != source);
                // Strand and way are made anew, from nothing of the old clock.
                if was_open || self.way != Way::Idle {
                    return Took::Rearrange;
                }
            }
            if !guard.passes(now, clock, &arrived.stamp, arrived.lean_us()) {
                return Took::Done;
            }
            if !guard.is_open() {
                return self.keep(now, source, arrived, info);
            }
        }
        match (self.way, line) {
            (Way::Forward(seat), Some(line)) if seat == from => {
                self.forward(now, from, arrived, line, None)
            }
            (Way::Mix, _) => self.keep(now, source, arrived, info),
            _ => Took::Done,
        }
    }

    fn keep(
        &mut self,
        now: Mono,
        source: Source,
        arrived: &Arrived<'_>,
        info: &SourceInfo<'_>,
    ) -> Took {
        let Some(strand) = self.strand(source) else { return Took::Rearrange };
        let (p, stamp) = (&arrived.packet, &arrived.stamp);
        strand.follow(info.media, info.agreed);
        let Some(playout) = &mut strand.playout else { return Took::Done };
        if strand.epoch != stamp.epoch {
            strand.epoch = stamp.epoch;
            strand.floor = i64::MIN;
            playout.jitter.restart(arrived.clock);
            playout.reset_audio();
        }
        if stamp.seq >= strand.floor {
            playout.insert(now, p.seq, p.ts, p.pt, p.payload);
        }
        Took::Done
    }

    /// Silence was sent for what now comes all at once: played after it, it would make the delay
    /// longer for good. More than 100 ms of it are let go.
    fn is_backlog(&mut self, now: Mono, ts: u32, clock: u32) -> bool {
        let Some((at, from)) = self.resumed else { return false };
        let said = ts_diff(ts, from) * 1_000_000 / i64::from(clock.max(1));
        if now.since(at) > BACKLOG_US {
            self.resumed = None;
        }
        said - now.since(at) as i64 > MOST_AHEAD_US
    }

    /// `due`: the source's timestamp that follows what was sent of it, if that is known.
    pub(crate) fn forward(
        &mut self,
        now: Mono,
        from: SeatId,
        arrived: &Arrived<'_>,
        line: &mut Line<'_>,
        due: Option<u32>,
    ) -> Took {
        let Some(pt) = fitting(arrived.kind, arrived.ticks, arrived.clock, line.media) else {
            if let Kind::Audio(_) = arrived.kind {
                self.unfit_at = Some(now);
                return Took::Rearrange;
            }
            self.forwarding.swallow(&arrived.stamp);
            return Took::Done;
        };
        if !line.media.sends {
            self.forwarding.renumber();
            return Took::Done;
        }
        let source = Source::Seat(from);
        if !self.may_hear(now, std::iter::once(source), line.out) {
            return Took::Done;
        }
        if std::mem::take(&mut self.filling) {
            self.forwarding.renumber();
            self.resumed = Some((now, line.sender.line(now)));
        }
        let p = &arrived.packet;
        let placed = self.forwarding.place(now, &arrived.stamp, p.ts, line, due);
        let Some((seq, ts, moved)) = placed else { return Took::Done };
        self.forwarding.passed(&arrived.stamp);
        if self.is_backlog(now, ts, arrived.clock) {
            self.forwarding.renumber();
            return Took::Done;
        }
        let (marker, ticks) = (p.marker || moved, arrived.ticks);
        let packet = Outgoing { seq, ts, pt, marker, payload: p.payload, ticks };
        if Self::put(now, arrived.clock, line, packet)
            && let Kind::Audio(codec) = arrived.kind
        {
            self.heard.push(now, source, codec, p.payload);
        }
        Took::Done
    }
}
