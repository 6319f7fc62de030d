//! Finds a tone in a recording that must not be there, however short it was: the measure of
//! "nobody heard it". Knows no party and no mode.
//!
//! A window counts when the tone is loud enough *and* stands out from what is beside it, so that
//! neither noise nor the ramp of a permitted tone is taken for it; two windows in a row make a hit.

use crate::spectrum::{FLOOR_DBFS, goertzel};
use std::f64::consts::TAU;

pub const HIT_DBFS: f64 = -55.0;
pub const OVER_NEIGHBOURS_DB: f64 = 10.0;
const WINDOW_MS: usize = 20;
/// Half a window: each sample but the first and last few is in two windows.
const HOP_MS: usize = 10;
/// Two bins of a window (a Hann window's first zero, where the tone itself leaves nothing) and on:
/// the spectrum of a click is a comb, which may have one tooth here and a gap beside it.
const NEIGHBOURS_HZ: [f64; 3] = [100.0, 150.0, 200.0];

/// Two windows in a row that hold the tone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hit {
    /// Where the first of the two begins.
    pub at_sample: usize,
    /// The quieter of the two.
    pub dbfs: f64,
}

/// What was found in one recording for one frequency.
#[derive(Clone, Debug, PartialEq)]
pub struct Heard {
    pub windows: usize,
    pub hits: Vec<Hit>,
    /// The loudest window, hit or not.
    pub peak_dbfs: f64,
}

/// Listens for `hz` in the whole of `pcm`.
pub fn listen(pcm: &[i16], rate: u32, hz: f64) -> Heard {
    let levels = levels(pcm, rate, hz);
    let stands_out = |w: &Window| w.dbfs >= HIT_DBFS && w.dbfs >= w.beside + OVER_NEIGHBOURS_DB;
    let pairs = levels.windows(2).filter(|pair| pair.iter().all(stands_out));
    let hits = pairs
        .map(|pair| Hit { at_sample: pair[0].at, dbfs: pair[0].dbfs.min(pair[1].dbfs) })
        .collect();
    let peak_dbfs = levels.iter().map(|w| w.dbfs).fold(FLOOR_DBFS, f64::max);
    Heard { windows: levels.len(), hits, peak_dbfs }
}

/// The level that half the windows reach: what is heard steadily, whatever a change did.
pub fn steady(pcm: &[i16], rate: u32, hz: f64) -> f64 {
    let mut all: Vec<f64> = levels(pcm, rate, hz).iter().map(|w| w.dbfs).collect();
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied().unwrap_or(FLOOR_DBFS)
}

struct Window {
    at: usize,
    dbfs: f64,
    beside: f64,
}

fn levels(pcm: &[i16], rate: u32, hz: f64) -> Vec<Window> {
    let (length, hop) = (rate as usize * WINDOW_MS / 1_000, rate as usize * HOP_MS / 1_000);
    let turn = |i: usize| TAU * (i as f64 + 0.5) / length as f64;
    // Twice, since a Hann window halves a tone.
    let hann: Vec<f64> = (0..length).map(|i| 1.0 - turn(i).cos()).collect();
    let mut window = vec![0i16; length];
    let mut out = Vec::new();
    for at in (0..(pcm.len() + 1).saturating_sub(length)).step_by(hop) {
        for ((to, from), weight) in window.iter_mut().zip(&pcm[at..]).zip(&hann) {
            // Halved for room: the level is put right below.
            *to = (f64::from(*from) * weight / 2.0).round() as i16;
        }
        let level = |hz: f64| goertzel(&window, rate, hz) + 6.02;
        let dbfs = level(hz);
        // What is too quiet to count needs no neighbours.
        let beside = if dbfs < HIT_DBFS {
            dbfs
        } else {
            let around = NEIGHBOURS_HZ.iter().flat_map(|off| [hz - off, hz + off]);
            around.map(level).fold(FLOOR_DBFS, f64::max)
        };
        out.push(Window { at, dbfs, beside });
    }
    out
}

/// A tone with edges of 10 ms, added to what is there.
pub fn inject(pcm: &mut [i16], rate: u32, hz: f64, dbfs: f64, at: usize, ms: usize) {
    let (length, edge) = (rate as usize * ms / 1_000, rate as usize / 100);
    let amplitude = 32_767.0 * 10f64.powf(dbfs / 20.0);
    for (i, sample) in pcm.iter_mut().skip(at).take(length).enumerate() {
        let ramp = (i.min(length - 1 - i) as f64 / edge as f64).min(1.0);
        let angle = TAU * hz * i as f64 / f64::from(rate);
        let sum = f64::from(*sample) + angle.sin() * amplitude * ramp;
        *sample = sum.round().clamp(-32_768.0, 32_767.0) as i16;
    }
}

