//! Whose pages are open: the control connection of who supervises by a browser. Calls are told
//! when a person's last page goes and when one is there again; what follows from it is core's.

use crate::commands::Desk;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;
use undertone_core::id::PersonId;

/// Bounded by the followers that the hub takes.
#[derive(Debug, Default)]
pub(super) struct Pages {
    open: Mutex<BTreeMap<PersonId, u32>>,
    changed: Notify,
}

/// One page, as long as it follows.
pub(super) struct Open(Arc<Pages>, PersonId);

impl Drop for Open {
    fn drop(&mut self) {
        let mut open = self.0.open();
        if let Some(pages) = open.get_mut(&self.1) {
            *pages = pages.saturating_sub(1);
        }
        open.retain(|_, pages| *pages > 0);
        drop(open);
        self.0.changed.notify_one();
    }
}

impl Pages {
    fn open(&self) -> MutexGuard<'_, BTreeMap<PersonId, u32>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn opens(self: &Arc<Self>, person: &PersonId) -> Open {
        *self.open().entry(person.clone()).or_insert(0) += 1;
        self.changed.notify_one();
        Open(self.clone(), person.clone())
    }

    /// Tells all calls. A page that is gone and back before it was looked at was never gone.
    pub(super) async fn tell(self: Arc<Self>, desk: Arc<Desk>) {
        let mut told = BTreeSet::new();
        loop {
            self.changed.notified().await;
            let now: BTreeSet<PersonId> = self.open().keys().cloned().collect();
            for person in told.difference(&now) {
                desk.board().control(person, false).await;
            }
            for person in now.difference(&told) {
                desk.board().control(person, true).await;
            }
            told = now;
        }
    }
}
