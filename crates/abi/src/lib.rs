//! What a host offers a BPF program, as rows: helpers, maps, program types, context fields.
