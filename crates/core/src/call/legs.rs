//! The two ends' legs, from the first INVITE to the last BYE, and what they say meanwhile.
//! A supervisor's leg is told apart here and handled in joining.rs and losing.rs.

use super::effect::Effect;
use super::input::{LegEnd, LegFailure};
use super::party::Party;
use super::turn::{Due, Turn};
use super::{Call, Stage};
use crate::access::Actor;
use crate::audit::{Outcome, Who};
use crate::id::SeatId;
use crate::phone::{Leg, end_code, failure_code, reject_code};
use crate::refusal::Reason;
use crate::seat::{Mark, Room};
use crate::view::{Direction, Mode, Role};

/// Named from the customer's side; two agents are an internal call.
pub(super) fn direction(caller: &Party, callee: &Party) -> Direction {
    match (caller.role(), callee.role()) {
        (Role::Agent, Role::Agent) => Direction::Internal,
        (Role::Agent, _) => Direction::Outbound,
        _ => Direction::Inbound,
    }
}

impl Call {
    /// The caller first: a phone that called us rings on while the callee is called; one that we
    /// call (`POST /calls`) must answer before anybody else is disturbed.
    pub(super) fn begin(&mut self, turn: &mut Turn, by: Option<Actor>) {
        let caller_name = self.parties.get(&Self::CALLER).map(|p| p.name.clone());
        let caller_person = self.parties.get(&Self::CALLER).and_then(|p| p.person.clone());
        self.note(turn, "started", caller_name.unwrap_or_default(), "");
        let who = by.as_ref().map_or_else(Who::system, Who::from);
        let details = self.parties.iter().map(|(seat, party)| {
            let name = if *seat == Self::CALLER { "caller" } else { "callee" };
            (name, party.number.clone())
        });
        let details = details.collect();
        self.write(turn, who, "call.start", None, Outcome::Allowed, details);
        if let Some(person) = caller_person {
            turn.out.push(Effect::AgentBusy { person });
        }
        let arrived = self.parties.get(&Self::CALLER).is_some_and(|p| p.leg == Leg::Arrived);
        self.ring(turn, if arrived { Self::CALLEE } else { Self::CALLER });
    }

    fn ring(&mut self, turn: &mut Turn, seat: SeatId) {
        let (from_number, from_name) = self.called_as(seat);
        let Some(party) = self.parties.get_mut(&seat) else { return };
        match party.to_dial.take() {
            Some(to) => {
                turn.out.push(Effect::Dial { seat, to, from_number, from_name });
                self.start_timer(turn, Due::LegAnswer(seat), turn.dir.policy.ring_ms);
            }
            None if party.leg == Leg::Arrived => self.answer_arrived(turn, seat),
            None => {}
        }
    }

    pub(super) fn answer_arrived(&mut self, turn: &mut Turn, seat: SeatId) {
        let Some(party) = self.parties.get_mut(&seat) else { return };
        party.leg = Leg::Answering;
        turn.out.push(Effect::AnswerLeg { seat });
        self.start_timer(turn, Due::LegAnswer(seat), turn.dir.policy.leg_answer_phone_ms);
    }

    pub(super) fn leg_ringing(&mut self, turn: &mut Turn, seat: SeatId) {
        let Some(party) = self.parties.get_mut(&seat) else { return };
        if party.leg != Leg::Dialling {
            return;
        }
        party.leg = Leg::Ringing;
        turn.changed = true;
        if self.is_called(seat) {
            return self.transfer_rings(turn);
        }
        let caller = self.parties.get(&Self::CALLER);
        if seat == Self::CALLEE && caller.is_some_and(|party| party.leg == Leg::Arrived) {
            turn.out.push(Effect::RingLeg { seat: Self::CALLER });
        }
    }

