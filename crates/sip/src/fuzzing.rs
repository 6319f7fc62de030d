//! Doors for the fuzz targets to what reads a network's bytes; nothing else uses them. Each reads
//! whatever it is given to an end, and asserts what must hold of what it made of it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use rsipstack::sip::{Header, HeadersExt as _, Method, Request, SipMessage};

use crate::digest::{Challenge, Shown, challenges, count};
use crate::door::{Door, Verdict};
use crate::frame::{self, Fault, Frame, Framer};
use crate::gate::{Access, Account, Asked, DoorConfig, Gate, Offer, RegistrarConfig};
use crate::registering::{self, Came};
use crate::registrar::{KeepNothing, Registrar};
use crate::types::{ReferToken, SipConfig, Transport};
use crate::wire::{self, Hop, Reading};
use crate::{contact, grammar, identity, refer, replaces, session_timer};

const OURS: &str = "192.0.2.1:5060";
const REALM: &str = "undertone";
/// Stands for a nonce that we gave, which no fuzzer can make.
const NONCE: &str = "NONCE";

fn hop(transport: Transport) -> Hop {
    Hop { source: SocketAddr::from(([192, 0, 2, 7], 5_070)), transport }
}

fn read(bytes: &[u8], transport: Transport) -> Reading {
    wire::read(bytes, &hop(transport), &[OURS.to_owned()], "fuzz")
}

/// A datagram. A refusal is a message of its own, and not much longer than what it refuses; what
/// is taken is one message however often it is written.
pub fn message(bytes: &[u8]) {
    match read(bytes, Transport::Udp) {
        Reading::Refuse { code, bytes: answer } => {
            assert!((400..700).contains(&code));
            is_answer(&answer);
            // Bytes that are no UTF-8 grow to three.
            assert!(answer.len() <= bytes.len() * 3 + 600, "{} bytes", answer.len());
        }
        Reading::Message(message) => {
            let written = message.to_string();
            let again = read(written.as_bytes(), Transport::Udp);
            let Reading::Message(again) = again else { panic!("{again:?} of {written:?}") };
            assert_eq!(said(&again), said(&message), "{written:?}");
            // The library writes a body by way of text; what is none is sent on by nobody here.
            let text = std::str::from_utf8(body(&message)).is_ok();
            assert!(!text || body(&again) == body(&message), "{written:?}");
            if let SipMessage::Request(request) = *message {
                headers(&request);
            }
        }
        Reading::Ping | Reading::Drop(_) => {}
    }
}

fn is_answer(bytes: &[u8]) {
    assert!(bytes.starts_with(b"SIP/2.0 ") && bytes.ends_with(b"\r\n\r\n"));
    let ends = bytes.windows(4).filter(|window| window == b"\r\n\r\n").count();
    assert_eq!(ends, 1, "more than one message: {:?}", String::from_utf8_lossy(bytes));
}

/// What must be the same in a message and in the same written again.
fn said(message: &SipMessage) -> (String, String, Option<u32>) {
    let start = match message {
        SipMessage::Request(request) => request.method.to_string(),
        SipMessage::Response(response) => response.status_code.to_string(),
    };
    let id = message.call_id_header().map(|id| id.value().to_owned()).unwrap_or_default();
    (start, id, message.cseq_header().ok().and_then(|cseq| cseq.seq().ok()))
}

fn body(message: &SipMessage) -> &[u8] {
    match message {
        SipMessage::Request(request) => &request.body,
        SipMessage::Response(response) => &response.body,
    }
}

/// Every header of a request that we read by ourselves.
fn headers(request: &Request) {
    let found = identity::read(request);
    for header in identity::write(&found) {
        assert!(!header.to_string().contains(['\r', '\n']), "{header:?}");
    }
    let _ = refer::read(request, ReferToken(1));
    let _ = refer::notified(request);
    let config = SipConfig::new(hop(Transport::Udp).source);
    match session_timer::grant(&config, request, None) {
        Ok(Some(agreed)) => assert!(agreed.interval_s >= config.min_se_s, "{agreed:?}"),
        Ok(None) => {}
        Err(least) => assert_eq!(least, config.min_se_s),
    }
    if request.method == Method::Register {
        registers(request);
    }
}

