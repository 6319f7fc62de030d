//! What a simulated person notices: a voice that is not the one they talk with. By level and
//! turn alone, no recognition. Knows no call, no mode and no clock: one frame is 20 ms.

/// Frames of 20 ms, counted.
type Frames = u32;

/// Louder than this is somebody speaking; telephone silence is far below.
const SPEECH_DBFS: f32 = -45.0;
/// Shorter is a beep, a click or the tail of a turn.
const LEAST: Frames = 17;
/// So long without sound is the end of what the voice said.
const STOPPED: Frames = 30;
/// So long without one pause is music, not a voice.
const MUSIC: Frames = 500;

/// One person's attention.
#[derive(Debug, Default)]
pub struct Ear {
    loud: Frames,
    quiet: Frames,
    unbroken: Frames,
    music: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Noticed {
    /// Nothing, or the voice that was expected.
    Nothing,
    /// Somebody else speaks.
    Stranger,
    /// Somebody else spoke and has stopped.
    StrangerStopped,
}

impl Ear {
    /// One frame: how loud it was, and whether the known other party (or hold music) explains it.
    pub fn frame(&mut self, dbfs: f32, explained: bool) -> Noticed {
        if explained {
            // Two voices at once cannot be told apart by level: keep what is known so far.
            self.unbroken = 0;
            return if self.attentive() { Noticed::Stranger } else { Noticed::Nothing };
        }
        if dbfs > SPEECH_DBFS {
            self.loud += 1;
            self.unbroken += 1;
            self.quiet = 0;
            self.music |= self.unbroken >= MUSIC;
        } else {
            self.quiet += 1;
            // A voice pauses between words, music does not.
            if self.quiet > 2 {
                self.unbroken = 0;
            }
        }
        if self.quiet < STOPPED {
            return if self.attentive() { Noticed::Stranger } else { Noticed::Nothing };
        }
        let heard = self.attentive();
        *self = Self::default();
        if heard { Noticed::StrangerStopped } else { Noticed::Nothing }
    }

    fn attentive(&self) -> bool {
        self.loud >= LEAST && !self.music
    }
}

/// The level of one frame over its square mean, in decibels under full scale.
pub fn level_dbfs(frame: &[i16]) -> f32 {
    let sum: f64 = frame.iter().map(|s| f64::from(*s).powi(2)).sum();
    let mean = sum / frame.len().max(1) as f64;
    (10.0 * (mean / f64::from(i16::MAX).powi(2)).max(1e-12).log10()) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOUD: f32 = -20.0;
    const QUIET: f32 = -80.0;

    fn hear(ear: &mut Ear, dbfs: f32, explained: bool, frames: u32) -> Vec<Noticed> {
        (0..frames).map(|_| ear.frame(dbfs, explained)).collect()
    }

    #[test]
    fn a_voice_that_nobody_explains_is_noticed_when_it_stops_and_once() {
        let mut ear = Ear::default();
        let during = hear(&mut ear, LOUD, false, 60);
        assert_eq!(during.last(), Some(&Noticed::Stranger));
        let after = hear(&mut ear, QUIET, false, 100);
        let stops = after.iter().filter(|n| **n == Noticed::StrangerStopped).count();
        assert_eq!(stops, 1);
    }

    #[test]
    fn the_other_party_is_no_stranger() {
        let mut ear = Ear::default();
        let heard = hear(&mut ear, LOUD, true, 200);
        assert!(heard.iter().all(|n| *n == Noticed::Nothing));
        let after = hear(&mut ear, QUIET, false, 100);
        assert!(after.iter().all(|n| *n == Noticed::Nothing));
    }

    #[test]
    fn a_beep_and_hold_music_are_no_voice() {
        let mut ear = Ear::default();
        let mut heard = hear(&mut ear, LOUD, false, 10);
        heard.extend(hear(&mut ear, QUIET, false, 100));
        assert!(heard.iter().all(|n| *n == Noticed::Nothing));
        hear(&mut ear, LOUD, false, 1_000);
        let after = hear(&mut ear, QUIET, false, 100);
        assert!(after.iter().all(|n| *n == Noticed::Nothing));
    }

    #[test]
    fn a_whisper_under_the_customers_words_is_still_noticed_at_its_end() {
        let mut ear = Ear::default();
        hear(&mut ear, LOUD, false, 30);
        hear(&mut ear, LOUD, true, 40);
        let after = hear(&mut ear, QUIET, false, 40);
        assert!(after.contains(&Noticed::StrangerStopped));
    }

    #[test]
    fn levels_are_in_decibels_under_full_scale() {
        assert!((level_dbfs(&[i16::MAX; 160])).abs() < 0.1);
        assert!(level_dbfs(&[0; 160]) < -110.0);
    }
}
