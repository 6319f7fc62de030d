//! The listener: accepts connections, counts what each socket took (which is how a live stream
//! is known to be heard) and can break one whose reader does not read.

use crate::tls::{Secured, Tls, TlsListener};
use axum::Router;
use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use futures::task::AtomicWaker;
use std::future::Future;
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

/// Unsent bytes that the kernel keeps for a connection: a second of sound at most, so that
/// "taken by the socket" is close to "on its way".
pub(crate) const SEND_BUFFER_BYTES: u32 = 16 * 1024;
const BACKLOG: u32 = 1_024;

/// Opens a listening socket whose connections hold little unsent sound.
pub async fn listen(addr: SocketAddr) -> io::Result<TcpListener> {
    let socket = if addr.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    socket.set_send_buffer_size(SEND_BUFFER_BYTES)?; // what it accepts inherits this
    socket.bind(addr)?;
    socket.listen(BACKLOG)
}

/// Serves until `stop` resolves and the running requests have ended, by HTTPS if there is what to
/// do that by. Live streams end when their senders do.
pub async fn serve(
    listener: TcpListener,
    tls: Option<Tls>,
    router: Router,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let door = match tls {
        None => Door::Plain(listener),
        Some(tls) => Door::Secure(TlsListener::new(listener, tls)?),
    };
    axum::serve(door, router.into_make_service_with_connect_info::<Peer>())
        .with_graceful_shutdown(stop)
        .await
}

/// One connection, as its requests see it.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    pub(crate) addr: SocketAddr,
    pub(crate) link: Arc<Link>,
}

#[derive(Debug, Default)]
pub(crate) struct Link {
    sent_bytes: AtomicU64,
    cut: AtomicBool,
    waker: AtomicWaker,
}

impl Link {
    pub(crate) fn sent_bytes(&self) -> u64 {
        self.sent_bytes.load(Ordering::Relaxed)
    }
    /// Breaks the connection, whatever it waits for.
    pub(crate) fn cut(&self) {
        self.cut.store(true, Ordering::Release);
        self.waker.wake();
    }
    fn check(&self, cx: &Context<'_>) -> io::Result<()> {
        self.waker.register(cx.waker());
        if self.cut.load(Ordering::Acquire) {
            return Err(io::Error::new(io::ErrorKind::ConnectionAborted, "reader too slow"));
        }
        Ok(())
    }
}

enum Door {
    Plain(TcpListener),
    Secure(TlsListener),
}

impl Listener for Door {
    type Io = Counted;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Counted, SocketAddr) {
        let (stream, addr) = match self {
            Door::Plain(listener) => {
                let (stream, addr) = prepare(listener).await;
                (Road::Plain(stream), addr)
            }
            Door::Secure(listener) => {
                let (stream, addr) = listener.accept().await;
                (Road::Secure(stream), addr)
            }
        };
        (Counted { stream, link: Arc::default() }, addr)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        match self {
            Door::Plain(listener) => listener.local_addr(),
            Door::Secure(listener) => Ok(listener.local_addr()),
        }
    }
}

/// The next connection.
pub(crate) async fn prepare(listener: &mut TcpListener) -> (TcpStream, SocketAddr) {
    // axum's own accept waits out errors such as too many open files.
    let (stream, addr) = Listener::accept(listener).await;
    let _ = stream.set_nodelay(true); // sound goes out frame by frame
    (stream, addr)
}

impl Connected<IncomingStream<'_, Door>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Door>) -> Self {
        Peer { addr: *stream.remote_addr(), link: stream.io().link.clone() }
    }
}

enum Road {
    Plain(TcpStream),
    Secure(Secured),
}

struct Counted {
    stream: Road,
    link: Arc<Link>,
}

impl Counted {
    fn count(&self, took: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(bytes)) = &took {
            self.link.sent_bytes.fetch_add(*bytes as u64, Ordering::Relaxed);
        }
        took
    }
}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.link.check(cx)?;
        match &mut self.stream {
            Road::Plain(stream) => Pin::new(stream).poll_read(cx, buf),
            Road::Secure(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Counted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.link.check(cx)?;
        let took = match &mut self.stream {
            Road::Plain(stream) => Pin::new(stream).poll_write(cx, buf),
            Road::Secure(stream) => Pin::new(stream).poll_write(cx, buf),
        };
        self.count(took)
    }
    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.link.check(cx)?;
        let took = match &mut self.stream {
            Road::Plain(stream) => Pin::new(stream).poll_write_vectored(cx, bufs),
            Road::Secure(stream) => Pin::new(stream).poll_write_vectored(cx, bufs),
        };
        self.count(took)
    }
    fn is_write_vectored(&self) -> bool {
        match &self.stream {
            Road::Plain(stream) => stream.is_write_vectored(),
            Road::Secure(stream) => stream.is_write_vectored(),
        }
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Road::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Road::Secure(stream) => Pin::new(stream).poll_flush(cx),
        }
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Road::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Road::Secure(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
