//! Chores of the workspace: `cargo xtask objects`, `cargo xtask captures`, `cargo xtask docs`, `cargo xtask kernel-diff`.

#![forbid(unsafe_code)]

use std::process::ExitCode;

mod captures;
mod docs;
mod kernel_diff;
mod objects;
mod packets;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let done = match args.split_first() {
        Some((verb, rest)) if verb == "captures" => captures::run(rest),
        Some((verb, rest)) if verb == "docs" => docs::run(rest),
        Some((verb, rest)) if verb == "kernel-diff" => kernel_diff::run(rest),
        Some((verb, rest)) if verb == "objects" => objects::run(rest),
        _ => Err("usage: cargo xtask <captures|docs|kernel-diff|objects>".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("xtask: {why}");
            ExitCode::FAILURE
        }
    }
}
