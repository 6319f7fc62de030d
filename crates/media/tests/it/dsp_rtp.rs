//! RTP and RTCP: what is read is what was written, and no bytes do harm.

use proptest::prelude::*;
use undertone_core::time::Mono;
use undertone_media::rtp::rtcp::{
    ReportBlock, Rtcp, RtcpError, SenderInfo, Session, parse, write_bye, write_name, write_report,
};
use undertone_media::rtp::{Header, Packet, RtpError, looks_like_rtcp, seq_diff, ts_diff};

const HEADER: Header = Header { marker: true, pt: 8, seq: 65_535, ts: 0xdead_beef, ssrc: 7 };

#[test]
fn extension_csrc_and_padding_are_left_out_of_the_payload() {
    let mut bytes = HEADER.bytes().to_vec();
    bytes[0] = 0x80 | 0x20 | 0x10 | 2;
    bytes.extend([0; 8]);
    bytes.extend([0xbe, 0xde, 0, 1, 1, 2, 3, 4]);
    bytes.extend([10, 11, 12]);
    bytes.extend([0, 0, 3]);
    let packet = Packet::parse(&bytes).unwrap();
    assert_eq!((packet.header(), packet.payload), (HEADER, &[10u8, 11, 12][..]));
    let mut again = Vec::new();
    packet.header().write(packet.payload, &mut again);
    assert_eq!((again[0], again.len()), (0x80, 15), "ours has none of it");
}

#[test]
fn what_reaches_beyond_the_packet_is_refused() {
    let plain = |first: u8, more: &[u8]| {
        let mut bytes = HEADER.bytes().to_vec();
        bytes[0] = first;
        bytes.extend(more);
        bytes
    };
    let refused = |bytes: &[u8]| Packet::parse(bytes).unwrap_err();
    assert_eq!(refused(&plain(0x80, &[])[..11]), RtpError::Short(11));
    assert_eq!(refused(&plain(0x40, &[])), RtpError::Version(1));
    assert_eq!(refused(&plain(0x83, &[0; 8])), RtpError::Header);
    assert_eq!(refused(&plain(0x90, &[0, 0, 0])), RtpError::Header);
    assert_eq!(refused(&plain(0x90, &[0, 0, 0, 2, 0, 0, 0, 0])), RtpError::Header);
    assert_eq!(refused(&plain(0xa0, &[1, 2, 0])), RtpError::Padding(0));
    assert_eq!(refused(&plain(0xa0, &[1, 2, 4])), RtpError::Padding(4));
    assert_eq!(refused(&plain(0xa0, &[])), RtpError::Padding(0));
    assert_eq!(refused(&[0x80; 1_501]), RtpError::Long(1_501));
    assert_eq!(Packet::parse(&plain(0xa0, &[1, 2, 3])).unwrap().payload, []);
}

#[test]
fn differences_go_the_short_way_round() {
    assert_eq!((seq_diff(2, 65_534), seq_diff(65_534, 2), seq_diff(5, 5)), (4, -4, 0));
    assert_eq!((ts_diff(10, u32::MAX - 9), ts_diff(0, 1)), (20, -1));
}

fn parts(bytes: &[u8]) -> Result<Vec<Rtcp<'_>>, RtcpError> {
    let mut all = Vec::new();
    parse(bytes, |part| all.push(part)).map(|()| all)
}

#[test]
fn a_compound_packet_is_read_as_it_was_written() {
    let info = SenderInfo { ntp: 0x0102_0304_0506_0708, rtp_ts: 9, packets: 10, octets: 11 };
    let block = ReportBlock {
        ssrc: 5,
        fraction_lost: 128,
        lost: -3,
        highest_seq: 70_000,
        jitter: 12,
        last_sr: 13,
        delay_since_last_sr: 14,
    };
    let mut bytes = Vec::new();
    write_report(&mut bytes, 1, Some(info), &[block, block]);
    write_name(&mut bytes, 1, b"abc");
    write_bye(&mut bytes, 1);
    assert!(looks_like_rtcp(&bytes) && !looks_like_rtcp(&HEADER.bytes()));
    let want = vec![
        Rtcp::Sender { ssrc: 1, info, blocks: [block, block].into_iter().collect() },
        Rtcp::Name { ssrc: 1, cname: b"abc" },
        Rtcp::Bye { ssrc: 1 },
    ];
    assert_eq!(parts(&bytes).unwrap(), want);
    for cut in 1..bytes.len() {
        let whole = [76, 92].contains(&cut);
        assert_eq!(parts(&bytes[..cut]).is_ok(), whole, "cut at {cut}");
    }
    assert_eq!(parts(&bytes[76..]), Err(RtcpError::First(202)));
}

