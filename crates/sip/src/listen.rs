//! The addresses that an endpoint listens on: grouped by host, bound, and told apart from what is
//! advertised for them. Reads nothing from any of them.

use std::io;
use std::net::{IpAddr, SocketAddr};

use rsipstack::transport::SipConnection;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, UdpSocket};

use crate::marking::mark;
use crate::types::{Listen, SipError, Transport};

/// Attempts at a port that is free for UDP and TCP both, where the kernel chooses it.
const SAME_PORT_ATTEMPTS: usize = 64;
/// Connections that the kernel keeps until we take them.
const BACKLOG: i32 = 1_024;

/// One socket, and the address that others are told.
#[derive(Debug)]
pub(crate) struct Open<T> {
    pub(crate) socket: T,
    pub(crate) local: SocketAddr,
    pub(crate) advertised: SocketAddr,
}

/// What one library endpoint serves: one host, by either transport or by both.
#[derive(Debug)]
pub(crate) struct Bound {
    pub(crate) udp: Option<Open<UdpSocket>>,
    pub(crate) tcp: Option<Open<TcpListener>>,
}

#[derive(Clone, Copy, Default)]
struct Group {
    udp: Option<Listen>,
    tcp: Option<Listen>,
}

pub(crate) fn bind(listens: &[Listen], dscp: Option<u8>) -> Result<Vec<Bound>, SipError> {
    let groups = group(listens);
    if groups.is_empty() {
        return Err(SipError::NoListener);
    }
    groups.into_iter().map(|group| open(group, dscp)).collect()
}

/// UDP and TCP of one host belong together, those of the same port first: a message too large for
/// one goes by the other.
fn group(listens: &[Listen]) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for listen in listens {
        let fits = |group: &&mut Group| {
            let (own, other) = match listen.transport {
                Transport::Udp => (group.udp, group.tcp),
                Transport::Tcp => (group.tcp, group.udp),
            };
            own.is_none() && other.is_some_and(|other| other.addr.ip() == listen.addr.ip())
        };
        let same_port = |group: &Group| {
            [group.udp, group.tcp].iter().flatten().any(|o| o.addr.port() == listen.addr.port())
        };
        let mut places: Vec<&mut Group> = groups.iter_mut().filter(fits).collect();
        let best = places.iter().position(|group| same_port(group)).unwrap_or(0);
        let place = if places.is_empty() { None } else { Some(places.swap_remove(best)) };
        let mut fresh = Group::default();
        let group = place.unwrap_or(&mut fresh);
        match listen.transport {
            Transport::Udp => group.udp = Some(*listen),
            Transport::Tcp => group.tcp = Some(*listen),
        }
        if fresh.udp.is_some() || fresh.tcp.is_some() {
            groups.push(fresh);
        }
    }
    groups
}

fn open(group: Group, dscp: Option<u8>) -> Result<Bound, SipError> {
    let (Some(udp), Some(tcp)) = (group.udp, group.tcp) else {
        let udp =
            group.udp.map(|l| open_udp(l, l.addr, dscp).map_err(|e| failed(&l, &e))).transpose()?;
        let tcp =
            group.tcp.map(|l| open_tcp(l, l.addr, dscp).map_err(|e| failed(&l, &e))).transpose()?;
        return advertise(Bound { udp, tcp }, group);
    };
    let chosen = udp.addr.port() == 0 && tcp.addr.port() == 0;
    let mut attempts = if chosen { SAME_PORT_ATTEMPTS } else { 1 };
    loop {
        attempts -= 1;
        let first = open_udp(udp, udp.addr, dscp).map_err(|e| failed(&udp, &e))?;
        let port = if chosen { first.local.port() } else { tcp.addr.port() };
        match open_tcp(tcp, SocketAddr::new(tcp.addr.ip(), port), dscp) {
            Ok(second) => return advertise(Bound { udp: Some(first), tcp: Some(second) }, group),
            // Somebody else has that port by TCP: the kernel shall choose another.
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && attempts > 0 => {}
            Err(error) => return Err(failed(&tcp, &error)),
        }
    }
}

fn failed(listen: &Listen, why: &dyn std::fmt::Display) -> SipError {
    SipError::Bind { addr: listen.addr, why: why.to_string() }
}

/// A socket of one family alone, so that both wildcards can be listened on at once.
fn socket(
    addr: SocketAddr,
    kind: Type,
    protocol: Protocol,
    dscp: Option<u8>,
) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(addr), kind, Some(protocol))?;
    if addr.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_nonblocking(true)?;
    mark(&socket, addr, dscp)?;
    Ok(socket)
}

