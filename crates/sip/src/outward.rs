//! What leaves names us as its reader can reach us: the Via of our requests and our Contact say
//! the transport (RFC 3261 sections 18.1.1 and 12.1), and outside a one-to-one NAT the address that
//! we have there. And what becomes of a request that could not leave: an
//! answer of our own, so that nobody waits for a timer. Knows messages, no sockets.

use std::borrow::Cow;
use std::net::SocketAddr;

use rsipstack::sip::{
    Header, HeadersExt as _, Method, Param, Request, Response, SipMessage, StatusCode, Transport,
    Version, prelude::ToTypedHeader as _,
};
use undertone_sdp::Told;

/// The names of one endpoint.
#[derive(Clone, Debug)]
pub(crate) struct Face {
    /// As the library writes it into Via and Contact.
    pub(crate) own: SocketAddr,
    /// What it is over TCP.
    pub(crate) tcp: SocketAddr,
    pub(crate) told: Told,
}

impl Face {
    /// `addr` as that far end reaches it.
    fn shown(&self, addr: SocketAddr, peer: SocketAddr) -> SocketAddr {
        SocketAddr::new(self.told.address(addr.ip(), peer.ip()), addr.port())
    }

    /// Whatever our Via may name.
    pub(crate) fn all(&self) -> Vec<String> {
        let outside = |at: SocketAddr| SocketAddr::new(self.told.outside(at.ip()), at.port());
        let all = [self.own, self.tcp, outside(self.own), outside(self.tcp)];
        all.iter().map(SocketAddr::to_string).collect()
    }
}

/// What the library has written for UDP, as that far end is to read it.
pub(crate) fn retell<'a>(bytes: &'a [u8], face: &Face, peer: SocketAddr) -> Cow<'a, [u8]> {
    let shown = face.shown(face.own, peer);
    if shown == face.own {
        return Cow::Borrowed(bytes);
    }
    let end = find(bytes, b"\r\n\r\n").unwrap_or(bytes.len());
    let Ok(head) = std::str::from_utf8(&bytes[..end]) else { return Cow::Borrowed(bytes) };
    let (own, shown) = (face.own.to_string(), shown.to_string());
    let mut top = !head.starts_with("SIP/2.0 ");
    let lines = head.split("\r\n").map(|line| {
        let ours = match line.split_once(':') {
            Some(("Via", _)) => std::mem::take(&mut top),
            Some(("Contact", value)) => named(value, &own).is_some(),
            _ => false,
        };
        if ours { Cow::Owned(line.replacen(&own, &shown, 1)) } else { Cow::Borrowed(line) }
    });
    let mut out = lines.collect::<Vec<_>>().join("\r\n").into_bytes();
    out.extend_from_slice(&bytes[end..]);
    Cow::Owned(out)
}

/// What stands before and after our address in a Contact, if it is ours.
fn named<'a>(contact: &'a str, own: &str) -> Option<(&'a str, &'a str)> {
    let at = contact.find(own)?;
    let (before, after) = (&contact[..at], &contact[at + own.len()..]);
    let ends = after.is_empty() || after.starts_with([';', '>', '?', ',', ' ']);
    (before.ends_with(['@', ':']) && ends).then_some((before, after))
}

/// Makes a message fit to leave over TCP.
pub(crate) fn dress(mut message: SipMessage, face: &Face, peer: SocketAddr) -> Vec<u8> {
    let tcp = face.shown(face.tcp, peer);
    let request = matches!(message, SipMessage::Request(_));
    let headers = match &mut message {
        SipMessage::Request(request) => &mut request.headers,
        SipMessage::Response(response) => &mut response.headers,
    };
    let mut top = true;
    for header in headers.iter_mut() {
        match header {
            Header::Via(via) if request && std::mem::take(&mut top) => {
                // Ours, hence well-formed.
                let _ = via.update_first_value(|via| {
                    let mut typed = via.typed()?;
                    typed.transport = Transport::Tcp;
                    typed.uri.host_with_port = tcp.into();
                    // RFC 5923: requests may come back on this connection; we read them there.
                    let alias =
                        |p: &Param| matches!(p, Param::Other(name, _) if name.value() == "alias");
                    if !typed.params.iter().any(alias) {
                        typed.params.push(Param::Other("alias".into(), None));
                    }
                    Ok(typed.into())
                });
            }
            Header::Contact(contact) => {
                if let Some(value) = over_tcp(contact.value(), face.own, tcp) {
                    contact.replace(value);
                }
            }
            _ => {}
        }
    }
    message.to_bytes()
}

