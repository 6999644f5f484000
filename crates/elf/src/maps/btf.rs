//! BTF definitions: variables in `.maps` whose members are the attributes.
//! Numbers are coded as lengths of arrays pointed to, types as pointers, and
//! `values` holds programs by relocation.

use oxbpf_abi::MapType;
use oxbpf_btf::{Btf, BtfError, Member, Type, TypeId};
use oxbpf_ir::MapDef;
use std::collections::HashMap;

use super::{Maps, ObjMap};
use crate::error::ElfError;
use crate::file::{Elf, SecIdx, SymbolKind};
use crate::functions::Functions;

/// The section's name.
const SECTION: &str = ".maps";

/// Members of a definition; there are about ten attributes.
const MAX_MEMBERS: usize = 64;

/// Bytes of a pointer in `values`.
const POINTER: u64 = 8;

pub(super) fn read(elf: &Elf<'_>, types: Option<&Btf>, functions: &Functions, maps: &mut Maps) -> Result<(), ElfError> {
    let Some(section) = elf.section(SECTION) else {
        return Ok(());
    };
    let types = types.ok_or(bad("", "the object has no BTF to describe it"))?;
    let datasec = types.datasec(SECTION).ok_or(bad("", "BTF does not describe it"))?;
    let places = places(elf, section)?;
    let mut values = Vec::new();
    for var in &datasec.vars {
        let var = types.var(var.var).ok_or(bad("", "BTF lists something else than variables"))?;
        let name = types.str(var.name);
        let at = *places.get(name).ok_or(bad(name, "has no symbol"))?;
        let mut reader = Reader { types, map: ObjMap::new(MapDef::new(name, MapType(0), 0, 0, 0)), values: None };
        reader.members(var.target)?;
        if let Some((offset, programs)) = reader.values {
            let from = at.checked_add(offset).ok_or(bad(name, "lies outside the section"))?;
            values.push(Values { from, map: maps.all.len(), programs });
        }
        maps.define(section, at, reader.map)?;
    }
    fill_values(elf, section, functions, maps, values)
}

fn bad(map: &str, what: &'static str) -> ElfError {
    ElfError::BadMap { section: SECTION.to_string(), map: map.to_string(), what }
}

/// Where the section's variables are, by name.
fn places<'a>(elf: &Elf<'a>, section: SecIdx) -> Result<HashMap<&'a str, u64>, ElfError> {
    let here = |s: &&crate::file::Symbol| s.section == Some(section) && s.kind == SymbolKind::Other;
    elf.symbols.iter().filter(here).map(|s| Ok((elf.symbol_name(s)?, s.value))).collect()
}

/// One definition being read.
struct Reader<'a> {
    types: &'a Btf,
    map: ObjMap,
    /// Where in the variable its `values` start, and whether they are programs.
    values: Option<(u64, bool)>,
}

