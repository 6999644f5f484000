//! See `oxbpf_fuzz::compressed`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| oxbpf_fuzz::compressed(bytes));
