//! Between 8, 16 and 48 kHz by a fixed polyphase FIR. Integer state that can be reset; knows
//! nothing of codecs or time.
//!
//! One low-pass for each ratio: flat to 0.42 of the lower rate (3.4 kHz at 8 kHz), 60 dB down from
//! 0.58 on, where its alias would fall into that passband. Delay: 12 samples of the lower rate.

use std::sync::LazyLock;

/// Length of the low-pass in samples of the lower rate.
const TAPS: usize = 24;
/// Kaiser's shape for 60 dB.
const BETA: f64 = 5.65;

/// One direction of one signal. The same rate twice passes samples through.
#[derive(Clone, Debug)]
pub struct Resampler {
    from: u32,
    to: u32,
    kind: Kind,
    /// The end of the last input, then the input: what the filter reaches.
    work: Vec<i16>,
    /// Of a decimator: input samples until the next output.
    phase: usize,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Same,
    Up(&'static Kernel),
    Down(&'static Kernel),
}

#[derive(Debug)]
struct Kernel {
    factor: usize,
    /// For each phase its taps in the order of the input, in Q14.
    up: Vec<[i16; TAPS]>,
    /// All taps, in Q15. Symmetric, so the order does not matter but for the first, which is 0.
    down: Vec<i16>,
}

static BY_2: LazyLock<Kernel> = LazyLock::new(|| Kernel::new(2));
static BY_3: LazyLock<Kernel> = LazyLock::new(|| Kernel::new(3));
static BY_6: LazyLock<Kernel> = LazyLock::new(|| Kernel::new(6));

impl Resampler {
    /// Rates are 8000, 16000 or 48000; any other is taken for the nearest of these.
    pub fn new(from: u32, to: u32) -> Self {
        let (from, to) = (nearest(from), nearest(to));
        let kernel = |ratio| -> &'static Kernel {
            match ratio {
                2 => &BY_2,
                3 => &BY_3,
                _ => &BY_6,
            }
        };
        let kind = match from.cmp(&to) {
            std::cmp::Ordering::Equal => Kind::Same,
            std::cmp::Ordering::Less => Kind::Up(kernel(to / from)),
            std::cmp::Ordering::Greater => Kind::Down(kernel(from / to)),
        };
        let mut resampler = Self { from, to, kind, work: Vec::new(), phase: 0 };
        resampler.reset();
        resampler
    }

    pub fn from(&self) -> u32 {
        self.from
    }

    pub fn to(&self) -> u32 {
        self.to
    }

    /// Appends `input.len() * to / from` samples: exactly, where that is a whole number; over any
    /// run within one.
    pub fn process(&mut self, input: &[i16], out: &mut Vec<i16>) {
        match self.kind {
            Kind::Same => return out.extend_from_slice(input),
            Kind::Up(kernel) => {
                self.work.extend_from_slice(input);
                out.reserve(input.len() * kernel.factor);
                for window in self.work.array_windows::<TAPS>() {
                    out.extend(kernel.up.iter().map(|taps| round(dot(window, taps), 14)));
                }
            }
            Kind::Down(kernel) => {
                self.work.extend_from_slice(input);
                let length = kernel.down.len();
                let mut at = self.phase;
                while at < input.len() {
                    out.push(round(dot(&self.work[at..at + length], &kernel.down), 15));
                    at += kernel.factor;
                }
                self.phase = at - input.len();
            }
        }
        let keep = self.reach();
        let len = self.work.len();
        self.work.copy_within(len - keep.., 0);
        self.work.truncate(keep);
    }

    /// Delay in samples of the output rate.
    pub fn delay(&self) -> usize {
        match self.kind {
            Kind::Same => 0,
            Kind::Up(kernel) => TAPS * kernel.factor / 2,
            Kind::Down(_) => TAPS / 2,
        }
    }

    /// No trace of what was heard before is left.
    pub fn reset(&mut self) {
        self.work.clear();
        self.work.resize(self.reach(), 0);
        self.phase = 0;
    }

    fn reach(&self) -> usize {
        match self.kind {
            Kind::Same => 0,
            Kind::Up(_) => TAPS - 1,
            Kind::Down(kernel) => kernel.down.len() - 1,
        }
    }
}

impl Kernel {
    fn new(factor: usize) -> Self {
        let length = TAPS * factor;
        let middle = (length / 2) as f64;
        let ideal: Vec<f64> = (0..length)
            .map(|i| {
                let x = i as f64 - middle;
                let window = bessel(BETA * (1.0 - (x / middle).powi(2)).max(0.0).sqrt());
                let angle = std::f64::consts::PI * x / factor as f64;
                let sinc = if x == 0.0 { 1.0 } else { angle.sin() / angle };
                if i == 0 { 0.0 } else { sinc * window / bessel(BETA) }
            })
            .collect();
        // y[n * factor + p] = sum over k of h[p + k * factor] * x[n - k]; the window is in the
        // order of x, so k counts down.
        let up = (0..factor)
            .map(|p| {
                let taps = (0..TAPS).map(|j| ideal[p + (TAPS - 1 - j) * factor]).collect();
                let mut row = [0; TAPS];
                row.copy_from_slice(&quantized(taps, 1 << 14));
                row
            })
            .collect();
        let down = quantized(ideal.iter().rev().copied().collect(), 1 << 15);
        Self { factor, up, down }
    }
}

/// Scaled so that the taps sum to exactly `one`: level 1 at 0 Hz in each phase, or a constant would
/// come out as a tone.
fn quantized(taps: Vec<f64>, one: i32) -> Vec<i16> {
    let sum: f64 = taps.iter().sum();
    let mut out: Vec<i16> =
        taps.iter().map(|t| (t / sum * f64::from(one)).round() as i16).collect();
    let off = one - out.iter().map(|t| i32::from(*t)).sum::<i32>();
    if let Some(largest) = out.iter_mut().max_by_key(|t| **t) {
        *largest += off as i16;
    }
    out
}

/// The modified Bessel function of order 0, by its series.
fn bessel(x: f64) -> f64 {
    let (mut term, mut sum) = (1.0, 1.0);
    for k in 1..32 {
        term *= (x / (2.0 * f64::from(k))).powi(2);
        sum += term;
    }
    sum
}

#[inline]
fn dot(a: &[i16], b: &[i16]) -> i32 {
    a.iter().zip(b).map(|(x, h)| i32::from(*x) * i32::from(*h)).sum()
}

#[inline]
fn round(sum: i32, bits: u32) -> i16 {
    // The half is added after a first shift, so that a full-scale sum cannot overflow.
    (((sum >> (bits - 1)) + 1) >> 1).clamp(-32_768, 32_767) as i16
}

fn nearest(rate: u32) -> u32 {
    match rate {
        0..=11_999 => 8_000,
        12_000..=31_999 => 16_000,
        _ => 48_000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_input_overflows_the_sum() {
        for kernel in [&*BY_2, &*BY_3, &*BY_6] {
            let down: i64 = kernel.down.iter().map(|t| i64::from(*t).abs()).sum();
            assert!(down * 32_768 < i64::from(i32::MAX), "{down}");
            for row in &kernel.up {
                let up: i64 = row.iter().map(|t| i64::from(*t).abs()).sum();
                assert!(up * 32_768 < i64::from(i32::MAX), "{up}");
            }
        }
    }

    #[test]
    fn a_constant_stays_what_it_was() {
        for (from, to) in [(8, 16), (8, 48), (16, 48), (16, 8), (48, 8), (48, 16)] {
            let mut resampler = Resampler::new(from * 1_000, to * 1_000);
            let mut out = Vec::new();
            resampler.process(&vec![12_345; from as usize * 20], &mut out);
            let settled = &out[out.len() / 2..];
            assert!(settled.iter().all(|s| *s == 12_345), "{from} to {to}: {settled:?}");
        }
    }
}
