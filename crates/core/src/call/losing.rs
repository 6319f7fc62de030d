//! When somebody is gone: an agent during barge, a supervisor's leg, the owner of a takeover,
//! rights. The customer always has a party, or treatment, or the call ends.

use super::effect::Effect;
use super::input::{LegEnd, LegFailure, TapEnd};
use super::party::Party;
use super::turn::{Due, Turn};
use super::{Call, Stage};
use crate::access::Right;
use crate::id::{KeyId, PersonId, SeatId, SupervisionId, TapId};
use crate::phone::end_code;
use crate::policy::{OnAgentLeaves, OnTakeoverLost};
use crate::refusal::Reason;
use crate::supervision::{Ear, Life};
use crate::view::{Mode, Role};

impl Call {
    /// After somebody left: does this call go on, and with whom?
    pub(super) fn keep_or_end(&mut self, turn: &mut Turn, why: &'static str) {
        if self.is_over() {
            return;
        }
        if self.is_waited_for() {
            return;
        }
        self.give_up_transfer(turn, Reason::CallEnded);
        let customers = self.up(Role::Customer).count();
        let agents = self.up(Role::Agent).count();
        if self.stage == Stage::Announcing && customers > 0 {
            return;
        }
        if self.stage == Stage::Talking && customers + agents >= 2 && self.customer_is_here() {
            return;
        }
        if self.stage != Stage::Talking || customers == 0 {
            return self.end(turn, why);
        }
        if self.supervisions.values().any(|s| s.owns_call()) {
            return;
        }
        let in_barge = self.supervisions.values().filter(|s| s.is_live());
        let heir = in_barge.filter(|s| s.now.mode == Mode::Barge).min_by_key(|s| s.started.mono);
        let heir = heir.map(|s| s.id.clone());
        match heir {
            Some(id) if turn.dir.policy.on_agent_leaves == OnAgentLeaves::SupervisorKeepsCall => {
                self.fall(turn, &id, Mode::Takeover, "agent_left");
            }
            _ => self.end(turn, why),
        }
    }

    /// True of internal calls, which have no customer to lose.
    fn customer_is_here(&self) -> bool {
        let counted = |party: &&Party| party.is(Role::Customer) && !party.handed_over;
        let mut customers = self.parties.values().filter(counted);
        let any = customers.clone().next().is_some();
        !any || customers.any(|party| party.is_up())
    }

    pub(super) fn supervisor_leg_failed(&mut self, turn: &mut Turn, seat: SeatId, why: LegFailure) {
        let Some(id) = self.supervision_at(seat).map(|s| s.id.clone()) else { return };
        let reason = match why {
            LegFailure::NoAnswer => Reason::LegNoAnswer,
            LegFailure::PortsExhausted => Reason::Overloaded,
            LegFailure::NotRegistered => Reason::LegNotRegistered,
            _ => Reason::LegRejected,
        };
        self.end_supervision(turn, &id, Life::Failed, reason.code(), Some(reason));
    }

    pub(super) fn supervisor_leg_ended(
        &mut self,
        turn: &mut Turn,
        seat: SeatId,
        cause: LegEnd,
        ours: bool,
    ) {
        let Some(supervision) = self.supervision_at(seat) else { return };
        let (id, live) = (supervision.id.clone(), supervision.is_live());
        let owner = live && supervision.now.mode == Mode::Takeover;
        let heard = self.up(Role::Agent).any(|agent| agent.may_be_heard());
        if !ours && let Some(party) = self.parties.get_mut(&seat) {
            party.leg = crate::phone::Leg::Gone;
        }
        if owner && cause != LegEnd::HungUp && !heard {
            return self.lose_owner(turn, &id, seat, "leg_lost");
        }
        if live {
            self.end_supervision(turn, &id, Life::Ended, end_code(cause), None);
            self.keep_or_end(turn, "supervisor_left");
        } else {
            let no = Reason::MediaFailed;
            self.end_supervision(turn, &id, Life::Failed, end_code(cause), Some(no));
        }
    }

