//! The far end offers.

use undertone_sdp::{Codec, Direction, EventFormat, SdpError};

use crate::{from_peer, lines, session};

#[test]
fn an_answer_takes_what_both_can_in_the_order_of_the_offer() {
    let mut ours = session(&[Codec::Opus, Codec::Pcmu, Codec::Pcma]);
    let offer = from_peer(
        "8 18 111 0 101",
        &["rtpmap:111 opus/48000/2", "rtpmap:101 telephone-event/8000", "rtpmap:18 G729/8000"],
    );
    let (answer, media) = ours.answer(&offer).unwrap();
    assert_eq!(media.codecs, [(8, Codec::Pcma), (111, Codec::Opus), (0, Codec::Pcmu)]);
    assert_eq!(media.addr, "192.0.2.9:6000".parse().unwrap());
    assert_eq!(media.rtcp, "192.0.2.9:6001".parse().unwrap());
    assert_eq!(media.events, [EventFormat { pt: 101, clock: 8000 }]);
    assert!(media.sends && media.receives);
    assert_eq!(lines(&answer, "m="), ["m=audio 4000 RTP/AVP 8 111 0 101"]);
    assert_eq!(lines(&answer, "a=fmtp:111"), ["a=fmtp:111 useinbandfec=1"]);
    assert_eq!(lines(&answer, "a=fmtp:101"), ["a=fmtp:101 0-15"]);
}

#[test]
fn our_order_goes_first_where_we_prefer_it() {
    let caps = undertone_sdp::Capabilities {
        codecs: vec![Codec::G722, Codec::Pcmu],
        prefer_ours: true,
        ..Default::default()
    };
    let mut ours = undertone_sdp::Session::new(1, crate::local(), caps);
    let (_, media) = ours.answer(&from_peer("0 8 9", &[])).unwrap();
    assert_eq!(media.codecs, [(9, Codec::G722), (0, Codec::Pcmu)]);
}

#[test]
fn static_numbers_need_no_map_and_a_map_overrides_them() {
    let mut ours = session(&Codec::ALL);
    let (_, media) = ours.answer(&from_peer("0 9", &["rtpmap:0 PCMA/8000"])).unwrap();
    assert_eq!(media.codecs, [(0, Codec::Pcma), (9, Codec::G722)]);
}

#[test]
fn opus_without_two_channels_or_at_another_clock_is_no_opus() {
    for map in ["rtpmap:96 opus/48000", "rtpmap:96 opus/16000/2", "rtpmap:96 opus/48000/1"] {
        let mut ours = session(&[Codec::Opus]);
        assert_eq!(ours.answer(&from_peer("96", &[map])), Err(SdpError::NoCommonCodec));
    }
}

#[test]
fn what_the_far_end_wants_of_opus_is_read() {
    let mut ours = session(&Codec::ALL);
    let fmtp = "fmtp:96 maxplaybackrate=16000; useinbandfec=1;stereo=1; maxaveragebitrate=20000;\
                usedtx=1;cbr=x;minptime=10";
    let offer = from_peer("96", &["rtpmap:96 OPUS/48000/2", fmtp]);
    let opus = ours.answer(&offer).unwrap().1.opus;
    assert_eq!(opus.max_playback_rate, 16_000);
    assert_eq!(opus.max_average_bitrate, Some(20_000));
    assert!(opus.use_inband_fec && opus.stereo && opus.use_dtx && !opus.cbr);
}

