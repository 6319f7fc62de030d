//! Our UDP socket under the library: it sends through this, and reads nothing by itself. The
//! reading, with our limits, is `endpoint`'s.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use rsipstack::platform::net::UdpSocket as LibrarySocket;
use rsipstack::transport::SipAddr;
use rsipstack::transport::transport_layer::DomainResolver;
use tokio::net::UdpSocket;

use crate::marking::mark;
use crate::wire::DATAGRAM_MAX_BYTES;

pub(crate) struct Wire {
    /// None once closed: the library's last tasks may outlive the endpoint, its port must not.
    socket: RwLock<Option<Arc<UdpSocket>>>,
    local: SocketAddr,
    pub(crate) sent: AtomicU64,
}

impl Wire {
    pub(crate) async fn bind(listen: SocketAddr, dscp: Option<u8>) -> io::Result<Self> {
        let socket = UdpSocket::bind(listen).await?;
        let local = socket.local_addr()?;
        mark(&socket, local, dscp)?;
        let socket = RwLock::new(Some(Arc::new(socket)));
        Ok(Self { socket, local, sent: AtomicU64::new(0) })
    }

    fn open(&self) -> io::Result<Arc<UdpSocket>> {
        let socket = self.socket.read().unwrap_or_else(PoisonError::into_inner).clone();
        socket.ok_or_else(|| io::Error::new(io::ErrorKind::NotConnected, "closed"))
    }

    pub(crate) fn close(&self) {
        *self.socket.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    pub(crate) fn local(&self) -> SocketAddr {
        self.local
    }

    pub(crate) async fn receive(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.open()?.recv_from(buffer).await
    }

    pub(crate) async fn send(&self, bytes: &[u8], to: SocketAddr) -> io::Result<()> {
        if bytes.len() > DATAGRAM_MAX_BYTES {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "larger than a datagram"));
        }
        self.sent.fetch_add(1, Ordering::Relaxed);
        self.open()?.send_to(bytes, to).await.map(|_| ())
    }
}

#[async_trait::async_trait]
impl LibrarySocket for Wire {
    /// The library's own reader waits here for ever.
    async fn recv_from(&self, _buffer: &mut [u8]) -> rsipstack::Result<(usize, SocketAddr)> {
        std::future::pending().await
    }

    async fn send_to(&self, bytes: &[u8], to: SocketAddr) -> rsipstack::Result<usize> {
        self.send(bytes, to).await.map_err(rsipstack::Error::from)?;
        Ok(bytes.len())
    }

    fn local_addr(&self) -> rsipstack::Result<SocketAddr> {
        Ok(self.local)
    }
}

/// Names become addresses of the socket's family; the library's own resolver takes the first.
pub(crate) struct Names {
    pub(crate) v6: bool,
}

#[async_trait::async_trait]
impl DomainResolver for Names {
    async fn resolve(&self, target: &SipAddr) -> rsipstack::Result<SipAddr> {
        let port = target.addr.port.as_ref().map_or(5060, |port| port.value().to_owned());
        let host = target.addr.host.to_string();
        let failed = || rsipstack::Error::DnsResolutionError(host.clone());
        let found = tokio::net::lookup_host((host.as_str(), port)).await.map_err(|_| failed())?;
        let fits = |ip: IpAddr| ip.is_ipv6() == self.v6;
        let addr = found.into_iter().find(|a| fits(a.ip())).ok_or_else(failed)?;
        Ok(udp(addr))
    }
}

pub(crate) fn udp(addr: SocketAddr) -> SipAddr {
    let mut out = SipAddr::from(addr);
    out.r#type = Some(rsipstack::sip::Transport::Udp);
    out
}
