//! The port that all browsers of one media thread share, and whose a datagram is: by the name in
//! a check (the ICE ufrag), and by its source address once a check from there was authentic.
//! Whatever else comes is nobody's; it costs a look into a table, and leaves nothing behind.

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustc_hash::FxHashMap;
use socket2::{Domain, Protocol, Socket, Type};
use undertone_media::leg::webrtc::{Road, is_check, named_in};

use super::tcp::Lane;
use super::{Arrived, Place, WebKey};

/// What all browsers of a thread may have waiting while the thread is late: about a second of
/// fifty of them, where the kernel allows it.
const BUFFER_BYTES: usize = 1024 * 1024;
/// Names of one browser: before and after an ICE restart.
const NAMES_MAX: usize = 2;
/// Datagrams that wait for one thread to take them from another's port.
const RING_MAX_DATAGRAMS: usize = 512;

/// Binds a shared port; 0 is the kernel's choice.
pub(crate) fn bind(at: SocketAddr, dscp: Option<u8>) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(at), Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_nonblocking(true)?;
    socket.set_recv_buffer_size(BUFFER_BYTES)?;
    if let Some(dscp) = dscp {
        let tos = u32::from(dscp) << 2;
        if at.is_ipv4() { socket.set_tos_v4(tos)? } else { socket.set_tclass_v6(tos)? }
    }
    socket.bind(&at.into())?;
    Ok(socket.into())
}

struct Entry {
    place: Arc<Place>,
    names: Vec<String>,
    addresses: Vec<(Road, SocketAddr)>,
}

/// One thread's own: nobody else touches it.
pub(crate) struct Port {
    /// `Road::Udp` counts them.
    pub(crate) udp: Vec<Arc<UdpSocket>>,
    /// Of the second socket, which hears this machine alone: what has another source may come from
    /// elsewhere. (From there none claims this one: Linux drops what comes in with a source of its
    /// own, unless `accept_local` is set. A socket bound to the interface `lo` hears nothing: what
    /// goes to an address of its own, the kernel counts as of that address's interface.)
    near: Option<IpAddr>,
    by_name: FxHashMap<String, WebKey>,
    by_address: FxHashMap<(Road, SocketAddr), WebKey>,
    entries: FxHashMap<WebKey, Entry>,
}

impl Port {
    pub(crate) fn new(udp: Vec<Arc<UdpSocket>>) -> Self {
        let near = udp.get(1).and_then(|near| near.local_addr().ok()).map(|at| at.ip());
        Self {
            udp,
            near,
            by_name: FxHashMap::default(),
            by_address: FxHashMap::default(),
            entries: FxHashMap::default(),
        }
    }

    /// Whether this socket hears that source at all.
    pub(crate) fn hears(&self, n: u8, from: SocketAddr) -> bool {
        n == 0 || self.near == Some(from.ip())
    }

    /// Whose it is, and which thread has that leg.
    pub(crate) fn whose(&self, arrived: &Arrived<'_>) -> Option<(WebKey, &Place)> {
        // A check is its name's alone: nothing that only comes from the right address counts as
        // a sign of life.
        let key = match is_check(arrived.bytes) {
            true => self.by_name.get(named_in(arrived.bytes)?)?,
            false => self.by_address.get(&(arrived.road, arrived.from))?,
        };
        Some((*key, &self.entries.get(key)?.place))
    }

    pub(crate) fn welcome(&mut self, name: String, key: WebKey, place: Arc<Place>) {
        let fresh = Entry { place, names: Vec::new(), addresses: Vec::new() };
        let entry = self.entries.entry(key).or_insert(fresh);
        if entry.names.len() == NAMES_MAX {
            self.by_name.remove(&entry.names.remove(0));
        }
        entry.names.push(name.clone());
        self.by_name.insert(name, key);
    }

    pub(crate) fn known(&mut self, key: WebKey, road: Road, from: SocketAddr) {
        let Some(entry) = self.entries.get_mut(&key) else { return };
        entry.addresses.push((road, from));
        // An address that another browser had (a NAT gave it anew) is this one's now.
        if let Some(other) = self.by_address.insert((road, from), key)
            && other != key
            && let Some(entry) = self.entries.get_mut(&other)
        {
            entry.addresses.retain(|at| *at != (road, from));
        }
    }

    pub(crate) fn unknown(&mut self, key: WebKey, road: Road, from: SocketAddr) {
        let Some(entry) = self.entries.get_mut(&key) else { return };
        entry.addresses.retain(|at| *at != (road, from));
        if self.by_address.get(&(road, from)) == Some(&key) {
            self.by_address.remove(&(road, from));
        }
    }

