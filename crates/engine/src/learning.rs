//! Whose packets a leg takes, and where its own go: the address of its description until one is
//! learnt, then that one, locked together with its SSRC. Pure: it knows no socket, and the time
//! is an argument.
//!
//! ```text
//!         at most 5 packets from the description's host, or from where the signalling comes
//!   open ────────────────────────────────────────────────────────────────────────▶ locked
//!    ▲                                                                              │
//!    ├── a description with another address ────────────────────────────────────────┤
//!    └── one with the same address: open beside the lock, until it is heard again ──┤
//!                                                                                   │
//!   same SSRC, in sequence, from where the signalling comes (a NAT's new binding) ──┤
//!   the described address itself, if another port or host is locked in its place ───┤
//!   whoever might be learnt, the locked one silent ─────────────────────────▶ locked anew
//! ```
//!
//! Whatever else comes is not the leg's. No packet of ours goes to an address that is neither the
//! description's nor a locked one (RTP Bleed, ES2017-04 and ES2025-01).

use std::net::{IpAddr, SocketAddr};

use undertone_core::time::Mono;
use undertone_media::rtp::seq_diff;

/// Packets that are taken of sources not locked, for each description; the last of them locks.
pub(crate) const LEARNT_IN_PACKETS: u8 = 5;
/// RTP packets in a row that lock earlier.
pub(crate) const RTP_STEADY: u8 = 3;
/// RTCP comes once in seconds and has no sequence: each packet stands for itself.
pub(crate) const RTCP_STEADY: u8 = 1;
/// For so long the locked source must have been silent before another is heard in its place.
const SILENT_US: u64 = 500_000;
/// After a new description the old source may still be heard for a moment; heard after that, it
/// has not changed, and the lock is the only one again.
const STAYED_AFTER_US: u64 = 1_000_000;
/// As RFC 3550 appendix A.1 has it: a minute of packets.
const DROPOUT_MAX: i32 = 3_000;
/// Between two packets that count as in a row.
const GAP_MAX: i32 = 100;

/// What a packet says of its source. RTCP has no sequence number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Claim {
    pub(crate) ssrc: u32,
    pub(crate) seq: Option<u16>,
}

#[derive(Clone, Copy, Debug)]
struct Lock {
    from: SocketAddr,
    claim: Claim,
    heard_at: Mono,
}

#[derive(Clone, Copy, Debug)]
struct Candidate {
    from: SocketAddr,
    claim: Claim,
    in_a_row: u8,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Learning {
    lock: Option<Lock>,
    described: SocketAddr,
    described_at: Mono,
    /// Where the signalling comes from: the host of a phone behind a NAT.
    signalling: Option<IpAddr>,
    target: Option<SocketAddr>,
    /// Packets that may still be taken of a source that is not locked.
    open_packets: u8,
    candidate: Option<Candidate>,
    steady: u8,
}

impl Learning {
    pub(crate) fn new(
        now: Mono,
        described: SocketAddr,
        signalling: Option<IpAddr>,
        steady: u8,
    ) -> Self {
        Self {
            lock: None,
            described,
            described_at: now,
            signalling: signalling.map(|ip| ip.to_canonical()),
            target: somewhere(described),
            open_packets: LEARNT_IN_PACKETS,
            candidate: None,
            steady,
        }
    }

    /// Where our packets go; nowhere, if the description says so and nobody has been heard.
    #[inline]
    pub(crate) fn target(&self) -> Option<SocketAddr> {
        self.target
    }

    /// The packet path: is it the locked source? One compare, and what `moved` will ask for.
    #[inline]
    pub(crate) fn is_locked_to(&mut self, now: Mono, from: SocketAddr, claim: Claim) -> bool {
        match &mut self.lock {
            Some(lock) if lock.claim.ssrc == claim.ssrc && lock.from == from => {
                (lock.claim.seq, lock.heard_at) = (claim.seq, now);
                true
            }
            _ => false,
        }
    }

    /// A packet of another source than the locked one: is it taken all the same?
    #[cold]
    pub(crate) fn weigh(&mut self, now: Mono, from: SocketAddr, claim: Claim) -> bool {
        if self.is_open() {
            return self.learn(now, from, claim);
        }
        let changed = self.lock.is_some_and(|lock| {
            let silent = now.since(lock.heard_at) >= SILENT_US;
            self.has_moved(&lock, from, claim)
                || self.is_described_instead(&lock, from)
                || (silent && self.may_follow(&lock, from, claim))
        });
        // Not one packet is taken before the lock: a row of them has to come first.
        if !changed || self.count(from, claim) < self.steady {
            return false;
        }
        self.lock_to(now, from, claim);
        true
    }

