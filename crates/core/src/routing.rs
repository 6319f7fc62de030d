//! Who calls, and where what they dialled leads: to a device, to a person's devices, or out by a
//! trunk. A caller is known or refused; the outside is denied unless allowed, and capped;
//! emergency numbers always have a way. Counts nothing (`traffic.rs`) and knows no call.

use crate::directory::{Device, Directory, Rule};
use crate::id::{DeviceId, PersonId, TrunkId};
use crate::number::{Dialled, Number, Pattern};
use crate::refusal::{Reason, Refusal};
use crate::time::Mono;
use crate::traffic::Traffic;
use crate::trunk::{Cap, NumberTo, People, Route, Trunk};
use std::net::SocketAddr;

/// How often a number may lead to another one of ours.
const HOPS_MAX: usize = 8;

/// How a call came in, as its first request says. Only `source` and `account` prove anything.
#[derive(Clone, Copy, Debug)]
pub struct Arrival<'a> {
    pub source: SocketAddr,
    /// The user whose digest was right.
    pub account: Option<&'a str>,
    pub from_user: &'a str,
    /// The Request-URI's user.
    pub request_user: &'a str,
    pub to_user: &'a str,
}

/// Who calls, once that is certain.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    Device(DeviceId),
    Trunk(TrunkId),
}

/// Who answers for a call to the outside: its caps are counted together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Account {
    Person(PersonId),
    /// One that belongs to nobody.
    Device(DeviceId),
    Trunk(TrunkId),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    Device(DeviceId),
    /// All their devices, by id; the first that answers has the call.
    Person {
        person: PersonId,
        devices: Vec<DeviceId>,
    },
    Trunk(Outside),
}

/// A call to the outside that is allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outside {
    pub trunk: TrunkId,
    /// As it goes to the trunk.
    pub number: Number,
    /// Tried in this order where no place of the first can be reached.
    pub then: Vec<TrunkId>,
    pub emergency: bool,
    pub transparent: bool,
}

/// What a call to the outside counts against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Charge {
    pub account: Account,
    pub destinations: Vec<Pattern>,
}

impl Outside {
    /// Every trunk it may go by, in order.
    pub fn trunks(&self) -> impl Iterator<Item = &TrunkId> {
        std::iter::once(&self.trunk).chain(&self.then)
    }

    /// Whether the next address or trunk is called after this answer (RFC 3263 section 4.3): not
    /// after a telephone rang, nor if the answer is somebody's. A call for help goes on after all
    /// but a person's no.
    pub fn goes_on(&self, code: u16, rang: bool) -> bool {
        match self.emergency {
            true => !matches!(code, 486 | 600 | 603),
            false => is_no_answer(code) && !rang,
        }
    }
}

/// Nobody was there to answer, or nobody who serves.
pub fn is_no_answer(code: u16) -> bool {
    matches!(code, 408 | 503)
}

impl Origin {
    pub fn account(&self, dir: &Directory) -> Account {
        match self {
            Origin::Trunk(trunk) => Account::Trunk(trunk.clone()),
            Origin::Device(device) => match dir.owner(device) {
                Some(person) => Account::Person(person.id.clone()),
                None => Account::Device(device.clone()),
            },
        }
    }

    fn trunk(&self) -> Option<&TrunkId> {
        match self {
            Origin::Trunk(trunk) => Some(trunk),
            Origin::Device(_) => None,
        }
    }
}

impl Arrival<'_> {
    /// What was dialled: a trunk that we registered with may call our contact, and names the
    /// number in To alone, or only means the user that we registered as.
    pub fn dialled(&self, traffic: &Traffic, dir: &Directory) -> String {
        let Some(trunk) = traffic.registered(self.request_user) else {
            return self.request_user.to_owned();
        };
        let login = dir.trunk(trunk).and_then(|trunk| trunk.login.as_ref());
        match login {
            Some(login) if self.to_user == self.request_user => login.user.clone(),
            _ => self.to_user.to_owned(),
        }
    }
}

