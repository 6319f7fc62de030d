//! What was agreed for one audio stream, and what we bring to the agreement.

use std::net::{IpAddr, SocketAddr};

use crate::codec::{Codec, EventFormat, OpusParams};

/// The direction of a stream as one side sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    SendRecv,
    SendOnly,
    RecvOnly,
    Inactive,
}

impl Direction {
    pub fn new(sends: bool, receives: bool) -> Self {
        match (sends, receives) {
            (true, true) => Self::SendRecv,
            (true, false) => Self::SendOnly,
            (false, true) => Self::RecvOnly,
            (false, false) => Self::Inactive,
        }
    }

    pub fn sends(self) -> bool {
        matches!(self, Self::SendRecv | Self::SendOnly)
    }

    pub fn receives(self) -> bool {
        matches!(self, Self::SendRecv | Self::RecvOnly)
    }

    /// The same stream seen from the other end.
    pub fn reversed(self) -> Self {
        Self::new(self.receives(), self.sends())
    }

    /// What both allow, each seen from our side.
    pub fn and(self, other: Self) -> Self {
        Self::new(self.sends() && other.sends(), self.receives() && other.receives())
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::SendRecv => "sendrecv",
            Self::SendOnly => "sendonly",
            Self::RecvOnly => "recvonly",
            Self::Inactive => "inactive",
        }
    }
}

/// Where we receive: bound before it is offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalAddr {
    pub ip: IpAddr,
    pub rtp_port: u16,
    pub rtcp_port: u16,
}

/// What we can and want, in our order of preference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capabilities {
    pub codecs: Vec<Codec>,
    pub events: bool,
    pub comfort_noise: bool,
    pub rtcp_mux: bool,
    pub ptime_ms: u8,
    /// Answers follow our order of codecs instead of the offer's.
    pub prefer_ours: bool,
}

impl Default for Capabilities {
    fn default() -> Self {
        Self {
            codecs: vec![Codec::Pcmu, Codec::Pcma, Codec::G722, Codec::Opus],
            events: true,
            comfort_noise: false,
            rtcp_mux: false,
            ptime_ms: 20,
            prefer_ours: false,
        }
    }
}

/// The agreed stream, from our side: we send to `addr` with `codecs[0]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Media {
    /// Where the far end wants RTP.
    pub addr: SocketAddr,
    pub rtcp: SocketAddr,
    pub rtcp_mux: bool,
    /// We may send.
    pub sends: bool,
    /// The far end may send to us.
    pub receives: bool,
    /// Non-empty. The first is what we send; any may arrive. These are the numbers to send with;
    /// `arriving` has those that the far end sends with, where they differ.
    pub codecs: Vec<(u8, Codec)>,
    /// Payload types as the far end uses them toward us: an offerer's numbers name what it wants
    /// to receive (RFC 3264 section 5.1), so the two directions may differ.
    pub arriving: Vec<(u8, Codec)>,
    /// One for each clock that was agreed, that of the codec that we send first.
    pub events: Vec<EventFormat>,
    /// Events as they arrive, at the numbers that we announced.
    pub events_arriving: Vec<EventFormat>,
    pub comfort_noise: Option<u8>,
    pub ptime_ms: u8,
    pub maxptime_ms: Option<u8>,
    /// What the far end wants of our Opus.
    pub opus: OpusParams,
}

impl Media {
    pub fn direction(&self) -> Direction {
        Direction::new(self.sends, self.receives)
    }

    /// How events go out on a stream of this clock: an event has the clock of the audio around it
    /// (RFC 4733 section 2.1). Another clock only where the far end agreed to no other.
    pub fn events_at(&self, clock: u32) -> Option<EventFormat> {
        let fits = self.events.iter().find(|e| e.clock == clock);
        fits.or(self.events.first()).copied()
    }

    /// The event format of a payload type that arrived. What the far end calls events is asked
    /// only where we announced none: its number may be our number of a codec.
    pub fn event_of(&self, pt: u8) -> Option<EventFormat> {
        let ours = &self.events_arriving;
        let all = if ours.is_empty() { &self.events } else { ours };
        all.iter().find(|e| e.pt == pt).copied()
    }

    /// The codec of a payload type that arrived.
    pub fn codec_of(&self, pt: u8) -> Option<Codec> {
        let found = self.arriving.iter().chain(&self.codecs).find(|(have, _)| *have == pt);
        found.map(|(_, codec)| *codec)
    }
}
