//! Map types, by the kernel's numbers and bpftool's names.

/// A map type by its number; [`MapType::row`] knows those of Linux 6.18.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct MapType(pub u32);

/// What a [`MapType`] is.
#[derive(Clone, Copy, Debug)]
pub struct MapTypeRow {
    /// `enum bpf_map_type`.
    pub map_type: MapType,
    /// The name as bpftool writes it.
    pub name: &'static str,
}

macro_rules! map_types {
    ($($id:literal $constant:ident $name:literal)*) => {
        /// Map types of Linux 6.18, by number.
        pub const MAP_TYPES: &[MapTypeRow] = &[$(MapTypeRow { map_type: MapType($id), name: $name }),*];

        #[allow(missing_docs)]
        impl MapType {
            $(pub const $constant: MapType = MapType($id);)*
        }
    };
}

map_types! {
    1 HASH "hash"
    2 ARRAY "array"
    3 PROG_ARRAY "prog_array"
    4 PERF_EVENT_ARRAY "perf_event_array"
    5 PERCPU_HASH "percpu_hash"
    6 PERCPU_ARRAY "percpu_array"
    7 STACK_TRACE "stack_trace"
    8 CGROUP_ARRAY "cgroup_array"
    9 LRU_HASH "lru_hash"
    10 LRU_PERCPU_HASH "lru_percpu_hash"
    11 LPM_TRIE "lpm_trie"
    12 ARRAY_OF_MAPS "array_of_maps"
    13 HASH_OF_MAPS "hash_of_maps"
    14 DEVMAP "devmap"
    15 SOCKMAP "sockmap"
    16 CPUMAP "cpumap"
    17 XSKMAP "xskmap"
    18 SOCKHASH "sockhash"
    19 CGROUP_STORAGE_DEPRECATED "cgroup_storage_deprecated"
    20 REUSEPORT_SOCKARRAY "reuseport_sockarray"
    21 PERCPU_CGROUP_STORAGE_DEPRECATED "percpu_cgroup_storage_deprecated"
    22 QUEUE "queue"
    23 STACK "stack"
    24 SK_STORAGE "sk_storage"
    25 DEVMAP_HASH "devmap_hash"
    26 STRUCT_OPS "struct_ops"
    27 RINGBUF "ringbuf"
    28 INODE_STORAGE "inode_storage"
    29 TASK_STORAGE "task_storage"
    30 BLOOM_FILTER "bloom_filter"
    31 USER_RINGBUF "user_ringbuf"
    32 CGRP_STORAGE "cgrp_storage"
    33 ARENA "arena"
}

impl MapType {
    /// This type's row, where Linux 6.18 has the number.
    pub fn row(self) -> Option<&'static MapTypeRow> {
        MAP_TYPES.iter().find(|r| r.map_type == self)
    }

    /// The type of this name.
    pub fn by_name(name: &str) -> Option<MapType> {
        MAP_TYPES.iter().find(|r| r.name == name).map(|r| r.map_type)
    }
}

impl core::fmt::Display for MapType {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self.row() {
            Some(row) => f.write_str(row.name),
            None => write!(f, "map type {}", self.0),
        }
    }
}

/// Flags of map creation and of updates.
pub mod map_flags {
    /// Creation: hash elements are not preallocated.
    pub const NO_PREALLOC: u32 = 1 << 0;
    /// Creation: each CPU has its own list of what was used least recently.
    pub const NO_COMMON_LRU: u32 = 1 << 1;
    /// Creation: on a memory node of choice.
    pub const NUMA_NODE: u32 = 1 << 2;
    /// Creation: user space only reads.
    pub const RDONLY: u32 = 1 << 3;
    /// Creation: user space only writes.
    pub const WRONLY: u32 = 1 << 4;
    /// Creation: the hash's seed is zero.
    pub const ZERO_SEED: u32 = 1 << 6;
    /// Creation: programs only read.
    pub const RDONLY_PROG: u32 = 1 << 7;
    /// Creation: programs only write.
    pub const WRONLY_PROG: u32 = 1 << 8;
    /// Creation: user space may map the values.
    pub const MMAPABLE: u32 = 1 << 10;
    /// Creation: perf events stay when whoever put them there is gone.
    pub const PRESERVE_ELEMS: u32 = 1 << 11;
    /// Creation: the array is an inner map of any size.
    pub const INNER_MAP: u32 = 1 << 12;
    /// Who may read and write, from both sides.
    pub const ACCESS: u32 = RDONLY | WRONLY | RDONLY_PROG | WRONLY_PROG;
    /// Update: create or overwrite.
    pub const ANY: u64 = 0;
    /// Update: create only.
    pub const NOEXIST: u64 = 1;
    /// Update: overwrite only; of a queue or stack, the oldest goes where there is no room.
    pub const EXIST: u64 = 2;
    /// Update and look-up from outside: under the value's lock; refused where it has none.
    pub const F_LOCK: u64 = 4;
}
