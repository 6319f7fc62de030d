//! A browser's leg on its media thread: its connection, and the roads on which datagrams reach it.
//! They come in by a port that all browsers of one thread share (`port`), or by TCP (`tcp`); they
//! may come on another thread than the one that has the leg, and are then handed on undecrypted.
//! Decides nothing about who hears whom.

mod entry;
mod port;
pub(crate) mod tcp;
pub(crate) mod work;

use std::net::{SocketAddr, UdpSocket};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use undertone_core::time::Mono;
use undertone_media::leg::webrtc::{
    Answered, Reoffer, Road, Secret, WebError, WebRtc, WebState, is_check,
};

use crate::command::{Command, Queue};
use crate::sys::clock;
use tcp::Lane as TcpLane;

pub(crate) use entry::WebHouse;
pub use entry::{BrowserRefused, Greet, Greeted, WebConfig};
pub(crate) use port::{Port, Ring};

/// Addresses that one browser may be heard from: its interfaces, before and after a change of
/// network.
pub(crate) const ADDRESSES_MAX: usize = 16;
/// TCP connections that one browser may have open; the oldest ends for one more.
const LANES_MAX: usize = 4;

/// One connection of a browser; a browser that reloads has another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct WebKey(pub(crate) u64);

/// Which thread has the leg now.
pub(crate) struct Place(AtomicUsize);

impl Place {
    const NOWHERE: usize = usize::MAX;

    pub(crate) fn nowhere() -> Arc<Self> {
        Arc::new(Self(AtomicUsize::new(Self::NOWHERE)))
    }
    pub(crate) fn thread(&self) -> Option<usize> {
        Some(self.0.load(Ordering::Acquire)).filter(|thread| *thread != Self::NOWHERE)
    }
    pub(crate) fn set(&self, thread: Option<usize>) {
        self.0.store(thread.unwrap_or(Self::NOWHERE), Ordering::Release);
    }
}

/// A datagram, and the way back.
pub(crate) struct Arrived<'a> {
    pub(crate) from: SocketAddr,
    pub(crate) road: Road,
    /// The connection, where it came by TCP.
    pub(crate) lane: Option<Arc<TcpLane>>,
    pub(crate) bytes: &'a [u8],
}

/// What a leg sends by.
pub(crate) struct Ways {
    /// Of the thread that the browser was told; `Road::Udp` counts them.
    udp: Vec<Arc<UdpSocket>>,
    lanes: Vec<(SocketAddr, Arc<TcpLane>)>,
}

impl Ways {
    /// To the wire. What the kernel does not take is lost, as on any network.
    fn put(&self, road: Road, to: SocketAddr, bytes: &[u8]) {
        match road {
            Road::Udp(n) => {
                if let Some(udp) = self.udp.get(usize::from(n)) {
                    let _ = udp.send_to(bytes, to);
                }
            }
            Road::Tcp => {
                if let Some((_, lane)) = self.lanes.iter().find(|(at, _)| *at == to) {
                    lane.send(bytes);
                }
            }
        }
    }

    fn keep(&mut self, from: SocketAddr, lane: &Arc<TcpLane>) {
        lane.prove();
        if self.lanes.iter().any(|(_, known)| Arc::ptr_eq(known, lane)) {
            return;
        }
        // The far end has come again from the same place.
        self.lanes.retain(|(at, _)| *at != from);
        if self.lanes.len() == LANES_MAX {
            self.lanes.remove(0).1.close();
        }
        self.lanes.push((from, lane.clone()));
    }
}

/// What a leg has in the place of sockets of its own.
pub(crate) struct Web {
    pub(crate) key: WebKey,
    pub(crate) place: Arc<Place>,
    rtc: WebRtc,
    ways: Ways,
    known: Vec<(Road, SocketAddr)>,
    guest: Guest,
    /// The library panicked over it: it is asked nothing more, and the leg ends.
    broken: bool,
}

/// An entry in the tables of the threads by whose doors the browser may come; it ends with this.
pub(crate) struct Guest {
    key: WebKey,
    home: usize,
    queues: Arc<[Queue]>,
    house: Arc<WebHouse>,
}

/// Reads what comes by TCP, whoever it is from.
const TCP_THREAD: usize = 0;

impl Guest {
    /// A name counts at both doors: the UDP port that the browser was told, and the TCP port.
    fn tell_doors(&self, command: impl Fn() -> Command) {
        self.queues[self.home].push(command());
        if self.home != TCP_THREAD {
            self.queues[TCP_THREAD].push(command());
        }
    }

