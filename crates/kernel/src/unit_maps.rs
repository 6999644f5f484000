//! A unit's maps in the kernel: created in order, filled, and read as the runtime's maps are read.

use std::collections::BTreeMap;

use oxbpf_abi::{MapType, errno, map_flags};
use oxbpf_ir::{MapDef, MapIdx, MapInit, ProgIdx};
use oxbpf_runtime::maps::{Entry, Map, outside_size, per_cpu};
use oxbpf_runtime::{EngineError, Event, EventKind};

use crate::engine::failed;
use crate::sys::possible_cpus;
use crate::{Errno, KernelError, KernelMap, MapSpec, PerfReader, RingReader, locks};

/// What a map of the kernel starts with.
#[derive(Default)]
pub(crate) struct Contents {
    pub(crate) entries: Vec<Entry>,
    pub(crate) programs: Vec<(u32, ProgIdx)>,
    pub(crate) maps: Vec<(Vec<u8>, MapIdx)>,
}

impl Contents {
    /// What a definition says.
    pub(crate) fn of(def: &MapDef) -> Contents {
        let none = Contents::default();
        match &def.init {
            MapInit::Empty => none,
            MapInit::Entries(entries) => Contents { entries: entries.clone(), ..none },
            MapInit::Programs(programs) => Contents { programs: programs.clone(), ..none },
            MapInit::Maps(maps) => Contents { maps: maps.clone(), ..none },
        }
    }

    /// A copy of a shared map's contents; of an array, the values that are not zero. A Bloom filter does not tell what
    /// is in it, so that only what it was made with is copied.
    pub(crate) fn of_shared(map: &Map) -> Contents {
        let def = map.def();
        let mut contents = Contents::default();
        let is_array = matches!(def.map_type, MapType::ARRAY | MapType::PERCPU_ARRAY);
        match def.map_type {
            MapType::BLOOM_FILTER => return Contents::of(def),
            MapType::PERF_EVENT_ARRAY => {}
            MapType::PROG_ARRAY => map.for_each_program(&mut |key, program| contents.programs.push((key, program))),
            _ if holds_maps(def) => map.for_each(&mut |key, value| contents.maps.push((key.to_vec(), index(value)))),
            _ => map.for_each(&mut |key, value| {
                if !is_array || value.iter().any(|b| *b != 0) {
                    contents.entries.push((key.to_vec(), value.to_vec()));
                }
            }),
        }
        if def.map_type == MapType::STACK {
            // What comes out first was put in last.
            contents.entries.reverse();
        }
        contents
    }
}

fn holds_maps(def: &MapDef) -> bool {
    matches!(def.map_type, MapType::ARRAY_OF_MAPS | MapType::HASH_OF_MAPS)
}

/// A map's number in a value.
fn index(value: &[u8]) -> MapIdx {
    MapIdx(value.try_into().map_or(u32::MAX, u32::from_le_bytes))
}

/// What listens to a map.
#[derive(Debug)]
enum Reader {
    None,
    Ring(RingReader),
    /// One for each CPU.
    Perf(Vec<PerfReader>),
}

/// A map of a unit.
#[derive(Debug)]
pub(crate) struct UnitMap {
    pub(crate) map: KernelMap,
    def: MapDef,
    /// What was put into a map that holds maps or programs: the kernel answers ids, not what they mean here.
    filled: BTreeMap<Vec<u8>, u32>,
    reader: Reader,
}

/// Maps of these definitions, with their entries; programs come later. Perf events listen on so many CPUs.
pub(crate) fn create_all<'d>(
    all: impl Iterator<Item = (&'d MapDef, &'d Contents)> + Clone,
    cpus: u32,
) -> Result<Vec<UnitMap>, EngineError> {
    let mut maps = Vec::new();
    for (def, contents) in all.clone() {
        maps.push(create(def, &contents.entries, cpus).map_err(|error| failed(format!("map {}: {error}", def.name)))?);
    }
    for (i, (def, contents)) in all.enumerate() {
        for (key, inner) in &contents.maps {
            let put = put_map(&mut maps, MapIdx(i as u32), key, *inner, map_flags::ANY);
            put.map_err(|errno| failed(format!("map {}: {}", def.name, Errno(errno as i32))))?;
        }
    }
    Ok(maps)
}

fn create(def: &MapDef, entries: &[Entry], cpus: u32) -> Result<UnitMap, KernelError> {
    let def = &*def.for_cpus(cpus);
    let model = def.inner.as_deref().map(bare).transpose()?;
    let map = make(def, model.as_ref())?;
    for (key, value) in entries {
        map.update(key, &whole(def, value, map.value_size()), map_flags::ANY)?;
    }
    if def.frozen() {
        map.freeze()?;
    }
    let reader = match def.map_type {
        MapType::RINGBUF => Reader::Ring(RingReader::open(&map, def.max_entries)?),
        MapType::PERF_EVENT_ARRAY => {
            let count = cpus.min(def.max_entries).min(possible_cpus().unwrap_or(1) as u32);
            Reader::Perf((0..count).map(|cpu| PerfReader::open(&map, cpu, cpu)).collect::<Result<_, _>>()?)
        }
        _ => Reader::None,
    };
    Ok(UnitMap { map, def: def.clone(), filled: BTreeMap::new(), reader })
}

/// A map of a definition alone, without contents.
fn bare(def: &MapDef) -> Result<KernelMap, KernelError> {
    make(def, None)
}

