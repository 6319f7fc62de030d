//! What a media thread does for browsers: reads the shared port and TCP connections, gives each
//! datagram to its leg or hands it on to the leg's thread, and lets connections' time pass.

use std::panic::{AssertUnwindSafe, catch_unwind};

use undertone_core::id::{LegId, SeatId};
use undertone_media::bridge::{BridgeEvent, Lane};
use undertone_media::leg::webrtc::{NotAFrame, Road, WebState};

use super::port::Passed;
use super::tcp::{Reading, Room, TcpDoor};
use super::{Arrived, Web, WebNews};
use crate::hosted::Way;
use crate::sys::clock;
use crate::thread::Worker;

/// Tokens of what belongs to browsers; no bridge has so high a slot.
pub(crate) const WEB: u64 = 1 << 63;
const UDP: u64 = WEB;
/// UDP sockets of one thread, at most: of the house, and beside loopback.
const UDP_MAX: u64 = 2;
const LISTENER: u64 = UDP + UDP_MAX;
const CONNECTIONS: u64 = LISTENER + 1;
/// Datagrams read of the shared port in one turn, so that ticks and other legs have theirs.
const READS_A_TURN: usize = 64;
/// Connections accepted in one turn.
const ACCEPTS_A_TURN: usize = 16;
const SWEEP_EVERY_US: u64 = 1_000_000;

impl Worker {
    pub(crate) fn open_web(&mut self) -> std::io::Result<()> {
        if let Some(port) = &self.web_port {
            for (udp, n) in port.udp.iter().zip(0..UDP_MAX) {
                self.epoll.add(&**udp, UDP | n)?;
            }
        }
        if let Some(door) = &self.tcp_door {
            self.epoll.add(&door.listener, LISTENER)?;
        }
        Ok(())
    }

    pub(crate) fn read_web(&mut self, token: u64) {
        match token {
            UDP..LISTENER => self.read_shared((token - UDP) as u8),
            LISTENER => self.take_connections(),
            _ => self.read_connection((token - CONNECTIONS) as usize),
        }
    }

    fn read_shared(&mut self, n: u8) {
        let port = self.web_port.as_ref();
        let Some(udp) = port.and_then(|port| port.udp.get(usize::from(n))).cloned() else { return };
        let road = Road::Udp(n);
        let mut buffer = std::mem::take(&mut self.buffer);
        for _ in 0..READS_A_TURN {
            let Ok((len, from)) = udp.recv_from(&mut buffer) else { break };
            if !self.web_port.as_ref().is_some_and(|port| port.hears(n, from)) {
                self.counts.packets_foreign += 1;
                continue;
            }
            self.arrived(&Arrived { from, road, lane: None, bytes: &buffer[..len] });
        }
        self.buffer = buffer;
    }

    fn take_connections(&mut self) {
        for _ in 0..ACCEPTS_A_TURN {
            let Some(door) = &self.tcp_door else { return };
            let Some((stream, from)) = door.knocks() else { return };
            match door.room_for(from.ip()) {
                Room::Free => {}
                Room::InsteadOf(other) => self.close_connection(other),
                Room::Full => {
                    TcpDoor::refuse(&stream);
                    continue;
                }
            }
            let Some(door) = &mut self.tcp_door else { return };
            let Some(at) = door.take(clock(), stream, from) else { continue };
            let watched = door.stream(at).map(|s| self.epoll.add(s, CONNECTIONS + at as u64));
            if !matches!(watched, Some(Ok(()))) {
                door.close(at);
            }
        }
    }

    fn read_connection(&mut self, at: usize) {
        let mut buffer = std::mem::take(&mut self.buffer);
        let mut frame = Vec::new();
        let mut over = false;
        for _ in 0..READS_A_TURN {
            let Some(door) = &mut self.tcp_door else { break };
            match door.read(clock(), at, &mut buffer) {
                Reading::Some => over = self.frames(at, &mut frame).is_err(),
                Reading::Nothing => break,
                Reading::Ended => over = true,
            }
            if over {
                break;
            }
        }
        self.buffer = buffer;
        if over {
            self.close_connection(at);
        }
    }

    fn frames(&mut self, at: usize, frame: &mut Vec<u8>) -> Result<(), NotAFrame> {
        while let Some(door) = &mut self.tcp_door
            && let Some((from, lane)) = door.frame(at, frame)?
        {
            self.arrived(&Arrived { from, road: Road::Tcp, lane: Some(lane), bytes: frame });
        }
        Ok(())
    }

    fn close_connection(&mut self, at: usize) {
        let Some(door) = &mut self.tcp_door else { return };
        if let Some(stream) = door.stream(at) {
            self.epoll.remove(stream);
        }
        door.close(at);
    }

    /// Gives it to its leg, here or on another thread. What is nobody's is counted, and no more.
    fn arrived(&mut self, arrived: &Arrived<'_>) {
        self.counts.packets_in += 1;
        let whose = self.web_port.as_ref().and_then(|port| port.whose(arrived));
        let Some((key, place)) = whose else {
            self.counts.packets_foreign += 1;
            return;
        };
        if let Some((slot, leg)) = self.webs.get(&key).copied() {
            self.receive_of(slot, leg, arrived);
        } else if let Some(thread) = place.thread() {
            let Arrived { from, road, ref lane, bytes } = *arrived;
            let passed = Passed { key, from, road, lane: lane.clone(), bytes: bytes.into() };
            if self.rings[thread].push(passed) {
                self.queue_of(thread).waker().wake();
            }
        }
    }

