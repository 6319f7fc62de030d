//! A person's PIN for tapping codes: what is one, who is asked for it, how it is typed, and how
//! often it may be guessed. Refuses to know what it is stored as and how it is checked; reads no
//! clock.

use crate::id::PersonId;
use crate::routing::Origin;
use crate::time::Mono;
use std::collections::BTreeMap;
use std::fmt;

const DIGITS: std::ops::RangeInclusive<usize> = 6..=12;
/// Wrong ones in one call.
pub const TRIES_A_CALL: u32 = 3;
/// Wrong ones of one person by one telephone or trunk, over all its calls, until it is locked. So
/// who guesses from elsewhere does not lock out the person's own telephone.
const WRONG_MAX: u32 = 10;
/// How long after the last of them; and how long they are remembered.
const LOCK_US: u64 = 30 * 60 * 1_000_000;
/// People times where they call from; beyond it nobody new may try.
const GUESSERS_MAX: usize = 10_000;
const _: () = assert!(TRIES_A_CALL < WRONG_MAX);

/// 6 to 12 digits that are neither all the same nor a run. Never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Pin(String);

impl Pin {
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let bytes = text.as_bytes();
        if !DIGITS.contains(&bytes.len()) || !bytes.iter().all(u8::is_ascii_digit) {
            return Err("a PIN is 6 to 12 digits");
        }
        let every =
            |step: i16| bytes.windows(2).all(|two| i16::from(two[1]) - i16::from(two[0]) == step);
        if every(0) || every(1) || every(-1) {
            return Err("a PIN is not one digit again and again, and not a run such as 123456");
        }
        Ok(Self(text.to_owned()))
    }

    /// For who hashes it.
    pub fn digits(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pin")
    }
}

/// Who is asked for a PIN before a tapping code is obeyed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PinAsked {
    Never,
    /// Who calls from behind a trunk: there the trunk alone says who it is.
    #[default]
    BehindTrunk,
    Always,
}

impl PinAsked {
    pub const ALL: [PinAsked; 3] = [PinAsked::Never, PinAsked::BehindTrunk, PinAsked::Always];

    pub const fn code(self) -> &'static str {
        match self {
            PinAsked::Never => "never",
            PinAsked::BehindTrunk => "behind_trunk",
            PinAsked::Always => "always",
        }
    }

    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|asked| asked.code() == code)
    }

    pub const fn of(self, origin: &Origin) -> bool {
        match (self, origin) {
            (PinAsked::Always, _) => true,
            (PinAsked::BehindTrunk, Origin::Trunk(_)) => true,
            (PinAsked::BehindTrunk, Origin::Device(_)) | (PinAsked::Never, _) => false,
        }
    }
}

/// A PIN as it is typed: `#` ends it, `*` begins again.
#[derive(Clone, Default)]
pub struct Typing {
    digits: String,
}

impl Typing {
    /// True: that was the last of it.
    pub fn press(&mut self, digit: char) -> bool {
        match digit {
            '#' => true,
            '*' => {
                self.digits.clear();
                false
            }
            digit if digit.is_ascii_digit() => {
                self.digits.push(digit);
                self.digits.len() >= *DIGITS.end()
            }
            _ => false,
        }
    }

    /// Nothing since the last star.
    pub fn is_empty(&self) -> bool {
        self.digits.is_empty()
    }

    /// None: it is no PIN, whosever it might be.
    pub fn done(self) -> Option<Pin> {
        Pin::parse(&self.digits).ok()
    }
}

/// How often each person's PIN was guessed wrong, and from where. Kept by the server and asked
/// with each try; a restart forgets it.
#[derive(Clone, Debug, Default)]
pub struct Guesses {
    wrong: BTreeMap<(PersonId, Origin), Wrong>,
}

#[derive(Clone, Copy, Debug)]
struct Wrong {
    count: u32,
    last: Mono,
}

impl Wrong {
    fn is_past(self, now: Mono) -> bool {
        now.since(self.last) >= LOCK_US
    }
}

impl Guesses {
    pub fn is_locked(&self, now: Mono, person: &PersonId, from: &Origin) -> bool {
        let wrong = self.wrong.get(&(person.clone(), from.clone()));
        wrong.is_some_and(|wrong| !wrong.is_past(now) && wrong.count >= WRONG_MAX)
    }

    /// Counts a try before it is checked, so that many at once are not one. False: no more may be
    /// tried now.
    pub fn try_one(&mut self, now: Mono, person: &PersonId, from: &Origin) -> bool {
        if self.is_locked(now, person, from) {
            return false;
        }
        let key = (person.clone(), from.clone());
        if !self.wrong.contains_key(&key) && self.wrong.len() >= GUESSERS_MAX {
            self.wrong.retain(|_, wrong| !wrong.is_past(now));
            if self.wrong.len() >= GUESSERS_MAX {
                return false;
            }
        }
        let wrong = self.wrong.entry(key).or_insert(Wrong { count: 0, last: now });
        if wrong.is_past(now) {
            wrong.count = 0;
        }
        (wrong.count, wrong.last) = (wrong.count + 1, now);
        true
    }

    /// The PIN was right: what was guessed before is forgotten.
    pub fn right(&mut self, person: &PersonId, from: &Origin) {
        self.wrong.remove(&(person.clone(), from.clone()));
    }
}
