//! `oxbpf disasm`: bytecode, objects and texts as text.

mod bpftool;
pub(in crate::cli) mod json;

use std::path::PathBuf;

use oxbpf_abi::ProgType;
use oxbpf_elf::{ObjProgram, Object};
use oxbpf_ir::{Program, Unit};
use oxbpf_isa::CallTarget;
use oxbpf_isa::text::{Names, PrintOptions as InsnOptions};

use super::asm::{output, prog_type};
use super::{Exit, classic, say};
use crate::listing::{bpftool as bpftool_listing, objdump};
use crate::prog::{ProgError, decode, file_name, is_bytecode, read, shown_name, split};
use crate::text_unit::{self, Options, PrintOptions};
use crate::{core_target, kconfig};

const EXAMPLES: &str = "\
Examples:
  oxbpf disasm examples/port_redirect.o --labels
  oxbpf disasm cls.o:tc/main --slots --bytes
  oxbpf disasm raw:ebpf:drop.bin
  oxbpf disasm cls.o --syntax macros
  oxbpf disasm cls.o --listing llvm-objdump --reloc --source
  oxbpf disasm cls.o --listing bpftool --xlated --opcodes
  oxbpf asm drop.bpf | oxbpf disasm - --json
  tcpdump -ddd tcp port 80 | oxbpf disasm - --emit d

PROG is obj.o for all programs of an object, obj.o:section, obj.o:section/function, a text (which is brought into
form), raw:ebpf:FILE or FILE.bin for bytecode, or - for any of these on standard input.
Classic programs are bytecode:'N,code jt jf k,...', filter:DLT:'EXPR', raw:cbpf:FILE, raw:cbpf-be:FILE, @FILE, a file that looks like one,
or with --format or --emit any file; --emit shows them in another format than text (see oxbpf asm).
What is listed can be assembled again; of bytecode, which says nothing of maps, as far as it names none.";

/// List programs as text that `oxbpf asm` reads.
#[derive(clap::Args, Clone, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// The program, see below
    prog: String,
    /// Labels for the targets of jumps and calls, instead of distances
    #[arg(long)]
    labels: bool,
    /// The raw bytes in front of each instruction
    #[arg(long)]
    bytes: bool,
    /// The slot in front of each instruction
    #[arg(long)]
    slots: bool,
    /// The dialect that is written
    #[arg(long, value_name = "DIALECT", value_parser = super::fmt::dialect, default_value = "clang", conflicts_with = "json")]
    syntax: oxbpf_isa::text::Dialect,
    /// An object as llvm-objdump of LLVM 19 lists it, or programs as bpftool 7.1 does, byte for byte
    #[arg(long, value_name = "TOOL", value_parser = ["llvm-objdump", "bpftool"], conflicts_with_all = ["labels", "bytes", "slots", "json"])]
    listing: Option<String>,
    /// Of llvm-objdump's listing, leave the raw bytes out
    #[arg(long, requires = "listing")]
    no_show_raw_insn: bool,
    /// Of llvm-objdump's listing, show the relocations
    #[arg(long, requires = "listing")]
    reloc: bool,
    /// Of llvm-objdump's listing, show the source lines that BTF has (-S)
    #[arg(long, requires = "listing")]
    source: bool,
    /// Of llvm-objdump's listing, show the numbers of source lines (-l)
    #[arg(long, requires = "listing")]
    line_numbers: bool,
    /// Of bpftool's listing, show the bytes below each instruction
    #[arg(long, requires = "listing", conflicts_with_all = LLVM_ONLY)]
    opcodes: bool,
    /// Of bpftool's listing, show file, line and column of source lines
    #[arg(long, requires = "listing", conflicts_with_all = LLVM_ONLY)]
    linum: bool,
    /// Of bpftool's listing, load the programs and show what the running kernel makes of them
    #[arg(long, requires = "listing", conflicts_with_all = LLVM_ONLY)]
    xlated: bool,
    /// A JSON document instead of a listing
    #[arg(long, conflicts_with_all = ["labels", "bytes", "slots"])]
    json: bool,
    /// The program type, whatever section or text say
    #[arg(long = "type", value_name = "TYPE", value_parser = prog_type)]
    prog_type: Option<ProgType>,
    /// The kernel's types that a CO-RE object is adapted to, as BTF or ELF file; without it the running kernel's
    #[arg(long, value_name = "FILE")]
    btf: Option<PathBuf>,
    /// The kernel's configuration that objects take settings from; without it the running kernel's
    #[arg(long, value_name = "FILE")]
    kconfig: Option<PathBuf>,
    /// The program is classic, in this format
    #[arg(long, value_name = "FORMAT", value_parser = classic::format, conflicts_with_all = EBPF_ONLY)]
    format: Option<oxbpf_cbpf_asm::Format>,
    /// The program is classic, and shown in this format instead of text
    #[arg(long, value_name = "FORMAT", value_parser = classic::format, conflicts_with_all = EBPF_ONLY)]
    emit: Option<oxbpf_cbpf_asm::Format>,
}

