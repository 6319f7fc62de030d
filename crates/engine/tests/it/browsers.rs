//! A browser in a call with a phone: tones both ways in each codec, untouched where both speak the
//! same, telephone events, another network, a reload, one that dies.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use undertone_core::id::BridgeId;
use undertone_media::bridge::BridgeEvent;
use undertone_media::codec::Encoder;
use undertone_media::leg::webrtc::{LOST_AFTER_MS, WebError};
use undertone_media::rtp::Header;
use undertone_media::tones::Sine;
use undertone_sdp::{Codec, OpusParams};
use undertone_testkit::browser::{Browser, BrowserConfig, RATE};
use undertone_testkit::tone_ear::steady;

use crate::room::{Peer, SOON, two_way};
use crate::salon::{
    BROWSER, BROWSER_HZ, PHONE, browser_in, call, greet, heard, listen, phone_in, room, secret,
};

const PHONE_HZ: f64 = 1_472.0;
const PCMU: (u8, Codec) = (0, Codec::Pcmu);
const OPUS: (u8, Codec) = (96, Codec::Opus);

/// A phone that says its tone, 20 ms by 20 ms, until it is dropped.
struct Talking {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<Vec<Vec<u8>>>>,
}

impl Talking {
    fn begin(phone: &Peer, (pt, codec): (u8, Codec)) -> Self {
        let (socket, toward) = (phone.socket.try_clone().unwrap(), phone.toward);
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let thread = std::thread::spawn(move || {
            let mut encoder = Encoder::new(codec, &OpusParams::ours()).unwrap();
            let mut sine = Sine::new(codec.sample_rate(), PHONE_HZ, -10.0);
            let mut pcm = vec![0; codec.sample_rate() as usize / 50];
            let (mut said, mut seq, mut ts) = (Vec::new(), 9_000u16, 5u32);
            let mut next = Instant::now();
            while !stopped.load(Ordering::Relaxed) {
                let mut payload = Vec::new();
                sine.fill(&mut pcm);
                encoder.encode(&pcm, &mut payload).unwrap();
                let mut packet = Vec::new();
                Header { marker: false, pt, seq, ts, ssrc: 4_711 }.write(&payload, &mut packet);
                socket.send_to(&packet, toward).unwrap();
                said.push(payload);
                (seq, ts) = (seq.wrapping_add(1), ts.wrapping_add(codec.rtp_clock() / 50));
                next += Duration::from_millis(20);
                std::thread::park_timeout(next.saturating_duration_since(Instant::now()));
            }
            said
        });
        Self { stop, thread: Some(thread) }
    }

    /// All payloads that it has said.
    fn end(mut self) -> Vec<Vec<u8>> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().map(|thread| thread.join().unwrap()).unwrap_or_default()
    }
}

