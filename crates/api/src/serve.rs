//! The listener: takes connections for as long as there are places, and speaks HTTP/1.1 on them,
//! with a deadline for whatever the other end is to do.

use crate::link::{Counted, Link, Peer, Road};
use crate::places::{Place, Places};
use crate::tls::{self, Tls};
use axum::Router;
use axum::body::Body;
use axum::serve::Listener;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

/// Unsent bytes that the kernel keeps for a connection: a second of sound at most, so that
/// "taken by the socket" is close to "on its way".
pub(crate) const SEND_BUFFER_BYTES: u32 = 16 * 1024;
/// As many as there are places: what the kernel has no room for believes to be connected.
const BACKLOG: u32 = 4_096;
/// From the connection's begin, or from the answer before, to the end of a request's head.
const HEAD_WITHIN: Duration = Duration::from_secs(10);
/// What is sent is taken, be it ever so little, in this time.
const TAKES_WITHIN: Duration = Duration::from_secs(30);
/// Of a request's line and headers.
const HEAD_MAX_BYTES: usize = 32 * 1024;

/// How long a listener waits for the other end of a connection.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    pub head_within: Duration,
    pub takes_within: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { head_within: HEAD_WITHIN, takes_within: TAKES_WITHIN }
    }
}

/// What connections come by: HTTPS if there is what to do that by, their places, our patience.
#[derive(Clone, Debug)]
pub struct Door {
    pub tls: Option<Tls>,
    pub places: Arc<Places>,
    pub patience: Patience,
}

impl Default for Door {
    /// Plain HTTP.
    fn default() -> Self {
        let places = Places::new(crate::places::PlacesConfig::default());
        Self { tls: None, places, patience: Patience::default() }
    }
}

/// Opens a listening socket whose connections hold little unsent sound.
pub async fn listen(addr: SocketAddr) -> io::Result<TcpListener> {
    let socket = if addr.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    socket.set_send_buffer_size(SEND_BUFFER_BYTES)?; // what it accepts inherits this
    socket.bind(addr)?;
    socket.listen(BACKLOG)
}

/// Serves until `stop` resolves and the running requests have ended. Live streams end when their
/// senders do; what was upgraded is its reader's.
pub async fn serve(
    mut listener: TcpListener,
    door: Door,
    router: Router,
    stop: impl Future<Output = ()> + Send + 'static,
) {
    let (stopping, open) = (CancellationToken::new(), TaskTracker::new());
    let mut stop = pin!(stop);
    loop {
        let (stream, addr) = tokio::select! {
            // axum's own accept waits out errors such as too many open files.
            come = Listener::accept(&mut listener) => come,
            () = &mut stop => break,
        };
        let link = Arc::<Link>::default();
        // Without a place it is closed here.
        let Some(place) = door.places.take(addr.ip(), &link) else { continue };
        let peer = Peer { addr, link };
        let talk = talk(stream, peer, place, door.clone(), router.clone(), stopping.clone());
        open.spawn(talk);
    }
    drop(listener);
    stopping.cancel();
    open.close();
    open.wait().await;
}

/// One connection, from its first byte on.
async fn talk(
    stream: TcpStream,
    peer: Peer,
    place: Place,
    door: Door,
    router: Router,
    stopping: CancellationToken,
) {
    let _ = stream.set_nodelay(true); // sound goes out frame by frame
    let stream = match door.tls {
        None => Road::Plain(stream),
        Some(tls) => {
            let stream = tokio::select! {
                stream = tls::shake(stream, tls, peer.addr) => stream,
                () = peer.link.until_cut() => return,
                () = stopping.cancelled() => return,
            };
            let Some(stream) = stream else { return };
            Road::Secure(stream)
        }
    };
    let Patience { head_within, takes_within } = door.patience;
    let io = TokioIo::new(Counted::new(stream, peer.link.clone(), place, takes_within));
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(peer.clone());
        router.clone().oneshot(request.map(Body::new))
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(head_within);
    http.max_header_size(HEAD_MAX_BYTES).max_buf_size(HEAD_MAX_BYTES);
    let mut connection = pin!(http.serve_connection(io, service).with_upgrades());
    // How it ends is the other end's business; what went wrong in a request is told there.
    tokio::select! {
        _ = connection.as_mut() => return,
        () = stopping.cancelled() => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}
