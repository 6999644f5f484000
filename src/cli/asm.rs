//! `oxbpf asm`: text to bytecode.

mod format;
pub(in crate::cli) mod output;

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use oxbpf_abi::ProgType;
use oxbpf_ir::{Program, Unit};

use super::{Exit, classic, disasm};
use crate::prog::{file_name, read, shown_name};
use crate::text_unit::{self, Options};
use format::Format;

const EXAMPLES: &str = "\
Examples:
  oxbpf asm drop.bpf -o drop.bin
  printf 'r0 = 2\\nexit' | oxbpf asm - --format hex
  oxbpf asm unit.bpf --program first --format c
  clang -target bpf -O2 -S prog.c -o - | oxbpf asm - --format json
  oxbpf asm filter.txt --emit tc
  tcpdump -ddd tcp port 80 | oxbpf asm - --emit rust

The text is BPF assembly in one of the dialects clang, kernel, ubpf, rbpf, gnu and macros, which are told apart by
themselves (docs/dialects.md), with directives for maps and programs: docs/text-format.md.
Bytes name maps by their number in the text; formats other than json carry no maps.

With --emit the program is classic: the text of bpf_asm, or any of the formats that --emit names, told apart by
themselves: text, tc (as bpf_asm prints it), asm-c (bpf_asm -c), d, dd, ddd (of tcpdump), raw-le, raw-be, c, rust, json.
What can be assembled but would be refused by the kernel is a warning; oxbpf verify tells whether there is any.";

/// Assemble a program written as text.
#[derive(clap::Args, Clone, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// The text; - for standard input
    file: String,
    /// Where the result goes instead of standard output; a file is replaced as a whole
    #[arg(short, long, value_name = "OUT")]
    output: Option<PathBuf>,
    /// What the result is
    #[arg(long, value_enum, default_value_t = Format::Raw)]
    format: Format,
    /// Only this program of a text with several
    #[arg(long, value_name = "NAME")]
    program: Option<String>,
    /// The program type, whatever the text says
    #[arg(long = "type", value_name = "TYPE", value_parser = prog_type)]
    prog_type: Option<ProgType>,
    /// The dialect of the text, instead of the one that it is recognised as
    #[arg(long, value_name = "DIALECT", value_parser = super::fmt::dialect, conflicts_with = "emit")]
    syntax: Option<oxbpf_isa::text::Dialect>,
    /// The program is classic, and the result is in this format
    #[arg(long, value_name = "FORMAT", value_parser = classic::format, conflicts_with_all = ["format", "program", "prog_type"])]
    emit: Option<oxbpf_cbpf_asm::Format>,
    /// Of classic text, refuse what bpf_asm refuses without reason
    #[arg(long, requires = "emit")]
    strict: bool,
    /// Of classic text, let conditions that reach over 255 instructions go through ja
    #[arg(long, requires = "emit")]
    relax: bool,
}

/// A program type by name, for options.
pub(super) fn prog_type(text: &str) -> Result<ProgType, String> {
    let names = || oxbpf_abi::PROG_TYPES.map(|r| r.name).join(", ");
    ProgType::by_name(text).ok_or_else(|| format!("one of {}", names()))
}

pub(super) fn main(arguments: Arguments) -> Exit {
    classic::ended(match arguments.emit {
        Some(format) => assemble_classic(&arguments, format),
        None => assemble(&arguments),
    })
}

fn assemble_classic(arguments: &Arguments, format: oxbpf_cbpf_asm::Format) -> Result<(), String> {
    let named = classic::named(&arguments.file).unwrap_or_else(|| classic::file(&arguments.file, None))?;
    let options = oxbpf_cbpf_asm::Options { strict: arguments.strict, relax: arguments.relax };
    classic::convert(&named, format, &options, arguments.output.as_deref())
}

fn assemble(arguments: &Arguments) -> Result<(), String> {
    let to_stdout = arguments.output.as_deref().is_none_or(|o| o == Path::new("-"));
    if to_stdout && arguments.format == Format::Raw && std::io::stdout().is_terminal() {
        return Err("error: bytes would spoil the terminal; give -o FILE, or another --format".to_string());
    }
    let name = shown_name(&arguments.file);
    let source = String::from_utf8(read(&arguments.file).map_err(|e| e.shown())?)
        .map_err(|e| format!("error: {name}: no text: byte {} is not UTF-8", e.utf8_error().valid_up_to()))?;
    let options = Options { prog_type: arguments.prog_type, syntax: arguments.syntax, ..Options::default() };
    let unit = text_unit::parse(&source, file_name(name), &options).map_err(|errors| {
        let hint = if classic::is_meant(&source) { "\nhelp: classic BPF is assembled with --emit FORMAT" } else { "" };
        text_unit::render(&errors, &source, name).trim_end().to_string() + hint
    })?;
    let bytes = formatted(&unit, arguments)?;
    match &arguments.output {
        Some(path) if !to_stdout => {
            output::to_file(path, &bytes).map_err(|e| format!("error: {}: {e}", path.display()))
        }
        _ => output::to_stdout(&bytes).map_err(|e| format!("error: standard output: {e}")),
    }
}

fn formatted(unit: &Unit, arguments: &Arguments) -> Result<Vec<u8>, String> {
    let all: Vec<&Program> = unit.programs().iter().map(|p| &**p).collect();
    let names = || all.iter().map(|p| p.name()).collect::<Vec<_>>().join(", ");
    let chosen: Vec<&Program> = match &arguments.program {
        None => all.clone(),
        Some(name) => all.iter().copied().filter(|p| p.name() == name).collect(),
    };
    Ok(match (arguments.format, &chosen[..]) {
        (_, []) => {
            let wanted = arguments.program.as_deref().unwrap_or_default();
            return Err(format!("error: no program {wanted}; there are {}", names()));
        }
        (Format::Raw, [program]) => format::raw(program),
        (Format::Raw, _) => {
            return Err(format!("error: bytes are of one program; choose by --program from {}", names()));
        }
        (Format::Hex, programs) => format::hex(programs).into_bytes(),
        (Format::C, programs) => format::c(programs).into_bytes(),
        (Format::Json, programs) => disasm::json::document("asm", unit, programs).into_bytes(),
    })
}
