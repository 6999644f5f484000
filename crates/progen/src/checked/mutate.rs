//! Single faults: one instruction of a program changed, removed, or exchanged with its neighbour.

use oxbpf_abi::HELPERS;
use oxbpf_isa::{AluOp, AtomicOp, CallTarget, Cond, Insn, MemSize, Operand, Pseudo, Reg, Width};

use super::maps::MAPS;
use crate::rng::Rng;

macro_rules! faults {
    ($($weight:literal $name:ident $apply:ident $what:literal)*) => {
        /// What was done to a program.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Fault { $(#[doc = $what] $name),* }

        impl Fault {
            /// All kinds.
            pub const ALL: &'static [Fault] = &[$(Fault::$name),*];
        }

        /// The kinds, how often each is tried, and what does it.
        const ROWS: &[(u32, (Fault, Apply))] = &[$(($weight, (Fault::$name, $apply as Apply))),*];
    };
}

/// Changes an instruction, if it is one that this fault is about.
type Apply = fn(&mut Rng, Insn) -> Option<Insn>;

faults! {
    3  Drop drop "The instruction is gone: a jump to the next stands in its place."
    12 DropCheck drop_check "A comparison never jumps."
    5  AlwaysJump always_jump "A comparison always jumps."
    2  Dst dst "Another register is written, or addressed, or compared."
    2  Src src "Another register is read."
    16 Off off "An access is moved by a few bytes, or far."
    11 Size size "An access is wider or narrower."
    12 Imm imm "An immediate is another."
    8  Cond cond "Another comparison."
    5  Width width "32 bits in place of 64, or the other way."
    5  Op op "Another operator."
    8  Target target "A jump leads elsewhere nearby."
    9  Helper helper "Another helper is called."
    7  Map map "Another map."
    4  Atomic atomic "Another atomic operation, or none."
    3  SignExtend sign_extend "A load extends the sign."
    3  Swap swap "Exchanged with the next instruction."
    3  Exit exit "The function ends here."
    6  ToPointer to_pointer "The frame pointer is used in place of a number."
    4  Call call "A call leads elsewhere, or is of another kind."
    3  Extra extra "Arithmetic on what this instruction made."
    3  Store store "A load becomes a store."
}

/// A program with one fault. Its length in slots is the same, so that jumps still lead where they led.
pub fn mutant(seed: u64, insns: &[Insn]) -> (Fault, Vec<Insn>) {
    let mut rng = Rng::new(seed ^ 0x5eed_fa17);
    loop {
        let (fault, apply) = rng.weighted(ROWS);
        for _ in 0..40 {
            let at = rng.below(insns.len() as u32) as usize;
            if let Some(out) = fault_at(&mut rng, insns, at, fault, apply) {
                return (fault, out);
            }
        }
    }
}

fn fault_at(rng: &mut Rng, insns: &[Insn], at: usize, fault: Fault, apply: Apply) -> Option<Vec<Insn>> {
    let mut out = insns.to_vec();
    if fault == Fault::Swap {
        let next = *insns.get(at + 1)?;
        let pinned = |i: &Insn| i.jump_off().is_some() || matches!(i, Insn::Call(_) | Insn::Exit) || i.slots() > 1;
        if pinned(&insns[at]) || pinned(&next) || insns[at] == next {
            return None;
        }
        out.swap(at, at + 1);
        return Some(out);
    }
    let new = apply(rng, insns[at])?;
    if new == insns[at] {
        return None;
    }
    let slots = insns[at].slots();
    let nothing = Insn::Jump { off: 0 };
    out.splice(at..=at, std::iter::once(new).chain((new.slots()..slots).map(|_| nothing)));
    Some(out)
}

fn reg(rng: &mut Rng) -> Reg {
    rng.pick(&Reg::ALL[..10])
}

