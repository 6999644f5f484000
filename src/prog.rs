//! PROG: how every verb names a program.
//!
//! | form | what it names |
//! |---|---|
//! | `obj.o` | the only program of an object, or that of its section `classifier` |
//! | `obj.o:section` | the program of a section |
//! | `obj.o:section/function` | one of several programs of a section |
//! | `prog.bpf` | a program as text, see `docs/text-format.md` |
//! | `raw:ebpf:FILE`, `FILE.bin` | bare instructions, eight bytes each |
//! | `bytecode:'4,40 0 0 12,…'` | a classic program as tc takes it |
//! | `@FILE` | a classic program in any format, see [`oxbpf_cbpf_asm::Format`] |
//! | `raw:cbpf:FILE`, `raw:cbpf-be:FILE` | a classic program as bytes, little-endian or big-endian |
//! | `filter:DLT:'EXPR'` | a filter expression over packets of a link type, see `docs/filter.md` |
//! | `prog.txt` | a classic program as text, where it is no eBPF text |
//! | `-` | any of these, by content, from standard input |
//!
//! Classic programs are migrated; [`Loaded::classic`] keeps what they were.

mod classic;
#[cfg(feature = "cli")]
pub(crate) mod each;
pub(crate) mod filter;

#[cfg(feature = "cli")]
pub(crate) use classic::{broken, looks_classic};

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::str::Utf8Error;
use std::sync::Arc;

use oxbpf_abi::{ProgType, is_gpl_compatible, uapi};
use oxbpf_elf::{ElfError, Object};
use oxbpf_ir::{BuildError, ProgIdx, Program, ProgramParts, Unit, UnitError};
use oxbpf_isa::{CallTarget, DecodeError, Insn, RawInsn, decode_all};
use oxbpf_runtime::Image;
use thiserror::Error;

use crate::{core_target, kconfig, text_unit};

pub use classic::{Classic, load_program as load_classic};

/// The largest file that is read as a program.
const MAX_FILE: u64 = 64 << 20;

/// Why PROG names no program that can be run.
#[derive(Debug, Error)]
#[allow(missing_docs)]
pub enum ProgError {
    #[error("{path}: {source}")]
    Read { path: String, source: std::io::Error },
    #[error("{path}: larger than {MAX_FILE} bytes")]
    TooLarge { path: String },
    #[error("{path}: {source}")]
    Object { path: String, source: Box<ElfError> },
    #[error("{path}: {len} bytes are not whole instructions of 8")]
    Length { path: String, len: usize },
    #[error("{path}: {source}")]
    Decode { path: String, source: DecodeError },
    #[error("{path}: {source}")]
    Build { path: String, source: BuildError },
    #[error("{path}: {source}")]
    Unit { path: String, source: UnitError },
    #[error("{path}: neither an ELF object nor text: {source}; bare instructions are named raw:ebpf:{path}")]
    NotText { path: String, source: Utf8Error },
    /// Rendered with places, one per error.
    #[error("{rendered}")]
    Text { rendered: String },
    /// A mistake in a filter expression, rendered with its place.
    #[error("{rendered}")]
    Filter { rendered: String, source: oxbpf_cbpf_asm::filter::FilterError },
    #[error("no link type `{name}`; there are {}", filter::link_names())]
    LinkType { name: String },
    /// A classic program that breaks rules, all of them told.
    #[error("{rendered}")]
    Classic { rendered: String },
    #[error("{path} is no object, so it has no section {section}")]
    NoSections { path: String, section: String },
    #[error("{what} is not supported yet")]
    Unsupported { what: String },
    /// As the kernel refuses it.
    #[error(
        "{path}: program {program} calls bpf_{helper}, which is for GPL-compatible licences; it declares {license:?}"
    )]
    License { path: String, program: String, helper: &'static str, license: String },
}

impl ProgError {
    /// A stable code, `prog-…`; of broken objects, instructions and programs, theirs.
    pub fn code(&self) -> &'static str {
        match self {
            ProgError::Read { .. } => "prog-read",
            ProgError::TooLarge { .. } => "prog-too-large",
            ProgError::Object { source, .. } => source.code(),
            ProgError::Length { .. } => "prog-length",
            ProgError::Decode { source, .. } => source.code(),
            ProgError::Build { source, .. } => source.code(),
            ProgError::Unit { source, .. } => source.code(),
            ProgError::NotText { .. } => "prog-not-text",
            ProgError::Text { .. } => "prog-text",
            ProgError::Filter { source, .. } => source.code(),
            ProgError::LinkType { .. } => "prog-link-type",
            ProgError::Classic { .. } => "prog-classic",
            ProgError::NoSections { .. } => "prog-no-sections",
            ProgError::Unsupported { .. } => "prog-unsupported",
            ProgError::License { .. } => "prog-license",
        }
    }

    /// The error as it is shown: with its code, or each with its own.
    #[cfg(feature = "cli")]
    pub(crate) fn shown(&self) -> String {
        match self {
            ProgError::Text { rendered } | ProgError::Classic { rendered } | ProgError::Filter { rendered, .. } => {
                rendered.trim_end().to_string()
            }
            _ => format!("error[{}]: {self}", self.code()),
        }
    }
}

