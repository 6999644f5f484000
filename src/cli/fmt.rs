//! `oxbpf fmt`: a text in another dialect.

use std::path::{Path, PathBuf};

use oxbpf_isa::text::{Dialect, convert, detect, parse_as};

use super::asm::output;
use super::{Exit, classic};
use crate::prog::{read, shown_name};

const EXAMPLES: &str = "\
Examples:
  oxbpf fmt --to ubpf drop.bpf
  oxbpf fmt --to macros - < drop.s > drop.h
  llvm-objdump-19 -d cls.o | oxbpf fmt --to gnu
  oxbpf fmt --from gnu --to clang part.s -o part.bpf

Labels, names, directives and comments stay as they are; slots, bytes and opcodes that listings put in front of
instructions are left out. Dialects are clang (llvm), kernel (bpftool), ubpf, rbpf, gnu (gas) and macros (c); docs/dialects.md
describes them.";

/// Rewrite a program's text in another dialect.
#[derive(clap::Args, Clone, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// The text; - for standard input
    #[arg(default_value = "-")]
    file: String,
    /// The dialect to write
    #[arg(long, value_name = "DIALECT", value_parser = dialect, default_value = "clang")]
    to: Dialect,
    /// The dialect to read, instead of the one that the text is recognised as
    #[arg(long, visible_alias = "syntax", value_name = "DIALECT", value_parser = dialect)]
    from: Option<Dialect>,
    /// Where the result goes instead of standard output; a file is replaced as a whole
    #[arg(short, long, value_name = "OUT")]
    output: Option<PathBuf>,
}

/// A dialect by name, for options.
pub(super) fn dialect(text: &str) -> Result<Dialect, String> {
    Dialect::by_name(text).ok_or_else(|| format!("one of {}", Dialect::ROWS.map(|r| r.name).join(", ")))
}

pub(super) fn main(arguments: Arguments) -> Exit {
    classic::ended(format(&arguments))
}

fn format(arguments: &Arguments) -> Result<(), String> {
    let name = shown_name(&arguments.file);
    let bytes = read(&arguments.file).map_err(|e| e.shown())?;
    let source = String::from_utf8(bytes)
        .map_err(|e| format!("error: {name}: no text: byte {} is not UTF-8", e.utf8_error().valid_up_to()))?;
    let source = source.strip_prefix('\u{feff}').unwrap_or(&source);
    let from = arguments.from.unwrap_or_else(|| detect(source));
    let shown = |e: oxbpf_isa::text::TextErrors| e.render(source, name).trim_end().to_string();
    let text = convert(source, from, arguments.to).map_err(shown)?;
    // A map or variable may be called what is a number in macros: a text that means something else is not written.
    let same = parse_as(source, from).ok().map(|s| s.insns) == parse_as(&text, arguments.to).ok().map(|s| s.insns);
    if !same {
        return Err(format!("error[fmt-names]: {name}: a name of this text means something else in {}", arguments.to));
    }
    match &arguments.output {
        Some(path) if path != Path::new("-") => {
            output::to_file(path, text.as_bytes()).map_err(|e| format!("error: {}: {e}", path.display()))
        }
        _ => output::to_stdout(text.as_bytes()).map_err(|e| format!("error: standard output: {e}")),
    }
}
