//! Maps: key-value stores that programs share with each other and with user space.
//!
//! A map's bytes stand in one [`Storage`] that does not move, with offsets inside and no pointers; operations take
//! `&self` and change it in place, so that worlds, threads and later files and agents may share it. What a program
//! sees is a view: the same bytes in its own arena, of which the values are a region.
//!
//! Operations come from two sides. A program's are `lookup`, `update`, `push` and their like, for helpers; it reads and
//! writes values in place. Those of somebody outside, what bpf(2) has, copy: `read`, `write`, `remove`, `take`.
//!
//! ```
//! use oxbpf_abi::{MapType, errno, map_flags};
//! use oxbpf_ir::MapDef;
//! use oxbpf_runtime::maps::Map;
//!
//! let map = Map::new(&MapDef::new("flows", MapType::HASH, 4, 2, 1))?;
//! assert_eq!(map.write(&[1; 4], &[7, 8], map_flags::NOEXIST), Ok(()));
//! assert_eq!(map.write(&[2; 4], &[7, 8], map_flags::ANY), Err(errno::E2BIG));
//! assert_eq!(map.read(&[1; 4], 0), Ok(vec![7, 8]));
//! # Ok::<(), oxbpf_runtime::maps::MapError>(())
//! ```

mod array;
mod bloom;
mod define;
mod error;
mod hash;
mod lpm;
mod outside;
mod queue;
mod ring;
mod set;
mod slots;
mod store;
mod values;

use oxbpf_abi::{MapType, errno, map_flags};
use oxbpf_ir::{MapDef, MapIdx, MapInit, ProgIdx};

use crate::memory::{ArenaError, Region, RegionKind, Storage};
pub use define::{alike as may_stand_for, check as check_definition};
pub use error::MapError;
use ring::Ring;
pub use set::MapSet;
pub use store::{By, Steps};
use store::{Store, aligned};

/// The longest key that fits on a program's stack; from other memory longer ones come.
pub const MAX_KEY: usize = 512;

/// A key and its value.
pub type Entry = (Vec<u8>, Vec<u8>);

/// A map. Failures of its operations are the kernel's error numbers, positive.
#[derive(Debug)]
pub struct Map {
    def: MapDef,
    cpus: u32,
    storage: Storage,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Store(Box<dyn Store>),
    /// Has operations of its own.
    Ring(Ring),
}

impl Kind {
    fn store(&self) -> &dyn Store {
        match self {
            Kind::Store(store) => &**store,
            Kind::Ring(ring) => ring,
        }
    }

    fn of(def: &MapDef, cpus: u32) -> Kind {
        let each = per_cpu(def.map_type).then_some(cpus);
        Kind::Store(match def.map_type {
            MapType::ARRAY | MapType::PERCPU_ARRAY => Box::new(array::Array::new(def, each)),
            MapType::LPM_TRIE => Box::new(lpm::Lpm::new(def)),
            MapType::QUEUE | MapType::STACK => Box::new(queue::Queue::new(def)),
            MapType::BLOOM_FILTER => Box::new(bloom::Bloom::new(def)),
            MapType::RINGBUF => return Kind::Ring(Ring::new(def)),
            MapType::PROG_ARRAY | MapType::ARRAY_OF_MAPS | MapType::PERF_EVENT_ARRAY => {
                Box::new(slots::Slots::new(def))
            }
            _ => Box::new(hash::Hash::new(def, each)),
        })
    }
}

/// Whether each CPU has its own values.
pub fn per_cpu(map_type: MapType) -> bool {
    matches!(map_type, MapType::PERCPU_ARRAY | MapType::PERCPU_HASH | MapType::LRU_PERCPU_HASH)
}

/// Bytes of a value as somebody outside sees it: of a per-CPU map, a slot of 8-byte steps for each CPU.
pub fn outside_size(def: &MapDef, cpus: u32) -> usize {
    match per_cpu(def.map_type) {
        true => aligned(def.value_size) * cpus as usize,
        false => def.value_size as usize,
    }
}

impl Map {
    /// A map of this definition with its initial contents, where there is one CPU.
    ///
    /// Fails where the kernel's map creation would, where memory is out, and for types not implemented.
    pub fn new(def: &MapDef) -> Result<Map, MapError> {
        Map::with_cpus(def, 1)
    }

    /// The same where there are so many CPUs, at least one. What maps of maps hold is for [`MapSet`] to fill in.
    pub fn with_cpus(def: &MapDef, cpus: u32) -> Result<Map, MapError> {
        define::check(def)?;
        let cpus = cpus.max(1);
        let kind = Kind::of(def, cpus);
        let memory = |source| MapError::Memory { map: def.name.clone(), source };
        let len = kind.store().len().ok_or(memory(ArenaError::Full { wanted: usize::MAX }))?;
        let map = Map { storage: Storage::new(&def.name, len).map_err(memory)?, cpus, def: def.clone(), kind };
        map.kind.store().prepare(&map.storage);
        if def.map_type == MapType::PERF_EVENT_ARRAY {
            map.listen();
        }
        map.fill()?;
        Ok(map)
    }

