//! HearingPlan and Edge: the words in which core tells the media what may be heard.
//!
//! Ids only; no role, no mode. Silence is the default: a pair that is not named is silent.

use crate::id::{SeatId, TapId};
use std::collections::{BTreeMap, BTreeSet};

/// Counts up by one with each plan of a call; a bridge ignores a plan older than its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PlanVersion(pub u64);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    Seat(SeatId),
    /// A short sound that ends by itself (the coaching beep).
    Tone(u32),
    /// Hold music, or any sound that loops.
    Music(u32),
    /// An announcement; ends by itself.
    Prompt(u32),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Listener {
    Seat(SeatId),
    Tap(TapId),
}

/// Names an edge: there is at most one for a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EdgeRef {
    pub source: Source,
    pub listener: Listener,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Opens {
    AtOnce,
    /// Carries only what was captured 250 ms or more after the switch (`hearing.md`, the guard).
    /// Counts only for an edge that was not open in the plan before; one whose guard is running
    /// keeps its switch instant.
    AfterGuard,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edge {
    pub source: Source,
    pub listener: Listener,
    /// Sound passes.
    pub audio: bool,
    /// Telephone events (RFC 4733) pass.
    pub events: bool,
    /// Hundredths of a decibel; 0 leaves the level, negative is quieter.
    pub gain_cdb: i16,
    pub opens: Opens,
    /// Stays open until the named edge opens, and closes in that very tick.
    pub until: Option<EdgeRef>,
}

impl Edge {
    pub fn name(&self) -> EdgeRef {
        EdgeRef { source: self.source, listener: self.listener }
    }
}

/// Who must never hear whom, computed by `never.rs` without `hearing.rs`; tested by the media at
/// every output.
pub type Never = BTreeMap<Listener, BTreeSet<Source>>;

/// The whole state of who hears whom on one call. Never a delta.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HearingPlan {
    pub version: PlanVersion,
    /// Sorted by (listener, source); no pair twice.
    pub edges: Vec<Edge>,
    pub never: Never,
}