#[test]
fn events_follow_the_clock_of_the_codec_that_we_send() {
    let maps = [
        "rtpmap:96 opus/48000/2",
        "rtpmap:101 telephone-event/8000",
        "rtpmap:102 telephone-event/48000",
    ];
    let (_, media) = session(&Codec::ALL).answer(&from_peer("96 0 101 102", &maps)).unwrap();
    let narrow = EventFormat { pt: 101, clock: 8_000 };
    let wide = EventFormat { pt: 102, clock: 48_000 };
    assert_eq!(media.events, [wide, narrow], "the sent codec's clock first, the other as well");
    assert_eq!((media.events_at(8_000), media.event_of(101)), (Some(narrow), Some(narrow)));
    assert_eq!((media.events_at(48_000), media.event_of(102)), (Some(wide), Some(wide)));
    let (_, media) = session(&[Codec::Pcmu]).answer(&from_peer("96 0 101 102", &maps)).unwrap();
    assert_eq!(media.events, [narrow]);
    // Opus with 8000 alone: what many phones offer, and mean.
    let (_, media) = session(&[Codec::Opus]).answer(&from_peer("96 101", &maps[..2])).unwrap();
    assert_eq!(media.events, [narrow]);
    assert_eq!(media.events_at(48_000), Some(narrow));
}

#[test]
fn hold_in_every_spelling_is_answered_with_its_mirror() {
    let cases = [
        ("sendrecv", "sendrecv", true, true),
        ("sendonly", "recvonly", false, true),
        ("recvonly", "sendonly", true, false),
        ("inactive", "inactive", false, false),
    ];
    for (theirs, ours, sends, receives) in cases {
        let (answer, media) = session(&Codec::ALL).answer(&from_peer("0", &[theirs])).unwrap();
        assert_eq!(lines(&answer, &format!("a={ours}")).len(), 1, "{theirs}");
        assert_eq!((media.sends, media.receives), (sends, receives), "{theirs}");
    }
    let zero = from_peer("0", &[]).replace("c=IN IP4 192.0.2.9", "c=IN IP4 0.0.0.0");
    let (answer, media) = session(&Codec::ALL).answer(&zero).unwrap();
    assert!(!media.sends && media.receives);
    assert_eq!(lines(&answer, "a=recvonly").len(), 1);
    // A session's direction holds for its streams, and a stream's own goes before it.
    let held = from_peer("0", &[]).replace("t=0 0\r\n", "t=0 0\r\na=sendonly\r\n");
    assert!(!session(&Codec::ALL).answer(&held).unwrap().1.sends);
    let not_held = from_peer("0", &["sendrecv"]).replace("t=0 0\r\n", "t=0 0\r\na=sendonly\r\n");
    assert!(session(&Codec::ALL).answer(&not_held).unwrap().1.sends);
}

#[test]
fn hold_and_resume_raise_our_version_and_an_equal_answer_does_not() {
    let mut ours = session(&Codec::ALL);
    let version =
        |sdp: &str| lines(sdp, "o=")[0].split(' ').nth(2).unwrap().parse::<u64>().unwrap();
    let first = version(&ours.answer(&from_peer("0", &[])).unwrap().0);
    let same = version(&ours.answer(&from_peer("0", &[])).unwrap().0);
    let held = version(&ours.answer(&from_peer("0", &["sendonly"])).unwrap().0);
    let resumed = version(&ours.answer(&from_peer("0", &[])).unwrap().0);
    assert_eq!((same, held, resumed), (first, first + 1, first + 2));
}

#[test]
fn what_we_want_narrows_every_answer() {
    let mut ours = session(&Codec::ALL);
    ours.want(Direction::SendOnly);
    let (answer, media) = ours.answer(&from_peer("0", &[])).unwrap();
    assert!(media.sends && !media.receives);
    assert_eq!(lines(&answer, "a=sendonly").len(), 1);
    let (answer, _) = ours.answer(&from_peer("0", &["sendonly"])).unwrap();
    assert_eq!(lines(&answer, "a=inactive").len(), 1);
}

