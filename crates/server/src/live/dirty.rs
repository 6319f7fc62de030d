//! What has changed since it was last looked at: names only, each once. Reported from calls and
//! the floor, which never wait here; bounded by the number of live calls.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;
use undertone_core::id::{CallId, PersonId};

#[derive(Debug, Default)]
pub struct Dirty {
    calls: Mutex<BTreeSet<CallId>>,
    agents: AtomicBool,
    /// Whether anybody follows; reports are dropped otherwise.
    wanted: AtomicBool,
    news: Notify,
    /// Who follows: by how many pages, and whether as a supervisor.
    looking: Mutex<BTreeMap<PersonId, (u32, bool)>>,
}

/// One page of a person, as long as it follows.
pub(super) struct Looking(Arc<Dirty>, PersonId);

impl Drop for Looking {
    fn drop(&mut self) {
        let mut all = self.0.looking();
        if let Some((pages, _)) = all.get_mut(&self.1) {
            *pages = pages.saturating_sub(1);
        }
        all.retain(|_, (pages, _)| *pages > 0);
    }
}

impl Dirty {
    fn calls(&self) -> MutexGuard<'_, BTreeSet<CallId>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn looking(&self) -> MutexGuard<'_, BTreeMap<PersonId, (u32, bool)>> {
        self.looking.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn looks(self: &Arc<Self>, person: &PersonId, supervises: bool) -> Looking {
        let mut all = self.looking();
        let (pages, as_supervisor) = all.entry(person.clone()).or_insert((0, supervises));
        (*pages, *as_supervisor) = (*pages + 1, supervises);
        drop(all);
        Looking(self.clone(), person.clone())
    }

    /// Whether a page of this person is open.
    pub fn is_looking(&self, person: &PersonId) -> bool {
        self.looking().contains_key(person)
    }

    /// How many supervisors look at the board now.
    pub fn supervisors(&self) -> u32 {
        let supervise = self.looking().values().filter(|(_, supervises)| *supervises).count();
        u32::try_from(supervise).unwrap_or(u32::MAX)
    }

    pub fn call(&self, id: &CallId) {
        if self.wanted.load(Ordering::Acquire) {
            self.calls().insert(id.clone());
            self.news.notify_one();
        }
    }

    pub fn agents(&self) {
        if self.wanted.load(Ordering::Acquire) {
            self.agents.store(true, Ordering::Release);
            self.news.notify_one();
        }
    }

    pub(super) fn want(&self, wanted: bool) {
        self.wanted.store(wanted, Ordering::Release);
        if !wanted {
            self.calls().clear();
        }
    }

    /// Until something has changed; keeps a report that came before.
    pub(super) async fn news(&self) {
        self.news.notified().await;
    }

    pub(super) fn take(&self) -> (BTreeSet<CallId>, bool) {
        (std::mem::take(&mut self.calls()), self.agents.swap(false, Ordering::AcqRel))
    }
}
