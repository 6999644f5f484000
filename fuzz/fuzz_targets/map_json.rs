//! See `oxbpf_fuzz::map_json`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| oxbpf_fuzz::map_json(bytes));
