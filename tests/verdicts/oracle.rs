//! The kernel's side: maps once, then a load for each program, in a child with a deadline.

use std::time::Duration;

use oxbpf::abi::{MapType, map_flags};
use oxbpf::ir::{MapDef, MapInit};
use oxbpf::isa::RawInsn;
use oxbpf::kernel::{
    FuncInfo, KernelBtf, KernelError, KernelMap, KernelProg, LoadError, LoadSpec, LogPolicy, MapSpec, VerifierLog,
    lock_types,
};

use crate::case::Case;

/// How long a load may take; a million instructions are a second of the kernel's.
const DEADLINE: Duration = Duration::from_secs(20);
/// Of a trace in an example's file, the end.
const TRACE_LIMIT: u32 = 4 * 1024 * 1024;
/// Level 4 writes the error and figures only.
const FIGURES_LIMIT: u32 = 64 * 1024;

/// What the kernel says.
pub enum Told {
    Verdict {
        accepted: bool,
        message: String,
        processed: u64,
        states: (u64, u64),
        micros: u64,
    },
    /// The kernel failed over it, or it could not be asked.
    Failed {
        how: String,
    },
}

/// Maps in the kernel, by index.
pub struct Maps(Vec<KernelMap>);

/// The BTF of a map whose values have what only types tell, with the types of key and value.
pub type MapBtf = (Vec<u8>, u32, u32);

impl Maps {
    /// Creates all maps.
    pub fn create(defs: &[MapDef], types: &[Option<MapBtf>]) -> Result<Maps, KernelError> {
        let maps = defs.iter().enumerate().map(|(i, def)| create(def, types.get(i).and_then(Option::as_ref)));
        maps.collect::<Result<_, _>>().map(Maps)
    }
}

fn create(def: &MapDef, types: Option<&MapBtf>) -> Result<KernelMap, KernelError> {
    let inner = def.inner.as_deref().map(|inner| create(inner, None)).transpose()?;
    let btf = match (types, def.lock) {
        (Some((bytes, key, value)), _) => Some((KernelBtf::load(bytes)?, *key, *value)),
        (None, Some(lock)) => Some(lock_types(def.key_size, def.value_size, lock)?),
        (None, None) => None,
    };
    let map = KernelMap::create(&MapSpec {
        flags: def.flags | if def.frozen() { map_flags::RDONLY_PROG } else { 0 },
        name: &def.name,
        extra: def.extra,
        inner: inner.as_ref(),
        btf: btf.as_ref().map(|(btf, key, value)| (btf, *key, *value)),
        ..MapSpec::new(def.map_type.0, def.key_size, def.value_size, def.max_entries)
    })?;
    if let MapInit::Entries(entries) = &def.init {
        let per_cpu = matches!(def.map_type, MapType::PERCPU_ARRAY | MapType::PERCPU_HASH | MapType::LRU_PERCPU_HASH);
        for (key, value) in entries.iter().filter(|_| !per_cpu) {
            map.update(key, value, map_flags::ANY)?;
        }
    }
    if def.frozen() {
        map.freeze()?;
    }
    Ok(map)
}

/// Sources of a wide load that name a map.
const MAP_SOURCES: [u8; 2] = [1, 2];
const WIDE: u8 = 0x18;

/// The instructions with descriptors in place of indices. What names no map of ours keeps its number, which is no
/// descriptor of the kernel's either.
fn linked(words: &[RawInsn], maps: &Maps) -> Vec<[u8; 8]> {
    let mut out = Vec::with_capacity(words.len());
    let mut second = false;
    for word in words {
        let mut word = *word;
        if !second && word.code == WIDE && MAP_SOURCES.contains(&word.src()) {
            word.imm = maps.0.get(word.imm as usize).map_or(-1, KernelMap::raw_fd);
        }
        second = !second && word.code == WIDE;
        out.push(word.to_bytes());
    }
    out
}

/// Loads a program at a log level.
fn load(case: &Case, maps: &Maps, level: u32) -> Result<(bool, String, VerifierLog), String> {
    let words = linked(&case.words, maps);
    let types = match case.typed {
        false => None,
        true => case.unit().ok().and_then(|(unit, index)| FuncInfo::of(&unit.programs()[index.index()]).ok().flatten()),
    };
    let spec = LoadSpec {
        btf: types.as_ref().map(FuncInfo::prog_btf),
        license: &case.license,
        expected_attach_type: case.attach,
        flags: case.flags,
        log: LogPolicy::Level(level),
        log_limit: if level == 4 { FIGURES_LIMIT } else { TRACE_LIMIT },
        deadline: DEADLINE,
        ..LoadSpec::new(case.prog_type.row().id, &words)
    };
    match KernelProg::load(&spec) {
        Ok(loaded) => Ok((true, String::new(), loaded.log)),
        Err(LoadError::Rejected { errno, log }) => {
            Ok((false, log.last_error_line().map_or(errno.to_string(), str::to_string), *log))
        }
        Err(error) => Err(error.to_string()),
    }
}

/// Asks for the verdict and the figures.
pub fn ask(case: &Case, maps: &Maps) -> Told {
    match load(case, maps, 4) {
        Ok((accepted, message, log)) => {
            let stats = log.stats.unwrap_or_default();
            let states = (stats.total_states, stats.peak_states);
            Told::Verdict { accepted, message, processed: stats.insns, states, micros: log.micros.unwrap_or(0) }
        }
        Err(how) => Told::Failed { how },
    }
}

/// The kernel's trace: of all paths where the program is accepted, of one where it is not.
pub fn trace(case: &Case, maps: &Maps, accepted: bool) -> String {
    match load(case, maps, if accepted { 2 } else { 1 }) {
        Ok((_, _, log)) => log.text,
        Err(how) => how,
    }
}