#[test]
fn every_other_stream_is_refused_in_its_place() {
    let offer = "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n\
                 m=video 7000 RTP/AVP 96 97\r\na=rtpmap:96 H264/90000\r\n\
                 m=audio 6000 RTP/AVP 0\r\n\
                 m=image 8000 udptl t38\r\n\
                 m=audio 6002 RTP/AVP 0\r\n\
                 m=application 9 UDP/BFCP *\r\n";
    let mut ours = session(&Codec::ALL);
    let (answer, media) = ours.answer(offer).unwrap();
    assert_eq!(media.addr.port(), 6000);
    let expected = [
        "m=video 0 RTP/AVP 96 97",
        "m=audio 4000 RTP/AVP 0",
        "m=image 0 udptl t38",
        "m=audio 0 RTP/AVP 0",
        "m=application 0 UDP/BFCP *",
    ];
    assert_eq!(lines(&answer, "m="), expected);
    // Our own re-offer keeps the lines (RFC 3264 section 8).
    let offer = ours.offer(Direction::SendRecv);
    let media_lines = lines(&offer, "m=");
    assert_eq!(media_lines.len(), 5);
    assert!(media_lines[1].starts_with("m=audio 4000 RTP/AVP 0"));
    assert_eq!(media_lines[2], "m=image 0 udptl t38");
}

#[test]
fn rtcp_is_where_the_far_end_says() {
    let port = from_peer("0", &["rtcp:7777"]);
    assert_eq!(session(&Codec::ALL).answer(&port).unwrap().1.rtcp.port(), 7777);
    let both = from_peer("0", &["rtcp:7777 IN IP4 192.0.2.10"]);
    let rtcp = session(&Codec::ALL).answer(&both).unwrap().1.rtcp;
    assert_eq!(rtcp, "192.0.2.10:7777".parse().unwrap());
    // We do not multiplex unless told that we can (RFC 5761 section 5.1.1).
    let mux = from_peer("0", &["rtcp-mux"]);
    let (answer, media) = session(&Codec::ALL).answer(&mux).unwrap();
    assert!(!media.rtcp_mux && lines(&answer, "a=rtcp-mux").is_empty());
    let caps = undertone_sdp::Capabilities { rtcp_mux: true, ..Default::default() };
    let (answer, media) =
        undertone_sdp::Session::new(1, crate::local(), caps).answer(&mux).unwrap();
    assert!(media.rtcp_mux && media.rtcp == media.addr);
    assert_eq!(lines(&answer, "a=rtcp-mux").len(), 1);
}

#[test]
fn packet_times_are_taken_within_reason() {
    let cases: [(&[&str], u8, Option<u8>); 5] = [
        (&[], 20, None),
        (&["ptime:30"], 30, None),
        (&["ptime:20.0", "maxptime:10"], 10, Some(10)),
        (&["ptime:0", "maxptime:9999"], 20, Some(255)),
        (&["ptime:17"], 20, None),
    ];
    for (attributes, ptime, maxptime) in cases {
        let (_, media) = session(&Codec::ALL).answer(&from_peer("0", attributes)).unwrap();
        assert_eq!((media.ptime_ms, media.maxptime_ms), (ptime, maxptime), "{attributes:?}");
    }
}

#[test]
fn comfort_noise_is_agreed_only_if_both_have_it() {
    let offer = from_peer("0 13", &[]);
    let (answer, media) = session(&Codec::ALL).answer(&offer).unwrap();
    assert_eq!(media.comfort_noise, None);
    assert_eq!(lines(&answer, "m="), ["m=audio 4000 RTP/AVP 0"]);
    let caps = undertone_sdp::Capabilities { comfort_noise: true, ..Default::default() };
    let (answer, media) =
        undertone_sdp::Session::new(1, crate::local(), caps).answer(&offer).unwrap();
    assert_eq!(media.comfort_noise, Some(13));
    assert_eq!(lines(&answer, "m="), ["m=audio 4000 RTP/AVP 0 13"]);
}

