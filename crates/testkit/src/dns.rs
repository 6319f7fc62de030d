//! A real name server on loopback with one zone, `test.`, that a test writes as a zone file and may
//! write anew while it runs. It knows nothing of SIP.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use hickory_server::Server;
use hickory_server::net::runtime::TokioRuntimeProvider;
use hickory_server::proto::rr::{LowerName, Name};
use hickory_server::proto::serialize::txt::Parser;
use hickory_server::store::in_memory::InMemoryZoneHandler;
use hickory_server::zone_handler::{AxfrPolicy, Catalog, ZoneType};
use tokio::net::{TcpListener, UdpSocket};

const ZONE: &str = "test.";
/// Answers that were not found may be believed for a second, like all that is found.
const HEAD: &str = "@ 1 IN SOA ns hostmaster 1 60 60 60 1\n@ 1 IN NS ns\nns 1 IN A 127.0.0.1\n";

/// Answers by UDP and TCP on one port until it is dropped.
pub struct NameServer {
    zone: Arc<InMemoryZoneHandler>,
    addr: SocketAddr,
    server: Server<Catalog>,
}

impl NameServer {
    /// `records` are lines of a zone file, names without a dot at their end below `test.`:
    /// `_sip._udp.carrier 1 IN SRV 10 5 5060 a.carrier`.
    pub async fn start(records: &str) -> Self {
        let zone = Arc::new(zone(records));
        let mut catalog = Catalog::new();
        catalog.upsert(LowerName::new(&origin()), vec![zone.clone()]);
        let mut server = Server::new(catalog);
        let (udp, tcp) = sockets().await;
        let addr = udp.local_addr().expect("an address");
        server.register_socket(udp);
        server.register_listener(tcp, Duration::from_secs(5), 16);
        Self { zone, addr, server }
    }

    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// From now on the zone holds these records and no others.
    pub async fn set(&self, records: &str) {
        let mut fresh = zone(records);
        *self.zone.records_mut().await = std::mem::take(fresh.records_get_mut());
    }
}

impl Drop for NameServer {
    fn drop(&mut self) {
        self.server.shutdown_token().cancel();
    }
}

fn origin() -> Name {
    Name::from_ascii(ZONE).expect("a name")
}

fn zone(records: &str) -> InMemoryZoneHandler<TokioRuntimeProvider> {
    let text = format!("{HEAD}{records}\n");
    let parsed = Parser::new(text, None, Some(origin())).parse();
    let (origin, records) = parsed.expect("a zone file");
    InMemoryZoneHandler::new(origin, records, ZoneType::Primary, AxfrPolicy::Deny).expect("a zone")
}

/// One port that is free for both; the kernel chooses it.
async fn sockets() -> (UdpSocket, TcpListener) {
    for _ in 0..64 {
        let udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a socket");
        let addr = udp.local_addr().expect("an address");
        if let Ok(tcp) = TcpListener::bind(addr).await {
            return (udp, tcp);
        }
    }
    panic!("no port is free for UDP and TCP both");
}