    fn fill(&self) -> Result<(), MapError> {
        let init = |key: &[u8], result: Result<(), i64>| {
            result.map_err(|errno| MapError::Init { map: self.def.name.clone(), key: key.to_vec(), errno })
        };
        match &self.def.init {
            MapInit::Empty | MapInit::Maps(_) => Ok(()),
            MapInit::Entries(entries) => entries.iter().try_for_each(|(k, v)| init(k, self.put(k, v, map_flags::ANY))),
            MapInit::Programs(programs) => {
                programs.iter().try_for_each(|(k, p)| init(&k.to_le_bytes(), self.set_program(*k, Some(*p))))
            }
        }
    }

    /// Opens an event on each CPU, as a consumer does that wants to hear all.
    fn listen(&self) {
        for cpu in 0..self.cpus.min(self.def.max_entries) {
            let _ = self.put(&cpu.to_le_bytes(), &cpu.to_le_bytes(), map_flags::ANY);
        }
    }

    /// Bytes that a map of this definition takes, or none where that is no number.
    pub(crate) fn size_of(def: &MapDef, cpus: u32) -> Option<u64> {
        define::check(def).ok()?;
        Kind::of(def, cpus).store().len().map(|len| len as u64)
    }

    /// Its definition.
    pub fn def(&self) -> &MapDef {
        &self.def
    }

    /// For how many CPUs it has values, where each has its own.
    pub fn cpus(&self) -> u32 {
        self.cpus
    }

    pub(crate) fn storage(&self) -> &Storage {
        &self.storage
    }

    /// Where its values are in the storage, and the rule for programs that reach them. None where programs cannot.
    pub(crate) fn values(&self) -> Option<(u64, Region)> {
        let (off, region) = match &self.kind {
            // The data twice in a row, so that no record is cut.
            Kind::Ring(_) => {
                let len = 2 * u64::from(self.def.max_entries);
                (ring::DATA, Region::new(&self.def.name, RegionKind::Records, len))
            }
            Kind::Store(store) => {
                let (off, len, elements) = store.values()?;
                (off, Region::new(&self.def.name, RegionKind::MapValues, len).with_elements(elements))
            }
        };
        let (readable, writable) = (self.readable(), self.writable());
        Some((off as u64, Region { readable, writable, ..region }))
    }

    /// The offset from which its bytes stand twice in a row in the memory of programs.
    pub(crate) fn twice_from(&self) -> Option<usize> {
        matches!(self.kind, Kind::Ring(_)).then_some(ring::DATA)
    }

    /// Whether programs may read it.
    pub fn readable(&self) -> bool {
        self.def.flags & map_flags::WRONLY_PROG == 0
    }

    /// Whether programs may change it.
    pub fn writable(&self) -> bool {
        !self.def.frozen() && self.def.flags & map_flags::RDONLY_PROG == 0
    }

    fn sized_key(&self, key: &[u8]) -> bool {
        key.len() == self.def.key_size as usize
    }

    /// Where the value that a program on a CPU finds at a key is in the storage.
    pub fn lookup(&self, key: &[u8], cpu: u32, steps: &mut Steps) -> Option<usize> {
        self.sized_key(key).then_some(())?;
        self.kind.store().lookup(&self.storage, key, cpu, steps)
    }

    /// The map that a map of maps holds at a key.
    pub fn inner(&self, key: &[u8], steps: &mut Steps) -> Option<MapIdx> {
        (define::holds_maps(self.def.map_type) && self.sized_key(key)).then_some(())?;
        self.kind.store().number(&self.storage, key, steps).map(MapIdx)
    }

    /// The CPU whose perf event stands at an index of a perf event array.
    pub fn event(&self, index: u32) -> Option<u32> {
        (self.def.map_type == MapType::PERF_EVENT_ARRAY).then_some(())?;
        self.kind.store().number(&self.storage, &index.to_le_bytes(), &mut Steps::default())
    }

    /// Creates or overwrites an entry, as `flags` allow, for a program on a CPU: of what each CPU has its own, that
    /// one's.
    pub fn update(&self, key: &[u8], value: &[u8], flags: u64, cpu: u32, steps: &mut Steps) -> Result<(), i64> {
        let sized = self.sized_key(key) && value.len() == self.def.value_size as usize;
        if !sized || flags & !map_flags::F_LOCK > map_flags::EXIST {
            return Err(errno::EINVAL);
        }
        self.kind.store().update(&self.storage, key, value, flags, By::Program(cpu), steps)
    }

