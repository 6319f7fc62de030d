//! One function a parser, and one each for the inputs of a call and the operations of a bridge:
//! whatever the bytes are, it comes to an end, panics never, and what must hold holds.
//!
//! `fuzz_targets` gives each to libFuzzer; `tests/it.rs` gives each the files of its corpus. It
//! knows the parsers by their public doors alone.

mod api;
mod bridge;
mod bytes;
mod call;
mod dial;
mod ice;
mod inputs;
mod media;
mod sdp;
mod sip;
mod toml;

pub use api::api;
pub use bridge::bridge_ops;
pub use call::call_inputs;
pub use dial::{dialled, places};
pub use ice::{ice_check, ice_frames};
pub use media::{jitter, payloads, rtcp, rtp, telephone_events};
pub use sdp::sdp;
pub use sip::{digest, door, sip_address, sip_message, sip_named, sip_stream};
pub use toml::{config, provision};

/// A name, which is its corpus folder's too, and what takes the bytes.
pub type Target = (&'static str, fn(&[u8]));

pub const TARGETS: [Target; 21] = [
    ("sip_message", sip_message),
    ("sip_stream", sip_stream),
    ("sip_address", sip_address),
    ("sip_named", sip_named),
    ("digest", digest),
    ("door", door),
    ("sdp", sdp),
    ("rtp", rtp),
    ("rtcp", rtcp),
    ("ice_check", ice_check),
    ("ice_frames", ice_frames),
    ("telephone_events", telephone_events),
    ("payloads", payloads),
    ("jitter", jitter),
    ("dialled", dialled),
    ("places", places),
    ("config", config),
    ("provision", provision),
    ("api", api),
    ("call_inputs", call_inputs),
    ("bridge_ops", bridge_ops),
];
