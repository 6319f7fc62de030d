//! Datagrams from nobody we know: judged, answered or dropped, and never the end of the endpoint.

use crate::peer::{Peer, Script};
use crate::support::{ANSWER, OFFER, endpoint};

async fn answer_to(text: &str) -> String {
    let (sip, mut incoming) = endpoint().await;
    let mut peer = Peer::new().await;
    let script = Script::new(sip.local_addr(), "hostile@peer");
    let (us, addr) = (sip.local_addr().to_string(), peer.addr.to_string());
    let text = text.replace("US", &us).replace("PEER", &addr);
    peer.raw(text.as_bytes(), sip.local_addr()).await;
    let answer = peer.expect("SIP/2.0").await;
    assert!(!answer.tag("To").is_empty(), "an answer without a tag");
    assert!(answer.header("Via").contains("received=127.0.0.1"));
    // Still alive, and no call came of it.
    script.send(&peer, "OPTIONS", "alive").await;
    peer.expect("SIP/2.0 200").await;
    assert!(incoming.try_recv().is_err());
    answer.start
}

const GOOD: &str = "INVITE sip:200@US SIP/2.0\r\nVia: SIP/2.0/UDP PEER;branch=z9hG4bK1;rport\r\n\
    From: <sip:b@PEER>;tag=1\r\nTo: <sip:200@US>\r\nCall-ID: h\r\nCSeq: 1 INVITE\r\n\
    Contact: <sip:b@PEER>\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n";

#[tokio::test]
async fn bad_requests_get_the_code_that_names_their_fault() {
    let cases = [
        ("CSeq: 1 INVITE", "CSeq: 1 BYE", "400"),
        ("CSeq: 1 INVITE", "CSeq: 4294967296 INVITE", "400"),
        ("CSeq: 1 INVITE", "CSeq: x", "400"),
        ("Call-ID: h", "Call-ID: h\r\nCall-ID: i", "400"),
        (";tag=1", "", "400"),
        ("Max-Forwards: 70", "Max-Forwards: 256", "400"),
        ("Content-Length: 0", "Content-Length: 1", "400"),
        ("Content-Length: 0", "Content-Length: -1", "400"),
        ("Content-Length: 0", "Content-Length: 0\r\nl: 1", "400"),
        ("Content-Length: 0", "Content-Length: 99999999999999999999", "400"),
        ("Call-ID: h", "Call-ID: h\u{1}", "400"),
        ("Contact: <sip:b@PEER>", "Contact: <sip:>", "400"),
        ("To: <sip:200@US>", "To: <sip:>", "400"),
        ("SIP/2.0\r\nVia", "SIP/3.0\r\nVia", "505"),
        ("INVITE", "FROBNICATE", "501"),
        ("INVITE sip:200@US", "INVITE mailto:200@US", "416"),
        ("Max-Forwards: 70", "Require: teleport", "420"),
        ("Content-Length: 0\r\n\r\n", "Content-Type: text/plain\r\n\r\nhello", "415"),
    ];
    for (from, to, code) in cases {
        let text = GOOD.replace(from, to);
        assert_ne!(text, GOOD);
        let start = answer_to(&text).await;
        assert!(start.starts_with(&format!("SIP/2.0 {code}")), "{to:?}: {start}");
    }
}

#[tokio::test]
async fn what_is_worth_no_answer_gets_none() {
    let (sip, mut incoming) = endpoint().await;
    let mut peer = Peer::new().await;
    let us = sip.local_addr();
    let foreign = "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKx\r\n\
                   From: <sip:a@b>;tag=1\r\nTo: <sip:a@b>;tag=2\r\nCall-ID: x\r\n\
                   CSeq: 1 INVITE\r\n\r\n";
    let bad_ack = GOOD.replace("INVITE", "ACK").replace("1 ACK", "1 BYE");
    for bytes in [
        &b"\x00\x01\x02"[..],
        b"\r\n",
        b"INVITE",
        b"INVITE sip:x SIP/2.0\r\n\r\n",
        b"\r\n\r\nSIP/2.0 200\r\n\r\n",
        foreign.as_bytes(),
        bad_ack.as_bytes(),
        &[b'a'; 65_000],
    ] {
        peer.raw(bytes, us).await;
    }
    peer.never("SIP/2.0", 100).await;
    assert!(incoming.try_recv().is_err());
    assert!(sip.gauges().dropped >= 6);
    assert_eq!(sip.gauges().transactions, 0);
}

#[tokio::test]
async fn a_large_request_with_more_body_than_it_says_is_cut_there() {
    let (sip, mut incoming) = endpoint().await;
    let peer = Peer::new().await;
    let script = Script::new(sip.local_addr(), "cut@peer");
    let sdp = "Content-Type: application/sdp\r\n";
    let text = script.request(&peer, "INVITE", "cut", sdp, OFFER) + "trailing rubbish";
    peer.raw(text.as_bytes(), sip.local_addr()).await;
    let call = crate::support::call_in(&mut incoming).await;
    assert_eq!(call.offer.as_deref(), Some(OFFER));
    call.dialog.answer(ANSWER.into());
}
