//! Levels of calls for all pages together: however many watch a call, it is looked at once in each
//! fifth of a second. Who may see what of it is not known here.

use super::looking::Measured;
use crate::commands::Desk;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;
use undertone_core::id::CallId;

/// As often as pages are told.
pub(super) const LOOK_EVERY: Duration = Duration::from_millis(200);
/// What nobody has watched for so long is forgotten.
const FORGET_AFTER: Duration = Duration::from_secs(5);

type Slot = Arc<tokio::sync::Mutex<Looked>>;

/// The last look at a call: in which fifth of a second, and what it gave.
#[derive(Default)]
struct Looked {
    when: Option<u128>,
    found: Option<Arc<Measured>>,
}

pub(super) struct Levels {
    began: Instant,
    /// By call, with when it was last asked for.
    slots: Mutex<HashMap<CallId, (Instant, Slot)>>,
}

impl Levels {
    pub(super) fn new() -> Levels {
        Levels { began: Instant::now(), slots: Mutex::default() }
    }

    fn slots(&self) -> MutexGuard<'_, HashMap<CallId, (Instant, Slot)>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn slot(&self, id: &CallId, now: Instant) -> Slot {
        let mut slots = self.slots();
        if !slots.contains_key(id) {
            slots.retain(|_, (asked, _)| now.duration_since(*asked) < FORGET_AFTER);
        }
        let (asked, slot) = slots.entry(id.clone()).or_insert_with(|| (now, Slot::default()));
        *asked = now;
        slot.clone()
    }

    /// Whoever asks first in a fifth of a second looks; who asks meanwhile waits for that look.
    pub(super) async fn of(&self, desk: &Desk, id: &CallId) -> Option<Arc<Measured>> {
        self.look(id, || desk.measure(id)).await
    }

    async fn look<F>(&self, id: &CallId, look: impl FnOnce() -> F) -> Option<Arc<Measured>>
    where
        F: Future<Output = Option<Measured>>,
    {
        let now = Instant::now();
        let slot = self.slot(id, now);
        let mut looked = slot.lock().await;
        let when = self.began.elapsed().as_millis() / LOOK_EVERY.as_millis();
        if looked.when != Some(when) {
            looked.found = look().await.map(Arc::new);
            looked.when = Some(when);
        }
        looked.found.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::future::join_all;
    use std::cell::Cell;

    #[tokio::test(start_paused = true)]
    async fn however_many_ask_a_call_is_looked_at_once_in_a_fifth_of_a_second() {
        let (levels, looks) = (Levels::new(), Cell::new(0));
        let id = |n: u32| CallId::parse(&format!("eu.n1.1.c{n}")).unwrap();
        let (one, other) = (id(1), id(2));
        let look = || {
            looks.set(looks.get() + 1);
            std::future::ready(None)
        };
        for round in 1..=5 {
            join_all((0..400).map(|_| levels.look(&one, look))).await;
            levels.look(&other, look).await;
            assert_eq!(looks.get(), 2 * round);
            tokio::time::advance(LOOK_EVERY).await;
        }
        assert_eq!(levels.slots().len(), 2);
        tokio::time::advance(FORGET_AFTER).await;
        levels.look(&id(3), look).await;
        assert_eq!(levels.slots().len(), 1, "what nobody watches any more is forgotten");
    }
}
