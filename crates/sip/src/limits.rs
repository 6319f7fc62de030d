//! How often somebody may ask, and how often guess: token buckets and counts of wrong answers, in
//! tables that do not grow. Knows no SIP, no password, and reads no clock.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};

/// Who asks, as far as an address can tell: a host of IPv4, a network of IPv6 (a /64 is one
/// customer's, and 2^64 addresses of it cost nothing).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Origin(IpAddr);

impl Origin {
    pub(crate) fn of(ip: IpAddr) -> Self {
        match ip.to_canonical() {
            IpAddr::V6(ip) => {
                let network = ip.to_bits() & !u128::from(u64::MAX);
                Self(IpAddr::V6(Ipv6Addr::from_bits(network)))
            }
            v4 => Self(v4),
        }
    }

    /// The same for both writings of an IPv4 address, and of the same length for both families.
    pub(crate) fn octets(self) -> [u8; 16] {
        match self.0 {
            IpAddr::V4(ip) => ip.to_ipv6_mapped().octets(),
            IpAddr::V6(ip) => ip.octets(),
        }
    }
}

/// So many a second in the long run, so many at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    pub per_s: u32,
    pub at_once: u32,
}

/// A bucket of tokens for each key. A key that is not known has a full one, so that those which
/// are full again need not be kept.
pub(crate) struct Buckets<K> {
    rate: Rate,
    keys_max: usize,
    /// Tokens in thousandths, and when they were counted.
    filled: HashMap<K, (u64, u64)>,
    /// No room was found at this time: until it is later, nobody new is looked for one.
    crowded_at_ms: Option<u64>,
}

impl<K: Eq + Hash + Clone> Buckets<K> {
    pub(crate) fn new(rate: Rate, keys_max: usize) -> Self {
        Self { rate, keys_max, filled: HashMap::new(), crowded_at_ms: None }
    }

    fn full(&self) -> u64 {
        u64::from(self.rate.at_once.max(1)) * 1_000
    }

    /// Takes one token; Err is how many seconds until there is one.
    pub(crate) fn take(&mut self, key: K, now_ms: u64) -> Result<(), u32> {
        let (full, per_s) = (self.full(), u64::from(self.rate.per_s.max(1)));
        if !self.filled.contains_key(&key) && self.filled.len() >= self.keys_max {
            self.forget_full(now_ms)?;
        }
        let (tokens, at) = self.filled.entry(key).or_insert((full, now_ms));
        *tokens = full.min(*tokens + now_ms.saturating_sub(*at) * per_s);
        *at = now_ms.max(*at);
        if *tokens >= 1_000 {
            *tokens -= 1_000;
            return Ok(());
        }
        let wait_ms = (1_000 - *tokens).div_ceil(per_s);
        Err(u32::try_from(wait_ms.div_ceil(1_000)).unwrap_or(u32::MAX).max(1))
    }

    /// Makes room by forgetting what is full again. With none to forget, the table is full of
    /// askers at their limit, and one more is over it too; that is found out once a second only.
    fn forget_full(&mut self, now_ms: u64) -> Result<(), u32> {
        if self.crowded_at_ms.is_some_and(|at| now_ms < at + 1_000) {
            return Err(1);
        }
        let (full, per_s) = (self.full(), u64::from(self.rate.per_s.max(1)));
        self.filled.retain(|_, (tokens, at)| *tokens + now_ms.saturating_sub(*at) * per_s < full);
        if self.filled.len() < self.keys_max {
            return Ok(());
        }
        self.crowded_at_ms = Some(now_ms);
        Err(1)
    }
}

/// How many wrong answers are taken, and how long the lock holds after the last of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Guessing {
    /// By one source for one account.
    pub wrong_max: u32,
    /// By one source for all accounts.
    pub source_wrong_max: u32,
    pub lock_s: u32,
}

