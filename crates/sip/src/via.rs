//! Where a request came from, written into its top Via and read from there again (RFC 3261 section
//! 18.2.1, RFC 3581). The Via is what the library answers to, and what the door, the registrar and
//! the guesses believe; so nothing that the sender wrote there of its source stays.
//!
//! It knows one header at a time, and no message around it.

use std::net::SocketAddr;

use rsipstack::sip::{HeadersExt as _, Request};
use rsipstack::transport::{SipAddr, SipConnection};

use crate::grammar;

/// The first of the header's values with `received` and `rport` of ours in place of any others.
/// They are written whether or not `rport` was asked for, and also where sent-by is the source: an
/// absent one would leave room for the sender's.
pub(crate) fn received(via: &str, source: SocketAddr) -> String {
    let end = grammar::outside_quotes(via, |b| b == b',').unwrap_or(via.len());
    let (mut left, rest) = via.split_at(end);
    let mut out = String::with_capacity(via.len() + 48);
    loop {
        let end = grammar::outside_quotes(left, |b| b == b';').unwrap_or(left.len());
        let name = left[..end].split('=').next().unwrap_or("").trim();
        if !name.eq_ignore_ascii_case("received") && !name.eq_ignore_ascii_case("rport") {
            out.push_str(if out.is_empty() { "" } else { ";" });
            out.push_str(&left[..end]);
        }
        let Some(next) = left.get(end + 1..) else { break };
        left = next;
    }
    format!("{out};received={};rport={}{rest}", source.ip(), source.port())
}

/// Where a request came from, as our own reading wrote it into the Via.
pub(crate) fn source_of(request: &Request) -> Option<SocketAddr> {
    let (transport, addr) =
        SipConnection::parse_target_from_via(request.via_header().ok()?).ok()?;
    SipAddr::new(transport, addr).get_socketaddr().ok()
}

/// Of what a Via can say: no zone of an IPv6 address.
pub(crate) fn same(a: SocketAddr, b: SocketAddr) -> bool {
    (a.ip(), a.port()) == (b.ip(), b.port())
}

#[cfg(test)]
mod tests {
    use super::received;

    #[test]
    fn what_the_sender_says_of_his_source_is_gone_wherever_he_wrote_it() {
        let cases = [
            ("h:1;branch=b", "h:1;branch=b"),
            ("h:1;received=9.9.9.9;branch=b", "h:1;branch=b"),
            ("h:1;branch=b; RECEIVED = 9.9.9.9 ;rport=7;Rport", "h:1;branch=b"),
            ("h:1;x=\"a,b\";received=9.9.9.9", "h:1;x=\"a,b\""),
            ("h:1;x=\"a;received=9.9.9.9;b\"", "h:1;x=\"a;received=9.9.9.9;b\""),
        ];
        let source = ([192, 0, 2, 1], 5060).into();
        for (via, kept) in cases {
            for rest in ["", ", SIP/2.0/UDP i;received=8.8.8.8"] {
                let ours = format!("{kept};received=192.0.2.1;rport=5060{rest}");
                assert_eq!(received(&format!("{via}{rest}"), source), ours);
            }
        }
    }
}
