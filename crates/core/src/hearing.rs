//! Who hears whom.

use crate::id::SeatId;
use crate::plan::{EdgeRef, HearingPlan, Opens, PlanVersion};
use crate::seat::{Seat, Sounds, TapSeat};
use std::collections::{BTreeMap, BTreeSet};

/// What of the layered policy bears on hearing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HearingPolicy {
    /// Supervisors hear each other's whispers.
    pub supervisors_hear_each_other: bool,
}

impl Default for HearingPolicy {
    fn default() -> Self {
        Self { supervisors_hear_each_other: true }
    }
}

/// What the next plan must know of the plans before it. Owned by the call, kept by `follow`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Before {
    live: BTreeSet<SeatId>,
    edges: BTreeMap<EdgeRef, Opened>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Opened {
    opens: Opens,
    since: PlanVersion,
    passed: bool,
}

impl Before {
    /// Remembers a plan that is on its way to the bridge, and the seats it was made from.
    pub fn follow(&mut self, _seats: &[Seat], _plan: &HearingPlan) {
        todo!()
    }
    /// The bridge reports that a guard has run out. False if that edge is not waiting (closed
    /// since, or reopened by a plan after `version`): then nothing is to be done.
    pub fn guard_passed(&mut self, _edge: EdgeRef, _version: PlanVersion) -> bool {
        todo!()
    }
    /// The edges of the last plan whose guard has not run out.
    pub fn guards(&self) -> impl Iterator<Item = EdgeRef> + '_ {
        self.edges
            .iter()
            .filter(|(_, o)| o.opens == Opens::AfterGuard && !o.passed)
            .map(|(e, _)| *e)
    }
}

pub fn hearing(
    _seats: &[Seat],
    _taps: &[TapSeat],
    _sounds: &Sounds,
    _policy: &HearingPolicy,
    _before: &Before,
    _version: PlanVersion,
) -> HearingPlan {
    todo!()
}
