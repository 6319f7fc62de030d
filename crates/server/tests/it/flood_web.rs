//! Datagrams of strangers at the browsers' own port, made to be expensive for who reads them, while
//! calls go on: the calls do not hear of them, and the log says nothing of any.
#![allow(clippy::print_stdout)] // figures are what a proof shows

use crate::flood_rig::{minute, quiet_and_flooded_with};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::time::{Duration, Instant};

/// Of the full size of a datagram: 23 Mbit/s.
const DATAGRAMS_PER_SECOND: u32 = 2_000;
/// MAPPED-ADDRESS, UNKNOWN-ATTRIBUTES, ALTERNATE-SERVER, and Chromium's cost of the network; of no
/// length, 345 of them find room. A library that reads them has a word to say of each.
const KINDS: [u16; 4] = [0x0001, 0x000a, 0x8023, 0xc057];

/// A port that is free for UDP and TCP, as the kernel chose it.
fn free() -> SocketAddr {
    let here = Ipv4Addr::LOCALHOST;
    (0..100)
        .find_map(|_| {
            let tcp = TcpListener::bind((here, 0)).ok()?;
            let at = tcp.local_addr().ok()?;
            UdpSocket::bind(at).ok().map(|_| at)
        })
        .expect("a free port")
}

/// A binding request (RFC 8489 section 5) whose attributes are all of this kind, and empty.
fn request(kind: u16) -> Vec<u8> {
    let attributes = [kind.to_be_bytes(), [0; 2]].concat().repeat(345);
    let length = u16::try_from(attributes.len()).expect("a datagram's").to_be_bytes();
    [&[0, 1][..], &length, &[0x21, 0x12, 0xa4, 0x42], &[7; 12], &attributes].concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn checks_of_strangers_by_the_thousand_are_no_line_of_the_log_and_reach_no_call() {
    let to = free();
    let port = to.port().to_string();
    let sent = quiet_and_flooded_with("", &["--browsers", &port], async |served| {
        let before = (served.log(), served.figure("media_packets_foreign_total").await);
        let flood = tokio::task::spawn_blocking(move || flood(to, minute()));
        let sent = flood.await.expect("a flood");
        let read = served.figure("media_packets_foreign_total").await - before.1;
        println!("{sent} checks of strangers, {read} read and dropped");
        assert!(read > f64::from(sent) * 0.5, "the server hardly saw the flood");
        assert_eq!(served.log(), before.0, "a line for what anybody can send");
        sent
    })
    .await;
    let due = minute().as_secs() * u64::from(DATAGRAMS_PER_SECOND);
    assert!(u64::from(sent) >= due * 9 / 10, "hardly a flood: {sent} of {due}");
}

#[allow(clippy::disallowed_methods)] // the sleep is the flood's pace; nothing is waited for
fn flood(to: SocketAddr, time: Duration) -> u32 {
    let socket = UdpSocket::bind("127.0.0.9:0").expect("a socket");
    let requests = KINDS.map(request);
    let (began, mut sent) = (Instant::now(), 0);
    while began.elapsed() < time {
        let due = (began.elapsed().as_secs_f64() * f64::from(DATAGRAMS_PER_SECOND)) as u32;
        while sent < due {
            let _ = socket.send_to(&requests[sent as usize % KINDS.len()], to);
            sent += 1;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    sent
}
