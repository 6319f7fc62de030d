//! One listener's row of the plan in force, and which of its edges are open just now.

use super::outlet::Sources;
use crate::guard::Guard;
use crate::mix::gain_q15;
use undertone_core::plan::{Edge, EdgeRef, HearingPlan, Listener, Opens, Source};
use undertone_core::time::Mono;

#[derive(Clone, Copy, Debug)]
pub(crate) struct RowEdge {
    pub(crate) edge: Edge,
    pub(crate) guard: Option<Guard>,
    /// Its `until` has come.
    pub(crate) closed: bool,
}

impl RowEdge {
    pub(crate) fn lives(&self) -> bool {
        !self.closed
    }
    pub(crate) fn is_open(&self) -> bool {
        !self.closed && self.guard.is_none_or(|g| g.is_open())
    }
    pub(crate) fn sounds(&self) -> bool {
        self.edge.audio && self.is_open()
    }
    pub(crate) fn waits(&self) -> bool {
        self.edge.audio && !self.closed && !self.is_open()
    }
    pub(crate) fn gain(&self) -> i32 {
        gain_q15(self.edge.gain_cdb)
    }
}

/// A row is compared with nothing but its own past: other listeners' edges do not enter.
#[derive(Clone, Debug, Default)]
pub(crate) struct Row {
    pub(crate) edges: Vec<RowEdge>,
    pub(crate) never: Vec<Source>,
}

impl Row {
    /// Takes its part of a plan. True if anything in it changed.
    pub(crate) fn take(
        &mut self,
        now: Mono,
        listener: Listener,
        plan: &HearingPlan,
        sources: &dyn Sources,
    ) -> bool {
        self.never.clear();
        self.never.extend(plan.never.get(&listener).into_iter().flatten());
        let mine = plan.edges.iter().filter(|e| e.listener == listener);
        if mine.clone().eq(self.edges.iter().map(|e| &e.edge)) {
            return false;
        }
        let fresh: Vec<RowEdge> = mine
            .map(|edge| {
                let before = self.edges.iter().find(|e| e.edge.source == edge.source);
                succeed(now, *edge, before, sources)
            })
            .collect();
        self.edges = fresh;
        true
    }

    pub(crate) fn of(&self, source: Source) -> Option<&RowEdge> {
        self.edges.iter().find(|e| e.edge.source == source)
    }

    pub(crate) fn of_mut(&mut self, source: Source) -> Option<&mut RowEdge> {
        self.edges.iter_mut().find(|e| e.edge.source == source)
    }

    pub(crate) fn sounding(&self) -> impl Iterator<Item = &RowEdge> {
        self.edges.iter().filter(|e| e.sounds())
    }

    /// The one source that sounds, at its own level; None if there are more or none.
    pub(crate) fn alone(&self) -> Option<Source> {
        let mut sounding = self.sounding();
        let first = sounding.next()?;
        (sounding.next().is_none() && first.edge.gain_cdb == 0).then_some(first.edge.source)
    }

    /// Closes what lasts until one of `opened`. True if something closed.
    pub(crate) fn close_until(&mut self, opened: &[EdgeRef]) -> bool {
        let mut changed = false;
        for e in self.edges.iter_mut().filter(|e| !e.closed) {
            if e.edge.until.is_some_and(|until| opened.contains(&until)) {
                e.closed = true;
                changed = true;
            }
        }
        changed
    }
}

/// An edge that was there stays as it is. A guard that runs goes on, even if the new plan no
/// longer asks for one: shut is the safe side.
fn succeed(now: Mono, edge: Edge, before: Option<&RowEdge>, sources: &dyn Sources) -> RowEdge {
    let was_there = before.filter(|b| b.lives() && (b.edge.audio || !edge.audio));
    if let Some(before) = was_there {
        return RowEdge { edge, guard: before.guard, closed: false };
    }
    let guard = (edge.opens == Opens::AfterGuard).then(|| {
        let clock = match edge.source {
            Source::Seat(seat) => sources.get(seat).map(|s| s.clock),
            _ => None,
        };
        Guard::new(now, clock)
    });
    RowEdge { edge, guard, closed: false }
}
