//! The API over commands in memory: what it asks for, and how it words what it is answered.
#![allow(clippy::unwrap_used)] // tests say what they expect by failing

mod connections;
mod doors;
mod errors;
mod events;
mod guard;
mod idempotency;
mod memory;
mod openapi;
mod operations;
mod session;
mod stream;
