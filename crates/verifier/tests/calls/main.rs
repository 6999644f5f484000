//! What programs may ask of their surroundings, beside the running kernel: context and socket fields.

mod context;
mod kernel;
