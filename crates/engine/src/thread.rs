//! One media thread: waits for packets and ticks, carries out commands, and lets a bridge that
//! panics end alone. It owns its bridges; nobody else touches them.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use rustc_hash::FxHashMap;
use undertone_core::id::BridgeId;
use undertone_core::time::Mono;
use undertone_media::bridge::{Bridge, BridgeEvent, Lane};

use crate::OnEvent;
use crate::command::{Command, Queue};
use crate::gauges::{Counts, Published};
use crate::hosted::{Hosted, LegIo, Way, Wire};
use crate::phases::Phases;
use crate::routes::Routes;
use crate::sys::{Epoll, Ready, clock, nap, thread_cpu_us};
use crate::web::tcp::TcpDoor;
use crate::web::work::WEB;
use crate::web::{Port, Ring, WebKey};

const WAKER: u64 = u64::MAX;
/// Packets handled before the loop looks at its ticks and commands again.
const BATCH_EVENTS: usize = 128;
/// A tick later than this is a stall: what waits in the sockets is taken in before ticks are
/// caught up with, so that jitter buffers fill before they are asked.
const STALL_US: u64 = 20_000;
const STALL_READS: usize = 64;
/// Datagrams of strangers that are read and dropped before the leg's own next one: a flood on a
/// port must not fill its buffer, in which the leg's packets wait as well.
const STRANGER_READS: usize = 64;
/// No RTP packet of ours is longer, and a longer datagram is cut and then refused as RTP.
const DATAGRAM_BYTES: usize = 2_048;
const CPU_EVERY_US: u64 = 100_000;

pub(crate) struct Worker {
    pub(crate) me: usize,
    pub(crate) epoll: Epoll,
    /// Of every thread, this one's at `me`.
    queues: Arc<[Queue]>,
    routes: Arc<Routes>,
    published: Arc<Published>,
    on_event: OnEvent,
    gather: Duration,
    pub(crate) bridges: Vec<Option<Box<Hosted>>>,
    pub(crate) vacant: Vec<u32>,
    pub(crate) slots: FxHashMap<BridgeId, u32>,
    /// Bridges on their way here, with what was asked of them meanwhile.
    pub(crate) expected: FxHashMap<BridgeId, Vec<Command>>,
    pub(crate) phases: Phases,
    pub(crate) counts: Counts,
    pub(crate) buffer: Box<[u8]>,
    /// Where browsers come in, if they do.
    pub(crate) web_port: Option<Port>,
    pub(crate) tcp_door: Option<TcpDoor>,
    pub(crate) swept: Mono,
    /// Browsers' legs that are on this thread: slot and index.
    pub(crate) webs: FxHashMap<WebKey, (u32, usize)>,
    /// Datagrams from other threads' ports, one ring a thread.
    pub(crate) rings: Arc<[Ring]>,
    /// Some wait in this thread's for a leg that is on its way.
    pub(crate) early: bool,
    cpu_read: Mono,
}

/// Whether the loop goes on.
pub(crate) enum Turn {
    On,
    Stop,
}

/// What one attempt to read came to.
enum Read {
    Nothing,
    Ours,
    Strange,
}

pub(crate) struct WorkerParts {
    pub(crate) me: usize,
    pub(crate) queues: Arc<[Queue]>,
    pub(crate) routes: Arc<Routes>,
    pub(crate) published: Arc<Published>,
    pub(crate) on_event: OnEvent,
    pub(crate) gather: Duration,
    pub(crate) web_port: Option<Port>,
    pub(crate) tcp_door: Option<TcpDoor>,
    pub(crate) rings: Arc<[Ring]>,
}

fn token(slot: u32, leg: usize, lane: Lane) -> u64 {
    u64::from(slot) << 32 | (leg as u64) << 1 | u64::from(lane == Lane::Rtcp)
}

impl Worker {
    pub(crate) fn new(parts: WorkerParts) -> std::io::Result<Self> {
        let epoll = Epoll::new()?;
        epoll.add(parts.queues[parts.me].waker(), WAKER)?;
        let mut worker = Self {
            me: parts.me,
            epoll,
            queues: parts.queues,
            routes: parts.routes,
            published: parts.published,
            on_event: parts.on_event,
            gather: parts.gather,
            bridges: Vec::new(),
            vacant: Vec::new(),
            slots: FxHashMap::default(),
            expected: FxHashMap::default(),
            phases: Phases::default(),
            counts: Counts::default(),
            buffer: vec![0; DATAGRAM_BYTES].into_boxed_slice(),
            web_port: parts.web_port,
            tcp_door: parts.tcp_door,
            swept: Mono(0),
            webs: FxHashMap::default(),
            rings: parts.rings,
            early: false,
            cpu_read: Mono(0),
        };
        worker.open_web()?;
        Ok(worker)
    }

