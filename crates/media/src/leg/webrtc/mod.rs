//! A browser's end of a leg, sans-IO: ICE-lite, DTLS, SRTP and RTCP by `str0m`, none of whose types
//! cross this wall. Datagrams in, plain RTP out; plain RTP in, datagrams out.
//!
//! ```text
//!   accept(offer) ──▶ connecting ──DTLS done──▶ up ──nothing heard for 6 s──▶ lost
//!                        │                       ▲                             │
//!                        │                       └──────── heard again ────────┘
//!                        └──20 s, or a wrong certificate──▶ lost
//! ```
//!
//! What goes out is numbered by the leg's one send function; here it gets the SSRC, the keys and
//! the reports of this connection, which has its own: a browser that reloads is a new connection
//! of the same leg. Knows no socket, no bridge, no plan.

mod check;
mod describe;
mod frames;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::rtp::{HEADER_BYTES, Header, Packet, seq_diff};
use describe::Offered;
use str0m::config::DtlsCert;
use str0m::media::Mid;
use str0m::net::{Protocol, Receive, TcpType};
use str0m::rtp::{Extension, RtpWrite, Ssrc};
use str0m::{Candidate, Event, IceCreds, Input, Output, Rtc, RtcConfig};
use undertone_core::time::Mono;
use undertone_sdp::{Codec, Media};

pub use check::{is_check, named_in};
pub use describe::{Reoffer, WebError};
pub use frames::{Frames, NotAFrame};

/// For so long nothing may be heard, neither audio nor a check, before the browser counts as gone.
/// A browser that sends audio says something each 20 ms, any other checks each 2.5 to 5 s.
pub const LOST_AFTER_MS: u64 = 6_000;
/// For so long no sound may come before others are given something else to hear. A browser with a
/// microphone sends a packet each 20 ms, muted or not; stalls of half a second were seen.
pub const QUIET_AFTER_MS: u64 = 2_000;
/// ICE and DTLS together must be done by then.
const CONNECT_WITHIN_MS: u64 = 20_000;
/// Another SSRC is only looked at when the one that is known has been silent for so long: before
/// a packet is authentic it costs state, and anybody can write a header.
const SSRC_SILENT_US: u64 = 500_000;
/// What the far end says of our stream is looked at so often.
const REPORT_EVERY: Duration = Duration::from_secs(2);
/// A binding success response (RFC 8489 section 5); its transaction follows in bytes 8 to 20.
const STUN_SUCCESS: [u8; 2] = [0x01, 0x01];
const UFRAG_CHARS: usize = 16;
const PASSWORD_CHARS: usize = 32;

/// How a datagram travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Road {
    /// By which of our addresses.
    Udp(u8),
    Tcp,
}

/// Takes what is to be sent, at once.
pub type Wire<'a> = dyn FnMut(Road, SocketAddr, &[u8]) + 'a;

/// Where browsers are told to send: as they know us, which may be another address than our own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reach {
    /// `Road::Udp` counts them; the first is preferred.
    pub udp: Vec<SocketAddr>,
    /// For those whose UDP is blocked (RFC 6544, passive).
    pub tcp: Option<SocketAddr>,
}

impl Reach {
    fn by(&self, source: SocketAddr) -> Road {
        let at = self.udp.iter().position(|at| *at == source);
        Road::Udp(at.unwrap_or_default() as u8)
    }
}

/// The certificate by whose fingerprint browsers know this server; one for all of them.
#[derive(Clone)]
pub struct Certificate(DtlsCert);

impl Certificate {
    /// None: the crypto library gives none.
    pub fn generate() -> Option<Self> {
        let provider = str0m::crypto::from_feature_flags();
        provider.dtls_provider.generate_certificate().map(Self)
    }
}

/// Random bytes from which one connection's ICE credentials come. str0m's own come from a
/// generator that is no cryptographic one, and RFC 8445 section 5.3 wants them unguessable.
#[derive(Clone)]
pub struct Secret(pub [u8; UFRAG_CHARS + PASSWORD_CHARS]);

impl Secret {
    fn credentials(&self) -> IceCreds {
        const CHARS: &[u8; 64] =
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let text: String = self.0.iter().map(|b| char::from(CHARS[usize::from(b & 63)])).collect();
        let (ufrag, pass) = text.split_at(UFRAG_CHARS);
        IceCreds { ufrag: ufrag.to_owned(), pass: pass.to_owned() }
    }
}

