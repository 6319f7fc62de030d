//! A 3xx (RFC 3261 section 8.1.3.4): whoever is called instead has a seat of their own right, by
//! whose telephone it is, and never that of the phone which named them. Who is called in person, a
//! supervisor or whoever a call is placed for, is sent on among their own devices alone.
//!
//! The host that a contact names is not believed: only its user counts, as if the phone or trunk
//! had dialled it. At most five times a seat, and to nobody twice.

use super::effect::Effect;
use super::input::{DialTarget, LegFailure, NewParty, PartyLeg};
use super::party::Party;
use super::placing::Placing;
use super::turn::{Details, Turn};
use super::{Call, Stage, legs};
use crate::audit::Outcome;
use crate::directory::Directory;
use crate::id::{DeviceId, PersonId, SeatId};
use crate::phone::Leg;
use crate::refusal::{Reason, Refusal};
use crate::routing::Origin;
use crate::traffic::PlaceAsked;
use crate::view::LegKind;

/// Sent on more often than this, a call leads nowhere.
const SENT_ON_MAX: usize = 5;
/// Contacts that are looked at.
const CONTACTS_MAX: usize = 8;

impl Call {
    pub(super) fn leg_redirected(
        &mut self,
        turn: &mut Turn,
        seat: SeatId,
        by: Origin,
        mut to: Vec<String>,
        why: LegFailure,
    ) {
        let is_called = |party: &&Party| {
            matches!(party.leg, Leg::Dialling | Leg::Ringing) && party.to_dial.is_none()
        };
        let Some(party) = self.parties.get(&seat).filter(is_called) else { return };
        if self.placing.contains_key(&seat) {
            return;
        }
        let for_help =
            |target: &DialTarget| matches!(target, DialTarget::Trunk(out) if out.emergency);
        let no = if party.called.iter().any(for_help) {
            // Help is called where we know it to be.
            Some(Reason::NotAllowed)
        } else if party.called.len() > SENT_ON_MAX {
            Some(Reason::RouteLoop)
        } else {
            None
        };
        // That leg is over, whatever comes of it.
        turn.out.push(Effect::GiveBack { seat, unused: false });
        self.parties.entry(seat).and_modify(|party| party.seat.early = None);
        if let Some(no) = no {
            return self.not_sent_on(turn, seat, &by, &Refusal::because(no), why);
        }
        to.truncate(CONTACTS_MAX);
        let outside = self.called_in_person(seat).is_none();
        let wish = PlaceAsked { seat, by: by.clone(), to, outside };
        self.place(turn, wish, Placing::Redirect { by, why });
    }

    /// Whom nobody stands in for: a supervisor, and whoever a call is placed for (`POST /calls`).
    fn called_in_person(&self, seat: SeatId) -> Option<Option<PersonId>> {
        let in_person = seat == Self::CALLER || self.supervision_at(seat).is_some();
        in_person.then(|| self.parties.get(&seat).and_then(|party| party.person.clone()))
    }

    /// True if the place that was found is used.
    pub(super) fn redirect_placed(
        &mut self,
        turn: &mut Turn,
        seat: SeatId,
        by: &Origin,
        found: Result<NewParty, Refusal>,
        why: LegFailure,
    ) -> bool {
        let judged = found.and_then(|new| self.judge_redirect(turn.dir, seat, by, new));
        let (new, to) = match judged {
            Ok(judged) => judged,
            Err(no) => {
                self.not_sent_on(turn, seat, by, &no, why);
                return false;
            }
        };
        let mut details = redirect_details(seat, by);
        details.push(("to", new.number.clone()));
        let who = self.who_at(seat);
        self.write(turn, who, "call.redirect", None, Outcome::Allowed, details);
        self.note(turn, "redirected", new.name.clone(), new.number.clone());
        let (from_number, from_name) = self.called_as(seat);
        self.reseat(turn, seat, new, &to);
        turn.out.push(Effect::Dial { seat, to, from_number, from_name });
        true
    }

