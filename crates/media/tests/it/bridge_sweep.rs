//! Moves between forwarding and mixing: no sample is missing, none doubled, none is a click; and
//! every pair of codecs at the right pitch and length.

use crate::bridge_forward::{edge, plan};
use std::collections::BTreeMap;
use undertone_core::id::{LegId, SeatId};
use undertone_core::plan::Source;
use undertone_media::bridge::Lane;
use undertone_media::codec::Decoder;
use undertone_media::rtp::Packet;
use undertone_media::tones::Sine;
use undertone_sdp::Codec::{self, G722, Opus, Pcma, Pcmu};
use undertone_testkit::link::{Dice, Link, LinkConfig};
use undertone_testkit::sim::{Party, Sim, Voice};
use undertone_testkit::spectrum::{clicks, goertzel};

fn link(seed: u64) -> Link {
    Link::new(LinkConfig { base_us: 5_000, ..LinkConfig::default() }, seed)
}

fn silence(codec: Codec) -> Vec<Voice> {
    vec![Voice::new(codec, 1, |pcm| pcm.fill(0))]
}

/// The payload of each sample's place on the listener's timestamp line. Two payloads for one
/// place, or one sequence number twice, fail.
fn line_of(sim: &Sim, leg: u64) -> BTreeMap<u32, u8> {
    let (mut line, mut numbers, mut first) = (BTreeMap::new(), BTreeMap::new(), None);
    for sent in sim.out.packets.iter().filter(|s| s.leg == LegId(leg) && s.lane == Lane::Rtp) {
        let packet = Packet::parse(&sent.bytes).unwrap();
        assert!(numbers.insert(packet.seq, ()).is_none() || numbers.len() > 60_000);
        let start = *first.get_or_insert(packet.ts);
        for (i, byte) in packet.payload.iter().enumerate() {
            let at = packet.ts.wrapping_sub(start) + i as u32;
            assert_eq!(line.insert(at, *byte), None, "sample {at} doubled");
        }
        if numbers.len() > 30_000 {
            numbers.clear();
        }
    }
    line
}

/// µ-law has two of them.
fn zero(byte: u8) -> bool {
    byte | 0x80 == 0xff
}

#[test]
fn a_sweep_through_moves_between_forwarding_and_mixing_misses_and_doubles_no_sample() {
    let proof = std::env::var("UNDERTONE_PROOF").is_ok_and(|v| v == "1");
    let moves = if proof { 1_000 } else { 100 };
    let mut hz = 300.0;
    let mut sine = Sine::new(8_000, hz, -10.0);
    let sweep = Voice::new(Pcmu, 3_001, |pcm| {
        pcm.chunks_mut(40).for_each(|piece| {
            hz = if hz > 3_000.0 { 300.0 } else { hz + 0.7 };
            sine.retune(hz);
            sine.fill(piece);
        });
    });
    let wanted: Vec<u8> = sweep.payloads.iter().flatten().copied().collect();
    let mut sim = Sim::new(3);
    sim.out.watched = vec![LegId(1)];
    sim.join(Party::new(1, Pcmu, link(1), silence(Pcmu), 1), &[Pcmu]);
    sim.join(Party::new(2, Pcmu, link(2), vec![sweep], 2), &[Pcmu]);
    sim.join(Party::new(3, Pcmu, link(3), silence(Pcmu), 3), &[Pcmu]);
    let (mut dice, mut there, mut version) = (Dice::new(9), 0, 0);
    let (mut mixing, mut both) = (false, false);
    sim.apply(plan(0, &[edge(2, 1)]));
    while there < moves {
        version += 1;
        both = !both;
        let edges = [edge(2, 1), edge(3, 1)];
        sim.apply(plan(version, if both { &edges } else { &edges[..1] }));
        // Long enough, sometimes, for forwarding to come back.
        sim.run_until(sim.now_us() + 300_000 + dice.below(2_700_000));
        let now = sim.bridge.stats(SeatId(1)).unwrap().mixing;
        there += u32::from(now != mixing);
        mixing = now;
    }
    let line = line_of(&sim, 1);
    let last = *line.keys().next_back().unwrap();
    assert_eq!(line.len() as u32, last + 1, "samples missing");
    let got: Vec<u8> = line.into_values().collect();
    // The very first words come by a mix, and a voice that opens ramps.
    let got = &got[800..];
    let start = wanted.windows(400).position(|w| *w == got[..400]).expect("the sweep's beginning");
    let around = wanted.iter().cycle().skip(start);
    let off = got.iter().zip(around).position(|(a, b)| a != b && !(zero(*a) && zero(*b)));
    assert_eq!(off, None, "of {} samples", got.len());
    println!("{moves} moves, {} samples: 0 missing, 0 doubled, 0 changed", got.len());
}

