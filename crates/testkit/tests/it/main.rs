//! The bridge against itself: twin runs, and the whisper's tail.
#![allow(clippy::unwrap_used, clippy::print_stdout)] // Figures are printed, failures may panic.

mod twin_runs;
mod whisper_tail;