fn drop(_: &mut Rng, insn: Insn) -> Option<Insn> {
    (!matches!(insn, Insn::Jump { .. } | Insn::JumpIf { .. } | Insn::Exit)).then_some(Insn::Jump { off: 0 })
}

fn drop_check(_: &mut Rng, insn: Insn) -> Option<Insn> {
    matches!(insn, Insn::JumpIf { .. }).then_some(Insn::Jump { off: 0 })
}

fn always_jump(_: &mut Rng, insn: Insn) -> Option<Insn> {
    match insn {
        Insn::JumpIf { off, .. } => Some(Insn::Jump { off }),
        _ => None,
    }
}

fn exit(_: &mut Rng, insn: Insn) -> Option<Insn> {
    (insn.slots() == 1 && insn.jump_off().is_none()).then_some(Insn::Exit)
}

fn swap(_: &mut Rng, _: Insn) -> Option<Insn> {
    None
}

fn dst(rng: &mut Rng, insn: Insn) -> Option<Insn> {
    let new = reg(rng);
    Some(match insn {
        Insn::Alu { op, width, src, .. } => Insn::Alu { op, width, dst: new, src },
        Insn::Load { size, base, off, .. } => Insn::Load { size, dst: new, base, off },
        Insn::Store { size, off, src, .. } => Insn::Store { size, base: new, off, src },
        Insn::JumpIf { cond, width, src, off, .. } => Insn::JumpIf { cond, width, dst: new, src, off },
        Insn::Atomic { op, width, off, src, .. } => Insn::Atomic { op, width, base: new, off, src },
        Insn::LoadPseudo { value, .. } => Insn::LoadPseudo { dst: new, value },
        _ => return None,
    })
}

fn src(rng: &mut Rng, insn: Insn) -> Option<Insn> {
    let new = reg(rng);
    Some(match insn {
        Insn::Alu { op, width, dst, src: Operand::Reg(_) } => Insn::Alu { op, width, dst, src: Operand::Reg(new) },
        Insn::Load { size, dst, off, .. } => Insn::Load { size, dst, base: new, off },
        Insn::Store { size, base, off, src: Operand::Reg(_) } => {
            Insn::Store { size, base, off, src: Operand::Reg(new) }
        }
        Insn::JumpIf { cond, width, dst, src: Operand::Reg(_), off } => {
            Insn::JumpIf { cond, width, dst, src: Operand::Reg(new), off }
        }
        Insn::Atomic { op, width, base, off, .. } => Insn::Atomic { op, width, base, off, src: new },
        Insn::LdInd { size, imm, .. } => Insn::LdInd { size, src: new, imm },
        _ => return None,
    })
}

fn off(rng: &mut Rng, insn: Insn) -> Option<Insn> {
    let by = rng.pick(&[-1, 1, 2, 4, -4, 8, -8, 16, -16, 32, 64, -64, 256, -512, 4096]);
    let moved = |off: i16| off.wrapping_add(by);
    Some(match insn {
        Insn::Load { size, dst, base, off } => Insn::Load { size, dst, base, off: moved(off) },
        Insn::LoadSx { size, dst, base, off } => Insn::LoadSx { size, dst, base, off: moved(off) },
        Insn::Store { size, base, off, src } => Insn::Store { size, base, off: moved(off), src },
        Insn::Atomic { op, width, base, off, src } => Insn::Atomic { op, width, base, off: moved(off), src },
        Insn::LoadPseudo { dst, value: Pseudo::MapValue { fd, off } } => {
            Insn::LoadPseudo { dst, value: Pseudo::MapValue { fd, off: off + i32::from(by) } }
        }
        _ => return None,
    })
}

fn size(rng: &mut Rng, insn: Insn) -> Option<Insn> {
    let new = rng.pick(&MemSize::ALL);
    Some(match insn {
        Insn::Load { dst, base, off, .. } => Insn::Load { size: new, dst, base, off },
        Insn::Store { base, off, src, .. } => Insn::Store { size: new, base, off, src },
        _ => return None,
    })
}

