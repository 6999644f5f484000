//! Maps: key-value stores that programs share with each other and with user space.
//!
//! A map's bytes stand in one [`Storage`] that does not move, with offsets inside and no pointers; operations take
//! `&self` and change it in place, so that worlds, threads and later files and agents may share it. What a program
//! sees is a view: the same bytes in its own arena, of which the values are a region.

mod array;
mod hash;
mod prog_array;
mod set;

use oxbpf_abi::{MapType, errno, map_flags};
use oxbpf_ir::{MapDef, MapInit, ProgIdx};
use thiserror::Error;

use crate::memory::{ArenaError, Elements, Region, RegionKind, Storage};
use array::Array;
use hash::Hash;
use prog_array::ProgArray;

pub use set::MapSet;

/// The longest key: the kernel wants keys to fit on a program's stack.
pub const MAX_KEY: usize = 512;

/// A key and its value.
pub type Entry = (Vec<u8>, Vec<u8>);

/// Why a map cannot be made.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[allow(missing_docs)]
pub enum MapError {
    #[error("map {map}: {what} is not supported")]
    Unsupported { map: String, what: String },
    #[error("map {map}: {what}")]
    Definition { map: String, what: String },
    #[error("map {map}: {source}")]
    Memory { map: String, source: ArenaError },
    #[error("map {map}: the initial entry for key {key:02x?} fails with errno {errno}")]
    Init { map: String, key: Vec<u8>, errno: i64 },
}

impl MapError {
    /// A stable code, `map-…`.
    pub const fn code(&self) -> &'static str {
        match self {
            MapError::Unsupported { .. } => "map-unsupported",
            MapError::Definition { .. } => "map-definition",
            MapError::Memory { .. } => "map-memory",
            MapError::Init { .. } => "map-init",
        }
    }
}

/// What an operation cost besides its constant part, in steps of a chain: charged to a program's fuel, so that
/// colliding keys are not free.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Steps(pub u32);

/// A map. Failures of its operations are the kernel's error numbers, positive.
#[derive(Debug)]
pub struct Map {
    def: MapDef,
    storage: Storage,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Array(Array),
    Hash(Hash),
    ProgArray(ProgArray),
}

impl Map {
    /// A map of this definition with its initial contents.
    ///
    /// Fails where the kernel's map creation would, where memory is out, and for types not implemented.
    pub fn new(def: &MapDef) -> Result<Map, MapError> {
        check(def)?;
        let (kind, len) = shape(def);
        let memory = |source| MapError::Memory { map: def.name.clone(), source };
        let len = len.ok_or(memory(ArenaError::Full { wanted: usize::MAX }))?;
        let map = Map { storage: Storage::new(&def.name, len).map_err(memory)?, def: def.clone(), kind };
        if let Kind::Hash(hash) = &map.kind {
            hash.prepare(&map.storage);
        }
        map.fill()?;
        Ok(map)
    }

    fn fill(&self) -> Result<(), MapError> {
        let init = |key: &[u8], result: Result<(), i64>| {
            result.map_err(|errno| MapError::Init { map: self.def.name.clone(), key: key.to_vec(), errno })
        };
        match &self.def.init {
            MapInit::Empty => Ok(()),
            MapInit::Entries(entries) => {
                entries.iter().try_for_each(|(k, v)| init(k, self.update(k, v, map_flags::ANY, &mut Steps::default())))
            }
            MapInit::Maps(_) => {
                let what = "a map that holds maps".to_string();
                Err(MapError::Unsupported { map: self.def.name.clone(), what })
            }
            MapInit::Programs(programs) => {
                programs.iter().try_for_each(|(k, p)| init(&k.to_le_bytes(), self.set_program(*k, Some(*p))))
            }
        }
    }

    /// Bytes that a map of this definition takes, or none where that is no number.
    pub(crate) fn size_of(def: &MapDef) -> Option<u64> {
        shape(def).1.map(|len| len as u64)
    }

    /// Its definition.
    pub fn def(&self) -> &MapDef {
        &self.def
    }

    pub(crate) fn storage(&self) -> &Storage {
        &self.storage
    }

