//! What an object consists of, for people: sections and relocations as they
//! stand in the file.

use std::sync::Arc;

use crate::error::ElfError;
use crate::file::{Elf, SectionKind, Symbol};

/// An object's sections and the relocations of its code and data.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Inspection {
    /// All sections but the empty first one.
    pub sections: Vec<SectionRow>,
    /// Relocations by section and place.
    pub relocations: Vec<RelocRow>,
}

/// A section.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SectionRow {
    /// Its number.
    pub index: usize,
    /// Its name.
    pub name: Arc<str>,
    /// Its type (`sh_type`).
    pub sh_type: u32,
    /// Its flags (`sh_flags`).
    pub flags: u64,
    /// Its size, also of what is not in the file.
    pub size: u64,
}

impl SectionRow {
    /// What its type is called, where ELF or LLVM has a name for it.
    pub fn type_name(&self) -> Option<&'static str> {
        SECTION_TYPES.iter().find(|row| row.0 == self.sh_type).map(|row| row.1)
    }

    /// Its flags as letters: written to, allocated, executed, merged, of strings.
    pub fn flag_letters(&self) -> String {
        FLAGS.iter().filter(|row| self.flags & row.0 != 0).map(|row| row.1).collect()
    }
}

/// A relocation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RelocRow {
    /// The section it applies to.
    pub section: Arc<str>,
    /// Where, in bytes.
    pub at: u64,
    /// Its kind's number.
    pub kind: u32,
    /// The symbol; of a section's symbol, the section.
    pub symbol: Arc<str>,
}

impl RelocRow {
    /// What its kind is called, where BPF has it.
    pub fn kind_name(&self) -> Option<&'static str> {
        RELOCATIONS.iter().find(|row| row.0 == self.kind).map(|row| row.1)
    }
}

/// Section types by number.
const SECTION_TYPES: [(u32, &str); 9] = [
    (0, "null"),
    (1, "progbits"),
    (2, "symtab"),
    (3, "strtab"),
    (4, "rela"),
    (8, "nobits"),
    (9, "rel"),
    (17, "group"),
    (0x6fff_4c03, "llvm_addrsig"),
];

/// Section flags by their letters.
const FLAGS: [(u64, char); 5] = [(1, 'W'), (2, 'A'), (4, 'X'), (16, 'M'), (32, 'S')];

/// BPF's relocations by number.
const RELOCATIONS: [(u32, &str); 6] = [
    (0, "R_BPF_NONE"),
    (1, "R_BPF_64_64"),
    (2, "R_BPF_64_ABS64"),
    (3, "R_BPF_64_ABS32"),
    (4, "R_BPF_64_NODYLD32"),
    (10, "R_BPF_64_32"),
];

/// A symbol's name, or that it has none which can be read.
fn name_of(elf: &Elf<'_>, symbol: &Symbol) -> Arc<str> {
    elf.symbol_name(symbol).unwrap_or("(no name)").into()
}

/// Reads the sections and relocations of an object, of which [`crate::load`]
/// need not be able to make programs.
///
/// # Errors
/// [`ElfError`] if the bytes are no object for BPF.
pub fn inspect(bytes: &[u8]) -> Result<Inspection, ElfError> {
    let elf = Elf::parse(bytes)?;
    let mut found = Inspection::default();
    let mut names: Vec<Option<Arc<str>>> = vec![None; elf.symbols.len()];
    for (index, section) in elf.sections.iter().enumerate().skip(1) {
        let name: Arc<str> = section.name.into();
        if section.kind != SectionKind::Other {
            for reloc in &section.relocs {
                let symbol = match names.get_mut(reloc.symbol as usize) {
                    Some(Some(name)) => name.clone(),
                    Some(known) => known.insert(name_of(&elf, &elf.symbols[reloc.symbol as usize])).clone(),
                    None => "(no such symbol)".into(),
                };
                found.relocations.push(RelocRow { section: name.clone(), at: reloc.at, kind: reloc.kind, symbol });
            }
        }
        let (sh_type, flags, size) = (section.sh_type, section.flags, section.size);
        found.sections.push(SectionRow { index, name, sh_type, flags, size });
    }
    Ok(found)
}
