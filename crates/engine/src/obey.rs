//! How a media thread carries out each command. A command for a bridge that is gone is nothing.

use std::panic::{AssertUnwindSafe, catch_unwind};

use undertone_core::id::{BridgeId, SeatId, TapId};
use undertone_media::bridge::{Bridge, BridgeConfig};
use undertone_media::leg::webrtc::WebError;
use undertone_sdp::Media;

use crate::DetachedLeg;
use crate::command::Command;
use crate::hosted::{Hosted, LegIo};
use crate::sys::clock;
use crate::thread::{Turn, Worker};

impl Worker {
    pub(crate) fn obey(&mut self, command: Command) -> Turn {
        // What is asked of a bridge that has not yet come from its old thread waits for it.
        if let Some(id) = command.bridge()
            && !matches!(command, Command::Adopt { .. })
            && let Some(kept) = self.expected.get_mut(&id)
        {
            kept.push(command);
            return Turn::On;
        }
        match command {
            Command::Stop => return Turn::Stop,
            Command::Open { id, seed } => self.open(id, seed),
            Command::Expect { id } => {
                self.expected.insert(id, Vec::new());
            }
            Command::Adopt { id, hosted } => return self.adopt(id, hosted),
            Command::Release { id, to } => {
                let mut hosted = self.slots.get(&id).copied().and_then(|slot| self.take_out(slot));
                let legs = hosted.iter_mut().flat_map(|hosted| hosted.legs.iter_mut().flatten());
                // What comes for its browsers from now on goes there, and waits.
                legs.filter_map(LegIo::web).for_each(|web| web.place.set(Some(to)));
                self.queue_of(to).push(Command::Adopt { id, hosted });
            }
            Command::Inspect { id, work } => match self.slots.get(&id).copied() {
                Some(slot) => {
                    self.within(slot, |bridge, _| work(Some(bridge)));
                }
                None => work(None),
            },
            Command::Welcome { .. }
            | Command::Farewell { .. }
            | Command::Known { .. }
            | Command::Unknown { .. } => self.obey_of_port(command),
            other => self.obey_of_bridge(other),
        }
        Turn::On
    }

    fn obey_of_port(&mut self, command: Command) {
        let Some(port) = &mut self.web_port else { return };
        match command {
            Command::Welcome { ufrag, key, place } => port.welcome(ufrag, key, place),
            Command::Farewell { key } => port.farewell(key),
            Command::Known { key, road, from } => port.known(key, road, from),
            Command::Unknown { key, road, from } => port.unknown(key, road, from),
            _ => {}
        }
    }

    fn obey_of_bridge(&mut self, command: Command) {
        let Some(slot) = command.bridge().and_then(|id| self.slots.get(&id).copied()) else {
            return;
        };
        match command {
            Command::Close { .. } => self.remove(slot),
            Command::Attach { seat, leg, ports, media, .. } => {
                let mut io = LegIo::new(clock(), leg.id(), seat, ports, &media);
                if let Some(sockets) = io.sockets() {
                    sockets.forget_early(&mut self.buffer);
                }
                self.attach(slot, io, *leg);
            }
            Command::AttachLeg { seat, leg, .. } => {
                let DetachedLeg { leg, mut io } = *leg;
                io.seat = seat;
                self.attach(slot, io, leg);
            }
            Command::Detach { seat, answer, .. } => answer.give(self.detach(slot, seat)),
            Command::Reconfigure { seat, media, .. } => self.reconfigure(slot, seat, *media),
            Command::Reoffer { seat, offer, secret, answer, .. } => {
                let hosted = self.bridges.get_mut(slot as usize).and_then(Option::as_mut);
                let web = hosted.and_then(|hosted| hosted.leg_of(seat)?.web());
                // A panic of the library over a hostile offer is that browser's alone.
                let again = web.map(|web| {
                    catch_unwind(AssertUnwindSafe(|| web.reoffer(*offer, &secret)))
                        .unwrap_or(Err(WebError::OtherBrowser))
                });
                answer.give(again);
            }
            Command::Silent { seat, answer, .. } => {
                let hosted = self.bridges.get_mut(slot as usize).and_then(Option::as_mut);
                let web = hosted.and_then(|hosted| hosted.leg_of(seat)?.web());
                answer.give(web.map(|web| web.rtc().silent_ms(clock())));
            }
            Command::Rewire { seat, with, .. } => self.rewire(slot, seat, with.io),
            Command::Trust { seat, host, .. } => self.trust(slot, seat, host),
            Command::Apply { plan, .. } => {
                self.within(slot, |bridge, wire| bridge.apply(clock(), plan, wire));
            }
            Command::OpenTap { tap, rate, sink, .. } => {
                self.close_tap(slot, tap);
                if let Some(Some(hosted)) = self.bridges.get_mut(slot as usize) {
                    hosted.taps.push((tap, sink));
                    self.counts.taps += 1;
                }
                self.within(slot, |bridge, _| bridge.open_tap(tap, rate));
            }
            Command::CloseTap { tap, .. } => self.close_tap(slot, tap),
            Command::SetSource { source, sound, .. } => {
                self.within(slot, |bridge, _| bridge.set_source(source, sound));
            }
            Command::Prove { seat, incoming, .. } => {
                self.within(slot, |bridge, _| bridge.prove(seat, incoming));
            }
            _ => {}
        }
    }