/// A Contact that names our address, with the transport that reaches us by this connection.
fn over_tcp(contact: &str, own: SocketAddr, tcp: SocketAddr) -> Option<String> {
    let (before, after) = named(contact, &own.to_string())?;
    // The library's name for what goes over a connection of ours.
    let after = after.strip_prefix(";transport=SCTP").unwrap_or(after);
    if after.contains("transport=") {
        return None;
    }
    let uri = format!("{before}{tcp};transport=tcp");
    // Outside of angle brackets a parameter would be the header's.
    Some(if before.contains('<') { uri + after } else { format!("<{uri}>{after}") })
}

/// The same for a request that was meant for UDP and is too large for it: bytes in, bytes out.
pub(crate) fn switch(bytes: &[u8], face: &Face, peer: SocketAddr) -> Vec<u8> {
    let bytes = &*retell(bytes, face, peer);
    let udp = format!("SIP/2.0/UDP {}", face.shown(face.own, peer));
    let Some(at) = find(bytes, udp.as_bytes()) else { return bytes.to_vec() };
    let mut out = bytes[..at].to_vec();
    let tcp = face.shown(face.tcp, peer);
    out.extend_from_slice(format!("SIP/2.0/TCP {tcp}").as_bytes());
    out.extend_from_slice(&bytes[at + udp.len()..]);
    out
}

/// The branch of the topmost Via of a request of ours; None for a response.
pub(crate) fn branch(bytes: &[u8]) -> Option<&[u8]> {
    if bytes.starts_with(b"SIP/2.0 ") {
        return None;
    }
    let via = &bytes[find(bytes, b"\r\nVia:")?..];
    let line = &via[2..find(&via[2..], b"\r\n")? + 2];
    let value = &line[find(line, b";branch=")? + 8..];
    let end = value.iter().position(|b| b";, \t".contains(b)).unwrap_or(value.len());
    Some(&value[..end])
}

/// What a transaction is known by on its way out and back.
pub(crate) type SentKey = (String, String);

/// A request that was given to a connection: enough to answer it.
#[derive(Debug)]
pub(crate) struct Sent {
    headers: Vec<Header>,
    in_dialog: bool,
}

impl Sent {
    /// None for what is no transaction of its own (section 17.1.1.3) or shares one (section 9.1).
    pub(crate) fn of(request: &Request) -> Option<(SentKey, Self)> {
        if matches!(request.method, Method::Ack | Method::Cancel) {
            return None;
        }
        let headers: Vec<Header> = request.headers.iter().filter(|h| kept(h)).cloned().collect();
        let key = key(request)?;
        let in_dialog = request.to_header().ok()?.tag().ok().flatten().is_some();
        Some((key, Self { headers, in_dialog }))
    }

    /// Section 8.1.3.1: a transport error is a 503. In a dialog it is as bad as no answer at all
    /// (section 12.2.1.2), and said like that.
    pub(crate) fn lost(self, reason: &str) -> SipMessage {
        let code = if self.in_dialog { 408 } else { 503 };
        let mut headers = self.headers;
        headers.push(Header::ContentLength(0.into()));
        SipMessage::Response(Response {
            status_code: StatusCode::from(code),
            wire_reason: Some(reason.to_owned()),
            version: Version::V2,
            headers: headers.into(),
            body: Vec::new(),
        })
    }
}

fn kept(header: &Header) -> bool {
    matches!(
        header,
        Header::Via(_) | Header::From(_) | Header::To(_) | Header::CallId(_) | Header::CSeq(_)
    )
}

