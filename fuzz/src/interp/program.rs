//! A structured mapping from bytes to programs: every run of bytes is a well-shaped program, so that all of
//! the fuzzer's effort goes into what happens when it runs.

use oxbpf_abi::{Arg, HELPERS, ProgType};
use oxbpf_ir::{Program, ProgramParts};
use oxbpf_isa::{
    AluOp, AtomicOp, CallTarget, Cond, EndianOp, Insn, MemSize, MovSx, Narrow, Operand, Pseudo, Reg, Width,
};

use super::super::reader::{Bytes, pick, writable};
use super::{LOCKED, MAPS, RODATA};

/// Functions of a program, the entry included.
const MAX_FUNCTIONS: u8 = 4;
/// Steps of a function; a step is one instruction or a short idiom.
const MAX_STEPS: u8 = 64;

/// A jump or call, to be completed once the places are known.
enum Fix {
    /// To an instruction of the same function, by any number.
    Jump { insn: usize, to: u16 },
    /// To a function of the program, by any number.
    Call { insn: usize, function: u8 },
}

#[derive(Default)]
struct Builder {
    insns: Vec<Insn>,
    fixes: Vec<Fix>,
}

/// A program out of the bytes; it ends where they do.
pub(super) fn program(name: &str, prog_type: ProgType, bytes: &mut Bytes<'_>) -> Program {
    let count = 1 + bytes.u8() % MAX_FUNCTIONS;
    let mut builder = Builder::default();
    let mut starts = vec![];
    for _ in 0..count {
        let first = builder.insns.len();
        let first_fix = builder.fixes.len();
        starts.push(first);
        if first == 0 {
            builder.keep_context();
        }
        for _ in 0..bytes.u8() % MAX_STEPS {
            if bytes.is_empty() {
                break;
            }
            builder.step(prog_type, bytes);
        }
        builder.insns.push(Insn::Exit);
        builder.complete_jumps(first, first_fix);
    }
    builder.complete_calls(&starts);
    let mut parts = ProgramParts::new(name, prog_type, builder.insns);
    let slots = slots(&parts.insns);
    parts.functions = starts.iter().map(|&s| (oxbpf_isa::Slot(slots[s]), format!("f{s}"))).collect();
    Program::new(parts).expect("the mapping makes well-shaped programs")
}

/// The slot of each instruction.
fn slots(insns: &[Insn]) -> Vec<u32> {
    let next = |slot: &mut u32, insn: &Insn| Some(std::mem::replace(slot, *slot + insn.slots()));
    insns.iter().scan(0, next).collect()
}

impl Builder {
    fn push(&mut self, insn: Insn) {
        self.insns.push(insn);
    }

    fn mov(&mut self, dst: Reg, src: Operand) {
        self.push(Insn::Alu { op: AluOp::Mov, width: Width::W64, dst, src });
    }

    /// Legacy loads want the context in r6, idioms find it there.
    fn keep_context(&mut self) {
        self.mov(Reg::R6, Operand::Reg(Reg::R1));
    }

    fn jump(&mut self, insn: Insn, to: u16) {
        self.fixes.push(Fix::Jump { insn: self.insns.len(), to });
        self.push(insn);
    }

    fn call(&mut self, insn: Insn, function: u8) {
        self.fixes.push(Fix::Call { insn: self.insns.len(), function });
        self.push(insn);
    }

