//! The server as its neighbours see it: real phones on real sockets, real HTTP, in one process.

mod calls;
mod command;
mod house;
mod keys;
mod lives;
mod modes;
mod streams;
