//! Telephone events (RFC 4733): digits on the wire, in and out. Who may hear them is the plan's.

use crate::rtp::ts_diff;
use std::collections::VecDeque;

const QUEUE: usize = 64;
const TICK_MS: u32 = 20;
/// Silence between two digits, so that both are told apart; 40 ms is the least of ITU-T Q.24.
const GAP_TICKS: u8 = 3;
const VOLUME: u8 = 10;
/// An event of which nothing was heard for so long is over, its end lost (RFC 4733 2.5.2.2).
const QUIET_US: u64 = 100_000;

/// One payload (RFC 4733 section 2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventPayload {
    pub event: u8,
    pub end: bool,
    /// 0 to 63, in -dBm0.
    pub volume: u8,
    /// Ticks of the event's clock since its start, as of this packet.
    pub duration: u16,
}

impl EventPayload {
    /// None: no telephone event. Only the first event of a payload is read.
    pub fn parse(payload: &[u8]) -> Option<Self> {
        let [event, flags, d1, d0, ..] = *payload else { return None };
        let duration = u16::from_be_bytes([d1, d0]);
        Some(Self { event, end: flags & 0x80 != 0, volume: flags & 0x3f, duration })
    }

    pub fn bytes(&self) -> [u8; 4] {
        let d = self.duration.to_be_bytes();
        [self.event, u8::from(self.end) << 7 | (self.volume & 0x3f), d[0], d[1]]
    }
}

/// `0`-`9`, `*`, `#`, `A`-`D` (RFC 4733 section 3.2).
pub fn event_of(digit: char) -> Option<u8> {
    Some(match digit.to_ascii_uppercase() {
        d @ '0'..='9' => d as u8 - b'0',
        '*' => 10,
        '#' => 11,
        d @ 'A'..='D' => d as u8 - b'A' + 12,
        _ => return None,
    })
}

pub fn digit_of(event: u8) -> Option<char> {
    Some(match event {
        0..=9 => (b'0' + event) as char,
        10 => '*',
        11 => '#',
        12..=15 => (b'A' + event - 12) as char,
        _ => return None,
    })
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    Started(u8),
    Ended(u8),
}

/// Turns the packets of one source into events that start and end once each, whatever is lost or
/// sent again.
#[derive(Clone, Debug, Default)]
pub struct EventReceiver {
    current: Option<Current>,
}

#[derive(Clone, Copy, Debug)]
struct Current {
    event: u8,
    ts: u32,
    ended: bool,
}

impl EventReceiver {
    pub fn new() -> Self {
        Self::default()
    }

    /// `ts` is the packet's timestamp: it names the event (RFC 4733 section 2.2). At most three
    /// things were heard: the end of one, the start of the next and its end.
    pub fn packet(&mut self, ts: u32, packet: EventPayload) -> [Option<Heard>; 3] {
        let event = packet.event;
        let mut heard = [None; 3];
        if let Some(current) = &mut self.current {
            // A segment of an event longer than 16 bits of time has the next timestamp
            // (RFC 4733 section 2.5.1.3); it is the same event.
            let continues = !current.ended
                && current.event == event
                && ts == current.ts.wrapping_add(u32::from(u16::MAX));
            if continues {
                current.ts = ts;
            }
            if ts_diff(ts, current.ts) < 0 {
                return heard;
            }
            if ts == current.ts {
                if packet.end && !current.ended && current.event == event {
                    current.ended = true;
                    heard[0] = Some(Heard::Ended(event));
                }
                return heard;
            }
            if !current.ended {
                heard[0] = Some(Heard::Ended(current.event));
            }
        }
        self.current = Some(Current { event, ts, ended: packet.end });
        heard[1] = Some(Heard::Started(event));
        heard[2] = packet.end.then_some(Heard::Ended(event));
        heard
    }

    /// An event whose end was lost is over after 100 ms without a packet. Call at leisure with
    /// the microseconds since the last event packet.
    pub fn quiet(&mut self, us: u64) -> Option<Heard> {
        let current = self.current.as_mut().filter(|c| !c.ended && us >= QUIET_US)?;
        current.ended = true;
        Some(Heard::Ended(current.event))
    }

    pub fn reset(&mut self) {
        *self = Self::default();
    }
}

/// Sends digits, one after the other: a packet each 20 ms tick, its end three times, a gap.
#[derive(Clone, Debug)]
pub struct EventSender {
    clock: u32,
    waiting: VecDeque<(u8, u16)>,
    now: Option<Sending>,
    gap: u8,
}

#[derive(Clone, Copy, Debug)]
struct Sending {
    event: u8,
    ts: u32,
    ticks: u32,
    total: u32,
}

/// What the leg is to send on this tick, with the leg's own sequence number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventOut {
    /// First packet of an event (RFC 4733 section 2.5.1.1).
    pub marker: bool,
    /// The event's start; the same in all its packets.
    pub ts: u32,
    pub payload: EventPayload,
}

impl EventSender {
    pub fn new(clock: u32) -> Self {
        Self { clock, waiting: VecDeque::with_capacity(QUEUE), now: None, gap: 0 }
    }

    pub fn clock(&self) -> u32 {
        self.clock
    }

    /// The audio runs on another clock now; an event under way and what waits behind it end on
    /// the one they began on.
    pub fn follow(&mut self, clock: u32) {
        if self.now.is_none() && self.waiting.is_empty() {
            self.clock = clock;
        }
    }

    /// False: 64 are waiting, or it is no event.
    pub fn press(&mut self, event: u8, duration_ms: u16) -> bool {
        if self.waiting.len() >= QUEUE || duration_ms == 0 {
            return false;
        }
        self.waiting.push_back((event, duration_ms));
        true
    }

