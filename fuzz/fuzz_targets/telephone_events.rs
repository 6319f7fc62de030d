//! `undertone_fuzz::telephone_events` for libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| undertone_fuzz::telephone_events(data));
