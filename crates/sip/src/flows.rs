//! The connections of one endpoint: accepts them within limits, opens them where a message must
//! go, finds the one that leads to an address, and decides what is too large for UDP.
//!
//! Reuse: a request to an address goes over the connection that leads there, whoever opened it
//! (RFC 3261 section 18.1.1); a dialog stays on its own; a registered client is called over the
//! one it registered by. An `alias` (RFC 5923) of an accepted connection is not believed: over
//! plain TCP anybody at that host could claim another's port.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, Weak};
use std::time::Duration;

use rsipstack::transport::{SipAddr, SipConnection, TransportEvent, channel::ChannelConnection};
use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use crate::census::{Census, Place};
use crate::endpoint::Core;
use crate::flow::{self, Flow, Queue, Raw};
use crate::frame::Framer;
use crate::lock::lock;
use crate::marking::mark;
use crate::outward;
use crate::types::{FlowId, StreamLimits};

/// RFC 3261 section 18.1.1, where the path's MTU is not known, as it never is here.
pub(crate) const DATAGRAM_REQUEST_MAX_BYTES: usize = 1_300;
/// A host that took no connection is not asked again for so long.
const WITHOUT_TCP: Duration = Duration::from_secs(600);
const WITHOUT_TCP_MAX: usize = 4_096;
const SWITCHED_MAX: usize = 8_192;
/// Longer than any request waits for its final answer: Timer C is 3 minutes (section 16.6).
const SWITCHED_FOR: Duration = Duration::from_secs(300);
/// A dead host is noticed, and a NAT kept open, by the kernel.
const KEEPALIVE: Duration = Duration::from_secs(60);
/// Connections that cannot be accepted for want of handles are tried again after this.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// Numbers of connections are never used twice in a process.
static LAST_FLOW: AtomicU64 = AtomicU64::new(0);

pub(crate) struct Flows {
    /// None where TCP is not configured: then none is opened either.
    from: Option<SocketAddr>,
    limits: StreamLimits,
    pub(crate) census: Arc<Census>,
    pub(crate) sent: AtomicU64,
    core: OnceLock<Weak<Core>>,
    nowhere: OnceLock<Nowhere>,
    by_remote: Mutex<HashMap<SocketAddr, Arc<Flow>>>,
    /// Requests that left by TCP although the library sent them by UDP, by their branch.
    switched: Mutex<HashMap<Vec<u8>, Switched>>,
    without_tcp: Mutex<HashMap<SocketAddr, Instant>>,
}

struct Nowhere {
    channel: SipConnection,
    addr: SipAddr,
    /// The library forgets the channel when this goes.
    _entry: mpsc::UnboundedSender<TransportEvent>,
}

struct Switched {
    flow: Arc<Flow>,
    /// Of what left last: the same again is the library's retransmission, which TCP does itself.
    last: u64,
    since: Instant,
}

impl Flows {
    pub(crate) fn new(
        from: Option<SocketAddr>,
        limits: StreamLimits,
        census: Arc<Census>,
    ) -> Arc<Self> {
        Arc::new(Self {
            from,
            limits,
            census,
            sent: AtomicU64::new(0),
            core: OnceLock::new(),
            nowhere: OnceLock::new(),
            by_remote: Mutex::default(),
            switched: Mutex::default(),
            without_tcp: Mutex::default(),
        })
    }

    /// Once, before anything is sent.
    #[allow(clippy::disallowed_methods)] // the library's type; nothing is ever sent on it
    pub(crate) async fn serve(
        &self,
        core: &Arc<Core>,
        listener: Option<TcpListener>,
    ) -> rsipstack::Result<()> {
        let _ = self.core.set(Arc::downgrade(core));
        let (to_us, events) = mpsc::channel(16);
        let (entry, never) = mpsc::unbounded_channel();
        let addr = crate::locate::nowhere();
        let channel =
            ChannelConnection::create_connection_bounded(never, to_us, addr.clone(), None).await?;
        let channel = SipConnection::Channel(channel);
        core.endpoint.transport_layer.add_connection(channel.clone());
        let _ = self.nowhere.set(Nowhere { channel, addr, _entry: entry });
        tokio::spawn(flow::undeliverable(core.clone(), events, "No Connection"));
        if let Some(listener) = listener {
            tokio::spawn(accept(core.clone(), listener));
        }
        Ok(())
    }

