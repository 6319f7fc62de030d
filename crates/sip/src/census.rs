//! How many connections there are, in all and from each host, and which of them have said nothing
//! yet. Owns the counts and the rule that a silent one makes room; opens and closes nothing.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use tokio_util::sync::CancellationToken;

use crate::lock::lock;
use crate::types::StreamLimits;

#[derive(Default)]
pub(crate) struct Census {
    counts: Mutex<Counts>,
    pub(crate) refused: AtomicU64,
}

#[derive(Default)]
struct Counts {
    total: usize,
    by_source: HashMap<IpAddr, usize>,
    /// In the order in which they came.
    silent: VecDeque<(u64, CancellationToken)>,
    last: u64,
}

/// One connection's place; given back when it is dropped.
pub(crate) struct Place {
    census: Arc<Census>,
    source: IpAddr,
    number: u64,
    /// Cancelled when the place is needed by somebody else.
    pub(crate) evicted: CancellationToken,
}

impl Census {
    /// None when this host, or all of them together, have what they may have.
    pub(crate) fn admit(self: &Arc<Self>, source: IpAddr, limits: &StreamLimits) -> Option<Place> {
        let mut counts = lock(&self.counts);
        let full = counts.by_source.get(&source).is_some_and(|n| *n >= limits.per_source_max);
        // One that has said nothing makes room; it still counts until it has gone.
        let room = counts.total < limits.connections_max
            || counts.total < limits.connections_max.saturating_mul(2)
                && counts.silent.pop_front().is_some_and(|(_, oldest)| {
                    oldest.cancel();
                    true
                });
        if full || !room {
            self.refused.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        counts.total += 1;
        *counts.by_source.entry(source).or_insert(0) += 1;
        counts.last += 1;
        let number = counts.last;
        let evicted = CancellationToken::new();
        counts.silent.push_back((number, evicted.clone()));
        Some(Place { census: self.clone(), source, number, evicted })
    }

    pub(crate) fn total(&self) -> usize {
        lock(&self.counts).total
    }
}

impl Place {
    /// It has said something: it is no longer the one that makes room.
    pub(crate) fn spoke(&self) {
        lock(&self.census.counts).silent.retain(|(number, _)| *number != self.number);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = lock(&self.census.counts);
        counts.total -= 1;
        counts.silent.retain(|(number, _)| *number != self.number);
        if let Some(count) = counts.by_source.get_mut(&self.source) {
            *count -= 1;
            if *count == 0 {
                counts.by_source.remove(&self.source);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(n: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, n])
    }

    #[test]
    fn a_host_and_all_together_have_their_limits_and_the_silent_make_room() {
        let census = Arc::new(Census::default());
        let limits =
            StreamLimits { connections_max: 3, per_source_max: 2, ..StreamLimits::default() };
        let first = census.admit(host(1), &limits).unwrap();
        let second = census.admit(host(1), &limits).unwrap();
        assert!(census.admit(host(1), &limits).is_none(), "a third from one host");
        first.spoke();
        let third = census.admit(host(2), &limits).unwrap();
        let fourth = census.admit(host(3), &limits).unwrap();
        assert!(!first.evicted.is_cancelled() && second.evicted.is_cancelled());
        drop(second);
        third.spoke();
        fourth.spoke();
        assert!(census.admit(host(4), &limits).is_none(), "all have spoken");
        drop((first, third, fourth));
        assert_eq!(census.total(), 0);
        assert!(lock(&census.counts).by_source.is_empty());
        assert_eq!(census.refused.load(Ordering::Relaxed), 2);
    }
}
