//! One house with trunks, told as plain tables of text: the oracle reads these, and what is
//! tested is built from them.

use std::collections::BTreeSet;
use undertone_core::contact::Contact;
use undertone_core::directory::{Device, Directory, Facts, Person};
use undertone_core::id::{DeviceId, OrgId, PersonId, TrunkId};
use undertone_core::number::{Number, Pattern};
use undertone_core::trunk::*;
use undertone_core::view::Net;

/// Person, extension.
pub(crate) const PEOPLE: [(&str, &str); 3] = [("ana", "1001"), ("bo", "1002"), ("mia", "2001")];

/// Device, extension, owner.
pub(crate) const DEVICES: [(&str, &str, &str); 6] = [
    ("ana-phone", "1001", "ana"),
    ("bo-phone", "1002", "bo"),
    ("door", "", ""),
    ("lobby", "3001", ""),
    ("mia-desk", "2001", "mia"),
    ("mia-soft", "2002", "mia"),
];

/// Trunk, channels (0: no limit).
pub(crate) const TRUNKS: [(&str, u32); 4] =
    [("backup", 0), ("carrier", 2), ("pbx", 0), ("spare", 0)];

/// Pattern, only from, to: `person:`, `device:`, `number:`, or `change:STRIP:PREPEND`.
pub(crate) const NUMBERS: [(&str, &str, &str); 8] = [
    ("+4570001001", "", "number:1001"),
    ("+45700010XX", "", "change:9:10"),
    ("+4570002000", "", "person:mia"),
    ("+4570003001", "", "device:lobby"),
    ("+4570009000", "", "number:+4570009001"),
    ("+4570009001", "", "number:+4570009000"),
    ("+4570008000", "", "number:+4520202020"),
    ("7XXX", "pbx", "change:1:1"),
];

