//! One input's turn: the instant, the facts, and the effects gathered so far; and the call's
//! numbers, deadlines and rows, which are handed out here.

use super::Call;
use super::effect::{Answer, Effect, Reply};
use super::input::{RequestId, RowId, TimerId};
use crate::access::Actor;
use crate::audit::{AuditEntry, Outcome, Who};
use crate::directory::Directory;
use crate::id::{SeatId, SupervisionId};
use crate::plan::PlanVersion;
use crate::refusal::{Reason, Refusal};
use crate::time::Now;
use crate::view::TimelineEntry;
use std::collections::BTreeMap;

pub(super) struct Turn<'a> {
    pub(super) now: Now,
    pub(super) dir: &'a Directory,
    /// In the order in which they must be done.
    pub(super) out: Vec<Effect>,
    /// Done after the plan of this turn: proofs, and legs let go.
    pub(super) after_plan: Vec<Effect>,
    pub(super) changed: bool,
}

impl<'a> Turn<'a> {
    pub(super) fn new(now: Now, dir: &'a Directory) -> Self {
        Self { now, dir, out: Vec::new(), after_plan: Vec::new(), changed: false }
    }

    pub(super) fn reply(&mut self, request: impl IntoIterator<Item = RequestId>, result: Answer) {
        for request in request {
            self.after_plan.push(Effect::Reply { request, result: result.clone() });
        }
    }

    pub(super) fn refuse(&mut self, request: impl IntoIterator<Item = RequestId>, no: Reason) {
        self.reply(request, Err(Refusal::because(no)));
    }
}

/// What a deadline is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Due {
    LegAnswer(SeatId),
    Row(RowId),
    /// Three packets to a new leg, or 60 ms to a stream.
    Proof(SupervisionId),
    /// Sound from a supervisor's phone before a raise.
    Incoming(SupervisionId),
    Plan(u64),
    /// The one who is given way to has not been heard in time.
    Guard(SeatId),
    ComeBack(SupervisionId),
    /// The page is not back yet: nobody hears its supervisor any more.
    ControlFall(SupervisionId),
    /// It is not waited for any longer.
    ControlEnd(SupervisionId),
    Announcement,
    /// The other call's legs.
    Merge,
    /// Where this seat is to be called.
    Place(SeatId),
    BeepOver(SeatId),
    /// Nobody has come to this raised hand.
    Urge(u32),
    SpokenOver(SeatId),
}

/// What waits for a committed row.
#[derive(Clone, Debug)]
pub(super) enum Gate {
    Join(SupervisionId),
    Change(SupervisionId),
    Resume { by: Actor, seat: SeatId, request: Option<RequestId> },
}

/// What is answered once the plan is in force.
#[derive(Clone, Debug)]
pub(super) struct Await {
    pub(super) number: u64,
    /// None until this turn's plan has its version.
    pub(super) version: Option<PlanVersion>,
    pub(super) requests: Vec<RequestId>,
    /// Answered with this supervision, else with the call.
    pub(super) about: Option<SupervisionId>,
    /// It raised the supervision: if the plan never comes in force, this is taken back.
    pub(super) raised: bool,
}

pub(super) type Details = Vec<(&'static str, String)>;

/// Longest timeline kept; what is older is in the audit.
const TIMELINE_MAX: usize = 1_000;

impl Call {
    pub(super) fn start_timer(&mut self, turn: &mut Turn, due: Due, after_ms: u64) {
        self.last_timer += 1;
        let timer = TimerId(self.last_timer);
        self.timers.insert(timer, due);
        turn.out.push(Effect::StartTimer { timer, after_ms });
    }

    pub(super) fn stop_timer(&mut self, turn: &mut Turn, due: &Due) {
        let found: Vec<_> =
            self.timers.iter().filter(|(_, d)| *d == due).map(|(timer, _)| *timer).collect();
        for timer in found {
            self.timers.remove(&timer);
            turn.out.push(Effect::StopTimer { timer });
        }
    }

    /// Writes a row that nothing waits for.
    pub(super) fn write(
        &mut self,
        turn: &mut Turn,
        who: Who,
        what: &str,
        about: Option<&SupervisionId>,
        outcome: Outcome,
        details: Details,
    ) -> RowId {
        self.last_row += 1;
        let row = RowId(self.last_row);
        let detail: BTreeMap<_, _> =
            details.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let entry = AuditEntry {
            org: self.org.clone(),
            at: turn.now.wall,
            who,
            what: what.to_owned(),
            call: Some(self.id.clone()),
            supervision: about.cloned(),
            outcome,
            detail,
        };
        turn.out.push(Effect::WriteRow { row, entry: Box::new(entry), gates: false });
        row
    }

    /// Writes a row that `gate` waits for, with its deadline.
    pub(super) fn write_gate(
        &mut self,
        turn: &mut Turn,
        who: Who,
        what: &str,
        about: Option<&SupervisionId>,
        details: Details,
        gate: Gate,
    ) -> RowId {
        let row = self.write(turn, who, what, about, Outcome::Allowed, details);
        if let Some(Effect::WriteRow { gates, .. }) = turn.out.last_mut() {
            *gates = true;
        }
        self.gates.insert(row, gate);
        self.start_timer(turn, Due::Row(row), turn.dir.policy.audit_commit_ms);
        row
    }

    /// Nothing waits for this row any more.
    pub(super) fn drop_gate(&mut self, turn: &mut Turn, row: RowId) -> Option<Gate> {
        self.stop_timer(turn, &Due::Row(row));
        self.gates.remove(&row)
    }

    /// Says no: one row, one answer.
    pub(super) fn refuse(
        &mut self,
        turn: &mut Turn,
        by: &Actor,
        what: &str,
        about: Option<&SupervisionId>,
        request: Option<RequestId>,
        refusal: Refusal,
    ) {
        let details = vec![("detail", refusal.detail.clone())];
        self.write(turn, by.into(), what, about, Outcome::refused(&refusal), details);
        turn.reply(request, Err(refusal));
    }

    pub(super) fn note(
        &mut self,
        turn: &mut Turn,
        what: &'static str,
        who: impl Into<String>,
        detail: impl Into<String>,
    ) {
        turn.changed = true;
        if self.timeline.len() >= TIMELINE_MAX {
            self.timeline.remove(0);
        }
        let (who, detail) = (who.into(), detail.into());
        self.timeline.push(TimelineEntry { at: turn.now.wall, what, who, detail });
    }

    /// Answers these requests when the plan that this turn makes is in force.
    pub(super) fn answer_in_force(
        &mut self,
        requests: impl IntoIterator<Item = RequestId>,
        about: Option<&SupervisionId>,
        raised: bool,
    ) {
        let requests: Vec<_> = requests.into_iter().collect();
        if requests.is_empty() && !raised {
            return;
        }
        self.last_await += 1;
        let number = self.last_await;
        self.awaits.push(Await { number, version: None, requests, about: about.cloned(), raised });
    }

    /// The answer as things stand: of a supervision, else of the call.
    pub(super) fn answer(&self, now: Now, about: Option<&SupervisionId>) -> Answer {
        Ok(match about.and_then(|id| self.supervision_view(id)) {
            Some(view) => Reply::Supervision(Box::new(view)),
            None => Reply::Call(Box::new(self.view(now))),
        })
    }
}
