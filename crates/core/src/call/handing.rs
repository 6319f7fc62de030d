//! Takeover and hand-back: the customer passes from one party to the other, and whoever gives way
//! is heard until the other is (`seat.gives_way_to`, the guard of `hearing.md`).

use super::Call;
use super::input::RequestId;
use super::party::Then;
use super::turn::{Due, Turn};
use crate::id::{SeatId, SupervisionId};
use crate::refusal::Reason;
use crate::seat::Mark;
use crate::supervision::{Life, Wanted};
use crate::view::{AgentAfter, Mode, Role};

/// How long the one given way to may take to be heard: the guard, 2 s of a clock that stood
/// still, and room for a stalled network.
const GUARD_DEADLINE_MS: u64 = 10_000;

impl Call {
    /// Takes a supervision to what is wanted; whatever had to be waited for has come.
    pub(super) fn apply(
        &mut self,
        turn: &mut Turn,
        id: &SupervisionId,
        wanted: Wanted,
        requests: Vec<RequestId>,
    ) {
        let Some(supervision) = self.supervisions.get(id) else { return };
        let seat = supervision.seat();
        let raised = wanted.mode != Mode::Listen;
        match (supervision.now.mode, wanted.mode) {
            (Mode::Takeover, Mode::Takeover) => {
                let aside = wanted.agent_after;
                let other = aside != supervision.now.agent_after;
                self.become_now(turn, id, wanted);
                if let Some(seat) = seat.filter(|_| other) {
                    self.put_agents_aside(turn, seat, aside);
                }
            }
            (Mode::Takeover, _) => return self.out_of_takeover(turn, id, wanted, requests),
            (_, Mode::Takeover) => self.take_over(turn, id, wanted),
            _ => self.become_now(turn, id, wanted),
        }
        self.answer_in_force(requests, Some(id), raised);
    }

    /// The supervisor becomes the customer's party. An agent who can be heard speaks on until the
    /// supervisor is.
    fn take_over(&mut self, turn: &mut Turn, id: &SupervisionId, wanted: Wanted) {
        let after = wanted.agent_after;
        // Who takes the customer over decides where the customer goes.
        self.give_up_transfer(turn, Reason::Superseded);
        self.become_now(turn, id, wanted);
        let Some(seat) = self.supervisions.get(id).and_then(|s| s.seat()) else { return };
        for agent in self.seats_of(Role::Agent) {
            if after == AgentAfter::Stays {
                self.put_aside(turn, agent, seat, after);
                continue;
            }
            self.forget(turn, agent);
            let heard = self.parties.get(&agent).is_some_and(|p| p.may_be_heard());
            if heard {
                self.give_way(turn, agent, seat, Then::Agent(after));
            } else {
                self.put_aside(turn, agent, seat, after);
            }
        }
        self.relieve_lost_owner(turn, id);
    }

    /// The owner who was lost has come back through a new leg, or was replaced by it.
    fn relieve_lost_owner(&mut self, turn: &mut Turn, by: &SupervisionId) {
        let lost = |s: &&crate::supervision::Supervision| s.life == Life::Lost && s.id != *by;
        let lost = self.supervisions.values().find(lost).map(|s| s.id.clone());
        if let Some(lost) = lost {
            self.end_supervision(turn, &lost, Life::Ended, "came_back", None);
        }
    }

    fn out_of_takeover(
        &mut self,
        turn: &mut Turn,
        id: &SupervisionId,
        wanted: Wanted,
        requests: Vec<RequestId>,
    ) {
        let Some(seat) = self.supervisions.get(id).and_then(|s| s.seat()) else { return };
        // Esc in the guard: the customer has heard nothing of it, and the agent never stopped.
        let in_guard = self.take_back_places(turn, seat, Reason::Superseded);
        self.forget(turn, seat);
        let agent = self.seats_of(Role::Agent).first().copied();
        let at_once = in_guard || wanted.mode == Mode::Barge;
        match agent.filter(|_| !at_once) {
            None => {
                self.become_now(turn, id, wanted);
                self.answer_in_force(requests, Some(id), false);
            }
            Some(agent) => {
                self.give_way(turn, seat, agent, Then::Supervisor(wanted));
                self.handing.insert(seat, requests);
            }
        }
    }

