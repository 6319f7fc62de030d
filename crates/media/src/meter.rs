//! How loud a signal is and whether somebody speaks. Integer sums; no policy about either.
//!
//! dBFS as in AES17: a sine of full scale reads 0, so a tone's reading is that of its amplitude.

/// What digital silence reads, and the lowest reading there is.
pub const FLOOR_DBFS: f32 = -96.0;

const BLOCK_MS: u32 = 20;
/// 300 ms: long enough not to dance with syllables, short enough to show a change.
const BLOCKS: usize = 15;
const HANGOVER_BLOCKS: u8 = 10;
// Mean squares. Speech is never sought below -50 dBFS, and always found above -35.
const QUIETEST: u64 = 5_369;
const LOUDEST: u64 = 169_770;

/// Level of `pcm` in dBFS; a full-scale sine reads 0.
pub fn level_dbfs(pcm: &[i16]) -> f32 {
    reading(energy(pcm), pcm.len() as u64)
}

fn energy(pcm: &[i16]) -> u64 {
    pcm.iter().map(|s| (i64::from(*s) * i64::from(*s)) as u64).sum()
}

fn reading(energy: u64, samples: u64) -> f32 {
    if energy == 0 || samples == 0 {
        return FLOOR_DBFS;
    }
    let mean = energy as f64 / samples as f64;
    // Twice the mean square is the square of a sine's amplitude.
    let dbfs = 10.0 * (2.0 * mean / (32_768.0 * 32_768.0)).log10();
    (dbfs as f32).max(FLOOR_DBFS)
}

/// Level over the last ~300 ms, and speech with hang-over. Any rate, any frame length.
#[derive(Clone, Debug)]
pub struct Meter {
    block: u32,
    /// Of the block being filled.
    energy: u64,
    filled: u32,
    ring: [u64; BLOCKS],
    at: usize,
    known: usize,
    /// Mean square of what is taken for background.
    noise: u64,
    hangover: u8,
}

impl Meter {
    pub fn new(rate: u32) -> Self {
        Self {
            block: (rate * BLOCK_MS / 1000).max(1),
            energy: 0,
            filled: 0,
            ring: [0; BLOCKS],
            at: 0,
            known: 0,
            noise: QUIETEST / 10,
            hangover: 0,
        }
    }

    pub fn push(&mut self, pcm: &[i16]) {
        let mut rest = pcm;
        while !rest.is_empty() {
            let n = rest.len().min((self.block - self.filled) as usize);
            let (now, later) = rest.split_at(n);
            self.energy += energy(now);
            self.filled += n as u32;
            rest = later;
            self.close_full_block();
        }
    }

    /// As `push` of that much silence.
    pub fn push_silence(&mut self, samples: usize) {
        let mut rest = samples;
        while rest > 0 {
            let n = rest.min((self.block - self.filled) as usize);
            self.filled += n as u32;
            rest -= n;
            self.close_full_block();
        }
    }

    pub fn level_dbfs(&self) -> f32 {
        let blocks = self.known as u64;
        let samples = blocks * u64::from(self.block) + u64::from(self.filled);
        reading(self.ring.iter().sum::<u64>() + self.energy, samples)
    }

    /// Somebody speaks, or did so within the hang-over of 200 ms.
    pub fn speech(&self) -> bool {
        self.hangover > 0
    }

    pub fn reset(&mut self) {
        *self = Self { block: self.block, ..Self::new(0) };
    }

    fn close_full_block(&mut self) {
        if self.filled < self.block {
            return;
        }
        self.ring[self.at] = self.energy;
        self.at = (self.at + 1) % BLOCKS;
        self.known = (self.known + 1).min(BLOCKS);
        let mean = self.energy / u64::from(self.block);
        self.judge(mean);
        self.energy = 0;
        self.filled = 0;
    }

    /// Ten dB over the background is speech; the background falls at once and rises 2 dB a second.
    fn judge(&mut self, mean: u64) {
        let threshold = (self.noise * 10).clamp(QUIETEST, LOUDEST);
        if mean > threshold {
            self.hangover = HANGOVER_BLOCKS;
        } else {
            self.hangover = self.hangover.saturating_sub(1);
        }
        if mean < self.noise {
            self.noise -= (self.noise - mean).div_ceil(4);
        } else {
            self.noise = (self.noise + self.noise / 100 + 1).min(LOUDEST);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tones::Sine;

    fn tone(dbfs: f64, samples: usize) -> Vec<i16> {
        let mut pcm = vec![0; samples];
        Sine::new(8_000, 440.0, dbfs).fill(&mut pcm);
        pcm
    }

    #[test]
    fn a_tone_reads_as_its_amplitude_and_silence_as_the_floor() {
        for dbfs in [0.0, -10.0, -24.0, -55.0] {
            let read = level_dbfs(&tone(dbfs, 8_000));
            assert!((f64::from(read) - dbfs).abs() < 0.1, "{dbfs}: {read}");
        }
        assert_eq!(level_dbfs(&[0; 160]), FLOOR_DBFS);
        assert_eq!(level_dbfs(&[]), FLOOR_DBFS);
        assert!(level_dbfs(&[i16::MIN; 160]) <= 3.02);
    }

    #[test]
    fn the_meter_forgets_what_is_older_than_its_window() {
        let mut meter = Meter::new(8_000);
        meter.push(&tone(-10.0, 4_000));
        assert!((meter.level_dbfs() + 10.0).abs() < 0.2, "{}", meter.level_dbfs());
        meter.push_silence(2_400);
        assert_eq!(meter.level_dbfs(), FLOOR_DBFS);
    }

    #[test]
    fn speech_is_noticed_in_two_frames_and_gone_after_the_hangover() {
        let mut meter = Meter::new(8_000);
        meter.push(&tone(-60.0, 8_000));
        assert!(!meter.speech());
        meter.push(&tone(-25.0, 320));
        assert!(meter.speech());
        meter.push_silence(1_440);
        assert!(meter.speech(), "within the hang-over");
        meter.push_silence(320);
        assert!(!meter.speech());
    }

    #[test]
    fn odd_frame_lengths_read_the_same() {
        let pcm = tone(-20.0, 4_801);
        let (mut whole, mut parts) = (Meter::new(8_000), Meter::new(8_000));
        whole.push(&pcm);
        pcm.chunks(7).for_each(|c| parts.push(c));
        assert_eq!(whole.level_dbfs(), parts.level_dbfs());
    }
}
