//! What the kernel made of a program: its instructions after the verifier's rewriting, read back.

use std::collections::BTreeMap;

use oxbpf_ir::{InsnId, ProgIdx, Program, Unit};
use oxbpf_runtime::EngineError;

use crate::engine::{NAME, failed, load_with};
use crate::func_info::{FuncInfo, called};
use crate::unit_maps::{self, Contents, UnitMap};
use crate::{KernelBtf, KernelError, KernelProg, ProgBtf, cpus, probe};

/// A program as the kernel runs it or compiles it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Translated {
    /// The instructions, in which wide loads name maps by their ids and calls of helpers carry distances in the kernel.
    pub insns: Vec<[u8; 8]>,
    /// Ids of the maps, in the order in which the program names them first.
    pub map_ids: Vec<u32>,
    /// Addresses of the functions' native code, where there is some and the caller may know.
    pub ksyms: Vec<u64>,
    /// Where functions start, and their types in the BTF that the program was loaded with.
    pub functions: Vec<(u32, u32)>,
    /// The source lines, in order of slots.
    pub lines: Vec<TranslatedLine>,
}

/// A source line that instructions were made from, its texts as offsets in the strings of the program's BTF.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TranslatedLine {
    /// The first instruction, as a slot.
    pub slot: u32,
    /// The file's name.
    pub file: u32,
    /// The line's text.
    pub text: u32,
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1; 0 where unknown.
    pub column: u32,
}

impl KernelProg {
    /// What the kernel made of the program.
    ///
    /// ```
    /// use oxbpf_kernel::{KernelProg, LoadSpec, probe};
    ///
    /// if probe().release().is_some() {
    ///     let insns = [[0xb7, 0, 0, 0, 7, 0, 0, 0], [0x95, 0, 0, 0, 0, 0, 0, 0]];
    ///     let loaded = KernelProg::load(&LoadSpec::new(3, &insns))?;
    ///     assert_eq!(loaded.prog.translated()?.insns, insns);
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// What the kernel refuses.
    pub fn translated(&self) -> Result<Translated, KernelError> {
        let tables = self.fd.tables().map_err(|errno| KernelError::Refused {
            call: "obj_get_info_by_fd",
            errno,
            log: String::new(),
        })?;
        let line = |[slot, file, text, place]: [u32; 4]| TranslatedLine {
            slot,
            file,
            text,
            line: place >> 10,
            column: place & 0x3ff,
        };
        Ok(Translated {
            insns: tables.insns.as_chunks().0.to_vec(),
            map_ids: words(&tables.map_ids).map(|[id]| id).collect(),
            ksyms: tables.ksyms.as_chunks().0.iter().map(|bytes| u64::from_ne_bytes(*bytes)).collect(),
            functions: words(&tables.func_info).map(|[slot, id]| (slot, id)).collect(),
            lines: words(&tables.line_info).map(line).collect(),
        })
    }
}

/// Records of `N` words.
fn words<const N: usize>(bytes: &[u8]) -> impl Iterator<Item = [u32; N]> + '_ {
    bytes.chunks_exact(4 * N).map(|record| {
        let words = record.as_chunks().0;
        std::array::from_fn(|i| u32::from_ne_bytes(words[i]))
    })
}

/// A program of a unit in the kernel with the unit's types and source lines, and its maps, to be looked at.
#[derive(Debug)]
pub struct LoadedProgram {
    /// The program.
    pub prog: KernelProg,
    /// The types that it was loaded with, if the unit has some.
    pub types: Option<oxbpf_btf::Btf>,
    /// The program holds them; where it names them by an index, the caller may want them too.
    _maps: Vec<UnitMap>,
}

impl LoadedProgram {
    /// Creates a unit's maps and loads one of its programs; program arrays stay empty.
    ///
    /// # Errors
    /// As the engine's [`prepare`](oxbpf_runtime::Engine::prepare).
    pub fn load(unit: &Unit, program: ProgIdx) -> Result<LoadedProgram, EngineError> {
        match probe().reason() {
            Some(reason) => Err(EngineError::Unavailable { engine: NAME, reason: reason.to_string() }),
            None => LoadedProgram::load_here(unit, program),
        }
    }

    fn load_here(unit: &Unit, program: ProgIdx) -> Result<LoadedProgram, EngineError> {
        let contents: Vec<_> = unit.maps().iter().map(|def| (def, Contents::of(def))).collect();
        let maps = unit_maps::create_all(contents.iter().map(|(def, contents)| (*def, contents)), cpus().unwrap_or(1))?;
        let program = &unit.programs()[program.index()];
        let types = match unit.types().and_then(|types| Types::of(program, types)) {
            // Types that the kernel does not take are not needed to run.
            Some(types) => KernelBtf::load(&types.btf.to_bytes()).ok().map(|btf| (types, btf)),
            None => None,
        };
        let Some((types, btf)) = types else {
            let needed = FuncInfo::of(program).map_err(|e| failed(format!("program {}: {e}", program.name())))?;
            let prog = load_with(program, unit, &maps, needed.as_ref().map(FuncInfo::prog_btf))?;
            return Ok(LoadedProgram { prog, types: None, _maps: maps });
        };
        let btf = ProgBtf {
            btf: &btf,
            func_info: &types.functions,
            func_info_rec_size: 8,
            line_info: &types.lines,
            line_info_rec_size: 16,
        };
        let prog = load_with(program, unit, &maps, Some(btf))?;
        Ok(LoadedProgram { prog, types: Some(types.btf), _maps: maps })
    }
}

/// A unit's types with a program's records.
struct Types {
    btf: oxbpf_btf::Btf,
    functions: Vec<u8>,
    lines: Vec<u8>,
}

impl Types {
    /// None where a function of the program has no type.
    fn of(program: &Program, types: &oxbpf_btf::Btf) -> Option<Types> {
        let mut btf = types.clone();
        let mut starts = Vec::new();
        let mut functions = Vec::new();
        for function in called(program) {
            let function = &program.functions()[function.index()];
            let id = btf.find(oxbpf_btf::Kind::Func, &function.name)?;
            let start = InsnId(function.insns.start);
            functions.extend([program.slot(start).0, id.0].iter().flat_map(|word| word.to_ne_bytes()));
            starts.push(start);
        }
        let mut strings = BTreeMap::new();
        let mut string = |text: &str| strings.entry(text.to_owned()).or_insert_with(|| btf.add_string(text)).0;
        let mut lines: Vec<u8> = Vec::new();
        for line in program.lines() {
            // The kernel's record has 22 bits for the line and 10 for the column.
            let place = line.line.min(0x3f_ffff) << 10 | line.column.min(0x3ff);
            let record = [program.slot(line.insn).0, string(&line.file), string(&line.text), place];
            lines.extend(record.iter().flat_map(|word| word.to_ne_bytes()));
        }
        // The kernel wants each function to start with a line.
        let known = |start: &InsnId| program.lines().binary_search_by_key(start, |line| line.insn).is_ok();
        if !starts.iter().all(known) {
            lines.clear();
        }
        Some(Types { btf, functions, lines })
    }
}
