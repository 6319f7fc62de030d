//! One TCP connection from its first byte to its end: read and written by us, so that every
//! message is judged like a datagram and nothing on it waits without a limit.
//!
//! ```text
//!   accepted -> silent --first message--> open --closed, failed, idle, bad length--> over
//!   dialled  -> connecting ------------->   '                                          |
//!                  '-- refused, no time --------------------------------------------->-'
//! ```
//!
//! When it is over, each request that depended on it is answered by us at once, and so is each
//! that still comes for it: nobody waits for Timer B. A stream is anything that reads and writes
//! bytes; TLS and WebSocket will be two more kinds of it. It knows no dialog.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rsipstack::sip::SipMessage;
use rsipstack::transport::{SipAddr, SipConnection, TransportEvent, channel::ChannelConnection};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

use crate::census::Place;
use crate::endpoint::Core;
use crate::frame::{Frame, Framer};
use crate::lock::lock;
use crate::outward::{self, Sent, SentKey};
use crate::types::{FlowId, Transport};
use crate::wire::{self, Hop};

/// Messages that wait to be written; who has more to say waits, or is cut off by `write_ms`.
const QUEUE_MAX: usize = 32;
const READ_BYTES: usize = 4 * 1024;
/// Requests of ours that are remembered until they are answered; more are left to their timers.
const SENT_MAX: usize = 4_096;
/// Longer than any request waits for its final answer: Timer C is 3 minutes (section 16.6).
const SENT_FOR: Duration = Duration::from_secs(300);
/// What is queued when everything stops may still leave in this time.
const FLUSH_MAX: Duration = Duration::from_secs(1);
/// So long a stream that cannot be read on stays open for answers to what was read of it.
const ANSWERS_WITHIN: Duration = Duration::from_millis(500);

pub(crate) struct Flow {
    pub(crate) id: FlowId,
    pub(crate) remote: SocketAddr,
    /// How the library knows it.
    pub(crate) addr: SipAddr,
    pub(crate) channel: SipConnection,
    /// Cancelled at its end, and to end it.
    pub(crate) end: CancellationToken,
    raws: mpsc::Sender<Raw>,
    pong: Notify,
    /// Of calls and registrations that need it to stay.
    holds: AtomicUsize,
    sent: Mutex<HashMap<SentKey, (Instant, Sent)>>,
    last_write: Mutex<Instant>,
    /// The library drops its own entry when this goes.
    entry: Mutex<Option<mpsc::UnboundedSender<TransportEvent>>>,
}

/// What is written beside the library's own messages.
pub(crate) enum Raw {
    /// An answer without state.
    Answer(Vec<u8>),
    /// The last word before we close.
    Last(Vec<u8>),
    /// A request too large for UDP, as it would have left by it.
    Switched(Vec<u8>),
}

/// What waits to be written.
pub(crate) struct Queue {
    events: mpsc::Receiver<TransportEvent>,
    raws: mpsc::Receiver<Raw>,
}

/// Keeps a connection from being closed for idleness, and tells when it has gone.
pub struct FlowHold(Arc<Flow>);

impl FlowHold {
    pub(crate) fn new(flow: Arc<Flow>) -> Self {
        flow.holds.fetch_add(1, Ordering::Relaxed);
        Self(flow)
    }

    pub fn id(&self) -> FlowId {
        self.0.id
    }

    pub fn is_ended(&self) -> bool {
        self.0.end.is_cancelled()
    }

    /// Waits for the connection's end.
    pub async fn ended(&self) {
        self.0.end.cancelled().await;
    }
}

