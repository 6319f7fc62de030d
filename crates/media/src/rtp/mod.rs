//! RTP and RTCP on the wire (RFC 3550). Bytes only: no clock, no leg, no codec.

mod packet;
pub mod rtcp;
mod session;

pub use packet::{HEADER_BYTES, Header, MAX_PACKET_BYTES, Packet, RtpError, looks_like_rtcp};

/// How far `to` is after `from`, counted the short way round (negative: before).
#[inline]
pub fn seq_diff(to: u16, from: u16) -> i32 {
    i32::from(to.wrapping_sub(from) as i16)
}

/// How far `to` is after `from`, counted the short way round (negative: before).
#[inline]
pub fn ts_diff(to: u32, from: u32) -> i64 {
    i64::from(to.wrapping_sub(from) as i32)
}
