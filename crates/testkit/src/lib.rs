//! For tests only: what is in a signal, a network that misbehaves by seed, virtual
//! time, a name server.

pub mod browser;
pub mod dns;
pub mod link;
pub mod sim;
pub mod spectrum;
pub mod tone_ear;
pub mod twin;