const LLVM_ONLY: [&str; 4] = ["no_show_raw_insn", "reloc", "source", "line_numbers"];

const EBPF_ONLY: [&str; 5] = ["labels", "bytes", "slots", "json", "prog_type"];

/// The classic program that is meant, if one is.
fn classic_program(arguments: &Arguments) -> Option<Result<classic::Named, String>> {
    let prog = &arguments.prog;
    if let Some(named) = classic::named(prog) {
        return Some(named);
    }
    (arguments.format.is_some() || arguments.emit.is_some()).then(|| classic::file(prog, arguments.format))
}

fn list_classic(mut named: classic::Named, arguments: &Arguments) -> Result<(), String> {
    use oxbpf_cbpf_asm::{Format, Options};
    named.format = arguments.format.or(named.format);
    // JSON is one of the formats.
    let to = if arguments.json { Format::Json } else { arguments.emit.unwrap_or(Format::Text) };
    classic::convert(&named, to, &Options::default(), None)
}

/// A file that is no eBPF text, but looks like a classic program.
fn list_as_classic(source: &str, name: &str, arguments: &Arguments) -> Result<Listing, String> {
    use oxbpf_cbpf_asm::{Format, Options, write};
    let named = classic::Named { name: name.into(), bytes: source.as_bytes().to_vec(), format: None };
    let read = classic::parse(&named, &Options::default())?;
    let to = if arguments.json { Format::Json } else { Format::Text };
    let bytes = write(to, &read.code).map_err(|e| format!("error[{}]: {name}: {e}", e.code()))?;
    Ok(Listing::whole(String::from_utf8_lossy(&bytes).into_owned()))
}

pub(super) fn main(arguments: Arguments) -> Exit {
    if let Some(named) = classic_program(&arguments) {
        return classic::ended(named.and_then(|named| list_classic(named, &arguments)));
    }
    let listing = match list(&arguments) {
        Ok(listing) => listing,
        Err(fault) => {
            say(fault.message.trim_end());
            return fault.exit;
        }
    };
    if let Err(e) = output::to_stdout(listing.text.as_bytes()) {
        say(format_args!("error: standard output: {e}"));
        return Exit::Usage;
    }
    for fault in &listing.left_out {
        say(&fault.message);
    }
    exit(&listing.left_out)
}

/// The exit code of faults of several programs: not supported, where that is all that is wrong.
fn exit(faults: &[Fault]) -> Exit {
    faults
        .iter()
        .map(|f| f.exit)
        .find(|e| *e != Exit::Unsupported)
        .or(faults.first().map(|f| f.exit))
        .unwrap_or(Exit::Ok)
}

/// Why something is not listed.
struct Fault {
    message: String,
    exit: Exit,
}

impl From<String> for Fault {
    fn from(message: String) -> Fault {
        Fault { message, exit: Exit::Usage }
    }
}

/// A listing, and why programs are missing in it.
struct Listing {
    text: String,
    left_out: Vec<Fault>,
}

impl Listing {
    fn whole(text: String) -> Listing {
        Listing { text, left_out: Vec::new() }
    }
}

