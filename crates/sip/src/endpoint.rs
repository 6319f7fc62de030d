//! One bound address: reads datagrams, sends new calls to the caller of `bind`, gives requests of
//! a dialog to its task, refuses the rest, and ends everything at shutdown.
//!
//! It holds what the dialogs share. What happens on one dialog is `dialog`'s.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rsipstack::EndpointBuilder;
use rsipstack::sip::{Header, HeadersExt as _, Method, Request, SipMessage, StatusCode, Uri};
use rsipstack::transaction::endpoint::{EndpointInnerRef, EndpointOption, TargetLocator};
use rsipstack::transaction::transaction::Transaction;
use rsipstack::transport::udp::{UdpConnection, UdpInner};
use rsipstack::transport::{
    SipAddr, SipConnection, TransportLayer, transport_layer::DomainResolver,
};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::door::{self, Door, Verdict};
use crate::far::Far;
use crate::incoming;
use crate::registering::{self, Came};
use crate::socket::{Names, Wire, udp};
use crate::stateless;
use crate::types::{Gauges, Incoming, KnownDialog, SipConfig, SipError, Transport};
use crate::wire::{ACCEPT, ALLOW, DATAGRAM_MAX_BYTES, Reading, read};

/// Calls that wait for the caller of `bind` to take them.
const INCOMING_MAX: usize = 256;
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

pub(crate) struct Core {
    pub(crate) config: SipConfig,
    pub(crate) endpoint: EndpointInnerRef,
    pub(crate) contact: Uri,
    /// What Via, Contact and From name.
    pub(crate) advertised: SocketAddr,
    /// Of dialogs: a shutdown waits for them.
    pub(crate) tasks: TaskTracker,
    /// What only waits for the far end's timers: an ACK, a second 2xx, the answer to a CANCEL.
    pub(crate) lingering: TaskTracker,
    /// Every dialog ends.
    pub(crate) closing: CancellationToken,
    /// Nothing runs any more.
    pub(crate) stop: CancellationToken,
    pub(crate) routes: Mutex<HashMap<DialogKey, Route>>,
    ended: Mutex<VecDeque<(DialogKey, String)>>,
    pub(crate) merges: Mutex<HashMap<MergeKey, DialogKey>>,
    pub(crate) door: Option<Door>,
    wire: Arc<Wire>,
    connection: SipConnection,
    received: AtomicU64,
    dropped: AtomicU64,
    judged: AtomicU64,
    pub(crate) refused: AtomicU64,
}

