//! `undertone_fuzz::ice_check` for libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| undertone_fuzz::ice_check(data));
