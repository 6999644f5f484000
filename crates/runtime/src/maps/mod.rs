//! Maps: key-value stores that programs share with user space. Each lives in one block that does not move,
//! with offsets inside and no pointers, and is updated in place.

mod array;
mod hash;
mod prog_array;

use oxbpf_abi::{MapType, errno, map_flags};
use oxbpf_ir::{MapDef, MapIdx, MapInit, ProgIdx};
use thiserror::Error;

use crate::memory::{ArenaError, Block, Memory};
use array::Array;
use hash::Hash;
use prog_array::ProgArray;

/// The longest key: the kernel wants keys to fit on a program's stack.
pub const MAX_KEY: usize = 512;
/// The longest value: the kernel's limit for an element that it allocates at once.
const MAX_VALUE: u32 = 4 << 20;

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

/// A map in memory. Operations take bytes; failures are the kernel's error numbers, positive.
#[derive(Debug)]
pub struct Map {
    def: MapDef,
    store: Store,
}

#[derive(Debug)]
enum Store {
    Array(Array),
    Hash(Hash),
    ProgArray(ProgArray),
}

impl Map {
    /// A map of this definition with its initial contents.
    ///
    /// Fails where the kernel's map creation would, where memory is out, and for types not implemented.
    pub fn new(def: &MapDef, index: MapIdx, memory: &mut Memory) -> Result<Map, MapError> {
        check(def)?;
        let new = match def.map_type {
            MapType::ARRAY => Array::new(def, index, memory).map(Store::Array),
            MapType::HASH => Hash::new(def, index, memory).map(Store::Hash),
            _ => Ok(Store::ProgArray(ProgArray::new(def.max_entries))),
        };
        let store = new.map_err(|source| MapError::Memory { map: def.name.clone(), source })?;
        let mut map = Map { def: def.clone(), store };
        match &def.init {
            MapInit::Empty => {}
            MapInit::Entries(entries) => {
                for (key, value) in entries {
                    let init = |errno| MapError::Init { map: def.name.clone(), key: key.clone(), errno };
                    map.update(key, value, map_flags::ANY).map_err(init)?;
                }
            }
            MapInit::Programs(programs) => {
                for (key, program) in programs {
                    let init = |errno| MapError::Init { map: def.name.clone(), key: key.to_ne_bytes().to_vec(), errno };
                    map.set_program(*key, Some(*program)).map_err(init)?;
                }
            }
        }
        Ok(map)
    }

    /// Its definition.
    pub fn def(&self) -> &MapDef {
        &self.def
    }

    /// The guest address of a key's value, or 0.
    pub fn lookup(&self, key: &[u8]) -> u64 {
        match &self.store {
            Store::Array(a) => a.lookup(index_of(key)),
            Store::Hash(h) => h.lookup(key),
            Store::ProgArray(_) => 0,
        }
    }

    /// Creates or overwrites an entry, as `flags` allow.
    pub fn update(&mut self, key: &[u8], value: &[u8], flags: u64) -> Result<(), i64> {
        if flags & !map_flags::F_LOCK > map_flags::EXIST
            || key.len() != self.def.key_size as usize
            || value.len() != self.def.value_size as usize
        {
            return Err(errno::EINVAL);
        }
        match &mut self.store {
            Store::Array(a) => a.update(index_of(key), value, flags),
            Store::Hash(h) => h.update(key, value, flags),
            Store::ProgArray(_) => Err(errno::EINVAL),
        }
    }

    /// Removes an entry.
    pub fn delete(&mut self, key: &[u8]) -> Result<(), i64> {
        match &mut self.store {
            Store::Array(_) => Err(errno::EINVAL),
            Store::Hash(h) => h.delete(key),
            Store::ProgArray(p) => p.set(index_of(key), None).map_err(|_| errno::ENOENT),
        }
    }

    /// The program at an index of a program array; none where it is empty, past the end, or no such map.
    pub fn program(&self, index: u32) -> Option<ProgIdx> {
        match &self.store {
            Store::ProgArray(p) => p.get(index),
            Store::Array(_) | Store::Hash(_) => None,
        }
    }

    /// Sets or empties an index of a program array.
    pub fn set_program(&mut self, index: u32, program: Option<ProgIdx>) -> Result<(), i64> {
        match &mut self.store {
            Store::ProgArray(p) => p.set(index, program),
            Store::Array(_) | Store::Hash(_) => Err(errno::EINVAL),
        }
    }

    /// The guest address of a byte in an array's first value, for global data.
    pub fn value_addr(&self, off: u32) -> Option<u64> {
        match &self.store {
            Store::Array(a) => (off < self.def.value_size).then(|| a.lookup(0) + u64::from(off)),
            Store::Hash(_) | Store::ProgArray(_) => None,
        }
    }

    /// All keys and values: an array's in order, a hash's in the order of its elements. Deterministic.
    pub fn entries(&self) -> Vec<Entry> {
        match &self.store {
            Store::Array(a) => a.entries(),
            Store::Hash(h) => h.entries(),
            Store::ProgArray(p) => p.entries(),
        }
    }
}

/// An array's key: the kernel reads it as a host number.
fn index_of(key: &[u8]) -> u32 {
    key.try_into().map_or(u32::MAX, u32::from_le_bytes)
}

/// The kernel's rules for map creation, as far as its map types are implemented here.
fn check(def: &MapDef) -> Result<(), MapError> {
    let bad = |what: String| Err(MapError::Definition { map: def.name.clone(), what });
    match def.map_type {
        MapType::ARRAY | MapType::HASH | MapType::PROG_ARRAY => {}
        other => return Err(MapError::Unsupported { map: def.name.clone(), what: other.to_string() }),
    }
    if def.max_entries == 0 {
        return bad("max_entries is 0".into());
    }
    if def.value_size == 0 || def.value_size > MAX_VALUE {
        return bad(format!("value size {} is not within 1..={MAX_VALUE}", def.value_size));
    }
    match def.map_type {
        MapType::HASH if def.key_size == 0 || def.key_size as usize > MAX_KEY => {
            bad(format!("key size {} is not within 1..={MAX_KEY}", def.key_size))
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

/// The bytes of a value in a block.
fn value_at(block: &Block, off: usize, size: u32) -> Vec<u8> {
    let mut value = vec![0; size as usize];
    block.read(off, &mut value);
    value
}

/// Where values of 8-byte aligned elements start: values are aligned for 64-bit atomics, as in the kernel.
fn aligned(size: u32) -> usize {
    (size as usize).next_multiple_of(8)
}
