//! RTCP of one leg (RFC 3550 section 6): what it says of itself and what it is told. Each leg has
//! a random name of its own; nothing here knows another leg.

use thiserror::Error;
use undertone_core::time::Mono;

/// One reception report block (RFC 3550 section 6.4.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReportBlock {
    pub ssrc: u32,
    pub fraction_lost: u8,
    /// Signed 24 bits.
    pub lost: i32,
    pub highest_seq: u32,
    pub jitter: u32,
    pub last_sr: u32,
    pub delay_since_last_sr: u32,
}

/// What a sender says of its own stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SenderInfo {
    pub ntp: u64,
    pub rtp_ts: u32,
    pub packets: u32,
    pub octets: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rtcp<'a> {
    Sender { ssrc: u32, info: SenderInfo, blocks: Blocks },
    Receiver { ssrc: u32, blocks: Blocks },
    Name { ssrc: u32, cname: &'a [u8] },
    Bye { ssrc: u32 },
    Other { kind: u8 },
}

/// At most 31 report blocks, as the header's five bits allow.
pub type Blocks = smallvec::SmallVec<[ReportBlock; 2]>;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum RtcpError {
    #[error("RTCP packet cut short")]
    Short,
    #[error("not RTCP version 2")]
    Version,
    #[error("a compound packet must begin with a report, not with {0}")]
    First(u8),
    #[error("padding that does not fit its packet")]
    Padding,
}

/// Reads a whole compound packet, calling `each` for every part. The whole is checked first: a
/// packet with one bad part tells nothing (RFC 3550 appendix A.2).
pub fn parse<'a>(bytes: &'a [u8], each: impl FnMut(Rtcp<'a>)) -> Result<(), RtcpError> {
    let _ = (bytes, each);
    todo!()
}

/// The RTCP side of one leg. It gathers what came and writes what is due.
pub struct Session {
    _seed: u64,
}

impl Session {
    /// `ssrc` is the leg's own; `clock` its RTP clock; the seed gives the name and the intervals.
    pub fn new(now: Mono, ssrc: u32, clock: u32, seed: u64) -> Self {
        let _ = (now, ssrc, clock);
        Self { _seed: seed }
    }
    /// A codec with another clock was negotiated.
    pub fn set_clock(&mut self, clock: u32) {
        let _ = clock;
        todo!()
    }
    /// Every RTP packet that came in on this leg.
    pub fn received(&mut self, now: Mono, ssrc: u32, seq: u16, ts: u32) {
        let _ = (now, ssrc, seq, ts);
        todo!()
    }
    /// Every RTP packet that went out on this leg.
    pub fn sent(&mut self, now: Mono, ts: u32, payload_bytes: usize) {
        let _ = (now, ts, payload_bytes);
        todo!()
    }
    /// An RTCP datagram came in.
    pub fn handle(&mut self, now: Mono, bytes: &[u8]) -> Result<(), RtcpError> {
        let _ = (now, bytes);
        todo!()
    }
    /// Writes a compound packet into `out` if one is due; call on every tick.
    pub fn poll(&mut self, now: Mono, out: &mut Vec<u8>) -> bool {
        let _ = (now, out);
        todo!()
    }
    /// The last word of a leg: report, name and BYE.
    pub fn bye(&mut self, now: Mono, out: &mut Vec<u8>) {
        let _ = (now, out);
        todo!()
    }
    pub fn stats(&self) -> RtcpStats {
        todo!()
    }
}

/// Of one leg, since its last SSRC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RtcpStats {
    pub received: u64,
    /// Expected less received; never below 0 here.
    pub lost: u64,
    /// Interarrival jitter (RFC 3550 section 6.4.1), in microseconds.
    pub jitter_us: u32,
    pub sent: u64,
    /// What the far end last said of what we send: lost in 1/256, jitter in our clock's ticks.
    pub far_fraction_lost: u8,
    pub far_jitter: u32,
    pub far_said_bye: bool,
    /// Round trip by the far end's last report.
    pub rtt_us: Option<u32>,
}
