//! The ELF container: sections, symbols and relocations, each checked to lie
//! in the file. What they mean is for the other modules.

use std::collections::HashMap;

use object::elf::{self, FileHeader64, Rel64, SectionHeader64, Sym64};
use object::read::elf::{FileHeader, SectionHeader};
use object::{Endianness, pod};

use crate::error::ElfError;

/// The longest name that is read; longer ones would make reading names
/// quadratic, since one string may be named by every symbol.
pub(crate) const MAX_NAME: usize = 255;

/// What a section is to this loader.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum SectionKind {
    /// Instructions.
    Code,
    /// Bytes that programs may see.
    Data,
    /// Zeros that programs may see, not in the file.
    Bss,
    /// Whatever else.
    Other,
}

/// A section by its number.
pub(crate) type SecIdx = usize;

pub(crate) struct Section<'a> {
    pub(crate) name: &'a str,
    pub(crate) kind: SectionKind,
    /// Its type as the header has it (`sh_type`), and its flags.
    pub(crate) sh_type: u32,
    pub(crate) flags: u64,
    /// The contents; empty for [`SectionKind::Bss`].
    pub(crate) data: &'a [u8],
    /// The size, also of what is not in the file.
    pub(crate) size: u64,
    /// The relocations that apply to it, by offset.
    pub(crate) relocs: Vec<Reloc>,
}

/// A relocation; the addend is in the place it applies to.
#[derive(Clone, Copy)]
pub(crate) struct Reloc {
    pub(crate) at: u64,
    pub(crate) kind: u32,
    /// Index into [`Elf::symbols`].
    pub(crate) symbol: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum SymbolKind {
    Func,
    Section,
    Other,
}

pub(crate) struct Symbol {
    name: u32,
    pub(crate) value: u64,
    pub(crate) size: u64,
    /// Its section; none for undefined and absolute symbols.
    pub(crate) section: Option<SecIdx>,
    pub(crate) kind: SymbolKind,
    pub(crate) global: bool,
    /// Whether it is defined elsewhere.
    pub(crate) undefined: bool,
    /// Whether another definition, or none, may take its place.
    pub(crate) weak: bool,
    /// Whether it is kept to what is linked together.
    pub(crate) hidden: bool,
}

/// A 64-bit relocatable object for BPF.
pub(crate) struct Elf<'a> {
    /// The byte order of everything in it.
    pub(crate) order: Endianness,
    /// By number; the first is empty.
    pub(crate) sections: Vec<Section<'a>>,
    pub(crate) symbols: Vec<Symbol>,
    symbol_names: &'a [u8],
}

