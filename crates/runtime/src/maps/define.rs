//! The kernel's rules for map creation, a row for each map type that is implemented here, as Linux 6.18 answers.

use oxbpf_abi::map_flags::{
    ACCESS, INNER_MAP, MMAPABLE, NO_COMMON_LRU, NO_PREALLOC, NUMA_NODE, PRESERVE_ELEMS, RDONLY, RDONLY_PROG, WRONLY,
    WRONLY_PROG, ZERO_SEED,
};
use oxbpf_abi::{MapType, errno};
use oxbpf_ir::MapDef;

use super::MapError;

/// What a definition of one map type may say.
struct Rule {
    map_type: MapType,
    /// Creation flags that it takes.
    flags: u32,
    /// The least and the most bytes of a key; others are `EINVAL`.
    key: (u32, u32),
    /// The least and the most bytes of a value; others are `EINVAL`.
    value: (u32, u32),
    /// More bytes of a value are `E2BIG`.
    large: u32,
    /// More bytes of key and value together are `E2BIG`.
    element: u64,
    /// More entries are `E2BIG`.
    entries: u32,
}

/// As much as the kernel allocates at once.
const ALLOC: u32 = 4 << 20;
/// What a hash's element has besides its key and value, and one more.
const HASH_ELEMENT: u64 = ALLOC as u64 - 49;
/// The most bytes of a value that each CPU has.
const PER_CPU: u32 = 32 << 10;
/// Buckets of a hash whose size in bytes is a 32-bit number.
const HASH_ENTRIES: u32 = 1 << 27;
const ANY: u32 = u32::MAX;
const NUMBER: (u32, u32) = (4, 4);
const NONE: (u32, u32) = (0, 0);
const SOME: (u32, u32) = (1, ANY);

const HASH: Rule = Rule {
    map_type: MapType::HASH,
    flags: ACCESS | NUMA_NODE | NO_PREALLOC | ZERO_SEED,
    key: SOME,
    value: SOME,
    large: ANY,
    element: HASH_ELEMENT,
    entries: HASH_ENTRIES,
};
const ARRAY: Rule = Rule {
    map_type: MapType::ARRAY,
    flags: ACCESS | NUMA_NODE | MMAPABLE | INNER_MAP,
    key: NUMBER,
    value: SOME,
    large: i32::MAX as u32,
    element: u64::MAX,
    entries: ANY,
};
const NUMBERS: Rule =
    Rule { map_type: MapType::PROG_ARRAY, flags: NUMA_NODE | RDONLY | WRONLY, value: NUMBER, ..ARRAY };
const QUEUE: Rule = Rule { map_type: MapType::QUEUE, flags: ACCESS | NUMA_NODE, key: NONE, large: ALLOC, ..ARRAY };

const RULES: [Rule; 15] = [
    HASH,
    ARRAY,
    NUMBERS,
    Rule { map_type: MapType::PERF_EVENT_ARRAY, flags: NUMBERS.flags | PRESERVE_ELEMS, ..NUMBERS },
    Rule { map_type: MapType::PERCPU_HASH, flags: HASH.flags, large: PER_CPU, ..HASH },
    Rule { map_type: MapType::PERCPU_ARRAY, flags: ACCESS, large: PER_CPU, ..ARRAY },
    Rule { map_type: MapType::LRU_HASH, flags: HASH.flags | NO_COMMON_LRU, ..HASH },
    Rule { map_type: MapType::LRU_PERCPU_HASH, flags: HASH.flags | NO_COMMON_LRU, large: PER_CPU, ..HASH },
    Rule {
        map_type: MapType::LPM_TRIE,
        flags: ACCESS | NUMA_NODE | NO_PREALLOC,
        // A length of 4 bytes, then up to 2,048 bits.
        key: (5, 260),
        value: (1, ALLOC - 280),
        large: ANY,
        ..ARRAY
    },
    Rule { map_type: MapType::ARRAY_OF_MAPS, ..NUMBERS },
    Rule { map_type: MapType::HASH_OF_MAPS, value: NUMBER, ..HASH },
    QUEUE,
    Rule { map_type: MapType::STACK, ..QUEUE },
    Rule { map_type: MapType::RINGBUF, flags: NUMA_NODE, key: NONE, value: NONE, ..ARRAY },
    Rule { map_type: MapType::BLOOM_FILTER, flags: QUEUE.flags | ZERO_SEED, ..QUEUE },
];

/// The most hashes of a Bloom filter.
const MAX_HASHES: u64 = 15;
/// A ring buffer's size is a multiple of this: the kernel's page.
pub(super) const PAGE: u32 = 4096;

/// Whether a definition is one that the kernel takes.
///
/// Fails with the kernel's error number and what is wrong, or for types that are not implemented.
pub fn check(def: &MapDef) -> Result<(), MapError> {
    let rule = RULES.iter().find(|r| r.map_type == def.map_type);
    let rule = rule.ok_or(MapError::Unsupported { map: def.name.clone(), what: def.map_type.to_string() })?;
    let bad = |(errno, what)| MapError::Definition { map: def.name.clone(), errno, what };
    first(def, rule)
        .and_then(|()| flags(def, rule))
        .and_then(|()| sizes(def, rule))
        .and_then(|()| inner(def))
        .map_err(bad)
}

type Checked = Result<(), (i64, String)>;

const ONE_SIDED: &str = "a map cannot be both read-only and write-only";

