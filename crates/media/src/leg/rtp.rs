//! What a leg sends: one SSRC, one sequence, one timestamp line for life, and the one function
//! through which every RTP packet leaves. Knows no source, no plan, no codec.

use crate::rtp::Header;
use undertone_core::time::Mono;

/// How far back a reordered packet may still take its own number.
const WINDOW: u64 = 128;
/// A first sequence number so high that renumbering backward never goes below 0.
const FIRST_EPOCH: u64 = 1 << 32;

/// One RTP packet to be sent, but for the SSRC, which is the leg's.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing<'a> {
    /// Extended sequence number.
    pub seq: u64,
    pub ts: u32,
    pub pt: u8,
    pub marker: bool,
    pub payload: &'a [u8],
    /// Its length on the timestamp line; 0 for an event.
    pub ticks: u32,
}

pub struct Sender {
    ssrc: u32,
    next_seq: u64,
    /// Bit k: number `next_seq - 1 - k` is used.
    used: u128,
    next_ts: u32,
    clock: u32,
    last_at: Option<Mono>,
    /// When the line was last moved on.
    line_at: Option<Mono>,
    last_ticks: u32,
    buffer: Vec<u8>,
    sent: u64,
    refused: u64,
}

/// Independent streams from one seed (splitmix64).
pub(crate) fn derive(seed: u64, what: u64) -> u64 {
    let mut z = seed.wrapping_add(what.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl Sender {
    pub fn new(seed: u64, clock: u32) -> Self {
        Self {
            ssrc: derive(seed, 1) as u32,
            next_seq: FIRST_EPOCH + (derive(seed, 2) & 0x7fff),
            used: 0,
            next_ts: derive(seed, 3) as u32,
            clock,
            last_at: None,
            line_at: None,
            last_ticks: 0,
            buffer: Vec::with_capacity(256),
            sent: 0,
            refused: 0,
        }
    }

    pub fn ssrc(&self) -> u32 {
        self.ssrc
    }
    /// Above every number used so far.
    pub fn next_seq(&self) -> u64 {
        self.next_seq
    }
    /// The timestamp just after the last sample sent.
    pub fn next_ts(&self) -> u32 {
        self.next_ts
    }
    /// Of the audio sent last, on which the line runs.
    pub fn clock(&self) -> u32 {
        self.clock
    }
    pub fn last_at(&self) -> Option<Mono> {
        self.last_at
    }
    pub fn sent(&self) -> u64 {
        self.sent
    }
    /// Packets not sent because their number was taken.
    pub fn refused(&self) -> u64 {
        self.refused
    }

    /// What the line reads at `now`: where it was left, plus the pause since, if there was one.
    pub fn line(&self, now: Mono) -> u32 {
        let Some(last) = self.line_at else { return self.next_ts };
        let elapsed = now.since(last) * u64::from(self.clock) / 1_000_000;
        let pause = elapsed.saturating_sub(u64::from(self.last_ticks));
        // Less than half a packet is the network's or the thread's unevenness, and no pause.
        let pause = if pause * 2 < u64::from(self.last_ticks) { 0 } else { pause };
        self.next_ts.wrapping_add(pause as u32)
    }

    /// The one way out. Invariant 9: no number is ever used for two packets; one that is taken,
    /// or too far back to know, is refused. The packet's bytes are in `sent_bytes` afterwards.
    pub fn send(&mut self, now: Mono, clock: u32, packet: Outgoing<'_>) -> bool {
        if packet.seq >= self.next_seq {
            let ahead = packet.seq - self.next_seq + 1;
            self.used = if ahead < WINDOW { self.used << ahead | 1 } else { 1 };
            self.next_seq = packet.seq + 1;
            if packet.ticks > 0 {
                self.next_ts = packet.ts.wrapping_add(packet.ticks);
                self.last_ticks = packet.ticks;
                (self.line_at, self.clock) = (Some(now), clock);
            }
        } else {
            let back = self.next_seq - 1 - packet.seq;
            if back >= WINDOW || self.used >> back & 1 == 1 {
                self.refused += 1;
                return false;
            }
            self.used |= 1 << back;
        }
        self.last_at = Some(now);
        self.sent += 1;
        let header = Header {
            marker: packet.marker,
            pt: packet.pt,
            seq: packet.seq as u16,
            ts: packet.ts,
            ssrc: self.ssrc,
        };
        header.write(packet.payload, &mut self.buffer);
        true
    }

    pub fn sent_bytes(&self) -> &[u8] {
        &self.buffer
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn no_number_ever_carries_two_payloads_whatever_is_asked() {
        let mut sender = Sender::new(7, 8_000);
        let mut seen = BTreeMap::new();
        let first = sender.next_seq();
        for i in 0..20_000u64 {
            let seq = first + derive(i, 9) % 50 + i / 3;
            let bytes = i.to_be_bytes();
            let packet =
                Outgoing { seq, ts: i as u32, pt: 0, marker: false, payload: &bytes, ticks: 160 };
            if sender.send(Mono(i), 8_000, packet) {
                assert_eq!(seen.insert(seq, i), None, "number {seq} used twice");
            }
        }
        assert!(sender.refused() > 1_000 && sender.sent() > 5_000);
    }

    #[test]
    fn the_line_stands_in_a_small_gap_and_runs_in_a_pause() {
        let mut sender = Sender::new(7, 8_000);
        let (seq, ts) = (sender.next_seq(), sender.next_ts());
        let packet = Outgoing { seq, ts, pt: 0, marker: false, payload: &[0; 160], ticks: 160 };
        assert!(sender.send(Mono(0), 8_000, packet));
        assert_eq!(sender.line(Mono::from_ms(27)), ts.wrapping_add(160));
        assert_eq!(sender.line(Mono::from_ms(120)), ts.wrapping_add(960));
    }
}
