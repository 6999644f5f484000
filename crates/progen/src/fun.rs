//! The function under construction: its code, what is known at its end, and the primitives that statements
//! are made of. Each primitive emits an instruction and updates the state accordingly.

use oxbpf_isa::{AluOp, Cond, Insn, MemSize, Operand, Pseudo, Reg, Width};

use crate::code::{Code, Label};
use crate::rng::Rng;
use crate::rows::{Features, Topic};
use crate::state::{Bytes, Kind, Regs, State};
use crate::{MapSpec, ProgType};

/// What all functions of a program share.
#[derive(Debug, Default)]
pub(crate) struct World {
    pub(crate) rng: Rng,
    pub(crate) prog_type: ProgType,
    /// How many bytes the program sees: a socket filter's packet starts behind the Ethernet header.
    pub(crate) packet_len: u32,
    pub(crate) maps: Vec<MapSpec>,
    pub(crate) subs: Vec<Sub>,
    /// How many checkpoints were emitted.
    pub(crate) checkpoints: u16,
    /// Slots emitted so far, in all functions.
    pub(crate) slots: u32,
    pub(crate) features: Features,
}

/// What a function takes in one argument register.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Arg {
    Scalar,
    Ctx,
    /// A pointer to this many readable and writable bytes.
    Mem(u16),
}

/// A finished function, as its callers see it.
#[derive(Debug)]
pub(crate) struct Sub {
    pub(crate) code: Code,
    pub(crate) args: Vec<Arg>,
    pub(crate) effects: Effects,
    /// How many calls deep it goes itself, at least 1.
    pub(crate) depth: u32,
}

/// What running a function costs and changes, its callees included.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Effects {
    /// Upper bound of instructions executed.
    pub(crate) cost: u32,
    /// The packet may have moved.
    pub(crate) packet: bool,
    /// An element of a hash map may have been replaced or deleted.
    pub(crate) hash: bool,
}

/// An open loop: where `break` goes, and what is known there.
#[derive(Debug)]
pub(crate) struct Loop {
    pub(crate) out: Label,
    pub(crate) at_out: Option<State>,
}

/// No statement begins once a program has this many slots; what is open then takes under 150 more.
pub(crate) const SLOT_LIMIT: u32 = 400;

/// A function under construction.
#[derive(Debug)]
pub(crate) struct Fun {
    /// Lent to this function while it is built.
    pub(crate) world: World,
    pub(crate) code: Code,
    pub(crate) state: State,
    pub(crate) effects: Effects,
    /// Bound of `effects.cost`. Every conditional jump on a path is at most one state that the kernel's
    /// verifier keeps pending, so this also keeps it far from its limit of 8,192 of them.
    pub(crate) cost_limit: u32,
    /// Product of the trip counts of the open loops.
    pub(crate) times: u32,
    pub(crate) frame: u16,
    /// Registers that statements must not write: the context's home, loop counters.
    pub(crate) pinned: Regs,
    /// Stack bytes that statements must not write.
    pub(crate) pinned_bytes: Bytes,
    pub(crate) ctx: Option<Reg>,
    pub(crate) loops: Vec<Loop>,
    /// How many branches are open.
    pub(crate) nesting: u32,
    /// How many calls above this function; 0 in the main function.
    pub(crate) level: u32,
    /// How many calls deep this function goes.
    pub(crate) depth: u32,
    pub(crate) exit: Label,
    pub(crate) at_exit: Option<State>,
}

impl Fun {
    pub(crate) fn new(world: World, level: u32, frame: u16, cost_limit: u32) -> Self {
        let mut code = Code::default();
        let exit = code.label();
        Fun {
            world,
            code,
            state: State::new(),
            effects: Effects::default(),
            cost_limit,
            times: 1,
            frame,
            pinned: Regs::NONE.with(Reg::R10),
            pinned_bytes: Bytes::default(),
            ctx: None,
            loops: Vec::new(),
            nesting: 0,
            level,
            depth: 0,
            exit,
            at_exit: None,
        }
    }

    pub(crate) fn rng(&mut self) -> &mut Rng {
        &mut self.world.rng
    }

    pub(crate) fn note(&mut self, topic: Topic) {
        self.world.features.note(topic);
    }

    /// Whether another statement may begin.
    pub(crate) fn has_room(&self) -> bool {
        self.world.slots < SLOT_LIMIT && self.effects.cost + 25 * self.times < self.cost_limit
    }

    // Instructions.

    pub(crate) fn push(&mut self, insn: Insn) {
        self.count(&insn);
        self.code.push(insn);
    }

    pub(crate) fn jump(&mut self, insn: Insn, to: Label) {
        self.count(&insn);
        self.code.jump(insn, to);
    }

    /// An unconditional jump, in one of its two forms.
    pub(crate) fn goto(&mut self, to: Label) {
        let long = self.rng().chance(30);
        self.jump(if long { Insn::JumpLong { off: 0 } } else { Insn::Jump { off: 0 } }, to);
    }

    pub(crate) fn count(&mut self, insn: &Insn) {
        self.effects.cost += self.times;
        self.world.slots += insn.slots();
    }

    pub(crate) fn alu(&mut self, op: AluOp, width: Width, dst: Reg, src: Operand) {
        self.push(Insn::Alu { op, width, dst, src });
    }

    /// `dst = src`, whatever it holds.
    pub(crate) fn copy(&mut self, dst: Reg, src: Reg) {
        if dst != src {
            self.alu(AluOp::Mov, Width::W64, dst, Operand::Reg(src));
            let kind = self.state.get(src);
            self.state.set(dst, kind);
        }
    }