fn near(rng: &mut Rng, imm: i32) -> i32 {
    match rng.below(8) {
        0 => imm.wrapping_add(1),
        1 => imm.wrapping_sub(1),
        2 => imm.wrapping_neg(),
        3 => imm.wrapping_mul(2),
        4 => imm.wrapping_add(8),
        5 => 0,
        6 => imm / 2,
        _ => rng.imm(),
    }
}

fn imm(rng: &mut Rng, insn: Insn) -> Option<Insn> {
    Some(match insn {
        Insn::Alu { op, width, dst, src: Operand::Imm(imm) } => {
            Insn::Alu { op, width, dst, src: Operand::Imm(near(rng, imm)) }
        }
        Insn::JumpIf { cond, width, dst, src: Operand::Imm(imm), off } => {
            Insn::JumpIf { cond, width, dst, src: Operand::Imm(near(rng, imm)), off }
        }
        Insn::Store { size, base, off, src: Operand::Imm(imm) } => {
            Insn::Store { size, base, off, src: Operand::Imm(near(rng, imm)) }
        }
        Insn::LdAbs { size, imm } => Insn::LdAbs { size, imm: near(rng, imm) },
        Insn::LoadImm64 { dst, .. } => Insn::LoadImm64 { dst, value: rng.imm64() },
        _ => return None,
    })
}

fn cond(rng: &mut Rng, insn: Insn) -> Option<Insn> {
    match insn {
        Insn::JumpIf { width, dst, src, off, .. } => {
            let cond = Cond::ROWS[rng.below(11) as usize].cond;
            Some(Insn::JumpIf { cond, width, dst, src, off })
        }
        _ => None,
    }
}

fn width(_: &mut Rng, insn: Insn) -> Option<Insn> {
    let other = |width| if width == Width::W64 { Width::W32 } else { Width::W64 };
    Some(match insn {
        Insn::Alu { op, width, dst, src } => Insn::Alu { op, width: other(width), dst, src },
        Insn::JumpIf { cond, width, dst, src, off } => Insn::JumpIf { cond, width: other(width), dst, src, off },
        Insn::Atomic { op, width, base, off, src } => Insn::Atomic { op, width: other(width), base, off, src },
        _ => return None,
    })
}

fn op(rng: &mut Rng, insn: Insn) -> Option<Insn> {
    match insn {
        Insn::Alu { width, dst, src, .. } => {
            Some(Insn::Alu { op: AluOp::ROWS[rng.below(14) as usize].op, width, dst, src })
        }
        _ => None,
    }
}

fn target(rng: &mut Rng, insn: Insn) -> Option<Insn> {
    let by = rng.pick(&[-3, -2, -1, 1, 2, 3, 5, -6, 12, -20]);
    Some(match insn {
        Insn::Jump { off } => Insn::Jump { off: off.wrapping_add(by) },
        Insn::JumpIf { cond, width, dst, src, off } => {
            Insn::JumpIf { cond, width, dst, src, off: off.wrapping_add(by) }
        }
        _ => return None,
    })
}

fn helper(rng: &mut Rng, insn: Insn) -> Option<Insn> {
    match insn {
        Insn::Call(CallTarget::Helper(_)) => {
            let new = match rng.below(10) {
                0 => rng.below(213) as i32,
                _ => HELPERS[rng.below(HELPERS.len() as u32) as usize].id as i32,
            };
            Some(Insn::Call(CallTarget::Helper(new)))
        }
        _ => None,
    }
}

