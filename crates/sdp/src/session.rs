//! One leg's side of RFC 3264, for its whole life:
//!
//! ```text
//!          offer()                 accept()
//!   idle ----------> offer open ------------> agreed      withdraw(): back to what was agreed
//!   idle or agreed -- answer() -------------> agreed      a failed answer() changes nothing
//! ```
//!
//! It knows no SIP: who sends the text, and when, is the caller's.

use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};

use crate::codec::{Codec, EventFormat, OpusParams};
use crate::error::SdpError;
use crate::media::{Capabilities, Direction, LocalAddr, Media};
use crate::read::{Audio, Line, Refused, read};

/// The numbers that we give, unless the far end named others first.
const OPUS_PT: u8 = 96;
const EVENTS_8000_PT: u8 = 101;
const EVENTS_48000_PT: u8 = 102;
const COMFORT_NOISE_PT: u8 = 13;
const DEFAULT_PTIME_MS: u8 = 20;

/// One leg's offer/answer state.
#[derive(Clone, Debug)]
pub struct Session {
    id: u64,
    /// Of `o=`; raised whenever what we send differs from what we sent last.
    version: u64,
    last_body: String,
    local: LocalAddr,
    caps: Capabilities,
    /// What we want, whoever asks.
    want: Direction,
    /// The lines of the last description agreed; ours is the one that is None.
    layout: Vec<Option<Refused>>,
    /// The numbers in use: they keep their meaning for life (RFC 3264 section 8.3.2).
    numbers: Vec<(u8, Codec)>,
    event_numbers: Vec<EventFormat>,
    open: Option<Described>,
    agreed: Option<Media>,
}

/// What one of our descriptions says.
#[derive(Clone, Debug)]
struct Described {
    codecs: Vec<(u8, Codec)>,
    events: Vec<EventFormat>,
    comfort_noise: Option<u8>,
    direction: Direction,
    rtcp_mux: bool,
}

impl Session {
    /// `id` should be random: it is what `o=` tells apart sessions by.
    pub fn new(id: u64, local: LocalAddr, caps: Capabilities) -> Self {
        Self {
            // Some peers read it as a signed number.
            id: id >> 1,
            version: 0,
            last_body: String::new(),
            local,
            caps,
            want: Direction::SendRecv,
            layout: vec![None],
            numbers: Vec::new(),
            event_numbers: Vec::new(),
            open: None,
            agreed: None,
        }
    }

    /// What is agreed now, if anything is.
    pub fn agreed(&self) -> Option<&Media> {
        self.agreed.as_ref()
    }

    /// Whether an offer of ours waits for its answer.
    pub fn offer_is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Sets what later answers grant; the far end learns it by the next offer or answer.
    pub fn want(&mut self, direction: Direction) {
        self.want = direction;
    }

    /// Our sockets moved: the next offer or answer says so.
    pub fn move_to(&mut self, local: LocalAddr) {
        self.local = local;
    }

    /// Offers all that we can, with this direction. Also for a re-INVITE without a description.
    pub fn offer(&mut self, direction: Direction) -> String {
        self.want = direction;
        let said = Described {
            codecs: self.caps.codecs.iter().map(|c| (self.number_of(*c), *c)).collect(),
            events: self.our_events(),
            comfort_noise: self.caps.comfort_noise.then_some(COMFORT_NOISE_PT),
            direction,
            rtcp_mux: self.caps.rtcp_mux,
        };
        let text = self.write(&said);
        self.open = Some(said);
        text
    }

