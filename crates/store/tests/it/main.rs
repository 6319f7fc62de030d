//! The store on both engines: every test here runs on SQLite and on a PostgreSQL of its own.
#![allow(clippy::unwrap_used)] // tests say what they expect by failing
#![allow(clippy::print_stdout)] // figures of a run

mod accounts;
mod blocked;
mod crash;
mod directory;
mod fixture;
mod journal;
mod open_calls;
mod outcomes;
mod postgres;
mod private;
mod records;
mod sign_in;
