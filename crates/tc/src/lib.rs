//! tc semantics: hooks, modes and what a verdict means.