    /// Takes an offer of the far end; gives our answer, and what is now agreed.
    pub fn answer(&mut self, offer: &str) -> Result<(String, Media), SdpError> {
        if self.open.is_some() {
            return Err(SdpError::Glare);
        }
        let lines = read(offer)?;
        let (index, audio) = self.choose(&lines)?;
        let addr = self.reachable(audio)?;
        let codecs = self.common(&audio.codecs);
        let events = self.common_events(&audio.events, &codecs);
        let narrow = codecs.iter().any(|(_, c)| *c != Codec::Opus);
        let said = Described {
            events: events.clone(),
            comfort_noise: audio.comfort_noise.filter(|_| self.caps.comfort_noise && narrow),
            direction: self.want.and(effective(audio).reversed()),
            rtcp_mux: audio.rtcp_mux && self.caps.rtcp_mux,
            codecs,
        };
        self.layout = lines
            .iter()
            .enumerate()
            .map(|(at, line)| match line {
                _ if at == index => None,
                Line::Audio(audio) => Some(audio.line.clone()),
                Line::Other(refused) => Some(refused.clone()),
            })
            .collect();
        self.learn_numbers(&said);
        let text = self.write(&said);
        let media = Media {
            addr,
            rtcp: if said.rtcp_mux { addr } else { audio.rtcp.unwrap_or(addr) },
            rtcp_mux: said.rtcp_mux,
            sends: said.direction.sends() && !addr.ip().is_unspecified(),
            receives: said.direction.receives(),
            arriving: said.codecs.clone(),
            events: in_order(&events, &said.codecs),
            events_arriving: in_order(&events, &said.codecs),
            comfort_noise: said.comfort_noise,
            ptime_ms: ptime(audio),
            maxptime_ms: audio.maxptime_ms,
            opus: audio.opus,
            codecs: said.codecs,
        };
        self.agreed = Some(media.clone());
        Ok((text, media))
    }

    /// Takes the answer to our open offer. A failed one leaves the offer open: `withdraw` it.
    pub fn accept(&mut self, answer: &str) -> Result<Media, SdpError> {
        let media = self.foresee(answer)?;
        let said = self.open.take().ok_or(SdpError::NoOfferOpen)?;
        self.learn_numbers(&said);
        self.agreed = Some(media.clone());
        Ok(media)
    }

    /// What a description that comes before the answer would agree on (an unreliable 18x, RFC 3261
    /// section 13.2.1: another fork's may follow, and the answer decides). The offer stays open.
    pub fn foresee(&self, answer: &str) -> Result<Media, SdpError> {
        let said = self.open.as_ref().ok_or(SdpError::NoOfferOpen)?;
        let lines = read(answer)?;
        // An answer has the lines of its offer (RFC 3264 section 6); ours is where we put it.
        let ours = self.layout.iter().position(Option::is_none).unwrap_or(0);
        let audio = match lines.get(ours) {
            Some(Line::Audio(audio)) => audio,
            Some(Line::Other(_)) => return Err(SdpError::NoAudio),
            None => return Err(SdpError::NotAnAnswer),
        };
        let addr = self.reachable(audio)?;
        let offered = |codec: Codec| said.codecs.iter().find(|(_, c)| *c == codec);
        let codecs: Vec<_> =
            audio.codecs.iter().filter(|(_, c)| offered(*c).is_some()).copied().collect();
        if codecs.is_empty() {
            return Err(SdpError::NoCommonCodec);
        }
        let arriving = codecs.iter().filter_map(|(_, c)| offered(*c)).copied().collect();
        let events: Vec<_> = audio
            .events
            .iter()
            .filter(|e| said.events.iter().any(|ours| ours.clock == e.clock))
            .copied()
            .collect();
        let sending = in_order(&events, &codecs);
        let ours = |e: &EventFormat| said.events.iter().find(|o| o.clock == e.clock).copied();
        let granted = said.direction.and(effective(audio).reversed());
        let rtcp_mux = said.rtcp_mux && audio.rtcp_mux;
        Ok(Media {
            addr,
            rtcp: if rtcp_mux { addr } else { audio.rtcp.unwrap_or(addr) },
            rtcp_mux,
            sends: granted.sends() && !addr.ip().is_unspecified(),
            receives: granted.receives(),
            arriving,
            events_arriving: sending.iter().filter_map(ours).collect(),
            events: sending,
            comfort_noise: audio.comfort_noise.and(said.comfort_noise),
            ptime_ms: ptime(audio),
            maxptime_ms: audio.maxptime_ms,
            opus: audio.opus,
            codecs,
        })
    }

