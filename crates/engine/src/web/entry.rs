//! How a browser comes in: its offer is answered, and a leg made that is part of no bridge yet.
//! Runs on the caller's thread, so that no media thread gives its time to it.

use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener, UdpSocket};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use undertone_core::id::{BridgeId, LegId, SeatId};
use undertone_media::bridge::{Leg, LegConfig};
use undertone_media::leg::webrtc::{
    Answered, Certificate, Greeting, Reach, Reoffer, Secret, WebRtc,
};
use undertone_sdp::{Codec, Media};

use super::port::{Port, bind};
use super::tcp::TcpDoor;
use super::{Guest, Place, Ways, Web, WebError, WebKey, both_clocks};
use crate::command::Command;
use crate::hosted::LegIo;
use crate::pending::{Pending, pending};
use crate::sys::clock;
use crate::{DetachedLeg, Engine, EngineError};

/// Browsers at a time; each has some 50 KiB.
const BROWSERS_MAX: usize = 2_000;

/// Where browsers come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WebConfig {
    pub ip: IpAddr,
    /// Of the first media thread, UDP and TCP; each other thread's is the next, UDP alone. 0 is the
    /// kernel's choice.
    pub port: u16,
    pub tcp: bool,
    /// Another address of this machine, for browsers on it that speak to no loopback address:
    /// nothing that comes from elsewhere is heard there.
    pub near: Option<IpAddr>,
}

#[derive(Debug, thiserror::Error)]
pub enum BrowserRefused {
    #[error("browsers are not taken here: no address is set for them")]
    NotHere,
    #[error("{0} browsers are connected already")]
    Full(usize),
    #[error(transparent)]
    Offer(#[from] WebError),
}

/// A browser's first offer.
pub struct Greet<'a> {
    pub offer: &'a str,
    pub leg: LegId,
    pub seed: u64,
    pub secret: Secret,
    /// What the browser is asked to send, if it can.
    pub prefer: Option<Codec>,
    /// The address of ours that this browser reaches.
    pub told: IpAddr,
}

/// The answer, and the leg: to be attached to a bridge, best to one of this thread.
pub struct Greeted {
    pub answer: String,
    pub media: Media,
    pub leg: DetachedLeg,
    pub thread: usize,
}

/// One thread's ports.
struct Door {
    /// The first at the house's own address, of which browsers may be told another; the others
    /// are told as they are.
    udp: Vec<(Arc<UdpSocket>, SocketAddr)>,
}

impl Door {
    fn sockets(&self) -> Vec<Arc<UdpSocket>> {
        self.udp.iter().map(|(socket, _)| socket.clone()).collect()
    }
    fn port(&self) -> u16 {
        self.udp[0].1.port()
    }
    fn told(&self, first: IpAddr) -> Vec<SocketAddr> {
        let mut told: Vec<SocketAddr> = self.udp.iter().map(|(_, at)| *at).collect();
        told[0].set_ip(first);
        told
    }
}

/// What all threads share of browsers.
pub(crate) struct WebHouse {
    certificate: Certificate,
    ip: IpAddr,
    /// By thread.
    doors: Vec<Door>,
    tcp_port: Option<u16>,
    here: AtomicUsize,
    next: AtomicU64,
}

impl WebHouse {
    /// The house, and the first thread's TCP listener.
    pub(crate) fn open(
        config: &WebConfig,
        threads: usize,
        dscp: Option<u8>,
    ) -> io::Result<(Self, Option<TcpListener>)> {
        let certificate = Certificate::generate();
        let certificate = certificate.ok_or_else(|| io::Error::other("no DTLS certificate"))?;
        let mut doors = Vec::new();
        for thread in 0..threads as u16 {
            let beyond = || io::Error::other("browsers' ports go beyond the last one");
            let port = match config.port {
                0 => 0,
                first => first.checked_add(thread).ok_or_else(beyond)?,
            };
            let socket = bind(SocketAddr::new(config.ip, port), dscp)?;
            let at = socket.local_addr()?;
            let mut udp = vec![(Arc::new(socket), at)];
            udp.extend(config.near.and_then(|ip| near(ip, dscp)));
            doors.push(Door { udp });
        }
        let listener = match config.tcp {
            true => Some(TcpDoor::bind(SocketAddr::new(config.ip, config.port))?),
            false => None,
        };
        let tcp_port = listener.as_ref().map(TcpListener::local_addr).transpose()?;
        let tcp_port = tcp_port.map(|at| at.port());
        let (here, next) = (AtomicUsize::new(0), AtomicU64::new(0));
        Ok((Self { certificate, ip: config.ip, doors, tcp_port, here, next }, listener))
    }

    pub(crate) fn port_of(&self, thread: usize) -> Option<Port> {
        self.doors.get(thread).map(|door| Port::new(door.sockets()))
    }

    pub(crate) fn here(&self) -> usize {
        self.here.load(Ordering::Relaxed)
    }

