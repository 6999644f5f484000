//! A unit: the maps and programs of one object, which refer to each other by index.

use std::borrow::Cow;
use std::sync::Arc;

use oxbpf_abi::MapType;
use oxbpf_btf::{Btf, TypeId};
use oxbpf_isa::{Insn, Pseudo};
use thiserror::Error;

use crate::build_error::{BuildError, BuildFault};
use crate::program::{InsnId, Program};

/// A map by its position in [`Unit::maps`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct MapIdx(pub u32);

impl MapIdx {
    /// As an index.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// A program by its position in [`Unit::programs`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ProgIdx(pub u32);

impl ProgIdx {
    /// As an index.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// What a map is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MapPurpose {
    /// Declared by the program's author.
    User,
    /// Global constants: frozen, programs only read.
    Rodata,
    /// Global variables with initial values, or zero at the start.
    Data,
}

/// What a map holds before the first packet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum MapInit {
    /// Nothing: arrays are zero, others empty.
    Empty,
    /// Keys and values, each of the map's sizes.
    Entries(Vec<(Vec<u8>, Vec<u8>)>),
    /// Programs by key, for a program array.
    Programs(Vec<(u32, ProgIdx)>),
    /// Maps of the unit by key, for an array or hash of maps.
    Maps(Vec<(Vec<u8>, MapIdx)>),
}

/// What keys and values are, in [`Unit::types`]; void where that is not known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MapTypes {
    /// The type of a key.
    pub key: TypeId,
    /// The type of a value.
    pub value: TypeId,
}

/// A map's definition.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MapDef {
    /// Its name.
    pub name: String,
    /// Its type.
    pub map_type: MapType,
    /// Bytes of a key.
    pub key_size: u32,
    /// Bytes of a value.
    pub value_size: u32,
    /// The most entries; of an array, exactly so many.
    pub max_entries: u32,
    /// Creation flags (`BPF_F_…`).
    pub flags: u32,
    /// What the type makes of it (`map_extra`): a Bloom filter's hashes, an arena's address.
    pub extra: u64,
    /// Of an array or hash of maps: what each of them looks like. It has no contents and no name of its own right.
    pub inner: Option<Box<MapDef>>,
    /// What keys and values are, where the unit has types.
    pub types: Option<MapTypes>,
    /// Where in a value its `struct bpf_spin_lock` of 4 bytes stands.
    pub lock: Option<u32>,
    /// tc's map identifier from a legacy definition.
    pub id: Option<u32>,
    /// The pinning scope from the definition: 0 none, others as the definition's dialect says.
    pub pinning: u32,
    /// What it is for.
    pub purpose: MapPurpose,
    /// What it holds at first.
    pub init: MapInit,
}

impl MapDef {
    /// A user's map without flags, identifier, pinning or contents.
    pub fn new(name: &str, map_type: MapType, key_size: u32, value_size: u32, max_entries: u32) -> Self {
        MapDef {
            name: name.to_string(),
            map_type,
            key_size,
            value_size,
            max_entries,
            flags: 0,
            extra: 0,
            inner: None,
            types: None,
            lock: None,
            id: None,
            pinning: 0,
            purpose: MapPurpose::User,
            init: MapInit::Empty,
        }
    }

    /// The definition as a loader makes the map where there are so many CPUs: a perf event array that states no entries
    /// has one for each.
    ///
    /// ```
    /// use oxbpf_abi::MapType;
    /// use oxbpf_ir::MapDef;
    /// let entries = |map_type| MapDef::new("m", map_type, 4, 4, 0).for_cpus(3).max_entries;
    /// assert_eq!((entries(MapType::PERF_EVENT_ARRAY), entries(MapType::ARRAY)), (3, 0));
    /// ```
    pub fn for_cpus(&self, cpus: u32) -> Cow<'_, MapDef> {
        match self.map_type == MapType::PERF_EVENT_ARRAY && self.max_entries == 0 {
            true => Cow::Owned(MapDef { max_entries: cpus.max(1), ..self.clone() }),
            false => Cow::Borrowed(self),
        }
    }

    /// Whether its contents never change: programs may rely on them.
    pub fn frozen(&self) -> bool {
        self.purpose == MapPurpose::Rodata
    }
}

