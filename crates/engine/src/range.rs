//! Which pairs of one port range are free, and how long each has rested: a packet that is late,
//! or of a phone that missed the end of its call, must not come into somebody else's. Pure: it
//! binds nothing, and the time is an argument.

use std::collections::VecDeque;
use std::ops::RangeInclusive;

use undertone_core::time::Mono;

/// A pair that was freed is used again after this,
const REST_US: u64 = 30_000_000;
/// or after this, while under a quarter of the range has rested so long: at 200 calls a second
/// that are held for a second, the full rest would need 12,000 pairs.
const SHORT_REST_US: u64 = 2_000_000;
/// Of each so many pairs, the last one is kept back for `Rank::First` and `Rank::Always`,
const KEPT_ONE_IN: usize = 10;
/// and of each so many for the latter alone, up to a limit.
const KEPT_ALWAYS_ONE_IN: usize = 20;
const KEPT_ALWAYS_MAX: usize = 32;

/// Who goes without first when ports run short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rank {
    /// May have the last pair, also one that has not rested.
    Always,
    /// Leaves a twentieth of the range, 32 pairs at most, to what must always be had.
    First,
    /// Leaves a tenth of the range to the others.
    Second,
}

/// Why there is no pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shortage {
    AllUsed,
    Resting,
    Kept,
}

#[derive(Clone, Copy, Debug)]
struct Free {
    port: u16,
    /// None: never used.
    freed_at: Option<Mono>,
}

impl Free {
    fn rested(&self, now: Mono, us: u64) -> bool {
        self.freed_at.is_none_or(|at| now.since(at) >= us)
    }
}

/// Pairs are named by their even port.
pub(crate) struct Range {
    pairs: usize,
    kept: usize,
    kept_always: usize,
    /// The one that rested longest in front.
    free: VecDeque<Free>,
}

impl Range {
    pub(crate) fn new(ports: &RangeInclusive<u16>) -> Self {
        let first = ports.start().saturating_add(ports.start() % 2);
        let evens = (first..=*ports.end()).step_by(2);
        let whole = evens.filter(|p| *p > 0 && *p < u16::MAX && p < ports.end());
        let free: VecDeque<Free> = whole.map(|port| Free { port, freed_at: None }).collect();
        let pairs = free.len();
        let kept_always = (pairs / KEPT_ALWAYS_ONE_IN).min(KEPT_ALWAYS_MAX);
        Self { pairs, kept: pairs.div_ceil(KEPT_ONE_IN), kept_always, free }
    }

    pub(crate) fn pairs(&self) -> usize {
        self.pairs
    }

    pub(crate) fn take(&mut self, now: Mono, rank: Rank) -> Result<u16, Shortage> {
        let ready = self.ready(now);
        let kept = match rank {
            Rank::Always => 0,
            Rank::First => self.kept_always,
            Rank::Second => self.kept,
        };
        if ready > 0 && ready <= kept {
            return Err(Shortage::Kept);
        }
        if ready == 0 && rank != Rank::Always {
            let all = self.free.is_empty();
            return Err(if all { Shortage::AllUsed } else { Shortage::Resting });
        }
        self.free.pop_front().map(|free| free.port).ok_or(Shortage::AllUsed)
    }

    /// Its sockets are closed, or another process holds it: in either case it rests.
    pub(crate) fn give_back(&mut self, now: Mono, port: u16) {
        self.free.push_back(Free { port, freed_at: Some(now) });
    }