impl<'a> Elf<'a> {
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Elf<'a>, ElfError> {
        let headers = headers(bytes)?;
        let order = headers.order;
        let mut elf =
            Elf { order, sections: Vec::with_capacity(headers.all.len()), symbols: Vec::new(), symbol_names: &[] };
        for (index, header) in headers.all.iter().enumerate() {
            elf.sections.push(section(&headers, index, header)?);
        }
        elf.read_symbols(&headers)?;
        elf.read_relocations(&headers)?;
        Ok(elf)
    }

    /// A word of a table, in the object's order.
    pub(crate) fn word(&self, bytes: [u8; 4]) -> u32 {
        match self.order {
            Endianness::Little => u32::from_le_bytes(bytes),
            Endianness::Big => u32::from_be_bytes(bytes),
        }
    }

    /// The 64-bit word at an offset of a section.
    pub(crate) fn long(&self, section: SecIdx, at: u64) -> Option<u64> {
        let tail = self.sections[section].data.get(usize::try_from(at).ok()?..)?;
        let bytes = *tail.first_chunk()?;
        Some(match self.order {
            Endianness::Little => u64::from_le_bytes(bytes),
            Endianness::Big => u64::from_be_bytes(bytes),
        })
    }

    /// The section of this name.
    pub(crate) fn section(&self, name: &str) -> Option<SecIdx> {
        self.sections.iter().position(|s| s.name == name)
    }

    /// A symbol's name; of a section's symbol, the section's.
    pub(crate) fn symbol_name(&self, symbol: &Symbol) -> Result<&'a str, ElfError> {
        match symbol.section {
            Some(section) if symbol.kind == SymbolKind::Section => Ok(self.sections[section].name),
            _ => name_at(self.symbol_names, symbol.name),
        }
    }

    /// The symbols of data objects by section and place, one for each place: of several, a global one.
    pub(crate) fn variables(&self) -> HashMap<SecIdx, Vec<&Symbol>> {
        let mut sections: HashMap<SecIdx, Vec<&Symbol>> = HashMap::new();
        for symbol in self.symbols.iter().filter(|s| s.kind == SymbolKind::Other) {
            if let Some(section) = symbol.section {
                sections.entry(section).or_default().push(symbol);
            }
        }
        for symbols in sections.values_mut() {
            symbols.sort_by_key(|s| (s.value, !s.global));
            symbols.dedup_by_key(|s| s.value);
        }
        sections
    }

    /// The symbol that a relocation names.
    pub(crate) fn reloc_symbol(&self, section: SecIdx, reloc: &Reloc) -> Result<&Symbol, ElfError> {
        self.symbols
            .get(reloc.symbol as usize)
            .ok_or_else(|| self.bad_reloc(section, reloc.at, "its symbol does not exist"))
    }

    pub(crate) fn bad_reloc(&self, section: SecIdx, at: u64, what: &'static str) -> ElfError {
        ElfError::BadRelocation { section: self.sections[section].name.to_string(), at, what }
    }

    fn read_symbols(&mut self, headers: &Headers<'a>) -> Result<(), ElfError> {
        let order = headers.order;
        let Some(index) = headers.all.iter().position(|h| h.sh_type(order) == elf::SHT_SYMTAB) else {
            return Ok(());
        };
        let table: &[Sym64<Endianness>] = array(self.sections[index].data)?;
        let names = headers.all[index].sh_link(order) as usize;
        self.symbol_names = self.sections.get(names).map_or(&[], |s| s.data);
        let count = self.sections.len();
        let symbol = |raw: &Sym64<Endianness>| Symbol {
            name: raw.st_name.get(order),
            value: raw.st_value.get(order),
            size: raw.st_size.get(order),
            // Special numbers (absolute, common, extended) are beyond the count.
            section: Some(usize::from(raw.st_shndx.get(order).0)).filter(|&s| s != 0 && s < count),
            kind: match raw.st_type() {
                elf::STT_FUNC => SymbolKind::Func,
                elf::STT_SECTION => SymbolKind::Section,
                _ => SymbolKind::Other,
            },
            global: raw.st_bind() != elf::STB_LOCAL,
            undefined: raw.st_shndx.get(order).0 == 0,
            weak: raw.st_bind() == elf::STB_WEAK,
            hidden: matches!(raw.st_visibility(), elf::STV_HIDDEN | elf::STV_INTERNAL),
        };
        self.symbols = table.iter().map(symbol).collect();
        Ok(())
    }

    fn read_relocations(&mut self, headers: &Headers<'a>) -> Result<(), ElfError> {
        let order = headers.order;
        for (index, header) in headers.all.iter().enumerate() {
            let target = header.sh_info(order) as usize;
            let relevant = |s: &Section<'_>| s.kind != SectionKind::Other;
            if !self.sections.get(target).is_some_and(relevant) {
                continue;
            }
            match header.sh_type(order) {
                elf::SHT_REL => {}
                elf::SHT_RELA => return Err(self.bad_reloc(target, 0, "a table with addends is not BPF's")),
                _ => continue,
            }
            let table: &[Rel64<Endianness>] = array(self.sections[index].data)?;
            let relocs = &mut self.sections[target].relocs;
            relocs.extend(table.iter().map(|r| Reloc {
                at: r.r_offset.get(order),
                kind: r.r_type(order).0,
                symbol: r.r_sym(order),
            }));
        }
        for index in 0..self.sections.len() {
            let relocs = &mut self.sections[index].relocs;
            relocs.sort_by_key(|r| r.at);
            if let Some(pair) = relocs.windows(2).find(|pair| pair[0].at == pair[1].at) {
                let at = pair[0].at;
                return Err(self.bad_reloc(index, at, "there is another at the same place"));
            }
        }
        Ok(())
    }
}

/// The section headers, found and checked as a whole.
struct Headers<'a> {
    order: Endianness,
    bytes: &'a [u8],
    all: &'a [SectionHeader64<Endianness>],
    names: &'a [u8],
}

