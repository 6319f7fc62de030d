//! How often a person's pages may offer: each costs a reading and an answer. Knows no offer.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use undertone_core::id::PersonId;
use undertone_core::time::Mono;

/// In the long run one each second.
const EACH_US: u64 = 1_000_000;
/// At once: opened, on another path, loaded again and taken from another page.
const AT_ONCE: u64 = 5;

/// When each person's offers will all have been paid for.
#[derive(Debug, Default)]
pub(super) struct Offers(Mutex<HashMap<PersonId, Mono>>);

impl Offers {
    pub(super) fn may(&self, person: &PersonId, now: Mono) -> bool {
        let mut paid = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let owed = paid.get(person).map_or(0, |until| until.since(now));
        if owed > (AT_ONCE - 1) * EACH_US {
            return false;
        }
        // There are no more of them than people.
        paid.insert(person.clone(), now.plus_us(owed + EACH_US));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_at_once_and_then_one_a_second_each_person_for_itself() {
        let offers = Offers::default();
        let [mia, ana] = ["mia", "ana"].map(|id| PersonId::parse(id).expect("an id"));
        let now = Mono::from_ms(10_000);
        assert_eq!((0..20).filter(|_| offers.may(&mia, now)).count(), 5);
        assert!(offers.may(&ana, now));
        let late = |ms| now.plus_ms(ms);
        assert!(!offers.may(&mia, late(999)));
        assert!(offers.may(&mia, late(1_000)) && !offers.may(&mia, late(1_000)));
        assert_eq!((0..20).filter(|_| offers.may(&mia, late(60_000))).count(), 5);
    }
}
