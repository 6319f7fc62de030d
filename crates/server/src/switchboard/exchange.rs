//! The one table of calls to the outside: core's `Traffic`, locked for the length of one decision
//! so that two calls cannot both take the last channel. Decides nothing.

use super::Switchboard;
use crate::clock;
use std::sync::{Mutex, MutexGuard, PoisonError};
use undertone_core::call::NewParty;
use undertone_core::id::CallId;
use undertone_core::number::Dialled;
use undertone_core::refusal::{Reason, Refusal};
use undertone_core::routing::Origin;
use undertone_core::traffic::Traffic;

#[derive(Debug, Default)]
pub struct Exchange(Mutex<Traffic>);

impl Exchange {
    /// Never held across an await: every use is one look or one change.
    pub fn traffic(&self) -> MutexGuard<'_, Traffic> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Switchboard {
    /// Where this call's origin is led by what was dialled, and counted as this call's. Used for
    /// a call that begins and for one that is sent on (`REFER`, codes).
    pub fn place_for(
        &self,
        call: &CallId,
        origin: &Origin,
        dialled: &Dialled,
    ) -> Result<NewParty, Refusal> {
        let dir = self.directory();
        let now = clock::now().mono;
        let destination = self.house.exchange.traffic().place(now, call, origin, dialled, &dir)?;
        NewParty::called(destination, &dir).ok_or_else(|| Refusal::because(Reason::NoRoute))
    }
}

/// What somebody typed, as something that can be called.
pub fn dialled(text: &str) -> Result<Dialled, Refusal> {
    Dialled::parse(text).map_err(|error| Refusal::with(Reason::NoRoute, error.to_string()))
}