    fn judge_redirect(
        &self,
        dir: &Directory,
        seat: SeatId,
        by: &Origin,
        mut new: NewParty,
    ) -> Result<(NewParty, DialTarget), Refusal> {
        let refused = |reason| Err(Refusal::because(reason));
        let PartyLeg::ToDial(mut to) = new.leg.clone() else { return refused(Reason::NoRoute) };
        if let Some(person) = self.called_in_person(seat) {
            let Some(device) = own_device(dir, person.as_ref(), by, &to) else {
                return refused(Reason::LegNotOwn);
            };
            new.device = Some(device.clone());
            to = DialTarget::Device(device);
        }
        let Some(party) = self.parties.get(&seat) else { return refused(Reason::NoSuchParty) };
        if party.called.contains(&to) {
            return refused(Reason::RouteLoop);
        }
        if self.has_party_at(seat, &to) {
            return refused(Reason::AlreadyAParty);
        }
        new.leg = PartyLeg::ToDial(to.clone());
        Ok((new, to))
    }

    /// The seat is that of whoever is called now, in all that follows from who it is.
    fn reseat(&mut self, turn: &mut Turn, seat: SeatId, new: NewParty, to: &DialTarget) {
        turn.changed = true;
        let device = new.device.clone();
        let fresh = Party::end(seat, new, turn.dir);
        let supervision = self.supervision_at(seat).map(|s| s.id.clone());
        let Some(party) = self.parties.get_mut(&seat) else { return };
        party.leg = Leg::Dialling;
        party.redial = fresh.redial;
        party.called.push(to.clone());
        if let Some(id) = supervision {
            let Some(device) = device else { return };
            party.number = device.to_string();
            if let Some(supervision) = self.supervisions.get_mut(&id) {
                supervision.leg = LegKind::Sip { device };
                supervision.version += 1;
            }
            return;
        }
        party.seat.part = fresh.seat.part;
        (party.person, party.name) = (fresh.person, fresh.name);
        (party.number, party.net) = (fresh.number, fresh.net);
        let ends = (self.parties.get(&Self::CALLER), self.parties.get(&Self::CALLEE));
        if let (Stage::Ringing, (Some(caller), Some(callee))) = (self.stage, ends) {
            self.direction = legs::direction(caller, callee);
        }
    }

    /// Nobody is called in that phone's place: the seat has failed as it had before.
    fn not_sent_on(
        &mut self,
        turn: &mut Turn,
        seat: SeatId,
        by: &Origin,
        no: &Refusal,
        why: LegFailure,
    ) {
        let mut details = redirect_details(seat, by);
        details.push(("detail", no.detail.clone()));
        let who = self.who_at(seat);
        self.write(turn, who, "call.redirect", None, Outcome::refused(no), details);
        self.leg_failed(turn, seat, why);
    }
}

fn redirect_details(seat: SeatId, by: &Origin) -> Details {
    let by = match by {
        Origin::Device(device) => format!("device {device}"),
        Origin::Trunk(trunk) => format!("trunk {trunk}"),
    };
    vec![("party", seat.to_string()), ("by", by)]
}

/// Another device of this person that the target means.
fn own_device(
    dir: &Directory,
    person: Option<&PersonId>,
    by: &Origin,
    to: &DialTarget,
) -> Option<DeviceId> {
    let devices = match to {
        DialTarget::Device(device) => std::slice::from_ref(device),
        DialTarget::Person { devices, .. } => devices.as_slice(),
        DialTarget::Trunk(_) | DialTarget::Browser(_) => return None,
    };
    let own = |device: &&DeviceId| dir.owner(device).map(|owner| &owner.id) == person;
    let other = |device: &&DeviceId| *by != Origin::Device((*device).clone());
    devices.iter().filter(|device| person.is_some() && own(device)).find(other).cloned()
}
