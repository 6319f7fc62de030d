//! Every codec, and every pair of them, at the right pitch and length.

use proptest::prelude::*;
use undertone_media::codec::{Decoder, Encoder, g711, rtp_ticks, samples};
use undertone_media::resample::Resampler;
use undertone_media::tones::Sine;
use undertone_sdp::{Codec, OpusParams};
use undertone_testkit::spectrum::goertzel_hann;

const HZ: f64 = 700.0;

fn encoder(codec: Codec) -> Encoder {
    Encoder::new(codec, &OpusParams::default()).unwrap()
}

#[test]
fn g711_gives_each_code_back_and_is_never_off_by_more_than_half_a_step() {
    for code in 0..=255u8 {
        let (mu, a) =
            (g711::ULAW_TO_LINEAR[usize::from(code)], g711::ALAW_TO_LINEAR[usize::from(code)]);
        // µ-law has two zeros; 0x7f is the negative one.
        assert!(g711::linear_to_ulaw(mu) == code || code == 0x7f, "{code:#x}");
        assert_eq!(g711::linear_to_alaw(a), code);
    }
    for sample in i16::MIN..=i16::MAX {
        let wide = i32::from(sample);
        let mu = i32::from(g711::ULAW_TO_LINEAR[usize::from(g711::linear_to_ulaw(sample))]);
        let a = i32::from(g711::ALAW_TO_LINEAR[usize::from(g711::linear_to_alaw(sample))]);
        let half_step = |least: i32| (wide.abs() / 32 + least).min(1_100);
        assert!((mu - wide).abs() <= half_step(8), "µ {sample}: {mu}");
        assert!((a - wide).abs() <= half_step(16), "A {sample}: {a}");
    }
}

#[test]
fn g711_agrees_with_the_values_of_the_recommendation() {
    // ITU-T G.711 tables 1 and 2, scaled to 16 bits: the ends, the first steps, and silence.
    let ulaw = [(0x80, 32_124), (0x00, -32_124), (0xff, 0), (0xfe, 8), (0xef, 132), (0x8f, 16_764)];
    let alaw = [(0xaa, 32_256), (0x2a, -32_256), (0xd5, 8), (0x55, -8), (0xd4, 24), (0xc5, 264)];
    for (code, value) in ulaw {
        assert_eq!(g711::ULAW_TO_LINEAR[code], value, "{code:#x}");
    }
    for (code, value) in alaw {
        assert_eq!(g711::ALAW_TO_LINEAR[code], value, "{code:#x}");
    }
    assert_eq!(g711::linear_to_ulaw(0), g711::ULAW_SILENCE);
    assert_eq!(g711::linear_to_alaw(0), g711::ALAW_SILENCE);
}

#[test]
fn every_pair_of_codecs_keeps_pitch_level_and_length() {
    for from in Codec::ALL {
        for to in Codec::ALL {
            let heard = transcode(from, to, 100);
            let rate = to.sample_rate();
            assert_eq!(heard.len(), rate as usize * 2, "{from:?} to {to:?}: 2 s stay 2 s");
            let second = &heard[rate as usize / 2..rate as usize * 3 / 2];
            let level = goertzel_hann(second, rate, HZ);
            let octave = goertzel_hann(second, rate, HZ * 2.0);
            println!("{from:?} to {to:?}: {level:.1} dBFS, octave {octave:.0}");
            assert!((level + 12.0).abs() < 1.0, "{from:?} to {to:?}: {level}");
            assert!(octave < -45.0, "{from:?} to {to:?}: {octave}");
        }
    }
}

/// A tone sent in one codec, decoded, resampled, sent in the other, and decoded.
fn transcode(from: Codec, to: Codec, frames: usize) -> Vec<i16> {
    let (mut send, mut relay_in) = (encoder(from), Decoder::new(from).unwrap());
    let (mut relay_out, mut receive) = (encoder(to), Decoder::new(to).unwrap());
    let mut resampler = Resampler::new(from.sample_rate(), to.sample_rate());
    let mut tone = Sine::new(from.sample_rate(), HZ, -12.0);
    let mut pcm = vec![0; from.sample_rate() as usize / 50];
    let mut heard = Vec::new();
    for _ in 0..frames {
        tone.fill(&mut pcm);
        let (mut payload, mut decoded, mut mixed) = (Vec::new(), Vec::new(), Vec::new());
        send.encode(&pcm, &mut payload).unwrap();
        assert_eq!(rtp_ticks(from, &payload), Some(from.rtp_clock() / 50));
        relay_in.decode(&payload, &mut decoded).unwrap();
        resampler.process(&decoded, &mut mixed);
        payload.clear();
        relay_out.encode(&mixed, &mut payload).unwrap();
        receive.decode(&payload, &mut heard).unwrap();
    }
    heard
}

