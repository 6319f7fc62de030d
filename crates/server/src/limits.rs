//! From when on the board and the panel call something long, as the configuration writes it:
//! `[attention]`. Owns the names in the file; what comes of a limit is the pages' and core's.

use serde::Deserialize;
use undertone_core::policy::Limits;

/// All of it may be left out.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AttentionConfig {
    pub hold_long_s: u32,
    pub talk_long_s: u32,
    pub wrap_up_long_s: u32,
    pub silence_s: u32,
    pub whisper_long_s: u32,
    pub whisper_percent: u8,
    pub whispers_in_10_min: u32,
}

/// A day: what is longer will not have been meant.
const MAX_S: u32 = 86_400;

impl Default for AttentionConfig {
    fn default() -> Self {
        let limits = Limits::default();
        let s = |ms: u64| u32::try_from(ms / 1_000).unwrap_or(MAX_S);
        Self {
            hold_long_s: s(limits.hold_long_ms),
            talk_long_s: s(limits.talk_long_ms),
            wrap_up_long_s: s(limits.wrap_up_long_ms),
            silence_s: s(limits.silence_ms),
            whisper_long_s: s(limits.whisper_long_ms),
            whisper_percent: limits.whisper_percent,
            whispers_in_10_min: limits.whispers_in_10_min,
        }
    }
}

impl AttentionConfig {
    pub fn limits(&self) -> Limits {
        let ms = |s: u32| u64::from(s) * 1_000;
        Limits {
            hold_long_ms: ms(self.hold_long_s),
            talk_long_ms: ms(self.talk_long_s),
            wrap_up_long_ms: ms(self.wrap_up_long_s),
            silence_ms: ms(self.silence_s),
            whisper_long_ms: ms(self.whisper_long_s),
            whisper_percent: self.whisper_percent,
            whispers_in_10_min: self.whispers_in_10_min,
        }
    }

    /// What no parser of one value can see.
    pub fn fault(&self) -> Option<String> {
        let seconds = [
            ("hold_long_s", self.hold_long_s),
            ("talk_long_s", self.talk_long_s),
            ("wrap_up_long_s", self.wrap_up_long_s),
            ("silence_s", self.silence_s),
            ("whisper_long_s", self.whisper_long_s),
        ];
        let wrong = seconds.iter().find(|(_, s)| !(1..=MAX_S).contains(s));
        if let Some((name, _)) = wrong {
            return Some(format!("{name} must be 1 to {MAX_S}"));
        }
        if !(1..=100).contains(&self.whisper_percent) {
            return Some("whisper_percent must be 1 to 100".into());
        }
        let often = (1..=1_000).contains(&self.whispers_in_10_min);
        (!often).then(|| "whispers_in_10_min must be 1 to 1000".into())
    }

    /// Its part of the example file.
    pub fn example() -> String {
        let d = Self::default();
        format!(
            "\n# From when on the board calls something long, and the panel a whisper too much.\n\
             [attention]\n\
             hold_long_s = {}\n\
             talk_long_s = {}\n\
             wrap_up_long_s = {}\n\
             # Nobody on a call says anything.\n\
             silence_s = {}\n\
             whisper_long_s = {}\n\
             # Of the time that one supervises.\n\
             whisper_percent = {}\n\
             whispers_in_10_min = {}\n",
            d.hold_long_s,
            d.talk_long_s,
            d.wrap_up_long_s,
            d.silence_s,
            d.whisper_long_s,
            d.whisper_percent,
            d.whispers_in_10_min
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_can_mean_is_named() {
        assert_eq!(AttentionConfig::default().fault(), None);
        assert_eq!(AttentionConfig::default().limits(), Limits::default());
        let none = AttentionConfig { silence_s: 0, ..AttentionConfig::default() };
        assert!(none.fault().is_some_and(|fault| fault.starts_with("silence_s")));
        let much = AttentionConfig { whisper_percent: 101, ..AttentionConfig::default() };
        assert!(much.fault().is_some_and(|fault| fault.starts_with("whisper_percent")));
    }
}
