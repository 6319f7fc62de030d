//! A byte stream cut into messages (RFC 3261 sections 7.5 and 18.3). Pure: bytes in, frames out.
//!
//! It finds the end of the headers and the Content-Length, and nothing else: what a frame holds is
//! judged by `wire`, as if it had come in a datagram. Where a length cannot be trusted the stream
//! cannot be either, and the fault says with what to answer before it is closed.

/// Of one message's headers, and of all of it.
pub(crate) const HEADERS_MAX_BYTES: usize = 16 * 1024;
pub(crate) const MESSAGE_MAX_BYTES: usize = 64 * 1024;

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Frame {
    /// One whole message.
    Message(Vec<u8>),
    /// Two empty lines: a keep-alive that wants one back (RFC 5626 section 3.5.1).
    Ping,
}

/// Why no more can be read from a stream: `code` answers the request in `head`, if it is one.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) code: u16,
    pub(crate) reason: &'static str,
    pub(crate) head: Vec<u8>,
}

#[derive(Debug, Default)]
pub(crate) struct Framer {
    bytes: Vec<u8>,
    /// No end of the headers begins before this one: a slow stream is not searched again and again.
    searched: usize,
    /// Of the message in hand, once its headers are whole.
    total: Option<usize>,
    /// CR and LF before a message, of the four that make a ping.
    empty: usize,
}

impl Framer {
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Whether a message has begun and is not whole.
    pub(crate) fn is_inside(&self) -> bool {
        !self.bytes.is_empty()
    }

    pub(crate) fn next(&mut self) -> Result<Option<Frame>, Fault> {
        if self.total.is_none() {
            if self.skip_empty_lines() {
                return Ok(Some(Frame::Ping));
            }
            self.total = self.find_total()?;
        }
        let Some(total) = self.total.filter(|total| self.bytes.len() >= *total) else {
            return Ok(None);
        };
        let rest = self.bytes.split_off(total);
        let message = std::mem::replace(&mut self.bytes, rest);
        (self.total, self.searched) = (None, 0);
        Ok(Some(Frame::Message(message)))
    }

    /// Section 7.5: CRLFs before a start line are skipped. True at each fourth byte of them.
    fn skip_empty_lines(&mut self) -> bool {
        let mut skipped = 0;
        let mut ping = false;
        for byte in &self.bytes {
            // CR and LF must alternate; any other order begins the count anew.
            let wanted = if self.empty.is_multiple_of(2) { b'\r' } else { b'\n' };
            match byte {
                b'\r' | b'\n' if *byte == wanted => self.empty += 1,
                b'\r' | b'\n' => self.empty = usize::from(*byte == b'\r'),
                _ => {
                    self.empty = 0;
                    break;
                }
            }
            skipped += 1;
            if self.empty == 4 {
                self.empty = 0;
                ping = true;
                break;
            }
        }
        self.bytes.drain(..skipped);
        ping
    }

    fn find_total(&mut self) -> Result<Option<usize>, Fault> {
        let from = self.searched.saturating_sub(3);
        let Some(at) = find(&self.bytes[from..], b"\r\n\r\n") else {
            self.searched = self.bytes.len();
            if self.bytes.len() > HEADERS_MAX_BYTES {
                return Err(self.fault(513, "Message Too Large"));
            }
            return Ok(None);
        };
        let head = from + at + 4;
        if head > HEADERS_MAX_BYTES {
            return Err(self.fault(513, "Message Too Large"));
        }
        match content_length(&self.bytes[..head]) {
            Ok(Some(length)) if length <= MESSAGE_MAX_BYTES - head => Ok(Some(head + length)),
            Ok(Some(_)) => Err(self.fault(413, "Request Entity Too Large")),
            // Section 20.14: it must be there on a stream.
            Ok(None) => Err(self.fault(400, "Bad Request - No Content-Length")),
            Err(()) => Err(self.fault(400, "Bad Request - Content-Length")),
        }
    }

    fn fault(&mut self, code: u16, reason: &'static str) -> Fault {
        let mut head = std::mem::take(&mut self.bytes);
        match find(&head, b"\r\n\r\n") {
            Some(end) => head.truncate(end + 4),
            // What came of the headers still says whom to answer.
            None => {
                head.truncate(HEADERS_MAX_BYTES);
                let line = head.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
                head.truncate(line);
                head.extend_from_slice(b"\r\n");
            }
        }
        Fault { code, reason, head }
    }
}

/// Of all lines that say one, folded or compact (section 7.3); they must agree.
fn content_length(head: &[u8]) -> Result<Option<usize>, ()> {
    let mut found: Option<usize> = None;
    let mut lines = head.split(|b| *b == b'\n').skip(1).peekable();
    while let Some(line) = lines.next() {
        let Some(colon) = line.iter().position(|b| *b == b':') else { continue };
        let name = line[..colon].trim_ascii();
        if line.starts_with(b" ")
            || line.starts_with(b"\t")
            || !(name.eq_ignore_ascii_case(b"content-length") || name.eq_ignore_ascii_case(b"l"))
        {
            continue;
        }
        let mut value = line[colon + 1..].trim_ascii().to_vec();
        while let Some(more) = lines.next_if(|l| l.starts_with(b" ") || l.starts_with(b"\t")) {
            value.extend_from_slice(more.trim_ascii());
        }
        let digits = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
        let text = std::str::from_utf8(&value).ok().filter(|_| digits).ok_or(())?;
        // More digits than a number holds is too large, not unreadable.
        let length = text.parse::<usize>().unwrap_or(usize::MAX);
        if found.is_some_and(|before| before != length) {
            return Err(());
        }
        found = Some(length);
    }
    Ok(found)
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

#[cfg(test)]
#[path = "frame_test.rs"]
mod tests;
