//! `undertone_fuzz::bridge_ops` for libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| undertone_fuzz::bridge_ops(data));
