//! Legacy definitions: sections `maps` of structures of 32-bit words.
//!
//! Two dialects share them. tc's `bpf_elf_map` grew from 20 to 28 to 36 bytes;
//! libbpf's `bpf_map_def` has 20 or 28 bytes with other words behind the
//! fourth. [`LegacyLayout`] says which was taken, and by what.

use std::collections::{HashMap, HashSet};
use std::fmt;

use oxbpf_abi::MapType;
use oxbpf_btf::Btf;
use oxbpf_ir::MapDef;

use super::{Maps, ObjMap, of_maps};
use crate::error::ElfError;
use crate::file::{Elf, SecIdx, SectionKind, Symbol};
use crate::object::{Note, tail_slot};

/// tc's section, and what sections of one map each begin with: some loaders
/// of libbpf's dialect want them so.
const SECTION: &str = "maps";
const SINGLE: &str = "maps/";

/// How the structure of legacy definitions is known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Decided {
    /// Only one structure has that length.
    ByLength,
    /// The debug types name the variables' structure.
    ByTypes,
    /// A section `ID/idx` names as id what another structure has as flags.
    ByTailSection,
    /// tc does not read sections `maps/…`.
    BySectionName,
    /// It is not: tc's is taken.
    Assumed,
}

impl Decided {
    /// The reason in words.
    pub const fn reason(self) -> &'static str {
        match self {
            Decided::ByLength => "the only one of that length",
            Decided::ByTypes => "named by BTF",
            Decided::ByTailSection => "a tail-call section names its id",
            Decided::BySectionName => "tc reads no such section",
            Decided::Assumed => "assumed",
        }
    }
}

/// The structure of a legacy definition, and how that is known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LegacyLayout {
    /// tc's `bpf_elf_map` or libbpf's `bpf_map_def`.
    pub structure: &'static str,
    /// Its bytes.
    pub len: usize,
    /// How it is known.
    pub decided: Decided,
}

impl fmt::Display for LegacyLayout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "struct {} of {} bytes ({})", self.structure, self.len, self.decided.reason())
    }
}

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
    /// Of a map of maps: the id of the maps in it.
    InnerId,
    /// Of a map in another: its index there; -1 for none.
    InnerIdx,
    /// Of a map of maps: the number of the definition that it is made after.
    InnerNumber,
    /// The memory node, of no consequence here.
    Node,
}

/// A dialect's structure of one size.
struct Row {
    structure: &'static str,
    len: usize,
    words: &'static [Word],
}

use Word::{Flags, Id, InnerId, InnerIdx, InnerNumber, KeySize, MaxEntries, Node, Pinning, Type, ValueSize};

/// tc's name for its structure.
const TC: &str = "bpf_elf_map";
/// libbpf's and the kernel samples' name for theirs.
const LIBBPF: &str = "bpf_map_def";

/// All structures; of one size, the one assumed first.
const ROWS: [Row; 6] = [
    Row { structure: TC, len: 20, words: &[Type, KeySize, ValueSize, MaxEntries, Id] },
    Row { structure: TC, len: 28, words: &[Type, KeySize, ValueSize, MaxEntries, Flags, Id, Pinning] },
    Row {
        structure: TC,
        len: 36,
        words: &[Type, KeySize, ValueSize, MaxEntries, Flags, Id, Pinning, InnerId, InnerIdx],
    },
    Row { structure: LIBBPF, len: 20, words: &[Type, KeySize, ValueSize, MaxEntries, Flags] },
    Row { structure: LIBBPF, len: 28, words: &[Type, KeySize, ValueSize, MaxEntries, Flags, InnerNumber, Node] },
    // With a directory's name of 256 bytes for pinning.
    Row { structure: LIBBPF, len: 280, words: &[Type, KeySize, ValueSize, MaxEntries, Flags, Pinning] },
];

/// Bytes of tc's longest structure; what lies beyond must be zero.
const LONGEST: usize = 36;

/// What a definition says of maps within maps.
#[derive(Default)]
struct Nesting {
    inner_id: u32,
    inner_idx: Option<u32>,
    inner_number: Option<u32>,
}

pub(super) fn read(elf: &Elf<'_>, types: Option<&Btf>, maps: &mut Maps, notes: &mut Vec<Note>) -> Result<(), ElfError> {
    let structures = types.map(structures).unwrap_or_default();
    let (variables, tails) = (elf.variables(), tails(elf));
    let mut nested = Vec::new();
    for (index, section) in elf.sections.iter().enumerate() {
        let named = section.name == SECTION || section.name.starts_with(SINGLE);
        if named && section.kind == SectionKind::Data {
            let symbols = variables.get(&index).map_or(&[][..], |s| s);
            let reader = Reader { elf, section: index, structures: &structures, tails: &tails };
            reader.read(symbols, maps, &mut nested, notes)?;
        }
    }
    nest(maps, &nested);
    Ok(())
}

