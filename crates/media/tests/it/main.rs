//! What media does as a whole, in virtual time.
#![allow(clippy::unwrap_used, clippy::print_stdout)] // Figures are printed, failures may panic.

mod bridge_digits;
mod bridge_forward;
mod bridge_sweep;
mod dsp_codec;
mod dsp_conceal;
mod dsp_jitter;
mod dsp_playout;
mod dsp_resample;
mod dsp_rtp;