    fn open(&mut self, id: BridgeId, seed: u64) {
        let bridge = Bridge::new(clock(), BridgeConfig { id, seed });
        let (legs, taps) = (Vec::new(), Vec::new());
        self.put_in(Box::new(Hosted { id, bridge, legs, taps, phase: 0 }));
    }

    /// What was kept for the bridge is carried out now, in its order.
    fn adopt(&mut self, id: BridgeId, hosted: Option<Box<Hosted>>) -> Turn {
        if let Some(hosted) = hosted {
            self.put_in(hosted);
        }
        for command in self.expected.remove(&id).unwrap_or_default() {
            if let Turn::Stop = self.obey(command) {
                return Turn::Stop;
            }
        }
        Turn::On
    }

    fn attach(&mut self, slot: u32, mut io: LegIo, leg: undertone_media::bridge::Leg) {
        let seat = io.seat;
        // Whose bridge it was may have been told, and this one knows nothing of it.
        let state = io.web().map(|web| {
            web.rtc().tell_quiet_again();
            web.rtc().state()
        });
        // A seat has one leg: the one that was there goes, and its ports with it.
        drop(self.detach(slot, seat));
        let Some(Some(hosted)) = self.bridges.get_mut(slot as usize) else { return };
        let at = hosted.put(io);
        self.counts.legs += 1;
        self.watch(slot, at);
        self.within(slot, |bridge, wire| bridge.attach(clock(), seat, leg, wire));
        if let Some(state) = state {
            self.web_news(slot, seat, state);
        }
    }

    /// The leg stays; how it is reached is another now.
    fn rewire(&mut self, slot: u32, seat: SeatId, mut io: LegIo) {
        let Some(Some(hosted)) = self.bridges.get_mut(slot as usize) else { return };
        let Some(at) = hosted.leg_index(seat) else { return };
        let Some(old) = hosted.legs[at].take() else { return };
        (io.id, io.seat) = (old.id, seat);
        let state = io.web().map(|web| web.rtc().state());
        hosted.legs[at] = Some(io);
        self.unwatch(&old);
        drop(old);
        self.watch(slot, at);
        if let Some(state) = state {
            self.web_news(slot, seat, state);
        }
    }

    pub(crate) fn detach(&mut self, slot: u32, seat: SeatId) -> Option<DetachedLeg> {
        let hosted = self.bridges.get_mut(slot as usize)?.as_mut()?;
        let at = hosted.leg_index(seat)?;
        let leg = self.within(slot, |bridge, _| bridge.detach(clock(), seat)).flatten();
        let hosted = self.bridges.get_mut(slot as usize)?.as_mut()?;
        let io = hosted.legs[at].take()?;
        self.counts.legs -= 1;
        self.unwatch(&io);
        Some(DetachedLeg { leg: leg?, io })
    }

    fn reconfigure(&mut self, slot: u32, seat: SeatId, media: Media) {
        let Some(Some(hosted)) = self.bridges.get_mut(slot as usize) else { return };
        let Some(io) = hosted.leg_of(seat) else { return };
        io.reconfigure(clock(), &media);
        self.within(slot, |bridge, _| {
            if let Some(leg) = bridge.leg_mut(seat) {
                leg.reconfigure(clock(), media);
            }
        });
    }

    fn trust(&mut self, slot: u32, seat: SeatId, host: std::net::IpAddr) {
        let Some(Some(hosted)) = self.bridges.get_mut(slot as usize) else { return };
        if let Some(io) = hosted.leg_of(seat) {
            io.trust(host);
        }
    }

    pub(crate) fn close_tap(&mut self, slot: u32, tap: TapId) {
        let Some(Some(hosted)) = self.bridges.get_mut(slot as usize) else { return };
        let Some(at) = hosted.taps.iter().position(|(id, _)| *id == tap) else { return };
        hosted.taps.swap_remove(at);
        self.counts.taps -= 1;
        self.within(slot, |bridge, _| bridge.close_tap(tap));
    }
}
