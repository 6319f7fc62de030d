//! Reads a description into the few facts that a negotiation needs. Total on hostile input: what
//! cannot be read is an error or is left out, and nothing here grows with what is left out.

use std::net::{IpAddr, SocketAddr};

use sdp_types::{Attribute, Connection, Session};

use crate::codec::{Codec, EventFormat, OpusParams};
use crate::error::SdpError;
use crate::media::Direction;

/// Larger than any real description; sip accepts datagrams of at most 64 KiB.
pub(crate) const LIMIT_BYTES: usize = 64 * 1024;
/// Streams in one description, and formats in one stream.
const STREAMS_MAX: usize = 16;
const FORMATS_MAX: usize = 64;

/// One `m=` line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    Audio(Box<Audio>),
    /// What we refuse; kept so that answers and re-offers have the same lines in the same order
    /// (RFC 3264 sections 6 and 8).
    Other(Refused),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) media: String,
    pub(crate) proto: String,
    pub(crate) fmt: String,
}

/// An audio stream over plain RTP, as the far end describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Audio {
    /// None: its address is no IP address. Zero says hold, as before RFC 3264.
    pub(crate) addr: Option<SocketAddr>,
    pub(crate) rtcp: Option<SocketAddr>,
    pub(crate) rtcp_mux: bool,
    pub(crate) direction: Direction,
    pub(crate) codecs: Vec<(u8, Codec)>,
    pub(crate) events: Vec<EventFormat>,
    pub(crate) comfort_noise: Option<u8>,
    pub(crate) ptime_ms: Option<u8>,
    pub(crate) maxptime_ms: Option<u8>,
    pub(crate) opus: OpusParams,
    /// Its line, for the case that we refuse it.
    pub(crate) line: Refused,
}

pub(crate) fn read(text: &str) -> Result<Vec<Line>, SdpError> {
    if text.len() > LIMIT_BYTES {
        return Err(SdpError::TooLarge { limit_bytes: LIMIT_BYTES });
    }
    let session = Session::parse(text.as_bytes()).map_err(|_| SdpError::NotSdp)?;
    if session.medias.len() > STREAMS_MAX {
        return Err(SdpError::NotSdp);
    }
    Ok(session.medias.iter().map(|media| line(&session, media)).collect())
}

/// The address of the first audio stream that has one: whose family our socket must have, before
/// there is one to answer with. None: no description, or none of an address.
pub fn far_ip(description: &str) -> Option<IpAddr> {
    let lines = read(description).ok()?;
    lines.into_iter().find_map(|line| match line {
        Line::Audio(audio) => audio.addr.map(|addr| addr.ip()),
        Line::Other(_) => None,
    })
}

fn line(session: &Session, media: &sdp_types::Media) -> Line {
    let refused = Refused {
        media: clean(&media.media, "audio"),
        proto: clean(&media.proto, "RTP/AVP"),
        fmt: clean(&media.fmt, "0"),
    };
    let is_audio = media.media.eq_ignore_ascii_case("audio");
    if !is_audio || !media.proto.eq_ignore_ascii_case("RTP/AVP") || media.port == 0 {
        return Line::Other(refused);
    }
    let attributes = Attributes { session: &session.attributes, media: &media.attributes };
    let connection = media.connections.first().or(session.connection.as_ref());
    let ip = connection.and_then(unicast);
    let addr = ip.map(|ip| SocketAddr::new(ip, media.port));
    let mut audio = Audio {
        addr,
        rtcp: addr.map(|addr| rtcp_address(addr, attributes.value("rtcp"))),
        rtcp_mux: attributes.has("rtcp-mux"),
        direction: attributes.direction(),
        codecs: Vec::new(),
        events: Vec::new(),
        comfort_noise: None,
        ptime_ms: attributes.millis("ptime"),
        maxptime_ms: attributes.millis("maxptime"),
        opus: OpusParams::default(),
        line: refused,
    };
    formats(&media.fmt, &attributes, &mut audio);
    Line::Audio(Box::new(audio))
}

