//! The running Linux kernel as an engine.
