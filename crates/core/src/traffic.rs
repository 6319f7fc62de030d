//! What goes on at this moment beside the directory: calls to the outside and their channels,
//! counted; places of trunks that do not answer; addresses that names were found to have. One is
//! kept by the server and asked with each decision, so that two calls cannot both be the last.

use crate::contact::Place;
use crate::directory::Directory;
use crate::id::{CallId, TrunkId};
use crate::number::{Dialled, Pattern};
use crate::refusal::{Reason, Refusal};
use crate::routing::{Account, Charge, Destination, Origin, Outside, decide};
use crate::time::Mono;
use crate::trunk::{Cap, Trunk};
use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;

const HOUR_US: u64 = 3_600_000_000;

/// Calls of one account, or to one destination.
#[derive(Clone, Debug, Default)]
struct Used {
    live: u32,
    /// When those of the last hour began; older ones go at the next look. No longer than the
    /// largest cap, since beyond it nothing begins.
    began: VecDeque<Mono>,
}

/// How many calls there are now, and began in the last hour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    pub live: u32,
    pub an_hour: u32,
}

impl Count {
    pub const fn reaches(self, cap: Cap) -> bool {
        self.live >= cap.calls_max || self.an_hour >= cap.calls_an_hour_max
    }
}

impl Used {
    fn count(&self, now: Mono) -> Count {
        let young = self.began.iter().rev().take_while(|at| now.since(**at) < HOUR_US);
        Count { live: self.live, an_hour: u32::try_from(young.count()).unwrap_or(u32::MAX) }
    }

    fn begin(&mut self, now: Mono) {
        while self.began.front().is_some_and(|at| now.since(*at) >= HOUR_US) {
            self.began.pop_front();
        }
        self.began.push_back(now);
        self.live += 1;
    }
}

/// What one call has taken.
#[derive(Clone, Debug, Default)]
struct Taken {
    /// A channel each; one trunk may be there twice.
    trunks: Vec<TrunkId>,
    charges: Vec<Charge>,
    came_by: Option<TrunkId>,
}

#[derive(Clone, Debug, Default)]
pub struct Traffic {
    calls: BTreeMap<CallId, Taken>,
    accounts: BTreeMap<Account, Used>,
    destinations: BTreeMap<Pattern, Used>,
    channels: BTreeMap<TrunkId, u32>,
    /// Places that did not answer, and until when that is remembered.
    bad: BTreeMap<(TrunkId, Place), Mono>,
    /// What a place with a name was found to be.
    found: BTreeMap<(TrunkId, Place), Vec<Place>>,
    found_addresses: BTreeMap<SocketAddr, TrunkId>,
    /// Users of the contacts that we registered with trunks.
    registered: BTreeMap<String, TrunkId>,
}

impl Traffic {
    /// A call came in: on a trunk it takes a channel, unless it is for help.
    pub fn arrive(
        &mut self,
        call: &CallId,
        origin: &Origin,
        dialled: &Dialled,
        dir: &Directory,
    ) -> Result<(), Refusal> {
        let Origin::Trunk(id) = origin else { return Ok(()) };
        let for_help = dir.is_emergency(dialled.as_str());
        if !for_help && dir.trunk(id).is_some_and(|trunk| !self.has_channel(trunk)) {
            return Err(Refusal::because(Reason::TrunkFull));
        }
        self.take_channel(call, id);
        self.calls.entry(call.clone()).or_default().came_by = Some(id.clone());
        Ok(())
    }

    /// Decides where it leads and counts it, in one step.
    pub fn place(
        &mut self,
        now: Mono,
        call: &CallId,
        origin: &Origin,
        dialled: &Dialled,
        dir: &Directory,
    ) -> Result<Destination, Refusal> {
        let (destination, charge) = decide(now, origin, dialled, self, dir)?;
        if let Destination::Trunk(outside) = &destination {
            self.take_channel(call, &outside.trunk);
        }
        if let Some(charge) = charge {
            self.accounts.entry(charge.account.clone()).or_default().begin(now);
            for to in &charge.destinations {
                self.destinations.entry(to.clone()).or_default().begin(now);
            }
            self.calls.entry(call.clone()).or_default().charges.push(charge);
        }
        Ok(destination)
    }

    /// No place of one trunk could be reached: its channel is given back, and one of the next
    /// taken if it has one, or if the call is for help.
    pub fn switch(&mut self, call: &CallId, from: &TrunkId, to: &Trunk, outside: &Outside) -> bool {
        if !outside.emergency && !self.has_channel(to) {
            return false;
        }
        if let Some(taken) = self.calls.get_mut(call)
            && let Some(at) = taken.trunks.iter().rposition(|trunk| trunk == from)
        {
            taken.trunks.remove(at);
            self.give_channel(from);
        }
        self.take_channel(call, &to.id);
        true
    }

    /// The call is over, or never began.
    pub fn left(&mut self, call: &CallId) {
        let Some(taken) = self.calls.remove(call) else { return };
        for trunk in &taken.trunks {
            self.give_channel(trunk);
        }
        for charge in taken.charges {
            if let Some(used) = self.accounts.get_mut(&charge.account) {
                used.live = used.live.saturating_sub(1);
            }
            for to in &charge.destinations {
                if let Some(used) = self.destinations.get_mut(to) {
                    used.live = used.live.saturating_sub(1);
                }
            }
        }
    }

