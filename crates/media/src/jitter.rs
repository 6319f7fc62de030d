//! The jitter buffer: belongs to one source, holds its packets encoded, and says when the next is
//! due. Knows no codec and makes no sound; `playout` turns it into steady PCM.
//!
//! Time is compared by transit: arrival less timestamp. The least transit of the last 2 s is the
//! path at its fastest; the *margin* of a packet is how long it, travelling at that speed, would
//! have waited here. The target is the 95th percentile of relative transit; margin is kept between
//! the target and one packet above it, by whoever follows `advice`.

use crate::rtp::{MAX_PACKET_BYTES, seq_diff, ts_diff};
use std::collections::VecDeque;
use undertone_core::time::Mono;

const WINDOW_US: u64 = 2_000_000;
/// 2 s of 10 ms packets, and some.
const WINDOW_PACKETS: usize = 256;
const MAX_HELD: usize = 256;
/// The percentile is taken anew after so many packets that came as expected.
const RANK_EVERY: usize = 8;
/// RFC 3550 appendix A.1: how far a sequence may jump and still be the same.
const MAX_DROPOUT: i32 = 3_000;
const MAX_MISORDER: i32 = 100;
/// A packet so much faster than any before comes from another clock.
const CLOCK_JUMP_US: i64 = 300_000;
/// Of how many pulls the least margin counts: packet lengths that are no multiple of the tick make
/// it swing.
const MARGINS: usize = 4;
const SLACK_US: i64 = 2_000;
const URGENT_US: i64 = 60_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JitterConfig {
    /// RTP clock of the source, ticks a second.
    pub clock: u32,
    /// The target never exceeds this; what waits longer is dropped.
    pub max_ms: u32,
    /// The target is never below this.
    pub min_ms: u32,
}

impl JitterConfig {
    pub fn new(clock: u32) -> Self {
        Self { clock, max_ms: 1_000, min_ms: 2 }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inserted {
    Kept,
    /// Its place was already played, or declared lost.
    Late,
    Duplicate,
    /// Sequence or timestamp jumped: what was held is gone, and this is a new beginning.
    Restarted,
    /// Longer than we take.
    Refused,
}

/// A packet as it is held: payload borrowed until the next call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held<'a> {
    pub seq: u16,
    pub ts: u32,
    pub pt: u8,
    pub payload: &'a [u8],
    /// When it came.
    pub at: Mono,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pull<'a> {
    Packet(Held<'a>),
    /// The next packet is lost: later ones are here. `ticks` is how much time is missing, by the
    /// RTP clock (one packet of it a call); `next` the payload that directly follows, for FEC.
    Lost {
        ts: u32,
        ticks: u32,
        next: Option<Held<'a>>,
    },
    /// Nothing is due. Before the first packet: silence. After it: conceal; what was concealed
    /// makes the delay longer.
    Wait,
}

/// What the player should do to bring the delay toward its target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Advice {
    Keep,
    /// This much too late: cut out silence, or shrink.
    Shrink {
        us: u32,
        urgent: bool,
    },
    /// This much too early: stretch.
    Grow {
        us: u32,
    },
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JitterStats {
    pub kept: u64,
    pub late: u64,
    pub duplicate: u64,
    pub lost: u64,
    pub restarts: u64,
    /// Times that nothing was there when it was due.
    pub underruns: u64,
}

#[derive(Debug, Default)]
struct Slot {
    seq: i64,
    ts: i64,
    pt: u8,
    at: Mono,
    /// Carries no audio (a telephone event): holds its place in the sequence only.
    other: bool,
    payload: Vec<u8>,
}

impl Slot {
    fn held(&self) -> Held<'_> {
        Held {
            seq: self.seq as u16,
            ts: self.ts as u32,
            pt: self.pt,
            payload: &self.payload,
            at: self.at,
        }
    }
}

pub struct JitterBuffer {
    config: JitterConfig,
    /// Sorted by extended sequence number.
    held: VecDeque<Slot>,
    /// Buffers to use again, and the slot last handed out.
    spare: Vec<Slot>,
    out: Slot,
    /// Highest extended sequence and timestamp so far.
    highest: Option<(i64, i64)>,
    /// Extended sequence and timestamp due next; None until playing.
    next: Option<(i64, i64)>,
    starved: bool,
    packet_ticks: i64,
    /// The last difference of neighbours' timestamps, until it is believed.
    seen_ticks: i64,
    /// Arrival and transit, both in µs.
    window: VecDeque<(u64, i64)>,
    scratch: Vec<i64>,
    /// Packets since the percentile was last taken.
    unranked: usize,
    least_us: i64,
    target_us: i64,
    margins: [i64; MARGINS],
    pulls: usize,
    shrinking: bool,
    stats: JitterStats,
}

impl JitterBuffer {
    pub fn new(config: JitterConfig) -> Self {
        Self {
            config: JitterConfig { clock: config.clock.max(1), ..config },
            held: VecDeque::new(),
            spare: Vec::new(),
            out: Slot::default(),
            highest: None,
            next: None,
            starved: false,
            packet_ticks: i64::from(config.clock) / 50,
            seen_ticks: 0,
            window: VecDeque::new(),
            scratch: Vec::new(),
            unranked: 0,
            least_us: 0,
            target_us: i64::from(config.min_ms) * 1_000,
            margins: [0; MARGINS],
            pulls: 0,
            shrinking: false,
            stats: JitterStats::default(),
        }
    }