impl Drop for FlowHold {
    fn drop(&mut self) {
        self.0.holds.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Flow {
    /// Known to the library from here on. `end` may come from whoever counts connections.
    #[allow(clippy::disallowed_methods)] // the library's type; nothing is ever sent on it
    pub(crate) async fn new(
        core: &Core,
        id: FlowId,
        remote: SocketAddr,
        end: CancellationToken,
    ) -> rsipstack::Result<(Arc<Self>, Queue)> {
        let (to_us, events) = mpsc::channel(QUEUE_MAX);
        let (raws, raw) = mpsc::channel(QUEUE_MAX);
        let (entry, never) = mpsc::unbounded_channel();
        let addr = crate::locate::marked(remote);
        let channel = ChannelConnection::create_connection_bounded(
            never,
            to_us,
            addr.clone(),
            Some(end.clone()),
        )
        .await?;
        let channel = SipConnection::Channel(channel);
        core.endpoint.transport_layer.add_connection(channel.clone());
        let flow = Self {
            id,
            remote,
            addr,
            channel,
            end,
            raws,
            pong: Notify::new(),
            holds: AtomicUsize::new(0),
            sent: Mutex::default(),
            last_write: Mutex::new(Instant::now()),
            entry: Mutex::new(Some(entry)),
        };
        Ok((Arc::new(flow), Queue { events, raws: raw }))
    }

    pub(crate) fn is_held(&self) -> bool {
        self.holds.load(Ordering::Relaxed) > 0
    }

    pub(crate) fn is_over(&self) -> bool {
        self.end.is_cancelled()
    }

    /// False if the far end takes nothing any more: the queue is full, or closed.
    pub(crate) fn write(&self, raw: Raw) -> bool {
        self.raws.try_send(raw).is_ok()
    }

    /// Waits for a place; nothing, once it is over.
    pub(crate) async fn write_in_turn(&self, raw: Raw) {
        let _ = self.raws.send(raw).await;
    }

    /// An answer that came: its request no longer depends on us.
    pub(crate) fn answered(&self, response: &rsipstack::sip::Response) {
        if response.status_code.code() >= 200
            && let Some(key) = outward::key(response)
        {
            lock(&self.sent).remove(&key);
        }
    }

    fn remember(&self, message: &SipMessage) {
        let SipMessage::Request(request) = message else { return };
        let Some((key, sent)) = Sent::of(request) else { return };
        let mut all = lock(&self.sent);
        let now = Instant::now();
        if all.len() >= SENT_MAX {
            all.retain(|_, (at, _)| now.duration_since(*at) < SENT_FOR);
        }
        if all.len() < SENT_MAX {
            all.insert(key, (now, sent));
        }
    }
}

/// An accepted connection, until it is over. What says nothing, or nothing whole, in time costs
/// a buffer and no more.
pub(crate) async fn accepted<S>(core: Arc<Core>, mut stream: S, remote: SocketAddr, place: Place)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut framer = Framer::default();
    // Whoever is turned away here has cost a buffer and this task.
    let first = tokio::select! {
        first = first_message(&core, &mut stream, remote, &mut framer) => first,
        () = place.evicted.cancelled() => Err("made room for another"),
        () = core.stop.cancelled() => Err("stopped"),
    };
    let first = match first {
        Ok(first) => first,
        Err(why) => {
            core.flows.census.refused.fetch_add(1, Ordering::Relaxed);
            return tracing::debug!(%remote, why, "a connection that said nothing was closed");
        }
    };
    let end = place.evicted.clone();
    let (flow, queue) = match Flow::new(&core, core.flows.number(), remote, end).await {
        Ok(made) => made,
        Err(error) => return tracing::debug!(%remote, %error, "no connection for the library"),
    };
    place.spoke(&flow);
    core.flows.enter(&flow);
    run(core, flow, stream, queue, (framer, Some(first)), place).await;
}

/// Runs an open connection to its end, and cleans up after it.
pub(crate) async fn run<S>(
    core: Arc<Core>,
    flow: Arc<Flow>,
    stream: S,
    mut queue: Queue,
    begun: (Framer, Option<Vec<u8>>),
    place: Place,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (inward, mut outward) = tokio::io::split(stream);
    let why = tokio::select! {
        why = read(&core, &flow, inward, begun) => why,
        why = write(&core, &flow, &mut outward, &mut queue) => why,
        () = flow.end.cancelled() => "ended by us",
        () = core.stop.cancelled() => "stopped",
    };
    if core.stop.is_cancelled() {
        let flush = async {
            while let Some(bytes) = queue.next_now(&core, &flow) {
                outward.write_all(&bytes).await?;
            }
            outward.shutdown().await
        };
        let _ = timeout(FLUSH_MAX, flush).await;
    }
    drop((outward, place));
    tracing::debug!(remote = %flow.remote, why, "connection closed");
    over(core, flow, queue, "Connection Lost").await;
}

/// Whatever depended on the connection is told, whoever still comes to it is told at once.
pub(crate) async fn over(core: Arc<Core>, flow: Arc<Flow>, mut queue: Queue, reason: &'static str) {
    flow.end.cancel();
    core.flows.forget(&flow);
    core.flow_closed(flow.id);
    lock(&flow.entry).take();
    queue.raws.close();
    while let Ok(raw) = queue.raws.try_recv() {
        if let Raw::Switched(bytes) = raw {
            core.flows.by_udp(&core, &bytes, flow.remote).await;
        }
    }
    let sent: Vec<Sent> = lock(&flow.sent).drain().map(|(_, (_, sent))| sent).collect();
    for sent in sent {
        deliver(&core, sent.lost(reason)).await;
    }
    drop(flow);
    // Who looked the connection up just before its end sends into it now.
    undeliverable(core, queue.events, reason).await;
}

/// Answers every request that is given to a connection that is not there, until nobody holds that
/// connection any more.
pub(crate) async fn undeliverable(
    core: Arc<Core>,
    mut events: mpsc::Receiver<TransportEvent>,
    reason: &'static str,
) {
    loop {
        let event = tokio::select! {
            event = events.recv() => event,
            () = core.stop.cancelled() => None,
        };
        match event {
            Some(TransportEvent::Incoming(SipMessage::Request(request), ..)) => {
                if let Some((_, sent)) = Sent::of(&request) {
                    deliver(&core, sent.lost(reason)).await;
                }
            }
            Some(_) => {}
            None => return,
        }
    }
}

/// As if it had come from the far end.
async fn deliver(core: &Core, answer: SipMessage) {
    let Some((nowhere, addr)) = core.flows.nowhere() else { return };
    if let Err(error) = core.endpoint.on_received_message(answer, nowhere, addr).await {
        tracing::debug!(%error, "nobody waited for an answer of ours");
    }
}

/// The first message whole, within its time; pings before it are answered and do not count.
async fn first_message<S>(
    core: &Core,
    stream: &mut S,
    remote: SocketAddr,
    framer: &mut Framer,
) -> Result<Vec<u8>, &'static str>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let limits = core.config.streams;
    let begun = Instant::now() + Duration::from_millis(limits.first_byte_ms);
    let whole = begun + Duration::from_millis(limits.message_ms);
    let mut buffer = [0; 1_024];
    loop {
        let deadline = if framer.is_inside() { whole } else { begun };
        let got = timeout_at(deadline, stream.read(&mut buffer)).await;
        let length = match got {
            Err(_) => return Err("nothing whole in time"),
            Ok(Err(_)) => return Err("failed"),
            Ok(Ok(0)) => return Err("closed by the far end"),
            Ok(Ok(length)) => length,
        };
        framer.push(&buffer[..length]);
        loop {
            let out = match framer.next() {
                Ok(None) => break,
                Ok(Some(Frame::Message(message))) => return Ok(message),
                Ok(Some(Frame::Ping)) => b"\r\n".to_vec(),
                Err(fault) => {
                    let hop = Hop { source: remote, transport: Transport::Tcp };
                    let answer = wire::refuse_fault(&fault, &hop, &core.config.user_agent);
                    if let Some(bytes) = answer {
                        let _ = timeout_at(whole, stream.write_all(&bytes)).await;
                        let _ = stream.shutdown().await;
                    }
                    return Err("no length to trust");
                }
            };
            if !matches!(timeout_at(whole, stream.write_all(&out)).await, Ok(Ok(()))) {
                return Err("takes nothing");
            }
        }
    }
}

