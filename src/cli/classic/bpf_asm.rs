//! The binary under the name `bpf_asm`, with the command line of the tool of that name: `bpf_asm [-c] [FILE]`.

use std::process::ExitCode;

use oxbpf_cbpf_asm::{Format, Options};

use super::{Named, convert, file};
use crate::cli::say;

/// Whether the process was called by this name.
pub(in crate::cli) fn is_called() -> bool {
    let name = std::env::args_os().next();
    name.is_some_and(|name| std::path::Path::new(&name).file_name().is_some_and(|n| n == "bpf_asm"))
}

/// Assembles FILE, or standard input, for tc; with `-c` as a table in C. Other options are passed over, as there. A
/// file that cannot be opened is an error here, while the original reads standard input in its place.
pub(in crate::cli) fn main() -> ExitCode {
    let mut to = Format::Tc;
    let mut path = "-".to_string();
    for argument in std::env::args().skip(1) {
        if argument.starts_with("-c") {
            to = Format::AsmC;
        } else if !argument.starts_with('-') {
            path = argument;
            break;
        }
    }
    let named = file(&path, Some(Format::Text));
    match named.and_then(|named: Named| convert(&named, to, &Options::default(), None)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            say(message.trim_end());
            ExitCode::FAILURE
        }
    }
}
