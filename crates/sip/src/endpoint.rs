//! One host that is listened on: takes messages, sends new calls to the caller of `bind`, gives
//! requests of a dialog to its task, refuses the rest, and ends everything at shutdown.
//!
//! It holds what the dialogs share. What happens on one dialog is `dialog`'s, what happens on one
//! connection is `flow`'s.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rsipstack::EndpointBuilder;
use rsipstack::sip::{
    Header, HeadersExt as _, HostWithPort, Method, Request, SipMessage, StatusCode, Uri,
};
use rsipstack::transaction::endpoint::{EndpointInnerRef, EndpointOption};
use rsipstack::transaction::transaction::Transaction;
use rsipstack::transport::udp::{UdpConnection, UdpInner};
use rsipstack::transport::{SipAddr, SipConnection, TransportLayer};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::census::Census;
use crate::door::{self, Door, Verdict};
use crate::far::Far;
use crate::flow::{Flow, Raw};
use crate::flows::Flows;
use crate::incoming;
use crate::listen::{Bound, Open};
use crate::locate::{Locator, transport_of, udp};
use crate::outward::Face;
use crate::registering::{self, Came};
use crate::socket::Wire;
use crate::stateless;
use crate::types::{
    FlowId, Gauges, Incoming, KnownDialog, Outgoing, SipConfig, SipError, Transport,
};
use crate::wire::{ACCEPT, ALLOW, DATAGRAM_MAX_BYTES, Hop, Reading, read};

/// Calls that wait for the caller of `bind` to take them.
pub(crate) const INCOMING_MAX: usize = 256;
/// Requests that wait for one dialog's task.
pub(crate) const INBOUND_MAX: usize = 16;
/// Transactions at once for each dialog allowed; beyond it, requests are refused unseen.
const TRANSACTIONS_PER_DIALOG: usize = 4;

/// Call-ID and our tag: what names one of our dialogs in a request to it.
pub(crate) type DialogKey = (String, String);
/// Call-ID, their tag and CSeq: what two copies of one forked INVITE share (section 8.2.2.2).
pub(crate) type MergeKey = (String, String, u32);

/// Dialogs that ended last, for who names one of them too late.
const ENDED_MAX: usize = 1_024;

/// One of our dialogs, as the endpoint knows it.
pub(crate) struct Route {
    pub(crate) requests: mpsc::Sender<Transaction>,
    pub(crate) far: Arc<Far>,
    pub(crate) up: Arc<AtomicBool>,
    pub(crate) ours: bool,
}

/// What the endpoints of one `Sip` have together, whichever address a message came to.
pub(crate) struct Shared {
    pub(crate) config: SipConfig,
    tasks: TaskTracker,
    lingering: TaskTracker,
    closing: CancellationToken,
    stop: CancellationToken,
    routes: Arc<Mutex<HashMap<DialogKey, Route>>>,
    ended: Arc<Mutex<VecDeque<(DialogKey, String)>>>,
    merges: Arc<Mutex<HashMap<MergeKey, DialogKey>>>,
    door: Option<Arc<Door>>,
    census: Arc<Census>,
}

impl Shared {
    pub(crate) fn new(config: SipConfig) -> Self {
        Self {
            door: config.door.clone().map(Door::new).map(Arc::new),
            config,
            tasks: TaskTracker::new(),
            lingering: TaskTracker::new(),
            closing: CancellationToken::new(),
            stop: CancellationToken::new(),
            routes: Arc::default(),
            ended: Arc::default(),
            merges: Arc::default(),
            census: Arc::default(),
        }
    }
}

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
    pub(crate) routes: Arc<Mutex<HashMap<DialogKey, Route>>>,
    ended: Arc<Mutex<VecDeque<(DialogKey, String)>>>,
    pub(crate) merges: Arc<Mutex<HashMap<MergeKey, DialogKey>>>,
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
    pub(crate) refused: AtomicU64,
}

/// Where a request came from.
pub(crate) struct Origin {
    pub(crate) source: SocketAddr,
    pub(crate) transport: Transport,
    pub(crate) flow: Option<FlowId>,
}

