//! A packet comes in: read once, then offered to each listener whose row names its source.

use crate::codec;
use crate::events::{EventPayload, Heard};
use crate::leg::Leg;
use crate::rtp::Packet;
use undertone_core::id::{LegId, SeatId};
use undertone_core::plan::Source;
use undertone_core::time::Mono;
use undertone_sdp::EventFormat;

use super::digits::ArrivedEvent;
use super::forward::{Arrived, Kind, Took};
use super::mixing::kind_of;
use super::outlet::Line;
use super::{Bridge, BridgeEvent, Lane, Out};

impl Bridge {
    pub fn handle_packet(
        &mut self,
        now: Mono,
        leg: LegId,
        lane: Lane,
        bytes: &[u8],
        out: &mut dyn Out,
    ) {
        let Some(at) = self.slots.0.iter().position(|slot| slot.id == leg) else { return };
        let seat = self.slots.0[at].seat;
        let Some(mut from) = self.slots.0[at].leg.take() else { return };
        if lane == Lane::Rtcp {
            if from.rtcp.handle(now, bytes).is_err() {
                from.unusable += 1;
            }
            self.slots.0[at].leg = Some(from);
            return;
        }
        match Packet::parse(bytes) {
            Ok(packet) => {
                if let Some(format) = from.media.event_of(packet.pt) {
                    self.event_came(now, seat, &mut from, &packet, format, out);
                    self.slots.0[at].leg = Some(from);
                } else if let Some(arrived) = audio_came(now, &mut from, packet) {
                    let again = self.offer(now, seat, &from, &arrived, out);
                    self.slots.0[at].leg = Some(from);
                    if !again.is_empty() {
                        self.offer_again(now, at, &again, &arrived, out);
                    }
                } else {
                    from.unusable += 1;
                    self.slots.0[at].leg = Some(from);
                }
            }
            Err(_) => {
                from.unusable += 1;
                self.slots.0[at].leg = Some(from);
            }
        }
    }

    /// Gives the packet to each listener of the source. Who has to be arranged anew is returned.
    fn offer(
        &mut self,
        now: Mono,
        seat: SeatId,
        from: &Leg,
        arrived: &Arrived<'_>,
        out: &mut dyn Out,
    ) -> smallvec::SmallVec<[usize; 4]> {
        let mut again = smallvec::SmallVec::new();
        for (i, slot) in self.slots.0.iter_mut().enumerate() {
            let Some(leg) = slot.leg.as_deref_mut() else { continue };
            let Leg { sender, rtcp, media, outlet, .. } = leg;
            let Some(outlet) = outlet.as_deref_mut() else { continue };
            let mut line = Line { leg: slot.id, sender, rtcp, media, out };
            if outlet.audio(now, seat, arrived, &from.info(), Some(&mut line)) == Took::Rearrange {
                again.push(i);
            }
        }
        let legs = self.slots.0.len();
        for (i, tap) in self.taps.iter_mut().enumerate() {
            if tap.outlet.audio(now, seat, arrived, &from.info(), None) == Took::Rearrange {
                again.push(legs + i);
            }
        }
        again
    }

    fn offer_again(
        &mut self,
        now: Mono,
        at: usize,
        again: &[usize],
        arrived: &Arrived<'_>,
        out: &mut dyn Out,
    ) {
        let seat = self.slots.0[at].seat;
        for i in again.iter().copied() {
            let legs = self.slots.0.len();
            if i >= legs {
                let Some(tap) = self.taps.get_mut(i - legs) else { continue };
                tap.outlet.arrange(now, tap.rate, &self.slots);
                let Some(from) = self.slots.0[at].leg.as_deref() else { continue };
                tap.outlet.audio(now, seat, arrived, &from.info(), None);
                continue;
            }
            let id = self.slots.0[i].id;
            let Some(mut leg) = self.slots.0[i].leg.take() else { continue };
            let rate = leg.rate();
            let Leg { sender, rtcp, media, outlet, .. } = &mut *leg;
            if let (Some(outlet), Some(from)) =
                (outlet.as_deref_mut(), self.slots.0[at].leg.as_deref())
            {
                outlet.arrange(now, rate, &self.slots);
                let mut line = Line { leg: id, sender, rtcp, media, out };
                outlet.audio(now, seat, arrived, &from.info(), Some(&mut line));
            }
            self.slots.0[i].leg = Some(leg);
        }
    }

    fn event_came(
        &mut self,
        now: Mono,
        seat: SeatId,
        from: &mut Leg,
        packet: &Packet<'_>,
        format: EventFormat,
        out: &mut dyn Out,
    ) {
        let Some(payload) = EventPayload::parse(packet.payload) else {
            from.unusable += 1;
            return;
        };
        from.rtcp.received(now, packet.ssrc, packet.seq, packet.ts);
        (from.last_in, from.silent_told, from.digit_at) = (Some(now), 0, now);
        for heard in from.digits.packet(packet.ts, payload).into_iter().flatten() {
            out.event(digit(seat, heard));
        }
        let same = from.clock.ssrc() == Some(packet.ssrc);
        let stamp = from.clock.place(packet.seq, packet.ts).filter(|_| same);
        let (ts, seq, marker) = (packet.ts, packet.seq, packet.marker);
        let arrived = ArrivedEvent { stamp, ts, seq, marker, payload, format };
        for slot in &mut self.slots.0 {
            let Some(leg) = slot.leg.as_deref_mut() else { continue };
            let Leg { sender, rtcp, media, outlet, .. } = leg;
            let Some(outlet) = outlet.as_deref_mut() else { continue };
            if outlet.row.of(Source::Seat(seat)).is_none() {
                continue;
            }
            let mut line = Line { leg: slot.id, sender, rtcp, media, out };
            outlet.digit(now, seat, &arrived, &from.clock, Some(&mut line));
        }
        for tap in &mut self.taps {
            tap.outlet.digit(now, seat, &arrived, &from.clock, None);
        }
        if let Some(stamp) = &stamp {
            from.clock.other(stamp);
        }
    }
}

pub(crate) fn digit(seat: SeatId, heard: Heard) -> BridgeEvent {
    let (event, started) = match heard {
        Heard::Started(event) => (event, true),
        Heard::Ended(event) => (event, false),
    };
    BridgeEvent::Digit { seat, event, started }
}

/// None: nobody negotiated it, or it is no packet of its codec.
fn audio_came<'a>(now: Mono, from: &mut Leg, packet: Packet<'a>) -> Option<Arrived<'a>> {
    let (kind, clock) = kind_of(packet.pt, &from.info())?;
    let ticks = match kind {
        Kind::Audio(codec) => codec::rtp_ticks(codec, packet.payload)?,
        Kind::ComfortNoise => 0,
    };
    if let Kind::Audio(codec) = kind {
        from.codec = codec;
    }
    from.rtcp.received(now, packet.ssrc, packet.seq, packet.ts);
    (from.last_in, from.silent_told) = (Some(now), 0);
    let epoch = from.clock.epoch();
    let stamp = from.clock.packet(now, clock, packet.ssrc, packet.seq, packet.ts, ticks);
    if stamp.epoch != epoch {
        from.path.clear();
    }
    from.path.push(packet.seq, packet.ts, now);
    Some(Arrived { packet, kind, stamp, ticks, clock })
}