/// A loaded program and what it came with.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// Its unit: the maps and the programs it can reach.
    pub unit: Arc<Unit>,
    /// Which of the unit's programs it is.
    pub entry: ProgIdx,
    /// What had to be assumed in reading it, for people.
    pub notes: Vec<String>,
    /// Of a classic program, what it was.
    pub classic: Option<Arc<Classic>>,
}

impl Loaded {
    /// The program.
    pub fn program(&self) -> &Program {
        &self.unit.programs()[self.entry.index()]
    }

    /// The program as engines take it, with nothing proved.
    pub fn image(&self) -> Image {
        Image::unproven(self.unit.clone(), self.entry)
    }
}

/// Loads what `prog` names. `forced` is the program type that the user gave; `fallback` that of a program whose
/// section or text tells none.
pub fn load(prog: &str, forced: Option<ProgType>, fallback: ProgType) -> Result<Loaded, ProgError> {
    load_with(prog, Types { forced, fallback, ..Types::new(fallback) })
}

/// Loads what `prog` names, see [`load`], with the types to adapt it to.
pub fn load_with(prog: &str, types: Types<'_>) -> Result<Loaded, ProgError> {
    if let Some(loaded) = classic::load(prog, types) {
        return loaded;
    }
    let (raw, name) = match prog.strip_prefix("raw:ebpf:") {
        Some(name) => (true, name),
        None => (false, prog),
    };
    let (path, section) = if raw { (name, None) } else { split(name) };
    let (bytes, path) = (read(path)?, shown_name(path));
    let raw = raw || (section.is_none() && is_bytecode(path, &bytes));
    if raw { load_raw(path, &bytes, types) } else { load_bytes(path, &bytes, section, types) }
}

/// What is said of a program besides its bytes: its type, besides section or text, and the kernel's types.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Types<'a> {
    /// The type that the user gave.
    pub forced: Option<ProgType>,
    /// The type of a program that nothing says more about.
    pub fallback: ProgType,
    /// The file with the types that CO-RE objects are adapted to; without one, the running kernel's.
    pub btf: Option<&'a Path>,
    /// The file with the kernel's configuration for objects that ask for settings; without one, the running kernel's.
    pub kconfig: Option<&'a Path>,
}

impl Types<'_> {
    /// This type where a program says none, and the running kernel for the rest.
    pub fn new(fallback: ProgType) -> Self {
        Types { forced: None, fallback, btf: None, kconfig: None }
    }
}

/// Loads a program from the bytes of a file: an object, or text. `path` is for messages.
pub fn load_bytes(path: &str, bytes: &[u8], section: Option<&str>, types: Types) -> Result<Loaded, ProgError> {
    if bytes.starts_with(b"\x7fELF") {
        return load_object(path, bytes, section, types);
    }
    if let Some(section) = section {
        return Err(ProgError::NoSections { path: path.into(), section: section.into() });
    }
    load_text(path, bytes, types)
}

/// The path and the section: the part after the last colon names a section where the whole is no file.
pub(crate) fn split(prog: &str) -> (&str, Option<&str>) {
    if Path::new(prog).exists() {
        return (prog, None);
    }
    // A section may have colons too; the longest prefix that is a file wins.
    let colons: Vec<usize> = prog.match_indices(':').map(|(at, _)| at).filter(|&at| at > 0).collect();
    let cut = colons.iter().rev().find(|&&at| is_input(&prog[..at])).or(colons.last());
    cut.map_or((prog, None), |&at| (&prog[..at], Some(&prog[at + 1..])))
}

fn is_input(path: &str) -> bool {
    path == "-" || Path::new(path).exists()
}

/// The bytes of a file, or of standard input for `-`.
pub(crate) fn read(path: &str) -> Result<Vec<u8>, ProgError> {
    let mut bytes = Vec::new();
    let result = match path {
        "-" => std::io::stdin().lock().take(MAX_FILE + 1).read_to_end(&mut bytes),
        _ => File::open(path).and_then(|file| file.take(MAX_FILE + 1).read_to_end(&mut bytes)),
    };
    let path = || shown_name(path).to_string();
    result.map_err(|source| ProgError::Read { path: path(), source })?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(ProgError::TooLarge { path: path() });
    }
    Ok(bytes)
}

/// Whether a file that says nothing of its own holds bare instructions: by its name, or on standard input by its bytes.
pub(crate) fn is_bytecode(path: &str, bytes: &[u8]) -> bool {
    let by_name = Path::new(path).extension().is_some_and(|e| e == "bin");
    // A zero byte is in nearly every instruction and in no text.
    let by_bytes = || bytes.contains(&0) || std::str::from_utf8(bytes).is_err();
    !bytes.starts_with(b"\x7fELF") && (by_name || (path == STDIN && by_bytes()))
}

