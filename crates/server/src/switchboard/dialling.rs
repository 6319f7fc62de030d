//! What one seat is called at: groups of aims, one group after another, all aims of a group at
//! once. A person's devices ring together, those preferred less after those preferred more
//! (`preference`), and the first that answers has the call; a trunk's addresses are tried in turn,
//! as long as none has rung. Where a number leads core has decided.
//!
//! The leg that a search is at stands among the call's legs as any other; what rings beside it,
//! and what comes next, is here.

use super::caller::Caller;
use super::legs::{Leg, failure};
use super::preference::{Turn, by_preference, is_global};
use super::task::CallTask;
use crate::clock;
use std::collections::VecDeque;
use std::net::SocketAddr;
use undertone_core::call::{Call, DialTarget, Input, LegFailure};
use undertone_core::contact::{Contact, Place};
use undertone_core::directory::Directory;
use undertone_core::id::{DeviceId, LegId, SeatId, TrunkId};
use undertone_core::routing::{self, Origin, Outside};
use undertone_core::trunk::Trunk;
use undertone_sip::{Binding, Credentials, DialogEvent, Identity};

/// How long a place that did not answer is passed over, unless OPTIONS say otherwise.
const BAD_FOR_MS: u64 = 30_000;

/// One address to call, and as whom.
#[derive(Clone, Debug)]
pub(super) struct Aim {
    pub(super) to_uri: String,
    pub(super) to_addr: Option<SocketAddr>,
    pub(super) from_user: String,
    pub(super) from_name: String,
    pub(super) by: Option<(TrunkId, Place)>,
    /// What a trunk's challenges are answered with.
    pub(super) credentials: Option<Credentials>,
    pub(super) identity: Identity,
    /// How a phone that registered is reached.
    pub(super) bound: Option<Binding>,
    /// The device that is called by it.
    pub(super) device: Option<DeviceId>,
}

impl Aim {
    fn says(&mut self, identity: Identity, anonymous: bool) {
        self.identity = identity;
        if anonymous {
            // RFC 3323 section 4.1.1.3.
            (self.from_user, self.from_name) = ("anonymous".into(), "Anonymous".into());
        }
    }

    /// Who is called by it, as one who may dial.
    fn called_by(&self) -> Option<Origin> {
        let trunk = || self.by.as_ref().map(|(trunk, _)| Origin::Trunk(trunk.clone()));
        self.device.clone().map(Origin::Device).or_else(trunk)
    }
}

pub(super) struct Search {
    /// Of the leg that stands among the call's.
    pub(super) at: Aim,
    pub(super) beside: Vec<(Leg, Aim)>,
    pub(super) next: VecDeque<Vec<Aim>>,
    /// Whom one of them named instead, and who that was.
    sent_on: Option<(Origin, Vec<String>)>,
    outside: Option<Outside>,
    pub(super) turn: Option<Turn>,
    /// Somebody's phone rang: from then on no other address is tried.
    rang: bool,
    worst: Option<u16>,
}

/// A phone without a fixed contact is nowhere until it registers.
#[allow(clippy::type_complexity)]
fn somewhere(aims: Vec<Aim>) -> Result<(VecDeque<Vec<Aim>>, Option<Outside>), LegFailure> {
    if aims.is_empty() { Err(LegFailure::NotRegistered) } else { Ok((by_preference(aims), None)) }
}

impl Search {
    /// Only the way out has more than one address; what an answer means there core says.
    fn goes_on(&self, code: u16) -> bool {
        self.outside.as_ref().is_some_and(|outside| outside.goes_on(code, self.rang))
    }

    /// For phones of ours, not for a number outside.
    pub(super) fn is_inside(&self) -> bool {
        self.outside.is_none()
    }

    /// Phones of a lower q wait, and none of the better ones named somebody else instead.
    fn has_less_preferred(&self) -> bool {
        self.is_inside() && self.sent_on.is_none() && !self.next.is_empty()
    }
}

/// Of two refusals, what the caller should hear of (RFC 3261 section 16.7, step 6).
fn weightier(a: Option<u16>, b: u16) -> u16 {
    let weight = |code: u16| match code {
        600..=699 => 4,
        486 => 3,
        408 | 480 => 1,
        503 => 0,
        // It named somebody else; whoever that was says more.
        300..=399 => -1,
        _ => 2,
    };
    a.filter(|a| weight(*a) >= weight(b)).unwrap_or(b)
}

