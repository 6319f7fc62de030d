//! Who holds a port: the kernel's tables of sockets, and which process has them open. Reads /proc
//! only; where it may not look it says so.

use super::Holder;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Udp,
    Tcp,
}

/// Listening and unconnected sockets, by kind and address, with their inode.
pub(super) struct Table(Vec<(Kind, SocketAddr, u64)>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    Ours,
    Other,
    /// Its process may not be looked into.
    Unknown,
}

impl Table {
    pub(super) fn read() -> Table {
        let mut all = Vec::new();
        for (kind, file) in
            [(Kind::Udp, "udp"), (Kind::Udp, "udp6"), (Kind::Tcp, "tcp"), (Kind::Tcp, "tcp6")]
        {
            let text = std::fs::read_to_string(format!("/proc/net/{file}")).unwrap_or_default();
            all.extend(text.lines().skip(1).filter_map(|line| entry(kind, line)));
        }
        Table(all)
    }

    /// The socket that stands in the way of binding this address.
    pub(super) fn at(&self, kind: Kind, addr: SocketAddr) -> Option<u64> {
        let same = |found: &SocketAddr| {
            found.port() == addr.port()
                && (found.ip() == addr.ip()
                    || found.ip().is_unspecified()
                    || addr.ip().is_unspecified())
        };
        let found = self.0.iter().find(|(k, found, _)| *k == kind && same(found));
        found.map(|(_, _, inode)| *inode)
    }

    /// UDP ports of this range that are bound on this address, with their inodes.
    pub(super) fn ports(&self, ip: IpAddr, from: u16, to: u16) -> HashMap<u16, u64> {
        let here = |found: &SocketAddr| found.ip() == ip || found.ip().is_unspecified();
        let bound = self.0.iter().filter(|(kind, found, _)| {
            *kind == Kind::Udp && here(found) && (from..=to).contains(&found.port())
        });
        bound.map(|(_, found, inode)| (found.port(), *inode)).collect()
    }
}

/// ` 46: 0100007F:13C4 00000000:0000 07 … 0 0 31337 …`: local address, and the tenth field is the
/// inode. A TCP socket counts while it listens (state 0A).
fn entry(kind: Kind, line: &str) -> Option<(Kind, SocketAddr, u64)> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    if kind == Kind::Tcp && *fields.get(3)? != "0A" {
        return None;
    }
    let (ip, port) = fields.get(1)?.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    // Words of four bytes, each in the machine's own order.
    let word = |at: usize| u32::from_str_radix(ip.get(at * 8..at * 8 + 8)?, 16).ok();
    let ip = match ip.len() {
        8 => IpAddr::V4(Ipv4Addr::from(word(0)?.to_ne_bytes())),
        32 => {
            let mut bytes = [0; 16];
            for (at, chunk) in bytes.chunks_exact_mut(4).enumerate() {
                chunk.copy_from_slice(&word(at)?.to_ne_bytes());
            }
            IpAddr::V6(Ipv6Addr::from(bytes))
        }
        _ => return None,
    };
    Some((kind, SocketAddr::new(ip, port), fields.get(9)?.parse().ok()?))
}

/// The sockets that the running server has open; None if they may not be seen.
pub(super) fn inodes_of(holder: Holder) -> Option<Vec<u64>> {
    let Holder::Somebody(Some(pid)) = holder else { return None };
    let entries = std::fs::read_dir(PathBuf::from(format!("/proc/{pid}/fd"))).ok()?;
    let socket = |entry: std::fs::DirEntry| {
        let link = std::fs::read_link(entry.path()).ok()?;
        link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
    };
    Some(entries.filter_map(|entry| socket(entry.ok()?)).collect())
}

pub(super) fn owner(inode: u64, holder: Holder, ours: Option<&[u64]>) -> Owner {
    match (holder, ours) {
        (Holder::Nobody, _) => Owner::Other,
        (Holder::Somebody(_), None) => Owner::Unknown,
        (Holder::Somebody(_), Some(ours)) if ours.contains(&inode) => Owner::Ours,
        (Holder::Somebody(_), Some(_)) => Owner::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{TcpListener, UdpSocket};

    #[test]
    fn a_bound_socket_is_found_with_its_owner() {
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        let table = Table::read();
        let holder = Holder::Somebody(Some(std::process::id()));
        let ours = inodes_of(holder);
        for (kind, addr) in
            [(Kind::Udp, udp.local_addr().unwrap()), (Kind::Tcp, tcp.local_addr().unwrap())]
        {
            let inode = table.at(kind, addr).expect("it is bound");
            assert_eq!(owner(inode, holder, ours.as_deref()), Owner::Ours);
            assert_eq!(owner(inode, Holder::Nobody, None), Owner::Other);
            assert_eq!(owner(inode, holder, None), Owner::Unknown);
        }
        let port = udp.local_addr().unwrap().port();
        assert!(table.ports([127, 0, 0, 1].into(), port, port).contains_key(&port));
    }

    #[test]
    fn an_ipv6_line_is_read() {
        let line = "  1: 00000000000000000000000001000000:1F90 \
                    00000000000000000000000000000000:0000 0A 0:0 00:0 0 0 0 4242 1 0 10 0";
        let (_, addr, inode) = entry(Kind::Tcp, line).unwrap();
        assert_eq!((addr.to_string(), inode), ("[::1]:8080".to_owned(), 4242));
    }
}
