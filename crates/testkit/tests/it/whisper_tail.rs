//! 1,000 switches from whisper to barge under each kind of weather: of the whisper's tone nothing
//! is in what the customer gets.

use undertone_core::id::{LegId, SeatId};
use undertone_core::plan::{Edge, HearingPlan, Listener, Opens, PlanVersion, Source};
use undertone_media::bridge::Lane;
use undertone_media::codec::Decoder;
use undertone_media::rtp::Packet;
use undertone_media::tones::Sine;
use undertone_sdp::Codec;
use undertone_testkit::link::{Dice, Link, LinkConfig};
use undertone_testkit::sim::{Party, Sim, Voice};
use undertone_testkit::spectrum::{goertzel, goertzel_hann};

const WHISPER_HZ: f64 = 1_300.0;
const BARGE_HZ: f64 = 600.0;
const AGENT_HZ: f64 = 2_100.0;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Weather {
    Clear,
    LossAndJitter,
    HeldBack,
    ThreadStopped,
}

fn edge(source: u32, listener: u32, opens: Opens) -> Edge {
    let (source, listener) = (Source::Seat(SeatId(source)), Listener::Seat(SeatId(listener)));
    Edge { source, listener, audio: true, events: false, gain_cdb: 0, opens, until: None }
}

fn plan(version: u64, barge: bool) -> HearingPlan {
    let mut edges = vec![edge(2, 1, Opens::AtOnce), edge(1, 2, Opens::AtOnce)];
    edges.extend([edge(4, 2, Opens::AtOnce), edge(1, 4, Opens::AtOnce)]);
    edges.push(edge(2, 4, Opens::AtOnce));
    if barge {
        edges.push(edge(4, 1, Opens::AfterGuard));
    }
    edges.sort_by_key(|e| (e.listener, e.source));
    HearingPlan { version: PlanVersion(version), edges, ..HearingPlan::default() }
}

/// Windows of the tone in what the customer was sent: at least -55 dBFS, and 10 dB over the
/// neighbouring bins, in two windows in a row, which overlap by half.
fn windows_of_whisper(pcm: &[i16]) -> usize {
    let hit = |w: &[i16]| {
        let level = goertzel_hann(w, 8_000, WHISPER_HZ);
        let near = [-200.0, 200.0].map(|off| goertzel_hann(w, 8_000, WHISPER_HZ + off));
        level >= -55.0 && near.iter().all(|n| level >= n + 10.0)
    };
    let windows: Vec<bool> =
        (0..pcm.len().saturating_sub(160)).step_by(80).map(|at| hit(&pcm[at..at + 160])).collect();
    windows.windows(2).filter(|pair| pair[0] && pair[1]).count()
}

fn tone(hz: f64) -> Voice {
    let mut sine = Sine::new(8_000, hz, -10.0);
    Voice::new(Codec::Pcmu, 50, move |pcm| sine.fill(pcm))
}

/// One switch. Gives windows of whisper at the customer, at the agent, and the barge's level.
fn switch(weather: Weather, seed: u64, guarded: bool) -> (usize, usize, f64) {
    let config = match weather {
        Weather::LossAndJitter => LinkConfig {
            base_us: 10_000,
            jitter_us: 40_000,
            loss_per_mille: 50,
            ..LinkConfig::default()
        },
        _ => LinkConfig { base_us: 10_000, ..LinkConfig::default() },
    };
    let mut sim = Sim::new(seed);
    sim.out.watched = vec![LegId(1), LegId(2)];
    let silence = || vec![Voice::new(Codec::Pcmu, 1, |pcm| pcm.fill(0))];
    let link = |n| Link::new(config, seed + n);
    sim.join(Party::new(1, Codec::Pcmu, link(1), silence(), seed), &[Codec::Pcmu]);
    let agent = Party::new(2, Codec::Pcmu, link(2), vec![tone(AGENT_HZ)], seed);
    sim.join(agent, &[Codec::Pcmu]);
    let voices = vec![tone(WHISPER_HZ), tone(BARGE_HZ)];
    sim.join(Party::new(4, Codec::Pcmu, link(3), voices, seed), &[Codec::Pcmu]);
    sim.apply(plan(1, false));
    let mut dice = Dice::new(seed);
    sim.run_for_ms(700 + dice.below(40));
    let now = sim.now_us();
    let mut began = now;
    match weather {
        Weather::HeldBack => {
            sim.party(4).unwrap().link.hold(now + 600_000);
            sim.run_for_ms(dice.below(600));
            began = sim.now_us();
        }
        Weather::ThreadStopped => {
            sim.stall(now + 600_000);
            sim.run_for_ms(dice.below(600));
            began = sim.now_us();
        }
        _ => {}
    }
    // Spoken until the switch itself.
    sim.party(4).unwrap().say(began, 1);
    let mut next = plan(2, true);
    if !guarded {
        next.edges.iter_mut().for_each(|e| e.opens = Opens::AtOnce);
    }
    sim.apply(next);
    sim.run_for_ms(2_000);
    let heard = |leg: u64| {
        let mut pcm = Vec::new();
        let mut decoder = Decoder::new(Codec::Pcmu).unwrap();
        for sent in sim.out.packets.iter().filter(|s| s.leg == LegId(leg) && s.lane == Lane::Rtp) {
            decoder.decode(Packet::parse(&sent.bytes).unwrap().payload, &mut pcm).unwrap();
        }
        pcm
    };
    let (customer, agent) = (heard(1), heard(2));
    let end = &customer[customer.len() - 4_000..];
    (windows_of_whisper(&customer), windows_of_whisper(&agent), goertzel(end, 8_000, BARGE_HZ))
}

fn weather_is_safe(weather: Weather) {
    let seeds = if cfg!(debug_assertions) && std::env::var("UNDERTONE_PROOF").is_err() {
        200
    } else {
        1_000
    };
    let (mut leaked, mut coached, mut barged) = (0, 0, 0);
    for seed in 0..seeds {
        let (customer, agent, level) = switch(weather, seed * 7_919 + 11, true);
        leaked += customer;
        coached += usize::from(agent > 10);
        barged += usize::from(level > -20.0);
    }
    println!(
        "{weather:?}: {seeds} switches, {leaked} windows of whisper at the customer; agent \
              heard the whisper in {coached}, customer the barge in {barged}"
    );
    assert_eq!(leaked, 0, "{weather:?}");
    assert_eq!(coached as u64, seeds, "the detector, at the agent");
    assert_eq!(barged as u64, seeds, "the barge, at the customer");
}

#[test]
fn no_whisper_reaches_the_customer_in_clear_weather() {
    weather_is_safe(Weather::Clear);
}

#[test]
fn no_whisper_reaches_the_customer_through_loss_and_jitter() {
    weather_is_safe(Weather::LossAndJitter);
}

#[test]
fn no_whisper_reaches_the_customer_when_packets_are_held_back() {
    weather_is_safe(Weather::HeldBack);
}

#[test]
fn no_whisper_reaches_the_customer_when_the_thread_stood_still() {
    weather_is_safe(Weather::ThreadStopped);
}

#[test]
fn without_the_guard_the_detector_finds_the_tail() {
    let found = (0..20).filter(|s| switch(Weather::HeldBack, s * 31 + 5, false).0 > 0).count();
    assert!(found > 15, "found {found} of 20");
}
