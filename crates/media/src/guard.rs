//! The guard: keeps what was captured before a switch from an edge that opens by it, however late
//! it arrives. Owns the map from a source's RTP clock to the bridge's; knows no codec, no listener.

use crate::rtp::{seq_diff, ts_diff};
use undertone_core::time::Mono;

/// An edge carries nothing captured less than this after the switch.
pub const GUARD_MS: u64 = 250;
/// How long a clock must run evenly before it is believed without its past.
const STEADY_US: u64 = 2_000_000;
/// Packets that come this unevenly, or so long after the last, are not steady.
const UNEVEN_US: i64 = 150_000;
const GAP_US: u64 = 200_000;
/// A timestamp may run this far ahead of what time and sequence explain.
const JUMP_US: i64 = 100_000;
const MAX_DROPOUT: i32 = 3_000;
const MAX_MISORDER: i32 = 100;
/// How fast the least transit may be forgotten, for a source whose clock is slow: 300 ppm.
const FORGET_US_PER_S: u64 = 300;

/// A packet's place on the bridge's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// When it was captured, at the earliest transit seen; µs, may be below 0.
    pub captured: i64,
    /// Extended sequence number and timestamp of the source, since its last restart.
    pub seq: i64,
    pub ts: i64,
    /// Counts the source's restarts.
    pub epoch: u32,
    pub newest: bool,
}

/// One source's RTP clock as seen from the bridge.
#[derive(Clone, Debug, Default)]
pub struct SourceClock {
    clock: u32,
    ssrc: u32,
    seq: i64,
    ts: i64,
    last_at: Mono,
    /// Least arrival less timestamp, µs.
    least: i64,
    least_at: Mono,
    steady_from: Mono,
    steady_low: i64,
    steady_high: i64,
    epoch: u32,
    began: bool,
    restarted_at: Mono,
}

impl SourceClock {
    /// Of a leg that is newly in a bridge: nothing kept of an earlier one is taken for its.
    pub fn new(generation: u32) -> Self {
        Self { epoch: generation << 16, ..Self::default() }
    }

    /// An audio packet came; `ticks` is its length.
    pub fn packet(
        &mut self,
        now: Mono,
        clock: u32,
        ssrc: u32,
        seq: u16,
        ts: u32,
        ticks: u32,
    ) -> Stamp {
        let step = seq_diff(seq, self.seq as u16);
        let (mut seq64, mut ts64) =
            (self.seq + i64::from(step), self.ts + ts_diff(ts, self.ts as u32));
        if !self.began || self.restarts(now, clock, ssrc, step, ts64, ticks) {
            self.restart(now, clock, ssrc, seq, ts);
            (seq64, ts64) = (self.seq, self.ts);
        }
        let transit = now.0 as i64 - self.us(ts64);
        let forgotten = now.since(self.least_at) * FORGET_US_PER_S / 1_000_000;
        if transit <= self.least + forgotten as i64 {
            (self.least, self.least_at) = (transit, now);
        }
        let newest = seq64 >= self.seq;
        if newest {
            self.steady(now, transit);
            (self.seq, self.ts, self.last_at) = (seq64, ts64, now);
        }
        let captured = self.us(ts64) + self.least;
        Stamp { captured, seq: seq64, ts: ts64, epoch: self.epoch, newest }
    }

    /// Where something that shares the clock, but says nothing about it (an event), belongs.
    pub fn place(&self, seq: u16, ts: u32) -> Option<Stamp> {
        let step = seq_diff(seq, self.seq as u16);
        if !self.began || !(-MAX_MISORDER..MAX_DROPOUT).contains(&step) {
            return None;
        }
        let ts = self.ts + ts_diff(ts, self.ts as u32);
        let (seq, newest) = (self.seq + i64::from(step), step > 0);
        Some(Stamp { captured: self.us(ts) + self.least, seq, ts, epoch: self.epoch, newest })
    }

    /// A number of the sequence was used by what is no audio.
    pub fn other(&mut self, stamp: &Stamp) {
        self.seq = self.seq.max(stamp.seq);
    }