    /// Where its values are in the storage, and the rule for programs that reach them. None where programs cannot.
    pub(crate) fn values(&self) -> Option<(u64, Region)> {
        let (off, len, elements) = match &self.kind {
            Kind::Array(a) => a.values(),
            Kind::Hash(h) => h.values(),
            Kind::ProgArray(_) => return None,
        };
        let region = Region::new(&self.def.name, RegionKind::MapValues, len).with_elements(elements);
        let (readable, writable) = (self.readable(), self.writable());
        Some((off as u64, Region { readable, writable, ..region }))
    }

    /// Whether programs may read it.
    pub fn readable(&self) -> bool {
        self.def.flags & map_flags::WRONLY_PROG == 0
    }

    /// Whether programs may change it.
    pub fn writable(&self) -> bool {
        !self.def.frozen() && self.def.flags & map_flags::RDONLY_PROG == 0
    }

    /// Where a key's value is in the storage.
    pub fn lookup(&self, key: &[u8], steps: &mut Steps) -> Option<usize> {
        match &self.kind {
            Kind::Array(a) => a.lookup(index_of(key)),
            Kind::Hash(h) => h.lookup(&self.storage, key, steps),
            Kind::ProgArray(_) => None,
        }
    }

    /// Creates or overwrites an entry, as `flags` allow.
    pub fn update(&self, key: &[u8], value: &[u8], flags: u64, steps: &mut Steps) -> Result<(), i64> {
        if flags & !map_flags::F_LOCK > map_flags::EXIST
            || key.len() != self.def.key_size as usize
            || value.len() != self.def.value_size as usize
        {
            return Err(errno::EINVAL);
        }
        match &self.kind {
            Kind::Array(a) => a.update(&self.storage, index_of(key), value, flags),
            Kind::Hash(h) => h.update(&self.storage, key, value, flags, steps),
            Kind::ProgArray(_) => Err(errno::EINVAL),
        }
    }

    /// The same by someone outside: frozen contents never change, and the kernel asks for the value's lock first.
    pub fn update_from_outside(&self, key: &[u8], value: &[u8], flags: u64) -> Result<(), i64> {
        if flags & map_flags::F_LOCK != 0 {
            return Err(errno::EINVAL);
        }
        if self.def.frozen() {
            return Err(errno::EPERM);
        }
        self.update(key, value, flags, &mut Steps::default())
    }

    /// Removes an entry.
    pub fn delete(&self, key: &[u8], steps: &mut Steps) -> Result<(), i64> {
        match &self.kind {
            Kind::Array(_) => Err(errno::EINVAL),
            Kind::Hash(h) => h.delete(&self.storage, key, steps),
            Kind::ProgArray(p) => p.clear(&self.storage, index_of(key)),
        }
    }

    /// The program at an index of a program array; none where it is empty, past the end, or no such map.
    pub fn program(&self, index: u32) -> Option<ProgIdx> {
        match &self.kind {
            Kind::ProgArray(p) => p.get(&self.storage, index),
            Kind::Array(_) | Kind::Hash(_) => None,
        }
    }

    /// Sets or empties an index of a program array. The number is that of the image which runs with this map.
    pub fn set_program(&self, index: u32, program: Option<ProgIdx>) -> Result<(), i64> {
        match (&self.kind, program) {
            (Kind::ProgArray(p), Some(program)) => p.set(&self.storage, index, program),
            (Kind::ProgArray(p), None) => p.clear(&self.storage, index),
            (Kind::Array(_) | Kind::Hash(_), _) => Err(errno::EINVAL),
        }
    }

    /// Where a byte of an array's only value is in the storage, for global data. As in the kernel, no other map has
    /// an address before it is looked up.
    pub fn first_value(&self, off: u32) -> Option<usize> {
        match &self.kind {
            Kind::Array(a) if self.def.max_entries == 1 && off < self.def.value_size => {
                a.lookup(0).map(|at| at + off as usize)
            }
            _ => None,
        }
    }

    /// Calls `visit` with all keys and values: an array's in order, a hash's by bucket. The same in every run.
    pub fn for_each(&self, visit: &mut dyn FnMut(&[u8], &[u8])) {
        match &self.kind {
            Kind::Array(a) => a.for_each(&self.storage, visit),
            Kind::Hash(h) => h.for_each(&self.storage, visit),
            Kind::ProgArray(_) => {
                self.for_each_program(&mut |i, program| visit(&i.to_le_bytes(), &program.0.to_le_bytes()));
            }
        }
    }

