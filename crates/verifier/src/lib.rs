//! The verifier: the kernel's verdict on a program, and why.
#![deny(unsafe_code)]

pub mod scalar;
