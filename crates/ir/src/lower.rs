//! Lowering a program to [`Code`]. Without passes it is one to one: v0 to v10 are r0 to r10, and each
//! instruction becomes one operation with its slot, besides the fuel charge at the head of a block.

use std::ops::Range;

use oxbpf_abi::TAIL_CALL;
use oxbpf_isa::{AtomicOp, CallTarget, Insn, Operand, Pseudo, Reg, Slot};

use crate::callbacks::{self, Builtin};
use crate::cfg::Cfg;
use crate::code::{Check, Code, CodeFunc, Op, Src, Target, Unsupported, VReg};
use crate::facts::Vetted;
use crate::program::{FuncIdx, InsnId, Program};
use crate::unit::MapIdx;

/// How to lower.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LowerOptions {
    /// Charge fuel at every block.
    pub fuel: bool,
}

impl Default for LowerOptions {
    /// With fuel: the only form that ends for every program.
    fn default() -> Self {
        LowerOptions { fuel: true }
    }
}

/// Lowers a program. Total: what cannot run becomes an operation that traps with its name.
pub fn lower(vetted: &Vetted, options: &LowerOptions) -> Code {
    let program = vetted.program();
    let cfg = Cfg::of(program);
    let layout = Layout::of(program, &cfg, options);
    let mut code = Code {
        ops: Vec::new(),
        slots: Vec::new(),
        blocks: Vec::new(),
        funcs: Vec::new(),
        vregs: Reg::ALL.len() as u16,
    };
    for block in cfg.blocks() {
        code.blocks.push(layout.ops(&block.insns));
        if options.fuel {
            code.push(Op::Charge { insns: block.insns.len() as u32 }, program.slot(InsnId(block.insns.start)));
        }
        for i in block.insns.clone() {
            let insn = InsnId(i);
            let check = vetted.facts().in_bounds(insn).map_or(Check::Full, Check::Proven);
            code.push(lower_insn(program, insn, check, &layout), program.slot(insn));
        }
    }
    code.funcs = program.functions().iter().map(|f| layout.function(&f.name, &f.insns)).collect();
    for &(insn, id) in &layout.builtins {
        code.add_builtin(callbacks::builtin(id, options.fuel), program.slot(insn));
    }
    code
}

/// Where each instruction's operation will stand.
struct Layout {
    /// By instruction, one more than there are: the operation a branch to it lands on.
    entry: Vec<u32>,
    /// Calls of helpers that call back, each of which gets a function behind the program's.
    builtins: Vec<(InsnId, u32)>,
    /// How many functions the program has.
    functions: u32,
}

impl Layout {
    fn of(program: &Program, cfg: &Cfg, options: &LowerOptions) -> Layout {
        let mut entry = Vec::with_capacity(program.insns().len() + 1);
        let mut next = 0;
        for block in cfg.blocks() {
            for i in block.insns.clone() {
                entry.push(next);
                next += 1 + u32::from(options.fuel && i == block.insns.start);
            }
        }
        entry.push(next);
        let helper = |i: usize| match program.insns()[i] {
            Insn::Call(CallTarget::Helper(id)) => Some((InsnId(i as u32), id as u32)),
            _ => None,
        };
        let calls_back = |&(_, id): &(InsnId, u32)| callbacks::builtin(id, false).is_some();
        let builtins = (0..program.insns().len()).filter_map(helper).filter(calls_back).collect();
        Layout { entry, builtins, functions: program.functions().len() as u32 }
    }

    /// The function that stands for a helper's call.
    fn builtin(&self, insn: InsnId) -> Option<FuncIdx> {
        let at = self.builtins.binary_search_by_key(&insn, |b| b.0).ok()?;
        Some(FuncIdx(self.functions + at as u32))
    }

    fn target(&self, insn: InsnId) -> Target {
        Target(self.entry[insn.index()])
    }

    fn function(&self, name: &str, insns: &Range<u32>) -> CodeFunc {
        CodeFunc { name: name.to_string(), ops: self.ops(insns), builtin: false }
    }

    /// The operations of a run of instructions that starts and ends with a block.
    fn ops(&self, insns: &Range<u32>) -> Range<u32> {
        self.entry[insns.start as usize]..self.entry[insns.end as usize]
    }
}

impl Code {
    fn push(&mut self, op: Op, slot: Slot) {
        self.ops.push(op);
        self.slots.push(slot);
    }

