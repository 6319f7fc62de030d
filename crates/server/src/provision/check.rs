//! What one entry alone cannot show: names given twice, things that do not exist, numbers that
//! lead nowhere or in a circle. Where numbers lead, core says.

use super::Found;
use super::entry::{Placed, Reader};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::ops::Range;
use undertone_core::directory::{Directory, Facts};
use undertone_core::id::{DeviceId, OrgId, PersonId, TrunkId};
use undertone_core::number::Pattern;
use undertone_core::refusal::Reason;
use undertone_core::routing;
use undertone_core::trunk::{NumberTo, OwnNumber, People, Route, Source};

/// Which ids there are.
struct Known<'a> {
    people: BTreeSet<&'a PersonId>,
    devices: BTreeSet<&'a DeviceId>,
    trunks: BTreeSet<&'a TrunkId>,
}

pub(super) fn check(reader: &mut Reader<'_>, found: &Found) {
    let known = known(reader, found);
    extensions(reader, found);
    accounts(reader, found);
    names(reader, found, &known);
    patterns(reader, found);
    addresses(reader, found);
    emergency(reader, found, &known);
    // Where numbers lead can be asked of core once every name in them is good.
    if reader.is_good() {
        ends(reader, found);
    }
}

fn known<'a>(reader: &mut Reader<'_>, found: &'a Found) -> Known<'a> {
    let mut known =
        Known { people: BTreeSet::new(), devices: BTreeSet::new(), trunks: BTreeSet::new() };
    for (at, person) in &found.people {
        if !known.people.insert(&person.id) {
            reader.wrong(at, format!("person `{}` is there twice", person.id));
        }
    }
    for (at, device) in &found.devices {
        if !known.devices.insert(&device.id) {
            reader.wrong(at, format!("device `{}` is there twice", device.id));
        }
    }
    for (at, trunk) in &found.trunks {
        if !known.trunks.insert(&trunk.id) {
            reader.wrong(at, format!("trunk `{}` is there twice", trunk.id));
        }
    }
    for (at, device) in &found.devices {
        if let Some(owner) = &device.owner
            && !known.people.contains(owner)
        {
            reader.wrong(at, format!("device `{}`: nobody is `{owner}`", device.id));
        }
    }
    known
}

fn extensions(reader: &mut Reader<'_>, found: &Found) {
    let mut extensions: BTreeMap<&str, &PersonId> = BTreeMap::new();
    for (at, person) in &found.people {
        let Some(extension) = person.extension.as_deref() else { continue };
        if extensions.insert(extension, &person.id).is_some() {
            reader.wrong(at, format!("extension {extension} is given twice"));
        }
    }
    let mut of_devices = BTreeSet::new();
    for (at, device) in &found.devices {
        let Some(extension) = device.extension.as_deref() else { continue };
        // A device may have its own owner's extension, no other person's.
        let taken = extensions.get(extension).is_some_and(|p| Some(*p) != device.owner.as_ref());
        if taken || !of_devices.insert(extension) {
            reader.wrong(at, format!("extension {extension} is given twice"));
        }
    }
    for (at, number) in &found.emergency_numbers {
        let of_person = extensions.contains_key(number.as_str());
        if of_person || of_devices.contains(number.as_str()) {
            reader.wrong(at, format!("emergency number {number} is an extension too"));
        }
    }
}

fn accounts(reader: &mut Reader<'_>, found: &Found) {
    let mut accounts = BTreeSet::new();
    for (at, device) in &found.devices {
        if let Some(account) = &device.account
            && !accounts.insert(account)
        {
            reader.wrong(at, format!("account `{account}` is given twice"));
        }
    }
}

fn trunks<'a>(
    reader: &mut Reader<'_>,
    at: &Range<usize>,
    named: impl IntoIterator<Item = &'a TrunkId>,
    known: &Known<'_>,
) {
    for trunk in named {
        if !known.trunks.contains(trunk) {
            reader.wrong(at, format!("no trunk is called `{trunk}`"));
        }
    }
}