/// Wrong answers by account and source: whoever guesses from elsewhere does not lock out the
/// account's own phone. Accounts that there are not count like those that there are.
pub(crate) struct Guesses {
    guessing: Guessing,
    keys_max: usize,
    by_account: HashMap<(String, Origin), Wrong>,
    by_source: HashMap<Origin, Wrong>,
}

#[derive(Clone, Copy)]
struct Wrong {
    count: u32,
    last_ms: u64,
    /// When an emergency call last passed the lock.
    helped_ms: Option<u64>,
}

/// An emergency call passes a lock once in so long: a right password gets through at once, and
/// guesses by such calls stay few.
const HELP_EVERY_MS: u64 = 30_000;

impl Guesses {
    pub(crate) fn new(guessing: Guessing, keys_max: usize) -> Self {
        let (by_account, by_source) = (HashMap::new(), HashMap::new());
        Self { guessing, keys_max, by_account, by_source }
    }

    fn lock_ms(&self) -> u64 {
        u64::from(self.guessing.lock_s) * 1_000
    }

    pub(crate) fn is_locked(&self, account: &str, from: Origin, now_ms: u64) -> bool {
        let held = |wrong: Option<&Wrong>, max| {
            wrong.is_some_and(|w| w.count >= max && now_ms < w.last_ms + self.lock_ms())
        };
        held(self.by_source.get(&from), self.guessing.source_wrong_max)
            || held(self.by_account.get(&(account.to_owned(), from)), self.guessing.wrong_max)
    }

    /// Whether an emergency call passes the lock now; it is then noted.
    pub(crate) fn lets_call_for_help(&mut self, account: &str, from: Origin, now_ms: u64) -> bool {
        let of_source = self.by_source.get_mut(&from);
        let of_account = self.by_account.get_mut(&(account.to_owned(), from));
        let mut locks: Vec<&mut Wrong> = of_source.into_iter().chain(of_account).collect();
        let lately = |wrong: &&mut Wrong| {
            wrong.helped_ms.is_some_and(|helped| now_ms < helped + HELP_EVERY_MS)
        };
        if locks.iter().any(lately) {
            return false;
        }
        locks.iter_mut().for_each(|wrong| wrong.helped_ms = Some(now_ms));
        true
    }

    /// Counts a wrong answer; true if it was the one that locks.
    pub(crate) fn wrong(&mut self, account: &str, from: Origin, now_ms: u64) -> bool {
        let (lock_ms, keys_max) = (self.lock_ms(), self.keys_max);
        let of_source = count(&mut self.by_source, from, now_ms, lock_ms, keys_max);
        let key = (account.to_owned(), from);
        let of_account = count(&mut self.by_account, key, now_ms, lock_ms, keys_max);
        of_account == self.guessing.wrong_max || of_source == self.guessing.source_wrong_max
    }

    pub(crate) fn right(&mut self, account: &str, from: Origin) {
        self.by_account.remove(&(account.to_owned(), from));
    }
}

