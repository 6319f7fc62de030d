//! A server, a device at an address of its own that sends it anything, and a phone that refuses
//! every call; and the table of what each message is to get.
#![allow(clippy::print_stdout)] // the table is what the test shows

use crate::stage::{SOON, turn};
use serde::Deserialize;
use socket2::SockRef;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream, UdpSocket};
use tokio::sync::MutexGuard;
use tokio::time::timeout;
use undertone::config::{Config, RtpRange};
use undertone::serve::{Server, open_store};
use undertone_phone::{EngineConfig, Phone, PhoneConfig, PhoneEngine};

/// What a message that deserves no answer is given to get one all the same.
const SILENCE: Duration = Duration::from_millis(100);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    pub name: String,
    pub section: String,
    pub title: String,
    /// What the RFC asks, in words.
    pub asks: String,
    answers: Vec<String>,
    tcp: Option<Vec<String>>,
    /// Over a stream the connection is then closed.
    #[serde(default)]
    closes: bool,
    #[serde(skip)]
    bytes: Vec<u8>,
}

#[derive(Default, Deserialize)]
pub struct Table {
    message: Vec<Row>,
}

impl Table {
    pub fn read(rfc: &str, rows: usize) -> Table {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/torture");
        let text = std::fs::read_to_string(folder.join(format!("{rfc}.toml"))).expect("a table");
        let mut table: Table = toml::from_str(&text).expect("rows");
        for row in &mut table.message {
            let file = folder.join(rfc).join(format!("{}.dat", row.name));
            row.bytes = std::fs::read(&file).unwrap_or_else(|_| panic!("{}", file.display()));
        }
        let names: BTreeSet<&str> = table.message.iter().map(|row| row.name.as_str()).collect();
        assert_eq!(names.len(), rows, "each message once");
        table
    }

    /// Each message as a table of its own: those of RFC 5118 share Call-IDs and branches, so that
    /// one server would take some for copies of others.
    pub fn each(self) -> impl Iterator<Item = Table> {
        self.message.into_iter().map(|row| Table { message: vec![row] })
    }
}

impl Row {
    fn allows(&self, over_tcp: bool, code: Option<u16>) -> bool {
        let allowed = self.tcp.as_ref().filter(|_| over_tcp).unwrap_or(&self.answers);
        let fits = |rule: &String| match (rule.as_str(), code) {
            ("none", None) => true,
            ("none", Some(_)) | (_, None) => false,
            ("understood", Some(code)) => ![400, 500, 505, 513].contains(&code),
            (exact, Some(code)) => exact == code.to_string(),
        };
        allowed.iter().any(fits)
    }

    fn only_silence(&self) -> bool {
        self.answers.iter().all(|rule| rule == "none")
    }
}

/// A response, as far as it is needed here.
struct Heard {
    code: u16,
    text: String,
}

impl Heard {
    fn parse(bytes: &[u8]) -> Option<Heard> {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let code = text.strip_prefix("SIP/2.0 ")?.get(..3)?.parse().ok()?;
        Some(Heard { code, text })
    }

    fn headers(&self, name: &str) -> Vec<&str> {
        let head = self.text.split("\r\n\r\n").next().unwrap_or("");
        let lines = head.lines().filter_map(|line| line.split_once(':'));
        lines.filter(|(have, _)| have.trim() == name).map(|(_, value)| value.trim()).collect()
    }

    /// Ends the transaction of a refused INVITE (RFC 3261 section 17.1.1.3).
    fn ack(&self) -> Option<String> {
        let (number, method) = self.headers("CSeq").first()?.split_once(' ')?;
        if self.code < 200 || method != "INVITE" {
            return None;
        }
        let one = |name: &str| self.headers(name).first().map(|v| v.to_string());
        let via = one("Via")?;
        let via = via.split(',').next().unwrap_or("");
        Some(format!(
            "ACK sip:ack@undertone SIP/2.0\r\nVia: {via}\r\nMax-Forwards: 70\r\nFrom: {}\r\n\
             To: {}\r\nCall-ID: {}\r\nCSeq: {number} ACK\r\nContent-Length: 0\r\n\r\n",
            one("From")?,
            one("To")?,
            one("Call-ID")?
        ))
    }
}

/// What one message got.
#[derive(Default)]
pub struct Got {
    codes: Vec<u16>,
    /// The connection was closed by the server.
    closed: bool,
    alive: bool,
}

impl Got {
    fn last(&self) -> Option<u16> {
        self.codes.iter().rfind(|code| **code >= 200).copied()
    }
}

#[derive(Default)]
pub struct Results {
    rows: Vec<(Row, Got)>,
    over_tcp: bool,
}

impl Results {
    pub fn add(&mut self, more: Results) {
        self.over_tcp = more.over_tcp;
        self.rows.extend(more.rows);
    }

