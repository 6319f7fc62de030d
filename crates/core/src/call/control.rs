//! Call control by API and console: hang up, hold, resume. A hold belongs to whoever set it;
//! resuming removes only one's own mark.

use super::Call;
use super::input::{LegFailure, RequestId};
use super::turn::{Gate, Turn};
use crate::access::{Actor, Right};
use crate::audit::Outcome;
use crate::id::SeatId;
use crate::refusal::{Reason, Refusal};
use crate::seat::Mark;
use crate::view::{Mode, Role};

impl Call {
    /// By right, or because it is one's own call: as its agent, unless put aside by a takeover,
    /// or in barge or takeover.
    pub(super) fn may_control(&self, by: &Actor) -> Result<(), Refusal> {
        let speaks = |seat: SeatId| match self.supervision_at(seat) {
            Some(s) => s.is_live() && matches!(s.now.mode, Mode::Barge | Mode::Takeover),
            None => !self.is_aside(seat),
        };
        if by.may(Right::Control) || self.seat_of(by).is_some_and(speaks) {
            Ok(())
        } else {
            Err(Refusal::because(Reason::NotAllowed))
        }
    }

    /// Whom a supervisor holds, or who is being or has been replaced.
    pub(super) fn is_aside(&self, seat: SeatId) -> bool {
        let Some(party) = self.parties.get(&seat) else { return false };
        let by_supervisor = |mark: &Mark| match mark {
            Mark::Seat(setter) => self.supervision_at(*setter).is_some(),
            Mark::Api => false,
        };
        let given = !party.seat.listening_by.is_empty() || party.gives_way_to().is_some();
        given || party.seat.held_by.iter().any(by_supervisor)
    }

    pub(super) fn seat_of(&self, by: &Actor) -> Option<SeatId> {
        let own = self.parties.values().filter(|p| p.person.as_ref() == Some(&by.person));
        let mut own = own.filter(|party| party.is_up());
        own.next().map(|party| party.id())
    }

    /// One's own mark on this call: of the seat, so that it goes when the seat does. Who is about
    /// to hand the customer over marks as the API does, else the hold would go with the hand-back.
    fn mark_of(&self, by: &Actor) -> Mark {
        let stays = |seat: &SeatId| match self.supervision_at(*seat) {
            Some(s) => s.owns_call() && !self.is_aside(*seat),
            None => !self.is_aside(*seat),
        };
        self.seat_of(by).filter(stays).map_or(Mark::Api, Mark::Seat)
    }

    pub(super) fn hang_up(
        &mut self,
        turn: &mut Turn,
        by: &Actor,
        seat: Option<SeatId>,
        request: Option<RequestId>,
    ) {
        let what = "call.hang_up";
        let known = seat.is_none_or(|seat| self.parties.contains_key(&seat));
        let allowed = self.may_control(by).and_then(|()| {
            known.then_some(()).ok_or_else(|| Refusal::because(Reason::NoSuchParty))
        });
        if let Err(refusal) = allowed {
            return self.refuse(turn, by, what, None, request, refusal);
        }
        let details = vec![("party", seat.map_or("all".to_owned(), |seat| seat.to_string()))];
        self.write(turn, by.into(), what, None, Outcome::Allowed, details);
        match seat {
            None => self.end(turn, "hung_up"),
            Some(seat) => match self.supervision_at(seat).map(|s| s.id.clone()) {
                Some(id) => {
                    let life = crate::supervision::Life::Ended;
                    self.end_supervision(turn, &id, life, "hung_up", None);
                    self.keep_or_end(turn, "supervisor_left");
                }
                None if self.is_called(seat) => {
                    self.transfer_failed(turn, LegFailure::Gone, true);
                }
                None => {
                    self.depart(turn, seat, "hung_up", true);
                    self.keep_or_end(turn, "hung_up");
                }
            },
        }
        if self.is_over() {
            let answer = self.answer(turn.now, None);
            turn.reply(request, answer);
        } else {
            self.answer_in_force(request, None, false);
        }
    }