    /// Whether this address is the leg's, for what tells nothing of itself (RTCP on RTP's port).
    pub(crate) fn knows(&self, from: SocketAddr) -> bool {
        match &self.lock {
            Some(lock) => lock.from == from,
            None => self.is_described(from) || self.candidate.is_some_and(|c| c.from == from),
        }
    }

    /// A new offer and answer named an address. Zeros are the old way to hold (RFC 3264 section
    /// 8.4): they say nothing of where the far end is.
    pub(crate) fn described(&mut self, now: Mono, addr: SocketAddr) {
        if somewhere(addr).is_none() {
            return;
        }
        if addr != self.described {
            (self.lock, self.target) = (None, Some(addr));
        }
        (self.described, self.described_at) = (addr, now);
        (self.open_packets, self.candidate) = (LEARNT_IN_PACKETS, None);
    }

    /// The signalling comes from there now.
    pub(crate) fn signalled_from(&mut self, host: IpAddr) {
        self.signalling = Some(host.to_canonical());
    }

    fn is_open(&self) -> bool {
        let stayed = |lock: &Lock| lock.heard_at >= self.described_at.plus_us(STAYED_AFTER_US);
        self.open_packets > 0 && !self.lock.as_ref().is_some_and(stayed)
    }

    fn learn(&mut self, now: Mono, from: SocketAddr, claim: Claim) -> bool {
        if !self.is_host_of_ours(from) {
            return false;
        }
        // What the description names is not outvoted by another port or host.
        let named = self.candidate.is_some_and(|c| self.is_described(c.from));
        if named && !self.is_described(from) {
            return false;
        }
        let in_a_row = self.count(from, claim);
        self.open_packets -= 1;
        if in_a_row >= self.steady || self.open_packets == 0 {
            self.lock_to(now, from, claim);
        }
        true
    }

    fn has_moved(&self, lock: &Lock, from: SocketAddr, claim: Claim) -> bool {
        lock.claim.ssrc == claim.ssrc
            && Some(from.ip()) == self.signalling
            && follows(claim.seq, lock.claim.seq, DROPOUT_MAX)
    }

    /// Somebody else was first, at another port of its host or where the signalling comes from. A
    /// private address may be anybody's here: it does not outvote what a NAT shows.
    fn is_described_instead(&self, lock: &Lock, from: SocketAddr) -> bool {
        let elsewhere = lock.from.ip() != self.described.ip();
        self.is_described(from) && lock.from != from && !(elsewhere && is_private(from.ip()))
    }

    /// Of one that has gone silent: the same address goes on with another stream, or its host does
    /// elsewhere. RTCP is silent between any two packets.
    fn may_follow(&self, lock: &Lock, from: SocketAddr, claim: Claim) -> bool {
        lock.from == from || (claim.seq.is_some() && self.is_host_of_ours(from))
    }

    fn is_host_of_ours(&self, from: SocketAddr) -> bool {
        from.ip() == self.described.ip() || Some(from.ip()) == self.signalling
    }

    fn count(&mut self, from: SocketAddr, claim: Claim) -> u8 {
        let goes_on = |c: &Candidate| {
            c.from == from && c.claim.ssrc == claim.ssrc && follows(claim.seq, c.claim.seq, GAP_MAX)
        };
        let before = self.candidate.filter(goes_on).map_or(0, |c| c.in_a_row);
        let in_a_row = before.saturating_add(1);
        self.candidate = Some(Candidate { from, claim, in_a_row });
        in_a_row
    }

    fn lock_to(&mut self, now: Mono, from: SocketAddr, claim: Claim) {
        self.lock = Some(Lock { from, claim, heard_at: now });
        (self.target, self.open_packets, self.candidate) = (Some(from), 0, None);
    }

    /// Without scope and flow label, which a description cannot name.
    fn is_described(&self, from: SocketAddr) -> bool {
        from.port() == self.described.port() && from.ip() == self.described.ip()
    }
}

/// Addresses that are not the same host's everywhere (RFC 1918, RFC 6598, RFC 4193, link-local).
fn is_private(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => {
            let shared = ip.octets()[0] == 100 && ip.octets()[1] & 0xc0 == 64;
            ip.is_private() || ip.is_link_local() || ip.is_loopback() || shared
        }
        IpAddr::V6(ip) => ip.is_unique_local() || ip.is_unicast_link_local() || ip.is_loopback(),
    }
}

fn somewhere(addr: SocketAddr) -> Option<SocketAddr> {
    (!addr.ip().is_unspecified() && addr.port() != 0).then_some(addr)
}

fn follows(seq: Option<u16>, before: Option<u16>, most: i32) -> bool {
    match (seq, before) {
        (Some(seq), Some(before)) => (1..=most).contains(&seq_diff(seq, before)),
        _ => true,
    }
}

#[cfg(test)]
mod tests;