    /// Our offer was refused, or its transaction failed: what was agreed before stands.
    pub fn withdraw(&mut self) {
        self.open = None;
    }

    /// The stream to take: the one we had, else the first with a codec in common.
    fn choose<'a>(&self, lines: &'a [Line]) -> Result<(usize, &'a Audio), SdpError> {
        let usable = |at: usize| match lines.get(at) {
            Some(Line::Audio(audio)) if !self.common(&audio.codecs).is_empty() => {
                Some((at, audio.as_ref()))
            }
            _ => None,
        };
        let had = self.layout.iter().position(Option::is_none).filter(|_| self.agreed.is_some());
        if let Some(found) = had.and_then(usable).or_else(|| (0..lines.len()).find_map(usable)) {
            return Ok(found);
        }
        let any_audio = lines.iter().any(|line| matches!(line, Line::Audio(_)));
        Err(if any_audio { SdpError::NoCommonCodec } else { SdpError::NoAudio })
    }

    /// Their address, if our socket can send there: no packet leaves one family for the other.
    fn reachable(&self, audio: &Audio) -> Result<SocketAddr, SdpError> {
        let fits = |addr: &SocketAddr| addr.is_ipv4() == self.local.ip.is_ipv4();
        audio.addr.filter(fits).ok_or(SdpError::NoAddress)
    }

    fn common(&self, theirs: &[(u8, Codec)]) -> Vec<(u8, Codec)> {
        let mut both: Vec<_> =
            theirs.iter().filter(|(_, c)| self.caps.codecs.contains(c)).copied().collect();
        if self.caps.prefer_ours {
            both.sort_by_key(|(_, c)| self.caps.codecs.iter().position(|ours| ours == c));
        }
        both
    }

    /// The clocks of the codecs in use; where none fits, 8000 (RFC 4733 section 2.1 asks for the
    /// audio's own clock, but many phones offer 8000 beside Opus and mean it).
    fn common_events(&self, theirs: &[EventFormat], codecs: &[(u8, Codec)]) -> Vec<EventFormat> {
        if !self.caps.events {
            return Vec::new();
        }
        let fits = |e: &&EventFormat| codecs.iter().any(|(_, c)| c.rtp_clock() == e.clock);
        let fitting: Vec<_> = theirs.iter().filter(fits).copied().collect();
        if fitting.is_empty() { theirs.iter().take(1).copied().collect() } else { fitting }
    }

    fn number_of(&self, codec: Codec) -> u8 {
        let known = self.numbers.iter().find(|(_, c)| *c == codec).map(|(pt, _)| *pt);
        known.or(codec.static_payload()).unwrap_or_else(|| self.free_number(OPUS_PT))
    }

    fn our_events(&self) -> Vec<EventFormat> {
        let mut out = Vec::new();
        for (clock, default) in [(8_000, EVENTS_8000_PT), (48_000, EVENTS_48000_PT)] {
            let in_use = self.caps.codecs.iter().any(|c| c.rtp_clock() == clock);
            if !self.caps.events || (!in_use && clock != 8_000) {
                continue;
            }
            let known = self.event_numbers.iter().find(|e| e.clock == clock).copied();
            out.push(known.unwrap_or_else(|| EventFormat { pt: self.free_number(default), clock }));
        }
        out
    }

    /// A dynamic number whose meaning the far end has not fixed yet.
    fn free_number(&self, wanted: u8) -> u8 {
        let taken = |pt: u8| {
            self.numbers.iter().any(|(have, _)| *have == pt)
                || self.event_numbers.iter().any(|e| e.pt == pt)
        };
        // Our defaults are ten apart at most, so that a step of ten collides with none of them.
        let mut candidates = (0..3).map(|step| wanted + step * 10).chain(97..=127);
        candidates.find(|pt| !taken(*pt)).unwrap_or(wanted)
    }

    fn learn_numbers(&mut self, said: &Described) {
        for (pt, codec) in &said.codecs {
            if !self.numbers.iter().any(|(_, have)| have == codec) {
                self.numbers.push((*pt, *codec));
            }
        }
        for event in &said.events {
            if !self.event_numbers.iter().any(|have| have.clock == event.clock) {
                self.event_numbers.push(*event);
            }
        }
    }

    fn write(&mut self, said: &Described) -> String {
        let mut body = String::with_capacity(512);
        let family = if matches!(self.local.ip, IpAddr::V6(_)) { "IP6" } else { "IP4" };
        let _ = write!(body, "s=-\r\nc=IN {family} {}\r\nt=0 0\r\n", self.local.ip);
        for line in &self.layout {
            match line {
                None => self.write_audio(&mut body, said),
                Some(other) => {
                    let _ = write!(body, "m={} 0 {} {}\r\n", other.media, other.proto, other.fmt);
                }
            }
        }
        if body != self.last_body {
            self.version += 1;
            self.last_body.clone_from(&body);
        }
        let (id, version, ip) = (self.id, self.version, self.local.ip);
        format!("v=0\r\no=- {id} {version} IN {family} {ip}\r\n{body}")
    }

    fn write_audio(&self, body: &mut String, said: &Described) {
        let _ = write!(body, "m=audio {} RTP/AVP", self.local.rtp_port);
        let numbers = said.codecs.iter().map(|(pt, _)| *pt);
        let numbers = numbers.chain(said.comfort_noise).chain(said.events.iter().map(|e| e.pt));
        for pt in numbers {
            let _ = write!(body, " {pt}");
        }
        body.push_str("\r\n");
        for (pt, codec) in &said.codecs {
            let _ = write!(body, "a=rtpmap:{pt} {}\r\n", codec.rtpmap());
            if *codec == Codec::Opus {
                let _ = write!(body, "a=fmtp:{pt} {}\r\n", OpusParams::ours().fmtp());
            }
        }
        if let Some(pt) = said.comfort_noise {
            let _ = write!(body, "a=rtpmap:{pt} CN/8000\r\n");
        }
        for EventFormat { pt, clock } in &said.events {
            let _ = write!(body, "a=rtpmap:{pt} telephone-event/{clock}\r\na=fmtp:{pt} 0-15\r\n");
        }
        let _ = write!(body, "a=ptime:{}\r\n", self.caps.ptime_ms);
        if said.rtcp_mux {
            body.push_str("a=rtcp-mux\r\n");
        } else if self.local.rtcp_port != self.local.rtp_port.wrapping_add(1) {
            let _ = write!(body, "a=rtcp:{}\r\n", self.local.rtcp_port);
        }
        let _ = write!(body, "a={}\r\n", said.direction.name());
    }
}

