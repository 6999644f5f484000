//! See `oxbpf_fuzz::ctx_json`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| oxbpf_fuzz::ctx_json(bytes));