    pub fn insert(&mut self, now: Mono, seq: u16, ts: u32, pt: u8, payload: &[u8]) -> Inserted {
        if payload.len() > MAX_PACKET_BYTES {
            return Inserted::Refused;
        }
        let mut result = Inserted::Kept;
        let (mut seq64, mut ts64) = self.extend(seq, ts);
        if self.is_jump(now, seq, ts64) {
            self.forget();
            self.stats.restarts += 1;
            result = Inserted::Restarted;
            (seq64, ts64) = (i64::from(seq), i64::from(ts));
        }
        self.learn(now, seq64, ts64);
        if self.next.is_some_and(|(due, _)| seq64 < due) {
            self.stats.late += 1;
            return Inserted::Late;
        }
        if !self.place(Slot { seq: seq64, ts: ts64, pt, at: now, ..Slot::default() }, payload) {
            self.stats.duplicate += 1;
            return Inserted::Duplicate;
        }
        self.stats.kept += 1;
        self.shed(now);
        result
    }

    /// Learns the path from a packet that came before this buffer was made; holds nothing of it.
    pub fn study(&mut self, at: Mono, seq: u16, ts: u32) {
        let (seq64, ts64) = self.extend(seq, ts);
        self.learn(at, seq64, ts64);
    }

    /// A packet of the same sequence that carries no audio of this source (a telephone event): its
    /// number is then not taken for a loss.
    pub fn insert_other(&mut self, now: Mono, seq: u16) {
        let Some((highest, ts64)) = self.highest else { return };
        let seq64 = highest + i64::from(seq_diff(seq, highest as u16));
        let near = (seq64 - highest).abs() < i64::from(MAX_MISORDER);
        if near && self.next.is_none_or(|(due, _)| seq64 >= due) {
            let slot = Slot { seq: seq64, ts: ts64, at: now, other: true, ..Slot::default() };
            self.place(slot, &[]);
            self.highest = Some((highest.max(seq64), ts64));
        }
    }

    /// The next packet in order, to be heard from `now` on (or as soon as what the player still
    /// holds, less than a frame, has been).
    pub fn pull(&mut self, now: Mono) -> Pull<'_> {
        self.skip_others();
        let Some(front) = self.held.front() else {
            if self.next.is_some() && !self.starved {
                self.starved = true;
                self.stats.underruns += 1;
            }
            return Pull::Wait;
        };
        let margin = self.margin(now, front.ts);
        let due = margin >= self.target_us;
        let Some((next_seq, next_ts)) = self.next else {
            return if due { self.take(margin) } else { Pull::Wait };
        };
        let (missing, gap) = (front.seq - next_seq, front.ts - next_ts);
        if missing <= 0 {
            // The sender paused (silence suppression, an event): its next word has its own time.
            let paused = gap >= self.packet_ticks && !due;
            return if paused { Pull::Wait } else { self.take(margin) };
        }
        // What was missing may have been waited for already.
        if (self.starved && due) || gap <= 0 {
            self.stats.lost += missing as u64;
            return self.take(margin);
        }
        let ticks = (gap / missing).clamp(1, i64::from(self.config.clock));
        self.next = Some((next_seq + 1, next_ts + ticks));
        self.stats.lost += 1;
        let next = (missing == 1).then(|| self.held[0].held());
        Pull::Lost { ts: next_ts as u32, ticks: ticks as u32, next }
    }

