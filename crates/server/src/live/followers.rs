//! How many pages follow the board at once: in all, and of one person, so that nobody's pages take
//! the places of all others.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use undertone_core::id::PersonId;
use undertone_core::refusal::{Reason, Refusal};

const FOLLOWERS_MAX: usize = 1_000;
const FOLLOWERS_OF_ONE_MAX: usize = 32;

#[derive(Debug, Default)]
pub(super) struct Followers(Mutex<BTreeMap<PersonId, usize>>);

/// One of them, as long as it follows.
#[derive(Debug)]
pub(super) struct Follows(Arc<Followers>, PersonId);

impl Drop for Follows {
    fn drop(&mut self) {
        let mut all = self.0.all();
        if let Some(own) = all.get_mut(&self.1) {
            *own = own.saturating_sub(1);
        }
        all.retain(|_, own| *own > 0);
    }
}

impl Followers {
    fn all(&self) -> MutexGuard<'_, BTreeMap<PersonId, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn take(self: &Arc<Self>, person: &PersonId) -> Result<Follows, Refusal> {
        let mut all = self.all();
        if all.get(person).is_some_and(|own| *own >= FOLLOWERS_OF_ONE_MAX) {
            let why = "32 pages or scripts of this person follow already";
            return Err(Refusal::with(Reason::Overloaded, why));
        }
        if all.values().sum::<usize>() >= FOLLOWERS_MAX {
            return Err(Refusal::with(Reason::Overloaded, "1,000 pages follow already"));
        }
        *all.entry(person.clone()).or_insert(0) += 1;
        Ok(Follows(self.clone(), person.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(n: usize) -> PersonId {
        PersonId::parse(&format!("p{n}")).unwrap()
    }

    #[test]
    fn a_person_with_too_many_pages_takes_nobody_elses_place() {
        let followers = Arc::new(Followers::default());
        let own: Vec<_> = (0..100).map_while(|_| followers.take(&person(1)).ok()).collect();
        assert_eq!(own.len(), FOLLOWERS_OF_ONE_MAX);
        let refused = followers.take(&person(1)).unwrap_err();
        assert!(format!("{refused:?}").contains("of this person"), "{refused:?}");
        let others: Vec<_> = (2..2_000).map_while(|n| followers.take(&person(n)).ok()).collect();
        assert_eq!(own.len() + others.len(), FOLLOWERS_MAX);
        drop(own);
        assert!(followers.take(&person(1)).is_ok());
        drop(others);
        assert!(followers.all().is_empty());
    }
}
