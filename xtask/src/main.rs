//! Chores: `cargo xtask objects`, `cargo xtask captures`.
fn main() {}