    pub(super) fn leg_answered(&mut self, turn: &mut Turn, seat: SeatId) {
        let Some(party) = self.parties.get_mut(&seat) else { return };
        // A leg not yet dialled cannot answer; one that is up or gone has.
        if !party.leg.awaits_answer() || party.to_dial.is_some() {
            return;
        }
        party.leg = Leg::Up;
        turn.changed = true;
        self.stop_timer(turn, &Due::LegAnswer(seat));
        self.forget_placing(turn, seat);
        if self.supervision_at(seat).is_some() {
            return self.supervisor_answered(turn, seat);
        }
        if self.is_called(seat) {
            return self.transfer_answered(turn, seat);
        }
        let Some(party) = self.parties.get(&seat) else { return };
        let (person, name) = (party.person.clone(), party.name.clone());
        self.note(turn, "leg_answered", name, "");
        if let Some(person) = person.filter(|_| seat == Self::CALLEE) {
            turn.out.push(Effect::AgentBusy { person });
        }
        let both = [Self::CALLER, Self::CALLEE];
        let waiting = both.into_iter().find(|seat| {
            self.parties.get(seat).is_some_and(|p| p.to_dial.is_some() || p.leg == Leg::Arrived)
        });
        match waiting {
            Some(next) => self.ring(turn, next),
            None if both.iter().all(|s| self.parties.get(s).is_some_and(|p| p.leg == Leg::Up)) => {
                self.talk(turn);
            }
            None => {}
        }
    }

    fn talk(&mut self, turn: &mut Turn) {
        if self.stage != Stage::Ringing {
            return;
        }
        self.stage = Stage::Talking;
        // Both at once: nobody's microphone was live before, so nothing of the greeting is guarded.
        for party in self.parties.values_mut() {
            party.seat.connected = true;
            party.seat.early = None;
        }
        self.answered = Some(turn.now);
        self.note(turn, "answered", "", "");
        let asked = self.asked.take();
        self.answer_in_force(asked, None, false);
    }

    pub(super) fn leg_failed(&mut self, turn: &mut Turn, seat: SeatId, why: LegFailure) {
        let Some(party) = self.parties.get(&seat) else { return };
        if party.leg == Leg::Gone || party.leg == Leg::Up {
            return;
        }
        if self.supervision_at(seat).is_some() {
            return self.supervisor_leg_failed(turn, seat, why);
        }
        if self.is_called(seat) {
            return self.transfer_failed(turn, why, why == LegFailure::NoAnswer);
        }
        if seat == Self::CALLEE {
            self.reject_code = reject_code(why);
        }
        let ours = why == LegFailure::NoAnswer;
        self.depart(turn, seat, failure_code(why), ours);
        self.end(turn, failure_code(why));
    }

    pub(super) fn leg_ended(&mut self, turn: &mut Turn, seat: SeatId, cause: LegEnd) {
        let Some(party) = self.parties.get(&seat) else { return };
        if party.leg == Leg::Gone {
            return;
        }
        // A leg whose media failed still has a dialog: it is let go like one of ours.
        let ours = cause == LegEnd::MediaTimeout;
        if self.is_called(seat) {
            return self.transfer_failed(turn, LegFailure::Gone, ours);
        }
        if self.supervision_at(seat).is_some() {
            return self.supervisor_leg_ended(turn, seat, cause, ours);
        }
        self.depart(turn, seat, end_code(cause), ours);
        self.keep_or_end(turn, end_code(cause));
    }

    /// Hold by telephone, by role: an agent's (or, in barge and takeover, a supervisor's) marks
    /// the other parties of the room; a customer's own is shown and changes no edge. A supervisor
    /// in listen or whisper who presses hold changes nothing for anybody else.
    pub(super) fn leg_direction(
        &mut self,
        turn: &mut Turn,
        seat: SeatId,
        sends: bool,
        hears: bool,
    ) {
        let outward = self
            .supervision_at(seat)
            .is_none_or(|s| s.is_live() && matches!(s.now.mode, Mode::Barge | Mode::Takeover));
        // Who was put aside, or is handing over, is no longer the customer's party.
        let aside = self.is_aside(seat);
        // One that is not answered has agreed on nothing, and its seat may become another's.
        let Some(party) = self.parties.get_mut(&seat).filter(|p| p.leg == Leg::Up) else { return };
        turn.changed = true;
        if party.is(Role::Customer) {
            party.far_holds = !hears;
            return;
        }
        let held_before = !party.seat.receives;
        (party.seat.sends, party.seat.receives) = (sends, hears);
        let may_mark = party.is_up() && outward && !aside;
        let (room, name) = (party.seat.room, party.name.clone());
        if held_before != hears {
            return;
        }
        if !hears && may_mark {
            self.mark_others(seat, room);
            self.note(turn, "held", name, "phone");
            self.write(turn, self.who_at(seat), "call.hold", None, Outcome::Allowed, vec![]);
        } else if hears && self.unmark_others(seat) {
            self.note(turn, "resumed", name, "phone");
            self.write(turn, self.who_at(seat), "call.resume", None, Outcome::Allowed, vec![]);
        }
    }

