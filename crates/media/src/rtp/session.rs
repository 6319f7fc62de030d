//! What one leg says in RTCP and what it learns (RFC 3550 sections 6.2 to 6.4, appendix A). Each
//! leg has a random name of its own; nothing here knows another leg, or the time of day.

use super::rtcp::{
    Blocks, ReportBlock, Rtcp, RtcpError, SenderInfo, parse, write_bye, write_name, write_report,
};
use super::seq_diff;
use undertone_core::time::Mono;

/// RFC 3550 section 6.2: the least interval, and RTCP's share of a session's bandwidth.
const LEAST_INTERVAL_US: u64 = 5_000_000;
const RTCP_BYTES_PER_S: u64 = 64_000 / 8 / 20;
/// IPv4 and UDP headers count (section 6.2).
const UNDER_BYTES: u64 = 28;
const MAX_DROPOUT: i32 = 3_000;
const MAX_MISORDER: i32 = 100;

/// Of one leg, since its far end's last SSRC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RtcpStats {
    pub received: u64,
    /// Expected less received; never below 0 here.
    pub lost: u64,
    /// Interarrival jitter (RFC 3550 section 6.4.1), in microseconds.
    pub jitter_us: u32,
    pub sent: u64,
    /// What the far end last said of what we send: lost in 1/256, jitter in our clock's ticks.
    pub far_fraction_lost: u8,
    pub far_jitter: u32,
    pub far_said_bye: bool,
    /// Round trip by the far end's last report.
    pub rtt_us: Option<u32>,
}

/// The RTCP side of one leg. It gathers what came and writes what is due.
pub struct Session {
    ssrc: u32,
    clock: u32,
    name: [u8; 24],
    random: u64,
    /// Our clock as the far end sees it begins somewhere: two legs cannot be matched by it.
    epoch_ntp: u64,
    next: Mono,
    mean_bytes: u64,
    source: Option<Incoming>,
    sent_packets: u32,
    sent_octets: u32,
    sent_total: u64,
    last_sent: Option<(Mono, u32)>,
    far: RtcpStats,
}

/// What is known of the far end's stream (RFC 3550 appendix A.1).
#[derive(Clone, Copy, Debug, Default)]
struct Incoming {
    ssrc: u32,
    base: u32,
    highest: u32,
    received: u32,
    expected_before: u32,
    received_before: u32,
    transit: u32,
    /// In 1/16 tick.
    jitter: u32,
    last_sr: u32,
    last_sr_at: Mono,
}

impl Session {
    /// `ssrc` is the leg's own; `clock` its RTP clock; the seed gives the name and the intervals.
    pub fn new(now: Mono, ssrc: u32, clock: u32, seed: u64) -> Self {
        let mut session = Self {
            ssrc,
            clock: clock.max(1),
            name: [0; 24],
            random: seed,
            epoch_ntp: 0,
            next: now,
            mean_bytes: 128,
            source: None,
            sent_packets: 0,
            sent_octets: 0,
            sent_total: 0,
            last_sent: None,
            far: RtcpStats::default(),
        };
        // RFC 7022 section 4.2: 96 random bits, here in hex.
        for chunk in 0..3 {
            let bits = session.draw() as u32;
            for (i, digit) in session.name[chunk * 8..][..8].iter_mut().enumerate() {
                *digit = b"0123456789abcdef"[(bits >> (i * 4) & 15) as usize];
            }
        }
        session.epoch_ntp = session.draw();
        // The first report comes after half the interval (section 6.2).
        session.next = now.plus_us(session.interval_us() / 2);
        session
    }

    pub fn name(&self) -> &[u8] {
        &self.name
    }

    /// A codec with another clock was negotiated.
    pub fn set_clock(&mut self, clock: u32) {
        if clock != self.clock {
            self.clock = clock.max(1);
            self.last_sent = None;
            if let Some(source) = &mut self.source {
                (source.jitter, source.transit) = (0, 0);
            }
        }
    }

