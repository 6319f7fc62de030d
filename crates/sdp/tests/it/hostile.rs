//! Whatever the far end sends, a session answers or refuses, and what it then says is readable.

use proptest::prelude::*;
use undertone_sdp::{Codec, Direction, Session};

use crate::{from_peer, session};

fn line() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]=\\PC{0,40}",
        "m=(audio|video|image|\\PC{0,5}) [0-9]{1,6} (RTP/AVP|RTP/SAVP|\\PC{0,6}) [0-9 ]{0,30}",
        "a=rtpmap:[0-9]{1,4} (PCMU|opus|CN|telephone-event|\\PC{0,6})/[0-9]{1,7}(/[0-9]{1,3})?",
        "a=fmtp:[0-9]{1,4} (useinbandfec|maxplaybackrate|stereo)=[0-9]{0,12};\\PC{0,10}",
        "a=(sendrecv|sendonly|recvonly|inactive|rtcp-mux|ptime:[0-9.]{0,8}|maxptime:[0-9]{0,8})",
        "a=rtcp:[0-9]{1,6}( IN IP[46] [0-9a-f.:]{0,20})?",
        "c=IN IP[46] [0-9a-f.:/]{0,20}",
    ]
}

/// What we say can be read by a session of ours, and keeps the number of streams.
fn readable(text: &str, streams: usize) {
    assert_eq!(text.lines().filter(|line| line.starts_with("m=")).count(), streams);
    let mut other = session(&Codec::ALL);
    other.answer(text).unwrap();
}

fn try_both(offer: &str) {
    let mut ours: Session = session(&Codec::ALL);
    if let Ok((answer, media)) = ours.answer(offer) {
        assert!(!media.codecs.is_empty());
        assert!(media.codecs.iter().all(|(pt, _)| *pt < 128));
        assert!((10..=60).contains(&media.ptime_ms));
        let streams = answer.lines().filter(|line| line.starts_with("m=")).count();
        readable(&answer, streams);
        let again = ours.offer(Direction::SendRecv);
        readable(&again, streams);
    }
    let mut ours = session(&Codec::ALL);
    ours.offer(Direction::SendRecv);
    let _ = ours.accept(offer);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn any_text_is_answered_or_refused(text in "\\PC{0,300}") {
        try_both(&text);
    }

    #[test]
    fn any_lines_after_a_good_start_are_answered_or_refused(
        lines in proptest::collection::vec(line(), 0..20),
    ) {
        let mut text = from_peer("0 8 9 96 101", &[]);
        for line in lines {
            text += &line;
            text += "\r\n";
        }
        try_both(&text);
    }

    #[test]
    fn changed_bytes_are_answered_or_refused(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), 0_u8..128), 1..8),
    ) {
        let maps = ["rtpmap:96 opus/48000/2", "rtpmap:101 telephone-event/8000", "sendrecv"];
        let mut bytes = from_peer("0 96 101", &maps).into_bytes();
        for (index, byte) in changes {
            let at = index.index(bytes.len());
            bytes[at] = byte;
        }
        try_both(&String::from_utf8(bytes).unwrap());
    }
}
