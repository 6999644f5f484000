//! Legacy definitions: a section `maps` of equal structures of 32-bit words.
//!
//! Two dialects share it. tc's `bpf_elf_map` grew from 20 to 28 to 36 bytes;
//! libbpf's `bpf_map_def` has 20 or 28 bytes with other words behind the
//! fourth. The debug types name the structure; where they name neither, tc's is
//! assumed and noted.

use oxbpf_abi::MapType;
use oxbpf_btf::Btf;
use oxbpf_ir::MapDef;

use super::{Maps, ObjMap};
use crate::error::ElfError;
use crate::file::{Elf, SecIdx, Symbol, SymbolKind};
use crate::object::Note;

/// The section's name.
const SECTION: &str = "maps";

/// What a word of a definition says.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Word {
    Type,
    KeySize,
    ValueSize,
    MaxEntries,
    Flags,
    Id,
    Pinning,
    /// The map that an array or hash of maps is made after; 0 for none.
    Inner,
    /// Of no consequence here.
    Ignored,
}

/// A dialect's structure of one size.
struct Layout {
    structure: &'static str,
    words: &'static [Word],
}

use Word::{Flags, Id, Ignored, Inner, KeySize, MaxEntries, Pinning, Type, ValueSize};

/// tc's name for its structure.
const TC: &str = "bpf_elf_map";
/// libbpf's and the kernel samples' name for theirs.
const LIBBPF: &str = "bpf_map_def";

/// All layouts; of one size, the one assumed without debug types first.
const LAYOUTS: [Layout; 5] = [
    Layout { structure: TC, words: &[Type, KeySize, ValueSize, MaxEntries, Id] },
    Layout { structure: TC, words: &[Type, KeySize, ValueSize, MaxEntries, Flags, Id, Pinning] },
    Layout { structure: TC, words: &[Type, KeySize, ValueSize, MaxEntries, Flags, Id, Pinning, Inner, Ignored] },
    Layout { structure: LIBBPF, words: &[Type, KeySize, ValueSize, MaxEntries, Flags] },
    Layout { structure: LIBBPF, words: &[Type, KeySize, ValueSize, MaxEntries, Flags, Inner, Ignored] },
];

/// Bytes of the longest layout; what lies beyond must be zero.
const LONGEST: usize = 36;

pub(super) fn read(elf: &Elf<'_>, types: Option<&Btf>, maps: &mut Maps, notes: &mut Vec<Note>) -> Result<(), ElfError> {
    let Some(section) = elf.section(SECTION) else {
        return Ok(());
    };
    let data = elf.sections[section].data;
    let symbols = symbols(elf, section);
    if symbols.is_empty() {
        return Ok(());
    }
    let stride = stride(data.len(), &symbols)?;
    let layout = layout(stride, types, notes)?;
    for symbol in symbols {
        let name = elf.symbol_name(symbol)?;
        let at = symbol.value as usize;
        let entry = data.get(at..).and_then(|tail| tail.get(..stride)).ok_or(bad(name, "lies outside the section"))?;
        maps.define(section, symbol.value, definition(name, layout, entry)?)?;
    }
    Ok(())
}

fn bad(map: &str, what: &'static str) -> ElfError {
    ElfError::BadMap { section: SECTION.to_string(), map: map.to_string(), what }
}

/// One symbol for each definition, in order.
fn symbols<'e>(elf: &'e Elf<'_>, section: SecIdx) -> Vec<&'e Symbol> {
    let here = |s: &&Symbol| s.section == Some(section) && s.kind == SymbolKind::Other;
    let mut symbols: Vec<_> = elf.symbols.iter().filter(here).collect();
    symbols.sort_by_key(|s| (s.value, !s.global));
    symbols.dedup_by_key(|s| s.value);
    symbols
}

/// The length of a definition: the section divided by its symbols.
fn stride(len: usize, symbols: &[&Symbol]) -> Result<usize, ElfError> {
    let stride = len / symbols.len();
    let fits = |(i, s): (usize, &&Symbol)| s.value == (i * stride) as u64;
    if !len.is_multiple_of(symbols.len()) || !symbols.iter().enumerate().all(fits) {
        return Err(bad("", "the section is not made of equal definitions, one for each symbol"));
    }
    Ok(stride)
}

fn layout(stride: usize, types: Option<&Btf>, notes: &mut Vec<Note>) -> Result<&'static Layout, ElfError> {
    let len = stride.min(LONGEST);
    let fitting = || LAYOUTS.iter().filter(move |l| l.words.len() * 4 == len);
    let default = fitting().next().ok_or(bad("", "a definition has none of the known lengths 20, 28 and 36"))?;
    if fitting().count() == 1 {
        return Ok(default);
    }
    let named = types.and_then(structure_name).and_then(|name| fitting().find(|l| l.structure == name));
    Ok(named.unwrap_or_else(|| {
        notes.push(Note::AssumedLegacyLayout { structure: default.structure, len });
        default
    }))
}

/// The name of the structure that the section's variables have.
fn structure_name(types: &Btf) -> Option<&str> {
    let var = types.var(types.datasec(SECTION)?.vars.first()?.var)?;
    Some(types.str(types.composite(var.target)?.name))
}

fn definition(name: &str, layout: &Layout, entry: &[u8]) -> Result<ObjMap, ElfError> {
    let (words, _) = entry.as_chunks::<4>();
    let used = layout.words.len();
    if words[used..].iter().any(|w| *w != [0; 4]) {
        return Err(bad(name, "has values beyond the known fields"));
    }
    let mut map = ObjMap::new(MapDef::new(name, MapType(0), 0, 0, 0));
    for (word, value) in layout.words.iter().zip(words) {
        let value = u32::from_le_bytes(*value);
        let def = &mut map.def;
        match word {
            Type => def.map_type = MapType(value),
            KeySize => def.key_size = value,
            ValueSize => def.value_size = value,
            MaxEntries => def.max_entries = value,
            Flags => def.flags = value,
            Id => def.id = Some(value),
            Pinning => def.pinning = value,
            Inner | Ignored => {}
        }
    }
    if matches!(map.def.map_type, MapType::ARRAY_OF_MAPS | MapType::HASH_OF_MAPS) {
        map.fault =
            Some(ElfError::Unsupported { section: SECTION.to_string(), at: 0, what: format!("map of maps {name}") });
    }
    Ok(map)
}
