//! Media threads and sockets: carries packets to bridges and out of them, and ticks them.
//!
//! Owns sockets, ports, threads, lateness. It obeys a plan through media, and knows neither
//! signalling nor roles. Any thread or task may hold an [`Engine`]; no call of it blocks.

mod command;
mod gauges;
mod hosted;
mod learning;
mod obey;
mod pending;
mod phases;
mod ports;
mod range;
mod routes;
mod sockets;
mod sys;
mod thread;
mod web;

use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use undertone_core::id::{BridgeId, SeatId, TapId};
use undertone_core::plan::{HearingPlan, Source};
use undertone_core::time::Mono;
use undertone_media::bridge::{Bridge, BridgeEvent, Leg, LegConfig, Sound};
use undertone_sdp::Media;

use command::{Command, Queue};
use gauges::Published;
use hosted::LegIo;
use ports::Pool;
use routes::{Routes, Sent};
use thread::{Worker, WorkerParts};
use web::tcp::TcpDoor;
use web::{Ring, WebHouse};

pub use gauges::{Gauges, LATENESS_BOUNDS_US, Lateness};
pub use pending::Pending;
pub use ports::{Ports, PortsExhausted};
pub use range::Rank;
pub use web::{BrowserRefused, Greet, Greeted, WebConfig};

/// Called on a media thread: it must not block. It may call the engine.
pub type OnEvent = Arc<dyn Fn(BridgeId, BridgeEvent) + Send + Sync>;

/// A listener's end outside the bridge (a live stream, a recording). Called on a media thread,
/// so it must never block; what it cannot take it drops, or it ends.
pub trait TapSink: Send {
    fn frame(&mut self, rate: u32, pcm: &[i16]) -> Result<(), TapEnded>;
}

/// The sink takes nothing more: its tap is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TapEnded;

#[derive(Clone, Debug)]
pub struct EngineConfig {
    /// 1 to 64.
    pub threads: usize,
    /// Legs' sockets are bound here, and their SDP names it.
    pub rtp_ip: IpAddr,
    /// Used in even and odd pairs; `0..=0` is the kernel's choice.
    pub ports: RangeInclusive<u16>,
    /// The same for the other address family.
    pub also: Option<(IpAddr, RangeInclusive<u16>)>,
    /// Differentiated services code point of media, 0 to 63 (46: expedited forwarding).
    pub dscp: Option<u8>,
    /// Ask to run before ordinary work; what was granted is logged.
    pub priority: bool,
    /// Cores for the threads, in turn; empty leaves it to the kernel.
    pub cores: Vec<usize>,
    /// After packets came, how long the next are gathered before they are read together, in
    /// microseconds; 0 to 2,000, and never beyond a tick. It is what forwarding may be delayed by
    /// at most. Measured with 100 plain calls: 0 cost 0.73-0.88 CPU-ms a call-second, 500 cost
    /// 0.42-0.45, beside 0.37-0.57 of a bare relay.
    pub gather_us: u32,
    /// Where browsers come in; None: they are not taken.
    pub web: Option<WebConfig>,
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            threads: 1,
            rtp_ip: IpAddr::V4(Ipv4Addr::LOCALHOST),
            ports: 0..=0,
            also: None,
            dscp: Some(46),
            priority: true,
            cores: Vec::new(),
            gather_us: 500,
            web: None,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    #[error("the engine has no such bridge")]
    NoSuchBridge,
    #[error("a bridge with this id is open")]
    BridgeExists,
    #[error("the media thread has too much to do")]
    Overloaded,
}

impl Sent {
    fn result(self) -> Result<(), EngineError> {
        match self {
            Self::Yes => Ok(()),
            Self::NoSuchBridge => Err(EngineError::NoSuchBridge),
            Self::Full => Err(EngineError::Overloaded),
        }
    }
}

/// A leg out of its bridge, with its sockets: to be attached elsewhere. Dropped, it is gone and
/// its ports are free.
pub struct DetachedLeg {
    pub(crate) leg: Leg,
    pub(crate) io: LegIo,
}

