//! SIP dialogs over UDP and TCP for the switchboard and the phone: calls in, calls out, what
//! happens on them as events. It carries session descriptions without reading them.
//!
//! It wraps rsipstack, none of whose types cross this wall, and knows calls, not supervision.

mod asking;
mod census;
mod challenge;
mod contact;
mod credentials;
mod dialog;
mod dialogs;
mod digest;
mod door;
mod endpoint;
mod far;
mod fields;
mod flow;
mod flows;
mod frame;
#[doc(hidden)]
pub mod fuzzing;
mod gate;
mod grammar;
mod handle;
mod identity;
mod incoming;
mod inviting;
mod limits;
mod listen;
mod live;
mod locate;
mod lock;
mod marking;
mod names;
mod nat;
mod nonce;
mod offers;
mod outgoing;
mod outward;
mod peer_watch;
mod refer;
mod registering;
mod registrar;
mod registration;
mod reliable;
mod replaces;
mod serving;
mod session_timer;
mod shared;
mod socket;
mod stateless;
mod types;
mod via;
mod wire;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

pub use asking::Target;
pub use credentials::Credentials;
pub use digest::{Algorithm, ha1, is_ha1};
pub use flow::FlowHold;
pub use gate::{Access, Account, Asked, DoorConfig, Gate, Offer, RegistrarConfig};
pub use handle::DialogHandle;
pub use identity::Identity;
pub use limits::{Guessing, Rate};
pub use names::{Found, LookupError};
pub use peer_watch::{PeerState, PeerWatch, Watched};
pub use registrar::{Binding, Keep, KeepNothing, Registrar, Stored};
pub use registration::{Registered, Registration, RegistrationState};
pub use types::{
    Address, DialogEvent, DoorGauges, EndCause, FlowId, Gauges, Incoming, KnownDialog, Listen,
    Outgoing, ReferToken, ReofferToken, Replaces, SipConfig, SipError, StreamLimits, Transport,
};

use endpoint::{Core, INCOMING_MAX};
use names::Reach;
use shared::Shared;

/// The bound addresses of one SIP element. Cheap to clone; dropping the last one closes them at
/// once, so `shutdown` first.
#[derive(Clone)]
pub struct Sip {
    /// One for each host that is listened on.
    cores: Arc<[Arc<Core>]>,
    shared: Arc<Shared>,
    listening: Arc<[Listen]>,
    _stop: Arc<StopOnDrop>,
}

struct StopOnDrop(CancellationToken);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

impl Sip {
    /// Binds the addresses and starts to serve. The receiver is bounded: while it is full, new
    /// calls are answered 503.
    pub async fn bind(config: SipConfig) -> Result<(Self, mpsc::Receiver<Incoming>), SipError> {
        let (calls, incoming) = mpsc::channel(INCOMING_MAX);
        let bound = listen::bind(&config.listen, config.dscp)?;
        let listening = bound.iter().flat_map(listen::Bound::listening).collect();
        let shared = Arc::new(Shared::new(config)?);
        // Whatever fails below, what was started before it ends.
        let stop = Arc::new(StopOnDrop(shared.stop()));
        let mut cores = Vec::with_capacity(bound.len());
        for bound in bound {
            cores.push(Core::start(&shared, bound, calls.clone()).await?);
        }
        Ok((Self { cores: cores.into(), shared, listening, _stop: stop }, incoming))
    }

    /// The first address that was bound.
    pub fn local_addr(&self) -> SocketAddr {
        self.cores[0].local()
    }

    /// All of them, with the ports that the kernel chose.
    pub fn listening(&self) -> &[Listen] {
        &self.listening
    }

    /// Starts a call. Never waits: what becomes of it is an event.
    pub fn call(&self, mut call: Outgoing) -> (DialogHandle, mpsc::Receiver<DialogEvent>) {
        // Credentials are for whom we call, and for nobody who is named later.
        let peer = call.to_addr.or_else(|| contact::address(&call.to_uri));
        let bound = call.credentials.take().map(|with| with.bound_to(peer.map(|peer| peer.ip())));
        call.credentials = bound;
        outgoing::start(self.home_of(&call), call)
    }

