//! The resampler by its figures: flatness, aliases, delay, length.

use undertone_media::resample::Resampler;
use undertone_media::tones::Sine;
use undertone_testkit::spectrum::{clicks, goertzel, level};

const PAIRS: [(u32, u32); 6] = [
    (8_000, 16_000),
    (8_000, 48_000),
    (16_000, 48_000),
    (16_000, 8_000),
    (48_000, 8_000),
    (48_000, 16_000),
];

fn through(from: u32, to: u32, hz: f64) -> Vec<i16> {
    let mut pcm = vec![0; from as usize];
    Sine::new(from, hz, -10.0).fill(&mut pcm);
    let mut out = Vec::new();
    Resampler::new(from, to).process(&pcm, &mut out);
    // The filter's own beginning is not judged.
    out.split_off(to as usize / 10)
}

#[test]
fn the_passband_is_flat_and_nothing_is_added() {
    for (from, to) in PAIRS {
        let low = f64::from(from.min(to));
        let mut ripple = 0.0f64;
        let mut added = -120.0f64;
        for part in [0.01, 0.05, 0.1, 0.2, 0.3, 0.35, 0.4, 0.42] {
            let hz = (low * part).round() + 3.0;
            let mut out = through(from, to, hz);
            ripple = ripple.max((goertzel(&out, to, hz) + 10.0).abs());
            // What is left without the tone: images, aliases, rounding.
            let at = goertzel(&out, to, hz);
            let whole = level(&out);
            if hz > 200.0 {
                out.truncate(to as usize / 2);
                added = added.max(undertone_testkit::spectrum::worst(&out, to, &[hz]).dbfs);
                assert!(clicks(&out, to, &[hz]).is_empty(), "{from} to {to}, {hz} Hz");
            }
            assert!((whole - at).abs() < 0.1, "{from} to {to}, {hz} Hz: {whole} of {at}");
        }
        println!("{from} to {to}: ripple {ripple:.2} dB to 0.42 of the rate, adds {added:.0} dBFS");
        assert!(ripple < 0.6, "{from} to {to}: {ripple}");
        assert!(added < -60.0, "{from} to {to}: {added}");
    }
}

#[test]
fn what_would_alias_is_rejected() {
    for (from, to) in [(16_000, 8_000), (48_000, 8_000), (48_000, 16_000)] {
        let mut worst = -120.0f64;
        for part in [0.58, 0.6, 0.65, 0.75, 0.9, 0.97] {
            let hz = f64::from(to) * part;
            worst = worst.max(level(&through(from, to, hz)) + 10.0);
        }
        println!("{from} to {to}: {worst:.0} dB from 0.58 of the rate on");
        assert!(worst < -55.0, "{from} to {to}: {worst}");
    }
}

#[test]
fn length_is_exact_over_any_run_and_cuts_do_not_matter() {
    for (from, to) in PAIRS {
        let mut pcm = vec![0; from as usize * 2];
        Sine::new(from, 440.0, -10.0).fill(&mut pcm);
        let (mut whole, mut parts) = (Vec::new(), Vec::new());
        Resampler::new(from, to).process(&pcm, &mut whole);
        assert_eq!(whole.len(), to as usize * 2);
        let mut resampler = Resampler::new(from, to);
        let mut at = 0;
        for n in (0..).map(|i| [160, 1, 0, 7, 333][i % 5]) {
            let end = (at + n).min(pcm.len());
            resampler.process(&pcm[at..end], &mut parts);
            at = end;
            if at == pcm.len() {
                break;
            }
        }
        assert!(whole == parts, "{from} to {to}");
    }
    let mut resampler = Resampler::new(48_000, 8_000);
    let (frame, mut out, mut total) = (vec![0; 960], Vec::new(), 0usize);
    for _ in 0..90_000 {
        out.clear();
        resampler.process(&frame, &mut out);
        total += out.len();
    }
    assert_eq!(total, 90_000 * 160, "thirty minutes");
}

#[test]
fn the_delay_is_what_it_says_and_a_reset_leaves_no_trace() {
    for (from, to) in PAIRS {
        let mut resampler = Resampler::new(from, to);
        let mut pcm = vec![0i16; from as usize / 50];
        pcm[0] = 20_000;
        let mut out = Vec::new();
        resampler.process(&pcm, &mut out);
        let peak = (0..out.len()).max_by_key(|i| out[*i]).unwrap();
        assert_eq!(peak, resampler.delay(), "{from} to {to}");
        assert!(resampler.delay() * 1_000 <= 2 * to as usize, "over 2 ms");
        pcm.fill(20_000);
        resampler.process(&pcm, &mut out);
        resampler.reset();
        out.clear();
        resampler.process(&vec![0; from as usize / 50], &mut out);
        assert!(out.iter().all(|s| *s == 0), "{from} to {to}");
    }
}