/// A device by the account that it proved, else, without one, by the address of its fixed
/// contact; a trunk by its addresses or by our registration. Anybody else is refused.
pub fn caller(
    arrival: &Arrival<'_>,
    traffic: &Traffic,
    dir: &Directory,
) -> Result<Origin, Refusal> {
    let unknown =
        || Refusal::with(Reason::UnknownCaller, "no device and no trunk calls from there");
    if let Some(account) = arrival.account {
        let device = dir.device_of_account(account).ok_or_else(unknown)?;
        return Ok(Origin::Device(device.id.clone()));
    }
    if let Some(device) = device_at(arrival, dir) {
        return Ok(Origin::Device(device.id.clone()));
    }
    let trunk = dir.trunk_at(arrival.source).map(|trunk| &trunk.id);
    let trunk = trunk.or_else(|| traffic.found_at(arrival.source));
    let trunk = trunk.or_else(|| traffic.registered(arrival.request_user));
    // A trunk that is in the directory no more is nobody's.
    let trunk = trunk.filter(|id| dir.trunk(id).is_some()).ok_or_else(unknown)?;
    Ok(Origin::Trunk(trunk.clone()))
}

/// Where several devices share an address, From names which.
fn device_at<'a>(arrival: &Arrival<'_>, dir: &'a Directory) -> Option<&'a Device> {
    dir.device_from(arrival.source, arrival.from_user).or_else(|| {
        let here = dir.devices_at(arrival.source);
        let mut here = here.filter(|device| device.account.is_none());
        let only = here.next()?;
        here.next().is_none().then_some(only)
    })
}

/// A person is called on all devices at once, and on the phone in their browser if they have one
/// (only the server knows). Without any device of one's own nobody is called.
pub fn person_called(person: &PersonId, dir: &Directory) -> Option<Destination> {
    let devices: Vec<_> = dir.devices_of(person).map(|device| device.id.clone()).collect();
    (!devices.is_empty()).then(|| Destination::Person { person: person.clone(), devices })
}

/// An extension or the id of a device: what is reached without leaving the house. A person's own
/// extension means all their devices.
pub fn inside(dialled: &Dialled, dir: &Directory) -> Option<Destination> {
    let text = dialled.as_str();
    let person = dir.person_with(text).and_then(|person| person_called(&person.id, dir));
    person.or_else(|| {
        let named = || DeviceId::parse(text).ok().and_then(|id| dir.device(&id));
        let device = dir.device_with(text).or_else(named)?;
        Some(Destination::Device(device.id.clone()))
    })
}

/// The one device that this names: as a supervisor's leg, which is one device.
pub fn one_device(dialled: &Dialled, dir: &Directory) -> Option<DeviceId> {
    if let Some(device) = dir.device_with(dialled.as_str()) {
        return Some(device.id.clone());
    }
    match inside(dialled, dir)? {
        Destination::Device(device) => Some(device),
        Destination::Person { devices, .. } => devices.into_iter().next(),
        Destination::Trunk(_) => None,
    }
}

/// Where a dialled number leads this caller, at this moment. From a trunk only numbers of ours
/// are reached by themselves: its callers dial no extension that no number names.
pub fn route(
    now: Mono,
    origin: &Origin,
    dialled: &Dialled,
    traffic: &Traffic,
    dir: &Directory,
) -> Result<Destination, Refusal> {
    decide(now, origin, dialled, traffic, dir).map(|(destination, _)| destination)
}