fn llvm_objdump(path: &str, bytes: &[u8], arguments: &Arguments) -> Result<Listing, Fault> {
    let options = objdump::Options {
        bytes: !arguments.no_show_raw_insn,
        relocs: arguments.reloc,
        source: arguments.source,
        numbers: arguments.line_numbers,
    };
    let name = shown_name(path);
    let error = |e: oxbpf_elf::ElfError| format!("error[{}]: {name}: {e}", e.code());
    if (options.source || options.numbers) && oxbpf_elf::has_dwarf(bytes).map_err(error)? {
        let message = format!(
            "error[listing-dwarf]: {name}: source lines of DWARF are not supported\n\
             help: llvm-strip -g leaves those of BTF, which are shown"
        );
        return Err(Fault { message, exit: Exit::Unsupported });
    }
    Ok(Listing::whole(objdump::print(path, bytes, &options).map_err(error)?))
}

fn list(arguments: &Arguments) -> Result<Listing, Fault> {
    if let Some(path) = arguments.prog.strip_prefix("raw:ebpf:") {
        return Ok(Listing::whole(bare(path, &bytes_of(path)?, arguments)?));
    }
    let (path, section) = split(&arguments.prog);
    let bytes = bytes_of(path)?;
    let bpftool_only = arguments.opcodes || arguments.linum || arguments.xlated;
    let lines = arguments.source || arguments.line_numbers;
    match arguments.listing.as_deref() {
        Some("llvm-objdump") if bpftool_only => {
            return Err("error: --opcodes, --linum and --xlated are of --listing bpftool".to_owned().into());
        }
        Some("bpftool") if arguments.no_show_raw_insn || arguments.reloc || lines => {
            let what = "error: --no-show-raw-insn, --reloc, --source and --line-numbers are of --listing llvm-objdump";
            return Err(what.to_owned().into());
        }
        _ => {}
    }
    if arguments.listing.as_deref() == Some("llvm-objdump") {
        return llvm_objdump(path, &bytes, arguments);
    }
    if bytes.starts_with(b"\x7fELF") {
        return object(path, &bytes, section, arguments);
    }
    let name = shown_name(path);
    if let Some(section) = section {
        let error = ProgError::NoSections { path: name.to_string(), section: section.to_string() };
        return Err(error.shown().into());
    }
    match std::str::from_utf8(&bytes) {
        // A zero byte is in nearly every instruction and in no text.
        Ok(source) if !is_bytecode(path, &bytes) && !bytes.contains(&0) => {
            let options = Options { prog_type: arguments.prog_type, ..Options::default() };
            let unit = text_unit::parse(source, file_name(name), &options);
            let unit = match unit {
                Ok(unit) => unit,
                Err(_) if classic::is_meant(source) => return Ok(list_as_classic(source, name, arguments)?),
                Err(errors) => return Err(text_unit::render(&errors, source, name).into()),
            };
            // Its source lines would only say again what they say.
            Ok(Listing::whole(shown(&unit, name, arguments, false)?))
        }
        _ => Ok(Listing::whole(bare(path, &bytes, arguments)?)),
    }
}

fn bytes_of(path: &str) -> Result<Vec<u8>, String> {
    read(path).map_err(|e| e.shown())
}

fn insn_options(arguments: &Arguments) -> InsnOptions {
    InsnOptions { labels: arguments.labels, slots: arguments.slots, bytes: arguments.bytes, dialect: arguments.syntax }
}

fn shown(unit: &Unit, name: &str, arguments: &Arguments, source_lines: bool) -> Result<String, Fault> {
    if let Some(options) = bpftool_options(arguments) {
        return if arguments.xlated {
            bpftool::translated(unit, name, &options)
        } else {
            Ok(bpftool::unit(unit, &options))
        };
    }
    if arguments.json {
        let programs: Vec<&Program> = unit.programs().iter().map(|p| &**p).collect();
        return Ok(json::document("disasm", unit, &programs));
    }
    Ok(text_unit::print(unit, &PrintOptions { insns: insn_options(arguments), source_lines }))
}

