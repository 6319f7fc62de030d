//! Packets of media: RTP, RTCP, telephone events, payloads, and what the jitter buffer makes of
//! any of them.

use crate::bytes::Bytes;
use undertone_core::time::Mono;
use undertone_media::codec::{Decoder, MAX_PACKET_MS, rtp_ticks};
use undertone_media::events::{EventPayload, EventReceiver, Heard, digit_of, event_of};
use undertone_media::jitter::{Inserted, JitterBuffer, JitterConfig, Pull};
use undertone_media::rtp::{Packet, looks_like_rtcp, rtcp as reports};
use undertone_sdp::Codec;

pub fn rtp(data: &[u8]) {
    looks_like_rtcp(data);
    let Ok(packet) = Packet::parse(data) else { return };
    assert!(packet.payload.len() + 12 <= data.len(), "more payload than packet");
    let mut again = Vec::new();
    packet.header().write(packet.payload, &mut again);
    let Ok(read) = Packet::parse(&again) else { panic!("what we write we cannot read") };
    let parts = |p: &Packet<'_>| (p.pt, p.marker, p.seq, p.ts, p.ssrc);
    assert_eq!((parts(&read), read.payload), (parts(&packet), packet.payload));
}

/// The parser alone, then a session with our own reports between those that came.
pub fn rtcp(data: &[u8]) {
    let mut parts = 0;
    let whole = reports::parse(data, |_| parts += 1);
    // Each part has a header, and a packet with one bad part tells nothing.
    assert!(parts * 4 <= data.len() && (whole.is_ok() || parts == 0), "{parts} parts");
    let mut bytes = Bytes(data);
    let mut session = reports::Session::new(Mono(0), 1, 8_000, 7);
    let (mut now, mut out) = (Mono(0), Vec::new());
    while !bytes.is_empty() {
        now = now.plus_ms(u64::from(bytes.word()));
        session.received(now, bytes.long(), bytes.word(), bytes.long());
        session.sent(now, bytes.long(), usize::from(bytes.byte()));
        let _ = session.handle(now, bytes.some(255));
        if session.poll(now, &mut out) {
            is_rtcp(&out);
        }
        session.stats();
    }
    session.bye(now, &mut out);
    is_rtcp(&out);
}

fn is_rtcp(bytes: &[u8]) {
    let mut parts = 0;
    let read = reports::parse(bytes, |_| parts += 1);
    assert!(read.is_ok() && parts >= 2 && bytes.len() <= 1_500, "{read:?}");
}

/// Whatever comes, events start and end in turn.
pub fn telephone_events(data: &[u8]) {
    let mut bytes = Bytes(data);
    let (mut receiver, mut open) = (EventReceiver::new(), None);
    while !bytes.is_empty() {
        let ts = bytes.long();
        let mut heard = Vec::new();
        if let Some(event) = EventPayload::parse(bytes.some(8)) {
            assert_eq!(EventPayload::parse(&event.bytes()), Some(event));
            if let Some(digit) = digit_of(event.event) {
                assert_eq!(event_of(digit), Some(event.event));
            }
            heard.extend(receiver.packet(ts, event).into_iter().flatten());
        }
        heard.extend(receiver.quiet(u64::from(bytes.word()) * 4));
        for heard in heard {
            match heard {
                Heard::Started(event) => assert_eq!(open.replace(event), None, "two at once"),
                Heard::Ended(event) => assert_eq!(open.take(), Some(event), "never began"),
            }
        }
        if bytes.byte() == 0 {
            receiver.reset();
            open = None;
        }
    }
}

/// A packet decodes to as much as it says, or to nothing, and never to more than 120 ms.
pub fn payloads(data: &[u8]) {
    let mut bytes = Bytes(data);
    let codec = bytes.one_of(&Codec::ALL);
    let Ok(mut decoder) = Decoder::new(codec) else { panic!("no decoder of {codec:?}") };
    let most = decoder.rate() as usize * MAX_PACKET_MS / 1_000;
    let mut out = Vec::new();
    while !bytes.is_empty() {
        let how = bytes.byte();
        let payload = bytes.some(255);
        let (before, said) = (out.len(), decoder.samples(payload));
        assert_eq!(said.is_some(), rtp_ticks(codec, payload).is_some());
        let added = match how % 4 {
            0 => {
                let wanted = usize::from(how) * 16 % most + 1;
                let told = decoder.decode_fec(payload, wanted, &mut out);
                assert!(told || out.len() == before, "said nothing, and wrote");
                out.len() - before
            }
            1 => {
                decoder.lost(most / 6, &mut out);
                out.len() - before
            }
            _ => {
                let read = decoder.decode(payload, &mut out);
                let added = out.len() - before;
                assert_eq!(added, read.map_or(0, |()| said.unwrap_or(0)), "{codec:?}");
                added
            }
        };
        assert!(added <= most, "{added} samples of one packet");
        out.clear();
        if how == 255 {
            decoder.reset();
        }
    }
}

/// Any order, any timestamps, any instants: it stays within its bounds, and what it gives was
/// given to it once.
pub fn jitter(data: &[u8]) {
    let mut bytes = Bytes(data);
    let mut buffer = JitterBuffer::new(JitterConfig::new(bytes.one_of(&[8_000, 48_000])));
    let (mut now, mut given, mut taken) = (Mono(0), 0_usize, 0_usize);
    while !bytes.is_empty() {
        now = now.plus_us(u64::from(bytes.word()) * 4);
        match bytes.byte() % 8 {
            0..=2 => {
                let (seq, ts, pt) = (bytes.word(), bytes.long(), bytes.byte() & 0x7f);
                let inserted = buffer.insert(now, seq, ts, pt, bytes.some(255));
                given += usize::from(matches!(inserted, Inserted::Kept | Inserted::Restarted));
            }
            3 => buffer.insert_other(now, bytes.word()),
            4 => {
                while let Pull::Packet(_) = buffer.pull(now) {
                    taken += 1;
                }
            }
            5 => {
                buffer.advice();
                buffer.moved(i64::from(bytes.word()) - 32_768);
            }
            6 => taken += usize::from(buffer.drain().is_some()),
            _ => buffer.restart(8_000),
        }
        assert!(buffer.len() <= 1_024, "{} packets held", buffer.len());
        assert!(taken <= given, "{taken} taken of {given}");
        let (depth, target) = (buffer.depth_ms(), buffer.target_ms());
        assert!(target <= 2_000, "{depth} ms deep, {target} wanted");
        buffer.stats();
    }
}
