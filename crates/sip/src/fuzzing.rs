//! Doors for the fuzz targets to what reads a network's bytes; nothing else uses them. Each reads
//! whatever it is given to an end, and asserts what must hold of what it made of it.

use std::net::SocketAddr;

use crate::grammar;
use crate::types::Transport;
use crate::wire::{Hop, Reading, read};

/// A datagram. A refusal is a message of its own, and not much longer than what it refuses.
pub fn message(bytes: &[u8]) {
    let source = SocketAddr::from(([192, 0, 2, 7], 5_070));
    let hop = Hop { source, transport: Transport::Udp };
    let ours = ["192.0.2.1:5060".to_owned()];
    match read(bytes, &hop, &ours, "fuzz") {
        Reading::Refuse { bytes: answer, .. } => {
            assert!(answer.starts_with(b"SIP/2.0 ") && answer.ends_with(b"\r\n\r\n"));
            // Bytes that are no UTF-8 grow to three.
            assert!(answer.len() <= bytes.len() * 3 + 600, "{} bytes", answer.len());
        }
        Reading::Message(message) => {
            // What the library writes again is one message: no header of it splits another.
            let written = message.to_string();
            let again = read(written.as_bytes(), &hop, &ours, "fuzz");
            assert!(!matches!(again, Reading::Drop("no end of headers")), "{written:?}");
        }
        Reading::Ping | Reading::Drop(_) => {}
    }
}

/// One line. What is plain stays as it is.
pub fn address(line: &str) {
    if line.contains(['\r', '\n']) {
        return;
    }
    grammar::request_line(line);
    grammar::parameter(line, "tag");
    grammar::is_text(line);
    for name in ["Via", "From", "Contact", "CSeq"] {
        if let Ok(once) = grammar::plain(name, line) {
            assert_eq!(grammar::plain(name, &once).as_ref(), Ok(&once), "{name}: {line:?}");
        }
    }
    if let Ok(once) = grammar::target(line) {
        assert_eq!(grammar::target(&once).as_ref(), Ok(&once), "{line:?}");
    }
}