    /// Calls `visit` with the indices of a program array that are in use, and the programs there. Others have none.
    pub fn for_each_program(&self, visit: &mut dyn FnMut(u32, ProgIdx)) {
        match &self.kind {
            Kind::ProgArray(p) => p.for_each(&self.storage, visit),
            Kind::Array(_) | Kind::Hash(_) => {}
        }
    }

    /// All keys and values, as [`Map::for_each`] gives them.
    pub fn entries(&self) -> Vec<Entry> {
        let mut entries = Vec::new();
        self.for_each(&mut |key, value| entries.push((key.to_vec(), value.to_vec())));
        entries
    }
}

/// The kind of map that a definition asks for, and its storage's length where that is a number.
fn shape(def: &MapDef) -> (Kind, Option<usize>) {
    match def.map_type {
        MapType::ARRAY => {
            let array = Array::new(def);
            let len = array.len();
            (Kind::Array(array), len)
        }
        MapType::HASH => {
            let hash = Hash::new(def);
            let len = hash.len();
            (Kind::Hash(hash), len)
        }
        _ => {
            let programs = ProgArray::new(def);
            let len = programs.len();
            (Kind::ProgArray(programs), len)
        }
    }
}

/// An array's key: the kernel reads it as a host number.
fn index_of(key: &[u8]) -> u32 {
    key.try_into().map_or(u32::MAX, u32::from_le_bytes)
}

/// The kernel's rules for map creation, as far as its map types are implemented here.
fn check(def: &MapDef) -> Result<(), MapError> {
    /// A hash's key and value together, as far as the kernel allocates an element at once.
    const MAX_ELEMENT: u64 = (4 << 20) - 64;
    let bad = |what: String| Err(MapError::Definition { map: def.name.clone(), what });
    let allowed = match def.map_type {
        MapType::ARRAY => map_flags::OF_ARRAY,
        MapType::HASH => map_flags::OF_HASH,
        MapType::PROG_ARRAY => map_flags::OF_PROG_ARRAY,
        other => return Err(MapError::Unsupported { map: def.name.clone(), what: other.to_string() }),
    };
    if def.flags & !allowed != 0 {
        return bad(format!("a map of type {} takes no flags {:#x}", def.map_type, def.flags & !allowed));
    }
    let one_sided = map_flags::RDONLY_PROG | map_flags::WRONLY_PROG;
    if def.flags & one_sided == one_sided {
        return bad("a map cannot be both read-only and write-only".into());
    }
    if def.max_entries == 0 {
        return bad("max_entries is 0".into());
    }
    if def.value_size == 0 || def.value_size > i32::MAX as u32 {
        return bad(format!("value size {} is not within 1..={}", def.value_size, i32::MAX));
    }
    match def.map_type {
        MapType::HASH if def.key_size == 0 || def.key_size as usize > MAX_KEY => {
            bad(format!("key size {} is not within 1..={MAX_KEY}", def.key_size))
        }
        MapType::HASH if u64::from(def.key_size) + u64::from(def.value_size) > MAX_ELEMENT => {
            bad(format!("value size {} is above what an element may have", def.value_size))
        }
        MapType::ARRAY | MapType::PROG_ARRAY if def.key_size != 4 => {
            bad(format!("key size {} of an array is not 4", def.key_size))
        }
        MapType::PROG_ARRAY if def.value_size != 4 => {
            bad(format!("value size {} of a program array is not 4", def.value_size))
        }
        _ => Ok(()),
    }
}

/// Where values of 8-byte aligned elements start: values are aligned for 64-bit atomics, as in the kernel.
fn aligned(size: u32) -> usize {
    (size as usize).next_multiple_of(8)
}

/// Reads an element's bytes into a buffer of the right size.
fn read<'a>(storage: &Storage, off: usize, size: u32, buffer: &'a mut Vec<u8>) -> &'a [u8] {
    buffer.resize(size as usize, 0);
    storage.read(off, buffer);
    buffer
}

/// Equal elements of a region, in the units of [`Elements`].
fn elements(stride: usize, off: usize, size: u32) -> Elements {
    Elements { stride: stride as u64, off: off as u64, size: size.into() }
}
