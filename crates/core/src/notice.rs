//! Who is told what: the sounds that a call plays beside its voices, and when the coached agent
//! hears the beep. Who hears which sound is decided in hearing.rs.

use crate::plan::Source;

/// What a source plays; the media makes the samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sound {
    /// 880 Hz, then 1175 Hz: to the coached agent alone.
    CoachingBeep,
    /// Hold treatment; loops.
    HoldMusic,
    /// To a customer whose takeover was lost and whose agent is gone; then the call ends.
    TakeoverLost,
}

/// The source that carries hold treatment, the same for all who wait.
pub const HOLD_MUSIC: Source = Source::Music(1);
/// The announcement of a lost takeover.
pub const LOST_PROMPT: Source = Source::Prompt(1);