#[test]
fn every_pair_of_codecs_sounds_at_its_pitch_and_length() {
    for from in [Pcmu, Pcma, G722, Opus] {
        for to in [Pcmu, Pcma, G722, Opus] {
            for mixed in [false, true] {
                let mut sine = Sine::new(from.sample_rate(), 1_000.0, -12.0);
                let tone = Voice::new(from, 200, |pcm| sine.fill(pcm));
                let mut sim = Sim::new(4);
                sim.out.watched = vec![LegId(1)];
                sim.join(Party::new(1, to, link(1), silence(to), 1), &[to]);
                sim.join(Party::new(2, from, link(2), vec![tone], 2), &[from]);
                sim.join(Party::new(3, from, link(3), silence(from), 3), &[from]);
                let edges = [edge(2, 1), edge(3, 1)];
                sim.apply(plan(1, if mixed { &edges } else { &edges[..1] }));
                sim.run_for_ms(2_000);
                let mut pcm = Vec::new();
                let mut decoder = Decoder::new(to).unwrap();
                let rtp = sim.out.packets.iter().filter(|s| s.lane == Lane::Rtp);
                for sent in rtp {
                    let payload = Packet::parse(&sent.bytes).unwrap().payload;
                    decoder.decode(payload, &mut pcm).unwrap();
                }
                let rate = to.sample_rate();
                let ms = pcm.len() * 1_000 / rate as usize;
                assert!((1_860..=2_020).contains(&ms), "{from:?} to {to:?}: {ms} ms");
                let second = &pcm[pcm.len() - rate as usize..];
                let level = goertzel(second, rate, 1_000.0);
                assert!((level + 12.0).abs() < 1.0, "{from:?} to {to:?}: {level} dBFS");
                let heard = sim.bridge.hears(SeatId(1));
                let tone = heard.iter().find(|(s, _)| *s == Source::Seat(SeatId(2))).unwrap();
                assert!((tone.1 + 12.0).abs() < 1.5, "{from:?} to {to:?}: hears {heard:?}");
            }
        }
    }
}

#[test]
fn joining_and_leaving_of_a_second_voice_clicks_nowhere() {
    let voice = |hz: f64| {
        let mut sine = Sine::new(8_000, hz, -30.0);
        vec![Voice::new(Pcmu, 50, move |pcm| sine.fill(pcm))]
    };
    let mut sim = Sim::new(6);
    sim.out.watched = vec![LegId(1)];
    sim.join(Party::new(1, Pcmu, link(1), silence(Pcmu), 1), &[Pcmu]);
    sim.join(Party::new(2, Pcmu, link(2), voice(450.0), 2), &[Pcmu]);
    sim.join(Party::new(3, Pcmu, link(3), voice(1_050.0), 3), &[Pcmu]);
    for version in 0..40 {
        let edges = [edge(2, 1), edge(3, 1)];
        let both = version % 2 == 1;
        sim.apply(plan(version, if both { &edges } else { &edges[..1] }));
        sim.run_for_ms(if version % 5 == 0 { 2_500 } else { 337 });
    }
    let line = line_of(&sim, 1);
    let mut pcm = Vec::new();
    let bytes: Vec<u8> = line.into_values().collect();
    for piece in bytes.chunks(160) {
        Decoder::new(Pcmu).unwrap().decode(piece, &mut pcm).unwrap();
    }
    let found = clicks(&pcm[800..], 8_000, &[450.0, 1_050.0]);
    println!("40 changes, {} clicks", found.len());
    assert!(found.is_empty(), "{found:?}");
}