    fn ready(&self, now: Mono) -> usize {
        let rested = self.free.partition_point(|free| free.rested(now, REST_US));
        if rested * 4 >= self.pairs {
            return rested;
        }
        self.free.partition_point(|free| free.rested(now, SHORT_REST_US))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: u64 = 1_000;

    fn all(range: &mut Range, ms: u64, rank: Rank) -> Vec<u16> {
        std::iter::from_fn(|| range.take(Mono::from_ms(ms), rank).ok()).collect()
    }

    #[test]
    fn pairs_are_even_and_odd_and_never_spill_over() {
        let pairs = |ports| Range::new(&ports).pairs();
        assert_eq!(pairs(20_300..=20_304), 2);
        assert_eq!(pairs(20_301..=20_302), 0);
        assert_eq!(pairs(65_534..=65_535), 1);
        assert_eq!(pairs(0..=0), 0);
    }

    #[test]
    fn a_freed_pair_comes_after_all_that_were_never_used_and_the_oldest_first() {
        let mut range = Range::new(&(20_000..=20_019));
        let first = range.take(Mono(0), Rank::First).expect("a pair");
        let second = range.take(Mono(0), Rank::First).expect("a pair");
        range.give_back(Mono::from_ms(5), second);
        range.give_back(Mono::from_ms(6), first);
        let later = all(&mut range, 40 * S, Rank::First);
        assert_eq!(later.len(), 10);
        assert_eq!(later[8..], [second, first]);
    }

    #[test]
    fn while_a_quarter_has_rested_a_freed_pair_is_left_alone() {
        let mut range = Range::new(&(20_000..=20_019));
        let used: Vec<u16> = (0..7).filter_map(|_| range.take(Mono(0), Rank::First).ok()).collect();
        used.iter().for_each(|port| range.give_back(Mono(0), *port));
        // Three of ten have rested: a quarter and more. At the third, the rest is short.
        for _ in 0..3 {
            let port = range.take(Mono::from_ms(S), Rank::First).expect("a rested one");
            assert!(!used.contains(&port));
        }
        assert_eq!(range.take(Mono::from_ms(1_999), Rank::First), Err(Shortage::Resting));
        assert_eq!(range.take(Mono::from_ms(2_000), Rank::First), Ok(used[0]));
    }

    #[test]
    fn all_used_is_another_word_than_resting() {
        let mut range = Range::new(&(20_000..=20_007));
        assert_eq!(all(&mut range, 0, Rank::First).len(), 4);
        assert_eq!(range.take(Mono(0), Rank::First), Err(Shortage::AllUsed));
        range.give_back(Mono(0), 20_002);
        assert_eq!(range.take(Mono::from_ms(S), Rank::First), Err(Shortage::Resting));
        assert_eq!(range.take(Mono::from_ms(2 * S), Rank::First), Ok(20_002));
    }

    #[test]
    fn a_tenth_is_kept_for_the_first_rank_and_half_of_it_for_what_must_always_be_had() {
        let mut range = Range::new(&(20_000..=20_199));
        assert_eq!(all(&mut range, 0, Rank::Second).len(), 90);
        assert_eq!(range.take(Mono(0), Rank::Second), Err(Shortage::Kept));
        assert_eq!(all(&mut range, 0, Rank::First).len(), 5);
        assert_eq!(range.take(Mono(0), Rank::First), Err(Shortage::Kept));
        assert_eq!(all(&mut range, 0, Rank::Always).len(), 5);
        assert_eq!(range.take(Mono(0), Rank::Second), Err(Shortage::AllUsed));
        assert_eq!(range.take(Mono(0), Rank::Always), Err(Shortage::AllUsed));
    }

    #[test]
    fn what_must_always_be_had_gets_the_pair_that_rested_longest() {
        let mut range = Range::new(&(20_000..=20_003));
        assert_eq!(all(&mut range, 0, Rank::First).len(), 2);
        range.give_back(Mono(0), 20_002);
        range.give_back(Mono(1), 20_000);
        assert_eq!(range.take(Mono(2), Rank::First), Err(Shortage::Resting));
        assert_eq!(range.take(Mono(2), Rank::Always), Ok(20_002));
    }

    #[test]
    fn two_hundred_calls_a_second_of_one_second_each_always_find_a_pair() {
        let mut range = Range::new(&(20_000..=29_999));
        let mut held = VecDeque::new();
        for ms in (0..120 * S).step_by(5) {
            while held.front().is_some_and(|(until, _)| *until <= ms) {
                if let Some((_, port)) = held.pop_front() {
                    range.give_back(Mono::from_ms(ms), port);
                }
            }
            for _ in 0..2 {
                let port = range.take(Mono::from_ms(ms), Rank::First).expect("a pair");
                held.push_back((ms + S, port));
            }
        }
    }
}
