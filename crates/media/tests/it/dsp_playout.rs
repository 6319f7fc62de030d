//! One source through jitter, decoder and time-scaling, judged by ear: clicks, length, depth.

use undertone_core::time::Mono;
use undertone_media::codec::Encoder;
use undertone_media::playout::Playout;
use undertone_media::tones::Sine;
use undertone_sdp::{Codec, OpusParams};
use undertone_testkit::spectrum::{clicks, goertzel, worst};

const HZ: f64 = 443.0;
/// G.711 itself adds noise 35 dB below a tone: at -10 it would be as loud as a click.
const DBFS: f64 = -16.0;
const TICK_US: u64 = 20_000;

/// A sender of a tone whose clock may be off, and the packets that it has sent.
struct Source {
    codec: Codec,
    encoder: Encoder,
    tone: Sine,
    packet_ms: u64,
    /// Parts per million that its clock runs fast.
    ppm: i64,
    sent: u64,
    seq: u16,
    ts: u32,
    pcm: Vec<i16>,
}

impl Source {
    fn new(codec: Codec, packet_ms: u64, ppm: i64) -> Self {
        let rate = codec.sample_rate();
        Self {
            codec,
            encoder: Encoder::new(codec, &OpusParams::default()).unwrap(),
            tone: Sine::new(rate, HZ, DBFS),
            packet_ms,
            ppm,
            sent: 0,
            // Both wrap early on.
            seq: 65_500,
            ts: u32::MAX - 4_000,
            pcm: vec![0; (rate as u64 * packet_ms / 1000) as usize],
        }
    }

    /// When the next packet leaves. Its clock measures packets; ours sees them `ppm` closer.
    fn due(&self) -> u64 {
        let own = (self.sent + 1) * self.packet_ms * 1_000;
        7_000 + (own as i64 - own as i64 * self.ppm / 1_000_000) as u64
    }

    fn next(&mut self, payload: &mut Vec<u8>) -> (u16, u32) {
        self.tone.fill(&mut self.pcm);
        payload.clear();
        self.encoder.encode(&self.pcm, payload).unwrap();
        let named = (self.seq, self.ts);
        self.sent += 1;
        self.seq = self.seq.wrapping_add(1);
        let ticks = self.codec.rtp_clock() as u64 * self.packet_ms / 1000;
        self.ts = self.ts.wrapping_add(ticks as u32);
        named
    }
}

/// Runs `ticks` of 20 ms; `delay(packet, sent at)` gives a packet's way in µs, None loses it.
/// Calls `heard` with each frame.
fn run(
    source: &mut Source,
    ticks: u64,
    mut delay: impl FnMut(u64, u64) -> Option<u64>,
    mut heard: impl FnMut(u64, &[i16], &Playout, usize),
) {
    let mut playout = Playout::new(source.codec).unwrap();
    let mut under_way: Vec<(u64, u16, u32, Vec<u8>)> = Vec::new();
    let (mut payload, mut frame) = (Vec::new(), Vec::new());
    for tick in 1..=ticks {
        let now = tick * TICK_US;
        while source.due() <= now {
            let (sent_at, index) = (source.due(), source.sent);
            let (seq, ts) = source.next(&mut payload);
            if let Some(way) = delay(index, sent_at) {
                under_way.push((sent_at + way, seq, ts, payload.clone()));
            }
        }
        under_way.sort_by_key(|packet| packet.0);
        let here = under_way.partition_point(|packet| packet.0 <= now);
        for (at, seq, ts, payload) in under_way.drain(..here) {
            playout.insert(Mono(at), seq, ts, 0, &payload);
        }
        let info = playout.frame(Mono(now), &mut frame);
        assert_eq!(frame.len(), source.codec.sample_rate() as usize / 50);
        heard(tick, &frame, &playout, info.concealed);
    }
}

