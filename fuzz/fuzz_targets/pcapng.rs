//! See `oxbpf_fuzz::pcapng`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| oxbpf_fuzz::pcapng(bytes));
