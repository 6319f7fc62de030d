//! A server with calls whose ends are bare sockets: signalling by our SIP alone, media by hand, so
//! that what each end hears is known to the byte, and a thousand of them cost little.

use crate::stage::{RATE, SOON};
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::ops::RangeInclusive;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::mpsc;
use undertone::config::{Config, RtpRange};
use undertone::serve::{Server, open_store};
use undertone_media::codec::Decoder;
use undertone_media::rtp::{Header, Packet, looks_like_rtcp, seq_diff, ts_diff};
use undertone_phone::Codec;
use undertone_sip::{DialogEvent, DialogHandle, Incoming, Outgoing, Sip, SipConfig};
use undertone_testkit::tone_ear::listen;

pub const FRAME: usize = RATE as usize / 50;
pub const SILENCE: u8 = 0xff;
/// What each end says when it has said all.
const END: u8 = 0x7d;
/// After 200 ms without a packet the server sends silence.
const STALL: Duration = Duration::from_millis(150);
/// Calls that come up at once.
const AT_ONCE: usize = 20;
/// After a pause the server looks for a backlog for 2 s, and lets one go that is too long.
const WARM_PACKETS: usize = 110;

/// One end's media: a bare socket, and where the server wants its packets.
pub struct End {
    socket: UdpSocket,
    server: SocketAddr,
    /// The address that the server's description named.
    pub told: IpAddr,
    /// Every byte that it says, so that what the other hears is known to the byte.
    says: u8,
    seq: u16,
    got: Vec<Vec<u8>>,
}

impl End {
    fn say(&mut self, byte: u8) {
        self.seq += 1;
        let ssrc = 0x7000_0000 | u32::from(self.server.port());
        let header = Header {
            marker: false,
            pt: 0,
            seq: self.seq,
            ts: u32::from(self.seq) * FRAME as u32,
            ssrc,
        };
        let mut bytes = Vec::new();
        header.write(&[byte; FRAME], &mut bytes);
        self.socket.send_to(&bytes, self.server).expect("sent");
    }

    fn take_in(&mut self) {
        let mut buffer = [0; 2_048];
        while let Ok((len, _)) = self.socket.recv_from(&mut buffer) {
            if !looks_like_rtcp(&buffer[..len]) {
                self.got.push(buffer[..len].to_vec());
            }
        }
    }

    fn heard_the_end(&self) -> bool {
        self.got.iter().rev().take(20).any(|b| b.get(12) == Some(&END))
    }

    /// Nothing but what the other end said and silence; one stream without a hole or a leap.
    fn heard_only(&self, other: u8, said: RangeInclusive<usize>, never_hz: f64) {
        let packets: Vec<Packet<'_>> =
            self.got.iter().map(|b| Packet::parse(b).expect("RTP")).collect();
        let all = |p: &Packet<'_>, byte| p.payload.iter().all(|b| *b == byte);
        let foreign =
            packets.iter().filter(|p| ![other, SILENCE, END].iter().any(|byte| all(p, *byte)));
        assert_eq!(foreign.count(), 0, "packets of neither the other end nor silence");
        let heard = packets.iter().filter(|p| p.payload[0] == other).count();
        assert!(said.contains(&heard), "{heard} packets of the other end, not {said:?}");
        for two in packets.windows(2) {
            assert_eq!(two[0].ssrc, two[1].ssrc);
            assert_eq!(seq_diff(two[1].seq, two[0].seq), 1, "sequence");
            let moved = ts_diff(two[1].ts, two[0].ts);
            assert!(moved == FRAME as i64 || two[1].marker, "timestamps: {moved}");
        }
        let mut decoder = Decoder::new(Codec::Pcmu).expect("G.711");
        let (mut pcm, mut frame) = (Vec::new(), Vec::new());
        for packet in &packets {
            frame.clear();
            decoder.decode(packet.payload, &mut frame).expect("decoded");
            pcm.extend_from_slice(&frame);
        }
        assert_eq!(listen(&pcm, RATE, never_hz).hits, [], "{never_hz} Hz");
    }
}

/// A server and the two ends of each call, on one address.
pub struct Field {
    pub server: Server,
    range: RtpRange,
    /// Where the calls' ends are.
    peers: IpAddr,
    callers: Sip,
    callees: Sip,
    pub calls: Vec<[End; 2]>,
    dialogs: Vec<(DialogHandle, mpsc::Receiver<DialogEvent>)>,
    _data: TempDir,
}

