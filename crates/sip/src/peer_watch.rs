//! Whether a peer is there: OPTIONS now and then, up or down by its answers (RFC 3261 section 11).
//! Any answer shows that it lives, but 408 and 503, which say that it does not serve.

use std::sync::Arc;
use std::time::Duration;

use rsipstack::sip::{Header, Method};
use tokio::sync::watch;
use tokio_util::sync::DropGuard;

use crate::asking::{Asker, Target, uri};
use crate::endpoint::Core;
use crate::fields::capabilities;
use crate::types::SipError;
use crate::wire::ALLOW;

/// A peer that is up is down after so many in a row without an answer.
const MISSES: u32 = 2;

#[derive(Clone, Debug)]
pub struct PeerWatch {
    /// Request-URI: `sip:domain`.
    pub uri: String,
    pub target: Target,
    pub every: Duration,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PeerState {
    /// Not asked yet.
    #[default]
    Unknown,
    Up,
    Down,
}

/// Asks as long as it lives.
pub struct Watched {
    state: watch::Receiver<PeerState>,
    _stop: DropGuard,
}

impl Watched {
    pub fn state(&self) -> watch::Receiver<PeerState> {
        self.state.clone()
    }
}

/// Asks once; the code of the answer.
pub(crate) async fn options(core: &Core, to: &str, target: Target) -> Result<u16, SipError> {
    let mut asker = Asker::new(core, Method::Options, uri(to)?, core.contact.clone(), uri(to)?);
    ask(core, &mut asker, target).await
}

async fn ask(core: &Core, asker: &mut Asker, target: Target) -> Result<u16, SipError> {
    let limit = Duration::from_millis(core.config.unreachable_ms.max(1));
    let mut headers: Vec<Header> = capabilities(ALLOW);
    headers.push(Header::Contact(format!("<{}>", core.contact).into()));
    let response = asker.ask(core, target, &headers, limit).await?;
    Ok(response.status_code.code())
}

pub(crate) fn start(core: &Arc<Core>, what: PeerWatch) -> Result<Watched, SipError> {
    let (to, from) = (uri(&what.uri)?, core.contact.clone());
    let mut asker = Asker::new(core, Method::Options, to.clone(), from, to);
    let (sender, state) = watch::channel(PeerState::Unknown);
    let stop = core.closing.child_token();
    let (watched, stopped) = (core.clone(), stop.clone());
    core.spawn(async move {
        let mut misses = 0;
        let mut look = tokio::time::interval(what.every.max(Duration::from_millis(1)));
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = look.tick() => {}
                () = stopped.cancelled() => return,
            }
            let answer = tokio::select! {
                answer = ask(&watched, &mut asker, what.target) => answer,
                () = stopped.cancelled() => return,
            };
            let now = match answer {
                Ok(code) if code != 408 && code != 503 => PeerState::Up,
                _ => PeerState::Down,
            };
            misses = if now == PeerState::Up { 0 } else { misses + 1 };
            let was = *sender.borrow();
            if now != was && (now == PeerState::Up || was == PeerState::Unknown || misses >= MISSES)
            {
                tracing::info!(peer = %what.target.addr, state = ?now, "a peer changed its state");
                sender.send_replace(now);
            }
        }
    });
    Ok(Watched { state, _stop: stop.drop_guard() })
}
