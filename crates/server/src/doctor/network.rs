//! What a phone outside will be told, whether we can have those addresses and ports, and whether a
//! packet that is sent there arrives: a real one, from another socket.

use super::sockets::{self, Kind, Owner, Table};
use super::{Finding, Holder};
use crate::config::Config;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;
use tokio::net::{TcpListener, UdpSocket};
use undertone_sip::Transport;

const ARRIVES_WITHIN: Duration = Duration::from_secs(2);
/// Ports of the media range that are tried for a free one.
const TRIES: usize = 64;

/// One address that the server listens on for SIP or HTTP.
struct Listening {
    name: &'static str,
    kind: Kind,
    addr: SocketAddr,
}

/// All that this file takes from the configuration.
struct Layout {
    listening: Vec<Listening>,
    media: Vec<(IpAddr, u16, u16)>,
}

impl Layout {
    fn of(config: &Config) -> Layout {
        let sip = config.sip.listen().into_iter().map(|listen| match listen.transport {
            Transport::Udp => Listening { name: "sip udp", kind: Kind::Udp, addr: listen.addr },
            Transport::Tcp => Listening { name: "sip tcp", kind: Kind::Tcp, addr: listen.addr },
        });
        let http = Listening { name: "http", kind: Kind::Tcp, addr: config.http };
        let listening = sip.chain([http]).collect();
        let ranges = [Some(config.rtp), config.rtp_v6].into_iter().flatten();
        Layout { listening, media: ranges.map(|rtp| (rtp.ip, rtp.from, rtp.to)).collect() }
    }

    fn sip(&self) -> impl Iterator<Item = &Listening> {
        self.listening.iter().filter(|l| l.name.starts_with("sip") && l.kind == Kind::Udp)
    }
}

/// What a phone outside the local networks is told of an address of ours.
fn told(config: &Config, own: IpAddr) -> IpAddr {
    let outside = config.external_address.iter().find(|told| told.is_ipv4() == own.is_ipv4());
    outside.copied().unwrap_or(own)
}

pub(super) async fn look(config: &Config, holder: Holder) -> Vec<Finding> {
    let layout = Layout::of(config);
    let table = Table::read();
    let ours = sockets::inodes_of(holder);
    let mut findings = Vec::new();
    let mut addresses: Vec<IpAddr> = layout.sip().map(|l| l.addr.ip()).collect();
    addresses.extend(layout.media.iter().map(|(ip, ..)| *ip));
    addresses.sort();
    addresses.dedup();
    for own in addresses {
        findings.push(address(own, told(config, own)).await);
    }
    for listening in &layout.listening {
        findings.push(port(listening, holder, &table, ours.as_deref()).await);
    }
    for (ip, from, to) in &layout.media {
        findings.push(range(*ip, *from, *to, holder, &table, ours.as_deref()));
    }
    for listening in layout.sip() {
        let at = SocketAddr::new(told(config, listening.addr.ip()), listening.addr.port());
        findings.push(signalling_arrives(listening.addr, at, holder).await);
    }
    for (ip, from, to) in &layout.media {
        findings.push(media_arrives(*ip, told(config, *ip), *from, *to).await);
    }
    findings
}

fn is_private(ip: IpAddr) -> bool {
    match ip {
        // RFC 1918, RFC 6598 (carrier NAT), RFC 3927.
        IpAddr::V4(ip) => {
            let [a, b, ..] = ip.octets();
            ip.is_private() || ip.is_link_local() || (a == 100 && (64..128).contains(&b))
        }
        IpAddr::V6(ip) => ip.is_unique_local() || ip.is_unicast_link_local(),
    }
}

