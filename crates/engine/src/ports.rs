//! Pairs of sockets for legs, RTP and RTCP: bound before an offer names them, freed when dropped,
//! the one that rested longest taken first. Knows no leg.

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use socket2::{Domain, Protocol, Socket, Type};

/// 64 KiB asked is 128 KiB of kernel accounting: about 1.5 s of one G.711 stream, so that a
/// stalled thread loses nothing within that time. Nothing is allocated until packets wait.
const RTP_BUFFER_BYTES: usize = 64 * 1024;
const RTCP_BUFFER_BYTES: usize = 8 * 1024;
/// Attempts to find two neighbouring ports among those of the kernel's choice.
const PAIR_ATTEMPTS: usize = 4;

#[derive(Debug, thiserror::Error)]
pub enum PortsExhausted {
    #[error("all {0} pairs of RTP ports are in use")]
    Range(usize),
    #[error("cannot open a media socket")]
    Socket(#[source] io::Error),
}

pub(crate) struct Pool {
    ip: IpAddr,
    dscp: Option<u8>,
    /// Pairs that the range holds; 0 leaves the choice to the kernel.
    pairs: usize,
    /// Even ports, the longest unused in front.
    free: Mutex<VecDeque<u16>>,
    in_use: AtomicUsize,
}

/// Two bound sockets. Dropping them, here or with the leg they went to, frees the pair.
pub struct Ports {
    pub rtp: SocketAddr,
    pub rtcp: SocketAddr,
    pub(crate) trusted: Option<IpAddr>,
    // Declared before the lease, so that they are closed before the pair is free again.
    pub(crate) rtp_socket: UdpSocket,
    pub(crate) rtcp_socket: UdpSocket,
    _lease: Lease,
}

impl Ports {
    /// Packets are taken from this host too, not only from the one that the SDP names: where the
    /// signalling came from.
    pub fn trust(&mut self, host: IpAddr) {
        self.trusted = Some(host);
    }
}

impl std::fmt::Debug for Ports {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Ports({}, {})", self.rtp, self.rtcp)
    }
}

struct Lease {
    pool: Arc<Pool>,
    port: Option<u16>,
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.pool.in_use.fetch_sub(1, Ordering::Relaxed);
        if let Some(port) = self.port {
            self.pool.free().push_back(port);
        }
    }
}

impl Pool {
    /// `range` from `0..=0` is the kernel's choice; any other is used in even and odd pairs.
    pub(crate) fn new(ip: IpAddr, range: &RangeInclusive<u16>, dscp: Option<u8>) -> Self {
        let first = range.start().saturating_add(range.start() % 2);
        let evens = (first..=*range.end()).step_by(2);
        let free: VecDeque<u16> =
            evens.filter(|p| *p > 0 && *p < u16::MAX && p < range.end()).collect();
        let pairs = free.len();
        Self { ip, dscp, pairs, free: Mutex::new(free), in_use: AtomicUsize::new(0) }
    }

