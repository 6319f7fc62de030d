//! `undertone_fuzz::ice_frames` for libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| undertone_fuzz::ice_frames(data));