/// Branch and method: of a request of ours, or of the answer to one.
pub(crate) fn key(message: &impl rsipstack::sip::HeadersExt) -> Option<SentKey> {
    let via = message.top_via_header().ok()?.typed().ok()?;
    let branch = via.branch()?.value().to_owned();
    let method = message.cseq_header().ok()?.method().ok()?;
    Some((branch, method.to_string()))
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BYE: &str = "BYE sip:a@192.0.2.9 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;\
        branch=z9hG4bKx;rport\r\nFrom: <sip:u@192.0.2.1:5060>;tag=1\r\nTo: <sip:a@b>;tag=2\r\n\
        Call-ID: x\r\nCSeq: 2 BYE\r\nContact: <sip:u@192.0.2.1:5060>\r\nContent-Length: 0\r\n\r\n";

    fn face() -> Face {
        Face {
            own: "192.0.2.1:5060".parse().unwrap(),
            tcp: "192.0.2.1:5070".parse().unwrap(),
            told: Told::new(&["203.0.113.5".parse().unwrap()], vec!["10.0.0.0/8".parse().unwrap()]),
        }
    }

    fn inside() -> SocketAddr {
        "10.0.0.9:5060".parse().unwrap()
    }

    fn outside() -> SocketAddr {
        "198.51.100.9:5060".parse().unwrap()
    }

    #[test]
    fn who_is_outside_is_told_our_address_there_in_via_and_contact_alone() {
        let told = retell(BYE.as_bytes(), &face(), outside());
        let expected = BYE
            .replace("Via: SIP/2.0/UDP 192.0.2.1", "Via: SIP/2.0/UDP 203.0.113.5")
            .replace("Contact: <sip:u@192.0.2.1", "Contact: <sip:u@203.0.113.5");
        assert_eq!(String::from_utf8(told.into_owned()).unwrap(), expected);
        assert_eq!(&*retell(BYE.as_bytes(), &face(), inside()), BYE.as_bytes());
        let answer = BYE.replace("BYE sip:a@192.0.2.9 SIP/2.0", "SIP/2.0 200 OK");
        let told =
            String::from_utf8_lossy(&retell(answer.as_bytes(), &face(), outside())).into_owned();
        assert!(told.contains("Via: SIP/2.0/UDP 192.0.2.1"), "theirs stays: {told}");
        assert!(told.contains("Contact: <sip:u@203.0.113.5:5060>"), "{told}");
        let tcp = String::from_utf8(dress(message(BYE), &face(), outside())).unwrap();
        assert!(tcp.contains("Via: SIP/2.0/TCP 203.0.113.5:5070;branch"), "{tcp}");
        assert!(tcp.contains("Contact: <sip:u@203.0.113.5:5070;transport=tcp>"), "{tcp}");
        assert!(face().all().contains(&"203.0.113.5:5070".to_owned()));
    }

    fn message(text: &str) -> SipMessage {
        SipMessage::try_from(text.as_bytes()).unwrap()
    }

    #[test]
    fn via_and_contact_of_a_request_name_tcp() {
        let text = String::from_utf8(dress(message(BYE), &face(), inside())).unwrap();
        assert!(text.contains("Via: SIP/2.0/TCP 192.0.2.1:5070;branch=z9hG4bKx;rport;alias\r\n"));
        assert!(text.contains("Contact: <sip:u@192.0.2.1:5070;transport=tcp>\r\n"), "{text}");
        assert!(text.contains("From: <sip:u@192.0.2.1:5060>;tag=1\r\n"), "{text}");
    }

    #[test]
    fn contacts_that_are_not_ours_stay() {
        for other in ["<sip:u@192.0.2.1:50601>", "*", "<sip:u@192.0.2.1:5060;transport=udp>"] {
            assert_eq!(over_tcp(other, face().own, face().tcp), None);
        }
        let marked = over_tcp("<sip:u@192.0.2.1:5060;transport=SCTP>", face().own, face().tcp);
        assert_eq!(marked.as_deref(), Some("<sip:u@192.0.2.1:5070;transport=tcp>"));
        let bare = over_tcp("sip:u@192.0.2.1:5060;expires=5", face().own, face().tcp);
        assert_eq!(bare.as_deref(), Some("<sip:u@192.0.2.1:5070;transport=tcp>;expires=5"));
    }

    #[test]
    fn a_switched_request_differs_by_its_via_alone() {
        let bytes = switch(BYE.as_bytes(), &face(), inside());
        let expected = BYE.replace("UDP 192.0.2.1:5060", "TCP 192.0.2.1:5070");
        assert_eq!(String::from_utf8(bytes).unwrap(), expected);
        assert_eq!(branch(BYE.as_bytes()), Some(&b"z9hG4bKx"[..]));
        assert_eq!(branch(b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP a;branch=b\r\n\r\n"), None);
    }

    #[test]
    fn a_lost_request_is_answered_by_us_under_its_own_key() {
        let SipMessage::Request(bye) = message(BYE) else { panic!() };
        let (key_sent, sent) = Sent::of(&bye).unwrap();
        let SipMessage::Response(lost) = sent.lost("Connection Lost") else { panic!() };
        assert_eq!((lost.status_code.code(), key(&lost)), (408, Some(key_sent)));
        let SipMessage::Request(first) = message(&BYE.replace(";tag=2", "")) else { panic!() };
        let SipMessage::Response(lost) = Sent::of(&first).unwrap().1.lost("x") else { panic!() };
        assert_eq!(lost.status_code.code(), 503);
    }
}
