//! Behind a one-to-one NAT: who is outside is told the address that we have there, in Via and
//! Contact, by either transport; who is inside is told our own.

use undertone_sdp::Told;
use undertone_sip::{DialogEvent, EndCause, Sip, SipConfig, Transport};

use crate::peer::{Peer, Script};
use crate::stream::Stream;
use crate::support::{ANSWER, OFFER, call_in, config, drained, next, next_final, to};

const OUTSIDE: &str = "203.0.113.5";

/// At home are 127.0.0.1 to 127.0.0.3.
fn behind_nat() -> SipConfig {
    let told = Told::new(&[OUTSIDE.parse().unwrap()], vec!["127.0.0.0/30".parse().unwrap()]);
    SipConfig { told, ..config() }
}

#[tokio::test]
async fn a_call_to_the_outside_names_our_address_there_and_goes_on_by_it() {
    let (sip, _calls) = Sip::bind(behind_nat()).await.unwrap();
    let mut peer = Peer::on("127.0.0.9:0").await;
    let shown = format!("{OUTSIDE}:{}", sip.local_addr().port());
    let (ours, mut events) = sip.call(to(peer.addr));
    let invite = peer.expect("INVITE").await;
    assert!(invite.header("Via").starts_with(&format!("SIP/2.0/UDP {shown};")), "{invite:?}");
    assert!(invite.header("Contact").contains(&format!("@{shown}>")), "{invite:?}");
    peer.ok(&invite, "a", ANSWER).await;
    assert_eq!(next_final(&mut events).await, DialogEvent::Answered { sdp: ANSWER.into() });
    let ack = peer.expect("ACK").await;
    assert!(ack.header("Via").starts_with(&format!("SIP/2.0/UDP {shown};")), "{ack:?}");
    ours.bye();
    let bye = peer.expect("BYE").await;
    assert!(bye.header("Via").contains(&shown), "{bye:?}");
    peer.respond(&bye, "200 OK", "", "", "").await;
    assert_eq!(next(&mut events).await, DialogEvent::Ended { cause: EndCause::Us });
    drained(&sip).await;
}

#[tokio::test]
async fn an_answer_names_it_in_its_contact_alone() {
    let (sip, mut incoming) = Sip::bind(behind_nat()).await.unwrap();
    let shown = format!("@{OUTSIDE}:{}", sip.local_addr().port());
    for (host, is_told) in [("127.0.0.9:0", true), ("127.0.0.2:0", false)] {
        let mut peer = Peer::on(host).await;
        let script = Script::new(sip.local_addr(), host);
        script.invite(&peer, "invite", OFFER).await;
        let call = call_in(&mut incoming).await;
        call.dialog.answer(ANSWER.into());
        let ok = peer.expect("SIP/2.0 200").await;
        assert!(ok.header("Via").contains(&peer.addr.to_string()), "their own: {ok:?}");
        assert_eq!(ok.header("Contact").contains(&shown), is_told, "{ok:?}");
        let script = Script { their_tag: ok.tag("To"), ..script };
        script.send(&peer, "ACK", "ack").await;
        script.send(&peer, "BYE", "bye").await;
    }
    drained(&sip).await;
}

#[tokio::test]
async fn over_tcp_it_is_named_too() {
    let (sip, _calls) = Sip::bind(behind_nat()).await.unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.9:0").await.unwrap();
    let mut call = to(listener.local_addr().unwrap());
    call.transport = Some(Transport::Tcp);
    let (_ours, _events) = sip.call(call);
    let mut peer = Stream::accept(&listener).await;
    let invite = peer.expect("INVITE").await;
    let shown = format!("{OUTSIDE}:{}", sip.local_addr().port());
    assert!(invite.header("Via").starts_with(&format!("SIP/2.0/TCP {shown};")), "{invite:?}");
    assert!(invite.header("Contact").contains(&format!("@{shown};transport=tcp>")), "{invite:?}");
}
