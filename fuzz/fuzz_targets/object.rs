//! See `oxbpf_fuzz::object`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| oxbpf_fuzz::object(bytes));