fn headers(bytes: &[u8]) -> Result<Headers<'_>, ElfError> {
    let malformed = |e: object::Error| ElfError::Malformed { detail: e.to_string() };
    identity(bytes)?;
    let header = FileHeader64::<Endianness>::parse(bytes).map_err(malformed)?;
    let order = header.endian().map_err(malformed)?;
    if header.e_type(order) != elf::ET_REL {
        return Err(ElfError::WrongFile { what: "already linked" });
    }
    match header.e_machine(order) {
        // The first BPF compilers had no machine number yet.
        elf::EM_BPF | elf::EM_NONE => {}
        other => return Err(ElfError::WrongMachine { found: other.0 }),
    }
    let all = header.section_headers(order, bytes).map_err(malformed)?;
    // Copying from overlapping sections could multiply the file's size.
    let mut room = bytes.len() as u64;
    for header in all.iter().filter(|h| h.sh_type(order) != elf::SHT_NOBITS) {
        room = room.checked_sub(header.sh_size(order)).ok_or(ElfError::SectionsOverlap)?;
    }
    let names = match header.section_strings_index(order, bytes) {
        Ok(index) => all.get(index.0).map_or(Ok(&[][..]), |h| h.data(order, bytes)),
        Err(e) => Err(e),
    };
    Ok(Headers { order, bytes, all, names: names.map_err(malformed)? })
}

/// Checks the first 16 bytes, to say plainly what is wrong with them.
fn identity(bytes: &[u8]) -> Result<(), ElfError> {
    let magic = bytes.get(..4);
    if magic != Some(&elf::ELFMAG) {
        let detail = if bytes.is_empty() { "it is empty" } else { "it does not start with \\x7fELF" };
        return Err(ElfError::Malformed { detail: detail.to_string() });
    }
    if bytes.get(4) == Some(&1) {
        return Err(ElfError::WrongFile { what: "of 32 bits" });
    }
    Ok(())
}

fn section<'a>(
    headers: &Headers<'a>,
    index: usize,
    header: &'a SectionHeader64<Endianness>,
) -> Result<Section<'a>, ElfError> {
    let order = headers.order;
    let empty =
        Section { name: "", kind: SectionKind::Other, sh_type: 0, flags: 0, data: &[], size: 0, relocs: Vec::new() };
    if index == 0 {
        return Ok(empty);
    }
    let name = name_at(headers.names, header.sh_name(order))?;
    let data = header.data(order, headers.bytes).map_err(|_| {
        let section = if name.is_empty() { index.to_string() } else { name.to_string() };
        ElfError::SectionOutside { section }
    })?;
    let flags = header.sh_flags(order).0;
    let has = |flag: elf::SectionFlags| flags & flag.0 != 0;
    let kind = match header.sh_type(order) {
        elf::SHT_PROGBITS if has(elf::SHF_EXECINSTR) => SectionKind::Code,
        elf::SHT_PROGBITS if has(elf::SHF_ALLOC) => SectionKind::Data,
        elf::SHT_NOBITS if has(elf::SHF_ALLOC) => SectionKind::Bss,
        _ => SectionKind::Other,
    };
    let (sh_type, size) = (header.sh_type(order).0, header.sh_size(order));
    Ok(Section { name, kind, sh_type, flags, data, size, ..empty })
}

/// The text at an offset of a string table.
fn name_at(table: &[u8], offset: u32) -> Result<&str, ElfError> {
    let tail = table.get(offset as usize..).unwrap_or(&[]);
    if offset == 0 && tail.is_empty() {
        return Ok("");
    }
    let window = &tail[..tail.len().min(MAX_NAME + 1)];
    window
        .iter()
        .position(|&b| b == 0)
        .and_then(|end| std::str::from_utf8(&window[..end]).ok())
        .ok_or(ElfError::BadName { offset })
}

/// A section's contents as entries; a remainder is an error.
fn array<T: pod::Pod>(data: &[u8]) -> Result<&[T], ElfError> {
    let detail = || ElfError::Malformed { detail: "a table is not made of whole entries".to_string() };
    let count = data.len() / size_of::<T>();
    let (entries, rest) = pod::slice_from_bytes(data, count).map_err(|()| detail())?;
    if rest.is_empty() { Ok(entries) } else { Err(detail()) }
}
