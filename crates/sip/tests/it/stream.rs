//! A scripted peer on a TCP connection: what it writes is what the test says, byte by byte if it
//! likes.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use crate::peer::{Kept, Message, answer};
use crate::support::LIMIT;

pub(crate) struct Stream {
    pub(crate) stream: TcpStream,
    pub(crate) us: SocketAddr,
    pub(crate) addr: SocketAddr,
    bytes: Vec<u8>,
    kept: Kept,
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
        Self { stream, us, addr, bytes: Vec::new(), kept: Kept::default() }
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

    pub(crate) async fn expect(&mut self, start: &str) -> Message {
        let Self { stream, bytes, us, kept, .. } = self;
        kept.expect(start, async || read(stream, bytes, *us).await).await
    }

    pub(crate) async fn never(&mut self, start: &str, ms: u64) {
        let Self { stream, bytes, us, kept, .. } = self;
        kept.never(start, ms, async || read(stream, bytes, *us).await).await;
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

/// The message at the front, once it is there to its end.
fn whole(bytes: &mut Vec<u8>, us: SocketAddr) -> Option<Message> {
    let empty = bytes.iter().take_while(|b| b"\r\n".contains(b)).count();
    bytes.drain(..empty);
    let end = bytes.windows(4).position(|w| w == b"\r\n\r\n")? + 4;
    let head = Message::parse(&bytes[..end], us);
    let total = end + head.header("Content-Length").parse::<usize>().expect("a length");
    if bytes.len() < total {
        return None;
    }
    let rest = bytes.split_off(total);
    Some(Message::parse(&std::mem::replace(bytes, rest), us))
}

async fn read(stream: &mut TcpStream, bytes: &mut Vec<u8>, us: SocketAddr) -> Message {
    loop {
        if let Some(message) = whole(bytes, us) {
            return message;
        }
        let mut buffer = [0; 4_096];
        let length = stream.read(&mut buffer).await.unwrap();
        assert!(length > 0, "closed instead of saying something");
        bytes.extend_from_slice(&buffer[..length]);
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
