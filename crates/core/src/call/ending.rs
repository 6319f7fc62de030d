//! How a supervision ends, how the call ends and what is left of it: every leg let go, every
//! stream closed, every deadline stopped, every request answered.

use super::effect::{CallRecord, Effect};
use super::input::Input;
use super::turn::{Details, Due, Gate, Turn};
use super::{Call, Stage};
use crate::audit::{Outcome, Who};
use crate::id::{KeyId, SupervisionId};
use crate::phone::Leg;
use crate::plan::HearingPlan;
use crate::refusal::{Reason, Refusal};
use crate::supervision::{Act, Ear, Life, Supervision, mode_code};
use crate::time::Now;
use crate::view::{Mode, Role};
use std::collections::BTreeSet;
use std::sync::Arc;

impl Call {
    /// `refusal`: what those are told who still wait for it to be live; None: superseded.
    pub(super) fn end_supervision(
        &mut self,
        turn: &mut Turn,
        id: &SupervisionId,
        life: Life,
        why: &'static str,
        refusal: Option<Reason>,
    ) {
        let Some(supervision) = self.supervisions.get_mut(id).filter(|s| !s.is_over()) else {
            return;
        };
        let no = refusal.unwrap_or(Reason::Superseded);
        supervision.life = life;
        supervision.close_span(turn.now);
        supervision.ended = Some(turn.now);
        supervision.end_reason = Some(why);
        supervision.version += 1;
        let (ear, name) = (supervision.ear, supervision.by.name.clone());
        let asked = std::mem::take(&mut supervision.asked);
        let who = Who::from(&supervision.by);
        let details = ended_details(supervision, why);
        turn.refuse(asked, no);
        self.drop_pending(turn, id, no);
        self.drop_awaits(turn, id, no);
        let gates: Vec<_> = self
            .gates
            .iter()
            .filter(|(_, gate)| matches!(gate, Gate::Join(join) if join == id))
            .map(|(row, _)| *row)
            .collect();
        for row in gates {
            self.drop_gate(turn, row);
        }
        let deadlines =
            [Due::Proof, Due::Incoming, Due::ComeBack, Due::ControlFall, Due::ControlEnd];
        for due in deadlines {
            self.stop_timer(turn, &due(id.clone()));
        }
        self.close_ear(turn, ear);
        let what = if life == Life::Failed { "supervision.failed" } else { "supervision.ended" };
        let outcome = match (life, refusal) {
            (Life::Failed, Some(reason)) => Outcome::refused(&Refusal::because(reason)),
            _ => Outcome::Allowed,
        };
        self.write(turn, who, what, Some(id), outcome, details);
        self.note(turn, if life == Life::Failed { "failed" } else { "supervisor_left" }, name, why);
    }

    /// Nothing of a supervisor is left on the call: leg, tap, marks, places given up for it.
    fn close_ear(&mut self, turn: &mut Turn, ear: Ear) {
        let seat = match ear {
            Ear::Tap(tap) => {
                turn.after_plan.push(Effect::CloseTap { tap, why: None });
                return;
            }
            Ear::Seat(seat) => seat,
        };
        self.stop_timer(turn, &Due::LegAnswer(seat));
        self.stop_timer(turn, &Due::Guard(seat));
        self.forget_placing(turn, seat);
        self.take_back_places(turn, seat, Reason::Superseded);
        let leg = self.parties.remove(&seat).map_or(Leg::Gone, |party| party.leg);
        self.release(turn, seat, leg);
        let requests = self.handing.remove(&seat).unwrap_or_default();
        turn.refuse(requests, Reason::Superseded);
        self.forget(turn, seat);
    }

    /// The pending act is given up; whoever asked for it is told why.
    pub(super) fn drop_pending(&mut self, turn: &mut Turn, id: &SupervisionId, no: Reason) {
        let Some(supervision) = self.supervisions.get_mut(id) else { return };
        let Some(pending) = supervision.pending.take() else { return };
        self.drop_gate(turn, pending.row);
        self.stop_timer(turn, &Due::Incoming(id.clone()));
        let what = match pending.act {
            Act::Become(_) => "supervision.change",
            Act::ResumeAgent => "supervision.agent_resume",
        };
        let refusal = Refusal::because(no);
        self.refuse(turn, &pending.by, what, Some(id), pending.request, refusal);
    }

    pub(super) fn drop_pending_without_right(
        &mut self,
        turn: &mut Turn,
        id: &SupervisionId,
        key: Option<&KeyId>,
    ) {
        let Some(supervision) = self.supervisions.get(id) else { return };
        let Some(pending) = &supervision.pending else { return };
        let mode = match &pending.act {
            Act::Become(wanted) => wanted.mode,
            Act::ResumeAgent => supervision.now.mode,
        };
        let right = crate::access::Right::for_mode(mode);
        let key_gone = key.is_some() && pending.by.key.as_ref() == key;
        if key_gone || !supervision.by.may(right) {
            self.drop_pending(turn, id, Reason::NotAllowed);
        }
    }

