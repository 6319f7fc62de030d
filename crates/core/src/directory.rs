//! What is known about people, devices, trunks and numbers at one moment: an immutable snapshot
//! that comes with every input. Knows no call.
//!
//! `Facts` is what is stored. `Directory` is the same with its indexes, built once: it reads as
//! the facts do, and changes only as a whole, so that no index can lie.

use crate::access::{Actor, Right};
use crate::contact::Contact;
use crate::id::{DeviceId, KeyId, OrgId, PersonId, SessionId, TrunkId};
use crate::labels::Labels;
use crate::number::Number;
use crate::policy::Policy;
use crate::trunk::{DestinationCap, Emergency, Outbound, OwnNumber, Route, Source, Trunk};
use crate::view::Net;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::ops::Deref;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    pub id: PersonId,
    pub name: String,
    pub extension: Option<String>,
    pub rights: BTreeSet<Right>,
}

/// A telephone. Owned by a person, it makes its leg an agent's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    pub id: DeviceId,
    pub name: String,
    pub extension: Option<String>,
    pub owner: Option<PersonId>,
    /// Where it is called, and called from, if that is fixed.
    pub contact: Option<Contact>,
    /// The user that it registers and authenticates as. With one, its address alone proves
    /// nothing.
    pub account: Option<String>,
    pub net: Net,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    pub org: OrgId,
    pub people: BTreeMap<PersonId, Person>,
    pub devices: BTreeMap<DeviceId, Device>,
    pub trunks: BTreeMap<TrunkId, Trunk>,
    /// Numbers of ours, in order.
    pub numbers: Vec<OwnNumber>,
    /// Ways out, in order.
    pub routes: Vec<Route>,
    pub outbound: Vec<Outbound>,
    pub caps: Vec<DestinationCap>,
    pub emergency: Emergency,
    /// Keys that are out of use: whoever signed in by one before has lost it since.
    pub revoked_keys: BTreeSet<KeyId>,
    /// Sessions that ended a moment ago: what they asked for may still be on its way.
    pub ended_sessions: BTreeSet<SessionId>,
    pub policy: Policy,
    /// What the organisation calls things on its pages.
    pub labels: Labels,
}

#[derive(Clone, Debug)]
pub struct Directory {
    facts: Facts,
    index: Index,
}

/// A pattern's place among all of them: numbers of ours before routes, each in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum RuleAt {
    Own(usize),
    Out(usize),
}

