//! Telephone events (RFC 4733): digits on the wire, in and out. Who may hear them is the plan's.

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
    _private: (),
}

impl EventReceiver {
    pub fn new() -> Self {
        Self::default()
    }
    /// `ts` is the packet's timestamp: it names the event (RFC 4733 section 2.2). At most two
    /// things were heard: the end of one and the start of the next.
    pub fn packet(&mut self, ts: u32, event: EventPayload) -> [Option<Heard>; 2] {
        let _ = (ts, event);
        todo!()
    }
    /// No packet for 100 ms and more: an event whose end was lost is over. Call at leisure with
    /// the microseconds since the last event packet.
    pub fn quiet(&mut self, us: u64) -> Option<Heard> {
        let _ = us;
        todo!()
    }
    pub fn reset(&mut self) {
        *self = Self::default();
    }
}

/// Sends digits, one after the other: a packet each 20 ms tick, its end three times, a gap.
#[derive(Clone, Debug)]
pub struct EventSender {
    _clock: u32,
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
        Self { _clock: clock }
    }
    /// False: more than 64 are waiting, or it is no event.
    pub fn press(&mut self, event: u8, duration_ms: u16) -> bool {
        let _ = (event, duration_ms);
        todo!()
    }
    /// Call on every 20 ms tick with the timestamp that audio of this tick has or would have. At
    /// most 3 packets (the end is sent thrice); none: audio may be sent.
    pub fn tick(&mut self, ts: u32) -> [Option<EventOut>; 3] {
        let _ = ts;
        todo!()
    }
    /// An event is being sent: no audio meanwhile.
    pub fn busy(&self) -> bool {
        todo!()
    }
}
