//! A scripted peer on a raw UDP socket: it writes and reads SIP as text, so that what it does
//! wrong is what the test says.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::time::timeout;

use crate::support::LIMIT;

#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) start: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
    pub(crate) source: SocketAddr,
}

impl Message {
    pub(crate) fn parse(bytes: &[u8], source: SocketAddr) -> Self {
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let mut lines = head.split("\r\n");
        let start = lines.next().unwrap().to_owned();
        let header = |line: &str| {
            let (name, value) = line.split_once(':').unwrap();
            (name.trim().to_owned(), value.trim().to_owned())
        };
        Self { start, headers: lines.map(header).collect(), body: body.to_owned(), source }
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(have, _)| have.eq_ignore_ascii_case(name));
        found.map_or("", |(_, value)| value)
    }

    pub(crate) fn branch(&self) -> &str {
        self.header("Via").split("branch=").nth(1).unwrap().split(';').next().unwrap()
    }

    pub(crate) fn tag(&self, name: &str) -> String {
        let value = self.header(name);
        value.split("tag=").nth(1).unwrap_or("").split(';').next().unwrap().to_owned()
    }
}

/// Messages that were read while another was waited for.
#[derive(Default)]
pub(crate) struct Kept(VecDeque<Message>);

impl Kept {
    /// The next message whose start line begins so; what comes before it is kept aside.
    pub(crate) async fn expect(
        &mut self,
        start: &str,
        mut read: impl AsyncFnMut() -> Message,
    ) -> Message {
        if let Some(at) = self.0.iter().position(|m| m.start.starts_with(start)) {
            return self.0.remove(at).unwrap();
        }
        let wait = async {
            loop {
                let message = read().await;
                if message.start.starts_with(start) {
                    return message;
                }
                self.0.push_back(message);
            }
        };
        match timeout(LIMIT, wait).await {
            Ok(message) => message,
            Err(_) => panic!("no {start} in time"),
        }
    }

    /// Nothing that begins so comes in this many milliseconds.
    pub(crate) async fn never(
        &mut self,
        start: &str,
        ms: u64,
        mut read: impl AsyncFnMut() -> Message,
    ) {
        assert!(!self.0.iter().any(|m| m.start.starts_with(start)), "{start} came");
        let wait = async {
            loop {
                let message = read().await;
                assert!(!message.start.starts_with(start), "{start} came");
            }
        };
        assert!(timeout(Duration::from_millis(ms), wait).await.is_err());
    }
}

pub(crate) struct Peer {
    socket: UdpSocket,
    pub(crate) addr: SocketAddr,
    kept: Kept,
}

async fn read(socket: &UdpSocket) -> Message {
    let mut buffer = vec![0; 65_535];
    loop {
        let (length, source) = socket.recv_from(&mut buffer).await.unwrap();
        if buffer[..length].contains(&b':') {
            return Message::parse(&buffer[..length], source);
        }
    }
}

impl Peer {
    pub(crate) async fn new() -> Self {
        Self::on("127.0.0.1:0").await
    }

    pub(crate) async fn on(bind: &str) -> Self {
        let socket = UdpSocket::bind(bind).await.unwrap();
        let addr = socket.local_addr().unwrap();
        Self { socket, addr, kept: Kept::default() }
    }

    pub(crate) async fn raw(&self, bytes: &[u8], to: SocketAddr) {
        self.socket.send_to(bytes, to).await.unwrap();
    }

    pub(crate) async fn expect(&mut self, start: &str) -> Message {
        self.kept.expect(start, async || read(&self.socket).await).await
    }

    pub(crate) async fn never(&mut self, start: &str, ms: u64) {
        self.kept.never(start, ms, async || read(&self.socket).await).await;
    }

    /// Answers a request: its own headers, our tag, and what else is given.
    pub(crate) async fn respond(
        &self,
        request: &Message,
        status: &str,
        tag: &str,
        extra: &str,
        body: &str,
    ) {
        self.raw(answer(request, status, tag, extra, body).as_bytes(), request.source).await;
    }

    pub(crate) fn contact(&self) -> String {
        format!("Contact: <sip:peer@{}>\r\n", self.addr)
    }

    /// 200 with Contact and a description.
    pub(crate) async fn ok(&self, request: &Message, tag: &str, body: &str) {
        let extra = format!("{}Content-Type: application/sdp\r\n", self.contact());
        self.respond(request, "200 OK", tag, &extra, body).await;
    }
}

/// The answer to a request: its own headers, our tag, and what else is given.
pub(crate) fn answer(
    request: &Message,
    status: &str,
    tag: &str,
    extra: &str,
    body: &str,
) -> String {
    let mut out = format!("SIP/2.0 {status}\r\n");
    for (name, value) in &request.headers {
        match name.as_str() {
            "Via" | "From" | "Call-ID" | "CSeq" | "Record-Route" => {
                out += &format!("{name}: {value}\r\n");
            }
            "To" if tag.is_empty() || value.contains("tag=") => {
                out += &format!("To: {value}\r\n");
            }
            "To" => out += &format!("To: {value};tag={tag}\r\n"),
            _ => {}
        }
    }
    out + &format!("{extra}Content-Length: {}\r\n\r\n{body}", body.len())
}

/// One dialog that the peer began: it numbers and tags its own requests.
pub(crate) struct Script {
    pub(crate) us: SocketAddr,
    pub(crate) call_id: String,
    pub(crate) our_tag: String,
    pub(crate) their_tag: String,
    pub(crate) cseq: u32,
}

impl Script {
    pub(crate) fn new(us: SocketAddr, call_id: &str) -> Self {
        let call_id = call_id.to_owned();
        Self { us, call_id, our_tag: "peertag".into(), their_tag: String::new(), cseq: 1 }
    }

    pub(crate) fn request(
        &self,
        peer: &Peer,
        method: &str,
        branch: &str,
        extra: &str,
        body: &str,
    ) -> String {
        let tag = match self.their_tag.as_str() {
            "" => String::new(),
            tag => format!(";tag={tag}"),
        };
        let (us, addr) = (self.us, peer.addr);
        format!(
            "{method} sip:200@{us} SIP/2.0\r\nVia: SIP/2.0/UDP {addr};branch=z9hG4bK{branch};rport\
             \r\nMax-Forwards: 70\r\nFrom: \"Bob B\" <sip:bob@{addr}>;tag={}\r\nTo: <sip:200@{us}>\
             {tag}\r\nCall-ID: {}\r\nCSeq: {} {method}\r\nContact: <sip:bob@{addr}>\r\n{extra}\
             Content-Length: {}\r\n\r\n{body}",
            self.our_tag,
            self.call_id,
            self.cseq,
            body.len(),
        )
    }

    pub(crate) async fn invite(&self, peer: &Peer, branch: &str, body: &str) {
        let extra = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
        let text = self.request(peer, "INVITE", branch, extra, body);
        peer.raw(text.as_bytes(), self.us).await;
    }

    pub(crate) async fn send(&self, peer: &Peer, method: &str, branch: &str) {
        peer.raw(self.request(peer, method, branch, "", "").as_bytes(), self.us).await;
    }
}
