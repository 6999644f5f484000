//! The interpreter over lowered code.
