//! The verifier from outside: its codes and their pages, rejected programs and how they are shown, the command line.

#[path = "../cli/mod.rs"]
mod cli;
mod codes;
mod command;
mod rejected;
mod verdicts;
