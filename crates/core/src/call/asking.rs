//! The opening half of a change: one pending act a supervision, its committed row, its proof of
//! sound, and the second admission, because the call has gone on meanwhile.

use super::Call;
use super::effect::Effect;
use super::input::{RequestId, RowId};
use super::turn::{Details, Due, Gate, Turn};
use crate::access::Actor;
use crate::id::SupervisionId;
use crate::refusal::Reason;
use crate::supervision::{Act, Admission, Ask, Ear, Life, Pending, Wanted, admit, mode_code};
use crate::view::{LegKind, Mode};

impl Call {
    /// One pending act, its row, and, to be heard, a proof that the phone sends.
    pub(super) fn ask(
        &mut self,
        turn: &mut Turn,
        id: &SupervisionId,
        act: Act,
        by: &Actor,
        request: Option<RequestId>,
        details: Details,
    ) {
        let what = match act {
            Act::Become(_) => "supervision.change",
            Act::ResumeAgent => "supervision.agent_resume",
        };
        let gate = Gate::Change(id.clone());
        let row = self.write_gate(turn, by.into(), what, Some(id), details, gate);
        let version = self.plan.version;
        let Some(supervision) = self.supervisions.get_mut(id) else { return };
        supervision.begin_raise(turn.now, &act, version);
        let unheard = !supervision.incoming_proven && matches!(act, Act::Become(_));
        if let (true, Ear::Seat(seat)) = (unheard, supervision.ear) {
            turn.after_plan.push(Effect::ProveAudio { seat, incoming: true });
        }
        supervision.pending = Some(Pending { row, committed: false, act, by: by.clone(), request });
        if unheard {
            self.start_timer(turn, Due::Incoming(id.clone()), turn.dir.policy.audio_proof_ms);
        }
    }

    /// Live in listen: on to what the join asked for.
    pub(super) fn pursue(&mut self, turn: &mut Turn, id: &SupervisionId) {
        let Some(supervision) = self.supervisions.get_mut(id) else { return };
        let (now, want) = (&supervision.now, &supervision.want);
        if now.mode == want.mode && want.mode == Mode::Listen && now.muted == want.muted {
            supervision.reached = true;
            let asked = std::mem::take(&mut supervision.asked);
            return self.answer_in_force(asked, Some(id), false);
        }
        let (want, by) = (want.clone(), supervision.by.clone());
        if want.mode == Mode::Listen {
            return self.reach(turn, id, want);
        }
        let details =
            vec![("from", mode_code(now.mode).to_owned()), ("to", mode_code(want.mode).to_owned())];
        self.ask(turn, id, Act::Become(want), &by, None, details);
    }

    fn reach(&mut self, turn: &mut Turn, id: &SupervisionId, want: Wanted) {
        let Some(supervision) = self.supervisions.get_mut(id) else { return };
        supervision.reached = true;
        let asked = std::mem::take(&mut supervision.asked);
        self.apply(turn, id, want, asked);
    }

    pub(super) fn change_row(
        &mut self,
        turn: &mut Turn,
        id: &SupervisionId,
        row: RowId,
        committed: bool,
    ) {
        let Some(supervision) = self.supervisions.get_mut(id) else { return };
        let Some(pending) = supervision.pending.as_mut().filter(|p| p.row == row) else { return };
        pending.committed = committed;
        if committed {
            self.commit_when_ready(turn, id);
        } else {
            self.give_up(turn, id, Reason::AuditUnavailable);
        }
    }

    pub(super) fn raise_not_proven(&mut self, turn: &mut Turn, id: &SupervisionId) {
        self.give_up(turn, id, Reason::AudioNotProven);
    }

    /// A step of the raise failed. A join that never got what it asked for ends with it.
    pub(super) fn give_up(&mut self, turn: &mut Turn, id: &SupervisionId, no: Reason) {
        let reached = self.supervisions.get(id).is_some_and(|supervision| supervision.reached);
        if reached {
            self.drop_pending(turn, id, no);
        } else {
            self.end_supervision(turn, id, Life::Failed, no.code(), Some(no));
        }
    }

    /// Row and proof are there: once more admitted, because the call has gone on meanwhile.
    pub(super) fn commit_when_ready(&mut self, turn: &mut Turn, id: &SupervisionId) {
        let policy = &turn.dir.policy;
        let facts = self.facts(policy.max_supervisors, policy.max_seats);
        let Some(supervision) = self.supervisions.get_mut(id) else { return };
        let proven = supervision.incoming_proven;
        let is_ready = |p: &mut Pending| p.committed && (proven || p.act == Act::ResumeAgent);
        let Some(pending) = supervision.pending.take_if(is_ready) else { return };
        let stream = supervision.leg == LegKind::Stream;
        self.stop_timer(turn, &Due::Incoming(id.clone()));
        let Act::Become(mut wanted) = pending.act.clone() else {
            return self.agents_resumed(turn, id, pending.request);
        };
        let mut by = pending.by.clone();
        turn.dir.restrict(&mut by);
        let (by, targets, present) = (&by, &wanted.targets, Some(id));
        let ask = Ask { by, mode: wanted.mode, targets, stream, present };
        let gone = self.supervisions.get(id).is_some_and(|s| s.now.mode == Mode::Takeover)
            && wanted.mode != Mode::Takeover
            && facts.agents.is_empty();
        let denied = match admit(&ask, &facts) {
            _ if gone => Some(vec![Reason::AgentGone]),
            Admission::Admitted(targets) => {
                wanted.targets = targets;
                None
            }
            Admission::Denied(reasons) => Some(reasons),
        };
        if let Some(reasons) = denied {
            let first = reasons.first().copied().unwrap_or(Reason::NotAllowed);
            if let Some(supervision) = self.supervisions.get_mut(id) {
                supervision.pending = Some(pending);
            }
            return self.give_up(turn, id, first);
        }
        let Some(supervision) = self.supervisions.get_mut(id) else { return };
        supervision.reached = true;
        let mut requests = std::mem::take(&mut supervision.asked);
        requests.extend(pending.request);
        self.apply(turn, id, wanted, requests);
    }
}
