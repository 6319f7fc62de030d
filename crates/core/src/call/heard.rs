//! Who heard whom, from instant to instant: what the plan let through, written whenever that is
//! another. An edge whose guard still runs carries nothing and is not in it; nor are tones, music
//! and announcements, which are nobody's voice.
//!
//! It decides nothing: `hearing.rs` has, and this reads the plan.

use super::Call;
use super::turn::Turn;
use crate::plan::{EdgeRef, Listener, Source};
use crate::supervision::{Ear, Supervision};
use crate::view::{EarView, HeardView, Hearer};
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
