//! A bare UDP relay, a socket a leg: what the machine charges for passing packets on and nothing
//! else. Every figure of the server stands beside it.

use anyhow::{Context, Result};
use mio::net::UdpSocket;
use mio::{Events, Interest, Poll, Token};
use std::io::{ErrorKind, Write};
use std::net::SocketAddr;

const DATAGRAM_BYTES: usize = 2_048;

/// Runs until killed. Prints one line of ports, two a call, then passes what comes to one on from
/// the other to `peer`.
pub fn serve(calls: usize, peer: SocketAddr) -> Result<()> {
    let mut poll = Poll::new()?;
    let mut sockets = Vec::with_capacity(calls * 2);
    let mut ports = String::new();
    for n in 0..calls * 2 {
        let mut socket = UdpSocket::bind("127.0.0.1:0".parse()?).context("bind a relay leg")?;
        poll.registry().register(&mut socket, Token(n), Interest::READABLE)?;
        ports.push_str(&format!("{} ", socket.local_addr()?.port()));
        sockets.push(socket);
    }
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", ports.trim_end())?;
    out.flush()?;
    let mut events = Events::with_capacity(1_024);
    let mut datagram = [0u8; DATAGRAM_BYTES];
    loop {
        poll.poll(&mut events, None)?;
        for event in &events {
            let n = event.token().0;
            loop {
                match sockets[n].recv_from(&mut datagram) {
                    // A full socket buffer at the far end is a lost packet, as in any network.
                    Ok((length, _)) => {
                        let _ = sockets[n ^ 1].send_to(&datagram[..length], peer);
                    }
                    Err(e) if e.kind() == ErrorKind::WouldBlock => break,
                    Err(e) if e.kind() == ErrorKind::Interrupted => continue,
                    // ICMP errors of earlier sends surface here.
                    Err(_) => break,
                }
            }
        }
    }
}

/// The ports of the line that `serve` prints.
pub fn ports(line: &str) -> Result<Vec<u16>> {
    line.split_whitespace().map(|p| p.parse().context("a relay port")).collect()
}
