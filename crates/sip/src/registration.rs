//! Registering ourselves with somebody else (RFC 3261 section 10.2): once, again before it runs
//! out, and again and again, ever more slowly, while it fails (RFC 5626 section 4.5).
//!
//! ```text
//!   Trying -> Registered -> (before it runs out) Registered …
//!                     -> (its connection is lost) Registered …
//!          -> Refused / Unreachable -> wait, doubled each time -> …
//!   dropped: Expires 0, Ended
//! ```

use std::sync::Arc;
use std::time::Duration;

use rsipstack::sip::{Header, Method, Response};
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::asking::{Asker, Target, contacts, seconds_in, uri};
use crate::contact;
use crate::credentials::Credentials;
use crate::endpoint::Core;
use crate::flow::FlowHold;
use crate::types::{SipError, Transport};

/// The first wait after a failure in multiples of T1 (30 s in life), and how often it doubles.
const WAIT_T1S: u64 = 60;
const DOUBLINGS_MAX: u32 = 6;
/// The longest wait that a far end may ask for.
const RETRY_AFTER_MAX_S: u32 = 3_600;
/// A refresh comes this much before the end, or halfway if the whole is short.
const MARGIN_S: u64 = 60;

/// What to register, and where.
#[derive(Clone, Debug)]
pub struct Registration {
    /// Request-URI: `sip:domain`.
    pub registrar_uri: String,
    /// Its addresses, tried in this order.
    pub targets: Vec<Target>,
    /// Whom we register: `sip:user@domain`.
    pub aor_uri: String,
    /// The user part of our Contact: what comes as Request-URI of calls to us.
    pub contact_user: String,
    pub credentials: Option<Credentials>,
    pub expires_s: u32,
    /// How much this contact is preferred, of 1,000 (RFC 3261 section 10.2.1.2).
    pub q_thousandths: Option<u16>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegistrationState {
    /// Nothing has been answered yet.
    Trying,
    Registered {
        /// Which of the targets said so.
        at: Target,
        /// What it granted.
        expires_s: u32,
    },
    /// The last one's answer; tried again later.
    Refused { code: u16 },
    /// Nobody answered; tried again later.
    Unreachable,
    /// No longer tried.
    Ended,
}

/// Keeps a registration up as long as it lives.
pub struct Registered {
    state: watch::Receiver<RegistrationState>,
    _stop: DropGuard,
}

impl Registered {
    pub fn state(&self) -> watch::Receiver<RegistrationState> {
        self.state.clone()
    }
}

struct Task {
    core: Arc<Core>,
    what: Registration,
    asker: Asker,
    contact: Header,
    contact_uri: String,
    expires_s: u32,
    state: watch::Sender<RegistrationState>,
    failures: u32,
    /// The connection that calls to us come by: idle or not, it stays.
    hold: Option<FlowHold>,
    /// How often in a row it has gone before its time.
    losses: u32,
}

pub(crate) fn start(core: &Arc<Core>, what: Registration) -> Result<Registered, SipError> {
    let (registrar, aor) = (uri(&what.registrar_uri)?, uri(&what.aor_uri)?);
    let mut contact_uri = core.contact.clone();
    let user = what.contact_user.clone();
    contact_uri.auth = Some(rsipstack::sip::uri::Auth { user, password: None });
    let contact_uri = contact_uri.to_string();
    let mut asker = Asker::new(core, Method::Register, registrar, aor.clone(), aor);
    let peers = what.targets.iter().map(|target| target.addr.ip());
    asker.credentials = what.credentials.clone().map(|with| with.for_peers(peers));
    let (state, reader) = watch::channel(RegistrationState::Trying);
    let stop = core.closing.child_token();
    let q = what.q_thousandths.map(|q| f64::from(q.min(1_000)) / 1_000.0);
    let q = q.map(|q| format!(";q={q:.3}")).unwrap_or_default();
    let task = Task {
        core: core.clone(),
        expires_s: what.expires_s.max(1),
        what,
        asker,
        contact: Header::Contact(format!("<{contact_uri}>{q}").into()),
        contact_uri,
        state,
        failures: 0,
        hold: None,
        losses: 0,
    };
    core.spawn(task.run(stop.clone()));
    Ok(Registered { state: reader, _stop: stop.drop_guard() })
}

/// Waits for the end of the connection, if there is one to wait for.
async fn lost(hold: Option<&FlowHold>) {
    match hold {
        Some(hold) => hold.ended().await,
        None => std::future::pending().await,
    }
}

impl Task {
    async fn run(mut self, stop: CancellationToken) {
        loop {
            let wait = tokio::select! {
                wait = self.once() => wait,
                () = stop.cancelled() => break,
            };
            tokio::select! {
                () = tokio::time::sleep(wait) => self.losses = 0,
                () = lost(self.hold.as_ref()) => {
                    // Nobody can call us before we are back (RFC 5626 section 4.5).
                    let again = self.back_in();
                    tracing::info!(registrar = %self.what.registrar_uri, "its connection was lost");
                    tokio::select! {
                        () = tokio::time::sleep(again) => {}
                        () = stop.cancelled() => break,
                    }
                }
                () = stop.cancelled() => break,
            }
        }
        let was = *self.state.borrow();
        if let RegistrationState::Registered { at, .. } = was {
            let _ = self.ask(at, 0).await;
        }
        self.state.send_replace(RegistrationState::Ended);
    }

