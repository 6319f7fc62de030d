//! A browser's WebRTC end for tests, by `str0m` as a full ICE agent on a real socket: says tones,
//! records what it hears, counts what came. It is the library that the server uses too, so that
//! what both get wrong is found by a real browser alone.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use str0m::change::{SdpAnswer, SdpPendingOffer};
use str0m::format::{Codec as Spoken, FormatParams};
use str0m::ice::{StunMessage, TransId};
use str0m::media::{Direction, Frequency, MediaKind, Mid};
use str0m::net::{Protocol, Receive, TcpType};
use str0m::rtp::{Extension, RtpPacket, RtpWrite};
use str0m::{Candidate, Event, IceConnectionState, Input, Output, Rtc, RtcConfig};
use undertone_media::codec::{Decoder, Encoder};
use undertone_media::resample::Resampler;
use undertone_media::tones::Sine;
use undertone_sdp::{Codec, OpusParams};

/// Of its recording.
pub const RATE: u32 = 8_000;
const TICK: Duration = Duration::from_millis(20);

#[derive(Clone, Debug)]
pub struct BrowserConfig {
    /// Offered, in this order; the first that is agreed is sent.
    pub codecs: Vec<Codec>,
    pub hz: f64,
    /// Of its interface. One that is not loopback connects no loopback address (so does Firefox).
    pub ip: IpAddr,
    /// As if UDP were blocked: checks go by TCP alone.
    pub tcp_only: bool,
    /// Its own RTP sequence begins here.
    pub first_seq: u16,
    /// Announces another certificate than it has.
    pub lies: bool,
}

impl BrowserConfig {
    pub fn new(codecs: &[Codec], hz: f64) -> Self {
        let ip = Ipv4Addr::LOCALHOST.into();
        Self { codecs: codecs.to_vec(), hz, ip, tcp_only: false, first_seq: 1_000, lies: false }
    }
}

/// What it has noticed.
#[derive(Clone, Debug, Default)]
pub struct Noticed {
    /// At `RATE`, in the order in which packets came.
    pub heard: Vec<i16>,
    /// Packets by payload type, and the bytes of the last of each.
    pub packets: BTreeMap<u8, u64>,
    /// Every packet: sequence number, timestamp, payload type, payload.
    pub log: Vec<(u64, u32, u8, Vec<u8>)>,
    pub with_extension: u64,
    pub connected: bool,
    pub disconnected: bool,
    pub closed: bool,
    pub ssrcs: Vec<u32>,
}

enum Order {
    Answered(String),
    Tune(f64),
    Codec(Codec),
    Digit(u8),
    /// Another network: a new socket, and an ICE restart whose offer is given back.
    Move(SyncSender<String>),
    /// Another offer in which it only sends, or does both again.
    Direct(Direction, SyncSender<String>),
    /// Sends no audio any more, though it still answers for itself; or does again.
    Hush(bool),
    /// Says nothing any more, not even a check: as if killed.
    Freeze,
}

