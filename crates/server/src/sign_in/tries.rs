//! How often a password may be guessed. Counts wrong ones by source and name together, and by
//! source; never by name alone, so that nobody can lock a person out by guessing from elsewhere
//! (promises 17). Time is an argument; who may sign in is not known here.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;

/// Wrong ones of one source for one name that cost nothing but the hash.
const FREE_PER_NAME: u32 = 5;
const FREE_PER_SOURCE: u32 = 40;
const FIRST_WAIT_MS: u64 = 2_000;
const LONGEST_WAIT_MS: u64 = 300_000;
/// After so long without a wrong one all is forgotten.
const FORGET_MS: u64 = 900_000;
const ENTRIES_MAX: usize = 20_000;

/// A host, or the network that one subscriber of IPv6 has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Source(IpAddr);

impl Source {
    pub fn of(ip: IpAddr) -> Source {
        match ip.to_canonical() {
            IpAddr::V6(v6) => {
                let network = v6.to_bits() & !u128::from(u64::MAX);
                Source(IpAddr::V6(network.into()))
            }
            v4 => Source(v4),
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Wrong {
    count: u32,
    last_ms: u64,
}

#[derive(Debug, Default)]
pub struct Tries {
    by_name: HashMap<(Source, String), Wrong>,
    by_source: HashMap<Source, Wrong>,
}

impl Tries {
    /// How long this source must wait before it may try this name; 0: it may now.
    pub fn wait_ms(&self, from: Source, name: &str, now_ms: u64) -> u64 {
        let by_name = self.by_name.get(&(from, name.to_lowercase()));
        let by_source = self.by_source.get(&from);
        left(by_name, FREE_PER_NAME, now_ms).max(left(by_source, FREE_PER_SOURCE, now_ms))
    }

    pub fn wrong(&mut self, from: Source, name: &str, now_ms: u64) {
        count(&mut self.by_name, (from, name.to_lowercase()), now_ms);
        count(&mut self.by_source, from, now_ms);
    }

    /// What the source got wrong for other names stays counted: one password of one's own must
    /// not pay for guesses at others'.
    pub fn right(&mut self, from: Source, name: &str) {
        self.by_name.remove(&(from, name.to_lowercase()));
    }
}

fn left(wrong: Option<&Wrong>, free: u32, now_ms: u64) -> u64 {
    let Some(wrong) = wrong.filter(|w| w.count >= free && now_ms < w.last_ms + FORGET_MS) else {
        return 0;
    };
    let doubled = FIRST_WAIT_MS.saturating_mul(1 << (wrong.count - free).min(16));
    (wrong.last_ms + doubled.min(LONGEST_WAIT_MS)).saturating_sub(now_ms)
}

fn count<K: Eq + Hash + Clone>(table: &mut HashMap<K, Wrong>, key: K, now_ms: u64) {
    if table.len() >= ENTRIES_MAX && !table.contains_key(&key) {
        table.retain(|_, wrong| now_ms < wrong.last_ms + FORGET_MS);
        // Still full: the one that was wrong longest ago makes room.
        let oldest = table.iter().min_by_key(|(_, wrong)| wrong.last_ms);
        if let Some(oldest) = oldest.filter(|_| table.len() >= ENTRIES_MAX) {
            let oldest = oldest.0.clone();
            table.remove(&oldest);
        }
    }
    let wrong = table.entry(key).or_insert(Wrong { count: 0, last_ms: now_ms });
    if now_ms >= wrong.last_ms + FORGET_MS {
        wrong.count = 0;
    }
    *wrong = Wrong { count: wrong.count.saturating_add(1), last_ms: now_ms };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(last: u8) -> Source {
        Source::of(IpAddr::from([192, 0, 2, last]))
    }

    #[test]
    fn five_wrong_ones_are_free_and_then_each_doubles_the_wait() {
        let mut tries = Tries::default();
        let mut waits = Vec::new();
        for _ in 0..8 {
            waits.push(tries.wait_ms(source(1), "Mia", 1_000));
            tries.wrong(source(1), "mia", 1_000);
        }
        assert_eq!(waits, [0, 0, 0, 0, 0, 2_000, 4_000, 8_000]);
        assert_eq!(tries.wait_ms(source(1), "MIA", 1_000 + 16_000), 0);
        assert_eq!(tries.wait_ms(source(1), "mia", 1_000 + 15_999), 1);
    }

    #[test]
    fn whoever_guesses_from_elsewhere_locks_nobody_out() {
        let mut tries = Tries::default();
        for _ in 0..1_000 {
            tries.wrong(source(1), "mia", 1_000);
        }
        assert_eq!(tries.wait_ms(source(1), "mia", 1_000), LONGEST_WAIT_MS);
        assert_eq!(tries.wait_ms(source(2), "mia", 1_000), 0);
    }

    #[test]
    fn a_source_that_tries_many_names_waits_for_all_of_them() {
        let mut tries = Tries::default();
        for n in 0..FREE_PER_SOURCE {
            tries.wrong(source(1), &format!("p{n}"), 1_000);
        }
        assert!(tries.wait_ms(source(1), "another", 1_000) > 0);
        tries.right(source(1), "p0");
        assert!(tries.wait_ms(source(1), "p0", 1_000) > 0, "its other guesses stay counted");
        assert_eq!(tries.wait_ms(source(1), "another", 1_000 + FORGET_MS), 0);
    }

    #[test]
    fn one_subscriber_of_ipv6_is_one_source_and_a_mapped_address_is_its_ipv4() {
        let of = |text: &str| Source::of(text.parse().unwrap());
        assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff::9"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(of("::ffff:192.0.2.1"), source(1));
    }

    #[test]
    fn the_table_does_not_grow_for_ever() {
        let mut tries = Tries::default();
        for n in 0..ENTRIES_MAX as u32 + 100 {
            tries.wrong(Source::of(IpAddr::from(n.to_be_bytes())), "mia", u64::from(n));
        }
        assert!(tries.by_source.len() <= ENTRIES_MAX && tries.by_name.len() <= ENTRIES_MAX);
    }
}
