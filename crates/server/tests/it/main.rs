//! The server as its neighbours see it: real phones on real sockets, real HTTP, in one process.

mod calls;
mod command;
mod field;
mod foreign_phone;
mod hearing_churn;
mod hearing_foreign;
mod hearing_journal;
mod hearing_modes;
mod hearing_tail;
mod house;
mod keys;
mod lives;
mod marks;
mod microphone;
mod modes;
mod ports;
mod registered;
mod rtp_socket;
mod rtp_sprayer;
mod scoreboard;
mod stage;
mod streams;
mod tapping;
mod trunks;