/// A panic while a map was held leaves the map usable: each change is one insert or remove.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Core {
    pub(crate) async fn bind(
        config: SipConfig,
    ) -> Result<(Arc<Self>, mpsc::Receiver<Incoming>), SipError> {
        let Some(listen) = config.listen.iter().find(|l| l.transport == Transport::Udp).copied()
        else {
            return Err(SipError::NoListener);
        };
        let failed = |why: String| SipError::Bind { addr: listen.addr, why };
        let wire = Arc::new(
            Wire::bind(listen.addr, config.dscp).await.map_err(|e| failed(e.to_string()))?,
        );
        let advertised =
            listen.advertise.unwrap_or_else(|| SipConnection::resolve_bind_address(wire.local()));
        if advertised.is_ipv4() != wire.local().is_ipv4() {
            return Err(failed("a wildcard of IPv6 needs an address to advertise".into()));
        }
        let stop = CancellationToken::new();
        let library = CancellationToken::new();
        let names = Names { v6: wire.local().is_ipv6() };
        let transport =
            TransportLayer::new_with_domain_resolver(library.child_token(), Box::new(names));
        let inner = UdpInner { conn: wire.clone(), addr: udp(advertised) };
        let connection = SipConnection::Udp(
            UdpConnection::attach(inner, None, Some(library.child_token())).await,
        );
        transport.add_transport(connection.clone());
        let locator = Locator { names: Names { v6: wire.local().is_ipv6() } };
        let endpoint = EndpointBuilder::new()
            .with_user_agent(&config.user_agent)
            .with_transport_layer(transport)
            .with_cancel_token(library.clone())
            .with_option(timers(&config, advertised))
            .with_target_locator(Box::new(locator))
            .build();
        let arriving = endpoint.incoming_transactions().map_err(|e| failed(e.to_string()))?;
        let contact = format!("sip:{}@{advertised}", config.contact_user);
        let contact = Uri::try_from(contact.as_str()).map_err(|e| failed(e.to_string()))?;
        let core = Arc::new(Self {
            endpoint: endpoint.inner.clone(),
            contact,
            advertised,
            tasks: TaskTracker::new(),
            lingering: TaskTracker::new(),
            closing: CancellationToken::new(),
            stop,
            routes: Mutex::default(),
            ended: Mutex::default(),
            merges: Mutex::default(),
            door: config.door.clone().map(Door::new),
            wire,
            connection,
            received: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
            judged: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            config,
        });
        let (calls, incoming) = mpsc::channel(INCOMING_MAX);
        core.serve(library, arriving, calls);
        Ok((core, incoming))
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
        self.wire.local()
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
        let ours = self.advertised.to_string();
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
            self.received.fetch_add(1, Ordering::Relaxed);
            self.take(&buffer[..length], source, &ours).await;
        }
    }

    async fn take(&self, bytes: &[u8], source: SocketAddr, ours: &str) {
        let message = match read(bytes, source, ours, &self.config.user_agent) {
            Reading::Message(message) => message,
            Reading::Ping => return drop(self.wire.send(b"\r\n", source).await),
            Reading::Refuse { code, bytes } => {
                self.judged.fetch_add(1, Ordering::Relaxed);
                tracing::debug!(%source, code, "request refused unseen");
                return drop(self.wire.send(&bytes, source).await);
            }
            Reading::Drop(why) => {
                self.dropped.fetch_add(1, Ordering::Relaxed);
                return tracing::debug!(%source, why, "datagram dropped");
            }
        };
        if self.overloaded(&message) {
            self.refused.fetch_add(1, Ordering::Relaxed);
            return;
        }
        if let Some(answer) = self.overrun(&message, source) {
            self.refused.fetch_add(1, Ordering::Relaxed);
            return drop(self.wire.send(&answer, source).await);
        }
        let from = udp(source);
        // Not its queue, which has no bound: what is handed over here is worked off here.
        let handed = self.endpoint.on_received_message(*message, self.connection.clone(), &from);
        if let Err(error) = handed.await {
            self.dropped.fetch_add(1, Ordering::Relaxed);
            tracing::debug!(%source, %error, "the SIP library did not take a message");
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
    fn overrun(&self, message: &SipMessage, source: SocketAddr) -> Option<Vec<u8>> {
        let SipMessage::Request(request) = message else { return None };
        let wait_s = self.door.as_ref()?.overrun(request, source)?;
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
                let came = Came { source, transport: Transport::Udp, flow: None };
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

    pub(crate) fn gauges(&self) -> Gauges {
        Gauges {
            dialogs: lock(&self.routes).len(),
            transactions: self.endpoint.get_stats().running_transactions,
            tasks: self.tasks.len() + self.lingering.len(),
            received: self.received.load(Ordering::Relaxed),
            sent: self.wire.sent.load(Ordering::Relaxed),
            connections: 0,
            connections_refused: 0,
            dropped: self.dropped.load(Ordering::Relaxed),
            judged: self.judged.load(Ordering::Relaxed),
            refused: self.refused.load(Ordering::Relaxed),
            door: self.door.as_ref().map(Door::gauges).unwrap_or_default(),
        }
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

/// Turns a URI into where to send: always UDP, whatever it asks for.
struct Locator {
    names: Names,
}

#[async_trait::async_trait]
impl TargetLocator for Locator {
    async fn locate(&self, uri: &Uri) -> rsipstack::Result<SipAddr> {
        let mut target = SipAddr {
            r#type: Some(rsipstack::sip::Transport::Udp),
            addr: uri.host_with_port.clone(),
        };
        if let Ok(addr) = target.get_socketaddr() {
            return Ok(udp(addr));
        }
        target = self.names.resolve(&target).await?;
        Ok(target)
    }
}
