//! The same unit in the interpreter and in the kernel.

#![allow(dead_code)] // each test binary uses its part

use std::sync::Arc;

use oxbpf_abi::layout::SkBuff;
use oxbpf_abi::{MapType, ProgType};
use oxbpf_interp::Interp;
use oxbpf_ir::{MapDef, MapIdx, ProgIdx, Program, ProgramParts, Unit};
use oxbpf_isa::{AluOp, CallTarget, Insn, MemSize, Operand, Pseudo, Reg, Width};
use oxbpf_kernel::Kernel;
use oxbpf_runtime::maps::Entry;
use oxbpf_runtime::skb::{self, Link};
use oxbpf_runtime::{Engine, EngineError, Env, Image, Input, Instance, Outcome, Refusal};

/// Map and program definitions that a test puts together.
pub fn unit(prog_type: ProgType, maps: Vec<MapDef>, programs: Vec<Vec<Insn>>) -> Arc<Unit> {
    let program = |(i, insns): (usize, Vec<Insn>)| {
        Program::new(ProgramParts::new(&format!("prog{i}"), prog_type, insns)).unwrap()
    };
    let programs = programs.into_iter().enumerate().map(program).collect();
    Arc::new(Unit::new("test", "GPL", maps, programs).unwrap())
}

/// An array of one value.
pub fn result_map(value_size: u32) -> MapDef {
    MapDef::new("result", MapType::ARRAY, 4, value_size, 1)
}

/// A unit in both engines.
pub struct Pair {
    pub interp: Box<dyn Instance>,
    pub kernel: Box<dyn Instance>,
    maps: u32,
    prog_type: ProgType,
}

impl Pair {
    pub fn new(unit: &Arc<Unit>) -> Result<Pair, EngineError> {
        let image = Image::unproven(unit.clone(), ProgIdx(0));
        // What each CPU has its own of is as much as the kernel's; runs are on the first.
        let env = Env { cpus: oxbpf_kernel::cpus().unwrap_or(1), ..Env::default() };
        let kernel = Kernel.prepare(&image, &env)?;
        let interp = Interp.prepare(&image, &env)?;
        Ok(Pair { interp, kernel, maps: unit.maps().len() as u32, prog_type: image.prog_type() })
    }

    /// Runs both; what they left behind.
    pub fn run(&mut self, input: &Input<'_>) -> Result<[Left; 2], Vec<Refusal>> {
        let refusals = self.kernel.refuses(input);
        if !refusals.is_empty() {
            return Err(refusals);
        }
        let kernel = self.kernel.run(input).unwrap_or_else(|error| panic!("{error}: {:?}", input.skb));
        let interp = self.interp.run(input).unwrap();
        Ok([self.left(&*self.interp, interp), self.left(&*self.kernel, kernel)])
    }

    fn left(&self, instance: &dyn Instance, outcome: Outcome) -> Left {
        let entries = |map| {
            let mut entries = instance.map_entries(MapIdx(map)).unwrap();
            entries.sort();
            entries
        };
        let after = instance.skb();
        let reported = self.prog_type.ctx().fields.iter().filter(|f| self.kernel.reports(f));
        Left {
            verdict: match outcome {
                Outcome::Return(r0) => Ok(r0 as u32),
                Outcome::Trap(trap) => Err(trap.to_string()),
            },
            packet: instance.packet(),
            skb: reported.map(|f| (f.name, skb::get(&after, f))).collect(),
            maps: (0..self.maps).map(entries).collect(),
        }
    }
}

/// What a run left behind, as far as both engines tell.
#[derive(Clone, PartialEq, Debug)]
pub struct Left {
    pub verdict: Result<u32, String>,
    pub packet: Vec<u8>,
    pub skb: Vec<(&'static str, Vec<u64>)>,
    pub maps: Vec<Vec<Entry>>,
}

impl Left {
    /// The numbers in the first value of the first map.
    pub fn results(&self) -> Vec<u64> {
        let words = self.maps[0][0].1.chunks_exact(8);
        words.map(|word| u64::from_le_bytes(word.try_into().unwrap())).collect()
    }
}

pub fn input(data: &[u8]) -> Input<'_> {
    Input::new(data, Link::Ethernet)
}

pub fn input_with(data: &[u8], set: impl FnOnce(&mut SkBuff)) -> Input<'_> {
    let mut input = input(data);
    set(&mut input.skb);
    input
}

pub const R: [Reg; 11] = Reg::ALL;

pub fn imm(dst: Reg, value: i32) -> Insn {
    Insn::Alu { op: AluOp::Mov, width: Width::W64, dst, src: Operand::Imm(value) }
}

/// Any number, as a wide load.
pub fn wide(dst: Reg, value: u64) -> Insn {
    Insn::LoadImm64 { dst, value }
}

pub fn copy(dst: Reg, src: Reg) -> Insn {
    Insn::Alu { op: AluOp::Mov, width: Width::W64, dst, src: Operand::Reg(src) }
}

pub fn add(dst: Reg, value: i32) -> Insn {
    Insn::Alu { op: AluOp::Add, width: Width::W64, dst, src: Operand::Imm(value) }
}

pub fn sub(dst: Reg, src: Reg) -> Insn {
    Insn::Alu { op: AluOp::Sub, width: Width::W64, dst, src: Operand::Reg(src) }
}

pub fn load(size: MemSize, dst: Reg, base: Reg, off: i16) -> Insn {
    Insn::Load { size, dst, base, off }
}