/// The same, with what the call counts against.
pub(crate) fn decide(
    now: Mono,
    origin: &Origin,
    dialled: &Dialled,
    traffic: &Traffic,
    dir: &Directory,
) -> Result<(Destination, Option<Charge>), Refusal> {
    let emergency = dialled.number().filter(|number| dir.emergency.numbers.contains(*number));
    if let Some(number) = emergency {
        let outside = for_help(now, origin, number, traffic, dir)?;
        return Ok((Destination::Trunk(outside), None));
    }
    if let (Origin::Device(_), Some(destination)) = (origin, inside(dialled, dir)) {
        return Ok((destination, None));
    }
    let number = dialled.number().ok_or_else(no_route)?;
    match walk(origin.trunk(), number, dir)? {
        Stop::Inside(destination) => Ok((destination, None)),
        Stop::Out(route, number) => {
            let (outside, charge) = go_out(now, origin, route, &number, traffic, dir)?;
            Ok((Destination::Trunk(outside), Some(charge)))
        }
    }
}

pub(crate) fn no_route() -> Refusal {
    Refusal::with(Reason::NoRoute, "no device, extension or number is called that")
}

/// Where the numbers of ours end.
#[derive(Debug)]
pub enum Stop<'a> {
    Inside(Destination),
    /// By this route, as this number.
    Out(&'a Route, Number),
}

/// Follows numbers of ours until one leads to a device, to a person or out.
pub fn walk<'a>(
    from: Option<&TrunkId>,
    number: &Number,
    dir: &'a Directory,
) -> Result<Stop<'a>, Refusal> {
    let mut number = number.clone();
    for _ in 0..HOPS_MAX {
        let next = match dir.rule(from, &number) {
            None => return Err(no_route()),
            Some(Rule::Out(route)) => return Ok(Stop::Out(route, number)),
            Some(Rule::Own(own)) => match &own.to {
                NumberTo::Device(id) => {
                    let device = dir.device(id).ok_or_else(no_route)?;
                    return Ok(Stop::Inside(Destination::Device(device.id.clone())));
                }
                NumberTo::Person(person) => {
                    return person_called(person, dir).map(Stop::Inside).ok_or_else(no_route);
                }
                NumberTo::Number(number) => number.clone(),
                NumberTo::Changed(change) => change.of(&number).ok_or_else(no_route)?,
            },
        };
        if let Some(destination) = inside(&Dialled::from(next.clone()), dir) {
            return Ok(Stop::Inside(destination));
        }
        number = next;
    }
    Err(Refusal::with(Reason::RouteLoop, "the numbers lead to each other"))
}

fn go_out(
    now: Mono,
    origin: &Origin,
    route: &Route,
    number: &Number,
    traffic: &Traffic,
    dir: &Directory,
) -> Result<(Outside, Charge), Refusal> {
    let number = route.change.of(number).ok_or_else(no_route)?;
    let account = origin.account(dir);
    let cap = allowed(origin, &account, &number, dir)
        .ok_or_else(|| Refusal::with(Reason::OutboundDenied, "not allowed to call this number"))?;
    let mut reasons = Vec::new();
    if traffic.of_account(&account, now).reaches(cap) {
        reasons.push(Reason::AccountCap);
    }
    let caps = || dir.caps.iter().filter(|cap| cap.to.matches(&number));
    if caps().any(|cap| traffic.of_destination(&cap.to, now).reaches(cap.cap)) {
        reasons.push(Reason::DestinationCap);
    }
    if !reasons.is_empty() {
        return Err(Refusal { reasons, detail: String::new() });
    }
    let destinations = caps().map(|cap| cap.to.clone()).collect();
    let known = route.trunks.iter().filter_map(|id| dir.trunk(id));
    let other = known.filter(|trunk| Some(&trunk.id) != origin.trunk());
    let trunks: Vec<_> = other.collect();
    if trunks.is_empty() {
        return Err(Refusal::with(Reason::RouteLoop, "back to the trunk that it came by"));
    }
    let up = |trunk: &&&Trunk| traffic.is_up(trunk, now);
    let free = |trunk: &&&Trunk| traffic.has_channel(trunk);
    let mut usable = trunks.iter().filter(up).filter(free).map(|trunk| trunk.id.clone());
    let Some(trunk) = usable.next() else {
        let full = trunks.iter().any(|trunk| traffic.is_up(trunk, now));
        return Err(Refusal::because(if full { Reason::TrunkFull } else { Reason::TrunkDown }));
    };
    let (then, transparent) = (usable.collect(), route.transparent);
    let outside = Outside { trunk, number, then, emergency: false, transparent };
    Ok((outside, Charge { account, destinations }))
}

