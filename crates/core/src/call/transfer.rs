//! Blind transfer: one end of the call gives its place to a new party, who is called while the
//! others wait. Nobody is let go before somebody else is there.
//!
//! ```text
//!  asked ──may, placed──▶ calling the new party ──answered──▶ done: who transferred leaves
//!    │                   │    (who transferred may hang up meanwhile)
//!  refused               └──failed──▶ back to who transferred, if still there
//!                                └──▶ calling them again ──answered──▶ the call goes on
//!                                          └──failed──▶ a supervisor keeps it, or it ends
//! ```
//!
//! Who transferred waits in a room aside; the others hear treatment, or a supervisor who speaks to
//! them. Supervision goes on: follow.rs. Knows no SIP: a REFER is a number (`ReferId`).

use super::effect::Effect;
use super::input::{
    DialTarget, LegFailure, NewParty, PartyLeg, ReferId, RequestId, TransferAsked, TransferBy,
};
use super::party::Party;
use super::placing::Placing;
use super::turn::{Due, Turn};
use super::{Call, Stage};
use crate::access::Actor;
use crate::audit::{Outcome, Who};
use crate::directory::Directory;
use crate::id::{CallId, DeviceId, SeatId, SupervisionId};
use crate::phone::{Leg, failure_code, reject_code};
use crate::refusal::{Reason, Refusal};
use crate::routing;
use crate::seat::Room;
use crate::traffic::PlaceAsked;
use crate::view::{Mode, Role};
use std::collections::BTreeSet;

/// Parties of a call, gone ones included: a phone that transfers in a circle comes to an end.
const PARTIES_MAX: usize = 128;

#[derive(Clone, Debug)]
pub(super) struct Transfer {
    pub(super) way: Way,
    /// Who leaves when the new party is there.
    pub(super) leaving: BTreeSet<SeatId>,
    /// The owner of a takeover, who passes the customer on and then listens.
    pub(super) owner: Option<SupervisionId>,
    pub(super) refer: Option<(SeatId, ReferId)>,
    pub(super) request: Option<RequestId>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// The new party's phone rings.
    Calling(SeatId),
    /// That failed: who transferred is called.
    CallingBack(SeatId),
    /// The other call's legs are on their way: merging.rs.
    Merging(CallId),
}

impl Way {
    fn seat(&self) -> Option<SeatId> {
        match self {
            Way::Calling(seat) | Way::CallingBack(seat) => Some(*seat),
            Way::Merging(_) => None,
        }
    }
}

/// Who leaves, and the owner of a takeover who passes the customer on.
type Leaving = (BTreeSet<SeatId>, Option<SupervisionId>);

impl Call {
    /// Nothing is looked for, and nothing counted, in the name of who may not ask.
    pub(super) fn transfer_asked(&mut self, turn: &mut Turn, asked: TransferAsked) {
        let judged = self.may_transfer(turn.dir, &asked.by);
        match judged.and_then(|_| self.origin_of(turn, &asked.by)) {
            Ok(by) => {
                let (seat, to) = (self.next_seat(), vec![asked.to.clone()]);
                let wish = PlaceAsked { seat, by, to, outside: true };
                self.place(turn, wish, Placing::Transfer(asked));
            }
            Err(refusal) => self.refuse_transfer(turn, &asked, &refusal),
        }
    }

    /// The call may have gone on meanwhile. True if the place that was found is used.
    pub(super) fn transfer_placed(
        &mut self,
        turn: &mut Turn,
        seat: SeatId,
        asked: TransferAsked,
        found: Result<NewParty, Refusal>,
    ) -> bool {
        let judged = self.may_transfer(turn.dir, &asked.by).and_then(|leaving| {
            let new = found?;
            match dialled(&new).is_some_and(|at| self.has_party_at(seat, at)) {
                true => Err(Refusal::because(Reason::AlreadyAParty)),
                false => Ok((leaving, new)),
            }
        });
        let used = judged.is_ok();
        match judged {
            Ok((leaving, new)) => self.begin_transfer(turn, asked, leaving, (seat, new)),
            Err(refusal) => self.refuse_transfer(turn, &asked, &refusal),
        }
        used
    }