    /// The table, and a failure that names every row that is not as the RFC asks.
    pub fn print_and_judge(&self, what: &str) {
        let mut text = format!("{what}\n| § | message | the RFC asks | Undertone did | |\n");
        text += "|---|---|---|---|---|\n";
        let mut wrong = Vec::new();
        for (row, got) in &self.rows {
            let codes: Vec<String> = got.codes.iter().map(u16::to_string).collect();
            let mut did = if codes.is_empty() { "nothing".into() } else { codes.join(", ") };
            if got.closed {
                did += ", closed";
            }
            let ends_so = !self.over_tcp || got.closed == row.closes;
            let good = got.alive && ends_so && row.allows(self.over_tcp, got.last());
            let verdict = if good { "as asked" } else { "**not so**" };
            let (name, title) = (&row.name, &row.title);
            let _ = writeln!(
                text,
                "| {} | `{name}` {title} | {} | {did} | {verdict} |",
                row.section, row.asks
            );
            if !good {
                wrong.push(format!("{name}: {did}, alive: {}", got.alive));
            }
        }
        println!("{text}");
        assert!(wrong.is_empty(), "{what}: {wrong:#?}");
    }
}

pub struct Rig {
    server: Server,
    phone: Phone,
    sender: SocketAddr,
    _data: TempDir,
    _turn: MutexGuard<'static, ()>,
}

impl Rig {
    pub async fn open(sender: [u8; 4]) -> Rig {
        let turn = turn().await;
        let sender = SocketAddr::from((sender, 5060));
        let engine = EngineConfig { priority: false, ..EngineConfig::default() };
        let engine = PhoneEngine::start(engine).expect("the phone's media");
        let config = PhoneConfig { t1_ms: 50, ..PhoneConfig::new("1001", &engine) };
        let phone = Phone::start(config).await.expect("a phone");
        let data = tempfile::tempdir().expect("a folder");
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let config = Config {
            http: any,
            sip: any.into(),
            rtp: RtpRange { ip: any.ip(), from: 0, to: 0 },
            data: data.path().into(),
            media_threads: 1,
            ..Config::default()
        };
        let store = open_store(&config).await.expect("a store");
        let what = undertone::provision::read(&provision(sender, &phone)).expect("devices");
        store.provision(what).await.expect("provisioned");
        let server = Server::over(&config, store).await.expect("a server");
        Rig { server, phone, sender, _data: data, _turn: turn }
    }

    pub async fn over_udp(&self, table: Table) -> Results {
        let socket = UdpSocket::bind(self.sender).await.expect("SIP's port on an address of ours");
        socket.connect(self.server.sip_addr).await.expect("connected");
        let mut wire = Datagrams { socket, seen: BTreeSet::new() };
        let mut rows = Vec::new();
        for (n, row) in table.message.into_iter().enumerate() {
            wire.socket.send(&row.bytes).await.expect("sent");
            let mut got = Got::default();
            if !row.only_silence() {
                let _ = timeout(SOON / 3, self.refusing(wire.until_final(&mut got))).await;
            }
            got.alive = wire.options(n, self.sender, &mut got).await;
            rows.push((row, got));
        }
        Results { rows, over_tcp: false }
    }

    /// Each message on a connection of its own; whether the server lives is asked on another.
    pub async fn over_tcp(&self, table: Table) -> Results {
        let mut rows = Vec::new();
        for (n, row) in table.message.into_iter().enumerate() {
            let mut stream = self.connect(self.sender).await.expect("a connection");
            stream.write_all(&row.bytes).await.expect("sent");
            let mut got = Got::default();
            // A message that does not end is given up after `StreamLimits::message_ms`, 5 s.
            let wait = if row.closes || !row.allows(true, None) { SOON } else { SILENCE * 5 };
            let read = stream_to_its_end(&mut stream, row.closes, &mut got);
            let _ = timeout(wait, self.refusing(read)).await;
            let ping = ping(n, "TCP", self.sender);
            let any = SocketAddr::new(self.sender.ip(), 0);
            let mut other = self.connect(any).await.expect("another connection");
            other.write_all(ping.as_bytes()).await.expect("sent");
            let mut pong = Got::default();
            let _ = timeout(SOON / 3, stream_to_its_end(&mut other, false, &mut pong)).await;
            got.alive = pong.last().is_some();
            rows.push((row, got));
        }
        Results { rows, over_tcp: true }
    }

    /// From this address; it ends by a reset, so that the next may have the same one.
    async fn connect(&self, from: SocketAddr) -> std::io::Result<TcpStream> {
        let socket = TcpSocket::new_v4()?;
        socket.set_reuseaddr(true)?;
        SockRef::from(&socket).set_linger(Some(Duration::ZERO))?;
        socket.bind(from)?;
        socket.connect(self.server.sip_addr).await
    }

