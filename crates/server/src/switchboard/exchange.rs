//! The one table of calls to the outside: core's `Traffic`, locked for the length of one decision
//! so that two calls cannot both take the last channel; and beside it what only the wire needs to
//! know of trunks and callers. Decides nothing.

use super::Switchboard;
use super::caller::Caller;
use crate::clock;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use undertone_core::call::NewParty;
use undertone_core::id::{CallId, TrunkId};
use undertone_core::number::Dialled;
use undertone_core::refusal::{Reason, Refusal};
use undertone_core::routing::Origin;
use undertone_core::traffic::Traffic;
use undertone_sip::Credentials;

#[derive(Default)]
pub struct Exchange {
    traffic: Mutex<Traffic>,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    logins: BTreeMap<TrunkId, Credentials>,
    registered: BTreeSet<TrunkId>,
    callers: BTreeMap<CallId, Caller>,
}

impl Exchange {
    /// Never held across an await: every use is one look or one change.
    pub fn traffic(&self) -> MutexGuard<'_, Traffic> {
        self.traffic.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What this trunk's challenges are answered with.
    pub fn log_in(&self, trunk: &TrunkId, credentials: Credentials) {
        self.known().logins.insert(trunk.clone(), credentials);
    }

    pub(super) fn login(&self, trunk: &TrunkId) -> Option<Credentials> {
        self.known().logins.get(trunk).cloned()
    }

    /// Gives what was known before.
    pub fn note_registered(&self, trunk: &TrunkId, is_registered: bool) -> bool {
        let mut known = self.known();
        match is_registered {
            true => !known.registered.insert(trunk.clone()),
            false => known.registered.remove(trunk),
        }
    }

    pub fn is_registered(&self, trunk: &TrunkId) -> bool {
        self.known().registered.contains(trunk)
    }

    /// The trunk changed or went: nothing learnt of it counts.
    pub fn forget(&self, trunk: &TrunkId) {
        self.traffic().forget(trunk);
        let mut known = self.known();
        known.logins.remove(trunk);
        known.registered.remove(trunk);
    }

    pub(super) fn called_by(&self, call: &CallId, caller: Caller) {
        self.known().callers.insert(call.clone(), caller);
    }

    pub(super) fn caller(&self, call: &CallId) -> Option<Caller> {
        self.known().callers.get(call).cloned()
    }

    /// The call is over, or never began.
    pub(super) fn left(&self, call: &CallId) {
        self.traffic().left(call);
        self.known().callers.remove(call);
    }
}

/// How long counts of the last hour, and places that answer again, may lie unused.
const TIDY_EVERY: Duration = Duration::from_secs(600);

/// Forgets what says nothing any more, as long as the server runs.
pub async fn tidy(board: Switchboard) {
    let mut tick = tokio::time::interval(TIDY_EVERY);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        board.house.exchange.traffic().tidy(clock::now().mono);
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
