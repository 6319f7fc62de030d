//! The jitter buffer by itself: order, loss, wraps, restarts, limits.

use proptest::prelude::*;
use undertone_core::time::Mono;
use undertone_media::jitter::{Advice, Inserted, JitterBuffer, JitterConfig, Pull};

fn buffer() -> JitterBuffer {
    JitterBuffer::new(JitterConfig::new(8_000))
}

fn put(buffer: &mut JitterBuffer, ms: u64, seq: u16, ts: u32) -> Inserted {
    buffer.insert(Mono::from_ms(ms), seq, ts, 0, &seq.to_be_bytes())
}

#[derive(Debug, PartialEq)]
enum Got {
    Packet(u16),
    Lost(u32, bool),
    Wait,
}

fn get(buffer: &mut JitterBuffer, ms: u64) -> Got {
    match buffer.pull(Mono::from_ms(ms)) {
        Pull::Packet(held) => {
            assert_eq!(held.payload, held.seq.to_be_bytes());
            Got::Packet(held.seq)
        }
        Pull::Lost { ticks, next, .. } => Got::Lost(ticks, next.is_some()),
        Pull::Wait => Got::Wait,
    }
}

#[test]
fn reordered_and_doubled_packets_come_out_in_order_once_across_both_wraps() {
    let mut b = buffer();
    let ts = |n: u32| (u32::MAX - 200).wrapping_add(n * 160);
    assert_eq!(put(&mut b, 0, 65_534, ts(0)), Inserted::Kept);
    assert_eq!(put(&mut b, 22, 0, ts(2)), Inserted::Kept);
    assert_eq!(put(&mut b, 23, 65_535, ts(1)), Inserted::Kept);
    assert_eq!(put(&mut b, 24, 0, ts(2)), Inserted::Duplicate);
    assert_eq!(put(&mut b, 60, 1, ts(3)), Inserted::Kept);
    for (n, seq) in [65_534, 65_535, 0, 1].into_iter().enumerate() {
        assert_eq!(get(&mut b, 30 + n as u64 * 20), Got::Packet(seq));
    }
    assert_eq!(put(&mut b, 91, 0, ts(2)), Inserted::Late);
    assert_eq!(get(&mut b, 110), Got::Wait);
    let stats = b.stats();
    assert_eq!((stats.kept, stats.duplicate, stats.late, stats.lost), (4, 1, 1, 0));
}

#[test]
fn a_lost_packet_is_told_once_with_its_length_and_the_packet_that_follows() {
    let mut b = buffer();
    for (n, seq) in [0u16, 1, 4, 5].into_iter().enumerate() {
        put(&mut b, n as u64, seq, u32::from(seq) * 240);
    }
    let want = [
        Got::Packet(0),
        Got::Packet(1),
        Got::Lost(240, false),
        Got::Lost(240, true),
        Got::Packet(4),
        Got::Packet(5),
        Got::Wait,
    ];
    for (n, want) in want.into_iter().enumerate() {
        assert_eq!(get(&mut b, 100 + n as u64 * 30), want, "{n}");
    }
    assert_eq!(b.stats().lost, 2);
}

#[test]
fn an_event_in_the_sequence_is_no_loss() {
    let mut b = buffer();
    put(&mut b, 0, 10, 0);
    for seq in 11..=15 {
        b.insert_other(Mono::from_ms(u64::from(seq - 10) * 20), seq);
    }
    put(&mut b, 120, 16, 960);
    assert_eq!(get(&mut b, 5), Got::Packet(10));
    assert_eq!(get(&mut b, 105), Got::Wait);
    assert_eq!(get(&mut b, 125), Got::Packet(16));
    assert_eq!(b.stats().lost, 0);
}

#[test]
fn a_new_beginning_drops_what_was_before_and_plays_at_once() {
    // By sequence, by timestamp backward, and by a clock that leaps ahead.
    for (seq, ts) in [(30_000u16, 160 * 50u32), (50, 5_000_000_u32.wrapping_neg()), (50, 80_000)] {
        let mut b = buffer();
        for n in 0..50u16 {
            put(&mut b, u64::from(n) * 20, n, u32::from(n) * 160);
            get(&mut b, u64::from(n) * 20 + 10);
        }
        assert_eq!(put(&mut b, 1_000, seq, ts), Inserted::Restarted, "{seq} {ts}");
        assert_eq!(get(&mut b, 1_010), Got::Packet(seq));
        assert_eq!(b.stats().restarts, 1);
    }
}

