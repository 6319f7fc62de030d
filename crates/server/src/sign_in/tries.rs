//! How often a password may be guessed. Counts wrong ones by source and name together, and by
//! source; never by name alone, so that nobody can lock a person out by guessing from elsewhere
//! (promises 17). A browser that is known by the name is counted by itself: what neighbours behind
//! the same address get wrong is not its owner's. Time is an argument; who may sign in is not known
//! here, and no name is kept, but its hash.

use super::devices::Device;
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::hash::Hash;
use undertone_api::Source;

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
/// Who signed in from where is of use for longer: a holiday.
const KNOWN_MS: u64 = 30 * 86_400_000;
/// That somebody is made to wait is told no more often of one source.
const TELL_EVERY_MS: u64 = 60_000;
const SWEEP_EVERY_MS: u64 = 60_000;
const ENTRIES_MAX: usize = 20_000;

/// Who tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Asker {
    /// A browser that is known by the name it tries.
    Known(Device),
    Stranger(Source),
}

/// Of a name in lower case, whatever its length.
type Name = [u8; 16];

fn named(name: &str) -> Name {
    let hash = Sha256::digest(name.to_lowercase().as_bytes());
    std::array::from_fn(|n| hash[n])
}

#[derive(Clone, Copy, Debug)]
struct Wrong {
    count: u32,
    last_ms: u64,
}

#[derive(Debug, Default)]
pub struct Tries {
    by_device: HashMap<Device, Wrong>,
    by_name: HashMap<(Source, Name), Wrong>,
    by_source: HashMap<Source, Wrong>,
    /// Who has signed in from where, and when last.
    known: HashMap<(Source, Name), u64>,
    judged: HashMap<Asker, u32>,
    /// Sources that were made to wait, and when that was told last.
    told: HashMap<Source, u64>,
    swept_ms: u64,
}

impl Tries {
    /// How long one must wait before this name may be tried; 0: it may be now.
    pub fn wait_ms(&self, by: Asker, name: &str, now_ms: u64) -> u64 {
        let from = match by {
            Asker::Known(device) => {
                let own = self.by_device.get(&device);
                return left(own, FREE_PER_NAME, LONGEST_WAIT_MS, now_ms);
            }
            Asker::Stranger(from) => from,
        };
        let key = (from, named(name));
        let own = left(self.by_name.get(&key), FREE_PER_NAME, LONGEST_WAIT_MS, now_ms);
        if self.known.contains_key(&key) {
            return own;
        }
        let all = self.by_source.get(&from);
        own.max(left(all, FREE_PER_SOURCE, LONGEST_WAIT_OF_ALL_MS, now_ms))
    }

    /// False: enough of this one are being judged. Else `leave` must follow.
    pub fn enter(&mut self, by: Asker) -> bool {
        let judged = self.judged.entry(by).or_insert(0);
        let free = *judged < AT_ONCE_OF_ONE;
        *judged += u32::from(free);
        free
    }

    pub fn leave(&mut self, by: Asker) {
        if let Some(judged) = self.judged.get_mut(&by) {
            *judged = judged.saturating_sub(1);
        }
        self.judged.retain(|_, judged| *judged > 0);
    }

    pub fn wrong(&mut self, by: Asker, name: &str, now_ms: u64) {
        self.sweep(now_ms);
        match by {
            Asker::Known(device) => count(&mut self.by_device, device, now_ms),
            Asker::Stranger(from) => {
                count(&mut self.by_name, (from, named(name)), now_ms);
                count(&mut self.by_source, from, now_ms);
            }
        }
    }

    /// The try that was counted as wrong was right. What the source got wrong for other names
    /// stays counted: one password of one's own must not pay for guesses at others'.
    pub fn right(&mut self, by: Asker, name: &str, now_ms: u64) {
        let from = match by {
            Asker::Known(device) => {
                self.by_device.remove(&device);
                return;
            }
            Asker::Stranger(from) => from,
        };
        let key = (from, named(name));
        self.by_name.remove(&key);
        if let Some(all) = self.by_source.get_mut(&from) {
            all.count = all.count.saturating_sub(1);
        }
        make_room(&mut self.known, &key, |last_ms| *last_ms);
        self.known.insert(key, now_ms);
    }

