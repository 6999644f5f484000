//! See `oxbpf_fuzz::classic_text`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| oxbpf_fuzz::classic_text(bytes));
