//! How values become text in a row and back: hex, JSON, ids, and the codes that core keeps as
//! constants. Knows no SQL.

use crate::error::StoreError;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Mutex;

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

pub(crate) fn unhex(text: &str) -> Option<[u8; 32]> {
    let mut out = [0; 32];
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (index, byte) in out.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[index * 2..index * 2 + 2], 16).ok()?;
    }
    Some(out)
}

/// JSON of what cannot fail to be JSON: strings, lists and maps of strings.
pub(crate) fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// A list of things that are written without spaces, in one column.
pub(crate) fn words_text<T: std::fmt::Display>(words: impl IntoIterator<Item = T>) -> String {
    words.into_iter().map(|word| word.to_string()).collect::<Vec<_>>().join(" ")
}

pub(crate) fn words_of<T, C: FromIterator<T>, E: ToString>(
    text: &str,
    one: impl Fn(&str) -> Result<T, E>,
) -> Result<C, StoreError> {
    text.split_whitespace().map(|word| one(word).map_err(|e| bad("a list", e))).collect()
}

pub(crate) fn bad(what: &'static str, why: impl ToString) -> StoreError {
    StoreError::BadRow { what, why: why.to_string() }
}

/// Codes that core holds as constants come back from a row as the same words. Each distinct one
/// is kept once for the life of the process; a row cannot make this grow without end.
pub(crate) fn code(text: &str) -> &'static str {
    const MAX_CODES: usize = 2_048;
    static KNOWN: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let mut known = KNOWN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some(word) = known.get(text) {
        return word;
    }
    if known.len() >= MAX_CODES || text.len() > 64 {
        return "unknown";
    }
    let word: &'static str = Box::leak(text.to_owned().into_boxed_str());
    known.insert(word);
    word
}

/// A word for each value of an enum that core leaves without one, both ways.
macro_rules! words {
    ($name:ident, $back:ident, $type:ty { $($variant:ident = $word:literal),* $(,)? }) => {
        pub(crate) const fn $name(value: $type) -> &'static str {
            match value { $(<$type>::$variant => $word),* }
        }
        pub(crate) fn $back(word: &str) -> Result<$type, crate::error::StoreError> {
            match word {
                $($word => Ok(<$type>::$variant),)*
                _ => Err(bad(stringify!($type), format!("unknown word {word:?}"))),
            }
        }
    };
}

use undertone_core::view::{
    CallState, Channel, Direction, Extent, Follow, Mode, Net, Role, SupervisionState,
};
words!(role, role_of, Role { Customer = "customer", Agent = "agent", Supervisor = "supervisor" });
words!(mode, mode_of, Mode {
    Listen = "listen", Whisper = "whisper", Barge = "barge", Takeover = "takeover",
});
words!(direction, direction_of, Direction {
    Inbound = "inbound", Outbound = "outbound", Internal = "internal",
});
words!(call_state, call_state_of, CallState {
    Queued = "queued", Ringing = "ringing", Talking = "talking", Held = "held", Ended = "ended",
});
words!(net, net_of, Net { Internal = "internal", External = "external" });
words!(follow, follow_of, Follow { Call = "call", Agent = "agent" });
words!(extent, extent_of, Extent {
    ThisCall = "this_call", NextCall = "next_call", AllCalls = "all_calls",
});
words!(state, state_of, SupervisionState {
    Connecting = "connecting", Live = "live", Ended = "ended", Failed = "failed",
});
words!(channel, channel_of, Channel { Web = "web", Dtmf = "dtmf", Api = "api" });

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_comes_back_and_nothing_else_passes() {
        let bytes: [u8; 32] = std::array::from_fn(|i| (i * 7) as u8);
        assert_eq!(unhex(&hex(&bytes)), Some(bytes));
        assert_eq!(unhex("00"), None);
        assert_eq!(unhex(&"g".repeat(64)), None);
        assert_eq!(unhex(&"é".repeat(32)), None);
    }

    #[test]
    fn the_same_code_is_kept_once() {
        assert!(std::ptr::eq(code("answered"), code(&String::from("answered"))));
        assert_eq!(code(&"x".repeat(65)), "unknown");
    }
}
