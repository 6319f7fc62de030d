//! A microphone as it is in life: what is said comes out of it later, as through the buffers of
//! an operating system and a browser. What is in them was said before a switch that follows.

use std::collections::VecDeque;
use undertone_phone::{Sound, Tone};

/// A real browser on loopback let old sound through for 100 to 140 ms (`docs/HEARING.md`).
pub const LATE_MS: u32 = 120;

/// The tone that is said; turned at once, heard `LATE_MS` later.
#[derive(Clone)]
pub struct Microphone(Tone);

impl Microphone {
    pub fn new(hz: Option<f64>) -> Self {
        Self(Tone::new(hz))
    }

    pub fn say(&self, hz: f64) {
        self.0.set(Some(hz));
    }

    pub fn sound(&self, rate: u32) -> Box<dyn Sound> {
        let buffered = vec![0; (rate * LATE_MS / 1_000) as usize];
        Box::new(Late { said: self.0.sound(rate), buffered: buffered.into() })
    }
}

struct Late {
    said: Box<dyn Sound>,
    buffered: VecDeque<i16>,
}

impl Sound for Late {
    fn rate(&self) -> u32 {
        self.said.rate()
    }

    fn fill(&mut self, out: &mut [i16]) -> usize {
        let filled = self.said.fill(out);
        for sample in &mut out[..filled] {
            self.buffered.push_back(*sample);
            *sample = self.buffered.pop_front().unwrap_or_default();
        }
        filled
    }
}
