//! See `oxbpf_fuzz::decode`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| oxbpf_fuzz::decode(bytes));