impl Field {
    pub async fn open(
        range: RtpRange,
        peers: IpAddr,
        calls: usize,
        adjust: impl FnOnce(&mut Config),
    ) -> Field {
        let (any, theirs) = (SocketAddr::new(range.ip, 0), SocketAddr::new(peers, 0));
        let (callers, _) = Sip::bind(SipConfig::new(theirs)).await.expect("callers");
        let (callees, incoming) = Sip::bind(SipConfig::new(theirs)).await.expect("callees");
        let data = tempfile::tempdir().expect("a folder");
        let mut config = Config { rtp: range, data: data.path().into(), ..Config::default() };
        config.http = any;
        config.sip = any.into();
        adjust(&mut config);
        let store = open_store(&config).await.expect("a store");
        let people = people(calls, callers.local_addr(), callees.local_addr());
        let people = undertone::provision::read(&people).expect("people and devices");
        store.provision(people).await.expect("provisioned");
        let server = Server::over(&config, store).await.expect("a server");
        let dialogs = Vec::new();
        let mut field = Field {
            server,
            range,
            peers,
            callers,
            callees,
            calls: Vec::new(),
            dialogs,
            _data: data,
        };
        field.bring_up(calls, incoming).await;
        field
    }

    async fn bring_up(&mut self, calls: usize, incoming: mpsc::Receiver<Incoming>) {
        let (answered, mut callees) = mpsc::channel(AT_ONCE);
        tokio::spawn(answer_all(self.range.ip, self.peers, incoming, answered));
        for first in (0..calls).step_by(AT_ONCE) {
            let these = first..calls.min(first + AT_ONCE);
            let mut placed: Vec<_> = these.clone().map(|call| self.place(call)).collect();
            let mut others: Vec<(usize, End)> = Vec::new();
            for _ in these.clone() {
                let callee = tokio::time::timeout(SOON, callees.recv()).await;
                let (call, end, kept) = callee.expect("in time").expect("a callee");
                others.push((call, end));
                self.dialogs.push(kept);
            }
            for (call, socket, dialog, events) in placed.drain(..) {
                let (server, told, events) = answer_to(events, self.range.ip).await;
                let at = others.iter().position(|(other, _)| *other == call).expect("its callee");
                let says = says(call, 0);
                let caller = End { socket, server, told, says, seq: 0, got: Vec::new() };
                self.calls.push([caller, others.swap_remove(at).1]);
                self.dialogs.push((dialog, events));
            }
        }
        // A row of packets locks each leg.
        for end in self.calls.iter_mut().flatten() {
            (0..5).for_each(|_| end.say(SILENCE));
        }
    }

    fn place(&self, call: usize) -> (usize, UdpSocket, DialogHandle, mpsc::Receiver<DialogEvent>) {
        let socket = socket_at(self.peers);
        let to = self.server.sip_addr;
        let outgoing = Outgoing {
            to_uri: format!("sip:{}@{to}", 10_000 + call),
            from_user: "+15550101".into(),
            offer: description(&socket, call),
            ..Outgoing::default()
        };
        let (dialog, events) = self.callers.call(outgoing);
        (call, socket, dialog, events)
    }

    /// The first `talking` calls say so many packets, both ends, 20 ms each, and hear each other,
    /// whole and nothing else; nor a tone of that frequency.
    pub async fn talk(&mut self, talking: usize, packets: usize, never_hz: f64) {
        // What came until now overflowed these sockets, perhaps: it is no part of this.
        self.calls[..talking].iter_mut().flatten().for_each(|end| {
            end.take_in();
            end.got.clear();
        });
        let mut pace = tokio::time::interval(Duration::from_millis(20));
        let (mut said, mut stalled, mut last) = (0, false, tokio::time::Instant::now());
        loop {
            let ended = said >= WARM_PACKETS + packets;
            let talking = &mut self.calls[..talking];
            if ended && talking.iter().flatten().all(End::heard_the_end) {
                break;
            }
            assert!(said < (WARM_PACKETS + packets) * 3, "the end is not heard everywhere");
            pace.tick().await;
            stalled |= !ended && said >= WARM_PACKETS && last.elapsed() > STALL;
            last = tokio::time::Instant::now();
            for end in talking.iter_mut().flatten() {
                end.say(match said {
                    _ if ended => END,
                    n if n < WARM_PACKETS => SILENCE,
                    _ => end.says,
                });
                end.take_in();
            }
            said += 1;
        }
        // Where this machine did not let us speak in time, what then comes at once is a backlog.
        let least = if stalled { 1 } else { packets };
        for [a, b] in &self.calls[..talking] {
            a.heard_only(b.says, least..=packets, never_hz);
            b.heard_only(a.says, least..=packets, never_hz);
        }
    }

    pub fn foreign(&self) -> u64 {
        self.server.engine.gauges().packets_foreign
    }