    /// Somebody else is here, or is being called, at that very place.
    pub(super) fn has_party_at(&self, but: SeatId, at: &DialTarget) -> bool {
        let there = |party: &Party| party.leg != Leg::Gone && party.redial.as_ref() == Some(at);
        let mut others = self.parties.values().filter(|party| party.id() != but);
        others.any(|party| there(party) && !supervises(party))
    }

    pub(super) fn refuse_transfer(
        &mut self,
        turn: &mut Turn,
        asked: &TransferAsked,
        refusal: &Refusal,
    ) {
        let details = vec![("to", asked.to.clone()), ("detail", refusal.detail.clone())];
        let (who, outcome) = (self.transfer_by(&asked.by), Outcome::refused(refusal));
        self.write(turn, who, "call.transfer", None, outcome, details);
        match &asked.by {
            TransferBy::Phone { seat, refer } => {
                let (seat, refer, code) = (*seat, *refer, refer_code(refusal));
                turn.out.push(Effect::RefuseRefer { seat, refer, code });
            }
            TransferBy::Desk { request, .. } => turn.reply([*request], Err(refusal.clone())),
        }
    }

    fn transfer_by(&self, by: &TransferBy) -> Who {
        match by {
            TransferBy::Phone { seat, .. } => self.who_at(*seat),
            TransferBy::Desk { by, .. } => by.into(),
        }
    }

    fn may_transfer(&self, dir: &Directory, by: &TransferBy) -> Result<Leaving, Refusal> {
        if self.stage != Stage::Talking {
            return Err(Refusal::because(Reason::CallNotTalking));
        }
        let (leaving, owner) = match by {
            TransferBy::Phone { seat, .. } => self.leaves_by_phone(*seat)?,
            TransferBy::Desk { by, party, .. } => self.leave_by_desk(by, *party)?,
        };
        if self.transfer.is_some() || self.places_a_transfer() {
            return Err(Refusal::because(Reason::TransferUnderWay));
        }
        let mut stay = self.ends_up().filter(|party| !leaving.contains(&party.id()));
        if stay.next().is_none() {
            return Err(Refusal::because(Reason::NoSuchParty));
        }
        let full = self.seats().len() >= dir.policy.max_seats || self.parties.len() >= PARTIES_MAX;
        if full { Err(Refusal::because(Reason::TooManySeats)) } else { Ok((leaving, owner)) }
    }

    /// A telephone gives its own place away; a supervisor's only where it is the customer's party.
    pub(super) fn leaves_by_phone(&self, seat: SeatId) -> Result<Leaving, Refusal> {
        if !self.parties.get(&seat).is_some_and(Party::is_up) {
            return Err(Refusal::because(Reason::NoSuchParty));
        }
        match self.supervision_at(seat) {
            Some(s) if s.is_live() && s.now.mode == Mode::Takeover => {
                Ok((self.seats_of(Role::Agent).into_iter().collect(), Some(s.id.clone())))
            }
            Some(_) => Err(Refusal::because(Reason::NotInMode)),
            None if self.is_aside(seat) => Err(Refusal::because(Reason::NotAllowed)),
            None => Ok(([seat].into(), None)),
        }
    }

    /// By name: this party goes to the new one, and all the others leave.
    fn leave_by_desk(&self, by: &Actor, party: Option<SeatId>) -> Result<Leaving, Refusal> {
        self.may_control(by)?;
        let stays = match party {
            None if self.up(Role::Customer).next().is_none() => self.other_end(by),
            _ => Ok(self.whom(party)?),
        }?;
        let leaving = self.ends_up().map(Party::id).filter(|seat| *seat != stays).collect();
        let theirs = self.supervisions.values().find(|s| s.owns_call() && s.by.person == by.person);
        Ok((leaving, theirs.map(|s| s.id.clone())))
    }

