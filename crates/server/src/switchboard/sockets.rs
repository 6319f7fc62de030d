//! The media sockets of one leg, of the family that its far end has, and the offer-answer session
//! that names them: with the address that this far end is told.

use super::House;
use std::net::IpAddr;
use undertone_engine::{Ports, PortsExhausted, Rank};
use undertone_sdp::{Capabilities, LocalAddr, Session, far_ip};

impl House {
    /// `peer` is where the signalling comes from or goes to, None for a name; `offer` what the
    /// far end offered, whose family goes before the signalling's.
    pub(super) fn sockets(
        &self,
        peer: Option<IpAddr>,
        offer: Option<&str>,
        caps: Capabilities,
        rank: Rank,
    ) -> Result<(Ports, Session), PortsExhausted> {
        let far = offer.and_then(far_ip).or(peer);
        let mut ports = match far {
            Some(far) => self.engine.reserve_for(far, rank)?,
            None => self.engine.reserve(rank)?,
        };
        let ip = ports.rtp.ip();
        let mut told = ip;
        if let Some(peer) = peer {
            ports.trust(peer);
            told = self.told.address(ip, peer);
        }
        let local =
            LocalAddr { ip: told, rtp_port: ports.rtp.port(), rtcp_port: ports.rtcp.port() };
        let caps = Capabilities { rtcp_mux: true, ..caps };
        Ok((ports, Session::new(session_id(), local, caps)))
    }
}

/// RFC 4566 section 5.2: a number that is unlikely to be used twice; 63 bits, so that no reader's
/// signed integer overflows.
fn session_id() -> u64 {
    rand::random::<u64>() >> 1
}
