//! Who heard whom, from instant to instant: what the plan let through, written whenever that is
//! another. An edge whose guard still runs carries nothing and is not in it; nor are tones, music
//! and announcements, which are nobody's voice.
//!
//! And of each supervisor's raise, whether the customer ever heard it (*cancelled, nothing was
//! heard* is said only where that is so).
//!
//! It decides nothing: `hearing.rs` has, and this reads the plan.

use super::Call;
use super::turn::Turn;
use crate::plan::{EdgeRef, Listener, PlanVersion, Source};
use crate::supervision::{Ear, Supervision};
use crate::view::{EarView, HeardView, Hearer, Role};
use std::collections::BTreeSet;

/// Longest account kept, as of the timeline; what is older is in the audit.
const HEARD_MAX: usize = 1_000;

impl Call {
    /// At the end of each turn.
    pub(super) fn note_heard(&mut self, turn: &Turn) {
        let ears = self.ears();
        let same = match self.heard.last() {
            Some(last) => last.ears == ears,
            None => ears.is_empty(),
        };
        if same {
            return;
        }
        if self.heard.len() >= HEARD_MAX {
            self.heard.remove(0);
        }
        self.heard.push(HeardView { at: turn.now.wall, ears });
    }

    /// Of each supervision whose voice goes to a customer now, that it was heard.
    pub(super) fn note_raises(&mut self) {
        let waiting: BTreeSet<EdgeRef> = self.before.guards().collect();
        let open = self.plan.edges.iter().filter(|e| e.audio).map(|edge| edge.name());
        let open: Vec<_> = open.filter(|edge| !waiting.contains(edge)).collect();
        for edge in open {
            self.way_was_open(edge, self.plan.version);
        }
    }

    /// The bridge may have opened a way in the instant in which it was given up: what it says of
    /// it then is still true.
    pub(super) fn way_was_open(&mut self, edge: EdgeRef, version: PlanVersion) {
        let (Source::Seat(source), Listener::Seat(listener)) = (edge.source, edge.listener) else {
            return;
        };
        if !self.parties.get(&listener).is_some_and(|party| party.is(Role::Customer)) {
            return;
        }
        let mut supervisions = self.supervisions.values_mut();
        let own = supervisions.find(|s| s.ear == Ear::Seat(source));
        if let Some(raise) = own.and_then(|s| s.last_raise.as_mut())
            && version > raise.after
        {
            raise.view.heard = true;
        }
    }

    /// Each listener who hears somebody now. The plan's edges come sorted by listener.
    fn ears(&self) -> Vec<EarView> {
        let waiting: BTreeSet<EdgeRef> = self.before.guards().collect();
        let mut ears: Vec<EarView> = Vec::new();
        for edge in self.plan.edges.iter().filter(|e| e.audio && !waiting.contains(&e.name())) {
            let Source::Seat(source) = edge.source else { continue };
            let Some(who) = self.hearer(edge.listener) else { continue };
            match ears.last_mut().filter(|ear| ear.who == who) {
                Some(ear) => ear.hears.push(source),
                None => ears.push(EarView { who, hears: Vec::from([source]) }),
            }
        }
        ears
    }

    fn hearer(&self, listener: Listener) -> Option<Hearer> {
        match listener {
            Listener::Seat(seat) => Some(Hearer::Seat(seat)),
            Listener::Tap(tap) => {
                let at = |s: &&Supervision| s.ear == Ear::Tap(tap);
                let found = self.supervisions.values().find(at);
                found.map(|supervision| Hearer::Supervision(supervision.id.clone()))
            }
        }
    }
}