    pub(crate) fn run(mut self) {
        let mut ready = [Ready::NONE; BATCH_EVENTS];
        let mut waiting = VecDeque::new();
        loop {
            let now = clock();
            let until = self.phases.next_due().map(|due| due - now);
            let n = self.epoll.wait(&mut ready, until);
            self.counts.turns += 1;
            let woken = clock();
            // Before the queue is taken: what is pushed after that wakes the next wait.
            let called = ready[..n].iter().any(|event| event.token() == WAKER);
            if called {
                self.queues[self.me].waker().reset();
            }
            if let Turn::Stop = self.commands(&mut waiting) {
                break;
            }
            if called || self.early {
                self.take_passed();
            }
            self.packets(&ready[..n], woken);
            if let Turn::Stop = self.ticks(&mut waiting) {
                break;
            }
            self.publish();
            self.gather_more(n, woken);
        }
        self.queues[self.me].close();
        self.counts = Counts::default();
        self.published.publish(&mut self.counts);
    }

    /// Under load, rests a moment between two waits, so that packets which come together are
    /// read together: each wait that is spared is a switch to this thread and back.
    fn gather_more(&self, events: usize, woken: Mono) {
        if events == 0 || self.gather.is_zero() {
            return;
        }
        let now = clock();
        let mut end = woken + self.gather;
        if let Some(due) = self.phases.next_due() {
            end = end.min(due);
        }
        if now < end {
            nap(end - now);
        }
    }

    fn commands(&mut self, waiting: &mut VecDeque<Command>) -> Turn {
        let queues = self.queues.clone();
        if !queues[self.me].take(waiting) {
            return Turn::On;
        }
        while let Some(command) = waiting.pop_front() {
            if let Turn::Stop = self.obey(command) {
                return Turn::Stop;
            }
        }
        self.cpu_read = Mono(0);
        self.publish();
        Turn::On
    }

    fn packets(&mut self, ready: &[Ready], now: Mono) {
        let due = self.phases.next_due();
        let stalled = due.is_some_and(|due| now.since(due) > STALL_US);
        let reads = if stalled { STALL_READS } else { 1 };
        self.read_all(ready, reads);
        if !stalled {
            return;
        }
        // More sockets than one batch may wait: all are read before ticks are caught up with.
        let mut more = [Ready::NONE; BATCH_EVENTS];
        for _ in 0..64 {
            let n = self.epoll.wait(&mut more, Some(Duration::ZERO));
            self.read_all(&more[..n], reads);
            if n < more.len() {
                break;
            }
        }
    }

    fn read_all(&mut self, ready: &[Ready], reads: usize) {
        for event in ready {
            let token = event.token();
            if token & WEB != 0 {
                if token != WAKER {
                    self.read_web(token);
                }
                continue;
            }
            let (mut left, mut strangers) = (reads, STRANGER_READS);
            while left > 0 && strangers > 0 {
                match self.read_one(token) {
                    Read::Nothing => break,
                    Read::Ours => left -= 1,
                    Read::Strange => strangers -= 1,
                }
            }
        }
    }

    /// Reads one datagram, and hands it to its bridge if it is the leg's.
    fn read_one(&mut self, token: u64) -> Read {
        let slot = (token >> 32) as u32;
        let leg = (token as u32 >> 1) as usize;
        let socket = if token & 1 == 1 { Lane::Rtcp } else { Lane::Rtp };
        let Some(Some(hosted)) = self.bridges.get_mut(slot as usize) else {
            return Read::Nothing;
        };
        let Some(Some(LegIo { id, way: Way::Sockets(io), .. })) = hosted.legs.get_mut(leg) else {
            return Read::Nothing;
        };
        let Some((len, from)) = io.receive(socket, &mut self.buffer) else {
            return Read::Nothing;
        };
        self.counts.packets_in += 1;
        let now = clock();
        let Some(lane) = io.judge(now, socket, from, &self.buffer[..len]) else {
            self.counts.packets_foreign += 1;
            return Read::Strange;
        };
        let (id, buffer) = (*id, std::mem::take(&mut self.buffer));
        self.within(slot, |bridge, wire| {
            bridge.handle_packet(now, id, lane, &buffer[..len], wire);
        });
        self.buffer = buffer;
        Read::Ours
    }

    fn ticks(&mut self, waiting: &mut VecDeque<Command>) -> Turn {
        while let Some(due) = self.phases.take_due(clock()) {
            self.counts.lateness.add(due.late_us);
            self.counts.ticks_skipped += due.skipped * self.phases.len(due.phase) as u64;
            let mut at = 0;
            while let Some(slot) = self.phases.slot(due.phase, at) {
                self.counts.ticks += 1;
                self.within(slot, |bridge, wire| bridge.tick(clock(), wire));
                self.web_ticks(slot);
                // A bridge that panicked has left the phase: another is in its place now.
                if self.phases.slot(due.phase, at) == Some(slot) {
                    at += 1;
                }
            }
            // While ticks are caught up with, a plan that closes still waits for none of them.
            if let Turn::Stop = self.commands(waiting) {
                return Turn::Stop;
            }
        }
        Turn::On
    }

