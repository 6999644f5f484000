//! The `oxbpf` command as tests start it, and files for it.
#![allow(dead_code)] // Each test uses some of these.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// The command with these arguments and nothing on its standard input.
pub fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_oxbpf"));
    command.args(arguments).stdin(Stdio::null());
    command
}

/// What the command does with these arguments.
pub fn oxbpf(arguments: &[&str]) -> Output {
    command(arguments).output().expect("oxbpf starts")
}

/// What it printed.
pub fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// What it complained of.
pub fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// An empty directory of one test's own.
pub fn scratch(name: &str) -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(env!("CARGO_CRATE_NAME")).join(name);
    let _ = std::fs::remove_dir_all(&dir);
    std::fs::create_dir_all(&dir).unwrap();
    dir
}

/// A file with these bytes; its path.
pub fn write(dir: &Path, name: &str, bytes: impl AsRef<[u8]>) -> String {
    let path = dir.join(name);
    std::fs::write(&path, bytes).unwrap();
    path.to_str().unwrap().to_string()
}
