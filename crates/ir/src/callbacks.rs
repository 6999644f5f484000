//! Helpers that call back, expanded into calls: each call of one becomes a call of a function that lowering writes,
//! which calls the program's function in a loop. So engines know no helper that runs guest code, and fuel, frames and
//! traps stay theirs.

use std::ops::Range;

use oxbpf_abi::PRIVATE_HELPERS;
use oxbpf_isa::{AluOp, Cond, Width};

use crate::code::{Op, Src, Target, VReg};

/// Helpers by number.
const FOR_EACH_MAP_ELEM: u32 = 164;
const LOOP: u32 = 181;
/// Helpers of our own, with which entries of a map are visited.
const VISIT_NEXT: u32 = PRIVATE_HELPERS + 4;
const VISIT_ENTRY: u32 = PRIVATE_HELPERS + 5;

/// The most rounds that a loop may ask for.
const MAX_LOOPS: i32 = 1 << 23;
/// The numbers of errors, negative.
const E2BIG: i64 = -7;
const EINVAL: i64 = -22;
/// Bytes of a frame, all of which hold a key.
const FRAME: i32 = 512;

/// A function that stands for a helper: its operations, with branches by their positions in it, and its blocks.
pub(crate) struct Builtin {
    pub(crate) name: &'static str,
    pub(crate) ops: Vec<Op>,
    pub(crate) blocks: Vec<Range<u32>>,
}

/// The function that stands for a helper, where that calls back.
pub(crate) fn builtin(helper: u32, fuel: bool) -> Option<Builtin> {
    let (name, write): (_, fn(&mut Writer)) = match helper {
        LOOP => ("bpf_loop", write_loop),
        FOR_EACH_MAP_ELEM => ("bpf_for_each_map_elem", write_for_each),
        _ => return None,
    };
    let mut writer = Writer { ops: Vec::new(), marks: [None; 4], fuel };
    write(&mut writer);
    Some(writer.finish(name))
}

/// Places in a function that is being written.
#[derive(Clone, Copy)]
enum Mark {
    Head,
    Done,
    Invalid,
    TooBig,
}

struct Writer {
    ops: Vec<Op>,
    marks: [Option<u32>; 4],
    fuel: bool,
}

const R: [VReg; 11] = {
    let mut all = [VReg(0); 11];
    let mut i = 0;
    while i < all.len() {
        all[i] = VReg(i as u16);
        i += 1;
    }
    all
};

impl Writer {
    fn mov(&mut self, dst: VReg, src: VReg) {
        self.alu(AluOp::Mov, Width::W64, dst, Src::Reg(src));
    }

    fn alu(&mut self, op: AluOp, width: Width, dst: VReg, b: Src) {
        self.ops.push(Op::Alu { op, width, dst, a: dst, b });
    }

    fn branch(&mut self, cond: Cond, a: VReg, b: Src, to: Mark) {
        self.ops.push(Op::Branch { cond, width: Width::W64, a, b, to: Target(to as u32) });
    }

    fn mark(&mut self, mark: Mark) {
        self.marks[mark as usize] = Some(self.ops.len() as u32);
    }

    /// Each round costs one instruction besides what the function that is called costs.
    fn head(&mut self) {
        self.mark(Mark::Head);
        if self.fuel {
            self.ops.push(Op::Charge { insns: 1 });
        }
    }

    fn fail(&mut self, mark: Mark, value: u64) {
        self.mark(mark);
        self.ops.push(Op::Const { dst: R[0], value });
        self.ops.push(Op::Exit);
    }

    fn finish(mut self, name: &'static str) -> Builtin {
        let mut starts = vec![0];
        for (i, op) in self.ops.iter_mut().enumerate() {
            if let Op::Branch { to, .. } = op {
                *to = Target(self.marks[to.0 as usize].unwrap_or(0));
                starts.push(i as u32 + 1);
            }
        }
        starts.extend(self.marks.into_iter().flatten());
        starts.push(self.ops.len() as u32);
        starts.sort_unstable();
        starts.dedup();
        let blocks = starts.windows(2).map(|pair| pair[0]..pair[1]).collect();
        Builtin { name, ops: self.ops, blocks }
    }
}

/// `loop(nr, function, ctx, flags)`: rounds r9 of r6, calling r7 with r8.
///
/// Measured: Linux 6.18 writes the loop into a program that is known to pass no flags, as all do. Then it takes all 64
/// bits of the count, and the error for too large a one has 32 bits.
fn write_loop(w: &mut Writer) {
    w.branch(Cond::Ne, R[4], Src::Imm(0), Mark::Invalid);
    w.mov(R[6], R[1]);
    w.branch(Cond::Gt, R[6], Src::Imm(MAX_LOOPS), Mark::TooBig);
    w.mov(R[7], R[2]);
    w.mov(R[8], R[3]);
    w.ops.push(Op::Const { dst: R[9], value: 0 });
    w.head();
    w.branch(Cond::Ge, R[9], Src::Reg(R[6]), Mark::Done);
    w.mov(R[1], R[9]);
    w.mov(R[2], R[8]);
    w.ops.push(Op::CallHandle { func: R[7], helper: LOOP });
    w.alu(AluOp::Add, Width::W64, R[9], Src::Imm(1));
    w.branch(Cond::Eq, R[0], Src::Imm(0), Mark::Head);
    w.mark(Mark::Done);
    w.mov(R[0], R[9]);
    w.ops.push(Op::Exit);
    w.fail(Mark::Invalid, EINVAL as u64);
    w.fail(Mark::TooBig, u64::from(E2BIG as u32));
}

/// `for_each_map_elem(map, function, ctx, flags)`: entries of r6 by the cursor and count in r9, calling r7 with r8. The
/// frame holds the key.
fn write_for_each(w: &mut Writer) {
    w.branch(Cond::Ne, R[4], Src::Imm(0), Mark::Invalid);
    for i in [1, 2, 3] {
        w.mov(R[5 + i], R[i]);
    }
    w.ops.push(Op::Const { dst: R[9], value: 0 });
    w.head();
    w.mov(R[1], R[6]);
    w.mov(R[2], R[9]);
    w.ops.push(Op::Helper { id: VISIT_NEXT });
    w.branch(Cond::Eq, R[0], Src::Imm(0), Mark::Done);
    w.mov(R[9], R[0]);
    w.mov(R[1], R[6]);
    w.mov(R[2], R[9]);
    w.mov(R[3], VReg::FP);
    w.alu(AluOp::Add, Width::W64, R[3], Src::Imm(-FRAME));
    w.ops.push(Op::Helper { id: VISIT_ENTRY });
    w.mov(R[3], R[0]);
    w.mov(R[1], R[6]);
    w.mov(R[2], VReg::FP);
    w.alu(AluOp::Add, Width::W64, R[2], Src::Imm(-FRAME));
    w.mov(R[4], R[8]);
    w.ops.push(Op::CallHandle { func: R[7], helper: FOR_EACH_MAP_ELEM });
    w.branch(Cond::Eq, R[0], Src::Imm(0), Mark::Head);
    w.mark(Mark::Done);
    w.mov(R[0], R[9]);
    w.alu(AluOp::Rsh, Width::W64, R[0], Src::Imm(32));
    w.ops.push(Op::Exit);
    w.fail(Mark::Invalid, EINVAL as u64);
}
