//! The one table of calls to the outside: core's `Traffic`, locked for the length of one decision
//! so that two calls cannot both take the last channel; and beside it what only the wire needs to
//! know of trunks and callers. What a leg between two calls has taken is in the hands of `Carried`,
//! which gives it back if it is let fall. Decides nothing.

use super::caller::Caller;
use super::{House, Switchboard};
use crate::clock;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use undertone_core::call::{Call, NewParty};
use undertone_core::id::{CallId, SeatId, TrunkId};
use undertone_core::number::Dialled;
use undertone_core::refusal::{Reason, Refusal};
use undertone_core::routing::Origin;
use undertone_core::traffic::{Taken, Traffic};
use undertone_sip::Credentials;

#[derive(Default)]
pub struct Exchange {
    traffic: Arc<Mutex<Traffic>>,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    logins: BTreeMap<TrunkId, Credentials>,
    registered: BTreeSet<TrunkId>,
    callers: BTreeMap<CallId, Caller>,
}

/// What the seat of a leg that goes to another call has taken: it counts on the way, and wherever
/// the leg is let go instead it comes back.
pub(super) struct Carried {
    traffic: Arc<Mutex<Traffic>>,
    taken: Option<Taken>,
}

impl Carried {
    /// The leg has a seat again.
    pub(super) fn put(mut self, call: &CallId, seat: SeatId) {
        if let Some(taken) = self.taken.take() {
            lock(&self.traffic).put(call, seat, taken);
        }
    }
}

impl Drop for Carried {
    fn drop(&mut self) {
        if let Some(taken) = self.taken.take() {
            lock(&self.traffic).end(taken, false);
        }
    }
}

fn lock(traffic: &Mutex<Traffic>) -> MutexGuard<'_, Traffic> {
    traffic.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Exchange {
    /// Never held across an await: every use is one look or one change.
    pub fn traffic(&self) -> MutexGuard<'_, Traffic> {
        lock(&self.traffic)
    }

    /// This leg leaves its call for another.
    pub(super) fn carry(&self, call: &CallId, seat: SeatId) -> Carried {
        let taken = self.traffic().take_out(call, seat);
        Carried { traffic: self.traffic.clone(), taken }
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

/// A trunk's channel in the hands of a leg that is no call's party; given back with it.
pub(super) struct Channel {
    house: Arc<House>,
    held_as: CallId,
}

impl Drop for Channel {
    fn drop(&mut self) {
        self.house.exchange.left(&self.held_as);
    }
}

impl Switchboard {
    /// One of the trunk that this came by, if it came by one.
    pub(super) fn channel_for(
        &self,
        origin: &Origin,
        dialled: &Dialled,
    ) -> Result<Channel, Refusal> {
        let bad = |_| Refusal::because(Reason::BadRequest);
        let held_as = self.house.ids.call().map_err(bad)?;
        let dir = self.directory();
        self.house.exchange.traffic().arrive(&held_as, origin, dialled, &dir)?;
        Ok(Channel { house: self.house.clone(), held_as })
    }

    /// Where the origin of a call that begins is led by what was dialled, counted as the called
    /// seat's.
    pub(super) fn place_for(
        &self,
        call: &CallId,
        origin: &Origin,
        dialled: &Dialled,
    ) -> Result<NewParty, Refusal> {
        let dir = self.directory();
        let now = clock::now().mono;
        let seat = (call, Call::CALLEE);
        let destination = self.house.exchange.traffic().place(now, seat, origin, dialled, &dir)?;
        NewParty::called(destination, &dir).ok_or_else(|| Refusal::because(Reason::NoRoute))
    }
}

/// What somebody typed, as something that can be called.
pub fn dialled(text: &str) -> Result<Dialled, Refusal> {
    Dialled::parse(text).map_err(|error| Refusal::with(Reason::NoRoute, error.to_string()))
}