    /// Whether it is to be told that this source is made to wait.
    pub fn tells(&mut self, from: Source, now_ms: u64) -> bool {
        let before = self.told.get(&from);
        if before.is_some_and(|at| now_ms < at + TELL_EVERY_MS) {
            return false;
        }
        make_room(&mut self.told, &from, |at| *at);
        self.told.insert(from, now_ms);
        true
    }

    /// What counts no more takes no room.
    fn sweep(&mut self, now_ms: u64) {
        if now_ms < self.swept_ms + SWEEP_EVERY_MS {
            return;
        }
        self.swept_ms = now_ms;
        let counts = |wrong: &Wrong| now_ms < wrong.last_ms + FORGET_MS;
        self.by_device.retain(|_, wrong| counts(wrong));
        self.by_name.retain(|_, wrong| counts(wrong));
        self.by_source.retain(|_, wrong| counts(wrong));
        self.known.retain(|_, last_ms| now_ms < *last_ms + KNOWN_MS);
        self.told.retain(|_, at| now_ms < *at + TELL_EVERY_MS);
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
    use super::super::devices::Devices;
    use super::*;
    use std::net::IpAddr;

    fn source(last: u8) -> Asker {
        Asker::Stranger(Source::of(IpAddr::from([192, 0, 2, last])))
    }

    fn device(name: &str) -> Asker {
        let dir = tempfile::tempdir().unwrap();
        let devices = Devices::of(dir.path()).unwrap();
        Asker::Known(devices.known(&devices.token(name), name).unwrap())
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
    fn a_browser_that_is_known_does_not_wait_for_what_its_neighbours_guess() {
        let mut tries = Tries::default();
        let (mine, neighbour) = (device("mia"), source(1));
        for _ in 0..1_000 {
            tries.wrong(neighbour, "mia", 1_000);
        }
        while tries.enter(neighbour) {}
        assert_eq!(tries.wait_ms(mine, "mia", 1_000), 0);
        assert!(tries.enter(mine));
        // It is no way to guess more often.
        for _ in 0..FREE_PER_NAME {
            assert_eq!(tries.wait_ms(mine, "mia", 1_000), 0);
            tries.wrong(mine, "mia", 1_000);
        }
        assert_eq!(tries.wait_ms(mine, "mia", 1_000), FIRST_WAIT_MS);
        tries.right(mine, "mia", 1_000);
        assert_eq!(tries.wait_ms(mine, "mia", 1_000), 0);
    }

    #[test]
    fn that_a_source_waits_is_told_now_and_then() {
        let mut tries = Tries::default();
        let from = Source::of(IpAddr::from([192, 0, 2, 1]));
        let told = |tries: &mut Tries| (0..300).filter(|s| tries.tells(from, s * 1_000)).count();
        assert_eq!(told(&mut tries), 5);
    }

    #[test]
    fn the_table_does_not_grow_for_ever() {
        let mut tries = Tries::default();
        for n in 0..ENTRIES_MAX as u32 + 100 {
            let from = Asker::Stranger(Source::of(IpAddr::from(n.to_be_bytes())));
            tries.wrong(from, &"a name without end ".repeat(800), u64::from(n));
            tries.right(from, "bo", u64::from(n));
        }
        assert!(tries.by_source.len() <= ENTRIES_MAX && tries.by_name.len() <= ENTRIES_MAX);
        assert!(tries.known.len() <= ENTRIES_MAX);
        // However long the names: what is kept of each is as large as its hash.
        assert!(size_of::<(Source, Name)>() <= 40);
        let after = u64::from(ENTRIES_MAX as u32 + 100) + FORGET_MS;
        tries.wrong(source(1), "mia", after);
        assert_eq!((tries.by_name.len(), tries.by_source.len()), (1, 1), "the old are gone");
    }
}
