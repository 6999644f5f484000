//! What is known of a number.