    pub fn epoch(&self) -> u32 {
        self.epoch
    }

    pub fn ssrc(&self) -> Option<u32> {
        self.began.then_some(self.ssrc)
    }

    fn us(&self, ts: i64) -> i64 {
        ts * 1_000_000 / i64::from(self.clock.max(1))
    }

    fn restarts(&self, now: Mono, clock: u32, ssrc: u32, step: i32, ts: i64, ticks: u32) -> bool {
        if ssrc != self.ssrc || clock != self.clock {
            return true;
        }
        if !(-MAX_MISORDER..MAX_DROPOUT).contains(&step) {
            return true;
        }
        let advance = self.us(ts) - self.us(self.ts);
        if step <= 0 {
            return !(-2_000_000..=0).contains(&advance);
        }
        let by_time = now.since(self.last_at) as i64;
        let by_sequence = self.us(i64::from(step) * i64::from(ticks));
        (advance <= 0 && step < MAX_MISORDER) || advance > by_time.max(by_sequence) + JUMP_US
    }

    fn restart(&mut self, now: Mono, clock: u32, ssrc: u32, seq: u16, ts: u32) {
        let epoch = self.epoch + 1;
        // Extended numbers stay far above 0, whatever comes out of order.
        let (seq, ts) = (i64::from(seq) + (1 << 20), i64::from(ts) + (1 << 33));
        *self = Self { clock, ssrc, seq, ts, epoch, began: true, ..Self::default() };
        (self.last_at, self.least_at, self.restarted_at) = (now, now, now);
        self.least = now.0 as i64 - self.us(ts);
        (self.steady_from, self.steady_low, self.steady_high) = (now, self.least, self.least);
    }

    fn steady(&mut self, now: Mono, transit: i64) {
        let low = self.steady_low.min(transit);
        let high = self.steady_high.max(transit);
        if now.since(self.last_at) > GAP_US || high - low > UNEVEN_US {
            (self.steady_from, self.steady_low, self.steady_high) = (now, transit, transit);
        } else {
            (self.steady_low, self.steady_high) = (low, high);
        }
    }
}

/// The guard of one edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Guard {
    switch: Mono,
    from: i64,
    epoch: u32,
    open: bool,
}

impl Guard {
    pub fn new(switch: Mono, clock: Option<&SourceClock>) -> Self {
        let epoch = clock.map_or(0, |c| c.epoch);
        let from = switch.plus_ms(GUARD_MS).0 as i64;
        Self { switch, from, epoch, open: false }
    }

    pub fn is_open(&self) -> bool {
        self.open
    }

    pub fn open(&mut self) {
        self.open = true;
    }

    /// True if the source's clock is not the one it was: the edge shuts, and what was kept of the
    /// source for it must be forgotten. A clock that began after the switch has no past by which
    /// a held-back packet would be known, so it must have run for 2 s after the switch as well.
    pub fn restarted(&mut self, clock: &SourceClock) -> bool {
        if self.epoch == clock.epoch {
            return false;
        }
        self.epoch = clock.epoch;
        self.open = false;
        let believed = self.switch.plus_us(STEADY_US).max(clock.restarted_at);
        self.from = believed.plus_ms(GUARD_MS).0 as i64;
        true
    }