    /// Each leg refuses a packet of a good source but its own, from another port of its host.
    pub async fn all_are_locked(&self) {
        let (before, probe) = (self.foreign(), socket_at(self.peers));
        let mut packet = Vec::new();
        let header = Header { marker: false, pt: 0, seq: 1, ts: 1, ssrc: 1 };
        header.write(&[SILENCE; FRAME], &mut packet);
        for end in self.calls.iter().flatten() {
            probe.send_to(&packet, end.server).expect("sent");
        }
        let legs = 2 * self.calls.len() as u64;
        let counted = async {
            while self.foreign() - before < legs {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(SOON, counted).await.expect("every leg is locked");
        assert_eq!(answers(&probe), 0);
    }

    pub async fn close(self) {
        assert_eq!(self.server.board.house().register.live_calls(), self.calls.len());
        let (engine, media) = (self.server.engine.clone(), self.server.media.clone());
        self.server.stop(Duration::ZERO).await;
        assert_eq!(engine.gauges().ports_in_use, 0);
        assert_eq!(media.privacy_alarms.load(Ordering::Relaxed), 0);
        self.callers.shutdown().await;
        self.callees.shutdown().await;
    }
}

fn says(call: usize, end: usize) -> u8 {
    (2 * call + end) as u8 % 120 + 1
}

fn socket_at(ip: IpAddr) -> UdpSocket {
    let socket = UdpSocket::bind(SocketAddr::new(ip, 0)).expect("a socket");
    socket.set_nonblocking(true).expect("non-blocking");
    socket
}

/// Every other call has RTP and RTCP on one port.
fn description(socket: &UdpSocket, call: usize) -> String {
    let at = socket.local_addr().expect("bound");
    let (ip, port) = (at.ip(), at.port());
    let family = if ip.is_ipv6() { "IP6" } else { "IP4" };
    let mux = if call % 2 == 1 { "a=rtcp-mux\r\n" } else { "" };
    format!(
        "v=0\r\no=- 1 1 IN {family} {ip}\r\ns=-\r\nc=IN {family} {ip}\r\nt=0 0\r\n\
         m=audio {port} RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n{mux}"
    )
}

/// Where the server listens, which is on our own address, and the address that it told us.
fn media_of(sdp: &str, ip: IpAddr) -> (SocketAddr, IpAddr) {
    let line = sdp.lines().find_map(|line| line.strip_prefix("m=audio ")).expect("audio");
    let port = line.split(' ').next().and_then(|port| port.parse().ok()).expect("a port");
    let told = undertone_sdp::far_ip(sdp).expect("an address");
    (SocketAddr::new(ip, port), told)
}

type Callee = (usize, End, (DialogHandle, mpsc::Receiver<DialogEvent>));

async fn answer_all(
    ip: IpAddr,
    peers: IpAddr,
    mut incoming: mpsc::Receiver<Incoming>,
    answered: mpsc::Sender<Callee>,
) {
    while let Some(call) = incoming.recv().await {
        let number: usize = call.request_user.parse().expect("a number of ours");
        let (at, socket) = (number - 10_000, socket_at(peers));
        let (server, told) = media_of(call.offer.as_deref().expect("an offer"), ip);
        call.dialog.answer(description(&socket, at));
        let end = End { socket, server, told, says: says(at, 1), seq: 0, got: Vec::new() };
        if answered.send((at, end, (call.dialog, call.events))).await.is_err() {
            return;
        }
    }
}

async fn answer_to(
    mut events: mpsc::Receiver<DialogEvent>,
    ip: IpAddr,
) -> (SocketAddr, IpAddr, mpsc::Receiver<DialogEvent>) {
    let come = async {
        loop {
            match events.recv().await.expect("an answer") {
                DialogEvent::Answered { sdp, .. } => return sdp,
                DialogEvent::Progress { .. } => {}
                other => panic!("{other:?}"),
            }
        }
    };
    let sdp = tokio::time::timeout(SOON, come).await.expect("in time");
    let (server, told) = media_of(&sdp, ip);
    (server, told, events)
}

fn people(calls: usize, callers: SocketAddr, callees: SocketAddr) -> String {
    let mut text = format!(
        "[[device]]\nid = \"cust\"\nname = \"cust\"\nextension = \"+15550101\"\n\
         contact = \"sip:+15550101@{callers}\"\nnet = \"external\"\n"
    );
    for number in (0..calls).map(|call| 10_000 + call) {
        text += &format!(
            "[[person]]\nid = \"p{number}\"\nname = \"p{number}\"\nrights = []\n\
             [[device]]\nid = \"d{number}\"\nname = \"d{number}\"\nextension = \"{number}\"\n\
             contact = \"sip:{number}@{callees}\"\nowner = \"p{number}\"\n"
        );
    }
    text
}

/// What came back to a socket.
pub fn answers(socket: &UdpSocket) -> usize {
    let mut buffer = [0; 2_048];
    std::iter::from_fn(|| socket.recv_from(&mut buffer).ok()).count()
}