async fn read<R: AsyncRead + Unpin>(
    core: &Core,
    flow: &Flow,
    mut inward: R,
    (mut framer, first): (Framer, Option<Vec<u8>>),
) -> &'static str {
    if let Some(message) = first {
        core.take(&message, flow.remote, Some(flow)).await;
    }
    let limits = core.config.streams;
    let idle = Duration::from_millis(limits.idle_ms);
    let mut begun = Instant::now();
    let mut buffer = vec![0; READ_BYTES];
    loop {
        loop {
            match framer.next() {
                Ok(None) => break,
                Ok(Some(Frame::Ping)) => flow.pong.notify_one(),
                Ok(Some(Frame::Message(message))) => {
                    core.take(&message, flow.remote, Some(flow)).await;
                    begun = Instant::now();
                }
                Err(fault) => return last_word(core, flow, &fault).await,
            }
        }
        let inside = framer.is_inside();
        let wait = if inside {
            (begun + Duration::from_millis(limits.message_ms)).duration_since(Instant::now())
        } else {
            idle
        };
        match timeout(wait, inward.read(&mut buffer)).await {
            Ok(Ok(0)) => return "closed by the far end",
            Ok(Ok(length)) => {
                if !inside {
                    begun = Instant::now();
                }
                framer.push(&buffer[..length]);
            }
            Ok(Err(_)) => return "failed",
            Err(_) if inside => return "a message did not end in time",
            Err(_) if flow.holds.load(Ordering::Relaxed) > 0 || core.needs(flow) => {}
            Err(_) if lock(&flow.last_write).elapsed() < idle => {}
            Err(_) => return "idle",
        }
    }
}