/// Pattern, only from, strip, prepend, trunks, transparent.
pub(crate) type RouteRow =
    (&'static str, &'static str, u8, &'static str, &'static [&'static str], bool);

pub(crate) const ROUTES: [RouteRow; 7] = [
    ("+.", "", 0, "", &["carrier", "backup"], false),
    ("00.", "", 2, "+", &["carrier", "backup"], false),
    ("+4570.", "", 0, "", &["pbx"], true),
    ("0XXXXXXXX", "", 1, "+45", &["carrier"], false),
    ("0012345XX", "", 0, "", &["spare"], false),
    ("+4520.", "pbx", 0, "", &["backup"], false),
    ("99.", "", 0, "", &["spare"], false),
];

/// Who (`*`: all people; a person, a device or a trunk), patterns, calls at once, an hour.
pub(crate) const OUTBOUND: [(&[&str], &[&str], u32, u32); 5] = [
    (&["*"], &["+45.", "99."], 2, 20),
    (&["ana"], &["+."], 3, 5),
    (&["lobby"], &["+45."], 1, 2),
    (&["pbx"], &["+45."], 10, 100),
    (&["ana", "carrier"], &["+900.", "+4520202020"], 4, 9),
];

/// Pattern, calls at once, an hour.
pub(crate) const CAPS: [(&str, u32, u32); 2] = [("+900.", 1, 2), ("+9001XXX", 9, 9)];

pub(crate) const EMERGENCY: [&str; 2] = ["112", "911"];
pub(crate) const EMERGENCY_TRUNKS: [&str; 2] = ["carrier", "backup"];

pub(crate) fn trunk_id(name: &str) -> TrunkId {
    TrunkId::parse(name).unwrap()
}

pub(crate) fn number(text: &str) -> Number {
    Number::parse(text).unwrap()
}

pub(crate) fn pattern(text: &str) -> Pattern {
    Pattern::parse(text).unwrap()
}

fn some(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

fn device(id: &str, extension: &str, owner: &str, port: u16) -> Device {
    Device {
        id: DeviceId::parse(id).unwrap(),
        name: id.into(),
        extension: some(extension).map(Into::into),
        owner: some(owner).map(|owner| PersonId::parse(owner).unwrap()),
        contact: Some(Contact::parse(&format!("sip:{id}@192.0.2.1:{port}")).unwrap()),
        account: None,
        net: Net::Internal,
    }
}

pub(crate) fn trunk(name: &str, channels: u32, places: &[&str]) -> Trunk {
    Trunk {
        id: trunk_id(name),
        name: name.into(),
        places: places.iter().map(|place| place.parse().unwrap()).collect(),
        sources: Vec::new(),
        login: None,
        channels_max: Some(channels).filter(|n| *n > 0),
        ping_s: 0,
        trusted: false,
        vouches_for: Vec::new(),
        caller_number: None,
    }
}

fn change(strip: u8, prepend: &str) -> Change {
    Change { strip, prepend: some(prepend).map(number) }
}

fn to(text: &str) -> NumberTo {
    let (kind, rest) = text.split_once(':').unwrap();
    match kind {
        "person" => NumberTo::Person(PersonId::parse(rest).unwrap()),
        "device" => NumberTo::Device(DeviceId::parse(rest).unwrap()),
        "number" => NumberTo::Number(number(rest)),
        "change" => {
            let (strip, prepend) = rest.split_once(':').unwrap();
            NumberTo::Changed(change(strip.parse().unwrap(), prepend))
        }
        other => panic!("{other}"),
    }
}

fn outbound(who: &[&str], to: &[&str], cap: Cap) -> Outbound {
    let is_person = |who: &str| PEOPLE.iter().any(|(person, _)| *person == who);
    let is_trunk = |who: &str| TRUNKS.iter().any(|(trunk, _)| *trunk == who);
    let people = who.iter().filter(|who| is_person(who));
    let devices = who.iter().filter(|who| !is_person(who) && !is_trunk(who) && **who != "*");
    Outbound {
        people: match who.contains(&"*") {
            true => People::All,
            false => People::These(people.map(|who| PersonId::parse(who).unwrap()).collect()),
        },
        devices: devices.map(|who| DeviceId::parse(who).unwrap()).collect(),
        trunks: who.iter().filter(|who| is_trunk(who)).map(|who| trunk_id(who)).collect(),
        to: to.iter().map(|to| pattern(to)).collect(),
        cap,
    }
}

fn only(from: &str) -> BTreeSet<TrunkId> {
    some(from).map(trunk_id).into_iter().collect()
}

pub(crate) fn house() -> Directory {
    let mut facts = Facts::empty(OrgId::parse("org").unwrap());
    for (name, extension) in PEOPLE {
        let id = PersonId::parse(name).unwrap();
        let (name, extension) = (name.to_owned(), Some(extension.to_owned()));
        let person = Person { id: id.clone(), name, extension, rights: BTreeSet::new() };
        facts.people.insert(id, person);
    }
    for (n, (id, extension, owner)) in DEVICES.iter().enumerate() {
        let device = device(id, extension, owner, 5070 + n as u16);
        facts.devices.insert(device.id.clone(), device);
    }
    for (n, (name, channels)) in TRUNKS.iter().enumerate() {
        let trunk = trunk(name, *channels, &[&format!("198.51.100.{n}")]);
        facts.trunks.insert(trunk.id.clone(), trunk);
    }
    let own = |(p, from, target): (&str, &str, &str)| OwnNumber {
        pattern: pattern(p),
        from: only(from),
        to: to(target),
    };
    facts.numbers = NUMBERS.into_iter().map(own).collect();
    let route = |(p, from, strip, prepend, trunks, transparent): RouteRow| Route {
        pattern: pattern(p),
        from: only(from),
        change: change(strip, prepend),
        trunks: trunks.iter().map(|trunk| trunk_id(trunk)).collect(),
        transparent,
    };
    facts.routes = ROUTES.into_iter().map(route).collect();
    let cap = |calls_max, calls_an_hour_max| Cap { calls_max, calls_an_hour_max };
    facts.outbound =
        OUTBOUND.into_iter().map(|(who, to, n, hour)| outbound(who, to, cap(n, hour))).collect();
    let capped = |(p, n, hour)| DestinationCap { to: pattern(p), cap: cap(n, hour) };
    facts.caps = CAPS.into_iter().map(capped).collect();
    facts.emergency = Emergency {
        numbers: EMERGENCY.into_iter().map(number).collect(),
        trunks: EMERGENCY_TRUNKS.into_iter().map(trunk_id).collect(),
    };
    Directory::new(facts)
}
