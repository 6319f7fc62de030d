//! The header fields that name a request and its dialog, read without judging: what is missing is
//! empty. `wire` has refused what lacks one of them.

use rsipstack::sip::{Header, HeadersExt, Request};

use crate::contact;
use crate::wire::ACCEPT;

pub(crate) fn to_tag(request: &Request) -> Option<String> {
    let tag = request.to_header().ok()?.tag().ok()??;
    Some(tag.value().to_owned()).filter(|tag| !tag.is_empty())
}

pub(crate) fn from_tag(request: &Request) -> String {
    let tag = request.from_header().ok().and_then(|from| from.tag().ok().flatten());
    tag.map(|tag| tag.value().to_owned()).unwrap_or_default()
}

pub(crate) fn call_id(message: &impl HeadersExt) -> String {
    message.call_id_header().map(|id| id.value().to_owned()).unwrap_or_default()
}

pub(crate) fn cseq(request: &Request) -> u32 {
    request.cseq_header().and_then(|cseq| cseq.seq()).unwrap_or(0)
}

/// What we can do, as headers: methods and bodies.
pub(crate) fn capabilities(allow: &str) -> Vec<Header> {
    vec![Header::Allow(allow.into()), Header::Accept(ACCEPT.into())]
}

/// Who sent it, and who passed it on: each has left a Via.
pub(crate) fn hops(request: &Request) -> usize {
    let vias = request.headers.iter().filter_map(|header| match header {
        Header::Via(via) => Some(contact::values(via.value()).len()),
        _ => None,
    });
    vias.sum()
}