    pub(super) fn mark_others(&mut self, by: SeatId, room: Room) {
        let others = self.parties.values_mut().filter(|party| {
            party.id() != by && !party.is(Role::Supervisor) && party.seat.room == room
        });
        for party in others {
            party.seat.held_by.insert(Mark::Seat(by));
        }
    }

    fn unmark_others(&mut self, by: SeatId) -> bool {
        let marks = self.parties.values_mut().map(|p| p.seat.held_by.remove(&Mark::Seat(by)));
        // Not `any`: every mark goes, not only the first.
        marks.filter(|removed| *removed).count() > 0
    }

    pub(super) fn moved(&mut self, turn: &mut Turn, seat: SeatId, room: Room) {
        let Some(party) = self.parties.get_mut(&seat).filter(|party| party.is_up()) else { return };
        party.seat.room = room;
        let name = party.name.clone();
        self.note(turn, "moved", name, room.0.to_string());
    }

    /// A party of the two ends goes: its marks, its place among targets, its busy state.
    /// `release`: its dialog is still there and must be ended by us.
    pub(super) fn depart(&mut self, turn: &mut Turn, seat: SeatId, why: &str, release: bool) {
        let Some(party) = self.parties.get_mut(&seat) else { return };
        let leg = std::mem::replace(&mut party.leg, Leg::Gone);
        if leg == Leg::Gone {
            return;
        }
        party.seat.connected = false;
        party.seat.early = None;
        party.keep_place();
        // Not yet called, or to be called elsewhere once that is found.
        let unused = party.to_dial.is_some() || self.placing.contains_key(&seat);
        let name = party.name.clone();
        turn.out.push(Effect::GiveBack { seat, unused });
        self.forget_placing(turn, seat);
        self.stop_timer(turn, &Due::LegAnswer(seat));
        self.stop_timer(turn, &Due::Guard(seat));
        if release {
            self.release(turn, seat, leg);
        }
        // Nobody hands the call to one who is not there: the owner of a takeover stays it.
        self.take_back_places(turn, seat, Reason::AgentGone);
        self.forget(turn, seat);
        self.note(turn, "left", name, why);
        let details = vec![("party", seat.to_string()), ("why", why.to_owned())];
        self.write(turn, self.who_at(seat), "call.leave", None, Outcome::Allowed, details);
        self.free_agent(turn, seat);
        self.target_left(turn, seat);
    }

    /// Whose agent's leg is gone is free, unless they are here by another telephone of theirs.
    pub(super) fn free_agent(&mut self, turn: &mut Turn, gone: SeatId) {
        let party = self.parties.get(&gone).filter(|party| party.is(Role::Agent));
        let Some(person) = party.and_then(|party| party.person.clone()) else { return };
        if !self.up(Role::Agent).any(|other| other.person.as_ref() == Some(&person)) {
            turn.out.push(Effect::AgentFree { person });
        }
    }

    /// The call acts on behalf of the party at this seat.
    pub(super) fn who_at(&self, seat: SeatId) -> Who {
        let party = self.parties.get(&seat);
        let number = party.map_or("", |party| party.number.as_str());
        let person = party.and_then(|party| party.person.clone());
        Who { person, key: None, channel: None, origin: format!("phone {number}") }
    }
}