#[test]
fn a_pause_of_the_sender_is_waited_for_and_no_loss() {
    let mut b = buffer();
    put(&mut b, 0, 0, 0);
    assert_eq!(get(&mut b, 10), Got::Packet(0));
    // Silence suppression: the next in sequence is a second later, in both clocks.
    assert_eq!(get(&mut b, 500), Got::Wait);
    put(&mut b, 1_000, 1, 8_000);
    assert_eq!(get(&mut b, 1_010), Got::Packet(1));
    assert_eq!(b.stats().lost, 0);
}

#[test]
fn an_outage_is_not_made_up_twice() {
    let mut b = buffer();
    for n in 0..100u16 {
        if !(20..60).contains(&n) {
            put(&mut b, u64::from(n) * 20, n, u32::from(n) * 160);
        }
        let got = get(&mut b, u64::from(n) * 20 + 10);
        let want = if (20..60).contains(&n) { Got::Wait } else { Got::Packet(n) };
        assert_eq!(got, want, "{n}");
    }
    assert_eq!((b.stats().lost, b.stats().underruns), (40, 1));
}

#[test]
fn target_is_the_95th_percentile_of_relative_transit_over_two_seconds() {
    let mut b = buffer();
    let insert = |b: &mut JitterBuffer, n: u64, late: u64| {
        put(b, n * 20 + late, n as u16, n as u32 * 160);
    };
    for n in 0..100 {
        insert(&mut b, n, if n % 10 == 9 { 15 } else { 0 });
    }
    assert_eq!(b.target_ms(), 15, "one in ten is above the percentile");
    for n in 100..200 {
        insert(&mut b, n, if n % 25 == 24 { 15 } else { 0 });
    }
    assert_eq!(b.target_ms(), 2, "one in 25 is not");
}

#[test]
fn nobody_pulling_holds_no_more_than_a_second() {
    let mut b = buffer();
    for n in 0..5_000u32 {
        put(&mut b, u64::from(n) * 20, n as u16, n * 160);
    }
    assert!(b.len() <= 52, "{}", b.len());
    let mut last = None;
    while let Some(held) = b.drain() {
        assert!(last.is_none_or(|seq: u16| held.seq == seq.wrapping_add(1)));
        last = Some(held.seq);
    }
    assert_eq!(last, Some(4_999));
    assert_eq!(b.insert(Mono(0), 1, 1, 0, &[0; 1_501]), Inserted::Refused);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]
    #[test]
    fn any_packets_at_any_time_leave_in_order_and_within_limits(
        steps in proptest::collection::vec(
            (0u64..200_000, any::<u16>(), any::<u32>(), 0u8..10), 1..300
        )
    ) {
        let mut b = buffer();
        let (mut now, mut seq, mut ts, mut last) = (0u64, 0u16, 0u32, None::<u16>);
        for (us, random_seq, random_ts, what) in steps {
            now += us;
            let restarts = b.stats().restarts;
            match what {
                0 => { b.insert(Mono(now), random_seq, random_ts, 0, &[1]); }
                1 => { b.insert(Mono(now), seq.wrapping_sub(random_seq % 5), ts, 0, &[1]); }
                2 => b.insert_other(Mono(now), seq.wrapping_add(random_seq % 5)),
                _ => {
                    seq = seq.wrapping_add(1 + random_seq % 2);
                    ts = ts.wrapping_add(160);
                    b.insert(Mono(now), seq, ts, 0, &[1]);
                }
            }
            if b.stats().restarts != restarts {
                last = None;
            }
            prop_assert!(b.len() <= 256);
            let _: Advice = b.advice();
            if let Pull::Packet(held) = b.pull(Mono(now)) {
                let seq = held.seq;
                prop_assert!(last.is_none_or(|l| seq.wrapping_sub(l) as i16 > 0), "{last:?} {seq}");
                last = Some(seq);
            }
            prop_assert!(b.target_ms() <= 1_000);
        }
    }
}
