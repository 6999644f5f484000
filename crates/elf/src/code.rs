//! The code of an object as it stands there: what a disassembler shows.

use crate::error::ElfError;
use crate::file::{Elf, SectionKind, SymbolKind};

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
