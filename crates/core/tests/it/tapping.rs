//! Who dials a tapping code: from a telephone of ours, or from behind a trunk.

use crate::routing_house::{number, pattern, trunk, trunk_id};
use std::collections::BTreeSet;
use undertone_core::access::Right;
use undertone_core::codes::TappingCodes;
use undertone_core::contact::Contact;
use undertone_core::directory::{Device, Directory, Facts, Person};
use undertone_core::id::{DeviceId, OrgId, PersonId};
use undertone_core::pin::PinAsked;
use undertone_core::refusal::Reason;
use undertone_core::routing::Origin;
use undertone_core::tapping::{Said, Tapped};
use undertone_core::trunk::{Change, NumberTo, OwnNumber};
use undertone_core::view::{Channel, LegKind, Mode, Net};

fn person(id: &str, extension: &str, rights: &[Right]) -> Person {
    Person {
        id: PersonId::parse(id).unwrap(),
        name: id.into(),
        extension: Some(extension.into()),
        rights: rights.iter().copied().collect(),
    }
}

fn own(text: &str, to: NumberTo) -> OwnNumber {
    OwnNumber { pattern: pattern(text), from: BTreeSet::new(), to }
}

/// Mia (2001) and Kim (2002) may listen by keypad; Bo (2003) may not. The PBX vouches for 2XXX and
/// for the numbers outside that lead there; the carrier for nobody.
fn house() -> Directory {
    let mut facts = Facts::empty(OrgId::parse("org").unwrap());
    let listens = [Right::Listen, Right::Keypad];
    for person in [
        person("mia", "2001", &listens),
        person("kim", "2002", &listens),
        person("bo", "2003", &[Right::Listen]),
        person("boss", "9001", Right::ALL),
    ] {
        facts.people.insert(person.id.clone(), person);
    }
    for (id, owner) in [("mia-desk", Some("mia")), ("lobby", None)] {
        let device = Device {
            id: DeviceId::parse(id).unwrap(),
            name: id.into(),
            extension: None,
            owner: owner.map(|owner| PersonId::parse(owner).unwrap()),
            contact: Some(Contact::parse(&format!("sip:{id}@192.0.2.9:5060")).unwrap()),
            account: None,
            net: Net::Internal,
        };
        facts.devices.insert(device.id.clone(), device);
    }
    let vouches_for = vec![pattern("2XXX"), pattern("+45700020XX"), pattern("+4570009999")];
    let pbx = undertone_core::trunk::Trunk { vouches_for, ..trunk("pbx", 0, &["192.0.2.1"]) };
    for trunk in [pbx, trunk("carrier", 0, &["192.0.2.2"])] {
        facts.trunks.insert(trunk.id.clone(), trunk);
    }
    let block = NumberTo::Changed(Change { strip: 7, prepend: None });
    facts.numbers = vec![
        own("+45700020XX", block),
        own("+4570009999", NumberTo::Person(PersonId::parse("boss").unwrap())),
        own("2777", NumberTo::Number(number("2778"))),
        own("2778", NumberTo::Number(number("2777"))),
    ];
    facts.policy.codes = TappingCodes { on: true, ..TappingCodes::default() };
    Directory::new(facts)
}

fn from(text: &str) -> Said {
    Said { asserted: None, from: Some(number(text)) }
}

fn asserts(numbers: &[&str], from: &str) -> Said {
    let asserted = numbers.iter().map(|text| number(text)).collect();
    Said { asserted: Some(asserted), from: Some(number(from)) }
}

fn behind(trunk: &str, said: &Said, dir: &Directory) -> Option<Tapped> {
    Tapped::new(&Origin::Trunk(trunk_id(trunk)), "*801001", said, dir)
}

fn who(said: &Said) -> Option<String> {
    let tapped = behind("pbx", said, &house()).expect("a code");
    tapped.by.map(|by| by.person.to_string())
}

#[test]
fn on_a_trunk_that_vouches_for_nobody_a_code_is_a_number() {
    let dir = house();
    assert_eq!(behind("carrier", &from("2001"), &dir), None);
    assert_eq!(behind("nowhere", &from("2001"), &dir), None);
    let mut off = dir;
    off.change(|facts| facts.policy.codes.on = false);
    assert_eq!(behind("pbx", &from("2001"), &off), None);
}

