//! Names of SIP domains (RFC 3263), asked of a real name server on loopback: in which order their
//! places are tried, when the next one is, and what a name that leads nowhere says.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::time::timeout;
use undertone_sip::{
    Credentials, DialogEvent, Found, Listen, LookupError, Outgoing, Sip, SipConfig, Target,
    Transport,
};
use undertone_testkit::dns::NameServer;

use crate::peer::Peer;
use crate::support::{ANSWER, LIMIT, T1_MS, config, drained, next, next_final, to};

fn asking(server: &NameServer) -> SipConfig {
    SipConfig { name_servers: vec![server.addr()], ..config() }
}

async fn sip(server: &NameServer) -> Sip {
    Sip::bind(asking(server)).await.unwrap().0
}

fn at(ip: &str, port: u16, transport: Transport) -> Target {
    Target { addr: SocketAddr::new(ip.parse().unwrap(), port), transport }
}

async fn targets(sip: &Sip, host: &str) -> Vec<Target> {
    sip.look_up(host, None, None).await.unwrap().targets
}

fn to_name(name: &str) -> Outgoing {
    Outgoing { to_uri: format!("sip:200@{name}"), ..to("127.0.0.1:9".parse().unwrap()) }
}

const HOSTS: &str = "a 1 IN A 127.0.0.1\nb 1 IN A 127.0.0.2\nc 1 IN A 127.0.0.3\n";

#[tokio::test]
async fn services_are_found_by_priority_and_their_hosts_by_address() {
    let server = NameServer::start(&format!(
        "{HOSTS}_sip._udp.carrier 1 IN SRV 20 0 5062 b\n_sip._udp.carrier 1 IN SRV 10 0 5061 a\n\
         _sip._tcp.carrier 1 IN SRV 10 0 5063 c\n"
    ))
    .await;
    let sip = sip(&server).await;
    let (udp, tcp) = (Transport::Udp, Transport::Tcp);
    let all = [at("127.0.0.1", 5061, udp), at("127.0.0.2", 5062, udp), at("127.0.0.3", 5063, tcp)];
    assert_eq!(targets(&sip, "carrier.test").await, all);
    // Asked for by name, one transport's alone; with a port, the host of that name.
    let by_tcp = sip.look_up("carrier.test", None, Some(tcp)).await.unwrap();
    assert_eq!(by_tcp.targets, all[2..]);
    let host = sip.look_up("a.test", Some(5070), None).await.unwrap();
    assert_eq!(host.targets, [at("127.0.0.1", 5070, udp)]);
    assert_eq!(targets(&sip, "a.test").await, [at("127.0.0.1", 5060, udp)], "no service");
    assert_eq!(targets(&sip, "127.0.0.9").await, [at("127.0.0.9", 5060, udp)]);
}

#[tokio::test]
async fn weights_share_the_first_place_out() {
    let server = NameServer::start(&format!(
        "{HOSTS}_sip._udp.carrier 60 IN SRV 10 90 5060 a\n\
         _sip._udp.carrier 60 IN SRV 10 10 5060 b\n"
    ))
    .await;
    let sip = sip(&server).await;
    let mut firsts = 0;
    for _ in 0..400 {
        let found = targets(&sip, "carrier.test").await;
        assert_eq!(found.len(), 2, "the other one comes second");
        firsts += u32::from(found[0] == at("127.0.0.1", 5060, Transport::Udp));
    }
    // 360 of them; 60 away would be ten standard deviations.
    assert!((300..400).contains(&firsts), "{firsts}");
}

#[tokio::test]
async fn naptr_says_which_transport_goes_first() {
    let server = NameServer::start(&format!(
        "{HOSTS}_sip._udp.carrier 1 IN SRV 10 0 5060 a\n_sip._tcp.other 1 IN SRV 10 0 5060 b\n\
         carrier 1 IN NAPTR 20 10 \"S\" \"SIP+D2U\" \"\" _sip._udp.carrier\n\
         carrier 1 IN NAPTR 10 10 \"s\" \"SIP+D2T\" \"\" _sip._tcp.other\n\
         carrier 1 IN NAPTR 5 10 \"s\" \"SIPS+D2T\" \"\" _sips._tcp.other\n"
    ))
    .await;
    let sip = sip(&server).await;
    let all = [at("127.0.0.2", 5060, Transport::Tcp), at("127.0.0.1", 5060, Transport::Udp)];
    assert_eq!(targets(&sip, "carrier.test").await, all);
}

#[tokio::test]
async fn of_both_families_those_that_we_listen_on_are_found() {
    let server = NameServer::start("dual 1 IN A 127.0.0.1\ndual 1 IN AAAA ::1\n").await;
    let (v4, v6) = (at("127.0.0.1", 5060, Transport::Udp), at("::1", 5060, Transport::Udp));
    assert_eq!(targets(&sip(&server).await, "dual.test").await, [v4]);
    let both = |addrs: &[&str]| SipConfig {
        listen: addrs.iter().flat_map(|addr| Listen::both(addr.parse().unwrap())).collect(),
        ..asking(&server)
    };
    let (six, _calls) = Sip::bind(both(&["[::1]:0"])).await.unwrap();
    assert_eq!(targets(&six, "dual.test").await, [v6]);
    let (dual, _calls) = Sip::bind(both(&["127.0.0.1:0", "[::1]:0"])).await.unwrap();
    assert_eq!(targets(&dual, "dual.test").await, [v4, v6]);
}

