//! REFER within a dialog, both ways (RFC 3515): what the far end asks, and the NOTIFYs that tell
//! it what became of that, in order, each after the answer to the one before.
//!
//! ```text
//!   REFER -> Refer event -> accept_refer -> 202, NOTIFY 100 -> notify_refer* -> last: terminated
//!                        -> refuse_refer -> 300-699
//! ```
//!
//! What a transfer means is not known here.

use std::sync::Arc;
use std::time::Duration;

use rsipstack::sip::{Header, HeadersExt as _, Method, Request, StatusCode};
use tokio::sync::mpsc;

use crate::far::{Body, Far};
use crate::replaces::{ReferTo, parse_refer_to};
use crate::types::{DialogEvent, ReferToken};

/// News that waits for the far end to answer the one before.
pub(crate) const NOTICES_MAX: usize = 16;
/// A subscription without a last word ends after this (RFC 3515 section 2.4.7: chosen by us).
const SUBSCRIPTION: Duration = Duration::from_secs(300);

#[derive(Debug)]
pub(crate) struct Notice {
    pub(crate) code: u16,
    pub(crate) last: bool,
}

/// The event of a REFER, or the code that refuses it.
pub(crate) fn read(request: &Request, token: ReferToken) -> Result<DialogEvent, u16> {
    let values = |name: &str| {
        let of_name = request.headers.iter().filter(|h| h.name().eq_ignore_ascii_case(name));
        of_name.map(|h| h.value().to_owned()).collect::<Vec<_>>()
    };
    // Exactly one (section 2.4.2).
    let [value] = values("Refer-To").try_into().map_err(|_| 400_u16)?;
    let ReferTo { uri: to, replaces } = parse_refer_to(&value).ok_or(400_u16)?;
    let referred_by = values("Referred-By").into_iter().next();
    Ok(DialogEvent::Refer { token, to, replaces, referred_by })
}

/// Tells the far end until the last word. The id is there from the second REFER of a dialog on
/// (section 2.4.6).
pub(crate) async fn notify(far: Arc<Far>, id: Option<u32>, mut told: mpsc::Receiver<Notice>) {
    let mut next = Notice { code: 100, last: false };
    let end = tokio::time::Instant::now() + SUBSCRIPTION;
    loop {
        let left = end.saturating_duration_since(tokio::time::Instant::now());
        let (headers, body) = notice(id, &next, left);
        match far.ask(Method::Notify, headers, body).await {
            // It has forgotten the REFER, or is gone.
            Ok(response) if response.status_code.code() == 481 => return,
            Err(error) => return tracing::debug!(%error, "a NOTIFY failed"),
            Ok(_) => {}
        }
        if next.last {
            return;
        }
        next = match tokio::time::timeout_at(end, told.recv()).await {
            Ok(Some(notice)) => notice,
            // Nobody will say more: that is no success.
            Ok(None) | Err(_) => Notice { code: 503, last: true },
        };
    }
}

fn notice(id: Option<u32>, notice: &Notice, left: Duration) -> (Vec<Header>, Option<Body>) {
    let event = id.map_or_else(|| "refer".to_owned(), |id| format!("refer;id={id}"));
    let state = match notice.last {
        true => "terminated;reason=noresource".to_owned(),
        false => format!("active;expires={}", left.as_secs()),
    };
    let headers = vec![Header::Event(event.into()), Header::SubscriptionState(state.into())];
    let status = StatusCode::from(notice.code);
    let line = format!("SIP/2.0 {} {}\r\n", notice.code, status.text());
    (headers, Some(("message/sipfrag;version=2.0", line.into_bytes())))
}

/// What a NOTIFY to us says of a REFER of ours. Err is its refusal.
pub(crate) fn notified(request: &Request) -> Result<DialogEvent, u16> {
    let event = request.header_value("Event").unwrap_or_default();
    if !event.split(';').next().unwrap_or("").trim().eq_ignore_ascii_case("refer") {
        return Err(489);
    }
    let state = request.header_value("Subscription-State").ok_or(400_u16)?;
    let last = state.trim_start().to_ascii_lowercase().starts_with("terminated");
    let text = std::str::from_utf8(&request.body).map_err(|_| 400_u16)?;
    let code = text.strip_prefix("SIP/2.0 ").and_then(|line| line.get(..3)?.parse().ok());
    Ok(DialogEvent::Notified { code: code.ok_or(400_u16)?, last })
}
