//! See `oxbpf_fuzz::text`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| oxbpf_fuzz::text(bytes));
