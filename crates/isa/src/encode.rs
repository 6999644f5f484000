//! Typed instruction to wire form. Total: every [`Insn`] has exactly one encoding.

use crate::insn::{CallTarget, Insn, Operand, Pseudo};
use crate::ops::Width;
use crate::raw::{RawInsn, Reg, class, mode};

/// One or two wire instructions.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Encoded {
    words: [RawInsn; 2],
    len: u8,
}

impl Encoded {
    /// The words, one or two.
    pub fn words(&self) -> &[RawInsn] {
        &self.words[..usize::from(self.len)]
    }
}

/// The wire form of a whole program.
pub fn encode_all<'a>(insns: impl IntoIterator<Item = &'a Insn>) -> Vec<RawInsn> {
    let mut out = Vec::new();
    for insn in insns {
        out.extend_from_slice(insn.encode().words());
    }
    out
}

/// Opcode bit: the operand is a register.
pub(crate) const X: u8 = 0x08;
pub(crate) const JA: u8 = 0x00;
pub(crate) const CALL: u8 = 0x80;
pub(crate) const EXIT: u8 = 0x90;
pub(crate) const JCOND: u8 = 0xe0;
pub(crate) const NEG: u8 = 0x80;
pub(crate) const MOV: u8 = 0xb0;
pub(crate) const LOAD_ACQUIRE: i32 = 0x100;
pub(crate) const STORE_RELEASE: i32 = 0x110;
/// The offset field of a move that casts between address spaces.
pub(crate) const ADDR_SPACE_CAST: i16 = 1;

const fn alu_class(width: Width) -> u8 {
    match width {
        Width::W32 => class::ALU,
        Width::W64 => class::ALU64,
    }
}

const fn word(code: u8, dst: u8, src: u8, off: i16, imm: i32) -> RawInsn {
    RawInsn { code, regs: src << 4 | dst, off, imm }
}

const fn with_operand(code: u8, dst: Reg, src: Operand, off: i16) -> RawInsn {
    match src {
        Operand::Reg(r) => word(code | X, dst.number(), r.number(), off, 0),
        Operand::Imm(imm) => word(code, dst.number(), 0, off, imm),
    }
}

impl Insn {
    /// The wire form of this instruction.
    pub const fn encode(&self) -> Encoded {
        match *self {
            Insn::LoadImm64 { dst, value } => wide(dst, 0, value as u32 as i32, (value >> 32) as u32 as i32),
            Insn::LoadPseudo { dst, value } => match value {
                Pseudo::MapFd(fd) => wide(dst, 1, fd, 0),
                Pseudo::MapValue { fd, off } => wide(dst, 2, fd, off),
                Pseudo::BtfVar { id, fd } => wide(dst, 3, id, fd),
                Pseudo::Func(off) => wide(dst, 4, off, 0),
                Pseudo::MapIdx(idx) => wide(dst, 5, idx, 0),
                Pseudo::MapIdxValue { idx, off } => wide(dst, 6, idx, off),
            },
            _ => Encoded { words: [self.encode_basic(), word(0, 0, 0, 0, 0)], len: 1 },
        }
    }

    const fn encode_basic(&self) -> RawInsn {
        match *self {
            Insn::Alu { op, width, dst, src } => with_operand(alu_class(width) | op.row().code, dst, src, op.row().off),
            Insn::Neg { width, dst } => word(alu_class(width) | NEG, dst.number(), 0, 0, 0),
            Insn::MovSx { op, dst, src } => {
                word(alu_class(op.width()) | MOV | X, dst.number(), src.number(), op.from_bits() as i16, 0)
            }
            Insn::Endian { op, dst } => word(op.row().code, dst.number(), 0, 0, op.row().bits),
            Insn::AddrSpaceCast { dst, src, to, from } => {
                let imm = ((to as u32) << 16 | from as u32) as i32;
                word(class::ALU64 | MOV | X, dst.number(), src.number(), ADDR_SPACE_CAST, imm)
            }
            Insn::Load { size, dst, base, off } => {
                word(class::LDX | mode::MEM | size.code(), dst.number(), base.number(), off, 0)
            }
            Insn::LoadSx { size, dst, base, off } => {
                word(class::LDX | mode::MEMSX | size.size().code(), dst.number(), base.number(), off, 0)
            }
            Insn::Store { size, base, off, src } => match src {
                Operand::Reg(r) => word(class::STX | mode::MEM | size.code(), base.number(), r.number(), off, 0),
                Operand::Imm(imm) => word(class::ST | mode::MEM | size.code(), base.number(), 0, off, imm),
            },
            Insn::Atomic { op, width, base, off, src } => {
                let size = match width {
                    Width::W32 => 0x00,
                    Width::W64 => 0x18,
                };
                word(class::STX | mode::ATOMIC | size, base.number(), src.number(), off, op.row().imm)
            }
            Insn::LoadAcquire { size, dst, base, off } => {
                word(class::STX | mode::ATOMIC | size.code(), dst.number(), base.number(), off, LOAD_ACQUIRE)
            }
            Insn::StoreRelease { size, base, off, src } => {
                word(class::STX | mode::ATOMIC | size.code(), base.number(), src.number(), off, STORE_RELEASE)
            }
            Insn::LdAbs { size, imm } => word(class::LD | mode::ABS | size.size().code(), 0, 0, 0, imm),
            Insn::LdInd { size, src, imm } => word(class::LD | mode::IND | size.size().code(), 0, src.number(), 0, imm),
            Insn::Jump { off } => word(class::JMP | JA, 0, 0, off, 0),
            Insn::JumpLong { off } => word(class::JMP32 | JA, 0, 0, 0, off),
            Insn::MayGoto { off } => word(class::JMP | JCOND, 0, 0, off, 0),
            Insn::JumpIf { cond, width, dst, src, off } => {
                let class = match width {
                    Width::W32 => class::JMP32,
                    Width::W64 => class::JMP,
                };
                with_operand(class | cond.row().code, dst, src, off)
            }
            Insn::Call(CallTarget::Helper(id)) => word(class::JMP | CALL, 0, 0, 0, id),
            Insn::Call(CallTarget::Local(off)) => word(class::JMP | CALL, 0, 1, 0, off),
            Insn::Call(CallTarget::Kfunc { id, fd_idx }) => word(class::JMP | CALL, 0, 2, fd_idx, id),
            Insn::CallX { target } => word(class::JMP | CALL | X, target.number(), 0, 0, 0),
            Insn::Exit => word(class::JMP | EXIT, 0, 0, 0, 0),
            // Wide instructions are encoded by `encode` itself; their first word alone is never asked for.
            Insn::LoadImm64 { .. } | Insn::LoadPseudo { .. } => word(0, 0, 0, 0, 0),
        }
    }
}

const fn wide(dst: Reg, src: u8, lo: i32, hi: i32) -> Encoded {
    Encoded { words: [word(class::LD | mode::IMM | 0x18, dst.number(), src, 0, lo), word(0, 0, 0, 0, hi)], len: 2 }
}
