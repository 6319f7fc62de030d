//! How many connections there are, and who makes room when there are too many. Owns the counts and
//! the order of leaving; opens and closes nothing, and asks others what a connection is needed for.
//!
//! Connections that came to us and those that we opened have places apart, so that no crowd of
//! strangers keeps us from dialling.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use crate::flow::Flow;
use crate::limits::Origin;
use crate::lock::lock;
use crate::types::StreamLimits;

/// Finding out which connections nothing needs is work: it is done for several at a time, and
/// after it found none, not again for so long.
const ROOM_FOR: usize = 16;
const LOOK_AGAIN: Duration = Duration::from_secs(1);

#[derive(Default)]
pub(crate) struct Census {
    counts: Mutex<Counts>,
    pub(crate) refused: AtomicU64,
}

#[derive(Default)]
struct Counts {
    /// In the order in which they came.
    came: BTreeMap<u64, Came>,
    by_source: HashMap<Origin, usize>,
    dialled: usize,
    last: u64,
    all_needed_at: Option<Instant>,
}

struct Came {
    stage: Stage,
    /// Cancelled when its place is needed by somebody else.
    evicted: CancellationToken,
}

enum Stage {
    /// It has said nothing yet.
    Silent,
    Open(Weak<Flow>),
    /// It is on its way out, and still counts until it has gone.
    Leaving,
}

/// One connection's place; given back when it is dropped.
pub(crate) struct Place {
    census: Arc<Census>,
    /// None if it is one of our own.
    source: Option<Origin>,
    number: u64,
    pub(crate) evicted: CancellationToken,
}

impl Census {
    /// A connection that came to us. None when its host, or all of them together, have what they
    /// may have. `in_use` finds out which are needed, asked only if it comes to that.
    pub(crate) fn admit<N: Fn(&Flow) -> bool>(
        self: &Arc<Self>,
        source: IpAddr,
        limits: &StreamLimits,
        in_use: impl FnOnce() -> N,
    ) -> Option<Place> {
        let source = Origin::of(source);
        let mut counts = lock(&self.counts);
        let full = counts.by_source.get(&source).is_some_and(|n| *n >= limits.per_source_max);
        // Those that leave still count, so that nobody makes us hold more than twice as many.
        let room = counts.came.len() < limits.connections_max.saturating_mul(2);
        if full || !room || !counts.make_room(limits.connections_max, in_use) {
            self.refused.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        let evicted = CancellationToken::new();
        counts.last += 1;
        let number = counts.last;
        counts.came.insert(number, Came { stage: Stage::Silent, evicted: evicted.clone() });
        *counts.by_source.entry(source).or_insert(0) += 1;
        Some(Place { census: self.clone(), source: Some(source), number, evicted })
    }

    /// One of our own.
    pub(crate) fn dial(self: &Arc<Self>, limits: &StreamLimits) -> Option<Place> {
        let mut counts = lock(&self.counts);
        if counts.dialled >= limits.connections_max {
            self.refused.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        counts.dialled += 1;
        let evicted = CancellationToken::new();
        Some(Place { census: self.clone(), source: None, number: 0, evicted })
    }

    pub(crate) fn total(&self) -> usize {
        let counts = lock(&self.counts);
        counts.came.len() + counts.dialled
    }
}

impl Counts {
    fn staying(&self) -> usize {
        self.came.values().filter(|came| !matches!(came.stage, Stage::Leaving)).count()
    }

    /// The oldest that has said nothing makes room; if all have spoken, the oldest that no call, no
    /// registration and no hold of ours needs.
    fn make_room<N: Fn(&Flow) -> bool>(&mut self, most: usize, in_use: impl FnOnce() -> N) -> bool {
        if self.came.len() < most || self.staying() < most {
            return true;
        }
        let silent = |came: &&mut Came| matches!(came.stage, Stage::Silent);
        if let Some(oldest) = self.came.values_mut().find(silent) {
            oldest.leave();
            return true;
        }
        if self.all_needed_at.is_some_and(|at| at.elapsed() < LOOK_AGAIN) {
            return false;
        }
        let needed = in_use();
        let mut room = 0;
        for came in self.came.values_mut() {
            let Stage::Open(flow) = &came.stage else { continue };
            if !flow.upgrade().is_some_and(|flow| flow.is_held() || needed(&flow)) {
                came.leave();
                room += 1;
            }
            if room == ROOM_FOR.min(most) {
                break;
            }
        }
        self.all_needed_at = (room == 0).then(Instant::now);
        room > 0
    }
}

impl Came {
    fn leave(&mut self) {
        self.evicted.cancel();
        self.stage = Stage::Leaving;
    }
}

impl Place {
    /// It has said something: it is no longer the first that makes room.
    pub(crate) fn spoke(&self, flow: &Arc<Flow>) {
        if let Some(came) = lock(&self.census.counts).came.get_mut(&self.number)
            && matches!(came.stage, Stage::Silent)
        {
            came.stage = Stage::Open(Arc::downgrade(flow));
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = lock(&self.census.counts);
        let Some(source) = &self.source else {
            counts.dialled -= 1;
            return;
        };
        counts.came.remove(&self.number);
        if let Some(count) = counts.by_source.get_mut(source) {
            *count -= 1;
            if *count == 0 {
                counts.by_source.remove(source);
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

    fn unasked() -> fn(&Flow) -> bool {
        panic!("a silent one makes room first")
    }

    #[test]
    fn a_host_and_all_together_have_their_limits_and_the_silent_make_room() {
        let census = Arc::new(Census::default());
        let limits =
            StreamLimits { connections_max: 3, per_source_max: 2, ..StreamLimits::default() };
        let first = census.admit(host(1), &limits, unasked).unwrap();
        let second = census.admit(host(1), &limits, unasked).unwrap();
        let third = census.admit(host(2), &limits, unasked).unwrap();
        assert!(census.admit(host(1), &limits, unasked).is_none(), "a third from one host");
        assert!(!first.evicted.is_cancelled(), "who is refused drives nobody out");
        let fourth = census.admit(host(3), &limits, unasked).unwrap();
        assert!(first.evicted.is_cancelled() && !second.evicted.is_cancelled());
        drop((first, second, third, fourth));
        assert_eq!(census.total(), 0);
        assert!(lock(&census.counts).by_source.is_empty());
        assert_eq!(census.refused.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn a_network_of_ipv6_is_one_host_and_our_own_are_not_counted_with_theirs() {
        let census = Arc::new(Census::default());
        let limits =
            StreamLimits { connections_max: 2, per_source_max: 1, ..StreamLimits::default() };
        let from = |text: &str| census.admit(text.parse().unwrap(), &limits, unasked);
        let _one = from("2001:db8::1").unwrap();
        assert!(from("2001:db8::2").is_none());
        let _two = from("2001:db8:0:1::1").unwrap();
        let ours = [(); 3].map(|()| census.dial(&limits));
        assert_eq!(ours.each_ref().map(Option::is_some), [true, true, false]);
        assert_eq!(census.total(), 4);
        drop(ours);
        assert_eq!(census.total(), 2);
    }
}
