//! Concealment against repeating the last frame, on the demo's own speech.

use undertone_media::codec::g711::ULAW_TO_LINEAR;
use undertone_media::conceal::Concealer;
use undertone_testkit::spectrum::log_spectral_distance;

const FRAME: usize = 160;
const VOICES: [&str; 4] = ["ana-body-0", "ana-body-2", "bo-body-0", "bo-body-2"];
const SEEDS: u64 = 6;

/// The samples of a µ-law WAV file: what is in its `data` chunk.
fn speech(name: &str) -> Vec<i16> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../assets/speech/rendered/");
    let bytes = std::fs::read(format!("{folder}{name}.wav")).unwrap();
    let at = bytes.windows(4).position(|tag| tag == b"data").unwrap() + 8;
    let whole = (bytes.len() - at) / FRAME * FRAME;
    bytes[at..at + whole].iter().map(|b| ULAW_TO_LINEAR[usize::from(*b)]).collect()
}

/// Which frames are lost: `percent` of them, by a seed.
fn losses(frames: usize, percent: u64, seed: u64) -> Vec<bool> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut draw = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    (0..frames).map(|_| draw() % 100 < percent).collect()
}

fn concealed(pcm: &[i16], lost: &[bool]) -> Vec<i16> {
    let mut concealer = Concealer::new(8_000);
    let mut out = pcm.to_vec();
    for (frame, lost) in out.chunks_mut(FRAME).zip(lost) {
        if *lost { concealer.lost(frame) } else { concealer.good(frame) }
    }
    out
}

fn repeated(pcm: &[i16], lost: &[bool]) -> Vec<i16> {
    let mut out = pcm.to_vec();
    for (index, lost) in lost.iter().enumerate() {
        if *lost && index > 0 {
            out.copy_within((index - 1) * FRAME..index * FRAME, index * FRAME);
        }
    }
    out
}

#[test]
fn concealment_beats_repeating_the_last_frame_at_5_10_and_20_percent() {
    let voices = VOICES.map(speech);
    for percent in [5, 10, 20] {
        let (mut ours, mut theirs) = (0.0, 0.0);
        for (seed, pcm) in (0..SEEDS).flat_map(|seed| voices.iter().map(move |v| (seed, v))) {
            let lost = losses(pcm.len() / FRAME, percent, seed + 11);
            ours += log_spectral_distance(pcm, &concealed(pcm, &lost), 8_000);
            theirs += log_spectral_distance(pcm, &repeated(pcm, &lost), 8_000);
        }
        let runs = SEEDS as f64 * VOICES.len() as f64;
        let (ours, theirs) = (ours / runs, theirs / runs);
        println!("{percent} % lost: {ours:.2} dB concealed, {theirs:.2} dB repeated");
        assert!(ours < 0.95 * theirs, "{percent} %: {ours} against {theirs}");
    }
}

#[test]
fn a_loss_that_begins_or_ends_makes_no_step() {
    // A step is more than twice the largest that the speech itself makes.
    let pcm = speech("bo-body-0");
    let largest = |pcm: &[i16]| {
        pcm.windows(2).map(|w| (i32::from(w[1]) - i32::from(w[0])).abs()).max().unwrap()
    };
    let lost = losses(pcm.len() / FRAME, 20, 5);
    let (with, without) = (largest(&concealed(&pcm, &lost)), largest(&pcm));
    assert!(with < 2 * without, "{with} against {without}");
}
