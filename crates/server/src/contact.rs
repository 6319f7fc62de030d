//! Addresses of devices as provisioning writes them: `sip:user@host:port`. Compares and takes
//! apart; looks nothing up.

use std::net::{IpAddr, SocketAddr};

/// Host and port of a SIP URI whose host is an address; names are not looked up. Port 5060 if
/// none is given (RFC 3261 section 19.1.2).
pub fn address(uri: &str) -> Option<SocketAddr> {
    let rest = uri.trim().trim_start_matches('<').trim_end_matches('>');
    let rest = rest.strip_prefix("sip:").unwrap_or(rest);
    let rest = rest.split([';', '?', '>']).next()?;
    let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    if let Ok(whole) = host.parse::<SocketAddr>() {
        return Some(whole);
    }
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare.parse::<IpAddr>().ok().map(|ip| SocketAddr::new(ip, 5060))
}

/// `sip:user@…` → `user`.
pub fn user(uri: &str) -> Option<&str> {
    let rest = uri.trim().trim_start_matches('<');
    let rest = rest.strip_prefix("sip:").unwrap_or(rest);
    rest.split_once('@').map(|(user, _)| user).filter(|user| !user.is_empty())
}

/// Whether two URIs name the same contact: same user, same place.
pub fn same(a: &str, b: &str) -> bool {
    address(a).is_some() && address(a) == address(b) && user(a) == user(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_found_with_and_without_port_user_and_brackets() {
        let found = |uri| address(uri).map(|a| a.to_string());
        assert_eq!(found("sip:1001@127.0.0.1:5062"), Some("127.0.0.1:5062".into()));
        assert_eq!(found("<sip:127.0.0.1;ob>"), Some("127.0.0.1:5060".into()));
        assert_eq!(found("sip:x@[::1]:5070"), Some("[::1]:5070".into()));
        assert_eq!(found("sip:x@phone.example"), None);
    }

    #[test]
    fn contacts_are_compared_by_user_and_place() {
        assert!(same("sip:7@127.0.0.1", "sip:7@127.0.0.1:5060;ob"));
        assert!(!same("sip:7@127.0.0.1:5061", "sip:7@127.0.0.1:5060"));
        assert!(!same("sip:8@127.0.0.1", "sip:7@127.0.0.1"));
    }
}
