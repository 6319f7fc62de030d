//! What is in a signal: one frequency's level, clicks, how far two spectra are apart. For tests;
//! knows no call and no codec. dBFS as the meter's: a sine of full scale reads 0.

use std::f64::consts::{PI, TAU};

/// What nothing reads.
pub const FLOOR_DBFS: f64 = -120.0;
/// A window with more than this outside the tone is a click.
pub const CLICK_DBFS: f64 = -45.0;
const CLICK_WINDOW_MS: usize = 5;

/// Level of `hz` in `pcm`, by Goertzel's filter over the whole of it.
pub fn goertzel(pcm: &[i16], rate: u32, hz: f64) -> f64 {
    if pcm.is_empty() {
        return FLOOR_DBFS;
    }
    let turn = 2.0 * (TAU * hz / f64::from(rate)).cos();
    let (mut one, mut two) = (0.0, 0.0);
    for sample in pcm {
        (one, two) = (f64::from(*sample) / 32_768.0 + turn * one - two, one);
    }
    let power = one * one + two * two - turn * one * two;
    let amplitude = power.max(0.0).sqrt() * 2.0 / pcm.len() as f64;
    decibels(amplitude)
}

/// As `goertzel`, with a Hann window: a loud neighbour at another frequency does not leak in.
pub fn goertzel_hann(pcm: &[i16], rate: u32, hz: f64) -> f64 {
    let n = pcm.len() as f64;
    let windowed: Vec<i16> = pcm
        .iter()
        .enumerate()
        .map(|(i, s)| (f64::from(*s) * (0.5 - 0.5 * (TAU * (i as f64 + 0.5) / n).cos())) as i16)
        .collect();
    goertzel(&windowed, rate, hz) + 6.02
}

