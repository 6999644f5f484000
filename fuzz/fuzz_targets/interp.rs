//! See `oxbpf_fuzz::interp`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| oxbpf_fuzz::interp(bytes));
