//! Scenarios of `sip.md` at T1 = 50 ms: two endpoints of ours, and ours against a scripted peer
//! and against sipp. Every wait is for an event, with a limit.
#![allow(clippy::unwrap_used)]

mod calls;
mod hostile;
mod load;
mod logs;
mod peer;
mod scripted_callee;
mod scripted_caller;
mod sipp;
mod support;
