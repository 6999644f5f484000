//! The element commands of bpf(2) in random order, on maps of the kernel and of the runtime.

mod common;

use std::collections::BTreeMap;

use common::measured;
use common::pair::{Rng, all_same, programs};
use oxbpf_abi::{MapType, map_flags};
use oxbpf_ir::{MapDef, MapIdx};
use oxbpf_kernel::{KernelError, KernelMap, MapSpec, PerfReader, cpus};
use oxbpf_runtime::maps::{Entry, Map, outside_size};

/// Sequences for each map, and operations in each.
const SEQUENCES: u64 = 25;
const LENGTH: usize = 160;

fn maps() -> Vec<MapDef> {
    use MapType as T;
    let def = |name: &str, map_type, key, value, entries| MapDef::new(name, map_type, key, value, entries);
    let growing = |def: MapDef| MapDef { flags: map_flags::NO_PREALLOC, ..def };
    let model = |def: MapDef| Some(Box::new(def));
    vec![
        def("array", T::ARRAY, 4, 5, 4),
        MapDef { lock: Some(4), ..def("locked array", T::ARRAY, 4, 12, 3) },
        def("hash", T::HASH, 4, 8, 4),
        growing(def("growing hash", T::HASH, 3, 13, 4)),
        MapDef { lock: Some(0), ..def("locked hash", T::HASH, 4, 8, 3) },
        def("per-CPU array", T::PERCPU_ARRAY, 4, 5, 4),
        def("per-CPU hash", T::PERCPU_HASH, 4, 12, 4),
        growing(def("growing per-CPU hash", T::PERCPU_HASH, 4, 12, 4)),
        // So large that nothing is dropped: which entry that is, is each host's own.
        def("LRU hash", T::LRU_HASH, 4, 8, 64),
        def("LRU per-CPU hash", T::LRU_PERCPU_HASH, 4, 8, 64),
        growing(def("trie of 1 byte", T::LPM_TRIE, 5, 3, 9)),
        growing(def("trie of 4 bytes", T::LPM_TRIE, 8, 8, 12)),
        growing(def("trie of 16 bytes", T::LPM_TRIE, 20, 1, 30)),
        def("queue", T::QUEUE, 0, 8, 3),
        def("stack", T::STACK, 0, 3, 3),
        def("ring buffer", T::RINGBUF, 0, 0, 4096),
        def("Bloom filter", T::BLOOM_FILTER, 0, 8, 1000),
        def("perf events", T::PERF_EVENT_ARRAY, 4, 4, 2),
        MapDef { inner: model(def("", T::ARRAY, 4, 8, 2)), ..def("array of maps", T::ARRAY_OF_MAPS, 4, 4, 3) },
        MapDef { inner: model(def("", T::HASH, 4, 8, 2)), ..def("hash of maps", T::HASH_OF_MAPS, 4, 4, 3) },
        MapDef { flags: map_flags::RDONLY, ..def("read-only", T::HASH, 4, 8, 4) },
        MapDef { flags: map_flags::WRONLY, ..def("write-only", T::HASH, 4, 8, 4) },
    ]
}

/// What stands in maps of maps: those that fit one model or the other, and some that fit none.
fn inner_maps() -> Vec<MapDef> {
    let growing = MapDef { flags: map_flags::NO_PREALLOC, ..MapDef::new("g", MapType::HASH, 4, 8, 2) };
    vec![
        MapDef::new("a", MapType::ARRAY, 4, 8, 2),
        MapDef::new("b", MapType::ARRAY, 4, 8, 3),
        MapDef::new("c", MapType::HASH, 4, 8, 2),
        MapDef::new("d", MapType::HASH, 4, 8, 5),
        growing,
        MapDef::new("e", MapType::HASH, 4, 4, 2),
        MapDef::new("p", MapType::PERCPU_ARRAY, 4, 8, 2),
    ]
}

/// A map in both.
struct Both {
    def: MapDef,
    cpus: u32,
    ours: Map,
    kernel: KernelMap,
    inner: Vec<(Map, KernelMap)>,
    /// Whoever listens to perf events: where nobody does, there are none.
    _readers: Vec<PerfReader>,
}

fn kernel_map(def: &MapDef) -> KernelMap {
    let model = def.inner.as_deref().map(kernel_map);
    let types = def.lock.map(|lock| lock_types(def, lock));
    let spec = MapSpec {
        flags: def.flags,
        inner: model.as_ref(),
        btf: types.as_ref().map(|(btf, key, value)| (btf, *key, *value)),
        ..MapSpec::new(def.map_type.0, def.key_size, def.value_size, def.max_entries)
    };
    KernelMap::create(&spec).unwrap_or_else(|error| panic!("{}: {error}", def.name))
}

