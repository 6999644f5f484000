//! Functions of the program: generated when a call needs one, called again later.

use std::mem;

use oxbpf_isa::{CallTarget, Insn, Pseudo, Reg};

use crate::fun::{Arg, Effects, Fun, Sub};
use crate::maps::{RESULT_FREE, RESULT_LEN};
use crate::rows::Topic;
use crate::state::{Kind, Owner, Regs};

/// How many calls deep a program goes at most.
pub(crate) const MAX_LEVEL: u32 = 3;

/// The frames of a chain of calls may take 512 bytes together, each rounded up to 16, and 16 more where
/// `may_goto` keeps its budget: 224 for the main function and three times 80 below stay under it.
const SUB_FRAMES: [u16; 4] = [16, 32, 48, 64];

const MAX_SUBS: usize = 6;
/// Below this, a function is not worth its call.
const MIN_COST: u32 = 80;
const MAX_COST: u32 = 600;

const ARG_REGS: [Reg; 5] = [Reg::R1, Reg::R2, Reg::R3, Reg::R4, Reg::R5];

impl Fun {
    pub(crate) fn call_stmt(&mut self) {
        let Some(index) = self.known_sub().or_else(|| self.new_sub()) else { return };
        self.call_sub(index);
    }

    fn budget(&self) -> u32 {
        self.cost_limit.saturating_sub(self.effects.cost + 10 * self.times) / self.times
    }

    /// A function that exists already and fits here.
    fn known_sub(&mut self) -> Option<usize> {
        let budget = self.budget();
        let fits = |s: &Sub| {
            s.effects.cost <= budget
                && s.depth + self.level <= MAX_LEVEL
                && (self.ctx.is_some() || !s.args.contains(&Arg::Ctx))
        };
        let known: Vec<usize> = (0..self.world.subs.len()).filter(|&i| fits(&self.world.subs[i])).collect();
        let full = self.world.subs.len() >= MAX_SUBS;
        (!known.is_empty() && (full || self.rng().chance(40))).then(|| self.world.rng.pick(&known))
    }

    fn new_sub(&mut self) -> Option<usize> {
        let limit = (self.budget() / 2).min(MAX_COST);
        if limit < MIN_COST || self.world.subs.len() >= MAX_SUBS {
            return None;
        }
        let args = self.arg_list();
        let frame = self.rng().pick(&SUB_FRAMES);
        let mut sub = Fun::new(mem::take(&mut self.world), self.level + 1, frame, limit);
        sub.enter(&args);
        sub.block(6);
        sub.finish();
        self.world = sub.world;
        self.world.subs.push(Sub { code: sub.code, args, effects: sub.effects, depth: sub.depth + 1 });
        Some(self.world.subs.len() - 1)
    }

    fn arg_list(&mut self) -> Vec<Arg> {
        let count = self.rng().below(6);
        let has_ctx = self.ctx.is_some();
        (0..count)
            .map(|_| match self.rng().below(10) {
                0..=4 => Arg::Scalar,
                5..=6 if has_ctx => Arg::Ctx,
                _ => Arg::Mem(self.rng().pick(&[8, 16, 24])),
            })
            .collect()
    }

    /// The start of a function below the main one: what its arguments are, some numbers to begin with.
    fn enter(&mut self, args: &[Arg]) {
        for (&arg, &reg) in args.iter().zip(&ARG_REGS) {
            let kind = match arg {
                Arg::Scalar => Kind::Scalar,
                Arg::Ctx => Kind::Ctx,
                Arg::Mem(len) => Kind::Mem { len, of: Owner::Argument },
            };
            self.state.set(reg, kind);
        }
        if let Some(at) = args.iter().position(|&a| a == Arg::Ctx) {
            let home = self.rng().pick(&[Reg::R6, Reg::R7, Reg::R8, Reg::R9]);
            self.settle_ctx(ARG_REGS[at], home);
        }
        for _ in 0..self.rng().below(3) {
            self.move_stmt();
        }
    }

    /// The end of a function below the main one: returns a number.
    fn finish(&mut self) {
        self.reach_end();
        if self.rng().chance(30) {
            self.checkpoint_stmt();
        }
        let result = if self.rng().chance(50) { self.mix_numbers() } else { self.scalar() };
        self.copy(Reg::R0, result);
        self.push(Insn::Exit);
    }

    /// Places the label that early ends jump to.
    pub(crate) fn reach_end(&mut self) {
        self.code.place(self.exit);
        if let Some(state) = self.at_exit.take() {
            self.state.meet(&state);
        }
    }

    fn call_sub(&mut self, index: usize) {
        let sub = &self.world.subs[index];
        let (args, effects, depth) = (sub.args.clone(), sub.effects, sub.depth);
        // All regions first: initialising them may take registers.
        let mut regions = [None; 5];
        for (region, &arg) in regions.iter_mut().zip(&args) {
            if let Arg::Mem(len) = arg {
                *region = self.region(len);
            }
        }
        for (at, &arg) in args.iter().enumerate() {
            self.pass(ARG_REGS[at], arg, regions[at]);
        }
        self.count(&Insn::Call(CallTarget::Local(0)));
        self.code.call(index + 1);
        self.called(effects, depth);
    }

    /// Puts one argument into its register. Those before it are numbers or pointers that stay valid.
    fn pass(&mut self, reg: Reg, arg: Arg, region: Option<u16>) {
        let before = ARG_REGS.iter().copied().take_while(|&r| r != reg).fold(Regs::NONE, Regs::with);
        match arg {
            Arg::Scalar => {
                let src = self.scalar_but(before);
                self.copy(reg, src);
            }
            // A function that takes the context is only called where there is one.
            Arg::Ctx => self.copy(reg, self.ctx.unwrap_or(reg)),
            Arg::Mem(len) => match region {
                Some(at) if self.rng().chance(75) => self.frame_address(reg, at),
                _ => self.pass_value(reg, len),
            },
        }
    }

    /// A pointer to the free part of the result map's value.
    fn pass_value(&mut self, reg: Reg, len: u16) {
        let room = (RESULT_LEN - RESULT_FREE - len) / 8;
        let off = RESULT_FREE + self.rng().range(0, room.into()) as u16 * 8;
        let value = Pseudo::MapValue { fd: 0, off: off.into() };
        self.load_pseudo(reg, value, Kind::Mem { len, of: Owner::Array });
        self.note(Topic::Maps);
    }

    fn called(&mut self, effects: Effects, depth: u32) {
        self.state.call();
        self.effects.cost += effects.cost * self.times;
        self.effects.packet |= effects.packet;
        self.effects.hash |= effects.hash;
        self.depth = self.depth.max(depth);
        if effects.packet {
            self.state.forget_packet();
        }
        if effects.hash {
            self.state.forget_elements();
        }
        self.note(Topic::Calls);
    }
}
