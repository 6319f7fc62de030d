//! Whom a request is from is where it came from, whatever it says.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use tokio::sync::mpsc::Receiver;
use undertone_sip::{Access, Account, Asked, DoorConfig, Gate, Incoming, Listen, Sip};

use crate::peer::{Peer, Script};
use crate::stream::{Stream, Talk};
use crate::support::{OFFER, call_in, config};

/// Knows one trunk by its address, and nobody else.
struct Trunk(Vec<IpAddr>);

impl Gate for Trunk {
    fn judge(&self, asked: &Asked) -> Access {
        if self.0.contains(&asked.source.ip()) { Access::Open } else { Access::Refuse(403) }
    }

    fn account(&self, _user: &str) -> Option<Arc<Account>> {
        None
    }
}

async fn with_trunks(at: SocketAddr, trunks: &[&str]) -> (Sip, Receiver<Incoming>) {
    let trunks = trunks.iter().map(|ip| ip.parse().unwrap()).collect();
    let mut config = config();
    config.listen = Listen::both(at).to_vec();
    config.door = Some(DoorConfig::new(Arc::new(Trunk(trunks)), "undertone"));
    Sip::bind(config).await.unwrap()
}

/// Ways to say that one is the trunk, in a Via that names the true source as sent-by.
fn lies(trunk: &str) -> Vec<String> {
    vec![
        format!(";received={trunk}"),
        format!(";received={trunk};rport=5060"),
        format!(";rport=5060;Received={trunk}"),
        format!(";x=\"a,b\";received={trunk}"),
        format!(";x=\"a;received={trunk};b\""),
        format!(";received={trunk};received={trunk}"),
    ]
}

#[tokio::test]
async fn a_received_of_the_senders_own_makes_nobody_a_trunk() {
    for (host, trunk) in [("127.0.0.1:0", "127.0.0.9"), ("[::1]:0", "2001:db8::9")] {
        let (sip, mut incoming) = with_trunks(host.parse().unwrap(), &[trunk]).await;
        let mut peer = Peer::on(host).await;
        for (n, lie) in lies(trunk).into_iter().enumerate() {
            let script = Script::new(sip.local_addr(), &format!("{n}@peer"));
            let text = script.request(&peer, "INVITE", &n.to_string(), "", "");
            peer.raw(text.replacen(";rport\r\n", &format!("{lie}\r\n"), 1).as_bytes(), script.us)
                .await;
            let refused = peer.expect("SIP/2.0").await;
            assert!(refused.start.contains("403"), "{lie}: {}", refused.start);
            assert!(!refused.header("Via").contains(&format!("{trunk};rport")), "{refused:?}");
            assert!(incoming.try_recv().is_err(), "{lie}: a call from a stranger");
        }
    }
}

#[tokio::test]
async fn nor_does_it_over_a_connection() {
    for (host, trunk) in [("127.0.0.1:0", "127.0.0.9"), ("[::1]:0", "2001:db8::9")] {
        let (sip, mut incoming) = with_trunks(host.parse().unwrap(), &[trunk]).await;
        let mut peer = Stream::connect(sip.local_addr()).await;
        for (n, lie) in lies(trunk).into_iter().enumerate() {
            let text = Talk::new(&peer, &format!("z{n}")).request(&peer, "INVITE", "");
            let text = text.replacen("\r\nMax-", &format!("{lie}\r\nMax-"), 1);
            peer.raw(text.as_bytes()).await;
            let refused = peer.expect("SIP/2.0").await;
            assert!(refused.start.contains("403"), "{lie}: {}", refused.start);
            assert!(incoming.try_recv().is_err(), "{lie}: a call from a stranger");
        }
    }
}

#[tokio::test]
async fn a_trunk_is_known_by_its_address_whatever_its_via_says() {
    let (sip, mut incoming) = with_trunks("127.0.0.1:0".parse().unwrap(), &["127.0.0.1"]).await;
    let peer = Peer::new().await;
    for (n, said) in ["", ";received=192.0.2.7;rport=9"].into_iter().enumerate() {
        let script = Script::new(sip.local_addr(), &format!("{n}@trunk"));
        let sdp = "Content-Type: application/sdp\r\n";
        let text = script.request(&peer, "INVITE", &n.to_string(), sdp, OFFER);
        peer.raw(text.replacen(";rport\r\n", &format!("{said}\r\n"), 1).as_bytes(), script.us)
            .await;
        let call = call_in(&mut incoming).await;
        assert_eq!(call.source, peer.addr);
        call.dialog.reject(486, None);
    }
}
