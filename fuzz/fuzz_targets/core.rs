//! See `oxbpf_fuzz::core`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| oxbpf_fuzz::core(bytes));
