//! G.722 at 64 kbit/s: 16 kHz PCM, one byte for two samples. Knows not that its RTP clock is 8000.

use super::CodecError;
use audio_codec::g722::{G722Decoder, G722Encoder};
use audio_codec::{Decoder as _, Encoder as _};

/// The crate begins with quantizer steps four times those of the recommendation (128 and 32, not 32
/// and 8), and sets them right after one sample. One pair of silence through a new codec does that;
/// without it the first 250 ms differ from what another implementation says.
const SILENCE: u8 = 0xfd;

pub(super) struct Decoder(G722Decoder);

impl Default for Decoder {
    fn default() -> Self {
        let mut inner = G722Decoder::new();
        let _ = inner.decode_into(&[SILENCE], &mut [0; 2]);
        Self(inner)
    }
}

impl Decoder {
    pub(super) fn decode(&mut self, payload: &[u8], out: &mut Vec<i16>) {
        let start = out.len();
        out.resize(start + payload.len() * 2, 0);
        let written = self.0.decode_into(payload, &mut out[start..]).unwrap_or(0);
        out.truncate(start + written);
    }

    pub(super) fn reset(&mut self) {
        *self = Self::default();
    }
}

pub(super) struct Encoder(G722Encoder);

impl Default for Encoder {
    fn default() -> Self {
        let mut inner = G722Encoder::new();
        let _ = inner.encode_into(&[0, 0], &mut [0; 1]);
        Self(inner)
    }
}

impl Encoder {
    pub(super) fn encode(&mut self, pcm: &[i16], out: &mut Vec<u8>) -> Result<(), CodecError> {
        // The encoder reads pairs: an odd sample would be read past the end.
        if !pcm.len().is_multiple_of(2) {
            return Err(CodecError::BadFrame(pcm.len()));
        }
        let start = out.len();
        out.resize(start + pcm.len() / 2, 0);
        let written = self.0.encode_into(pcm, &mut out[start..]);
        out.truncate(start + written.unwrap_or(0));
        written.map(|_| ()).map_err(|_| CodecError::BadFrame(pcm.len()))
    }

    pub(super) fn reset(&mut self) {
        *self = Self::default();
    }
}
