//! A sample of each kind of instruction, for listings and tests of listings.

use super::{Form, Kind, PseudoKind};
use crate::insn::{CallTarget, Insn, Operand, Pseudo};
use crate::raw::Reg;

impl Kind {
    /// An instruction of this kind with r1 as destination, r2 as source, and 8 as offset or immediate.
    pub const fn sample(self, form: Form) -> Insn {
        let (dst, reg) = (Reg::R1, Reg::R2);
        let (off, imm) = (8, 8);
        let src = match form {
            Form::Reg => Operand::Reg(reg),
            Form::Imm => Operand::Imm(imm),
        };
        match self {
            Kind::Alu(op, width) => Insn::Alu { op, width, dst, src },
            Kind::Neg(width) => Insn::Neg { width, dst },
            Kind::MovSx(op) => Insn::MovSx { op, dst, src: reg },
            Kind::Endian(op) => Insn::Endian { op, dst },
            Kind::AddrSpaceCast => Insn::AddrSpaceCast { dst, src: reg, to: 0, from: 1 },
            Kind::LoadImm64 => Insn::LoadImm64 { dst, value: 0x1122_3344_5566_7788 },
            Kind::LoadPseudo(pseudo) => Insn::LoadPseudo { dst, value: pseudo.sample() },
            Kind::Load(size) => Insn::Load { size, dst, base: reg, off },
            Kind::LoadSx(size) => Insn::LoadSx { size, dst, base: reg, off },
            Kind::Store(size) => Insn::Store { size, base: dst, off, src },
            Kind::Atomic(op, width) => Insn::Atomic { op, width, base: dst, off, src: reg },
            Kind::LoadAcquire(size) => Insn::LoadAcquire { size, dst, base: reg, off },
            Kind::StoreRelease(size) => Insn::StoreRelease { size, base: dst, off, src: reg },
            Kind::LdAbs(size) => Insn::LdAbs { size, imm },
            Kind::LdInd(size) => Insn::LdInd { size, src: reg, imm },
            Kind::Jump => Insn::Jump { off },
            Kind::JumpLong => Insn::JumpLong { off: 8 },
            Kind::MayGoto => Insn::MayGoto { off },
            Kind::JumpIf(cond, width) => Insn::JumpIf { cond, width, dst, src, off },
            Kind::CallHelper => Insn::Call(CallTarget::Helper(imm)),
            Kind::CallLocal => Insn::Call(CallTarget::Local(imm)),
            Kind::CallKfunc => Insn::Call(CallTarget::Kfunc { id: imm, fd_idx: 0 }),
            Kind::CallX => Insn::CallX { target: dst },
            Kind::Exit => Insn::Exit,
        }
    }
}

impl PseudoKind {
    const fn sample(self) -> Pseudo {
        match self {
            PseudoKind::MapFd => Pseudo::MapFd(8),
            PseudoKind::MapValue => Pseudo::MapValue { fd: 8, off: 16 },
            PseudoKind::BtfVar => Pseudo::BtfVar { id: 8, fd: 0 },
            PseudoKind::Func => Pseudo::Func(8),
            PseudoKind::MapIdx => Pseudo::MapIdx(8),
            PseudoKind::MapIdxValue => Pseudo::MapIdxValue { idx: 8, off: 16 },
        }
    }
}