    /// May this packet pass? `lean` is how long before its own stamp a packet carries sound of
    /// (Opus repeats the frame before, for FEC).
    pub fn passes(&mut self, now: Mono, clock: &SourceClock, stamp: &Stamp, lean_us: i64) -> bool {
        if stamp.captured - lean_us >= self.from {
            return true;
        }
        // A source that stopped its clock in silence is behind for ever: 2 s of steady arrival
        // after the switch say that what comes now is new.
        let since = clock.steady_from.max(self.switch);
        if !self.open && stamp.newest && now.since(since) >= STEADY_US + GUARD_MS * 1_000 {
            self.from = stamp.captured - lean_us;
            return true;
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SWITCH: Mono = Mono(10_000_000);

    struct Phone {
        clock: SourceClock,
        guard: Option<Guard>,
    }

    impl Phone {
        fn new() -> Self {
            Self { clock: SourceClock::default(), guard: None }
        }
        /// Captured and arrived, both in ms.
        fn packet(&mut self, captured: u64, arrived: u64) -> bool {
            let (seq, ts) = ((captured / 20) as u16, (captured * 8) as u32);
            let now = Mono::from_ms(arrived);
            let stamp = self.clock.packet(now, 8_000, 7, seq, ts, 160);
            let Some(guard) = &mut self.guard else { return false };
            guard.restarted(&self.clock);
            let passes = guard.passes(now, &self.clock, &stamp, 0);
            if passes {
                guard.open();
            }
            passes
        }
        fn talk(&mut self, from: u64, to: u64, late: u64) -> Option<u64> {
            (from..to).step_by(20).find(|at| self.packet(*at, at + late))
        }
        fn switch(&mut self) {
            self.guard = Some(Guard::new(SWITCH, Some(&self.clock)));
        }
    }

    #[test]
    fn nothing_captured_before_the_switch_and_250_ms_passes() {
        let mut phone = Phone::new();
        phone.talk(8_000, 10_000, 0);
        phone.switch();
        assert_eq!(phone.talk(10_000, 12_000, 0), Some(10_260));
    }

    #[test]
    fn a_packet_held_back_is_known_by_its_stamp_however_late() {
        let mut phone = Phone::new();
        phone.talk(8_000, 9_700, 3);
        phone.switch();
        for captured in (9_700..10_240).step_by(20) {
            assert!(!phone.packet(captured, 10_900), "captured at {captured}");
        }
        assert_eq!(phone.talk(10_240, 11_000, 660), Some(10_260));
    }

    #[test]
    fn a_clock_that_restarts_shuts_the_edge_again() {
        let mut phone = Phone::new();
        phone.talk(8_000, 10_000, 0);
        phone.switch();
        assert!(phone.talk(10_000, 11_000, 0).is_some());
        // Minutes of timestamp at once: another clock.
        let now = Mono::from_ms(11_000);
        let stamp = phone.clock.packet(now, 8_000, 7, 551, 5_000_000, 160);
        let mut guard = phone.guard.unwrap();
        assert!(guard.restarted(&phone.clock) && !guard.is_open());
        assert!(!guard.passes(now, &phone.clock, &stamp, 0));
        let later = phone.clock.packet(Mono::from_ms(12_300), 8_000, 7, 616, 5_010_400, 160);
        assert!(guard.passes(Mono::from_ms(12_300), &phone.clock, &later, 0));
    }

    #[test]
    fn a_clock_that_stopped_in_silence_opens_after_2_s_of_steady_arrival() {
        let mut phone = Phone::new();
        phone.talk(1_000, 3_000, 0);
        phone.switch();
        // Its clock stood still for 8 s.
        let first = (11_000..16_000).step_by(20).find(|at| {
            let now = Mono::from_ms(*at);
            let seq = (at / 20 - 400) as u16;
            let ts = ((at - 8_000) * 8) as u32;
            let stamp = phone.clock.packet(now, 8_000, 7, seq, ts, 160);
            let guard = phone.guard.as_mut().unwrap();
            guard.restarted(&phone.clock);
            guard.passes(now, &phone.clock, &stamp, 0)
        });
        assert!(first.is_some_and(|at| (13_200..13_400).contains(&at)), "{first:?}");
    }

    #[test]
    fn drift_of_200_ppm_either_way_moves_the_map_by_less_than_a_packet() {
        for ppm in [-200i64, 200] {
            let mut clock = SourceClock::default();
            let mut worst = 0;
            for n in 0..90_000i64 {
                let arrived = n * 20_000 * (1_000_000 + ppm) / 1_000_000;
                let now = Mono(1_000_000 + arrived as u64);
                let stamp = clock.packet(now, 8_000, 7, n as u16, (n * 160) as u32, 160);
                worst = worst.max((now.0 as i64 - stamp.captured).abs());
            }
            assert!(worst < 20_000, "{ppm} ppm: {worst} µs");
        }
    }
}
