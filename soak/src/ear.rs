//! Listens at a customer for what only an agent may hear. Supervisors say one tone while they
//! listen or whisper and another while the customer may hear them; the first one at a customer is a
//! leak, and at an agent it shows that this ear would hear one.

use undertone_phone::Recording;

pub const RATE: u32 = 8_000;
/// The server's own proofs use these: no product of G.711 of the others comes near the whisper.
pub const AGENT: f64 = 498.0;
pub const CUSTOMER: f64 = 2_156.0;
pub const WHISPER: f64 = 2_960.0;
pub const ALOUD: f64 = 762.0;

const WINDOW: usize = RATE as usize / 25;
/// Tones are said at -10 dBFS; hold music's own parts lie far below this.
const WHISPER_DBFS: f64 = -25.0;

/// Windows of 40 ms.
pub struct Heard {
    pub windows: u64,
    /// Those with the whisper's tone in them.
    pub whispered: u64,
}

pub fn judge(heard: &Recording) -> Heard {
    let pcm = heard.between(0, heard.position());
    let windows = pcm.chunks_exact(WINDOW);
    let is_whisper = |window: &&[i16]| level(window, WHISPER) > WHISPER_DBFS;
    let whispered = windows.clone().filter(is_whisper).count() as u64;
    Heard { windows: windows.len() as u64, whispered }
}

/// Goertzel over a Hann window: the level of a sine of this pitch, in dBFS.
fn level(pcm: &[i16], hz: f64) -> f64 {
    let turn = std::f64::consts::TAU;
    let coefficient = 2.0 * (turn * hz / f64::from(RATE)).cos();
    let (mut last, mut before) = (0.0, 0.0);
    for (n, sample) in pcm.iter().enumerate() {
        let hann = 0.5 - 0.5 * (turn * n as f64 / pcm.len() as f64).cos();
        let next = f64::from(*sample) * hann + coefficient * last - before;
        (before, last) = (last, next);
    }
    let power = last * last + before * before - coefficient * last * before;
    // The window halves the amplitude, and so does the other half of the spectrum.
    let amplitude = power.max(0.0).sqrt() * 4.0 / pcm.len() as f64;
    20.0 * (amplitude / 32_768.0).max(1e-9).log10()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(hz: f64, dbfs: f64) -> Vec<i16> {
        let amplitude = 32_768.0 * 10f64.powf(dbfs / 20.0);
        let at = |n: usize| (std::f64::consts::TAU * hz * n as f64 / f64::from(RATE)).sin();
        (0..WINDOW).map(|n| (at(n) * amplitude) as i16).collect()
    }

    #[test]
    fn a_tone_is_measured_and_the_other_tones_are_not_taken_for_it() {
        assert!((level(&tone(WHISPER, -10.0), WHISPER) + 10.0).abs() < 0.5);
        for other in [AGENT, CUSTOMER, ALOUD] {
            assert!(level(&tone(other, -10.0), WHISPER) < -50.0, "{other} Hz");
        }
    }
}
