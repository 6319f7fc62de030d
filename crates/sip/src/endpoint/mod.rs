//! One host that is listened on: its sockets, its names, the library's endpoint on them, and the
//! ways from it to others. It starts the tasks that run it, and every task of a dialog.
//!
//! ```text
//!   bytes -> taking, sifting -> the library -> sorting -> a dialog, the registrar, a new call
//! ```
//!
//! What happens on one dialog is `dialog`'s, what happens on one connection is `flow`'s.

mod sifting;
mod sorting;
mod taking;

use std::collections::{BTreeSet, HashSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use rsipstack::EndpointBuilder;
use rsipstack::sip::{HostWithPort, Transport as Named, Uri};
use rsipstack::transaction::endpoint::{Endpoint, EndpointInnerRef, EndpointOption};
use rsipstack::transaction::transaction::Transaction;
use rsipstack::transport::udp::{UdpConnection, UdpInner};
use rsipstack::transport::{SipAddr, SipConnection, TransportLayer};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::dialogs::Dialogs;
use crate::door::{self, Door};
use crate::flow::Flow;
use crate::flows::Flows;
use crate::incoming;
use crate::listen::{Bound, Open};
use crate::locate::{Locator, transport_of, udp};
use crate::names::{LookupError, Reach};
use crate::outward::Face;
use crate::shared::Shared;
use crate::socket::Wire;
use crate::types::{FlowId, Gauges, Incoming, Outgoing, SipConfig, SipError, Transport};

/// Calls that wait for the caller of `bind` to take them.
pub(crate) const INCOMING_MAX: usize = 256;
/// Requests that wait for one dialog's task.
pub(crate) const INBOUND_MAX: usize = 16;

/// One host that is listened on, by UDP, TCP or both.
pub(crate) struct Core {
    pub(crate) config: SipConfig,
    pub(crate) endpoint: EndpointInnerRef,
    pub(crate) contact: Uri,
    /// What Via, Contact and From name.
    pub(crate) advertised: SocketAddr,
    /// The same and its name over TCP.
    pub(crate) face: Face,
    /// Of dialogs: a shutdown waits for them.
    pub(crate) tasks: TaskTracker,
    /// What only waits for the far end's timers: an ACK, a second 2xx, the answer to a CANCEL.
    pub(crate) lingering: TaskTracker,
    /// Every dialog ends.
    pub(crate) closing: CancellationToken,
    /// New calls get 503; what lives goes on.
    pub(crate) draining: AtomicBool,
    /// Nothing runs any more.
    pub(crate) stop: CancellationToken,
    pub(crate) dialogs: Arc<Dialogs>,
    pub(crate) door: Option<Arc<Door>>,
    pub(crate) flows: Arc<Flows>,
    pub(crate) wire: Arc<Wire>,
    locator: Locator,
    /// Over UDP.
    connection: SipConnection,
    /// Addresses that our own Via may name.
    ours: Vec<String>,
    local: SocketAddr,
    received: AtomicU64,
    dropped: AtomicU64,
    judged: AtomicU64,
    repeats: sifting::Repeats,
    pub(crate) refused: AtomicU64,
}

/// Where a call of ours is to go.
pub(crate) enum Aim {
    /// Over a connection that is there.
    Way(SipAddr),
    Host(HostWithPort, Option<Named>),
    /// To its first Route.
    Route,
}

/// Where a request came from.
pub(crate) struct Origin {
    pub(crate) source: SocketAddr,
    pub(crate) transport: Transport,
    pub(crate) flow: Option<FlowId>,
}

impl Core {
    pub(crate) async fn start(
        shared: &Shared,
        bound: Bound,
        calls: mpsc::Sender<Incoming>,
    ) -> Result<Arc<Self>, SipError> {
        let config = &shared.config;
        let v6 = bound.ip().is_ipv6();
        let (udp_names, tcp_names) = (bound.udp.as_ref().map(names), bound.tcp.as_ref().map(names));
        let Some((local, advertised)) = udp_names.or(tcp_names) else {
            return Err(SipError::NoListener);
        };
        let failed = |why: String| SipError::Bind { addr: local, why };
        let from = tcp_names.map(|(local, _)| local);
        let flows = Flows::new(from, config.streams, shared.census.clone());
        let locator = Locator {
            flows: flows.clone(),
            names: shared.names.clone(),
            v6,
            udp: bound.udp.is_some(),
        };
        let tcp = tcp_names.map_or(advertised, |(_, told)| told);
        let face = Face { own: advertised, tcp, told: config.told.clone() };
        let socket = bound.udp.map(|open| open.socket);
        let wire = Arc::new(Wire::new(socket, local, face.clone(), flows.clone()));
        let library = CancellationToken::new();
        let layer = TransportLayer::new_with_domain_resolver(
            library.child_token(),
            Box::new(locator.clone()),
        );
        let inner = UdpInner { conn: wire.clone(), addr: udp(advertised) };
        let connection = SipConnection::Udp(
            UdpConnection::attach(inner, None, Some(library.child_token())).await,
        );
        layer.add_transport(connection.clone());
        let endpoint = library_endpoint(config, advertised, layer, &library, &locator);
        let arriving = endpoint.incoming_transactions().map_err(|e| failed(e.to_string()))?;
        let contact = format!("sip:{}@{advertised}", config.contact_user);
        let contact = Uri::try_from(contact.as_str()).map_err(|e| failed(e.to_string()))?;
        let core = Arc::new(Self {
            endpoint: endpoint.inner.clone(),
            contact,
            advertised,
            ours: face.all(),
            face,
            tasks: shared.tasks.clone(),
            lingering: shared.lingering.clone(),
            closing: shared.closing.clone(),
            draining: AtomicBool::new(false),
            stop: shared.stop.clone(),
            dialogs: shared.dialogs.clone(),
            door: shared.door.clone(),
            flows,
            wire,
            locator,
            connection,
            local,
            received: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
            judged: AtomicU64::new(0),
            repeats: sifting::Repeats::default(),
            refused: AtomicU64::new(0),
            config: config.clone(),
        });
        let listener = bound.tcp.map(|open| open.socket);
        core.flows.serve(&core, listener).await.map_err(|e| failed(e.to_string()))?;
        core.serve(library, arriving, calls);
        Ok(core)
    }

    /// Three tasks that end with `stop` or soon after; a drain does not wait for them, so they are
    /// not in `tasks`.
    fn serve(
        self: &Arc<Self>,
        library: CancellationToken,
        arriving: mpsc::UnboundedReceiver<Transaction>,
        calls: mpsc::Sender<Incoming>,
    ) {
        let served = self.endpoint.clone();
        tokio::spawn(async move {
            if let Err(error) = served.serve().await {
                tracing::error!(%error, "the SIP library stopped serving");
            }
        });
        let reading = self.clone();
        tokio::spawn(async move {
            reading.receive().await;
            reading.wire.close();
            reading.flows.close();
            // The library's transactions end by its timers alone: they run on for their longest.
            let longest = reading.timer_b() * 2;
            drop(reading);
            tokio::time::sleep(longest).await;
            library.cancel();
        });
        tokio::spawn(self.clone().dispatch(arriving, calls));
        tokio::spawn(door::keep(self.clone()));
    }

    pub(crate) fn local(&self) -> SocketAddr {
        self.local
    }

    pub(crate) fn has(&self, transport: Transport) -> bool {
        match transport {
            Transport::Udp => self.locator.udp,
            Transport::Tcp => self.flows.is_configured(),
        }
    }

    pub(crate) fn adds_to(&self, reach: &mut Reach) {
        self.locator.adds_to(reach);
    }

    /// Where a call of ours goes; or why it cannot go.
    pub(crate) fn aim(&self, call: &Outgoing, uri: &Uri) -> Result<Aim, (u16, String)> {
        if let Some(id) = call.flow {
            // RFC 5626 section 5.3: no other way would reach that client.
            let flow = self.flows.find(id).ok_or((430, "Flow Failed".to_owned()))?;
            return Ok(Aim::Way(flow.addr.clone()));
        }
        if call.to_addr.is_none() && !call.route.is_empty() {
            return Ok(Aim::Route);
        }
        let host = call.to_addr.map_or_else(|| uri.host_with_port.clone(), HostWithPort::from);
        let transport = call.transport.map(Into::into).or_else(|| transport_of(uri));
        Ok(Aim::Host(host, transport))
    }

    /// The ways to a call's aim, the first to be tried first; None where the library decides. What
    /// looks a name up may take as long as a far end may be silent.
    pub(crate) async fn ways(&self, aim: &Aim) -> Result<Vec<Option<SipAddr>>, LookupError> {
        match aim {
            Aim::Way(way) => Ok(vec![Some(way.clone())]),
            Aim::Route => Ok(vec![None]),
            Aim::Host(host, transport) => {
                let limit = Duration::from_millis(self.config.unreachable_ms);
                let targets = self.locator.targets(*transport, host);
                let none = |_| LookupError::NoServer(host.host.to_string());
                let targets = tokio::time::timeout(limit, targets).await.map_err(none)??;
                Ok(targets.into_iter().map(Some).collect())
            }
        }
    }

    /// What a target of ours becomes when a request is sent there: a connection is opened now.
    pub(crate) async fn open(&self, way: Option<SipAddr>) -> Option<SipAddr> {
        match way {
            Some(way) => Some(self.locator.open(way).await),
            None => None,
        }
    }

    /// The way to an address, for a request that names it.
    pub(crate) async fn way_to(&self, addr: SocketAddr, transport: Transport) -> SipAddr {
        self.locator.find(Some(transport.into()), &addr.into()).await
    }

    /// Whether a call stays on a connection, or a registration came by it.
    pub(crate) fn needs(&self, flow: &Flow) -> bool {
        let registrar = self.door.as_ref().and_then(|door| door.registrar.as_ref());
        registrar.is_some_and(|registrar| registrar.has_flow(flow.id))
            || self.dialogs.any_on(&flow.addr)
    }

    /// The same of many at once, as it is now.
    pub(crate) fn flows_in_use(&self) -> impl Fn(&Flow) -> bool + use<> {
        let registrar = self.door.as_ref().and_then(|door| door.registrar.as_ref());
        let registered: HashSet<FlowId> =
            registrar.map(|registrar| registrar.flows()).unwrap_or_default();
        let in_calls: BTreeSet<SipAddr> = self.dialogs.connections().into_iter().collect();
        move |flow| registered.contains(&flow.id) || in_calls.contains(&flow.addr)
    }

    /// What leant on a connection, and is no dialog, goes with it.
    pub(crate) fn flow_closed(&self, id: FlowId) {
        if let Some(registrar) = self.door.as_ref().and_then(|door| door.registrar.as_ref()) {
            registrar.flow_closed(id);
        }
    }

    /// Where a request came from: its connection, or what our own reading wrote into its Via.
    pub(crate) fn origin(&self, transaction: &Transaction) -> Origin {
        if let Some(SipConnection::Channel(channel)) = &transaction.connection
            && let Some(source) = channel.get_remote_addr().and_then(|a| a.get_socketaddr().ok())
        {
            let flow = self.flows.to(source).map(|flow| flow.id);
            return Origin { source, transport: Transport::Tcp, flow };
        }
        let source = incoming::source(&transaction.original);
        Origin { source, transport: Transport::Udp, flow: None }
    }

    /// A task of a dialog: counted, and gone with the endpoint.
    pub(crate) fn spawn<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> JoinHandle<Option<T>> {
        self.tasks.spawn(until(self.stop.clone(), work))
    }

    /// A task that no shutdown waits for.
    pub(crate) fn linger<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> JoinHandle<Option<T>> {
        self.lingering.spawn(until(self.stop.clone(), work))
    }

    pub(crate) fn timer_b(&self) -> Duration {
        Duration::from_millis(self.config.t1_ms * 64)
    }

    /// Adds what this one has to what all have.
    pub(crate) fn count(&self, gauges: &mut Gauges) {
        let stats = self.endpoint.get_stats();
        gauges.transactions += stats.running_transactions;
        gauges.finished += stats.finished_transactions;
        gauges.received += self.received.load(Ordering::Relaxed);
        gauges.sent += self.wire.sent.load(Ordering::Relaxed);
        gauges.sent += self.flows.sent.load(Ordering::Relaxed);
        gauges.dropped += self.dropped.load(Ordering::Relaxed);
        gauges.judged += self.judged.load(Ordering::Relaxed);
        gauges.refused += self.refused.load(Ordering::Relaxed);
    }
}

fn names<T>(open: &Open<T>) -> (SocketAddr, SocketAddr) {
    (open.local, open.advertised)
}

fn library_endpoint(
    config: &SipConfig,
    advertised: SocketAddr,
    layer: TransportLayer,
    library: &CancellationToken,
    locator: &Locator,
) -> Endpoint {
    EndpointBuilder::new()
        .with_user_agent(&config.user_agent)
        .with_transport_layer(layer)
        .with_cancel_token(library.clone())
        .with_option(timers(config, advertised))
        .with_target_locator(Box::new(locator.clone()))
        .build()
}

fn timers(config: &SipConfig, advertised: SocketAddr) -> EndpointOption {
    let t1 = Duration::from_millis(config.t1_ms);
    EndpointOption {
        t1,
        // T2 and T4 keep their ratio to T1 (RFC 3261 table 4), so that tests run in scale.
        t2: t1 * 8,
        t4: t1 * 10,
        t1x64: t1 * 64,
        callid_suffix: Some(advertised.ip().to_string()),
        ..EndpointOption::default()
    }
}

async fn until<T>(stop: CancellationToken, work: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        done = work => Some(done),
        () = stop.cancelled() => None,
    }
}