/// Level of the whole.
pub fn level(pcm: &[i16]) -> f64 {
    residual(&mut pcm.iter().map(|s| f64::from(*s) / 32_768.0).collect::<Vec<_>>(), &[])
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Click {
    pub at_sample: usize,
    pub dbfs: f64,
}

/// Windows of 5 ms, half overlapping, that hold more than `CLICK_DBFS` besides the tones `hz`
/// (200 Hz and up). What the tones account for is found by least squares, not by bins: a tone that
/// is between two bins leaks nothing.
pub fn clicks(pcm: &[i16], rate: u32, hz: &[f64]) -> Vec<Click> {
    let louder = |click: &Click| click.dbfs > CLICK_DBFS;
    besides(pcm, rate, hz).into_iter().filter(louder).collect()
}

/// The loudest of the windows of `clicks`, click or not.
pub fn worst(pcm: &[i16], rate: u32, hz: &[f64]) -> Click {
    let none = Click { at_sample: 0, dbfs: FLOOR_DBFS };
    besides(pcm, rate, hz).into_iter().fold(none, |a, b| if b.dbfs > a.dbfs { b } else { a })
}

fn besides(pcm: &[i16], rate: u32, hz: &[f64]) -> Vec<Click> {
    let length = rate as usize * CLICK_WINDOW_MS / 1000;
    let basis = orthonormal(rate, hz, length);
    let mut out = Vec::new();
    let mut window = vec![0.0; length];
    for at_sample in (0..(pcm.len() + 1).saturating_sub(length)).step_by(length / 2) {
        for (to, from) in window.iter_mut().zip(&pcm[at_sample..]) {
            *to = f64::from(*from) / 32_768.0;
        }
        out.push(Click { at_sample, dbfs: residual(&mut window, &basis) });
    }
    out
}

/// Sine and cosine of each tone, made orthonormal (Gram-Schmidt).
fn orthonormal(rate: u32, hz: &[f64], length: usize) -> Vec<Vec<f64>> {
    let mut basis: Vec<Vec<f64>> = Vec::new();
    for (tone, shift) in hz.iter().flat_map(|tone| [(tone, 0.0), (tone, PI / 2.0)]) {
        let angle = |i: usize| TAU * tone * i as f64 / f64::from(rate) + shift;
        let mut row: Vec<f64> = (0..length).map(|i| angle(i).sin()).collect();
        for earlier in &basis {
            subtract(&mut row, earlier);
        }
        let norm = row.iter().map(|x| x * x).sum::<f64>().sqrt();
        if norm > 1e-6 {
            row.iter_mut().for_each(|x| *x /= norm);
            basis.push(row);
        }
    }
    basis
}

fn subtract(from: &mut [f64], unit: &[f64]) {
    let share: f64 = from.iter().zip(unit).map(|(a, b)| a * b).sum();
    from.iter_mut().zip(unit).for_each(|(a, b)| *a -= share * b);
}

fn residual(window: &mut [f64], basis: &[Vec<f64>]) -> f64 {
    for row in basis {
        subtract(window, row);
    }
    let mean = window.iter().map(|x| x * x).sum::<f64>() / window.len().max(1) as f64;
    decibels((2.0 * mean).sqrt())
}

fn decibels(amplitude: f64) -> f64 {
    if amplitude <= 1e-6 { FLOOR_DBFS } else { 20.0 * amplitude.log10() }
}

/// Mean log-spectral distance of two signals in step with each other, in dB: per frame of 20 ms the
/// RMS over the bins of the difference of their log power spectra. Frames where `wanted` is silent
/// do not count, and nothing is taken for quieter than 60 dB below full scale.
pub fn log_spectral_distance(wanted: &[i16], got: &[i16], rate: u32) -> f64 {
    let length = rate as usize / 50;
    let transform = Transform::new(length);
    let (mut sum, mut frames) = (0.0, 0);
    let hop = length / 2;
    let last = wanted.len().min(got.len()).saturating_sub(length);
    for at in (0..=last).step_by(hop) {
        let (a, b) = (&wanted[at..at + length], &got[at..at + length]);
        if level(a) < -50.0 {
            continue;
        }
        let (a, b) = (transform.log_power(a), transform.log_power(b));
        let square: f64 = a.iter().zip(&b).map(|(x, y)| (x - y) * (x - y)).sum();
        sum += (square / a.len() as f64).sqrt();
        frames += 1;
    }
    if frames == 0 { 0.0 } else { sum / f64::from(frames) }
}

/// A plain discrete Fourier transform of one length, its factors computed once.
struct Transform {
    window: Vec<f64>,
    sines: Vec<f64>,
}

impl Transform {
    fn new(length: usize) -> Self {
        let n = length as f64;
        let turn = |i: usize| TAU * i as f64 / n;
        Self {
            window: (0..length).map(|i| 0.5 - 0.5 * turn(i).cos()).collect(),
            sines: (0..length).map(|i| turn(i).sin()).collect(),
        }
    }

    fn log_power(&self, frame: &[i16]) -> Vec<f64> {
        let n = self.sines.len();
        let x: Vec<f64> =
            frame.iter().zip(&self.window).map(|(s, w)| f64::from(*s) / 32_768.0 * w).collect();
        (1..n / 2)
            .map(|bin| {
                let (mut re, mut im) = (0.0, 0.0);
                for (i, value) in x.iter().enumerate() {
                    im += value * self.sines[i * bin % n];
                    re += value * self.sines[(i * bin + n / 4) % n];
                }
                // A full-scale sine reads 0 here, too (the window halves it).
                let power = (re * re + im * im) * (4.0 / n as f64).powi(2);
                10.0 * power.max(1e-6).log10()
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(hz: f64, dbfs: f64, length: usize) -> Vec<i16> {
        let amplitude = 32_767.0 * 10f64.powf(dbfs / 20.0);
        (0..length).map(|i| ((TAU * hz * i as f64 / 8_000.0).sin() * amplitude) as i16).collect()
    }

    #[test]
    fn a_tone_is_found_where_it_is_and_nowhere_else() {
        let pcm = tone(440.0, -10.0, 8_000);
        assert!((goertzel(&pcm, 8_000, 440.0) + 10.0).abs() < 0.1);
        assert!(goertzel(&pcm, 8_000, 700.0) < -70.0);
        assert!((goertzel_hann(&pcm, 8_000, 440.0) + 10.0).abs() < 0.2);
        assert!(goertzel_hann(&pcm[..1_111], 8_000, 700.0) < -75.0);
    }

    #[test]
    fn a_clean_tone_has_no_click_and_a_missing_sample_is_one() {
        let mut pcm = tone(443.0, -10.0, 8_000);
        assert_eq!(clicks(&pcm, 8_000, &[443.0]), []);
        pcm.remove(4_000);
        let found = clicks(&pcm, 8_000, &[443.0]);
        assert!(!found.is_empty() && found.iter().all(|c| c.at_sample.abs_diff(4_000) < 60));
    }

    #[test]
    fn a_spectrum_is_0_from_itself_and_6_from_half_of_it() {
        let mut pcm = tone(500.0, -20.0, 1_600);
        pcm.iter_mut().zip(tone(1_730.0, -25.0, 1_600)).for_each(|(a, b)| *a += b);
        assert_eq!(log_spectral_distance(&pcm, &pcm, 8_000), 0.0);
        let noise: Vec<i16> =
            (0..1_600u64).map(|i| ((i * i * 7_919 + i * 104_729) % 8_191) as i16 - 4_095).collect();
        let half: Vec<i16> = noise.iter().map(|s| s / 2).collect();
        let off = log_spectral_distance(&noise, &half, 8_000);
        assert!((off - 6.0).abs() < 0.7, "{off}");
    }
}