    pub(crate) fn farewell(&mut self, key: WebKey) {
        let Some(entry) = self.entries.remove(&key) else { return };
        for name in entry.names {
            self.by_name.remove(&name);
        }
        for at in entry.addresses {
            if self.by_address.get(&at) == Some(&key) {
                self.by_address.remove(&at);
            }
        }
    }
}

/// A datagram on its way from the thread whose port it came to, to the one that has its leg.
pub(crate) struct Passed {
    pub(crate) key: WebKey,
    pub(crate) from: SocketAddr,
    pub(crate) road: Road,
    pub(crate) lane: Option<Arc<Lane>>,
    pub(crate) bytes: Box<[u8]>,
}

/// Bounded: what finds no room is lost, as in a full socket.
#[derive(Default)]
pub(crate) struct Ring(Mutex<VecDeque<Passed>>);

impl Ring {
    fn lock(&self) -> MutexGuard<'_, VecDeque<Passed>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the other thread must be woken: it was empty.
    pub(crate) fn push(&self, passed: Passed) -> bool {
        let mut waiting = self.lock();
        if waiting.len() >= RING_MAX_DATAGRAMS {
            return false;
        }
        waiting.push_back(passed);
        waiting.len() == 1
    }

    pub(crate) fn take(&self) -> VecDeque<Passed> {
        std::mem::take(&mut *self.lock())
    }

    /// What is for a leg that is still on its way here waits for it, before what has come since.
    pub(crate) fn put_back(&self, mut early: VecDeque<Passed>) {
        let mut waiting = self.lock();
        early.append(&mut waiting);
        early.truncate(RING_MAX_DATAGRAMS);
        *waiting = early;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port() -> Port {
        let at = SocketAddr::from(([127, 0, 0, 1], 0));
        Port::new(vec![Arc::new(bind(at, None).expect("a port"))])
    }

    fn from(port: u16) -> SocketAddr {
        SocketAddr::from(([192, 0, 2, 1], port))
    }

    fn audio(from: SocketAddr) -> Arrived<'static> {
        Arrived { from, road: Road::Udp(0), lane: None, bytes: &[0x80; 40] }
    }

    #[test]
    fn an_address_is_a_browsers_only_once_it_is_known_and_no_longer_after_it_has_left() {
        let mut port = port();
        let key = WebKey(1);
        port.welcome("name".into(), key, Place::nowhere());
        assert!(port.whose(&audio(from(1))).is_none());
        port.known(key, Road::Udp(0), from(1));
        assert_eq!(port.whose(&audio(from(1))).map(|(key, _)| key), Some(key));
        assert!(port.whose(&audio(from(2))).is_none());
        port.farewell(key);
        assert!(port.whose(&audio(from(1))).is_none());
        assert!(port.by_name.is_empty() && port.by_address.is_empty() && port.entries.is_empty());
    }

    #[test]
    fn of_many_restarts_the_last_two_names_count() {
        let mut port = port();
        let place = Place::nowhere();
        for n in 0..100 {
            port.welcome(format!("name{n}"), WebKey(1), place.clone());
        }
        assert_eq!(port.by_name.len(), NAMES_MAX);
        assert!(port.by_name.contains_key("name99") && port.by_name.contains_key("name98"));
    }

    #[test]
    fn an_address_that_a_nat_gave_to_another_browser_is_that_ones() {
        let mut port = port();
        for key in [WebKey(1), WebKey(2)] {
            port.welcome(format!("name{}", key.0), key, Place::nowhere());
            port.known(key, Road::Udp(0), from(1));
        }
        port.farewell(WebKey(1));
        assert_eq!(port.whose(&audio(from(1))).map(|(key, _)| key), Some(WebKey(2)));
    }

    #[test]
    fn a_ring_that_nobody_empties_stays_bounded_and_wakes_once() {
        let ring = Ring::default();
        let (road, lane) = (Road::Udp(0), None::<Arc<Lane>>);
        let passed = || {
            let (key, lane) = (WebKey(1), lane.clone());
            Passed { key, from: from(1), road, lane, bytes: [0; 40].into() }
        };
        let woken = (0..2_000).filter(|_| ring.push(passed())).count();
        assert_eq!(woken, 1);
        let waiting = ring.take();
        assert_eq!(waiting.len(), RING_MAX_DATAGRAMS);
        ring.push(passed());
        ring.put_back(waiting);
        assert_eq!(ring.take().len(), RING_MAX_DATAGRAMS);
    }
}
