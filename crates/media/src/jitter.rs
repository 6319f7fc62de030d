//! The jitter buffer: belongs to one source, holds its packets encoded, and says when the next is
//! due. Knows no codec and makes no sound; `playout` turns it into steady PCM.

use undertone_core::time::Mono;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JitterConfig {
    /// RTP clock of the source, ticks a second.
    pub clock: u32,
    /// The target never exceeds this; what waits longer is dropped.
    pub max_ms: u32,
    /// The target is never below this.
    pub min_ms: u32,
}

impl JitterConfig {
    pub fn new(clock: u32) -> Self {
        Self { clock, max_ms: 1_000, min_ms: 2 }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inserted {
    Kept,
    /// Its place was already played, or declared lost.
    Late,
    Duplicate,
    /// Sequence or timestamp jumped: what was held is gone, and this is a new beginning.
    Restarted,
    /// Longer than we take.
    Refused,
}

/// A packet as it is held: payload borrowed until the next call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held<'a> {
    pub seq: u16,
    pub ts: u32,
    pub pt: u8,
    pub payload: &'a [u8],
    /// When it came.
    pub at: Mono,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pull<'a> {
    Packet(Held<'a>),
    /// The next packet is lost: later ones are here. `ticks` is how much time is missing, by the
    /// RTP clock (one packet of it a call); `next` the payload that directly follows, for FEC.
    Lost {
        ts: u32,
        ticks: u32,
        next: Option<Held<'a>>,
    },
    /// Nothing is due. Before the first packet: silence. After it: conceal; what was concealed
    /// makes the delay longer.
    Wait,
}

/// What the player should do to bring the delay toward its target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Advice {
    Keep,
    /// This much too late: cut out silence, or shrink.
    Shrink {
        us: u32,
        urgent: bool,
    },
    /// This much too early: stretch.
    Grow {
        us: u32,
    },
}

pub struct JitterBuffer {
    _config: JitterConfig,
}

impl JitterBuffer {
    pub fn new(config: JitterConfig) -> Self {
        Self { _config: config }
    }
    pub fn insert(&mut self, now: Mono, seq: u16, ts: u32, pt: u8, payload: &[u8]) -> Inserted {
        let _ = (now, seq, ts, pt, payload);
        todo!()
    }
    /// The next packet in order. `at` is when its first sample will be heard: now, plus what the
    /// player still has of earlier packets.
    pub fn pull(&mut self, at: Mono) -> Pull<'_> {
        let _ = at;
        todo!()
    }
    /// What to do about the delay of what would be heard at `at`.
    pub fn advice(&self, at: Mono) -> Advice {
        let _ = at;
        todo!()
    }
    /// 95th percentile of relative transit over the last 2 s.
    pub fn target_ms(&self) -> u32 {
        todo!()
    }
    /// Delay that the last pulled packet had over the fastest one.
    pub fn depth_ms(&self) -> u32 {
        todo!()
    }
    /// Packets held.
    pub fn len(&self) -> usize {
        todo!()
    }
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// Takes what is held, in order, earliest first, one a call: for a listener that goes back to
    /// being forwarded to.
    pub fn drain(&mut self) -> Option<Held<'_>> {
        todo!()
    }
    /// Forgets packets and place, keeps what it learnt of the path.
    pub fn clear(&mut self) {
        todo!()
    }
    /// As new, for another source or clock.
    pub fn restart(&mut self, clock: u32) {
        let _ = clock;
        todo!()
    }
    pub fn stats(&self) -> JitterStats {
        todo!()
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JitterStats {
    pub kept: u64,
    pub late: u64,
    pub duplicate: u64,
    pub lost: u64,
    pub restarts: u64,
    /// Times that nothing was there when it was due.
    pub underruns: u64,
}
