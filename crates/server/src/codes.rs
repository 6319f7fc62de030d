//! The tapping codes as the configuration writes them: `[tapping_codes]`. Owns their names in the
//! file; what a code may be, and what it means, is core's.

use serde::Deserialize;
use undertone_core::codes::TappingCodes;

/// All of it may be left out: then the codes are the standard ones, and off.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CodesConfig {
    pub on: bool,
    pub listen: String,
    pub whisper: String,
    pub barge: String,
    pub takeover: String,
}

impl Default for CodesConfig {
    fn default() -> Self {
        let TappingCodes { on, listen, whisper, barge, takeover } = TappingCodes::default();
        Self { on, listen, whisper, barge, takeover }
    }
}

impl CodesConfig {
    pub fn codes(&self) -> TappingCodes {
        TappingCodes {
            on: self.on,
            listen: self.listen.clone(),
            whisper: self.whisper.clone(),
            barge: self.barge.clone(),
            takeover: self.takeover.clone(),
        }
    }

    /// Its part of the example file.
    pub fn example() -> String {
        let Self { on, listen, whisper, barge, takeover } = Self::default();
        format!(
            "\n# Supervision by telephone: a code and the agent's extension (*81201), then 4, 5, 6 \
             or 7\n# (in takeover *4, *5, *6, *7) for listen, whisper, barge, hand back. Who dials \
             needs the\n# rights `keypad` and that of the mode, and a telephone of their own.\n\
             [tapping_codes]\n\
             on = {on}\n\
             listen = \"{listen}\"\n\
             whisper = \"{whisper}\"\n\
             barge = \"{barge}\"\n\
             takeover = \"{takeover}\"\n"
        )
    }
}