    /// An address counts where datagrams come in from it.
    fn tell(&self, road: Road, command: Command) {
        let door = match road {
            Road::Udp(_) => self.home,
            Road::Tcp => TCP_THREAD,
        };
        self.queues[door].push(command);
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        self.tell_doors(|| Command::Farewell { key: self.key });
        self.house.left();
    }
}

/// What there is to say of a connection.
#[derive(Default)]
pub(crate) struct WebNews {
    pub(crate) state: Option<WebState>,
    pub(crate) quiet: Option<bool>,
}

/// What became of a datagram.
pub(crate) struct Received {
    pub(crate) plain: Vec<Vec<u8>>,
    pub(crate) news: WebNews,
}

impl Web {
    pub(crate) fn receive(&mut self, now: Mono, arrived: &Arrived<'_>) -> Received {
        let Arrived { from, road, .. } = *arrived;
        let Self { rtc, ways, .. } = self;
        let accepted = rtc.receive(now, road, from, arrived.bytes, &mut |road, to, bytes| {
            match &arrived.lane {
                // Back by the connection that it came on, which may not be known yet.
                Some(lane) if to == from => lane.send(bytes),
                _ => ways.put(road, to, bytes),
            }
        });
        if accepted && is_check(arrived.bytes) {
            self.learn(road, from);
            if let Some(lane) = &arrived.lane {
                self.ways.keep(from, lane);
            }
        }
        let mut plain = Vec::new();
        while let Some(packet) = self.rtc.next_plain() {
            plain.push(packet);
        }
        Received { plain, news: self.news() }
    }

    fn news(&mut self) -> WebNews {
        WebNews { state: self.rtc.news(), quiet: self.rtc.quiet_news() }
    }

    /// Within a bridge, which must not end with one of its legs: a panic of the library is kept
    /// here until the leg is looked at next.
    pub(crate) fn send(&mut self, now: Mono, rtp: &[u8]) -> bool {
        if self.broken {
            return false;
        }
        let Self { rtc, ways, .. } = self;
        let sent = catch_unwind(AssertUnwindSafe(|| {
            #[cfg(test)]
            tests::may_panic(self.key);
            rtc.send(now, rtp, &mut |road, to, bytes| ways.put(road, to, bytes))
        }));
        self.broken = sent.is_err();
        sent.unwrap_or(false)
    }

    pub(crate) fn is_broken(&self) -> bool {
        self.broken
    }

    pub(crate) fn tick(&mut self, now: Mono) -> WebNews {
        let Self { rtc, ways, .. } = self;
        rtc.tick(now, &mut |road, to, bytes| ways.put(road, to, bytes));
        ways.lanes.retain(|(_, lane)| lane.flush());
        self.news()
    }

    pub(crate) fn rtc(&mut self) -> &mut WebRtc {
        &mut self.rtc
    }

    /// Another offer of the same browser.
    pub(crate) fn reoffer(
        &mut self,
        offer: Reoffer,
        secret: &Secret,
    ) -> Result<Answered, WebError> {
        let Self { rtc, ways, .. } = self;
        let wire = &mut |road, to, bytes: &[u8]| ways.put(road, to, bytes);
        let answered = rtc.reoffer(clock(), offer, secret, wire)?;
        self.guest.tell_doors(|| {
            let (ufrag, place) = (answered.ufrag.clone(), self.place.clone());
            Command::Welcome { ufrag, key: self.key, place }
        });
        Ok(answered)
    }

    /// The home's table learns it too: what comes from there is this browser's.
    fn learn(&mut self, road: Road, from: SocketAddr) {
        if self.known.contains(&(road, from)) {
            return;
        }
        if self.known.len() == ADDRESSES_MAX {
            let (road, from) = self.known.remove(0);
            self.guest.tell(road, Command::Unknown { key: self.key, road, from });
        }
        self.known.push((road, from));
        self.guest.tell(road, Command::Known { key: self.key, road, from });
    }
}

impl Drop for Web {
    fn drop(&mut self) {
        let Self { rtc, ways, broken, .. } = self;
        if !*broken {
            rtc.close(clock(), &mut |road, to, bytes| ways.put(road, to, bytes));
        }
        // They carried nobody else.
        ways.lanes.iter().for_each(|(_, lane)| lane.close());
    }
}

/// The same instant on both clocks.
fn both_clocks() -> (Mono, Instant) {
    (clock(), Instant::now())
}

#[cfg(test)]
mod tests;
