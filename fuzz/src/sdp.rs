//! A description as an offer and as an answer; what a session says to it can be read by another.

use std::net::{IpAddr, Ipv4Addr};
use undertone_sdp::{Capabilities, Direction, LocalAddr, Session};

fn session() -> Session {
    let local =
        LocalAddr { ip: IpAddr::V4(Ipv4Addr::LOCALHOST), rtp_port: 4_000, rtcp_port: 4_001 };
    Session::new(7, local, Capabilities { comfort_noise: true, ..Capabilities::default() })
}

pub fn sdp(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut ours = session();
    if let Ok((answer, media)) = ours.answer(text) {
        assert!(!media.codecs.is_empty(), "an agreement without a codec");
        assert!(media.codecs.iter().all(|(pt, _)| *pt < 128), "{:?}", media.codecs);
        let mut other = session();
        assert!(other.answer(&answer).is_ok() || !media.sends && !media.receives, "{answer}");
        let again = ours.offer(Direction::SendRecv);
        assert!(session().answer(&again).is_ok(), "{again}");
    }
    let mut ours = session();
    ours.offer(Direction::SendRecv);
    if ours.accept(text).is_err() {
        ours.withdraw();
    }
}
