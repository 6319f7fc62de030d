//! Who asks, where a proxy stands in front: X-Forwarded-For counts from proxies that the
//! configuration names, and from nobody else.

use crate::request::Client;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, header};
use std::net::{IpAddr, SocketAddr};

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// Whoever sends one of these speaks for somebody else.
const BY_PROXIES: [HeaderName; 4] =
    [FORWARDED_FOR, header::FORWARDED, header::VIA, HeaderName::from_static("x-real-ip")];

pub(crate) fn client(peer: SocketAddr, headers: &HeaderMap, proxies: &[IpAddr]) -> Client {
    let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
    let addr = match proxies.contains(&peer.ip()) {
        true => told(headers, proxies).map_or(peer, |ip| SocketAddr::new(ip, 0)),
        false => peer,
    };
    let direct = !BY_PROXIES.iter().any(|name| headers.contains_key(name));
    let is_local = direct && peer.ip().is_loopback() && host(headers).is_none_or(is_this_machine);
    Client { addr, is_local }
}

/// From the right, the first that is none of our proxies: what stands left of it anybody can write.
fn told(headers: &HeaderMap, proxies: &[IpAddr]) -> Option<IpAddr> {
    let lines: Vec<_> = headers.get_all(FORWARDED_FOR).iter().collect();
    let lines = lines.into_iter().rev().filter_map(|line| line.to_str().ok());
    for hop in lines.flat_map(|line| line.rsplit(',')) {
        let ip = hop.trim().parse::<IpAddr>().ok()?.to_canonical();
        if !proxies.contains(&ip) {
            return Some(ip);
        }
    }
    None
}

/// The name that was asked for, without port and brackets. None: no Host, so no browser.
pub(crate) fn host(headers: &HeaderMap) -> Option<String> {
    let host = headers.get(header::HOST)?;
    let authority = host.to_str().ok().and_then(|text| text.parse::<Authority>().ok());
    let name = authority.map(|a| a.host().trim_matches(['[', ']']).to_ascii_lowercase());
    Some(name.unwrap_or_default())
}

pub(crate) fn is_localhost(name: &str) -> bool {
    name == "localhost" || name.ends_with(".localhost")
}

fn is_this_machine(name: String) -> bool {
    is_localhost(&name) || name.parse::<IpAddr>().is_ok_and(|ip| ip.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(peer: &str, all: &[(&'static str, &'static str)], proxies: &[&str]) -> Client {
        let mut headers = HeaderMap::new();
        for (name, value) in all {
            headers.append(*name, value.parse().unwrap());
        }
        let proxies: Vec<_> = proxies.iter().map(|ip| ip.parse().unwrap()).collect();
        client(peer.parse().unwrap(), &headers, &proxies)
    }

    #[test]
    fn only_a_proxy_that_is_named_is_believed_and_only_for_the_last_hop() {
        let ip =
            |peer, all: &[_], proxies: &[&str]| asked(peer, all, proxies).addr.ip().to_string();
        let told = [("x-forwarded-for", "192.0.2.66, 198.51.100.7")];
        assert_eq!(ip("203.0.113.9:5", &told, &[]), "203.0.113.9");
        assert_eq!(ip("10.0.0.1:5", &told, &["10.0.0.1"]), "198.51.100.7");
        assert_eq!(ip("[::ffff:10.0.0.1]:5", &told, &["10.0.0.1"]), "198.51.100.7");
        let twice = [("x-forwarded-for", "192.0.2.66"), ("x-forwarded-for", "10.0.0.2")];
        assert_eq!(ip("10.0.0.1:5", &twice, &["10.0.0.1", "10.0.0.2"]), "192.0.2.66");
        let nonsense = [("x-forwarded-for", "192.0.2.66, unknown")];
        assert_eq!(ip("10.0.0.1:5", &nonsense, &["10.0.0.1"]), "10.0.0.1");
    }

    #[test]
    fn who_comes_through_a_proxy_or_by_a_foreign_name_is_not_on_this_machine() {
        let local = |peer, all: &[_]| asked(peer, all, &[]).is_local;
        assert!(local("127.0.0.1:5", &[("host", "mia.localhost:8080")]));
        assert!(local("[::1]:5", &[("host", "[::1]:8080")]) && local("127.0.0.1:5", &[]));
        assert!(!local("192.0.2.1:5", &[("host", "localhost")]));
        assert!(!local("127.0.0.1:5", &[("host", "ut.example.org")]));
        for name in ["x-forwarded-for", "forwarded", "via", "x-real-ip"] {
            assert!(!local("127.0.0.1:5", &[("host", "localhost"), (name, "x")]), "{name}");
        }
    }
}