impl CallTask {
    pub(super) fn dial(&mut self, seat: SeatId, to: &DialTarget, number: String, name: String) {
        if let DialTarget::Browser(person) = to {
            return self.dial_browser(seat, person);
        }
        let page = self.ring_page(seat, to);
        let begun = self.groups(seat, to, &number, &name).and_then(|(next, outside)| {
            let mut next = next;
            self.next_group(&mut next, outside.as_ref(), seat).map(|(at, beside)| Search {
                at,
                beside,
                next,
                sent_on: None,
                outside,
                turn: None,
                rang: false,
                worst: None,
            })
        });
        match begun {
            Ok(mut search) => {
                self.begin_turn(seat, &mut search);
                self.searches.insert(seat, search);
            }
            Err(_) if page => {}
            Err(why) => self.next.push_back(Input::LegFailed { seat, why }),
        }
    }

    /// What there is to call, in order.
    #[allow(clippy::type_complexity)]
    pub(super) fn groups(
        &self,
        seat: SeatId,
        to: &DialTarget,
        number: &str,
        name: &str,
    ) -> Result<(VecDeque<Vec<Aim>>, Option<Outside>), LegFailure> {
        // Only the other end is told what was said of the caller; no supervisor is.
        let caller = (seat == Call::CALLEE).then(|| self.house.exchange.caller(&self.me.id));
        let caller = caller.flatten();
        let dir = self.house.directory.borrow().clone();
        let of_device = |device: &DeviceId| {
            let mut aims = self.aims_of_device(device, number, name);
            let told = caller.as_ref().map(|caller| self.told(caller, None, number, &dir));
            if let Some((identity, anonymous)) = told {
                aims.iter_mut().for_each(|aim| aim.says(identity.clone(), anonymous));
            }
            aims
        };
        match to {
            DialTarget::Device(device) => {
                dir.device(device).ok_or(LegFailure::Gone)?;
                somewhere(of_device(device))
            }
            DialTarget::Person { devices, .. } => {
                somewhere(devices.iter().flat_map(of_device).collect())
            }
            DialTarget::Trunk(outside) => {
                let aims = self.aims_outside(outside, caller.as_ref(), number, name);
                Ok((aims, Some(outside.clone())))
            }
            DialTarget::Browser(_) => Err(LegFailure::Unreachable),
        }
    }

    /// Everywhere that one device can be called.
    fn aims_of_device(&self, device: &DeviceId, number: &str, name: &str) -> Vec<Aim> {
        let dir = self.house.directory.borrow().clone();
        let contact = dir.device(device).and_then(|device| device.contact.clone());
        let aim = |contact: Contact| Aim {
            to_uri: contact.to_string(),
            to_addr: contact.address(),
            from_user: number.to_owned(),
            from_name: name.to_owned(),
            by: None,
            credentials: None,
            identity: Identity::default(),
            bound: None,
            device: Some(device.clone()),
        };
        let bound = self.bindings_of(dir.device(device).and_then(|d| d.account.as_deref()));
        if bound.is_empty() {
            return contact.map(aim).into_iter().collect();
        }
        let ringing = bound.into_iter().map(|binding| Aim {
            to_uri: binding.contact.clone(),
            to_addr: Some(binding.target),
            from_user: number.to_owned(),
            from_name: name.to_owned(),
            by: None,
            credentials: None,
            identity: Identity::default(),
            bound: Some(binding),
            device: Some(device.clone()),
        });
        ringing.collect()
    }

    /// Where an account has registered.
    fn bindings_of(&self, account: Option<&str>) -> Vec<Binding> {
        let registrar = self.house.sip.registrar();
        let bound = account.zip(registrar).map(|(account, registrar)| registrar.bindings(account));
        bound.unwrap_or_default()
    }

