//! Whatever a datagram holds, reading it ends, panics never, and grows nothing.

use std::net::SocketAddr;

use proptest::prelude::*;

use super::{Hop, Reading, Transport, escape_once, unescape};

const OURS: &str = "127.0.0.1:5060";

/// The same by either transport.
fn read(bytes: &[u8]) -> Reading {
    let source = SocketAddr::from(([127, 0, 0, 1], 5070));
    super::read(bytes, &Hop { source, transport: Transport::Tcp }, &[OURS.into()], "t");
    super::read(bytes, &Hop { source, transport: Transport::Udp }, &[OURS.into()], "t")
}

const INVITE: &str = "INVITE sip:a@127.0.0.1:5060 SIP/2.0\r\n\
    Via: SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bKa;rport\r\nFrom: \"A\" <sip:a@b>;tag=1\r\n\
    To: <sip:c@d>\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\nContact: <sip:a@127.0.0.1:5070>\r\n\
    Content-Type: application/sdp\r\nContent-Length: 4\r\n\r\nv=0\n";
const OK: &str = "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bKa\r\n\
    From: <sip:a@b>;tag=1\r\nTo: <sip:c@d>;tag=2\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\n\
    Content-Length: 0\r\n\r\n";

#[test]
fn whole_messages_are_read() {
    for text in [INVITE, OK] {
        let reading = read(text.as_bytes());
        assert!(matches!(reading, Reading::Message(_)), "{reading:?}");
    }
    assert!(matches!(read(b"\r\n\r\n"), Reading::Ping));
}

#[test]
fn escapes_are_resolved_once_and_only_where_they_come_back() {
    assert_eq!(unescape("a%40b%2"), "a@b%2");
    assert_eq!(escape_once("<sip:a%40b%3Bc@h>"), "<sip:a@b%3Bc@h>");
    assert_eq!(unescape("%ff"), "\u{fffd}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_bytes_are_read_to_an_end(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        read(&bytes);
    }

    #[test]
    fn a_message_with_changed_bytes_is_read_to_an_end(
        which in any::<bool>(),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..12),
        cut in any::<prop::sample::Index>(),
        doubled in any::<prop::sample::Index>(),
    ) {
        let mut bytes = if which { INVITE } else { OK }.as_bytes().to_vec();
        let at = doubled.index(bytes.len());
        let tail = bytes[at..].to_vec();
        bytes.extend_from_slice(&tail);
        for (index, byte) in &changes {
            let at = index.index(bytes.len());
            bytes[at] = *byte;
        }
        bytes.truncate(cut.index(bytes.len()) + 1);
        read(&bytes);
    }

    #[test]
    fn any_header_value_is_read_to_an_end(
        name in "(Via|From|To|Contact|CSeq|Call-ID|Record-Route|Route|Content-Length|Require)",
        value in "\\PC{0,60}",
    ) {
        let line = format!("\r\n{name}: {value}\r\n");
        let text = INVITE.replacen("\r\n", &line, 1);
        read(text.as_bytes());
        let only: Vec<_> = INVITE.split("\r\n").map(|have| {
            if have.starts_with(&name) { format!("{name}: {value}") } else { have.to_owned() }
        }).collect();
        read(only.join("\r\n").as_bytes());
    }
}