    /// What other threads handed on.
    pub(crate) fn take_passed(&mut self) {
        let mut early = std::collections::VecDeque::new();
        for passed in self.rings[self.me].take() {
            match self.webs.get(&passed.key).copied() {
                Some((slot, leg)) => {
                    let Passed { from, road, lane, bytes, .. } = passed;
                    self.receive_of(slot, leg, &Arrived { from, road, lane, bytes: &bytes });
                }
                // Its bridge is on its way here.
                None if !self.expected.is_empty() => early.push_back(passed),
                None => {}
            }
        }
        self.early = !early.is_empty();
        if self.early {
            self.rings[self.me].put_back(early);
        }
    }

    fn web_at(&mut self, slot: u32, leg: usize) -> Option<(LegId, SeatId, &mut Web)> {
        let io = self.bridges.get_mut(slot as usize)?.as_mut()?.legs.get_mut(leg)?.as_mut()?;
        match &mut io.way {
            Way::Web(web) => Some((io.id, io.seat, &mut **web)),
            Way::Sockets(_) => None,
        }
    }

    fn receive_of(&mut self, slot: u32, leg: usize, arrived: &Arrived<'_>) {
        let now = clock();
        let Some((id, seat, web)) = self.web_at(slot, leg) else { return };
        if web.is_broken() {
            return self.web_failed(slot, seat);
        }
        let received = catch_unwind(AssertUnwindSafe(|| web.receive(now, arrived)));
        let Ok(received) = received else { return self.web_failed(slot, seat) };
        for packet in &received.plain {
            self.within(slot, |bridge, wire| {
                bridge.handle_packet(now, id, Lane::Rtp, packet, wire);
            });
        }
        self.tell_news(slot, seat, received.news);
    }

    pub(crate) fn web_ticks(&mut self, slot: u32) {
        let legs = self.bridges.get(slot as usize).and_then(Option::as_ref);
        for leg in 0..legs.map_or(0, |hosted| hosted.legs.len()) {
            let Some((_, seat, web)) = self.web_at(slot, leg) else { continue };
            if web.is_broken() {
                self.web_failed(slot, seat);
                continue;
            }
            let now = clock();
            let ticked =
                catch_unwind(AssertUnwindSafe(|| (web.tick(now), web.rtc().take_report())));
            let Ok((news, report)) = ticked else {
                self.web_failed(slot, seat);
                continue;
            };
            if let Some(report) = report {
                let rtt_us = report.rtt.map(|rtt| rtt.as_micros().min(u32::MAX.into()) as u32);
                self.within(slot, |bridge, _| {
                    if let Some(leg) = bridge.leg_mut(seat) {
                        leg.far_says(report.fraction_lost, rtt_us);
                    }
                });
            }
            self.tell_news(slot, seat, news);
        }
    }

    fn tell_news(&mut self, slot: u32, seat: SeatId, news: WebNews) {
        if let Some(state) = news.state {
            self.web_news(slot, seat, state);
        }
        let Some(quiet) = news.quiet else { return };
        if let Some(id) = self.within(slot, |bridge, _| bridge.id()) {
            let event = match quiet {
                true => BridgeEvent::LegQuiet { seat },
                false => BridgeEvent::LegHeard { seat },
            };
            self.tell(id, event);
        }
    }

    /// Connections that nobody named.
    pub(crate) fn sweep_web(&mut self) {
        let Some(door) = self.tcp_door.as_ref() else { return };
        let now = clock();
        if now.since(self.swept) < SWEEP_EVERY_US {
            return;
        }
        self.swept = now;
        for at in door.sweep(now) {
            self.close_connection(at);
        }
    }

    /// Also where a connection that was up before comes into the bridge.
    pub(crate) fn web_news(&mut self, slot: u32, seat: SeatId, state: WebState) {
        let up = state == WebState::Up;
        let id = self.within(slot, |bridge, _| {
            if let Some(leg) = bridge.leg_mut(seat) {
                leg.set_connected(up);
            }
            bridge.id()
        });
        let Some(id) = id else { return };
        match state {
            WebState::Up => self.tell(id, BridgeEvent::LegConnected { seat }),
            WebState::Lost => self.tell(id, BridgeEvent::LegLost { seat }),
            WebState::Connecting => {}
        }
    }

    /// The library panicked over one browser: that leg ends, and nothing else.
    fn web_failed(&mut self, slot: u32, seat: SeatId) {
        tracing::error!(%seat, "a browser's connection panicked and was ended; others go on");
        let bridge = self.within(slot, |bridge, _| bridge.id());
        let dropped = self.detach(slot, seat);
        // What it left in a broken state may panic again as it is dropped.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(dropped)));
        if let Some(id) = bridge {
            self.tell(id, BridgeEvent::LegLost { seat });
        }
    }
}
