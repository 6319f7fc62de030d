//! We offer.

use undertone_sdp::{Capabilities, Codec, Direction, EventFormat, LocalAddr, SdpError, Session};

use crate::{from_peer, lines, local, session};

#[test]
fn an_offer_names_all_that_we_can_in_our_order() {
    let offer = session(&[Codec::Opus, Codec::Pcma]).offer(Direction::SendRecv);
    assert_eq!(lines(&offer, "m="), ["m=audio 4000 RTP/AVP 96 8 101 102"]);
    assert_eq!(lines(&offer, "a=rtpmap:96"), ["a=rtpmap:96 opus/48000/2"]);
    assert_eq!(lines(&offer, "c="), ["c=IN IP4 10.0.0.1"]);
    assert_eq!(lines(&offer, "o="), ["o=- 3 1 IN IP4 10.0.0.1"]);
    assert_eq!(lines(&offer, "a=ptime"), ["a=ptime:20"]);
    assert!(lines(&offer, "a=rtcp").is_empty());
    assert!(offer.ends_with("a=sendrecv\r\n"));
}

#[test]
fn an_offer_over_ipv6_and_with_odd_ports_says_so() {
    let local = LocalAddr { ip: "::1".parse().unwrap(), rtp_port: 4000, rtcp_port: 5001 };
    let offer = Session::new(1, local, Capabilities::default()).offer(Direction::SendRecv);
    assert_eq!(lines(&offer, "c="), ["c=IN IP6 ::1"]);
    assert_eq!(lines(&offer, "a=rtcp:"), ["a=rtcp:5001"]);
}

#[test]
fn two_sessions_of_ours_agree() {
    for codec in Codec::ALL {
        let (mut a, mut b) = (session(&Codec::ALL), session(&[codec]));
        let offer = a.offer(Direction::SendRecv);
        let (answer, theirs) = b.answer(&offer).unwrap();
        let ours = a.accept(&answer).unwrap();
        assert_eq!(ours.codecs[0].1, codec);
        assert_eq!(ours.codecs, theirs.codecs);
        assert_eq!(ours.arriving, theirs.codecs);
        assert_eq!(ours.events, theirs.events);
        assert_eq!(ours.events[0].clock, codec.rtp_clock());
        assert!(!a.offer_is_open());
    }
}

#[test]
fn hold_by_us_and_by_them_and_resume_in_both_orders() {
    let (mut a, mut b) = (session(&Codec::ALL), session(&Codec::ALL));
    let offer = a.offer(Direction::SendRecv);
    let answer = b.answer(&offer).unwrap().0;
    a.accept(&answer).unwrap();

    let offer = a.offer(Direction::SendOnly);
    let (answer, at_b) = b.answer(&offer).unwrap();
    let at_a = a.accept(&answer).unwrap();
    assert_eq!(at_a.direction(), Direction::SendOnly);
    assert_eq!(at_b.direction(), Direction::RecvOnly);
    // B holds as well, while A still does.
    let offer = b.offer(Direction::SendOnly);
    let (answer, at_a) = a.answer(&offer).unwrap();
    let at_b = b.accept(&answer).unwrap();
    assert_eq!(at_a.direction(), Direction::Inactive);
    assert_eq!(at_b.direction(), Direction::Inactive);
    // Each resumes.
    let offer = a.offer(Direction::SendRecv);
    let (answer, _) = b.answer(&offer).unwrap();
    assert_eq!(a.accept(&answer).unwrap().direction(), Direction::RecvOnly);
    let offer = b.offer(Direction::SendRecv);
    let (answer, at_a) = a.answer(&offer).unwrap();
    assert_eq!(at_a.direction(), Direction::SendRecv);
    assert_eq!(b.accept(&answer).unwrap().direction(), Direction::SendRecv);
}