#[test]
fn an_offer_that_we_cannot_take_says_why_and_changes_nothing() {
    let mut ours = session(&[Codec::Pcmu]);
    let (_, agreed) = ours.answer(&from_peer("0", &[])).unwrap();
    let cases = [
        (from_peer("8", &[]), SdpError::NoCommonCodec),
        (from_peer("0", &[]).replace("audio", "video"), SdpError::NoAudio),
        (from_peer("0", &[]).replace("RTP/AVP", "RTP/SAVP"), SdpError::NoAudio),
        (from_peer("0", &[]).replace("audio 6000", "audio 0"), SdpError::NoAudio),
        (
            from_peer("0", &[]).replace("c=IN IP4 192.0.2.9", "c=IN IP4 h.example"),
            SdpError::NoAddress,
        ),
        (
            from_peer("0", &[]).replace("c=IN IP4 192.0.2.9", "c=IN IP4 239.0.0.1"),
            SdpError::NoAddress,
        ),
        ("v=1".to_owned(), SdpError::NotSdp),
        (String::new(), SdpError::NotSdp),
        ("v".repeat(70_000), SdpError::TooLarge { limit_bytes: 65_536 }),
    ];
    for (offer, error) in cases {
        assert_eq!(ours.answer(&offer), Err(error));
        assert_eq!(ours.agreed(), Some(&agreed));
    }
}

#[test]
fn an_address_of_the_other_family_needs_a_socket_of_ours_there() {
    let v6 = from_peer("0", &[]).replace("c=IN IP4 192.0.2.9", "c=IN IP6 2001:db8::1");
    assert_eq!(session(&Codec::ALL).answer(&v6), Err(SdpError::NoAddress));
    assert_eq!(undertone_sdp::far_ip(&v6), "2001:db8::1".parse().ok());
    let local = undertone_sdp::LocalAddr { ip: "2001:db8::7".parse().unwrap(), ..crate::local() };
    let mut ours = undertone_sdp::Session::new(1, local, Default::default());
    let (answer, media) = ours.answer(&v6).unwrap();
    assert_eq!(media.addr, "[2001:db8::1]:6000".parse().unwrap());
    assert_eq!(lines(&answer, "c="), ["c=IN IP6 2001:db8::7"]);
    assert_eq!(ours.answer(&from_peer("0", &[])), Err(SdpError::NoAddress));
    assert_eq!(ours.agreed(), Some(&media), "a re-offer of the wrong family changes nothing");
    assert_eq!(undertone_sdp::far_ip("v=1"), None);
}

#[test]
fn fax_and_video_in_a_later_offer_are_refused_and_the_audio_goes_on() {
    let mut ours = session(&Codec::ALL);
    let (_, agreed) = ours.answer(&from_peer("0", &[])).unwrap();
    // T.38 in place of the audio: nothing of it is for us, and the call stays as it was.
    let fax = from_peer("0", &[]).replace("audio 6000", "audio 0") + "m=image 7000 udptl t38\r\n";
    assert_eq!(ours.answer(&fax), Err(SdpError::NoAudio));
    assert_eq!(ours.agreed(), Some(&agreed));
    // Beside it, and video too: they are refused in their places.
    let more = from_peer("0", &[]) + "m=image 7000 udptl t38\r\nm=video 7002 RTP/AVP 96\r\n";
    let (answer, media) = ours.answer(&more).unwrap();
    assert_eq!(media, agreed);
    let expected = ["m=audio 4000 RTP/AVP 0", "m=image 0 udptl t38", "m=video 0 RTP/AVP 96"];
    assert_eq!(lines(&answer, "m="), expected);
    // Our own offers keep three lines, and so does our answer when a slot is put to other use
    // (RFC 3264 sections 8.1 and 8.2).
    assert_eq!(lines(&ours.offer(Direction::SendRecv), "m=").len(), 3);
    ours.withdraw();
    let other = from_peer("0", &[]) + "m=image 0 udptl t38\r\nm=text 7004 RTP/AVP 98\r\n";
    let (answer, _) = ours.answer(&other).unwrap();
    assert_eq!(lines(&answer, "m=")[2], "m=text 0 RTP/AVP 98");
}
