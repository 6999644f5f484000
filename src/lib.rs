//! A pure-Rust toolchain for classic and extended BPF.
