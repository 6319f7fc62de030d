//! Which of our addresses a far end is told: behind a one-to-one NAT the one outside, unless it
//! lives inside with us. Knows no configuration file; SDP and SIP both ask here.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// `10.0.0.0/8`, `fd00::/8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    ip: IpAddr,
    bits: u8,
}

impl Network {
    /// None: more bits than the address has.
    pub const fn new(ip: IpAddr, bits: u8) -> Option<Self> {
        let most = if ip.is_ipv4() { 32 } else { 128 };
        if bits > most { None } else { Some(Self { ip, bits }) }
    }

    pub fn contains(&self, ip: IpAddr) -> bool {
        // Shifting by the whole width is no shift: a network of 0 bits holds its whole family.
        match (self.ip, ip.to_canonical()) {
            (IpAddr::V4(net), IpAddr::V4(ip)) => {
                let differs = net.to_bits() ^ ip.to_bits();
                differs.checked_shr(32 - u32::from(self.bits)).unwrap_or(0) == 0
            }
            (IpAddr::V6(net), IpAddr::V6(ip)) => {
                let differs = net.to_bits() ^ ip.to_bits();
                differs.checked_shr(128 - u32::from(self.bits)).unwrap_or(0) == 0
            }
            _ => false,
        }
    }

    /// Loopback, link-local, private and shared addresses (RFC 6890): what cannot be outside.
    pub fn private() -> Vec<Self> {
        let v4 = |a, b, bits| Self { ip: IpAddr::V4(Ipv4Addr::new(a, b, 0, 0)), bits };
        let v6 = |a, bits| Self { ip: IpAddr::V6(Ipv6Addr::new(a, 0, 0, 0, 0, 0, 0, 0)), bits };
        vec![
            v4(127, 0, 8),
            v4(10, 0, 8),
            v4(172, 16, 12),
            v4(192, 168, 16),
            v4(100, 64, 10),
            v4(169, 254, 16),
            Self { ip: IpAddr::V6(Ipv6Addr::LOCALHOST), bits: 128 },
            v6(0xfe80, 10),
            v6(0xfc00, 7),
        ]
    }
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no network such as 10.0.0.0/8 or fd00::/8");
        let (ip, bits) = match text.split_once('/') {
            Some((ip, bits)) => (ip, Some(bits.parse::<u8>().map_err(|_| wrong())?)),
            None => (text, None),
        };
        let ip: IpAddr = ip.parse().map_err(|_| wrong())?;
        let whole = if ip.is_ipv4() { 32 } else { 128 };
        Self::new(ip, bits.unwrap_or(whole)).ok_or_else(wrong)
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.ip, self.bits)
    }
}

/// Our addresses as the far ends know them. The default tells everybody the socket's own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    v4: Option<Ipv4Addr>,
    v6: Option<Ipv6Addr>,
    local: Vec<Network>,
}

impl Told {
    /// At most one address of each family counts, the first.
    pub fn new(external: &[IpAddr], local: Vec<Network>) -> Self {
        let v4 = external.iter().find_map(|ip| match ip {
            IpAddr::V4(ip) => Some(*ip),
            IpAddr::V6(_) => None,
        });
        let v6 = external.iter().find_map(|ip| match ip {
            IpAddr::V6(ip) => Some(*ip),
            IpAddr::V4(_) => None,
        });
        Self { v4, v6, local }
    }

    /// What a far end that we see as `peer` is told of our socket on `own`.
    pub fn address(&self, own: IpAddr, peer: IpAddr) -> IpAddr {
        let inside = own == peer.to_canonical() || self.local.iter().any(|net| net.contains(peer));
        if inside {
            return own;
        }
        self.outside(own)
    }

    /// What a far end outside is told of it.
    pub fn outside(&self, own: IpAddr) -> IpAddr {
        match own {
            IpAddr::V4(_) => self.v4.map_or(own, IpAddr::V4),
            IpAddr::V6(_) => self.v6.map_or(own, IpAddr::V6),
        }
    }
}
