//! The BPF instruction set: wire form, typed form, text and meaning.
