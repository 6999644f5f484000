//! Wire form to typed form and back.

use super::check::Fault;
use super::insn::{Insn, M, SockFilter};
use super::ops::{AluOp, Cond, Operand};
use crate::ops::Narrow;
use crate::raw::{class, mode};

/// Sources of arithmetic and of conditions: the constant or the index register.
const X: u16 = 0x08;
const LEN: u16 = 0x80;
const MSH: u16 = 0xa0;
const NEG: u16 = 0x80;
const TAX: u16 = 0x07;
const TXA: u16 = 0x87;
const RET: u16 = 0x06;
const RET_X: u16 = 0x0e;
const RET_A: u16 = 0x16;

const LD: u16 = class::LD as u16;
const LDX: u16 = class::LDX as u16;
const ST: u16 = class::ST as u16;
const STX: u16 = class::STX as u16;
const ALU: u16 = class::ALU as u16;
const JMP: u16 = class::JMP as u16;
const ABS: u16 = mode::ABS as u16;
const IND: u16 = mode::IND as u16;
const MEM: u16 = mode::MEM as u16;

impl SockFilter {
    /// The typed instruction. What an instruction does not use (`jt` and `jf` of all but conditions, `k` of some) is
    /// not looked at, as in the kernel; [`Insn::encode`] has zero there.
    ///
    /// Fails where the opcode is unknown or the index of scratch memory is over 15.
    pub fn decode(self) -> Result<Insn, Fault> {
        let SockFilter { code, k, .. } = self;
        let unknown = Fault::Opcode { code };
        if code > 0xff {
            return Err(unknown);
        }
        let m = || M::new(k).ok_or(Fault::Scratch { k });
        Ok(match code & 7 {
            LD => match (code & 0xe0, size(code)) {
                (0, Some(Narrow::W)) => Insn::LdImm(k),
                (LEN, Some(Narrow::W)) => Insn::LdLen,
                (MEM, Some(Narrow::W)) => Insn::LdMem(m()?),
                (ABS, Some(size)) => Insn::ld_abs(size, k),
                (IND, Some(size)) => Insn::LdInd { size, k },
                _ => return Err(unknown),
            },
            LDX => match (code & 0xe0, size(code)) {
                (0, Some(Narrow::W)) => Insn::LdxImm(k),
                (LEN, Some(Narrow::W)) => Insn::LdxLen,
                (MEM, Some(Narrow::W)) => Insn::LdxMem(m()?),
                (MSH, Some(Narrow::B)) => Insn::LdxMsh(k),
                _ => return Err(unknown),
            },
            ST if code == ST => Insn::St(m()?),
            STX if code == STX => Insn::Stx(m()?),
            ALU if code == ALU | NEG => Insn::Neg,
            ALU => {
                let row = AluOp::ROWS.iter().find(|r| r.code == code & 0xf0).ok_or(unknown)?;
                Insn::Alu { op: row.op, src: self.operand() }
            }
            JMP if code == JMP => Insn::Ja(k),
            JMP => {
                let row = Cond::ROWS.iter().find(|r| r.code == code & 0xf0).ok_or(unknown)?;
                Insn::JumpIf { cond: row.cond, src: self.operand(), jt: self.jt, jf: self.jf }
            }
            _ => match code {
                RET => Insn::RetK(k),
                RET_A => Insn::RetA,
                RET_X => Insn::RetX,
                TAX => Insn::Tax,
                TXA => Insn::Txa,
                _ => return Err(unknown),
            },
        })
    }

    fn operand(self) -> Operand {
        if self.code & X == 0 { Operand::K(self.k) } else { Operand::X }
    }
}

impl Insn {
    /// The wire form, with zero in the fields that the instruction does not use.
    pub const fn encode(&self) -> SockFilter {
        let stmt = SockFilter::stmt;
        match *self {
            Insn::LdImm(k) => stmt(LD, k),
            Insn::LdLen => stmt(LD | LEN, 0),
            Insn::LdMem(m) => stmt(LD | MEM, m.index() as u32),
            Insn::LdAbs { size, k } => stmt(LD | ABS | size_code(size), k.k()),
            Insn::LdInd { size, k } => stmt(LD | IND | size_code(size), k),
            Insn::LdExt { size, ext } => stmt(LD | ABS | size_code(size), ext.k()),
            Insn::LdxImm(k) => stmt(LDX, k),
            Insn::LdxLen => stmt(LDX | LEN, 0),
            Insn::LdxMem(m) => stmt(LDX | MEM, m.index() as u32),
            Insn::LdxMsh(k) => stmt(LDX | MSH | size_code(Narrow::B), k),
            Insn::St(m) => stmt(ST, m.index() as u32),
            Insn::Stx(m) => stmt(STX, m.index() as u32),
            Insn::Alu { op, src: Operand::K(k) } => stmt(ALU | op.row().code, k),
            Insn::Alu { op, src: Operand::X } => stmt(ALU | op.row().code | X, 0),
            Insn::Neg => stmt(ALU | NEG, 0),
            Insn::Ja(k) => stmt(JMP, k),
            Insn::JumpIf { cond, src: Operand::K(k), jt, jf } => SockFilter { code: JMP | cond.row().code, jt, jf, k },
            Insn::JumpIf { cond, src: Operand::X, jt, jf } => {
                SockFilter { code: JMP | cond.row().code | X, jt, jf, k: 0 }
            }
            Insn::RetK(k) => stmt(RET, k),
            Insn::RetA => stmt(RET_A, 0),
            Insn::RetX => stmt(RET_X, 0),
            Insn::Tax => stmt(TAX, 0),
            Insn::Txa => stmt(TXA, 0),
        }
    }
}

fn size(code: u16) -> Option<Narrow> {
    [Narrow::B, Narrow::H, Narrow::W].into_iter().find(|&s| size_code(s) == code & 0x18)
}

const fn size_code(size: Narrow) -> u16 {
    size.size().code() as u16
}