impl Reader<'_> {
    fn bad(&self, what: &'static str) -> ElfError {
        bad(&self.map.def.name, what)
    }

    fn members(&mut self, target: TypeId) -> Result<(), ElfError> {
        let definition = self.types.composite(target).ok_or(self.bad("is not a structure"))?;
        if definition.members.len() > MAX_MEMBERS {
            return Err(self.bad("has too many members"));
        }
        for member in &definition.members {
            self.member(member)?;
        }
        if self.map.def.map_type == MapType(0) {
            return Err(self.bad("has no type"));
        }
        Ok(())
    }

    fn member(&mut self, member: &Member) -> Result<(), ElfError> {
        let number = || self.number(member.target);
        match self.types.str(member.name) {
            "type" => self.map.def.map_type = MapType(number()?),
            "max_entries" => self.map.def.max_entries = number()?,
            "map_flags" => self.map.def.flags = number()?,
            "pinning" => self.map.def.pinning = number()?,
            "key_size" => self.map.def.key_size = self.agreed(self.map.def.key_size, number()?)?,
            "value_size" => self.map.def.value_size = self.agreed(self.map.def.value_size, number()?)?,
            "key" => self.map.def.key_size = self.agreed(self.map.def.key_size, self.size(member.target)?)?,
            "value" => self.map.def.value_size = self.agreed(self.map.def.value_size, self.size(member.target)?)?,
            "values" => self.values(member)?,
            // A Bloom filter's hashes, an arena's address.
            "map_extra" if number()? != 0 => self.unsupported("map_extra of map"),
            "map_extra" => {}
            // Where the map lies in memory is of no consequence here.
            "numa_node" => {}
            _ => return Err(self.bad("has a member that is no known attribute")),
        }
        Ok(())
    }

    /// A size may be given twice, by number and by type, if both agree.
    fn agreed(&self, before: u32, now: u32) -> Result<u32, ElfError> {
        match before == 0 || before == now {
            true => Ok(now),
            false => Err(self.bad("gives two different sizes")),
        }
    }

    fn pointee(&self, id: TypeId) -> Result<TypeId, ElfError> {
        match self.types.resolved(id) {
            Ok(Type::Ptr(to)) => Ok(*to),
            _ => Err(self.bad("has an attribute that is no pointer")),
        }
    }

    /// `int (*name)[N]` codes N.
    fn number(&self, id: TypeId) -> Result<u32, ElfError> {
        match self.types.resolved(self.pointee(id)?) {
            Ok(Type::Array(array)) => Ok(array.len),
            _ => Err(self.bad("has a number that is not coded as an array")),
        }
    }

    /// `T *name` codes the size of T.
    fn size(&self, id: TypeId) -> Result<u32, ElfError> {
        let size = self.types.size_of(self.pointee(id)?);
        let size = size.map_err(|error| ElfError::Btf { section: ".BTF", error })?;
        u32::try_from(size).map_err(|_| ElfError::Btf { section: ".BTF", error: BtfError::SizeOverflow { id } })
    }

    /// `T *values[]`: programs if T is a function, else the inner map.
    fn values(&mut self, member: &Member) -> Result<(), ElfError> {
        let Ok(Type::Array(array)) = self.types.resolved(member.target) else {
            return Err(self.bad("has values that are no array"));
        };
        let programs = matches!(self.types.resolved(self.pointee(array.elem)?), Ok(Type::FuncProto(_)));
        match programs {
            true => self.map.def.value_size = self.agreed(self.map.def.value_size, 4)?,
            false => self.unsupported("map of maps"),
        }
        self.values = Some((u64::from(member.bit_offset / 8), programs));
        Ok(())
    }

    /// Keeps programs from using the map.
    fn unsupported(&mut self, what: &str) {
        self.map.fault = Some(ElfError::Unsupported {
            section: SECTION.to_string(),
            at: 0,
            what: format!("{what} {}", self.map.def.name),
        });
    }
}

/// The `values` of one map in the section.
struct Values {
    /// Where the first pointer is.
    from: u64,
    map: usize,
    /// Whether they are programs, and not inner maps.
    programs: bool,
}

/// Puts the programs that relocations name into their maps.
fn fill_values(
    elf: &Elf<'_>,
    section: SecIdx,
    functions: &Functions,
    maps: &mut Maps,
    mut values: Vec<Values>,
) -> Result<(), ElfError> {
    values.sort_by_key(|v| v.from);
    let entries = functions.entries(elf)?;
    for reloc in &elf.sections[section].relocs {
        let after = values.partition_point(|v| v.from <= reloc.at);
        let holder = values[..after].last().filter(|v| v.programs);
        let Some(holder) = holder else {
            continue;
        };
        let map = &mut maps.all[holder.map];
        let from = reloc.at - holder.from;
        if !from.is_multiple_of(POINTER) {
            return Err(elf.bad_reloc(section, reloc.at, "it does not stand at a pointer"));
        }
        let key = from / POINTER;
        let symbol = elf.reloc_symbol(section, reloc)?;
        let function = symbol.section.and_then(|s| functions.starting_at(s, symbol.value));
        let program = function.filter(|f| entries.binary_search(f).is_ok());
        let program = program.ok_or_else(|| elf.bad_reloc(section, reloc.at, "its symbol is no program"))?;
        match u32::try_from(key) {
            Ok(key) if key < map.def.max_entries => map.programs.push((key, program)),
            _ => return Err(bad(&map.def.name, "has a program beyond its entries")),
        }
    }
    Ok(())
}
