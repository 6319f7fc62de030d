//! A supervision is changed: what only closes is done in the same turn; what opens waits for its
//! committed row and for sound from the supervisor's phone. Of two at once the later wins.

use super::Call;
use super::effect::Effect;
use super::input::{Change, RequestId};
use super::raising::targets_text;
use super::turn::{Details, Due, Turn};
use crate::access::{Actor, Right};
use crate::audit::Outcome;
use crate::id::SupervisionId;
use crate::refusal::{Reason, Refusal};
use crate::supervision::{
    Act, Admission, Ask, Life, Pending, Wanted, admit, agent_after_code, meet, mode_code, opens,
};
use crate::view::{LegKind, Mode, Role};

impl Call {
    pub(super) fn change(&mut self, turn: &mut Turn, change: Change) {
        let what = "supervision.change";
        let id = change.supervision.clone();
        let wanted = match self.judge(turn, &change) {
            Ok(wanted) => wanted,
            Err(refusal) => {
                let request = Some(change.request);
                return self.refuse(turn, &change.by, what, Some(&id), request, refusal);
            }
        };
        let Some(supervision) = self.supervisions.get_mut(&id) else { return };
        if let Some(alert) = change.alert.filter(|alert| *alert != supervision.alert) {
            supervision.alert = alert;
            supervision.version += 1;
            turn.changed = true;
        }
        let moves = change.mode.is_some() || change.targets.is_some();
        if !supervision.reached {
            return self.change_before_reached(turn, change, wanted);
        }
        if !(moves || change.agent_after.is_some() || change.muted == Some(false)) {
            return self.change_lightly(turn, change);
        }
        self.supersede(turn, &id);
        self.do_or_ask(turn, &id, wanted, &change.by, change.request, change_details(&change));
    }

    /// Who asks, of which version, and whether what comes of it is admitted. The refusal must not
    /// disturb an earlier change that still runs, so nothing is touched here.
    fn judge(&self, turn: &Turn, change: &Change) -> Result<Wanted, Refusal> {
        let supervision = self.mine(&change.supervision, &change.by)?;
        if change.if_version.is_some_and(|version| version != supervision.version) {
            return Err(Refusal::because(Reason::VersionMismatch));
        }
        if supervision.life == Life::Lost {
            return Err(Refusal::because(Reason::MediaFailed));
        }
        let base = if supervision.reached { &supervision.now } else { &supervision.want };
        let mut wanted = base.clone();
        wanted.muted = change.muted.unwrap_or(base.muted);
        wanted.agent_after = change.agent_after.unwrap_or(base.agent_after);
        if let Some(mode) = change.mode {
            if mode == Mode::Whisper && base.mode != Mode::Whisper {
                wanted.targets.clear();
            }
            wanted.mode = mode;
        }
        if let Some(targets) = &change.targets {
            wanted.targets = targets.iter().copied().collect();
        }
        if supervision.leg == LegKind::Stream && change.muted == Some(false) {
            return Err(Refusal::because(Reason::LegListenOnly));
        }
        let now = &supervision.now;
        if now.mode == Mode::Takeover
            && wanted.mode != Mode::Takeover
            && self.up(Role::Agent).next().is_none()
        {
            return Err(Refusal::because(Reason::AgentGone));
        }
        let touched = change.mode.is_some() || change.targets.is_some();
        if touched {
            let closes = !opens(now, &wanted, self.agents_aside());
            let policy = &turn.dir.policy;
            let facts = self.facts(policy.max_supervisors, policy.max_seats);
            wanted.targets = self.admit_change(&change.by, change, &wanted, closes, &facts)?;
        }
        Ok(wanted)
    }

    fn admit_change(
        &self,
        by: &Actor,
        change: &Change,
        wanted: &Wanted,
        closes: bool,
        facts: &crate::supervision::Facts,
    ) -> Result<std::collections::BTreeSet<crate::id::SeatId>, Refusal> {
        let stream = self
            .supervisions
            .get(&change.supervision)
            .is_some_and(|supervision| supervision.leg == LegKind::Stream);
        let present = Some(&change.supervision);
        let ask = Ask { by, mode: wanted.mode, targets: &wanted.targets, stream, present };
        match admit(&ask, facts) {
            Admission::Admitted(targets) => Ok(targets),
            Admission::Denied(mut reasons) => {
                // To be heard by fewer needs no right, and a deaf phone is no reason against it.
                if closes {
                    let needless = [Reason::NotAllowed, Reason::TargetNotReceiving];
                    reasons.retain(|reason| !needless.contains(reason));
                }
                match reasons.is_empty() {
                    true if wanted.targets.is_empty() => {
                        Ok(facts.agents.iter().map(|agent| agent.seat).collect())
                    }
                    true => Ok(wanted.targets.clone()),
                    false => Err(Refusal { reasons, detail: String::new() }),
                }
            }
        }
    }

    /// A supervision that is not over, and whose supervisor (or an administrator) asks.
    pub(super) fn mine(
        &self,
        id: &SupervisionId,
        by: &Actor,
    ) -> Result<&crate::supervision::Supervision, Refusal> {
        let supervision = self.supervisions.get(id).filter(|supervision| !supervision.is_over());
        let supervision = supervision.ok_or_else(|| Refusal::because(Reason::NoSuchSupervision))?;
        if supervision.by.person != by.person {
            by.need(Right::Admin).map_err(Refusal::because)?;
        }
        Ok(supervision)
    }