/// What a number that is no extension means.
#[derive(Clone, Copy, Debug)]
pub enum Rule<'a> {
    Own(&'a OwnNumber),
    Out(&'a Route),
}

#[derive(Clone, Debug, Default)]
struct Index {
    people_by_extension: BTreeMap<String, PersonId>,
    devices_by_extension: BTreeMap<String, DeviceId>,
    devices_by_owner: BTreeMap<PersonId, Vec<DeviceId>>,
    devices_by_account: BTreeMap<String, DeviceId>,
    devices_by_address: BTreeMap<SocketAddr, Vec<DeviceId>>,
    /// At an address, by the user of its contact.
    devices_by_contact: BTreeMap<SocketAddr, BTreeMap<String, DeviceId>>,
    /// At an address, by whatever From may call it: only of those that need no account.
    devices_by_from: BTreeMap<SocketAddr, BTreeMap<String, DeviceId>>,
    trunks_by_address: BTreeMap<(IpAddr, Option<u16>), TrunkId>,
    trunks_by_network: Vec<(Source, TrunkId)>,
    /// Patterns that match one number, by it, in order.
    exact: BTreeMap<Number, Vec<RuleAt>>,
    /// All others, the longest first, then in order.
    patterns: Vec<RuleAt>,
}

impl Facts {
    pub fn empty(org: OrgId) -> Self {
        Self {
            org,
            people: BTreeMap::new(),
            devices: BTreeMap::new(),
            trunks: BTreeMap::new(),
            numbers: Vec::new(),
            routes: Vec::new(),
            outbound: Vec::new(),
            caps: Vec::new(),
            emergency: Emergency::default(),
            revoked_keys: BTreeSet::new(),
            ended_sessions: BTreeSet::new(),
            policy: Policy::open(),
            labels: Labels::default(),
        }
    }
}

impl Directory {
    pub fn new(facts: Facts) -> Self {
        let index = Index::of(&facts);
        Self { facts, index }
    }

    pub fn empty(org: OrgId) -> Self {
        Self::new(Facts::empty(org))
    }

    /// Another snapshot: the indexes are built anew.
    pub fn change(&mut self, change: impl FnOnce(&mut Facts)) {
        change(&mut self.facts);
        self.index = Index::of(&self.facts);
    }

    pub fn person(&self, id: &PersonId) -> Option<&Person> {
        self.facts.people.get(id)
    }

    /// Takes from who acts what the person, the key or the session has lost since they signed in.
    pub fn restrict(&self, by: &mut Actor) {
        let revoked = by.key.as_ref().is_some_and(|key| self.facts.revoked_keys.contains(key));
        let ended = |session| self.facts.ended_sessions.contains(session);
        let signed_out = by.session.as_ref().is_some_and(ended);
        let person = self.person(&by.person).filter(|_| !revoked && !signed_out);
        by.rights.retain(|right| person.is_some_and(|person| person.rights.contains(right)));
    }

    pub fn device(&self, id: &DeviceId) -> Option<&Device> {
        self.facts.devices.get(id)
    }

    pub fn trunk(&self, id: &TrunkId) -> Option<&Trunk> {
        self.facts.trunks.get(id)
    }

    pub fn owner(&self, device: &DeviceId) -> Option<&Person> {
        self.device(device)?.owner.as_ref().and_then(|person| self.person(person))
    }

    /// By id.
    pub fn devices_of(&self, person: &PersonId) -> impl Iterator<Item = &Device> {
        let ids = self.index.devices_by_owner.get(person).into_iter().flatten();
        ids.filter_map(|id| self.device(id))
    }

    /// Whose extension this is: their own, or that of a device of theirs.
    pub fn person_at(&self, extension: &str) -> Option<&Person> {
        match self.index.people_by_extension.get(extension) {
            Some(person) => self.person(person),
            None => self.owner(self.index.devices_by_extension.get(extension)?),
        }
    }

    /// Only a person's own extension, not that of a device.
    pub(crate) fn person_with(&self, extension: &str) -> Option<&Person> {
        self.person(self.index.people_by_extension.get(extension)?)
    }

    pub fn device_with(&self, extension: &str) -> Option<&Device> {
        self.device(self.index.devices_by_extension.get(extension)?)
    }

    pub fn device_of_account(&self, account: &str) -> Option<&Device> {
        self.device(self.index.devices_by_account.get(account)?)
    }

    /// Devices whose fixed contact is at this address.
    pub fn devices_at(&self, address: SocketAddr) -> impl Iterator<Item = &Device> {
        let ids = self.index.devices_by_address.get(&address).into_iter().flatten();
        ids.filter_map(|id| self.device(id))
    }

    pub fn device_with_contact(&self, contact: &Contact) -> Option<&Device> {
        let at = self.index.devices_by_contact.get(&contact.address()?)?;
        self.device(at.get(contact.user.as_deref().unwrap_or(""))?)
    }

    /// The device without an account at this address that From's user names: by extension, id,
    /// or the user of its contact.
    pub(crate) fn device_from(&self, address: SocketAddr, user: &str) -> Option<&Device> {
        self.device(self.index.devices_by_from.get(&address)?.get(user)?)
    }

    /// The trunk whose calls come from this address: the nearest match, port before host before
    /// network.
    pub fn trunk_at(&self, source: SocketAddr) -> Option<&Trunk> {
        let by_address = &self.index.trunks_by_address;
        let exact = by_address.get(&(source.ip(), Some(source.port())));
        let found = exact.or_else(|| by_address.get(&(source.ip(), None))).or_else(|| {
            let mut networks = self.index.trunks_by_network.iter();
            networks.find(|(network, _)| network.holds(source)).map(|(_, trunk)| trunk)
        });
        self.trunk(found?)
    }

    /// Where a party over a connection may be known from. A connection's own port says nothing, so
    /// `named` is what its Contact says, and any process of that host may say it: where several
    /// are known there by their ports, none of them is believed. At our own host nobody is strange.
    pub fn over_connection(&self, named: SocketAddr) -> SocketAddr {
        let host = named.ip();
        let ports = SocketAddr::new(host, 1)..=SocketAddr::new(host, u16::MAX);
        let devices = self.index.devices_by_from.range(ports).count();
        let ports = (host, Some(1))..=(host, Some(u16::MAX));
        let trunks = self.index.trunks_by_address.range(ports).count();
        let alone = devices + trunks <= 1 || host.is_loopback();
        if alone { named } else { SocketAddr::new(host, 0) }
    }

    /// The longest pattern that matches; of two as long, the earlier one. `from`: the trunk that
    /// the call came by.
    pub fn rule(&self, from: Option<&TrunkId>, number: &Number) -> Option<Rule<'_>> {
        let for_all = |at: &RuleAt| {
            let only = &self.rule_at(*at).1;
            only.is_empty() || from.is_some_and(|trunk| only.contains(trunk))
        };
        let exact = self.index.exact.get(number).into_iter().flatten();
        let exact = exact.copied().find(for_all);
        let mut patterns = self.index.patterns.iter().copied();
        let pattern = patterns.find(|at| for_all(at) && self.pattern_at(*at).matches(number));
        let longer = |a: &RuleAt, b: &RuleAt| {
            let length = |at: &RuleAt| self.pattern_at(*at).length();
            length(b).cmp(&length(a)).then(a.cmp(b))
        };
        let at = exact.into_iter().chain(pattern).min_by(longer)?;
        Some(self.rule_at(at).0)
    }

    fn rule_at(&self, at: RuleAt) -> (Rule<'_>, &BTreeSet<TrunkId>) {
        match at {
            RuleAt::Own(i) => (Rule::Own(&self.facts.numbers[i]), &self.facts.numbers[i].from),
            RuleAt::Out(i) => (Rule::Out(&self.facts.routes[i]), &self.facts.routes[i].from),
        }
    }

    fn pattern_at(&self, at: RuleAt) -> &crate::number::Pattern {
        match at {
            RuleAt::Own(i) => &self.facts.numbers[i].pattern,
            RuleAt::Out(i) => &self.facts.routes[i].pattern,
        }
    }

    /// Whether this is dialled for help: no limit of any kind may keep it back.
    pub fn is_emergency(&self, number: &str) -> bool {
        Number::parse(number).is_ok_and(|number| self.facts.emergency.numbers.contains(&number))
    }
}