async fn address(own: IpAddr, told: IpAddr) -> Finding {
    if let Err(error) = UdpSocket::bind(SocketAddr::new(own, 0)).await {
        let what = format!("address: {own} is none of this machine's: {error}");
        return Finding::broken(what, "`ip address` lists them");
    }
    let says = match told == own {
        true => format!("address: phones are told {told}"),
        false => format!("address: phones are told {told} for {own} (NAT)"),
    };
    if told.is_loopback() {
        return Finding::note(says, "phones on this machine alone reach it; set `sip` and `rtp`");
    }
    if is_private(told) {
        let remedy = "phones beyond a NAT cannot reach it; set `external_address` if there are any";
        return Finding::note(says, remedy);
    }
    Finding::good(says)
}

async fn bind(kind: Kind, addr: SocketAddr) -> io::Result<()> {
    match kind {
        Kind::Udp => UdpSocket::bind(addr).await.map(drop),
        Kind::Tcp => TcpListener::bind(addr).await.map(drop),
    }
}

async fn port(
    listening: &Listening,
    holder: Holder,
    table: &Table,
    ours: Option<&[u64]>,
) -> Finding {
    let Listening { name, kind, addr } = listening;
    if addr.port() == 0 {
        return Finding::good(format!("port: {name}: the kernel's choice at each start"));
    }
    let error = match bind(*kind, *addr).await {
        Ok(()) if holder == Holder::Nobody => {
            return Finding::good(format!("port: {name} {addr} is free"));
        }
        Ok(()) => {
            let what = format!("port: {name} {addr} is free, and yet a server runs");
            return Finding::note(what, "it was started with other settings than these");
        }
        Err(error) => error,
    };
    if error.kind() != io::ErrorKind::AddrInUse {
        let what = format!("port: {name} {addr} cannot be had: {error}");
        return Finding::broken(what, "ports below 1024 need CAP_NET_BIND_SERVICE");
    }
    let owner =
        table.at(*kind, *addr).map_or(Owner::Unknown, |inode| sockets::owner(inode, holder, ours));
    match owner {
        Owner::Ours => Finding::good(format!("port: {name} {addr} is held by the server")),
        Owner::Unknown => Finding::note(
            format!("port: {name} {addr} is held; by whom, this user may not see"),
            "run this as root, or as the server's user",
        ),
        Owner::Other => Finding::broken(
            format!("port: {name} {addr} is held by another program"),
            "`ss -lnp` names it; stop it or choose another port",
        ),
    }
}

fn range(
    ip: IpAddr,
    from: u16,
    to: u16,
    holder: Holder,
    table: &Table,
    ours: Option<&[u64]>,
) -> Finding {
    if (from, to) == (0, 0) {
        return Finding::good("media ports: the kernel's choice");
    }
    let bound = table.ports(ip, from, to);
    let is = |inode: u64, owner| sockets::owner(inode, holder, ours) == owner;
    let foreign = bound.values().filter(|inode| is(**inode, Owner::Other)).count();
    let own = bound.len() - foreign;
    let all = usize::from(to - from) + 1;
    let what = format!("media ports: {ip}:{from}-{to}, {own} in use by the server");
    match foreign {
        0 => Finding::good(what),
        n if n * 2 < all => Finding::note(
            format!("{what}, {n} by other programs"),
            "those are passed over; give media a range of its own",
        ),
        n => Finding::broken(
            format!("{what}, {n} of {all} by other programs"),
            "give media a range of its own",
        ),
    }
}

