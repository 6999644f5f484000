//! The running kernel as an [`Engine`]: a unit's maps created, its programs loaded, program arrays filled.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use oxbpf_abi::{ProgType, map_flags};
use oxbpf_ir::{MapDef, MapIdx, Program, Unit, map_ref};
use oxbpf_isa::{Insn, Pseudo, encode_all};
use oxbpf_runtime::maps::MapSet;
use oxbpf_runtime::{Availability, Compiled, Engine, EngineError, Env, Image, Instance};

use crate::func_info::FuncInfo;
use crate::instance::Loaded;
use crate::unit_maps::{self, Contents, UnitMap};
use crate::{KernelMap, KernelProg, LoadError, LoadSpec, ProgBtf, VerifierLog, probe};

/// The running kernel as an [`Engine`]. Programs run in `BPF_PROG_TEST_RUN`, attached to nothing.
///
/// A run happens on the CPU that its thread is on; only where maps have values for each CPU, it happens on the input's.
/// Time, randomness and fuel are the kernel's own. Ring buffers and perf events are read out after each run.
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
    fn prepare(&self, image: &Image, env: &Env) -> Result<Box<dyn Instance>, EngineError> {
        let maps: Vec<_> = image.unit().maps().iter().map(|def| (def, Contents::of(def))).collect();
        link(image, &maps, env.cpus)
    }
}

/// An image to be loaded: a program in the kernel holds its maps, so there is nothing to do before there are some.
struct Unloaded(Image);

impl Compiled for Unloaded {
    fn instance(&self, maps: &MapSet, env: &Env) -> Result<Box<dyn Instance>, EngineError> {
        let maps: Vec<_> = maps.iter().map(|map| (map.def(), Contents::of_shared(map))).collect();
        link(&self.0, &maps, env.cpus)
    }
}

/// Loads an image; where nothing would load, that is the answer, not what became of this program.
fn link(image: &Image, maps: &[(&MapDef, Contents)], cpus: u32) -> Result<Box<dyn Instance>, EngineError> {
    match load_image(image, maps, cpus) {
        Ok(loaded) => Ok(Box::new(loaded)),
        Err(error) => match probe().reason() {
            Some(reason) => Err(EngineError::Unavailable { engine: NAME, reason: reason.to_string() }),
            None => Err(error),
        },
    }
}

/// Creates the maps, loads the entry and every program that tail calls may lead to, and fills program arrays.
fn load_image(image: &Image, definitions: &[(&MapDef, Contents)], cpus: u32) -> Result<Loaded, EngineError> {
    let unit = image.unit();
    runs(&unit.programs()[image.entry().index()])?;
    let mut maps = unit_maps::create_all(definitions.iter().map(|(def, contents)| (*def, contents)), cpus)?;
    let mut programs = BTreeMap::new();
    let mut filled = BTreeSet::new();
    let mut waiting = vec![image.entry()];
    while let Some(index) = waiting.pop() {
        if programs.contains_key(&index) {
            continue;
        }
        let program = &unit.programs()[index.index()];
        programs.insert(index, load(program, unit, &maps)?);
        for map in map_refs(program) {
            let targets = &definitions[map.index()].1.programs;
            filled.extend(targets.iter().map(|&(key, program)| (map, key, program)));
            waiting.extend(targets.iter().map(|&(_, program)| program));
        }
    }
    for (map, key, index) in filled {
        let (def, map) = (definitions[map.index()].0, &mut maps[map.index()]);
        fill(def, &map.map, key, &unit.programs()[index.index()], &programs[&index])?;
        map.note_program(key, index);
    }
    Ok(Loaded::new(image, maps, programs))
}

/// Whether the kernel has test runs of it, where it would only tell once asked.
fn runs(program: &Program) -> Result<(), EngineError> {
    let row = program.prog_type().row();
    let own = program.prog_type().attach_type(program.section()) == row.attach_type;
    match own || row.prog_type != ProgType::Xdp {
        true => Ok(()),
        false => {
            let what = format!("runs of programs of section {}, which another program sends to", program.section());
            Err(EngineError::Unsupported { engine: NAME, what })
        }
    }
}

fn fill(def: &MapDef, map: &KernelMap, key: u32, program: &Program, prog: &KernelProg) -> Result<(), EngineError> {
    let result = map.update(&key.to_ne_bytes(), &prog.raw_fd().to_ne_bytes(), map_flags::ANY);
    result.map_err(|error| failed(format!("map {}: program {} at {key}: {error}", def.name, program.name())))
}

/// Loads a program whose map references are made descriptors, with the types that it needs.
fn load(program: &Program, unit: &Unit, maps: &[UnitMap]) -> Result<KernelProg, EngineError> {
    let types = FuncInfo::of(program).map_err(|error| failed(format!("program {}: {error}", program.name())))?;
    load_with(program, unit, maps, types.as_ref().map(FuncInfo::prog_btf))
}

/// Loads a program whose map references are made descriptors.
pub(crate) fn load_with(
    program: &Program,
    unit: &Unit,
    maps: &[UnitMap],
    btf: Option<ProgBtf<'_>>,
) -> Result<KernelProg, EngineError> {
    let insns: Vec<Insn> = program.insns().iter().map(|insn| with_descriptors(insn, maps)).collect();
    let words: Vec<[u8; 8]> = encode_all(&insns).into_iter().map(|word| word.to_bytes()).collect();
    let spec = LoadSpec {
        btf,
        license: unit.license(),
        name: program.name(),
        expected_attach_type: program.prog_type().attach_type(program.section()),
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
fn with_descriptors(insn: &Insn, maps: &[UnitMap]) -> Insn {
    let Insn::LoadPseudo { dst, value } = *insn else { return *insn };
    // A unit's programs name its maps only, which `Unit::new` sees to.
    let fd = |index: i32| maps[index as usize].map.raw_fd();
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