    pub(crate) fn set_imm(&mut self, dst: Reg, imm: i32) {
        self.alu(AluOp::Mov, Width::W64, dst, Operand::Imm(imm));
        self.state.set(dst, Kind::Scalar);
    }

    pub(crate) fn load(&mut self, size: MemSize, dst: Reg, base: Reg, off: i16) {
        self.push(Insn::Load { size, dst, base, off });
        self.state.set(dst, Kind::Scalar);
    }

    pub(crate) fn store(&mut self, size: MemSize, base: Reg, off: i16, src: Operand) {
        self.push(Insn::Store { size, base, off, src });
    }

    pub(crate) fn load_pseudo(&mut self, dst: Reg, value: Pseudo, kind: Kind) {
        self.push(Insn::LoadPseudo { dst, value });
        self.state.set(dst, kind);
    }

    /// `dst = address of the frame's byte at`.
    pub(crate) fn frame_address(&mut self, dst: Reg, at: u16) {
        let off = self.frame_off(at);
        self.alu(AluOp::Mov, Width::W64, dst, Operand::Reg(Reg::R10));
        self.alu(AluOp::Add, Width::W64, dst, Operand::Imm(off.into()));
        self.state.set(dst, Kind::Stack { at });
    }

    /// A frame byte's distance from r10.
    pub(crate) fn frame_off(&self, at: u16) -> i16 {
        at as i16 - self.frame as i16
    }

    // Choices of registers.

    /// A register that may be written and is not in `avoid`, rather one that holds no number.
    pub(crate) fn fresh(&mut self, avoid: Regs) -> Reg {
        let closed = self.pinned.union(avoid);
        let (mut free, mut n) = ([Reg::R0; 10], 0);
        let sparing = self.rng().chance(75);
        for spare in [sparing, false] {
            let usable = |r: &Reg| !closed.has(*r) && (!spare || !self.state.is_scalar(*r));
            for reg in Reg::ALL[..10].iter().copied().filter(usable) {
                free[n] = reg;
                n += 1;
            }
            if n > 0 {
                break;
            }
        }
        debug_assert!(n > 0, "at most seven registers are ever closed");
        self.rng().pick(&free[..n.max(1)])
    }

    fn any_scalar(&mut self, closed: Regs) -> Option<Reg> {
        let (mut found, mut n) = ([Reg::R0; 10], 0);
        for reg in self.state.regs_where(|k| k == Kind::Scalar).filter(|r| !closed.has(*r)) {
            found[n] = reg;
            n += 1;
        }
        (n > 0).then(|| self.world.rng.pick(&found[..n]))
    }

    /// A register that holds a number and is not in `avoid`, to be read.
    pub(crate) fn scalar_but(&mut self, avoid: Regs) -> Reg {
        if let Some(reg) = self.any_scalar(avoid) {
            return reg;
        }
        let reg = self.fresh(avoid);
        let imm = self.rng().imm();
        self.set_imm(reg, imm);
        reg
    }

    /// A register that holds a number, to be read.
    pub(crate) fn scalar(&mut self) -> Reg {
        self.scalar_but(Regs::NONE)
    }

    /// A register that holds a number, to be changed.
    pub(crate) fn scalar_dst(&mut self) -> Reg {
        self.scalar_but(self.pinned)
    }

    /// A register holding a pointer that `want` accepts.
    pub(crate) fn pointer(&mut self, want: impl Fn(Kind) -> bool) -> Option<Reg> {
        let found: Vec<Reg> = self.state.regs_where(want).collect();
        (!found.is_empty()).then(|| self.world.rng.pick(&found))
    }

    /// Puts `some number & mask` into a register outside `avoid`.
    pub(crate) fn masked(&mut self, mask: i32, avoid: Regs) -> Reg {
        let dst = self.fresh(avoid);
        self.masked_into(dst, mask, avoid);
        dst
    }

    /// `dst = some number outside avoid, & mask`; the mask is not negative.
    pub(crate) fn masked_into(&mut self, dst: Reg, mask: i32, avoid: Regs) {
        match self.any_scalar(avoid) {
            Some(src) => self.copy(dst, src),
            None => {
                let imm = self.rng().imm();
                self.set_imm(dst, imm);
            }
        }
        let width = self.rng().pick(&Width::ALL);
        self.alu(AluOp::And, width, dst, Operand::Imm(mask));
        self.state.set(dst, Kind::Scalar);
    }

    /// A conditional jump over two numbers.
    pub(crate) fn condition(&mut self) -> Insn {
        let cond = self.rng().pick(&Cond::ROWS).cond;
        let width = self.rng().pick(&Width::ALL);
        let dst = self.scalar();
        let src = if self.rng().chance(50) { Operand::Reg(self.scalar()) } else { Operand::Imm(self.rng().imm()) };
        Insn::JumpIf { cond, width, dst, src, off: 0 }
    }

    // Control.

    /// Notes that the present state reaches the function's end.
    pub(crate) fn reaches_exit(&mut self) {
        let state = self.state.clone();
        join(&mut self.at_exit, state);
    }

    /// The part of a statement that is run under a condition.
    pub(crate) fn nested(&mut self, body: impl FnOnce(&mut Self)) {
        self.nesting += 1;
        body(self);
        self.nesting -= 1;
    }

    /// Some statements in a row.
    pub(crate) fn block(&mut self, most: u32) {
        for _ in 0..self.rng().range(1, most) {
            if !self.has_room() {
                break;
            }
            self.statement();
        }
    }
}

/// Adds a path's state to those known to reach a place.
pub(crate) fn join(place: &mut Option<State>, state: State) {
    match place {
        Some(known) => known.meet(&state),
        None => *place = Some(state),
    }
}
