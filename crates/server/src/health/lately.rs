//! The media threads' figures of the last minute: what they count is since the start, and a stall
//! of last week says nothing of now.

use super::{Vitals, item};
use std::collections::VecDeque;
use std::sync::{MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use undertone_api::{HealthItem, HealthState};
use undertone_engine::{Gauges, Lateness};

const WINDOW: Duration = Duration::from_secs(60);
/// A tick is 20 ms: half of it late is heard by nobody, as jitter buffers hold more.
const LATE_US: u64 = 10_000;
const TOO_LATE_US: u64 = 20_000;

#[derive(Debug, Default)]
pub(super) struct Lately(VecDeque<(Instant, Gauges)>);

impl Lately {
    pub(super) fn note(&mut self, at: Instant, gauges: Gauges) {
        self.0.push_back((at, gauges));
        // One stays that is as old as the window, to compare with.
        while self.0.get(1).is_some_and(|(seen, _)| at.duration_since(*seen) >= WINDOW) {
            self.0.pop_front();
        }
    }

    /// What was counted since the oldest that is kept.
    fn since(&self, now: &Gauges) -> (Lateness, u64) {
        let zero = Gauges::default();
        let then = self.0.front().map_or(&zero, |(_, gauges)| gauges);
        let mut late = now.lateness.clone();
        for (to, from) in late.counts.iter_mut().zip(&then.lateness.counts) {
            *to = to.saturating_sub(*from);
        }
        (late, now.ticks_skipped.saturating_sub(then.ticks_skipped))
    }
}

impl Vitals {
    pub(super) fn lately(&self) -> MutexGuard<'_, Lately> {
        self.lately.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn media_threads(&self, now: &Gauges) -> HealthItem {
        let (late, skipped) = self.lately().since(now);
        let p99 = late.quantile_us(0.99);
        let state = match p99 {
            Some(us) if us > TOO_LATE_US => HealthState::Bad,
            Some(us) if us > LATE_US || skipped > 0 => HealthState::Warn,
            _ if skipped > 0 || now.bridges_panicked > 0 => HealthState::Warn,
            _ => HealthState::Ok,
        };
        let value = p99.map_or("idle".to_owned(), |us| match us {
            ..1_000 => format!("{:.2} ms", us as f64 / 1e3),
            _ => format!("{} ms", us / 1_000),
        });
        let mut detail =
            format!("{} threads; 99 % of ticks were no later, last minute", now.threads);
        if skipped > 0 {
            detail += &format!("; {skipped} ticks given up");
        }
        if now.bridges_panicked > 0 {
            detail += &format!("; {} calls ended by a fault since the start", now.bridges_panicked);
        }
        item("media_threads", state, value, detail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(bucket: usize, count: u64) -> Gauges {
        let mut gauges = Gauges::default();
        gauges.lateness.counts[bucket] = count;
        gauges
    }

    #[test]
    fn only_the_last_minute_counts() {
        let (mut lately, start) = (Lately::default(), Instant::now());
        for (s, count) in [(0, 0), (10, 100), (20, 100), (70, 100), (80, 100)] {
            lately.note(start + Duration::from_secs(s), counted(10, count));
        }
        let mut now = counted(10, 100);
        now.lateness.counts[1] = 5;
        let (late, _) = lately.since(&now);
        assert_eq!(late.quantile_us(0.99), Some(100), "the stall of a minute ago is forgotten");
        assert_eq!(late.counts.iter().sum::<u64>(), 5);
        let (all, _) = Lately::default().since(&now);
        assert_eq!(all.counts.iter().sum::<u64>(), 105, "before the first look: all there is");
    }
}
