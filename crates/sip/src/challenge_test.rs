//! To whom we show ourselves, and how often.

use super::*;
use rsipstack::sip::{SipMessage, StatusCode};

const PEER: &str = "192.0.2.1:5060";

fn sent(extra: &str, body: &str) -> Request {
    let text = format!(
        "BYE sip:peer@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKx\r\n\
         From: <sip:us@192.0.2.9>;tag=a\r\nTo: <sip:peer@192.0.2.1>;tag=b\r\nCall-ID: c\r\n\
         CSeq: 2 BYE\r\n{extra}Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    match SipMessage::try_from(text.as_bytes()).unwrap() {
        SipMessage::Request(request) => request,
        SipMessage::Response(_) => panic!("a request"),
    }
}

fn challenged(code: u16, from: &str, challenges: &[&str]) -> Response {
    let mut response = Response {
        status_code: StatusCode::from(code),
        wire_reason: None,
        version: rsipstack::sip::Version::V2,
        headers: Vec::new().into(),
        body: Vec::new(),
    };
    for one in challenges {
        let value = format!("Digest {one}");
        response.headers.push(match code {
            407 => Header::ProxyAuthenticate(value.into()),
            _ => Header::WwwAuthenticate(value.into()),
        });
    }
    came_from(&mut response, from.parse().unwrap());
    response
}

fn ours() -> Credentials {
    Credentials::new("ana", "secret").for_realm("r").for_peers(["192.0.2.1".parse().unwrap()])
}

fn shown(header: Option<Header>) -> Shown {
    Shown::read(header.unwrap().value()).unwrap()
}

fn is_right(shown: &Shown, request: &Request) -> bool {
    let algorithm = shown.algorithm.unwrap();
    let ha1 = digest::ha1(algorithm, "ana", &shown.realm, "secret");
    let method = request.method.to_string();
    let qop = shown.covers(&request.body).unwrap();
    let question = Question { method: &method, uri: &shown.uri, nonce: &shown.nonce, qop };
    digest::response(algorithm, &ha1, &question) == shown.response
}

#[test]
fn every_kind_of_challenge_is_answered_right() {
    let request = sent("", "body");
    for (challenge, qop) in [
        ("realm=\"r\", nonce=\"n\"", None),
        ("realm=\"r\", nonce=\"n\", algorithm=MD5, qop=\"auth\"", Some("auth")),
        ("realm=\"r\", nonce=\"n\", qop=\"auth-int,auth\"", Some("auth")),
        ("realm=\"r\", nonce=\"n\", qop=\"auth-int\"", Some("auth-int")),
        ("realm=\"r\", nonce=\"n\", algorithm=SHA-256, qop=\"auth,auth-int\"", Some("auth")),
    ] {
        for code in [401, 407] {
            let header = again(&request, &challenged(code, PEER, &[challenge]), Some(&ours()), 0);
            let is_proxy = matches!(header, Some(Header::ProxyAuthorization(_)));
            assert_eq!(is_proxy, code == 407, "{challenge}");
            let shown = shown(header);
            assert!(is_right(&shown, &request), "{challenge}");
            assert_eq!(shown.qop.as_deref(), qop);
        }
    }
}

#[test]
fn of_several_challenges_the_best_that_is_ours_is_answered() {
    let several = [
        "realm=\"r\", nonce=\"1\", algorithm=MD5",
        "realm=\"r\", nonce=\"2\", algorithm=SHA-512-256",
        "realm=\"elsewhere\", nonce=\"3\", algorithm=SHA-256",
        "realm=\"r\", nonce=\"4\", algorithm=SHA-256",
    ];
    let header = again(&sent("", ""), &challenged(401, PEER, &several), Some(&ours()), 0);
    assert_eq!(shown(header).nonce, "4");
}

#[test]
fn nobody_else_gets_an_answer() {
    let good = "realm=\"r\", nonce=\"n\"";
    let request = sent("", "");
    let refused = |challenge: &Response, with: Option<&Credentials>| {
        assert_eq!(again(&request, challenge, with, 0), None, "{challenge}");
    };
    refused(&challenged(401, PEER, &[good]), None);
    refused(&challenged(401, "192.0.2.2:5060", &[good]), Some(&ours()));
    refused(&challenged(401, PEER, &["realm=\"other\", nonce=\"n\""]), Some(&ours()));
    refused(&challenged(403, PEER, &[good]), Some(&ours()));
    refused(&challenged(401, PEER, &["realm=\"r\", nonce=\"n\", qop=\"odd\""]), Some(&ours()));
    let nobody = Credentials::new("ana", "secret").for_realm("r");
    refused(&challenged(401, PEER, &[good]), Some(&nobody));
}

#[test]
fn a_source_that_the_far_end_claims_is_not_believed() {
    let mut challenge = challenged(401, PEER, &["realm=\"r\", nonce=\"n\""]);
    challenge.headers.push(Header::Other("undertone-source".into(), PEER.into()));
    came_from(&mut challenge, "192.0.2.2:5060".parse().unwrap());
    assert_eq!(again(&sent("", ""), &challenge, Some(&ours()), 0), None);
}

#[test]
fn the_first_realm_pins_itself() {
    let with = Credentials::new("ana", "secret").for_peers(["192.0.2.1".parse().unwrap()]);
    let ask = |realm: &str| {
        let challenge = format!("realm=\"{realm}\", nonce=\"n\"");
        again(&sent("", ""), &challenged(401, PEER, &[&challenge]), Some(&with), 0).is_some()
    };
    assert_eq!(["one", "two", "one"].map(ask), [true, false, true]);
}

#[test]
fn at_most_two_answers_and_the_second_only_for_a_stale_nonce_or_another_asker() {
    let first = sent("Authorization: Digest x\r\n", "");
    let again_asked = |request: &Request, code, challenge, tries| {
        again(request, &challenged(code, PEER, &[challenge]), Some(&ours()), tries).is_some()
    };
    let fresh = "realm=\"r\", nonce=\"n2\"";
    let stale = "realm=\"r\", nonce=\"n2\", stale=true";
    assert!(!again_asked(&first, 401, fresh, 1), "the password was wrong");
    assert!(again_asked(&first, 401, stale, 1));
    assert!(again_asked(&first, 407, fresh, 1), "a proxy on the way asks too");
    assert!(!again_asked(&first, 401, stale, 2) && !again_asked(&first, 407, stale, 2));
    assert!(again_asked(&first, 401, fresh, 0), "what was said ahead does not count");
}

#[test]
fn counts_go_on_past_nine_and_past_two_hundred_and_fifty_five_in_eight_digits() {
    let with = ours();
    let challenge = challenged(401, PEER, &["realm=\"r\", nonce=\"n\", qop=\"auth\""]);
    let request = sent("", "");
    let mut counts = vec![shown(again(&request, &challenge, Some(&with), 0)).nc.unwrap()];
    for _ in 1..300 {
        let next = shown(ahead(&request, PEER.parse().unwrap(), &with));
        assert!(is_right(&next, &request));
        counts.push(next.nc.unwrap());
    }
    let at = |n: usize| counts[n - 1].as_str();
    assert_eq!([at(1), at(9), at(10)], ["00000001", "00000009", "0000000a"]);
    assert_eq!([at(255), at(256), at(300)], ["000000ff", "00000100", "0000012c"]);
    assert_eq!(ahead(&request, "192.0.2.2:5060".parse().unwrap(), &with), None);
}
