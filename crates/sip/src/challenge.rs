//! The one place that answers a far end's challenge to a request of ours (RFC 3261 section 22.2).
//! Both the INVITE that begins a call (`inviting`) and every request in a dialog (`far`) ask here.

use rsipstack::sip::{Header, Request, Response};

use crate::types::Credentials;

/// What to add to the same request, sent once more under the next CSeq; None makes the challenge
/// its final answer. `tries` counts the answers to challenges that were sent before.
pub(crate) fn again(
    _sent: &Request,
    _challenge: &Response,
    _with: Option<&Credentials>,
    _tries: u8,
) -> Option<Header> {
    None
}