    /// Between two agents: whom one of them talks with.
    fn other_end(&self, by: &Actor) -> Result<SeatId, Refusal> {
        let own = self.seat_of(by).ok_or_else(|| Refusal::because(Reason::NoCustomer))?;
        let other = self.ends_up().map(Party::id).find(|seat| *seat != own);
        other.ok_or_else(|| Refusal::because(Reason::NoSuchParty))
    }

    fn begin_transfer(
        &mut self,
        turn: &mut Turn,
        asked: TransferAsked,
        (leaving, owner): Leaving,
        (seat, new): (SeatId, NewParty),
    ) {
        let who = self.transfer_by(&asked.by);
        let mut details = vec![("to", asked.to.clone())];
        let (refer, request) = match asked.by {
            TransferBy::Phone { seat, refer } => {
                turn.out.push(Effect::AcceptRefer { seat, refer });
                (Some((seat, refer)), None)
            }
            TransferBy::Desk { request, .. } => (None, Some(request)),
        };
        details.push(("party", new.number.clone()));
        let texts: Vec<_> = leaving.iter().map(SeatId::to_string).collect();
        details.push(("leaving", texts.join(" ")));
        self.write(turn, who, "call.transfer", None, Outcome::Allowed, details);
        self.note(turn, "transferring", new.name.clone(), asked.to);
        for leaver in &leaving {
            self.set_aside(turn, *leaver);
        }
        let way = Way::Calling(seat);
        self.transfer = Some(Transfer { way, leaving, owner, refer, request });
        self.call_party(turn, seat, new);
    }

    /// Waits alone; whom it held is free, as if it had left.
    fn set_aside(&mut self, turn: &mut Turn, seat: SeatId) {
        if let Some(party) = self.parties.get_mut(&seat) {
            party.seat.room = Room::ASIDE;
        }
        self.forget(turn, seat);
    }

    /// A new seat, called in the name of who stays. Whose device it is says what the seat is.
    fn call_party(&mut self, turn: &mut Turn, seat: SeatId, new: NewParty) {
        let mut party = Party::end(seat, new, turn.dir);
        let (from_number, from_name) = self.called_as(seat);
        if let Some(to) = party.to_dial.take() {
            turn.out.push(Effect::Dial { seat, to, from_number, from_name });
        }
        self.parties.insert(seat, party);
        self.start_timer(turn, Due::LegAnswer(seat), turn.dir.policy.transfer_ring_ms);
        turn.changed = true;
    }

    /// The device at this seat: what it may dial, it may be sent on to.
    pub(super) fn device_at(&self, seat: SeatId) -> Option<DeviceId> {
        match self.parties.get(&seat)?.redial.as_ref()? {
            DialTarget::Device(device) => Some(device.clone()),
            DialTarget::Person { devices, .. } => devices.first().cloned(),
            DialTarget::Trunk(_) | DialTarget::Browser(_) => None,
        }
    }

    /// Whether this seat is being called by a transfer.
    pub(super) fn is_called(&self, seat: SeatId) -> bool {
        self.transfer.as_ref().is_some_and(|transfer| transfer.way.seat() == Some(seat))
    }

    pub(super) fn transfer_rings(&mut self, turn: &mut Turn) {
        self.tell_referrer(turn, 180, false);
    }

    /// Who sent REFER is told how it goes (RFC 3515 section 2.4.4), also after their BYE: the
    /// subscription outlives the call's leg.
    fn tell_referrer(&self, turn: &mut Turn, code: u16, last: bool) {
        let refer = self.transfer.as_ref().and_then(|transfer| transfer.refer);
        if let Some((seat, refer)) = refer {
            turn.out.push(Effect::NotifyRefer { seat, refer, code, last });
        }
    }

