//! ICE over TCP as a stream of bytes: each datagram behind its length in two bytes (RFC 4571
//! section 2, RFC 6544 section 3). Knows no socket.

/// No datagram of a browser is longer.
const FRAME_MAX_BYTES: usize = 2_048;

/// What came is no frame of a browser's; nothing after it can be understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAFrame;

/// The frames of one connection, in whatever pieces they come.
#[derive(Debug, Default)]
pub struct Frames {
    /// At most one frame and what was read behind it.
    partial: Vec<u8>,
}

impl Frames {
    /// As much as is to be read at once, before the frames in it are taken.
    pub const READ_MAX_BYTES: usize = FRAME_MAX_BYTES;

    pub fn came(&mut self, bytes: &[u8]) {
        self.partial.extend_from_slice(bytes);
    }

    /// The next whole frame, into `datagram`; false: the rest of it is still to come.
    pub fn next(&mut self, datagram: &mut Vec<u8>) -> Result<bool, NotAFrame> {
        let Some((head, rest)) = self.partial.split_first_chunk::<2>() else { return Ok(false) };
        let length = usize::from(u16::from_be_bytes(*head));
        if length == 0 || length > FRAME_MAX_BYTES {
            return Err(NotAFrame);
        }
        let Some(frame) = rest.get(..length) else { return Ok(false) };
        datagram.clear();
        datagram.extend_from_slice(frame);
        self.partial.drain(..length + 2);
        Ok(true)
    }

    /// Bytes that wait for the rest of their frame.
    pub fn waiting(&self) -> usize {
        self.partial.len()
    }

    /// Puts a datagram behind its length. False: it has no place in a frame.
    pub fn put(datagram: &[u8], into: &mut Vec<u8>) -> bool {
        let Ok(length) = u16::try_from(datagram.len()) else { return false };
        into.extend_from_slice(&length.to_be_bytes());
        into.extend_from_slice(datagram);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_is_taken_however_it_is_cut() {
        let said: [&[u8]; 4] = [b"a", &[7; 2_048], b"check", &[0; 300]];
        let mut wire = Vec::new();
        assert!(said.iter().all(|datagram| Frames::put(datagram, &mut wire)));
        for piece in [1, 2, 3, 700, wire.len()] {
            let (mut frames, mut got, mut one) = (Frames::default(), Vec::new(), Vec::new());
            for bytes in wire.chunks(piece) {
                frames.came(bytes);
                while frames.next(&mut one) == Ok(true) {
                    got.push(one.clone());
                }
            }
            assert_eq!(got, said, "in pieces of {piece}");
            assert_eq!(frames.waiting(), 0);
        }
    }

    #[test]
    fn an_empty_frame_and_one_too_long_are_none() {
        for head in [[0, 0], [8, 1], [0xff, 0xff]] {
            let mut frames = Frames::default();
            frames.came(&head);
            assert_eq!(frames.next(&mut Vec::new()), Err(NotAFrame), "{head:?}");
        }
    }
}