    /// Eight bytes: what, which operator, two registers, an offset, an immediate.
    fn step(&mut self, prog_type: ProgType, bytes: &mut Bytes<'_>) {
        let (what, which) = (bytes.u8(), bytes.u8());
        let (a, b) = (bytes.u8(), bytes.u8());
        let off = bytes.u16() as i16;
        let (dst, reg) = (writable(a), pick(&Reg::ALL, b));
        let width = pick(&Width::ALL, which);
        let size = pick(&MemSize::ALL, which);
        let narrow = pick(&Narrow::ALL, which);
        match what % 27 {
            0..=1 => {
                let op = pick(&AluOp::ROWS, which >> 1).op;
                let src = operand(b, bytes);
                self.push(Insn::Alu { op, width, dst, src });
            }
            2 => self.push(Insn::Neg { width, dst }),
            3 => self.push(Insn::MovSx { op: pick(&MovSx::ALL, which), dst, src: reg }),
            4 => self.push(Insn::Endian { op: pick(&EndianOp::ROWS, which).op, dst }),
            5 => self.push(Insn::LoadImm64 { dst, value: bytes.u64() }),
            6 => self.reference(which, dst, off),
            7 => self.push(Insn::Load { size, dst, base: reg, off }),
            8 => self.push(Insn::LoadSx { size: narrow, dst, base: reg, off }),
            9 => {
                let src = operand(a, bytes);
                self.push(Insn::Store { size, base: reg, off, src });
            }
            10 => {
                let op = pick(&AtomicOp::ROWS, which >> 1).op;
                self.push(Insn::Atomic { op, width, base: reg, off, src: dst });
            }
            11 => self.push(Insn::LoadAcquire { size, dst, base: reg, off }),
            12 => self.push(Insn::StoreRelease { size, base: reg, off, src: dst }),
            13 => self.push(Insn::LdAbs { size: narrow, imm: off.into() }),
            14 => self.push(Insn::LdInd { size: narrow, src: reg, imm: bytes.i32() }),
            15 => self.jump(Insn::Jump { off: 0 }, off as u16),
            16 => self.jump(Insn::JumpLong { off: 0 }, off as u16),
            17 => self.jump(Insn::MayGoto { off: 0 }, off as u16),
            18..=19 => {
                let cond = pick(&Cond::ROWS, which >> 1).cond;
                let src = operand(b, bytes);
                self.jump(Insn::JumpIf { cond, width, dst, src, off: 0 }, off as u16);
            }
            20 => self.call(Insn::Call(CallTarget::Local(0)), which),
            21 => self.odd(which, dst, reg, off),
            // What programs of sense do, or the fuzzer would not get past the first access.
            22 => self.stack_pointer(dst, off),
            23 => self.packet_pointer(prog_type, dst, off),
            24..=25 => self.helper(which, [a, b, off as u8, (off >> 8) as u8]),
            _ => self.push(Insn::Load { size, dst, base: Reg::R6, off: off & 0xff }),
        }
    }

    fn reference(&mut self, which: u8, dst: Reg, off: i16) {
        let index = i32::from(which >> 2) % MAPS;
        let value = match which % 4 {
            0 => Pseudo::MapFd(index),
            1 => Pseudo::MapIdx(index),
            2 => Pseudo::MapValue { fd: index, off: off.into() },
            _ => Pseudo::MapIdxValue { idx: index, off: i32::from(off) & 0xf },
        };
        self.push(Insn::LoadPseudo { dst, value });
    }

    /// What is decoded but not run, and an early end.
    fn odd(&mut self, which: u8, dst: Reg, reg: Reg, off: i16) {
        match which % 8 {
            0 => self.push(Insn::Call(CallTarget::Kfunc { id: off.into(), fd_idx: 0 })),
            1 => self.push(Insn::CallX { target: reg }),
            2 => self.push(Insn::AddrSpaceCast { dst, src: reg, to: 0, from: 1 }),
            3 => self.push(Insn::LoadPseudo { dst, value: Pseudo::BtfVar { id: off.into(), fd: 0 } }),
            4 => self.call(Insn::LoadPseudo { dst, value: Pseudo::Func(0) }, which >> 3),
            5 => self.push(Insn::Call(CallTarget::Helper(off.into()))),
            _ => self.push(Insn::Exit),
        }
    }

    fn stack_pointer(&mut self, dst: Reg, off: i16) {
        self.mov(dst, Operand::Reg(Reg::R10));
        let src = Operand::Imm(-i32::from(off & 0x1ff));
        self.push(Insn::Alu { op: AluOp::Add, width: Width::W64, dst, src });
    }

    fn packet_pointer(&mut self, prog_type: ProgType, dst: Reg, off: i16) {
        let name = if off & 0x100 == 0 { "data" } else { "data_end" };
        let field = prog_type.ctx().field(name).expect("every context has the packet's ends");
        self.push(Insn::Load { size: MemSize::W, dst, base: Reg::R6, off: field.off as i16 });
        self.push(Insn::Alu { op: AluOp::Add, width: Width::W64, dst, src: Operand::Imm(i32::from(off as i8)) });
    }

