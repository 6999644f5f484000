//! The code of an object as it stands there: what a disassembler shows.

use std::collections::{BTreeMap, HashMap};

use crate::error::ElfError;
use crate::file::{Elf, SectionKind, SymbolKind};
use crate::lines;

/// A section of instructions.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CodeSection {
    /// Its name.
    pub name: String,
    /// Its bytes.
    pub data: Vec<u8>,
    /// Its symbols: offset and name, in order.
    pub symbols: Vec<(u64, String)>,
    /// Its relocations: offset, number of the kind, and the symbol's name, or the section's of a symbol without.
    pub relocs: Vec<(u64, u32, String)>,
}

/// The sections of code that are not empty, in the order of the object.
///
/// # Errors
/// What is no object for BPF, or has names that cannot be read.
pub fn code_sections(bytes: &[u8]) -> Result<Vec<CodeSection>, ElfError> {
    let elf = Elf::parse(bytes)?;
    let mut out = Vec::new();
    for (index, section) in elf.sections.iter().enumerate() {
        if section.kind != SectionKind::Code || section.data.is_empty() {
            continue;
        }
        let mut symbols = Vec::new();
        for symbol in elf.symbols.iter().filter(|s| s.section == Some(index) && s.kind != SymbolKind::Section) {
            symbols.push((symbol.value, elf.symbol_name(symbol)?.to_owned()));
        }
        symbols.retain(|s| !s.1.is_empty());
        symbols.sort();
        let mut relocs = Vec::new();
        for reloc in &section.relocs {
            let symbol = elf.reloc_symbol(index, reloc)?;
            let of_section = symbol.section.and_then(|s| elf.sections.get(s)).map(|s| s.name);
            let name = match elf.symbol_name(symbol)? {
                "" => of_section.unwrap_or(""),
                name => name,
            };
            relocs.push((reloc.at, reloc.kind, name.to_owned()));
        }
        relocs.sort();
        out.push(CodeSection { name: section.name.to_owned(), data: section.data.to_vec(), symbols, relocs });
    }
    Ok(out)
}

/// The line of the source that an instruction begins, as BTF has it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SourceLine {
    /// The source's name.
    pub file: String,
    /// The line's number, from 1.
    pub line: u32,
    /// What stands there.
    pub text: String,
}

/// The lines of sections by the section's name, and there by the instruction's offset. Empty for an object without
/// such; of several lines for one instruction the first counts.
///
/// # Errors
/// What is no object for BPF, and broken types or lines.
pub fn source_lines(bytes: &[u8]) -> Result<HashMap<String, BTreeMap<u64, SourceLine>>, ElfError> {
    let elf = Elf::parse(bytes)?;
    let mut out: HashMap<String, BTreeMap<u64, SourceLine>> = HashMap::new();
    let Some(types) = lines::types(&elf)? else { return Ok(out) };
    let Some(records) = lines::records(&elf, &types)? else { return Ok(out) };
    let mut room = MAX_TEXT;
    for info in records.sections() {
        let section = out.entry(types.str(info.name).to_owned()).or_default();
        for line in &info.lines {
            let (file, text) = (types.str(line.file), types.str(line.line_text));
            room = room.checked_sub(file.len() + text.len()).ok_or(ElfError::TooMany {
                what: "bytes of source lines",
                count: (MAX_TEXT + 1) as u64,
                limit: MAX_TEXT as u64,
            })?;
            section.entry(line.insn_off.into()).or_insert_with(|| SourceLine {
                file: file.to_owned(),
                line: line.line,
                text: text.to_owned(),
            });
        }
    }
    Ok(out)
}

/// The most text of source lines: records may all name one that is long.
const MAX_TEXT: usize = 64 << 20;

/// Whether the object has DWARF, which other tools prefer to what BTF says of lines.
///
/// # Errors
/// What is no object for BPF.
pub fn has_dwarf(bytes: &[u8]) -> Result<bool, ElfError> {
    Ok(Elf::parse(bytes)?.section(".debug_info").is_some())
}
