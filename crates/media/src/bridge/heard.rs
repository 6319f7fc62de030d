//! What was forwarded to a listener in the last 300 ms, kept encoded: nothing is decoded until
//! somebody asks how loud it was. A plain call is never asked and decodes nothing.

use crate::codec::Decoder;
use crate::meter;
use undertone_core::plan::Source;
use undertone_core::time::Mono;
use undertone_sdp::Codec;

const KEPT: usize = 16;
const WINDOW_US: u64 = 300_000;

#[derive(Clone, Copy, Debug)]
struct Kept {
    source: Source,
    codec: Codec,
    at: Mono,
    len: usize,
}

#[derive(Default)]
pub(crate) struct Heard {
    kept: [Option<Kept>; KEPT],
    next: usize,
    stride: usize,
    bytes: Vec<u8>,
}

impl Heard {
    pub(crate) fn push(&mut self, now: Mono, source: Source, codec: Codec, payload: &[u8]) {
        if payload.len() > self.stride {
            self.stride = payload.len().next_multiple_of(32);
            self.kept = [None; KEPT];
            self.bytes = vec![0; self.stride * KEPT];
        }
        let start = self.next * self.stride;
        self.bytes[start..start + payload.len()].copy_from_slice(payload);
        self.kept[self.next] = Some(Kept { source, codec, at: now, len: payload.len() });
        self.next = (self.next + 1) % KEPT;
    }

    /// Level of each source forwarded within the window that ends at `now`.
    pub(crate) fn levels(&self, now: Mono) -> Vec<(Source, f32)> {
        let order = (self.next..KEPT).chain(0..self.next);
        let recent = order.filter_map(|i| self.kept[i].map(|k| (i, k)));
        let mut found: Vec<(Source, Decoder, Vec<i16>)> = Vec::new();
        for (i, kept) in recent.filter(|(_, k)| now.since(k.at) <= WINDOW_US) {
            let known =
                found.iter().position(|(s, d, _)| *s == kept.source && d.codec() == kept.codec);
            let at = known.unwrap_or(found.len());
            if known.is_none() {
                let Ok(decoder) = Decoder::new(kept.codec) else { continue };
                found.push((kept.source, decoder, Vec::new()));
            }
            let payload = &self.bytes[i * self.stride..i * self.stride + kept.len];
            let (_, decoder, pcm) = &mut found[at];
            // A payload that is no packet of the codec is no sound either.
            if decoder.decode(payload, pcm).is_err() {
                continue;
            }
        }
        found.into_iter().map(|(source, _, pcm)| (source, meter::level_dbfs(&pcm))).collect()
    }
}
