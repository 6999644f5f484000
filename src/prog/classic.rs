//! Classic programs: read in any format, checked by the kernel's rules, and migrated, so that every engine runs them.

use std::sync::Arc;

use oxbpf_abi::ProgType;
use oxbpf_cbpf_asm::filter::Link;
use oxbpf_cbpf_asm::{Diagnostic, Format, Options, Place, Read, insn_text};
use oxbpf_cbpf2ebpf::{Migrated, migrate};
use oxbpf_ir::{ProgIdx, Unit};
use oxbpf_isa::cbpf::{CheckError, Program, check_all};

use super::{Loaded, ProgError, Types, file_name, filter, read, shown_name};

/// A classic program as it was given, and what it became.
#[derive(Clone, Debug)]
pub struct Classic {
    /// The program, which keeps the kernel's rules.
    pub program: Program,
    /// The eBPF program that engines run, and which instruction came from which.
    pub migrated: Migrated,
    /// Of a filter expression, the link type it was compiled for: packets begin with that header.
    pub link: Option<Link>,
}

/// How PROG says that a program is classic.
const FORMS: [(&str, Option<Format>); 4] = [
    ("bytecode:", Some(Format::Tc)),
    ("raw:cbpf-be:", Some(Format::RawBe)),
    ("raw:cbpf:", Some(Format::RawLe)),
    ("@", None),
];

/// What a line of classic text begins with, and no line of eBPF text.
const WORDS: [&str; 12] = ["ld", "ldi", "ldh", "ldb", "ldx", "ldxi", "ldxb", "ret", "tax", "txa", "st", "stx"];

/// Loads what `prog` names, where its form says that it is classic.
pub(super) fn load(prog: &str, types: Types) -> Option<Result<Loaded, ProgError>> {
    if let Some(rest) = prog.strip_prefix(filter::PREFIX) {
        return Some(expression(rest, types));
    }
    let form = FORMS.iter().find_map(|(prefix, format)| prog.strip_prefix(prefix).map(|rest| (rest, *format)))?;
    Some(match form {
        (text, Some(Format::Tc)) => from_bytes("bytecode", text.as_bytes(), Some(Format::Tc), types),
        (path, format) => read(path).and_then(|bytes| from_bytes(shown_name(path), &bytes, format, types)),
    })
}

/// The program of `DLT:EXPR`.
fn expression(rest: &str, types: Types) -> Result<Loaded, ProgError> {
    let (link, code) = filter::compile_prog(rest)?;
    let read = Read { format: Format::Tc, code, places: Vec::new(), warnings: Vec::new() };
    become_ebpf(filter::NAME, check(filter::NAME, b"", &read)?, Some(link), types)
}

/// Whether a text that is no eBPF program looks like a classic one.
pub(crate) fn looks_classic(source: &str) -> bool {
    let first_word = |line: &str| {
        let statement = line.split_once(':').map_or(line, |(_, rest)| rest);
        statement.split_whitespace().next().is_some_and(|word| WORDS.contains(&word.to_ascii_lowercase().as_str()))
    };
    source.lines().any(first_word)
}

/// A program in the given format, or in the one that it seems to be in. `path` is for messages.
pub fn from_bytes(path: &str, bytes: &[u8], format: Option<Format>, types: Types) -> Result<Loaded, ProgError> {
    let rendered = |list: &[Diagnostic]| {
        let source = String::from_utf8_lossy(bytes);
        list.iter().map(|d| d.render(&source, path)).collect::<Vec<_>>().join("\n")
    };
    let read = oxbpf_cbpf_asm::read(bytes, format, &Options::default());
    let read = read.map_err(|errors| ProgError::Text { rendered: rendered(&errors) })?;
    let program = check(path, bytes, &read)?;
    let mut loaded = load_program(file_name(path), program, types)?;
    loaded.notes.extend(read.warnings.iter().map(|d| d.to_string()));
    Ok(loaded)
}

/// The program in what was read of these bytes; where it breaks rules, all of them are told.
fn check(path: &str, bytes: &[u8], read: &Read) -> Result<Program, ProgError> {
    Program::check(&read.code)
        .map_err(|_| ProgError::Classic { rendered: broken(path, bytes, read, &check_all(&read.code)) })
}

/// Broken rules, each above the line of its instruction; of files without lines, with the instruction's text.
pub(crate) fn broken(name: &str, bytes: &[u8], read: &Read, errors: &[CheckError]) -> String {
    let source = String::from_utf8_lossy(bytes);
    let rendered = |error: &CheckError| {
        let head = format!("error[{}]: {error}", error.code());
        match read.places.get(error.at) {
            Some(&Place { line, column, width }) => {
                oxbpf_isa::text::excerpt(&head, (line, column, width), &source, name)
            }
            None => match read.code.get(error.at) {
                Some(insn) => format!("{head}\n --> {name}: insn {}: {}\n", error.at, insn_text(error.at, *insn)),
                None => format!("{head}\n --> {name}\n"),
            },
        }
    };
    errors.iter().map(rendered).collect::<Vec<_>>().join("\n")
}

/// A checked program, ready for every engine.
pub fn load_program(name: &str, program: Program, types: Types) -> Result<Loaded, ProgError> {
    become_ebpf(name, program, None, types)
}

fn become_ebpf(name: &str, program: Program, link: Option<Link>, types: Types) -> Result<Loaded, ProgError> {
    let prog_type: ProgType = types.forced.unwrap_or(types.fallback);
    let migrated = migrate(&program, name, prog_type)
        .map_err(|e| ProgError::Classic { rendered: format!("error[{}]: {name}: {e}", e.code()) })?;
    // Nothing that a classic program becomes is kept for programs under a licence; it has maps neither.
    let unit = Unit::new(name, "GPL", Vec::new(), vec![migrated.program().clone()])
        .map_err(|source| ProgError::Unit { path: name.into(), source })?;
    let classic = Some(Arc::new(Classic { program, migrated, link }));
    Ok(Loaded { unit: Arc::new(unit), entry: ProgIdx(0), notes: Vec::new(), classic })
}
