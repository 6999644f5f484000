//! Programs written as text, with directives for maps and program type, as units.