    fn take_channel(&mut self, call: &CallId, trunk: &TrunkId) {
        *self.channels.entry(trunk.clone()).or_default() += 1;
        self.calls.entry(call.clone()).or_default().trunks.push(trunk.clone());
    }

    fn give_channel(&mut self, trunk: &TrunkId) {
        if let Some(channels) = self.channels.get_mut(trunk) {
            *channels = channels.saturating_sub(1);
        }
    }

    pub fn of_account(&self, account: &Account, now: Mono) -> Count {
        self.accounts.get(account).map(|used| used.count(now)).unwrap_or_default()
    }

    pub fn of_destination(&self, to: &Pattern, now: Mono) -> Count {
        self.destinations.get(to).map(|used| used.count(now)).unwrap_or_default()
    }

    /// In use, in and out. Calls for help may go over the limit.
    pub fn channels(&self, trunk: &TrunkId) -> u32 {
        self.channels.get(trunk).copied().unwrap_or(0)
    }

    pub fn has_channel(&self, trunk: &Trunk) -> bool {
        trunk.channels_max.is_none_or(|max| self.channels(&trunk.id) < max)
    }

    /// The trunk by which this call came in.
    pub fn came_by(&self, call: &CallId) -> Option<&TrunkId> {
        self.calls.get(call)?.came_by.as_ref()
    }

    /// A place did not answer: remembered until then. None: it answers.
    pub fn note(&mut self, trunk: &TrunkId, place: &Place, bad_until: Option<Mono>) {
        let key = (trunk.clone(), place.clone());
        match bad_until {
            // OPTIONS that say "until it answers" outlast a call that was not answered.
            Some(until) => {
                let known = self.bad.entry(key).or_default();
                *known = (*known).max(until);
            }
            None => drop(self.bad.remove(&key)),
        }
    }

    fn answers(&self, trunk: &Trunk, place: &Place, now: Mono) -> bool {
        let key = (trunk.id.clone(), place.clone());
        self.bad.get(&key).is_none_or(|until| *until <= now)
    }

    /// One place that answers is enough.
    pub fn is_up(&self, trunk: &Trunk, now: Mono) -> bool {
        self.places(trunk).any(|place| self.answers(trunk, place, now))
    }

    /// Where a call is to be sent, in order. With `all`, places that did not answer come last
    /// instead of not at all.
    pub fn ways(&self, trunk: &Trunk, now: Mono, all: bool) -> Vec<Place> {
        let (good, bad): (Vec<_>, Vec<_>) =
            self.places(trunk).cloned().partition(|place| self.answers(trunk, place, now));
        if all { good.into_iter().chain(bad).collect() } else { good }
    }

    fn places<'a>(&'a self, trunk: &'a Trunk) -> impl Iterator<Item = &'a Place> {
        trunk.places.iter().flat_map(|place| {
            match self.found.get(&(trunk.id.clone(), place.clone())) {
                Some(found) if !found.is_empty() => found.as_slice(),
                _ => std::slice::from_ref(place),
            }
        })
    }

    /// A name of a trunk was looked up (RFC 3263): where calls go, and where they come from.
    pub fn found(&mut self, trunk: &TrunkId, name: &Place, at: Vec<Place>) {
        let key = (trunk.clone(), name.clone());
        let before = self.found.remove(&key).unwrap_or_default();
        for address in before.iter().filter_map(Place::address) {
            self.found_addresses.remove(&address);
        }
        for address in at.iter().filter_map(Place::address) {
            self.found_addresses.insert(address, trunk.clone());
        }
        self.found.insert(key, at);
    }

    /// The trunk is another one now, or gone: nothing that was learnt of it counts.
    pub fn forget(&mut self, trunk: &TrunkId) {
        self.bad.retain(|(of, _), _| of != trunk);
        self.found.retain(|(of, _), _| of != trunk);
        self.found_addresses.retain(|_, of| of != trunk);
        self.registered.retain(|_, of| of != trunk);
    }

    pub fn found_at(&self, source: SocketAddr) -> Option<&TrunkId> {
        self.found_addresses.get(&source)
    }

    /// Calls to this user of our contact are this trunk's, from now on or no more.
    pub fn register(&mut self, user: &str, trunk: Option<TrunkId>) {
        match trunk {
            Some(trunk) => drop(self.registered.insert(user.to_owned(), trunk)),
            None => drop(self.registered.remove(user)),
        }
    }

    pub fn registered(&self, user: &str) -> Option<&TrunkId> {
        self.registered.get(user)
    }

    /// Forgets accounts and destinations without calls in the last hour.
    pub fn tidy(&mut self, now: Mono) {
        let idle = |used: &Used| used.count(now) == Count::default();
        self.accounts.retain(|_, used| !idle(used));
        self.destinations.retain(|_, used| !idle(used));
        self.bad.retain(|_, until| *until > now);
    }
}
