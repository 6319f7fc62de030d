//! Record-Route on both legs, extensions that are required of us, and hops.

use crate::peer::{Peer, Script};
use crate::scripted_callee::{called, in_dialog};
use crate::scripted_caller::{confirmed_of, ringing_with};
use crate::support::{ANSWER, OFFER, call_in, config, drained, endpoint};

#[tokio::test]
async fn a_record_route_of_a_caller_leads_our_requests_over_it_in_its_order() {
    let mut proxy = Peer::new().await;
    let extra = format!("Record-Route: <sip:{};lr>, <sip:10.9.9.9;lr>\r\n", proxy.addr);
    let (up, ok) = confirmed_of(ringing_with(config(), &extra).await).await;
    assert!(ok.header("Record-Route").contains("10.9.9.9"), "the answer repeats the route");
    let asking = tokio::spawn({
        let handle = up.call.dialog.clone();
        async move { handle.reinvite(OFFER.into()).await }
    });
    let reinvite = proxy.expect("INVITE").await;
    let routes: Vec<&str> = reinvite
        .headers
        .iter()
        .filter(|(name, _)| name == "Route")
        .map(|(_, value)| value.as_str())
        .collect();
    assert_eq!(routes, [format!("<sip:{};lr>", proxy.addr), "<sip:10.9.9.9;lr>".into()]);
    assert!(reinvite.start.contains(&up.peer.addr.to_string()));
    // The answer repeats no Record-Route; the ACK takes the route all the same (section 12.2).
    let extra = format!("{}Content-Type: application/sdp\r\n", up.peer.contact());
    proxy.respond(&reinvite, "200 OK", "", &extra, ANSWER).await;
    assert_eq!(asking.await.unwrap(), Ok(ANSWER.into()));
    assert!(proxy.expect("ACK").await.header("Route").contains(&proxy.addr.to_string()));
    up.call.dialog.bye();
    let bye = proxy.expect("BYE").await;
    proxy.respond(&bye, "200 OK", "", "", "").await;
    drained(&up.sip).await;
}

#[tokio::test]
async fn a_route_of_two_proxies_is_reversed_for_who_called() {
    let called = called().await;
    let mut near = Peer::new().await;
    let extra = format!(
        "Record-Route: <sip:10.9.9.9;lr>\r\nRecord-Route: <sip:{};lr>\r\n{}\
         Content-Type: application/sdp\r\n",
        near.addr,
        called.peer.contact()
    );
    called.peer.respond(&called.invite, "200 OK", "a", &extra, ANSWER).await;
    near.expect("ACK").await;
    called.handle.bye();
    let bye = near.expect("BYE").await;
    assert_eq!(bye.header("Route"), format!("<sip:{};lr>", near.addr), "the nearest comes first");
    near.respond(&bye, "200 OK", "", "", "").await;
    drained(&called.sip).await;
}

#[tokio::test]
async fn what_we_support_may_be_required_and_the_rest_is_named() {
    let (sip, mut incoming) = endpoint().await;
    let mut peer = Peer::new().await;
    let mut script = Script::new(sip.local_addr(), "require@peer");
    let sdp = "Content-Type: application/sdp\r\n";
    let extra = format!("Require: timer, teleport\r\nRequire: x-ray,100rel\r\n{sdp}");
    let text = script.request(&peer, "INVITE", "bad", &extra, OFFER);
    peer.raw(text.as_bytes(), sip.local_addr()).await;
    let refused = peer.expect("SIP/2.0 420").await;
    assert_eq!(refused.header("Unsupported"), "teleport, x-ray");
    script.call_id = "good@peer".into();
    let extra = format!("Require: timer, 100REL\r\n{sdp}");
    let text = script.request(&peer, "INVITE", "good", &extra, OFFER);
    peer.raw(text.as_bytes(), sip.local_addr()).await;
    call_in(&mut incoming).await;
    let options = script.request(&peer, "OPTIONS", "options", "", "");
    peer.raw(options.as_bytes(), sip.local_addr()).await;
    let able = peer.expect("SIP/2.0 200").await;
    for option in ["100rel", "timer", "replaces"] {
        assert!(able.header("Supported").contains(option));
    }
    for method in ["PRACK", "UPDATE", "REFER", "NOTIFY", "INFO"] {
        assert!(able.header("Allow").contains(method));
    }
}

#[tokio::test]
async fn a_call_says_how_many_hops_it_has_left() {
    let (sip, mut incoming) = endpoint().await;
    let peer = Peer::new().await;
    for (at, (said, hops)) in
        [("Max-Forwards: 0", 0), ("Max-Forwards: 9", 9), ("X: y", 70)].into_iter().enumerate()
    {
        let script = Script::new(sip.local_addr(), &format!("hops{at}@peer"));
        let text = script.request(&peer, "INVITE", &format!("hops{at}"), "", "");
        peer.raw(text.replace("Max-Forwards: 70", said).as_bytes(), sip.local_addr()).await;
        assert_eq!(call_in(&mut incoming).await.max_forwards, hops);
    }
}

#[tokio::test]
async fn a_refer_outside_a_call_is_forbidden_and_a_prack_of_nothing_unknown() {
    let (sip, _incoming) = endpoint().await;
    let mut peer = Peer::new().await;
    let script = Script::new(sip.local_addr(), "outside@peer");
    script.send(&peer, "REFER", "refer").await;
    peer.expect("SIP/2.0 403").await;
    for method in ["PRACK", "UPDATE", "NOTIFY"] {
        script.send(&peer, method, method).await;
        peer.expect("SIP/2.0 481").await;
    }
    let (mut called, _) = crate::scripted_callee::answered().await;
    let prack = in_dialog(&called, "PRACK", 7, "prack");
    called.peer.raw(prack.as_bytes(), called.sip.local_addr()).await;
    called.peer.expect("SIP/2.0 481").await;
    drained(&sip).await;
}