    /// While this goes on, every call that comes to the phone is refused.
    async fn refusing<T>(&self, doing: impl Future<Output = T>) -> T {
        tokio::pin!(doing);
        loop {
            tokio::select! {
                done = &mut doing => return done,
                ringing = self.phone.incoming() => drop(ringing),
            }
        }
    }

    /// Nothing is left of any of it.
    pub async fn close(self) {
        let sip = self.server.sip().clone();
        let register = self.server.board.house().register.clone();
        register.until_empty().await;
        self.server.stop(Duration::ZERO).await;
        assert_eq!(register.live_calls(), 0);
        assert_eq!(sip.gauges().dialogs, 0, "{:?}", sip.gauges());
        self.phone.shutdown().await;
    }
}

/// The sender is a customer that is known by its address. Whoever the messages call is the phone.
fn provision(sender: SocketAddr, phone: &Phone) -> String {
    let mut text = format!(
        "[[device]]\nid = \"torture\"\nname = \"torture\"\nnet = \"external\"\n\
         contact = \"sip:torture@{sender}\"\n"
    );
    for id in ["user", "vivekg", "userb"] {
        text += &format!(
            "[[person]]\nid = \"{id}\"\nname = \"{id}\"\n[[device]]\nid = \"{id}\"\n\
             name = \"{id}\"\nowner = \"{id}\"\ncontact = \"{}\"\n",
            phone.uri()
        );
    }
    text
}

fn ping(n: usize, transport: &str, from: SocketAddr) -> String {
    format!(
        "OPTIONS sip:undertone SIP/2.0\r\nVia: SIP/2.0/{transport} {from};branch=z9hG4bKping{n};\
         rport\r\nMax-Forwards: 70\r\nFrom: <sip:torture@{from}>;tag=ping{n}\r\nTo: <sip:undertone>\
         \r\nCall-ID: ping-{n}\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
    )
}

struct Datagrams {
    socket: UdpSocket,
    /// Call-IDs of what was answered before: a late copy of such an answer is not this message's.
    seen: BTreeSet<String>,
}

impl Datagrams {
    async fn next(&mut self) -> Heard {
        let mut buffer = vec![0; 65_535];
        loop {
            // An ICMP error of an earlier send may come first.
            let Ok(length) = self.socket.recv(&mut buffer).await else { continue };
            let Some(heard) = Heard::parse(&buffer[..length]) else { continue };
            if let Some(ack) = heard.ack() {
                let _ = self.socket.send(ack.as_bytes()).await;
            }
            let ids = heard.headers("Call-ID");
            if !ids.iter().any(|id| self.seen.contains(*id)) {
                return heard;
            }
        }
    }

    async fn until_final(&mut self, got: &mut Got) {
        loop {
            let heard = self.next().await;
            got.codes.push(heard.code);
            if heard.code >= 200 {
                let ids = heard.headers("Call-ID").into_iter().map(str::to_owned);
                return self.seen.extend(ids.collect::<Vec<_>>());
            }
        }
    }

    /// Whether OPTIONS is answered; what comes beside the answer, or soon after, was the
    /// message's.
    async fn options(&mut self, n: usize, from: SocketAddr, got: &mut Got) -> bool {
        self.socket.send(ping(n, "UDP", from).as_bytes()).await.expect("sent");
        let id = format!("ping-{n}");
        let answered = timeout(SOON / 3, async {
            loop {
                let heard = self.next().await;
                if heard.headers("Call-ID").contains(&id.as_str()) {
                    return;
                }
                got.codes.push(heard.code);
            }
        });
        let alive = answered.await.is_ok();
        self.seen.insert(id);
        while let Ok(heard) = timeout(SILENCE, self.next()).await {
            got.codes.push(heard.code);
        }
        alive
    }
}

/// Reads until the final answer and what follows soon after it; where the server is to close the
/// connection, until it has.
async fn stream_to_its_end(stream: &mut TcpStream, closes: bool, got: &mut Got) {
    let (mut kept, mut buffer) = (Vec::new(), vec![0; 65_535]);
    loop {
        let wait = if got.last().is_some() && !closes { SILENCE } else { SOON };
        let length = match timeout(wait, stream.read(&mut buffer)).await {
            Ok(Ok(length)) if length > 0 => length,
            Ok(_) => {
                got.closed = true;
                return;
            }
            Err(_) => return,
        };
        kept.extend_from_slice(&buffer[..length]);
        while let Some(end) = kept.windows(4).position(|w| w == b"\r\n\r\n") {
            // No answer of ours to these has a body.
            let message: Vec<u8> = kept.drain(..end + 4).collect();
            let Some(heard) = Heard::parse(&message) else { continue };
            got.codes.push(heard.code);
            if let Some(ack) = heard.ack() {
                let _ = stream.write_all(ack.as_bytes()).await;
            }
        }
    }
}
