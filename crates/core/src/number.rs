//! Numbers and patterns of numbers, each parsed once: what was dialled is a value from then on,
//! never again a text that somebody takes apart. Knows no directory.

use std::fmt;
use std::sync::Arc;

/// Longest number and pattern, in characters (E.164 has 15; room for prefixes).
const NUMBER_MAX: usize = 32;
/// Longest thing dialled, in bytes: a device may be called by its id.
const DIALLED_MAX_BYTES: usize = 128;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadNumber(pub &'static str);

impl fmt::Display for BadNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}
impl std::error::Error for BadNumber {}

/// 1 to 32 of `0-9 + * #`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Number(Arc<str>);

const fn of_number(byte: u8) -> bool {
    byte.is_ascii_digit() || matches!(byte, b'+' | b'*' | b'#')
}

impl Number {
    pub fn parse(text: &str) -> Result<Self, BadNumber> {
        let fits = !text.is_empty() && text.len() <= NUMBER_MAX;
        if fits && text.bytes().all(of_number) {
            Ok(Self(text.into()))
        } else {
            Err(BadNumber("a number is 1 to 32 digits, + * #"))
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Without its first characters, and with others before it.
    pub fn changed(&self, strip: usize, prepend: Option<&Number>) -> Result<Number, BadNumber> {
        let rest = self.0.get(strip..).unwrap_or("");
        let prepend = prepend.map_or("", Number::as_str);
        Number::parse(&format!("{prepend}{rest}"))
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What somebody asked for: a number, or the name of a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dialled {
    text: Arc<str>,
    number: Option<Number>,
}

impl Dialled {
    /// `201`, `sip:201@host;x=y`, `tel:+1-555-0100`. Only what is before `@` and `;` counts: the
    /// host is ours, or it is not asked for.
    pub fn parse(address: &str) -> Result<Self, BadNumber> {
        let address = address.trim();
        let (scheme, rest) = address.split_once(':').unwrap_or(("", address));
        let rest = match scheme.to_ascii_lowercase().as_str() {
            "sip" | "sips" | "tel" => rest,
            _ => address,
        };
        let user = rest.split(['@', ';', '?']).next().unwrap_or(rest).trim();
        // Visual separators mean nothing (RFC 3966 section 5.1.1).
        let text = if scheme.eq_ignore_ascii_case("tel") {
            user.replace(['-', '.', '(', ')'], "")
        } else {
            user.to_owned()
        };
        let fits = !text.is_empty() && text.len() <= DIALLED_MAX_BYTES;
        let clean = |b: u8| b.is_ascii_alphanumeric() || b"._:+-*#".contains(&b);
        if !fits || !text.bytes().all(clean) {
            return Err(BadNumber("neither a number nor the name of a device"));
        }
        let number = Number::parse(&text).ok();
        Ok(Self { text: text.into(), number })
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub fn number(&self) -> Option<&Number> {
        self.number.as_ref()
    }
}

impl From<Number> for Dialled {
    fn from(number: Number) -> Self {
        Self { text: number.0.clone(), number: Some(number) }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Pin {
    Is(u8),
    AnyDigit,
}

/// `+45.`: characters as they stand, `X` for any one digit, a final `.` for anything more, at
/// least one. Without the final `.` it matches whole numbers only.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pattern {
    pins: Vec<Pin>,
    open: bool,
}

impl Pattern {
    pub fn parse(text: &str) -> Result<Self, BadNumber> {
        let (pinned, open) = match text.strip_suffix('.') {
            Some(pinned) => (pinned, true),
            None => (text, false),
        };
        if text.is_empty() || text.len() > NUMBER_MAX {
            return Err(BadNumber("a pattern has 1 to 32 characters"));
        }
        let pin = |byte| match byte {
            b'X' | b'x' => Ok(Pin::AnyDigit),
            byte if of_number(byte) => Ok(Pin::Is(byte)),
            _ => Err(BadNumber("a pattern is digits, + * #, X for any digit, and . at its end")),
        };
        Ok(Self { pins: pinned.bytes().map(pin).collect::<Result<_, _>>()?, open })
    }

    pub fn matches(&self, number: &Number) -> bool {
        let bytes = number.0.as_bytes();
        let long_enough = match self.open {
            true => bytes.len() > self.pins.len(),
            false => bytes.len() == self.pins.len(),
        };
        let fits = |(pin, byte): (&Pin, &u8)| match pin {
            Pin::Is(wanted) => wanted == byte,
            Pin::AnyDigit => byte.is_ascii_digit(),
        };
        long_enough && self.pins.iter().zip(bytes).all(fits)
    }

    /// How much of a number it says something about; the longer of two that match is meant.
    pub fn length(&self) -> usize {
        self.pins.len()
    }

    /// The one number that it matches, if it is only one.
    pub fn only(&self) -> Option<Number> {
        let byte = |pin: &Pin| match pin {
            Pin::Is(byte) => Some(char::from(*byte)),
            Pin::AnyDigit => None,
        };
        let text: Option<String> = self.pins.iter().map(byte).collect();
        text.filter(|_| !self.open).and_then(|text| Number::parse(&text).ok())
    }

    /// One of the numbers that it matches, for looking where it leads.
    pub fn sample(&self) -> Option<Number> {
        let byte = |pin: &Pin| match pin {
            Pin::Is(byte) => char::from(*byte),
            Pin::AnyDigit => '5',
        };
        let mut text: String = self.pins.iter().map(byte).collect();
        text.extend(self.open.then_some('5'));
        Number::parse(&text).ok()
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for pin in &self.pins {
            let c = match pin {
                Pin::Is(byte) => char::from(*byte),
                Pin::AnyDigit => 'X',
            };
            write!(f, "{c}")?;
        }
        if self.open { f.write_str(".") } else { Ok(()) }
    }
}
