//! What programs may ask of their surroundings, beside the running kernel: context and socket fields, every argument of
//! every helper, and calls that keep or break the rules, and calls of global functions.

mod context;
mod global;
mod kernel;
mod mutated;
mod pairs;
mod prototypes;
