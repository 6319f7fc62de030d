//! What an answer needs to a request of which nothing is kept (RFC 3261 section 8.2.7).

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use rsipstack::sip::{HeadersExt as _, Request};

/// Our tag in such an answer: the same for the same request, so that a repetition changes nothing.
pub(crate) fn tag(request: &Request) -> String {
    let mut hasher = DefaultHasher::new();
    let via = request.via_header().map(|via| via.value().to_owned());
    let id = request.call_id_header().map(|id| id.value().to_owned());
    (via.unwrap_or_default(), id.unwrap_or_default()).hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}