    pub(super) fn give_way(&mut self, turn: &mut Turn, giver: SeatId, to: SeatId, then: Then) {
        if let Some(party) = self.parties.get_mut(&giver) {
            party.give_way(to, then);
            self.start_timer(turn, Due::Guard(giver), GUARD_DEADLINE_MS);
        }
    }

    /// The one given way to is heard, or nobody waits to hear: the giver goes aside.
    pub(super) fn settle(&mut self, turn: &mut Turn, giver: SeatId) {
        self.stop_timer(turn, &Due::Guard(giver));
        let Some(party) = self.parties.get_mut(&giver) else { return };
        let to = party.gives_way_to();
        match (party.keep_place(), to) {
            (Some(Then::Agent(after)), Some(to)) => self.put_aside(turn, giver, to, after),
            (Some(Then::Supervisor(wanted)), _) => {
                let id = self.supervision_at(giver).map(|s| s.id.clone());
                let requests = self.handing.remove(&giver).unwrap_or_default();
                if let Some(id) = id {
                    self.become_now(turn, &id, wanted);
                    self.answer_in_force(requests, Some(&id), false);
                }
            }
            _ => {}
        }
    }

    /// All who give way to this seat keep their place; whoever asked for a hand-back to it is told
    /// why there is none. True if there were any.
    pub(super) fn take_back_places(&mut self, turn: &mut Turn, to: SeatId, why: Reason) -> bool {
        let givers: Vec<_> = self
            .parties
            .values()
            .filter(|party| party.gives_way_to() == Some(to))
            .map(|party| party.id())
            .collect();
        for giver in &givers {
            self.stop_timer(turn, &Due::Guard(*giver));
            if let Some(party) = self.parties.get_mut(giver) {
                party.keep_place();
            }
            if let Some(requests) = self.handing.remove(giver) {
                turn.refuse(requests, why);
            }
        }
        !givers.is_empty()
    }

    fn put_agents_aside(&mut self, turn: &mut Turn, owner: SeatId, after: AgentAfter) {
        self.take_back_places(turn, owner, Reason::Superseded);
        for agent in self.seats_of(Role::Agent) {
            self.put_aside(turn, agent, owner, after);
        }
    }

    fn put_aside(&mut self, turn: &mut Turn, agent: SeatId, owner: SeatId, after: AgentAfter) {
        let Some(party) = self.parties.get_mut(&agent) else { return };
        turn.changed = true;
        // Each supervisor's marks are their own: another's stay.
        party.seat.forget_marks_of(owner);
        match after {
            AgentAfter::Held => {
                party.seat.held_by.insert(Mark::Seat(owner));
            }
            AgentAfter::Listening => {
                party.seat.listening_by.insert(Mark::Seat(owner));
            }
            AgentAfter::Removed => {
                self.depart(turn, agent, "removed", true);
                self.keep_or_end(turn, "agent_removed");
            }
            AgentAfter::Stays => {}
        }
    }

    pub(super) fn guard_not_passed(&mut self, turn: &mut Turn, giver: SeatId) {
        let Some(party) = self.parties.get(&giver) else { return };
        match (&party.then, party.gives_way_to()) {
            // The supervisor was never heard: the agent, who never stopped, keeps the call.
            (Some(Then::Agent(_)), Some(owner)) => {
                let id = self.supervision_at(owner).map(|s| s.id.clone());
                if let Some(id) = id {
                    self.take_back_raise(turn, &id, "audio_not_proven");
                }
            }
            // Nobody would speak to the customer: who asked is told so, and keeps the call.
            (Some(Then::Supervisor(_)), Some(agent)) if !self.is_there(agent) => {
                self.take_back_places(turn, agent, Reason::AudioNotProven);
            }
            // The supervisor wants out, and the agent is there: nothing is gained by waiting.
            (Some(Then::Supervisor(_)), _) => self.settle(turn, giver),
            _ => {}
        }
    }

    /// Those of a role whose leg is in the bridge, by seat.
    pub(super) fn seats_of(&self, role: Role) -> Vec<SeatId> {
        self.up(role).map(|party| party.id()).collect()
    }

    /// No mark by this seat is left anywhere: whom it held, or had put aside, is free of it.
    pub(super) fn forget(&mut self, turn: &mut Turn, gone: SeatId) {
        for party in self.parties.values_mut() {
            // One's own mute is one's own; it goes with the seat.
            if party.id() != gone && party.seat.forget_marks_of(gone) {
                turn.changed = true;
            }
        }
    }
}