    /// Call on every 20 ms tick with the timestamp that audio of this tick has or would have. At
    /// most 3 packets (the end is sent thrice); none: audio may be sent.
    pub fn tick(&mut self, ts: u32) -> [Option<EventOut>; 3] {
        let step = self.clock * TICK_MS / 1000;
        let mut sending = match self.now {
            Some(sending) => sending,
            None if self.gap > 0 => {
                self.gap -= 1;
                return [None; 3];
            }
            None => {
                let Some((event, ms)) = self.waiting.pop_front() else { return [None; 3] };
                // Longer ones would need segments; nothing of ours presses for so long.
                let total = (self.clock * u32::from(ms) / 1000).clamp(step, u16::MAX.into());
                Sending { event, ts, ticks: 0, total }
            }
        };
        let marker = sending.ticks == 0;
        sending.ticks += step;
        let end = sending.ticks >= sending.total;
        let duration = sending.ticks.min(u16::MAX.into()) as u16;
        let payload = EventPayload { event: sending.event, end, volume: VOLUME, duration };
        let out = EventOut { marker, ts: sending.ts, payload };
        if end {
            self.now = None;
            self.gap = GAP_TICKS;
            let again = Some(EventOut { marker: false, ..out });
            return [Some(out), again, again];
        }
        self.now = Some(sending);
        [Some(out), None, None]
    }

    /// An event is being sent: no audio meanwhile.
    pub fn busy(&self) -> bool {
        self.now.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(digits: &str, clock: u32) -> Vec<EventOut> {
        let mut sender = EventSender::new(clock);
        for digit in digits.chars() {
            assert!(sender.press(event_of(digit).unwrap(), 100));
        }
        (0..100u32).flat_map(|t| sender.tick(t * clock / 50)).flatten().collect()
    }

    fn heard(packets: impl IntoIterator<Item = EventOut>) -> Vec<Heard> {
        let mut receiver = EventReceiver::new();
        let read = |p: &EventOut| EventPayload::parse(&p.payload.bytes()).unwrap();
        packets.into_iter().flat_map(|p| receiver.packet(p.ts, read(&p))).flatten().collect()
    }

    #[test]
    fn digits_arrive_once_each_in_order() {
        let packets = sent("1*7#", 8_000);
        assert_eq!(packets.len(), 4 * 7, "100 ms is five packets and two more of the end");
        let want: Vec<_> =
            [1, 10, 7, 11].iter().flat_map(|e| [Heard::Started(*e), Heard::Ended(*e)]).collect();
        assert_eq!(heard(packets.clone()), want);
        assert_eq!(heard(packets.iter().flat_map(|p| [*p, *p])), want, "sent twice");
        let only_ends = packets.iter().filter(|p| p.payload.end).copied();
        assert_eq!(heard(only_ends), want, "only ends came");
        let no_ends = packets.iter().filter(|p| !p.payload.end).copied();
        assert_eq!(heard(no_ends), want[..7], "the last one has not ended yet");
    }

    #[test]
    fn same_digit_twice_is_two_digits_and_its_packets_share_a_timestamp() {
        let packets = sent("55", 48_000);
        assert_eq!(heard(packets.clone()).len(), 4);
        let stamps: std::collections::BTreeSet<_> = packets.iter().map(|p| p.ts).collect();
        assert_eq!(stamps.len(), 2);
        assert_eq!(packets.iter().filter(|p| p.marker).count(), 2);
    }

    #[test]
    fn an_event_whose_end_is_lost_ends_by_itself() {
        let mut receiver = EventReceiver::new();
        let packet = EventPayload { event: 4, end: false, volume: 10, duration: 160 };
        assert_eq!(receiver.packet(0, packet)[1], Some(Heard::Started(4)));
        assert_eq!(receiver.quiet(99_000), None);
        assert_eq!(receiver.quiet(100_000), Some(Heard::Ended(4)));
        assert_eq!(receiver.quiet(200_000), None);
        assert_eq!(receiver.packet(0, packet), [None; 3], "a late packet of the same event");
    }

    #[test]
    fn a_long_event_in_segments_is_one_event() {
        let mut receiver = EventReceiver::new();
        let packet = |end, duration| EventPayload { event: 4, end, volume: 10, duration };
        receiver.packet(1_000, packet(false, u16::MAX));
        assert_eq!(receiver.packet(66_535, packet(false, 160)), [None; 3]);
        assert_eq!(receiver.packet(66_535, packet(true, 320))[0], Some(Heard::Ended(4)));
    }

    proptest::proptest! {
        #[test]
        fn any_packets_give_starts_and_ends_in_turn(
            packets in proptest::collection::vec((0u32..2_000, 0u8..16, proptest::bool::ANY), 0..60)
        ) {
            let mut receiver = EventReceiver::new();
            let mut open = None;
            for (ts, event, end) in packets {
                let payload = EventPayload { event, end, volume: 0, duration: 1 };
                for heard in receiver.packet(ts, payload).into_iter().flatten() {
                    match heard {
                        Heard::Started(e) => assert_eq!(open.replace(e), None),
                        Heard::Ended(e) => assert_eq!(open.take(), Some(e)),
                    }
                }
            }
        }

        #[test]
        fn any_bytes_are_read_or_refused(
            bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..12)
        ) {
            let read = EventPayload::parse(&bytes);
            proptest::prop_assert_eq!(read.is_some(), bytes.len() >= 4);
        }
    }
}
