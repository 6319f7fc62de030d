//! A server at a loopback address and a browser of the same machine that connects none, as
//! Firefox: they meet at the machine's own address, where nothing from elsewhere is heard.

use std::net::{IpAddr, SocketAddr, UdpSocket};

use undertone_core::id::BridgeId;
use undertone_engine::{EngineConfig, WebConfig};
use undertone_media::bridge::BridgeEvent;
use undertone_sdp::Codec;
use undertone_testkit::browser::{Browser, BrowserConfig};

use crate::room::{Room, eventually, two_way};
use crate::salon::{BROWSER, BROWSER_HZ, HOME, greet, listen, phone_in};

const PCMU: (u8, Codec) = (0, Codec::Pcmu);

/// Of this machine on its network; None where it has no network.
fn own() -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
    // An address that nobody has (RFC 5737); nothing is sent.
    socket.connect("192.0.2.1:9").ok()?;
    Some(socket.local_addr().unwrap().ip()).filter(|ip| !ip.is_loopback())
}

fn room(threads: usize, near: IpAddr) -> Room {
    let web = Some(WebConfig { ip: HOME, port: 0, tcp: true, near: Some(near) });
    Room::of(EngineConfig { threads, priority: false, web, ..EngineConfig::default() })
}

fn told(answer: &str) -> Vec<SocketAddr> {
    let candidates = answer.lines().filter_map(|line| line.strip_prefix("a=candidate:"));
    let udp = candidates.filter(|line| line.to_lowercase().contains(" udp "));
    udp.map(|line| {
        let words: Vec<&str> = line.split(' ').collect();
        format!("{}:{}", words[4], words[5]).parse().unwrap()
    })
    .collect()
}

#[test]
fn a_browser_that_connects_no_loopback_address_is_heard_and_hears_at_the_machines_own() {
    let Some(own) = own() else { return };
    // Two threads: the second one's leg, so that the first one's port has nothing to do with it.
    for threads in [1, 2] {
        let room = room(threads, own);
        let bridge = BridgeId(1);
        room.engine.open(bridge, 7).unwrap();
        let mut browsers = Vec::new();
        for _ in 0..threads {
            let config =
                BrowserConfig { ip: own, ..BrowserConfig::new(&[Codec::Pcmu], BROWSER_HZ) };
            let browser = Browser::new(config);
            let greeted = greet(&room, &browser);
            browsers.push((browser, greeted));
        }
        let (browser, greeted) = browsers.pop().unwrap();
        let at: Vec<IpAddr> = told(&greeted.answer).iter().map(SocketAddr::ip).collect();
        assert_eq!(at, [HOME, own], "loopback comes first");
        room.engine.attach_leg(bridge, BROWSER, greeted.leg).unwrap();
        browser.answered(&greeted.answer);
        room.wait_event(|e| *e == BridgeEvent::LegConnected { seat: BROWSER });
        let phone = phone_in(&room, bridge, &[PCMU]);
        room.engine.apply(bridge, two_way(1));
        room.wait_event(|e| matches!(e, BridgeEvent::PlanInForce(_)));
        listen(&phone, Codec::Pcmu, 25);
        let level = listen(&phone, Codec::Pcmu, 50).steady(Codec::Pcmu, BROWSER_HZ);
        assert!((-12.0..-8.0).contains(&level), "the phone hears the browser at {level}");
        for mark in 1..=20 {
            listen(&phone, Codec::Pcmu, 1);
            phone.say(mark);
        }
        eventually("the browser hears the phone", || {
            browser.noticed().log.iter().any(|line| line.3 == [20; 160])
        });
    }
}

#[test]
fn what_does_not_come_from_that_very_address_is_not_heard_there() {
    let Some(own) = own() else { return };
    let room = room(1, own);
    room.engine.open(BridgeId(1), 7).unwrap();
    // Its checks are authentic, and come from 127.0.0.1.
    let browser = Browser::new(BrowserConfig::new(&[Codec::Pcmu], BROWSER_HZ));
    let greeted = greet(&room, &browser);
    room.engine.attach_leg(BridgeId(1), BROWSER, greeted.leg).unwrap();
    let at_home = |line: &&str| line.starts_with("a=candidate:") && line.contains("127.0.0.1");
    let lines = greeted.answer.lines().filter(|line| !at_home(line));
    browser.answered(&lines.fold(String::new(), |text, line| text + line + "\r\n"));
    eventually("its checks are dropped", || room.engine.gauges().packets_foreign >= 3);
    assert!(!browser.noticed().connected);
}
