//! What no test from outside can bring about: the library panics over one browser.
#![allow(clippy::unwrap_used)] // a test that cannot go on says so by failing

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant};

use undertone_core::id::{BridgeId, LegId, SeatId};
use undertone_core::plan::{Edge, HearingPlan, Listener, Opens, PlanVersion, Source};
use undertone_media::bridge::BridgeEvent;
use undertone_media::leg::webrtc::Secret;
use undertone_sdp::Codec;
use undertone_testkit::browser::{Browser, BrowserConfig, RATE};

use super::WebKey;
use crate::{Engine, EngineConfig, Greet, WebConfig};

const HOME: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const BRIDGE: BridgeId = BridgeId(1);
const SOON: Duration = Duration::from_secs(30);
/// No browser's; then the one over whom the library panics.
static UNLUCKY: AtomicU64 = AtomicU64::new(u64::MAX);

pub(super) fn may_panic(key: WebKey) {
    assert_ne!(key.0, UNLUCKY.load(Ordering::Relaxed), "as if the library panicked");
}

fn wait(events: &Receiver<BridgeEvent>, wanted: impl Fn(&BridgeEvent) -> bool) {
    let deadline = Instant::now() + SOON;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let event = events.recv_timeout(left).expect("told in time");
        assert_ne!(event, BridgeEvent::Panicked, "the bridge ended with it");
        if wanted(&event) {
            return;
        }
    }
}

fn sits_down(engine: &Engine, events: &Receiver<BridgeEvent>, n: u64) -> Browser {
    let browser = Browser::new(BrowserConfig::new(&[Codec::Pcmu], 500.0 + 200.0 * n as f64));
    let (offer, leg, secret) = (browser.offer.as_str(), LegId(n), Secret([n as u8; 48]));
    let greet = Greet { offer, leg, seed: n, secret, prefer: None, told: HOME };
    let greeted = engine.greet(greet).unwrap();
    let seat = SeatId(u32::try_from(n).unwrap());
    engine.attach_leg(BRIDGE, seat, greeted.leg).unwrap();
    browser.answered(&greeted.answer);
    wait(events, |event| *event == BridgeEvent::LegConnected { seat });
    browser
}

/// Everybody hears everybody.
fn salon(seats: u32) -> HearingPlan {
    let pairs = (0..seats).flat_map(|from| (0..seats).map(move |to| (from, to)));
    let edge = |(from, to)| Edge {
        source: Source::Seat(SeatId(from)),
        listener: Listener::Seat(SeatId(to)),
        audio: true,
        events: true,
        gain_cdb: 0,
        opens: Opens::AtOnce,
        until: None,
    };
    let edges = pairs.filter(|(from, to)| from != to).map(edge).collect();
    HearingPlan { version: PlanVersion(1), edges, ..HearingPlan::default() }
}

fn hears_a_second(browser: &Browser) {
    let before = browser.noticed().heard.len();
    let deadline = Instant::now() + SOON;
    while browser.noticed().heard.len() < before + RATE as usize {
        assert!(Instant::now() < deadline, "the browser hears nothing");
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

#[test]
fn a_panic_of_the_library_as_it_sends_ends_that_leg_alone() {
    let (tell, events) = sync_channel(100_000);
    let web = Some(WebConfig { ip: HOME, port: 0, tcp: false, near: None });
    let config = EngineConfig { priority: false, web, ..EngineConfig::default() };
    let told = Arc::new(move |_, event| drop(tell.try_send(event)));
    let engine = Engine::start(config, told).unwrap();
    engine.open(BRIDGE, 7).unwrap();
    let browsers = [0, 1, 2].map(|n| sits_down(&engine, &events, n));
    engine.apply(BRIDGE, Arc::new(salon(3)));
    browsers.iter().for_each(hears_a_second);
    // The second one that was greeted.
    UNLUCKY.store(1, Ordering::Relaxed);
    wait(&events, |event| *event == BridgeEvent::LegLost { seat: SeatId(1) });
    hears_a_second(&browsers[0]);
    hears_a_second(&browsers[2]);
    let gauges = engine.gauges();
    assert_eq!((gauges.bridges_panicked, gauges.legs, gauges.browsers), (0, 2, 2));
}