pub fn store(size: MemSize, base: Reg, off: i16, src: Reg) -> Insn {
    Insn::Store { size, base, off, src: Operand::Reg(src) }
}

pub fn store_imm(size: MemSize, base: Reg, off: i16, value: i32) -> Insn {
    Insn::Store { size, base, off, src: Operand::Imm(value) }
}

pub fn map(dst: Reg, index: i32) -> Insn {
    Insn::LoadPseudo { dst, value: Pseudo::MapFd(index) }
}

pub fn map_value(dst: Reg, index: i32, off: i32) -> Insn {
    Insn::LoadPseudo { dst, value: Pseudo::MapValue { fd: index, off } }
}

pub fn call(helper: i32) -> Insn {
    Insn::Call(CallTarget::Helper(helper))
}

/// The context in r6 and the result map's value in r7, which the unit's first map is.
pub fn prologue() -> Vec<Insn> {
    vec![copy(R[6], R[1]), map_value(R[7], 0, 0)]
}

/// Puts r0 into a slot of the result map's value.
pub fn keep(slot: usize) -> Insn {
    store(MemSize::Dw, R[7], slot as i16 * 8, R[0])
}

/// The end: return `verdict`.
pub fn end(verdict: i32) -> [Insn; 2] {
    [imm(R[0], verdict), Insn::Exit]
}

/// A small generator of numbers, the same everywhere.
pub struct Rng(pub u64);

impl Rng {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    /// Below `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u64) as usize]
    }

    pub fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.next() as u8).collect()
    }
}

/// A program of many cases in the making: each leaves numbers in the result map, and has a name.
pub struct Cases {
    pub insns: Vec<Insn>,
    pub names: Vec<String>,
}

/// Bytes of scratch memory below the frame pointer that [`Cases::new`] fills.
pub const SCRATCH: i16 = 128;

impl Cases {
    /// Starts with the context in r6, the results in r7, and known bytes in the scratch memory.
    pub fn new(rng: &mut Rng) -> Cases {
        let mut cases = Cases { insns: prologue(), names: Vec::new() };
        for off in (-SCRATCH..0).step_by(8) {
            let value = rng.next();
            cases.insns.extend([wide(R[1], value), store(MemSize::Dw, R[10], off, R[1])]);
        }
        cases
    }

    pub fn push(&mut self, insns: impl IntoIterator<Item = Insn>) {
        self.insns.extend(insns);
    }

    /// Keeps a register as the result of the case of this name.
    pub fn keep(&mut self, name: String, src: Reg) {
        self.insns.push(store(MemSize::Dw, R[7], self.names.len() as i16 * 8, src));
        self.names.push(name);
    }

    /// The unit: its first map holds the results, others follow.
    pub fn finish(mut self, prog_type: ProgType, verdict: i32, maps: Vec<MapDef>) -> (Pair, Vec<String>) {
        self.insns.extend(end(verdict));
        let maps = [result_map(self.names.len().max(1) as u32 * 8)].into_iter().chain(maps).collect();
        (
            Pair::new(&unit(prog_type, maps, vec![self.insns])).unwrap_or_else(|error| panic!("{}", report(&error))),
            self.names,
        )
    }
}

fn report(error: &EngineError) -> String {
    match error {
        EngineError::Rejected { message, log, .. } => format!("{message}\n{}", &log[log.len().saturating_sub(2000)..]),
        other => other.to_string(),
    }
}

/// Runs and compares; what differs, in words.
pub fn compare(pair: &mut Pair, names: &[String], input: &Input<'_>, what: &str) -> Vec<String> {
    let [ours, kernel] = pair.run(input).unwrap_or_else(|refusals| panic!("{what}: {refusals:?}"));
    let mut different = Vec::new();
    for (name, (a, b)) in names.iter().zip(ours.results().into_iter().zip(kernel.results())) {
        if a != b {
            different.push(format!("{what}: {name}: ours {a:#x}, kernel {b:#x}"));
        }
    }
    if ours.verdict != kernel.verdict {
        different.push(format!("{what}: verdict ours {:?}, kernel {:?}", ours.verdict, kernel.verdict));
    }
    if ours.packet != kernel.packet {
        let at = ours.packet.iter().zip(&kernel.packet).position(|(a, b)| a != b);
        let length = (ours.packet.len(), kernel.packet.len());
        different.push(format!("{what}: packet differs at {at:?}, lengths {length:?}"));
    }
    if ours.skb != kernel.skb {
        different.push(format!("{what}: context ours {:x?}, kernel {:x?}", ours.skb, kernel.skb));
    }
    for (i, (a, b)) in ours.maps.iter().zip(&kernel.maps).enumerate().skip(1) {
        if a != b {
            different.push(format!("{what}: map {i} ours {a:x?}, kernel {b:x?}"));
        }
    }
    different
}

/// Programs of a campaign: `least`, or as many times that as `ORACLE_ROUNDS` says.
pub fn programs(least: u64) -> u64 {
    let rounds = std::env::var("ORACLE_ROUNDS").ok().and_then(|text| text.parse().ok());
    least * rounds.unwrap_or(1)
}

/// Fails with the first of what differs.
pub fn all_same(cases: usize, different: &[String]) {
    println!("{cases} cases");
    let first = different.iter().take(20).cloned().collect::<Vec<_>>().join("\n");
    assert!(different.is_empty(), "{} differ:\n{first}", different.len());
}
