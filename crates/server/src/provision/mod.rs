//! A provisioning file: people, devices, trunks, numbers, routes and who may call out, in TOML,
//! read into what the store applies. Every mistake is named by its line, all of them at once.
//! Decides nothing about rights and routes but their form.

mod account;
mod check;
mod device;
mod draft;
mod entry;
mod example;
mod route;
mod trunk;

pub use draft::{Draft, draft};
pub use example::example;

use crate::config::{REALM, line_of, one_line};
use entry::{Placed, Reader};
use std::fmt;
use toml::de::DeTable;
use undertone_core::access::Right;
use undertone_core::directory::{Device, Person};
use undertone_core::id::{PersonId, TrunkId};
use undertone_core::number::Number;
use undertone_core::pin::Pin;
use undertone_core::trunk::{DestinationCap, Outbound, OwnNumber, Route, Trunk};
use undertone_store::{Account, Provision};

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

/// Everything in a file, each with its place in the text.
#[derive(Debug, Default)]
struct Found {
    people: Vec<Placed<Person>>,
    devices: Vec<Placed<Device>>,
    accounts: Vec<Placed<Account>>,
    pins: Vec<Placed<(PersonId, Pin)>>,
    trunks: Vec<Placed<Trunk>>,
    numbers: Vec<Placed<OwnNumber>>,
    routes: Vec<Placed<Route>>,
    outbound: Vec<Placed<Outbound>>,
    caps: Vec<Placed<DestinationCap>>,
    emergency_numbers: Vec<Placed<Number>>,
    emergency_trunks: Vec<Placed<TrunkId>>,
}

/// The whole file, or every mistake in it by line; passwords for the realm that is the default.
pub fn read(text: &str) -> Result<Provision, Vec<Mistake>> {
    read_for(text, REALM)
}

/// The same for another realm.
pub fn read_for(text: &str, realm: &str) -> Result<Provision, Vec<Mistake>> {
    let settled = draft(text, realm)?.settled(&[]);
    settled.map_err(|error| vec![Mistake { line: 1, what: error.to_string() }])
}

fn found(text: &str, realm: &str) -> Result<Found, Vec<Mistake>> {
    let table = DeTable::parse(text).map_err(|e| {
        let line = line_of(text, e.span().map_or(0, |s| s.start));
        vec![Mistake { line, what: one_line(e.message()) }]
    })?;
    let mut reader = Reader::new(text, realm);
    let mut found = Found::default();
    for (key, value) in table.get_ref().iter() {
        match key.get_ref().as_ref() {
            "person" => {
                found.people = reader.entries(value, Reader::person);
                found.pins = reader.entries(value, Reader::pin);
            }
            "device" => {
                found.devices = reader.entries(value, Reader::device);
                found.accounts = reader.entries(value, Reader::account);
            }
            "trunk" => found.trunks = reader.entries(value, Reader::trunk),
            "number" => found.numbers = reader.entries(value, Reader::own_number),
            "route" => found.routes = reader.entries(value, Reader::route),
            "outbound" => found.outbound = reader.entries(value, Reader::outbound),
            "cap" => found.caps = reader.entries(value, Reader::cap),
            "emergency_numbers" => {
                found.emergency_numbers = reader.words(value, "emergency_numbers", Number::parse);
            }
            "emergency_trunks" => {
                found.emergency_trunks = reader.words(value, "emergency_trunks", TrunkId::parse);
            }
            other => reader.wrong(&key.span(), format!("unknown table `{other}`")),
        }
    }
    check::check(&mut reader, &found);
    reader.done(|| found)
}

