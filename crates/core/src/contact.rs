//! Where a SIP party is called, taken apart once: `sip:user@host:port;transport=tcp`. Looks no
//! name up and sends nothing.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

/// Where none is given (RFC 3261 section 19.1.2).
const PORT: u16 = 5060;
/// Longest URI taken, in bytes.
const URI_MAX_BYTES: usize = 512;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Host {
    Addr(IpAddr),
    /// Looked up by who sends (RFC 3263), not here.
    Name(String),
}

/// What SIP goes over, where a contact says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Wire {
    Udp,
    Tcp,
}

/// Host, port and transport: `sip.example.com`, `192.0.2.1:5070`, `[2001:db8::1];transport=tcp`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    pub host: Host,
    pub port: Option<u16>,
    pub wire: Option<Wire>,
}

/// A place and, in most cases, who is meant there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Contact {
    pub user: Option<String>,
    pub place: Place,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadContact;

impl fmt::Display for BadContact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a SIP address such as sip:user@host:port")
    }
}
impl std::error::Error for BadContact {}

impl Contact {
    /// Takes a SIP URI, also in angle brackets, also without its scheme. Parameters other than
    /// `transport` and headers are dropped; `sips:` is refused until there is TLS.
    pub fn parse(uri: &str) -> Result<Self, BadContact> {
        let rest = uri.trim().trim_start_matches('<');
        if rest.len() > URI_MAX_BYTES {
            return Err(BadContact);
        }
        let rest = match rest.split_once(':') {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("sip") => rest,
            Some((scheme, _)) if ["sips", "tel"].iter().any(|s| scheme.eq_ignore_ascii_case(s)) => {
                return Err(BadContact);
            }
            _ => rest,
        };
        let rest = rest.split('>').next().unwrap_or(rest);
        let (user, place) = match rest.split_once('@') {
            // A password (section 19.1.1) is of no use here, and would be shown.
            Some((user, place)) => (Some(user.split(':').next().unwrap_or(user)), place),
            None => (None, rest),
        };
        if user.is_some_and(|user| user.is_empty() || !user.bytes().all(of_user)) {
            return Err(BadContact);
        }
        let place = place.split('?').next().unwrap_or(place).parse()?;
        Ok(Self { user: user.map(str::to_owned), place })
    }

    /// Where requests go, if that needs no look-up.
    pub fn address(&self) -> Option<SocketAddr> {
        self.place.address()
    }

    /// Whether both name the same user at the same place.
    pub fn is_same(&self, other: &Contact) -> bool {
        let (a, b) = (&self.place, &other.place);
        let port = |place: &Place| place.port.unwrap_or(PORT);
        self.user == other.user && a.host == b.host && port(a) == port(b)
    }
}

impl Place {
    pub fn address(&self) -> Option<SocketAddr> {
        match self.host {
            Host::Addr(ip) => Some(SocketAddr::new(ip, self.port.unwrap_or(PORT))),
            Host::Name(_) => None,
        }
    }
}

/// RFC 3261 section 25.1: unreserved, user-unreserved, escaped.
fn of_user(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_.!~*'()&=+$,;?/%#".contains(&byte)
}

impl FromStr for Place {
    type Err = BadContact;

    fn from_str(text: &str) -> Result<Self, BadContact> {
        let mut parts = text.trim().split(';');
        let (host, port) = host_and_port(parts.next().unwrap_or_default())?;
        let mut wire = None;
        for part in parts {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            if name.eq_ignore_ascii_case("transport") {
                wire = Some(match value.to_ascii_lowercase().as_str() {
                    "udp" => Wire::Udp,
                    "tcp" => Wire::Tcp,
                    _ => return Err(BadContact),
                });
            }
        }
        Ok(Self { host, port, wire })
    }
}

fn host_and_port(text: &str) -> Result<(Host, Option<u16>), BadContact> {
    if let Ok(whole) = text.parse::<SocketAddr>() {
        return Ok((Host::Addr(whole.ip()), Some(whole.port())));
    }
    let bare = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')).unwrap_or(text);
    if let Ok(ip) = bare.parse::<IpAddr>() {
        return Ok((Host::Addr(ip), None));
    }
    let (name, port) = match text.split_once(':') {
        Some((name, port)) => (name, Some(port.parse().map_err(|_| BadContact)?)),
        None => (text, None),
    };
    let label = |label: &str| {
        let inner = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        !label.is_empty() && label.len() <= 63 && label.bytes().all(inner)
    };
    // Four numbers that are no address are no name either.
    let is_name = name.len() <= 253 && name.split('.').all(label);
    let numeric = name.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    if !is_name || numeric || port == Some(0) {
        return Err(BadContact);
    }
    Ok((Host::Name(name.to_ascii_lowercase()), port))
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Host::Addr(IpAddr::V6(ip)) => write!(f, "[{ip}]")?,
            Host::Addr(ip) => write!(f, "{ip}")?,
            Host::Name(name) => f.write_str(name)?,
        }
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        match self.wire {
            None => Ok(()),
            Some(Wire::Udp) => f.write_str(";transport=udp"),
            Some(Wire::Tcp) => f.write_str(";transport=tcp"),
        }
    }
}

impl fmt::Display for Contact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sip:")?;
        if let Some(user) = &self.user {
            write!(f, "{user}@")?;
        }
        self.place.fmt(f)
    }
}