    /// The customer hears treatment; whoever was put aside stays so until the owner is back or
    /// has been away too long.
    pub(super) fn lose_owner(
        &mut self,
        turn: &mut Turn,
        id: &SupervisionId,
        seat: SeatId,
        why: &'static str,
    ) {
        self.drop_pending(turn, id, Reason::MediaFailed);
        self.drop_awaits(turn, id, Reason::MediaFailed);
        let leg = self.parties.get(&seat).map(|party| party.leg);
        if let Some(party) = self.parties.get_mut(&seat) {
            party.seat.connected = false;
            party.keep_place();
            party.leg = crate::phone::Leg::Gone;
        }
        self.stop_timer(turn, &Due::Guard(seat));
        let requests = self.handing.remove(&seat).unwrap_or_default();
        turn.refuse(requests, Reason::MediaFailed);
        if let Some(leg) = leg {
            self.release(turn, seat, leg);
        }
        let Some(supervision) = self.supervisions.get_mut(id) else { return };
        supervision.life = Life::Lost;
        supervision.lost_by = why;
        supervision.version += 1;
        let name = supervision.by.name.clone();
        self.note(turn, "owner_lost", name, "");
        let within = turn.dir.policy.takeover_back_ms.to_string();
        let details = vec![("back_within_ms", within), ("why", why.to_owned())];
        let who = crate::audit::Who::system();
        let outcome = crate::audit::Outcome::Allowed;
        self.write(turn, who, "supervision.lost", Some(id), outcome, details);
        self.start_timer(turn, Due::ComeBack(id.clone()), turn.dir.policy.takeover_back_ms);
    }

    pub(super) fn owner_stayed_away(
        &mut self,
        turn: &mut Turn,
        id: &SupervisionId,
        why: &'static str,
    ) {
        self.end_supervision(turn, id, Life::Ended, why, None);
        let agents = self.up(Role::Agent).count();
        let helped = self
            .supervisions
            .values()
            .any(|s| s.is_live() && matches!(s.now.mode, Mode::Barge | Mode::Takeover));
        let announce = turn.dir.policy.on_takeover_lost == OnTakeoverLost::Announcement;
        let waits = self.is_waited_for();
        let alone = agents == 0 && !helped && !waits && self.up(Role::Customer).count() > 0;
        if alone && announce {
            self.stage = Stage::Announcing;
            self.start_timer(turn, Due::Announcement, turn.dir.policy.announcement_ms);
            self.note(turn, "takeover_lost", "", "announcement");
        } else {
            self.keep_or_end(turn, "takeover_lost");
        }
    }

    pub(super) fn tap_ended(&mut self, turn: &mut Turn, tap: TapId, why: TapEnd) {
        let at = |s: &&crate::supervision::Supervision| s.ear == Ear::Tap(tap) && !s.is_over();
        let Some(supervision) = self.supervisions.values().find(at) else { return };
        let (id, live) = (supervision.id.clone(), supervision.is_live());
        let (code, reason) = match why {
            TapEnd::ReaderClosed => ("reader_closed", Reason::MediaFailed),
            TapEnd::ReaderTooSlow => ("reader_too_slow", Reason::ReaderTooSlow),
            TapEnd::Failed => ("media_failed", Reason::MediaFailed),
        };
        let life = if live { Life::Ended } else { Life::Failed };
        self.end_supervision(turn, &id, life, code, (!live).then_some(reason));
    }

    /// A person's rights or key changed. What is no longer allowed ends now; its row follows.
    pub(super) fn rights_lost(&mut self, turn: &mut Turn, who: &PersonId, key: Option<&KeyId>) {
        let now = turn.dir.person(who).map(|p| p.rights.clone()).unwrap_or_default();
        let theirs = self.supervisions.values().filter(|s| !s.is_over() && s.by.person == *who);
        let theirs: Vec<_> = theirs.map(|s| s.id.clone()).collect();
        for id in theirs {
            let Some(supervision) = self.supervisions.get_mut(&id) else { continue };
            let key_gone = key.is_some() && supervision.by.key.as_ref() == key;
            supervision.by.rights.retain(|right| now.contains(right));
            let may = |mode: Mode| supervision.by.may(Right::for_mode(mode));
            let wanted = supervision.reached || may(supervision.want.mode);
            let keeps = !key_gone && may(supervision.now.mode) && wanted;
            if keeps {
                self.drop_pending_without_right(turn, &id, key);
            } else {
                let live = supervision.is_live() || supervision.life == Life::Lost;
                let life = if live { Life::Ended } else { Life::Failed };
                let no = (!live).then_some(Reason::NotAllowed);
                self.end_supervision(turn, &id, life, "rights_lost", no);
                self.keep_or_end(turn, "rights_lost");
            }
        }
    }

    /// Lets a leg go as it stands; nothing has to come back.
    pub(super) fn release(&mut self, turn: &mut Turn, seat: SeatId, leg: crate::phone::Leg) {
        use crate::phone::Release;
        let code = self.reject_code;
        match leg.release() {
            Release::Reject => turn.after_plan.push(Effect::RejectLeg { seat, code }),
            Release::HangUp => {
                turn.after_plan.push(Effect::HangUpLeg { seat, cause: LegEnd::Released });
            }
            Release::Nothing => {}
        }
    }
}
