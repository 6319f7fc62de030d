//! HTTPS at the socket: handshakes, each with a deadline; what comes out are connections like any
//! other.
//!
//! Which certificate is shown is the caller's (`ServerConfig`'s resolver).

use crate::serve::SEND_BUFFER_BYTES;
use rustls::ServerConfig;
use rustls::server::Acceptor;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::TlsStream;

/// From the first byte to the last of a handshake.
const HANDSHAKE: Duration = Duration::from_secs(5);
/// A certificate authority asks by this protocol whether the name is ours (RFC 8737 section 3).
const ACME_TLS: &[u8] = b"acme-tls/1";

const SPEAK_HTTPS: &str = "This address speaks HTTPS: open it as https://\n";

/// What connections are encrypted by.
#[derive(Clone, Debug)]
pub struct Tls {
    pub config: Arc<ServerConfig>,
    /// For a certificate authority's challenge alone.
    pub challenge: Option<Arc<ServerConfig>>,
}

pub(crate) type Secured = Box<TlsStream<TcpStream>>;

/// The connection once its handshake is done. None: it was not done in time, or was no browser's.
pub(crate) async fn shake(stream: TcpStream, tls: Tls, addr: SocketAddr) -> Option<Secured> {
    match timeout(HANDSHAKE, secure(stream, tls)).await {
        Ok(Ok(stream)) => return stream,
        Ok(Err(error)) => tracing::debug!(%addr, %error, "a TLS handshake failed"),
        Err(_) => tracing::debug!(%addr, "a TLS handshake took too long"),
    }
    None
}

/// None: it was no browser's, and is over.
async fn secure(mut stream: TcpStream, tls: Tls) -> io::Result<Option<Secured>> {
    let mut first = [0_u8; 1];
    // A TLS record begins with its type, 20 to 24; a line of HTTP with a letter.
    if stream.peek(&mut first).await? == 1 && first[0].is_ascii_alphabetic() {
        answer_plain(&mut stream).await?;
        return Ok(None);
    }
    let start = LazyConfigAcceptor::new(Acceptor::default(), stream).await?;
    let asks: Vec<Vec<u8>> = match start.client_hello().alpn() {
        Some(alpn) => alpn.map(<[u8]>::to_vec).collect(),
        None => Vec::new(),
    };
    if let (Some(challenge), [only]) = (&tls.challenge, asks.as_slice())
        && only == ACME_TLS
    {
        let mut asked = start.into_stream(challenge.clone()).await?;
        asked.shutdown().await?;
        return Ok(None);
    }
    // What the socket has not taken is not sent yet: the library keeps no more than the kernel.
    let limited = |session: &mut rustls::ServerConnection| {
        session.set_buffer_limit(Some(SEND_BUFFER_BYTES as usize));
    };
    Ok(Some(Box::new(start.into_stream_with(tls.config, limited).await?)))
}

async fn answer_plain(stream: &mut TcpStream) -> io::Result<()> {
    let answer = format!(
        "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{SPEAK_HTTPS}",
        SPEAK_HTTPS.len()
    );
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown().await?;
    // What it asked is read away, else a reset could overtake the answer.
    let mut rest = [0_u8; 1_024];
    for _ in 0..16 {
        if stream.read(&mut rest).await? == 0 {
            break;
        }
    }
    Ok(())
}
