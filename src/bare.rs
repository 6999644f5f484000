//! Bare programs: instructions over a piece of memory, without packet, object or maps.
//!
//! Teachers, conformance suites and benchmarks of the instruction set run such programs: r1 is the memory's address, r2
//! its length, and the result is all of r0. The memory is the value of an array map, so that every engine can be
//! given it, the kernel too. An engine that answers only 32 bits of r0 gets the program as a function, whose result
//! the entry stores where it can be read.
//!
//! ```
//! use oxbpf::bare::Bare;
//! use oxbpf::interp::Interp;
//! use oxbpf::isa::text;
//!
//! // The sum of two bytes of memory.
//! let insns = text::parse("r0 = *(u8 *)(r1 + 0)\nr3 = *(u8 *)(r1 + 1)\nr0 += r3\nexit").unwrap().insns;
//! let bare = Bare::new(&insns, &[40, 2]);
//! assert_eq!(bare.run(&Interp).unwrap().unwrap(), 42);
//! ```

use std::sync::Arc;

use oxbpf_abi::{MapType, ProgType};
use oxbpf_ir::{BuildError, MapDef, MapIdx, MapInit, MapPurpose, ProgIdx, Program, ProgramParts, Unit, UnitError};
use oxbpf_isa::{AluOp, CallTarget, Insn, MemSize, Operand, Pseudo, Reg, Width};
use oxbpf_runtime::skb::Link;
use oxbpf_runtime::{Engine, EngineError, Env, Image, Input, Outcome, Trap};
use thiserror::Error;

/// A program over memory, and what surrounds it.
#[derive(Clone, Debug)]
pub struct Bare<'a> {
    insns: &'a [Insn],
    maps: &'a [MapDef],
    given: Given<'a>,
    env: Env,
}

/// What r1 leads to when the program starts.
#[derive(Clone, Copy, Debug)]
enum Given<'a> {
    /// Bytes in a map's value, with their length in r2.
    Memory(&'a [u8]),
    /// The context of a packet.
    Packet(&'a [u8]),
}

/// Why a bare program did not run.
#[derive(Debug, Error)]
#[allow(missing_docs)]
pub enum BareError {
    #[error("{len} bytes of memory are more than {MAX_MEMORY}")]
    Memory { len: usize },
    #[error(transparent)]
    Build(#[from] BuildError),
    #[error(transparent)]
    Unit(#[from] UnitError),
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error("engine {engine} cannot tell the result: {why}")]
    Untold { engine: &'static str, why: String },
}

impl BareError {
    /// A stable code: `bare-…`, or that of the program or the engine at fault.
    pub fn code(&self) -> &'static str {
        match self {
            BareError::Memory { .. } => "bare-memory",
            BareError::Build(e) => e.code(),
            BareError::Unit(e) => e.code(),
            BareError::Engine(e) => e.code(),
            BareError::Untold { .. } => "bare-untold",
        }
    }
}

/// The most memory a program is given: what fits an array map's value everywhere.
pub const MAX_MEMORY: usize = 1 << 20;

/// Fuel for a loop of one jump until `may_goto` ends it, twice over.
const FUEL: u64 = 1 << 25;

fn env() -> Env {
    Env { fuel: FUEL, ..Env::default() }
}

/// What engines get that want a packet.
const PACKET: [u8; 64] = [0; 64];

impl<'a> Bare<'a> {
    /// A program with this memory, which may be empty: then r1 and r2 are zero.
    pub fn new(insns: &'a [Insn], memory: &'a [u8]) -> Bare<'a> {
        Bare { insns, maps: &[], given: Given::Memory(memory), env: env() }
    }

    /// The program gets the context of a packet in r1 instead of memory.
    pub fn over_packet(insns: &'a [Insn], packet: &'a [u8]) -> Bare<'a> {
        Bare { insns, maps: &[], given: Given::Packet(packet), env: env() }
    }

    /// The program refers to these maps, by their positions.
    pub fn with_maps(self, maps: &'a [MapDef]) -> Bare<'a> {
        Bare { maps, ..self }
    }

    /// Runs it once, for r0 or the trap that stopped it.
    pub fn run(&self, engine: &dyn Engine) -> Result<Result<u64, Trap>, BareError> {
        let packet = match self.given {
            Given::Memory(memory) if memory.len() > MAX_MEMORY => return Err(BareError::Memory { len: memory.len() }),
            Given::Memory(_) => &PACKET,
            Given::Packet(packet) => packet,
        };
        // Legacy packet loads may not stand in a function, and are about values of 32 bits.
        let stored = engine.name() == "kernel" && matches!(self.given, Given::Memory(_));
        let image = self.image(stored)?;
        let mut instance = engine.prepare(&image, &self.env)?;
        match instance.run(&Input::new(packet, Link::Ethernet))? {
            Outcome::Trap(trap) => Ok(Err(trap)),
            Outcome::Return(r0) if !stored => Ok(Ok(r0)),
            Outcome::Return(_) => {
                let untold = |why: &str| BareError::Untold { engine: engine.name(), why: why.into() };
                let entries = instance.map_entries(self.result())?;
                let value = entries.first().and_then(|(_, value)| value.first_chunk());
                Ok(Ok(u64::from_le_bytes(*value.ok_or_else(|| untold("no stored result"))?)))
            }
        }
    }

    /// The map that keeps r0 for engines that answer 32 bits.
    fn result(&self) -> MapIdx {
        MapIdx(self.maps.len() as u32)
    }

    /// The unit to run; with `stored`, one that leaves r0 in a map.
    fn image(&self, stored: bool) -> Result<Image, BareError> {
        let mut maps = self.maps.to_vec();
        maps.push(memory_map("result", vec![0; 8]));
        let mut insns = Vec::new();
        match self.given {
            Given::Memory([]) => insns.extend([mov(Reg::R1, 0), mov(Reg::R2, 0)]),
            Given::Memory(memory) => {
                let map = MapIdx(maps.len() as u32);
                maps.push(memory_map("memory", memory.to_vec()));
                insns.extend([wide(Reg::R1, map), mov(Reg::R2, memory.len() as i32)]);
            }
            Given::Packet(_) => {}
        }
        if stored {
            let store = Insn::Store { size: MemSize::Dw, base: Reg::R1, off: 0, src: Operand::Reg(Reg::R0) };
            let epilogue = [wide(Reg::R1, self.result()), store, Insn::Exit];
            let distance = epilogue.iter().map(Insn::slots).sum::<u32>() as i32;
            insns.push(Insn::Call(CallTarget::Local(distance)));
            insns.extend(epilogue);
        }
        insns.extend_from_slice(self.insns);
        let program = Program::new(ProgramParts::new("bare", ProgType::SchedCls, insns))?;
        let unit = Unit::new("bare", "GPL", maps, vec![program])?;
        Ok(Image::unproven(Arc::new(unit), ProgIdx(0)))
    }
}

fn memory_map(name: &str, contents: Vec<u8>) -> MapDef {
    let mut def = MapDef::new(name, MapType::ARRAY, 4, contents.len() as u32, 1);
    def.purpose = MapPurpose::Data;
    def.init = MapInit::Entries(vec![(vec![0; 4], contents)]);
    def
}

fn wide(dst: Reg, map: MapIdx) -> Insn {
    Insn::LoadPseudo { dst, value: Pseudo::MapValue { fd: map.0 as i32, off: 0 } }
}

fn mov(dst: Reg, imm: i32) -> Insn {
    Insn::Alu { op: AluOp::Mov, width: Width::W64, dst, src: Operand::Imm(imm) }
}