    /// The new party is there, or who transferred is back. In one turn it is connected and the
    /// others leave, so that nobody is without somebody.
    pub(super) fn transfer_answered(&mut self, turn: &mut Turn, seat: SeatId) {
        self.tell_referrer(turn, 200, true);
        let Some(Transfer { way, leaving, .. }) = self.transfer.clone() else { return };
        let calls_back = way == Way::CallingBack(seat);
        let Some(party) = self.parties.get_mut(&seat) else { return };
        party.seat.connected = true;
        let (name, person) = (party.name.clone(), party.person.clone());
        self.note(turn, if calls_back { "returned" } else { "transferred" }, name, "");
        if let Some(person) = person {
            turn.out.push(Effect::AgentBusy { person });
        }
        let agent_left = |seat| self.parties.get(seat).is_some_and(|p| p.is(Role::Agent));
        let agent_left = !calls_back && leaving.iter().any(agent_left);
        self.follow(turn, agent_left, seat);
        for leaver in leaving {
            if let Some(party) = self.parties.get_mut(&leaver) {
                party.handed_over = true;
            }
            self.depart(turn, leaver, "transferred", true);
        }
        let details = vec![("party", seat.to_string())];
        self.write(turn, Who::system(), "call.transferred", None, Outcome::Allowed, details);
        let Some(transfer) = self.transfer.take() else { return };
        self.coach_anew(turn, seat);
        if let Some(owner) = transfer.owner {
            self.pass_on(turn, &owner);
        }
        self.answer_in_force(transfer.request, None, false);
        self.keep_or_end(turn, "transferred");
    }

    /// Busy, no answer, refused: back to where it was, as far as that is still there.
    pub(super) fn transfer_failed(&mut self, turn: &mut Turn, why: LegFailure, ours: bool) {
        let code = failure_code(why);
        self.tell_referrer(turn, reject_code(why), true);
        let Some(transfer) = self.stop_calling(turn, code, ours) else { return };
        turn.reply(transfer.request, Err(failure(why)));
        let details = vec![("why", code.to_owned())];
        self.write(turn, Who::system(), "call.transfer_failed", None, Outcome::Allowed, details);
        self.note(turn, "transfer_failed", "", code);
        let back = self.bring_back(turn, &transfer.leaving);
        // A supervisor who speaks with the customer keeps the call.
        let speaks = |mode: Mode| matches!(mode, Mode::Barge | Mode::Takeover);
        let helped = self.up(Role::Customer).next().is_some()
            && self
                .supervisions
                .values()
                .any(|s| s.owns_call() || s.is_live() && speaks(s.now.mode));
        if !(back || helped || matches!(transfer.way, Way::CallingBack(_))) {
            self.call_back(turn, transfer);
        }
        self.keep_or_end(turn, "transfer_failed");
    }

    /// Nobody waits for the new party any more, or somebody took the customer over.
    pub(super) fn give_up_transfer(&mut self, turn: &mut Turn, no: Reason) {
        // 487: what was asked for was ended by us (RFC 3261 section 21.4.25).
        self.tell_referrer(turn, 487, true);
        let Some(transfer) = self.stop_calling(turn, "cancelled", true) else { return };
        turn.refuse(transfer.request, no);
        self.note(turn, "transfer_failed", "", no.code());
        self.bring_back(turn, &transfer.leaving);
    }

    /// The called leg is let go, and its seat is as if it had never been.
    fn stop_calling(&mut self, turn: &mut Turn, why: &str, ours: bool) -> Option<Transfer> {
        if let Some(seat) = self.transfer.as_ref()?.way.seat() {
            self.depart(turn, seat, why, ours);
            self.parties.remove(&seat);
        }
        self.stop_timer(turn, &Due::Merge);
        turn.changed = true;
        self.transfer.take()
    }

    /// True if anybody who transferred is still there.
    fn bring_back(&mut self, turn: &mut Turn, leaving: &BTreeSet<SeatId>) -> bool {
        let mut back = false;
        for seat in leaving {
            let Some(party) = self.parties.get_mut(seat).filter(|party| party.is_up()) else {
                continue;
            };
            party.seat.room = Room::MAIN;
            let holds = !party.seat.receives && !party.is(Role::Customer);
            back = true;
            turn.changed = true;
            // The phone that pressed hold before it transferred has it pressed still.
            if holds {
                self.mark_others(*seat, Room::MAIN);
            }
        }
        back
    }

