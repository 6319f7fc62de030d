//! SIP dialogs over UDP for the switchboard and the phone: calls in, calls out, what happens on
//! them as events. It carries session descriptions without reading them.
//!
//! It wraps rsipstack, none of whose types cross this wall, and knows calls, not supervision.

mod asking;
mod challenge;
mod contact;
mod credentials;
mod dialog;
mod digest;
mod door;
mod endpoint;
mod far;
mod gate;
mod handle;
mod identity;
mod incoming;
mod inviting;
mod limits;
mod live;
mod marking;
mod nonce;
mod offers;
mod outgoing;
mod peer_watch;
mod refer;
mod registering;
mod registrar;
mod registration;
mod reliable;
mod replaces;
mod serving;
mod session_timer;
mod socket;
mod stateless;
mod types;
mod wire;

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

pub use asking::Target;
pub use credentials::Credentials;
pub use digest::{Algorithm, ha1, is_ha1};
pub use gate::{Access, Account, Asked, DoorConfig, Gate, Offer, RegistrarConfig};
pub use handle::DialogHandle;
pub use identity::Identity;
pub use limits::{Guessing, Rate};
pub use peer_watch::{PeerState, PeerWatch, Watched};
pub use registrar::{Binding, Keep, KeepNothing, Registrar, Stored};
pub use registration::{Registered, Registration, RegistrationState};
pub use types::{
    Address, DialogEvent, DoorGauges, EndCause, FlowId, Gauges, Incoming, KnownDialog, Listen,
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
    pub fn call(&self, mut call: Outgoing) -> (DialogHandle, mpsc::Receiver<DialogEvent>) {
        // Credentials are for whom we call, and for nobody who is named later.
        let peer = call.to_addr.or_else(|| contact::address(&call.to_uri));
        let bound = call.credentials.take().map(|with| with.bound_to(peer.map(|peer| peer.ip())));
        call.credentials = bound;
        outgoing::start(&self.core, call)
    }

    /// A dialog of ours by the tags that another side names it with: `to_tag` is ours. None if
    /// there is none, or no more.
    pub fn dialog_of(&self, call_id: &str, to_tag: &str, from_tag: &str) -> Option<KnownDialog> {
        self.core.dialog_of(call_id, to_tag, from_tag)
    }

    /// Registers with somebody else, and keeps that up as long as what this gives lives.
    pub fn register(&self, what: Registration) -> Result<Registered, SipError> {
        registration::start(&self.core, what)
    }

    /// Asks once whether somebody is there; the code of the answer.
    pub async fn options(&self, uri: &str, target: Target) -> Result<u16, SipError> {
        peer_watch::options(&self.core, uri, target).await
    }

    /// Asks again and again whether somebody is there, as long as what this gives lives.
    pub fn watch_peer(&self, what: PeerWatch) -> Result<Watched, SipError> {
        peer_watch::start(&self.core, what)
    }

    /// Where accounts can be reached, if this endpoint is a registrar.
    pub fn registrar(&self) -> Option<Arc<Registrar>> {
        self.core.door.as_ref()?.registrar.clone()
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