/// The structures that variables have, by their names.
fn structures(types: &Btf) -> HashMap<&str, &str> {
    let vars = types.datasec(SECTION).map_or(&[][..], |d| &d.vars);
    let named = vars.iter().filter_map(|v| {
        let var = types.var(v.var)?;
        Some((types.str(var.name), types.str(types.composite(var.target)?.name)))
    });
    named.collect()
}

/// The ids that sections `ID/idx` name.
fn tails(elf: &Elf<'_>) -> HashSet<u32> {
    let named = elf.sections.iter().filter(|s| s.kind == SectionKind::Code).filter_map(|s| tail_slot(s.name));
    // Zero is in every structure that sets neither id nor flags.
    named.map(|t| t.0).filter(|id| *id != 0).collect()
}

/// One section being read.
struct Reader<'e, 'a> {
    elf: &'e Elf<'a>,
    section: SecIdx,
    structures: &'e HashMap<&'e str, &'e str>,
    tails: &'e HashSet<u32>,
}

impl Reader<'_, '_> {
    fn read(
        &self,
        symbols: &[&Symbol],
        maps: &mut Maps,
        nested: &mut Vec<(u32, Nesting)>,
        notes: &mut Vec<Note>,
    ) -> Result<(), ElfError> {
        let data = self.elf.sections[self.section].data;
        let starts = symbols.iter().map(|s| s.value).chain([data.len() as u64]);
        let ends: Vec<u64> = starts.skip(1).collect();
        let first = symbols.first().map_or(0, |s| s.value);
        if data.iter().take(usize::try_from(first).unwrap_or(usize::MAX)).any(|b| *b != 0) {
            return Err(self.bad("", "there are definitions without a symbol"));
        }
        let mut entries = Vec::new();
        for (symbol, end) in symbols.iter().zip(ends) {
            entries.push((self.elf.symbol_name(symbol)?, symbol.value, self.entry(symbol, end)?));
        }
        // What one definition shows holds for all of its length.
        let shown: HashSet<usize> = entries.iter().filter(|e| self.shows_id(e.2)).map(|e| e.2.len()).collect();
        let base = maps.all.len() as u32;
        for (name, at, entry) in entries {
            let (row, layout) = self.layout(name, entry.len(), shown.contains(&entry.len()))?;
            let (def, nesting) = self.definition(name, row, entry)?;
            let note = Note::AssumedLegacyLayout { structure: layout.structure, len: layout.len };
            if layout.decided == Decided::Assumed && !notes.contains(&note) {
                notes.push(note);
            }
            if nesting.inner_number.is_some() || nesting.inner_idx.is_some() || of_maps(def.map_type) {
                let number = nesting.inner_number.and_then(|n| n.checked_add(base));
                nested.push((maps.all.len() as u32, Nesting { inner_number: number, ..nesting }));
            }
            maps.define(self.section, at, ObjMap { layout: Some(layout), ..ObjMap::new(def) })?;
        }
        Ok(())
    }

    fn bad(&self, map: &str, what: &'static str) -> ElfError {
        let section = self.elf.sections[self.section].name.to_string();
        ElfError::BadMap { section, map: map.to_string(), what }
    }

    /// The bytes of a definition: as many as its symbol says, or up to the
    /// next one.
    fn entry(&self, symbol: &Symbol, end: u64) -> Result<&[u8], ElfError> {
        let bad = |what| self.elf.symbol_name(symbol).map_or_else(|e| e, |name| self.bad(name, what));
        let data = self.elf.sections[self.section].data;
        let range = usize::try_from(symbol.value).ok().zip(usize::try_from(end).ok());
        let room = range.and_then(|(from, to)| data.get(from..to)).ok_or_else(|| bad("lies outside the section"))?;
        let len = usize::try_from(symbol.size).ok().filter(|len| *len > 0).unwrap_or(room.len());
        let (entry, rest) = room.split_at_checked(len).ok_or_else(|| bad("overlaps the next definition"))?;
        match rest.iter().any(|b| *b != 0) {
            true => Err(bad("is followed by bytes without a symbol")),
            false => Ok(entry),
        }
    }

