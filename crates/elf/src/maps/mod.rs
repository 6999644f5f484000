//! The maps of an object, from all notations: legacy `maps`, BTF `.maps`, the
//! sections of global data, and the kernel's settings.

mod btf;
mod data;
mod legacy;
mod lock;

use std::collections::HashMap;

use oxbpf_abi::MapType;
use oxbpf_btf::Btf;
use oxbpf_ir::MapDef;

use crate::error::ElfError;
use crate::externs::Externs;
use crate::file::{Elf, SecIdx};
use crate::functions::{FuncId, Functions};
use crate::object::Note;

pub use legacy::{Decided, LegacyLayout};

/// The most maps of one object; the kernel takes 64 for one program.
const MAX_MAPS: usize = 1024;

/// How a map is defined.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MapSource {
    /// A structure in a section `maps`.
    Legacy(LegacyLayout),
    /// A variable in `.maps`, described by debug types.
    Btf,
    /// A section of global data.
    Data,
    /// The kernel's settings.
    Settings,
}

/// A map and what of it the IR's definition leaves open.
pub(crate) struct ObjMap {
    pub(crate) def: MapDef,
    /// Programs by key.
    pub(crate) programs: Vec<(u32, FuncId)>,
    /// Maps of the object by key.
    pub(crate) inners: Vec<(u32, u32)>,
    /// Of a legacy definition, its structure.
    pub(crate) layout: Option<LegacyLayout>,
    /// Why programs cannot use it, where that is so.
    pub(crate) fault: Option<ElfError>,
}

impl ObjMap {
    fn new(def: MapDef) -> ObjMap {
        ObjMap { def, programs: Vec::new(), inners: Vec::new(), layout: None, fault: None }
    }
}

/// Whether maps of this type hold maps.
fn of_maps(map_type: MapType) -> bool {
    matches!(map_type, MapType::ARRAY_OF_MAPS | MapType::HASH_OF_MAPS)
}

/// What a place in a section means to a relocation.
#[derive(Clone, Copy)]
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
    /// The kernel's settings.
    pub(crate) settings: Option<u32>,
}

impl Maps {
    pub(crate) fn read(
        elf: &Elf<'_>,
        types: Option<&Btf>,
        functions: &Functions,
        externs: &Externs,
        notes: &mut Vec<Note>,
    ) -> Result<Maps, ElfError> {
        let mut maps = Maps::default();
        legacy::read(elf, types, &mut maps, notes)?;
        btf::read(elf, types, functions, &mut maps, notes)?;
        data::read(elf, types, &mut maps)?;
        if let Some(def) = externs.map() {
            maps.settings = Some(maps.push(ObjMap::new(def))?);
        }
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

    /// How a map is defined.
    pub(crate) fn source(&self, map: usize) -> MapSource {
        match self.all[map].layout {
            Some(layout) => MapSource::Legacy(layout),
            None if self.settings == Some(map as u32) => MapSource::Settings,
            None if self.data.values().any(|m| *m == map as u32) => MapSource::Data,
            None => MapSource::Btf,
        }
    }
}
