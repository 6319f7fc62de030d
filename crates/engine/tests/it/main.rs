//! The engine with real sockets and threads on loopback.

mod calls;
mod moves;
mod room;
