//! Which address each side is told.

use std::net::IpAddr;

use undertone_sdp::{Network, Told};

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn told() -> Told {
    let external = [ip("203.0.113.5"), ip("2001:db8::5")];
    Told::new(&external, Network::private())
}

#[test]
fn who_is_outside_is_told_the_address_outside_and_who_is_inside_our_own() {
    let cases = [
        ("10.0.0.4", "198.51.100.7", "203.0.113.5"),
        ("10.0.0.4", "192.168.7.7", "10.0.0.4"),
        ("10.0.0.4", "127.0.0.1", "10.0.0.4"),
        ("10.0.0.4", "172.31.255.255", "10.0.0.4"),
        ("10.0.0.4", "172.32.0.0", "203.0.113.5"),
        ("10.0.0.4", "::ffff:192.168.7.7", "10.0.0.4"),
        ("fd00::4", "2001:db8:9::1", "2001:db8::5"),
        ("fd00::4", "fe80::9", "fd00::4"),
        ("fd00::4", "::1", "fd00::4"),
        ("203.0.113.9", "203.0.113.9", "203.0.113.9"),
    ];
    for (own, peer, expected) in cases {
        assert_eq!(told().address(ip(own), ip(peer)), ip(expected), "{own} to {peer}");
    }
}

#[test]
fn without_an_address_outside_everybody_is_told_our_own() {
    let peer = ip("198.51.100.7");
    assert_eq!(Told::default().address(ip("10.0.0.4"), peer), ip("10.0.0.4"));
    let only_v6 = Told::new(&[ip("2001:db8::5")], Vec::new());
    assert_eq!(only_v6.address(ip("10.0.0.4"), peer), ip("10.0.0.4"));
    assert_eq!(only_v6.address(ip("fd00::4"), ip("fd00::9")), ip("2001:db8::5"));
}

#[test]
fn networks_are_read_compared_and_written() {
    let cases = [
        ("10.1.2.3/8", "10.255.0.1", true),
        ("10.0.0.0/8", "11.0.0.1", false),
        ("192.0.2.7", "192.0.2.7", true),
        ("192.0.2.7", "192.0.2.6", false),
        ("0.0.0.0/0", "8.8.8.8", true),
        ("0.0.0.0/0", "::1", false),
        ("::/0", "2001:db8::1", true),
        ("fd00::/8", "fdff::1", true),
        ("fd00::/8", "fe00::1", false),
    ];
    for (network, address, inside) in cases {
        let network: Network = network.parse().unwrap();
        assert_eq!(network.contains(ip(address)), inside, "{network} {address}");
        assert_eq!(network.to_string().parse::<Network>(), Ok(network));
    }
    for bad in ["", "10.0.0.0/33", "::/129", "10.0.0.0/", "host/8", "10.0.0.0/-1"] {
        assert!(bad.parse::<Network>().is_err(), "{bad}");
    }
}