    /// UDP ports by thread, and the TCP port.
    pub(crate) fn ports(&self) -> (Vec<u16>, Option<u16>) {
        (self.doors.iter().map(Door::port).collect(), self.tcp_port)
    }

    fn enter(&self) -> Result<(), BrowserRefused> {
        let before = self.here.fetch_add(1, Ordering::Relaxed);
        if before >= BROWSERS_MAX {
            self.left();
            return Err(BrowserRefused::Full(before));
        }
        Ok(())
    }

    pub(crate) fn left(&self) {
        self.here.fetch_sub(1, Ordering::Relaxed);
    }
}

/// None where the kernel refuses it: browsers then have the other roads.
fn near(ip: IpAddr, dscp: Option<u8>) -> Option<(Arc<UdpSocket>, SocketAddr)> {
    let bound =
        bind(SocketAddr::new(ip, 0), dscp).and_then(|socket| Ok((socket.local_addr()?, socket)));
    match bound {
        Ok((at, socket)) => Some((Arc::new(socket), at)),
        Err(error) => {
            tracing::warn!(%ip, %error, "no port for browsers of this machine beside loopback");
            None
        }
    }
}

impl Engine {
    /// Answers a browser's first offer. The leg is gone, and the browser told so, when it is
    /// dropped.
    pub fn greet(&self, greet: Greet<'_>) -> Result<Greeted, BrowserRefused> {
        let house = self.0.web.clone().ok_or(BrowserRefused::NotHere)?;
        house.enter()?;
        let key = WebKey(house.next.fetch_add(1, Ordering::Relaxed));
        let thread = key.0 as usize % house.doors.len();
        // From here on, dropping it takes the browser off the count.
        let guest = Guest { key, home: thread, queues: self.0.queues.clone(), house };
        let door = &guest.house.doors[thread];
        let tcp = guest.house.tcp_port.map(|port| SocketAddr::new(greet.told, port));
        let (rtc, answered) = WebRtc::accept(Greeting {
            offer: greet.offer,
            reach: Reach { udp: door.told(greet.told), tcp },
            certificate: &guest.house.certificate,
            secret: greet.secret,
            prefer: greet.prefer,
            now: both_clocks(),
        })?;
        let ways = Ways { udp: door.sockets(), lanes: Vec::new() };
        let place = Place::nowhere();
        guest.tell_doors(|| {
            let (ufrag, place) = (answered.ufrag.clone(), place.clone());
            Command::Welcome { ufrag, key, place }
        });
        let web = Web { key, place, rtc, ways, known: Vec::new(), guest, broken: false };
        let config = LegConfig::new(greet.leg, answered.media.clone(), greet.seed);
        let mut leg = Leg::new(clock(), config);
        leg.set_connected(false);
        // No seat yet: whoever attaches it says which.
        let io = LegIo::of_browser(greet.leg, SeatId(0), web);
        let leg = DetachedLeg { leg, io };
        Ok(Greeted { answer: answered.sdp, media: answered.media, leg, thread })
    }

    /// Another offer of the browser that is connected at this seat: ICE restart, codecs. None: no
    /// browser is there. `WebError::OtherBrowser`: it has reloaded; `greet` it, and `rewire`.
    /// It is read here, on the caller's thread.
    pub fn reoffer(
        &self,
        id: BridgeId,
        seat: SeatId,
        offer: &str,
        secret: Secret,
    ) -> Pending<Option<Result<Answered, WebError>>> {
        let (answer, waiting) = pending();
        let read = catch_unwind(AssertUnwindSafe(|| Reoffer::read(offer)));
        match read.unwrap_or(Err(WebError::NotAnOffer)) {
            Ok(offer) => {
                let offer = Box::new(offer);
                let _ = self.send(id, Command::Reoffer { id, seat, offer, secret, answer });
            }
            Err(error) => answer.give(Some(Err(error))),
        }
        waiting
    }

    /// How long nothing has come from the browser at this seat, in milliseconds. None: there is
    /// none.
    pub fn silent_ms(&self, id: BridgeId, seat: SeatId) -> Pending<Option<u64>> {
        let (answer, waiting) = pending();
        let _ = self.send(id, Command::Silent { id, seat, answer });
        waiting
    }

    /// The leg of this seat goes on by the connection of that one: a browser that has reloaded.
    /// SSRC, numbers and what its listener hears go on.
    pub fn rewire(&self, id: BridgeId, seat: SeatId, with: DetachedLeg) -> Result<(), EngineError> {
        self.send(id, Command::Rewire { id, seat, with: Box::new(with) })
    }

    /// Our own address there.
    pub fn web_ip(&self) -> Option<IpAddr> {
        self.0.web.as_ref().map(|house| house.ip)
    }

    /// Where browsers come in: UDP ports by thread, and the TCP port.
    pub fn web_ports(&self) -> Option<(Vec<u16>, Option<u16>)> {
        self.0.web.as_ref().map(|house| house.ports())
    }
}
