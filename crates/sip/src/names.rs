//! The name of a SIP domain to the places where it is served, in the order in which they are to be
//! tried (RFC 3263): NAPTR if there is one, SRV by priority and weight, else the name's own
//! addresses. Answers are kept for as long as the zone lets them be.
//!
//! It sends no SIP, and does not know whether a place answers. NAPTR's regular expressions are not
//! for SIP (RFC 3263 section 4.1), and are not read.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{LookupIpStrategy, NameServerConfig, ResolverConfig, ResolverOpts};
use hickory_resolver::lookup::Lookup;
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::rdata::{NAPTR, SRV};
use hickory_resolver::proto::rr::{Name, RData, RecordType};

use crate::asking::Target;
use crate::types::{SipError, Transport};

const DEFAULT_PORT: u16 = 5_060;
/// A name server that has not answered by then is asked once more.
const ANSWER_MAX: Duration = Duration::from_secs(1);
/// An address needs no looking up; it may be asked for again all the same.
const ADDRESS_STAYS: Duration = Duration::from_secs(86_400);
/// Places that one name may have; what a zone lists beyond is not tried.
const PLACES_MAX: usize = 32;

/// Why a name leads nowhere.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LookupError {
    #[error("{0} is no domain name")]
    BadName(String),
    #[error("the name {0} does not exist")]
    NoSuchName(String),
    #[error("the name {0} has no address that we can reach")]
    NoAddress(String),
    /// Its zone says so itself (RFC 2782: a target of `.`).
    #[error("the domain {0} offers no SIP")]
    NoService(String),
    #[error("no name server told us of {0}")]
    NoServer(String),
}

/// Where a name leads, and until when that may be believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The first is to be tried first, each other one if nobody answers before it, or with 503.
    pub targets: Vec<Target>,
    pub valid_until: Instant,
}

/// What we can send from: families and their transports.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reach(Vec<(bool, Transport)>);

impl Reach {
    pub(crate) fn add(&mut self, v6: bool, transport: Transport) {
        self.0.push((v6, transport));
    }

    fn has(&self, transport: Transport) -> bool {
        self.0.iter().any(|(_, have)| *have == transport)
    }

    /// Where nothing is said (RFC 3263 section 4.1).
    fn usual(&self) -> Transport {
        if self.has(Transport::Udp) { Transport::Udp } else { Transport::Tcp }
    }

    fn fits(&self, ip: IpAddr, transport: Transport) -> bool {
        self.0.contains(&(ip.is_ipv6(), transport))
    }
}

pub(crate) struct Names {
    dns: TokioResolver,
}

/// One host of a service, and by what it is reached.
struct Place {
    host: Name,
    port: u16,
    transport: Transport,
}

impl Names {
    /// Asks these servers; the system's (`/etc/resolv.conf`, `/etc/hosts`) if there are none.
    pub(crate) fn new(servers: &[SocketAddr]) -> Result<Self, SipError> {
        let failed = |error: NetError| SipError::Names(error.to_string());
        let mut builder = match servers {
            [] => TokioResolver::builder_tokio().unwrap_or_else(|error| {
                tracing::warn!(%error, "no name servers: names are looked up in /etc/hosts alone");
                let none = ResolverConfig::from_parts(None, Vec::new(), Vec::new());
                TokioResolver::builder_with_config(none, TokioRuntimeProvider::default())
            }),
            servers => {
                let servers = servers.iter().map(|at| name_server(*at)).collect();
                let config = ResolverConfig::from_parts(None, Vec::new(), servers);
                TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
            }
        };
        let options: &mut ResolverOpts = builder.options_mut();
        options.timeout = ANSWER_MAX;
        options.attempts = 1;
        options.ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
        Ok(Self { dns: builder.build().map_err(failed)? })
    }

    /// `transport` is what the URI or the configuration asks for.
    pub(crate) async fn find(
        &self,
        host: &str,
        port: Option<u16>,
        transport: Option<Transport>,
        reach: &Reach,
    ) -> Result<Found, LookupError> {
        if let Ok(ip) = host.trim_matches(['[', ']']).parse::<IpAddr>() {
            return address(ip, port, transport, reach)
                .ok_or_else(|| LookupError::NoAddress(host.to_owned()));
        }
        let name = name_of(host).ok_or_else(|| LookupError::BadName(host.to_owned()))?;
        let mut search = Search { dns: &self.dns, reach, until: None, targets: Vec::new() };
        // An explicit port names a host, not a service (section 4.2).
        if port.is_none() && search.services(host, &name, transport).await? {
            return search.done().ok_or_else(|| LookupError::NoAddress(host.to_owned()));
        }
        let port = port.unwrap_or(DEFAULT_PORT);
        let transport = transport.unwrap_or_else(|| reach.usual());
        match search.addresses(Place { host: name, port, transport }).await {
            Ok(()) => search.done().ok_or_else(|| LookupError::NoAddress(host.to_owned())),
            Err(error) if error.is_nx_domain() => Err(LookupError::NoSuchName(host.to_owned())),
            Err(error) if error.is_no_records_found() => {
                Err(LookupError::NoAddress(host.to_owned()))
            }
            Err(error) => {
                tracing::debug!(host, %error, "a name could not be looked up");
                Err(LookupError::NoServer(host.to_owned()))
            }
        }
    }
}

