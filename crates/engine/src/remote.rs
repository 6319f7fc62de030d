//! Where a leg's packets go, and whose packets it takes: the address of its SDP until one is
//! learnt from a trusted host, then that one, locked. Knows no socket.

use std::net::{IpAddr, SocketAddr};

/// Packets from one source after which it is the leg's for good.
const LOCK_AFTER: u8 = 5;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Remote {
    signalled: SocketAddr,
    /// Beside the SDP's host: where the signalling came from (a phone behind a NAT).
    trusted: Option<IpAddr>,
    target: SocketAddr,
    seen: u8,
    locked: bool,
}

impl Remote {
    pub(crate) fn new(signalled: SocketAddr, trusted: Option<IpAddr>) -> Self {
        Self { signalled, trusted, target: signalled, seen: 0, locked: false }
    }

    pub(crate) fn target(&self) -> SocketAddr {
        self.target
    }

    /// A new offer or answer named an address. The same one again changes nothing.
    pub(crate) fn signalled(&mut self, addr: SocketAddr) {
        if addr != self.signalled {
            *self = Self::new(addr, self.trusted);
        }
    }

    /// A packet came from `from`: is it the leg's? Until the lock, the address of the SDP wins
    /// over any other port of the same host.
    #[inline]
    pub(crate) fn takes(&mut self, from: SocketAddr) -> bool {
        if self.locked {
            return from == self.target;
        }
        self.learn(from)
    }

    fn learn(&mut self, from: SocketAddr) -> bool {
        if from == self.signalled {
            self.target = from;
            self.locked = true;
            return true;
        }
        let host = from.ip();
        if host != self.signalled.ip() && Some(host) != self.trusted {
            return false;
        }
        if from != self.target {
            self.target = from;
            self.seen = 0;
        }
        self.seen += 1;
        self.locked = self.seen >= LOCK_AFTER;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addr(text: &str) -> SocketAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn a_packet_from_the_signalled_address_locks_it() {
        let mut remote = Remote::new(addr("10.0.0.1:4000"), None);
        assert!(remote.takes(addr("10.0.0.1:4000")));
        assert!(!remote.takes(addr("10.0.0.1:4002")));
        assert_eq!(remote.target(), addr("10.0.0.1:4000"));
    }

    #[test]
    fn another_port_of_the_host_is_learnt_and_locked_after_five_packets() {
        let mut remote = Remote::new(addr("10.0.0.1:4000"), None);
        for _ in 0..5 {
            assert!(remote.takes(addr("10.0.0.1:61000")));
        }
        assert_eq!(remote.target(), addr("10.0.0.1:61000"));
        assert!(!remote.takes(addr("10.0.0.1:4000")), "locked: even the SDP's comes too late");
    }

    #[test]
    fn a_strange_host_is_never_learnt() {
        let mut remote = Remote::new(addr("10.0.0.1:4000"), Some("192.0.2.7".parse().expect("ip")));
        assert!(!remote.takes(addr("10.0.0.2:4000")));
        assert_eq!(remote.target(), addr("10.0.0.1:4000"));
        assert!(remote.takes(addr("192.0.2.7:31000")), "the signalling's own host is trusted");
    }

    #[test]
    fn a_new_offer_with_a_new_address_unlocks() {
        let mut remote = Remote::new(addr("10.0.0.1:4000"), None);
        assert!(remote.takes(addr("10.0.0.1:4000")));
        remote.signalled(addr("10.0.0.1:4000"));
        assert!(!remote.takes(addr("10.0.0.1:4002")));
        remote.signalled(addr("10.0.0.9:5000"));
        assert_eq!(remote.target(), addr("10.0.0.9:5000"));
        assert!(remote.takes(addr("10.0.0.9:5000")));
    }
}