fn drift(codec: Codec, packet_ms: u64, ppm: i64, minutes: u64) {
    let mut source = Source::new(codec, packet_ms, ppm);
    let rate = codec.sample_rate();
    let (mut tail, mut found, mut concealed) = (Vec::<i16>::new(), 0, 0);
    let (mut deepest, mut loudest) = (0, -120.0f64);
    run(
        &mut source,
        minutes * 60 * 50,
        |_, _| Some(0),
        |tick, frame, playout, made_up| {
            // The first frames begin out of silence, which is no fault.
            if tick < 50 {
                return;
            }
            concealed += made_up;
            deepest = deepest.max(playout.jitter.depth_ms());
            // Windows overlap across frames: 10 ms of the last are judged again.
            tail.extend_from_slice(frame);
            let window = worst(&tail, rate, &[HZ]);
            loudest = loudest.max(window.dbfs);
            found += clicks(&tail, rate, &[HZ]).len();
            tail.drain(..tail.len() - rate as usize / 100);
        },
    );
    println!(
        "{codec:?} {packet_ms} ms packets, {ppm} ppm, {minutes} min: {found} clicks, loudest \
         window {loudest:.1} dBFS besides the tone, {concealed} samples concealed, depth at most \
         {deepest} ms"
    );
    assert_eq!((found, concealed), (0, 0));
    assert!(u64::from(deepest) <= packet_ms + 25, "{deepest}");
}

#[test]
fn a_fast_clock_never_clicks_in_thirty_minutes() {
    drift(Codec::Pcmu, 20, 200, 30);
}

#[test]
fn a_slow_clock_never_clicks_in_thirty_minutes() {
    drift(Codec::Pcmu, 20, -200, 30);
}

#[test]
fn other_codecs_and_lengths_drift_without_a_click() {
    for ppm in [200, -200] {
        drift(Codec::Pcma, 30, ppm, 5);
        drift(Codec::Pcma, 60, ppm, 5);
        drift(Codec::Pcmu, 10, ppm, 5);
        drift(Codec::G722, 20, ppm, 5);
        drift(Codec::Opus, 20, ppm, 2);
    }
}

#[test]
fn after_a_stall_of_500_ms_depth_is_what_it_was_within_5_s() {
    for (codec, packet_ms) in [
        (Codec::Pcmu, 20),
        (Codec::Pcmu, 40),
        (Codec::Pcmu, 10),
        (Codec::G722, 20),
        (Codec::Opus, 20),
    ] {
        let mut source = Source::new(codec, packet_ms, 0);
        let stall = 5_000_000..5_500_000u64;
        let (mut before, mut most, mut after) = (0, 0, u32::MAX);
        run(
            &mut source,
            11 * 50,
            |_, at| Some(if stall.contains(&at) { stall.end - at } else { 0 }),
            |tick, _, playout, _| match tick * TICK_US {
                t if t <= stall.start => before = playout.jitter.depth_ms(),
                t if t >= stall.end + 5_000_000 => after = playout.jitter.depth_ms(),
                _ => most = most.max(playout.jitter.depth_ms()),
            },
        );
        println!(
            "{codec:?} {packet_ms} ms: depth {before} ms, {most} at most, {after} ms 5 s after"
        );
        assert!(u64::from(after.abs_diff(before)) <= packet_ms, "{before}, then {after}");
        assert!(most >= 300, "the stall was felt: {most}");
    }
}

#[test]
fn jitter_is_grown_into_within_a_packet_and_shrunk_out_of() {
    let mut source = Source::new(Codec::Pcmu, 20, 0);
    // From 4 s to 12 s every third packet takes 60 ms longer.
    let noisy = 4_000_000..12_000_000u64;
    let (mut calm, mut loud, mut late, mut after) = (0, 0, 0, 0);
    run(
        &mut source,
        20 * 50,
        |n, at| Some(if noisy.contains(&at) && n % 3 == 0 { 60_000 } else { 0 }),
        |tick, _, playout, made_up| match tick * TICK_US {
            t if t < noisy.start => calm = playout.jitter.depth_ms(),
            t if t > 6_000_000 && t < noisy.end => {
                loud = loud.max(playout.jitter.depth_ms());
                late += made_up;
            }
            t if t > 19_000_000 => after = playout.jitter.depth_ms(),
            _ => {}
        },
    );
    println!("depth {calm} ms calm, {loud} ms under 60 ms of jitter, {after} ms after");
    assert_eq!(late, 0, "samples made up once the target had grown");
    assert!((60..=60 + 22 + 13).contains(&loud), "{loud}");
    assert!(after <= calm + 20, "{after}");
}