    /// A call with arguments as its row wants them, but for some that are left as they are.
    fn helper(&mut self, which: u8, noise: [u8; 4]) {
        let row = pick(HELPERS, which);
        let registers = [Reg::R1, Reg::R2, Reg::R3, Reg::R4, Reg::R5];
        for (i, (arg, reg)) in row.proto.args.iter().zip(registers).enumerate() {
            let n = noise[i % 4];
            match arg {
                _ if n == 0xff => {}
                Arg::Ctx => self.mov(reg, Operand::Reg(Reg::R6)),
                Arg::Map => {
                    let value = Pseudo::MapFd(i32::from(n) % MAPS);
                    self.push(Insn::LoadPseudo { dst: reg, value });
                }
                Arg::MemOrNull | Arg::UninitMemOrNull if n & 1 == 0 => self.mov(reg, Operand::Imm(0)),
                Arg::Mem | Arg::ConstStr if n & 3 == 0 => {
                    self.push(Insn::LoadPseudo { dst: reg, value: Pseudo::MapValue { fd: RODATA, off: 0 } });
                }
                Arg::Func => self.call(Insn::LoadPseudo { dst: reg, value: Pseudo::Func(0) }, n),
                Arg::Record => self.mov(reg, Operand::Reg(Reg::R0)),
                Arg::Lock => {
                    let value = Pseudo::MapValue { fd: LOCKED, off: i32::from(n & 4) };
                    self.push(Insn::LoadPseudo { dst: reg, value });
                }
                Arg::StackOrNull if n & 1 == 0 => self.mov(reg, Operand::Imm(0)),
                Arg::MapKey
                | Arg::MapValue
                | Arg::UninitMapValue
                | Arg::StackOrNull
                | Arg::Mem
                | Arg::MemOrNull
                | Arg::UninitMem
                | Arg::UninitMemOrNull
                | Arg::UninitLong
                | Arg::ConstStr => {
                    self.stack_pointer(reg, i16::from(n));
                }
                Arg::Size | Arg::SizeOrZero | Arg::RecordSize | Arg::Anything => {
                    self.mov(reg, Operand::Imm(i32::from(n as i8)))
                }
                // No implemented helper takes any other.
                _ => {}
            }
        }
        self.push(Insn::Call(CallTarget::Helper(row.id as i32)));
    }

    /// Completes the jumps of the function that begins at `first` and ends where the instructions do.
    fn complete_jumps(&mut self, first: usize, first_fix: usize) {
        let slots = slots(&self.insns);
        for fix in &self.fixes[first_fix..] {
            if let Fix::Jump { insn, to } = *fix {
                let target = first + usize::from(to) % (self.insns.len() - first);
                let distance = slots[target] as i32 - (slots[insn] as i32 + 1);
                self.insns[insn] = with_distance(self.insns[insn], distance);
            }
        }
    }

    fn complete_calls(&mut self, starts: &[usize]) {
        let slots = slots(&self.insns);
        for fix in &self.fixes {
            if let Fix::Call { insn, function } = *fix {
                let distance = slots[pick(starts, function)] as i32 - (slots[insn] as i32 + 1);
                self.insns[insn] = with_distance(self.insns[insn], distance);
            }
        }
    }
}

fn operand(n: u8, bytes: &mut Bytes<'_>) -> Operand {
    if n & 0x80 == 0 { Operand::Reg(pick(&Reg::ALL, n)) } else { Operand::Imm(bytes.i32()) }
}

/// The same instruction to a place that many slots behind the next; functions are far below the limits.
fn with_distance(insn: Insn, distance: i32) -> Insn {
    let off = distance as i16;
    match insn {
        Insn::Jump { .. } => Insn::Jump { off },
        Insn::MayGoto { .. } => Insn::MayGoto { off },
        Insn::JumpIf { cond, width, dst, src, .. } => Insn::JumpIf { cond, width, dst, src, off },
        Insn::JumpLong { .. } => Insn::JumpLong { off: distance },
        Insn::Call(_) => Insn::Call(CallTarget::Local(distance)),
        Insn::LoadPseudo { dst, .. } => Insn::LoadPseudo { dst, value: Pseudo::Func(distance) },
        other => other,
    }
}
