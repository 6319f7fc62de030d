//! Session timers (RFC 4028): what is asked for, what is granted, and when a refresh or the end is
//! due. It sends nothing; `live` does what `due` says.
//!
//! ```text
//!   agreed -> interval/2 -> Refresh (ours) -> refreshed by any 2xx -> ...
//!          -> interval - min(32 s, interval/3) -> Lapsed: BYE, whoever was to refresh
//! ```

use std::time::Duration;

use rsipstack::sip::{Header, HeadersExt, Request, Response};
use tokio::time::Instant;

use crate::types::SipConfig;

/// Who refreshes, as one request names the two sides: its sender is the uac.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refresher {
    Us,
    Them,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Agreed {
    pub(crate) interval_s: u32,
    pub(crate) refresher: Refresher,
}

/// What one side asks for: `Session-Expires: 1800;refresher=uac`, or `x: 1800`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Asked {
    interval_s: u32,
    sender_refreshes: Option<bool>,
}

fn read(message: &impl HeadersExt) -> Option<Asked> {
    let value = message.header_value("Session-Expires")?;
    let mut parts = value.split(';').map(str::trim);
    let interval_s = parts.next()?.parse().ok()?;
    let refresher = parts.filter_map(|part| part.split_once('=')).find_map(|(name, value)| {
        let value = value.trim();
        let named = name.trim().eq_ignore_ascii_case("refresher");
        named.then(|| value.eq_ignore_ascii_case("uac"))
    });
    Some(Asked { interval_s, sender_refreshes: refresher })
}

pub(crate) fn min_se(message: &impl HeadersExt) -> Option<u32> {
    message.header_value("Min-SE")?.split(';').next()?.trim().parse().ok()
}

fn header(interval_s: u32, refresher: Option<&str>) -> Header {
    let value = match refresher {
        Some(who) => format!("{interval_s};refresher={who}"),
        None => interval_s.to_string(),
    };
    Header::SessionExpires(value.into())
}

/// For the INVITE that begins a call. Who refreshes is left to the callee (section 7.1).
pub(crate) fn ask(interval_s: u32, min_s: u32) -> Vec<Header> {
    vec![header(interval_s.max(min_s), None), Header::MinSE(min_s.to_string().into())]
}

/// The callee finds our interval too small (section 7.4): what to ask for instead, bounded.
pub(crate) fn ask_again(refused: &Response, asked_min_s: u32) -> Option<u32> {
    let wanted = min_se(refused)?;
    (wanted > asked_min_s && wanted <= 86_400).then_some(wanted)
}

/// For a later request of ours: the refresher stays who it is (section 7.4).
pub(crate) fn keep(agreed: Option<Agreed>, min_s: u32) -> Vec<Header> {
    let Some(agreed) = agreed else { return Vec::new() };
    let who = if agreed.refresher == Refresher::Us { "uac" } else { "uas" };
    vec![header(agreed.interval_s, Some(who)), Header::MinSE(min_s.to_string().into())]
}

/// What we grant to a request of the far end (section 9). Err is a 422 with that Min-SE.
pub(crate) fn grant(
    config: &SipConfig,
    request: &Request,
    now: Option<Agreed>,
) -> Result<Option<Agreed>, u32> {
    let supported = request.header_contains_token("Supported", "timer");
    let Some(asked) = read(request) else {
        // Who supports timers and asks for none gets ours all the same, and is to refresh.
        let ours = Agreed { interval_s: config.session_expires_s, refresher: Refresher::Them };
        return Ok(now.or(supported.then_some(ours)));
    };
    if asked.interval_s < config.min_se_s {
        return Err(config.min_se_s);
    }
    let least = min_se(request).unwrap_or(config.min_se_s).max(config.min_se_s);
    let interval_s = asked.interval_s.min(config.session_expires_s.max(least));
    let refresher = match asked.sender_refreshes {
        Some(true) => Refresher::Them,
        Some(false) => Refresher::Us,
        None => match now {
            Some(now) => now.refresher,
            // A proxy put the header in: the far end knows no timers, so we refresh.
            None if !supported => Refresher::Us,
            None => Refresher::Them,
        },
    };
    Ok(Some(Agreed { interval_s, refresher }))
}

/// What goes with the 2xx that grants it; the far end, which sent the request, is the uac.
pub(crate) fn granted(agreed: Option<Agreed>) -> Vec<Header> {
    match agreed {
        Some(Agreed { interval_s, refresher: Refresher::Them }) => {
            vec![header(interval_s, Some("uac")), Header::Require("timer".into())]
        }
        Some(Agreed { interval_s, refresher: Refresher::Us }) => {
            vec![header(interval_s, Some("uas"))]
        }
        None => Vec::new(),
    }
}

/// What a 2xx to a request of ours says (section 7.2): without the header there is no timer.
pub(crate) fn answered(response: &Response, now: Option<Agreed>) -> Option<Agreed> {
    let asked = read(response)?;
    let refresher = match asked.sender_refreshes {
        Some(true) => Refresher::Us,
        Some(false) => Refresher::Them,
        None => now.map_or(Refresher::Us, |now| now.refresher),
    };
    Some(Agreed { interval_s: asked.interval_s.max(1), refresher })
}

/// The clock of one session.
pub(crate) struct SessionTimer {
    agreed: Option<Agreed>,
    refresh_at: Option<Instant>,
    lapse_at: Option<Instant>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    Refresh,
    Lapsed,
}

impl SessionTimer {
    pub(crate) fn new(agreed: Option<Agreed>) -> Self {
        let mut timer = Self { agreed: None, refresh_at: None, lapse_at: None };
        timer.refreshed(agreed);
        timer
    }

    pub(crate) fn agreed(&self) -> Option<Agreed> {
        self.agreed
    }

    /// The session was refreshed just now, under these terms; None ends the timer.
    pub(crate) fn refreshed(&mut self, agreed: Option<Agreed>) {
        let now = Instant::now();
        self.agreed = agreed;
        self.lapse_at = agreed.map(|agreed| {
            let whole = Duration::from_secs(agreed.interval_s.into());
            now + whole - (whole / 3).min(Duration::from_secs(32))
        });
        let ours = agreed.filter(|agreed| agreed.refresher == Refresher::Us);
        self.refresh_at =
            ours.map(|agreed| now + Duration::from_secs(agreed.interval_s.into()) / 2);
    }

    /// A refresh of ours was refused: once more, halfway to the end.
    pub(crate) fn refused(&mut self) {
        let now = Instant::now();
        let left = self.lapse_at.map(|at| at.saturating_duration_since(now));
        self.refresh_at = left.map(|left| now + left / 2).filter(|at| *at > now);
    }

    pub(crate) fn next(&self) -> Option<Instant> {
        [self.refresh_at, self.lapse_at].into_iter().flatten().min()
    }

    /// What is due, once `next` has come.
    pub(crate) fn due(&mut self) -> Option<Due> {
        let now = Instant::now();
        if self.lapse_at.is_some_and(|at| at <= now) {
            self.lapse_at = None;
            self.refresh_at = None;
            return Some(Due::Lapsed);
        }
        self.refresh_at.take_if(|at| *at <= now).map(|_| Due::Refresh)
    }
}
