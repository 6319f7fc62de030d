//! Calls that begin: one that arrives by SIP, one that the API places. Who may call whom, and
//! what each end is, is core's (`routing`, `Call::new`); here its answers are carried out.

use super::legs::{Leg, LegError};
use super::tapping::Tapped;
use super::task::Waiting;
use super::{CallHandle, Switchboard};
use crate::contact;
use std::sync::atomic::Ordering;
use tokio::sync::oneshot;
use undertone_core::access::Actor;
use undertone_core::call::{Answer, Call, DialTarget, NewCall, NewParty, PartyLeg};
use undertone_core::directory::{Device, Directory};
use undertone_core::id::CallId;
use undertone_core::refusal::{Reason, Refusal};
use undertone_core::routing;
use undertone_engine::Rank;
use undertone_sip::Incoming;

impl Switchboard {
    pub(super) fn arrived(&self, incoming: Incoming) {
        if let Err(code) = self.try_arrived(&incoming).map(|begin| begin(self, incoming)) {
            self.house.counts.calls_turned_away.fetch_add(1, Ordering::Relaxed);
            tracing::info!(code, "a call was turned away");
        }
    }

    /// Everything that can refuse a call, before it is one. Gives what begins it.
    #[allow(clippy::type_complexity)]
    fn try_arrived(
        &self,
        incoming: &Incoming,
    ) -> Result<Box<dyn FnOnce(&Switchboard, Incoming)>, u16> {
        let refuse = |code: u16| {
            incoming.dialog.reject(code, None);
            code
        };
        if self.is_draining() {
            return Err(refuse(503));
        }
        let dir = self.directory();
        let caller = caller(incoming, &dir).ok_or_else(|| refuse(403))?;
        if let Some((mode, extension)) = dir.policy.codes.dialled(&incoming.request_user) {
            let tapped = Tapped::new(mode, extension, caller, &dir);
            let leg = self.arriving_leg(incoming, Rank::Second);
            let leg = leg.map_err(|error| refuse(error.code()))?;
            return Ok(Box::new(move |board, incoming| {
                let arrived = Box::new((leg, incoming.events));
                tokio::spawn(board.clone().tap(tapped, arrived));
            }));
        }
        let callee = routing::route(&incoming.request_user, &dir).map_err(|_| refuse(404))?;
        let id = self.house.ids.call().map_err(|_| refuse(500))?;
        let leg = self.arriving_leg(incoming, Rank::First);
        let leg = leg.map_err(|error| refuse(error.code()))?;
        let new = NewCall {
            id,
            caller: party(caller, &dir, PartyLeg::Arrived),
            callee: dialled(callee, &dir),
            queue: None,
            campaign: None,
            request: None,
            by: None,
        };
        Ok(Box::new(move |board, incoming| {
            let leg_id = leg.id;
            let call = board.begin(new, Some(leg), None);
            tokio::spawn(super::legs::relay(call.to, Call::CALLER, leg_id, incoming.events));
        }))
    }

    fn arriving_leg(&self, incoming: &Incoming, rank: Rank) -> Result<Leg, LegError> {
        let leg = Leg::arriving(
            &self.house,
            self.house.ids.leg(),
            incoming.dialog.clone(),
            incoming.offer.as_deref(),
            incoming.source.ip(),
            rank,
        );
        leg.inspect_err(|error| tracing::warn!(%error, "a call cannot have its media"))
    }

    /// `POST /calls`: the agent's phone first, then the other end. Answered when core says so;
    /// with the call's id, if one was begun.
    pub async fn place(&self, by: &Actor, from_agent: &str, to: &str) -> (Option<CallId>, Answer) {
        let refused = |reason| Err(Refusal::because(reason));
        if self.is_draining() {
            return (None, refused(Reason::ShuttingDown));
        }
        let dir = self.directory();
        let agent = dir.person_at(from_agent).and_then(|p| routing::device_of_person(&p.id, &dir));
        let Some(agent) = agent else { return (None, refused(Reason::NoSuchAgent)) };
        let Ok(id) = self.house.ids.call() else { return (None, refused(Reason::BadRequest)) };
        let callee = match routing::route(to, &dir) {
            Ok(callee) => callee,
            Err(refusal) => return (None, Err(refusal)),
        };
        let request = self.house.ids.request();
        let (reply, answer) = oneshot::channel();
        let new = NewCall {
            id: id.clone(),
            caller: dialled(agent, &dir),
            callee: dialled(callee, &dir),
            queue: None,
            campaign: None,
            request: Some(request),
            by: Some(by.clone()),
        };
        let _: CallHandle = self.begin(new, None, Some(Waiting { request, reply, sound: None }));
        (Some(id), answer.await.unwrap_or_else(|_| refused(Reason::CallEnded)))
    }
}

/// A caller is a known device that calls from its fixed contact's address. Where several share
/// one address, From names which.
fn caller<'a>(incoming: &Incoming, dir: &'a Directory) -> Option<&'a Device> {
    let here = |device: &Device| contact::address(&device.contact) == Some(incoming.source);
    let named = routing::caller(&incoming.from.user, dir).filter(|device| here(device));
    named.or_else(|| {
        let mut at_address = dir.devices.values().filter(|device| here(device));
        let only = at_address.next()?;
        at_address.next().is_none().then_some(only)
    })
}

fn dialled(device: &Device, dir: &Directory) -> NewParty {
    party(device, dir, PartyLeg::ToDial(DialTarget::Device(device.id.clone())))
}

fn party(device: &Device, dir: &Directory, leg: PartyLeg) -> NewParty {
    let name = dir.owner(&device.id).map_or(&device.name, |person| &person.name);
    NewParty {
        device: Some(device.id.clone()),
        number: device.extension.clone().unwrap_or_else(|| device.id.to_string()),
        name: name.clone(),
        net: device.net,
        leg,
    }
}
