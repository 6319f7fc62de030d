//! Where a browser on this machine finds a server that is at a loopback address. Firefox connects
//! none of those, but the machine's own address on its network it does. IPv4 alone: there Linux
//! lets nothing in from a network that claims an address of this machine (`accept_local`).

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};

/// An address that nobody has (RFC 5737), and the port to throw away.
const BEYOND: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 9);

/// This machine's address where `ip` is a loopback one; None too where it has no network.
pub fn beside(ip: IpAddr) -> Option<IpAddr> {
    if !ip.is_loopback() || !ip.is_ipv4() {
        return None;
    }
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    // Nothing is sent: the kernel looks for the way, and so for the address to leave from.
    socket.connect(BEYOND).ok()?;
    let own = socket.local_addr().ok()?.ip();
    (!own.is_loopback() && !own.is_unspecified()).then_some(own)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv6Addr;

    #[test]
    fn a_server_at_an_address_of_its_own_or_at_the_loopback_of_ipv6_has_none_beside_it() {
        assert_eq!(beside(BEYOND.ip()), None);
        assert_eq!(beside(IpAddr::V6(Ipv6Addr::LOCALHOST)), None);
    }

    #[test]
    fn beside_loopback_is_an_address_of_this_machine_and_no_loopback_one() {
        // A machine without a network has none.
        let Some(own) = beside(IpAddr::V4(Ipv4Addr::LOCALHOST)) else { return };
        assert!(!own.is_loopback() && own.is_ipv4());
        UdpSocket::bind((own, 0)).expect("an address of this machine");
    }
}