    fn free(&self) -> std::sync::MutexGuard<'_, VecDeque<u16>> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn in_use(&self) -> usize {
        self.in_use.load(Ordering::Relaxed)
    }

    pub(crate) fn is_empty_range(&self, range: &RangeInclusive<u16>) -> bool {
        self.pairs == 0 && *range != (0..=0)
    }

    pub(crate) fn reserve(self: &Arc<Self>) -> Result<Ports, PortsExhausted> {
        if self.pairs == 0 {
            let (rtp, rtcp) = self.kernels_choice().map_err(PortsExhausted::Socket)?;
            return self.lend(None, rtp, rtcp).map_err(PortsExhausted::Socket);
        }
        // A port that another process holds goes to the back; each is tried once.
        for _ in 0..self.pairs {
            let Some(port) = self.free().pop_front() else { break };
            let bound = self
                .bind(port, RTP_BUFFER_BYTES)
                .and_then(|rtp| Ok((rtp, self.bind(port + 1, RTCP_BUFFER_BYTES)?)));
            match bound {
                Ok((rtp, rtcp)) => {
                    return self.lend(Some(port), rtp, rtcp).map_err(PortsExhausted::Socket);
                }
                Err(e) => {
                    self.free().push_back(port);
                    if e.kind() != io::ErrorKind::AddrInUse {
                        return Err(PortsExhausted::Socket(e));
                    }
                }
            }
        }
        Err(PortsExhausted::Range(self.pairs))
    }

    fn lend(
        self: &Arc<Self>,
        port: Option<u16>,
        rtp: UdpSocket,
        rtcp: UdpSocket,
    ) -> io::Result<Ports> {
        self.in_use.fetch_add(1, Ordering::Relaxed);
        let lease = Lease { pool: self.clone(), port };
        Ok(Ports {
            rtp: rtp.local_addr()?,
            rtcp: rtcp.local_addr()?,
            trusted: None,
            rtp_socket: rtp,
            rtcp_socket: rtcp,
            _lease: lease,
        })
    }

    /// Neighbours if the kernel's first choices allow it: a peer that does not read `a=rtcp`
    /// sends its reports to the RTP port plus one (RFC 3550 section 11).
    fn kernels_choice(&self) -> io::Result<(UdpSocket, UdpSocket)> {
        let mut last = self.bind(0, RTP_BUFFER_BYTES)?;
        for _ in 0..PAIR_ATTEMPTS {
            let port = last.local_addr()?.port();
            if port % 2 == 0
                && let Ok(rtcp) = self.bind(port + 1, RTCP_BUFFER_BYTES)
            {
                return Ok((last, rtcp));
            }
            // Held until the next is bound, so that the kernel chooses another.
            last = self.bind(0, RTP_BUFFER_BYTES)?;
        }
        let rtcp = self.bind(0, RTCP_BUFFER_BYTES)?;
        Ok((last, rtcp))
    }

    fn bind(&self, port: u16, buffer_bytes: usize) -> io::Result<UdpSocket> {
        let addr = SocketAddr::new(self.ip, port);
        let socket = Socket::new(Domain::for_address(addr), Type::DGRAM, Some(Protocol::UDP))?;
        socket.set_nonblocking(true)?;
        socket.set_recv_buffer_size(buffer_bytes)?;
        if let Some(dscp) = self.dscp {
            let tos = u32::from(dscp) << 2;
            if addr.is_ipv4() {
                socket.set_tos_v4(tos)?;
            } else {
                socket.set_tclass_v6(tos)?;
            }
        }
        socket.bind(&addr.into())?;
        Ok(socket.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    const HOME: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    fn pool(range: RangeInclusive<u16>) -> Arc<Pool> {
        Arc::new(Pool::new(HOME, &range, None))
    }

    /// Taking many ports at once is the point; a pair that another test's kernel-chosen socket
    /// holds is skipped by the pool itself.
    #[test]
    fn pairs_are_even_and_odd_and_the_longest_unused_comes_first() {
        let pool = pool(20_101..=20_140);
        let first = pool.reserve().expect("a pair");
        let port = first.rtp.port();
        assert_eq!(port % 2, 0);
        assert_eq!(first.rtcp.port(), port + 1);
        drop(first);
        for _ in 0..10 {
            assert_ne!(pool.reserve().expect("a pair").rtp.port(), port, "reused at once");
        }
    }

    #[test]
    fn an_exhausted_range_is_a_named_error_and_a_freed_pair_serves_again() {
        let pool = pool(20_200..=20_207);
        let mut held: Vec<Ports> = std::iter::from_fn(|| pool.reserve().ok()).collect();
        assert!(!held.is_empty() && held.len() <= 4, "{held:?}");
        assert!(matches!(pool.reserve(), Err(PortsExhausted::Range(4))));
        let freed = held.pop().expect("one").rtp.port();
        assert_eq!(pool.reserve().expect("again").rtp.port(), freed);
        drop(held);
        assert_eq!(pool.in_use(), 0);
    }

    #[test]
    fn a_range_that_ends_on_an_even_port_does_not_spill_over() {
        assert_eq!(pool(20_300..=20_304).pairs, 2);
        assert_eq!(pool(20_301..=20_302).pairs, 0);
        assert_eq!(pool(65_534..=65_535).pairs, 1);
    }

    #[test]
    fn the_kernels_choice_gives_two_sockets() {
        let ports = pool(0..=0).reserve().expect("ports");
        assert_ne!(ports.rtp.port(), ports.rtcp.port());
    }
}
