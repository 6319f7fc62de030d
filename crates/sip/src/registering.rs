//! A REGISTER that passed the door, read and answered (RFC 3261 section 10.3). What it changes is
//! `registrar`'s.

use std::net::SocketAddr;

use rsipstack::sip::{Header, HeadersExt as _, Request};

use crate::contact::{seconds, values};
use crate::fields::{call_id, cseq};
use crate::registrar::{Binding, Registrar, Unchanged, Wanted};
use crate::types::{FlowId, Transport};

/// Proxies that a phone may be behind.
const PATH_MAX: usize = 8;

/// How a request came.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Came {
    pub(crate) source: SocketAddr,
    pub(crate) transport: Transport,
    pub(crate) flow: Option<FlowId>,
}

/// The answer, and what stands in it.
pub(crate) fn answer(
    registrar: &Registrar,
    request: &Request,
    account: &str,
    came: Came,
    now_ms: u64,
) -> (u16, Vec<Header>) {
    let path: Vec<String> = request
        .headers
        .iter()
        .filter_map(|h| if let Header::Path(path) = h { Some(path.value()) } else { None })
        .flat_map(values)
        .map(str::to_owned)
        .collect();
    if path.len() > PATH_MAX {
        return (400, Vec::new());
    }
    let wanted = Wanted {
        call_id: call_id(request),
        cseq: cseq(request),
        contacts: request.contact_headers().iter().map(|h| h.value().to_owned()).collect(),
        expires: expires(request),
        path,
        source: came.source,
        transport: came.transport,
        flow: came.flow,
    };
    match registrar.register(account, &wanted, now_ms) {
        Ok(bindings) => {
            let mut headers: Vec<Header> = bindings.iter().map(|b| told(b, now_ms)).collect();
            if supports_path(request) {
                headers.extend(wanted.path.into_iter().map(|path| Header::Path(path.into())));
            }
            (200, headers)
        }
        Err(Unchanged::TooBrief(least)) => {
            (423, vec![Header::MinExpires(least.to_string().into())])
        }
        Err(Unchanged::OutOfOrder) => (500, Vec::new()),
        Err(Unchanged::Malformed) => (400, Vec::new()),
    }
}

fn expires(request: &Request) -> Option<u32> {
    request.headers.iter().find_map(|header| match header {
        Header::Expires(expires) => seconds(expires.value()),
        _ => None,
    })
}

/// Who does not know Path is not told of it (RFC 3327 section 5.3).
fn supports_path(request: &Request) -> bool {
    request.headers.iter().any(|header| match header {
        Header::Supported(list) => {
            list.value().split(',').any(|tag| tag.trim().eq_ignore_ascii_case("path"))
        }
        _ => false,
    })
}

fn told(binding: &Binding, now_ms: u64) -> Header {
    let left_s = binding.expires_at_ms.saturating_sub(now_ms).div_ceil(1_000);
    let mut value = format!("<{}>;expires={left_s}", binding.contact);
    if binding.q_thousandths < 1_000 {
        value += &format!(";q=0.{:03}", binding.q_thousandths);
    }
    if !binding.instance.is_empty() {
        value += &format!(";{}", binding.instance);
    }
    Header::Contact(value.into())
}
