//! One source as steady PCM: jitter buffer, decoder, concealment and time-scaling joined. Asked for
//! a frame on each tick, it always gives one. Knows no listener and no plan.

use crate::codec::{CodecError, Decoder};
use crate::jitter::{Inserted, JitterBuffer, JitterConfig};
use undertone_core::time::Mono;
use undertone_sdp::Codec;

/// What a frame is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameInfo {
    /// RTP timestamp of the oldest sample that went into the frame, or that the concealment or
    /// crossfade in it leans on; None: nothing of the source is in it (silence before its start).
    pub oldest_ts: Option<u32>,
    /// RTP timestamp just after the last sample of the frame.
    pub end_ts: Option<u32>,
    /// Samples of the frame that were made up.
    pub concealed: usize,
}

pub struct Playout {
    pub jitter: JitterBuffer,
    _decoder: Decoder,
}

impl Playout {
    pub fn new(codec: Codec) -> Result<Self, CodecError> {
        let jitter = JitterBuffer::new(JitterConfig::new(codec.rtp_clock()));
        Ok(Self { jitter, _decoder: Decoder::new(codec)? })
    }
    /// Payload types of other codecs of the same set; a packet of an unknown one is dropped.
    pub fn set_codecs(&mut self, codecs: &[(u8, Codec)]) -> Result<(), CodecError> {
        let _ = codecs;
        todo!()
    }
    pub fn insert(&mut self, now: Mono, seq: u16, ts: u32, pt: u8, payload: &[u8]) -> Inserted {
        self.jitter.insert(now, seq, ts, pt, payload)
    }
    /// The rate of what `frame` gives: that of the packets now being played.
    pub fn rate(&self) -> u32 {
        todo!()
    }
    /// Fills `out` (cleared first) with 20 ms at `rate()`.
    pub fn frame(&mut self, now: Mono, out: &mut Vec<i16>) -> FrameInfo {
        let _ = (now, out);
        todo!()
    }
    /// Decoder, concealment and what was decoded but not played start from nothing; the jitter
    /// buffer keeps its packets and its place.
    pub fn reset_audio(&mut self) {
        todo!()
    }
}
