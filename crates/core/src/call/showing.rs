//! What a call and its supervisions look like from outside, and who may do what to it now.

use super::turn::Turn;
use super::{Call, Stage};
use crate::access::Actor;
use crate::directory::Directory;
use crate::id::{SeatId, SupervisionId};
use crate::outcome::Outcome;
use crate::refusal::Reason;
use crate::supervision::{Admission, Ask, Facts, Supervision, admit};
use crate::time::Now;
use crate::view::{Ability, CallState, CallView, Mode, Role, SupervisionView};
use std::collections::BTreeSet;

impl Call {
    pub fn view(&self, now: Now) -> CallView {
        let at = self.view_or_record_time(now);
        CallView {
            id: self.id.clone(),
            direction: self.direction,
            state: self.state(),
            queue: self.queue.clone(),
            campaign: self.campaign.clone(),
            started_at: self.started.wall,
            answered_at: self.answered.map(|answered| answered.wall),
            ended_at: self.ended.map(|ended| ended.wall),
            end_reason: self.end_reason.map(str::to_owned),
            parties: self.parties.values().map(|party| party.view()).collect(),
            supervisions: self.supervisions.values().map(|s| self.show(s)).collect(),
            timing: self.times.view(at.mono),
            timeline: self.timeline.clone(),
            heard: self.heard.clone(),
            plan: self.plan.version,
            help: self.help.clone(),
            outcome: self.outcome.clone(),
        }
    }

    /// Of two the one that was said later counts, whichever is told first.
    pub(super) fn outcome_kept(&mut self, turn: &mut Turn, outcome: Outcome) {
        if self.outcome.as_ref().is_some_and(|known| known.version >= outcome.version) {
            return;
        }
        let by = outcome.by.as_ref().map(|(_, name)| name.clone()).unwrap_or_default();
        let disposition = outcome.disposition.clone().unwrap_or_default();
        self.outcome = Some(outcome);
        self.note(turn, "outcome", by, disposition);
    }

    fn state(&self) -> CallState {
        let held = self.up(Role::Customer).any(|party| !party.seat.held_by.is_empty());
        match self.stage {
            Stage::Ringing => CallState::Ringing,
            Stage::Talking if held || self.transfer.is_some() => CallState::Held,
            Stage::Talking => CallState::Talking,
            Stage::Announcing => CallState::Held,
            Stage::Ended => CallState::Ended,
        }
    }

    /// A leg that the call can do without: where media is short, it goes without first.
    pub fn can_spare(&self, seat: SeatId) -> bool {
        self.parties.get(&seat).is_some_and(|party| party.is(Role::Supervisor))
    }

    pub fn supervision_view(&self, id: &SupervisionId) -> Option<SupervisionView> {
        self.supervisions.get(id).map(|supervision| self.show(supervision))
    }

    fn show(&self, s: &Supervision) -> SupervisionView {
        SupervisionView {
            id: s.id.clone(),
            call: self.id.clone(),
            state: s.state(),
            version: s.version,
            supervisor: s.by.person.clone(),
            supervisor_name: s.by.name.clone(),
            seat: s.seat(),
            leg: s.leg.clone(),
            mode: s.now.mode,
            targets: match s.now.mode {
                Mode::Whisper => s.now.targets.iter().copied().collect(),
                _ => Vec::new(),
            },
            muted: s.now.muted,
            alert: s.alert,
            follow: s.follow,
            extent: s.extent,
            reason: s.reason.clone(),
            started_at: s.started.wall,
            ended_at: s.ended.map(|ended| ended.wall),
            spans: s.span_views(),
            end_reason: s.end_reason.map(str::to_owned),
            policy: s.policy.clone(),
            guard_ms: s.guard_ms,
            fell_because: s.fell_because.map(str::to_owned),
            last_raise: s.last_raise.map(|raise| raise.view),
        }
    }

    /// For each mode, whether this person may enter it now, and every reason why not.
    pub fn abilities(&self, _now: Now, who: &Actor, dir: &Directory) -> Vec<Ability> {
        let facts = self.facts(dir.policy.max_supervisors, dir.policy.max_seats);
        let own = self.supervisions.values().find(|s| !s.is_over() && s.by.person == who.person);
        let modes = [Mode::Listen, Mode::Whisper, Mode::Barge, Mode::Takeover];
        modes.into_iter().map(|mode| self.ability(mode, who, own, &facts)).collect()
    }

    fn ability(
        &self,
        mode: Mode,
        who: &Actor,
        own: Option<&Supervision>,
        facts: &Facts,
    ) -> Ability {
        let none = BTreeSet::new();
        let stream = own.is_some_and(|s| s.leg == crate::view::LegKind::Stream);
        let present = own.map(|supervision| &supervision.id);
        let ask = Ask { by: who, mode, targets: &none, stream, present };
        let mut reasons = match admit(&ask, facts) {
            Admission::Admitted(_) => Vec::new(),
            Admission::Denied(reasons) => reasons,
        };
        let owner = own.is_some_and(|s| s.now.mode == Mode::Takeover);
        if owner && mode != Mode::Takeover && facts.agents.is_empty() {
            reasons.push(Reason::AgentGone);
        }
        let allowed = reasons.is_empty();
        if facts.customer_held && matches!(mode, Mode::Barge | Mode::Takeover) {
            reasons.push(Reason::CustomerOnHold);
        }
        Ability { mode, allowed, reasons }
    }
}
