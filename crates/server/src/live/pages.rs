//! Whose pages are open: the control connection of who supervises by a browser. Every call is told
//! of each change, and a call that a person begins to steer asks whether there is a page; what
//! follows from it is core's.

use crate::commands::Desk;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;
use undertone_api::LastHeard;
use undertone_core::id::PersonId;

/// Bounded by the followers that the hub takes.
#[derive(Debug, Default)]
pub struct Pages {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    open: BTreeMap<PersonId, u32>,
    /// Of whom nothing has been told since: with how long the last page had been silent when it
    /// went. Told even if another has opened meanwhile: a call may have asked in between.
    untold: BTreeMap<PersonId, u64>,
}

/// One page, as long as it follows.
pub(super) struct Open {
    pages: Arc<Pages>,
    person: PersonId,
    heard: Arc<LastHeard>,
}

impl Drop for Open {
    fn drop(&mut self) {
        let mut state = self.pages.state();
        let left = state.open.get(&self.person).map_or(0, |pages| pages.saturating_sub(1));
        if left > 0 {
            state.open.insert(self.person.clone(), left);
            return;
        }
        state.open.remove(&self.person);
        state.untold.insert(self.person.clone(), self.heard.silent_ms());
        drop(state);
        self.pages.changed.notify_one();
    }
}

impl Pages {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this person has a page at this moment.
    pub fn has(&self, person: &PersonId) -> bool {
        self.state().open.contains_key(person)
    }

    pub(super) fn opens(self: &Arc<Self>, person: &PersonId, heard: Arc<LastHeard>) -> Open {
        let mut state = self.state();
        *state.open.entry(person.clone()).or_insert(0) += 1;
        state.untold.insert(person.clone(), 0);
        drop(state);
        self.changed.notify_one();
        Open { pages: self.clone(), person: person.clone(), heard }
    }

    /// Tells all calls, until it is ended.
    pub(super) async fn tell(self: Arc<Self>, desk: Arc<Desk>) {
        loop {
            self.changed.notified().await;
            let news: Vec<_> = {
                let mut state = self.state();
                let untold = std::mem::take(&mut state.untold);
                let open = &state.open;
                untold.into_iter().map(|(who, ms)| (open.contains_key(&who), who, ms)).collect()
            };
            for (is_there, person, silent_ms) in news {
                desk.board().control(&person, (!is_there).then_some(silent_ms)).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mia() -> PersonId {
        PersonId::parse("mia").unwrap()
    }

    #[test]
    fn the_last_page_of_several_is_the_one_that_counts() {
        let pages = Arc::new(Pages::default());
        assert!(!pages.has(&mia()));
        let first = pages.opens(&mia(), Arc::default());
        let second = pages.opens(&mia(), Arc::default());
        pages.state().untold.clear();
        drop(first);
        assert!(pages.has(&mia()) && pages.state().untold.is_empty());
        drop(second);
        assert!(!pages.has(&mia()) && pages.state().untold.contains_key(&mia()));
    }

    #[test]
    fn a_page_that_is_gone_and_back_before_anybody_looked_is_told_as_there() {
        let pages = Arc::new(Pages::default());
        drop(pages.opens(&mia(), Arc::default()));
        let _back = pages.opens(&mia(), Arc::default());
        assert!(pages.has(&mia()) && pages.state().untold.contains_key(&mia()));
    }
}
