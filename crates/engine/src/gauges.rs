//! What the media threads count. Each thread alone writes its own counters, once a turn; who
//! reads them never makes a media thread wait.

use std::sync::atomic::{AtomicU64, Ordering};

/// Upper bounds of the lateness buckets, in microseconds; one more bucket takes the rest.
pub const LATENESS_BOUNDS_US: [u64; 11] =
    [50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 100_000, 500_000];
const BUCKETS: usize = LATENESS_BOUNDS_US.len() + 1;

/// All threads together, as of their last turns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gauges {
    pub threads: u64,
    pub bridges: u64,
    pub legs: u64,
    pub taps: u64,
    pub ports_in_use: u64,
    /// Connections of browsers, in a call or not.
    pub browsers: u64,
    /// Legs that found no pair of ports.
    pub ports_refused: u64,
    pub packets_in: u64,
    pub packets_out: u64,
    /// Sent by us and not taken by the kernel: a full buffer, or a port that nobody holds.
    pub packets_unsent: u64,
    /// From an address that is not the leg's; dropped.
    pub packets_foreign: u64,
    pub ticks: u64,
    /// Ticks given up after a stall longer than the bound.
    pub ticks_skipped: u64,
    pub lateness: Lateness,
    pub bridges_panicked: u64,
    pub commands_waiting: u64,
    /// CPU of the media threads.
    pub cpu_us: u64,
    /// Turns of the loop, that is waits for packets.
    pub turns: u64,
}

/// How late ticks were: a histogram of `LATENESS_BOUNDS_US`, not cumulated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lateness {
    pub counts: [u64; BUCKETS],
    pub sum_us: u64,
    pub max_us: u64,
}

impl Lateness {
    pub(crate) fn add(&mut self, late_us: u64) {
        let bucket = LATENESS_BOUNDS_US.iter().position(|b| late_us <= *b);
        self.counts[bucket.unwrap_or(BUCKETS - 1)] += 1;
        self.sum_us += late_us;
        self.max_us = self.max_us.max(late_us);
    }

    /// The upper bound of the bucket that holds this quantile; None while nothing was counted.
    pub fn quantile_us(&self, q: f64) -> Option<u64> {
        let total: u64 = self.counts.iter().sum();
        let rank = (q.clamp(0.0, 1.0) * total as f64).ceil().max(1.0) as u64;
        let mut seen = 0;
        for (i, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= rank {
                return Some(LATENESS_BOUNDS_US.get(i).map_or(self.max_us, |b| *b));
            }
        }
        None
    }
}

/// One thread's own figures, plain numbers until they are published.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) bridges: u64,
    pub(crate) legs: u64,
    pub(crate) taps: u64,
    pub(crate) packets_in: u64,
    pub(crate) packets_out: u64,
    pub(crate) packets_unsent: u64,
    pub(crate) packets_foreign: u64,
    pub(crate) ticks: u64,
    pub(crate) ticks_skipped: u64,
    pub(crate) bridges_panicked: u64,
    pub(crate) cpu_us: u64,
    pub(crate) turns: u64,
    pub(crate) lateness: Lateness,
}

const PLAIN: usize = 12;

impl Counts {
    fn plain(&mut self) -> [&mut u64; PLAIN] {
        [
            &mut self.bridges,
            &mut self.legs,
            &mut self.taps,
            &mut self.packets_in,
            &mut self.packets_out,
            &mut self.packets_unsent,
            &mut self.packets_foreign,
            &mut self.ticks,
            &mut self.ticks_skipped,
            &mut self.bridges_panicked,
            &mut self.cpu_us,
            &mut self.turns,
        ]
    }
}

/// What a thread has published. Relaxed everywhere: these are figures, nothing is ordered by them.
#[derive(Default)]
pub(crate) struct Published {
    plain: [AtomicU64; PLAIN],
    lateness: [AtomicU64; BUCKETS],
    late_sum_us: AtomicU64,
    late_max_us: AtomicU64,
}

impl Published {
    pub(crate) fn publish(&self, counts: &mut Counts) {
        for (to, from) in self.plain.iter().zip(counts.plain()) {
            to.store(*from, Ordering::Relaxed);
        }
        for (to, from) in self.lateness.iter().zip(counts.lateness.counts) {
            to.store(from, Ordering::Relaxed);
        }
        self.late_sum_us.store(counts.lateness.sum_us, Ordering::Relaxed);
        self.late_max_us.store(counts.lateness.max_us, Ordering::Relaxed);
    }

    pub(crate) fn add_to(&self, sum: &mut Gauges) {
        let mut counts = Counts::default();
        for (from, to) in self.plain.iter().zip(counts.plain()) {
            *to = from.load(Ordering::Relaxed);
        }
        sum.threads += 1;
        sum.bridges += counts.bridges;
        sum.legs += counts.legs;
        sum.taps += counts.taps;
        sum.packets_in += counts.packets_in;
        sum.packets_out += counts.packets_out;
        sum.packets_unsent += counts.packets_unsent;
        sum.packets_foreign += counts.packets_foreign;
        sum.ticks += counts.ticks;
        sum.ticks_skipped += counts.ticks_skipped;
        sum.bridges_panicked += counts.bridges_panicked;
        sum.cpu_us += counts.cpu_us;
        sum.turns += counts.turns;
        for (to, from) in sum.lateness.counts.iter_mut().zip(&self.lateness) {
            *to += from.load(Ordering::Relaxed);
        }
        sum.lateness.sum_us += self.late_sum_us.load(Ordering::Relaxed);
        let max = self.late_max_us.load(Ordering::Relaxed);
        sum.lateness.max_us = sum.lateness.max_us.max(max);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_the_bound_of_its_bucket() {
        let mut late = Lateness::default();
        assert_eq!(late.quantile_us(0.5), None);
        for _ in 0..99 {
            late.add(60);
        }
        late.add(900_000);
        assert_eq!(late.quantile_us(0.5), Some(100));
        assert_eq!(late.quantile_us(1.0), Some(900_000));
    }

    #[test]
    fn what_is_published_is_what_is_read() {
        let (published, mut counts) = (Published::default(), Counts::default());
        counts.packets_in = 3;
        counts.turns = 5;
        counts.lateness.add(70);
        published.publish(&mut counts);
        let mut sum = Gauges::default();
        published.add_to(&mut sum);
        published.add_to(&mut sum);
        assert_eq!((sum.packets_in, sum.turns, sum.threads), (6, 10, 2));
        assert_eq!(sum.lateness.counts[1], 2);
    }
}