#[test]
fn an_answer_with_other_numbers_is_sent_with_theirs_and_received_with_ours() {
    let mut ours = session(&[Codec::Opus]);
    ours.offer(Direction::SendRecv);
    let answer =
        from_peer("111 97", &["rtpmap:111 opus/48000/2", "rtpmap:97 telephone-event/48000"]);
    let media = ours.accept(&answer).unwrap();
    assert_eq!(media.codecs, [(111, Codec::Opus)]);
    assert_eq!(media.arriving, [(96, Codec::Opus)]);
    assert_eq!(media.codec_of(96), Some(Codec::Opus));
    assert_eq!(media.events, [EventFormat { pt: 97, clock: 48_000 }]);
    assert_eq!(media.events_arriving, [EventFormat { pt: 102, clock: 48_000 }]);
}

#[test]
fn numbers_that_the_far_end_gave_keep_their_meaning_in_our_offers() {
    let mut ours = session(&[Codec::Pcmu, Codec::Opus]);
    let offer =
        from_peer("101 0 96", &["rtpmap:101 opus/48000/2", "rtpmap:96 telephone-event/8000"]);
    ours.answer(&offer).unwrap();
    let again = ours.offer(Direction::SendRecv);
    assert_eq!(lines(&again, "m="), ["m=audio 4000 RTP/AVP 0 101 96 102"]);
    assert_eq!(lines(&again, "a=rtpmap:96"), ["a=rtpmap:96 telephone-event/8000"]);
    assert_eq!(lines(&again, "a=rtpmap:101"), ["a=rtpmap:101 opus/48000/2"]);
}

#[test]
fn an_offer_that_is_refused_leaves_what_was_agreed() {
    let mut ours = session(&Codec::ALL);
    let (_, agreed) = ours.answer(&from_peer("0", &[])).unwrap();
    ours.offer(Direction::SendOnly);
    assert_eq!(ours.answer(&from_peer("0", &[])), Err(SdpError::Glare));
    ours.withdraw();
    assert_eq!(ours.agreed(), Some(&agreed));
    assert_eq!(ours.accept(&from_peer("0", &[])), Err(SdpError::NoOfferOpen));
}

#[test]
fn answers_that_are_none_are_refused() {
    let cases = [
        (from_peer("8", &[]), SdpError::NoCommonCodec),
        (from_peer("0", &[]).replace("audio 6000", "audio 0"), SdpError::NoAudio),
        (from_peer("0", &[]).split("m=").next().unwrap().to_owned(), SdpError::NotAnAnswer),
        ("nothing".to_owned(), SdpError::NotSdp),
    ];
    for (answer, error) in cases {
        let mut ours = session(&[Codec::Pcmu]);
        ours.offer(Direction::SendRecv);
        assert_eq!(ours.accept(&answer), Err(error));
        assert!(ours.offer_is_open());
    }
}

#[test]
fn moving_to_another_port_is_said_with_a_new_version() {
    let mut ours = session(&Codec::ALL);
    ours.answer(&from_peer("0", &[])).unwrap();
    ours.move_to(LocalAddr { rtp_port: 4400, rtcp_port: 4401, ..local() });
    let (answer, _) = ours.answer(&from_peer("0", &[])).unwrap();
    assert_eq!(lines(&answer, "m="), ["m=audio 4400 RTP/AVP 0"]);
    assert_eq!(lines(&answer, "o="), ["o=- 3 2 IN IP4 10.0.0.1"]);
}

#[test]
fn rtcp_shares_the_port_only_if_both_say_so() {
    let caps = Capabilities { rtcp_mux: true, ..Capabilities::default() };
    let mut ours = Session::new(1, local(), caps);
    let offer = ours.offer(Direction::SendRecv);
    assert_eq!(lines(&offer, "a=rtcp-mux").len(), 1);
    // Who does not repeat it gets its reports on a port of their own.
    let media = ours.accept(&from_peer("0", &[])).unwrap();
    assert!(!media.rtcp_mux && media.rtcp.port() == 6001);
    ours.offer(Direction::SendRecv);
    let media = ours.accept(&from_peer("0", &["rtcp-mux"])).unwrap();
    assert!(media.rtcp_mux && media.rtcp == media.addr);
    // An answer may not bring in what was not offered.
    let mut plain = session(&[Codec::Pcmu]);
    plain.offer(Direction::SendRecv);
    assert!(!plain.accept(&from_peer("0", &["rtcp-mux"])).unwrap().rtcp_mux);
}
