//! `oxbpf disasm`.

use super::Exit;

/// To be written.
#[derive(clap::Args)]
pub(super) struct Arguments {}

pub(super) fn main(_: Arguments) -> Exit {
    Exit::Unsupported
}