    pub(crate) fn is_configured(&self) -> bool {
        self.from.is_some()
    }

    /// At the very end: nothing is found any more.
    pub(crate) fn close(&self) {
        lock(&self.by_remote).clear();
        lock(&self.switched).clear();
    }

    pub(crate) fn number(&self) -> FlowId {
        FlowId(LAST_FLOW.fetch_add(1, Ordering::Relaxed) + 1)
    }

    /// Where what cannot be sent goes: it is answered there.
    pub(crate) fn nowhere(&self) -> Option<(SipConnection, &SipAddr)> {
        self.nowhere.get().map(|nowhere| (nowhere.channel.clone(), &nowhere.addr))
    }

    /// The newest connection to an address is the one that counts.
    pub(crate) fn enter(&self, flow: &Arc<Flow>) {
        lock(&self.by_remote).insert(flow.remote, flow.clone());
    }

    pub(crate) fn forget(&self, flow: &Arc<Flow>) {
        let mut flows = lock(&self.by_remote);
        if flows.get(&flow.remote).is_some_and(|known| Arc::ptr_eq(known, flow)) {
            flows.remove(&flow.remote);
        }
        drop(flows);
        lock(&self.switched).retain(|_, switched| !Arc::ptr_eq(&switched.flow, flow));
    }

    pub(crate) fn find(&self, id: FlowId) -> Option<Arc<Flow>> {
        let flows = lock(&self.by_remote);
        flows.values().find(|flow| flow.id == id && !flow.is_over()).cloned()
    }

    pub(crate) fn to(&self, remote: SocketAddr) -> Option<Arc<Flow>> {
        lock(&self.by_remote).get(&remote).filter(|flow| !flow.is_over()).cloned()
    }

    /// The connection to an address, opened now if there is none. What is sent before it is open
    /// waits in it.
    pub(crate) async fn toward(&self, remote: SocketAddr) -> Option<Arc<Flow>> {
        self.toward_in(remote, Duration::from_millis(self.limits.connect_ms)).await
    }

    async fn toward_in(&self, remote: SocketAddr, within: Duration) -> Option<Arc<Flow>> {
        let from = self.from.filter(|from| from.is_ipv4() == remote.is_ipv4())?;
        if let Some(flow) = self.to(remote) {
            return Some(flow);
        }
        let core = self.core.get()?.upgrade()?;
        let place = self.census.dial(&self.limits)?;
        let end = CancellationToken::new();
        let (flow, queue) = Flow::new(&core, self.number(), remote, end).await.ok()?;
        self.enter(&flow);
        tokio::spawn(dial(core, flow.clone(), queue, from, within, place));
        Some(flow)
    }

    /// RFC 3261 section 18.1.1: whether a datagram of the library's is to leave by TCP, and has.
    /// Its retransmissions and its CANCEL go where it went.
    pub(crate) async fn switch(&self, bytes: &[u8], to: SocketAddr) -> bool {
        let small = bytes.len() <= DATAGRAM_REQUEST_MAX_BYTES;
        if self.from.is_none() || (small && lock(&self.switched).is_empty()) {
            return false;
        }
        let Some(branch) = outward::branch(bytes).map(<[u8]>::to_vec) else { return false };
        if let Some(taken) = self.switched_before(&branch, bytes) {
            return taken;
        }
        if small || self.is_without_tcp(to) {
            return false;
        }
        // Half of what an unreachable host may cost, so that UDP has its turn.
        let within = Duration::from_millis(self.limits.connect_ms / 2);
        let Some(flow) = self.toward_in(to, within).await else { return false };
        let mut switched = lock(&self.switched);
        if switched.len() >= SWITCHED_MAX {
            switched.retain(|_, known| known.since.elapsed() < SWITCHED_FOR);
        }
        if switched.len() >= SWITCHED_MAX || !flow.write(Raw::Switched(bytes.to_vec())) {
            return false;
        }
        switched.insert(branch, Switched { flow, last: hash(bytes), since: Instant::now() });
        true
    }