/// What one look-up has found so far.
struct Search<'a> {
    dns: &'a TokioResolver,
    reach: &'a Reach,
    /// The end of whatever ends first.
    until: Option<Instant>,
    targets: Vec<Target>,
}

impl Search<'_> {
    fn done(self) -> Option<Found> {
        let valid_until = self.until?;
        (!self.targets.is_empty()).then_some(Found { targets: self.targets, valid_until })
    }

    fn holds(&mut self, until: Instant) {
        self.until = Some(self.until.map_or(until, |have| have.min(until)));
    }

    /// True: the name is a service, and its hosts have been looked up (sections 4.1 and 4.2).
    async fn services(
        &mut self,
        host: &str,
        name: &Name,
        transport: Option<Transport>,
    ) -> Result<bool, LookupError> {
        let mut places = Vec::new();
        let mut offered = false;
        let Some(named) = self.named(name, transport).await else { return Ok(false) };
        for (transport, service) in named {
            let found = match self.dns.srv_lookup(service).await {
                Ok(found) => found,
                // What is left is /etc/hosts, which knows no services.
                Err(error) if is_away(&error) => return Ok(false),
                Err(_) => continue,
            };
            self.holds(found.valid_until());
            let records: Vec<&SRV> = rdata(&found, |data| match data {
                RData::SRV(record) => Some(record),
                _ => None,
            });
            offered |= !records.is_empty();
            let weighed = records.iter().filter(|srv| !srv.target.is_root());
            let in_order = by_weight(weighed.map(|srv| (srv.priority, srv.weight, *srv)).collect());
            places.extend(in_order.into_iter().map(|srv| Place {
                host: srv.target.clone(),
                port: srv.port,
                transport,
            }));
        }
        if offered && places.is_empty() {
            return Err(LookupError::NoService(host.to_owned()));
        }
        for place in places {
            if let Err(error) = self.addresses(place).await {
                tracing::debug!(host, %error, "a host of a service could not be looked up");
            }
        }
        Ok(offered)
    }

    /// The names that its services have, in the order in which it wants them used. None if there
    /// is no name server to be had.
    async fn named(
        &mut self,
        name: &Name,
        transport: Option<Transport>,
    ) -> Option<Vec<(Transport, Name)>> {
        let usual = |transport: Transport| {
            let label = if transport == Transport::Tcp { "_tcp" } else { "_udp" };
            let service = Name::from_labels(["_sip", label]).ok()?.append_domain(name).ok()?;
            Some((transport, service))
        };
        if let Some(transport) = transport {
            return Some(usual(transport).into_iter().collect());
        }
        let found = self.dns.lookup(name.clone(), RecordType::NAPTR).await;
        if found.as_ref().is_err_and(is_away) {
            return None;
        }
        if let Ok(found) = found {
            let mut records: Vec<&NAPTR> = rdata(&found, |data| match data {
                RData::NAPTR(record) => Some(record),
                _ => None,
            });
            records.sort_by_key(|naptr| (naptr.order, naptr.preference));
            let services: Vec<_> = records.iter().filter_map(|naptr| service_of(naptr)).collect();
            let ours = services.into_iter().filter(|(transport, _)| self.reach.has(*transport));
            let ours: Vec<_> = ours.collect();
            if !ours.is_empty() {
                self.holds(found.valid_until());
                return Some(ours);
            }
        }
        let have = [Transport::Udp, Transport::Tcp].into_iter().filter(|t| self.reach.has(*t));
        Some(have.filter_map(usual).collect())
    }

    /// Those that we can reach join the targets; IPv4 goes first.
    async fn addresses(&mut self, place: Place) -> Result<(), NetError> {
        let found = self.dns.lookup_ip(place.host).await?;
        self.holds(found.valid_until());
        let (v4, v6): (Vec<IpAddr>, Vec<IpAddr>) = found.iter().partition(IpAddr::is_ipv4);
        for ip in v4.into_iter().chain(v6) {
            let addr = SocketAddr::new(ip, place.port);
            let target = Target { addr, transport: place.transport };
            let room = self.targets.len() < PLACES_MAX && !self.targets.contains(&target);
            if room && self.reach.fits(ip, place.transport) {
                self.targets.push(target);
            }
        }
        Ok(())
    }
}