#[tokio::test]
async fn a_call_over_ipv6_goes_to_an_aaaa_record() {
    let mut peer = Peer::on("[::1]:0").await;
    let server = NameServer::start(&format!(
        "phone 1 IN AAAA ::1\n_sip._udp.phones 1 IN SRV 1 1 {} phone\n",
        peer.addr.port()
    ))
    .await;
    let listen = Listen::both("[::1]:0".parse().unwrap()).to_vec();
    let (sip, _) = Sip::bind(SipConfig { listen, ..asking(&server) }).await.unwrap();
    let (ours, mut events) = sip.call(to_name("phones.test"));
    let invite = peer.expect("INVITE sip:200@phones.test SIP/2.0").await;
    peer.ok(&invite, "a", ANSWER).await;
    assert_eq!(next_final(&mut events).await, DialogEvent::Answered { sdp: ANSWER.into() });
    peer.expect("ACK").await;
    ours.bye();
    let bye = peer.expect("BYE").await;
    peer.respond(&bye, "200 OK", "", "", "").await;
    drained(&sip).await;
}

#[tokio::test]
async fn names_that_lead_nowhere_say_why() {
    let server = NameServer::start(
        "text 1 IN TXT \"no address\"\n_sip._udp.closed 1 IN SRV 0 0 0 .\nclosed 1 IN A 127.0.0.1\n\
         six 1 IN AAAA ::1\n",
    )
    .await;
    let sip = sip(&server).await;
    let why = async |host: &str| sip.look_up(host, None, None).await.unwrap_err();
    assert_eq!(why("nobody.test").await, LookupError::NoSuchName("nobody.test".into()));
    assert_eq!(why("text.test").await, LookupError::NoAddress("text.test".into()));
    assert_eq!(why("six.test").await, LookupError::NoAddress("six.test".into()));
    assert_eq!(why("closed.test").await, LookupError::NoService("closed.test".into()));
    let long = format!("{}.test", "a".repeat(64));
    assert_eq!(why(&long).await, LookupError::BadName(long.clone()));
    let (_call, mut events) = sip.call(to_name("nobody.test"));
    let reason = "the name nobody.test does not exist".to_owned();
    assert_eq!(next(&mut events).await, DialogEvent::Failed { code: 503, reason });
    drained(&sip).await;
}

#[tokio::test]
async fn a_name_server_that_is_silent_is_named_and_a_call_can_be_given_up_meanwhile() {
    let silent = Peer::new().await;
    let config = SipConfig { name_servers: vec![silent.addr], ..config() };
    let (sip, _) = Sip::bind(config).await.unwrap();
    let (call, mut events) = sip.call(to_name("carrier.test"));
    call.bye();
    let reason = "cancelled".to_owned();
    assert_eq!(next(&mut events).await, DialogEvent::Failed { code: 487, reason });
    let (_call, mut events) = sip.call(to_name("carrier.test"));
    let reason = "no name server told us of carrier.test".to_owned();
    assert_eq!(next(&mut events).await, DialogEvent::Failed { code: 503, reason });
    drained(&sip).await;
}

