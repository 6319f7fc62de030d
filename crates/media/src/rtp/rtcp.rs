//! RTCP on the wire (RFC 3550 section 6): compound packets read from bytes that nobody vouches
//! for, and written. Who says what when is `session`'s.

use super::session;
use smallvec::SmallVec;
use thiserror::Error;

pub use session::{RtcpStats, Session};

pub(super) const SENDER: u8 = 200;
pub(super) const RECEIVER: u8 = 201;
pub(super) const DESCRIPTION: u8 = 202;
pub(super) const BYE: u8 = 203;
const BLOCK_BYTES: usize = 24;
const CNAME: u8 = 1;

/// One reception report block (RFC 3550 section 6.4.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReportBlock {
    pub ssrc: u32,
    pub fraction_lost: u8,
    /// Signed 24 bits.
    pub lost: i32,
    pub highest_seq: u32,
    pub jitter: u32,
    pub last_sr: u32,
    pub delay_since_last_sr: u32,
}

/// What a sender says of its own stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SenderInfo {
    pub ntp: u64,
    pub rtp_ts: u32,
    pub packets: u32,
    pub octets: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rtcp<'a> {
    Sender { ssrc: u32, info: SenderInfo, blocks: Blocks },
    Receiver { ssrc: u32, blocks: Blocks },
    Name { ssrc: u32, cname: &'a [u8] },
    Bye { ssrc: u32 },
    Other { kind: u8 },
}

/// At most 31 report blocks, as the header's five bits allow.
pub type Blocks = SmallVec<[ReportBlock; 2]>;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum RtcpError {
    #[error("RTCP packet cut short")]
    Short,
    #[error("not RTCP version 2")]
    Version,
    #[error("a compound packet must begin with a report, not with {0}")]
    First(u8),
    #[error("padding that does not fit its packet")]
    Padding,
}

/// Reads a whole compound packet, calling `each` for every part. The whole is checked first: a
/// packet with one bad part tells nothing (RFC 3550 appendix A.2).
pub fn parse<'a>(bytes: &'a [u8], mut each: impl FnMut(Rtcp<'a>)) -> Result<(), RtcpError> {
    walk(bytes, &mut |_| {})?;
    walk(bytes, &mut each)
}

fn walk<'a>(bytes: &'a [u8], each: &mut dyn FnMut(Rtcp<'a>)) -> Result<(), RtcpError> {
    let mut rest = bytes;
    let mut first = true;
    while first || !rest.is_empty() {
        let (head, after) = rest.split_first_chunk::<4>().ok_or(RtcpError::Short)?;
        if head[0] >> 6 != 2 {
            return Err(RtcpError::Version);
        }
        let (count, kind) = (usize::from(head[0] & 0x1f), head[1]);
        if first && kind != SENDER && kind != RECEIVER {
            return Err(RtcpError::First(kind));
        }
        let length = usize::from(u16::from_be_bytes([head[2], head[3]])) * 4;
        let (mut body, next) = after.split_at_checked(length).ok_or(RtcpError::Short)?;
        if head[0] & 0x20 != 0 {
            // Only the last of a compound packet may be padded.
            let pad = usize::from(body.last().copied().unwrap_or(0));
            if first || !next.is_empty() || pad == 0 || !pad.is_multiple_of(4) || pad > body.len() {
                return Err(RtcpError::Padding);
            }
            body = &body[..body.len() - pad];
        }
        part(kind, count, body, each)?;
        rest = next;
        first = false;
    }
    Ok(())
}

fn part<'a>(
    kind: u8,
    count: usize,
    body: &'a [u8],
    each: &mut dyn FnMut(Rtcp<'a>),
) -> Result<(), RtcpError> {
    match kind {
        SENDER => {
            let (head, rest) = body.split_first_chunk::<24>().ok_or(RtcpError::Short)?;
            let info = SenderInfo {
                ntp: u64::from(word(head, 1)) << 32 | u64::from(word(head, 2)),
                rtp_ts: word(head, 3),
                packets: word(head, 4),
                octets: word(head, 5),
            };
            each(Rtcp::Sender { ssrc: word(head, 0), info, blocks: blocks(rest, count)? });
        }
        RECEIVER => {
            let (head, rest) = body.split_first_chunk::<4>().ok_or(RtcpError::Short)?;
            each(Rtcp::Receiver { ssrc: word(head, 0), blocks: blocks(rest, count)? });
        }
        DESCRIPTION => names(body, count, each)?,
        BYE => {
            let gone = body.get(..count * 4).ok_or(RtcpError::Short)?;
            gone.chunks_exact(4).for_each(|ssrc| each(Rtcp::Bye { ssrc: word(ssrc, 0) }));
        }
        kind => each(Rtcp::Other { kind }),
    }
    Ok(())
}

