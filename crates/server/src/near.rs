//! Where a browser on this machine finds a server that is at a loopback address. Firefox connects
//! none of those, but the machine's own address on its network it does.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

/// Addresses that nobody has (RFC 5737, RFC 3849), and the port to throw away.
const BEYOND_V4: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 9);
const BEYOND_V6: SocketAddr =
    SocketAddr::new(IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)), 9);

/// This machine's address where `ip` is a loopback one; None too where it has no network.
pub fn beside(ip: IpAddr) -> Option<IpAddr> {
    if !ip.is_loopback() {
        return None;
    }
    let (any, beyond) = match ip {
        IpAddr::V4(_) => (IpAddr::V4(Ipv4Addr::UNSPECIFIED), BEYOND_V4),
        IpAddr::V6(_) => (IpAddr::V6(Ipv6Addr::UNSPECIFIED), BEYOND_V6),
    };
    let socket = UdpSocket::bind((any, 0)).ok()?;
    // Nothing is sent: the kernel looks for the way, and so for the address to leave from.
    socket.connect(beyond).ok()?;
    let own = socket.local_addr().ok()?.ip();
    (!own.is_loopback() && !own.is_unspecified()).then_some(own)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_is_at_an_address_of_its_own_needs_none_beside_it() {
        assert_eq!(beside(BEYOND_V4.ip()), None);
    }

    #[test]
    fn beside_loopback_is_an_address_of_this_machine_and_no_loopback_one() {
        for ip in [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)] {
            // A machine without a network has none.
            let Some(own) = beside(ip) else { continue };
            assert!(!own.is_loopback() && own.is_ipv4() == ip.is_ipv4());
            UdpSocket::bind((own, 0)).expect("an address of this machine");
        }
    }
}
