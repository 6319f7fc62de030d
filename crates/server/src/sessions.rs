//! Which sessions of the pages are open, as far as this process has seen: what one of them began
//! ends with it. Who ends one, and what then becomes of a call, is not known here.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;
use undertone_core::id::SessionId;

#[derive(Debug, Default)]
pub struct OpenSessions {
    known: Mutex<BTreeSet<SessionId>>,
    asked: Notify,
}

impl OpenSessions {
    fn set(&self) -> MutexGuard<'_, BTreeSet<SessionId>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// It is in the database, and nobody has its token yet.
    pub(crate) fn opened(&self, session: SessionId) {
        self.set().insert(session);
    }

    /// One was ended here: whoever keeps the set is to look now.
    pub(crate) fn look(&self) {
        self.asked.notify_one();
    }

    pub(crate) async fn asked(&self) {
        self.asked.notified().await;
    }

    pub(crate) fn is_open(&self, session: &SessionId) -> bool {
        self.set().contains(session)
    }

    pub(crate) fn known(&self) -> BTreeSet<SessionId> {
        self.set().clone()
    }

    /// These are open and those are over; what was opened since that was read stays.
    pub(crate) fn are(&self, open: BTreeSet<SessionId>, over: &BTreeSet<SessionId>) {
        let mut known = self.set();
        known.extend(open);
        known.retain(|session| !over.contains(session));
    }
}