/// Lives on a thread of its own until it is dropped.
pub struct Browser {
    pub offer: String,
    orders: SyncSender<Order>,
    noticed: Arc<Mutex<Noticed>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Browser {
    pub fn new(config: BrowserConfig) -> Self {
        let (orders, todo) = sync_channel(64);
        let noticed = Arc::new(Mutex::new(Noticed::default()));
        let stop = Arc::new(AtomicBool::new(false));
        let mut end = End::new(config, noticed.clone());
        let offer = end.offer(false);
        let stopped = stop.clone();
        let thread = std::thread::spawn(move || end.run(&todo, &stopped));
        Self { offer, orders, noticed, stop, thread: Some(thread) }
    }

    pub fn answered(&self, sdp: &str) {
        self.order(Order::Answered(sdp.to_owned()));
    }
    pub fn tune(&self, hz: f64) {
        self.order(Order::Tune(hz));
    }
    pub fn send_codec(&self, codec: Codec) {
        self.order(Order::Codec(codec));
    }
    /// 100 ms of a telephone event.
    pub fn press(&self, event: u8) {
        self.order(Order::Digit(event));
    }
    pub fn freeze(&self) {
        self.order(Order::Freeze);
    }

    /// Changes its network; gives the offer of the ICE restart.
    pub fn moves(&self) -> String {
        let (give, offer) = sync_channel(1);
        self.order(Order::Move(give));
        offer.recv_timeout(Duration::from_secs(5)).unwrap_or_default()
    }

    /// Puts the far end on hold, or takes it back: the offer that says so.
    pub fn holds(&self, holds: bool) -> String {
        let (give, offer) = sync_channel(1);
        let direction = if holds { Direction::SendOnly } else { Direction::SendRecv };
        self.order(Order::Direct(direction, give));
        offer.recv_timeout(Duration::from_secs(5)).unwrap_or_default()
    }

    /// As a microphone that was taken away: no packet, and yet a connection.
    pub fn hush(&self, hushed: bool) {
        self.order(Order::Hush(hushed));
    }

    pub fn noticed(&self) -> MutexGuard<'_, Noticed> {
        self.noticed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn order(&self, order: Order) {
        let _ = self.orders.send(order);
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The check (ICE) of who has posted this offer and got this answer, signed by its password.
pub fn signed_check(offer: &str, answer: &str) -> Vec<u8> {
    let value = |sdp: &str, name: &str| {
        let found = sdp.lines().find_map(|line| line.strip_prefix(name));
        found.expect("ICE credentials").to_owned()
    };
    let name = format!("{}:{}", value(answer, "a=ice-ufrag:"), value(offer, "a=ice-ufrag:"));
    let password = value(answer, "a=ice-pwd:");
    let crypto = str0m::crypto::from_feature_flags();
    let signs = |key: &[u8], parts: &[&[u8]]| crypto.sha1_hmac_provider.sha1_hmac(key, parts);
    let check = StunMessage::binding_request(&name, TransId::new(), true, 7, 1_000, false);
    let mut bytes = vec![0; 512];
    let length = check.to_bytes(Some(password.as_bytes()), &mut bytes, signs).expect("it fits");
    bytes.truncate(length);
    bytes
}

struct Voice {
    encoder: Encoder,
    sine: Sine,
}

struct Ear {
    decoder: Decoder,
    resampler: Resampler,
}

struct End {
    config: BrowserConfig,
    rtc: Rtc,
    mid: Mid,
    pending: Option<SdpPendingOffer>,
    udp: UdpSocket,
    at: SocketAddr,
    tcp: Option<(SocketAddr, TcpStream, Vec<u8>)>,
    /// What we may send with, in the order of preference.
    agreed: Vec<(u8, Codec)>,
    /// Payload types of telephone events, by clock.
    events: BTreeMap<u32, u8>,
    voice: Option<(u8, Voice)>,
    ears: BTreeMap<u8, Ear>,
    seq: u64,
    ts: u32,
    digit: Option<(u8, u32, u8)>,
    frozen: bool,
    hushed: bool,
    noticed: Arc<Mutex<Noticed>>,
}

fn spoken(codec: Codec) -> Spoken {
    match codec {
        Codec::Opus => Spoken::Opus,
        Codec::Pcmu => Spoken::PCMU,
        Codec::Pcma => Spoken::PCMA,
        Codec::G722 => Spoken::G722,
    }
}

fn socket(ip: IpAddr) -> (UdpSocket, SocketAddr) {
    let udp = UdpSocket::bind((ip, 0)).expect("a port of this machine");
    let at = udp.local_addr().expect("its address");
    (udp, at)
}

fn host(at: SocketAddr) -> Candidate {
    Candidate::builder().udp().host(at).build().expect("a candidate")
}

impl End {
    fn new(config: BrowserConfig, noticed: Arc<Mutex<Noticed>>) -> Self {
        let mut rtc = RtcConfig::new()
            .set_rtp_mode(true)
            .clear_extension_map()
            .set_extension(3, Extension::RtpMid)
            .clear_codecs();
        for codec in &config.codecs {
            let c = rtc.codec_config();
            match codec {
                Codec::Opus => c.enable_opus(true, false),
                Codec::Pcmu => c.enable_pcmu(true, false),
                Codec::Pcma => c.enable_pcma(true, false),
                Codec::G722 => c.enable_g722(true, false),
            }
        }
        for (pt, clock) in [(105u8, Frequency::FORTY_EIGHT_KHZ), (106u8, Frequency::EIGHT_KHZ)] {
            let none = FormatParams::default();
            rtc.codec_config().add_config(pt.into(), None, Spoken::Tele, clock, None, none);
        }
        let mut rtc = rtc.build(Instant::now());
        let (udp, at) = socket(config.ip);
        if !config.tcp_only {
            rtc.add_local_candidate(host(at));
        }
        let seq = u64::from(config.first_seq);
        Self {
            config,
            rtc,
            mid: Mid::from("none"),
            pending: None,
            udp,
            at,
            tcp: None,
            agreed: Vec::new(),
            events: BTreeMap::new(),
            voice: None,
            ears: BTreeMap::new(),
            seq,
            ts: 77_777,
            digit: None,
            frozen: false,
            hushed: false,
            noticed,
        }
    }

    fn offer(&mut self, restart: bool) -> String {
        let mut api = self.rtc.sdp_api();
        if restart {
            api.ice_restart(false);
        } else {
            self.mid = api.add_media(MediaKind::Audio, Direction::SendRecv, None, None, None);
        }
        let Some((offer, pending)) = api.apply() else { return String::new() };
        self.pending = Some(pending);
        let text = offer.to_sdp_string();
        if !self.config.lies {
            return text;
        }
        let flip = |line: &str| match line.strip_prefix("a=fingerprint:sha-256 ") {
            Some(print) => {
                let other = if print.starts_with("00") { "11" } else { "00" };
                format!("a=fingerprint:sha-256 {other}{}", &print[2..])
            }
            None => line.to_owned(),
        };
        text.lines().map(flip).collect::<Vec<_>>().join("\r\n") + "\r\n"
    }

    /// The answer without the addresses that it does not connect.
    fn reached(&self, sdp: &str) -> String {
        let loopback = |line: &&str| {
            let at = line.strip_prefix("a=candidate:").and_then(|line| line.split(' ').nth(4));
            at.and_then(|at| at.parse::<IpAddr>().ok()).is_some_and(|at| at.is_loopback())
        };
        let all = self.config.ip.is_loopback();
        sdp.lines()
            .filter(|line| all || !loopback(line))
            .fold(String::new(), |text, line| text + line + "\r\n")
    }

    fn answered(&mut self, sdp: &str) {
        let Some(pending) = self.pending.take() else { return };
        let answer = SdpAnswer::from_sdp_string(&self.reached(sdp)).expect("an answer");
        let connect = sdp.lines().filter_map(|line| line.strip_prefix("a=candidate:"));
        let tcp = connect.filter(|line| line.contains("tcptype passive")).find_map(|line| {
            let words: Vec<&str> = line.split(' ').collect();
            format!("{}:{}", words.get(4)?, words.get(5)?).parse::<SocketAddr>().ok()
        });
        if let Some(to) = tcp.filter(|_| self.config.tcp_only) {
            let stream = TcpStream::connect(to).expect("the server's TCP port");
            stream.set_nonblocking(true).expect("not blocking");
            let from = stream.local_addr().expect("its address");
            let own = Candidate::builder().tcp().host(from).tcptype(TcpType::Active).build();
            self.rtc.add_local_candidate(own.expect("a candidate"));
            self.at = from;
            self.tcp = Some((to, stream, Vec::new()));
        }
        self.rtc.sdp_api().accept_answer(pending, answer).expect("its answer is taken");
        if self.tcp.is_none() {
            // A restart has forgotten the old ones.
            self.rtc.add_local_candidate(host(self.at));
        }
        let line = sdp.lines().find(|line| line.starts_with("m=audio ")).unwrap_or("");
        let numbers = line.split(' ').skip(3).filter_map(|n| n.parse::<u8>().ok());
        let params = self.rtc.codec_config().params().to_vec();
        self.agreed.clear();
        for pt in numbers {
            let Some(p) = params.iter().find(|p| *p.pt() == pt) else { continue };
            let codec = Codec::ALL.into_iter().find(|c| spoken(*c) == p.spec().codec);
            match codec {
                Some(codec) => self.agreed.push((pt, codec)),
                None if p.spec().codec == Spoken::Tele => {
                    self.events.insert(p.spec().clock_rate.get(), pt);
                }
                None => {}
            }
        }
        if let Some((_, codec)) = self.agreed.first() {
            self.speak(*codec);
        }
    }

    fn speak(&mut self, codec: Codec) {
        let Some((pt, _)) = self.agreed.iter().find(|(_, c)| *c == codec) else { return };
        let encoder = Encoder::new(codec, &OpusParams::ours()).expect("an encoder");
        let sine = Sine::new(codec.sample_rate(), self.config.hz, -10.0);
        self.voice = Some((*pt, Voice { encoder, sine }));
    }

    fn run(mut self, todo: &Receiver<Order>, stop: &AtomicBool) {
        let mut next_tick = Instant::now();
        let mut buffer = vec![0; 2_048];
        while !stop.load(Ordering::Relaxed) {
            while let Ok(order) = todo.try_recv() {
                self.obey(order);
            }
            let now = Instant::now();
            if now >= next_tick {
                next_tick += TICK;
                self.tick(now);
            }
            let until = self.drain().min(next_tick).min(now + TICK);
            self.take(until, &mut buffer);
        }
        if !self.frozen {
            let _ = self.rtc.close();
            self.drain();
        }
    }

    fn obey(&mut self, order: Order) {
        match order {
            Order::Answered(sdp) => self.answered(&sdp),
            Order::Tune(hz) => {
                self.config.hz = hz;
                if let Some((_, voice)) = &mut self.voice {
                    voice.sine.retune(hz);
                }
            }
            Order::Codec(codec) => self.speak(codec),
            Order::Digit(event) => self.digit = Some((event, self.ts, 0)),
            Order::Freeze => self.frozen = true,
            Order::Hush(hushed) => self.hushed = hushed,
            Order::Direct(direction, give) => {
                let mut api = self.rtc.sdp_api();
                api.set_direction(self.mid, direction);
                let offer = api.apply().map(|(offer, pending)| {
                    self.pending = Some(pending);
                    offer.to_sdp_string()
                });
                let _ = give.send(offer.unwrap_or_default());
            }
            Order::Move(give) => {
                (self.udp, self.at) = socket(self.config.ip);
                let offer = self.offer(true);
                let _ = give.send(offer);
            }
        }
    }

    /// 20 ms of what it says.
    fn tick(&mut self, now: Instant) {
        let connected = self.noticed.lock().unwrap_or_else(PoisonError::into_inner).connected;
        let Some((pt, voice)) =
            self.voice.as_mut().filter(|_| connected && !self.frozen && !self.hushed)
        else {
            return;
        };
        let codec = voice.encoder.codec();
        let ticks = codec.rtp_clock() / 50;
        let (mut pcm, mut payload) = (vec![0; voice.encoder.rate() as usize / 50], Vec::new());
        voice.sine.fill(&mut pcm);
        voice.encoder.encode(&pcm, &mut payload).expect("20 ms are a frame");
        let (mut pt, mut ts, mut marker) = (*pt, self.ts, false);
        let events = self.events.get(&codec.rtp_clock()).copied();
        if let (Some((event, began, sent)), Some(events)) = (&mut self.digit, events) {
            *sent += 1;
            let end = if *sent > 5 { 0x80 } else { 0 };
            let [high, low] = (u16::from(*sent).min(5) * ticks as u16).to_be_bytes();
            payload = vec![*event, end | 10, high, low];
            (pt, ts, marker) = (events, *began, *sent == 1);
            if *sent == 8 {
                self.digit = None;
            }
        }
        let mut api = self.rtc.direct_api();
        if let Some(stream) = api.stream_tx_by_mid(self.mid, None) {
            let write = RtpWrite::new(pt.into(), self.seq.into(), ts, now, payload);
            stream.write_rtp(write.marker(marker));
        }
        (self.seq, self.ts) = (self.seq + 1, self.ts.wrapping_add(ticks));
        let _ = self.rtc.handle_input(Input::Timeout(now));
    }

    fn drain(&mut self) -> Instant {
        loop {
            match self.rtc.poll_output() {
                Ok(Output::Timeout(at)) => return at,
                Ok(Output::Transmit(sent)) if !self.frozen => match sent.proto {
                    Protocol::Udp => drop(self.udp.send_to(&sent.contents, sent.destination)),
                    _ => {
                        if let Some((_, stream, _)) = &mut self.tcp {
                            let length = (sent.contents.len() as u16).to_be_bytes();
                            let _ = stream.write_all(&[&length[..], &sent.contents[..]].concat());
                        }
                    }
                },
                Ok(Output::Transmit(_)) => {}
                Ok(Output::Event(event)) => self.happened(event),
                Err(_) => return Instant::now() + TICK,
            }
        }
    }

    fn take(&mut self, until: Instant, buffer: &mut [u8]) {
        let left = until.saturating_duration_since(Instant::now());
        let left = left.max(Duration::from_millis(1));
        let mut came = Vec::new();
        if let Some((from, stream, partial)) = &mut self.tcp {
            // Its frames, as many as are whole; the wait is on the UDP socket that gets nothing.
            while let Ok(n @ 1..) = stream.read(buffer) {
                partial.extend_from_slice(&buffer[..n]);
            }
            while partial.len() > 2 {
                let length = usize::from(u16::from_be_bytes([partial[0], partial[1]]));
                if partial.len() < length + 2 {
                    break;
                }
                came.push((Protocol::Tcp, *from, partial[2..length + 2].to_vec()));
                partial.drain(..length + 2);
            }
        }
        let wait = if self.tcp.is_some() { left.min(Duration::from_millis(3)) } else { left };
        self.udp.set_read_timeout(Some(wait)).expect("a time limit");
        if let Ok((n, from)) = self.udp.recv_from(buffer) {
            came.push((Protocol::Udp, from, buffer[..n].to_vec()));
        }
        let now = Instant::now();
        if came.is_empty() {
            let _ = self.rtc.handle_input(Input::Timeout(now));
        }
        for (proto, from, bytes) in came {
            if let Ok(received) = Receive::new(proto, from, self.at, &bytes)
                && !self.frozen
            {
                let _ = self.rtc.handle_input(Input::Receive(now, received));
                self.drain();
            }
        }
    }

    fn happened(&mut self, event: Event) {
        let noticed = self.noticed.clone();
        let mut noticed = noticed.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::Connected => noticed.connected = true,
            Event::Closed => noticed.closed = true,
            Event::IceConnectionStateChange(state) => {
                noticed.disconnected = state == IceConnectionState::Disconnected;
            }
            Event::RtpPacket(packet) => self.hear(&packet, &mut noticed),
            _ => {}
        }
    }

    fn hear(&mut self, packet: &RtpPacket, noticed: &mut Noticed) {
        let pt = *packet.header.payload_type;
        *noticed.packets.entry(pt).or_default() += 1;
        let line = (*packet.seq_no, packet.header.timestamp, pt, packet.payload.to_vec());
        noticed.log.push(line);
        noticed.with_extension += u64::from(packet.header.has_extension);
        let ssrc = *packet.header.ssrc;
        if !noticed.ssrcs.contains(&ssrc) {
            noticed.ssrcs.push(ssrc);
        }
        let Some((_, codec)) = self.agreed.iter().find(|(have, _)| *have == pt) else { return };
        let ear = self.ears.entry(pt).or_insert_with(|| Ear {
            decoder: Decoder::new(*codec).expect("a decoder"),
            resampler: Resampler::new(codec.sample_rate(), RATE),
        });
        let mut pcm = Vec::new();
        if ear.decoder.decode(&packet.payload, &mut pcm).is_ok() {
            ear.resampler.process(&pcm, &mut noticed.heard);
        }
    }
}
