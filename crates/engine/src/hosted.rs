//! A bridge with the roads of its legs and the sinks of its taps: what one media thread owns, and
//! what moves whole when the bridge moves. Sends what the bridge gives out; decides nothing.

use std::net::IpAddr;

use undertone_core::id::{BridgeId, LegId, SeatId, TapId};
use undertone_core::time::Mono;
use undertone_media::bridge::{Bridge, BridgeEvent, Lane, Out};
use undertone_sdp::Media;

use crate::gauges::Counts;
use crate::ports::Ports;
use crate::sockets::Sockets;
use crate::sys::clock;
use crate::web::Web;
use crate::{OnEvent, TapSink};

/// How one leg's packets come and go.
pub(crate) struct LegIo {
    pub(crate) id: LegId,
    pub(crate) seat: SeatId,
    pub(crate) way: Way,
}

pub(crate) enum Way {
    /// Plain RTP, by sockets of its own.
    Sockets(Box<Sockets>),
    Web(Box<Web>),
}

impl LegIo {
    pub(crate) fn new(now: Mono, id: LegId, seat: SeatId, ports: Ports, media: &Media) -> Self {
        Self { id, seat, way: Way::Sockets(Box::new(Sockets::new(now, ports, media))) }
    }

    pub(crate) fn of_browser(id: LegId, seat: SeatId, web: Web) -> Self {
        Self { id, seat, way: Way::Web(Box::new(web)) }
    }

    pub(crate) fn sockets(&mut self) -> Option<&mut Sockets> {
        match &mut self.way {
            Way::Sockets(sockets) => Some(sockets),
            Way::Web(_) => None,
        }
    }

    pub(crate) fn web(&mut self) -> Option<&mut Web> {
        match &mut self.way {
            Way::Web(web) => Some(web),
            Way::Sockets(_) => None,
        }
    }

    /// Another address was agreed. A browser's are found by its checks.
    pub(crate) fn reconfigure(&mut self, now: Mono, media: &Media) {
        if let Some(sockets) = self.sockets() {
            sockets.reconfigure(now, media);
        }
    }

    pub(crate) fn trust(&mut self, host: IpAddr) {
        if let Some(sockets) = self.sockets() {
            sockets.trust(host);
        }
    }

    fn send(&mut self, lane: Lane, bytes: &[u8]) -> bool {
        match (&mut self.way, lane) {
            (Way::Sockets(sockets), _) => sockets.send(lane, bytes),
            (Way::Web(web), Lane::Rtp) => web.send(clock(), bytes),
            // Its connection has reports of its own.
            (Way::Web(_), Lane::Rtcp) => true,
        }
    }
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

    pub(crate) fn leg_of(&mut self, seat: SeatId) -> Option<&mut LegIo> {
        self.legs.iter_mut().flatten().find(|leg| leg.seat == seat)
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
    pub(crate) legs: &'a mut [Option<LegIo>],
    pub(crate) taps: &'a mut Vec<(TapId, Box<dyn TapSink>)>,
    pub(crate) counts: &'a mut Counts,
    pub(crate) on_event: &'a OnEvent,
    /// Taps whose sink said that it has ended.
    pub(crate) ended: Vec<TapId>,
}

impl Out for Wire<'_> {
    fn packet(&mut self, leg: LegId, lane: Lane, bytes: &[u8]) {
        let Some(io) = self.legs.iter_mut().flatten().find(|l| l.id == leg) else { return };
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
