//! Runs every `tests/filetests/**/*.bpf` through every engine; `docs/file-tests.md` tells what a file says.

#[path = "filetests/runner/mod.rs"]
mod runner;

fn main() -> std::process::ExitCode {
    runner::main()
}
