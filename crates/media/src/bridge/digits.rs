//! Telephone events between legs: audio by another name, routed by the plan's edges, on the
//! listener's own clock and payload type. What no edge carries reaches nobody.

use crate::events::{EventOut, EventPayload};
use crate::guard::{SourceClock, Stamp};
use crate::leg::rtp::Outgoing;
use undertone_core::id::SeatId;
use undertone_core::plan::Source;
use undertone_core::time::Mono;
use undertone_sdp::EventFormat;

use super::outlet::{Line, Outlet, Way};

#[derive(Clone, Copy, Debug)]
pub(crate) struct ArrivedEvent {
    pub(crate) stamp: Option<Stamp>,
    pub(crate) ts: u32,
    pub(crate) seq: u16,
    pub(crate) marker: bool,
    pub(crate) payload: EventPayload,
    pub(crate) format: EventFormat,
}

impl Outlet {
    pub(crate) fn digit(
        &mut self,
        now: Mono,
        from: SeatId,
        event: &ArrivedEvent,
        clock: &SourceClock,
        mut line: Option<&mut Line<'_>>,
    ) {
        let source = Source::Seat(from);
        if let Some(strand) = self.strand(source)
            && let Some(playout) = &mut strand.playout
        {
            playout.jitter.insert_other(now, event.seq);
        }
        let from_here = self.way == Way::Forward(from);
        let sent = match &mut line {
            Some(line) if self.carries(now, source, event, clock) => {
                self.send_event(now, source, event, line)
            }
            _ => false,
        };
        if let (false, true, Some(stamp)) = (sent, from_here, &event.stamp) {
            self.forwarding.swallow(stamp);
        }
    }

    /// An event that began before the guard let the source through does not come after it either:
    /// its timestamp is that of its start.
    fn carries(
        &mut self,
        now: Mono,
        source: Source,
        event: &ArrivedEvent,
        clock: &SourceClock,
    ) -> bool {
        let Some(e) = self.row.of_mut(source).filter(|e| e.edge.events && e.lives()) else {
            return false;
        };
        match (&mut e.guard, &event.stamp) {
            (None, _) => true,
            (Some(guard), Some(stamp)) => {
                guard.is_open() && !guard.restarted(clock) && guard.passes(now, clock, stamp, 0)
            }
            (Some(_), None) => false,
        }
    }

    fn send_event(
        &mut self,
        now: Mono,
        source: Source,
        event: &ArrivedEvent,
        line: &mut Line<'_>,
    ) -> bool {
        // On the clock of what this listener is sent, whatever that of the source is. Without
        // telephone-event on this side nothing goes out, and no number is left open.
        let format = line.media.events_at(line.sender.clock()).filter(|_| line.media.sends);
        let Some(format) = format else { return false };
        if !self.may_hear(now, std::iter::once(source), line.out) {
            return false;
        }
        let mut payload = event.payload;
        if format.clock != event.format.clock {
            let ticks = u64::from(payload.duration) * u64::from(format.clock);
            let scaled = ticks / u64::from(event.format.clock.max(1));
            payload.duration = scaled.min(u64::from(u16::MAX)) as u16;
        }
        // RFC 4733 section 2.2.1: all packets of an event have the timestamp of its start.
        let (ts, fresh) = match self.event {
            Some((theirs, ours)) if theirs == event.ts => (ours, false),
            _ => (line.sender.line(now), true),
        };
        self.event = Some((event.ts, ts));
        let in_place = match &event.stamp {
            Some(stamp) if self.way == Way::Forward(seat_of(source)) && !self.filling => {
                self.forwarding.place(now, stamp, event.ts, line, None)
            }
            _ => None,
        };
        let seq = match in_place {
            Some((seq, _, _)) => {
                self.forwarding.last =
                    event.stamp.map(|s| (s.epoch, s.seq)).max(self.forwarding.last);
                seq
            }
            None => {
                self.forwarding.make_room();
                line.sender.next_seq()
            }
        };
        let bytes = payload.bytes();
        let marker = fresh || event.marker;
        let packet = Outgoing { seq, ts, pt: format.pt, marker, payload: &bytes, ticks: 0 };
        Self::put(now, format.clock, line, packet)
    }
}

impl Outlet {
    /// An event of our own, on this leg's line.
    pub(crate) fn press(&mut self, now: Mono, clock: u32, event: &EventOut, line: &mut Line<'_>) {
        let Some(format) = line.media.events_at(clock) else { return };
        let (seq, bytes) = (line.sender.next_seq(), event.payload.bytes());
        self.forwarding.make_room();
        let packet = Outgoing {
            seq,
            ts: event.ts,
            pt: format.pt,
            marker: event.marker,
            payload: &bytes,
            ticks: 0,
        };
        Self::put(now, format.clock, line, packet);
    }
}

fn seat_of(source: Source) -> SeatId {
    match source {
        Source::Seat(seat) => seat,
        _ => SeatId(u32::MAX),
    }
}