    /// What to do about the delay, by the last few pulls. Whoever does it says so by `moved`.
    pub fn advice(&mut self) -> Advice {
        if self.next.is_none() || self.pulls == 0 {
            return Advice::Keep;
        }
        let excess = self.least_margin() - self.target_us;
        if excess < 0 {
            self.shrinking = false;
            return Advice::Grow { us: (SLACK_US - excess) as u32 };
        }
        let packet_us = self.packet_us();
        // Begun above one packet, shrinking goes on to the middle, or it would begin again soon.
        let middle = packet_us / 2;
        let limit = if self.shrinking { middle + SLACK_US } else { packet_us + SLACK_US };
        self.shrinking = excess > limit;
        if !self.shrinking {
            return Advice::Keep;
        }
        Advice::Shrink { us: (excess - middle) as u32, urgent: excess > packet_us + URGENT_US }
    }

    /// The player made the delay longer (positive) or shorter by so much.
    pub fn moved(&mut self, us: i64) {
        for margin in &mut self.margins {
            *margin += us;
        }
    }

    /// 95th percentile of relative transit over the last 2 s.
    pub fn target_ms(&self) -> u32 {
        (self.target_us / 1_000) as u32
    }

    /// How long the packets pulled last would have waited, had they come the fastest way.
    pub fn depth_ms(&self) -> u32 {
        if self.next.is_none() || self.pulls == 0 {
            return 0;
        }
        (self.least_margin().max(0) / 1_000) as u32
    }

    /// Length of one packet of this source, in milliseconds.
    pub fn packet_ms(&self) -> u32 {
        (self.packet_us() / 1_000) as u32
    }

    /// Packets held.
    pub fn len(&self) -> usize {
        self.held.len()
    }