/// A panic while a map was held leaves the map usable: each change is one insert or remove.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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
        let locator = Locator { flows: flows.clone(), v6, udp: bound.udp.is_some() };
        let wire = Arc::new(Wire::new(bound.udp.map(|open| open.socket), local, flows.clone()));
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
        let endpoint = EndpointBuilder::new()
            .with_user_agent(&config.user_agent)
            .with_transport_layer(layer)
            .with_cancel_token(library.clone())
            .with_option(timers(config, advertised))
            .with_target_locator(Box::new(locator.clone()))
            .build();
        let arriving = endpoint.incoming_transactions().map_err(|e| failed(e.to_string()))?;
        let contact = format!("sip:{}@{advertised}", config.contact_user);
        let contact = Uri::try_from(contact.as_str()).map_err(|e| failed(e.to_string()))?;
        let face = Face { own: advertised, tcp: tcp_names.map_or(advertised, |(_, told)| told) };
        let core = Arc::new(Self {
            endpoint: endpoint.inner.clone(),
            contact,
            advertised,
            ours: vec![face.own.to_string(), face.tcp.to_string()],
            face,
            tasks: shared.tasks.clone(),
            lingering: shared.lingering.clone(),
            closing: shared.closing.clone(),
            draining: AtomicBool::new(false),
            stop: shared.stop.clone(),
            routes: shared.routes.clone(),
            ended: shared.ended.clone(),
            merges: shared.merges.clone(),
            door: shared.door.clone(),
            flows,
            wire,
            locator,
            connection,
            local,
            received: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
            judged: AtomicU64::new(0),
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

    /// Where a call of ours goes, if it is not the locator that decides; or why it cannot go.
    pub(crate) async fn aim(
        &self,
        call: &Outgoing,
        uri: &Uri,
    ) -> Result<Option<SipAddr>, (u16, String)> {
        if let Some(id) = call.flow {
            // RFC 5626 section 5.3: no other way would reach that client.
            let flow = self.flows.find(id).ok_or((430, "Flow Failed".to_owned()))?;
            return Ok(Some(flow.addr.clone()));
        }
        if call.to_addr.is_none() && call.transport.is_none() {
            return Ok(None);
        }
        let host = call.to_addr.map_or_else(|| uri.host_with_port.clone(), HostWithPort::from);
        let transport = call.transport.map(Into::into).or_else(|| transport_of(uri));
        Ok(Some(self.locator.find(transport, &host).await))
    }

    /// The way to an address, for a request that names it.
    pub(crate) async fn way_to(&self, addr: SocketAddr, transport: Transport) -> SipAddr {
        self.locator.find(Some(transport.into()), &addr.into()).await
    }

    /// Whether a call stays on a connection, or a registration came by it.
    pub(crate) fn needs(&self, flow: &Flow) -> bool {
        let registrar = self.door.as_ref().and_then(|door| door.registrar.as_ref());
        registrar.is_some_and(|registrar| registrar.has_flow(flow.id))
            || lock(&self.routes).values().any(|route| route.far.is_on(&flow.addr))
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
        let via = transaction.original.via_header().ok();
        let target = via.and_then(|via| SipConnection::parse_target_from_via(via).ok());
        let source = target.and_then(|(_, host)| SocketAddr::try_from(host).ok());
        let source = source.unwrap_or_else(|| SocketAddr::from(([0, 0, 0, 0], 0)));
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

    async fn receive(&self) {
        let mut buffer = vec![0; DATAGRAM_MAX_BYTES];
        loop {
            let got = tokio::select! {
                got = self.wire.receive(&mut buffer) => got,
                () = self.stop.cancelled() => return,
            };
            let (length, source) = match got {
                Ok(got) => got,
                // An ICMP error of an earlier send; the socket itself still works.
                Err(error) => {
                    tracing::debug!(%error, "receiving failed");
                    tokio::task::yield_now().await;
                    continue;
                }
            };
            self.take(&buffer[..length], source, None).await;
        }
    }

    /// One message, by whichever transport: judged, and handed to the library if it is good.
    pub(crate) async fn take(&self, bytes: &[u8], source: SocketAddr, flow: Option<&Flow>) {
        self.received.fetch_add(1, Ordering::Relaxed);
        let transport = if flow.is_some() { Transport::Tcp } else { Transport::Udp };
        let hop = Hop { source, transport };
        let message = match read(bytes, &hop, &self.ours, &self.config.user_agent) {
            Reading::Message(message) => message,
            Reading::Ping => return self.answer(b"\r\n".to_vec(), source, flow).await,
            Reading::Refuse { code, bytes } => {
                self.judged.fetch_add(1, Ordering::Relaxed);
                tracing::debug!(%source, code, "request refused unseen");
                return self.answer(bytes, source, flow).await;
            }
            Reading::Drop(why) => {
                self.dropped.fetch_add(1, Ordering::Relaxed);
                return tracing::debug!(%source, why, "message dropped");
            }
        };
        if self.overloaded(&message) {
            self.refused.fetch_add(1, Ordering::Relaxed);
            // Over UDP it comes again by itself; over TCP it would be waited for.
            if let (SipMessage::Request(request), true) = (&*message, flow.is_some()) {
                let (server, wait_s) = (&self.config.user_agent, self.config.retry_after_s);
                self.answer(stateless::busy(request, server, wait_s), source, flow).await;
            }
            return;
        }
        if let Some(answer) = self.overrun(&message, source, flow.is_some()) {
            self.refused.fetch_add(1, Ordering::Relaxed);
            return self.answer(answer, source, flow).await;
        }
        let (connection, from) = match flow {
            Some(flow) => (flow.channel.clone(), flow.addr.clone()),
            None => (self.connection.clone(), udp(source)),
        };
        if let (SipMessage::Response(response), Some(flow)) = (&*message, flow) {
            flow.answered(response);
            self.flows.settled(response);
        }
        // Not its queue, which has no bound: what is handed over here is worked off here.
        let handed = self.endpoint.on_received_message(*message, connection, &from);
        if let Err(error) = handed.await {
            self.dropped.fetch_add(1, Ordering::Relaxed);
            tracing::debug!(%source, %error, "the SIP library did not take a message");
        }
    }

    /// Without state, the way that the request came.
    async fn answer(&self, bytes: Vec<u8>, source: SocketAddr, flow: Option<&Flow>) {
        match flow {
            Some(flow) => {
                // One that asks and does not read what it is told goes.
                if !flow.write(Raw::Answer(bytes)) {
                    flow.end.cancel();
                }
            }
            None => drop(self.wire.send(&bytes, source).await),
        }
    }

    /// New INVITEs only: what belongs to a call that is up must pass. Dropped without an answer,
    /// they come again by their own timer.
    fn overloaded(&self, message: &SipMessage) -> bool {
        let SipMessage::Request(request) = message else { return false };
        let limit = self.config.dialogs_max.saturating_mul(TRANSACTIONS_PER_DIALOG).max(1_024);
        request.method == Method::Invite
            && to_tag(request).is_none()
            && self.endpoint.get_stats().running_transactions > limit
    }

    /// Who asks too often is told so before anything is kept of it.
    fn overrun(
        &self,
        message: &SipMessage,
        source: SocketAddr,
        connected: bool,
    ) -> Option<Vec<u8>> {
        let SipMessage::Request(request) = message else { return None };
        let wait_s = self.door.as_ref()?.overrun(request, source, connected)?;
        Some(stateless::busy(request, &self.config.user_agent, wait_s))
    }

    async fn dispatch(
        self: Arc<Self>,
        mut arriving: mpsc::UnboundedReceiver<Transaction>,
        calls: mpsc::Sender<Incoming>,
    ) {
        loop {
            let transaction = tokio::select! {
                got = arriving.recv() => match got { Some(got) => got, None => return },
                () = self.stop.cancelled() => return,
            };
            match to_tag(&transaction.original) {
                Some(tag) => self.route(transaction, tag),
                None => self.outside(transaction, &calls),
            }
        }
    }

    /// A request of a dialog goes to its task.
    fn route(self: &Arc<Self>, transaction: Transaction, tag: String) {
        let key = (call_id(&transaction.original), tag);
        let sender = lock(&self.routes).get(&key).map(|route| route.requests.clone());
        let Some(sender) = sender else {
            return self.reply(transaction, 481, Vec::new());
        };
        if let Err(back) = sender.try_send(transaction) {
            let (transaction, code) = match back {
                mpsc::error::TrySendError::Full(back) => (back, 503),
                mpsc::error::TrySendError::Closed(back) => (back, 481),
            };
            self.reply(transaction, code, Vec::new());
        }
    }

    fn outside(self: &Arc<Self>, transaction: Transaction, calls: &mpsc::Sender<Incoming>) {
        let Some(transaction) = self.admitted(transaction) else { return };
        match transaction.original.method {
            Method::Register if self.door.is_some() => self.register(transaction),
            Method::Invite => incoming::start(self, transaction, calls),
            Method::Options => self.reply(transaction, 200, self.abilities()),
            Method::Bye | Method::Info | Method::PRack | Method::Update | Method::Notify => {
                self.reply(transaction, 481, Vec::new());
            }
            // A transfer is of a call, so it is asked within one.
            Method::Refer => self.reply(transaction, 403, Vec::new()),
            _ => self.reply(transaction, 405, vec![Header::Allow(ALLOW.into())]),
        }
    }

    /// Lets in who may, with what he proved written on his request; answers the others.
    fn admitted(&self, mut transaction: Transaction) -> Option<Transaction> {
        let request = &transaction.original;
        let connected = transaction.connection.as_ref().is_some_and(SipConnection::is_reliable);
        let verdict = match (&self.door, door::source_of(request)) {
            (None, _) => Verdict::Pass(None),
            (Some(door), Some(source)) => door.judge(request, source, connected),
            (Some(_), None) => Verdict::Answer(400, Vec::new()),
        };
        match verdict {
            Verdict::Pass(account) => {
                door::sign(&mut transaction.original, account.as_deref());
                Some(transaction)
            }
            Verdict::Answer(code, headers) => {
                self.reply(transaction, code, headers);
                None
            }
        }
    }

    fn register(&self, transaction: Transaction) {
        let request = &transaction.original;
        let registrar = self.door.as_ref().and_then(|door| door.registrar.as_ref());
        let (code, headers) = match (registrar, door::account_of(request), door::source_of(request))
        {
            (None, ..) => (405, vec![Header::Allow(ALLOW.into())]),
            // Known by its address, it has no account to bind.
            (_, None, _) | (_, _, None) => (403, Vec::new()),
            (Some(registrar), Some(account), Some(source)) => {
                let Origin { transport, flow, .. } = self.origin(&transaction);
                let came = Came { source, transport, flow };
                registering::answer(registrar, request, &account, came, door::wall_ms())
            }
        };
        self.reply(transaction, code, headers);
    }

    /// Answers a request finally, and keeps its transaction until the ACK or its end.
    pub(crate) fn reply(&self, transaction: Transaction, code: u16, headers: Vec<Header>) {
        self.reply_with(transaction, code, headers, None);
    }

    pub(crate) fn reply_with(
        &self,
        mut transaction: Transaction,
        code: u16,
        headers: Vec<Header>,
        body: Option<Vec<u8>>,
    ) {
        self.linger(async move {
            let status = StatusCode::from(code);
            if let Err(error) = transaction.reply_with(status, headers, body).await {
                return tracing::debug!(%error, code, "an answer could not be sent");
            }
            if transaction.original.method == Method::Invite {
                // The ACK, or the end of waiting for it.
                transaction.receive().await;
            }
        });
    }

    pub(crate) fn contact_header(&self) -> Header {
        Header::Contact(format!("<{}>", self.contact).into())
    }

    /// What OPTIONS tells outside a dialog (section 11.2).
    fn abilities(&self) -> Vec<Header> {
        let mut headers = capabilities(ALLOW);
        headers.push(Header::Supported("100rel, timer, replaces".into()));
        headers.push(self.contact_header());
        headers
    }

    /// `to_tag` is ours, `from_tag` theirs, as in a Replaces that comes to us.
    pub(crate) fn dialog_of(&self, id: &str, to_tag: &str, from_tag: &str) -> Option<KnownDialog> {
        let routes = lock(&self.routes);
        let route = routes.get(&(id.to_owned(), to_tag.to_owned()))?;
        let fits = route.far.tag().is_some_and(|tag| tag == from_tag);
        let confirmed = route.up.load(Ordering::Relaxed);
        fits.then_some(KnownDialog { confirmed, ours: route.ours })
    }

    pub(crate) fn ended(&self, key: DialogKey, far_tag: Option<String>) {
        let mut ended = lock(&self.ended);
        if ended.len() >= ENDED_MAX {
            ended.pop_front();
        }
        ended.extend(far_tag.map(|tag| (key, tag)));
    }

    pub(crate) fn has_ended(&self, id: &str, to_tag: &str, from_tag: &str) -> bool {
        let named =
            |(key, tag): &(DialogKey, String)| key.0 == id && key.1 == to_tag && tag == from_tag;
        lock(&self.ended).iter().any(named)
    }

    pub(crate) fn retry_after(&self) -> Vec<Header> {
        vec![Header::RetryAfter(self.config.retry_after_s.to_string().into())]
    }

    /// Adds what this one has to what all have.
    pub(crate) fn count(&self, gauges: &mut Gauges) {
        gauges.transactions += self.endpoint.get_stats().running_transactions;
        gauges.received += self.received.load(Ordering::Relaxed);
        gauges.sent += self.wire.sent.load(Ordering::Relaxed);
        gauges.sent += self.flows.sent.load(Ordering::Relaxed);
        gauges.dropped += self.dropped.load(Ordering::Relaxed);
        gauges.judged += self.judged.load(Ordering::Relaxed);
        gauges.refused += self.refused.load(Ordering::Relaxed);
    }
}

impl Shared {
    pub(crate) fn gauges(&self) -> Gauges {
        Gauges {
            dialogs: lock(&self.routes).len(),
            tasks: self.tasks.len() + self.lingering.len(),
            connections: self.census.total(),
            connections_refused: self.census.refused.load(Ordering::Relaxed),
            door: self.door.as_ref().map(|door| door.gauges()).unwrap_or_default(),
            ..Gauges::default()
        }
    }

    pub(crate) fn stop(&self) -> CancellationToken {
        self.stop.clone()
    }

    pub(crate) async fn shutdown(&self) {
        self.closing.cancel();
        self.tasks.close();
        let limit = Duration::from_millis(self.config.shutdown_ms);
        if tokio::time::timeout(limit, self.tasks.wait()).await.is_err() {
            tracing::warn!(left = self.tasks.len(), "dialogs did not all end in time");
        }
        self.stop.cancel();
    }
}

fn names<T>(open: &Open<T>) -> (SocketAddr, SocketAddr) {
    (open.local, open.advertised)
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

pub(crate) fn capabilities(allow: &str) -> Vec<Header> {
    vec![Header::Allow(allow.into()), Header::Accept(ACCEPT.into())]
}

pub(crate) fn to_tag(request: &Request) -> Option<String> {
    let tag = request.to_header().ok()?.tag().ok()??;
    Some(tag.value().to_owned()).filter(|tag| !tag.is_empty())
}

pub(crate) fn from_tag(request: &Request) -> String {
    let tag = request.from_header().ok().and_then(|from| from.tag().ok().flatten());
    tag.map(|tag| tag.value().to_owned()).unwrap_or_default()
}

pub(crate) fn call_id(request: &Request) -> String {
    request.call_id_header().map(|id| id.value().to_owned()).unwrap_or_default()
}

pub(crate) fn cseq(request: &Request) -> u32 {
    request.cseq_header().and_then(|cseq| cseq.seq()).unwrap_or(0)
}