#[test]
fn the_tone_keeps_its_pitch_and_level_through_it_all() {
    for codec in Codec::ALL {
        let mut source = Source::new(codec, 20, 200);
        let mut all = Vec::new();
        run(&mut source, 500, |_, _| Some(0), |_, frame, _, _| all.extend_from_slice(frame));
        let rate = codec.sample_rate();
        let second = &all[rate as usize * 3..rate as usize * 4];
        let level = goertzel(second, rate, HZ);
        assert!((level - DBFS).abs() < 1.0, "{codec:?}: {level}");
        assert!(goertzel(second, rate, HZ * 2.0) < -50.0, "{codec:?}");
    }
}

#[test]
fn losses_are_made_up_and_the_clock_stays_in_step() {
    for codec in Codec::ALL {
        let mut source = Source::new(codec, 20, 0);
        let mut made_up = 0;
        let mut depth = 0;
        run(
            &mut source,
            1_000,
            |n, _| (n % 10 != 3).then_some(0),
            |_, _, playout, concealed| {
                made_up += concealed;
                depth = playout.jitter.depth_ms();
            },
        );
        let share = made_up as f64 / (1_000.0 * codec.sample_rate() as f64 / 50.0);
        println!("{codec:?}: {:.1} % made up of 10 % lost, depth {depth} ms", share * 100.0);
        assert!((0.09..0.13).contains(&share), "{codec:?}: {share}");
        assert!(depth <= 45, "{codec:?}: {depth}");
    }
}

#[test]
fn a_frame_names_the_oldest_of_what_is_in_it() {
    let mut source = Source::new(Codec::Pcmu, 20, 0);
    let first = source.ts;
    let mut playout = Playout::new(Codec::Pcmu).unwrap();
    let (mut payload, mut frame) = (Vec::new(), Vec::new());
    assert_eq!(playout.frame(Mono(0), &mut frame).oldest_ts, None);
    for n in 0..10u64 {
        let (seq, ts) = source.next(&mut payload);
        playout.insert(Mono(n * TICK_US), seq, ts, 0, &payload);
        let info = playout.frame(Mono(n * TICK_US + 5_000), &mut frame);
        assert_eq!(info.oldest_ts, Some(first.wrapping_add(n as u32 * 160)));
        assert_eq!(info.end_ts, Some(first.wrapping_add(n as u32 * 160 + 160)));
    }
    // Nothing comes: what is made up leans on what was said before.
    let info = playout.frame(Mono(10 * TICK_US + 5_000), &mut frame);
    assert!(info.concealed == 160 && info.oldest_ts < Some(first.wrapping_add(1_600)));
    playout.reset_audio();
    let info = playout.frame(Mono(11 * TICK_US + 5_000), &mut frame);
    assert_eq!((info.oldest_ts, frame.iter().all(|s| *s == 0)), (None, true));
}

#[test]
fn reset_audio_leaves_no_trace_in_what_is_made_up_later() {
    for codec in [Codec::Pcmu, Codec::G722] {
        let (mut used, mut fresh) = (Playout::new(codec).unwrap(), Playout::new(codec).unwrap());
        let mut encoder = Encoder::new(codec, &OpusParams::default()).unwrap();
        let mut noise = undertone_media::noise::ComfortNoise::new(5);
        let mut pcm = vec![0; codec.sample_rate() as usize / 50];
        let (mut payload, mut a, mut b) = (Vec::new(), Vec::new(), Vec::new());
        for n in 0..40u16 {
            if n == 20 {
                used.jitter.restart(codec.rtp_clock());
                used.reset_audio();
            }
            noise.fill(20, &mut pcm);
            payload.clear();
            encoder.encode(&pcm, &mut payload).unwrap();
            let at = Mono(u64::from(n) * TICK_US);
            // From the second on, every other packet is lost.
            let playouts = [(&mut used, &mut a, true), (&mut fresh, &mut b, n >= 20)];
            for (playout, out, feeds) in playouts {
                if feeds && (n <= 20 || n % 2 == 0) {
                    playout.insert(at, n, u32::from(n) * 160, 0, &payload);
                }
                playout.frame(at.plus_ms(5), out);
            }
            assert!(n < 20 || a == b, "{codec:?}: frame {n}");
        }
    }
}