    pub(super) fn agents_aside(&self) -> bool {
        self.up(Role::Agent).any(|agent| !agent.may_be_heard())
    }

    /// Before the join's mode is reached there is one thing wanted; every asker waits for it.
    fn change_before_reached(&mut self, turn: &mut Turn, change: Change, wanted: Wanted) {
        let id = change.supervision.clone();
        let details = change_details(&change);
        let (by, outcome) = ((&change.by).into(), Outcome::Allowed);
        self.write(turn, by, "supervision.change", Some(&id), outcome, details);
        self.drop_pending(turn, &id, Reason::Superseded);
        let Some(supervision) = self.supervisions.get_mut(&id) else { return };
        supervision.want = wanted;
        supervision.version += 1;
        supervision.asked.push(change.request);
        turn.changed = true;
        if supervision.is_live() {
            self.pursue(turn, &id);
        } else if supervision.life == Life::Routed
            && supervision.want.mode != Mode::Listen
            && let Some(seat) = supervision.seat()
        {
            turn.after_plan.push(Effect::ProveAudio { seat, incoming: true });
        }
    }

    /// Alert and mute on: nothing opens, and an earlier change goes on.
    fn change_lightly(&mut self, turn: &mut Turn, change: Change) {
        let id = change.supervision.clone();
        let details = change_details(&change);
        if let Some(supervision) = self.supervisions.get_mut(&id)
            && change.muted == Some(true)
        {
            if let Some(Pending { act: Act::Become(wanted), .. }) = &mut supervision.pending {
                wanted.muted = true;
            }
            let muted = Wanted { muted: true, ..supervision.now.clone() };
            self.become_now(turn, &id, muted);
        }
        let (by, outcome) = ((&change.by).into(), Outcome::Allowed);
        self.write(turn, by, "supervision.change", Some(&id), outcome, details);
        self.answer_in_force([change.request], Some(&id), false);
    }

    /// The later wins: who asked earlier is told so.
    pub(super) fn supersede(&mut self, turn: &mut Turn, id: &SupervisionId) {
        self.drop_pending(turn, id, Reason::Superseded);
        self.drop_awaits(turn, id, Reason::Superseded);
        let seat = self.supervisions.get(id).and_then(|supervision| supervision.seat());
        // A hand-back under way stops where it is: both are heard, and the later change decides.
        if let Some(seat) = seat
            && let Some(party) = self.parties.get_mut(&seat)
        {
            party.keep_place();
            self.stop_timer(turn, &Due::Guard(seat));
            let requests = self.handing.remove(&seat).unwrap_or_default();
            turn.refuse(requests, Reason::Superseded);
        }
    }

    /// Does what closes at once; asks for a row for the rest, if anything opens.
    fn do_or_ask(
        &mut self,
        turn: &mut Turn,
        id: &SupervisionId,
        wanted: Wanted,
        by: &Actor,
        request: RequestId,
        details: Details,
    ) {
        let Some(supervision) = self.supervisions.get(id) else { return };
        let now = supervision.now.clone();
        let in_guard = supervision.seat().is_some_and(|seat| {
            self.parties.values().any(|party| party.gives_way_to() == Some(seat))
        });
        let aside = self.agents_aside() && !in_guard;
        if !opens(&now, &wanted, aside) {
            self.write(turn, by.into(), "supervision.change", Some(id), Outcome::Allowed, details);
            return self.apply(turn, id, wanted, vec![request]);
        }
        if now.mode != Mode::Takeover || !in_guard {
            self.become_now(turn, id, meet(&now, &wanted));
        }
        self.ask(turn, id, Act::Become(wanted), by, Some(request), details);
    }

    pub(super) fn leave(
        &mut self,
        turn: &mut Turn,
        id: &SupervisionId,
        by: &Actor,
        request: Option<RequestId>,
    ) {
        if let Err(refusal) = self.mine(id, by) {
            return self.refuse(turn, by, "supervision.leave", Some(id), request, refusal);
        }
        let what = "supervision.leave";
        self.write(turn, by.into(), what, Some(id), Outcome::Allowed, vec![]);
        self.end_supervision(turn, id, Life::Ended, "left", None);
        self.keep_or_end(turn, "supervisor_left");
        if self.is_over() {
            let answer = self.answer(turn.now, Some(id));
            turn.reply(request, answer);
        } else {
            self.answer_in_force(request, Some(id), false);
        }
    }
}

fn change_details(change: &Change) -> Details {
    let mut details = Vec::new();
    if let Some(mode) = change.mode {
        details.push(("mode", mode_code(mode).to_owned()));
    }
    if let Some(targets) = &change.targets {
        details.push(("targets", targets_text(targets)));
    }
    if let Some(after) = change.agent_after {
        details.push(("agent_after", agent_after_code(after).to_owned()));
    }
    if let Some(muted) = change.muted {
        details.push(("muted", muted.to_string()));
    }
    if let Some(alert) = change.alert {
        details.push(("alert", alert.to_string()));
    }
    details
}
