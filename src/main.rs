//! The `oxbpf` command.

fn main() -> std::process::ExitCode {
    oxbpf::cli::main()
}
