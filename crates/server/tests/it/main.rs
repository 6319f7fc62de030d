//! The server as its neighbours see it: real phones on real sockets, real HTTP, in one process.

mod calls;
mod command;
mod crash;
mod field;
mod flood;
mod flood_rig;
mod foreign_phone;
mod hearing_churn;
mod hearing_foreign;
mod hearing_journal;
mod hearing_modes;
mod hearing_peers;
mod hearing_tail;
mod hearing_transfer;
mod house;
mod kamailio;
mod keys;
mod linphone;
mod lives;
mod marks;
mod microphone;
mod modes;
#[path = "../../../sip/tests/it/peer.rs"]
#[allow(dead_code, clippy::unwrap_used)] // of the SIP crate's tests, which use all of it
mod peer;
mod ports;
mod process;
mod referring;
mod registered;
mod rtp_socket;
mod rtp_sprayer;
mod scoreboard;
mod sent_on;
mod signals;
mod sipp_load;
mod stage;
mod streams;
mod support;
mod tapping;
mod telephony;
mod torture;
mod torture_rig;
mod transfers;
mod trunks;
mod unit;
mod upkeep;
