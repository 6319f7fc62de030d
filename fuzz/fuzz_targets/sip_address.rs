//! `undertone_fuzz::sip_address` for libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| undertone_fuzz::sip_address(data));
