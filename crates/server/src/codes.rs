//! The tapping codes as the configuration writes them: `[tapping_codes]`. Owns their names in the
//! file; what a code may be, and what it means, is core's.

use serde::Deserialize;
use undertone_core::codes::TappingCodes;
use undertone_core::pin::PinAsked;

/// All of it may be left out: then the codes are the standard ones, and off.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CodesConfig {
    pub on: bool,
    pub listen: String,
    pub whisper: String,
    pub barge: String,
    pub takeover: String,
    /// Who is asked for a PIN.
    #[serde(deserialize_with = "pin_asked")]
    pub pin: PinAsked,
}

impl Default for CodesConfig {
    fn default() -> Self {
        let TappingCodes { on, listen, whisper, barge, takeover, pin } = TappingCodes::default();
        Self { on, listen, whisper, barge, takeover, pin }
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
            pin: self.pin,
        }
    }

    /// Its part of the example file.
    pub fn example() -> String {
        let Self { on, listen, whisper, barge, takeover, pin } = Self::default();
        let pin = pin.code();
        format!(
            "\n# Supervision by telephone: a code and the agent's extension (*81201), then 4, 5, 6 \
             or 7\n# (in takeover *4, *5, *6, *7) for listen, whisper, barge, hand back. Who dials \
             needs the\n# rights `keypad` and that of the mode, and a telephone of their own.\n\
             [tapping_codes]\n\
             on = {on}\n\
             listen = \"{listen}\"\n\
             whisper = \"{whisper}\"\n\
             barge = \"{barge}\"\n\
             takeover = \"{takeover}\"\n\
             # Who types a PIN first: \"never\", \"behind_trunk\" (who calls by a trunk that\n\
             # vouches for its callers), \"always\".\n\
             pin = \"{pin}\"\n"
        )
    }
}

fn pin_asked<'de, D: serde::Deserializer<'de>>(d: D) -> Result<PinAsked, D::Error> {
    let text = String::deserialize(d)?;
    let known = || PinAsked::ALL.map(PinAsked::code).join(", ");
    let wrong = || serde::de::Error::custom(format!("pin is one of {}, not `{text}`", known()));
    PinAsked::parse(&text).ok_or_else(wrong)
}
