//! Our UDP socket under the library: it sends through this, and reads nothing by itself. The
//! reading, with our limits, is `endpoint`'s; what is too large for a datagram is `flows`'s.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use rsipstack::platform::net::UdpSocket as LibrarySocket;
use tokio::net::UdpSocket;

use crate::flows::Flows;
use crate::outward::{Face, retell};
use crate::wire::DATAGRAM_MAX_BYTES;

pub(crate) struct Wire {
    /// None once closed: the library's last tasks may outlive the endpoint, its port must not.
    socket: RwLock<Option<Arc<UdpSocket>>>,
    local: SocketAddr,
    face: Face,
    flows: Arc<Flows>,
    pub(crate) sent: AtomicU64,
}

impl Wire {
    /// Without a socket where UDP is not configured: then nothing leaves by it.
    pub(crate) fn new(
        socket: Option<UdpSocket>,
        local: SocketAddr,
        face: Face,
        flows: Arc<Flows>,
    ) -> Self {
        let (socket, sent) = (RwLock::new(socket.map(Arc::new)), AtomicU64::new(0));
        Self { socket, local, face, flows, sent }
    }

    fn open(&self) -> Option<Arc<UdpSocket>> {
        self.socket.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn close(&self) {
        *self.socket.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    pub(crate) async fn receive(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        match self.open() {
            Some(socket) => socket.recv_from(buffer).await,
            None => std::future::pending().await,
        }
    }

    /// As a datagram, whatever its size.
    pub(crate) async fn send(&self, bytes: &[u8], to: SocketAddr) -> io::Result<()> {
        if bytes.len() > DATAGRAM_MAX_BYTES {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "larger than a datagram"));
        }
        let closed = || io::Error::new(io::ErrorKind::NotConnected, "closed");
        self.sent.fetch_add(1, Ordering::Relaxed);
        self.open().ok_or_else(closed)?.send_to(bytes, to).await.map(|_| ())
    }

    /// What the library has written, as a datagram that names us as its reader reaches us.
    pub(crate) async fn tell(&self, bytes: &[u8], to: SocketAddr) -> io::Result<()> {
        self.send(&retell(bytes, &self.face, to), to).await
    }
}

#[async_trait::async_trait]
impl LibrarySocket for Wire {
    /// The library's own reader waits here for ever.
    async fn recv_from(&self, _buffer: &mut [u8]) -> rsipstack::Result<(usize, SocketAddr)> {
        std::future::pending().await
    }

    async fn send_to(&self, bytes: &[u8], to: SocketAddr) -> rsipstack::Result<usize> {
        if !self.flows.switch(bytes, to).await {
            self.tell(bytes, to).await.map_err(rsipstack::Error::from)?;
        }
        Ok(bytes.len())
    }

    fn local_addr(&self) -> rsipstack::Result<SocketAddr> {
        Ok(self.local)
    }
}