impl From<Found> for Provision {
    fn from(found: Found) -> Self {
        fn bare<T, C: FromIterator<T>>(placed: Vec<Placed<T>>) -> C {
            placed.into_iter().map(|(_, value)| value).collect()
        }
        let numbers = bare(found.emergency_numbers);
        Provision {
            people: bare(found.people),
            devices: bare(found.devices),
            accounts: bare(found.accounts),
            // Theirs are not hashed yet (`draft`).
            pins: Vec::new(),
            trunks: bare(found.trunks),
            numbers: bare(found.numbers),
            routes: bare(found.routes),
            outbound: bare(found.outbound),
            caps: bare(found.caps),
            emergency: undertone_core::trunk::Emergency {
                numbers,
                trunks: bare(found.emergency_trunks),
            },
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
    use undertone_core::view::Net;

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

    /// With everything that leads outside, from line 21 on.
    fn outside(change: &str, to: &str) -> String {
        let text = format!(
            "emergency_numbers = [\"112\"]\nemergency_trunks = [\"carrier\"]{GOOD}\
             [[trunk]]\nid = \"carrier\"\naddresses = [\"192.0.2.1\", \"b.example:5070\"]\n\
             sources = [\"10.0.0.0/24\"]\nchannels_max = 30\n\n\
             [[number]]\npattern = \"+45700010XX\"\nfrom = [\"carrier\"]\nstrip = 7\n\n\
             [[number]]\npattern = \"+4570002000\"\nextension = \"1001\"\n\n\
             [[route]]\npattern = \"00.\"\nstrip = 2\nprepend = \"+\"\ntrunks = [\"carrier\"]\n\n\
             [[outbound]]\npeople = \"all\"\nto = [\"+45.\"]\n\n\
             [[cap]]\nto = \"+900.\"\ncalls_max = 1\n"
        );
        assert!(text.contains(change), "{change}");
        text.replacen(change, to, 1)
    }

    fn mistakes(text: &str) -> String {
        let found = read(text).expect_err("a mistake");
        found.iter().map(|m| format!("{m}\n")).collect()
    }

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

    #[test]
    fn the_example_is_a_good_file_that_uses_every_table_and_is_the_one_in_the_docs() {
        let read = read(example()).unwrap();
        let counts = [
            read.people.len(),
            read.devices.len(),
            read.trunks.len(),
            read.numbers.len(),
            read.routes.len(),
            read.outbound.len(),
            read.caps.len(),
            read.emergency.numbers.len(),
        ];
        assert!(counts.iter().all(|n| *n > 0), "{counts:?}");
        let docs = include_str!("../../../../docs/OPERATING.md");
        assert!(docs.contains(example()), "docs/OPERATING.md has another example");
    }

    /// Each by the line on which it stands and a word of what is said.
    #[test]
    fn nonsense_about_trunks_and_routes_is_named_by_its_line() {
        assert_eq!(read(&outside("+900.", "+901.")).map(|_| ()), Ok(()));
        let again = "[[route]]\npattern = \"00.\"\ntrunks = [\"carrier\"]\n\n[[route]]";
        for (change, to, line, says) in [
            ("pattern = \"00.\"", "pattern = \"0.0\"", 37, "a pattern is"),
            ("pattern = \"00.\"", "patern = \"00.\"", 37, "unknown key `patern`"),
            ("\ntrunks = [\"carrier\"]", "\ntrunks = [\"kar\"]", 36, "no trunk is called `kar`"),
            ("\ntrunks = [\"carrier\"]", "\ntrunks = []", 36, "leads to no trunk"),
            ("strip = 2", "strip = 4", 36, "takes off more"),
            ("extension = \"1001\"\n\n[[r", "extension = \"1009\"\n\n[[r", 32, "leads nowhere"),
            ("extension = \"1001\"\n\n[[r", "forward = \"+4570002000\"\n\n[[r", 32, "in a circle"),
            ("extension = \"1001\"\n\n[[r", "\n\n[[r", 32, "say one of"),
            ("[[route]]", again, 40, "there already"),
            ("from = [\"carrier\"]", "from = [\"x\"]", 27, "no trunk is called `x`"),
            ("\"192.0.2.1\"", "\"192.0.2.300\"", 23, "not an address"),
            ("\"10.0.0.0/24\"", "\"10.0.0.0/4\"", 24, "not an address"),
            ("\"10.0.0.0/24\"", "\"127.0.0.1:5071\"", 21, "the address of device `ana-desk`"),
            ("channels_max = 30", "channels_max = \"many\"", 25, "whole number"),
            ("people = \"all\"", "devices = [\"x\"]", 42, "no device is called `x`"),
            ("people = \"all\"\n", "\n", 42, "allows nobody"),
            ("to = [\"+45.\"]", "to = []", 42, "allows no number"),
            ("calls_max = 1", "calls_maks = 1", 48, "unknown key"),
            ("[\"112\"]", "[\"1001\"]", 1, "is an extension"),
            ("[\"112\"]", "[\"a\"]", 1, "a number is"),
            ("emergency_trunks = [\"carrier\"]", "emergency_trunks = [\"x\"]", 2, "no trunk"),
        ] {
            let said = mistakes(&outside(change, to));
            let line = format!("line {line}: ");
            let named = said.lines().any(|m| m.starts_with(&line) && m.contains(says));
            assert!(named, "{change} -> {to}: expected {line}…{says}…, said:\n{said}");
        }
        let said = mistakes("emergency_numbers = [\"112\"]\n");
        assert!(said.contains("line 1: ") && said.contains("no trunk"), "{said}");
    }

    #[test]
    fn a_login_says_where_its_password_is_and_never_what_it_is() {
        let with = |login: &str| outside("channels_max = 30", login);
        let good = read(&with("user = \"u\"\npassword_env = \"PW\"\nregister = true")).unwrap();
        assert!(good.trunks[0].login.as_ref().is_some_and(|login| login.register));
        for (login, says) in [
            ("user = \"u\"", "password_env or password_file"),
            ("register = true", "needs `user`"),
            ("user = \"u\"\npassword = \"secret\"", "unknown key `password`"),
        ] {
            let said = mistakes(&with(login));
            assert!(said.contains(says), "{said}");
        }
    }
}
