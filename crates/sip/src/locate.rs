//! Where a request goes: from the URI that names its next hop to a socket or a connection
//! (RFC 3261 section 8.1.2, and of RFC 3263 what needs no DNS but addresses).
//!
//! To the library a connection of ours is of a transport that it cannot open by itself (`SCTP`),
//! so that it never dials past our limits and our reading. What leads nowhere is sent to a place
//! that answers at once.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use rsipstack::sip::uri::ParamsExt as _;
use rsipstack::sip::{Host, HostWithPort, Scheme, Transport as Named, Uri};
use rsipstack::transaction::endpoint::TargetLocator;
use rsipstack::transport::SipAddr;
use rsipstack::transport::transport_layer::DomainResolver;

use crate::flows::Flows;

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
    pub(crate) v6: bool,
    /// Whether it has a UDP socket.
    pub(crate) udp: bool,
}

impl Locator {
    pub(crate) async fn find(&self, transport: Option<Named>, host: &HostWithPort) -> SipAddr {
        let Some(addr) = self.address(host).await.filter(|addr| addr.is_ipv6() == self.v6) else {
            tracing::debug!(%host, "a next hop without an address that we can reach");
            return nowhere();
        };
        match transport {
            Some(Named::Udp) | None if self.udp => udp(addr),
            Some(Named::Tcp) | None => match self.flows.toward(addr).await {
                Some(flow) => flow.addr.clone(),
                None => nowhere(),
            },
            Some(other) => {
                tracing::debug!(%addr, transport = %other, "a transport that we do not have");
                nowhere()
            }
        }
    }

    /// Names become addresses of our family.
    async fn address(&self, host: &HostWithPort) -> Option<SocketAddr> {
        let port = host.port.as_ref().map_or(DEFAULT_PORT, |port| port.value());
        match &host.host {
            Host::IpAddr(ip) => Some(SocketAddr::new(*ip, port)),
            Host::Domain(name) => {
                let fits = |ip: IpAddr| ip.is_ipv6() == self.v6;
                let found = tokio::net::lookup_host((name.0.as_str(), port)).await.ok()?;
                found.into_iter().find(|addr| fits(addr.ip()))
            }
        }
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
