//! Numbers of ours, routes to trunks, who may call out, and caps.

use super::entry::{Entry, Reader};
use std::ops::Range;
use undertone_core::id::{DeviceId, PersonId, TrunkId};
use undertone_core::number::{Number, Pattern};
use undertone_core::trunk::{
    Cap, Change, DestinationCap, NumberTo, Outbound, OwnNumber, People, Route,
};

/// Largest cap: what an hour's beginnings are remembered for.
const CAP_MAX: u32 = 100_000;
const TARGETS: &str = "say one of extension, forward, person, device, strip and prepend";

impl Reader<'_> {
    fn pattern(&mut self, at: &Range<usize>, entry: &Entry<'_>, key: &str) -> Option<Pattern> {
        if entry.get(key).is_none() {
            self.wrong(at, format!("`{key}` is missing"));
        }
        self.parsed(entry, key, Pattern::parse).ok().flatten()
    }

    /// Nothing may be taken off a number that it does not have.
    fn change(
        &mut self,
        at: &Range<usize>,
        entry: &Entry<'_>,
        of: Option<&Pattern>,
    ) -> Option<Change> {
        let strip = self.whole(entry, "strip", 32).unwrap_or(0);
        let prepend = self.parsed(entry, "prepend", Number::parse).ok()?;
        let change = Change { strip: u8::try_from(strip).ok()?, prepend };
        let sample = of.and_then(Pattern::sample)?;
        let too_much = usize::from(change.strip) > sample.as_str().len();
        if too_much || change.of(&sample).is_none() {
            self.wrong(
                at,
                "`strip` takes off more than the number has, or `prepend` adds too much",
            );
            return None;
        }
        Some(change)
    }

    pub(super) fn own_number(&mut self, at: &Range<usize>, entry: &Entry<'_>) -> Option<OwnNumber> {
        let keys =
            ["pattern", "from", "extension", "forward", "person", "device", "strip", "prepend"];
        self.only(entry, &keys);
        let pattern = self.pattern(at, entry, "pattern");
        let from = self.list(entry, "from", TrunkId::parse);
        let number = |reader: &mut Self, key| {
            reader.parsed(entry, key, Number::parse).ok().flatten().map(NumberTo::Number)
        };
        let mut targets = Vec::new();
        targets.extend(number(self, "extension"));
        targets.extend(number(self, "forward"));
        let person = self.parsed(entry, "person", PersonId::parse).ok().flatten();
        targets.extend(person.map(NumberTo::Person));
        let device = self.parsed(entry, "device", DeviceId::parse).ok().flatten();
        targets.extend(device.map(NumberTo::Device));
        if entry.get("strip").is_some() || entry.get("prepend").is_some() {
            let change = self.change(at, entry, pattern.as_ref());
            targets.extend(change.map(NumberTo::Changed));
        }
        if targets.len() != 1 {
            self.wrong(at, TARGETS);
            return None;
        }
        Some(OwnNumber { pattern: pattern?, from, to: targets.pop()? })
    }

    pub(super) fn route(&mut self, at: &Range<usize>, entry: &Entry<'_>) -> Option<Route> {
        self.only(entry, &["pattern", "from", "strip", "prepend", "trunks", "transparent"]);
        let pattern = self.pattern(at, entry, "pattern");
        let from = self.list(entry, "from", TrunkId::parse);
        let change = self.change(at, entry, pattern.as_ref());
        let trunks: Vec<_> = self.list(entry, "trunks", TrunkId::parse);
        if trunks.is_empty() {
            self.wrong(at, "the route leads to no trunk: `trunks` must name one");
        }
        let transparent = self.flag(entry, "transparent");
        Some(Route { pattern: pattern?, from, change: change?, trunks, transparent })
    }

    fn caps(&mut self, entry: &Entry<'_>) -> Cap {
        let usual = Cap::USUAL;
        let an_hour = self.whole(entry, "calls_an_hour_max", CAP_MAX);
        Cap {
            calls_max: self.whole(entry, "calls_max", CAP_MAX).unwrap_or(usual.calls_max),
            calls_an_hour_max: an_hour.unwrap_or(usual.calls_an_hour_max),
        }
    }

    pub(super) fn outbound(&mut self, at: &Range<usize>, entry: &Entry<'_>) -> Option<Outbound> {
        let keys = ["people", "devices", "trunks", "to", "calls_max", "calls_an_hour_max"];
        self.only(entry, &keys);
        let all = entry.get("people").and_then(|value| value.get_ref().as_str()) == Some("all");
        let people = match all {
            true => People::All,
            false => People::These(self.list(entry, "people", PersonId::parse)),
        };
        let devices: std::collections::BTreeSet<_> = self.list(entry, "devices", DeviceId::parse);
        let trunks: std::collections::BTreeSet<_> = self.list(entry, "trunks", TrunkId::parse);
        let to: Vec<_> = self.list(entry, "to", Pattern::parse);
        let nobody = matches!(&people, People::These(people) if people.is_empty());
        if nobody && devices.is_empty() && trunks.is_empty() {
            self.wrong(at, "it allows nobody: name `people`, `devices` or `trunks`");
        }
        if to.is_empty() {
            self.wrong(at, "it allows no number: `to` must be a list of patterns");
        }
        let cap = self.caps(entry);
        Some(Outbound { people, devices, trunks, to, cap })
    }

    pub(super) fn cap(&mut self, at: &Range<usize>, entry: &Entry<'_>) -> Option<DestinationCap> {
        self.only(entry, &["to", "calls_max", "calls_an_hour_max"]);
        let to = self.pattern(at, entry, "to");
        let cap = self.caps(entry);
        Some(DestinationCap { to: to?, cap })
    }
}
