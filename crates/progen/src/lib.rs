//! Generated BPF programs for tests: valid by construction, varied by seed.
