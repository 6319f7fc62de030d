//! The rendered lines of the demo, out of the binary: file stem in, 8 kHz samples out.
//! Refuses to know who speaks them and when.

use std::sync::Arc;

/// The rate of every clip.
pub const RATE: u32 = 8_000;

static RENDERED: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/speech.rs"));

/// One line as samples; cheap to clone.
pub type Clip = Arc<[i16]>;

/// The clip of that stem, if it was rendered as 8 kHz mono µ-law.
pub fn clip(stem: &str) -> Option<Clip> {
    let at = RENDERED.binary_search_by(|(name, _)| name.cmp(&stem)).ok()?;
    samples(RENDERED[at].1)
}

/// Milliseconds that a clip lasts.
pub fn length_ms(clip: &[i16]) -> u64 {
    clip.len() as u64 * 1_000 / u64::from(RATE)
}

/// Walks the RIFF chunks: a `fmt ` of µ-law, mono, 8 kHz, then `data`.
fn samples(wav: &[u8]) -> Option<Clip> {
    let mut rest = wav.get(12..)?;
    let mut right_format = false;
    loop {
        let (id, size) = (rest.get(..4)?, rest.get(4..8)?);
        let size = u32::from_le_bytes(size.try_into().ok()?) as usize;
        let body = rest.get(8..8 + size)?;
        if id == b"fmt " {
            // Format 7, one channel, 8,000 a second.
            right_format = body.get(..8)? == [7, 0, 1, 0, 0x40, 0x1f, 0, 0];
        }
        if id == b"data" {
            return right_format.then(|| body.iter().map(|b| mu_law(*b)).collect());
        }
        rest = rest.get(8 + size + (size & 1)..)?;
    }
}

/// ITU-T G.711, µ-law, one byte to a linear sample of 16 bits.
fn mu_law(byte: u8) -> i16 {
    let byte = !byte;
    let magnitude = ((i16::from(byte & 0x0f) << 3) + 0x84) << ((byte & 0x70) >> 4);
    let sample = magnitude - 0x84;
    if byte & 0x80 == 0 { sample } else { -sample }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rendered_line_is_speech_of_a_sensible_length_and_level() {
        assert!(RENDERED.len() > 100);
        for (name, _) in RENDERED {
            let clip = clip(name).unwrap_or_else(|| panic!("{name} does not decode"));
            let ms = length_ms(&clip);
            assert!((300..8_000).contains(&ms), "{name} lasts {ms} ms");
            let peak = clip.iter().map(|s| i32::from(*s).abs()).max().unwrap_or(0);
            assert!(peak > 8_000, "{name} peaks at {peak}");
        }
    }

    #[test]
    fn mu_law_has_silence_at_both_zeros_and_its_ends_at_full_scale() {
        assert_eq!((mu_law(0xff), mu_law(0x7f)), (0, 0));
        assert_eq!((mu_law(0x80), mu_law(0x00)), (32_124, -32_124));
    }
}
