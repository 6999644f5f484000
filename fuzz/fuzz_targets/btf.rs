//! See `oxbpf_fuzz::btf`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| oxbpf_fuzz::btf(bytes));