/// What is bound can be told back, and is read as it was told.
fn registers(request: &Request) {
    let config = RegistrarConfig::new(Arc::new(KeepNothing), Vec::new());
    let most = config.contacts_max;
    let registrar = Registrar::new(config, 0);
    let came = Came { source: hop(Transport::Udp).source, transport: Transport::Udp, flow: None };
    let (code, answer) = registering::answer(&registrar, request, "ana", came, 0);
    assert!([200, 400, 423, 500].contains(&code), "{code}");
    let told = answer.iter().filter_map(|header| match header {
        Header::Contact(contact) => Some(contact.value().to_owned()),
        _ => None,
    });
    let told: Vec<String> = told.collect();
    assert!(told.len() <= most && (code == 200 || told.is_empty()), "{told:?}");
    let read = contact::read_all(&told);
    let read = read.flatten().unwrap_or_else(|| panic!("told what cannot be read: {told:?}"));
    assert_eq!(read.len(), told.len(), "{told:?}");
}

/// A stream: the same comes out of it in one piece and in many (the first byte says how long they
/// are), and what comes out is as long as what went in, at most.
pub fn stream(bytes: &[u8]) {
    let Some((size, bytes)) = bytes.split_first() else { return };
    let (frames, fault) = frames(bytes, bytes.len().max(1));
    let (pieces, other) = self::frames(bytes, usize::from(*size).max(1));
    assert_eq!((&pieces, other.is_some()), (&frames, fault.is_some()));
    let mut total = 0;
    for frame in frames {
        match frame {
            Frame::Ping => total += 4,
            Frame::Message(message) => {
                assert!(message.len() <= frame::MESSAGE_MAX_BYTES, "{} bytes", message.len());
                total += message.len();
                if let Reading::Refuse { bytes, .. } = read(&message, Transport::Tcp) {
                    is_answer(&bytes);
                }
            }
        }
    }
    assert!(total <= bytes.len(), "{total} bytes of {}", bytes.len());
    let answer = fault.and_then(|fault| wire::refuse_fault(&fault, &hop(Transport::Tcp), "fuzz"));
    if let Some(answer) = answer {
        is_answer(&answer);
    }
}

fn frames(bytes: &[u8], size: usize) -> (Vec<Frame>, Option<Fault>) {
    let (mut framer, mut frames) = (Framer::default(), Vec::new());
    for piece in bytes.chunks(size) {
        framer.push(piece);
        loop {
            match framer.next() {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => break,
                Err(fault) => return (frames, Some(fault)),
            }
        }
    }
    (frames, None)
}

/// One line. What is plain stays as it is.
pub fn address(line: &str) {
    if line.contains(['\r', '\n']) {
        return;
    }
    let _ = grammar::request_line(line);
    let _ = grammar::parameter(line, "tag");
    grammar::is_text(line);
    for name in ["Via", "From", "Contact", "CSeq"] {
        if let Ok(once) = grammar::plain(name, line) {
            assert_eq!(grammar::plain(name, &once).as_ref(), Ok(&once), "{name}: {line:?}");
        }
    }
    if let Ok(once) = grammar::target(line) {
        assert_eq!(grammar::target(&once).as_ref(), Ok(&once), "{line:?}");
    }
}

