//! A bridge with the sockets of its legs and the sinks of its taps: what one media thread owns,
//! and what moves whole when the bridge moves. Sends what the bridge gives out; decides nothing.

use std::net::SocketAddr;

use undertone_core::id::{BridgeId, LegId, SeatId, TapId};
use undertone_media::bridge::{Bridge, BridgeEvent, Lane, Out};
use undertone_sdp::Media;

use crate::gauges::Counts;
use crate::ports::Ports;
use crate::remote::Remote;
use crate::{OnEvent, TapSink};

/// One leg's sockets, and whom they talk to.
pub(crate) struct LegIo {
    pub(crate) id: LegId,
    pub(crate) seat: SeatId,
    pub(crate) ports: Ports,
    rtp: Remote,
    rtcp: Remote,
    mux: bool,
}

impl LegIo {
    pub(crate) fn new(id: LegId, seat: SeatId, ports: Ports, media: &Media) -> Self {
        let rtp = Remote::new(media.addr, ports.trusted);
        let rtcp = Remote::new(media.rtcp, ports.trusted);
        Self { id, seat, ports, rtp, rtcp, mux: media.rtcp_mux }
    }

    pub(crate) fn reconfigure(&mut self, media: &Media) {
        self.rtp.signalled(media.addr);
        self.rtcp.signalled(media.rtcp);
        self.mux = media.rtcp_mux;
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
    pub(crate) fn judge(&mut self, socket: Lane, from: SocketAddr, bytes: &[u8]) -> Option<Lane> {
        let lane = if self.mux && is_rtcp(bytes) { Lane::Rtcp } else { socket };
        let remote = match (lane, self.mux) {
            (Lane::Rtcp, false) => &mut self.rtcp,
            _ => &mut self.rtp,
        };
        remote.takes(from).then_some(lane)
    }

    fn send(&self, lane: Lane, bytes: &[u8]) -> bool {
        let (socket, to) = match lane {
            Lane::Rtp => (&self.ports.rtp_socket, self.rtp.target()),
            Lane::Rtcp if self.mux => (&self.ports.rtp_socket, self.rtp.target()),
            Lane::Rtcp => (&self.ports.rtcp_socket, self.rtcp.target()),
        };
        socket.send_to(bytes, to).is_ok()
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

/// RTP and RTCP on one port are told apart by the second byte (RFC 5761 section 4).
fn is_rtcp(bytes: &[u8]) -> bool {
    bytes.get(1).is_some_and(|b| (192..=223).contains(b))
}

pub(crate) struct Hosted {
    pub(crate) id: BridgeId,
    pub(crate) bridge: Bridge,
    /// An index here is part of an epoll token, so a leg keeps its own until it is detached.
    pub(crate) legs: Vec<Option<LegIo>>,
    pub(crate) taps: Vec<(TapId, Box<dyn TapSink>)>,
    pub(crate) phase: usize,
}

impl Hosted {
    pub(crate) fn leg_index(&self, seat: SeatId) -> Option<usize> {
        self.legs.iter().position(|l| l.as_ref().is_some_and(|l| l.seat == seat))
    }

    pub(crate) fn put(&mut self, leg: LegIo) -> usize {
        let free = self.legs.iter().position(Option::is_none);
        let at = free.unwrap_or(self.legs.len());
        if at == self.legs.len() {
            self.legs.push(None);
        }
        self.legs[at] = Some(leg);
        at
    }
}

/// Takes what a bridge gives out, for the time of one call into it.
pub(crate) struct Wire<'a> {
    pub(crate) id: BridgeId,
    pub(crate) legs: &'a [Option<LegIo>],
    pub(crate) taps: &'a mut Vec<(TapId, Box<dyn TapSink>)>,
    pub(crate) counts: &'a mut Counts,
    pub(crate) on_event: &'a OnEvent,
    /// Taps whose sink said that it has ended.
    pub(crate) ended: Vec<TapId>,
}

impl Out for Wire<'_> {
    fn packet(&mut self, leg: LegId, lane: Lane, bytes: &[u8]) {
        let Some(io) = self.legs.iter().flatten().find(|l| l.id == leg) else { return };
        if io.send(lane, bytes) {
            self.counts.packets_out += 1;
        } else {
            self.counts.packets_unsent += 1;
        }
    }

    fn tap(&mut self, tap: TapId, rate: u32, pcm: &[i16]) {
        let Some((_, sink)) = self.taps.iter_mut().find(|(id, _)| *id == tap) else { return };
        if sink.frame(rate, pcm).is_err() && !self.ended.contains(&tap) {
            self.ended.push(tap);
        }
    }

    fn event(&mut self, event: BridgeEvent) {
        (self.on_event)(self.id, event);
    }
}
