//! The running kernel as an [`Engine`]: a unit's maps created, its programs loaded, program arrays filled.

use std::collections::BTreeMap;
use std::sync::Arc;

use oxbpf_abi::{MapType, ProgType, map_flags};
use oxbpf_ir::{MapDef, MapIdx, MapInit, ProgIdx, Program, Unit, map_ref};
use oxbpf_isa::{Insn, Pseudo, encode_all};
use oxbpf_runtime::maps::{Entry, Map, MapSet};
use oxbpf_runtime::{Availability, Compiled, Engine, EngineError, Env, Image, Instance};

use crate::func_info::{self, FuncInfo};
use crate::instance::Loaded;
use crate::{KernelError, KernelMap, KernelProg, LoadError, LoadSpec, MapSpec, ProgBtf, VerifierLog, probe};

/// The running kernel as an [`Engine`]. Programs run in `BPF_PROG_TEST_RUN`, attached to nothing.
///
/// A run happens on the CPU that its thread is on, whatever [`Env`] says; time, randomness and fuel are the kernel's own.
#[derive(Clone, Copy, Debug, Default)]
pub struct Kernel;

/// The engine's name.
pub(crate) const NAME: &str = "kernel";

impl Engine for Kernel {
    fn name(&self) -> &'static str {
        NAME
    }

    fn availability(&self) -> Availability {
        match probe() {
            crate::Availability::Available { release } => Availability::Available(format!("Linux {release}")),
            crate::Availability::Unavailable { reason } => Availability::Unavailable(reason),
        }
    }

    fn compile(&self, image: &Image) -> Result<Arc<dyn Compiled>, EngineError> {
        Ok(Arc::new(Unloaded(image.clone())))
    }

    /// Without a detour through maps in user space, which know fewer types than the kernel.
    fn prepare(&self, image: &Image, _: &Env) -> Result<Box<dyn Instance>, EngineError> {
        link(image, &|map| contents_of(&image.unit().maps()[map.index()]))
    }
}

/// An image to be loaded: a program in the kernel holds its maps, so there is nothing to do before there are some.
struct Unloaded(Image);

impl Compiled for Unloaded {
    fn instance(&self, maps: &MapSet, _: &Env) -> Result<Box<dyn Instance>, EngineError> {
        link(&self.0, &|map| Ok(maps.get(map).map_or(Contents::default(), |map| contents_of_shared(map))))
    }
}

/// What a map of the kernel starts with.
#[derive(Default)]
struct Contents {
    entries: Vec<Entry>,
    programs: Vec<(u32, ProgIdx)>,
}

fn contents_of(def: &MapDef) -> Result<Contents, EngineError> {
    match &def.init {
        MapInit::Empty => Ok(Contents::default()),
        MapInit::Entries(entries) => Ok(Contents { entries: entries.clone(), programs: Vec::new() }),
        MapInit::Programs(programs) => Ok(Contents { entries: Vec::new(), programs: programs.clone() }),
        MapInit::Maps(_) => {
            let what = format!("map {}, which holds maps", def.name);
            Err(EngineError::Unsupported { engine: NAME, what })
        }
    }
}

/// A copy of a shared map's contents; of an array, the values that are not zero.
fn contents_of_shared(map: &Map) -> Contents {
    let mut contents = Contents::default();
    if map.def().map_type == MapType::PROG_ARRAY {
        map.for_each_program(&mut |key, program| contents.programs.push((key, program)));
        return contents;
    }
    let is_array = map.def().map_type == MapType::ARRAY;
    map.for_each(&mut |key, value| {
        if !is_array || value.iter().any(|b| *b != 0) {
            contents.entries.push((key.to_vec(), value.to_vec()));
        }
    });
    contents
}

/// Loads an image; where nothing would load, that is the answer, not what became of this program.
fn link(
    image: &Image,
    contents: &dyn Fn(MapIdx) -> Result<Contents, EngineError>,
) -> Result<Box<dyn Instance>, EngineError> {
    match load_image(image, contents) {
        Ok(loaded) => Ok(Box::new(loaded)),
        Err(error) => match probe().reason() {
            Some(reason) => Err(EngineError::Unavailable { engine: NAME, reason: reason.to_string() }),
            None => Err(error),
        },
    }
}

