//! The server as a library, so that tests can start it on ports of the kernel's choice.
//!
//! Wiring only: what is decided is decided in core.

#![forbid(unsafe_code)]

mod assisting;
pub mod bindings;
pub mod care;
pub mod cli;
pub mod clock;
mod closing;
pub mod codes;
pub mod commands;
pub mod config;
pub mod demo;
pub mod doctor;
pub mod door;
pub mod figures;
mod first_link;
pub mod floor;
pub mod hashing;
pub mod health;
mod hearing_as;
mod history;
pub mod https;
pub mod ids;
pub mod keys;
mod labels;
pub mod limits;
pub mod listening;
pub mod live;
pub mod lock;
pub mod logs;
mod measured;
mod near;
pub mod notify;
pub mod pages;
pub mod provision;
pub mod recover;
pub mod reload;
pub mod running;
pub mod serve;
pub mod sessions;
pub mod sign_in;
pub mod switchboard;
pub mod trunks;
pub mod turn;
mod users;
pub mod watch;
