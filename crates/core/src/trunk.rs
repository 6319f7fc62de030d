//! The ways to the outside, as they were provisioned: trunks, our own numbers, routes, who may
//! call out and how much. Decides nothing: `routing.rs` does.

use crate::contact::Place;
use crate::id::{DeviceId, PersonId, TrunkId};
use crate::number::{Number, Pattern};
use std::collections::BTreeSet;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

/// A carrier, or another telephone system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trunk {
    pub id: TrunkId,
    pub name: String,
    /// Where calls to it go: the first that works. Calls from there are its own.
    pub places: Vec<Place>,
    /// From where else its calls come.
    pub sources: Vec<Source>,
    pub login: Option<Login>,
    /// Calls at once, in and out; None: as many as there are.
    pub channels_max: Option<u32>,
    /// Seconds between OPTIONS to each place; 0: its state is learnt from calls alone.
    pub ping_s: u32,
    /// Its P-Asserted-Identity is believed, and ours is told to it (RFC 3325's trust domain).
    pub trusted: bool,
    /// Callers whose number, if it is one of these, this trunk has made sure of: they may dial
    /// tapping codes as whoever the number is.
    pub vouches_for: Vec<Pattern>,
    /// Shown to it as the caller, where the caller has no number that begins with `+`.
    pub caller_number: Option<Number>,
}

/// How Undertone shows the trunk who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    pub user: String,
    /// Answered alone, if given: a challenge for another realm gets nothing.
    pub realm: Option<String>,
    pub password: Secret,
    /// Register there, so that its calls find us; else the login only answers challenges.
    pub register: bool,
    pub expires_s: u32,
}

/// Where a password is to be read; never the password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Secret {
    Env(String),
    File(String),
}

/// Where calls come from: an address, with its port or any; or a network, as `192.0.2.0/28`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Source {
    pub ip: IpAddr,
    pub bits: u8,
    pub port: Option<u16>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadSource;

impl Source {
    /// From a place that calls go to: where no port is named, calls come from any.
    pub fn of(place: &Place) -> Option<Source> {
        let ip = place.address()?.ip();
        Some(Source { ip, bits: width(ip), port: place.port })
    }

    pub fn is_one_address(&self) -> bool {
        self.bits == width(self.ip)
    }

    pub fn holds(&self, source: SocketAddr) -> bool {
        let (own, other) = match (self.ip, source.ip()) {
            (IpAddr::V4(a), IpAddr::V4(b)) => (u128::from(a.to_bits()), u128::from(b.to_bits())),
            (IpAddr::V6(a), IpAddr::V6(b)) => (a.to_bits(), b.to_bits()),
            _ => return false,
        };
        let shift = u32::from(width(self.ip).saturating_sub(self.bits));
        let cut = |bits: u128| bits.checked_shr(shift).unwrap_or(0);
        cut(own) == cut(other) && self.port.is_none_or(|port| port == source.port())
    }
}

const fn width(ip: IpAddr) -> u8 {
    if ip.is_ipv4() { 32 } else { 128 }
}

impl FromStr for Source {
    type Err = BadSource;
    fn from_str(text: &str) -> Result<Self, BadSource> {
        if let Ok(whole) = text.parse::<SocketAddr>() {
            let (ip, port) = (whole.ip(), Some(whole.port()));
            return Ok(Source { ip, bits: width(ip), port });
        }
        let (ip, bits) = text.split_once('/').map_or((text, None), |(ip, b)| (ip, Some(b)));
        let ip: IpAddr = ip.parse().map_err(|_| BadSource)?;
        let bits = bits.map_or(Ok(width(ip)), |b| b.parse().map_err(|_| BadSource))?;
        // A network that holds half the world is a mistake.
        if bits > width(ip) || bits < 8 {
            Err(BadSource)
        } else {
            Ok(Source { ip, bits, port: None })
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            Some(port) => SocketAddr::new(self.ip, port).fmt(f),
            None if self.is_one_address() => self.ip.fmt(f),
            None => write!(f, "{}/{}", self.ip, self.bits),
        }
    }
}

/// A number, or many, that are ours: where calls to them go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnNumber {
    pub pattern: Pattern,
    /// For calls from these trunks only; none named: for every call.
    pub from: BTreeSet<TrunkId>,
    pub to: NumberTo,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NumberTo {
    Device(DeviceId),
    Person(PersonId),
    /// As if this had been dialled inside: an extension, or another number.
    Number(Number),
    /// The same with the number changed: a block of numbers to a block of extensions.
    Changed(Change),
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// Characters taken off the front.
    pub strip: u8,
    /// Then put before it.
    pub prepend: Option<Number>,
}

impl Change {
    pub fn of(&self, number: &Number) -> Option<Number> {
        number.changed(usize::from(self.strip), self.prepend.as_ref()).ok()
    }
}

/// Numbers that are reached by a trunk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    pub pattern: Pattern,
    pub from: BTreeSet<TrunkId>,
    pub change: Change,
    /// The first that is up and has a channel.
    pub trunks: Vec<TrunkId>,
    /// Hold is passed on as it is (`hearing.md`), not answered by us.
    pub transparent: bool,
}

/// Who may call out, whither, and how much. What no such entry allows is denied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outbound {
    pub people: People,
    pub devices: BTreeSet<DeviceId>,
    pub trunks: BTreeSet<TrunkId>,
    /// Numbers as they go to the trunk: after the route's change, so that a prefix evades nothing.
    pub to: Vec<Pattern>,
    /// For each account by itself, over all its calls to the outside.
    pub cap: Cap,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum People {
    All,
    These(BTreeSet<PersonId>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cap {
    pub calls_max: u32,
    pub calls_an_hour_max: u32,
}

impl Cap {
    /// Where an entry says nothing: what one telephone needs, and a thief has no use for.
    pub const USUAL: Cap = Cap { calls_max: 5, calls_an_hour_max: 100 };
}

/// A cap on numbers, whoever calls them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DestinationCap {
    pub to: Pattern,
    pub cap: Cap,
}

/// Numbers that are routed for everybody, over every cap and channel limit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Emergency {
    pub numbers: BTreeSet<Number>,
    /// None named: the matching route's, else every trunk.
    pub trunks: Vec<TrunkId>,
}