/// Injects a burst every `step` samples, each into the recording as it was; counts those found.
pub fn bursts_found(pcm: &[i16], rate: u32, hz: f64, step: usize) -> (usize, usize) {
    const BURST_MS: usize = 40;
    const BURST_DBFS: f64 = -30.0;
    let length = rate as usize * BURST_MS / 1_000;
    let around = rate as usize * WINDOW_MS / 1_000;
    let (mut found, mut injected) = (0, 0);
    for at in (around..pcm.len().saturating_sub(length + around)).step_by(step) {
        let mut piece = pcm[at - around..at + length + around].to_vec();
        inject(&mut piece, rate, hz, BURST_DBFS, around, BURST_MS);
        injected += 1;
        found += usize::from(!listen(&piece, rate, hz).hits.is_empty());
    }
    (found, injected)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: u32 = 8_000;

    fn tones(of: &[(f64, f64)], samples: usize) -> Vec<i16> {
        let mut pcm = vec![0; samples];
        for (hz, dbfs) in of {
            inject(&mut pcm, RATE, *hz, *dbfs, 0, samples / 8);
        }
        pcm
    }

    #[test]
    fn a_loud_tone_elsewhere_and_its_edges_are_no_hit() {
        let pcm = tones(&[(498.0, -10.0), (762.0, -10.0)], 8_000);
        for hz in [2_365.0, 2_960.0, 3_368.0] {
            let heard = listen(&pcm, RATE, hz);
            assert_eq!(heard.hits, [], "{hz}: {}", heard.peak_dbfs);
        }
    }

    #[test]
    fn a_burst_of_40_ms_is_found_at_every_position() {
        let pcm = tones(&[(498.0, -10.0), (762.0, -10.0)], 8_000);
        let (found, injected) = bursts_found(&pcm, RATE, 2_960.0, 7);
        assert_eq!(found, injected);
        assert!(injected > 900);
    }

    #[test]
    fn one_window_alone_and_noise_are_no_hit() {
        let mut pcm = vec![0; 8_000];
        inject(&mut pcm, RATE, 2_960.0, -30.0, 3_000, 20);
        assert!(listen(&pcm, RATE, 2_960.0).hits.len() <= 2);
        let noise: Vec<i16> =
            (0..8_000u64).map(|i| ((i * i * 7_919 + i * 104_729) % 2_047) as i16 - 1_023).collect();
        let heard = listen(&noise, RATE, 2_960.0);
        assert!(heard.hits.len() <= 2, "{heard:?}");
    }

    /// What concealment does on a machine that comes late: the loud tones jump, once or twice.
    #[test]
    fn loud_tones_that_jump_are_no_hit() {
        let mut seed = 0x2545_f491_4f6c_dd1du64;
        let mut dice = move |n: u64| {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            (seed % n) as usize
        };
        let loud = [[498.0, 762.0], [498.0, 1_472.0], [762.0, 1_472.0]];
        let listened = [2_156.0, 2_365.0, 2_557.0, 2_763.0, 2_960.0, 3_171.0];
        let mut hits = 0;
        for _ in 0..2_000 {
            let line = tones(&loud[dice(3)].map(|hz| (hz, -10.0)), 4_000);
            let mut pcm = line[..480].to_vec();
            let first = 160 + dice(160);
            for at in [first, first + 20 + dice(100)] {
                let from = 500 + dice(3_000);
                let n = pcm.len() - at;
                pcm[at..].copy_from_slice(&line[from..from + n]);
            }
            hits += listened.iter().filter(|hz| !listen(&pcm, RATE, **hz).hits.is_empty()).count();
        }
        assert_eq!(hits, 0, "of 12,000");
    }

    #[test]
    fn what_is_steady_is_measured_to_half_a_decibel() {
        let pcm = tones(&[(498.0, -10.0), (2_960.0, -33.0)], 8_000);
        assert!((steady(&pcm, RATE, 498.0) + 10.0).abs() < 0.5);
        assert!((steady(&pcm, RATE, 2_960.0) + 33.0).abs() < 0.5);
        assert!(steady(&pcm, RATE, 1_472.0) < -80.0);
    }
}
