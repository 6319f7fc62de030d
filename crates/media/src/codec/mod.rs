//! One decoder and one encoder a leg, whatever the codec. Owns codec state and nothing else; knows
//! no packet header, no time, no listener.

pub mod g711;
mod g722;
mod opus;

use thiserror::Error;
use undertone_sdp::{Codec, OpusParams};

/// Length of what an encoder takes and of what a bridge ticks by.
pub const FRAME_MS: usize = 20;
/// The longest packet that is decoded (RFC 6716 section 3.2 caps an Opus packet at 120 ms).
pub const MAX_PACKET_MS: usize = 120;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum CodecError {
    #[error("a payload of {0} bytes is no packet of this codec")]
    BadPayload(usize),
    #[error("a packet longer than {MAX_PACKET_MS} ms")]
    TooLong,
    #[error("{0} samples are no frame of this codec")]
    BadFrame(usize),
    #[error("libopus refused: {0}")]
    Opus(&'static str),
}

/// Payload to PCM at the codec's own sampling rate. `Send`, resettable, allocation-free once warm.
pub struct Decoder {
    codec: Codec,
    inner: DecoderKind,
}

enum DecoderKind {
    G711(&'static [i16; 256]),
    G722(Box<g722::Decoder>),
    Opus(Box<opus::Decoder>),
}

impl Decoder {
    pub fn new(codec: Codec) -> Result<Self, CodecError> {
        let inner = match codec {
            Codec::Pcmu => DecoderKind::G711(&g711::ULAW_TO_LINEAR),
            Codec::Pcma => DecoderKind::G711(&g711::ALAW_TO_LINEAR),
            Codec::G722 => DecoderKind::G722(Box::default()),
            Codec::Opus => DecoderKind::Opus(Box::new(opus::Decoder::new()?)),
        };
        Ok(Self { codec, inner })
    }

    pub fn codec(&self) -> Codec {
        self.codec
    }

    pub fn rate(&self) -> u32 {
        self.codec.sample_rate()
    }

    /// Appends the packet's PCM to `out`; on an error `out` is as it was.
    pub fn decode(&mut self, payload: &[u8], out: &mut Vec<i16>) -> Result<(), CodecError> {
        self.samples(payload).ok_or(CodecError::BadPayload(payload.len()))?;
        match &mut self.inner {
            DecoderKind::G711(table) => out.extend(payload.iter().map(|b| table[*b as usize])),
            DecoderKind::G722(d) => d.decode(payload, out),
            DecoderKind::Opus(d) => d.decode(payload, out)?,
        }
        Ok(())
    }

    /// The packet before `next` was lost: appends what `next` holds of it (RFC 6716 section 2.1.7),
    /// `samples` long. `false` (and nothing appended) where the codec carries no such copy.
    pub fn decode_fec(&mut self, next: &[u8], samples: usize, out: &mut Vec<i16>) -> bool {
        match &mut self.inner {
            DecoderKind::Opus(d) => d.decode_fec(next, samples, out),
            _ => false,
        }
    }

    /// Conceals `samples` of a lost packet by the codec's own means, if it has any.
    pub fn lost(&mut self, samples: usize, out: &mut Vec<i16>) -> bool {
        match &mut self.inner {
            DecoderKind::Opus(d) => d.lost(samples, out),
            _ => false,
        }
    }

    /// No trace of what was decoded before is left.
    pub fn reset(&mut self) {
        match &mut self.inner {
            DecoderKind::G711(_) => {}
            DecoderKind::G722(d) => d.reset(),
            DecoderKind::Opus(d) => d.reset(),
        }
    }

    /// Samples at `rate()` that the payload decodes to; `None` if it is no packet of this codec or
    /// longer than `MAX_PACKET_MS`.
    pub fn samples(&self, payload: &[u8]) -> Option<usize> {
        samples(self.codec, payload)
    }
}

/// Length of a packet, in samples at the codec's rate, without decoding it.
pub fn samples(codec: Codec, payload: &[u8]) -> Option<usize> {
    let n = match codec {
        Codec::Pcmu | Codec::Pcma => payload.len(),
        Codec::G722 => payload.len() * 2,
        Codec::Opus => opus::samples(payload)?,
    };
    (n > 0 && n <= codec.sample_rate() as usize * MAX_PACKET_MS / 1000).then_some(n)
}

/// Length of a packet in units of the codec's RTP clock (G.722: half its samples, RFC 3551 4.5.2).
pub fn rtp_ticks(codec: Codec, payload: &[u8]) -> Option<u32> {
    let n = samples(codec, payload)? as u64;
    Some((n * u64::from(codec.rtp_clock()) / u64::from(codec.sample_rate())) as u32)
}

/// PCM to payload, 20 ms at a time. `Send`, resettable, allocation-free once warm.
pub struct Encoder {
    codec: Codec,
    inner: EncoderKind,
}

enum EncoderKind {
    Ulaw,
    Alaw,
    G722(Box<g722::Encoder>),
    Opus(Box<opus::Encoder>),
}

impl Encoder {
    pub fn new(codec: Codec, params: &OpusParams) -> Result<Self, CodecError> {
        let inner = match codec {
            Codec::Pcmu => EncoderKind::Ulaw,
            Codec::Pcma => EncoderKind::Alaw,
            Codec::G722 => EncoderKind::G722(Box::default()),
            Codec::Opus => EncoderKind::Opus(Box::new(opus::Encoder::new(params)?)),
        };
        Ok(Self { codec, inner })
    }

    pub fn codec(&self) -> Codec {
        self.codec
    }

    pub fn rate(&self) -> u32 {
        self.codec.sample_rate()
    }

    /// Appends one payload. `pcm` is 20 ms at `rate()`; G.711 and G.722 take other lengths too.
    pub fn encode(&mut self, pcm: &[i16], out: &mut Vec<u8>) -> Result<(), CodecError> {
        if pcm.is_empty() {
            return Err(CodecError::BadFrame(0));
        }
        match &mut self.inner {
            EncoderKind::Ulaw => out.extend(pcm.iter().map(|s| g711::linear_to_ulaw(*s))),
            EncoderKind::Alaw => out.extend(pcm.iter().map(|s| g711::linear_to_alaw(*s))),
            EncoderKind::G722(e) => e.encode(pcm, out)?,
            EncoderKind::Opus(e) => e.encode(pcm, out)?,
        }
        Ok(())
    }

    /// Expected loss at the far end, in percent: how much Opus spends on in-band FEC.
    pub fn set_expected_loss(&mut self, percent: u8) {
        if let EncoderKind::Opus(e) = &mut self.inner {
            e.set_expected_loss(percent);
        }
    }

    /// No trace of what was encoded before is left.
    pub fn reset(&mut self) {
        match &mut self.inner {
            EncoderKind::Ulaw | EncoderKind::Alaw => {}
            EncoderKind::G722(e) => e.reset(),
            EncoderKind::Opus(e) => e.reset(),
        }
    }
}