impl Drop for Talking {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn tones_pass(browser: &Browser, phone: &Peer, spoken: (u8, Codec)) -> Talking {
    let talking = Talking::begin(phone, spoken);
    // What is on its way while codecs and buffers settle is passed over.
    listen(phone, spoken.1, 25);
    let at_phone = listen(phone, spoken.1, 50);
    let level = at_phone.steady(spoken.1, BROWSER_HZ);
    assert!((-12.0..-8.0).contains(&level), "the phone hears the browser at {level}");
    let at_browser = heard(browser, 1_000);
    let level = steady(&at_browser, RATE, PHONE_HZ);
    assert!((-12.0..-8.0).contains(&level), "the browser hears the phone at {level}");
    talking
}

#[test]
fn in_g711_browser_and_phone_hear_each_other_and_every_payload_passes_untouched() {
    let room = room(1);
    let config = BrowserConfig::new(&[Codec::Pcmu], BROWSER_HZ);
    let (bridge, browser, phone) = call(&room, config, &[PCMU]);
    let talking = tones_pass(&browser, &phone, PCMU);
    let mixes = room.engine.inspect(bridge, |b| {
        [BROWSER, PHONE].map(|seat| b.stats(seat).is_some_and(|stats| stats.mixing))
    });
    assert_eq!(mixes.wait(SOON), Some([false, false]), "forwarded, not mixed");
    let said = talking.end();
    let noticed = browser.noticed();
    let got: Vec<&Vec<u8>> = noticed.log.iter().map(|(.., payload)| payload).collect();
    let first = said.iter().position(|p| Some(&p) == got.iter().find(|g| said.contains(g)));
    let (first, lost) = (first.unwrap(), 3);
    let untouched = said[first..].iter().filter(|payload| got.contains(payload)).count();
    assert!(untouched + lost >= said.len() - first, "{untouched} of {}", said.len() - first);
    assert_eq!(noticed.ssrcs.len(), 1);
}

#[test]
fn in_opus_browser_and_phone_hear_each_other_without_a_mix() {
    let room = room(1);
    let config = BrowserConfig::new(&[Codec::Opus], BROWSER_HZ);
    let (bridge, browser, phone) = call(&room, config, &[OPUS]);
    let _talking = tones_pass(&browser, &phone, OPUS);
    let mixing = room.engine.inspect(bridge, |b| b.stats(PHONE).is_some_and(|s| s.mixing));
    assert_eq!(mixing.wait(SOON), Some(false));
}

#[test]
fn a_browser_on_opus_and_a_phone_on_g711_hear_each_other() {
    let room = room(1);
    let config = BrowserConfig::new(&[Codec::Opus], BROWSER_HZ);
    let (_, browser, phone) = call(&room, config, &[PCMU]);
    tones_pass(&browser, &phone, PCMU);
}

#[test]
fn every_codec_of_ours_is_understood_and_a_switch_needs_no_new_offer() {
    let room = room(1);
    let config = BrowserConfig::new(&Codec::ALL, BROWSER_HZ);
    let (bridge, browser, phone) = call(&room, config, &[PCMU]);
    for codec in [Codec::Pcmu, Codec::G722, Codec::Opus, Codec::Pcma, Codec::Pcmu] {
        browser.send_codec(codec);
        listen(&phone, Codec::Pcmu, 25);
        let level = listen(&phone, Codec::Pcmu, 40).steady(Codec::Pcmu, BROWSER_HZ);
        assert!((-12.0..-8.0).contains(&level), "{codec:?} at {level}");
    }
    // Two seconds of the phone's own codec, and it is forwarded.
    listen(&phone, Codec::Pcmu, 110);
    let mixing = room.engine.inspect(bridge, |b| b.stats(PHONE).is_some_and(|s| s.mixing));
    assert_eq!(mixing.wait(SOON), Some(false));
}

#[test]
fn a_key_pressed_in_the_browser_is_an_event_and_reaches_the_phone() {
    let room = room(1);
    let config = BrowserConfig::new(&[Codec::Pcmu], BROWSER_HZ);
    let (_, browser, phone) = call(&room, config, &[PCMU]);
    listen(&phone, Codec::Pcmu, 10);
    browser.press(5);
    room.wait_event(|e| *e == BridgeEvent::Digit { seat: BROWSER, event: 5, started: true });
    let events = listen(&phone, Codec::Pcmu, 60).log;
    assert!(events.iter().any(|(_, _, pt, payload)| *pt == 101 && payload[0] == 5));
}

#[test]
fn a_browser_that_changes_its_network_restarts_ice_on_the_same_leg() {
    let room = room(1);
    let config = BrowserConfig::new(&[Codec::Pcmu], BROWSER_HZ);
    let (bridge, browser, phone) = call(&room, config, &[PCMU]);
    let talking = Talking::begin(&phone, PCMU);
    let before = listen(&phone, Codec::Pcmu, 30);
    for _ in 0..3 {
        let offer = browser.moves();
        let answered = room.engine.reoffer(bridge, BROWSER, &offer, secret());
        let answered = answered.wait(SOON).flatten().unwrap().unwrap();
        browser.answered(&answered.sdp);
        heard(&browser, 200);
        listen(&phone, Codec::Pcmu, 10);
        let after = listen(&phone, Codec::Pcmu, 40);
        assert_eq!(after.ssrcs, before.ssrcs, "the phone notices nothing of it");
        let level = after.steady(Codec::Pcmu, BROWSER_HZ);
        assert!((-12.0..-8.0).contains(&level), "{level}");
        let level = steady(&heard(&browser, 600), RATE, PHONE_HZ);
        assert!((-12.0..-8.0).contains(&level), "{level}");
    }
    drop(talking);
    // The leg's own stream had no break either: one SSRC, every number once.
    let noticed = browser.noticed();
    assert_eq!(noticed.ssrcs.len(), 1);
    let mut numbers: Vec<u64> = noticed.log.iter().map(|line| line.0).collect();
    let all = numbers.len();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), all, "a number was used twice");
}

