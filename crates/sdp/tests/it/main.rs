//! Offer and answer as RFC 3264 and its examples have them, and hostile descriptions.
#![allow(clippy::unwrap_used)]

mod answers;
mod hostile;
mod offers;
mod told;

use undertone_sdp::{Capabilities, Codec, LocalAddr, Session};

pub(crate) fn local() -> LocalAddr {
    LocalAddr { ip: "10.0.0.1".parse().unwrap(), rtp_port: 4000, rtcp_port: 4001 }
}

pub(crate) fn session(codecs: &[Codec]) -> Session {
    Session::new(7, local(), Capabilities { codecs: codecs.to_vec(), ..Capabilities::default() })
}

/// A description from 192.0.2.9:6000 with these `m=audio` formats and attribute lines.
pub(crate) fn from_peer(formats: &str, attributes: &[&str]) -> String {
    let mut out = format!(
        "v=0\r\no=peer 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n\
         m=audio 6000 RTP/AVP {formats}\r\n"
    );
    for line in attributes {
        out += &format!("a={line}\r\n");
    }
    out
}

/// The lines of a description that begin so, without their ends.
pub(crate) fn lines<'a>(sdp: &'a str, start: &str) -> Vec<&'a str> {
    sdp.lines().filter(|line| line.starts_with(start)).collect()
}