#[test]
fn a_reset_codec_says_what_a_new_one_says() {
    for codec in Codec::ALL {
        let (mut used, mut fresh) = (encoder(codec), encoder(codec));
        let (mut used_in, mut fresh_in) =
            (Decoder::new(codec).unwrap(), Decoder::new(codec).unwrap());
        let mut pcm = vec![0; codec.sample_rate() as usize / 50];
        let mut noise = undertone_media::noise::ComfortNoise::new(9);
        let (mut a, mut b) = (Vec::new(), Vec::new());
        for _ in 0..20 {
            noise.fill(20, &mut pcm);
            a.clear();
            used.encode(&pcm, &mut a).unwrap();
            used_in.decode(&a, &mut Vec::new()).unwrap();
        }
        used.reset();
        used_in.reset();
        for frame in 0..10 {
            noise.fill(30, &mut pcm);
            a.clear();
            b.clear();
            used.encode(&pcm, &mut a).unwrap();
            fresh.encode(&pcm, &mut b).unwrap();
            assert!(a == b, "{codec:?}: frame {frame} encodes with a trace of before");
            let (mut x, mut y) = (Vec::new(), Vec::new());
            used_in.decode(&a, &mut x).unwrap();
            fresh_in.decode(&b, &mut y).unwrap();
            assert!(x == y, "{codec:?}: frame {frame} decodes with a trace of before");
        }
    }
}

#[test]
fn opus_recovers_a_lost_packet_from_the_next() {
    let (mut send, mut receive) = (encoder(Codec::Opus), Decoder::new(Codec::Opus).unwrap());
    send.set_expected_loss(20);
    // A tone that begins in the very packet that is lost: only its copy can tell.
    let mut packets = Vec::new();
    let mut pcm = vec![0; 960];
    let mut tone = Sine::new(48_000, HZ, -12.0);
    for n in 0..30 {
        if n >= 20 {
            tone.fill(&mut pcm);
        } else {
            undertone_media::noise::ComfortNoise::new(n + 1).fill(60, &mut pcm);
        }
        let mut payload = Vec::new();
        send.encode(&pcm, &mut payload).unwrap();
        packets.push(payload);
    }
    for packet in &packets[..20] {
        receive.decode(packet, &mut Vec::new()).unwrap();
    }
    let mut recovered = Vec::new();
    assert!(receive.decode_fec(&packets[21], 960, &mut recovered));
    let level = goertzel_hann(&recovered, 48_000, HZ);
    println!("recovered: {level:.1} dBFS of -12");
    assert!(level > -20.0, "{level}");
    assert_eq!(recovered.len(), 960);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn any_payload_is_decoded_to_its_length_or_refused(
        bytes in proptest::collection::vec(any::<u8>(), 0..1_500), which in 0usize..4
    ) {
        let codec = Codec::ALL[which];
        let mut decoder = Decoder::new(codec).unwrap();
        let mut out = vec![7i16; 3];
        let result = decoder.decode(&bytes, &mut out);
        match result {
            Ok(()) => prop_assert_eq!(Some(out.len() - 3), samples(codec, &bytes)),
            Err(_) => prop_assert_eq!(&out[..], &[7i16; 3][..]),
        }
        let most = codec.sample_rate() as usize * 12 / 100;
        prop_assert!(out.len() <= 3 + most);
        let mut fec = Vec::new();
        decoder.decode_fec(&bytes, 960, &mut fec);
        prop_assert!(fec.is_empty() || fec.len() == 960);
    }
}

/// Sawtooth, noise, both faint, both loud: integers only, so that others can make the same.
fn g722_test_signal() -> Vec<i16> {
    let mut state = 12_345u64;
    let mut sample = |i: i64| {
        state = (state * 1_103_515_245 + 12_345) & 0x7fff_ffff;
        let noise = (state >> 16) as i64 - 16_384;
        let period = 40 + i / 4_000 * 13;
        let saw = (i % period) * 65_534 / period - 32_767;
        let value = match i / 2_000 % 4 {
            0 => saw / 3,
            1 => noise,
            2 => saw / 40 + noise / 60,
            _ => saw / 4 + noise / 2,
        };
        value as i16
    };
    let speech = (0..32_000).map(&mut sample);
    // Half a second of silence first: whatever state either began in, both are then in the same.
    std::iter::repeat_n(0, 8_000).chain(speech).collect()
}

fn fnv(bytes: impl IntoIterator<Item = u8>) -> u64 {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
    bytes.into_iter().fold(0xcbf2_9ce4_8422_2325, step)
}

/// What libspandsp 0.0.6 decodes from our encoder's bytes for that signal, after the silence.
const SPANDSP_SAMPLES: u64 = 0x9160_a884_d523_8a86;

#[test]
fn g722_is_decoded_bit_for_bit_as_another_implementation_does() {
    let mut encoded = Vec::new();
    encoder(Codec::G722).encode(&g722_test_signal(), &mut encoded).unwrap();
    let mut decoder = Decoder::new(Codec::G722).unwrap();
    let mut heard = Vec::new();
    for packet in encoded.chunks(160) {
        decoder.decode(packet, &mut heard).unwrap();
    }
    assert_eq!((encoded.len(), heard.len()), (20_000, 40_000));
    let samples = heard[8_000..].iter().flat_map(|s| s.to_le_bytes());
    assert_eq!(fnv(samples), SPANDSP_SAMPLES);
}
