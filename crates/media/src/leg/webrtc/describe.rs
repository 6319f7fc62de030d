//! A browser's offer: what must be true of it before the library sees it, the codecs that we
//! speak, and what is agreed as the bridge wants to know it. Knows no time and no transport.

use std::net::{Ipv4Addr, SocketAddr};

use str0m::change::SdpOffer as Parsed;
use str0m::format::{Codec as Spoken, CodecConfig, FormatParams};
use str0m::media::{Frequency, Mid};
use str0m::{Rtc, RtcError};
use undertone_sdp::{Codec, EventFormat, Media, OpusParams};

/// A browser's offer of one stream has some 4 KiB.
const OFFER_MAX_BYTES: usize = 64 * 1024;
const DEFAULT_PTIME_MS: u8 = 20;

#[derive(Debug, thiserror::Error)]
pub enum WebError {
    #[error("the offer is longer than {OFFER_MAX_BYTES} bytes")]
    TooLarge,
    #[error("the offer is no description of one audio stream over DTLS and ICE")]
    NotAnOffer,
    #[error("the offer was refused: {0}")]
    Refused(String),
    #[error("no codec in common")]
    NoCommonCodec,
    #[error("the offer is another browser's, or of one that has ended its connection")]
    OtherBrowser,
    #[error("{0} is no address that can be told")]
    Unreachable(SocketAddr),
}

impl WebError {
    pub(super) fn refused(error: RtcError) -> Self {
        Self::Refused(error.to_string())
    }
}

/// The few facts of an offer that are ours to know.
pub(super) struct Offered {
    text: String,
    pub(super) mid: String,
    pub(super) fingerprint: String,
}

impl Offered {
    /// Exactly one stream, of audio, with ICE and a certificate: all else is refused here.
    pub(super) fn read(text: &str) -> Result<Self, WebError> {
        if text.len() > OFFER_MAX_BYTES {
            return Err(WebError::TooLarge);
        }
        let value = |name: &str| text.lines().find_map(|line| line.trim().strip_prefix(name));
        let mut streams = text.lines().filter(|line| line.starts_with("m="));
        let one = streams.next().is_some_and(|line| line.starts_with("m=audio "));
        let mid = value("a=mid:").filter(|mid| (1..=16).contains(&mid.len()));
        let fingerprint = value("a=fingerprint:").map(str::to_lowercase);
        let (Some(mid), Some(fingerprint), Some(_), true, None) =
            (mid, fingerprint, value("a=ice-ufrag:"), one, streams.next())
        else {
            return Err(WebError::NotAnOffer);
        };
        Ok(Self { text: text.to_owned(), mid: mid.to_owned(), fingerprint })
    }

    pub(super) fn parse(&self) -> Result<Parsed, WebError> {
        Parsed::from_sdp_string(&self.text).map_err(|_| WebError::NotAnOffer)
    }

    fn value(&self, name: &str) -> Option<&str> {
        self.text.lines().find_map(|line| line.trim().strip_prefix(name))
    }

    fn millis(&self, name: &str) -> Option<u8> {
        self.value(name)?.parse::<u8>().ok().filter(|ms| *ms >= 10)
    }
}

/// Another offer of a browser, read by whoever brings it: no media thread gives its time to that.
pub struct Reoffer {
    pub(super) offered: Offered,
    pub(super) parsed: Parsed,
}

impl Reoffer {
    pub fn read(text: &str) -> Result<Self, WebError> {
        let offered = Offered::read(text)?;
        let parsed = offered.parse()?;
        Ok(Self { offered, parsed })
    }
}

/// All that we can, in the order of the answer.
pub(super) fn speak(config: &mut CodecConfig, prefer: Option<Codec>) {
    let rest = [Codec::Opus, Codec::Pcmu, Codec::Pcma, Codec::G722];
    let rest = rest.into_iter().filter(|codec| Some(*codec) != prefer);
    for codec in prefer.into_iter().chain(rest) {
        match codec {
            Codec::Opus => config.enable_opus(true, false),
            Codec::Pcmu => config.enable_pcmu(true, false),
            Codec::Pcma => config.enable_pcma(true, false),
            Codec::G722 => config.enable_g722(true, false),
        }
    }
    for (pt, clock) in [(126u8, Frequency::EIGHT_KHZ), (110u8, Frequency::FORTY_EIGHT_KHZ)] {
        config.add_config(pt.into(), None, Spoken::Tele, clock, None, FormatParams::default());
    }
}

fn codec_of(spoken: Spoken) -> Option<Codec> {
    match spoken {
        Spoken::Opus => Some(Codec::Opus),
        Spoken::PCMU => Some(Codec::Pcmu),
        Spoken::PCMA => Some(Codec::Pcma),
        Spoken::G722 => Some(Codec::G722),
        _ => None,
    }
}

/// What was agreed, from our side.
pub(super) fn media(rtc: &Rtc, mid: Mid, offered: &Offered) -> Result<Media, WebError> {
    let stream = rtc.media(mid).ok_or(WebError::NoCommonCodec)?;
    let params = rtc.codec_config().params().iter();
    let agreed: Vec<_> = params.filter(|p| stream.remote_pts().contains(&p.pt())).collect();
    let codecs: Vec<_> =
        agreed.iter().filter_map(|p| Some((*p.pt(), codec_of(p.spec().codec)?))).collect();
    if codecs.is_empty() {
        return Err(WebError::NoCommonCodec);
    }
    let tele = agreed.iter().filter(|p| p.spec().codec == Spoken::Tele);
    let events: Vec<_> = tele
        .map(|p| EventFormat { pt: *p.pt(), clock: p.spec().clock_rate.get() })
        .filter(|event| codecs.iter().any(|(_, codec)| codec.rtp_clock() == event.clock))
        .collect();
    let opus = codecs.iter().find(|(_, codec)| *codec == Codec::Opus);
    let opus = opus.and_then(|(pt, _)| offered.value(&format!("a=fmtp:{pt} ")));
    let opus = opus.map(OpusParams::parse).unwrap_or_default();
    // Where packets go is ICE's to find; no address of a description is ever used.
    let nowhere = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
    let maxptime_ms = offered.millis("a=maxptime:");
    Ok(Media {
        addr: nowhere,
        rtcp: nowhere,
        rtcp_mux: true,
        sends: stream.direction().is_sending(),
        receives: stream.direction().is_receiving(),
        arriving: codecs.clone(),
        events_arriving: events.clone(),
        events,
        comfort_noise: None,
        ptime_ms: DEFAULT_PTIME_MS.min(maxptime_ms.map_or(60, |ms| ms - ms % 10)),
        maxptime_ms,
        opus,
        codecs,
    })
}