struct Inner {
    queues: Arc<[Queue]>,
    published: Vec<Arc<Published>>,
    routes: Arc<Routes>,
    /// One for each address family that we have an address of.
    pools: Vec<Arc<Pool>>,
    web: Option<Arc<WebHouse>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

/// A handle; the threads end with the last one.
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

impl Engine {
    pub fn start(config: EngineConfig, on_event: OnEvent) -> io::Result<Engine> {
        let threads = config.threads.clamp(1, 64);
        let pools = pools(&config)?;
        let queues: io::Result<Vec<Queue>> = (0..threads).map(|_| Queue::new()).collect();
        let web = config.web.as_ref().map(|web| WebHouse::open(web, threads, config.dscp));
        let (web, mut listener) = web.transpose()?.unzip();
        let web = web.map(Arc::new);
        let rings: Arc<[Ring]> = (0..threads).map(|_| Ring::default()).collect();
        let inner = Inner {
            queues: queues?.into(),
            published: (0..threads).map(|_| Arc::default()).collect(),
            routes: Arc::new(Routes::new(threads)),
            pools,
            web,
            threads: Mutex::new(Vec::new()),
        };
        // From here on, dropping `inner` stops what was started.
        for me in 0..threads {
            let worker = Worker::new(WorkerParts {
                me,
                queues: inner.queues.clone(),
                routes: inner.routes.clone(),
                published: inner.published[me].clone(),
                on_event: on_event.clone(),
                gather: Duration::from_micros(config.gather_us.min(2_000).into()),
                web_port: inner.web.as_ref().and_then(|web| web.port_of(me)),
                // The first thread's.
                tcp_door: listener.take().flatten().map(TcpDoor::new),
                rings: rings.clone(),
            })?;
            let core = match config.cores.len() {
                0 => None,
                n => Some(config.cores[me % n]),
            };
            let priority = config.priority;
            let named = std::thread::Builder::new().name(format!("media-{me}"));
            let thread = named.spawn(move || {
                settle(me, core, priority);
                worker.run();
            })?;
            inner.threads.lock().unwrap_or_else(PoisonError::into_inner).push(thread);
        }
        Ok(Engine(Arc::new(inner)))
    }

    /// The clock of every instant that the engine tells: microseconds of CLOCK_MONOTONIC.
    pub fn now() -> Mono {
        sys::clock()
    }

    /// Binds a pair of sockets on the first address; they are part of nothing until `attach`
    /// takes them.
    pub fn reserve(&self, rank: Rank) -> Result<Ports, PortsExhausted> {
        let pool = self.0.pools.first().ok_or(PortsExhausted::Family)?;
        pool.reserve(sys::clock(), rank)
    }

    /// The same on the address that a far end of this one's family can reach.
    pub fn reserve_for(&self, far: IpAddr, rank: Rank) -> Result<Ports, PortsExhausted> {
        let v6 = far.to_canonical().is_ipv6();
        let pool = self.0.pools.iter().find(|pool| pool.ip().is_ipv6() == v6);
        pool.ok_or(PortsExhausted::Family)?.reserve(sys::clock(), rank)
    }

    /// Opens on the thread with the fewest bridges.
    pub fn open(&self, id: BridgeId, seed: u64) -> Result<(), EngineError> {
        self.open_at(id, seed, None)
    }

    pub fn open_on(&self, id: BridgeId, seed: u64, thread: usize) -> Result<(), EngineError> {
        self.open_at(id, seed, Some(thread.min(self.threads() - 1)))
    }

    fn open_at(&self, id: BridgeId, seed: u64, thread: Option<usize>) -> Result<(), EngineError> {
        let sent = self.0.routes.open(&self.0.queues, (id, seed), thread);
        sent.map_or(Err(EngineError::BridgeExists), Sent::result)
    }

    /// Ends the bridge, its legs, and their ports.
    pub fn close(&self, id: BridgeId) {
        self.0.routes.close(&self.0.queues, id);
    }

    pub fn attach(
        &self,
        id: BridgeId,
        seat: SeatId,
        config: LegConfig,
        ports: Ports,
    ) -> Result<(), EngineError> {
        // Made here: an Opus leg takes its time, and no media thread should give it.
        let media = Box::new(config.media.clone());
        let leg = Box::new(Leg::new(sys::clock(), config));
        self.send(id, Command::Attach { id, seat, leg, ports, media })
    }

    /// Takes the leg out between two packets. Dropping the answer, or the leg in it, ends the leg.
    pub fn detach(&self, id: BridgeId, seat: SeatId) -> Pending<Option<DetachedLeg>> {
        let (answer, waiting) = pending::pending();
        let _ = self.send(id, Command::Detach { id, seat, answer });
        waiting
    }

    /// Attaches a leg that was detached, with its sockets and what it has learnt.
    pub fn attach_leg(
        &self,
        id: BridgeId,
        seat: SeatId,
        leg: DetachedLeg,
    ) -> Result<(), EngineError> {
        self.send(id, Command::AttachLeg { id, seat, leg: Box::new(leg) })
    }

    /// A new offer and answer were exchanged on the leg.
    pub fn reconfigure(&self, id: BridgeId, seat: SeatId, media: Media) {
        let media = Box::new(media);
        let _ = self.send(id, Command::Reconfigure { id, seat, media });
    }

    /// The leg's signalling comes from that host now: its packets may come from there too.
    pub fn trust(&self, id: BridgeId, seat: SeatId, host: IpAddr) {
        let _ = self.send(id, Command::Trust { id, seat, host });
    }

