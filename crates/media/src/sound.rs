//! Sounds that are no leg: beep, hold music, prompts. Each runs on its own clock, so that what one
//! listener hears of it does not depend on who else does.

use crate::tones::Clip;
use undertone_core::plan::Source;

/// 20 ms a tick are asked of it, in order, at its own rate.
pub trait Sound: Send {
    /// 8000, 16000 or 48000.
    fn rate(&self) -> u32;
    /// Returns how much of `out` was filled; less than its length means that the sound has ended.
    fn fill(&mut self, out: &mut [i16]) -> usize;
}

impl Sound for Clip {
    fn rate(&self) -> u32 {
        self.rate()
    }
    fn fill(&mut self, out: &mut [i16]) -> usize {
        self.fill(out)
    }
}

pub(crate) struct Player {
    pub(crate) source: Source,
    sound: Box<dyn Sound>,
    /// A plan in force has named it: from then on it runs, heard or not.
    pub(crate) named: bool,
    /// Ticks that passed since it was named, and those of which the sound was made.
    ticks: u64,
    made: u64,
    ended: bool,
    pcm: Vec<i16>,
}

impl Player {
    pub(crate) fn new(source: Source, sound: Box<dyn Sound>) -> Self {
        Self { source, sound, named: false, ticks: 0, made: 0, ended: false, pcm: Vec::new() }
    }

    /// True in the tick in which it ends.
    pub(crate) fn tick(&mut self) -> bool {
        if !self.named || self.ended {
            return false;
        }
        self.ticks += 1;
        // A sound that ends must be known to end though nobody hears it; music is made when heard.
        if matches!(self.source, Source::Music(_)) {
            return false;
        }
        self.make();
        self.ended
    }

    fn make(&mut self) {
        let n = self.sound.rate() as usize / 50;
        while self.made < self.ticks && !self.ended {
            self.made += 1;
            self.pcm.clear();
            self.pcm.resize(n, 0);
            let filled = self.sound.fill(&mut self.pcm);
            self.ended = filled < n;
        }
    }

    pub(crate) fn rate(&self) -> u32 {
        self.sound.rate()
    }

    /// This tick's 20 ms; None before its start and after its end.
    pub(crate) fn frame(&mut self) -> Option<&[i16]> {
        if self.made < self.ticks {
            self.make();
        }
        let current = self.named && self.made == self.ticks && self.ticks > 0;
        (current && (!self.ended || !self.pcm.is_empty())).then_some(&self.pcm[..])
    }

    /// After the tick in which it ended there is nothing left.
    pub(crate) fn forget_last(&mut self) {
        if self.ended {
            self.pcm.clear();
        }
    }
}
