//! ICE over TCP, passive (RFC 6544), for browsers whose UDP is blocked: one listening port of the
//! first media thread, frames of RFC 4571 on each connection. A connection that has not named a
//! browser within some seconds is closed, and one source has few of them.

use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

use socket2::{Domain, Protocol, SockRef, Socket, Type};
use undertone_core::time::Mono;

/// Of all browsers together.
const CONNECTIONS_MAX: usize = 1_024;
/// Of one source address: a site behind one NAT has many browsers.
const CONNECTIONS_OF_ONE_SOURCE_MAX: usize = 64;
/// No datagram of a browser is longer.
const FRAME_MAX_BYTES: usize = 2_048;
/// What may wait for a far end that does not read: some 5 s of audio. Then frames are lost.
const UNSENT_MAX_BYTES: usize = 64 * 1024;
/// A connection that nobody's check came on is closed.
const NAMED_WITHIN_US: u64 = 5_000_000;
/// And one on which nothing came for so long.
const IDLE_US: u64 = 60_000_000;
/// Connections accepted in one turn.
const ACCEPTS_A_TURN: usize = 16;

/// One connection, to send on from any thread.
pub(crate) struct Lane {
    stream: TcpStream,
    unsent: Mutex<Unsent>,
}

#[derive(Default)]
struct Unsent {
    bytes: Vec<u8>,
    broken: bool,
}

