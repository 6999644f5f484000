//! See `oxbpf_fuzz::pcap`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| oxbpf_fuzz::pcap(bytes));
