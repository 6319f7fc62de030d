//! SIP dialogs over UDP for the switchboard and the phone: calls in, calls out, what happens on
//! them as events. It carries session descriptions without reading them.
//!
//! It wraps rsipstack, none of whose types cross this wall, and knows calls, not supervision.

mod challenge;
mod dialog;
mod endpoint;
mod far;
mod handle;
mod incoming;
mod inviting;
mod live;
mod marking;
mod offers;
mod outgoing;
mod refer;
mod reliable;
mod replaces;
mod serving;
mod session_timer;
mod socket;
mod types;
mod wire;

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

pub use handle::DialogHandle;
pub use types::{
    Address, Credentials, DialogEvent, EndCause, FlowId, Gauges, Incoming, KnownDialog, Listen,
    Outgoing, ReferToken, ReofferToken, Replaces, SipConfig, SipError, StreamLimits, Transport,
};

use endpoint::Core;

/// One bound SIP endpoint. Cheap to clone; dropping the last one closes the socket at once, so
/// `shutdown` first.
#[derive(Clone)]
pub struct Sip {
    core: Arc<Core>,
    _stop: Arc<StopOnDrop>,
}

struct StopOnDrop(CancellationToken);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

impl Sip {
    /// Binds the address and starts to serve. The receiver is bounded: while it is full, new
    /// calls are answered 503.
    pub async fn bind(config: SipConfig) -> Result<(Self, mpsc::Receiver<Incoming>), SipError> {
        let (core, incoming) = Core::bind(config).await?;
        let stop = Arc::new(StopOnDrop(core.stop.clone()));
        Ok((Self { core, _stop: stop }, incoming))
    }

    pub fn local_addr(&self) -> SocketAddr {
        self.core.local()
    }

    /// Starts a call. Never waits: what becomes of it is an event.
    pub fn call(&self, call: Outgoing) -> (DialogHandle, mpsc::Receiver<DialogEvent>) {
        outgoing::start(&self.core, call)
    }

    /// A dialog of ours by the tags that another side names it with: `to_tag` is ours. None if
    /// there is none, or no more.
    pub fn dialog_of(&self, call_id: &str, to_tag: &str, from_tag: &str) -> Option<KnownDialog> {
        self.core.dialog_of(call_id, to_tag, from_tag)
    }

    pub fn gauges(&self) -> Gauges {
        self.core.gauges()
    }

    /// Refuses new calls, ends every dialog by BYE, CANCEL or 503, and waits for them, at most
    /// `shutdown_ms`.
    pub async fn shutdown(&self) {
        self.core.shutdown().await;
    }
}
