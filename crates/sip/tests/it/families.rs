//! IPv6, and both address families at once.

use undertone_sip::{DialogEvent, Listen, Outgoing, Sip, Transport};

use crate::peer::{Peer, Script};
use crate::support::{ANSWER, OFFER, call_in, config, drained, next, next_final, to};

fn both_families() -> Vec<Listen> {
    let mut listen = Listen::both("127.0.0.1:0".parse().unwrap()).to_vec();
    listen.extend(Listen::both("[::1]:0".parse().unwrap()));
    listen
}

async fn at(addr: &str) -> (Sip, tokio::sync::mpsc::Receiver<undertone_sip::Incoming>) {
    let mut config = config();
    config.listen = Listen::both(addr.parse().unwrap()).to_vec();
    Sip::bind(config).await.unwrap()
}

#[tokio::test]
async fn a_phone_of_one_family_calls_one_of_the_other_through_us() {
    for transport in [Transport::Udp, Transport::Tcp] {
        let mut config = config();
        config.listen = both_families();
        let (middle, mut arriving) = Sip::bind(config).await.unwrap();
        let v6 = middle.listening().iter().find(|l| l.addr.is_ipv6()).unwrap().addr;
        let (caller, _) = at("[::1]:0").await;
        let (callee, mut incoming) = at("127.0.0.1:0").await;
        let (ours, mut events) = caller.call(Outgoing { transport: Some(transport), ..to(v6) });
        let mut inner = call_in(&mut arriving).await;
        assert!(inner.source.is_ipv6() && inner.transport == transport);
        let (_outer, mut outer_events) =
            middle.call(Outgoing { transport: Some(transport), ..to(callee.local_addr()) });
        let end = call_in(&mut incoming).await;
        assert!(end.source.is_ipv4() && end.transport == transport);
        assert!(end.contact.starts_with("sip:undertone@127.0.0.1:"), "{}", end.contact);
        end.dialog.answer(ANSWER.into());
        assert!(matches!(next_final(&mut outer_events).await, DialogEvent::Answered { .. }));
        inner.dialog.answer(ANSWER.into());
        assert!(matches!(next_final(&mut events).await, DialogEvent::Answered { .. }));
        assert_eq!(next(&mut inner.events).await, DialogEvent::Confirmed { sdp: None });
        assert_eq!(middle.gauges().dialogs, 2);
        ours.bye();
        assert!(matches!(next(&mut inner.events).await, DialogEvent::Ended { .. }));
        end.dialog.bye();
        assert!(matches!(next(&mut outer_events).await, DialogEvent::Ended { .. }));
        for sip in [&caller, &callee, &middle] {
            drained(sip).await;
        }
    }
}

#[tokio::test]
async fn each_message_is_answered_from_the_address_that_it_came_to() {
    let mut config = config();
    config.listen = Listen::both("127.0.0.1:0".parse().unwrap()).to_vec();
    config.listen.extend(Listen::both("127.0.0.2:0".parse().unwrap()));
    config.listen.extend(Listen::both("[::1]:0".parse().unwrap()));
    let (sip, mut incoming) = Sip::bind(config).await.unwrap();
    let listening: Vec<_> =
        sip.listening().iter().filter(|l| l.transport == Transport::Udp).copied().collect();
    assert_eq!(listening.len(), 3);
    for listen in listening {
        let own = if listen.addr.is_ipv6() { "[::1]:0" } else { "127.0.0.1:0" };
        let mut peer = Peer::on(own).await;
        let mut script = Script::new(listen.addr, &format!("{}@peer", listen.addr.port()));
        script.invite(&peer, "invite", OFFER).await;
        let call = call_in(&mut incoming).await;
        call.dialog.answer(ANSWER.into());
        let ok = peer.expect("SIP/2.0 200").await;
        assert_eq!(ok.source, listen.addr);
        assert!(ok.header("Contact").contains(&listen.addr.to_string()), "{ok:?}");
        script.their_tag = ok.tag("To");
        script.send(&peer, "ACK", "ack").await;
        call.dialog.bye();
        let bye = peer.expect("BYE").await;
        assert_eq!(bye.source, listen.addr);
        assert!(bye.header("Via").contains(&listen.addr.to_string()), "{bye:?}");
        peer.respond(&bye, "200 OK", "", "", "").await;
    }
    drained(&sip).await;
}

#[tokio::test]
async fn a_family_or_transport_that_is_not_there_fails_by_name() {
    let mut only = config();
    only.listen = vec![Listen::new(Transport::Udp, "127.0.0.1:0".parse().unwrap())];
    let (sip, _) = Sip::bind(only).await.unwrap();
    let v6 = to("[::1]:5060".parse().unwrap());
    let tcp = Outgoing { transport: Some(Transport::Tcp), ..to(sip.local_addr()) };
    let mut tls = to(sip.local_addr());
    tls.to_uri += ";transport=tls";
    for call in [v6, tcp, tls] {
        let (_ours, mut events) = sip.call(call);
        let reason = "No Connection".to_owned();
        assert_eq!(next(&mut events).await, DialogEvent::Failed { code: 503, reason });
    }
    drained(&sip).await;
}