fn open_udp(listen: Listen, addr: SocketAddr, dscp: Option<u8>) -> io::Result<Open<UdpSocket>> {
    let socket = socket(addr, Type::DGRAM, Protocol::UDP, dscp)?;
    socket.bind(&addr.into())?;
    let socket = UdpSocket::from_std(socket.into())?;
    let local = socket.local_addr()?;
    Ok(Open { socket, local, advertised: advertised(listen, local) })
}

fn open_tcp(listen: Listen, addr: SocketAddr, dscp: Option<u8>) -> io::Result<Open<TcpListener>> {
    let socket = socket(addr, Type::STREAM, Protocol::TCP, dscp)?;
    // Connections of the run before may still be closing on this port.
    socket.set_reuse_address(true)?;
    socket.bind(&addr.into())?;
    socket.listen(BACKLOG)?;
    let socket = TcpListener::from_std(socket.into())?;
    let local = socket.local_addr()?;
    Ok(Open { socket, local, advertised: advertised(listen, local) })
}

fn advertised(listen: Listen, local: SocketAddr) -> SocketAddr {
    match listen.advertise {
        Some(told) if told.port() == 0 => SocketAddr::new(told.ip(), local.port()),
        Some(told) => told,
        None => SipConnection::resolve_bind_address(local),
    }
}

fn advertise(bound: Bound, group: Group) -> Result<Bound, SipError> {
    let told = [
        bound.udp.as_ref().map(|open| (open.local, open.advertised)),
        bound.tcp.as_ref().map(|open| (open.local, open.advertised)),
    ];
    for (listen, (local, told)) in
        [group.udp, group.tcp].iter().flatten().zip(told.iter().flatten())
    {
        if local.is_ipv4() != told.is_ipv4() {
            return Err(failed(listen, &"a wildcard of IPv6 needs an address to advertise"));
        }
    }
    Ok(bound)
}

impl Bound {
    /// With the ports that were bound.
    pub(crate) fn listening(&self) -> Vec<Listen> {
        let listen = |transport, local, told: SocketAddr| Listen {
            transport,
            addr: local,
            advertise: Some(told).filter(|told| *told != local),
        };
        let udp = self.udp.as_ref().map(|o| listen(Transport::Udp, o.local, o.advertised));
        let tcp = self.tcp.as_ref().map(|o| listen(Transport::Tcp, o.local, o.advertised));
        udp.into_iter().chain(tcp).collect()
    }

    pub(crate) fn ip(&self) -> IpAddr {
        let udp = self.udp.as_ref().map(|open| open.local.ip());
        let tcp = self.tcp.as_ref().map(|open| open.local.ip());
        udp.or(tcp).unwrap_or(IpAddr::from([0, 0, 0, 0]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn udp_and_tcp_of_one_host_go_together_and_by_port() {
        let at = |transport, port| Listen::new(transport, ([127, 0, 0, 1], port).into());
        let (udp, tcp) = (Transport::Udp, Transport::Tcp);
        let listens = [at(udp, 5060), at(udp, 5070), at(tcp, 5070), at(tcp, 5060), at(tcp, 5080)];
        let ports: Vec<_> = group(&listens)
            .iter()
            .map(|g| (g.udp.map(|l| l.addr.port()), g.tcp.map(|l| l.addr.port())))
            .collect();
        let expected = [(Some(5060), Some(5060)), (Some(5070), Some(5070)), (None, Some(5080))];
        assert_eq!(ports, expected);
    }

    #[tokio::test]
    async fn port_zero_is_one_port_for_both_transports() {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        for _ in 0..50 {
            let bound = bind(&Listen::both(any), None).unwrap();
            let (udp, tcp) = (bound[0].udp.as_ref().unwrap(), bound[0].tcp.as_ref().unwrap());
            assert_eq!(udp.local, tcp.local);
        }
    }

    #[tokio::test]
    async fn both_wildcards_are_listened_on_at_once() {
        let v4 = Listen::new(Transport::Udp, "0.0.0.0:0".parse().unwrap());
        let first = bind(&[v4], None).unwrap();
        let port = first[0].udp.as_ref().unwrap().local.port();
        let mut v6 = Listen::new(Transport::Udp, SocketAddr::new("::".parse().unwrap(), port));
        assert!(matches!(bind(&[v6], None), Err(SipError::Bind { .. })), "nothing to advertise");
        v6.advertise = Some("[2001:db8::5]:0".parse().unwrap());
        let second = bind(&[v6], None).unwrap();
        assert_eq!(second[0].udp.as_ref().unwrap().advertised.port(), port);
    }
}