    /// What was applied and not yet in force is overtaken; whoever waits for it is told.
    pub(super) fn drop_awaits(&mut self, turn: &mut Turn, id: &SupervisionId, no: Reason) {
        let (theirs, others): (Vec<_>, Vec<_>) = std::mem::take(&mut self.awaits)
            .into_iter()
            .partition(|w| w.about.as_ref() == Some(id));
        self.awaits = others;
        for wait in theirs {
            self.stop_timer(turn, &Due::Plan(wait.number));
            turn.refuse(wait.requests, no);
        }
    }

    /// The call is over in this turn, whatever any supervisor's leg does.
    pub(super) fn end(&mut self, turn: &mut Turn, why: &'static str) {
        if self.is_over() {
            return;
        }
        // First, so that nothing below asks again whether the call can go on.
        self.stage = Stage::Ended;
        self.ended = Some(turn.now);
        self.end_reason = Some(why);
        for id in self.supervisions.keys().cloned().collect::<Vec<_>>() {
            let routed = self.supervisions.get(&id).is_some_and(|s| s.is_live());
            let life = if routed { Life::Ended } else { Life::Failed };
            self.end_supervision(turn, &id, life, "call_ended", Some(Reason::CallEnded));
        }
        self.transfer_is_over(turn);
        for seat in self.parties.keys().copied().collect::<Vec<_>>() {
            self.depart(turn, seat, why, true);
        }
        self.placing_is_over(turn);
        for (_, gate) in std::mem::take(&mut self.gates) {
            if let Gate::Resume { request, .. } = gate {
                turn.refuse(request, Reason::CallEnded);
            }
        }
        for wait in std::mem::take(&mut self.awaits) {
            turn.refuse(wait.requests, Reason::CallEnded);
        }
        for (_, requests) in std::mem::take(&mut self.handing) {
            turn.refuse(requests, Reason::CallEnded);
        }
        let asked = self.asked.take();
        turn.reply(asked, Err(Refusal::with(Reason::CallNotTalking, why)));
        self.beeps.clear();
        for (timer, _) in std::mem::take(&mut self.timers) {
            turn.out.push(Effect::StopTimer { timer });
        }
        if !self.plan.edges.is_empty() {
            let version = crate::plan::PlanVersion(self.plan.version.0 + 1);
            self.plan = HearingPlan { version, ..HearingPlan::default() };
            turn.out.push(Effect::ApplyPlan(Arc::new(self.plan.clone())));
        }
        self.times.end(turn.now.mono);
        self.note(turn, "ended", "", why);
        self.write(turn, Who::system(), "call.end", None, Outcome::Allowed, {
            vec![("why", why.to_owned())]
        });
    }

    pub(super) fn record(&self, now: Now) -> CallRecord {
        let view = self.view(now);
        let agents: BTreeSet<_> = self
            .parties
            .values()
            .filter(|party| party.is(Role::Agent))
            .filter_map(|party| party.person.clone())
            .collect();
        let attended = self.supervisions.values().filter(|s| !s.spans.is_empty());
        let supervisors: BTreeSet<_> = attended.map(|s| s.by.person.clone()).collect();
        CallRecord {
            org: self.org.clone(),
            view,
            agents: agents.into_iter().collect(),
            supervisors: supervisors.into_iter().collect(),
        }
    }

    /// Late ends of effects are harmless; what is asked is refused, and that is written too.
    pub(super) fn after_the_end(&mut self, turn: &mut Turn, input: Input) {
        match &input {
            Input::TransferAsked(asked) => return self.too_late_to_transfer(turn, asked),
            Input::Placed { seat, found: Ok(_) } => {
                return turn.out.push(Effect::GiveBack { seat: *seat, unused: true });
            }
            _ => {}
        }
        let Some(wish) = input.wish() else { return };
        let refusal = Refusal::because(Reason::CallEnded);
        self.refuse(turn, wish.by, wish.what, wish.about, wish.request, refusal);
    }
}

/// How long each mode lasted (R71), and why it ended.
fn ended_details(supervision: &Supervision, why: &str) -> Details {
    let mut details = vec![("why", why.to_owned())];
    let modes = [
        (Mode::Listen, "listen_ms"),
        (Mode::Whisper, "whisper_ms"),
        (Mode::Barge, "barge_ms"),
        (Mode::Takeover, "takeover_ms"),
    ];
    for (mode, name) in modes {
        let spans = supervision.spans.iter().filter(|span| span.mode == mode);
        let us: u64 = spans.filter_map(|s| s.to.map(|to| to.mono.since(s.from.mono))).sum();
        if us > 0 {
            details.push((name, (us / 1_000).to_string()));
        }
    }
    details.push(("last_mode", mode_code(supervision.now.mode).to_owned()));
    details
}