    /// One group an address: every address of the first trunk, then of the next.
    fn aims_outside(
        &self,
        outside: &Outside,
        caller: Option<&Caller>,
        number: &str,
        name: &str,
    ) -> VecDeque<Vec<Aim>> {
        let dir = self.house.directory.borrow().clone();
        let traffic = self.house.exchange.traffic();
        let now = clock::now().mono;
        // `#` has a meaning of its own in a URI (RFC 3986 section 3.5).
        let user = outside.number.as_str().replace('#', "%23");
        let trunks = outside.trunks().filter_map(|id| dir.trunk(id));
        let aims = trunks.flat_map(|trunk| {
            let from_user = routing::shown_to(trunk, number);
            let ways = traffic.ways(trunk, now, outside.emergency);
            let told = caller.map(|caller| self.told(caller, Some(trunk), &from_user, &dir));
            let (identity, anonymous) = told.unwrap_or_default();
            let credentials = self.house.exchange.login(&trunk.id);
            let aims = ways.into_iter().map(|place| {
                let mut aim = Aim {
                    to_uri: format!("sip:{user}@{place}"),
                    to_addr: place.address(),
                    from_user: from_user.clone(),
                    from_name: name.to_owned(),
                    by: Some((trunk.id.clone(), place)),
                    credentials: credentials.clone(),
                    identity: Identity::default(),
                    bound: None,
                    device: None,
                };
                aim.says(identity.clone(), anonymous);
                aim
            });
            aims.collect::<Vec<_>>()
        });
        aims.map(|aim| vec![aim]).collect()
    }

    /// The directory is the asker's: the traffic is locked by then, and that lock is the inner one.
    fn told(
        &self,
        caller: &Caller,
        to: Option<&Trunk>,
        number: &str,
        dir: &Directory,
    ) -> (Identity, bool) {
        caller.told(to, number, self.house.sip.local_addr().ip(), dir)
    }

    /// Begins the next group of which any aim can be called.
    #[allow(clippy::type_complexity)]
    pub(super) fn next_group(
        &mut self,
        next: &mut VecDeque<Vec<Aim>>,
        outside: Option<&Outside>,
        seat: SeatId,
    ) -> Result<(Aim, Vec<(Leg, Aim)>), LegFailure> {
        let mut why = LegFailure::Unreachable;
        let for_help = outside.is_some_and(|outside| outside.emergency);
        while let Some(group) = next.pop_front() {
            let mut begun = Vec::new();
            for aim in group {
                if !self.has_channel_for(seat, &aim, outside) {
                    continue;
                }
                match self.call_aim(seat, &aim, for_help) {
                    Ok(leg) => begun.push((leg, aim)),
                    Err(failed) => why = failed,
                }
            }
            if !begun.is_empty() {
                let (leg, at) = begun.remove(0);
                self.legs.insert(seat, leg);
                return Ok((at, begun));
            }
        }
        Err(why)
    }

    /// A call that leaves its first trunk gives that channel back and needs one of the next.
    fn has_channel_for(&self, seat: SeatId, aim: &Aim, outside: Option<&Outside>) -> bool {
        let (Some((trunk, _)), Some(outside)) = (&aim.by, outside) else { return true };
        let dir = self.house.directory.borrow().clone();
        let Some(to) = dir.trunk(trunk) else { return false };
        self.house.exchange.traffic().switch(&self.me.id, seat, to, outside)
    }

    /// True: the event was this search's alone, and nobody else need look at it.
    pub(super) fn searching(&mut self, seat: SeatId, id: LegId, event: &DialogEvent) -> bool {
        let Some(mut search) = self.searches.remove(&seat) else { return false };
        let is_at = self.legs.get(&seat).is_some_and(|leg| leg.id == id);
        let beside = search.beside.iter().position(|(leg, _)| leg.id == id);
        if !is_at && beside.is_none() {
            self.searches.insert(seat, search);
            return false;
        }
        match event {
            DialogEvent::Answered { .. } => {
                self.heard_from(if is_at {
                    &search.at
                } else {
                    &search.beside[beside.unwrap_or(0)].1
                });
                if let Some(index) = beside {
                    let (leg, _) = search.beside.swap_remove(index);
                    if let Some(other) = self.legs.insert(seat, leg) {
                        other.end();
                    }
                }
                search.beside.into_iter().for_each(|(leg, _)| leg.end());
                self.stop_page(seat);
                false
            }
            DialogEvent::Redirected { contacts } => {
                let from = beside.map_or(&search.at, |index| &search.beside[index].1);
                let by = from.called_by();
                search.sent_on = search.sent_on.or(by.map(|by| (by, contacts.clone())));
                self.searches.insert(seat, search);
                true
            }
            DialogEvent::Failed { code, .. } => {
                self.leg_lost(seat, search, beside, *code);
                true
            }
            DialogEvent::Ended { .. } => {
                self.leg_lost(seat, search, beside, 480);
                true
            }
            DialogEvent::Progress { code: 180..=199, .. } => {
                search.rang = true;
                self.searches.insert(seat, search);
                if beside.is_some() {
                    self.next.push_back(Input::LegRinging { seat });
                }
                beside.is_some()
            }
            _ => {
                self.searches.insert(seat, search);
                beside.is_some()
            }
        }
    }