    /// One round over the targets, the one that took us last first. Gives how long to wait for the
    /// next.
    async fn once(&mut self) -> Duration {
        let mut targets = self.what.targets.clone();
        if let RegistrationState::Registered { at, .. } = *self.state.borrow() {
            targets.sort_by_key(|target| *target != at);
        }
        let mut worst = RegistrationState::Unreachable;
        let mut asked_to_wait = None;
        for target in targets {
            match self.ask(target, self.expires_s).await {
                Ok(response) if response.status_code.code() < 300 => {
                    return self.granted(target, &response);
                }
                Ok(response) => {
                    let code = response.status_code.code();
                    worst = RegistrationState::Refused { code };
                    asked_to_wait = seconds_in(&response, "Retry-After");
                    // Only what another one may do better is asked of another one.
                    if !matches!(code, 408 | 430 | 500..=599) {
                        break;
                    }
                }
                Err(error) => tracing::debug!(%error, "a registrar does not answer"),
            }
        }
        self.failed(worst, asked_to_wait)
    }

    async fn ask(&mut self, target: Target, expires_s: u32) -> Result<Response, SipError> {
        let limit = Duration::from_millis(self.core.config.unreachable_ms.max(1) * 2);
        let headers = [self.contact.clone(), Header::Expires(expires_s.into())];
        let response = self.asker.ask(&self.core, target, &headers, limit).await?;
        let least = seconds_in(&response, "Min-Expires").unwrap_or(0);
        // 423: as long as it wants it, once (section 10.2.8).
        if response.status_code.code() != 423 || least <= expires_s || least > 86_400 {
            return Ok(response);
        }
        self.expires_s = least;
        let headers = [self.contact.clone(), Header::Expires(least.into())];
        self.asker.ask(&self.core, target, &headers, limit).await
    }

    fn granted(&mut self, at: Target, response: &Response) -> Duration {
        let given = contact::read_all(&contacts(response)).flatten().unwrap_or_default();
        let ours = given.iter().find(|one| contact::same(&one.uri, &self.contact_uri));
        // A NAT on the way may have changed our address in what is told back; so have we, outside.
        let user = |uri: &str| uri.split_once('@').map(|(user, _)| user.to_owned());
        let ours_by_user = || given.iter().find(|one| user(&one.uri) == user(&self.contact_uri));
        let ours = ours.or_else(ours_by_user);
        let ours = ours.or_else(|| (given.len() == 1).then(|| &given[0]));
        let granted = ours.and_then(|one| one.expires).or(seconds_in(response, "Expires"));
        let expires_s = granted.unwrap_or(self.expires_s).max(1);
        self.failures = 0;
        self.hold = match at.transport {
            Transport::Tcp => self.core.flows.to(at.addr).map(FlowHold::new),
            Transport::Udp => None,
        };
        let now = RegistrationState::Registered { at, expires_s };
        if self.state.send_replace(now) != now {
            tracing::info!(registrar = %at.addr, expires_s, "registered");
        }
        let whole = u64::from(expires_s) * 1_000;
        let margin = (whole / 2).min(MARGIN_S * 1_000);
        Duration::from_millis(whole - margin)
    }

    /// At once the first time, and then ever later: it may be the registrar that closes it.
    fn back_in(&mut self) -> Duration {
        self.hold = None;
        let wait_ms = (self.core.config.t1_ms / 2) << self.losses.min(DOUBLINGS_MAX);
        self.losses += 1;
        Duration::from_millis(wait_ms)
    }

    fn failed(&mut self, why: RegistrationState, asked_to_wait: Option<u32>) -> Duration {
        if self.state.send_replace(why) != why {
            tracing::warn!(?why, registrar = %self.what.registrar_uri, "not registered");
        }
        let base = (self.core.config.t1_ms * WAIT_T1S) << self.failures.min(DOUBLINGS_MAX);
        self.failures += 1;
        // Half to all of it, so that not everybody comes back at once.
        let mut wait = Duration::from_millis(base / 2 + rand::random_range(0..=base / 2));
        if let Some(asked) = asked_to_wait {
            wait = wait.max(Duration::from_secs(u64::from(asked.min(RETRY_AFTER_MAX_S))));
        }
        wait
    }
}