    /// Whether the fifth of five words of a program array is the id that a
    /// tail-call section names.
    fn shows_id(&self, entry: &[u8]) -> bool {
        let (words, _) = entry.as_chunks::<4>();
        let tc_reads = self.elf.sections[self.section].name == SECTION;
        let array = words.first().is_some_and(|w| self.elf.word(*w) == MapType::PROG_ARRAY.0);
        tc_reads && array && words.len() == 5 && self.tails.contains(&self.elf.word(words[4]))
    }

    fn layout(&self, name: &str, len: usize, shows_id: bool) -> Result<(&'static Row, LegacyLayout), ElfError> {
        let single = self.elf.sections[self.section].name != SECTION;
        let cut = if single && len == ROWS[5].len { len } else { len.min(LONGEST) };
        let fitting = || ROWS.iter().filter(move |row| row.len == cut);
        let default = fitting().next();
        let default = default.ok_or(self.bad(name, "its length is none of the known ones, 20, 28 and 36 bytes"))?;
        let of = |structure: &str| fitting().find(|row| row.structure == structure);
        let by_types = self.structures.get(name).and_then(|structure| of(structure));
        let (row, decided) = match by_types {
            _ if fitting().count() == 1 => (default, Decided::ByLength),
            Some(row) => (row, Decided::ByTypes),
            None if shows_id => (default, Decided::ByTailSection),
            None if single => (of(LIBBPF).unwrap_or(default), Decided::BySectionName),
            None => (default, Decided::Assumed),
        };
        Ok((row, LegacyLayout { structure: row.structure, len: cut, decided }))
    }

    fn definition(&self, name: &str, row: &Row, entry: &[u8]) -> Result<(MapDef, Nesting), ElfError> {
        let (words, rest) = entry.as_chunks::<4>();
        let beyond = words.iter().flatten().chain(rest).skip(row.len).any(|b| *b != 0);
        if beyond {
            return Err(self.bad(name, "has values beyond the known fields"));
        }
        let mut def = MapDef::new(name, MapType(0), 0, 0, 0);
        let mut nesting = Nesting::default();
        for (word, value) in row.words.iter().zip(words) {
            let value = self.elf.word(*value);
            match word {
                Type => def.map_type = MapType(value),
                KeySize => def.key_size = value,
                ValueSize => def.value_size = value,
                MaxEntries => def.max_entries = value,
                Flags => def.flags = value,
                Id => def.id = Some(value),
                Pinning => def.pinning = value,
                InnerId => nesting.inner_id = value,
                InnerIdx => nesting.inner_idx = Some(value),
                InnerNumber => nesting.inner_number = Some(value),
                Node => {}
            }
        }
        Ok((def, nesting))
    }
}

/// Gives maps of maps what they are made after and what they hold: tc's by
/// the id of the inner maps, which say their index; libbpf's by the number of
/// the definition.
fn nest(maps: &mut Maps, nested: &[(u32, Nesting)]) {
    let mut by_id: HashMap<u32, Vec<(u32, u32)>> = HashMap::new();
    for (map, nesting) in nested {
        let def = &maps.all[*map as usize].def;
        if let (Some(id), Some(at)) = (def.id, nesting.inner_idx)
            && id != 0
            && !of_maps(def.map_type)
        {
            by_id.entry(id).or_default().push((at, *map));
        }
    }
    for (map, nesting) in nested {
        let outer = &maps.all[*map as usize];
        if !of_maps(outer.def.map_type) {
            continue;
        }
        let bad = |what| {
            let (section, map) = (SECTION.to_string(), outer.def.name.clone());
            ElfError::BadMap { section, map, what }
        };
        let held = by_id.get(&nesting.inner_id).map_or(&[][..], |h| h);
        let template = match nesting.inner_number {
            Some(number) => maps.all.get(number as usize).filter(|m| !of_maps(m.def.map_type)),
            None => held.first().map(|h| &maps.all[h.1 as usize]),
        };
        let inner = template.map(|t| t.def.clone());
        // -1 is no index, of maps that only serve as models.
        let inners: Vec<_> = held.iter().copied().filter(|(at, _)| *at != u32::MAX).collect();
        let fault = match &inner {
            None => Some(bad("names no map that its inner maps are made after")),
            Some(_) if inners.iter().any(|(at, _)| *at >= outer.def.max_entries) => {
                Some(bad("has an inner map beyond its entries"))
            }
            Some(_) if !inners.is_empty() && outer.def.key_size != 4 => {
                Some(bad("has inner maps by number, but keys that are no numbers of 4 bytes"))
            }
            Some(_) => None,
        };
        let outer = &mut maps.all[*map as usize];
        outer.def.inner = inner.map(Box::new);
        outer.inners = inners;
        outer.fault = outer.fault.take().or(fault);
    }
}
