//! The SIP addresses that an operator names: one, or several, each for UDP, TCP or both. Reads
//! and writes them; binds nothing.

use serde::Deserialize;
use serde::de::{Error, SeqAccess, Visitor};
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use undertone_sip::{Listen, Transport};

const ADDRESSES_MAX: usize = 16;

/// Never empty: the first is the one that is told to people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SipAddresses(Vec<SipAddress>);

/// `ADDR`, `udp:ADDR` or `tcp:ADDR`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct SipAddress {
    only: Option<Transport>,
    addr: SocketAddr,
}

impl SipAddresses {
    pub fn first_ip(&self) -> IpAddr {
        self.0[0].addr.ip()
    }

    pub fn ips(&self) -> impl Iterator<Item = IpAddr> {
        self.0.iter().map(|address| address.addr.ip())
    }

    pub fn listen(&self) -> Vec<Listen> {
        let listen = |address: &SipAddress| match address.only {
            Some(transport) => vec![Listen::new(transport, address.addr)],
            None => Listen::both(address.addr).to_vec(),
        };
        self.0.iter().flat_map(listen).collect()
    }

    fn of(addresses: Vec<SipAddress>) -> Result<Self, String> {
        if addresses.is_empty() || addresses.len() > ADDRESSES_MAX {
            return Err(format!("1 to {ADDRESSES_MAX} addresses"));
        }
        let addresses = Self(addresses);
        let listen = addresses.listen();
        for (n, one) in listen.iter().enumerate() {
            // Port 0 is another one each time.
            if one.addr.port() != 0 && listen[..n].contains(one) {
                return Err(format!("`{}` is named twice", one.addr));
            }
        }
        Ok(addresses)
    }
}

/// What was bound, as a URI each: an address that has both transports names none.
pub fn uris(listening: &[Listen]) -> Vec<String> {
    let mut uris = Vec::new();
    for listen in listening {
        let both = listening.iter().filter(|other| other.addr == listen.addr).count() > 1;
        let uri = match listen.transport {
            _ if both => format!("sip:{}", listen.addr),
            Transport::Udp => format!("sip:{};transport=udp", listen.addr),
            Transport::Tcp => format!("sip:{};transport=tcp", listen.addr),
        };
        if !uris.contains(&uri) {
            uris.push(uri);
        }
    }
    uris
}

impl From<SocketAddr> for SipAddresses {
    /// UDP and TCP.
    fn from(addr: SocketAddr) -> Self {
        Self(vec![SipAddress { only: None, addr }])
    }
}

impl FromStr for SipAddress {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let (only, rest) = match text.trim().split_once(':') {
            Some(("udp", rest)) => (Some(Transport::Udp), rest),
            Some(("tcp", rest)) => (Some(Transport::Tcp), rest),
            _ => (None, text.trim()),
        };
        let addr = rest
            .parse()
            .map_err(|_| format!("`{text}` is not ADDR:PORT, udp:ADDR:PORT or tcp:ADDR:PORT"))?;
        Ok(Self { only, addr })
    }
}

impl FromStr for SipAddresses {
    type Err = String;
    /// With commas between them.
    fn from_str(text: &str) -> Result<Self, String> {
        Self::of(text.split(',').map(str::parse).collect::<Result<_, _>>()?)
    }
}

impl fmt::Display for SipAddresses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, address) in self.0.iter().enumerate() {
            let only = match address.only {
                None => "",
                Some(Transport::Udp) => "udp:",
                Some(Transport::Tcp) => "tcp:",
            };
            write!(f, "{}{only}{}", if n == 0 { "" } else { "," }, address.addr)?;
        }
        Ok(())
    }
}

impl<'de> Deserialize<'de> for SipAddresses {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        d.deserialize_any(OneOrMore)
    }
}

struct OneOrMore;

impl<'de> Visitor<'de> for OneOrMore {
    type Value = SipAddresses;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an address, or a list of addresses")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<SipAddresses, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<SipAddresses, A::Error> {
        let mut addresses = Vec::new();
        while let Some(text) = seq.next_element::<String>()? {
            addresses.push(text.parse().map_err(A::Error::custom)?);
        }
        SipAddresses::of(addresses).map_err(A::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    struct File {
        sip: SipAddresses,
    }

    fn read(text: &str) -> Result<SipAddresses, String> {
        toml::from_str::<File>(text).map(|file| file.sip).map_err(|e| e.message().to_owned())
    }

    #[test]
    fn one_address_or_several_are_read_and_written() {
        let one = read("sip = \"192.0.2.1:5060\"").unwrap();
        assert_eq!(one.listen(), Listen::both("192.0.2.1:5060".parse().unwrap()));
        let some = read("sip = [\"192.0.2.1:5060\", \"udp:[2001:db8::1]:5060\"]").unwrap();
        assert_eq!(some.to_string(), "192.0.2.1:5060,udp:[2001:db8::1]:5060");
        assert_eq!(some.to_string().parse(), Ok(some.clone()));
        assert_eq!(some.listen().len(), 3);
    }

    #[test]
    fn mistakes_are_named() {
        assert!(read("sip = \"nonsense\"").unwrap_err().contains("`nonsense` is not ADDR:PORT"));
        assert!(read("sip = []").unwrap_err().contains("1 to 16 addresses"));
        assert!(read("sip = 5060").is_err());
        let twice = read("sip = [\"192.0.2.1:5060\", \"tcp:192.0.2.1:5060\"]").unwrap_err();
        assert!(twice.contains("`192.0.2.1:5060` is named twice"), "{twice}");
    }

    #[test]
    fn what_was_bound_is_told_as_uris() {
        let listen: SipAddresses = "192.0.2.1:5060,tcp:[::1]:5060".parse().unwrap();
        let expected = ["sip:192.0.2.1:5060", "sip:[::1]:5060;transport=tcp"];
        assert_eq!(uris(&listen.listen()), expected);
    }
}