/// The instructions that bare bytes are; their shape need not be that of a program.
pub(crate) fn decode(path: &str, bytes: &[u8]) -> Result<Vec<Insn>, ProgError> {
    let (words, rest) = bytes.as_chunks();
    if words.is_empty() || !rest.is_empty() {
        return Err(ProgError::Length { path: path.into(), len: bytes.len() });
    }
    let words: Vec<RawInsn> = words.iter().map(|word| RawInsn::from_bytes(*word)).collect();
    let insns = decode_all(&words).map_err(|source| ProgError::Decode { path: path.into(), source })?;
    Ok(insns.into_iter().map(|(_, insn)| insn).collect())
}

/// How standard input is called in messages.
const STDIN: &str = "stdin";

/// How a file is called in messages.
pub(crate) fn shown_name(path: &str) -> &str {
    if path == "-" { STDIN } else { path }
}

/// The last part of a path, which names a unit.
pub(crate) fn file_name(path: &str) -> &str {
    Path::new(path).file_name().and_then(|n| n.to_str()).unwrap_or(path)
}

fn load_object(path: &str, bytes: &[u8], section: Option<&str>, types: Types) -> Result<Loaded, ProgError> {
    let error = |source| ProgError::Object { path: path.into(), source: Box::new(source) };
    let mut object: Object = oxbpf_elf::load(bytes).map_err(error)?;
    let adapted = core_target::adapt(&mut object, types.btf)?;
    let settled = kconfig::settle(&mut object, types.kconfig)?;
    let entry = object.select(section).map_err(error)?;
    let program = &object.programs()[entry];
    let entry_type = type_of(program, types, "runs")?;
    // Programs that are tail-called have their caller's type, whatever their section is called.
    let unit = object.unit(file_name(path), &[entry], |_| Some(entry_type)).map_err(error)?;
    let notes = object.notes().iter().map(|n| n.to_string()).chain(adapted.notes).chain(settled).collect();
    licensed(path, &unit)?;
    Ok(Loaded { unit: Arc::new(unit), entry: ProgIdx(0), notes, classic: None })
}

/// The type of an object's program: forced, by its section, or the fallback. A section of a type that is not known here
/// has to be forced; `does` says what is then done with the program.
fn type_of(program: &oxbpf_elf::ObjProgram, types: Types<'_>, does: &str) -> Result<ProgType, ProgError> {
    let known = types.forced.or(program.prog_type());
    if known.is_none() && ProgType::is_foreign_section(program.section()) {
        let what = format!("the program type of section {} (--type {does} it as another)", program.section());
        return Err(ProgError::Unsupported { what });
    }
    Ok(known.unwrap_or(types.fallback))
}

/// Helpers for the GPL are not for others, as in the kernel.
fn licensed(path: &str, unit: &Unit) -> Result<(), ProgError> {
    if is_gpl_compatible(unit.license()) {
        return Ok(());
    }
    for program in unit.programs() {
        for insn in program.insns() {
            let Insn::Call(CallTarget::Helper(id)) = *insn else { continue };
            let row = u32::try_from(id).ok().and_then(uapi::helper_by_id);
            if let Some(row) = row.filter(|row| row.gpl_only) {
                let (program, license) = (program.name().to_string(), unit.license().to_string());
                return Err(ProgError::License { path: path.into(), program, helper: row.name, license });
            }
        }
    }
    Ok(())
}

fn load_raw(path: &str, bytes: &[u8], types: Types) -> Result<Loaded, ProgError> {
    let (name, prog_type) = (file_name(path), types.forced.unwrap_or(types.fallback));
    let parts = ProgramParts::new(name, prog_type, decode(path, bytes)?);
    let program = Program::new(parts).map_err(|source| ProgError::Build { path: path.into(), source })?;
    let unit = Unit::new(name, "GPL", Vec::new(), vec![program]);
    let unit = unit.map_err(|source| ProgError::Unit { path: path.into(), source })?;
    Ok(Loaded { unit: Arc::new(unit), entry: ProgIdx(0), notes: Vec::new(), classic: None })
}

fn load_text(path: &str, bytes: &[u8], types: Types) -> Result<Loaded, ProgError> {
    let source = std::str::from_utf8(bytes).map_err(|source| ProgError::NotText { path: path.into(), source })?;
    let options = text_unit::Options { prog_type: types.forced, default_type: types.fallback, ..Default::default() };
    let unit = match text_unit::parse(source, file_name(path), &options) {
        Ok(unit) => unit,
        // No text is both: what is no eBPF may be classic, and is called so where it looks like it.
        Err(errors) => match classic::from_bytes(path, bytes, None, types) {
            Err(e) if e.code() != "prog-text" || classic::looks_classic(source) => return Err(e),
            Err(_) => return Err(ProgError::Text { rendered: text_unit::render(&errors, source, path) }),
            loaded => return loaded,
        },
    };
    licensed(path, &unit)?;
    Ok(Loaded { unit: Arc::new(unit), entry: ProgIdx(0), notes: Vec::new(), classic: None })
}
