//! The simulated telephones that are in a call just now, by their numbers, so that somebody can
//! hear what one of them hears.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use undertone_phone::PhoneCall;

#[derive(Default)]
pub struct Ears {
    calls: Mutex<BTreeMap<String, PhoneCall>>,
}

/// As long as the telephone is in its call.
pub(super) struct Held(Arc<Ears>, String);

impl Ears {
    fn calls(&self) -> MutexGuard<'_, BTreeMap<String, PhoneCall>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn of(&self, number: &str) -> Option<PhoneCall> {
        self.calls().get(number).cloned()
    }

    pub(super) fn hold(self: &Arc<Self>, number: &str, call: PhoneCall) -> Held {
        self.calls().insert(number.to_owned(), call);
        Held(self.clone(), number.to_owned())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.calls().remove(&self.1);
    }
}
