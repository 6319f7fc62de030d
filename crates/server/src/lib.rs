//! The server as a library, so that tests can start it on ports of the kernel's choice.
//!
//! Wiring only: what is decided is decided in core.

pub mod clock;
pub mod config;
pub mod demo;