/// What the kernel looks at first: of all maps whether there is a side from which they can be used, then of a Bloom
/// filter the size of a value.
fn first(def: &MapDef, rule: &Rule) -> Checked {
    if def.flags & (RDONLY | WRONLY) == RDONLY | WRONLY {
        return invalid(ONE_SIDED.into());
    }
    let first = def.map_type == MapType::BLOOM_FILTER && def.value_size > rule.large;
    if first { value_too_large(def, rule) } else { Ok(()) }
}

fn value_too_large(def: &MapDef, rule: &Rule) -> Checked {
    Err((errno::E2BIG, format!("value size {} is above {}", def.value_size, rule.large)))
}

fn invalid(what: String) -> Checked {
    Err((errno::EINVAL, what))
}

fn flags(def: &MapDef, rule: &Rule) -> Checked {
    let (map_type, extra) = (def.map_type, def.extra);
    let hashes = map_type == MapType::BLOOM_FILTER;
    match extra {
        0 => {}
        1..=MAX_HASHES if hashes => {}
        _ if hashes => return invalid(format!("{extra} hashes of a Bloom filter are not within 0..={MAX_HASHES}")),
        _ => return invalid(format!("a map of type {map_type} takes no extra value")),
    }
    if def.flags & !rule.flags != 0 {
        return invalid(format!("a map of type {map_type} takes no flags {:#x}", def.flags & !rule.flags));
    }
    if def.flags & (RDONLY_PROG | WRONLY_PROG) == RDONLY_PROG | WRONLY_PROG {
        return invalid(ONE_SIDED.into());
    }
    let lru = matches!(map_type, MapType::LRU_HASH | MapType::LRU_PERCPU_HASH);
    match def.flags & NO_PREALLOC == 0 {
        true if map_type == MapType::LPM_TRIE => {
            invalid(format!("a map of type {map_type} wants flag {NO_PREALLOC:#x}"))
        }
        false if lru => Err((errno::ENOTSUPP, format!("a map of type {map_type} is always preallocated"))),
        _ if def.flags & NUMA_NODE != 0 && (super::per_cpu(map_type) || def.flags & NO_COMMON_LRU != 0) => {
            invalid("what each CPU has its own is on no memory node of choice".into())
        }
        _ => Ok(()),
    }
}

fn sizes(def: &MapDef, rule: &Rule) -> Checked {
    let MapDef { map_type, key_size, value_size, max_entries, .. } = *def;
    within("key", key_size, rule.key, map_type)?;
    within("value", value_size, rule.value, map_type)?;
    if max_entries == 0 {
        return invalid("max_entries is 0".into());
    }
    if map_type == MapType::RINGBUF && !(max_entries.is_power_of_two() && max_entries >= PAGE) {
        return invalid(format!("{max_entries} bytes of a ring buffer are no power of two from {PAGE} on"));
    }
    if value_size > rule.large {
        return value_too_large(def, rule);
    }
    let large = |what| Err((errno::E2BIG, what));
    if u64::from(key_size) + u64::from(value_size) > rule.element {
        return large(format!(
            "key and value of {key_size} and {value_size} bytes are above {} together",
            rule.element
        ));
    }
    if max_entries > rule.entries {
        return large(format!("max_entries {max_entries} is above {}", rule.entries));
    }
    lock(def)
}

fn within(what: &str, size: u32, (least, most): (u32, u32), map_type: MapType) -> Checked {
    if (least..=most).contains(&size) {
        return Ok(());
    }
    invalid(match (least, most) {
        (0, 0) => format!("{what} size {size}, where a map of type {map_type} has none"),
        (least, most) if least == most => format!("{what} size {size} of a map of type {map_type} is not {least}"),
        (least, ANY) => format!("{what} size {size} is below {least}"),
        (least, most) => format!("{what} size {size} is not within {least}..={most}"),
    })
}

/// Bytes of a `struct bpf_spin_lock`.
pub(super) const LOCK_SIZE: u32 = 4;

fn lock(def: &MapDef) -> Checked {
    let Some(off) = def.lock else { return Ok(()) };
    if !matches!(def.map_type, MapType::HASH | MapType::ARRAY) {
        return Err((errno::EOPNOTSUPP, format!("values of a map of type {} have no lock", def.map_type)));
    }
    match off.checked_add(LOCK_SIZE) {
        Some(end) if off.is_multiple_of(LOCK_SIZE) && end <= def.value_size => Ok(()),
        _ => invalid(format!("no lock stands at byte {off} of a value of {} bytes", def.value_size)),
    }
}

/// Whether its values are maps.
pub(super) fn holds_maps(map_type: MapType) -> bool {
    matches!(map_type, MapType::ARRAY_OF_MAPS | MapType::HASH_OF_MAPS)
}

fn inner(def: &MapDef) -> Checked {
    if !holds_maps(def.map_type) {
        return Ok(());
    }
    let Some(inner) = &def.inner else {
        return invalid("no inner map is defined".into());
    };
    if holds_maps(inner.map_type) {
        return invalid("a map of maps cannot hold maps of maps".into());
    }
    if inner.map_type == MapType::PROG_ARRAY {
        return Err((errno::ENOTSUPP, "a map of maps cannot hold program arrays".into()));
    }
    check(inner).map_err(|error| match error {
        MapError::Definition { errno, what, .. } => (errno, format!("inner map: {what}")),
        other => (errno::EINVAL, format!("inner map: {other}")),
    })
}

/// Whether a map may stand where the model does, in a map of maps.
pub fn alike(model: &MapDef, map: &MapDef) -> bool {
    let sizes =
        model.max_entries == map.max_entries || model.flags & INNER_MAP != 0 || model.map_type != MapType::ARRAY;
    let same = |def: &MapDef| (def.map_type, def.key_size, def.value_size, def.flags, def.lock);
    sizes && same(model) == same(map)
}
