//! Two phones of ours, over loopback, with real signalling and real sound.
#![allow(clippy::unwrap_used)] // a test that cannot go on says so by failing

mod calls;
mod pair;
mod refusals;
