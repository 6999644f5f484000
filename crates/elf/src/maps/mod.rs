//! The maps of an object, from all three notations: legacy `maps`, BTF
//! `.maps`, and the sections of global data.

mod btf;
mod data;
mod legacy;

use std::collections::HashMap;

use oxbpf_btf::Btf;
use oxbpf_ir::MapDef;

use crate::error::ElfError;
use crate::file::{Elf, SecIdx};
use crate::functions::{FuncId, Functions};
use crate::object::Note;

/// The most maps of one object; the kernel takes 64 for one program.
const MAX_MAPS: usize = 1024;

/// A map and what of it the IR's definition leaves open.
pub(crate) struct ObjMap {
    pub(crate) def: MapDef,
    /// Programs by key.
    pub(crate) programs: Vec<(u32, FuncId)>,
    /// Why programs cannot use it, where that is so.
    pub(crate) fault: Option<ElfError>,
}

impl ObjMap {
    fn new(def: MapDef) -> ObjMap {
        ObjMap { def, programs: Vec::new(), fault: None }
    }
}

/// What a place in a section means to a relocation.
pub(crate) enum Place {
    /// The map that is defined there.
    Map(u32),
    /// Global data: the map that holds the section.
    Data(u32),
    /// No map's place.
    None,
}

/// All maps of an object, and where they are defined.
#[derive(Default)]
pub(crate) struct Maps {
    pub(crate) all: Vec<ObjMap>,
    /// Definitions by section and offset.
    defined: HashMap<(SecIdx, u64), u32>,
    /// Global data by section.
    data: HashMap<SecIdx, u32>,
}

impl Maps {
    pub(crate) fn read(
        elf: &Elf<'_>,
        types: Option<&Btf>,
        functions: &Functions,
        notes: &mut Vec<Note>,
    ) -> Result<Maps, ElfError> {
        let mut maps = Maps::default();
        legacy::read(elf, types, &mut maps, notes)?;
        btf::read(elf, types, functions, &mut maps)?;
        data::read(elf, &mut maps)?;
        Ok(maps)
    }

    fn define(&mut self, section: SecIdx, at: u64, map: ObjMap) -> Result<(), ElfError> {
        let index = self.push(map)?;
        self.defined.insert((section, at), index);
        Ok(())
    }

    fn push(&mut self, map: ObjMap) -> Result<u32, ElfError> {
        if self.all.len() >= MAX_MAPS {
            let count = MAX_MAPS as u64 + 1;
            return Err(ElfError::TooMany { what: "maps", count, limit: MAX_MAPS as u64 });
        }
        self.all.push(map);
        Ok(self.all.len() as u32 - 1)
    }

    /// What this place means.
    pub(crate) fn place(&self, section: SecIdx, at: u64) -> Place {
        if let Some(&map) = self.data.get(&section) {
            return Place::Data(map);
        }
        self.defined.get(&(section, at)).map_or(Place::None, |&map| Place::Map(map))
    }
}