/// How bpftool's listing is wanted, if it is.
fn bpftool_options(arguments: &Arguments) -> Option<bpftool_listing::Options> {
    let Arguments { opcodes, linum, .. } = *arguments;
    (arguments.listing.as_deref() == Some("bpftool")).then_some(bpftool_listing::Options { opcodes, linum })
}

/// Bytecode of which nothing else is known.
fn bare(path: &str, bytes: &[u8], arguments: &Arguments) -> Result<String, String> {
    let name = shown_name(path);
    let insns = decode(name, bytes).map_err(|e| e.shown())?;
    if arguments.xlated {
        return Err(format!("error: {name}: --xlated wants an object or a text, whose maps and type are known"));
    }
    if let Some(options) = bpftool_options(arguments) {
        let listed = bpftool_listing::Listed { insns: oxbpf_isa::encode_all(&insns), ..Default::default() };
        return Ok(bpftool_listing::print(&listed, &options, &bpftool_listing::Helpers));
    }
    if arguments.json {
        return Ok(json::bare(file_name(name), &insns));
    }
    Ok(oxbpf_isa::text::print(&insns, &insn_options(arguments), &Helpers))
}

/// Names of helpers only.
pub(super) struct Helpers;

impl Names for Helpers {
    fn call(&self, target: CallTarget) -> Option<String> {
        crate::text_unit::helper_name(target)
    }
}

fn object(path: &str, bytes: &[u8], section: Option<&str>, arguments: &Arguments) -> Result<Listing, Fault> {
    let name = shown_name(path);
    let fault = |e: oxbpf_elf::ElfError| Fault {
        message: format!("error[{}]: {name}: {e}", e.code()),
        exit: if e.is_unsupported() { Exit::Unsupported } else { Exit::Usage },
    };
    let mut object = oxbpf_elf::load(bytes).map_err(fault)?;
    let adapted = core_target::adapt(&mut object, arguments.btf.as_deref()).map_err(|e| e.shown())?;
    let settled = kconfig::settle(&mut object, arguments.kconfig.as_deref()).map_err(|e| e.shown())?;
    for note in adapted.notes.into_iter().chain(settled) {
        say(format_args!("note: {name}: {note}"));
    }
    let roots = match section {
        None => (0..object.programs().len()).collect(),
        Some(section) => {
            let within = |p: &ObjProgram| p.section() == section;
            let all: Vec<usize> = (0..object.programs().len()).filter(|&i| within(&object.programs()[i])).collect();
            if all.is_empty() { vec![object.select(Some(section)).map_err(fault)?] } else { all }
        }
    };
    if roots.is_empty() {
        return Err(format!("error: {name}: the object has no programs").into());
    }
    let mut left_out = Vec::new();
    let unit = match link(&object, name, &roots, arguments) {
        Ok(unit) => unit,
        // One program's fault is not the others': list those that can be linked.
        Err(first) => {
            let survey = object.survey();
            let (sound, faulty): (Vec<usize>, Vec<usize>) =
                roots.iter().partition(|&&root| survey[root].fault.is_none());
            for root in faulty {
                if let Some(error) = &survey[root].fault {
                    let Fault { message, exit } = fault(error.clone());
                    let message = format!("{message} (program {})", object.programs()[root].name());
                    left_out.push(Fault { message, exit });
                }
            }
            if left_out.is_empty() {
                return Err(fault(first));
            }
            if sound.is_empty() {
                let messages: Vec<_> = left_out.iter().map(|f| &*f.message).collect();
                return Err(Fault { message: messages.join("\n"), exit: exit(&left_out) });
            }
            link(&object, name, &sound, arguments).map_err(|_| fault(first))?
        }
    };
    Ok(Listing { text: shown(&unit, name, arguments, true)?, left_out })
}

fn link(object: &Object, name: &str, roots: &[usize], arguments: &Arguments) -> Result<Unit, oxbpf_elf::ElfError> {
    // Tail-call sections tell no type: theirs is that of the program in front.
    let fallback = roots.iter().find_map(|&r| object.programs()[r].prog_type()).unwrap_or(ProgType::SchedCls);
    object.unit_to_list(file_name(name), roots, |p| arguments.prog_type.or(p.prog_type()).or(Some(fallback)))
}
