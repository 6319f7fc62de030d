//! ICE over TCP, passive (RFC 6544), for browsers whose UDP is blocked: one listening port of the
//! first media thread, frames of RFC 4571 on each connection. A connection is a browser's once a
//! check came on it that was authentic; until then it has some seconds, and makes room for others.
//! How many a browser may have is its leg's to say, and not a matter of where it is: a whole site
//! may be behind one address.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv6Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use socket2::{Domain, Protocol, SockRef, Socket, Type};
use undertone_core::time::Mono;
use undertone_media::leg::webrtc::{Frames, NotAFrame};

/// Of all browsers together.
const CONNECTIONS_MAX: usize = 1_024;
/// Of one source, that no authentic check has come on yet: all browsers of a site that come back
/// at once.
const UNPROVEN_OF_ONE_SOURCE_MAX: usize = 128;
/// What may wait for a far end that does not read: some 5 s of audio. Then frames are lost.
const UNSENT_MAX_BYTES: usize = 64 * 1024;
/// A connection that no authentic check came on is closed.
const PROVEN_WITHIN_US: u64 = 5_000_000;
/// And one on which nothing came for so long.
const IDLE_US: u64 = 60_000_000;

/// One connection, to send on from any thread.
pub(crate) struct Lane {
    stream: TcpStream,
    unsent: Mutex<Unsent>,
    /// A browser is at the other end.
    proven: AtomicBool,
}

#[derive(Default)]
struct Unsent {
    bytes: Vec<u8>,
    broken: bool,
}

impl Lane {
    pub(crate) fn send(&self, datagram: &[u8]) {
        let mut unsent = self.unsent.lock().unwrap_or_else(PoisonError::into_inner);
        if unsent.bytes.len() + datagram.len() <= UNSENT_MAX_BYTES
            && Frames::put(datagram, &mut unsent.bytes)
        {
            unsent.push_out(&self.stream);
        }
    }

    /// An authentic check came on it.
    pub(crate) fn prove(&self) {
        self.proven.store(true, Ordering::Relaxed);
    }

    /// Ends it from any thread; the first one sees it as ended by the far end.
    pub(crate) fn close(&self) {
        let _ = self.stream.shutdown(Shutdown::Both);
        self.unsent.lock().unwrap_or_else(PoisonError::into_inner).broken = true;
    }

    /// Sends on what waits; false once the connection is gone.
    pub(crate) fn flush(&self) -> bool {
        let mut unsent = self.unsent.lock().unwrap_or_else(PoisonError::into_inner);
        unsent.push_out(&self.stream);
        !unsent.broken
    }
}

impl Unsent {
    fn push_out(&mut self, mut stream: &TcpStream) {
        while !self.bytes.is_empty() && !self.broken {
            match stream.write(&self.bytes) {
                Ok(0) => self.broken = true,
                Ok(n) => drop(self.bytes.drain(..n)),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return,
                Err(_) => self.broken = true,
            }
        }
        if self.broken {
            self.bytes = Vec::new();
        }
    }
}

struct Connection {
    from: SocketAddr,
    lane: Arc<Lane>,
    frames: Frames,
    since: Mono,
    heard_at: Mono,
}

impl Connection {
    fn is_unproven(&self) -> bool {
        !self.lane.proven.load(Ordering::Relaxed)
    }
}

/// Who is counted as one: an IPv4 address, or the /64 in which an IPv6 host may take any.
fn source(ip: IpAddr) -> IpAddr {
    const HOST: u128 = u64::MAX as u128;
    match ip.to_canonical() {
        IpAddr::V6(ip) => Ipv6Addr::from_bits(ip.to_bits() & !HOST).into(),
        v4 => v4,
    }
}

/// The listener and what came in by it: the first media thread's own.
pub(crate) struct TcpDoor {
    pub(crate) listener: TcpListener,
    connections: Vec<Option<Connection>>,
}

/// What one reading came to.
pub(crate) enum Reading {
    /// Frames may be taken; more may wait.
    Some,
    Nothing,
    /// It has ended, and is closed.
    Ended,
}

