//! Filter expressions from outside: what they say of packets, how long their programs are, and what is wrong with them.

mod agree;
mod corpus;
mod errors;
mod generate;
mod optimizer;
mod oracle;
mod packets;
// Shared with the fuzz target, whose package is a workspace of its own.
#[path = "../../../../fuzz/src/steps.rs"]
mod steps;
