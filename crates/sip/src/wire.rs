//! Reads one message, of a datagram or cut from a stream, and judges it before the library sees
//! it (RFC 3261 sections 7.3, 8.2, 18).
//!
//! Total: whatever the bytes are, the outcome is a message, a refusal to send back, a pong, or
//! nothing. It keeps no state and knows neither transactions nor dialogs. The library is weak
//! here (8 KiB, no Content-Length, bytes that are not UTF-8), hence our own reading.

use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::net::SocketAddr;

use rsipstack::sip::{
    HasHeaders as _, Header, HeadersExt as _, Method, SipMessage, prelude::ToTypedHeader as _,
};

use crate::challenge;
use crate::frame::Fault;
use crate::grammar;
use crate::types::Transport;
use crate::via;

/// The most that UDP can carry.
pub(crate) const DATAGRAM_MAX_BYTES: usize = 65_535;
const HEADERS_MAX_BYTES: usize = 32 * 1024;
const HEADERS_MAX: usize = 256;
/// What we accept; also the Allow header.
pub(crate) const ALLOW: &str =
    "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, PRACK, UPDATE, REFER, NOTIFY";
/// The same before a call is up: UPDATE waits until then (RFC 3311 section 5.1).
pub(crate) const ALLOW_EARLY: &str =
    "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, PRACK, REFER, NOTIFY";
pub(crate) const ACCEPT: &str = "application/sdp, application/dtmf-relay, message/sipfrag";
/// Extensions that a request may require of us.
const SUPPORTED: [&str; 3] = ["100rel", "timer", "replaces"];
/// Methods that the library can parse: the rest gets 501 from us.
const KNOWN: [&str; 14] = [
    "INVITE",
    "ACK",
    "BYE",
    "CANCEL",
    "OPTIONS",
    "INFO",
    "MESSAGE",
    "NOTIFY",
    "PRACK",
    "PUBLISH",
    "REFER",
    "REGISTER",
    "SUBSCRIBE",
    "UPDATE",
];