fn lock_types(def: &MapDef, lock: u32) -> (oxbpf_kernel::KernelBtf, u32, u32) {
    oxbpf_kernel::lock_types(def.key_size, def.value_size, lock).unwrap()
}

type Answer = Result<Vec<u8>, i64>;

fn number(error: KernelError) -> i64 {
    match error {
        KernelError::Refused { errno, .. } => errno.0.into(),
        other => panic!("{other}"),
    }
}

impl Both {
    fn new(def: &MapDef) -> Both {
        let cpus = cpus().unwrap();
        let ours = |def: &MapDef| Map::with_cpus(def, cpus).unwrap_or_else(|error| panic!("{error}"));
        let inner = inner_maps().iter().map(|def| (ours(def), kernel_map(def))).collect();
        let kernel = kernel_map(def);
        let listen = def.map_type == MapType::PERF_EVENT_ARRAY;
        let readers =
            (0..if listen { cpus.min(def.max_entries) } else { 0 }).map(|cpu| PerfReader::open(&kernel, cpu, cpu));
        let _readers = readers.collect::<Result<_, _>>().unwrap();
        Both { def: def.clone(), cpus, ours: ours(def), kernel, inner, _readers }
    }

    fn holds_maps(&self) -> bool {
        self.def.inner.is_some()
    }

    /// A key that is likely there.
    fn key(&self, rng: &mut Rng) -> Vec<u8> {
        let size = self.def.key_size as usize;
        let mut key = vec![0; size];
        if self.def.map_type == MapType::LPM_TRIE {
            let bits = (size as u64 - 4) * 8;
            let length = if rng.below(20) == 0 { bits + 1 + rng.below(3) } else { rng.below(bits + 1) };
            key[..4].copy_from_slice(&(length as u32).to_le_bytes());
            // Few bits that differ make many prefixes of each other.
            for byte in &mut key[4..] {
                *byte = rng.pick(&[0, 0, 0x80, 0xff, 0xc0]);
            }
        } else if let Some(first) = key.first_mut() {
            *first = rng.below(7) as u8;
            if rng.below(30) == 0 {
                key.fill(0xff);
            }
        }
        key
    }

    fn value(&self, rng: &mut Rng) -> Vec<u8> {
        let mut value = rng.bytes(outside_size(&self.def, self.cpus));
        let step = if value.len() == self.def.value_size as usize {
            value.len().max(1)
        } else {
            value.len() / self.cpus as usize
        };
        // Nobody says what stands between the slots.
        for slot in value.chunks_mut(step) {
            slot[self.def.value_size as usize..].fill(0);
        }
        if self.def.map_type == MapType::BLOOM_FILTER {
            value[1..].fill(0);
        }
        value
    }

    fn update(&self, rng: &mut Rng) -> (String, Answer, Answer) {
        let (key, flags) = (self.key(rng), flags(rng));
        if self.holds_maps() {
            let inner = rng.below(self.inner.len() as u64 + 1) as usize;
            let (ours, fd) = self.inner.get(inner).map_or((None, -1), |(o, k)| (Some(o), k.raw_fd()));
            let ours = self.ours.write_map(&key, MapIdx(inner as u32), ours, flags);
            let kernel = self.kernel.update(&key, &fd.to_ne_bytes(), flags).map_err(number);
            return (format!("update {key:x?} to map {inner}, {flags:#x}"), done(ours), done(kernel));
        }
        if self.def.map_type == MapType::PERF_EVENT_ARRAY {
            return self.next(rng);
        }
        let value = self.value(rng);
        let ours = self.ours.write(&key, &value, flags);
        let kernel = self.kernel.update(&key, &value, flags).map_err(number);
        (format!("update {key:x?} to {value:x?}, {flags:#x}"), done(ours), done(kernel))
    }

    fn lookup(&self, rng: &mut Rng) -> (String, Answer, Answer) {
        let (key, flags) = (self.key(rng), flags_of_lookup(rng));
        let what = format!("lookup {key:x?}, {flags:#x}");
        if self.def.map_type == MapType::BLOOM_FILTER {
            let mut value = self.value(rng);
            let ours = self.ours.may_hold(&value, flags);
            let kernel = self.kernel.lookup_with(&key, &mut value, flags).map_err(number);
            return (what, done(ours), done(kernel));
        }
        let ours = self.ours.read(&key, flags);
        let mut value = vec![0; self.kernel.value_size()];
        let kernel = self.kernel.lookup_with(&key, &mut value, flags).map_err(number).map(|()| value);
        (what, self.comparable(ours), self.comparable(kernel))
    }

    /// A map of maps answers numbers of the host's own.
    fn comparable(&self, answer: Answer) -> Answer {
        answer.map(|value| if self.holds_maps() { Vec::new() } else { value })
    }

