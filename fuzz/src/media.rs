//! Packets of media: RTP, RTCP, telephone events, and what the jitter buffer makes of any of them.

use crate::bytes::Bytes;
use undertone_core::time::Mono;
use undertone_media::events::{EventPayload, EventReceiver};
use undertone_media::jitter::{JitterBuffer, JitterConfig, Pull};
use undertone_media::rtp::{Packet, looks_like_rtcp, rtcp as reports};

pub fn rtp(data: &[u8]) {
    looks_like_rtcp(data);
    let Ok(packet) = Packet::parse(data) else { return };
    assert!(packet.payload.len() <= data.len(), "more payload than packet");
    let mut again = Vec::new();
    packet.header().write(packet.payload, &mut again);
    let Ok(read) = Packet::parse(&again) else { panic!("what we write we cannot read") };
    let parts = |p: &Packet<'_>| (p.pt, p.marker, p.seq, p.ts, p.ssrc);
    assert_eq!((parts(&read), read.payload), (parts(&packet), packet.payload));
}

/// The parser alone, then a session with our own reports between those that came.
pub fn rtcp(data: &[u8]) {
    let mut blocks = 0;
    let _ = reports::parse(data, |_| blocks += 1);
    assert!(blocks <= data.len(), "more reports than bytes");
    let mut bytes = Bytes(data);
    let mut session = reports::Session::new(Mono(0), 1, 8_000, 7);
    let (mut now, mut out) = (Mono(0), Vec::new());
    while !bytes.is_empty() {
        now = now.plus_ms(u64::from(bytes.word()));
        session.received(now, bytes.long(), bytes.word(), bytes.long());
        session.sent(now, bytes.long(), usize::from(bytes.byte()));
        let _ = session.handle(now, bytes.some(255));
        session.poll(now, &mut out);
        session.stats();
    }
    session.bye(now, &mut out);
}

pub fn telephone_events(data: &[u8]) {
    let mut bytes = Bytes(data);
    let mut receiver = EventReceiver::new();
    while !bytes.is_empty() {
        let ts = bytes.long();
        if let Some(event) = EventPayload::parse(bytes.some(8)) {
            receiver.packet(ts, event);
        }
        receiver.quiet(u64::from(bytes.word()));
        if bytes.byte() == 0 {
            receiver.reset();
        }
    }
}

/// Any order, any timestamps, any instants: it stays within its bounds.
pub fn jitter(data: &[u8]) {
    let mut bytes = Bytes(data);
    let mut buffer = JitterBuffer::new(JitterConfig::new(bytes.one_of(&[8_000, 48_000])));
    let mut now = Mono(0);
    while !bytes.is_empty() {
        now = now.plus_us(u64::from(bytes.word()) * 4);
        match bytes.byte() % 8 {
            0..=2 => {
                let (seq, ts, pt) = (bytes.word(), bytes.long(), bytes.byte() & 0x7f);
                buffer.insert(now, seq, ts, pt, bytes.some(255));
            }
            3 => buffer.insert_other(now, bytes.word()),
            4 => while let Pull::Packet(_) = buffer.pull(now) {},
            5 => {
                buffer.advice();
                buffer.moved(i64::from(bytes.word()) - 32_768);
            }
            6 => drop(buffer.drain()),
            _ => buffer.restart(8_000),
        }
        assert!(buffer.len() <= 1_024, "{} packets held", buffer.len());
        (buffer.depth_ms(), buffer.target_ms(), buffer.stats());
    }
}
