//! Sounds that we make ourselves: sine, coaching beep, hold music. Deterministic; when and to whom
//! they sound is said elsewhere.

use std::sync::{Arc, OnceLock};

const TABLE_BITS: u32 = 12;
const TABLE: usize = 1 << TABLE_BITS;
/// One period in Q15 with 15 more bits: interpolated, its error is below -120 dB.
static SINE: [i32; TABLE + 1] = sine_table();

const BEEP_DBFS: f64 = -24.0;
const BEEP_MS: u32 = 120;
const RAMP_MS: u32 = 8;

/// A sine at one frequency; phase runs on from call to call.
#[derive(Clone, Debug)]
pub struct Sine {
    rate: u32,
    phase: u32,
    step: u32,
    /// Q15.
    amplitude: i32,
}

impl Sine {
    /// `dbfs` is that of the amplitude; 0 is full scale.
    pub fn new(rate: u32, hz: f64, dbfs: f64) -> Self {
        let amplitude = (10f64.powf(dbfs.min(0.0) / 20.0) * 32_767.0).round() as i32;
        let mut sine = Self { rate: rate.max(1), phase: 0, step: 0, amplitude };
        sine.retune(hz);
        sine
    }

    pub fn rate(&self) -> u32 {
        self.rate
    }

    pub fn fill(&mut self, out: &mut [i16]) {
        for sample in out {
            *sample = self.sample();
        }
    }

    /// Another pitch from the next sample on, without a jump in phase.
    pub fn retune(&mut self, hz: f64) {
        self.step = (hz / f64::from(self.rate) * 4_294_967_296.0).round() as u32;
    }

    fn sample(&mut self) -> i16 {
        let value = sine_at(self.phase);
        self.phase = self.phase.wrapping_add(self.step);
        ((value * i64::from(self.amplitude) + (1 << 29)) >> 30) as i16
    }
}

/// The coaching beep: 880 Hz, then 1175 Hz, 120 ms each at -24 dBFS, with ramps.
pub fn coaching_beep(rate: u32) -> Arc<[i16]> {
    let length = (rate * BEEP_MS / 1000) as usize;
    let ramp = (rate * RAMP_MS / 1000).max(1) as usize;
    let mut pcm = Vec::with_capacity(2 * length);
    for hz in [880.0, 1175.0] {
        let mut note = vec![0i16; length];
        Sine::new(rate, hz, BEEP_DBFS).fill(&mut note);
        for i in 0..ramp {
            for at in [i, length - 1 - i] {
                note[at] = (i64::from(note[at]) * i as i64 / ramp as i64) as i16;
            }
        }
        pcm.extend_from_slice(&note);
    }
    pcm.into()
}

/// A short quiet loop whose end meets its beginning: four bars of soft broken chords, 9.6 s.
/// Made once a rate and process.
pub fn hold_music(rate: u32) -> Arc<[i16]> {
    static MADE: [OnceLock<Arc<[i16]>>; 3] = [const { OnceLock::new() }; 3];
    let slot = match rate {
        8_000 => 0,
        16_000 => 1,
        48_000 => 2,
        _ => return compose(rate),
    };
    MADE[slot].get_or_init(|| compose(rate)).clone()
}

/// Notes of each bar as semitones from A3, eight to a bar.
const BARS: [[i32; 8]; 4] = [
    [3, 7, 10, 15, 19, 15, 10, 7],
    [0, 7, 12, 15, 19, 15, 12, 7],
    [-4, 3, 8, 12, 15, 12, 8, 3],
    [-2, 5, 10, 14, 17, 14, 10, 5],
];
const NOTE_MS: u32 = 300;
/// Q15 weights of the partials of a note.
const PARTIALS: [i64; 3] = [2_400, 600, 180];

fn compose(rate: u32) -> Arc<[i16]> {
    let note = (rate * NOTE_MS / 1000) as usize;
    let length = note * 8 * BARS.len();
    let mut sum = vec![0i32; length];
    for (index, semitone) in BARS.iter().flatten().enumerate() {
        let hz = 220.0 * 2f64.powf(f64::from(*semitone) / 12.0);
        pluck(&mut sum, index * note, hz, rate);
    }
    sum.iter().map(|s| (*s).clamp(-32_768, 32_767) as i16).collect()
}

/// Adds one note that fades for 1.5 s; what reaches beyond the end sounds at the beginning.
fn pluck(sum: &mut [i32], start: usize, hz: f64, rate: u32) {
    let step = (hz / f64::from(rate) * 4_294_967_296.0).round() as u32;
    let attack = (rate / 100).max(1) as i64;
    // Falls by 60 dB in 1.5 s, in Q30.
    let decay = (10f64.powf(-3.0 / (1.5 * f64::from(rate))) * f64::from(1 << 30)).round() as i64;
    let mut level = 1i64 << 30;
    let mut phase = 0u32;
    for i in 0..(rate as usize * 3 / 2) {
        let mut value = 0;
        for (n, weight) in PARTIALS.iter().enumerate() {
            value += (sine_at(phase.wrapping_mul(n as u32 + 1)) * weight) >> 30;
        }
        let rising = (i as i64).min(attack);
        let at = (start + i) % sum.len();
        sum[at] += (((value * level) >> 30) * rising / attack) as i32;
        level = (level * decay) >> 30;
        phase = phase.wrapping_add(step);
    }
}