fn blocks(bytes: &[u8], count: usize) -> Result<Blocks, RtcpError> {
    let bytes = bytes.get(..count * BLOCK_BYTES).ok_or(RtcpError::Short)?;
    let read = |b: &[u8]| ReportBlock {
        ssrc: word(b, 0),
        fraction_lost: b[4],
        // Sign-extended from 24 bits.
        lost: (word(b, 1) << 8) as i32 >> 8,
        highest_seq: word(b, 2),
        jitter: word(b, 3),
        last_sr: word(b, 4),
        delay_since_last_sr: word(b, 5),
    };
    Ok(bytes.chunks_exact(BLOCK_BYTES).map(read).collect())
}

/// RFC 3550 section 6.5: chunks of a source and its items, each chunk padded to a word.
fn names<'a>(
    body: &'a [u8],
    count: usize,
    each: &mut dyn FnMut(Rtcp<'a>),
) -> Result<(), RtcpError> {
    let mut at = 0;
    for _ in 0..count {
        let ssrc = word(body.get(at..at + 4).ok_or(RtcpError::Short)?, 0);
        at += 4;
        loop {
            let kind = *body.get(at).ok_or(RtcpError::Short)?;
            if kind == 0 {
                at = (at + 4) & !3;
                break;
            }
            let length = usize::from(*body.get(at + 1).ok_or(RtcpError::Short)?);
            let text = body.get(at + 2..at + 2 + length).ok_or(RtcpError::Short)?;
            if kind == CNAME {
                each(Rtcp::Name { ssrc, cname: text });
            }
            at += 2 + length;
        }
    }
    Ok(())
}

/// The `index`th big-endian word; the caller has checked the length.
fn word(bytes: &[u8], index: usize) -> u32 {
    let at = index * 4;
    u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

/// Appends a sender's report, or a receiver's where there is no `info`.
pub fn write_report(out: &mut Vec<u8>, ssrc: u32, info: Option<SenderInfo>, of: &[ReportBlock]) {
    let of = &of[..of.len().min(31)];
    let (kind, fixed) = if info.is_some() { (SENDER, 24) } else { (RECEIVER, 4) };
    head(out, of.len(), kind, fixed + of.len() * BLOCK_BYTES);
    out.extend_from_slice(&ssrc.to_be_bytes());
    if let Some(info) = info {
        out.extend_from_slice(&info.ntp.to_be_bytes());
        for value in [info.rtp_ts, info.packets, info.octets] {
            out.extend_from_slice(&value.to_be_bytes());
        }
    }
    for block in of {
        let lost = block.lost.clamp(-0x80_0000, 0x7f_ffff) as u32 & 0xff_ffff;
        let words = [
            block.ssrc,
            u32::from(block.fraction_lost) << 24 | lost,
            block.highest_seq,
            block.jitter,
            block.last_sr,
            block.delay_since_last_sr,
        ];
        words.iter().for_each(|word| out.extend_from_slice(&word.to_be_bytes()));
    }
}

/// Appends a description that holds the one item that is mandatory. At most 255 bytes of name.
pub fn write_name(out: &mut Vec<u8>, ssrc: u32, cname: &[u8]) {
    let cname = &cname[..cname.len().min(255)];
    // At least one 0 ends the items.
    let padded = (4 + 2 + cname.len() + 4) & !3;
    head(out, 1, DESCRIPTION, padded);
    let start = out.len();
    out.extend_from_slice(&ssrc.to_be_bytes());
    out.extend_from_slice(&[CNAME, cname.len() as u8]);
    out.extend_from_slice(cname);
    out.resize(start + padded, 0);
}

pub fn write_bye(out: &mut Vec<u8>, ssrc: u32) {
    head(out, 1, BYE, 4);
    out.extend_from_slice(&ssrc.to_be_bytes());
}

fn head(out: &mut Vec<u8>, count: usize, kind: u8, body_bytes: usize) {
    let words = (body_bytes / 4) as u16;
    out.extend_from_slice(&[0x80 | count as u8, kind]);
    out.extend_from_slice(&words.to_be_bytes());
}
