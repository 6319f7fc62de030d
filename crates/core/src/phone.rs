//! One leg's life, whoever is at its end: a phone that rings us, or one that we ring.
//!
//! ```text
//!  arrived ──answer──▶ answering ─┐
//!                                 ├─answered──▶ up ──ended──▶ gone
//!  dialling ──────▶ ringing ──────┘              (every state may go to gone)
//! ```
//!
//! Knows no role and no mode: who may hear whom through this leg is decided elsewhere.

use crate::call::input::{LegEnd, LegFailure};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leg {
    /// Its INVITE waits for an answer.
    Arrived,
    /// We have said 200 and wait until its media is attached.
    Answering,
    Dialling,
    Ringing,
    Up,
    Gone,
}

/// How a leg must be let go, by where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Release {
    /// An answer other than 200 to its INVITE.
    Reject,
    /// CANCEL or BYE.
    HangUp,
    Nothing,
}

impl Leg {
    pub const fn release(self) -> Release {
        match self {
            Leg::Arrived => Release::Reject,
            Leg::Answering | Leg::Dialling | Leg::Ringing | Leg::Up => Release::HangUp,
            Leg::Gone => Release::Nothing,
        }
    }

    /// Whether an answer may still come.
    pub const fn awaits_answer(self) -> bool {
        matches!(self, Leg::Answering | Leg::Dialling | Leg::Ringing)
    }
}

/// What the caller is told (RFC 3261 §21) when the called leg comes to nothing.
pub const fn reject_code(why: LegFailure) -> u16 {
    match why {
        LegFailure::Busy => 486,
        LegFailure::Declined => 603,
        LegFailure::NoAnswer | LegFailure::NotRegistered => 480,
        LegFailure::Unreachable => 404,
        LegFailure::NoCommonCodec => 488,
        LegFailure::PortsExhausted => 503,
        LegFailure::Gone | LegFailure::Other => 500,
    }
}

pub const fn failure_code(why: LegFailure) -> &'static str {
    match why {
        LegFailure::Busy => "busy",
        LegFailure::Declined => "declined",
        LegFailure::NoAnswer => "no_answer",
        LegFailure::Unreachable => "unreachable",
        LegFailure::NotRegistered => "not_registered",
        LegFailure::NoCommonCodec => "no_common_codec",
        LegFailure::PortsExhausted => "ports_exhausted",
        LegFailure::Gone => "gone",
        LegFailure::Other => "failed",
    }
}

pub const fn end_code(cause: LegEnd) -> &'static str {
    match cause {
        LegEnd::HungUp => "hung_up",
        LegEnd::Lost => "leg_lost",
        LegEnd::MediaTimeout => "media_timeout",
        LegEnd::Released => "released",
    }
}