#[test]
fn a_number_that_the_trunk_vouches_for_is_its_persons() {
    let tapped = behind("pbx", &from("2001"), &house()).unwrap();
    assert_eq!((tapped.mode, tapped.extension.as_str()), (Mode::Listen, "1001"));
    let leg = LegKind::Trunk { trunk: trunk_id("pbx"), number: "2001".into() };
    assert_eq!(tapped.leg, leg);
    let by = tapped.admitted().unwrap();
    assert_eq!((by.person.as_str(), by.channel), ("mia", Channel::Dtmf));
    assert_eq!(by.origin, "number 2001 behind trunk pbx, by PIN");
    assert!(tapped.asks_pin, "the open policy asks who is behind a trunk");
}

#[test]
fn a_number_is_followed_to_the_person_whom_it_would_ring() {
    assert_eq!(who(&from("+4570002002")).as_deref(), Some("kim"), "a block of extensions");
    assert_eq!(who(&from("+4570009999")).as_deref(), Some("boss"), "a person's number");
    assert_eq!(who(&from("2777")), None, "in a circle");
    assert_eq!(who(&from("2999")), None, "nobody's");
}

#[test]
fn a_number_beyond_what_the_trunk_vouches_for_is_nobodys() {
    let tapped = behind("pbx", &from("9001"), &house()).unwrap();
    assert_eq!(tapped.by, None, "the boss does not sit behind this trunk");
    assert_eq!(tapped.admitted().unwrap_err().reasons, [Reason::UnknownCaller]);
    assert_eq!(tapped.shown(), "number 9001 behind trunk pbx");
}

#[test]
fn what_is_asserted_counts_before_from_and_must_be_one_person() {
    assert_eq!(who(&asserts(&["2001"], "2002")).as_deref(), Some("mia"));
    assert_eq!(who(&asserts(&["2001", "+4570002001"], "2")).as_deref(), Some("mia"));
    assert_eq!(who(&asserts(&["2001", "2002"], "2001")), None, "two people");
    assert_eq!(who(&asserts(&["2999"], "2001")), None, "From is not asked any more");
    assert_eq!(who(&asserts(&[], "2001")), None, "asserted, and no number");
    assert_eq!(who(&Said::default()), None);
}

#[test]
fn a_telephone_of_ours_is_its_owners_and_rights_are_looked_at_before_all_else() {
    let dir = house();
    let from = |id: &str| Origin::Device(DeviceId::parse(id).unwrap());
    let tap = |origin: &Origin, code: &str| Tapped::new(origin, code, &Said::default(), &dir);
    let mia = tap(&from("mia-desk"), "*801001").unwrap();
    assert_eq!(mia.admitted().unwrap().origin, "telephone mia-desk");
    assert!(!mia.asks_pin);
    let whispers = tap(&from("mia-desk"), "*811001").unwrap();
    assert_eq!(whispers.admitted().unwrap_err().reasons, [Reason::NotAllowed], "she may listen");
    let lobby = tap(&from("lobby"), "*801001").unwrap();
    assert_eq!(lobby.admitted().unwrap_err().reasons, [Reason::NotAllowed]);
    let bo = behind("pbx", &self::from("2003"), &dir).unwrap();
    assert_eq!(bo.admitted().unwrap_err().reasons, [Reason::NotAllowed], "no keypad for Bo");
    assert_eq!(tap(&from("mia-desk"), "1001"), None);
}

#[test]
fn the_policy_says_who_types_a_pin() {
    for (pin, desk, pbx) in [
        (PinAsked::Never, false, false),
        (PinAsked::BehindTrunk, false, true),
        (PinAsked::Always, true, true),
    ] {
        let mut dir = house();
        dir.change(|facts| facts.policy.codes.pin = pin);
        let origin = Origin::Device(DeviceId::parse("mia-desk").unwrap());
        let tapped = Tapped::new(&origin, "*801001", &Said::default(), &dir).unwrap();
        assert_eq!(tapped.asks_pin, desk, "{pin:?}");
        assert_eq!(behind("pbx", &from("2001"), &dir).unwrap().asks_pin, pbx, "{pin:?}");
        let origin = tapped.by.unwrap().origin;
        assert_eq!(origin.ends_with(", by PIN"), desk, "{origin}");
    }
}