    fn delete(&self, rng: &mut Rng) -> (String, Answer, Answer) {
        let key = self.key(rng);
        let kernel = match self.kernel.delete(&key) {
            Ok(true) => Ok(()),
            Ok(false) => Err(2),
            Err(error) => Err(number(error)),
        };
        (format!("delete {key:x?}"), done(self.ours.remove(&key)), done(kernel))
    }

    fn take(&self, rng: &mut Rng) -> (String, Answer, Answer) {
        let key = self.key(rng);
        let kernel = self.kernel.take(&key).map_err(number).and_then(|value| value.ok_or(2));
        (format!("take {key:x?}"), self.ours.take(&key, 0), kernel)
    }

    fn next(&self, rng: &mut Rng) -> (String, Answer, Answer) {
        let key = Some(self.key(rng)).filter(|_| rng.below(4) != 0);
        let ours = self.ours.next_key(key.as_deref());
        let kernel = self.kernel.next_key(key.as_deref()).map_err(number).and_then(|key| key.ok_or(2));
        let what = format!("next after {key:x?}");
        // A hash's order is the host's own: that there is a key, or none, is only known where the map is empty or not.
        if self.hashed() {
            let empty = self.ours.entries().is_empty();
            let some = |answer: Answer| if empty { answer.map(|_| Vec::new()) } else { Ok(Vec::new()) };
            return (what, some(ours), some(kernel));
        }
        (what, ours, kernel)
    }

    fn hashed(&self) -> bool {
        use MapType as T;
        matches!(self.def.map_type, T::HASH | T::PERCPU_HASH | T::LRU_HASH | T::LRU_PERCPU_HASH | T::HASH_OF_MAPS)
    }

    /// All that is there, in the map's order but for hashes.
    fn contents(&self) -> (Vec<Entry>, Vec<Entry>) {
        use MapType as T;
        let unlisted = [T::QUEUE, T::STACK, T::RINGBUF, T::BLOOM_FILTER, T::PERF_EVENT_ARRAY];
        if unlisted.contains(&self.def.map_type) || self.def.flags & map_flags::WRONLY != 0 {
            return (Vec::new(), Vec::new());
        }
        let (mut ours, mut kernel) = (self.ours.entries(), self.kernel.entries().unwrap());
        if self.hashed() {
            ours.sort();
            kernel.sort();
        }
        if self.holds_maps() {
            ours.iter_mut().chain(&mut kernel).for_each(|entry| entry.1.clear());
        }
        (ours, kernel)
    }
}

fn done(result: Result<(), i64>) -> Answer {
    result.map(|()| Vec::new())
}

fn flags(rng: &mut Rng) -> u64 {
    match rng.below(12) {
        0 => rng.next(),
        1 => 1 << rng.below(64),
        2..5 => rng.below(8),
        _ => rng.pick(&[0, 0, 0, 1, 2]),
    }
}

fn flags_of_lookup(rng: &mut Rng) -> u64 {
    match rng.below(10) {
        0 => 1 << rng.below(64),
        1 => rng.below(9),
        _ => 0,
    }
}

#[test]
fn element_commands_answer_alike() {
    if !measured("element_commands_answer_alike") {
        return;
    }
    let mut rng = Rng(31);
    let mut different = Vec::new();
    let mut counts: BTreeMap<(String, &str), [usize; 2]> = BTreeMap::new();
    for def in maps() {
        for sequence in 0..programs(SEQUENCES) {
            let both = Both::new(&def);
            for step in 0..LENGTH {
                let (name, (what, ours, kernel)) = match rng.below(10) {
                    0..4 => ("update", both.update(&mut rng)),
                    4..6 => ("lookup", both.lookup(&mut rng)),
                    6 => ("delete", both.delete(&mut rng)),
                    7 => ("lookup_and_delete", both.take(&mut rng)),
                    _ => ("get_next_key", both.next(&mut rng)),
                };
                let count = counts.entry((def.name.clone(), name)).or_default();
                count[0] += 1;
                count[1] += usize::from(kernel.is_err());
                if ours != kernel {
                    different
                        .push(format!("{} {sequence}.{step}: {what}: ours {ours:x?}, kernel {kernel:x?}", def.name));
                }
            }
            let (ours, kernel) = both.contents();
            if ours != kernel {
                different.push(format!("{} {sequence}: ours {ours:x?}, kernel {kernel:x?}", def.name));
            }
        }
    }
    for ((map, operation), [all, failed]) in &counts {
        println!("{map}, {operation}: {all} cases, {failed} of them refused");
    }
    all_same(counts.values().map(|c| c[0]).sum(), &different);
}
