//! What goes on at this moment beside the directory: calls to the outside and their channels,
//! counted; places of trunks that do not answer; addresses that names were found to have. One is
//! kept by the server and asked with each decision, so that two calls cannot both be the last.

use crate::call::{Call, NewParty};
use crate::contact::Place;
use crate::directory::Directory;
use crate::id::{CallId, SeatId, TrunkId};
use crate::number::{Dialled, Pattern};
use crate::refusal::{Reason, Refusal};
use crate::routing::{Account, Charge, Destination, Origin, Outside, decide, no_route, route};
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

    /// `unused`: nothing was called, so that it did not begin either.
    fn end(&mut self, began: Mono, unused: bool) {
        self.live = self.live.saturating_sub(1);
        if unused && let Some(at) = self.began.iter().rposition(|at| *at == began) {
            self.began.remove(at);
        }
    }
}

/// What one seat has taken: a channel, and what its call outside counts against. Whoever has it
/// in hand must put it under a seat or give it back.
#[derive(Clone, Debug)]
#[must_use = "it counts until it is given back"]
pub struct Taken {
    trunk: Option<TrunkId>,
    charge: Option<Charge>,
    began: Mono,
}

/// A seat is to be called, and core has judged that its asker may ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlaceAsked {
    pub seat: SeatId,
    /// In whose name, by whose rights and on whose account.
    pub by: Origin,
    /// As they were asked for, best first: the first that leads anywhere counts.
    pub to: Vec<String>,
    /// Whether it may lead out of the house at all.
    pub outside: bool,
}

#[derive(Clone, Debug, Default)]
pub struct Traffic {
    calls: BTreeMap<CallId, BTreeMap<SeatId, Taken>>,
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
        self.take_channel(id);
        let taken = Taken { trunk: Some(id.clone()), charge: None, began: Mono::default() };
        self.put(call, Call::CALLER, taken);
        Ok(())
    }

    /// Decides where it leads and counts it as this seat's, in one step.
    pub fn place(
        &mut self,
        now: Mono,
        (call, seat): (&CallId, SeatId),
        origin: &Origin,
        dialled: &Dialled,
        dir: &Directory,
    ) -> Result<Destination, Refusal> {
        let (destination, charge) = decide(now, origin, dialled, self, dir)?;
        let Destination::Trunk(outside) = &destination else { return Ok(destination) };
        self.take_channel(&outside.trunk);
        if let Some(charge) = &charge {
            self.accounts.entry(charge.account.clone()).or_default().begin(now);
            for to in &charge.destinations {
                self.destinations.entry(to.clone()).or_default().begin(now);
            }
        }
        let taken = Taken { trunk: Some(outside.trunk.clone()), charge, began: now };
        self.put(call, seat, taken);
        Ok(destination)
    }

    /// Whom a wish leads to, counted as the seat's; else why its first way leads to nobody.
    pub fn find(
        &mut self,
        now: Mono,
        call: &CallId,
        wish: &PlaceAsked,
        dir: &Directory,
    ) -> Result<NewParty, Refusal> {
        let mut no = None;
        for text in &wish.to {
            match self.find_one(now, call, wish, text, dir) {
                Ok(party) => return Ok(party),
                Err(refusal) => no = no.or(Some(refusal)),
            }
        }
        Err(no.unwrap_or_else(no_route))
    }

    fn find_one(
        &mut self,
        now: Mono,
        call: &CallId,
        wish: &PlaceAsked,
        text: &str,
        dir: &Directory,
    ) -> Result<NewParty, Refusal> {
        let dialled = Dialled::parse(text)
            .map_err(|error| Refusal::with(Reason::NoRoute, error.to_string()))?;
        let leads_out = |to: &Destination| matches!(to, Destination::Trunk(_));
        if !wish.outside && leads_out(&route(now, &wish.by, &dialled, self, dir)?) {
            return Err(Refusal::because(Reason::OutboundDenied));
        }
        let destination = self.place(now, (call, wish.seat), &wish.by, &dialled, dir)?;
        NewParty::called(destination, dir).ok_or_else(|| {
            self.give_back(call, wish.seat, true);
            no_route()
        })
    }

    /// No place of the seat's trunk could be reached: its channel is given back, and one of the
    /// next taken if it has one, or if the call is for help.
    pub fn switch(&mut self, call: &CallId, seat: SeatId, to: &Trunk, outside: &Outside) -> bool {
        let at = self.calls.get(call).and_then(|seats| seats.get(&seat));
        let at = at.and_then(|taken| taken.trunk.clone());
        if at.as_ref() == Some(&to.id) {
            return true;
        }
        if !outside.emergency && !self.has_channel(to) {
            return false;
        }
        at.iter().for_each(|from| self.give_channel(from));
        self.take_channel(&to.id);
        let mut taken = self.take_out(call, seat).unwrap_or_else(|| Taken {
            trunk: None,
            charge: None,
            began: Mono::default(),
        });
        taken.trunk = Some(to.id.clone());
        self.put(call, seat, taken);
        true
    }

    /// The call is over, or never began: whatever its seats still have comes back.
    pub fn left(&mut self, call: &CallId) {
        for taken in self.calls.remove(call).into_iter().flat_map(BTreeMap::into_values) {
            self.end(taken, false);
        }
    }

    /// The seat is let go. `unused`: nobody was ever called for it.
    pub fn give_back(&mut self, call: &CallId, seat: SeatId, unused: bool) {
        if let Some(taken) = self.take_out(call, seat) {
            self.end(taken, unused);
        }
    }

    /// A leg goes to another call: what its seat has taken goes with it, and counts meanwhile.
    pub fn take_out(&mut self, call: &CallId, seat: SeatId) -> Option<Taken> {
        let seats = self.calls.get_mut(call)?;
        let taken = seats.remove(&seat);
        if seats.is_empty() {
            self.calls.remove(call);
        }
        taken
    }

    /// It has a seat there.
    pub fn put(&mut self, call: &CallId, seat: SeatId, taken: Taken) {
        let before = self.calls.entry(call.clone()).or_default().insert(seat, taken);
        before.into_iter().for_each(|taken| self.end(taken, false));
    }

    /// Nobody has it any more.
    pub fn end(&mut self, taken: Taken, unused: bool) {
        taken.trunk.iter().for_each(|trunk| self.give_channel(trunk));
        let Some(charge) = taken.charge else { return };
        if let Some(used) = self.accounts.get_mut(&charge.account) {
            used.end(taken.began, unused);
        }
        for to in &charge.destinations {
            if let Some(used) = self.destinations.get_mut(to) {
                used.end(taken.began, unused);
            }
        }
    }

    fn take_channel(&mut self, trunk: &TrunkId) {
        *self.channels.entry(trunk.clone()).or_default() += 1;
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
                // Empty: it was looked up, and leads nowhere.
                Some(found) => found.as_slice(),
                None => std::slice::from_ref(place),
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
