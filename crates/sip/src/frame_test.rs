//! However a stream is cut on its way, the same messages come out of it; whatever it holds,
//! reading it ends and grows nothing past its limits.

use proptest::prelude::*;

use super::{Fault, Frame, Framer, HEADERS_MAX_BYTES, MESSAGE_MAX_BYTES};

fn message(id: usize, body: &str, length: &str) -> String {
    format!("OPTIONS sip:a@b SIP/2.0\r\nCall-ID: {id}\r\n{length}\r\n\r\n{body}")
}

fn good(id: usize, body: &str) -> String {
    message(id, body, &format!("Content-Length: {}", body.len()))
}

/// Everything that comes out, given in pieces of these sizes in turn.
fn read(stream: &[u8], sizes: &[usize]) -> (Vec<Frame>, Option<Fault>) {
    let (mut framer, mut frames) = (Framer::default(), Vec::new());
    let (mut rest, mut sizes) = (stream, sizes.iter().cycle());
    while !rest.is_empty() {
        let size = sizes.next().copied().unwrap_or(1).clamp(1, rest.len());
        framer.push(&rest[..size]);
        rest = &rest[size..];
        loop {
            match framer.next() {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => break,
                Err(fault) => return (frames, Some(fault)),
            }
        }
        assert!(framer.bytes.len() <= MESSAGE_MAX_BYTES + size);
    }
    (frames, None)
}

fn fault_of(text: &str) -> u16 {
    read(text.as_bytes(), &[4_096]).1.map_or(0, |fault| fault.code)
}

#[test]
fn a_length_that_cannot_be_trusted_ends_the_stream_with_its_code() {
    assert_eq!(fault_of(&message(1, "", "X: y")), 400);
    assert_eq!(fault_of(&message(1, "", "Content-Length: -1")), 400);
    assert_eq!(fault_of(&message(1, "", "Content-Length: ")), 400);
    assert_eq!(fault_of(&message(1, "", "Content-Length: 0\r\nl: 1")), 400);
    assert_eq!(fault_of(&message(1, "", "Content-Length: 65536")), 413);
    assert_eq!(fault_of(&message(1, "", "Content-Length: 99999999999999999999999")), 413);
    assert_eq!(fault_of(&"x".repeat(HEADERS_MAX_BYTES + 1)), 513);
    let long = format!("X: {}\r\nContent-Length: 0", "y".repeat(HEADERS_MAX_BYTES));
    assert_eq!(fault_of(&message(1, "", &long)), 513);
}

#[test]
fn a_fault_keeps_the_headers_that_say_whom_to_answer() {
    let text = message(7, "", &format!("X: {}", "y".repeat(2 * HEADERS_MAX_BYTES)));
    let fault = read(text.as_bytes(), &[1_000]).1.unwrap();
    assert!(
        fault.head == b"OPTIONS sip:a@b SIP/2.0\r\nCall-ID: 7\r\n\r\n",
        "more than whole lines"
    );
}

#[test]
fn the_length_is_found_compact_folded_and_repeated() {
    for length in ["l: 3", "CONTENT-LENGTH :3", "Content-Length:\r\n 3", "l:3\r\nContent-Length: 3"]
    {
        let text = message(1, "abc", length);
        assert_eq!(read(text.as_bytes(), &[5]), (vec![Frame::Message(text.into())], None));
    }
    // A line that goes on is no header of its own.
    let text = message(1, "ab", "Subject: x\r\n l: 9\r\nContent-Length: 2");
    assert_eq!(read(text.as_bytes(), &[7]), (vec![Frame::Message(text.into())], None));
}

#[test]
fn empty_lines_are_skipped_and_two_of_them_are_a_ping() {
    let text = format!("\r\n{}\r\n\r\n\r\n\r\n{}\r\n", good(1, ""), good(2, "x"));
    let (frames, fault) = read(text.as_bytes(), &[1]);
    let expected = vec![
        Frame::Message(good(1, "").into()),
        Frame::Ping,
        Frame::Ping,
        Frame::Message(good(2, "x").into()),
    ];
    assert_eq!((frames, fault), (expected, None));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn a_stream_cut_anywhere_gives_the_same_messages(
        bodies in proptest::collection::vec("[ -~\r\n]{0,300}", 1..6),
        sizes in proptest::collection::vec(1_usize..400, 1..12),
    ) {
        let messages: Vec<String> = bodies.iter().enumerate().map(|(n, b)| good(n, b)).collect();
        let (frames, fault) = read(messages.concat().as_bytes(), &sizes);
        let expected: Vec<Frame> = messages.into_iter().map(|m| Frame::Message(m.into())).collect();
        prop_assert_eq!((frames, fault), (expected, None));
    }

    #[test]
    fn any_bytes_are_read_to_an_end(
        bytes in proptest::collection::vec(any::<u8>(), 0..2_000),
        sizes in proptest::collection::vec(1_usize..200, 1..12),
    ) {
        read(&bytes, &sizes);
    }
}
