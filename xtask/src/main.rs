//! Chores of the workspace, as `cargo xtask VERB`.
//!
//! - `captures`: writes the captures under `examples/captures`.

#![forbid(unsafe_code)]

mod captures;
mod packets;

use std::env;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

fn main() -> ExitCode {
    let verb = env::args().nth(1).unwrap_or_default();
    let done: Result<(), Box<dyn Error>> = match verb.as_str() {
        "captures" => captures::write_all().map_err(Into::into),
        _ => {
            eprintln!("usage: cargo xtask captures");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask {verb}: {error}");
            ExitCode::FAILURE
        }
    }
}

/// A path given from the workspace's root.
fn in_workspace(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the workspace").join(path)
}
