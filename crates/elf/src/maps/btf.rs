//! BTF definitions: variables in `.maps` whose members are the attributes.
//! Numbers are coded as lengths of arrays pointed to, types as pointers, and
//! `values` holds programs or inner maps by relocation.

use oxbpf_abi::MapType;
use oxbpf_btf::{Btf, BtfError, Member, Type, TypeId};
use oxbpf_ir::{MapDef, MapTypes};
use std::collections::HashMap;

use super::lock::Locks;
use super::{Maps, ObjMap, Place};
use crate::error::ElfError;
use crate::file::{Elf, SecIdx, SymbolKind};
use crate::functions::Functions;
use crate::object::Note;

/// The section's name.
const SECTION: &str = ".maps";

/// Members of a definition; there are about ten attributes.
const MAX_MEMBERS: usize = 64;

/// A key and a value of which nothing is known.
const UNTYPED: MapTypes = MapTypes { key: TypeId::VOID, value: TypeId::VOID };

/// Bytes of a pointer in `values`.
const POINTER: u64 = 8;

pub(super) fn read(
    elf: &Elf<'_>,
    types: Option<&Btf>,
    functions: &Functions,
    maps: &mut Maps,
    notes: &mut Vec<Note>,
) -> Result<(), ElfError> {
    let Some(section) = elf.section(SECTION) else {
        return Ok(());
    };
    let Some(types) = types else {
        return undescribed(elf, section, maps);
    };
    let datasec = types.datasec(SECTION).ok_or(bad("", "BTF does not describe it"))?;
    let places = places(elf, section)?;
    let (mut values, mut locks) = (Vec::new(), Locks::new(types));
    for var in &datasec.vars {
        let var = types.var(var.var).ok_or(bad("", "BTF lists something else than variables"))?;
        let name = types.str(var.name);
        let at = *places.get(name).ok_or(bad(name, "has no symbol"))?;
        let def = MapDef::new(name, MapType(0), 0, 0, 0);
        let mut reader = Reader { types, def, inner: false, values: None, locks: &mut locks, notes };
        reader.members(var.target)?;
        let (def, held) = (reader.def, reader.values);
        if let Some((offset, programs)) = held {
            let from = at.checked_add(offset).ok_or(bad(name, "lies outside the section"))?;
            values.push(Values { from, map: maps.all.len(), programs });
        }
        maps.define(section, at, ObjMap::new(def))?;
    }
    fill_values(elf, section, functions, maps, values)
}

