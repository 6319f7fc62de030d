//! Browsers beside bare sockets in one engine: a second WebRTC end (`testkit`) on real sockets.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use undertone_core::id::{BridgeId, LegId, SeatId};
use undertone_engine::{EngineConfig, Greet, Greeted, WebConfig};
use undertone_media::bridge::BridgeEvent;
use undertone_media::codec::Decoder;
use undertone_media::leg::webrtc::Secret;
use undertone_media::rtp::Packet;
use undertone_sdp::{Codec, EventFormat, Media};
use undertone_testkit::browser::{Browser, BrowserConfig, RATE};
use undertone_testkit::tone_ear::steady;

use crate::room::{Peer, Room, SOON, media, two_way};

pub(crate) const HOME: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
pub(crate) const BROWSER: SeatId = SeatId(1);
pub(crate) const PHONE: SeatId = SeatId(2);
pub(crate) const BROWSER_HZ: f64 = 762.0;
static NEXT_LEG: AtomicU64 = AtomicU64::new(1_000);

pub(crate) fn room(threads: usize) -> Room {
    let web = Some(WebConfig { ip: HOME, port: 0, tcp: true, near: None });
    Room::of(EngineConfig { threads, priority: false, web, ..EngineConfig::default() })
}

pub(crate) fn secret() -> Secret {
    let mut bytes = [0; 48];
    let seed = NEXT_LEG.fetch_add(1, Ordering::Relaxed);
    for (i, byte) in (0u64..).zip(&mut bytes) {
        *byte = (seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (i % 56)) as u8 ^ (i * 37) as u8;
    }
    Secret(bytes)
}

pub(crate) fn greet(room: &Room, browser: &Browser) -> Greeted {
    let leg = LegId(NEXT_LEG.fetch_add(1, Ordering::Relaxed));
    let offer = &browser.offer;
    let greet = Greet { offer, leg, seed: leg.0, secret: secret(), prefer: None, told: HOME };
    room.engine.greet(greet).unwrap()
}

/// A browser in seat 1, connected.
pub(crate) fn browser_in(room: &Room, bridge: BridgeId, config: BrowserConfig) -> Browser {
    let browser = Browser::new(config);
    let Greeted { answer, leg, .. } = greet(room, &browser);
    room.engine.attach_leg(bridge, BROWSER, leg).unwrap();
    browser.answered(&answer);
    room.wait_event(|e| *e == BridgeEvent::LegConnected { seat: BROWSER });
    browser
}

/// A bare socket in seat 2 that speaks this codec, and plain G.711 beside it if `also`.
pub(crate) fn phone_in(room: &Room, bridge: BridgeId, codecs: &[(u8, Codec)]) -> Peer {
    room.seat_of(bridge, PHONE, Peer::at("127.0.0.1:0"), |addr| Media {
        codecs: codecs.to_vec(),
        arriving: codecs.to_vec(),
        events: vec![EventFormat { pt: 101, clock: 8_000 }],
        events_arriving: vec![EventFormat { pt: 101, clock: 8_000 }],
        ..media(addr)
    })
}

/// A browser and a phone that hear each other.
pub(crate) fn call(
    room: &Room,
    config: BrowserConfig,
    codecs: &[(u8, Codec)],
) -> (BridgeId, Browser, Peer) {
    let bridge = BridgeId(1);
    room.engine.open(bridge, 7).unwrap();
    let browser = browser_in(room, bridge, config);
    let phone = phone_in(room, bridge, codecs);
    room.engine.apply(bridge, two_way(1));
    room.wait_event(|e| matches!(e, BridgeEvent::PlanInForce(_)));
    (bridge, browser, phone)
}

/// What a phone received, as it came.
#[derive(Default)]
pub(crate) struct Received {
    pub(crate) pcm: Vec<i16>,
    /// Sequence, timestamp, payload type, payload.
    pub(crate) log: Vec<(u16, u32, u8, Vec<u8>)>,
    pub(crate) ssrcs: BTreeSet<u32>,
}

impl Received {
    pub(crate) fn steady(&self, codec: Codec, hz: f64) -> f64 {
        steady(&self.pcm, codec.sample_rate(), hz)
    }
    /// Numbers that are missing or out of order.
    pub(crate) fn gaps(&self) -> usize {
        self.log.windows(2).filter(|two| two[1].0 != two[0].0.wrapping_add(1)).count()
    }
}

/// The next so many packets of RTP.
pub(crate) fn listen(phone: &Peer, codec: Codec, packets: usize) -> Received {
    let mut received = Received::default();
    let mut decoder = Decoder::new(codec).unwrap();
    let mut buffer = [0; 2_048];
    let deadline = Instant::now() + SOON;
    while received.log.len() < packets && Instant::now() < deadline {
        let Ok((n, _)) = phone.socket.recv_from(&mut buffer) else { break };
        let Ok(packet) = Packet::parse(&buffer[..n]) else { continue };
        if (192..=223).contains(&buffer[1]) {
            continue;
        }
        received.ssrcs.insert(packet.ssrc);
        let payload = packet.payload.to_vec();
        let _ = decoder.decode(&payload, &mut received.pcm);
        received.log.push((packet.seq, packet.ts, packet.pt, payload));
    }
    received
}

/// Until the browser has heard so many more samples; gives those.
pub(crate) fn heard(browser: &Browser, ms: usize) -> Vec<i16> {
    let before = browser.noticed().heard.len();
    let want = before + ms * RATE as usize / 1_000;
    let deadline = Instant::now() + SOON;
    while browser.noticed().heard.len() < want {
        assert!(Instant::now() < deadline, "the browser hears nothing");
        std::thread::park_timeout(Duration::from_millis(5));
    }
    browser.noticed().heard[before..want].to_vec()
}
