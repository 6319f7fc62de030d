//! A provisioning file: people and devices in TOML, read into what the store applies. Every
//! mistake is named by its line, all of them at once. Decides nothing about rights but their names.

use crate::config::{line_of, one_line};
use crate::contact;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};
use undertone_core::access::Right;
use undertone_core::directory::{Device, Person};
use undertone_core::id::{DeviceId, PersonId};
use undertone_core::view::Net;
use undertone_store::Provision;

/// A mistake and its line, from 1.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mistake {
    pub line: usize,
    pub what: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.what)
    }
}

/// The whole file, or every mistake in it by line.
pub fn read(text: &str) -> Result<Provision, Vec<Mistake>> {
    let table = DeTable::parse(text).map_err(|e| {
        let line = line_of(text, e.span().map_or(0, |s| s.start));
        vec![Mistake { line, what: one_line(e.message()) }]
    })?;
    let mut reader = Reader { text, mistakes: Vec::new() };
    let mut people = Vec::new();
    let mut devices = Vec::new();
    for (key, value) in table.get_ref().iter() {
        match key.get_ref().as_ref() {
            "person" => people = reader.entries(value, Reader::person),
            "device" => devices = reader.entries(value, Reader::device),
            other => reader.wrong(&key.span(), format!("unknown table `{other}`")),
        }
    }
    reader.check(&people, &devices);
    if reader.mistakes.is_empty() {
        let people = people.into_iter().map(|(_, person)| person).collect();
        let devices = devices.into_iter().map(|(_, device)| device).collect();
        return Ok(Provision { people, devices });
    }
    reader.mistakes.sort();
    Err(reader.mistakes)
}

type Entry<'a> = DeTable<'a>;
type Placed<T> = (Range<usize>, T);

struct Reader<'a> {
    text: &'a str,
    mistakes: Vec<Mistake>,
}

impl Reader<'_> {
    fn wrong(&mut self, at: &Range<usize>, what: impl Into<String>) {
        let line = line_of(self.text, at.start);
        self.mistakes.push(Mistake { line, what: what.into() });
    }

    fn entries<T>(
        &mut self,
        value: &Spanned<DeValue<'_>>,
        one: impl Fn(&mut Self, &Range<usize>, &Entry<'_>) -> Option<T>,
    ) -> Vec<Placed<T>> {
        let Some(array) = value.get_ref().as_array() else {
            self.wrong(&value.span(), "write it as [[person]] or [[device]]");
            return Vec::new();
        };
        let mut found = Vec::new();
        for item in array.iter() {
            match item.get_ref().as_table() {
                Some(entry) => {
                    found.extend(one(self, &item.span(), entry).map(|t| (item.span(), t)));
                }
                None => self.wrong(&item.span(), "expected a table"),
            }
        }
        found
    }

    fn only(&mut self, entry: &Entry<'_>, known: &[&str]) {
        for key in entry.keys() {
            if !known.contains(&key.get_ref().as_ref()) {
                let list = known.join(", ");
                self.wrong(&key.span(), format!("unknown key `{}`; known: {list}", key.get_ref()));
            }
        }
    }

    fn text<'e>(&mut self, entry: &'e Entry<'_>, key: &str) -> Option<Placed<&'e str>> {
        let value = entry.get(key)?;
        match value.get_ref().as_str() {
            Some(text) if !text.trim().is_empty() && text.len() <= 128 => {
                Some((value.span(), text))
            }
            Some(_) => {
                self.wrong(&value.span(), format!("`{key}` must be 1 to 128 bytes"));
                None
            }
            None => {
                self.wrong(&value.span(), format!("`{key}` must be a text in quotes"));
                None
            }
        }
    }

    fn needed<'e>(
        &mut self,
        at: &Range<usize>,
        entry: &'e Entry<'_>,
        key: &str,
    ) -> Option<Placed<&'e str>> {
        if entry.get(key).is_none() {
            self.wrong(at, format!("`{key}` is missing"));
        }
        self.text(entry, key)
    }

    /// `Ok(None)` if there is none; `Err` if it is wrong, which has been noted.
    fn extension(&mut self, entry: &Entry<'_>) -> Result<Option<String>, ()> {
        if entry.get("extension").is_none() {
            return Ok(None);
        }
        let (at, text) = self.text(entry, "extension").ok_or(())?;
        let clean = text.bytes().all(|b| b.is_ascii_digit() || b"+*#".contains(&b));
        if !clean || text.len() > 32 {
            self.wrong(&at, "`extension` is digits, + * #, 32 at most");
            return Err(());
        }
        Ok(Some(text.into()))
    }

    fn person(&mut self, at: &Range<usize>, entry: &Entry<'_>) -> Option<Person> {
        self.only(entry, &["id", "name", "extension", "rights"]);
        let id = self.needed(at, entry, "id");
        let id = id.and_then(|(at, text)| self.id(&at, PersonId::parse(text)));
        let name = self.needed(at, entry, "name").map(|(_, text)| text.to_string());
        let extension = self.extension(entry);
        let mut rights = BTreeSet::new();
        if let Some(value) = entry.get("rights") {
            let Some(list) = value.get_ref().as_array() else {
                self.wrong(&value.span(), "`rights` must be a list such as [\"listen\"]");
                return None;
            };
            for item in list.iter() {
                let text = item.get_ref().as_str().unwrap_or("");
                match Right::parse(text) {
                    Some(right) => drop(rights.insert(right)),
                    None => self.wrong(&item.span(), unknown_right(text)),
                }
            }
        }
        Some(Person { id: id?, name: name?, extension: extension.ok()?, rights })
    }

    fn device(&mut self, at: &Range<usize>, entry: &Entry<'_>) -> Option<Device> {
        self.only(entry, &["id", "name", "extension", "owner", "contact", "net"]);
        let id = self.needed(at, entry, "id");
        let id = id.and_then(|(at, text)| self.id(&at, DeviceId::parse(text)));
        let name = self.text(entry, "name").map(|(_, text)| text.to_string());
        let extension = self.extension(entry);
        let owner = self.text(entry, "owner");
        let owner = owner.map(|(at, text)| self.id(&at, PersonId::parse(text)));
        let contact = self.needed(at, entry, "contact").and_then(|(at, text)| {
            let good = contact::address(text).is_some() && contact::user(text).is_some();
            if !good || !text.starts_with("sip:") {
                self.wrong(&at, "`contact` must be sip:user@address:port (no host names yet)");
                return None;
            }
            Some(text.to_string())
        });
        let net = match self.text(entry, "net") {
            None => Net::Internal,
            Some((_, "internal")) => Net::Internal,
            Some((_, "external")) => Net::External,
            Some((at, _)) => {
                self.wrong(&at, "`net` is internal or external");
                return None;
            }
        };
        let id = id?;
        let name = name.unwrap_or_else(|| id.to_string());
        let owner = owner.map_or(Some(None), |owner| owner.map(Some))?;
        Some(Device { id, name, extension: extension.ok()?, owner, contact: contact?, net })
    }

    fn id<T, E: fmt::Display>(&mut self, at: &Range<usize>, id: Result<T, E>) -> Option<T> {
        match id {
            Ok(id) => Some(id),
            Err(_) => {
                self.wrong(at, "an id is 1 to 128 of letters, digits and . _ : @ + -");
                None
            }
        }
    }

    /// What one entry alone cannot show: names given twice, owners that are nobody.
    fn check(&mut self, people: &[Placed<Person>], devices: &[Placed<Device>]) {
        let mut persons = BTreeSet::new();
        let mut extensions: BTreeMap<&str, Option<&PersonId>> = BTreeMap::new();
        for (at, person) in people {
            if !persons.insert(&person.id) {
                self.wrong(at, format!("person `{}` is there twice", person.id));
            }
            let Some(extension) = person.extension.as_deref() else { continue };
            if extensions.insert(extension, Some(&person.id)).is_some() {
                self.wrong(at, format!("extension {extension} is given twice"));
            }
        }
        let (mut ids, mut of_devices) = (BTreeSet::new(), BTreeSet::new());
        for (at, device) in devices {
            if !ids.insert(&device.id) {
                self.wrong(at, format!("device `{}` is there twice", device.id));
            }
            if let Some(owner) = &device.owner
                && !persons.contains(owner)
            {
                self.wrong(at, format!("device `{}`: nobody is `{owner}`", device.id));
            }
            let Some(extension) = device.extension.as_deref() else { continue };
            // A device may have its own owner's extension, no other person's.
            let taken = extensions.get(extension).is_some_and(|p| *p != device.owner.as_ref());
            if taken || !of_devices.insert(extension) {
                self.wrong(at, format!("extension {extension} is given twice"));
            }
        }
    }
}