/// A Contact of a REGISTER; Refer-To and Replaces: what was read, written and read again is the
/// same.
pub fn named(line: &str) {
    for given in contact::read_all(&[line.to_owned()]).flatten().into_iter().flatten() {
        assert!(given.q_thousandths <= 1_000 && contact::same(&given.uri, &given.uri));
        let _ = contact::address(&given.uri);
        let bare = contact::read_all(&[format!("<{}>", given.uri)]).flatten();
        let bare = bare.unwrap_or_else(|| panic!("{:?} cannot be read again", given.uri));
        assert_eq!((bare.len(), &bare[0].uri), (1, &given.uri));
    }
    if let Some(found) = replaces::parse(line) {
        assert_eq!(replaces::parse(&replaces::write(&found)).as_ref(), Some(&found), "{line:?}");
    }
    if let Some(found) = replaces::parse_refer_to(line) {
        let written = replaces::write_refer_to(&found.uri, found.replaces.as_ref());
        assert_eq!(replaces::parse_refer_to(&written), Some(found), "{written:?}");
    }
}

/// A value of WWW-Authenticate, Authorization or their like.
pub fn digest(value: &str) {
    for found in challenges(value) {
        let known = Challenge { opaque: None, qop: vec!["auth".into()], ..found };
        if known.algorithm.is_some() {
            assert_eq!(challenges(&known.write()), [known], "{value:?}");
        }
    }
    if let Some(mut shown) = Shown::read(value)
        && shown.covers(b"").is_some()
    {
        if shown.qop.is_none() {
            // Of RFC 2069's form neither is a part, and neither is written.
            (shown.nc, shown.cnonce) = (None, None);
        }
        assert_eq!(Shown::read(&shown.write()), Some(shown), "{value:?}");
    }
    let digits = value.len() == 8 && value.chars().all(|c| c.is_ascii_hexdigit());
    assert_eq!(count(value).is_some(), digits && value != "00000000", "{value:?}");
}

/// An account whose password nobody knows.
struct Locked(Arc<Account>);

impl Gate for Locked {
    fn judge(&self, _: &Asked) -> Access {
        Access::Challenge
    }

    fn account(&self, user: &str) -> Option<Arc<Account>> {
        (user == self.0.user).then(|| self.0.clone())
    }
}

/// Whatever somebody shows who does not know the password, it does not open the door.
pub fn door(shown: &str) {
    // Each from a place of its own: one who guessed ten times would not be looked at any more.
    static PLACES: AtomicU32 = AtomicU32::new(0);
    thread_local! {
        static DOOR: Door = {
            let (ha1_md5, ha1_sha256) = (Some("0".repeat(32)), Some("0".repeat(64)));
            let user = "ana".to_owned();
            let ana = Account { user, ha1_md5, ha1_sha256, offer: Offer::Both, names: Vec::new() };
            Door::new(DoorConfig::new(Arc::new(Locked(Arc::new(ana))), REALM))
        };
    }
    let from = SocketAddr::from((PLACES.fetch_add(1, Ordering::Relaxed).to_be_bytes(), 5_060));
    DOOR.with(|door| {
        let asked = door.judge(&invite(""), from, false);
        let Verdict::Answer(401, headers) = asked else { panic!("not asked: {asked:?}") };
        let given = headers.iter().flat_map(|header| challenges(header.value())).next();
        let nonce = given.map(|challenge| challenge.nonce).unwrap_or_default();
        let header = shown.replace(NONCE, &nonce).replace(['\r', '\n'], " ");
        let verdict = door.judge(&invite(&header), from, false);
        let refused = matches!(verdict, Verdict::Answer(401 | 403 | 503, _));
        assert!(refused, "{verdict:?} for {header:?}");
    });
}

fn invite(authorization: &str) -> Request {
    let text = "INVITE sip:200@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.7;branch=z9hG4bKx\r\n\
                From: <sip:ana@x>;tag=a\r\nTo: <sip:200@x>\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\n\
                Content-Length: 0\r\n\r\n";
    let Ok(SipMessage::Request(mut request)) = SipMessage::try_from(text.as_bytes()) else {
        panic!("our own request cannot be read")
    };
    if !authorization.is_empty() {
        request.headers.push(Header::Authorization(authorization.to_owned().into()));
    }
    request
}