/// The cap of the entry that allows it: the one with the longest pattern, then the first.
fn allowed(origin: &Origin, account: &Account, number: &Number, dir: &Directory) -> Option<Cap> {
    let names = |entry: &&crate::trunk::Outbound| {
        let by_person = match (account, &entry.people) {
            (Account::Person(_), People::All) => true,
            (Account::Person(person), People::These(people)) => people.contains(person),
            _ => false,
        };
        by_person
            || match origin {
                Origin::Device(device) => entry.devices.contains(device),
                Origin::Trunk(trunk) => entry.trunks.contains(trunk),
            }
    };
    let mut best: Option<(usize, Cap)> = None;
    for entry in dir.outbound.iter().filter(names) {
        let lengths = entry.to.iter().filter(|to| to.matches(number)).map(Pattern::length);
        let Some(length) = lengths.max() else { continue };
        if best.is_none_or(|(longest, _)| length > longest) {
            best = Some((length, entry.cap));
        }
    }
    best.map(|(_, cap)| cap)
}

/// A call for help needs no permission, counts against nothing and waits for no channel: trunks
/// with a free one come first, full ones after them, and last those that did not answer lately.
fn for_help(
    now: Mono,
    origin: &Origin,
    number: &Number,
    traffic: &Traffic,
    dir: &Directory,
) -> Result<Outside, Refusal> {
    let route = match dir.rule(origin.trunk(), number) {
        Some(Rule::Out(route)) => Some(route),
        _ => None,
    };
    let named: Vec<TrunkId> = match (dir.emergency.trunks.is_empty(), route) {
        (false, _) => dir.emergency.trunks.clone(),
        (true, Some(route)) => route.trunks.clone(),
        (true, None) => dir.trunks.keys().cloned().collect(),
    };
    let known = named.iter().filter_map(|id| dir.trunk(id));
    let other = known.filter(|trunk| Some(&trunk.id) != origin.trunk());
    let mut trunks: Vec<_> = other.collect();
    trunks.sort_by_key(|trunk| (!traffic.is_up(trunk, now), !traffic.has_channel(trunk)));
    let mut trunks = trunks.into_iter().map(|trunk| trunk.id.clone());
    let trunk = trunks
        .next()
        .ok_or_else(|| Refusal::with(Reason::NoRoute, "no trunk for an emergency number"))?;
    let changed = route.and_then(|route| route.change.of(number));
    let number = changed.unwrap_or_else(|| number.clone());
    let transparent = route.is_some_and(|route| route.transparent);
    Ok(Outside { trunk, number, then: trunks.collect(), emergency: true, transparent })
}

/// What a caller is answered who is refused (RFC 3261 section 21).
pub const fn answer_code(reason: Reason) -> u16 {
    match reason {
        Reason::NoRoute => 404,
        Reason::RouteLoop => 482,
        Reason::UnknownCaller | Reason::OutboundDenied | Reason::NotAllowed => 403,
        // For now: the same number may be called later.
        Reason::AccountCap | Reason::DestinationCap => 480,
        Reason::TrunkFull | Reason::TrunkDown | Reason::ShuttingDown | Reason::Overloaded => 503,
        _ => 500,
    }
}

/// The number that a trunk is shown as the caller.
pub fn shown_to(trunk: &Trunk, caller: &str) -> String {
    match &trunk.caller_number {
        Some(number) if !caller.starts_with('+') => number.to_string(),
        _ => caller.to_owned(),
    }
}
