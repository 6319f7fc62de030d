//! A datagram as the endpoint reads it, and the lines that name somebody.

use undertone_sip::fuzzing;

pub fn sip_message(data: &[u8]) {
    fuzzing::message(data);
}

pub fn sip_address(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        fuzzing::address(text);
    }
}