    /// The address that a call leaves from: the one that its connection ends at, else the first
    /// of the target's family that has its transport, else the first.
    fn home_of(&self, call: &Outgoing) -> &Arc<Core> {
        if let Some(id) = call.flow {
            let home = self.cores.iter().find(|core| core.flows.find(id).is_some());
            return home.unwrap_or(&self.cores[0]);
        }
        let to = call.to_addr.or_else(|| contact::address(&call.to_uri));
        self.home(to, call.transport.unwrap_or_default())
    }

    fn home(&self, to: Option<SocketAddr>, transport: Transport) -> &Arc<Core> {
        let fits = |core: &&Arc<Core>| to.is_none_or(|to| to.is_ipv6() == core.local().is_ipv6());
        let best = self.cores.iter().filter(fits).find(|core| core.has(transport));
        best.or_else(|| self.cores.iter().find(fits)).unwrap_or(&self.cores[0])
    }

    /// Keeps a connection from being closed for idleness while the hold lives; None if it has
    /// gone.
    pub fn hold_flow(&self, id: FlowId) -> Option<FlowHold> {
        self.cores.iter().find_map(|core| core.flows.find(id)).map(FlowHold::new)
    }

    /// A dialog of ours by the tags that another side names it with: `to_tag` is ours. None if
    /// there is none, or no more.
    pub fn dialog_of(&self, call_id: &str, to_tag: &str, from_tag: &str) -> Option<KnownDialog> {
        self.shared.dialogs.known(call_id, to_tag, from_tag)
    }

    /// Where a SIP domain is served, for as long as its zone lets that be believed: those of its
    /// places that we can send to, in the order in which they are to be tried (RFC 3263).
    pub async fn look_up(
        &self,
        host: &str,
        port: Option<u16>,
        transport: Option<Transport>,
    ) -> Result<Found, LookupError> {
        let mut reach = Reach::default();
        for core in &*self.cores {
            core.adds_to(&mut reach);
        }
        self.shared.names.find(host, port, transport, &reach).await
    }

    /// Registers with somebody else, and keeps that up as long as what this gives lives.
    pub fn register(&self, what: Registration) -> Result<Registered, SipError> {
        let first = what.targets.first().copied();
        let transport = first.map(|target| target.transport).unwrap_or_default();
        registration::start(self.home(first.map(|target| target.addr), transport), what)
    }

    /// Asks once whether somebody is there; the code of the answer.
    pub async fn options(&self, uri: &str, target: Target) -> Result<u16, SipError> {
        let home = self.home(Some(target.addr), target.transport);
        peer_watch::options(home, uri, target).await
    }

    /// Asks again and again whether somebody is there, as long as what this gives lives.
    pub fn watch_peer(&self, what: PeerWatch) -> Result<Watched, SipError> {
        let home = self.home(Some(what.target.addr), what.target.transport);
        peer_watch::start(home, what)
    }

    /// Where accounts can be reached, if this endpoint is a registrar.
    pub fn registrar(&self) -> Option<Arc<Registrar>> {
        self.cores[0].door.as_ref()?.registrar.clone()
    }

    pub fn gauges(&self) -> Gauges {
        let mut gauges = self.shared.gauges();
        self.cores.iter().for_each(|core| core.count(&mut gauges));
        gauges
    }

    /// From here on new calls are answered 503 with Retry-After; what lives goes on.
    pub fn drain(&self) {
        let drain = |core: &Arc<Core>| core.draining.store(true, Ordering::Relaxed);
        self.cores.iter().for_each(drain);
    }

    /// Refuses new calls, ends every dialog by BYE, CANCEL or 503, and waits for them, at most
    /// `shutdown_ms`.
    pub async fn shutdown(&self) {
        self.shared.shutdown().await;
    }
}
