//! Calls that begin: one that arrives by SIP, one that the API places. Who may call whom, and
//! what each end is, is core's (`routing`, `NewParty`); here its answers are carried out.

use super::caller::Caller;
use super::exchange::dialled;
use super::legs::{Leg, LegError};
use super::tapping::tapped;
use super::task::Waiting;
use super::{CallHandle, Switchboard};
use std::sync::atomic::Ordering;
use tokio::sync::oneshot;
use undertone_core::access::{Actor, Right};
use undertone_core::call::{Answer, NewCall, NewParty};
use undertone_core::directory::Directory;
use undertone_core::id::CallId;
use undertone_core::number::Dialled;
use undertone_core::refusal::{Reason, Refusal};
use undertone_core::routing::{self, Arrival, Destination, Origin, answer_code};
use undertone_engine::Rank;
use undertone_sip::{Identity, Incoming, Transport};

impl Switchboard {
    pub(super) fn arrived(&self, incoming: Incoming) {
        if let Some(replaces) = incoming.replaces.clone() {
            return self.arrived_to_replace(incoming, &replaces);
        }
        if let Err(code) = self.try_arrived(&incoming).map(|begin| begin(self, incoming)) {
            self.house.counts.calls_turned_away.fetch_add(1, Ordering::Relaxed);
            tracing::debug!(code, "a call was turned away");
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
        let dir = self.directory();
        let (origin, to) = self.recognise(incoming, &dir).map_err(refuse)?;
        let for_help = dir.is_emergency(to.as_str());
        if self.is_draining() && !for_help {
            return Err(refuse(503));
        }
        if let Some(tapped) = tapped(incoming, &origin, &to, &dir) {
            let channel = self.channel_for(&origin, &to);
            let channel =
                channel.map_err(|no| refuse(self.refused(incoming, Some(&origin), &dir, &no)))?;
            let leg = self.arriving_leg(incoming, Rank::Second);
            let mut leg = leg.map_err(|error| refuse(error.code()))?;
            leg.channel = Some(channel);
            return Ok(Box::new(move |board, incoming| {
                let arrived = Box::new((leg, incoming.events));
                tokio::spawn(board.clone().tap(tapped, arrived));
            }));
        }
        // Only a call that would be passed on needs a hop for it (RFC 3261 section 16.3).
        let hops = incoming.max_forwards;
        if hops == 0 {
            return Err(refuse(483));
        }
        let id = self.house.ids.call().map_err(|_| refuse(500))?;
        let (caller, callee) = self.admit(&id, incoming, &origin, &to, &dir).map_err(refuse)?;
        let rank = if for_help { Rank::Always } else { Rank::First };
        let mut leg = self.arriving_leg(incoming, rank).map_err(|error| {
            self.house.exchange.left(&id);
            refuse(error.code())
        })?;
        leg.hops = Some(hops);
        let (queue, campaign, request, by) = (None, None, None, None);
        let new = NewCall { id, caller, callee, queue, campaign, request, by };
        Ok(Box::new(move |board, incoming| {
            let _: CallHandle = board.begin(new, Some((leg, incoming.events)), None);
        }))
    }

    pub(super) fn arriving_leg(&self, incoming: &Incoming, rank: Rank) -> Result<Leg, LegError> {
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

    /// Who calls, and what they dialled; or the code that says why nobody may, and its row.
    pub(super) fn recognise(
        &self,
        incoming: &Incoming,
        dir: &Directory,
    ) -> Result<(Origin, Dialled), u16> {
        let source = match incoming.transport {
            Transport::Udp => incoming.known_as(),
            Transport::Tcp => dir.over_connection(incoming.known_as()),
        };
        let arrival = Arrival {
            source,
            account: incoming.account.as_deref(),
            from_user: &incoming.from.user,
            request_user: &incoming.request_user,
            to_user: &incoming.to.user,
        };
        let (origin, to) = {
            let traffic = self.house.exchange.traffic();
            (routing::caller(&arrival, &traffic, dir), arrival.dialled(&traffic, dir))
        };
        let origin = origin.map_err(|refusal| self.refused(incoming, None, dir, &refusal))?;
        let to = dialled(&to).map_err(|no| self.refused(incoming, Some(&origin), dir, &no))?;
        Ok((origin, to))
    }

    fn refused(
        &self,
        incoming: &Incoming,
        origin: Option<&Origin>,
        dir: &Directory,
        refusal: &Refusal,
    ) -> u16 {
        self.turned_away(incoming, origin, dir, refusal);
        refusal.reasons.first().map_or(500, |reason| answer_code(*reason))
    }

    /// The two ends, counted.
    fn admit(
        &self,
        id: &CallId,
        incoming: &Incoming,
        origin: &Origin,
        to: &Dialled,
        dir: &Directory,
    ) -> Result<(NewParty, NewParty), u16> {
        let from = &incoming.from;
        let caller = NewParty::arrived(origin, &from.user, &from.name, dir);
        let caller = caller.ok_or_else(|| Refusal::because(Reason::UnknownCaller));
        let ends = caller.and_then(|caller| {
            self.house.exchange.traffic().arrive(id, origin, to, dir)?;
            let said = Caller { origin: origin.clone(), identity: incoming.identity.clone() };
            self.house.exchange.called_by(id, said);
            Ok((caller, self.place_for(id, origin, to)?))
        });
        ends.map_err(|refusal| {
            self.house.exchange.left(id);
            self.refused(incoming, Some(origin), dir, &refusal)
        })
    }

    /// `POST /calls`: the agent's phone first, then the other end. Answered when core says so;
    /// with the call's id, if one was begun.
    pub async fn place(&self, by: &Actor, from_agent: &str, to: &str) -> (Option<CallId>, Answer) {
        let refused = |reason| Err(Refusal::because(reason));
        if self.is_draining() {
            return (None, refused(Reason::ShuttingDown));
        }
        let Ok(id) = self.house.ids.call() else { return (None, refused(Reason::BadRequest)) };
        let (caller, callee) = match self.try_place(&id, by, from_agent, to) {
            Ok(ends) => ends,
            Err(refusal) => {
                self.house.exchange.left(&id);
                return (None, Err(refusal));
            }
        };
        let request = self.house.ids.request();
        let (reply, answer) = oneshot::channel();
        let new = NewCall {
            id: id.clone(),
            caller,
            callee,
            queue: None,
            campaign: None,
            request: Some(request),
            by: Some(by.clone()),
        };
        let _: CallHandle = self.begin(new, None, Some(Waiting { request, reply, sound: None }));
        (Some(id), answer.await.unwrap_or_else(|_| refused(Reason::CallEnded)))
    }

    /// The agent's phones call: what they may not call, nobody may have them call.
    fn try_place(
        &self,
        id: &CallId,
        by: &Actor,
        from_agent: &str,
        to: &str,
    ) -> Result<(NewParty, NewParty), Refusal> {
        let dir = self.directory();
        let no_agent = || Refusal::because(Reason::NoSuchAgent);
        let agent = dir.person_at(from_agent).ok_or_else(no_agent)?;
        if agent.id != by.person {
            by.need(Right::Control).map_err(Refusal::because)?;
        }
        let phones = routing::person_called(&agent.id, &dir).ok_or_else(no_agent)?;
        let device = match &phones {
            Destination::Device(device) => Some(device),
            Destination::Person { devices, .. } => devices.first(),
            Destination::Trunk(_) => None,
        };
        let origin = Origin::Device(device.ok_or_else(no_agent)?.clone());
        let caller = NewParty::called(phones, &dir).ok_or_else(no_agent)?;
        let callee = self.place_for(id, &origin, &dialled(to)?)?;
        self.house.exchange.called_by(id, Caller { origin, identity: Identity::default() });
        Ok((caller, callee))
    }
}