impl Lane {
    pub(crate) fn send(&self, datagram: &[u8]) {
        let Ok(length) = u16::try_from(datagram.len()) else { return };
        let mut unsent = self.unsent.lock().unwrap_or_else(PoisonError::into_inner);
        if unsent.bytes.len() + datagram.len() > UNSENT_MAX_BYTES {
            return;
        }
        unsent.bytes.extend_from_slice(&length.to_be_bytes());
        unsent.bytes.extend_from_slice(datagram);
        unsent.push_out(&self.stream);
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
    /// At most one frame and the head of the next.
    partial: Vec<u8>,
    since: Mono,
    heard_at: Mono,
    named: bool,
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

    /// Takes who waits at the door; gives each one's index, to be watched.
    pub(crate) fn accept(&mut self, now: Mono) -> Vec<usize> {
        let mut taken = Vec::new();
        for _ in 0..ACCEPTS_A_TURN {
            let Ok((stream, from)) = self.listener.accept() else { break };
            let settled = stream.set_nonblocking(true).and_then(|()| stream.set_nodelay(true));
            let crowd = self.of(from.ip()) >= CONNECTIONS_OF_ONE_SOURCE_MAX;
            if crowd || settled.is_err() || !self.has_room(CONNECTIONS_MAX) {
                // Dropped: the far end is told at once that nobody is here.
                let _ = SockRef::from(&stream).set_linger(Some(std::time::Duration::ZERO));
                continue;
            }
            let lane = Arc::new(Lane { stream, unsent: Mutex::default() });
            let partial = Vec::new();
            let fresh = Connection { from, lane, partial, since: now, heard_at: now, named: false };
            let at = self.connections.iter().position(Option::is_none);
            let at = at.unwrap_or(self.connections.len());
            if at == self.connections.len() {
                self.connections.push(None);
            }
            self.connections[at] = Some(fresh);
            taken.push(at);
        }
        taken
    }

    /// Who comes late and is a browser must not suffer from many who only sit here: the first of
    /// those who have named nobody makes room. False: all have.
    fn has_room(&mut self, max: usize) -> bool {
        if self.open().count() < max {
            return true;
        }
        let all = self.connections.iter().enumerate();
        let unnamed = all.filter_map(|(at, c)| Some((c.as_ref().filter(|c| !c.named)?.since, at)));
        let Some((_, oldest)) = unnamed.min() else { return false };
        self.close(oldest);
        true
    }

    fn open(&self) -> impl Iterator<Item = &Connection> {
        self.connections.iter().flatten()
    }

    fn of(&self, source: IpAddr) -> usize {
        self.open().filter(|connection| connection.from.ip() == source).count()
    }

    pub(crate) fn stream(&self, at: usize) -> Option<&TcpStream> {
        Some(&self.connections.get(at)?.as_ref()?.lane.stream)
    }

    /// Reads once, as much as one frame can need.
    pub(crate) fn read(&mut self, now: Mono, at: usize, buffer: &mut [u8]) -> Reading {
        let Some(Some(connection)) = self.connections.get_mut(at) else { return Reading::Nothing };
        let room = buffer.len().min(FRAME_MAX_BYTES);
        match (&connection.lane.stream).read(&mut buffer[..room]) {
            Ok(0) => Reading::Ended,
            Ok(n) => {
                connection.partial.extend_from_slice(&buffer[..n]);
                connection.heard_at = now;
                Reading::Some
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => Reading::Some,
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => Reading::Nothing,
            Err(_) => Reading::Ended,
        }
    }

    /// The next whole frame; an error says that what comes is no frame of a browser's.
    #[allow(clippy::type_complexity)]
    pub(crate) fn frame(
        &mut self,
        at: usize,
        into: &mut Vec<u8>,
    ) -> Result<Option<(SocketAddr, Arc<Lane>)>, NotAFrame> {
        let Some(Some(connection)) = self.connections.get_mut(at) else { return Ok(None) };
        let partial = &mut connection.partial;
        let Some((head, rest)) = partial.split_first_chunk::<2>() else { return Ok(None) };
        let length = usize::from(u16::from_be_bytes(*head));
        if length == 0 || length > FRAME_MAX_BYTES {
            return Err(NotAFrame);
        }
        let Some(frame) = rest.get(..length) else { return Ok(None) };
        into.clear();
        into.extend_from_slice(frame);
        partial.drain(..length + 2);
        Ok(Some((connection.from, connection.lane.clone())))
    }

    /// Somebody's check came on it.
    pub(crate) fn named(&mut self, at: usize) {
        if let Some(Some(connection)) = self.connections.get_mut(at) {
            connection.named = true;
        }
    }

    pub(crate) fn close(&mut self, at: usize) {
        if let Some(connection) = self.connections.get_mut(at).and_then(Option::take) {
            let _ = connection.lane.stream.shutdown(std::net::Shutdown::Both);
            connection.lane.unsent.lock().unwrap_or_else(PoisonError::into_inner).broken = true;
        }
    }

    /// Closes who never said whose they are, and who has been silent; says which.
    pub(crate) fn sweep(&self, now: Mono) -> Vec<usize> {
        let over = |connection: &Connection| {
            (!connection.named && now.since(connection.since) > NAMED_WITHIN_US)
                || now.since(connection.heard_at) > IDLE_US
        };
        let all = self.connections.iter().enumerate();
        all.filter(|(_, c)| c.as_ref().is_some_and(over)).map(|(at, _)| at).collect()
    }
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NotAFrame;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_named_nobody_makes_room_and_a_browser_never() {
        let listener = TcpDoor::bind(SocketAddr::from(([127, 0, 0, 1], 0))).expect("a port");
        let to = listener.local_addr().expect("its address");
        let mut door = TcpDoor::new(listener);
        let far: Vec<_> = (0..3).map(|_| TcpStream::connect(to).expect("connected")).collect();
        let mut taken = Vec::new();
        while taken.len() < far.len() {
            taken.extend(door.accept(Mono::from_ms(taken.len() as u64)));
        }
        assert!(door.has_room(4), "one is free");
        assert_eq!(door.open().count(), 3);
        door.named(taken[0]);
        assert!(door.has_room(3));
        let open = |at: &usize| door.stream(*at).is_some();
        assert_eq!(taken.iter().map(open).collect::<Vec<_>>(), [true, false, true]);
        door.named(taken[2]);
        assert!(!door.has_room(2), "both are browsers");
        assert_eq!(door.open().count(), 2);
    }
}