/// A socket that is nobody's, in the same family.
async fn elsewhere(like: IpAddr) -> io::Result<UdpSocket> {
    let any: IpAddr = match like {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    UdpSocket::bind(SocketAddr::new(any, 0)).await
}

fn missing(what: &str, told: SocketAddr, own: IpAddr) -> Finding {
    let what = format!("{what}: a packet sent to {told} does not arrive");
    if told.ip() == own {
        return Finding::broken(what, "a firewall on this machine drops it");
    }
    // Many routers do not turn a packet from inside back in (hairpin), yet let others in.
    let remedy = "forward these ports to this machine; if the router does not turn packets from \
                  inside back in, try from outside";
    Finding::broken(what, remedy)
}

/// With a server, its answer to OPTIONS (RFC 3261 section 11); without one, a socket of ours.
async fn signalling_arrives(own: SocketAddr, told: SocketAddr, holder: Holder) -> Finding {
    let name = "sip arrives";
    if own.port() == 0 {
        return Finding::good(format!("{name}: not tried; the port is the kernel's choice"));
    }
    let probed = match holder {
        Holder::Somebody(_) => options(told).await,
        Holder::Nobody => match UdpSocket::bind(own).await {
            Ok(listener) => token(&listener, told).await,
            Err(error) => Err(error),
        },
    };
    match probed {
        Ok(true) => Finding::good(format!("{name}: a packet sent to {told} does")),
        Ok(false) => missing(name, told, own.ip()),
        Err(error) => {
            Finding::broken(format!("{name}: cannot be tried at {told}: {error}"), "see above")
        }
    }
}

async fn media_arrives(own: IpAddr, told: IpAddr, from: u16, to: u16) -> Finding {
    let name = "media arrives";
    let mut free = None;
    for port in (from..=to).take(TRIES) {
        if let Ok(socket) = UdpSocket::bind(SocketAddr::new(own, port)).await {
            free = socket.local_addr().ok().map(|addr| (socket, addr.port()));
            break;
        }
    }
    let Some((socket, port)) = free else {
        let what = format!("{name}: not tried; the first {TRIES} ports from {from} are in use");
        return Finding::note(what, "try again when there are fewer calls");
    };
    let told = SocketAddr::new(told, port);
    match token(&socket, told).await {
        Ok(true) => Finding::good(format!("{name}: a packet sent to {told} does")),
        Ok(false) => missing(name, told, own),
        Err(error) => Finding::broken(
            format!("{name}: cannot be sent to {told}: {error}"),
            "this machine has no way there",
        ),
    }
}

/// Whether what another socket sends to `told` comes out of `listener`.
async fn token(listener: &UdpSocket, told: SocketAddr) -> io::Result<bool> {
    let sender = elsewhere(told.ip()).await?;
    let token = rand::random::<[u8; 16]>();
    sender.send_to(&token, told).await?;
    let mut buffer = [0; 64];
    let comes = async {
        loop {
            match listener.recv_from(&mut buffer).await {
                Ok((length, _)) if buffer[..length] == token => return Ok(true),
                Ok(_) => {} // somebody else's
                Err(error) => return Err(error),
            }
        }
    };
    tokio::time::timeout(ARRIVES_WITHIN, comes).await.unwrap_or(Ok(false))
}

async fn options(told: SocketAddr) -> io::Result<bool> {
    let sender = elsewhere(told.ip()).await?;
    let us = sender.local_addr()?;
    let (id, branch) = (rand::random::<u64>(), rand::random::<u64>());
    // `rport` (RFC 3581): the answer comes back to where this came from, whatever Via says.
    let asked = format!(
        "OPTIONS sip:{told} SIP/2.0\r\nVia: SIP/2.0/UDP {us};rport;branch=z9hG4bK{branch:x}\r\n\
         Max-Forwards: 1\r\nFrom: <sip:doctor@{us}>;tag={id:x}\r\nTo: <sip:{told}>\r\n\
         Call-ID: {id:x}\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
    );
    let mut buffer = [0; 2_048];
    let id = format!("{id:x}");
    // Twice, as any client would: a datagram may be lost on a busy machine.
    for _ in 0..2 {
        sender.send_to(asked.as_bytes(), told).await?;
        let answered = async {
            loop {
                let (length, _) = sender.recv_from(&mut buffer).await?;
                let text = String::from_utf8_lossy(&buffer[..length]);
                if text.starts_with("SIP/2.0 ") && text.contains(&id) {
                    return Ok(true);
                }
            }
        };
        if let Ok(answered) = tokio::time::timeout(ARRIVES_WITHIN / 2, answered).await {
            return answered;
        }
    }
    Ok(false)
}