#[test]
fn a_name_of_any_length_fills_whole_words() {
    for length in 0..=255usize {
        let (mut bytes, name) = (Vec::new(), vec![b'x'; length]);
        write_report(&mut bytes, 1, None, &[]);
        write_name(&mut bytes, 1, &name);
        assert_eq!(bytes.len() % 4, 0);
        assert_eq!(parts(&bytes).unwrap()[1], Rtcp::Name { ssrc: 1, cname: &name });
    }
}

/// Two legs that talk for a minute, 40 ms apart each way; every tenth packet of `a` is lost.
#[test]
fn two_sessions_learn_loss_jitter_and_round_trip_from_each_other() {
    let (mut a, mut b) =
        (Session::new(Mono(0), 1, 8_000, 11), Session::new(Mono(500_000), 2, 8_000, 22));
    assert_ne!(a.name(), b.name());
    let mut under_way: Vec<(u64, bool, Vec<u8>)> = Vec::new();
    let (mut out, mut reports) = (Vec::new(), 0);
    for tick in 0..3_000u64 {
        let now = tick * 20_000;
        let (seq, ts) = (tick as u16, tick as u32 * 160);
        a.sent(Mono(now), ts, 160);
        if tick % 10 != 0 {
            b.received(Mono(now + 40_000), 1, seq, ts);
        }
        for (to_b, session) in [(true, &mut a), (false, &mut b)] {
            if session.poll(Mono(now), &mut out) {
                reports += 1;
                under_way.push((now + 40_000, to_b, out.clone()));
            }
        }
        under_way.retain(|(at, to_b, bytes)| {
            if *at <= now {
                let to = if *to_b { &mut b } else { &mut a };
                to.handle(Mono(*at), bytes).unwrap();
            }
            *at > now
        });
    }
    let (at_a, at_b) = (a.stats(), b.stats());
    println!("{reports} reports in a minute\na: {at_a:?}\nb: {at_b:?}");
    assert!((14..=48).contains(&reports), "about one each 5 s of each: {reports}");
    assert_eq!((at_a.sent, at_b.received), (3_000, 2_700));
    assert!((298..=300).contains(&at_b.lost), "{}", at_b.lost);
    assert!((20..32).contains(&at_a.far_fraction_lost), "{}", at_a.far_fraction_lost);
    assert!((78_000..82_000).contains(&at_a.rtt_us.unwrap()), "{:?}", at_a.rtt_us);
    a.bye(Mono(60_000_000), &mut out);
    b.handle(Mono(60_040_000), &out).unwrap();
    assert!(b.stats().far_said_bye);
}

#[test]
fn jitter_is_that_of_the_appendix() {
    let mut session = Session::new(Mono(0), 1, 8_000, 3);
    // Every other packet 16 ms late: differences of 128 ticks, which the mean settles at.
    for n in 0..500u64 {
        session.received(Mono(n * 20_000 + n % 2 * 16_000), 9, n as u16, n as u32 * 160);
    }
    let jitter = session.stats().jitter_us;
    assert!((15_000..=16_500).contains(&jitter), "{jitter}");
}

proptest! {
    #[test]
    fn any_bytes_are_a_packet_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(packet) = Packet::parse(&bytes) {
            prop_assert!(packet.payload.len() + 12 <= bytes.len());
        }
    }

    #[test]
    fn a_header_is_read_as_written(
        marker: bool, pt in 0u8..128, seq: u16, ts: u32, ssrc: u32,
        payload in proptest::collection::vec(any::<u8>(), 0..1_400)
    ) {
        let header = Header { marker, pt, seq, ts, ssrc };
        let mut bytes = Vec::new();
        header.write(&payload, &mut bytes);
        let packet = Packet::parse(&bytes).unwrap();
        prop_assert_eq!((packet.header(), packet.payload), (header, &payload[..]));
    }

    #[test]
    fn any_bytes_are_rtcp_or_refused_and_a_session_survives(
        mut bytes in proptest::collection::vec(any::<u8>(), 4..120), kind in 199u8..206, words: u8
    ) {
        let mut session = Session::new(Mono(0), 1, 8_000, 3);
        let _ = session.handle(Mono(1), &bytes);
        // Most random bytes fail at the first; these get further.
        bytes[0] = 0x80 | bytes[0] & 0x3f;
        (bytes[1], bytes[2], bytes[3]) = (kind, 0, words % 30);
        let _ = session.handle(Mono(2), &bytes);
        let _ = parts(&bytes);
    }
}
