//! The shared IR: programs, facts, lowered code.