    /// Every RTP packet that came in on this leg.
    pub fn received(&mut self, now: Mono, ssrc: u32, seq: u16, ts: u32) {
        let arrival = (now.0 as u128 * u128::from(self.clock) / 1_000_000) as u32;
        let transit = arrival.wrapping_sub(ts);
        let jumped = |source: &Incoming| {
            let step = seq_diff(seq, source.highest as u16);
            source.ssrc != ssrc || !(-MAX_MISORDER..MAX_DROPOUT).contains(&step)
        };
        let Some(source) = self.source.as_mut().filter(|source| !jumped(source)) else {
            let first = u32::from(seq);
            self.source = Some(Incoming {
                ssrc,
                base: first,
                highest: first,
                received: 1,
                transit,
                ..Incoming::default()
            });
            self.far.far_said_bye = false;
            return;
        };
        let step = seq_diff(seq, source.highest as u16);
        source.highest = source.highest.wrapping_add(step.max(0) as u32);
        source.received = source.received.wrapping_add(1);
        let d = transit.wrapping_sub(source.transit) as i32;
        source.transit = transit;
        // Appendix A.8. A leap of over a second is a pause, not jitter.
        if d.unsigned_abs() < self.clock {
            source.jitter = source.jitter + d.unsigned_abs() - ((source.jitter + 8) >> 4);
        }
    }

    /// Every RTP packet that went out on this leg.
    pub fn sent(&mut self, now: Mono, ts: u32, payload_bytes: usize) {
        self.sent_packets = self.sent_packets.wrapping_add(1);
        self.sent_octets = self.sent_octets.wrapping_add(payload_bytes as u32);
        self.sent_total += 1;
        self.last_sent = Some((now, ts));
    }

    /// An RTCP datagram came in.
    pub fn handle(&mut self, now: Mono, bytes: &[u8]) -> Result<(), RtcpError> {
        self.weigh(bytes.len());
        let now_ntp = self.ntp(now);
        let (ours, source, far) = (self.ssrc, &mut self.source, &mut self.far);
        let mut reported = |blocks: Blocks| {
            for block in blocks.iter().filter(|block| block.ssrc == ours) {
                far.far_fraction_lost = block.fraction_lost;
                far.far_jitter = block.jitter;
                far.rtt_us = round_trip_us(now_ntp, block).or(far.rtt_us);
            }
        };
        let mut bye = None;
        parse(bytes, |part| match part {
            Rtcp::Sender { ssrc, info, blocks } => {
                if let Some(source) = source.as_mut().filter(|source| source.ssrc == ssrc) {
                    source.last_sr = (info.ntp >> 16) as u32;
                    source.last_sr_at = now;
                }
                reported(blocks);
            }
            Rtcp::Receiver { blocks, .. } => reported(blocks),
            Rtcp::Bye { ssrc } => bye = Some(ssrc),
            Rtcp::Name { .. } | Rtcp::Other { .. } => {}
        })?;
        if bye.is_some() && bye == self.source.map(|source| source.ssrc) {
            self.far.far_said_bye = true;
        }
        Ok(())
    }

    /// The far end's report, where another reader took it.
    pub fn far_says(&mut self, fraction_lost: u8, rtt_us: Option<u32>) {
        self.far.far_fraction_lost = fraction_lost;
        self.far.rtt_us = rtt_us.or(self.far.rtt_us);
    }

    /// Writes a compound packet into `out` (cleared first) if one is due; call on every tick.
    pub fn poll(&mut self, now: Mono, out: &mut Vec<u8>) -> bool {
        if now < self.next {
            return false;
        }
        out.clear();
        self.report(now, out);
        self.weigh(out.len());
        self.next = now.plus_us(self.interval_us());
        true
    }

    /// The last word of a leg: report, name and BYE (section 6.6).
    pub fn bye(&mut self, now: Mono, out: &mut Vec<u8>) {
        out.clear();
        self.report(now, out);
        write_bye(out, self.ssrc);
    }

