//! The codecs that we speak, and what of them is negotiated. Knows no samples.

use std::fmt::Write as _;

/// An audio codec that media can both encode and decode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Codec {
    Pcmu,
    Pcma,
    G722,
    Opus,
}

impl Codec {
    pub const ALL: [Self; 4] = [Self::Pcmu, Self::Pcma, Self::G722, Self::Opus];

    /// The encoding name of RFC 3551 section 6 and RFC 7587.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pcmu => "PCMU",
            Self::Pcma => "PCMA",
            Self::G722 => "G722",
            Self::Opus => "opus",
        }
    }

    /// Ticks a second of the RTP timestamp. G.722 says 8000 by an old error that RFC 3551 keeps.
    pub fn rtp_clock(self) -> u32 {
        if self == Self::Opus { 48_000 } else { 8_000 }
    }

    /// Samples a second of the decoded audio.
    pub fn sample_rate(self) -> u32 {
        match self {
            Self::Pcmu | Self::Pcma => 8_000,
            Self::G722 => 16_000,
            Self::Opus => 48_000,
        }
    }

    /// The payload type that needs no rtpmap (RFC 3551 table 4).
    pub fn static_payload(self) -> Option<u8> {
        match self {
            Self::Pcmu => Some(0),
            Self::Pcma => Some(8),
            Self::G722 => Some(9),
            Self::Opus => None,
        }
    }

    pub(crate) fn of_static(payload: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|codec| codec.static_payload() == Some(payload))
    }

    /// Encoding names are case-insensitive (RFC 4855 section 3). Opus is always `48000/2` on the
    /// wire, whatever is sent (RFC 7587 section 4.1).
    pub(crate) fn of_rtpmap(name: &str, clock: u32, channels: u32) -> Option<Self> {
        let codec = Self::ALL.into_iter().find(|c| c.name().eq_ignore_ascii_case(name))?;
        let wanted = if codec == Self::Opus { 2 } else { 1 };
        (codec.rtp_clock() == clock && channels == wanted).then_some(codec)
    }

    pub(crate) fn rtpmap(self) -> String {
        let channels = if self == Self::Opus { "/2" } else { "" };
        format!("{}/{}{channels}", self.name(), self.rtp_clock())
    }
}

/// `telephone-event` (RFC 4733): the payload type that carries digits and its clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventFormat {
    pub pt: u8,
    pub clock: u32,
}

/// What the far end's `fmtp` says it wants to receive as Opus (RFC 7587 section 6.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpusParams {
    /// Highest useful rate at the receiver, in Hz.
    pub max_playback_rate: u32,
    /// Highest average bitrate wanted; None where the far end leaves it to us.
    pub max_average_bitrate: Option<u32>,
    pub stereo: bool,
    pub cbr: bool,
    pub use_inband_fec: bool,
    pub use_dtx: bool,
}

impl Default for OpusParams {
    /// The defaults of RFC 7587: what a missing fmtp means.
    fn default() -> Self {
        Self {
            max_playback_rate: 48_000,
            max_average_bitrate: None,
            stereo: false,
            cbr: false,
            use_inband_fec: false,
            use_dtx: false,
        }
    }
}

impl OpusParams {
    /// What we ask of the far end: in-band FEC, and never discontinuous toward us.
    pub fn ours() -> Self {
        Self { use_inband_fec: true, ..Self::default() }
    }

    /// Reads a fmtp's parameters. What is out of range or unknown is ignored: an fmtp is a wish,
    /// and a wish that cannot be read must not cost the call.
    pub fn parse(fmtp: &str) -> Self {
        let mut out = Self::default();
        for part in fmtp.split(';') {
            let Some((key, value)) = part.split_once('=') else { continue };
            let value = value.trim();
            let number = || value.parse::<u32>().ok();
            let flag = value == "1";
            match key.trim().to_ascii_lowercase().as_str() {
                "maxplaybackrate" => {
                    if let Some(rate) = number().filter(|r| (8_000..=48_000).contains(r)) {
                        out.max_playback_rate = rate;
                    }
                }
                "maxaveragebitrate" => {
                    out.max_average_bitrate =
                        number().filter(|rate| (6_000..=510_000).contains(rate));
                }
                "stereo" => out.stereo = flag,
                "cbr" => out.cbr = flag,
                "useinbandfec" => out.use_inband_fec = flag,
                "usedtx" => out.use_dtx = flag,
                _ => {}
            }
        }
        out
    }

    pub(crate) fn fmtp(&self) -> String {
        let mut out = format!("useinbandfec={}", u8::from(self.use_inband_fec));
        if self.max_playback_rate != 48_000 {
            // A String takes every write.
            let _ = write!(out, ";maxplaybackrate={}", self.max_playback_rate);
        }
        if let Some(rate) = self.max_average_bitrate {
            let _ = write!(out, ";maxaveragebitrate={rate}");
        }
        out
    }
}