#[derive(Debug)]
pub(crate) enum Reading {
    Message(Box<SipMessage>),
    /// A request that no dialog should see: these bytes answer it, without state.
    Refuse {
        code: u16,
        bytes: Vec<u8>,
    },
    /// A keep-alive (RFC 5626 section 3.5.1): answered by CRLF.
    Ping,
    Drop(&'static str),
}

/// The lines of a message, unfolded, names in full.
struct Lines<'a> {
    start: &'a str,
    headers: Vec<(&'static str, String)>,
    others: Vec<(&'a str, String)>,
    body: &'a [u8],
}

/// Where a message came from, and by what.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hop {
    pub(crate) source: SocketAddr,
    pub(crate) transport: Transport,
}

/// `ours` are the addresses that our own Via may name.
pub(crate) fn read(bytes: &[u8], hop: &Hop, ours: &[String], server: &str) -> Reading {
    if bytes == b"\r\n\r\n" {
        return Reading::Ping;
    }
    let bytes = bytes.trim_ascii_start();
    if bytes.is_empty() {
        return Reading::Drop("empty");
    }
    let Some(end) = find(bytes, b"\r\n\r\n") else {
        return unfinished(bytes, hop, server);
    };
    if end > HEADERS_MAX_BYTES {
        return Reading::Drop("headers too large");
    }
    // Lossy only to find whom to answer; a message that needed it is refused.
    let text = String::from_utf8_lossy(&bytes[..end]);
    let Some(lines) = split(&text, &bytes[end + 4..]) else {
        return Reading::Drop("too many headers");
    };
    let utf8 = matches!(text, std::borrow::Cow::Borrowed(_));
    if lines.start.starts_with("SIP/") {
        if !utf8 {
            return Reading::Drop("response not UTF-8");
        }
        return read_response(&lines, hop, ours);
    }
    match judge(&lines, utf8) {
        Ok(()) => {}
        Err(Flaw::Silent(why)) => return Reading::Drop(why),
        Err(Flaw::Answer(code, reason, extra)) => {
            return refuse(&lines, hop, server, code, reason, &extra);
        }
    }
    match parse(&lines, hop) {
        Some(message) => Reading::Message(Box::new(message)),
        None => refuse(&lines, hop, server, 400, "Bad Request", ""),
    }
}

/// The answer to a request after which a stream cannot be read on; None for anything else.
pub(crate) fn refuse_fault(fault: &Fault, hop: &Hop, server: &str) -> Option<Vec<u8>> {
    let text = String::from_utf8_lossy(&fault.head);
    let lines = split(text.trim_start().strip_suffix("\r\n\r\n")?, b"")?;
    let answerable = ["Via", "From", "To", "Call-ID", "CSeq"].iter().all(|n| lines.count(n) > 0);
    if !answerable || lines.start.starts_with("SIP/") {
        return None;
    }
    match refuse(&lines, hop, server, fault.code, fault.reason, "") {
        Reading::Refuse { bytes, .. } => Some(bytes),
        _ => None,
    }
}

/// A datagram without the empty line: nothing that could come would end it.
fn unfinished(bytes: &[u8], hop: &Hop, server: &str) -> Reading {
    let dropped = Reading::Drop("no end of headers");
    if bytes.len() > HEADERS_MAX_BYTES {
        return dropped;
    }
    let text = String::from_utf8_lossy(bytes);
    match split(&text, &[]) {
        Some(lines) if grammar::request_line(lines.start).is_some() => {
            refuse(&lines, hop, server, 400, "Bad Request - No Empty Line", "")
        }
        _ => dropped,
    }
}

enum Flaw {
    Silent(&'static str),
    Answer(u16, &'static str, String),
}

fn bad(reason: &'static str) -> Flaw {
    Flaw::Answer(400, reason, String::new())
}

/// RFC 3261 section 8.2, what of it needs no state.
fn judge(lines: &Lines<'_>, utf8: bool) -> Result<(), Flaw> {
    let (method, uri, version) = match grammar::request_line(lines.start) {
        Some(words) => words.map_err(bad)?,
        None => return Err(Flaw::Silent("no request line")),
    };
    // An ACK is never answered (section 17.1.1.3).
    let fault = |fault: Flaw| if method == "ACK" { Flaw::Silent("bad ACK") } else { fault };
    let all = || lines.headers.iter().map(|(_, v)| v).chain(lines.others.iter().map(|(_, v)| v));
    if !utf8 || !all().all(|v| grammar::is_text(v)) {
        return Err(fault(bad("Bad Request - Bytes")));
    }
    if version != "SIP/2.0" {
        return Err(fault(Flaw::Answer(505, "Version Not Supported", String::new())));
    }
    for name in ["From", "To", "Call-ID", "CSeq"] {
        match lines.count(name) {
            0 => return Err(fault(bad("Bad Request - Missing Header"))),
            1 => {}
            _ => return Err(fault(bad("Bad Request - Repeated Header"))),
        }
    }
    if lines.value("From").is_none_or(|from| grammar::parameter(from, "tag").is_none()) {
        return Err(fault(bad("Bad Request - From Tag")));
    }
    let mut cseq = lines.value("CSeq").unwrap_or("").split_ascii_whitespace();
    let number = cseq.next().and_then(|n| n.parse::<u32>().ok()).filter(|n| *n < 1 << 31);
    if number.is_none() || cseq.next() != Some(method) || cseq.next().is_some() {
        return Err(fault(bad("Bad Request - CSeq")));
    }
    if lines.value("Max-Forwards").is_some_and(|v| v.trim().parse::<u8>().is_err()) {
        return Err(fault(bad("Bad Request - Max-Forwards")));
    }
    content_length(lines).map_err(fault)?;
    if !KNOWN.contains(&method) {
        return Err(Flaw::Answer(501, "Not Implemented", format!("Allow: {ALLOW}\r\n")));
    }
    grammar::target(uri).map_err(|why| fault(bad(why)))?;
    for (name, value) in &lines.headers {
        grammar::plain(name, value).map_err(|why| fault(bad(why)))?;
    }
    let scheme = uri.split(':').next().unwrap_or("").to_ascii_lowercase();
    if !["sip", "sips", "tel"].contains(&scheme.as_str()) {
        return Err(fault(Flaw::Answer(416, "Unsupported URI Scheme", String::new())));
    }
    judge_invite(lines, method)
}

/// Extensions and bodies of what opens or changes a call (sections 8.2.2.3 and 8.2.3).
fn judge_invite(lines: &Lines<'_>, method: &str) -> Result<(), Flaw> {
    if method == "ACK" || method == "CANCEL" {
        return Ok(());
    }
    let required = lines.headers.iter().filter(|(name, _)| *name == "Require");
    let options = required.flat_map(|(_, value)| value.split(',')).map(str::trim);
    let known = |option: &&str| SUPPORTED.iter().any(|have| have.eq_ignore_ascii_case(option));
    let unknown: Vec<&str> =
        options.filter(|option| !option.is_empty() && !known(option)).collect();
    if !unknown.is_empty() {
        let unsupported = format!("Unsupported: {}\r\n", unknown.join(", "));
        return Err(Flaw::Answer(420, "Bad Extension", unsupported));
    }
    if method != "INVITE" {
        return Ok(());
    }
    // Who cannot read a description cannot call (RFC 4475 section 3.3.15).
    let accept = lines.others.iter().filter(|(name, _)| name.eq_ignore_ascii_case("Accept"));
    let accept: Vec<String> = accept.map(|(_, value)| value.to_ascii_lowercase()).collect();
    let readable = |kind: &str| ["application/sdp", "application/*", "*/*"].contains(&kind);
    let kinds = || accept.iter().flat_map(|v| v.split(',').map(|k| k.split(';').next()));
    if !accept.is_empty() && !kinds().any(|kind| readable(kind.unwrap_or("").trim())) {
        return Err(Flaw::Answer(406, "Not Acceptable", String::new()));
    }
    if lines.body.is_empty() {
        return Ok(());
    }
    let kind = lines.value("Content-Type").unwrap_or("").split(';').next().unwrap_or("").trim();
    let encoded =
        lines.value("Content-Encoding").is_some_and(|e| !e.trim().eq_ignore_ascii_case("identity"));
    if encoded || !kind.eq_ignore_ascii_case("application/sdp") {
        let accept = "Accept: application/sdp\r\nAccept-Encoding: identity\r\n".to_owned();
        return Err(Flaw::Answer(415, "Unsupported Media Type", accept));
    }
    if std::str::from_utf8(lines.body).is_err() {
        return Err(bad("Bad Request - Body"));
    }
    Ok(())
}

/// What of the datagram is body (section 18.3): all of it where nothing is said, never more than
/// is there.
fn content_length(lines: &Lines<'_>) -> Result<usize, Flaw> {
    let mut said = lines.headers.iter().filter(|(n, _)| *n == "Content-Length").map(|(_, v)| v);
    let Some(first) = said.next() else { return Ok(lines.body.len()) };
    if said.any(|v| v != first) {
        return Err(bad("Bad Request - Content-Length"));
    }
    match first.trim().parse::<usize>() {
        Ok(length) if length <= lines.body.len() => Ok(length),
        _ => Err(bad("Bad Request - Content-Length")),
    }
}

fn read_response(lines: &Lines<'_>, hop: &Hop, ours: &[String]) -> Reading {
    let code = lines.start.split(' ').nth(1).and_then(|c| c.parse::<u16>().ok());
    let Some(code) = code.filter(|c| (100..700).contains(c)) else {
        return Reading::Drop("no status");
    };
    if !lines.start.starts_with("SIP/2.0 ") || content_length(lines).is_err() {
        return Reading::Drop("bad response");
    }
    // We are no proxy: exactly one Via, and it is ours (sections 8.1.3.3 and 18.1.2).
    let via = lines.value("Via").unwrap_or("");
    let named = ours.iter().any(|ours| via.contains(ours.as_str()));
    if lines.count("Via") != 1 || via.contains(',') || !named {
        return Reading::Drop("a response for somebody else");
    }
    if ["From", "To", "Call-ID", "CSeq"].iter().any(|name| lines.count(name) != 1) {
        return Reading::Drop("bad response");
    }
    let Some(SipMessage::Response(mut response)) = parse(lines, hop) else {
        return Reading::Drop("bad response");
    };
    let invite = lines.value("CSeq").is_some_and(|v| v.trim_end().ends_with("INVITE"));
    // The library never acknowledges a 2xx without a Contact.
    if invite && (200..300).contains(&code) && response.contact_header().is_err() {
        response.headers.push(Header::Contact(hop.contact().into()));
    }
    if code == 401 || code == 407 {
        challenge::came_from(&mut response, hop.source);
    }
    Reading::Message(Box::new(SipMessage::Response(response)))
}

/// Hands the library a message that it cannot misread, then checks what it read.
fn parse(lines: &Lines<'_>, hop: &Hop) -> Option<SipMessage> {
    let length = content_length(lines).ok()?;
    let mut out = String::with_capacity(1024);
    match grammar::request_line(lines.start) {
        Some(Ok((method, uri, version))) => {
            let uri = grammar::target(uri).ok()?;
            let _ = write!(out, "{method} {uri} {version}\r\n");
        }
        _ => drop(write!(out, "{}\r\n", lines.start)),
    }
    // The Via of who sent a request to us; a response's is our own.
    let mut top = !lines.start.starts_with("SIP/");
    for (name, value) in &lines.headers {
        if *name == "Content-Length" {
            continue;
        }
        // What a response has in its headers was ours, or is our far end's: read as it is meant.
        let mut value = grammar::plain(name, value).unwrap_or_else(|_| value.clone());
        if *name == "Via" && std::mem::take(&mut top) {
            value = via::received(&value, hop.source);
        }
        if *name == "Contact" {
            let _ = write!(out, "{name}: {}\r\n", escape_once(&value));
        } else {
            let _ = write!(out, "{name}: {value}\r\n");
        }
    }
    for (name, value) in &lines.others {
        let _ = write!(out, "{name}: {value}\r\n");
    }
    let _ = write!(out, "Content-Length: {length}\r\n\r\n");
    let mut bytes = out.into_bytes();
    bytes.extend_from_slice(&lines.body[..length]);
    let mut message = SipMessage::try_from(bytes.as_slice()).ok()?;
    message.from_header().ok()?.clone().typed().ok()?.tag()?;
    message.to_header().ok()?.clone().typed().ok()?;
    message.call_id_header().ok()?;
    message.cseq_header().ok()?.method().ok()?;
    message.top_via_header().ok()?.typed().ok()?;
    message.typed_contact_headers().ok()?;
    if let SipMessage::Request(request) = &mut message
        && request.contact_header().is_err()
        // A REGISTER without one only asks what is bound.
        && request.method != Method::Register
    {
        request.headers_mut().push(Header::Contact(hop.contact().into()));
    }
    if let SipMessage::Request(request) = &message {
        // Who reads the Via finds the source there, and nothing else: whatever the library made of
        // it, it must have made that.
        via::source_of(request).filter(|source| via::same(*source, hop.source))?;
    }
    Some(message)
}

impl Hop {
    /// Where a message that names no Contact can be answered.
    fn contact(&self) -> String {
        match self.transport {
            Transport::Udp => format!("<sip:{}>", self.source),
            Transport::Tcp => format!("<sip:{};transport=tcp>", self.source),
        }
    }
}

impl From<Transport> for rsipstack::sip::Transport {
    fn from(transport: Transport) -> Self {
        match transport {
            Transport::Udp => Self::Udp,
            Transport::Tcp => Self::Tcp,
        }
    }
}

/// The octets that `%` and two digits stand for (section 19.1.2).
pub(crate) fn unescape(user: &str) -> String {
    String::from_utf8_lossy(&octets(user, |_| true)).into_owned()
}

/// The library escapes a user part when it writes one, yet never resolves escapes when it reads:
/// `a%40b` would come back as `a%2540b`. What it will escape again is therefore resolved here.
fn escape_once(value: &str) -> String {
    let kept =
        |byte: u8| !byte.is_ascii_control() && byte.is_ascii() && !b"<>\",;?:".contains(&byte);
    String::from_utf8(octets(value, kept)).unwrap_or_else(|_| value.to_owned())
}

fn octets(text: &str, resolve: impl Fn(u8) -> bool) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let digits = bytes.get(at + 1..at + 3).and_then(|pair| std::str::from_utf8(pair).ok());
        let octet = digits
            .filter(|pair| *byte == b'%' && pair.bytes().all(|b| b.is_ascii_hexdigit()))
            .and_then(|pair| u8::from_str_radix(pair, 16).ok())
            .filter(|octet| resolve(*octet));
        out.push(octet.unwrap_or(*byte));
        at += if octet.is_some() { 3 } else { 1 };
    }
    out
}

fn refuse(
    lines: &Lines<'_>,
    hop: &Hop,
    server: &str,
    code: u16,
    reason: &str,
    extra: &str,
) -> Reading {
    if lines.start.starts_with("ACK ") {
        return Reading::Drop("bad ACK");
    }
    let Some(via) = lines.value("Via") else { return Reading::Drop("no Via") };
    let mut out = format!("SIP/2.0 {code} {reason}\r\n");
    let mut first = true;
    for (name, value) in &lines.headers {
        match *name {
            "Via" if std::mem::take(&mut first) => {
                let _ = write!(out, "Via: {}\r\n", via::received(value, hop.source));
            }
            "Via" | "From" | "Call-ID" | "CSeq" => {
                let _ = write!(out, "{name}: {value}\r\n");
            }
            "To" if value.to_ascii_lowercase().contains("tag=") => {
                let _ = write!(out, "To: {value}\r\n");
            }
            "To" => {
                // Without state, yet equal for a retransmission (section 8.2.7).
                let mut hasher = DefaultHasher::new();
                (via, lines.value("Call-ID")).hash(&mut hasher);
                let _ = write!(out, "To: {value};tag={:016x}\r\n", hasher.finish());
            }
            _ => {}
        }
    }
    let _ = write!(out, "{extra}Server: {server}\r\nContent-Length: 0\r\n\r\n");
    Reading::Refuse { code, bytes: out.into_bytes() }
}

fn split<'a>(text: &'a str, body: &'a [u8]) -> Option<Lines<'a>> {
    let mut raw = text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
    let start = raw.next()?;
    let mut lines = Lines { start, headers: Vec::new(), others: Vec::new(), body };
    // Which of the two lists the last header went to: a folded line continues it (section 7.3.1).
    let mut last_known = None;
    for line in raw {
        if line.starts_with([' ', '\t']) {
            let value = match last_known {
                Some(true) => lines.headers.last_mut().map(|(_, v)| v),
                Some(false) => lines.others.last_mut().map(|(_, v)| v),
                None => None,
            };
            if let Some(value) = value {
                value.push(' ');
                value.push_str(line.trim());
            }
            continue;
        }
        let Some((name, value)) = line.split_once(':') else { continue };
        if lines.headers.len() + lines.others.len() >= HEADERS_MAX {
            return None;
        }
        let (name, value) = (name.trim(), value.trim().to_owned());
        if let Some(full) = full_name(name) {
            lines.headers.push((full, value));
            last_known = Some(true);
        } else {
            lines.others.push((name, value));
            last_known = Some(false);
        }
    }
    Some(lines)
}

/// Header names without their compact forms (section 7.3.3) and odd cases.
fn full_name(name: &str) -> Option<&'static str> {
    const NAMES: [(&str, &str); 16] = [
        ("Via", "v"),
        ("From", "f"),
        ("To", "t"),
        ("Call-ID", "i"),
        ("CSeq", ""),
        ("Contact", "m"),
        ("Content-Length", "l"),
        ("Content-Type", "c"),
        ("Content-Encoding", "e"),
        ("Max-Forwards", ""),
        ("Record-Route", ""),
        ("Route", ""),
        ("Require", ""),
        ("Supported", "k"),
        ("Subject", "s"),
        ("Refer-To", "r"),
    ];
    NAMES
        .iter()
        .find(|(full, compact)| {
            full.eq_ignore_ascii_case(name)
                || (!compact.is_empty() && compact.eq_ignore_ascii_case(name))
        })
        .map(|(full, _)| *full)
}

impl Lines<'_> {
    fn value(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(have, _)| *have == name).map(|(_, value)| value.as_str())
    }

    fn count(&self, name: &str) -> usize {
        self.headers.iter().filter(|(have, _)| *have == name).count()
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
#[path = "wire_test.rs"]
mod tests;
