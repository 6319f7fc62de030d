//! A scripted peer on a TCP connection: what it writes is what the test says, byte by byte if it
//! likes.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use crate::peer::{Message, answer};
use crate::support::LIMIT;

pub(crate) struct Stream {
    pub(crate) stream: TcpStream,
    pub(crate) us: SocketAddr,
    pub(crate) addr: SocketAddr,
    bytes: Vec<u8>,
    kept: VecDeque<Message>,
}

impl Stream {
    pub(crate) async fn connect(us: SocketAddr) -> Self {
        Self::of(TcpStream::connect(us).await.unwrap())
    }

    pub(crate) async fn accept(listener: &TcpListener) -> Self {
        let (stream, _) = timeout(LIMIT, listener.accept()).await.expect("nobody came").unwrap();
        Self::of(stream)
    }

    fn of(stream: TcpStream) -> Self {
        stream.set_nodelay(true).unwrap();
        let (us, addr) = (stream.peer_addr().unwrap(), stream.local_addr().unwrap());
        Self { stream, us, addr, bytes: Vec::new(), kept: VecDeque::new() }
    }

    pub(crate) async fn raw(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    /// The next bytes, whatever they are; none at the end.
    pub(crate) async fn bytes(&mut self) -> Vec<u8> {
        let mut buffer = [0; 4_096];
        match timeout(LIMIT, self.stream.read(&mut buffer)).await.expect("nothing in time") {
            Ok(length) => buffer[..length].to_vec(),
            Err(_) => Vec::new(),
        }
    }

    /// Waits until the far end has closed it; what it said before does not matter.
    pub(crate) async fn closed(&mut self) {
        while !self.bytes().await.is_empty() {}
    }

    fn whole(&mut self) -> Option<Message> {
        let empty = self.bytes.iter().take_while(|b| b"\r\n".contains(b)).count();
        self.bytes.drain(..empty);
        let end = self.bytes.windows(4).position(|w| w == b"\r\n\r\n")? + 4;
        let head = Message::parse(&self.bytes[..end], self.us);
        let total = end + head.header("Content-Length").parse::<usize>().expect("a length");
        if self.bytes.len() < total {
            return None;
        }
        let rest = self.bytes.split_off(total);
        let whole = std::mem::replace(&mut self.bytes, rest);
        Some(Message::parse(&whole, self.us))
    }

    async fn read(&mut self) -> Message {
        loop {
            if let Some(message) = self.whole() {
                return message;
            }
            let mut buffer = [0; 4_096];
            let length = self.stream.read(&mut buffer).await.unwrap();
            assert!(length > 0, "closed instead of saying something");
            self.bytes.extend_from_slice(&buffer[..length]);
        }
    }

    pub(crate) async fn expect(&mut self, start: &str) -> Message {
        if let Some(at) = self.kept.iter().position(|m| m.start.starts_with(start)) {
            return self.kept.remove(at).unwrap();
        }
        let wait = async {
            loop {
                let message = self.read().await;
                if message.start.starts_with(start) {
                    return message;
                }
                self.kept.push_back(message);
            }
        };
        match timeout(LIMIT, wait).await {
            Ok(message) => message,
            Err(_) => panic!("no {start} in time"),
        }
    }

    pub(crate) async fn never(&mut self, start: &str, ms: u64) {
        assert!(!self.kept.iter().any(|m| m.start.starts_with(start)), "{start} came");
        let wait = async {
            loop {
                let message = self.read().await;
                assert!(!message.start.starts_with(start), "{start} came");
            }
        };
        assert!(timeout(Duration::from_millis(ms), wait).await.is_err());
    }

    pub(crate) async fn respond(
        &mut self,
        request: &Message,
        status: &str,
        extra: &str,
        body: &str,
    ) {
        self.raw(answer(request, status, "peer", extra, body).as_bytes()).await;
    }

    /// Closes it with a reset, as a crashed peer's kernel does.
    pub(crate) fn reset(self) {
        socket2::SockRef::from(&self.stream).set_linger(Some(Duration::ZERO)).unwrap();
    }
}

/// One call that a peer begins over TCP.
pub(crate) struct Talk {
    pub(crate) contact: String,
    pub(crate) call_id: String,
    pub(crate) their_tag: String,
    pub(crate) cseq: u32,
}

impl Talk {
    pub(crate) fn new(peer: &Stream, call_id: &str) -> Self {
        let contact = format!("<sip:bob@{};transport=tcp>", peer.addr);
        Self { contact, call_id: call_id.into(), their_tag: String::new(), cseq: 1 }
    }

    pub(crate) fn request(&self, peer: &Stream, method: &str, body: &str) -> String {
        let tag = match self.their_tag.as_str() {
            "" => String::new(),
            tag => format!(";tag={tag}"),
        };
        let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
        let (us, addr, cseq) = (peer.us, peer.addr, self.cseq);
        format!(
            "{method} sip:200@{us};transport=tcp SIP/2.0\r\n\
             Via: SIP/2.0/TCP {addr};branch=z9hG4bK{method}{cseq}{}\r\nMax-Forwards: 70\r\n\
             From: <sip:bob@{addr}>;tag=bobtag\r\nTo: <sip:200@{us}>{tag}\r\nCall-ID: {}\r\n\
             CSeq: {cseq} {method}\r\nContact: {}\r\n{kind}Content-Length: {}\r\n\r\n{body}",
            self.call_id,
            self.call_id,
            self.contact,
            body.len(),
        )
    }
}
