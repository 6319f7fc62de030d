//! Where a request goes: from the URI that names its next hop to a socket or a connection
//! (RFC 3261 section 8.1.2). What a name stands for is `names`' to say.
//!
//! To the library a connection of ours is of a transport that it cannot open by itself (`SCTP`),
//! so that it never dials past our limits and our reading. What leads nowhere is sent to a place
//! that answers at once.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use rsipstack::sip::uri::ParamsExt as _;
use rsipstack::sip::{Host, HostWithPort, Scheme, Transport as Named, Uri};
use rsipstack::transaction::endpoint::TargetLocator;
use rsipstack::transport::SipAddr;
use rsipstack::transport::transport_layer::DomainResolver;

use crate::flows::Flows;
use crate::names::{LookupError, Names, Reach};
use crate::types::Transport;

const DEFAULT_PORT: u16 = 5_060;

/// The library's mark of what goes over a connection of ours.
pub(crate) fn marked(remote: SocketAddr) -> SipAddr {
    SipAddr::new(Named::Sctp, remote.into())
}

/// The place that answers by itself.
pub(crate) fn nowhere() -> SipAddr {
    marked(SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)))
}

pub(crate) fn udp(addr: SocketAddr) -> SipAddr {
    SipAddr::new(Named::Udp, addr.into())
}

/// Finds next hops for one endpoint: addresses of its own family, by transports that it has.
#[derive(Clone)]
pub(crate) struct Locator {
    pub(crate) flows: Arc<Flows>,
    pub(crate) names: Arc<Names>,
    pub(crate) v6: bool,
    /// Whether it has a UDP socket.
    pub(crate) udp: bool,
}

impl Locator {
    /// The first way, open.
    pub(crate) async fn find(&self, transport: Option<Named>, host: &HostWithPort) -> SipAddr {
        match self.targets(transport, host).await {
            Ok(targets) => match targets.into_iter().next() {
                Some(first) => self.open(first).await,
                None => nowhere(),
            },
            Err(error) => {
                tracing::debug!(%error, "a next hop that leads nowhere");
                nowhere()
            }
        }
    }

    /// All ways to a host, or to what a name stands for, in the order in which they are to be
    /// tried. Those over TCP are plain addresses until they are opened.
    pub(crate) async fn targets(
        &self,
        transport: Option<Named>,
        host: &HostWithPort,
    ) -> Result<Vec<SipAddr>, LookupError> {
        let transport = match transport {
            None => None,
            Some(Named::Udp) if self.udp => Some(Transport::Udp),
            Some(Named::Tcp) if self.flows.is_configured() => Some(Transport::Tcp),
            Some(other) => {
                tracing::debug!(%host, transport = %other, "a transport that we do not have");
                return Ok(vec![nowhere()]);
            }
        };
        let port = host.port.as_ref().map(|port| port.value());
        let way = |addr: SocketAddr, by: Transport| SipAddr::new(by.into(), addr.into());
        match &host.host {
            Host::IpAddr(ip) if ip.is_ipv6() != self.v6 => {
                tracing::debug!(%host, "a next hop of the other family");
                Ok(vec![nowhere()])
            }
            Host::IpAddr(ip) => {
                let usual = if self.udp { Transport::Udp } else { Transport::Tcp };
                let addr = SocketAddr::new(*ip, port.unwrap_or(DEFAULT_PORT));
                Ok(vec![way(addr, transport.unwrap_or(usual))])
            }
            Host::Domain(name) => {
                let found = self.names.find(&name.0, port, transport, &self.reach()).await?;
                Ok(found.targets.into_iter().map(|t| way(t.addr, t.transport)).collect())
            }
        }
    }

    /// A way over TCP becomes the connection there, opened now if there is none.
    pub(crate) async fn open(&self, way: SipAddr) -> SipAddr {
        if way.r#type != Some(Named::Tcp) {
            return way;
        }
        match way.get_socketaddr() {
            Ok(addr) => match self.flows.toward(addr).await {
                Some(flow) => flow.addr.clone(),
                None => nowhere(),
            },
            Err(_) => nowhere(),
        }
    }

    pub(crate) fn adds_to(&self, reach: &mut Reach) {
        if self.udp {
            reach.add(self.v6, Transport::Udp);
        }
        if self.flows.is_configured() {
            reach.add(self.v6, Transport::Tcp);
        }
    }

    fn reach(&self) -> Reach {
        let mut reach = Reach::default();
        self.adds_to(&mut reach);
        reach
    }
}

/// What a URI asks for: `sips` is TLS whatever else it says (section 26.2.2).
pub(crate) fn transport_of(uri: &Uri) -> Option<Named> {
    match uri.scheme {
        Some(Scheme::Sips) => Some(Named::Tls),
        _ => uri.transport().copied(),
    }
}

#[async_trait::async_trait]
impl TargetLocator for Locator {
    async fn locate(&self, uri: &Uri) -> rsipstack::Result<SipAddr> {
        Ok(self.find(transport_of(uri), &uri.host_with_port).await)
    }
}

/// The library's own way, where it has a next hop that did not come from the locator.
#[async_trait::async_trait]
impl DomainResolver for Locator {
    async fn resolve(&self, target: &SipAddr) -> rsipstack::Result<SipAddr> {
        Ok(self.find(target.r#type, &target.addr).await)
    }
}
