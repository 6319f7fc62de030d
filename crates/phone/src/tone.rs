//! A tone whose pitch and level can be changed while it sounds, from any thread, at once.

use std::f64::consts::TAU;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use undertone_media::bridge::Sound;

const RAMP_MS: u32 = 5;
/// -10 dBFS, the level that tests measure against.
const AMPLITUDE: f64 = 0.316_227_766;

/// The knob. Off, it is silence, so that a phone always sends like one whose microphone is open.
#[derive(Clone, Default)]
pub struct Tone(Arc<AtomicU64>);

impl Tone {
    pub fn new(hz: Option<f64>) -> Self {
        let tone = Self::default();
        tone.set(hz);
        tone
    }

    /// Holds from the next 20 ms on.
    pub fn set(&self, hz: Option<f64>) {
        self.0.store(hz.unwrap_or(0.0).to_bits(), Ordering::Relaxed);
    }

    pub fn get(&self) -> Option<f64> {
        let hz = f64::from_bits(self.0.load(Ordering::Relaxed));
        (hz > 0.0).then_some(hz)
    }

    /// What sounds as the knob says; any number of them may share it.
    pub fn sound(&self, rate: u32) -> Box<dyn Sound> {
        let hz = self.get().unwrap_or(0.0);
        Box::new(ToneSound { knob: self.clone(), rate, hz, phase: 0.0, level: 0.0 })
    }
}

struct ToneSound {
    knob: Tone,
    rate: u32,
    /// What sounds now: it follows the knob when its level has come down to nothing, so that a
    /// change of pitch is no click.
    hz: f64,
    phase: f64,
    level: f64,
}

impl Sound for ToneSound {
    fn rate(&self) -> u32 {
        self.rate
    }

    fn fill(&mut self, out: &mut [i16]) -> usize {
        let wanted = self.knob.get().unwrap_or(0.0);
        let step = 1.0 / f64::from(self.rate * RAMP_MS / 1_000);
        for sample in out.iter_mut() {
            if self.hz != wanted {
                self.level = (self.level - step).max(0.0);
                if self.level == 0.0 {
                    self.hz = wanted;
                }
            } else if self.hz > 0.0 {
                self.level = (self.level + step).min(1.0);
            }
            *sample = (self.phase.sin() * self.level * AMPLITUDE * 32_767.0).round() as i16;
            self.phase = (self.phase + TAU * self.hz / f64::from(self.rate)) % TAU;
        }
        out.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tone_that_is_off_is_digital_silence_and_never_ends() {
        let mut sound = Tone::new(None).sound(8_000);
        let mut out = [7; 160];
        assert_eq!(sound.fill(&mut out), 160);
        assert_eq!(out, [0; 160]);
    }

    #[test]
    fn a_change_of_pitch_makes_no_step() {
        let tone = Tone::new(Some(400.0));
        let mut sound = tone.sound(8_000);
        let (mut pcm, mut frame) = (Vec::new(), [0; 160]);
        for at in 0..20 {
            if at == 10 {
                tone.set(Some(1_000.0));
            }
            sound.fill(&mut frame);
            pcm.extend_from_slice(&frame);
        }
        let step = pcm.windows(2).map(|w| (i32::from(w[1]) - i32::from(w[0])).abs()).max();
        // The steepest of a 1 kHz sine at this level is about 8,100 a sample.
        assert!(step.is_some_and(|s| s < 8_300), "{step:?}");
        let peak = pcm.iter().map(|s| s.unsigned_abs()).max();
        assert!(peak.is_some_and(|p| (10_000..10_400).contains(&p)), "{peak:?}");
    }
}