fn count<K: Eq + Hash + Clone>(
    table: &mut HashMap<K, Wrong>,
    key: K,
    now_ms: u64,
    lock_ms: u64,
    keys_max: usize,
) -> u32 {
    if !table.contains_key(&key) && table.len() >= keys_max {
        table.retain(|_, wrong| now_ms < wrong.last_ms + lock_ms);
        // Still full: the quietest goes, which is one that guesses the least of all.
        let quietest = table.iter().min_by_key(|(_, w)| (w.count, w.last_ms)).map(|(k, _)| k);
        if table.len() >= keys_max
            && let Some(quietest) = quietest.cloned()
        {
            table.remove(&quietest);
        }
    }
    let wrong = table.entry(key).or_insert(Wrong { count: 0, last_ms: now_ms, helped_ms: None });
    if now_ms >= wrong.last_ms + lock_ms {
        wrong.count = 0;
    }
    wrong.count = wrong.count.saturating_add(1);
    wrong.last_ms = now_ms;
    wrong.count
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn from(host: u8) -> Origin {
        Origin::of(IpAddr::from([192, 0, 2, host]))
    }

    #[test]
    fn a_bucket_gives_so_many_at_once_then_so_many_a_second() {
        let mut buckets = Buckets::new(Rate { per_s: 2, at_once: 3 }, 8);
        assert_eq!([0, 0, 0].map(|at| buckets.take("a", at)), [Ok(()); 3]);
        assert_eq!(buckets.take("a", 0), Err(1));
        assert_eq!(buckets.take("b", 0), Ok(()), "another has its own");
        assert_eq!((buckets.take("a", 499), buckets.take("a", 500)), (Err(1), Ok(())));
        assert_eq!(buckets.take("a", 10_000), Ok(()));
    }

    #[test]
    fn a_full_table_forgets_the_full_buckets_and_refuses_strangers_else() {
        let mut buckets = Buckets::new(Rate { per_s: 1, at_once: 2 }, 2);
        assert_eq!((buckets.take(1, 0), buckets.take(2, 0)), (Ok(()), Ok(())));
        assert_eq!(buckets.take(3, 0), Err(1));
        assert_eq!(buckets.take(1, 0), Ok(()), "who is known goes on");
        assert_eq!(buckets.take(3, 5_000), Ok(()));
        assert!(buckets.filled.len() <= 2);
    }

    #[test]
    fn ten_wrong_answers_lock_one_source_for_one_account() {
        let guessing = Guessing { wrong_max: 10, source_wrong_max: 100, lock_s: 60 };
        let mut guesses = Guesses::new(guessing, 64);
        let locks: Vec<_> = (0..10).map(|n| guesses.wrong("ana", from(1), n)).collect();
        assert_eq!(locks.iter().position(|locked| *locked), Some(9));
        assert!(guesses.is_locked("ana", from(1), 100));
        assert!(!guesses.is_locked("ana", from(2), 100), "the real phone is elsewhere");
        assert!(!guesses.is_locked("bo", from(1), 100));
        assert!(!guesses.is_locked("ana", from(1), 60_010), "a lock ends");
    }

    #[test]
    fn a_source_that_guesses_at_everybody_is_locked_for_everybody() {
        let guessing = Guessing { wrong_max: 10, source_wrong_max: 20, lock_s: 60 };
        let mut guesses = Guesses::new(guessing, 8);
        for n in 0..20 {
            guesses.wrong(&format!("user{n}"), from(1), n);
        }
        assert!(guesses.is_locked("anybody", from(1), 100));
        assert!(guesses.by_account.len() <= 8, "the table is bounded");
    }

    #[test]
    fn a_right_answer_clears_the_count() {
        let guessing = Guessing { wrong_max: 2, source_wrong_max: 100, lock_s: 60 };
        let mut guesses = Guesses::new(guessing, 8);
        assert!(!guesses.wrong("ana", from(1), 0));
        guesses.right("ana", from(1));
        assert!(!guesses.wrong("ana", from(1), 1));
    }

    #[test]
    fn an_emergency_call_passes_a_lock_once_in_a_while() {
        let guessing = Guessing { wrong_max: 1, source_wrong_max: 100, lock_s: 600 };
        let mut guesses = Guesses::new(guessing, 8);
        guesses.wrong("ana", from(1), 0);
        let passes = [0, 1, 29_999, 30_000, 30_001]
            .map(|now| guesses.lets_call_for_help("ana", from(1), now));
        assert_eq!(passes, [true, false, false, true, false]);
        assert!(guesses.is_locked("ana", from(1), 30_001), "for every other call");
    }

    #[test]
    fn a_network_of_ipv6_is_one_source() {
        let of = |text: &str| Origin::of(text.parse().unwrap());
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_eq!(of("::ffff:192.0.2.1"), from(1));
    }
}