    pub fn stats(&self) -> RtcpStats {
        let mut stats = RtcpStats { sent: self.sent_total, ..self.far };
        if let Some(source) = &self.source {
            stats.received = source.received.into();
            stats.lost = source.expected().saturating_sub(source.received).into();
            let ticks = u64::from(source.jitter >> 4);
            stats.jitter_us = (ticks * 1_000_000 / u64::from(self.clock)) as u32;
        }
        stats
    }

    fn report(&mut self, now: Mono, out: &mut Vec<u8>) {
        let mut blocks = Blocks::new();
        blocks.extend(self.source.as_mut().map(|source| source.block(now)));
        // Who sent nothing for two intervals is no sender (section 6.4).
        let recent = |at: Mono| now.since(at) < 2 * LEAST_INTERVAL_US;
        let info = self.last_sent.filter(|(at, _)| recent(*at)).map(|(at, ts)| SenderInfo {
            ntp: self.ntp(now),
            rtp_ts: ts.wrapping_add(
                (u128::from(now.since(at)) * u128::from(self.clock) / 1_000_000) as u32,
            ),
            packets: self.sent_packets,
            octets: self.sent_octets,
        });
        write_report(out, self.ssrc, info, &blocks);
        write_name(out, self.ssrc, &self.name);
    }

    /// Monotonic time in NTP's form: section 6.4.1 allows a clock that is no wall clock.
    fn ntp(&self, now: Mono) -> u64 {
        let fixed = (u128::from(now.0) << 32) / 1_000_000;
        (fixed as u64).wrapping_add(self.epoch_ntp)
    }

    fn weigh(&mut self, bytes: usize) {
        self.mean_bytes = (bytes as u64 + UNDER_BYTES + 15 * self.mean_bytes) / 16;
    }

    /// Section 6.3.1 for two members. Reconsideration is for groups that grow, and is left out.
    fn interval_us(&mut self) -> u64 {
        let fair = 2 * self.mean_bytes * 1_000_000 / RTCP_BYTES_PER_S;
        let random = u128::from(self.draw() as u32);
        let spread = (u128::from(fair.max(LEAST_INTERVAL_US)) * ((1 << 31) + random)) >> 32;
        // Over e - 3/2, which makes up for the reconsideration of others.
        (spread * 100_000 / 121_828) as u64
    }

    /// splitmix64.
    fn draw(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.random;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }
}

impl Incoming {
    fn expected(&self) -> u32 {
        self.highest.wrapping_sub(self.base).wrapping_add(1)
    }

    /// Appendix A.3.
    fn block(&mut self, now: Mono) -> ReportBlock {
        let expected = self.expected();
        let lost = i64::from(expected) - i64::from(self.received);
        let expected_now = expected.wrapping_sub(self.expected_before);
        let received_now = self.received.wrapping_sub(self.received_before);
        (self.expected_before, self.received_before) = (expected, self.received);
        let lost_now = i64::from(expected_now) - i64::from(received_now);
        let fraction = match lost_now {
            n if n <= 0 || expected_now == 0 => 0,
            n => ((n << 8) / i64::from(expected_now)).min(255),
        };
        let delay = match self.last_sr {
            0 => 0,
            _ => (u128::from(now.since(self.last_sr_at)) * 65_536 / 1_000_000) as u32,
        };
        ReportBlock {
            ssrc: self.ssrc,
            fraction_lost: fraction as u8,
            lost: lost.clamp(-0x80_0000, 0x7f_ffff) as i32,
            highest_seq: self.highest,
            jitter: self.jitter >> 4,
            last_sr: self.last_sr,
            delay_since_last_sr: delay,
        }
    }
}

/// None: the far end has had no report of ours yet, or its figures cannot be.
fn round_trip_us(now_ntp: u64, block: &ReportBlock) -> Option<u32> {
    let spent = ((now_ntp >> 16) as u32)
        .wrapping_sub(block.last_sr)
        .wrapping_sub(block.delay_since_last_sr);
    let known = block.last_sr != 0 && spent < 60 * 65_536;
    known.then(|| (u64::from(spent) * 1_000_000 / 65_536) as u32)
}