fn make(def: &MapDef, model: Option<&KernelMap>) -> Result<KernelMap, KernelError> {
    let read_only = if def.frozen() { map_flags::RDONLY_PROG } else { 0 };
    let types = def.lock.map(|lock| locks::lock_types(def.key_size, def.value_size, lock)).transpose()?;
    KernelMap::create(&MapSpec {
        flags: def.flags | read_only,
        name: &def.name,
        extra: def.extra,
        inner: model,
        btf: types.as_ref().map(|(btf, key, value)| (btf, *key, *value)),
        ..MapSpec::new(def.map_type.0, def.key_size, def.value_size, def.max_entries)
    })
}

/// A value as the kernel wants it from outside: of a per-CPU map slots for all CPUs, those that the runtime knows first.
fn whole(def: &MapDef, value: &[u8], size: usize) -> Vec<u8> {
    if !per_cpu(def.map_type) {
        return value.to_vec();
    }
    let slot = outside_size(def, 1);
    let mut out = if value.len() == def.value_size as usize && value.len() != slot {
        [value, &vec![0; slot - value.len()]].concat()
    } else {
        value.to_vec()
    };
    if out.len() == slot && value.len() == def.value_size as usize {
        out = out.repeat(size / slot);
    }
    out.resize(size, 0);
    out
}

fn errno_of(error: KernelError) -> i64 {
    match error {
        KernelError::Refused { errno, .. } => errno.0.into(),
        _ => errno::EINVAL,
    }
}

/// Puts one of the maps into another.
pub(crate) fn put_map(maps: &mut [UnitMap], map: MapIdx, key: &[u8], inner: MapIdx, flags: u64) -> Result<(), i64> {
    let fd = maps.get(inner.index()).map_or(-1, |m| m.map.raw_fd());
    let outer = &mut maps[map.index()];
    outer.map.update(key, &fd.to_ne_bytes(), flags).map_err(errno_of)?;
    outer.filled.insert(key.to_vec(), inner.0);
    Ok(())
}

impl UnitMap {
    /// Notes a program that was put at an index.
    pub(crate) fn note_program(&mut self, key: u32, program: ProgIdx) {
        self.filled.insert(key.to_ne_bytes().to_vec(), program.0);
    }

    /// Whether its contents depend on the CPU of the run.
    pub(crate) fn of_cpus(&self) -> bool {
        per_cpu(self.def.map_type) || self.def.map_type == MapType::PERF_EVENT_ARRAY
    }

    /// Whether it holds maps.
    pub(crate) fn holds_maps(&self) -> bool {
        holds_maps(&self.def)
    }

    /// All keys and values, as far as the runtime shows them.
    pub(crate) fn entries(&self) -> Result<Vec<Entry>, KernelError> {
        match self.def.map_type {
            MapType::QUEUE | MapType::STACK => self.drained(),
            MapType::RINGBUF | MapType::BLOOM_FILTER => Ok(Vec::new()),
            MapType::PERF_EVENT_ARRAY => {
                let count = if let Reader::Perf(readers) = &self.reader { readers.len() as u32 } else { 0 };
                Ok((0..count).map(|cpu| (cpu.to_le_bytes().to_vec(), cpu.to_le_bytes().to_vec())).collect())
            }
            _ if self.holds_maps() || self.def.map_type == MapType::PROG_ARRAY => {
                Ok(self.filled.iter().map(|(key, number)| (key.clone(), number.to_le_bytes().to_vec())).collect())
            }
            _ => self.map.entries(),
        }
    }

    /// The values of a queue or stack, which only come out by taking them; they are put back.
    fn drained(&self) -> Result<Vec<Entry>, KernelError> {
        let mut values = Vec::new();
        while let Some(value) = self.map.take(&[])? {
            values.push(value);
        }
        let back: Vec<&Vec<u8>> = match self.def.map_type {
            MapType::STACK => values.iter().rev().collect(),
            _ => values.iter().collect(),
        };
        back.into_iter().try_for_each(|value| self.map.update(&[], value, map_flags::ANY))?;
        Ok(values.into_iter().map(|value| (Vec::new(), value)).collect())
    }

    /// Sets an entry from outside.
    pub(crate) fn update(&self, key: &[u8], value: &[u8], flags: u64) -> Result<(), i64> {
        match self.def.map_type {
            // Their values are descriptors of this process, which callers do not have.
            MapType::PROG_ARRAY | MapType::PERF_EVENT_ARRAY => Err(errno::EINVAL),
            _ => self.map.update(key, &whole(&self.def, value, self.map.value_size()), flags).map_err(errno_of),
        }
    }

    /// What programs have sent since the last time.
    pub(crate) fn drain(&mut self, map: MapIdx, mut send: impl FnMut(Event)) {
        let event = |kind, cpu, bytes| Event { map, kind, cpu, packet: 0, time_ns: 0, bytes };
        match &mut self.reader {
            Reader::None => {}
            Reader::Ring(ring) => ring.drain().into_iter().for_each(|b| send(event(EventKind::Ringbuf, 0, b))),
            Reader::Perf(readers) => {
                for (reader, cpu) in readers.iter_mut().zip(0..) {
                    reader.drain().into_iter().for_each(|b| send(event(EventKind::Perf, cpu, b)));
                }
            }
        }
    }
}

/// The kernel's number of CPUs, for those who compare per-CPU values.
pub fn cpus() -> Option<u32> {
    possible_cpus().ok().and_then(|n| u32::try_from(n).ok())
}