/// Says what was wrong with the stream, and waits for the writer to close it. What came whole
/// before is answered first.
async fn last_word(core: &Core, flow: &Flow, fault: &crate::frame::Fault) -> &'static str {
    tokio::time::sleep(ANSWERS_WITHIN).await;
    let hop = Hop { source: flow.remote, transport: Transport::Tcp };
    let answer = wire::refuse_fault(fault, &hop, &core.config.user_agent);
    if answer.is_some_and(|bytes| flow.write(Raw::Last(bytes))) {
        // It is bounded by `write_ms`.
        std::future::pending::<()>().await;
    }
    "no length to trust"
}

async fn write<W: AsyncWrite + Unpin>(
    core: &Core,
    flow: &Flow,
    outward: &mut W,
    queue: &mut Queue,
) -> &'static str {
    let limit = Duration::from_millis(core.config.streams.write_ms);
    loop {
        let (bytes, last) = tokio::select! {
            raw = queue.raws.recv() => match raw {
                Some(raw) => raw.bytes(core, flow),
                None => return "closed",
            },
            event = queue.events.recv() => match event {
                Some(event) => (flow.bytes(core, event), false),
                None => return "closed",
            },
            () = flow.pong.notified() => (b"\r\n".to_vec(), false),
        };
        match timeout(limit, outward.write_all(&bytes)).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return "failed",
            Err(_) => return "the far end takes nothing",
        }
        core.flows.sent.fetch_add(1, Ordering::Relaxed);
        *lock(&flow.last_write) = Instant::now();
        if last {
            let _ = timeout(limit, outward.shutdown()).await;
            return "no length to trust";
        }
    }
}

impl Raw {
    /// And whether it is the last.
    fn bytes(self, core: &Core, flow: &Flow) -> (Vec<u8>, bool) {
        match self {
            Raw::Answer(bytes) => (bytes, false),
            Raw::Last(bytes) => (bytes, true),
            Raw::Switched(bytes) => (outward::switch(&bytes, &core.face, flow.remote), false),
        }
    }
}

impl Flow {
    fn bytes(&self, core: &Core, event: TransportEvent) -> Vec<u8> {
        let TransportEvent::Incoming(message, ..) = event else { return Vec::new() };
        self.remember(&message);
        outward::dress(message, &core.face, self.remote)
    }
}

impl Queue {
    /// What waits now, if anything.
    fn next_now(&mut self, core: &Core, flow: &Flow) -> Option<Vec<u8>> {
        let raw = self.raws.try_recv().ok().map(|raw| raw.bytes(core, flow).0);
        raw.or_else(|| self.events.try_recv().ok().map(|event| flow.bytes(core, event)))
    }
}
