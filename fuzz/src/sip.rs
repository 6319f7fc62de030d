//! What comes by SIP: datagrams, streams, the lines that name somebody, digests. What must hold is
//! asserted behind the SIP crate's own doors.

use undertone_sip::fuzzing;

fn line(data: &[u8], door: fn(&str)) {
    if let Ok(text) = std::str::from_utf8(data) {
        door(text);
    }
}

pub fn sip_message(data: &[u8]) {
    fuzzing::message(data);
}

pub fn sip_stream(data: &[u8]) {
    fuzzing::stream(data);
}

pub fn sip_address(data: &[u8]) {
    line(data, fuzzing::address);
}

pub fn sip_named(data: &[u8]) {
    line(data, fuzzing::named);
}

pub fn digest(data: &[u8]) {
    line(data, fuzzing::digest);
}

pub fn door(data: &[u8]) {
    line(data, fuzzing::door);
}
