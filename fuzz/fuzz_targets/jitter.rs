//! `undertone_fuzz::jitter` for libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| undertone_fuzz::jitter(data));
