//! What is dialled, and the places that an operator names. What was read, written and read again
//! is the same, and a number is matched as a second, slower way says.

use std::fmt::{Debug, Display};
use std::net::IpAddr;
use std::str::FromStr;
use undertone::config::RtpRange;
use undertone::listening::SipAddresses;
use undertone_core::codes::TappingCodes;
use undertone_core::contact::{Contact, Place};
use undertone_core::number::{Dialled, Number, Pattern};
use undertone_core::trunk::Source;
use undertone_sdp::Network;

/// A line dialled, a line of a pattern, a line of a code.
pub fn dialled(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut lines = text.splitn(3, '\n');
    let mut line = || lines.next().unwrap_or_default();
    let (asked, pattern, code) = (line(), line(), line());
    let Ok(dialled) = Dialled::parse(asked) else { return };
    let said = dialled.as_str();
    assert_eq!(dialled.number(), Number::parse(said).ok().as_ref(), "{asked:?}");
    if !said.contains(':') {
        assert_eq!(Dialled::parse(said).ok(), Some(dialled.clone()), "{asked:?}");
    }
    let Some(number) = dialled.number() else { return };
    for strip in [0, 1, said.len(), usize::MAX] {
        if let Ok(changed) = number.changed(strip, Some(number)) {
            assert!(changed.as_str().starts_with(said), "{changed} of {said}");
        }
    }
    matched(number, pattern);
    coded(number, code);
}

fn matched(number: &Number, pattern: &str) {
    let Ok(parsed) = Pattern::parse(pattern) else { return };
    same(&parsed, Pattern::parse);
    assert_eq!(parsed.matches(number), fits(pattern, number.as_str()), "{pattern:?} {number}");
    let sample = parsed.sample();
    assert!(sample.is_some_and(|sample| parsed.matches(&sample)), "{pattern:?}");
    if let Some(only) = parsed.only() {
        assert_eq!(parsed.matches(number), *number == only, "{pattern:?} {number}");
    }
}

/// One character after the other.
fn fits(pattern: &str, number: &str) -> bool {
    let (Some(pin), Some(digit)) = (pattern.chars().next(), number.chars().next()) else {
        return pattern.is_empty() && number.is_empty();
    };
    let here = pin == digit || (pin.eq_ignore_ascii_case(&'x') && digit.is_ascii_digit());
    pattern == "." || (here && fits(&pattern[1..], &number[1..]))
}

fn coded(number: &Number, listen: &str) {
    let codes = TappingCodes { on: true, listen: listen.into(), ..TappingCodes::default() };
    if codes.fault().is_some() {
        return;
    }
    let all = [&codes.listen, &codes.whisper, &codes.barge, &codes.takeover];
    let begins = all.into_iter().filter(|code| number.as_str().starts_with(*code));
    let begins: Vec<_> = begins.collect();
    assert!(begins.len() <= 1, "{number} begins with {begins:?}");
    if let Some((_, extension)) = codes.dialled(number.as_str()) {
        assert_eq!(format!("{}{extension}", begins[0]), number.as_str());
        assert!(extension.bytes().all(|b| b.is_ascii_digit()), "{extension:?}");
    }
    let off = TappingCodes { on: false, ..codes };
    assert_eq!(off.dialled(number.as_str()), None, "off is off");
}

pub fn places(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(contact) = Contact::parse(text) {
        same(&contact, Contact::parse);
        assert!(contact.is_same(&contact));
        let port = contact.address().map(|address| address.port());
        assert!(port.is_none_or(|port| port == contact.place.port.unwrap_or(5_060)));
    }
    if let Ok(place) = text.parse::<Place>() {
        same(&place, Place::from_str);
    }
    if let Ok(source) = text.parse::<Source>() {
        same(&source, Source::from_str);
    }
    if let Ok(network) = text.parse::<Network>() {
        same(&network, Network::from_str);
        let own = text.split('/').next().and_then(|ip| ip.parse::<IpAddr>().ok());
        let mapped = own.is_some_and(|ip| ip.to_canonical() != ip);
        assert!(mapped || own.is_some_and(|ip| network.contains(ip)), "{text:?} holds not itself");
    }
    if let Ok(range) = text.parse::<RtpRange>() {
        same(&range, RtpRange::from_str);
        assert!(range.from <= range.to);
    }
    if let Ok(addresses) = text.parse::<SipAddresses>() {
        same(&addresses, SipAddresses::from_str);
    }
}

fn same<T, E>(value: &T, read: impl Fn(&str) -> Result<T, E>)
where
    T: Display + Debug + PartialEq,
    E: Debug,
{
    let written = value.to_string();
    let again = read(&written);
    assert!(again.as_ref().is_ok_and(|again| again == value), "{value:?}, {written}, {again:?}");
}