/// Whether there is a place for one more.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Room {
    Free,
    /// Once this one has been closed.
    InsteadOf(usize),
    Full,
}

impl TcpDoor {
    pub(crate) fn bind(at: SocketAddr) -> io::Result<TcpListener> {
        let socket = Socket::new(Domain::for_address(at), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_reuse_address(true)?;
        socket.set_nonblocking(true)?;
        socket.bind(&at.into())?;
        socket.listen(128)?;
        Ok(socket.into())
    }

    pub(crate) fn new(listener: TcpListener) -> Self {
        Self { listener, connections: Vec::new() }
    }

    /// Who waits at the door.
    pub(crate) fn knocks(&self) -> Option<(TcpStream, SocketAddr)> {
        self.listener.accept().ok()
    }

    /// Who comes late and is a browser must not suffer from many who only sit here: of those who
    /// have proved nothing the first makes room, of the same source if that has many of them, else
    /// of the one that has most. Full: all are browsers.
    pub(crate) fn room_for(&self, from: IpAddr) -> Room {
        self.room(source(from), UNPROVEN_OF_ONE_SOURCE_MAX, CONNECTIONS_MAX)
    }

    fn room(&self, from: IpAddr, unproven_max: usize, max: usize) -> Room {
        let all = self.connections.iter().enumerate();
        let open = all.filter_map(|(at, connection)| Some((at, connection.as_ref()?)));
        let mut unproven: BTreeMap<IpAddr, Vec<(Mono, usize)>> = BTreeMap::new();
        let mut count = 0;
        for (at, connection) in open {
            count += 1;
            if connection.is_unproven() {
                let theirs = unproven.entry(source(connection.from.ip())).or_default();
                theirs.push((connection.since, at));
            }
        }
        let crowd = unproven.get(&from).filter(|theirs| theirs.len() >= unproven_max);
        let crowd = match count {
            _ if crowd.is_some() => crowd,
            count if count < max => return Room::Free,
            _ => unproven.values().max_by_key(|theirs| theirs.len()),
        };
        let first = crowd.and_then(|theirs| theirs.iter().min());
        first.map_or(Room::Full, |(_, at)| Room::InsteadOf(*at))
    }

    /// Takes one in; its index, to be watched. None: it is gone already.
    pub(crate) fn take(&mut self, now: Mono, stream: TcpStream, from: SocketAddr) -> Option<usize> {
        stream.set_nonblocking(true).and_then(|()| stream.set_nodelay(true)).ok()?;
        let (unsent, proven) = (Mutex::default(), AtomicBool::new(false));
        let lane = Arc::new(Lane { stream, unsent, proven });
        let fresh = Connection { from, lane, frames: Frames::default(), since: now, heard_at: now };
        let at = self.connections.iter().position(Option::is_none);
        let at = at.unwrap_or(self.connections.len());
        if at == self.connections.len() {
            self.connections.push(None);
        }
        self.connections[at] = Some(fresh);
        Some(at)
    }

    /// The far end is told at once that nobody is here for it.
    pub(crate) fn refuse(stream: &TcpStream) {
        let _ = SockRef::from(stream).set_linger(Some(Duration::ZERO));
    }

    pub(crate) fn stream(&self, at: usize) -> Option<&TcpStream> {
        Some(&self.connections.get(at)?.as_ref()?.lane.stream)
    }

    /// Reads once, as much as one frame can need.
    pub(crate) fn read(&mut self, now: Mono, at: usize, buffer: &mut [u8]) -> Reading {
        let Some(Some(connection)) = self.connections.get_mut(at) else { return Reading::Nothing };
        let room = buffer.len().min(Frames::READ_MAX_BYTES);
        match (&connection.lane.stream).read(&mut buffer[..room]) {
            Ok(0) => Reading::Ended,
            Ok(n) => {
                connection.frames.came(&buffer[..n]);
                connection.heard_at = now;
                Reading::Some
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => Reading::Some,
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => Reading::Nothing,
            Err(_) => Reading::Ended,
        }
    }

    /// The next whole frame; an error says that what comes is no frame of a browser's.
    pub(crate) fn frame(
        &mut self,
        at: usize,
        into: &mut Vec<u8>,
    ) -> Result<Option<(SocketAddr, Arc<Lane>)>, NotAFrame> {
        let Some(Some(connection)) = self.connections.get_mut(at) else { return Ok(None) };
        let whole = connection.frames.next(into)?;
        Ok(whole.then(|| (connection.from, connection.lane.clone())))
    }

    pub(crate) fn close(&mut self, at: usize) {
        if let Some(connection) = self.connections.get_mut(at).and_then(Option::take) {
            connection.lane.close();
        }
    }

    /// Whom to close: who never proved to be a browser, and who has been silent.
    pub(crate) fn sweep(&self, now: Mono) -> Vec<usize> {
        let over = |connection: &Connection| {
            (connection.is_unproven() && now.since(connection.since) > PROVEN_WITHIN_US)
                || now.since(connection.heard_at) > IDLE_US
        };
        let all = self.connections.iter().enumerate();
        all.filter(|(_, c)| c.as_ref().is_some_and(over)).map(|(at, _)| at).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Hall {
        door: TcpDoor,
        to: SocketAddr,
        far: Vec<TcpStream>,
    }

    fn hall() -> Hall {
        let listener = TcpDoor::bind(SocketAddr::from(([127, 0, 0, 1], 0))).expect("a port");
        let to = listener.local_addr().expect("its address");
        Hall { door: TcpDoor::new(listener), to, far: Vec::new() }
    }

    impl Hall {
        /// As if from there.
        fn comes(&mut self, from: &str) -> usize {
            self.far.push(TcpStream::connect(self.to).expect("connected"));
            let stream = loop {
                if let Some((stream, _)) = self.door.knocks() {
                    break stream;
                }
                std::thread::yield_now();
            };
            let from = SocketAddr::new(from.parse().expect("an address"), 1);
            let now = Mono::from_ms(self.far.len() as u64);
            self.door.take(now, stream, from).expect("taken")
        }

        fn proves(&self, at: usize) {
            self.door.connections[at].as_ref().expect("open").lane.prove();
        }

        fn room(&self, from: &str, unproven_max: usize, max: usize) -> Room {
            self.door.room(source(from.parse().expect("an address")), unproven_max, max)
        }
    }

    #[test]
    fn who_proved_nothing_makes_room_and_a_browser_never() {
        let mut hall = hall();
        let all = [0; 3].map(|_| hall.comes("192.0.2.1"));
        assert_eq!(hall.room("192.0.2.9", 9, 4), Room::Free);
        hall.proves(all[0]);
        assert_eq!(hall.room("192.0.2.9", 9, 3), Room::InsteadOf(all[1]));
        hall.door.close(all[1]);
        hall.proves(all[2]);
        assert_eq!(hall.room("192.0.2.9", 9, 2), Room::Full, "both are browsers");
        assert_eq!(hall.room("192.0.2.9", 9, 3), Room::Free);
    }

    #[test]
    fn the_source_that_has_most_makes_room_for_another() {
        let mut hall = hall();
        let early = hall.comes("192.0.2.1");
        // One host of IPv6, with an address for each.
        let many = ["2001:db8::1", "2001:db8::2", "2001:db8::ffff:3"].map(|ip| hall.comes(ip));
        hall.comes("2001:db8:0:1::1");
        assert_eq!(hall.room("198.51.100.1", 9, 5), Room::InsteadOf(many[0]));
        assert_eq!(hall.room("2001:db8::4", 3, 99), Room::InsteadOf(many[0]), "it has its share");
        assert_eq!(hall.room("2001:db8::4", 4, 99), Room::Free);
        assert_eq!(hall.room("192.0.2.1", 1, 99), Room::InsteadOf(early));
        many.iter().for_each(|at| hall.proves(*at));
        assert_eq!(hall.room("2001:db8::4", 3, 99), Room::Free, "browsers are no crowd");
    }
}
