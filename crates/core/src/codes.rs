//! Tapping codes: what a telephone's keypad asks for, as typed wishes (requirements R41-R48). Owns
//! the numbers and the keys; refuses to know calls, rights and legs: a wish is judged elsewhere.
//!
//! Dialled: a code and the agent's extension (`*81` `201`). Pressed on a running supervision: one
//! key, or a star and a key within three seconds. In takeover only the star forms are wishes,
//! because there a key alone may be meant for the far end.

use crate::directory::Directory;
use crate::pin::PinAsked;
use crate::time::Mono;
use crate::view::{AgentAfter, Mode};

/// What becomes of the agent in a takeover by code: a keypad cannot say, so it is what `7` can undo
/// (`hearing.md`: the page proposes the same; the API's default removes the agent).
pub const AGENT_AFTER: AgentAfter = AgentAfter::Listening;
/// A star that is followed by nothing for so long stands for itself.
const STAR_US: u64 = 3_000_000;
const CODE_DIGITS_MAX: usize = 8;
const EXTENSION_DIGITS_MAX: usize = 32;

/// The codes that are dialled. Off until an administrator turns them on (R41).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TappingCodes {
    pub on: bool,
    pub listen: String,
    pub whisper: String,
    pub barge: String,
    pub takeover: String,
    /// Who must prove by a PIN who they are.
    pub pin: PinAsked,
}

impl Default for TappingCodes {
    fn default() -> Self {
        let code = |text: &str| text.to_owned();
        Self {
            on: false,
            listen: code("*80"),
            whisper: code("*81"),
            barge: code("*82"),
            takeover: code("*83"),
            pin: PinAsked::default(),
        }
    }
}

impl TappingCodes {
    fn each(&self) -> [(Mode, &str); 4] {
        [
            (Mode::Listen, &self.listen),
            (Mode::Whisper, &self.whisper),
            (Mode::Barge, &self.barge),
            (Mode::Takeover, &self.takeover),
        ]
    }

    /// What was dialled, if it is a code: the mode wished for, and the agent's extension (which
    /// may be empty, or nobody's). None while the codes are off.
    pub fn dialled<'a>(&self, number: &'a str) -> Option<(Mode, &'a str)> {
        if !self.on {
            return None;
        }
        let hit = |(mode, code): (Mode, &str)| Some((mode, number.strip_prefix(code)?));
        let (mode, extension) = self.each().into_iter().find_map(hit)?;
        let digits = extension.bytes().all(|b| b.is_ascii_digit());
        (digits && extension.len() <= EXTENSION_DIGITS_MAX).then_some((mode, extension))
    }

    /// What is wrong with the codes by themselves: the first fault, in words. A code is a star or
    /// a hash, then digits; none begins with another, or the longer could not be dialled.
    pub fn fault(&self) -> Option<String> {
        for (mode, code) in self.each() {
            let rest = code.strip_prefix(['*', '#']).unwrap_or("");
            let digits = rest.bytes().all(|b| b.is_ascii_digit());
            if rest.is_empty() || !digits || code.len() > CODE_DIGITS_MAX {
                let wanted = "a star or a hash and 1 to 7 digits, such as *80";
                return Some(format!("the code for {mode:?} is `{code}`, not {wanted}"));
            }
            let clash = self.each().into_iter().find(|(m, c)| *m != mode && c.starts_with(code));
            if let Some((other, longer)) = clash {
                return Some(format!(
                    "`{code}` ({mode:?}) is the beginning of `{longer}` ({other:?})"
                ));
            }
        }
        None
    }

    /// Extensions of people and devices that could not be dialled any more, because a code takes
    /// them.
    pub fn conflicts<'a>(&'a self, dir: &'a Directory) -> impl Iterator<Item = &'a str> {
        let people = dir.people.values().filter_map(|person| person.extension.as_deref());
        let devices = dir.devices.values().filter_map(|device| device.extension.as_deref());
        people.chain(devices).filter(|extension| self.dialled(extension).is_some())
    }
}

/// How a digit came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DigitWay {
    /// A telephone event (RFC 4733).
    Event,
    /// SIP INFO.
    Info,
}

/// Some telephones send each digit both ways; it counts once. The way of the first one counts,
/// until none has come by it for so long that none that was pressed with it can still be on the way
/// by the other (an INFO is given up after 32 s, RFC 3261 section 17.1.2.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OneWay {
    last: Option<(DigitWay, Mono)>,
}

const OTHER_WAY_US: u64 = 32_000_000;

impl OneWay {
    pub fn counts(&mut self, now: Mono, way: DigitWay) -> bool {
        let other = |(of, at): (DigitWay, Mono)| of != way && now.since(at) <= OTHER_WAY_US;
        if self.last.is_some_and(other) {
            return false;
        }
        self.last = Some((way, now));
        true
    }
}

/// What a key asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyWish {
    Mode(Mode),
    HandBack,
}

/// The keypad of one supervision: remembers a star.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Keypad {
    star: Option<Mono>,
}

impl Keypad {
    /// `mode` is the one that the supervision is in now.
    pub fn press(&mut self, now: Mono, digit: char, mode: Mode) -> Option<KeyWish> {
        if digit == '*' {
            self.star = Some(now);
            return None;
        }
        let starred = self.star.take().is_some_and(|at| now.since(at) <= STAR_US);
        if mode == Mode::Takeover && !starred {
            return None;
        }
        match digit {
            '4' => Some(KeyWish::Mode(Mode::Listen)),
            '5' => Some(KeyWish::Mode(Mode::Whisper)),
            '6' => Some(KeyWish::Mode(Mode::Barge)),
            '7' => Some(KeyWish::HandBack),
            _ => None,
        }
    }
}