    /// Calls into a bridge. If that panics, the bridge ends, and no other.
    pub(crate) fn within<R>(
        &mut self,
        slot: u32,
        work: impl FnOnce(&mut Bridge, &mut Wire<'_>) -> R,
    ) -> Option<R> {
        let hosted = self.bridges.get_mut(slot as usize)?.as_mut()?;
        let Hosted { id, bridge, legs, taps, .. } = &mut **hosted;
        let (id, counts, on_event) = (*id, &mut self.counts, &self.on_event);
        let mut wire = Wire { id, legs, taps, counts, on_event, ended: Vec::new() };
        let done = catch_unwind(AssertUnwindSafe(|| work(bridge, &mut wire)));
        let ended = wire.ended;
        match done {
            Ok(done) => {
                for tap in ended {
                    self.close_tap(slot, tap);
                }
                Some(done)
            }
            Err(_) => {
                self.panicked(slot, id);
                None
            }
        }
    }

    fn panicked(&mut self, slot: u32, id: BridgeId) {
        self.counts.bridges_panicked += 1;
        tracing::error!(bridge = id.0, "a bridge panicked and was ended; others go on");
        self.remove(slot);
        self.routes.forget(id);
        self.tell(id, BridgeEvent::Panicked);
    }

    pub(crate) fn tell(&self, id: BridgeId, event: BridgeEvent) {
        // A listener that panics must not take the media thread with it.
        if catch_unwind(AssertUnwindSafe(|| (self.on_event)(id, event))).is_err() {
            tracing::error!(bridge = id.0, "the listener for media events panicked");
        }
    }

    /// Takes the bridge out; its sockets no longer wake this thread.
    pub(crate) fn take_out(&mut self, slot: u32) -> Option<Box<Hosted>> {
        let hosted = self.bridges.get_mut(slot as usize)?.take()?;
        self.phases.leave(hosted.phase, slot);
        self.slots.remove(&hosted.id);
        self.vacant.push(slot);
        for io in hosted.legs.iter().flatten() {
            self.unwatch(io);
        }
        self.counts.bridges -= 1;
        self.counts.legs -= hosted.legs.iter().flatten().count() as u64;
        self.counts.taps -= hosted.taps.len() as u64;
        Some(hosted)
    }

    pub(crate) fn remove(&mut self, slot: u32) {
        let hosted = self.take_out(slot);
        // What a bridge left in a broken state may panic again as it is dropped.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(hosted)));
    }

    pub(crate) fn put_in(&mut self, mut hosted: Box<Hosted>) {
        let slot = self.vacant.pop().unwrap_or(self.bridges.len() as u32);
        if slot as usize == self.bridges.len() {
            self.bridges.push(None);
        }
        hosted.phase = self.phases.join(clock(), slot);
        self.slots.insert(hosted.id, slot);
        self.counts.bridges += 1;
        self.counts.legs += hosted.legs.iter().flatten().count() as u64;
        self.counts.taps += hosted.taps.len() as u64;
        let legs = hosted.legs.len();
        self.bridges[slot as usize] = Some(hosted);
        for at in 0..legs {
            self.watch(slot, at);
        }
    }

    /// What comes for this leg wakes this thread from now on.
    pub(crate) fn watch(&mut self, slot: u32, leg: usize) {
        let hosted = self.bridges.get(slot as usize).and_then(Option::as_ref);
        let Some(Some(io)) = hosted.and_then(|hosted| hosted.legs.get(leg)) else { return };
        let ports = match &io.way {
            Way::Sockets(sockets) => &sockets.ports,
            Way::Web(web) => {
                self.webs.insert(web.key, (slot, leg));
                return web.place.set(Some(self.me));
            }
        };
        let rtp = self.epoll.add(&ports.rtp_socket, token(slot, leg, Lane::Rtp));
        let rtcp = self.epoll.add(&ports.rtcp_socket, token(slot, leg, Lane::Rtcp));
        if let Err(error) = rtp.and(rtcp) {
            tracing::error!(leg = io.id.0, %error, "a leg's sockets cannot be watched");
        }
    }

    pub(crate) fn unwatch(&mut self, io: &LegIo) {
        match &io.way {
            Way::Sockets(sockets) => {
                self.epoll.remove(&sockets.ports.rtp_socket);
                self.epoll.remove(&sockets.ports.rtcp_socket);
            }
            Way::Web(web) => {
                self.webs.remove(&web.key);
                web.place.set(None);
            }
        }
    }

    pub(crate) fn queue_of(&self, thread: usize) -> &Queue {
        &self.queues[thread]
    }

    fn publish(&mut self) {
        let now = clock();
        if now.since(self.cpu_read) >= CPU_EVERY_US {
            self.cpu_read = now;
            self.counts.cpu_us = thread_cpu_us();
        }
        self.published.publish(&mut self.counts);
        self.sweep_web();
    }
}
