//! Arithmetic and moves between registers.

use oxbpf_isa::{AluOp, EndianOp, Insn, MovSx, Operand, Width};

use crate::fun::Fun;
use crate::rng::Rng;
use crate::state::{Kind, Regs};

/// An immediate that the verifier accepts for this operator: no zero divisor, no shift by the width or more.
fn imm_for(rng: &mut Rng, op: AluOp, width: Width) -> i32 {
    match op {
        AluOp::Div | AluOp::SDiv | AluOp::Mod | AluOp::SMod => match rng.imm() {
            0 => -1,
            n => n,
        },
        AluOp::Lsh | AluOp::Rsh | AluOp::Arsh => {
            let most = width.bits() - 1;
            if rng.chance(15) { rng.pick(&[0, 1, most as i32]) } else { rng.range(0, most) as i32 }
        }
        _ => rng.imm(),
    }
}

/// Operators that lose nothing of what a register holds.
const MIXING: [AluOp; 3] = [AluOp::Add, AluOp::Sub, AluOp::Xor];

impl Fun {
    /// One to four operations.
    pub(crate) fn alu_stmt(&mut self) {
        for _ in 0..self.rng().range(1, 4) {
            let op = if self.rng().chance(40) { self.rng().pick(&MIXING) } else { self.rng().pick(&AluOp::ROWS).op };
            let width = self.rng().pick(&Width::ALL);
            let dst = self.scalar_dst();
            let src = if self.rng().chance(50) {
                Operand::Reg(self.scalar())
            } else {
                Operand::Imm(imm_for(self.rng(), op, width))
            };
            self.alu(op, width, dst, src);
        }
    }

    /// A move to a register that may hold nothing yet.
    pub(crate) fn move_stmt(&mut self) {
        let dst = self.fresh(Regs::NONE);
        let width = self.rng().pick(&Width::ALL);
        let src = if self.rng().chance(50) { Operand::Reg(self.scalar()) } else { Operand::Imm(self.rng().imm()) };
        self.alu(AluOp::Mov, width, dst, src);
        self.state.set(dst, Kind::Scalar);
    }

    pub(crate) fn imm64_stmt(&mut self) {
        let dst = self.fresh(Regs::NONE);
        let value = self.rng().imm64();
        self.push(Insn::LoadImm64 { dst, value });
        self.state.set(dst, Kind::Scalar);
    }

    pub(crate) fn endian_stmt(&mut self) {
        let op = self.rng().pick(&EndianOp::ROWS).op;
        let dst = self.scalar_dst();
        self.push(Insn::Endian { op, dst });
    }

    pub(crate) fn movsx_stmt(&mut self) {
        let op = self.rng().pick(&MovSx::ALL);
        let src = self.scalar();
        let dst = self.fresh(Regs::NONE);
        self.push(Insn::MovSx { op, dst, src });
        self.state.set(dst, Kind::Scalar);
    }

    pub(crate) fn neg_stmt(&mut self) {
        let width = self.rng().pick(&Width::ALL);
        let dst = self.scalar_dst();
        self.push(Insn::Neg { width, dst });
    }
}
