//! The RTP header (RFC 3550 section 5.1), read from bytes that nobody vouches for, and written.

use thiserror::Error;

pub const HEADER_BYTES: usize = 12;
/// The largest datagram that is taken for RTP.
pub const MAX_PACKET_BYTES: usize = 1_500;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum RtpError {
    #[error("{0} bytes are too few for an RTP header")]
    Short(usize),
    #[error("{0} bytes are more than we take")]
    Long(usize),
    #[error("RTP version {0}, not 2")]
    Version(u8),
    #[error("CSRC list or extension reaches beyond the packet")]
    Header,
    #[error("padding of {0} bytes does not fit the packet")]
    Padding(u8),
}

/// A packet as it came; CSRC list, extension and padding are left out of `payload`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    pub marker: bool,
    pub pt: u8,
    pub seq: u16,
    pub ts: u32,
    pub ssrc: u32,
    pub payload: &'a [u8],
}

impl<'a> Packet<'a> {
    pub fn parse(bytes: &'a [u8]) -> Result<Self, RtpError> {
        if bytes.len() > MAX_PACKET_BYTES {
            return Err(RtpError::Long(bytes.len()));
        }
        let (head, rest) =
            bytes.split_first_chunk::<HEADER_BYTES>().ok_or(RtpError::Short(bytes.len()))?;
        if head[0] >> 6 != 2 {
            return Err(RtpError::Version(head[0] >> 6));
        }
        let csrc_bytes = usize::from(head[0] & 0x0f) * 4;
        let mut payload = rest.get(csrc_bytes..).ok_or(RtpError::Header)?;
        if head[0] & 0x10 != 0 {
            // RFC 3550 section 5.3.1: 16 bits of profile, 16 bits of length in words.
            let (ext, after) = payload.split_first_chunk::<4>().ok_or(RtpError::Header)?;
            let ext_bytes = usize::from(u16::from_be_bytes([ext[2], ext[3]])) * 4;
            payload = after.get(ext_bytes..).ok_or(RtpError::Header)?;
        }
        if head[0] & 0x20 != 0 {
            let padding = payload.last().copied().ok_or(RtpError::Padding(0))?;
            let kept = payload.len().checked_sub(usize::from(padding));
            match kept {
                Some(kept) if padding > 0 => payload = &payload[..kept],
                _ => return Err(RtpError::Padding(padding)),
            }
        }
        Ok(Self {
            marker: head[1] & 0x80 != 0,
            pt: head[1] & 0x7f,
            seq: u16::from_be_bytes([head[2], head[3]]),
            ts: u32::from_be_bytes([head[4], head[5], head[6], head[7]]),
            ssrc: u32::from_be_bytes([head[8], head[9], head[10], head[11]]),
            payload,
        })
    }

    pub fn header(&self) -> Header {
        Header { marker: self.marker, pt: self.pt, seq: self.seq, ts: self.ts, ssrc: self.ssrc }
    }
}

/// A header of ours: no extension, no CSRC, no padding, ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    pub marker: bool,
    pub pt: u8,
    pub seq: u16,
    pub ts: u32,
    pub ssrc: u32,
}

impl Header {
    pub fn bytes(&self) -> [u8; HEADER_BYTES] {
        let mut out = [0; HEADER_BYTES];
        out[0] = 0x80;
        out[1] = u8::from(self.marker) << 7 | (self.pt & 0x7f);
        out[2..4].copy_from_slice(&self.seq.to_be_bytes());
        out[4..8].copy_from_slice(&self.ts.to_be_bytes());
        out[8..12].copy_from_slice(&self.ssrc.to_be_bytes());
        out
    }

    /// Replaces what `out` held by the whole packet.
    pub fn write(&self, payload: &[u8], out: &mut Vec<u8>) {
        out.clear();
        out.extend_from_slice(&self.bytes());
        out.extend_from_slice(payload);
    }
}

/// Tells RTCP from RTP on a shared port (RFC 5761 section 4: packet types 192 to 223).
pub fn looks_like_rtcp(bytes: &[u8]) -> bool {
    matches!(bytes, [first, kind, ..] if first >> 6 == 2 && (192..=223).contains(kind))
}