    /// Never refused, and carried out in the thread's next turn whatever else waits.
    pub fn apply(&self, id: BridgeId, plan: Arc<HearingPlan>) {
        let _ = self.send(id, Command::Apply { id, plan });
    }

    pub fn open_tap(
        &self,
        id: BridgeId,
        tap: TapId,
        rate: u32,
        sink: Box<dyn TapSink>,
    ) -> Result<(), EngineError> {
        self.send(id, Command::OpenTap { id, tap, rate, sink })
    }

    pub fn close_tap(&self, id: BridgeId, tap: TapId) {
        let _ = self.send(id, Command::CloseTap { id, tap });
    }

    pub fn set_source(
        &self,
        id: BridgeId,
        source: Source,
        sound: Box<dyn Sound>,
    ) -> Result<(), EngineError> {
        self.send(id, Command::SetSource { id, source, sound })
    }

    /// Asks for `AudioProven` of this seat.
    pub fn prove(&self, id: BridgeId, seat: SeatId, incoming: bool) -> Result<(), EngineError> {
        self.send(id, Command::Prove { id, seat, incoming })
    }

    /// Looks at a bridge on its own thread, between two packets. Keep it short.
    pub fn inspect<R: Send + 'static>(
        &self,
        id: BridgeId,
        look: impl FnOnce(&Bridge) -> R + Send + 'static,
    ) -> Pending<R> {
        self.work(id, move |bridge| look(bridge))
    }

    /// As `inspect`, with the right to change.
    pub fn work<R: Send + 'static>(
        &self,
        id: BridgeId,
        work: impl FnOnce(&mut Bridge) -> R + Send + 'static,
    ) -> Pending<R> {
        let (answer, waiting) = pending::pending();
        let work = Box::new(move |bridge: Option<&mut Bridge>| {
            if let Some(bridge) = bridge {
                answer.give(work(bridge));
            }
        });
        let _ = self.send(id, Command::Inspect { id, work });
        waiting
    }

    /// Moves a bridge, with its legs and their sockets, between two packets.
    pub fn move_bridge(&self, id: BridgeId, thread: usize) -> Result<(), EngineError> {
        self.0.routes.move_to(&self.0.queues, id, thread.min(self.threads() - 1)).result()
    }

    pub fn thread_of(&self, id: BridgeId) -> Option<usize> {
        self.0.routes.thread_of(id)
    }

    pub fn threads(&self) -> usize {
        self.0.queues.len()
    }

    pub fn gauges(&self) -> Gauges {
        let mut sum = Gauges::default();
        for published in &self.0.published {
            published.add_to(&mut sum);
        }
        sum.ports_in_use = self.0.pools.iter().map(|pool| pool.in_use() as u64).sum();
        sum.ports_refused = self.0.pools.iter().map(|pool| pool.refused()).sum();
        sum.browsers = self.0.web.as_ref().map_or(0, |web| web.here() as u64);
        sum.commands_waiting = self.0.queues.iter().map(|q| q.len() as u64).sum();
        sum
    }

    fn send(&self, id: BridgeId, command: Command) -> Result<(), EngineError> {
        self.0.routes.send(&self.0.queues, id, command).result()
    }
}

fn pools(config: &EngineConfig) -> io::Result<Vec<Arc<Pool>>> {
    let wrong = |why: &str| io::Error::new(io::ErrorKind::InvalidInput, why);
    let also = config.also.iter().map(|(ip, ports)| (*ip, ports));
    if also.clone().any(|(ip, _)| ip.is_ipv4() == config.rtp_ip.is_ipv4()) {
        return Err(wrong("the two addresses of media are of one family"));
    }
    let all = std::iter::once((config.rtp_ip, &config.ports)).chain(also);
    let none = || wrong("the range of RTP ports holds no pair of an even and an odd port");
    all.map(|(ip, ports)| Pool::new(ip, ports, config.dscp).map(Arc::new).ok_or_else(none))
        .collect()
}

/// What a media thread asks of the kernel before its first turn.
fn settle(me: usize, core: Option<usize>, priority: bool) {
    if let Some(core) = core
        && let Err(error) = sys::pin_to(core)
    {
        tracing::warn!(thread = me, core, %error, "a media thread stays unpinned");
    }
    let granted = if priority { sys::ask_for_priority() } else { "not asked for" };
    tracing::info!(thread = me, priority = granted, "a media thread runs");
}

impl Drop for Inner {
    fn drop(&mut self) {
        for queue in self.queues.iter() {
            queue.push(Command::Stop);
        }
        let threads =
            std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        let me = std::thread::current().id();
        for thread in threads {
            // The last handle may be dropped by a listener on a media thread itself.
            if thread.thread().id() != me {
                let _ = thread.join();
            }
        }
    }
}
