//! Chores: `cargo xtask objects`, `cargo xtask captures`.

use std::process::ExitCode;

mod objects;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let done = match args.split_first() {
        Some((verb, rest)) if verb == "objects" => objects::run(rest),
        _ => Err("usage: cargo xtask <objects>".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("xtask: {why}");
            ExitCode::FAILURE
        }
    }
}
