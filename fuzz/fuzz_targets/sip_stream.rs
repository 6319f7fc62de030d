//! `undertone_fuzz::sip_stream` for libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| undertone_fuzz::sip_stream(data));
