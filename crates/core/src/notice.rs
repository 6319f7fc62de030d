//! Who is told what: the sounds that a call plays beside its voices, and when the coached agent
//! hears the beep. Who hears which sound is decided in hearing.rs.

use crate::id::SeatId;
use crate::plan::{Edge, HearingPlan, Listener, Opens, PlanVersion, Source};
use crate::refusal::{Reason, Refusal};
use crate::view::Mode;
use std::collections::BTreeMap;

/// What a source plays; the media makes the samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sound {
    /// 880 Hz, then 1175 Hz: to the coached agent alone.
    CoachingBeep,
    /// Hold treatment; loops.
    HoldMusic,
    /// To a customer whose takeover was lost and whose agent is gone; then the call ends.
    TakeoverLost,
    /// A word to one supervisor on a telephone, heard by nobody else.
    Spoken(Spoken),
}

/// The source that carries hold treatment, the same for all who wait.
pub const HOLD_MUSIC: Source = Source::Music(1);
/// The announcement of a lost takeover.
pub const LOST_PROMPT: Source = Source::Prompt(LOST_PROMPT_NUMBER);
const LOST_PROMPT_NUMBER: u32 = 1;

/// What a telephone, which has no screen, is told: that a key worked, or why it did not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Spoken {
    Listening,
    Whispering,
    Barging,
    TookOver,
    HandedBack,
    NotAllowed,
    NoSuchAgent,
    AgentNotOnCall,
    OwnCall,
    AlreadySupervising,
    TakeoverTaken,
    NoCustomer,
    NotInMode,
    NotHeard,
    NotPossible,
    EnterPin,
    PinWrong,
    PinMissing,
    PinLocked,
    PinNotSet,
}

impl Spoken {
    pub const ALL: [Spoken; 20] = [
        Spoken::Listening,
        Spoken::Whispering,
        Spoken::Barging,
        Spoken::TookOver,
        Spoken::HandedBack,
        Spoken::NotAllowed,
        Spoken::NoSuchAgent,
        Spoken::AgentNotOnCall,
        Spoken::OwnCall,
        Spoken::AlreadySupervising,
        Spoken::TakeoverTaken,
        Spoken::NoCustomer,
        Spoken::NotInMode,
        Spoken::NotHeard,
        Spoken::NotPossible,
        Spoken::EnterPin,
        Spoken::PinWrong,
        Spoken::PinMissing,
        Spoken::PinLocked,
        Spoken::PinNotSet,
    ];

    /// The name of its recording.
    pub const fn code(self) -> &'static str {
        match self {
            Spoken::Listening => "listening",
            Spoken::Whispering => "whispering",
            Spoken::Barging => "barging",
            Spoken::TookOver => "took_over",
            Spoken::HandedBack => "handed_back",
            Spoken::NotAllowed => "not_allowed",
            Spoken::NoSuchAgent => "no_such_agent",
            Spoken::AgentNotOnCall => "agent_not_on_call",
            Spoken::OwnCall => "own_call",
            Spoken::AlreadySupervising => "already_supervising",
            Spoken::TakeoverTaken => "takeover_taken",
            Spoken::NoCustomer => "no_customer",
            Spoken::NotInMode => "not_in_mode",
            Spoken::NotHeard => "not_heard",
            Spoken::NotPossible => "not_possible",
            Spoken::EnterPin => "enter_pin",
            Spoken::PinWrong => "pin_wrong",
            Spoken::PinMissing => "pin_missing",
            Spoken::PinLocked => "pin_locked",
            Spoken::PinNotSet => "pin_not_set",
        }
    }

    pub const fn in_mode(mode: Mode) -> Self {
        match mode {
            Mode::Listen => Spoken::Listening,
            Mode::Whisper => Spoken::Whispering,
            Mode::Barge => Spoken::Barging,
            Mode::Takeover => Spoken::TookOver,
        }
    }

    /// The first reason is the one that is said; the audit has them all.
    pub fn refusal(refusal: &Refusal) -> Self {
        match refusal.reasons.first() {
            Some(Reason::NotAllowed | Reason::LegNotOwn | Reason::UnknownCaller) => {
                Spoken::NotAllowed
            }
            Some(Reason::PinWrong) => Spoken::PinWrong,
            Some(Reason::PinMissing) => Spoken::PinMissing,
            Some(Reason::PinLocked) => Spoken::PinLocked,
            Some(Reason::PinNotSet) => Spoken::PinNotSet,
            Some(Reason::NoSuchAgent | Reason::NoRoute) => Spoken::NoSuchAgent,
            Some(
                Reason::AgentNotOnCall
                | Reason::CallNotTalking
                | Reason::CallEnded
                | Reason::NoSuchCall
                | Reason::AgentGone,
            ) => Spoken::AgentNotOnCall,
            Some(Reason::OwnCall) => Spoken::OwnCall,
            Some(Reason::AlreadySupervising) => Spoken::AlreadySupervising,
            Some(Reason::TakeoverTaken) => Spoken::TakeoverTaken,
            Some(Reason::NoCustomer) => Spoken::NoCustomer,
            Some(Reason::NotInMode) => Spoken::NotInMode,
            Some(Reason::AudioNotProven) => Spoken::NotHeard,
            _ => Spoken::NotPossible,
        }
    }
}

/// The source that carries a word to the supervisor at this seat.
pub const fn spoken_source(seat: SeatId) -> Source {
    Source::Prompt(LOST_PROMPT_NUMBER + seat.0)
}

/// The plan of a caller who is told one thing and is on no call.
pub fn told_alone(seat: SeatId) -> HearingPlan {
    let edge = Edge {
        source: spoken_source(seat),
        listener: Listener::Seat(seat),
        audio: true,
        events: false,
        gain_cdb: 0,
        opens: Opens::AtOnce,
        until: None,
    };
    HearingPlan { version: PlanVersion(1), edges: vec![edge], never: BTreeMap::new() }
}
