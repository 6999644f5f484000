//! The main function: what it starts with; and how functions hand over their results.

use oxbpf_isa::{AluOp, Insn, MemSize, Operand, Pseudo, Reg, Width};

use crate::ProgType;
use crate::code::Code;
use crate::fun::{Fun, World};
use crate::maps::{CHECKPOINT_LEN, MAX_CHECKPOINTS, RESULT_CHECKPOINTS, RESULT_FRAME, RESULT_REGS};
use crate::state::{Kind, Owner, Regs};

/// Bound of the instructions executed on one path.
const COST_LIMIT: u32 = 2500;

const FRAMES: [u16; 5] = [32, 64, 96, 128, 208];

/// The whole main function; functions it calls are in the world that is handed back.
pub(crate) fn generate(mut world: World) -> (Code, World) {
    let frame = world.rng.pick(&FRAMES);
    let mut main = Fun::new(world, 0, frame, COST_LIMIT);
    main.begin();
    main.planned_statements();
    main.reach_end();
    main.store_results();
    (main.code, main.world)
}

impl Fun {
    fn begin(&mut self) {
        self.state.set(Reg::R1, Kind::Ctx);
        // Legacy loads want the context in r6.
        let in_r6 = self.world.prog_type == ProgType::SocketFilter || self.rng().chance(65);
        let home = if in_r6 { Reg::R6 } else { self.rng().pick(&[Reg::R7, Reg::R8, Reg::R9]) };
        self.settle_ctx(Reg::R1, home);
        for _ in 0..self.rng().range(2, 5) {
            match self.rng().below(3) {
                0 => self.imm64_stmt(),
                1 => self.ctx_read_stmt(),
                _ => self.move_stmt(),
            }
        }
    }

    /// Stores every number to the result map and returns one of them.
    fn store_results(&mut self) {
        // The context is not needed any more; its home takes the address of the results.
        let out = self.ctx.take().unwrap_or(Reg::R6);
        self.load_pseudo(out, Pseudo::MapValue { fd: 0, off: 0 }, Kind::Unknown);
        let numbers: Vec<Reg> = self.state.regs_where(|k| k == Kind::Scalar).collect();
        for reg in numbers {
            let off = RESULT_REGS + 8 * u16::from(reg.number());
            self.store(MemSize::Dw, out, off as i16, Operand::Reg(reg));
        }
        let result = self.mix_numbers();
        self.pinned = self.pinned.with(result);
        self.store_frame(out);
        self.copy(Reg::R0, result);
        self.push(Insn::Exit);
    }

    /// Copies the frame's initialised bytes, in pieces as large as possible.
    fn store_frame(&mut self, out: Reg) {
        let via = self.fresh(Regs::NONE.with(out));
        let mut at = 0;
        while at < self.frame {
            let whole = MemSize::ALL.into_iter().rev().find(|s| {
                let len = s.bytes() as u16;
                at.is_multiple_of(len) && self.state.init.all(at, len)
            });
            let Some(size) = whole else {
                at += 1;
                continue;
            };
            let off = self.frame_off(at);
            self.load(size, via, Reg::R10, off);
            self.store(size, out, (RESULT_FRAME + at) as i16, Operand::Reg(via));
            at += size.bytes() as u16;
        }
    }

    /// Stores up to eight numbers to a part of the result map of this checkpoint's own: what is lost later
    /// on, or on a path that ends early, is compared all the same.
    pub(crate) fn checkpoint_stmt(&mut self) {
        if self.world.checkpoints == MAX_CHECKPOINTS {
            return;
        }
        let off = RESULT_CHECKPOINTS + CHECKPOINT_LEN * self.world.checkpoints;
        self.world.checkpoints += 1;
        let out = self.fresh(Regs::NONE);
        let value = Pseudo::MapValue { fd: 0, off: off.into() };
        self.load_pseudo(out, value, Kind::Mem { len: CHECKPOINT_LEN, of: Owner::Array });
        let numbers = self.state.regs_where(|k| k == Kind::Scalar);
        for (at, reg) in numbers.take(usize::from(CHECKPOINT_LEN / 8)).enumerate() {
            self.store(MemSize::Dw, out, at as i16 * 8, Operand::Reg(reg));
        }
    }

    /// Folds all numbers into one register.
    pub(crate) fn mix_numbers(&mut self) -> Reg {
        let result = self.scalar_dst();
        let others = self.state.regs_where(|k| k == Kind::Scalar).filter(|&r| r != result);
        for other in others {
            let op = self.rng().pick(&[AluOp::Xor, AluOp::Add, AluOp::Sub]);
            self.alu(op, Width::W64, result, Operand::Reg(other));
        }
        result
    }
}