#[tokio::test]
async fn what_was_found_is_believed_for_its_time_to_live_and_no_longer() {
    let server = NameServer::start("host 1 IN A 127.0.0.1\n").await;
    let sip = sip(&server).await;
    let begun = Instant::now();
    let Found { targets: found, valid_until } = sip.look_up("host.test", None, None).await.unwrap();
    assert_eq!(found, [at("127.0.0.1", 5060, Transport::Udp)]);
    assert!(valid_until <= begun + Duration::from_secs(1) + LIMIT, "the zone says one second");
    server.set("host 3600 IN A 127.0.0.7\n").await;
    let moved = [at("127.0.0.7", 5060, Transport::Udp)];
    let wait = async {
        loop {
            let found = sip.look_up("host.test", None, None).await.unwrap();
            if found.targets == moved {
                return found.valid_until;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let until = timeout(LIMIT, wait).await.expect("the old address is forgotten");
    assert!(until > Instant::now() + Duration::from_secs(3_000));
    // An hour is an hour, whatever the zone says meanwhile.
    server.set("host 3600 IN A 127.0.0.8\n").await;
    assert_eq!(targets(&sip, "host.test").await, moved);
}

/// Three places of one name, in this order.
async fn three() -> (NameServer, [Peer; 3]) {
    let peers = [Peer::new().await, Peer::new().await, Peer::new().await];
    let mut zone = HOSTS.to_owned();
    for (priority, peer) in peers.iter().enumerate() {
        let port = peer.addr.port();
        zone += &format!("_sip._udp.carrier 60 IN SRV {priority} 0 {port} a\n");
    }
    (NameServer::start(&zone).await, peers)
}

#[tokio::test]
async fn where_nobody_answers_and_where_503_is_said_the_next_place_is_called() {
    let (server, [mut silent, mut busy, mut last]) = three().await;
    let config = SipConfig { unreachable_ms: 6 * T1_MS, ..asking(&server) };
    let (sip, _) = Sip::bind(config).await.unwrap();
    let (ours, mut events) = sip.call(to_name("carrier.test"));
    let first = silent.expect("INVITE").await;
    let second = busy.expect("INVITE").await;
    assert_ne!(first.branch(), second.branch(), "a transaction of its own");
    assert_eq!(first.header("Call-ID"), second.header("Call-ID"));
    busy.respond(&second, "503 Service Unavailable", "b", "", "").await;
    busy.expect("ACK").await;
    let third = last.expect("INVITE").await;
    last.ok(&third, "c", ANSWER).await;
    last.expect("ACK").await;
    assert_eq!(next_final(&mut events).await, DialogEvent::Answered { sdp: ANSWER.into() });
    // Too late: the one that answers after all is told so, and the call stays.
    silent.ok(&first, "a", ANSWER).await;
    silent.expect("ACK").await;
    let surplus = silent.expect("BYE").await;
    silent.respond(&surplus, "200 OK", "", "", "").await;
    assert!(events.try_recv().is_err(), "nothing happened on the call");
    ours.bye();
    let bye = last.expect("BYE").await;
    last.respond(&bye, "200 OK", "", "", "").await;
    drained(&sip).await;
}

#[tokio::test]
async fn a_place_that_rings_too_late_is_cancelled() {
    let (server, [mut silent, mut second, _]) = three().await;
    let config = SipConfig { unreachable_ms: 6 * T1_MS, ..asking(&server) };
    let (sip, _) = Sip::bind(config).await.unwrap();
    let (_ours, mut events) = sip.call(to_name("carrier.test"));
    let first = silent.expect("INVITE").await;
    let invite = second.expect("INVITE").await;
    silent.respond(&first, "180 Ringing", "a", "", "").await;
    let cancel = silent.expect("CANCEL").await;
    assert_eq!(cancel.branch(), first.branch());
    silent.respond(&cancel, "200 OK", "a", "", "").await;
    silent.respond(&first, "487 Request Terminated", "a", "", "").await;
    silent.expect("ACK").await;
    second.respond(&invite, "486 Busy Here", "b", "", "").await;
    let failed = next_final(&mut events).await;
    assert!(matches!(failed, DialogEvent::Failed { code: 486, .. }), "{failed:?}");
    drained(&sip).await;
}

#[tokio::test]
async fn a_persons_no_is_not_asked_for_again_elsewhere() {
    let (server, [mut first, mut second, _]) = three().await;
    let sip = sip(&server).await;
    let (_ours, mut events) = sip.call(to_name("carrier.test"));
    let invite = first.expect("INVITE").await;
    first.respond(&invite, "603 Decline", "a", "", "").await;
    let failed = next_final(&mut events).await;
    assert!(matches!(failed, DialogEvent::Failed { code: 603, .. }), "{failed:?}");
    second.never("INVITE", 4 * T1_MS).await;
    drained(&sip).await;
}

#[tokio::test]
async fn when_all_places_are_silent_the_call_fails_once() {
    let (server, mut peers) = three().await;
    let config = SipConfig { unreachable_ms: 6 * T1_MS, ..asking(&server) };
    let (sip, _) = Sip::bind(config).await.unwrap();
    let (_ours, mut events) = sip.call(to_name("carrier.test"));
    for peer in &mut peers {
        peer.expect("INVITE").await;
    }
    let failed = next_final(&mut events).await;
    assert!(matches!(failed, DialogEvent::Failed { code: 408, .. }), "{failed:?}");
    drained(&sip).await;
}

#[tokio::test]
async fn a_challenge_by_a_named_place_is_answered_to_it() {
    let (server, [mut first, ..]) = three().await;
    let sip = sip(&server).await;
    let call = Outgoing {
        credentials: Some(Credentials::new("100", "secret")),
        ..to_name("carrier.test")
    };
    let (_ours, mut events) = sip.call(call);
    let invite = first.expect("INVITE").await;
    let challenge = "Proxy-Authenticate: Digest realm=\"carrier\",nonce=\"n1\",qop=\"auth\"\r\n";
    first.respond(&invite, "407 Proxy Authentication Required", "a", challenge, "").await;
    first.expect("ACK").await;
    let again = first.expect("INVITE").await;
    assert!(again.header("Proxy-Authorization").contains("username=\"100\""), "{again:?}");
    first.respond(&again, "486 Busy Here", "b", "", "").await;
    let failed = next_final(&mut events).await;
    assert!(matches!(failed, DialogEvent::Failed { code: 486, .. }), "{failed:?}");
    drained(&sip).await;
}
