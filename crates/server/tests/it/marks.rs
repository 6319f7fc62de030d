//! The code points of what the server sends, as the wire shows them: a raw socket beside it sees
//! each IP header. (What the sockets of either family were set to, `engine` and `sip` test.)
#![allow(clippy::print_stdout)] // says when it was left out

use crate::ports::range;
use crate::stage::{RATE, SOON, Setup, Stage};
use socket2::{Domain, Protocol, Socket, Type};
use std::io::{ErrorKind, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const EXPEDITED: u8 = 46;
const CS3: u8 = 24;

/// Of UDP packets on 127.0.0.1: source port and code point.
struct Seen {
    stop: Arc<AtomicBool>,
    thread: std::thread::JoinHandle<Vec<(u16, u8)>>,
}

impl Seen {
    /// None where this user may not look.
    fn start() -> Option<Seen> {
        let raw = match Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::UDP)) {
            Ok(raw) => raw,
            Err(error) if error.kind() == ErrorKind::PermissionDenied => return None,
            Err(error) => panic!("{error}"),
        };
        raw.set_read_timeout(Some(Duration::from_millis(50))).expect("a timeout");
        let stop = Arc::<AtomicBool>::default();
        let until = stop.clone();
        let thread = std::thread::spawn(move || {
            let (mut raw, mut buffer, mut seen) = (raw, [0; 2_048], Vec::new());
            while !until.load(Ordering::Relaxed) {
                let Ok(len) = raw.read(&mut buffer) else { continue };
                // RFC 791 section 3.1: the header's length in words, and the type of service.
                let [first, tos, ..] = buffer;
                let at = usize::from(first & 0x0f) * 4;
                if let Some([a, b]) = buffer[..len].get(at..at + 2) {
                    seen.push((u16::from_be_bytes([*a, *b]), tos >> 2));
                }
            }
            seen
        });
        Some(Seen { stop, thread })
    }

    fn end(self) -> Vec<(u16, u8)> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("its thread")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn media_goes_out_as_expedited_forwarding_and_sip_as_cs3() {
    let rtp = range(20);
    let stage = Stage::open(Setup { rtp, ..Setup::default() }).await;
    let Some(seen) = Seen::start() else {
        println!("left out: this user may not open a raw socket");
        return stage.close().await;
    };
    let talk = stage.talk().await;
    // The first reports come within 3 s.
    assert!(talk.customer.heard.more(RATE as usize * 4, SOON).await, "four seconds of sound");
    let (sip, seen) = (stage.server.sip_addr.port(), seen.end());
    let of = |wanted: &dyn Fn(u16) -> bool| -> Vec<u8> {
        seen.iter().filter(|(port, _)| wanted(*port)).map(|(_, code)| *code).collect()
    };
    let ours = |port: u16, odd: u16| rtp.ports().contains(&port) && port % 2 == odd;
    let (media, reports) = (of(&|port| ours(port, 0)), of(&|port| ours(port, 1)));
    let signalling = of(&|port| port == sip);
    println!("{} RTP, {} RTCP, {} SIP", media.len(), reports.len(), signalling.len());
    assert!(media.len() > 300 && reports.len() >= 2 && signalling.len() > 3);
    assert!(media.iter().chain(&reports).all(|code| *code == EXPEDITED), "{reports:?}");
    assert!(signalling.iter().all(|code| *code == CS3), "{signalling:?}");
    drop(talk);
    stage.close().await;
}
