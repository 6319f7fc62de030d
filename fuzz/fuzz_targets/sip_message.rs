//! `undertone_fuzz::sip_message` for libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| undertone_fuzz::sip_message(data));