/// Plays a clip once or for ever.
#[derive(Clone, Debug)]
pub struct Clip {
    pcm: Arc<[i16]>,
    rate: u32,
    at: usize,
    looped: bool,
}

impl Clip {
    pub fn once(rate: u32, pcm: Arc<[i16]>) -> Self {
        Self { pcm, rate, at: 0, looped: false }
    }

    pub fn looped(rate: u32, pcm: Arc<[i16]>) -> Self {
        Self { pcm, rate, at: 0, looped: true }
    }

    pub fn rate(&self) -> u32 {
        self.rate
    }

    /// Returns how much of `out` was filled; less than its length means that the clip has ended.
    /// What is not filled is left as it was.
    pub fn fill(&mut self, out: &mut [i16]) -> usize {
        let mut done = 0;
        while done < out.len() {
            if self.at == self.pcm.len() {
                if !self.looped || self.pcm.is_empty() {
                    break;
                }
                self.at = 0;
            }
            let n = (out.len() - done).min(self.pcm.len() - self.at);
            out[done..done + n].copy_from_slice(&self.pcm[self.at..self.at + n]);
            self.at += n;
            done += n;
        }
        done
    }
}

/// Sine of a phase of 32 bits a turn, in Q30.
fn sine_at(phase: u32) -> i64 {
    let index = (phase >> (32 - TABLE_BITS)) as usize;
    let part = i64::from(phase << TABLE_BITS >> TABLE_BITS) & ((1 << (32 - TABLE_BITS)) - 1);
    let (a, b) = (i64::from(SINE[index]), i64::from(SINE[index + 1]));
    a + (((b - a) * part) >> (32 - TABLE_BITS))
}

const fn sine_table() -> [i32; TABLE + 1] {
    let mut table = [0; TABLE + 1];
    let mut i = 0;
    while i <= TABLE {
        // Folded into the first quarter, where eight terms of the series suffice.
        let quarter = TABLE / 4;
        let (at, negative) = if i >= 2 * quarter { (i - 2 * quarter, true) } else { (i, false) };
        let folded = if at > quarter { 2 * quarter - at } else { at };
        let x = folded as f64 * (2.0 * std::f64::consts::PI / TABLE as f64);
        let (mut term, mut sum, mut n) = (x, x, 1);
        while n < 10 {
            term = -term * x * x / ((2 * n) * (2 * n + 1)) as f64;
            sum += term;
            n += 1;
        }
        let value = (sum * (1u64 << 30) as f64 + 0.5) as i32;
        table[i] = if negative { -value } else { value };
        i += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::meter::level_dbfs;

    #[test]
    fn a_sine_is_a_sine_to_a_step_and_a_half() {
        let mut pcm = vec![0; 48_000];
        Sine::new(48_000, 997.0, 0.0).fill(&mut pcm);
        for (i, got) in pcm.iter().enumerate() {
            let angle = std::f64::consts::TAU * 997.0 * i as f64 / 48_000.0;
            let want = angle.sin() * 32_767.0;
            assert!((f64::from(*got) - want).abs() < 1.5, "sample {i}: {got}, not {want}");
        }
    }

    #[test]
    fn the_beep_has_its_length_and_level_and_begins_and_ends_softly() {
        let beep = coaching_beep(8_000);
        assert_eq!(beep.len(), 2 * 960);
        assert!((level_dbfs(&beep[200..700]) + 24.0).abs() < 0.3);
        for edge in [0, 959, 960, 1919] {
            assert_eq!(beep[edge], 0, "at {edge}");
        }
    }

    #[test]
    fn hold_music_is_quiet_never_clips_and_loops_without_a_step() {
        for rate in [8_000, 16_000, 48_000] {
            let music = hold_music(rate);
            assert_eq!(music.len(), rate as usize * 96 / 10);
            let peak = music.iter().map(|s| s.unsigned_abs()).max().unwrap();
            assert!((2_000..16_000).contains(&peak), "{peak}");
            let seam = (i32::from(music[0]) - i32::from(music[music.len() - 1])).abs();
            let steps = music.windows(2).map(|w| (i32::from(w[1]) - i32::from(w[0])).abs());
            assert!(seam <= steps.max().unwrap(), "{seam}");
            for second in music.chunks(rate as usize) {
                let level = level_dbfs(second);
                assert!((-35.0..-12.0).contains(&level), "{level}");
            }
        }
    }

    #[test]
    fn a_clip_ends_and_a_loop_does_not() {
        let pcm: Arc<[i16]> = vec![1, 2, 3].into();
        let mut out = [9; 5];
        assert_eq!(Clip::once(8_000, pcm.clone()).fill(&mut out), 3);
        assert_eq!(out, [1, 2, 3, 9, 9]);
        assert_eq!(Clip::looped(8_000, pcm).fill(&mut out), 5);
        assert_eq!(out, [1, 2, 3, 1, 2]);
        assert_eq!(Clip::looped(8_000, Vec::new().into()).fill(&mut out), 0);
    }
}