    /// None if nothing of this transaction went by TCP, or its connection has gone.
    fn switched_before(&self, branch: &[u8], bytes: &[u8]) -> Option<bool> {
        let mut switched = lock(&self.switched);
        let known = switched.get_mut(branch)?;
        if known.flow.is_over() {
            switched.remove(branch);
            return None;
        }
        if known.last == hash(bytes) {
            return Some(true);
        }
        known.last = hash(bytes);
        Some(known.flow.write(Raw::Switched(bytes.to_vec())))
    }

    /// The transaction has its final answer: nothing of it will be sent again.
    pub(crate) fn settled(&self, response: &rsipstack::sip::Response) {
        if lock(&self.switched).is_empty() || response.status_code.code() < 200 {
            return;
        }
        if let Some((branch, _)) = outward::key(response) {
            lock(&self.switched).remove(branch.as_bytes());
        }
    }

    /// The fallback of section 18.1.1: no connection came about, so UDP it is.
    pub(crate) async fn by_udp(&self, core: &Core, bytes: &[u8], to: SocketAddr) {
        self.note_without_tcp(to);
        if let Err(error) = core.wire.tell(bytes, to).await {
            tracing::debug!(%to, %error, "a request could not be sent");
        }
    }

    fn note_without_tcp(&self, host: SocketAddr) {
        let now = Instant::now();
        let mut without = lock(&self.without_tcp);
        if without.len() >= WITHOUT_TCP_MAX {
            without.retain(|_, since| now.duration_since(*since) < WITHOUT_TCP);
        }
        if without.len() < WITHOUT_TCP_MAX {
            without.insert(host, now);
        }
    }

    fn is_without_tcp(&self, host: SocketAddr) -> bool {
        let mut without = lock(&self.without_tcp);
        let lately = without.get(&host).is_some_and(|since| since.elapsed() < WITHOUT_TCP);
        if !lately {
            without.remove(&host);
        }
        lately
    }
}

fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish()
}

async fn accept(core: Arc<Core>, listener: TcpListener) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = core.stop.cancelled() => return,
        };
        match accepted {
            Ok((stream, remote)) => {
                let limits = &core.config.streams;
                let in_use = || core.flows_in_use();
                if let Some(place) = core.flows.census.admit(remote.ip(), limits, in_use) {
                    keep(&stream);
                    tokio::spawn(flow::accepted(core.clone(), stream, remote, place));
                }
            }
            // No handles left, or the connection is gone again: neither ends the listener.
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::select! {
                    () = tokio::time::sleep(ACCEPT_AGAIN) => {}
                    () = core.stop.cancelled() => return,
                }
            }
        }
    }
}

async fn dial(
    core: Arc<Core>,
    flow: Arc<Flow>,
    queue: Queue,
    from: SocketAddr,
    within: Duration,
    place: Place,
) {
    let connected = tokio::select! {
        connected = timeout(within, connect(from, flow.remote, core.config.dscp)) => connected,
        () = flow.end.cancelled() => return flow::over(core, flow, queue, "No Connection").await,
        () = core.stop.cancelled() => return,
    };
    match connected {
        Ok(Ok(stream)) => {
            keep(&stream);
            flow::run(core, flow, stream, queue, (Framer::default(), None), place).await;
        }
        failed => {
            let why = match failed {
                Ok(Err(error)) => error.to_string(),
                _ => "no answer in time".into(),
            };
            tracing::debug!(remote = %flow.remote, why, "no connection");
            drop(place);
            flow::over(core, flow, queue, "No Connection").await;
        }
    }
}

async fn connect(from: SocketAddr, to: SocketAddr, dscp: Option<u8>) -> std::io::Result<TcpStream> {
    let socket = if to.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    mark(&socket, to, dscp)?;
    socket.bind(SocketAddr::new(from.ip(), 0))?;
    socket.connect(to).await
}

/// Options without which it would still work.
fn keep(stream: &TcpStream) {
    let keepalive = TcpKeepalive::new().with_time(KEEPALIVE).with_interval(KEEPALIVE / 6);
    let set = stream.set_nodelay(true).and(SockRef::from(stream).set_tcp_keepalive(&keepalive));
    if let Err(error) = set {
        tracing::debug!(%error, "a connection has no keep-alive");
    }
}
