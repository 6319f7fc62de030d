//! The engine with real sockets and threads on loopback.
#![allow(clippy::unwrap_used)] // a test that cannot go on says so by failing

mod browsers;
mod browsers_near;
mod browsers_roads;
mod calls;
mod moves;
mod room;
mod salon;
mod strangers;
