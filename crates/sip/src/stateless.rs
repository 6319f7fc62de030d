//! An answer to a request of which nothing is kept (RFC 3261 section 8.2.7): for who asks too
//! often. Written from the request as it was read.

use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use rsipstack::sip::{Header, HeadersExt as _, Request};

/// 503 with Retry-After.
pub(crate) fn busy(request: &Request, server: &str, wait_s: u32) -> Vec<u8> {
    let mut out = String::from("SIP/2.0 503 Service Unavailable\r\n");
    for header in request.headers.iter() {
        match header {
            Header::Via(_) | Header::From(_) | Header::CallId(_) | Header::CSeq(_) => {
                let _ = write!(out, "{}: {}\r\n", header.name(), header.value());
            }
            Header::To(to) => {
                // The same tag for the same request, so that a retransmission changes nothing.
                let mut hasher = DefaultHasher::new();
                let via = request.via_header().map(|via| via.value().to_owned());
                (via.unwrap_or_default(), to.value()).hash(&mut hasher);
                let _ = write!(out, "To: {};tag={:016x}\r\n", to.value(), hasher.finish());
            }
            _ => {}
        }
    }
    let _ = write!(out, "Retry-After: {wait_s}\r\nServer: {server}\r\nContent-Length: 0\r\n\r\n");
    out.into_bytes()
}
