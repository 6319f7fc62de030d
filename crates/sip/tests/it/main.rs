//! Scenarios of `sip.md` at T1 = 50 ms: two endpoints of ours, and ours against a scripted peer
//! and against sipp. Every wait is for an event, with a limit.
#![allow(clippy::unwrap_used)]

mod calls;
mod challenges;
mod crowds;
mod families;
mod floods;
mod glare;
mod hostile;
mod keeper;
mod load;
mod logs;
mod names;
mod nat;
mod own_calls;
mod peer;
mod prack;
mod redirect;
mod refer;
mod registrations;
mod replaces;
mod routes;
mod scripted_callee;
mod scripted_caller;
mod session_timer;
mod shutdown;
mod sipp;
mod sources;
mod stream;
mod support;
mod tcp;
mod told;
mod update;
