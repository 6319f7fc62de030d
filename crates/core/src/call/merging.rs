//! Replaces (RFC 3891): a leg that takes another's seat, and two calls that become one.
//!
//! ```text
//!  asked by a phone on this call ──▶ the one with the customer survives
//!     this one survives:  AskToGiveUp ──▶ (the other's HandOver) ──▶ Merged ──▶ one call
//!     the other survives: HandOver, and this one ends as `merged_into`
//! ```
//!
//! Legs move whole, sound and all (`guests.rs`). Who joined the two calls leaves in the turn in
//! which the guests are there. Supervisors of the call that ends get listen here, after
//! their row, if they may; else their leg is let go and the refusal is written.
//! Knows no dialog: an arriving leg is a number (`ArrivalId`).

use super::effect::{Effect, HandOver};
use super::input::{
    Guest, GuestPart, Join, MergeAsked, Merged, Other, ReferId, ReplaceAsked, RequestId,
};
use super::party::Party;
use super::transfer::{Transfer, Way, refer_code};
use super::turn::{Due, Turn};
use super::{Call, Stage};
use crate::audit::{Outcome, Who};
use crate::directory::Directory;
use crate::id::{CallId, SeatId};
use crate::phone::Leg;
use crate::refusal::{Reason, Refusal};
use crate::supervision::Life;
use crate::time::Now;
use crate::view::{CallState, CallView, Mode, Role};

/// Of two calls that are joined, whether the first goes on: the one with a customer does; of two
/// alike the older one.
fn survives(first: &CallView, second: &CallView) -> bool {
    let customer = |call: &CallView| {
        call.parties.iter().any(|party| party.role == Role::Customer && party.connected)
    };
    let age = |call: &CallView| (call.started_at, call.id.clone());
    match (customer(first), customer(second)) {
        (true, false) => true,
        (false, true) => false,
        _ => age(first) <= age(second),
    }
}

impl Call {
    /// A leg that arrived wants the place of one that is here: the same person's, else the same
    /// telephone's. The seat keeps its edges; only what is behind it changes.
    pub(super) fn replace_asked(&mut self, turn: &mut Turn, asked: ReplaceAsked) {
        let ReplaceAsked { seat, arrival, by } = asked;
        let details = vec![("party", seat.to_string()), ("by", by.number.clone())];
        if let Err(refusal) = self.may_replace(turn.dir, seat, &by) {
            let outcome = Outcome::refused(&refusal);
            let who = Who { origin: format!("phone {}", by.number), ..Who::system() };
            self.write(turn, who, "call.replace", None, outcome, details);
            // RFC 3891 section 3: 603 to who may not.
            return turn.out.push(Effect::RefuseArrival { arrival, code: 603 });
        }
        turn.out.push(Effect::ReplaceLeg { seat, arrival });
        let Some(party) = self.parties.get_mut(&seat) else { return };
        party.redial = by.device.map(super::DialTarget::Device);
        let name = party.name.clone();
        party.number = by.number;
        self.note(turn, "leg_replaced", name, seat.to_string());
        self.write(turn, self.who_at(seat), "call.replace", None, Outcome::Allowed, details);
    }

    fn may_replace(
        &self,
        dir: &Directory,
        seat: SeatId,
        by: &super::NewParty,
    ) -> Result<(), Refusal> {
        let party = self.parties.get(&seat).filter(|party| party.is_up());
        let party = party.ok_or_else(|| Refusal::because(Reason::NoSuchParty))?;
        let owner = by.device.as_ref().and_then(|device| dir.owner(device)).map(|p| &p.id);
        let device = by.device.clone().map(super::DialTarget::Device);
        let same = match &party.person {
            Some(person) => owner == Some(person),
            None => owner.is_none() && device.is_some() && party.redial == device,
        };
        if same { Ok(()) } else { Err(Refusal::because(Reason::NotAllowed)) }
    }

    /// A phone's REFER names its other call with us (RFC 5589): both become one, and it leaves.
    pub(super) fn merge_asked(&mut self, turn: &mut Turn, asked: MergeAsked) {
        let MergeAsked { seat, refer, other } = asked;
        match other.and_then(|other| self.judge_merge(turn.dir, seat, &other).map(|()| other)) {
            Ok(other) => self.begin_merge(turn, seat, refer, other),
            Err(refusal) => {
                let details = vec![("detail", refusal.detail.clone())];
                let outcome = Outcome::refused(&refusal);
                self.write(turn, self.who_at(seat), "call.merge", None, outcome, details);
                let code = refer_code(&refusal);
                turn.out.push(Effect::RefuseRefer { seat, refer, code });
            }
        }
    }

    fn judge_merge(&self, dir: &Directory, seat: SeatId, other: &Other) -> Result<(), Refusal> {
        let refused = |reason| Err(Refusal::because(reason));
        let talks = matches!(other.view.state, CallState::Talking | CallState::Held);
        if self.stage != Stage::Talking || !talks {
            return refused(Reason::CallNotTalking);
        }
        self.may_join(seat)?;
        if self.transfer.is_some() || self.places_a_transfer() {
            return refused(Reason::TransferUnderWay);
        }
        let theirs = other.view.parties.iter().find(|p| p.seat == other.seat && p.connected);
        let (Some(here), Some(there)) = (self.parties.get(&seat), theirs) else {
            return refused(Reason::NoSuchParty);
        };
        // Only one's own two calls, and never a supervisor's leg.
        let same = match &here.person {
            Some(person) => there.person.as_ref() == Some(person) && there.role == Role::Agent,
            None => there.person.is_none() && there.number == here.number,
        };
        if !same || other.view.id == self.id {
            return refused(Reason::NotAllowed);
        }
        other.leaves.clone()?;
        let seats = other.view.parties.iter().filter(|party| party.connected).count();
        let full = self.seats().len() + seats > dir.policy.max_seats;
        if full { refused(Reason::TooManySeats) } else { Ok(()) }
    }