    /// Whom a hold is for: the named party, else the customer.
    pub(super) fn whom(&self, seat: Option<SeatId>) -> Result<SeatId, Refusal> {
        let held = |seat: &SeatId| {
            let party = self.parties.get(seat);
            party.is_some_and(|party| party.is_up() && !party.is(Role::Supervisor))
        };
        let customer = || self.seats_of(Role::Customer).first().copied();
        let none = if seat.is_some() { Reason::NoSuchParty } else { Reason::NoCustomer };
        seat.or_else(customer).filter(held).ok_or_else(|| Refusal::because(none))
    }

    pub(super) fn hold(
        &mut self,
        turn: &mut Turn,
        by: &Actor,
        seat: Option<SeatId>,
        request: Option<RequestId>,
    ) {
        let what = "call.hold";
        let seat = match self.may_control(by).and_then(|()| self.whom(seat)) {
            Ok(seat) => seat,
            Err(refusal) => return self.refuse(turn, by, what, None, request, refusal),
        };
        let mark = self.mark_of(by);
        if let Some(party) = self.parties.get_mut(&seat) {
            party.seat.held_by.insert(mark);
        }
        self.drop_resumes(turn, seat);
        self.note(turn, "held", by.name.clone(), seat.to_string());
        let details = vec![("party", seat.to_string())];
        self.write(turn, by.into(), what, None, Outcome::Allowed, details);
        self.answer_in_force(request, None, false);
    }

    /// A hold after a resume that still waits for its row: the later wins.
    fn drop_resumes(&mut self, turn: &mut Turn, held: SeatId) {
        let earlier: Vec<_> = self
            .gates
            .iter()
            .filter(|(_, gate)| matches!(gate, Gate::Resume { seat, .. } if *seat == held))
            .map(|(row, _)| *row)
            .collect();
        for row in earlier {
            if let Some(Gate::Resume { by, request, .. }) = self.drop_gate(turn, row) {
                let no = Refusal::because(Reason::Superseded);
                self.refuse(turn, &by, "call.resume", None, request, no);
            }
        }
    }

    /// It opens edges, and so waits for its row. An agent's own phone does not (legs.rs): what
    /// two ends of a call do on their telephones is no act of supervision.
    pub(super) fn resume(
        &mut self,
        turn: &mut Turn,
        by: Actor,
        seat: Option<SeatId>,
        request: Option<RequestId>,
    ) {
        let seat = match self.may_control(&by).and_then(|()| self.whom(seat)) {
            Ok(seat) => seat,
            Err(no) => return self.refuse(turn, &by, "call.resume", None, request, no),
        };
        let details = vec![("party", seat.to_string())];
        let who = (&by).into();
        let gate = Gate::Resume { by, seat, request };
        self.write_gate(turn, who, "call.resume", None, details, gate);
    }

    pub(super) fn resume_row(
        &mut self,
        turn: &mut Turn,
        by: &Actor,
        seat: SeatId,
        request: Option<RequestId>,
        committed: bool,
    ) {
        let what = "call.resume";
        if !committed {
            let no = Refusal::because(Reason::AuditUnavailable);
            return self.refuse(turn, by, what, None, request, no);
        }
        let mut by = by.clone();
        turn.dir.restrict(&mut by);
        let by = &by;
        if let Err(refusal) = self.may_control(by).and_then(|()| self.whom(Some(seat))) {
            return self.refuse(turn, by, what, None, request, refusal);
        }
        let mark = self.mark_of(by);
        if let Some(party) = self.parties.get_mut(&seat) {
            party.seat.held_by.remove(&mark);
            // The API's mark may have been set before this person had a seat.
            if mark != Mark::Api && by.may(Right::Control) {
                party.seat.held_by.remove(&Mark::Api);
            }
        }
        self.note(turn, "resumed", by.name.clone(), seat.to_string());
        self.answer_in_force(request, None, false);
    }
}