/// Their direction, with the old way to hold: an address of zeros receives nothing.
fn effective(audio: &Audio) -> Direction {
    let blackholed = audio.addr.is_some_and(|addr| addr.ip().is_unspecified());
    Direction::new(audio.direction.sends(), audio.direction.receives() && !blackholed)
}

/// The events that go with the codec that we send first, each clock once.
fn in_order(events: &[EventFormat], codecs: &[(u8, Codec)]) -> Vec<EventFormat> {
    let clock = codecs.first().map(|(_, codec)| codec.rtp_clock());
    let (first, rest): (Vec<&EventFormat>, Vec<&EventFormat>) =
        events.iter().partition(|e| Some(e.clock) == clock);
    let mut out: Vec<EventFormat> = Vec::new();
    for event in first.into_iter().chain(rest) {
        if !out.iter().any(|have| have.clock == event.clock) {
            out.push(*event);
        }
    }
    out
}

/// What they want to receive, within their own limit; what is no whole number of 10 ms is not ours.
fn ptime(audio: &Audio) -> u8 {
    let asked = audio.ptime_ms.filter(|ms| (10..=60).contains(ms) && ms % 10 == 0);
    let limit = audio.maxptime_ms.filter(|ms| *ms >= 10).map_or(60, |ms| ms - ms % 10);
    asked.unwrap_or(DEFAULT_PTIME_MS).min(limit)
}
