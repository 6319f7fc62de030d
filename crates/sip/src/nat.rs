//! Phones behind a NAT that do not know of it name a Contact that leads nowhere from here. A dialog
//! with one is kept to where the phone's messages come from: its Contact is written anew as a
//! message comes in, so that everything of ours in the dialog goes there, the ACK too, which is the
//! library's.
//!
//! A Contact that may be meant is left alone: who leads requests in a dialog elsewhere (RFC 3261
//! section 12.1) may. Proxies on the way settle it by Record-Route, and connections by being there.

use std::net::{IpAddr, SocketAddr};

use rsipstack::sip::prelude::ToTypedHeader as _;
use rsipstack::sip::{Header, HeadersExt as _, Method, Request, Response, SipMessage};

use crate::dialogs::Dialogs;
use crate::fields::{call_id, hops};
use crate::via;

/// A datagram that may set the target of a dialog, from there.
pub(crate) fn straighten(message: &mut SipMessage, source: SocketAddr, dialogs: &Dialogs) {
    let inside = match message {
        SipMessage::Request(request) if sets_target(request) => inside_of(request),
        SipMessage::Response(response) if is_of_target(response) => {
            let tag = response.from_header().ok().and_then(|from| from.tag().ok().flatten());
            tag.and_then(|tag| dialogs.inside(&(call_id(response), tag.value().to_owned())))
        }
        _ => return,
    };
    let headers = match message {
        SipMessage::Request(request) => &mut request.headers,
        SipMessage::Response(response) => &mut response.headers,
    };
    let mut contacts = headers.iter_mut().filter_map(|header| match header {
        Header::Contact(contact) => Some(contact),
        _ => None,
    });
    let (Some(contact), None) = (contacts.next(), contacts.next()) else { return };
    let there = |ip: IpAddr| ip != source.ip() && (Some(ip) == inside || leads_nowhere(ip, source));
    if let Some(moved) = moved(contact.value(), source, there) {
        *contact = moved.into();
    }
}

/// What the sender of a request believes its own address to be, as it wrote it into its Via, if
/// the request came straight from it and yet from elsewhere.
pub(crate) fn inside_of(request: &Request) -> Option<IpAddr> {
    let via = request.via_header().ok().filter(|_| hops(request) == 1)?.typed().ok()?;
    let source = via::source_of(request)?;
    IpAddr::try_from(via.uri.host_with_port.host).ok().filter(|own| *own != source.ip())
}

/// With several hops and no Record-Route, the proxies have left: its Contact is meant.
fn sets_target(request: &Request) -> bool {
    let kind = matches!(request.method, Method::Invite | Method::Update);
    kind && hops(request) == 1 && !has_route(&request.headers)
}

/// Of an answer to an INVITE or UPDATE of ours.
fn is_of_target(response: &Response) -> bool {
    let method = response.cseq_header().ok().and_then(|cseq| cseq.method().ok());
    (101..300).contains(&response.status_code.code())
        && matches!(method, Some(Method::Invite | Method::Update))
        && !has_route(&response.headers)
}

fn has_route(headers: &rsipstack::sip::Headers) -> bool {
    headers.iter().any(|header| matches!(header, Header::RecordRoute(_)))
}

/// An address that means another host here than where it was written.
fn leads_nowhere(ip: IpAddr, source: SocketAddr) -> bool {
    let real = source.ip();
    ip.is_unspecified()
        || (ip.is_loopback() && !real.is_loopback())
        || (is_private(ip) && !is_private(real))
}

/// RFC 1918, RFC 6598, RFC 4193, link-local.
fn is_private(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => {
            let shared = ip.octets()[0] == 100 && ip.octets()[1] & 0xc0 == 64;
            ip.is_private() || ip.is_link_local() || shared
        }
        IpAddr::V6(ip) => ip.is_unique_local() || ip.is_unicast_link_local(),
    }
}

/// The same Contact with another host and port, if its own is one that `from` names and nothing
/// but UDP is asked for.
fn moved(contact: &str, to: SocketAddr, from: impl Fn(IpAddr) -> bool) -> Option<String> {
    let (before, rest) = contact.split_once('<')?;
    let (uri, after) = rest.split_once('>')?;
    let host_at = uri.rfind('@').or_else(|| uri.find(':'))? + 1;
    let host_end = uri[host_at..].find([';', '?']).map_or(uri.len(), |at| host_at + at);
    let parameters = uri[host_end..].to_ascii_lowercase();
    let transport = parameters.split(';').find_map(|one| one.strip_prefix("transport="));
    if transport.is_some_and(|transport| transport != "udp") {
        return None;
    }
    let host = &uri[host_at..host_end];
    let ip = match host.strip_prefix('[') {
        Some(v6) => v6.split(']').next()?,
        None => host.split(':').next()?,
    };
    if !from(ip.parse().ok()?) {
        return None;
    }
    // Without the zone of a link-local address, which no URI can hold.
    let to = SocketAddr::new(to.ip(), to.port());
    Some(format!("{before}<{}{to}{}>{after}", &uri[..host_at], &uri[host_end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_contact_is_moved_with_all_that_it_says_else() {
        let to = SocketAddr::from(([192, 0, 2, 9], 40_001));
        let v6 = SocketAddr::new(IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, 9]), 7);
        for (contact, to, expected) in [
            ("<sip:10.0.0.5>", to, Some("<sip:192.0.2.9:40001>")),
            ("<sip:b@10.0.0.5:5060;ob>;q=1", to, Some("<sip:b@192.0.2.9:40001;ob>;q=1")),
            (
                "<sip:a@b@10.0.0.5;transport=UDP>",
                to,
                Some("<sip:a@b@192.0.2.9:40001;transport=UDP>"),
            ),
            ("<sip:b@[fd00::1]:5060>", v6, Some("<sip:b@[2001:db8::9]:7>")),
            ("<sip:b@10.0.0.5;transport=tcp>", to, None),
            ("<sip:b@phone.example>", to, None),
            ("*", to, None),
        ] {
            assert_eq!(moved(contact, to, |_| true).as_deref(), expected, "{contact}");
        }
        assert_eq!(moved("<sip:b@192.0.2.1>", to, |_| false), None);
    }

    #[test]
    fn a_private_address_leads_nowhere_from_a_public_one_only() {
        let from = |text: &str| SocketAddr::new(text.parse().unwrap_or(IpAddr::from([0; 4])), 1);
        let ip = |text: &str| from(text).ip();
        for (contact, source, nowhere) in [
            ("192.168.1.5", "192.0.2.9", true),
            ("100.64.0.1", "192.0.2.9", true),
            ("fd00::1", "2001:db8::9", true),
            ("127.0.0.1", "192.168.1.5", true),
            ("127.0.0.2", "127.0.0.1", false),
            ("192.168.1.5", "10.0.0.1", false),
            ("192.0.2.8", "192.0.2.9", false),
        ] {
            assert_eq!(leads_nowhere(ip(contact), from(source)), nowhere, "{contact} {source}");
        }
    }
}
