//! The words of the wire, one for each of core's values, and how times and ids are written.

use crate::problem::Problem;
use serde::{Deserialize, Serialize};
use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, UtcOffset};
use undertone_core::call::MarkKind;
use undertone_core::feedback::Useful;
use undertone_core::id::SeatId;
use undertone_core::refusal::Reason;
use undertone_core::time::Wall;
use undertone_core::view::{AgentAction, AgentAfter, Extent, Follow, HelpReason, Mode, ReplyWord};
use utoipa::ToSchema;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident for $core:ident {
        $($(#[$attr:meta])* $variant:ident),* $(,)?
    }) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema,
        )]
        #[serde(rename_all = "snake_case")]
        pub(crate) enum $name { $($(#[$attr])* $variant),* }
        impl From<$core> for $name {
            fn from(value: $core) -> Self {
                match value { $($core::$variant => $name::$variant),* }
            }
        }
        impl From<$name> for $core {
            fn from(value: $name) -> Self {
                match value { $($name::$variant => $core::$variant),* }
            }
        }
    };
}

words! {
    /// Aliases taken: monitor, silent; coach; join; intercept.
    ModeWord for Mode {
        #[serde(alias = "monitor", alias = "silent")]
        Listen,
        #[serde(alias = "coach")]
        Whisper,
        #[serde(alias = "join")]
        Barge,
        #[serde(alias = "intercept")]
        Takeover,
    }
}
words! {
    /// What becomes of the agent at a takeover.
    AgentAfterWord for AgentAfter { Removed, Held, Listening, Stays }
}
words! {
    AgentActionWord for AgentAction { Hold, Resume, Remove, HandBack }
}
words! {
    /// What a supervisor writes down.
    MarkWord for MarkKind { Note, Flag, Bookmark }
}
words! {
    /// Why a hand is raised.
    HelpReasonWord for HelpReason { Policy, AngryCustomer, WantsSupervisor, Technical, Safety }
}
words! {
    /// What an agent answers without a word.
    ReplyWordWire for ReplyWord { Done, SayAgain, Cannot, TakeIt }
}
words! {
    /// Whether a supervisor's help was of use.
    UsefulWord for Useful { Yes, NotReally, TooMuch }
}
words! {
    FollowWord for Follow { Call, Agent }
}
words! {
    ExtentWord for Extent { ThisCall, NextCall, AllCalls }
}

/// RFC 3339, UTC, milliseconds.
pub(crate) fn instant(at: Wall) -> String {
    let nanos = i128::from(at.0) * 1_000_000;
    let at = OffsetDateTime::from_unix_timestamp_nanos(nanos).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
        at.year(),
        u8::from(at.month()),
        at.day(),
        at.hour(),
        at.minute(),
        at.second(),
        at.millisecond()
    )
}

/// An instant from a query: RFC 3339 with any offset.
pub(crate) fn moment(field: &str, text: &str) -> Result<Wall, Problem> {
    // Not `to_offset`, which panics where UTC's year is one too many.
    let parsed = OffsetDateTime::parse(text, &Rfc3339).ok();
    parsed
        .and_then(|at| at.checked_to_offset(UtcOffset::UTC))
        .map(|at| Wall((at.unix_timestamp_nanos() / 1_000_000) as i64))
        .ok_or_else(|| {
            Problem::bad_request(format!(
                "Field `{field}` is wrong: not an RFC 3339 time such as 2026-01-31T09:00:00.000Z."
            ))
        })
}

/// A party's id; opaque outside, unique within its call.
pub(crate) fn party_id(seat: SeatId) -> String {
    format!("p{}", seat.0)
}

pub(crate) fn seat_of(id: &str) -> Result<SeatId, Problem> {
    let number = id.strip_prefix('p').filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()));
    number
        .and_then(|digits| digits.parse().ok())
        .map(SeatId)
        // One party has one id: `p07` is none.
        .filter(|seat| party_id(*seat) == id)
        .ok_or_else(|| Problem::not_found(Reason::NoSuchParty))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_rfc_3339_in_utc_with_milliseconds() {
        assert_eq!(instant(Wall(0)), "1970-01-01T00:00:00.000Z");
        assert_eq!(instant(Wall(1_700_000_000_042)), "2023-11-14T22:13:20.042Z");
        let there = moment("from", "2023-11-14T23:13:20.042+01:00").expect("a time");
        assert_eq!(there, Wall(1_700_000_000_042));
        assert!(moment("from", "yesterday").is_err());
        assert!(moment("to", "9999-12-31T23:59:59-23:59").is_err(), "UTC's year 10000");
    }

    #[test]
    fn party_ids_come_back_and_others_do_not() {
        assert_eq!(seat_of(&party_id(SeatId(7))).ok(), Some(SeatId(7)));
        for wrong in ["", "p", "7", "p-1", "p+1", "p07", "p99999999999", "q1"] {
            assert!(seat_of(wrong).is_err(), "{wrong}");
        }
    }
}
