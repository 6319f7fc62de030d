//! One function a parser, and one each for the inputs of a call and the operations of a bridge:
//! whatever the bytes are, it comes to an end, panics never, and what must hold holds.
//!
//! `fuzz_targets` gives each to libFuzzer; `tests/it.rs` gives each the files of its corpus. It
//! knows the parsers by their public doors alone.

mod bridge;
mod bytes;
mod call;
mod media;
mod sdp;
mod sip;
mod toml;

pub use bridge::bridge_ops;
pub use call::call_inputs;
pub use media::{jitter, rtcp, rtp, telephone_events};
pub use sdp::sdp;
pub use sip::{sip_address, sip_message};
pub use toml::{config, provision};

/// A name, which is its corpus folder's too, and what takes the bytes.
pub type Target = (&'static str, fn(&[u8]));

pub const TARGETS: [Target; 11] = [
    ("sip_message", sip_message),
    ("sip_address", sip_address),
    ("sdp", sdp),
    ("rtp", rtp),
    ("rtcp", rtcp),
    ("jitter", jitter),
    ("telephone_events", telephone_events),
    ("config", config),
    ("provision", provision),
    ("call_inputs", call_inputs),
    ("bridge_ops", bridge_ops),
];
