//! Offer and answer (RFC 3264) for one audio leg: codecs, payload maps, direction, addresses.
//!
//! Pure: text in, text out. It opens no socket, and knows neither SIP nor who is on the call.

mod codec;
mod error;
mod media;
mod read;
mod session;
mod told;

pub use codec::{Codec, EventFormat, OpusParams};
pub use error::SdpError;
pub use media::{Capabilities, Direction, LocalAddr, Media};
pub use read::far_ip;
pub use session::Session;
pub use told::{Network, Told};
