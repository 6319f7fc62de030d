//! A party of the call: its seat as hearing sees it, who it is, and its leg.

use super::input::{DialTarget, NewParty, PartyLeg};
use crate::access::Actor;
use crate::directory::Directory;
use crate::id::{DeviceId, PersonId, SeatId};
use crate::phone::Leg;
use crate::seat::{Part, Seat};
use crate::supervision::Wanted;
use crate::view::{AgentAfter, Net, PartyView, Role};

/// What becomes of a seat when the one it gives way to is heard by the customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Then {
    /// An agent, after a takeover.
    Agent(AgentAfter),
    /// A supervisor, after a hand-back.
    Supervisor(Wanted),
}

#[derive(Clone, Debug)]
pub(super) struct Party {
    pub(super) seat: Seat,
    pub(super) person: Option<PersonId>,
    pub(super) name: String,
    pub(super) number: String,
    pub(super) net: Net,
    pub(super) leg: Leg,
    /// Where it is called, until it is.
    pub(super) to_dial: Option<DialTarget>,
    /// Where it can be called once more.
    pub(super) redial: Option<DialTarget>,
    /// Where it was called, one after the other: each but the first by a 3xx.
    pub(super) called: Vec<DialTarget>,
    /// Its place went to another party: the call no longer counts on it.
    pub(super) handed_over: bool,
    /// The customer's own phone holds us: shown, and no edge changes.
    pub(super) far_holds: bool,
    /// Nothing comes by its leg at present.
    pub(super) quiet: bool,
    /// The page that steers it has been gone for too long.
    pub(super) unattended: bool,
    /// Who will be heard in its place, and what becomes of it then (`seat.gives_way_to`).
    pub(super) then: Option<Then>,
}

impl Party {
    /// A leg is an agent's when its device belongs to a person, else a customer's: for good, and
    /// whoever dialled.
    pub(super) fn end(id: SeatId, new: NewParty, dir: &Directory) -> Self {
        let owner = new.device.as_ref().and_then(|device| dir.owner(device));
        let part = if owner.is_some() { Part::Agent } else { Part::Customer };
        let device = new.device.clone().map(DialTarget::Device);
        let (leg, to_dial) = match new.leg {
            PartyLeg::Arrived => (Leg::Arrived, None),
            PartyLeg::ToDial(target) => (Leg::Dialling, Some(target)),
        };
        let name = owner.map_or(new.name, |person| person.name.clone());
        Self {
            seat: Seat::new(id, part),
            person: owner.map(|person| person.id.clone()),
            name,
            number: new.number,
            net: new.net,
            leg,
            // Out by a trunk again is a call of its own, which nobody has allowed.
            redial: to_dial.clone().filter(|to| !matches!(to, DialTarget::Trunk(_))).or(device),
            called: to_dial.iter().cloned().collect(),
            to_dial,
            handed_over: false,
            far_holds: false,
            quiet: false,
            unattended: false,
            then: None,
        }
    }

    /// `device`: the telephone that it has, if it is one.
    pub(super) fn supervisor(
        id: SeatId,
        by: &Actor,
        part: Part,
        number: String,
        device: Option<DeviceId>,
    ) -> Self {
        let device = device.map(DialTarget::Device);
        Self {
            seat: Seat::new(id, part),
            person: Some(by.person.clone()),
            name: by.name.clone(),
            number,
            net: Net::Internal,
            leg: Leg::Dialling,
            to_dial: None,
            called: device.iter().cloned().collect(),
            redial: device,
            handed_over: false,
            far_holds: false,
            quiet: false,
            unattended: false,
            then: None,
        }
    }

    pub(super) fn id(&self) -> SeatId {
        self.seat.id
    }

    pub(super) fn role(&self) -> Role {
        self.seat.role()
    }

    /// Its leg is in the bridge and the party is on the call.
    pub(super) fn is_up(&self) -> bool {
        self.leg == Leg::Up && self.seat.connected
    }

    pub(super) fn is(&self, role: Role) -> bool {
        self.role() == role
    }

    /// Could be heard by the others of the room if it spoke.
    pub(super) fn may_be_heard(&self) -> bool {
        self.is_up() && self.seat.held_by.is_empty() && self.seat.listening_by.is_empty()
    }

    /// What it says arrives, and somebody is at the other end.
    pub(super) fn is_there(&self) -> bool {
        !(self.quiet || self.unattended)
    }

    pub(super) fn gives_way_to(&self) -> Option<SeatId> {
        self.seat.gives_way_to
    }

    pub(super) fn give_way(&mut self, to: SeatId, then: Then) {
        self.seat.gives_way_to = Some(to);
        self.then = Some(then);
    }

    pub(super) fn keep_place(&mut self) -> Option<Then> {
        self.seat.gives_way_to = None;
        self.then.take()
    }

    pub(super) fn view(&self) -> PartyView {
        PartyView {
            seat: self.id(),
            role: self.role(),
            person: self.person.clone(),
            name: self.name.clone(),
            number: self.number.clone(),
            net: self.net,
            held: !self.seat.held_by.is_empty(),
            muted: !self.seat.muted_by.is_empty(),
            connected: self.is_up(),
            listening_only: !self.seat.listening_by.is_empty(),
            quiet: self.quiet,
            unattended: self.unattended,
        }
    }
}