/// One object's worth of maps and programs.
#[derive(Clone, Debug)]
pub struct Unit {
    name: String,
    license: String,
    maps: Vec<MapDef>,
    programs: Vec<Arc<Program>>,
    types: Option<Arc<Btf>>,
}

/// A unit whose parts do not fit together.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[allow(missing_docs)]
pub enum UnitError {
    /// A program names a map that is not there.
    #[error("program {program}: {error}")]
    Program { program: String, error: BuildError },
    /// A program array starts with a program that is not there.
    #[error("map {map} holds program {index}; the unit has {count}")]
    NoSuchProgram { map: String, index: u32, count: usize },
    /// A map of maps starts with a map that is not there.
    #[error("map {map} holds map {index}; the unit has {count}")]
    NoSuchMap { map: String, index: u32, count: usize },
}

impl UnitError {
    /// A stable code, `build-…`.
    pub const fn code(&self) -> &'static str {
        match self {
            UnitError::Program { error, .. } => error.code(),
            UnitError::NoSuchProgram { .. } => "build-no-such-program",
            UnitError::NoSuchMap { .. } => "build-no-such-inner-map",
        }
    }
}

impl Unit {
    /// A unit of these parts.
    ///
    /// Fails when a program names a map, a program array holds a program, or a map holds a map, that the unit does
    /// not have.
    pub fn new(name: &str, license: &str, maps: Vec<MapDef>, programs: Vec<Program>) -> Result<Unit, UnitError> {
        for program in &programs {
            let at = |error| UnitError::Program { program: program.name().to_string(), error };
            check_maps(program, maps.len()).map_err(at)?;
        }
        maps.iter().try_for_each(|map| check_contents(map, programs.len(), maps.len()))?;
        let programs = programs.into_iter().map(Arc::new).collect();
        Ok(Unit { name: name.to_string(), license: license.to_string(), maps, programs, types: None })
    }

    /// The unit with the types that [`MapDef::types`] speak of.
    pub fn with_types(self, types: Arc<Btf>) -> Unit {
        Unit { types: Some(types), ..self }
    }

    /// The types that its maps' keys and values have, where they are known.
    pub fn types(&self) -> Option<&Arc<Btf>> {
        self.types.as_ref()
    }

    /// The unit's name: of the object file, usually.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The licence its programs declare; empty where none is.
    pub fn license(&self) -> &str {
        &self.license
    }

    /// Its maps.
    pub fn maps(&self) -> &[MapDef] {
        &self.maps
    }

    /// Its programs.
    pub fn programs(&self) -> &[Arc<Program>] {
        &self.programs
    }
}

/// The map that an instruction refers to by the unit's index; of a program in a unit, the index of one of its maps.
pub fn map_ref(insn: &Insn) -> Option<i64> {
    match *insn {
        Insn::LoadPseudo { value: Pseudo::MapFd(i) | Pseudo::MapIdx(i), .. } => Some(i.into()),
        Insn::LoadPseudo { value: Pseudo::MapValue { fd: i, .. } | Pseudo::MapIdxValue { idx: i, .. }, .. } => {
            Some(i.into())
        }
        _ => None,
    }
}

fn check_contents(def: &MapDef, programs: usize, maps: usize) -> Result<(), UnitError> {
    let map = || def.name.clone();
    match &def.init {
        MapInit::Programs(all) => match all.iter().find(|(_, p)| p.index() >= programs) {
            Some((_, p)) => Err(UnitError::NoSuchProgram { map: map(), index: p.0, count: programs }),
            None => Ok(()),
        },
        MapInit::Maps(all) => match all.iter().find(|(_, m)| m.index() >= maps) {
            Some((_, m)) => Err(UnitError::NoSuchMap { map: map(), index: m.0, count: maps }),
            None => Ok(()),
        },
        MapInit::Empty | MapInit::Entries(_) => Ok(()),
    }
}

fn check_maps(program: &Program, count: usize) -> Result<(), BuildError> {
    for (i, insn) in program.insns().iter().enumerate() {
        if let Some(index) = map_ref(insn)
            && !(0..count as i64).contains(&index)
        {
            let slot = program.slot(InsnId(i as u32));
            return Err(BuildError { slot, fault: BuildFault::NoSuchMap { index, count } });
        }
    }
    Ok(())
}