/// What a browser's first offer is answered with.
pub struct Greeting<'a> {
    pub offer: &'a str,
    pub reach: Reach,
    pub certificate: &'a Certificate,
    pub secret: Secret,
    /// Comes first in the answer, and so is what the browser sends, if it offered it.
    pub prefer: Option<Codec>,
    /// The same instant on both clocks.
    pub now: (Mono, Instant),
}

/// Our answer to an offer, and what is agreed by it.
#[derive(Clone, Debug)]
pub struct Answered {
    pub sdp: String,
    pub media: Media,
    /// By which the browser's checks name this connection.
    pub ufrag: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WebState {
    Connecting,
    Up,
    Lost,
}

/// What the browser's last report said of our stream.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FarReport {
    pub fraction_lost: f32,
    pub rtt: Option<Duration>,
}

pub struct WebRtc {
    rtc: Box<Rtc>,
    reach: Reach,
    began: (Mono, Instant),
    mid: Mid,
    /// Of what we send on this connection.
    ssrc: Ssrc,
    /// As the browser's certificate was announced, in lower case.
    fingerprint: String,
    /// Extended, of what was sent last.
    seq: Option<u64>,
    state: WebState,
    told: WebState,
    heard_at: Mono,
    /// The SSRC whose packets were authentic, and when the last of them came.
    speaker: Option<(u32, Mono)>,
    sound_at: Mono,
    is_quiet: bool,
    /// Of `is_quiet`.
    told_quiet: Option<bool>,
    wake: Mono,
    plain: VecDeque<Vec<u8>>,
    report: Option<FarReport>,
}

impl WebRtc {
    /// Takes a browser's first offer.
    pub fn accept(greeting: Greeting<'_>) -> Result<(Self, Answered), WebError> {
        let offered = Offered::read(greeting.offer)?;
        let mut config = RtcConfig::new()
            .set_ice_lite(true)
            .set_rtp_mode(true)
            .set_dtls_cert(greeting.certificate.0.clone())
            .set_local_ice_credentials(greeting.secret.credentials())
            .clear_extension_map()
            // By it a stream that was not announced by its SSRC is known (RFC 9143 section 15).
            .set_extension(1, Extension::RtpMid)
            .set_stats_interval(Some(REPORT_EVERY))
            .set_send_buffer_audio(1)
            .clear_codecs();
        describe::speak(config.codec_config(), greeting.prefer);
        let (mono, instant) = greeting.now;
        let mut rtc = Box::new(config.build(instant));
        let host = |road: Road, at: SocketAddr| {
            let candidate = match road {
                Road::Udp(_) => Candidate::builder().udp().host(at).build(),
                Road::Tcp => Candidate::builder().tcp().host(at).tcptype(TcpType::Passive).build(),
            };
            candidate.map_err(|_| WebError::Unreachable(at))
        };
        for (at, n) in greeting.reach.udp.iter().zip(0..) {
            rtc.add_local_candidate(host(Road::Udp(n), *at)?);
        }
        if let Some(at) = greeting.reach.tcp {
            rtc.add_local_candidate(host(Road::Tcp, at)?);
        }
        let answer = rtc.sdp_api().accept_offer(offered.parse()?).map_err(WebError::refused)?;
        let mid = Mid::from(offered.mid.as_str());
        let stream = rtc.direct_api().stream_tx_by_mid(mid, None).map(|stream| stream.ssrc());
        let mut web = Self {
            // Who only sends hears nothing, and has no stream.
            ssrc: stream.unwrap_or_else(|| Ssrc::from(0)),
            rtc,
            reach: greeting.reach,
            began: greeting.now,
            mid,
            fingerprint: offered.fingerprint.clone(),
            seq: None,
            state: WebState::Connecting,
            told: WebState::Connecting,
            heard_at: mono,
            speaker: None,
            sound_at: mono,
            is_quiet: false,
            told_quiet: None,
            wake: mono,
            plain: VecDeque::new(),
            report: None,
        };
        let answered = web.answered(answer.to_sdp_string(), &offered)?;
        Ok((web, answered))
    }

    /// Takes another offer of the same browser: ICE restart, codecs, direction. Not of one that has
    /// reloaded: that one has a certificate of its own.
    pub fn reoffer(
        &mut self,
        now: Mono,
        offer: Reoffer,
        secret: &Secret,
        wire: &mut Wire<'_>,
    ) -> Result<Answered, WebError> {
        let Reoffer { offered, parsed } = offer;
        if offered.fingerprint != self.fingerprint || !self.rtc.is_alive() {
            return Err(WebError::OtherBrowser);
        }
        let before = self.rtc.direct_api().local_ice_credentials();
        let answer = self.rtc.sdp_api().accept_offer(parsed).map_err(WebError::refused)?;
        let mut sdp = answer.to_sdp_string();
        let after = self.rtc.direct_api().local_ice_credentials();
        if after != before {
            let ours = secret.credentials();
            sdp = sdp.replace(&after.ufrag, &ours.ufrag).replace(&after.pass, &ours.pass);
            self.rtc.direct_api().set_local_ice_credentials(ours);
        }
        self.heard_at = now;
        self.drain(now, wire);
        self.answered(sdp, &offered)
    }