    /// Removes an entry.
    pub fn delete(&self, key: &[u8], steps: &mut Steps) -> Result<(), i64> {
        if !self.sized_key(key) {
            return Err(errno::EINVAL);
        }
        self.kind.store().delete(&self.storage, key, steps)
    }

    /// Puts a value into a queue, stack or Bloom filter.
    pub fn push(&self, value: &[u8], flags: u64) -> Result<(), i64> {
        if value.len() != self.def.value_size as usize {
            return Err(errno::EINVAL);
        }
        self.kind.store().push(&self.storage, value, flags)
    }

    /// Takes a value out of a queue or stack. A failure leaves zeros.
    pub fn pop(&self, value: &mut [u8]) -> Result<(), i64> {
        if value.len() != self.def.value_size as usize {
            return Err(errno::EINVAL);
        }
        self.kind.store().pop(&self.storage, value)
    }

    /// Looks at the value that [`Map::pop`] would take; of a Bloom filter, whether this value may be in it.
    pub fn peek(&self, value: &mut [u8]) -> Result<(), i64> {
        if value.len() != self.def.value_size as usize {
            return Err(errno::EINVAL);
        }
        self.kind.store().peek(&self.storage, value)
    }

    /// The program at an index of a program array; none where it is empty, past the end, or no such map.
    pub fn program(&self, index: u32) -> Option<ProgIdx> {
        (self.def.map_type == MapType::PROG_ARRAY).then_some(())?;
        self.kind.store().number(&self.storage, &index.to_le_bytes(), &mut Steps::default()).map(ProgIdx)
    }

    /// Sets or empties an index of a program array. The number is that of the image which runs with this map.
    pub fn set_program(&self, index: u32, program: Option<ProgIdx>) -> Result<(), i64> {
        if self.def.map_type != MapType::PROG_ARRAY {
            return Err(errno::EINVAL);
        }
        let key = index.to_le_bytes();
        match program {
            Some(program) => self.put(&key, &program.0.to_le_bytes(), map_flags::ANY),
            None => self.delete(&key, &mut Steps::default()),
        }
    }

    /// Where a byte of an array's only value is in the storage, for global data. As in the kernel, no other map has
    /// an address before it is looked up.
    pub fn first_value(&self, off: u32) -> Option<usize> {
        let single = self.def.map_type == MapType::ARRAY && self.def.max_entries == 1 && off < self.def.value_size;
        single.then_some(())?;
        self.lookup(&[0; 4], 0, &mut Steps::default()).map(|at| at + off as usize)
    }

    /// The cursor of the entry after a cursor's, from 0 on; none at the end, and for maps that are not visited so. After
    /// more than `most` steps the search ends without one.
    pub fn step(&self, cursor: u32, most: u32, steps: &mut Steps) -> Option<u32> {
        self.kind.store().step(&self.storage, cursor, most, steps)
    }

    /// The key at a cursor, and where a program on a CPU finds the value.
    pub fn at(&self, cursor: u32, cpu: u32) -> Option<(Vec<u8>, usize)> {
        self.kind.store().at(&self.storage, cursor, cpu)
    }

    /// The operations that only ring buffers have.
    pub(crate) fn ring(&self) -> Option<RingOf<'_>> {
        match &self.kind {
            Kind::Ring(ring) => Some(RingOf { ring, storage: &self.storage }),
            Kind::Store(_) => None,
        }
    }

    /// Takes the records out of a ring buffer, in their order, up to the first that a program still writes. Of other
    /// maps nothing.
    pub fn consume(&self, take: &mut dyn FnMut(Vec<u8>)) {
        if let Kind::Ring(ring) = &self.kind {
            ring.consume(&self.storage, take);
        }
    }
}

/// A ring buffer with its bytes.
#[derive(Clone, Copy)]
pub(crate) struct RingOf<'m> {
    ring: &'m Ring,
    storage: &'m Storage,
}

impl RingOf<'_> {
    /// Begins a record: the offset of its bytes in the storage. None where there is no room.
    pub(crate) fn reserve(&self, size: u64) -> Option<usize> {
        self.ring.reserve(self.storage, size)
    }

    /// Completes a record that was begun at this offset.
    pub(crate) fn commit(&self, off: usize, discard: bool) {
        self.ring.commit(self.storage, off, discard);
    }

    /// Writes a whole record.
    pub(crate) fn output(&self, bytes: &[u8]) -> Result<(), i64> {
        self.ring.output(self.storage, bytes)
    }

    /// What a program may ask about the buffer.
    pub(crate) fn query(&self, what: u64) -> u64 {
        self.ring.query(self.storage, what)
    }
}