fn map(rng: &mut Rng, insn: Insn) -> Option<Insn> {
    let new = rng.below(MAPS.len() as u32) as i32;
    match insn {
        Insn::LoadPseudo { dst, value: Pseudo::MapFd(_) } => Some(match rng.below(8) {
            0 => Insn::LoadPseudo { dst, value: Pseudo::MapValue { fd: new, off: 0 } },
            1 => Insn::LoadImm64 { dst, value: rng.imm64() },
            _ => Insn::LoadPseudo { dst, value: Pseudo::MapFd(new) },
        }),
        Insn::LoadPseudo { dst, value: Pseudo::MapValue { off, .. } } => {
            Some(Insn::LoadPseudo { dst, value: Pseudo::MapValue { fd: new, off } })
        }
        _ => None,
    }
}

fn atomic(rng: &mut Rng, insn: Insn) -> Option<Insn> {
    let op = AtomicOp::ROWS[rng.below(10) as usize].op;
    Some(match insn {
        Insn::Atomic { width, base, off, src, .. } => match rng.below(4) {
            0 => Insn::Store { size: MemSize::Dw, base, off, src: Operand::Reg(src) },
            1 => Insn::LoadAcquire { size: MemSize::Dw, dst: src, base, off },
            _ => Insn::Atomic { op, width, base, off, src },
        },
        Insn::Store { base, off, src: Operand::Reg(src), .. } => Insn::Atomic { op, width: Width::W64, base, off, src },
        Insn::Load { size, dst, base, off } => Insn::LoadAcquire { size, dst, base, off },
        _ => return None,
    })
}

fn sign_extend(_: &mut Rng, insn: Insn) -> Option<Insn> {
    match insn {
        Insn::Load { size, dst, base, off } => {
            let size = oxbpf_isa::Narrow::from_size(size)?;
            Some(Insn::LoadSx { size, dst, base, off })
        }
        Insn::LoadSx { size, dst, base, off } => Some(Insn::Load { size: size.size(), dst, base, off }),
        _ => None,
    }
}

fn to_pointer(rng: &mut Rng, insn: Insn) -> Option<Insn> {
    let pointer = Operand::Reg(rng.pick(&[Reg::R10, Reg::R6, Reg::R1]));
    Some(match insn {
        Insn::Alu { op, width, dst, .. } => Insn::Alu { op, width, dst, src: pointer },
        Insn::Store { size, base, off, .. } => Insn::Store { size, base, off, src: pointer },
        Insn::JumpIf { cond, width, dst, off, .. } => Insn::JumpIf { cond, width, dst, src: pointer, off },
        _ => return None,
    })
}

fn call(rng: &mut Rng, insn: Insn) -> Option<Insn> {
    let by = rng.pick(&[-2, -1, 1, 2, 7]);
    Some(match insn {
        Insn::Call(CallTarget::Local(off)) => match rng.below(3) {
            0 => Insn::Call(CallTarget::Helper(rng.below(30) as i32)),
            _ => Insn::Call(CallTarget::Local(off + by)),
        },
        Insn::Call(CallTarget::Helper(_)) => Insn::Call(CallTarget::Local(by)),
        Insn::LoadPseudo { dst, value: Pseudo::Func(off) } => Insn::LoadPseudo { dst, value: Pseudo::Func(off + by) },
        _ => return None,
    })
}

fn extra(rng: &mut Rng, insn: Insn) -> Option<Insn> {
    match insn {
        Insn::Alu { op: AluOp::Mov, width, dst, src: Operand::Reg(src) } => {
            let op = rng.pick(&[AluOp::Add, AluOp::Sub, AluOp::Mul, AluOp::And, AluOp::Xor]);
            Some(Insn::Alu { op, width, dst, src: Operand::Reg(src) })
        }
        Insn::Load { dst, .. } => Some(Insn::Neg { width: Width::W64, dst }),
        _ => None,
    }
}

fn store(_: &mut Rng, insn: Insn) -> Option<Insn> {
    match insn {
        Insn::Load { size, dst, base, off } => Some(Insn::Store { size, base, off, src: Operand::Reg(dst) }),
        Insn::Store { size, base, off, src: Operand::Reg(src) } => Some(Insn::Load { size, dst: src, base, off }),
        _ => None,
    }
}