    /// Who transferred has hung up and nobody else came: their phone rings again.
    fn call_back(&mut self, turn: &mut Turn, transfer: Transfer) {
        let gone = transfer.leaving.iter().filter_map(|seat| self.parties.get(seat));
        let whom = gone.filter(|party| party.redial.is_some()).max_by_key(|p| p.is(Role::Agent));
        let Some(party) = whom else { return };
        let Some(to) = party.redial.clone() else { return };
        let device = match &to {
            DialTarget::Device(device) => Some(device.clone()),
            DialTarget::Person { devices, .. } => devices.first().cloned(),
            DialTarget::Trunk(_) | DialTarget::Browser(_) => None,
        };
        let new = NewParty {
            device,
            number: party.number.clone(),
            name: party.name.clone(),
            net: party.net,
            leg: PartyLeg::ToDial(to),
        };
        self.note(turn, "calling_back", new.name.clone(), new.number.clone());
        let seat = self.next_seat();
        let (way, refer, request) = (Way::CallingBack(seat), None, None);
        self.transfer = Some(Transfer { way, refer, request, ..transfer });
        self.call_party(turn, seat, new);
    }

    /// Somebody who did not ask to leave waits for the new party.
    pub(super) fn is_waited_for(&self) -> bool {
        let Some(transfer) = &self.transfer else { return false };
        self.ends_up().any(|party| !transfer.leaving.contains(&party.id()))
    }

    /// The two ends and who came in their place: all who are up and supervise nobody.
    pub(super) fn ends_up(&self) -> impl Iterator<Item = &Party> {
        self.parties.values().filter(|party| party.is_up() && !supervises(party))
    }

    /// The call is over: what is told, and who is answered.
    pub(super) fn transfer_is_over(&mut self, turn: &mut Turn) {
        self.tell_referrer(turn, 487, true);
        if let Some(transfer) = self.transfer.take() {
            turn.refuse(transfer.request, Reason::CallEnded);
        }
    }

    /// Asked for after the end: nobody is left to tell but who asked by name.
    pub(super) fn too_late_to_transfer(&mut self, turn: &mut Turn, asked: &TransferAsked) {
        let refusal = Refusal::because(Reason::CallEnded);
        let (who, outcome) = (self.transfer_by(&asked.by), Outcome::refused(&refusal));
        let details = vec![("to", asked.to.clone())];
        self.write(turn, who, "call.transfer", None, outcome, details);
        if let TransferBy::Desk { request, .. } = &asked.by {
            turn.reply([*request], Err(refusal));
        }
    }
}

fn supervises(party: &Party) -> bool {
    party.is(Role::Supervisor)
}

fn dialled(new: &NewParty) -> Option<&DialTarget> {
    match &new.leg {
        PartyLeg::ToDial(to) => Some(to),
        PartyLeg::Arrived => None,
    }
}

/// How a refused REFER is answered (RFC 3515 section 2.4.2, RFC 3261 section 21).
pub(super) fn refer_code(refusal: &Refusal) -> u16 {
    match refusal.reasons.first() {
        Some(Reason::TransferUnderWay) => 491,
        Some(
            no @ (Reason::NoRoute
            | Reason::RouteLoop
            | Reason::AccountCap
            | Reason::DestinationCap
            | Reason::TrunkFull
            | Reason::TrunkDown),
        ) => routing::answer_code(*no),
        Some(Reason::TooManySeats | Reason::Overloaded) => 503,
        Some(Reason::NoSuchParty | Reason::CallNotTalking | Reason::CallEnded) => 481,
        _ => 403,
    }
}

fn failure(why: LegFailure) -> Refusal {
    let reason = match why {
        LegFailure::Busy => Reason::AgentBusy,
        LegFailure::NoAnswer => Reason::LegNoAnswer,
        LegFailure::PortsExhausted => Reason::Overloaded,
        _ => Reason::LegRejected,
    };
    Refusal::with(reason, failure_code(why))
}
