//! What an organisation calls things on its pages: one of six presets, and words of its own over
//! that. Which words a preset has is the pages' to know; code, API and audit keep their own names
//! whatever the labels say.

use std::collections::BTreeMap;
use std::fmt;

/// A label stands on a button.
pub const WORD_MAX_CHARS: usize = 40;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident: $($variant:ident => $code:literal),* $(,)?) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($variant),* }
        impl $name {
            pub const ALL: &'static [$name] = &[$($name::$variant),*];
            /// Its name in the API and the store.
            pub const fn code(self) -> &'static str {
                match self { $($name::$variant => $code),* }
            }
            pub fn parse(code: &str) -> Option<$name> {
                $name::ALL.iter().copied().find(|one| one.code() == code)
            }
        }
    };
}

words! {
    /// Words that go together.
    Preset:
    Undertone => "undertone",
    Pbx => "pbx",
    Helpdesk => "helpdesk",
    Sales => "sales",
    Talk => "talk",
    Enterprise => "enterprise",
}

words! {
    /// What may be called otherwise.
    Term:
    Listen => "listen",
    Whisper => "whisper",
    Barge => "barge",
    Takeover => "takeover",
    HandBack => "hand_back",
    Agent => "agent",
    Customer => "customer",
    Supervisor => "supervisor",
    Wallboard => "wallboard",
    LiveCalls => "live_calls",
    CallStatus => "call_status",
    Panel => "panel",
    Alert => "alert",
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Labels {
    pub preset: Preset,
    /// Single words over the preset's, in whichever language.
    words: BTreeMap<Term, String>,
}

/// Which part of what was asked for will not do, by its path in the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BadLabels {
    Preset(String),
    Term(String),
    Word(Term),
    /// Two terms that must be told apart would be called the same.
    Same(Term, Term),
}

/// Told apart on every page: whoever takes one for the other is heard by the wrong person.
const MODES: [Term; 4] = [Term::Listen, Term::Whisper, Term::Barge, Term::Takeover];

impl Default for Labels {
    fn default() -> Self {
        Self { preset: Preset::Undertone, words: BTreeMap::new() }
    }
}

impl Labels {
    /// A word that is only blanks is none.
    pub fn parse<'a>(
        preset: &str,
        words: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Labels, BadLabels> {
        let preset = Preset::parse(preset).ok_or_else(|| BadLabels::Preset(shown(preset)))?;
        let mut kept = BTreeMap::new();
        for (term, word) in words {
            let term = Term::parse(term).ok_or_else(|| BadLabels::Term(shown(term)))?;
            let word = word.trim();
            let fits = word.chars().count() <= WORD_MAX_CHARS;
            if !fits || word.chars().any(unshown) {
                return Err(BadLabels::Word(term));
            }
            if !word.is_empty() {
                kept.insert(term, word.to_owned());
            }
        }
        let same = |a: &Term, b: &Term| match (kept.get(a), kept.get(b)) {
            (Some(one), Some(other)) => one.to_lowercase() == other.to_lowercase(),
            _ => false,
        };
        for (i, a) in MODES.iter().enumerate() {
            if let Some(b) = MODES[i + 1..].iter().find(|b| same(a, b)) {
                return Err(BadLabels::Same(*a, *b));
            }
        }
        Ok(Labels { preset, words: kept })
    }

    pub fn words(&self) -> impl Iterator<Item = (Term, &str)> {
        self.words.iter().map(|(term, word)| (*term, word.as_str()))
    }
}

/// Controls, and what turns the direction of the text around it (Unicode UAX 9).
fn unshown(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The start of it: what was sent may be long.
fn shown(text: &str) -> String {
    text.chars().filter(|c| !unshown(*c)).take(WORD_MAX_CHARS).collect()
}

impl fmt::Display for BadLabels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = |codes: Vec<&str>| codes.join(", ");
        match self {
            BadLabels::Preset(text) => {
                let known = all(Preset::ALL.iter().map(|one| one.code()).collect());
                write!(f, "`preset`: there is no `{text}`; it is one of {known}")
            }
            BadLabels::Term(text) => {
                let known = all(Term::ALL.iter().map(|one| one.code()).collect());
                write!(f, "`words`: there is no term `{text}`; they are {known}")
            }
            BadLabels::Word(term) => write!(
                f,
                "`words.{}`: at most {WORD_MAX_CHARS} characters on one line",
                term.code()
            ),
            BadLabels::Same(one, other) => {
                let (one, other) = (one.code(), other.code());
                write!(f, "`words`: {one} and {other} must not be called the same")
            }
        }
    }
}
impl std::error::Error for BadLabels {}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(preset: &str, words: &[(&'static str, &'static str)]) -> Result<Labels, BadLabels> {
        Labels::parse(preset, words.iter().copied())
    }

    #[test]
    fn a_preset_and_words_of_ones_own_are_kept_as_they_are_shown() {
        let labels = parse("sales", &[("whisper", "  Coach "), ("agent", ""), ("panel", "לייב")]);
        let labels = labels.unwrap();
        let words: Vec<_> = labels.words().map(|(term, word)| (term.code(), word)).collect();
        assert_eq!(labels.preset, Preset::Sales);
        assert_eq!(words, [("whisper", "Coach"), ("panel", "לייב")]);
        assert_eq!(parse("undertone", &[]).unwrap(), Labels::default());
    }

    #[test]
    fn what_will_not_do_is_named() {
        let long = "x".repeat(41);
        for (preset, term, word, named) in [
            ("banana", "agent", "rep", "`preset`: there is no `banana`"),
            ("pbx", "agents", "rep", "there is no term `agents`"),
            ("pbx", "agent", long.as_str(), "`words.agent`: at most 40"),
            ("pbx", "agent", "re\np", "`words.agent`"),
            ("pbx", "agent", "re\u{202e}p", "`words.agent`"),
        ] {
            let error = Labels::parse(preset, [(term, word)]).unwrap_err().to_string();
            assert!(error.contains(named), "{error}");
        }
        let same = parse("pbx", &[("listen", "Monitor"), ("barge", "monitor")]).unwrap_err();
        assert_eq!(same, BadLabels::Same(Term::Listen, Term::Barge));
    }
}
