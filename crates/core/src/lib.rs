//! Everything that Undertone decides, as pure functions and state machines.
//!
//! No IO, no clock, no randomness, no async, no logging: time and identity come in with each
//! input, effects go out as data (`docs/ARCHITECTURE.md`).

#![forbid(unsafe_code)]

pub mod access;
pub mod attention;
pub mod audit;
pub mod call;
pub mod codes;
pub mod contact;
pub mod directory;
pub mod feedback;
pub mod floor;
pub mod hearing;
pub mod id;
pub mod identity;
pub mod labels;
pub mod never;
pub mod notice;
pub mod number;
pub mod outcome;
pub mod phone;
pub mod pin;
pub mod plan;
pub mod policy;
pub mod refusal;
pub mod routing;
pub mod seat;
pub mod seen;
pub mod supervision;
pub mod tapping;
pub mod time;
pub mod times;
pub mod traffic;
pub mod trunk;
pub mod view;
