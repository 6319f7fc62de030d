//! `undertone_fuzz::call_inputs` for libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| undertone_fuzz::call_inputs(data));