#[test]
fn a_browser_that_reloads_goes_on_as_the_same_leg() {
    let room = room(2);
    let config = || BrowserConfig::new(&[Codec::Pcmu], BROWSER_HZ);
    let (bridge, browser, phone) = call(&room, config(), &[PCMU]);
    let _talking = Talking::begin(&phone, PCMU);
    let before = listen(&phone, Codec::Pcmu, 30);
    drop(browser);
    let browser = Browser::new(config());
    let other = room.engine.reoffer(bridge, BROWSER, &browser.offer, secret());
    let other = other.wait(SOON).flatten().unwrap();
    assert!(matches!(other, Err(WebError::OtherBrowser)), "{other:?}");
    let greeted = greet(&room, &browser);
    room.engine.rewire(bridge, BROWSER, greeted.leg).unwrap();
    browser.answered(&greeted.answer);
    room.wait_event(|e| *e == BridgeEvent::LegConnected { seat: BROWSER });
    heard(&browser, 200);
    listen(&phone, Codec::Pcmu, 20);
    let after = listen(&phone, Codec::Pcmu, 40);
    assert_eq!(after.ssrcs, before.ssrcs);
    let level = after.steady(Codec::Pcmu, BROWSER_HZ);
    assert!((-12.0..-8.0).contains(&level), "{level}");
    let level = steady(&heard(&browser, 600), RATE, PHONE_HZ);
    assert!((-12.0..-8.0).contains(&level), "{level}");
    assert_eq!(room.engine.gauges().browsers, 1, "the first connection is gone");
}

#[test]
fn a_browser_that_dies_is_noticed_in_seconds_and_ends_nobody_else() {
    let room = room(1);
    let config = BrowserConfig::new(&[Codec::Opus], BROWSER_HZ);
    let (bridge, browser, phone) = call(&room, config.clone(), &[PCMU]);
    let second = BridgeId(2);
    room.engine.open(second, 8).unwrap();
    let other = browser_in(&room, second, config);
    let other_phone = phone_in(&room, second, &[PCMU]);
    room.engine.apply(second, two_way(1));
    listen(&phone, Codec::Pcmu, 10);
    browser.freeze();
    let since = Instant::now();
    let dead = room.wait_event(|e| *e == BridgeEvent::LegLost { seat: BROWSER });
    assert_eq!(dead, bridge);
    assert!(since.elapsed() >= Duration::from_millis(LOST_AFTER_MS - 1_000));
    listen(&other_phone, Codec::Pcmu, 20);
    let level = listen(&other_phone, Codec::Pcmu, 40).steady(Codec::Pcmu, BROWSER_HZ);
    assert!((-12.0..-8.0).contains(&level), "{level}");
    drop(other);
    // The phone in the dead one's call still gets a stream: silence, never nothing.
    assert!(listen(&phone, Codec::Pcmu, 20).log.len() == 20);
    // Closing takes the connection with it.
    room.engine.close(bridge);
    room.engine.close(second);
    crate::room::eventually("both are gone", || room.engine.gauges().browsers == 0);
}

#[test]
fn a_leg_that_is_lost_or_quiet_is_told_so_to_the_next_bridge_too() {
    let room = room(1);
    let config = BrowserConfig::new(&[Codec::Pcmu], BROWSER_HZ);
    let home = BridgeId(1);
    room.engine.open(home, 7).unwrap();
    let browser = browser_in(&room, home, config);
    let next = |id: u64, from: BridgeId| {
        let to = BridgeId(id);
        room.engine.open(to, id).unwrap();
        let leg = room.engine.detach(from, BROWSER).wait(SOON).flatten().unwrap();
        room.engine.attach_leg(to, BROWSER, leg).unwrap();
        to
    };
    let up = next(2, home);
    let told = room.wait_event(|e| *e == BridgeEvent::LegConnected { seat: BROWSER });
    assert_eq!(told, up);
    browser.hush(true);
    assert_eq!(room.wait_event(|e| *e == BridgeEvent::LegQuiet { seat: BROWSER }), up);
    let quiet = next(3, up);
    assert_eq!(room.wait_event(|e| *e == BridgeEvent::LegQuiet { seat: BROWSER }), quiet);
    browser.freeze();
    assert_eq!(room.wait_event(|e| *e == BridgeEvent::LegLost { seat: BROWSER }), quiet);
    let lost = next(4, quiet);
    assert_eq!(room.wait_event(|e| *e == BridgeEvent::LegLost { seat: BROWSER }), lost);
}

#[test]
fn what_the_far_end_loses_is_in_the_legs_figures() {
    let room = room(1);
    let config = BrowserConfig::new(&[Codec::Pcmu], BROWSER_HZ);
    let (bridge, browser, phone) = call(&room, config, &[PCMU]);
    let _talking = tones_pass(&browser, &phone, PCMU);
    let figures = || room.engine.inspect(bridge, |b| b.stats(BROWSER)).wait(SOON).flatten();
    // A report of the browser has come: it knows the round trip.
    crate::room::eventually("a report came", || figures().is_some_and(|f| f.rtt_us.is_some()));
    let figures = figures().unwrap();
    assert!(figures.received > 40 && figures.lost == 0, "{figures:?}");
    assert!(figures.far_fraction_lost < 13, "{figures:?}");
}