    /// A seat as another call sees it whose phone would join the two.
    pub fn other(&self, now: Now, seat: SeatId) -> Other {
        Other { seat, view: self.view(now), leaves: self.may_join(seat) }
    }

    /// Whether the phone at this seat may give its place away by joining two calls: not one that
    /// was put aside, and no supervisor's.
    fn may_join(&self, seat: SeatId) -> Result<(), Refusal> {
        match self.leaves_by_phone(seat)? {
            (_, None) => Ok(()),
            (_, Some(_)) => Err(Refusal::because(Reason::NotInMode)),
        }
    }

    fn begin_merge(&mut self, turn: &mut Turn, seat: SeatId, refer: ReferId, other: Other) {
        turn.out.push(Effect::AcceptRefer { seat, refer });
        let stays = survives(&self.view(turn.now), &other.view);
        let details = vec![("other", other.view.id.to_string()), ("party", seat.to_string())];
        self.write(turn, self.who_at(seat), "call.merge", None, Outcome::Allowed, details);
        if !stays {
            let (leaving, ours) = (vec![seat], vec![other.seat]);
            return self.give_up_to(turn, other.view.id, leaving, ours, Some((seat, refer)));
        }
        let (call, leaving) = (other.view.id.clone(), vec![other.seat]);
        turn.out.push(Effect::AskToGiveUp { call, leaving });
        self.start_timer(turn, Due::Merge, turn.dir.policy.merge_ms);
        let leaving = [seat].into();
        let (way, refer) = (Way::Merging(other.view.id), Some((seat, refer)));
        self.transfer = Some(Transfer { way, leaving, owner: None, refer, request: None });
    }

    /// The other call survives and asks for ours; or nothing, if this one cannot.
    pub(super) fn asked_to_give_up(&mut self, turn: &mut Turn, into: CallId, leaving: Vec<SeatId>) {
        let may = |seat: &SeatId| self.may_join(*seat).is_ok();
        if self.stage == Stage::Talking && self.transfer.is_none() && leaving.iter().all(may) {
            return self.give_up_to(turn, into, leaving, Vec::new(), None);
        }
        let (from, guests, leaving, ours) = (self.id.clone(), vec![], vec![], vec![]);
        let merged = Merged { from, guests, leaving, ours, refer: None };
        turn.out.push(Effect::HandOver(Box::new(HandOver { into, merged })));
    }

    /// All legs in one effect; then this call is over.
    fn give_up_to(
        &mut self,
        turn: &mut Turn,
        into: CallId,
        leaving: Vec<SeatId>,
        ours: Vec<SeatId>,
        refer: Option<(SeatId, ReferId)>,
    ) {
        let guests: Vec<_> = self.parties.values().filter_map(|party| self.guest(party)).collect();
        let gone: Vec<_> = guests.iter().map(|guest| guest.seat).collect();
        let details = vec![("into", into.to_string())];
        self.write(turn, Who::system(), "call.merged_into", None, Outcome::Allowed, details);
        self.note(turn, "merged_into", "", into.to_string());
        let merged = Merged { from: self.id.clone(), guests, leaving, ours, refer };
        turn.out.push(Effect::HandOver(Box::new(HandOver { into, merged })));
        for seat in gone {
            let Some(party) = self.parties.get_mut(&seat) else { continue };
            party.leg = Leg::Gone;
            party.seat.connected = false;
            self.free_agent(turn, seat);
        }
        for id in self.supervisions.keys().cloned().collect::<Vec<_>>() {
            let live = self.supervisions.get(&id).is_some_and(|s| s.is_live());
            let life = if live { Life::Ended } else { Life::Failed };
            let no = Reason::MergedInto;
            self.end_supervision(turn, &id, life, no.code(), (!live).then_some(no));
        }
        self.end(turn, "merged_into");
    }

    fn guest(&self, party: &Party) -> Option<Guest> {
        let part = match self.supervision_at(party.id()) {
            Some(s) if s.is_routed() => GuestPart::Supervisor(Box::new(Join {
                // Nobody waits for this one.
                request: RequestId(0),
                supervision: s.id.clone(),
                by: s.by.clone(),
                leg: s.leg.clone(),
                mode: Mode::Listen,
                targets: Vec::new(),
                alert: s.alert,
                private: s.private,
                agent_after: None,
                reason: s.reason.clone(),
                follow: s.follow,
                extent: s.extent,
                answer_early: true,
                arrived: false,
            })),
            Some(_) => return None,
            None if party.is(Role::Customer) => GuestPart::Customer,
            None => GuestPart::Agent,
        };
        party.is_up().then(|| Guest {
            seat: party.id(),
            part,
            person: party.person.clone(),
            name: party.name.clone(),
            number: party.number.clone(),
            net: party.net,
            redial: party.redial.clone(),
            sends: party.seat.sends,
            receives: party.seat.receives,
            far_holds: party.far_holds,
            held_by: party.seat.held_by.clone(),
            listening_by: party.seat.listening_by.clone(),
        })
    }

    pub(super) fn merges_with(&self, other: &CallId) -> bool {
        self.transfer.as_ref().is_some_and(|t| matches!(&t.way, Way::Merging(id) if id == other))
    }

    /// The other call has ended, or does not answer: this one goes on as it was.
    pub(super) fn merge_failed(&mut self, turn: &mut Turn) {
        self.transfer_failed(turn, super::LegFailure::Gone, false);
    }
}