/// Fills in the formats that we know, in the order of the `m=` line.
fn formats(fmt: &str, attributes: &Attributes<'_>, audio: &mut Audio) {
    let numbers = fmt.split_ascii_whitespace().take(FORMATS_MAX);
    for pt in numbers.filter_map(|f| f.parse::<u8>().ok()).filter(|pt| *pt < 128) {
        // An rtpmap overrides the static table (RFC 3551 section 3 permits it).
        let Some(map) = attributes.numbered("rtpmap", pt) else {
            match (pt, Codec::of_static(pt)) {
                (13, _) => audio.comfort_noise = Some(13),
                (_, Some(codec)) => push_codec(audio, pt, codec),
                _ => {}
            }
            continue;
        };
        let mut parts = map.trim().split('/');
        let name = parts.next().unwrap_or("");
        let clock = parts.next().and_then(|c| c.trim().parse::<u32>().ok()).unwrap_or(0);
        let channels = parts.next().map_or(Some(1), |c| c.trim().parse::<u32>().ok()).unwrap_or(0);
        if name.eq_ignore_ascii_case("telephone-event") {
            if clock == 8_000 || clock == 48_000 {
                audio.events.push(EventFormat { pt, clock });
            }
        } else if name.eq_ignore_ascii_case("CN") && clock == 8_000 {
            audio.comfort_noise = Some(pt);
        } else if let Some(codec) = Codec::of_rtpmap(name, clock, channels) {
            if codec == Codec::Opus && !audio.codecs.iter().any(|(_, c)| *c == codec) {
                audio.opus =
                    attributes.numbered("fmtp", pt).map(OpusParams::parse).unwrap_or_default();
            }
            push_codec(audio, pt, codec);
        }
    }
}

/// A codec that is offered twice counts once, at its first number.
fn push_codec(audio: &mut Audio, pt: u8, codec: Codec) {
    if !audio.codecs.iter().any(|(_, have)| *have == codec) {
        audio.codecs.push((pt, codec));
    }
}

struct Attributes<'a> {
    session: &'a [Attribute],
    media: &'a [Attribute],
}

impl<'a> Attributes<'a> {
    fn has(&self, name: &str) -> bool {
        self.media.iter().any(|a| a.attribute == name)
    }

    /// The stream's own value goes before the session's.
    fn value(&self, name: &str) -> Option<&'a str> {
        let mut both = self.media.iter().chain(self.session);
        both.find(|a| a.attribute == name).and_then(|a| a.value.as_deref())
    }

    /// `a=rtpmap:96 ...`, `a=fmtp:96 ...`: the rest of the line for that number.
    fn numbered(&self, name: &str, pt: u8) -> Option<&'a str> {
        self.media.iter().filter(|a| a.attribute == name).find_map(|a| {
            let (number, rest) = a.value.as_deref()?.trim_start().split_once([' ', '\t'])?;
            (number.parse() == Ok(pt)).then_some(rest)
        })
    }

    fn millis(&self, name: &str) -> Option<u8> {
        let whole = self.value(name)?.trim().split('.').next()?;
        whole.parse::<u16>().ok().filter(|ms| *ms > 0).map(|ms| ms.min(255) as u8)
    }

    /// Without a word it is sendrecv (RFC 4566 section 6).
    fn direction(&self) -> Direction {
        let named = |a: &Attribute| match a.attribute.as_str() {
            "sendrecv" => Some(Direction::SendRecv),
            "sendonly" => Some(Direction::SendOnly),
            "recvonly" => Some(Direction::RecvOnly),
            "inactive" => Some(Direction::Inactive),
            _ => None,
        };
        let found =
            self.media.iter().find_map(named).or_else(|| self.session.iter().find_map(named));
        found.unwrap_or(Direction::SendRecv)
    }
}

/// Multicast and names are not for a call: an answer to them would send audio who knows where.
fn unicast(connection: &Connection) -> Option<IpAddr> {
    let ip: IpAddr = connection.connection_address.trim().parse().ok()?;
    (!ip.is_multicast()).then_some(ip)
}

/// RFC 3605: `a=rtcp:port [IN IP4 address]`; without it, the next port.
fn rtcp_address(rtp: SocketAddr, attribute: Option<&str>) -> SocketAddr {
    let default = SocketAddr::new(rtp.ip(), rtp.port().saturating_add(1));
    let Some(text) = attribute else { return default };
    let mut words = text.split_ascii_whitespace();
    let Some(port) = words.next().and_then(|p| p.parse::<u16>().ok()).filter(|p| *p > 0) else {
        return default;
    };
    let ip = words.nth(2).and_then(|ip| ip.parse::<IpAddr>().ok());
    SocketAddr::new(ip.filter(|ip| !ip.is_multicast()).unwrap_or(rtp.ip()), port)
}

/// A field that we repeat in an answer: only if it is what the grammar allows.
fn clean(field: &str, otherwise: &str) -> String {
    let fits = !field.is_empty() && field.len() <= 1024;
    let safe = field.bytes().all(|b| b.is_ascii_graphic() || b == b' ');
    if fits && safe { field.to_owned() } else { otherwise.to_owned() }
}
