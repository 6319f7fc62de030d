//! What has changed since it was last looked at: names only, each once. Reported from calls and
//! the floor, which never wait here; bounded by the number of live calls.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;
use undertone_core::id::CallId;

#[derive(Debug, Default)]
pub struct Dirty {
    calls: Mutex<BTreeSet<CallId>>,
    agents: AtomicBool,
    /// Whether anybody follows; reports are dropped otherwise.
    wanted: AtomicBool,
    news: Notify,
}

impl Dirty {
    fn calls(&self) -> MutexGuard<'_, BTreeSet<CallId>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
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
