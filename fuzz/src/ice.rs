//! What anybody may send to the ports of browsers: checks, and the frames of a TCP connection.

use crate::bytes::Bytes;
use undertone_media::leg::webrtc::{Frames, NotAFrame, is_check, named_in};

/// A name is a part of the datagram, and is the same however often it is read.
pub fn ice_check(data: &[u8]) {
    let Some(name) = named_in(data) else { return };
    assert!(is_check(data) && data.len() >= 20 + 4 + name.len(), "{name}");
    assert!((1..=508).contains(&name.len()) && !name.contains(':'), "{name}");
    let there = data
        .windows(name.len() + 1)
        .any(|some| some.split_last() == Some((&b':', name.as_bytes())));
    assert!(there, "{name} is not in it");
    // One byte less is another message.
    assert_eq!(named_in(&data[..data.len() - 1]), None);
}

/// However a stream is cut, the frames in it are the same, and no more waits than one of them.
pub fn ice_frames(data: &[u8]) {
    let mut bytes = Bytes(data);
    let mut cuts = bytes.some(16).to_vec();
    cuts.push(255);
    let stream = bytes.0;
    let whole = frames_of(std::iter::once(stream));
    let mut left = stream;
    let pieces = cuts.iter().cycle().map_while(|cut| {
        let piece = (usize::from(*cut) + 1).min(left.len());
        let (now, later) = left.split_at(piece);
        left = later;
        (!now.is_empty()).then_some(now)
    });
    assert_eq!(frames_of(pieces), whole);
    let (said, _) = whole;
    let mut again = Vec::new();
    assert!(said.iter().all(|frame| Frames::put(frame, &mut again)));
    assert!(stream.starts_with(&again), "frames that were not sent");
}

fn frames_of<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> (Vec<Vec<u8>>, Result<(), NotAFrame>) {
    let (mut frames, mut all, mut one) = (Frames::default(), Vec::new(), Vec::new());
    for piece in pieces {
        for some in piece.chunks(Frames::READ_MAX_BYTES) {
            frames.came(some);
            loop {
                match frames.next(&mut one) {
                    Ok(true) => all.push(one.clone()),
                    Ok(false) => break,
                    Err(error) => return (all, Err(error)),
                }
            }
            assert!(frames.waiting() < Frames::READ_MAX_BYTES + 2, "{} wait", frames.waiting());
        }
    }
    (all, Ok(()))
}