    /// Appends a function that stands for the helper's call at a slot.
    fn add_builtin(&mut self, builtin: Option<Builtin>, slot: Slot) {
        let Some(Builtin { name, ops, blocks }) = builtin else { return };
        let first = self.ops.len() as u32;
        for mut op in ops {
            if let Op::Branch { to, .. } = &mut op {
                to.0 += first;
            }
            self.push(op, slot);
        }
        self.blocks.extend(blocks.into_iter().map(|b| b.start + first..b.end + first));
        let ops = first..self.ops.len() as u32;
        self.funcs.push(CodeFunc { name: name.to_string(), ops, builtin: true });
    }
}

fn vreg(reg: Reg) -> VReg {
    VReg(reg.number().into())
}

fn src(operand: Operand) -> Src {
    match operand {
        Operand::Reg(r) => Src::Reg(vreg(r)),
        Operand::Imm(i) => Src::Imm(i),
    }
}

fn lower_insn(program: &Program, id: InsnId, check: Check, layout: &Layout) -> Op {
    // A program's jumps land on instructions (`Program::new`), so their targets exist.
    let to = || layout.target(program.jump_target(id).unwrap_or(id));
    let callee = || program.callee(id).unwrap_or(FuncIdx(0));
    match program.insns()[id.index()] {
        Insn::Alu { op, width, dst, src: b } => Op::Alu { op, width, dst: vreg(dst), a: vreg(dst), b: src(b) },
        Insn::Neg { width, dst } => Op::Neg { width, dst: vreg(dst), a: vreg(dst) },
        Insn::MovSx { op, dst, src } => Op::MovSx { op, dst: vreg(dst), a: vreg(src) },
        Insn::Endian { op, dst } => Op::Endian { op, dst: vreg(dst), a: vreg(dst) },
        Insn::AddrSpaceCast { .. } => Op::Unsupported { what: Unsupported::AddrSpaceCast },
        Insn::LoadImm64 { dst, value } => Op::Const { dst: vreg(dst), value },
        Insn::LoadPseudo { dst, value } => {
            let dst = vreg(dst);
            match value {
                Pseudo::MapFd(i) | Pseudo::MapIdx(i) => Op::MapHandle { dst, map: MapIdx(i as u32) },
                Pseudo::MapValue { fd: i, off } | Pseudo::MapIdxValue { idx: i, off } => {
                    Op::MapValue { dst, map: MapIdx(i as u32), off: off as u32 }
                }
                Pseudo::Func(_) => Op::FuncHandle { dst, func: callee() },
                Pseudo::BtfVar { .. } => Op::Unsupported { what: Unsupported::BtfVar },
            }
        }
        Insn::Load { size, dst, base, off } => Op::Load { size, dst: vreg(dst), base: vreg(base), off, check },
        Insn::LoadSx { size, dst, base, off } => Op::LoadSx { size, dst: vreg(dst), base: vreg(base), off, check },
        Insn::Store { size, base, off, src: v } => Op::Store { size, base: vreg(base), off, src: src(v), check },
        Insn::Atomic { op, width, base, off, src } => {
            let fetch = match op {
                AtomicOp::Cmpxchg => Some(VReg::RESULT),
                op if op.fetches() => Some(vreg(src)),
                _ => None,
            };
            Op::Atomic { op, width, base: vreg(base), off, src: vreg(src), fetch }
        }
        Insn::LoadAcquire { size, dst, base, off } => Op::LoadAcquire { size, dst: vreg(dst), base: vreg(base), off },
        Insn::StoreRelease { size, base, off, src } => Op::StoreRelease { size, base: vreg(base), off, src: vreg(src) },
        Insn::LdAbs { size, imm } => Op::Legacy { size, index: None, imm },
        Insn::LdInd { size, src, imm } => Op::Legacy { size, index: Some(vreg(src)), imm },
        Insn::Jump { .. } | Insn::JumpLong { .. } => Op::Jump { to: to() },
        Insn::MayGoto { .. } => Op::MayGoto { to: to() },
        Insn::JumpIf { cond, width, dst, src: b, .. } => Op::Branch { cond, width, a: vreg(dst), b: src(b), to: to() },
        Insn::Call(CallTarget::Helper(id)) if id.cast_unsigned() == TAIL_CALL => Op::TailCall,
        Insn::Call(CallTarget::Helper(helper)) => match layout.builtin(id) {
            Some(func) => Op::Call { func },
            None => Op::Helper { id: helper as u32 },
        },
        Insn::Call(CallTarget::Local(_)) => Op::Call { func: callee() },
        Insn::Call(CallTarget::Kfunc { id, .. }) => Op::Unsupported { what: Unsupported::Kfunc { id } },
        Insn::CallX { target } => Op::HelperIn { id: vreg(target) },
        Insn::Exit => Op::Exit,
    }
}
