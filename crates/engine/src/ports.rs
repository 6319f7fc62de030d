//! Pairs of sockets for legs, RTP and RTCP: bound before an offer names them, freed when dropped.
//! Which pair is next, and whether one may be had, is `range`'s. Knows no leg.

use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use socket2::{Domain, Protocol, Socket, Type};
use undertone_core::time::Mono;

use crate::range::{Range, Rank, Shortage};
use crate::sys::clock;

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
    #[error("the free RTP ports, of {0} pairs, were in use until just now")]
    Resting(usize),
    #[error("the last of {0} pairs of RTP ports are kept for what goes before this")]
    Kept(usize),
    #[error("no media address of the far end's family")]
    Family,
    #[error("cannot open a media socket")]
    Socket(#[source] io::Error),
}

pub(crate) struct Pool {
    ip: IpAddr,
    dscp: Option<u8>,
    /// None leaves the choice to the kernel.
    range: Option<Mutex<Range>>,
    in_use: AtomicUsize,
    refused: AtomicU64,
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
            self.pool.give_back(port);
        }
    }
}

impl Pool {
    /// `ports` from `0..=0` is the kernel's choice; None if a range holds no pair.
    pub(crate) fn new(ip: IpAddr, ports: &RangeInclusive<u16>, dscp: Option<u8>) -> Option<Self> {
        let range = (*ports != (0..=0)).then(|| Range::new(ports));
        if range.as_ref().is_some_and(|range| range.pairs() == 0) {
            return None;
        }
        let range = range.map(Mutex::new);
        let (in_use, refused) = (AtomicUsize::new(0), AtomicU64::new(0));
        Some(Self { ip, dscp, range, in_use, refused })
    }

    pub(crate) fn ip(&self) -> IpAddr {
        self.ip
    }

    pub(crate) fn in_use(&self) -> usize {
        self.in_use.load(Ordering::Relaxed)
    }

    /// Askings that found no pair.
    pub(crate) fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    fn give_back(&self, port: u16) {
        if let Some(range) = &self.range {
            range.lock().unwrap_or_else(PoisonError::into_inner).give_back(clock(), port);
        }
    }

    pub(crate) fn reserve(
        self: &Arc<Self>,
        now: Mono,
        rank: Rank,
    ) -> Result<Ports, PortsExhausted> {
        let got = self.try_reserve(now, rank);
        if got.is_err() {
            self.refused.fetch_add(1, Ordering::Relaxed);
        }
        got
    }

    fn try_reserve(self: &Arc<Self>, now: Mono, rank: Rank) -> Result<Ports, PortsExhausted> {
        let Some(range) = &self.range else {
            let (rtp, rtcp) = self.kernels_choice().map_err(PortsExhausted::Socket)?;
            return self.lend(None, rtp, rtcp).map_err(PortsExhausted::Socket);
        };
        // A port that another process holds goes to the back, so that each is tried once.
        loop {
            let mut free = range.lock().unwrap_or_else(PoisonError::into_inner);
            let pairs = free.pairs();
            let port = free.take(now, rank).map_err(|why| match why {
                Shortage::AllUsed => PortsExhausted::Range(pairs),
                Shortage::Resting => PortsExhausted::Resting(pairs),
                Shortage::Kept => PortsExhausted::Kept(pairs),
            })?;
            drop(free);
            let bound = self
                .bind(port, RTP_BUFFER_BYTES)
                .and_then(|rtp| Ok((rtp, self.bind(port + 1, RTCP_BUFFER_BYTES)?)));
            match bound {
                Ok((rtp, rtcp)) => {
                    return self.lend(Some(port), rtp, rtcp).map_err(PortsExhausted::Socket);
                }
                Err(e) => {
                    self.give_back(port);
                    if e.kind() != io::ErrorKind::AddrInUse {
                        return Err(PortsExhausted::Socket(e));
                    }
                }
            }
        }
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
    use socket2::SockRef;
    use std::net::{Ipv4Addr, Ipv6Addr};

    const HOME: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    fn pool(ip: IpAddr, ports: RangeInclusive<u16>, dscp: Option<u8>) -> Arc<Pool> {
        Arc::new(Pool::new(ip, &ports, dscp).expect("a range of pairs"))
    }

    /// Taking many ports at once is the point; a pair that another test's kernel-chosen socket
    /// holds is skipped by the pool itself.
    #[test]
    fn pairs_are_even_and_odd_and_one_just_freed_waits() {
        let pool = pool(HOME, 20_101..=20_140, None);
        let first = pool.reserve(Mono(0), Rank::First).expect("a pair");
        let port = first.rtp.port();
        assert_eq!(port % 2, 0);
        assert_eq!(first.rtcp.port(), port + 1);
        drop(first);
        for _ in 0..10 {
            let next = pool.reserve(Mono(0), Rank::First).expect("a pair");
            assert_ne!(next.rtp.port(), port, "reused at once");
        }
    }

    #[test]
    fn an_exhausted_range_is_a_named_error_and_a_freed_pair_serves_again_after_its_rest() {
        let pool = pool(HOME, 20_200..=20_207, None);
        let take = |now| pool.reserve(now, Rank::First);
        let mut held: Vec<Ports> = std::iter::from_fn(|| take(Mono(0)).ok()).collect();
        assert!(!held.is_empty() && held.len() <= 4, "{held:?}");
        let freed = held.pop().expect("one").rtp.port();
        let rested = clock();
        assert!(matches!(take(rested), Err(PortsExhausted::Resting(4))));
        let again = take(rested.plus_ms(2_000)).expect("again");
        assert!(again.rtp.port() == freed || held.len() < 3, "{again:?}");
        held.push(again);
        assert_eq!(pool.refused(), 2);
        drop(held);
        assert_eq!(pool.in_use(), 0);
    }

    #[test]
    fn a_range_without_a_pair_is_no_pool() {
        assert!(Pool::new(HOME, &(20_301..=20_302), None).is_none());
    }

    #[test]
    fn the_kernels_choice_gives_two_sockets() {
        let ports = pool(HOME, 0..=0, None).reserve(Mono(0), Rank::Second).expect("ports");
        assert_ne!(ports.rtp.port(), ports.rtcp.port());
    }

    #[test]
    fn both_sockets_of_either_family_carry_the_code_point() {
        let v4 = pool(HOME, 0..=0, Some(46)).reserve(Mono(0), Rank::First).expect("ports");
        for socket in [&v4.rtp_socket, &v4.rtcp_socket] {
            assert_eq!(SockRef::from(socket).tos_v4().expect("IP_TOS"), 46 << 2);
        }
        let home = IpAddr::V6(Ipv6Addr::LOCALHOST);
        let v6 = pool(home, 0..=0, Some(46)).reserve(Mono(0), Rank::First).expect("ports");
        for socket in [&v6.rtp_socket, &v6.rtcp_socket] {
            assert_eq!(SockRef::from(socket).tclass_v6().expect("IPV6_TCLASS"), 46 << 2);
        }
    }
}