    pub fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// Takes what is held, in order, earliest first, one a call: for a listener that goes back to
    /// being forwarded to.
    pub fn drain(&mut self) -> Option<Held<'_>> {
        while self.held.front().is_some_and(|slot| slot.other) {
            self.retire_front();
        }
        let front = self.held.front()?;
        self.next = Some((front.seq + 1, front.ts + self.packet_ticks));
        self.retire_front();
        Some(self.out.held())
    }

    /// Forgets packets and place, keeps what it learnt of the path.
    pub fn clear(&mut self) {
        while !self.held.is_empty() {
            self.retire_front();
        }
        self.next = None;
        self.starved = false;
        self.shrinking = false;
        self.pulls = 0;
    }

    /// As new, for another source or clock.
    pub fn restart(&mut self, clock: u32) {
        self.config.clock = clock.max(1);
        self.packet_ticks = i64::from(clock) / 50;
        self.forget();
    }

    pub fn stats(&self) -> JitterStats {
        self.stats
    }

    fn forget(&mut self) {
        self.clear();
        self.highest = None;
        self.window.clear();
        self.target_us = i64::from(self.config.min_ms) * 1_000;
    }

    fn extend(&self, seq: u16, ts: u32) -> (i64, i64) {
        let Some((high_seq, high_ts)) = self.highest else { return (seq.into(), ts.into()) };
        let seq64 = high_seq + i64::from(seq_diff(seq, high_seq as u16));
        (seq64, high_ts + ts_diff(ts, high_ts as u32))
    }

    fn is_jump(&self, now: Mono, seq: u16, ts64: i64) -> bool {
        let Some((high_seq, high_ts)) = self.highest else { return false };
        let step = seq_diff(seq, high_seq as u16);
        if !(-MAX_MISORDER..MAX_DROPOUT).contains(&step) {
            return true;
        }
        // After a silence the window is old, and says nothing about the clock.
        let fresh = self.window.back().is_some_and(|(at, _)| now.0 < at + WINDOW_US);
        let backward = step > 0 && ts64 < high_ts - i64::from(self.config.clock) / 2;
        backward || (fresh && self.transit(now, ts64) < self.least_us - CLOCK_JUMP_US)
    }

    fn ts_us(&self, ts: i64) -> i64 {
        ts * 1_000_000 / i64::from(self.config.clock)
    }

    fn transit(&self, now: Mono, ts: i64) -> i64 {
        now.0 as i64 - self.ts_us(ts)
    }

    fn margin(&self, now: Mono, ts: i64) -> i64 {
        self.transit(now, ts) - self.least_us
    }

    fn packet_us(&self) -> i64 {
        self.ts_us(self.packet_ticks)
    }

    fn least_margin(&self) -> i64 {
        let known = self.pulls.min(MARGINS);
        self.margins[..known].iter().copied().min().unwrap_or(0)
    }

    fn learn(&mut self, now: Mono, seq: i64, ts: i64) {
        match self.highest {
            Some((high_seq, high_ts)) if seq > high_seq => {
                let ticks = ts - high_ts;
                if seq == high_seq + 1 {
                    self.learn_length(ticks);
                }
                self.highest = Some((seq, ts));
            }
            Some(_) => {}
            None => self.highest = Some((seq, ts)),
        }
        let old = |at: u64| now.0 > at + WINDOW_US;
        while self.window.front().is_some_and(|(at, _)| old(*at))
            || self.window.len() >= WINDOW_PACKETS
        {
            self.window.pop_front();
        }
        let transit = self.transit(now, ts);
        self.window.push_back((now.0, transit));
        self.unranked += 1;
        // Ranking is what an insertion costs. Later than the target, or faster than ever: at once;
        // else a few packets change nothing.
        let relative = transit - self.least_us;
        let expected = (0..=self.target_us).contains(&relative);
        if expected && self.unranked < RANK_EVERY && self.window.len() > RANK_EVERY {
            return;
        }
        self.unranked = 0;
        self.scratch.clear();
        self.scratch.extend(self.window.iter().map(|(_, transit)| *transit));
        let rank = (self.scratch.len() * 95).div_ceil(100) - 1;
        let (before, p95, _) = self.scratch.select_nth_unstable(rank);
        self.least_us = before.iter().copied().min().unwrap_or(*p95).min(*p95);
        let (low, high) = (self.config.min_ms, self.config.max_ms.max(self.config.min_ms));
        self.target_us =
            (*p95 - self.least_us).clamp(i64::from(low) * 1_000, i64::from(high) * 1_000);
    }

    /// A longer step may be a short pause, or an event's: it is believed when seen twice in a row.
    fn learn_length(&mut self, ticks: i64) {
        let plausible = ticks > 0 && ticks <= i64::from(self.config.clock) * 3 / 25;
        if plausible && (ticks < self.packet_ticks || ticks == self.seen_ticks) {
            self.packet_ticks = ticks;
        }
        self.seen_ticks = ticks;
    }

    /// False: its number is taken.
    fn place(&mut self, slot: Slot, payload: &[u8]) -> bool {
        let later = self.held.iter().rev().take_while(|s| s.seq > slot.seq).count();
        let index = self.held.len() - later;
        if index > 0 && self.held[index - 1].seq == slot.seq {
            return false;
        }
        let mut buffer = self.spare.pop().unwrap_or_default().payload;
        buffer.clear();
        buffer.extend_from_slice(payload);
        self.held.insert(index, Slot { payload: buffer, ..slot });
        true
    }

    /// What nobody pulls, or comes in a heap after a long stall, is dropped from the front.
    fn shed(&mut self, now: Mono) {
        let max_us = i64::from(self.config.max_ms) * 1_000;
        while let Some(front) = self.held.front() {
            let aged = self.margin(now, front.ts) > max_us && self.held.len() > 1;
            if !aged && self.held.len() <= MAX_HELD {
                return;
            }
            if self.next.is_some() {
                self.next = Some((front.seq + 1, front.ts + self.packet_ticks));
            }
            self.stats.late += 1;
            self.retire_front();
        }
    }

    fn skip_others(&mut self) {
        while self.held.front().is_some_and(|slot| slot.other) {
            let seq = self.held[0].seq;
            match self.next {
                Some((due, ts)) if due == seq => self.next = Some((seq + 1, ts)),
                // Audio before it is missing: that is a loss of its own, told by what follows.
                Some((due, ts)) => self.next = Some((due.max(seq + 1), ts)),
                None => {}
            }
            self.retire_front();
        }
    }

    fn take(&mut self, margin: i64) -> Pull<'_> {
        if self.starved || self.next.is_none() {
            self.pulls = 0;
        }
        self.starved = false;
        self.margins[self.pulls % MARGINS] = margin;
        self.pulls += 1;
        if self.pulls == 2 * MARGINS {
            self.pulls = MARGINS;
        }
        self.retire_front();
        self.next = Some((self.out.seq + 1, self.out.ts + self.packet_ticks));
        Pull::Packet(self.out.held())
    }

    fn retire_front(&mut self) {
        if let Some(slot) = self.held.pop_front() {
            let used = std::mem::replace(&mut self.out, slot);
            if self.spare.len() < 8 {
                self.spare.push(used);
            }
        }
    }
}
