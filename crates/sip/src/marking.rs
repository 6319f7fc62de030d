//! The code point of the packets that a socket sends (RFC 2474), by the socket's own family. A TCP
//! connection takes it over from its listener on Linux; a connected one is marked by itself.

use std::io;
use std::net::SocketAddr;
use std::os::fd::AsFd;

use socket2::SockRef;

pub(crate) fn mark(socket: &impl AsFd, local: SocketAddr, dscp: Option<u8>) -> io::Result<()> {
    let Some(dscp) = dscp else { return Ok(()) };
    let class = u32::from(dscp.min(63)) << 2;
    let socket = SockRef::from(socket);
    match local {
        SocketAddr::V4(_) => socket.set_tos_v4(class),
        SocketAddr::V6(_) => socket.set_tclass_v6(class),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::UdpSocket;

    #[test]
    fn a_socket_of_either_family_carries_the_code_point() {
        let v4 = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        mark(&v4, v4.local_addr().expect("bound"), Some(24)).expect("marked");
        assert_eq!(SockRef::from(&v4).tos_v4().expect("IP_TOS"), 24 << 2);
        let v6 = UdpSocket::bind("[::1]:0").expect("a socket");
        mark(&v6, v6.local_addr().expect("bound"), Some(24)).expect("marked");
        assert_eq!(SockRef::from(&v6).tclass_v6().expect("IPV6_TCLASS"), 24 << 2);
        let plain = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        mark(&plain, plain.local_addr().expect("bound"), None).expect("nothing to do");
        assert_eq!(SockRef::from(&plain).tos_v4().expect("IP_TOS"), 0);
    }
}
