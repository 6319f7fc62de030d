//! How often a password may be guessed. Counts wrong ones by source and name together, and by
//! source; never by name alone, so that nobody can lock a person out by guessing from elsewhere
//! (promises 17). What a neighbour behind the same address gets wrong does not count for who has
//! signed in from there before. Time is an argument; who may sign in is not known here.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;

/// Wrong ones of one source for one name that cost nothing but the hash.
const FREE_PER_NAME: u32 = 5;
const FREE_PER_SOURCE: u32 = 40;
const FIRST_WAIT_MS: u64 = 2_000;
const LONGEST_WAIT_MS: u64 = 300_000;
/// For a source as a whole: it may be an office.
const LONGEST_WAIT_OF_ALL_MS: u64 = 30_000;
/// Passwords of one source that are judged at once; the places are few.
const AT_ONCE_OF_ONE: u32 = 4;
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
    /// Who has signed in from where, and when last.
    known: HashMap<(Source, String), u64>,
    judged: HashMap<Source, u32>,
}

impl Tries {
    /// How long this source must wait before it may try this name; 0: it may now.
    pub fn wait_ms(&self, from: Source, name: &str, now_ms: u64) -> u64 {
        let key = (from, name.to_lowercase());
        let own = left(self.by_name.get(&key), FREE_PER_NAME, LONGEST_WAIT_MS, now_ms);
        if self.known.contains_key(&key) {
            return own;
        }
        let all = self.by_source.get(&from);
        own.max(left(all, FREE_PER_SOURCE, LONGEST_WAIT_OF_ALL_MS, now_ms))
    }

    /// False: enough of this source are being judged. Else `leave` must follow.
    pub fn enter(&mut self, from: Source) -> bool {
        let judged = self.judged.entry(from).or_insert(0);
        let free = *judged < AT_ONCE_OF_ONE;
        *judged += u32::from(free);
        free
    }

    pub fn leave(&mut self, from: Source) {
        if let Some(judged) = self.judged.get_mut(&from) {
            *judged = judged.saturating_sub(1);
        }
        self.judged.retain(|_, judged| *judged > 0);
    }

    pub fn wrong(&mut self, from: Source, name: &str, now_ms: u64) {
        count(&mut self.by_name, (from, name.to_lowercase()), now_ms);
        count(&mut self.by_source, from, now_ms);
    }

    /// The try that was counted as wrong was right. What the source got wrong for other names
    /// stays counted: one password of one's own must not pay for guesses at others'.
    pub fn right(&mut self, from: Source, name: &str, now_ms: u64) {
        let key = (from, name.to_lowercase());
        self.by_name.remove(&key);
        if let Some(all) = self.by_source.get_mut(&from) {
            all.count = all.count.saturating_sub(1);
        }
        make_room(&mut self.known, &key, |last_ms| *last_ms);
        self.known.insert(key, now_ms);
    }
}

fn left(wrong: Option<&Wrong>, free: u32, longest_ms: u64, now_ms: u64) -> u64 {
    let Some(wrong) = wrong.filter(|w| w.count >= free && now_ms < w.last_ms + FORGET_MS) else {
        return 0;
    };
    let doubled = FIRST_WAIT_MS.saturating_mul(1 << (wrong.count - free).min(16));
    (wrong.last_ms + doubled.min(longest_ms)).saturating_sub(now_ms)
}

/// Where the table is full, what was last heard of longest ago goes.
fn make_room<K: Eq + Hash + Clone, V>(
    table: &mut HashMap<K, V>,
    key: &K,
    last_ms: impl Fn(&V) -> u64,
) {
    if table.len() < ENTRIES_MAX || table.contains_key(key) {
        return;
    }
    let oldest = table.iter().min_by_key(|(_, value)| last_ms(value)).map(|(key, _)| key.clone());
    if let Some(oldest) = oldest {
        table.remove(&oldest);
    }
}

fn count<K: Eq + Hash + Clone>(table: &mut HashMap<K, Wrong>, key: K, now_ms: u64) {
    make_room(table, &key, |wrong| wrong.last_ms);
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
        assert!(tries.wait_ms(source(1), "another", 1_000) <= LONGEST_WAIT_OF_ALL_MS);
        assert_eq!(tries.wait_ms(source(1), "another", 1_000 + FORGET_MS), 0);
    }

    #[test]
    fn an_office_that_signs_in_is_no_guesser_and_its_people_do_not_wait_for_one() {
        let mut tries = Tries::default();
        for n in 0..3 * FREE_PER_SOURCE {
            let name = format!("p{n}");
            assert_eq!(tries.wait_ms(source(1), &name, 1_000), 0);
            tries.wrong(source(1), &name, 1_000);
            tries.right(source(1), &name, 1_000);
        }
        for _ in 0..2 * FREE_PER_SOURCE {
            tries.wrong(source(1), "guessed", 2_000);
        }
        assert_eq!(tries.wait_ms(source(1), "P7", 2_000), 0, "known from here");
        assert!(tries.wait_ms(source(1), "newcomer", 2_000) > 0);
        tries.right(source(1), "p1", 2_000);
        assert!(tries.wait_ms(source(1), "newcomer", 2_000) > 0, "a right one pays for one");
    }

    #[test]
    fn one_source_does_not_take_all_the_places_where_passwords_are_judged() {
        let mut tries = Tries::default();
        let entered = (0..9).filter(|_| tries.enter(source(1))).count();
        assert_eq!(entered as u32, AT_ONCE_OF_ONE);
        assert!(tries.enter(source(2)));
        tries.leave(source(1));
        assert!(tries.enter(source(1)) && !tries.enter(source(1)));
        (0..9).for_each(|_| tries.leave(source(1)));
        tries.leave(source(2));
        assert!(tries.judged.is_empty());
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
            let from = Source::of(IpAddr::from(n.to_be_bytes()));
            tries.wrong(from, "mia", u64::from(n));
            tries.right(from, "bo", u64::from(n));
        }
        assert!(tries.by_source.len() <= ENTRIES_MAX && tries.by_name.len() <= ENTRIES_MAX);
        assert!(tries.known.len() <= ENTRIES_MAX);
    }
}
