//! Who may do what: rights by name, denied unless granted.
//!
//! A right is a verb; the channel by which it is used (page, keypad, API) is judged here too.
//! Scopes (team, queue, campaign) come with roles in a later issue. Knows no call and no mode.

use crate::id::{KeyId, PersonId, SessionId};
use crate::refusal::Reason;
use crate::view::{Channel, Mode};
use std::collections::BTreeSet;

macro_rules! rights {
    ($($(#[$doc:meta])* $variant:ident => $code:literal),* $(,)?) => {
        /// One grantable verb.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Right { $($(#[$doc])* $variant),* }
        impl Right {
            pub const ALL: &'static [Right] = &[$(Right::$variant),*];
            /// The name in provisioning files, keys and the audit.
            pub const fn code(self) -> &'static str {
                match self { $(Right::$variant => $code),* }
            }
        }
    };
}

rights! {
    SeeWallboard => "see_wallboard",
    Listen => "listen",
    Whisper => "whisper",
    Barge => "barge",
    Takeover => "takeover",
    /// Start, hold, resume and end calls of others.
    Control => "control",
    SeeHistory => "see_history",
    SeeAudit => "see_audit",
    ExportAudit => "export_audit",
    /// Supervise by codes from a telephone's keypad (R41-R43): asked beside the verb.
    Keypad => "keypad",
    /// Supervise on a device that is not one's own.
    AnyDevice => "any_device",
    /// Attend without the other supervisors being shown it.
    Private => "private",
    /// Say what came of a call that one was not on: surveys and CRMs.
    SetOutcome => "set_outcome",
    Admin => "admin",
}

impl Right {
    pub fn parse(code: &str) -> Option<Right> {
        Right::ALL.iter().copied().find(|right| right.code() == code)
    }

    /// The right that a mode needs (R101: four rights, granted apart).
    pub const fn for_mode(mode: Mode) -> Right {
        match mode {
            Mode::Listen => Right::Listen,
            Mode::Whisper => Right::Whisper,
            Mode::Barge => Right::Barge,
            Mode::Takeover => Right::Takeover,
        }
    }
}

/// Who acts, by which way, and with which rights: settled by sign-in before core sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    pub person: PersonId,
    pub name: String,
    /// The API key used, if one was.
    pub key: Option<KeyId>,
    /// The session of the pages by which they act; what it began ends with it.
    pub session: Option<SessionId>,
    pub channel: Channel,
    /// From where, as the audit shows it: an address, or `sip:…`.
    pub origin: String,
    /// What the person and the key both grant.
    pub rights: BTreeSet<Right>,
}

impl Actor {
    /// Whether the right is granted on the channel used. Anything not granted is denied.
    pub fn may(&self, right: Right) -> bool {
        let by_channel = match self.channel {
            Channel::Dtmf => self.rights.contains(&Right::Keypad),
            Channel::Web | Channel::Api => true,
        };
        by_channel && self.rights.contains(&right)
    }

    pub fn need(&self, right: Right) -> Result<(), Reason> {
        if self.may(right) { Ok(()) } else { Err(Reason::NotAllowed) }
    }
}