/// Creates the unit's maps, loads the entry and every program that tail calls may lead to, and fills program arrays.
fn load_image(
    image: &Image,
    contents: &dyn Fn(MapIdx) -> Result<Contents, EngineError>,
) -> Result<Loaded, EngineError> {
    let unit = image.unit();
    let mut maps = Vec::new();
    let mut targets = Vec::new();
    for (i, def) in unit.maps().iter().enumerate() {
        let contents = contents(MapIdx(i as u32))?;
        maps.push(create(def, &contents.entries)?);
        targets.push(contents.programs);
    }
    let mut programs = BTreeMap::new();
    let mut filled = vec![BTreeMap::new(); maps.len()];
    let mut waiting = vec![image.entry()];
    while let Some(index) = waiting.pop() {
        if programs.contains_key(&index) {
            continue;
        }
        let program = &unit.programs()[index.index()];
        programs.insert(index, load(program, unit, &maps)?);
        for map in map_refs(program) {
            let targets = &targets[map.index()];
            filled[map.index()].extend(targets.iter().copied());
            waiting.extend(targets.iter().map(|&(_, program)| program));
        }
    }
    for (map, slots) in filled.iter().enumerate() {
        for (key, program) in slots {
            fill(&unit.maps()[map], &maps[map], *key, &unit.programs()[program.index()], &programs[program])?;
        }
    }
    Ok(Loaded::new(image, maps, programs, filled))
}

/// A map of this definition with its first entries; programs come later.
fn create(def: &MapDef, entries: &[Entry]) -> Result<KernelMap, EngineError> {
    let read_only = if def.frozen() { map_flags::RDONLY_PROG } else { 0 };
    let spec = MapSpec {
        flags: def.flags | read_only,
        name: &def.name,
        ..MapSpec::new(def.map_type.0, def.key_size, def.value_size, def.max_entries)
    };
    let failed = |error: KernelError| failed(format!("map {}: {error}", def.name));
    let map = KernelMap::create(&spec).map_err(failed)?;
    for (key, value) in entries {
        map.update(key, value, map_flags::ANY).map_err(failed)?;
    }
    if def.frozen() {
        map.freeze().map_err(failed)?;
    }
    Ok(map)
}

fn fill(def: &MapDef, map: &KernelMap, key: u32, program: &Program, prog: &KernelProg) -> Result<(), EngineError> {
    let result = map.update(&key.to_ne_bytes(), &prog.raw_fd().to_ne_bytes(), map_flags::ANY);
    result.map_err(|error| failed(format!("map {}: program {} at {key}: {error}", def.name, program.name())))
}

/// Loads a program whose map references are made descriptors.
fn load(program: &Program, unit: &Unit, maps: &[KernelMap]) -> Result<KernelProg, EngineError> {
    let insns: Vec<Insn> = program.insns().iter().map(|insn| with_descriptors(insn, maps)).collect();
    let words: Vec<[u8; 8]> = encode_all(&insns).into_iter().map(|word| word.to_bytes()).collect();
    let types = FuncInfo::of(program).map_err(|error| failed(format!("program {}: {error}", program.name())))?;
    let btf = types.as_ref().map(|types| ProgBtf {
        btf: &types.btf,
        func_info: &types.records,
        func_info_rec_size: func_info::RECORD_SIZE,
        line_info: &[],
        line_info_rec_size: 0,
    });
    let spec = LoadSpec {
        btf,
        license: unit.license(),
        name: program.name(),
        expected_attach_type: program.prog_type().row().attach_type,
        ..LoadSpec::new(kernel_type(program.prog_type()), &words)
    };
    match KernelProg::load(&spec) {
        Ok(loaded) => Ok(loaded.prog),
        Err(LoadError::Rejected { errno, log }) => Err(EngineError::Rejected {
            engine: NAME,
            program: program.name().to_string(),
            message: message(&log).unwrap_or_else(|| errno.to_string()),
            log: log.text,
        }),
        Err(error) => Err(failed(format!("program {}: {error}", program.name()))),
    }
}

fn kernel_type(prog_type: ProgType) -> u32 {
    prog_type.row().id
}

/// The error in the log and the slot it stands at.
fn message(log: &VerifierLog) -> Option<String> {
    let error = log.last_error_line()?;
    Some(match log.at {
        Some(slot) => format!("insn {slot}: {error}"),
        None => error.to_string(),
    })
}

/// An instruction with the unit's map indices made descriptors.
fn with_descriptors(insn: &Insn, maps: &[KernelMap]) -> Insn {
    let Insn::LoadPseudo { dst, value } = *insn else { return *insn };
    // A unit's programs name its maps only, which `Unit::new` sees to.
    let fd = |index: i32| maps[index as usize].raw_fd();
    let value = match value {
        Pseudo::MapFd(index) | Pseudo::MapIdx(index) => Pseudo::MapFd(fd(index)),
        Pseudo::MapValue { fd: index, off } | Pseudo::MapIdxValue { idx: index, off } => {
            Pseudo::MapValue { fd: fd(index), off }
        }
        Pseudo::BtfVar { .. } | Pseudo::Func(_) => value,
    };
    Insn::LoadPseudo { dst, value }
}

/// The maps that a program names; `Unit::new` saw to it that they exist.
fn map_refs(program: &Program) -> impl Iterator<Item = MapIdx> + '_ {
    program.insns().iter().filter_map(map_ref).map(|index| MapIdx(index as u32))
}

pub(crate) fn failed(what: String) -> EngineError {
    EngineError::Failed { engine: NAME, what }
}
