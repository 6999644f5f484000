//! What somebody outside may do with a map: the element commands of bpf(2), with its error numbers.

use oxbpf_abi::{MapType, errno, map_flags};
use oxbpf_ir::{MapIdx, ProgIdx};

use super::define::{alike, holds_maps};
use super::store::{By, Steps, aligned, index_of, map_number};
use super::{Entry, Map, outside_size};

impl Map {
    /// A copy of the value at a key, as `map_lookup_elem` gives it: of a per-CPU map, all CPUs' slots in a row; of a
    /// queue or stack, whose keys are empty, the value that would come out next.
    pub fn read(&self, key: &[u8], flags: u64) -> Result<Vec<u8>, i64> {
        self.flags_of_read(flags)?;
        if !self.sized_key(key) {
            return Err(errno::EINVAL);
        }
        self.kind.store().read(&self.storage, key, &mut Steps::default())
    }

    /// Whether a Bloom filter may hold a value, as `map_lookup_elem` tells it.
    pub fn may_hold(&self, value: &[u8], flags: u64) -> Result<(), i64> {
        self.flags_of_read(flags)?;
        match self.def.map_type {
            MapType::BLOOM_FILTER => self.peek(&mut value.to_vec()),
            _ => Err(errno::EINVAL),
        }
    }

    /// Whether one may read, and so: unknown flags are refused first, a lock that is not there last.
    fn flags_of_read(&self, flags: u64) -> Result<(), i64> {
        if flags & !map_flags::F_LOCK != 0 {
            return Err(errno::EINVAL);
        }
        self.may_read()?;
        if flags != 0 && self.def.lock.is_none() { Err(errno::EINVAL) } else { Ok(()) }
    }

    fn may_read(&self) -> Result<(), i64> {
        if self.def.flags & map_flags::WRONLY != 0 { Err(errno::EPERM) } else { Ok(()) }
    }

    /// Frozen contents never change.
    fn may_write(&self) -> Result<(), i64> {
        if self.def.frozen() || self.def.flags & map_flags::RDONLY != 0 { Err(errno::EPERM) } else { Ok(()) }
    }

    /// Creates or overwrites an entry, as `map_update_elem` does: of a per-CPU map with all CPUs' slots in a row.
    ///
    /// What a map of maps is to hold is for [`Map::write_map`].
    pub fn write(&self, key: &[u8], value: &[u8], flags: u64) -> Result<(), i64> {
        self.may_write()?;
        match self.def.map_type {
            MapType::PROG_ARRAY | MapType::PERF_EVENT_ARRAY => Err(errno::EINVAL),
            map_type if holds_maps(map_type) => Err(errno::EINVAL),
            _ => self.put(key, value, flags),
        }
    }

    /// The same whoever may write; of a per-CPU map also with one value, for all CPUs.
    pub(super) fn put(&self, key: &[u8], value: &[u8], flags: u64) -> Result<(), i64> {
        if self.def.map_type == MapType::RINGBUF {
            return Err(if flags & map_flags::F_LOCK != 0 { errno::EINVAL } else { errno::ENOTSUPP });
        }
        // Who is outside is asked for the lock first.
        let locked = flags & map_flags::F_LOCK != 0 && self.def.lock.is_none();
        if locked || !self.sized_key(key) || flags & !map_flags::F_LOCK > map_flags::EXIST {
            return Err(errno::EINVAL);
        }
        let each = self.def.value_size as usize;
        let whole = outside_size(&self.def, self.cpus);
        let update = |value: &[u8]| {
            self.kind.store().update(&self.storage, key, value, flags, By::Outside, &mut Steps::default())
        };
        match value.len() {
            len if len == whole => update(value),
            len if len == each => {
                let mut slot = value.to_vec();
                slot.resize(aligned(self.def.value_size), 0);
                update(&slot.repeat(self.cpus as usize))
            }
            _ => Err(errno::EINVAL),
        }
    }

    /// Puts a map of the set into a map of maps.
    pub fn write_map(&self, key: &[u8], map: MapIdx, inner: Option<&Map>, flags: u64) -> Result<(), i64> {
        self.may_write()?;
        self.put_map(key, map, inner, flags)
    }

    pub(super) fn put_map(&self, key: &[u8], map: MapIdx, inner: Option<&Map>, flags: u64) -> Result<(), i64> {
        let Some(model) = self.def.inner.as_deref().filter(|_| holds_maps(self.def.map_type)) else {
            return Err(errno::EINVAL);
        };
        let array = self.def.map_type == MapType::ARRAY_OF_MAPS;
        if flags & map_flags::F_LOCK != 0 || array && flags != 0 {
            return Err(errno::EINVAL);
        }
        // An array looks at the index before the map, a hash at the map before all.
        if array && index_of(key) >= self.def.max_entries {
            return Err(errno::E2BIG);
        }
        let inner = inner.ok_or(errno::EBADF)?;
        if !alike(model, inner.def()) {
            return Err(errno::EINVAL);
        }
        self.put(key, &map_number(map), flags)
    }

    /// Removes an entry, as `map_delete_elem` does.
    pub fn remove(&self, key: &[u8]) -> Result<(), i64> {
        self.may_write()?;
        self.delete(key, &mut Steps::default())
    }

    /// Takes an entry out, as `map_lookup_and_delete_elem` does.
    pub fn take(&self, key: &[u8], flags: u64) -> Result<Vec<u8>, i64> {
        self.flags_of_read(flags)?;
        self.may_write()?;
        if !self.sized_key(key) {
            return Err(errno::EINVAL);
        }
        match self.def.map_type {
            MapType::QUEUE | MapType::STACK => {
                let mut value = vec![0; self.def.value_size as usize];
                self.pop(&mut value).map(|()| value)
            }
            MapType::HASH | MapType::PERCPU_HASH | MapType::LRU_HASH | MapType::LRU_PERCPU_HASH => {
                let value = self.kind.store().read(&self.storage, key, &mut Steps::default())?;
                self.delete(key, &mut Steps::default()).map(|()| value)
            }
            _ => Err(errno::ENOTSUPP),
        }
    }

    /// The key after a key in the map's order, or the first, as `map_get_next_key` gives it.
    pub fn next_key(&self, key: Option<&[u8]>) -> Result<Vec<u8>, i64> {
        self.may_read()?;
        if key.is_some_and(|key| !self.sized_key(key)) {
            return Err(errno::EINVAL);
        }
        self.kind.store().next_key(&self.storage, key)
    }

    /// Calls `visit` with all keys and values: an array's in order, a hash's by bucket, a trie's longest prefixes first,
    /// a queue's and stack's as they would come out. The same in every run.
    pub fn for_each(&self, visit: &mut dyn FnMut(&[u8], &[u8])) {
        self.kind.store().for_each(&self.storage, visit);
    }

    /// Calls `visit` with the indices of a program array that are in use, and the programs there. Others have none.
    pub fn for_each_program(&self, visit: &mut dyn FnMut(u32, ProgIdx)) {
        if self.def.map_type == MapType::PROG_ARRAY {
            self.for_each(&mut |key, value| visit(super::store::number(key), ProgIdx(super::store::number(value))));
        }
    }

    /// All keys and values, as [`Map::for_each`] gives them.
    pub fn entries(&self) -> Vec<Entry> {
        let mut entries = Vec::new();
        self.for_each(&mut |key, value| entries.push((key.to_vec(), value.to_vec())));
        entries
    }
}