/// Says which rights there are.
pub fn unknown_right(text: &str) -> String {
    let known: Vec<_> = Right::ALL.iter().map(|right| right.code()).collect();
    format!("unknown right `{text}`; known: {}", known.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
[[person]]
id = "ana"
name = "Ana Ruiz"
extension = "1001"
rights = ["see_wallboard"]

[[device]]
id = "ana-desk"
owner = "ana"
extension = "1001"
contact = "sip:1001@127.0.0.1:5071"

[[device]]
id = "rosa"
name = "Rosa"
extension = "+15550101"
contact = "sip:rosa@127.0.0.1:5072"
net = "external"
"#;

    #[test]
    fn a_good_file_is_people_and_devices() {
        let read = read(GOOD).unwrap();
        assert_eq!((read.people.len(), read.devices.len()), (1, 2));
        assert_eq!(read.devices[0].owner.as_ref().map(|o| o.as_str()), Some("ana"));
        assert_eq!(read.devices[1].net, Net::External);
    }

    #[test]
    fn every_mistake_is_named_by_its_line_and_all_at_once() {
        let bad = GOOD
            .replace("\"see_wallboard\"", "\"fly\"")
            .replace("owner = \"ana\"", "owner = \"bob\"")
            .replace("127.0.0.1:5072", "nowhere")
            .replace("net =", "nett =");
        let mistakes = read(&bad).unwrap_err();
        let lines: Vec<_> = mistakes.iter().map(|m| m.line).collect();
        assert!(mistakes[0].what.starts_with("unknown right `fly`"), "{mistakes:?}");
        assert!(lines.contains(&6) && lines.contains(&18) && lines.contains(&19), "{mistakes:?}");
    }

    #[test]
    fn what_is_not_toml_is_named_by_its_line_too() {
        let mistakes = read("[[person]]\nid = ana\n").unwrap_err();
        assert_eq!(mistakes[0].line, 2, "{mistakes:?}");
    }
}