    /// One of those that rang is no more: another of them stands in its place, or the next group
    /// begins, or nobody can be had.
    fn leg_lost(&mut self, seat: SeatId, mut search: Search, beside: Option<usize>, code: u16) {
        search.worst = Some(weightier(search.worst, code));
        let lost = match beside {
            Some(index) => search.beside.swap_remove(index).1,
            None => {
                self.drop_called(seat);
                search.at.clone()
            }
        };
        match routing::is_no_answer(code) {
            true if !search.rang => self.not_heard_from(&lost),
            // Perhaps this address rang, perhaps an earlier one.
            true => {}
            false => self.heard_from(&lost),
        }
        if search.is_inside() && is_global(code) {
            self.said_for_all(seat, &mut search);
            return self.search_failed(seat, &search);
        }
        if beside.is_none() {
            match search.beside.pop() {
                Some((leg, aim)) => {
                    self.legs.insert(seat, leg);
                    search.at = aim;
                }
                None if search.goes_on(code) || search.has_less_preferred() => {
                    let outside = search.outside.clone();
                    match self.next_group(&mut search.next, outside.as_ref(), seat) {
                        Ok((at, others)) => (search.at, search.beside) = (at, others),
                        Err(_) => return self.search_failed(seat, &search),
                    }
                    self.begin_turn(seat, &mut search);
                }
                // Core says whether the seat may be somebody else's, and dials anew.
                None if search.sent_on.is_some() => return self.redirected_to(seat, search),
                None => return self.search_failed(seat, &search),
            }
        }
        self.searches.insert(seat, search);
    }

    fn search_failed(&mut self, seat: SeatId, search: &Search) {
        // Nobody said no for the person: the page may still answer, until core's time is up.
        if self.page_rings(seat) {
            return;
        }
        let why = search.worst.map_or(LegFailure::Unreachable, failure);
        self.next.push_back(Input::LegFailed { seat, why });
    }

    fn redirected_to(&mut self, seat: SeatId, search: Search) {
        if self.page_rings(seat) {
            return;
        }
        let why = search.worst.map_or(LegFailure::Unreachable, failure);
        if let Some((by, to)) = search.sent_on {
            self.next.push_back(Input::LegRedirected { seat, by, to, why });
        }
    }

    fn heard_from(&self, aim: &Aim) {
        if let Some((trunk, place)) = &aim.by {
            self.house.exchange.traffic().note(trunk, place, None);
        }
    }

    fn not_heard_from(&self, aim: &Aim) {
        if let Some((trunk, place)) = &aim.by {
            tracing::warn!(call = %self.me.id, %trunk, %place, "a trunk's address does not answer");
            let until = clock::now().mono.plus_ms(BAD_FOR_MS);
            self.house.exchange.traffic().note(trunk, place, Some(until));
        }
    }

    /// The seat is let go: whatever else rings for it stops.
    pub(super) fn stop_search(&mut self, seat: SeatId) {
        self.stop_page(seat);
        if let Some(search) = self.searches.remove(&seat) {
            search.beside.into_iter().for_each(|(leg, _)| leg.end());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_several_refusals_a_persons_is_told() {
        assert_eq!(weightier(None, 408), 408);
        assert_eq!(weightier(Some(486), 408), 486);
        assert_eq!(weightier(Some(408), 486), 486);
        assert_eq!(weightier(Some(486), 603), 603);
        assert_eq!(weightier(Some(503), 404), 404);
    }
}