/// Nobody said anything, not even that there is nothing.
fn is_away(error: &NetError) -> bool {
    matches!(error, NetError::Timeout | NetError::Io(_) | NetError::NoConnections | NetError::Busy)
}

/// An address is itself, and stays so.
fn address(
    ip: IpAddr,
    port: Option<u16>,
    transport: Option<Transport>,
    reach: &Reach,
) -> Option<Found> {
    let transport = transport.unwrap_or_else(|| reach.usual());
    let addr = SocketAddr::new(ip, port.unwrap_or(DEFAULT_PORT));
    let found = Found {
        targets: vec![Target { addr, transport }],
        valid_until: Instant::now() + ADDRESS_STAYS,
    };
    reach.fits(ip, transport).then_some(found)
}

fn name_server(at: SocketAddr) -> NameServerConfig {
    let mut server = NameServerConfig::udp_and_tcp(at.ip());
    server.connections.iter_mut().for_each(|connection| connection.port = at.port());
    server
}

/// With a dot in it, it is whole: the system's search domains are not tried.
fn name_of(host: &str) -> Option<Name> {
    let mut name = Name::from_str_relaxed(host).ok()?;
    if host.contains('.') {
        name.set_fqdn(true);
    }
    (!name.is_root()).then_some(name)
}

fn rdata<'a, T>(found: &'a Lookup, pick: impl Fn(&'a RData) -> Option<&'a T>) -> Vec<&'a T> {
    found.answers().iter().filter_map(|record| pick(&record.data)).collect()
}

/// What of a NAPTR record is SIP by a transport of ours (RFC 3263 section 4.1).
fn service_of(naptr: &NAPTR) -> Option<(Transport, Name)> {
    let transport = match naptr.services.to_ascii_uppercase().as_slice() {
        b"SIP+D2U" => Transport::Udp,
        b"SIP+D2T" => Transport::Tcp,
        _ => return None,
    };
    let leads_to_srv = naptr.flags.eq_ignore_ascii_case(b"s") && !naptr.replacement.is_root();
    leads_to_srv.then(|| (transport, naptr.replacement.clone()))
}

/// RFC 2782's order: by priority; among equals each comes next with a chance of its weight.
fn by_weight<T>(all: Vec<(u16, u16, T)>) -> Vec<T> {
    in_order(all, |sum| rand::random_range(0..=sum))
}

/// `draw` gives a number from 0 to its argument.
fn in_order<T>(mut left: Vec<(u16, u16, T)>, mut draw: impl FnMut(u32) -> u32) -> Vec<T> {
    // Those of weight 0 stand before the others, so that they are drawn too, if rarely.
    left.sort_by_key(|(priority, weight, _)| (*priority, *weight != 0));
    let mut order = Vec::with_capacity(left.len());
    while let Some((first, ..)) = left.first() {
        let equals = left.iter().take_while(|(priority, ..)| priority == first).count();
        let sum = left[..equals].iter().map(|(_, weight, _)| u32::from(*weight)).sum();
        let mark = draw(sum);
        let mut run = 0;
        let reached = left[..equals].iter().position(|(_, weight, _)| {
            run += u32::from(*weight);
            run >= mark
        });
        order.push(left.remove(reached.unwrap_or(0)).2);
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn priority_goes_before_weight_and_everything_is_tried() {
        let all = vec![(20, 100, "last"), (10, 0, "never first"), (10, 60, "a"), (10, 40, "b")];
        for mark in [1, 60, 61, 100] {
            let mut draws = 0;
            let order = in_order(all.clone(), |sum| {
                draws += 1;
                if draws == 1 {
                    assert_eq!(sum, 100, "of the equals alone");
                }
                mark.min(sum)
            });
            assert_eq!(order[0], if mark <= 60 { "a" } else { "b" }, "{mark}");
            assert_eq!((order.len(), order[3]), (4, "last"));
        }
        assert_eq!(in_order(all, |_| 0)[0], "never first");
    }

    #[test]
    fn weights_are_chances() {
        let mut firsts = 0;
        for _ in 0..10_000 {
            let order = by_weight(vec![(1, 3_000, true), (1, 1_000, false)]);
            firsts += u32::from(order[0]);
        }
        // 7,500 of them; 300 away would be seven standard deviations.
        assert!((7_200..7_800).contains(&firsts), "{firsts}");
    }

    #[test]
    fn a_name_with_a_dot_is_whole_and_nonsense_is_none() {
        assert!(name_of("sip.example.com").unwrap().is_fqdn());
        assert!(!name_of("pbx").unwrap().is_fqdn());
        assert!(name_of(".").is_none());
        assert!(name_of(&"a".repeat(64)).is_none());
    }
}