fn names(reader: &mut Reader<'_>, found: &Found, known: &Known<'_>) {
    let no_person =
        |id: &PersonId| (!known.people.contains(id)).then(|| format!("nobody is `{id}`"));
    let no_device = |id: &DeviceId| {
        (!known.devices.contains(id)).then(|| format!("no device is called `{id}`"))
    };
    for (at, number) in &found.numbers {
        trunks(reader, at, &number.from, known);
        let wrong = match &number.to {
            NumberTo::Person(id) => no_person(id),
            NumberTo::Device(id) => no_device(id),
            NumberTo::Number(_) | NumberTo::Changed(_) => None,
        };
        wrong.into_iter().for_each(|what| reader.wrong(at, what));
    }
    for (at, route) in &found.routes {
        trunks(reader, at, route.from.iter().chain(&route.trunks), known);
    }
    for (at, entry) in &found.outbound {
        trunks(reader, at, &entry.trunks, known);
        let devices = entry.devices.iter().filter_map(no_device);
        devices.for_each(|what| reader.wrong(at, what));
        if let People::These(people) = &entry.people {
            people.iter().filter_map(no_person).for_each(|what| reader.wrong(at, what));
        }
    }
}

/// Two entries for the same numbers from the same trunks: the second would never count.
fn patterns(reader: &mut Reader<'_>, found: &Found) {
    let own = found.numbers.iter().map(|(at, n)| (at, &n.pattern, &n.from));
    let out = found.routes.iter().map(|(at, r)| (at, &r.pattern, &r.from));
    let mut seen = BTreeSet::new();
    for (at, pattern, from) in own.chain(out) {
        if !seen.insert((pattern, from)) {
            reader.wrong(at, format!("pattern {pattern} is there already"));
        }
    }
    let mut capped: BTreeSet<&Pattern> = BTreeSet::new();
    for (at, cap) in &found.caps {
        if !capped.insert(&cap.to) {
            reader.wrong(at, format!("a cap on {} is there already", cap.to));
        }
    }
}

/// An address is of one device or trunk: else who calls from there would be a matter of order.
fn addresses(reader: &mut Reader<'_>, found: &Found) {
    let mut devices = BTreeMap::new();
    for (_, device) in &found.devices {
        if let Some(address) = device.contact.as_ref().and_then(|contact| contact.address()) {
            devices.insert(address, &device.id);
        }
    }
    let mut seen: BTreeMap<Source, &TrunkId> = BTreeMap::new();
    for (at, trunk) in &found.trunks {
        let of_places = trunk.places.iter().filter_map(Source::of);
        for source in of_places.chain(trunk.sources.iter().copied()) {
            if let Some(other) = seen.insert(source, &trunk.id)
                && *other != trunk.id
            {
                reader.wrong(at, format!("{source} is trunk `{other}`'s already"));
            }
            let Some(port) = source.port else { continue };
            if let Some(device) = devices.get(&SocketAddr::new(source.ip, port)) {
                reader.wrong(at, format!("{source} is the address of device `{device}`"));
            }
        }
    }
}

fn emergency(reader: &mut Reader<'_>, found: &Found, known: &Known<'_>) {
    for (at, trunk) in &found.emergency_trunks {
        trunks(reader, at, [trunk], known);
    }
    if let (Some((at, number)), true) = (found.emergency_numbers.first(), found.trunks.is_empty()) {
        reader.wrong(at, format!("no trunk is there to take {number} out"));
    }
}

/// Follows each number of ours by one that it stands for.
fn ends(reader: &mut Reader<'_>, found: &Found) {
    let Ok(org) = OrgId::parse("org") else { return };
    let mut facts = Facts::empty(org);
    facts.people = by(&found.people, |person| person.id.clone());
    facts.devices = by(&found.devices, |device| device.id.clone());
    facts.trunks = by(&found.trunks, |trunk| trunk.id.clone());
    facts.numbers = found.numbers.iter().map(|(_, n): &Placed<OwnNumber>| n.clone()).collect();
    facts.routes = found.routes.iter().map(|(_, r): &Placed<Route>| r.clone()).collect();
    let dir = Directory::new(facts);
    for (at, own) in &found.numbers {
        let Some(sample) = own.pattern.sample() else { continue };
        let Err(refusal) = routing::walk(own.from.first(), &sample, &dir) else { continue };
        let circle = refusal.reasons.contains(&Reason::RouteLoop);
        // Of a block not every number need be somebody's.
        let block = matches!(own.to, NumberTo::Changed(_));
        match (circle, block) {
            (true, _) => reader.wrong(at, format!("{} leads in a circle", own.pattern)),
            (false, true) => {}
            (false, false) => reader.wrong(at, format!("{} leads nowhere", own.pattern)),
        }
    }
}

fn by<K: Ord, T: Clone>(placed: &[Placed<T>], key: impl Fn(&T) -> K) -> BTreeMap<K, T> {
    placed.iter().map(|(_, value)| (key(value), value.clone())).collect()
}