    fn answered(&mut self, sdp: String, offered: &Offered) -> Result<Answered, WebError> {
        let media = describe::media(&self.rtc, self.mid, offered)?;
        let ufrag = self.rtc.direct_api().local_ice_credentials().ufrag;
        Ok(Answered { sdp, media, ufrag })
    }

    /// A datagram that names this connection, or comes from an address of it. True: it is
    /// authentic as far as it can be told, so that the address is this browser's.
    pub fn receive(
        &mut self,
        now: Mono,
        road: Road,
        from: SocketAddr,
        bytes: &[u8],
        wire: &mut Wire<'_>,
    ) -> bool {
        let (proto, at) = match road {
            Road::Udp(n) => (Protocol::Udp, self.reach.udp.get(usize::from(n)).copied()),
            Road::Tcp => (Protocol::Tcp, self.reach.tcp),
        };
        let Some(at) = at else { return false };
        if is_check(bytes) && named_in(bytes).is_none() {
            return false;
        }
        let Ok(received) = Receive::new(proto, from, at, bytes) else { return false };
        let input = Input::Receive(self.instant(now), received);
        if is_check(bytes) {
            return self.check(now, (from, bytes), input, wire);
        }
        if !self.may_speak(now, bytes) {
            return false;
        }
        // What is no DTLS record of this browser is an error here, and no reason to end: the
        // deadlines and the library's own end of life are.
        let _ = self.rtc.handle_input(input);
        self.drain(now, wire);
        true
    }

    /// A check counts when it is answered, which the library does for none whose integrity fails
    /// (RFC 8445 section 7.3). To ask `accepts` would not do: from the address that is in use it
    /// takes everything.
    fn check(
        &mut self,
        now: Mono,
        (from, bytes): (SocketAddr, &[u8]),
        input: Input<'_>,
        wire: &mut Wire<'_>,
    ) -> bool {
        let mut answered = false;
        let _ = self.rtc.handle_input(input);
        self.drain(now, &mut |road, to, sent| {
            let success = sent.starts_with(&STUN_SUCCESS) && sent.get(8..20) == bytes.get(8..20);
            answered |= success && to == from;
            wire(road, to, sent);
        });
        if answered {
            self.heard_at = now;
        }
        answered
    }

    /// Whether a datagram that is no check may cost anything.
    fn may_speak(&self, now: Mono, bytes: &[u8]) -> bool {
        let [first, second, ..] = *bytes else { return false };
        if !(128..192).contains(&first) || (192..=223).contains(&second) {
            return true;
        }
        let Ok(packet) = Packet::parse(bytes) else { return false };
        self.speaker.is_none_or(|(ssrc, at)| ssrc == packet.ssrc || now.since(at) >= SSRC_SILENT_US)
    }

    /// One RTP packet of the leg goes out; false while there is no connection.
    pub fn send(&mut self, now: Mono, rtp: &[u8], wire: &mut Wire<'_>) -> bool {
        let Ok(packet) = Packet::parse(rtp) else { return false };
        let Some(seq) = self.number(packet.seq).filter(|_| self.state == WebState::Up) else {
            return false;
        };
        let at = self.instant(now);
        let mut api = self.rtc.direct_api();
        let Some(stream) = api.stream_tx(&self.ssrc) else { return false };
        let write =
            RtpWrite::new(packet.pt.into(), seq.into(), packet.ts, at, packet.payload.to_vec());
        stream.write_rtp(write.marker(packet.marker));
        let _ = self.rtc.handle_input(Input::Timeout(at));
        self.drain(now, wire);
        true
    }

    /// The number on this connection, whose first is below 65,536: SRTP's rollover counter begins
    /// at 0 (RFC 3711 section 3.3.1). None: it belongs before the first.
    fn number(&mut self, seq: u16) -> Option<u64> {
        let Some(last) = self.seq else {
            self.seq = Some(u64::from(seq));
            return self.seq;
        };
        let number = last.checked_add_signed(i64::from(seq_diff(seq, last as u16)))?;
        self.seq = Some(last.max(number));
        Some(number)
    }

