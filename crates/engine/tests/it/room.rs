//! An engine, its events, and phones that are bare sockets; waits on conditions, never on time.

use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use undertone_core::id::{BridgeId, LegId, SeatId};
use undertone_core::plan::{Edge, HearingPlan, Listener, Opens, PlanVersion, Source};
use undertone_engine::{Engine, EngineConfig, Rank};
use undertone_media::bridge::{BridgeEvent, LegConfig};
use undertone_sdp::{Codec, Media, OpusParams};

/// Longer than two reports of a browser take, which come each 5 s.
pub(crate) const SOON: Duration = Duration::from_secs(30);

pub(crate) struct Room {
    pub(crate) engine: Engine,
    pub(crate) events: Receiver<(BridgeId, BridgeEvent)>,
    /// Descriptors of the process are counted, so rooms are used one after the other.
    _alone: MutexGuard<'static, ()>,
}

static ALONE: Mutex<()> = Mutex::new(());
static NEXT_LEG: AtomicU64 = AtomicU64::new(1);

impl Room {
    pub(crate) fn new(threads: usize) -> Room {
        Self::of(EngineConfig { threads, priority: false, ..EngineConfig::default() })
    }

    pub(crate) fn of(config: EngineConfig) -> Room {
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let (tx, events) = sync_channel(100_000);
        let on_event = Arc::new(move |bridge, event| {
            let _ = tx.try_send((bridge, event));
        });
        Room { engine: Engine::start(config, on_event).unwrap(), events, _alone: alone }
    }

    /// A call between two bare sockets that hear each other.
    pub(crate) fn call(&self, id: u64) -> (BridgeId, Peer, Peer) {
        let bridge = BridgeId(id);
        self.engine.open(bridge, id).unwrap();
        let peers = (self.seat(bridge, SeatId(1)), self.seat(bridge, SeatId(2)));
        self.engine.apply(bridge, two_way(1));
        // What a phone says before its leg is attached is not part of the call.
        self.wait_event(|e| matches!(e, BridgeEvent::PlanInForce(PlanVersion(1))));
        (bridge, peers.0, peers.1)
    }

    pub(crate) fn seat(&self, bridge: BridgeId, seat: SeatId) -> Peer {
        self.seat_of(bridge, seat, Peer::at("127.0.0.1:0"), media)
    }

    pub(crate) fn seat_of(
        &self,
        bridge: BridgeId,
        seat: SeatId,
        peer: Peer,
        describe: impl FnOnce(SocketAddr) -> Media,
    ) -> Peer {
        let ports = self.engine.reserve_for(peer.addr().ip(), Rank::First).unwrap();
        let toward = ports.rtp;
        let leg = LegId(NEXT_LEG.fetch_add(1, Ordering::Relaxed));
        let config = LegConfig::new(leg, describe(peer.addr()), bridge.0);
        self.engine.attach(bridge, seat, config, ports).unwrap();
        Peer { toward, ..peer }
    }

    /// With a description of its own; gives our two ports as well.
    pub(crate) fn peer_with(
        &self,
        bridge: BridgeId,
        seat: SeatId,
        describe: impl FnOnce(&mut Media),
    ) -> (Peer, (SocketAddr, SocketAddr)) {
        let peer = Peer::at("127.0.0.1:0");
        let ports = self.engine.reserve(Rank::First).unwrap();
        let ours = (ports.rtp, ports.rtcp);
        let mut described = media(peer.addr());
        describe(&mut described);
        let leg = LegId(NEXT_LEG.fetch_add(1, Ordering::Relaxed));
        self.engine.attach(bridge, seat, LegConfig::new(leg, described, bridge.0), ports).unwrap();
        (Peer { toward: ours.0, ..peer }, ours)
    }

    pub(crate) fn wait_event(&self, wanted: impl Fn(&BridgeEvent) -> bool) -> BridgeId {
        let deadline = Instant::now() + SOON;
        while let Some(left) = deadline.checked_duration_since(Instant::now()) {
            if let Ok((bridge, event)) = self.events.recv_timeout(left)
                && wanted(&event)
            {
                return bridge;
            }
        }
        panic!("no such event in time");
    }
}

/// Asks again and again, giving the processor away between.
pub(crate) fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + SOON;
    while !is_so() {
        assert!(Instant::now() < deadline, "not in time: {what}");
        std::thread::yield_now();
    }
}

pub(crate) fn open_files() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

pub(crate) fn two_way(version: u64) -> Arc<HearingPlan> {
    let edge = |from, to| Edge {
        source: Source::Seat(SeatId(from)),
        listener: Listener::Seat(SeatId(to)),
        audio: true,
        events: true,
        gain_cdb: 0,
        opens: Opens::AtOnce,
        until: None,
    };
    let edges = vec![edge(2, 1), edge(1, 2)];
    Arc::new(HearingPlan { version: PlanVersion(version), edges, ..HearingPlan::default() })
}

pub(crate) fn media(addr: SocketAddr) -> Media {
    let rtcp = SocketAddr::new(addr.ip(), addr.port().wrapping_add(1).max(1));
    Media {
        addr,
        rtcp,
        rtcp_mux: false,
        sends: true,
        receives: true,
        codecs: vec![(0, Codec::Pcmu)],
        arriving: vec![(0, Codec::Pcmu)],
        events: Vec::new(),
        events_arriving: Vec::new(),
        comfort_noise: None,
        ptime_ms: 20,
        maxptime_ms: None,
        opus: OpusParams::default(),
    }
}

/// A socket that speaks RTP by hand.
pub(crate) struct Peer {
    pub(crate) socket: UdpSocket,
    pub(crate) toward: SocketAddr,
    seq: AtomicU64,
    ssrc: u32,
}

impl Peer {
    pub(crate) fn at(place: &str) -> Peer {
        let socket = UdpSocket::bind(place).unwrap();
        socket.set_read_timeout(Some(SOON)).unwrap();
        let toward = socket.local_addr().unwrap();
        let ssrc = u32::from(toward.port()) + 7_000_000;
        Peer { socket, toward, seq: AtomicU64::new(1), ssrc }
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.socket.local_addr().unwrap()
    }

    /// 20 ms of G.711 whose every byte is `mark`.
    pub(crate) fn say(&self, mark: u8) {
        self.say_from(&self.socket, mark);
    }

    pub(crate) fn say_from(&self, socket: &UdpSocket, mark: u8) {
        let seq = self.seq.fetch_add(1, Ordering::Relaxed);
        let mut packet = vec![0x80, 0];
        packet.extend_from_slice(&(seq as u16).to_be_bytes());
        packet.extend_from_slice(&(seq as u32 * 160).to_be_bytes());
        packet.extend_from_slice(&self.ssrc.to_be_bytes());
        packet.extend_from_slice(&[mark; 160]);
        socket.send_to(&packet, self.toward).unwrap();
    }

    /// Reads until a packet with this mark comes; what else comes (silence) is passed over.
    pub(crate) fn hears(&self, mark: u8) -> bool {
        let deadline = Instant::now() + SOON;
        let mut buffer = [0; 2_048];
        while Instant::now() < deadline {
            match self.socket.recv_from(&mut buffer) {
                Ok((172, _)) if buffer[12..172] == [mark; 160] => return true,
                Ok(_) => {}
                Err(_) => return false,
            }
        }
        false
    }
}