/// Without debug types there are only names; programs that use the maps are refused.
fn undescribed(elf: &Elf<'_>, section: SecIdx, maps: &mut Maps) -> Result<(), ElfError> {
    let variables = elf.variables();
    for symbol in variables.get(&section).map_or(&[][..], |s| s) {
        let name = elf.symbol_name(symbol)?;
        let fault = Some(ElfError::MapNeedsBtf { map: name.to_string() });
        maps.define(section, symbol.value, ObjMap { fault, ..ObjMap::new(MapDef::new(name, MapType(0), 0, 0, 0)) })?;
    }
    Ok(())
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
struct Reader<'a, 'o> {
    types: &'a Btf,
    def: MapDef,
    /// Whether it is what the maps in another look like.
    inner: bool,
    /// Where in the variable its `values` start, and whether they are programs.
    values: Option<(u64, bool)>,
    locks: &'o mut Locks<'a>,
    notes: &'o mut Vec<Note>,
}

impl<'a> Reader<'a, '_> {
    fn bad(&self, what: &'static str) -> ElfError {
        bad(&self.def.name, what)
    }

    fn members(&mut self, target: TypeId) -> Result<(), ElfError> {
        let definition = self.types.composite(target).ok_or(self.bad("is not a structure"))?;
        if definition.members.len() > MAX_MEMBERS {
            return Err(self.bad("has too many members"));
        }
        for member in &definition.members {
            self.member(member)?;
        }
        if self.def.map_type == MapType(0) {
            return Err(self.bad("has no type"));
        }
        if let Some(MapTypes { value, .. }) = self.def.types {
            let lock = self.locks.of(self.def.map_type, value);
            self.def.lock = lock.map_err(|_| self.bad("has a value of too many members"))?;
        }
        Ok(())
    }

    fn member(&mut self, member: &Member) -> Result<(), ElfError> {
        let number = || self.number(member.target);
        match self.types.str(member.name) {
            "type" => self.def.map_type = MapType(number()?),
            "max_entries" => self.def.max_entries = number()?,
            "map_flags" => self.def.flags = number()?,
            "pinning" if self.inner => return Err(self.bad("describes inner maps that are pinned")),
            "pinning" => self.def.pinning = number()?,
            "key_size" => self.def.key_size = self.agreed(self.def.key_size, number()?)?,
            "value_size" => self.def.value_size = self.agreed(self.def.value_size, number()?)?,
            "key" => {
                self.def.key_size = self.agreed(self.def.key_size, self.size(member.target)?)?;
                let key = self.pointee(member.target)?;
                self.def.types = Some(MapTypes { key, ..self.def.types.unwrap_or(UNTYPED) });
            }
            "value" => {
                self.def.value_size = self.agreed(self.def.value_size, self.size(member.target)?)?;
                let value = self.pointee(member.target)?;
                self.def.types = Some(MapTypes { value, ..self.def.types.unwrap_or(UNTYPED) });
            }
            "values" if self.inner => return Err(self.bad("describes inner maps that hold something themselves")),
            "values" => self.values(member)?,
            "map_extra" => self.def.extra = number()?.into(),
            "numa_node" => {
                let note = Note::NumaNodeIgnored { map: self.def.name.clone(), node: number()? };
                self.notes.push(note);
            }
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

    /// `T *values[]`: programs if T is a function, else T is what the inner
    /// maps look like.
    fn values(&mut self, member: &Member) -> Result<(), ElfError> {
        let Ok(Type::Array(array)) = self.types.resolved(member.target) else {
            return Err(self.bad("has values that are no array"));
        };
        let element = self.pointee(array.elem)?;
        let programs = matches!(self.types.resolved(element), Ok(Type::FuncProto(_)));
        self.def.value_size = self.agreed(self.def.value_size, 4)?;
        self.values = Some((u64::from(member.bit_offset / 8), programs));
        if !programs {
            let name = format!("{}.inner", self.def.name);
            let def = MapDef::new(&name, MapType(0), 0, 0, 0);
            let (locks, notes) = (&mut *self.locks, &mut *self.notes);
            let mut inner = Reader { types: self.types, def, inner: true, values: None, locks, notes };
            inner.members(element)?;
            self.def.inner = Some(Box::new(inner.def));
        }
        Ok(())
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

/// Puts the programs and maps that relocations name into their maps.
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
        let bad = |what| elf.bad_reloc(section, reloc.at, what);
        let after = values.partition_point(|v| v.from <= reloc.at);
        let holder = values[..after].last().ok_or_else(|| bad("it stands in no map's values"))?;
        let from = reloc.at - holder.from;
        if !from.is_multiple_of(POINTER) {
            return Err(bad("it does not stand at a pointer"));
        }
        let symbol = elf.reloc_symbol(section, reloc)?;
        // The addend is what stands in the pointer's place.
        let addend = elf.long(section, reloc.at).unwrap_or(0);
        let (target, at) = (symbol.section, symbol.value.wrapping_add(addend));
        let def = &maps.all[holder.map].def;
        let key = u32::try_from(from / POINTER).ok().filter(|key| *key < def.max_entries);
        let beyond = if holder.programs { "has a program beyond its entries" } else { "has a map beyond its entries" };
        let key = key.ok_or_else(|| self::bad(&def.name, beyond))?;
        if holder.programs {
            let function = target.and_then(|s| functions.starting_at(s, at));
            let program = function.filter(|f| entries.binary_search(f).is_ok());
            let program = program.ok_or_else(|| bad("its symbol is no program"))?;
            maps.all[holder.map].programs.push((key, program));
            continue;
        }
        if def.key_size != 4 {
            return Err(self::bad(&def.name, "has inner maps by number, but keys that are no numbers of 4 bytes"));
        }
        match target.map(|s| maps.place(s, at)) {
            Some(Place::Map(inner)) if inner as usize != holder.map => maps.all[holder.map].inners.push((key, inner)),
            _ => return Err(bad("its symbol is no map")),
        }
    }
    Ok(())
}