    /// Lets time pass; to be called on each tick.
    pub fn tick(&mut self, now: Mono, wire: &mut Wire<'_>) {
        if now >= self.wake {
            let _ = self.rtc.handle_input(Input::Timeout(self.instant(now)));
            self.drain(now, wire);
        }
        self.is_quiet = now.since(self.sound_at) / 1_000 >= QUIET_AFTER_MS;
        let silent = now.since(self.heard_at) / 1_000;
        let late = now.since(self.began.0) / 1_000 >= CONNECT_WITHIN_MS;
        self.state = match self.state {
            WebState::Connecting if late || !self.rtc.is_alive() => WebState::Lost,
            WebState::Up if silent >= LOST_AFTER_MS => WebState::Lost,
            WebState::Lost if silent < LOST_AFTER_MS && self.rtc.is_connected() => WebState::Up,
            state => state,
        };
    }

    /// How long nothing has come, neither audio nor a check.
    pub fn silent_ms(&self, now: Mono) -> u64 {
        now.since(self.heard_at) / 1_000
    }

    /// What the state has become, said once.
    pub fn news(&mut self) -> Option<WebState> {
        let changed = self.told != self.state;
        self.told = self.state;
        changed.then_some(self.state)
    }

    /// Whether sound comes, said once it is known and at each change: true while none does.
    pub fn quiet_news(&mut self) -> Option<bool> {
        let known = self.is_quiet || self.speaker.is_some();
        let changed = known && self.told_quiet != Some(self.is_quiet);
        changed.then(|| *self.told_quiet.insert(self.is_quiet))
    }

    /// Somebody else is to know whether sound comes.
    pub fn tell_quiet_again(&mut self) {
        self.told_quiet = None;
    }

    pub fn state(&self) -> WebState {
        self.state
    }

    /// The next packet that came, as plain RTP.
    pub fn next_plain(&mut self) -> Option<Vec<u8>> {
        self.plain.pop_front()
    }

    pub fn take_report(&mut self) -> Option<FarReport> {
        self.report.take()
    }

    /// Says goodbye (RTCP BYE, DTLS close_notify).
    pub fn close(&mut self, now: Mono, wire: &mut Wire<'_>) {
        let _ = self.rtc.close();
        self.drain(now, wire);
    }

    fn drain(&mut self, now: Mono, wire: &mut Wire<'_>) {
        // An end so that no fault of the library can hold a media thread.
        for _ in 0..1_000 {
            match self.rtc.poll_output() {
                Ok(Output::Transmit(sent)) => {
                    let road = match sent.proto {
                        Protocol::Udp => self.reach.by(sent.source),
                        _ => Road::Tcp,
                    };
                    wire(road, sent.destination, &sent.contents[..]);
                }
                Ok(Output::Event(event)) => self.happened(now, event),
                Ok(Output::Timeout(at)) => {
                    self.wake = self.mono(at);
                    return;
                }
                Err(_) => return,
            }
        }
    }

    fn happened(&mut self, now: Mono, event: Event) {
        match event {
            Event::Connected => (self.state, self.heard_at) = (WebState::Up, now),
            Event::RtpPacket(packet) => {
                let ssrc = *packet.header.ssrc;
                (self.heard_at, self.speaker) = (now, Some((ssrc, now)));
                (self.sound_at, self.is_quiet) = (now, false);
                let header = Header {
                    marker: packet.header.marker,
                    pt: *packet.header.payload_type,
                    seq: packet.header.sequence_number,
                    ts: packet.header.timestamp,
                    ssrc,
                };
                let mut bytes = Vec::with_capacity(packet.payload.len() + HEADER_BYTES);
                header.write(&packet.payload, &mut bytes);
                self.plain.push_back(bytes);
            }
            Event::MediaEgressStats(stats) => {
                if let Some(fraction_lost) = stats.loss {
                    self.report = Some(FarReport { fraction_lost, rtt: stats.rtt });
                }
            }
            // A page that goes says so; it may be back in a moment, so the deadline decides.
            _ => {}
        }
    }

    fn instant(&self, at: Mono) -> Instant {
        self.began.1 + Duration::from_micros(at.since(self.began.0))
    }

    fn mono(&self, at: Instant) -> Mono {
        // "Never" is a time in the far future.
        let after = at.saturating_duration_since(self.began.1).min(Duration::from_secs(1 << 30));
        self.began.0.plus_us(after.as_micros() as u64)
    }
}
