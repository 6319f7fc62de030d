//! The two sockets of a leg that speaks plain RTP, and whom they talk to. Whose packets are taken
//! is `learning`'s; knows no bridge.

use std::net::{IpAddr, SocketAddr};

use undertone_core::time::Mono;
use undertone_media::bridge::Lane;
use undertone_sdp::Media;

use crate::learning::{Claim, Learning, RTCP_STEADY, RTP_STEADY};
use crate::ports::Ports;

pub(crate) struct Sockets {
    pub(crate) ports: Ports,
    rtp: Learning,
    rtcp: Learning,
    mux: bool,
    /// Payload types that were agreed: nothing is learnt from another. One bit each.
    payloads: u128,
}

impl Sockets {
    pub(crate) fn new(now: Mono, ports: Ports, media: &Media) -> Self {
        let rtp = Learning::new(now, media.addr, ports.trusted, RTP_STEADY);
        let rtcp = Learning::new(now, media.rtcp, ports.trusted, RTCP_STEADY);
        let payloads = payloads(media);
        Self { ports, rtp, rtcp, mux: media.rtcp_mux, payloads }
    }

    pub(crate) fn reconfigure(&mut self, now: Mono, media: &Media) {
        self.rtp.described(now, media.addr);
        self.rtcp.described(now, media.rtcp);
        (self.mux, self.payloads) = (media.rtcp_mux, payloads(media));
    }

    pub(crate) fn trust(&mut self, host: IpAddr) {
        self.ports.trust(host);
        self.rtp.signalled_from(host);
        self.rtcp.signalled_from(host);
    }

    /// Reads one datagram; None when none waits.
    pub(crate) fn receive(&self, lane: Lane, buffer: &mut [u8]) -> Option<(usize, SocketAddr)> {
        let socket = match lane {
            Lane::Rtp => &self.ports.rtp_socket,
            Lane::Rtcp => &self.ports.rtcp_socket,
        };
        // An error other than "nothing waits" is a port that the far end closed (ICMP): the
        // leg's own timeout judges that, not one datagram.
        socket.recv_from(buffer).ok()
    }

    /// Is the datagram this leg's, and on which lane?
    #[inline]
    pub(crate) fn judge(
        &mut self,
        now: Mono,
        socket: Lane,
        from: SocketAddr,
        bytes: &[u8],
    ) -> Option<Lane> {
        let second = *bytes.get(1)?;
        if socket == Lane::Rtcp || is_rtcp(second) {
            return self.judge_rtcp(now, socket, from, bytes).then_some(Lane::Rtcp);
        }
        let claim = rtp_claim(bytes)?;
        let agreed = self.payloads >> (second & 0x7f) & 1 == 1;
        let ours =
            self.rtp.is_locked_to(now, from, claim) || (agreed && self.rtp.weigh(now, from, claim));
        ours.then_some(Lane::Rtp)
    }

    /// With rtcp-mux reports come on RTP's port alone and from RTP's source (RFC 5761 section
    /// 5.1.1), without it on their own port alone.
    fn judge_rtcp(&mut self, now: Mono, socket: Lane, from: SocketAddr, bytes: &[u8]) -> bool {
        match (socket, self.mux) {
            (Lane::Rtp, true) => self.rtp.knows(from),
            (Lane::Rtcp, false) => rtcp_claim(bytes).is_some_and(|claim| {
                self.rtcp.is_locked_to(now, from, claim) || self.rtcp.weigh(now, from, claim)
            }),
            _ => false,
        }
    }

    pub(crate) fn send(&self, lane: Lane, bytes: &[u8]) -> bool {
        let (socket, to) = match lane {
            Lane::Rtp => (&self.ports.rtp_socket, self.rtp.target()),
            Lane::Rtcp if self.mux => (&self.ports.rtp_socket, self.rtp.target()),
            Lane::Rtcp => (&self.ports.rtcp_socket, self.rtcp.target()),
        };
        to.is_some_and(|to| socket.send_to(bytes, to).is_ok())
    }

    /// Throws away what arrived before the leg was attached: it was never part of the call.
    pub(crate) fn forget_early(&self, buffer: &mut [u8]) {
        for lane in [Lane::Rtp, Lane::Rtcp] {
            let mut left = 256;
            while left > 0 && self.receive(lane, buffer).is_some() {
                left -= 1;
            }
        }
    }
}

/// RTP and RTCP on one port are told apart by the second byte (RFC 5761 section 4). Without
/// rtcp-mux none of these is RTP either: no codec of ours has such a number.
fn is_rtcp(second: u8) -> bool {
    (192..=223).contains(&second)
}

fn rtp_claim(bytes: &[u8]) -> Option<Claim> {
    let [head, _, s1, s0, _, _, _, _, a, b, c, d, ..] = *bytes else { return None };
    let seq = Some(u16::from_be_bytes([s1, s0]));
    (head >> 6 == 2).then_some(Claim { ssrc: u32::from_be_bytes([a, b, c, d]), seq })
}

/// A compound packet begins with a report (RFC 3550 section 6.1), and that with its sender.
fn rtcp_claim(bytes: &[u8]) -> Option<Claim> {
    let [head, 200 | 201, _, _, a, b, c, d, ..] = *bytes else { return None };
    let ssrc = u32::from_be_bytes([a, b, c, d]);
    (head >> 6 == 2).then_some(Claim { ssrc, seq: None })
}

fn payloads(media: &Media) -> u128 {
    let codecs = media.arriving.iter().chain(&media.codecs).map(|(pt, _)| *pt);
    let events = media.events_arriving.iter().chain(&media.events).map(|e| e.pt);
    let all = codecs.chain(events).chain(media.comfort_noise);
    all.fold(0, |bits, pt| bits | 1 << (pt & 0x7f))
}
