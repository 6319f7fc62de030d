//! One connection as the rest of the API sees it: what its socket took, whether somebody is signed
//! in on it, and a way to break it, whatever it waits for.

use crate::places::Place;
use crate::tls::Secured;
use futures::task::AtomicWaker;
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};

/// One connection, as its requests see it.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    pub(crate) addr: SocketAddr,
    pub(crate) link: Arc<Link>,
}

#[derive(Debug, Default)]
pub(crate) struct Link {
    sent_bytes: AtomicU64,
    signed_in: AtomicBool,
    cut: AtomicBool,
    waker: AtomicWaker,
}

impl Link {
    pub(crate) fn sent_bytes(&self) -> u64 {
        self.sent_bytes.load(Ordering::Relaxed)
    }

    /// Whether the last request on it was somebody's.
    pub(crate) fn is_signed_in(&self) -> bool {
        self.signed_in.load(Ordering::Relaxed)
    }

    pub(crate) fn signs_in(&self, is_somebody: bool) {
        self.signed_in.store(is_somebody, Ordering::Relaxed);
    }

    /// Breaks the connection, whatever it waits for.
    pub(crate) fn cut(&self) {
        self.cut.store(true, Ordering::Release);
        self.waker.wake();
    }

    pub(crate) fn is_cut(&self) -> bool {
        self.cut.load(Ordering::Acquire)
    }

    /// Until it is cut; for who does not read or write meanwhile.
    pub(crate) async fn until_cut(&self) {
        poll_fn(|cx| if self.check(cx).is_err() { Poll::Ready(()) } else { Poll::Pending }).await;
    }

    fn check(&self, cx: &Context<'_>) -> io::Result<()> {
        self.waker.register(cx.waker());
        if self.is_cut() {
            return Err(io::Error::new(io::ErrorKind::ConnectionAborted, "cut off"));
        }
        Ok(())
    }
}

pub(crate) enum Road {
    Plain(TcpStream),
    Secure(Secured),
}

/// What HTTP reads and writes.
pub(crate) struct Counted {
    stream: Road,
    link: Arc<Link>,
    /// Of what is to be sent, until the other end takes some of it.
    takes_within: Duration,
    waits: Option<Pin<Box<Sleep>>>,
    _place: Place,
}

impl Counted {
    pub(crate) fn new(stream: Road, link: Arc<Link>, place: Place, takes_within: Duration) -> Self {
        Self { stream, link, takes_within, waits: None, _place: place }
    }

    fn count(&mut self, took: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(bytes)) = &took {
            self.link.sent_bytes.fetch_add(*bytes as u64, Ordering::Relaxed);
        }
        took
    }

    /// An end that takes nothing is not waited for, whatever it was to be sent.
    fn bounded<T>(
        &mut self,
        cx: &mut Context<'_>,
        done: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if done.is_ready() {
            self.waits = None;
            return done;
        }
        let within = self.takes_within;
        let waits = self.waits.get_or_insert_with(|| Box::pin(sleep(within)));
        match waits.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
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
        let took = self.count(took);
        self.bounded(cx, took)
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
        let took = self.count(took);
        self.bounded(cx, took)
    }
    fn is_write_vectored(&self) -> bool {
        match &self.stream {
            Road::Plain(stream) => stream.is_write_vectored(),
            Road::Secure(stream) => stream.is_write_vectored(),
        }
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.link.check(cx)?;
        let done = match &mut self.stream {
            Road::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Road::Secure(stream) => Pin::new(stream).poll_flush(cx),
        };
        self.bounded(cx, done)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.link.check(cx)?;
        let done = match &mut self.stream {
            Road::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Road::Secure(stream) => Pin::new(stream).poll_shutdown(cx),
        };
        self.bounded(cx, done)
    }
}