impl Deref for Directory {
    type Target = Facts;
    fn deref(&self) -> &Facts {
        &self.facts
    }
}

/// The indexes follow from the facts.
impl PartialEq for Directory {
    fn eq(&self, other: &Self) -> bool {
        self.facts == other.facts
    }
}
impl Eq for Directory {}

impl Index {
    fn of(facts: &Facts) -> Self {
        let mut index = Self::default();
        for person in facts.people.values() {
            if let Some(extension) = &person.extension {
                let by = &mut index.people_by_extension;
                by.entry(extension.clone()).or_insert_with(|| person.id.clone());
            }
        }
        facts.devices.values().for_each(|device| index.add_device(device));
        facts.trunks.values().for_each(|trunk| index.add_trunk(trunk));
        index.add_rules(facts);
        index
    }

    fn add_device(&mut self, device: &Device) {
        let id = &device.id;
        if let Some(extension) = &device.extension {
            let by = &mut self.devices_by_extension;
            by.entry(extension.clone()).or_insert_with(|| id.clone());
        }
        if let Some(owner) = &device.owner {
            self.devices_by_owner.entry(owner.clone()).or_default().push(id.clone());
        }
        if let Some(account) = &device.account {
            let by = &mut self.devices_by_account;
            by.entry(account.clone()).or_insert_with(|| id.clone());
        }
        let Some(contact) = &device.contact else { return };
        let Some(address) = contact.address() else { return };
        self.devices_by_address.entry(address).or_default().push(id.clone());
        let user = contact.user.clone().unwrap_or_default();
        let by_contact = self.devices_by_contact.entry(address).or_default();
        by_contact.entry(user.clone()).or_insert_with(|| id.clone());
        if device.account.is_none() {
            let names = [device.extension.clone(), Some(id.to_string()), Some(user)];
            let by_from = self.devices_by_from.entry(address).or_default();
            for name in names.into_iter().flatten().filter(|name| !name.is_empty()) {
                by_from.entry(name).or_insert_with(|| id.clone());
            }
        }
    }

    fn add_trunk(&mut self, trunk: &Trunk) {
        let of_places = trunk.places.iter().filter_map(Source::of);
        for source in of_places.chain(trunk.sources.iter().copied()) {
            if source.is_one_address() {
                let by = &mut self.trunks_by_address;
                by.entry((source.ip, source.port)).or_insert_with(|| trunk.id.clone());
            } else {
                self.trunks_by_network.push((source, trunk.id.clone()));
            }
        }
        // The narrowest network first.
        self.trunks_by_network.sort_by_key(|(source, _)| std::cmp::Reverse(source.bits));
    }

    fn add_rules(&mut self, facts: &Facts) {
        let own = facts.numbers.iter().enumerate().map(|(i, n)| (RuleAt::Own(i), &n.pattern));
        let out = facts.routes.iter().enumerate().map(|(i, r)| (RuleAt::Out(i), &r.pattern));
        let mut patterns = Vec::new();
        for (at, pattern) in own.chain(out) {
            match pattern.only() {
                Some(number) => self.exact.entry(number).or_default().push(at),
                None => patterns.push((pattern.length(), at)),
            }
        }
        patterns.sort_by(|(a, at), (b, other)| b.cmp(a).then(at.cmp(other)));
        self.patterns = patterns.into_iter().map(|(_, at)| at).collect();
    }
}
