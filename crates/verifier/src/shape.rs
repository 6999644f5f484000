//! The program's shape: where paths part and meet, what lies on a loop, what is never reached.

use oxbpf_abi::Arg;
use oxbpf_abi::proto;
use oxbpf_ir::{InsnId, Program};
use oxbpf_isa::{CallTarget, Insn};

use crate::code::Code;
use crate::report::{Checked, Fault};

/// What is to be done when an instruction is about to be visited.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Point {
    /// What is known may equal what was known on an earlier visit.
    pub prune: bool,
    /// Control may have come from elsewhere than the instruction before.
    pub joined: bool,
    /// What is known is remembered at every visit.
    pub checkpoint: bool,
    /// The instruction calls a helper that calls back.
    pub calls_back: bool,
    /// The loop it lies on: 0 for none.
    pub scc: u32,
}

/// The shape of a program.
pub(crate) struct Shape {
    pub points: Vec<Point>,
    /// Whether there are loops that are left when what is known stops changing.
    pub open_ended: bool,
    /// The successors of each instruction inside its function.
    next: Vec<[u32; 2]>,
}

const NONE: u32 = u32::MAX;

impl Shape {
    /// The shape of a program of which every instruction can be reached.
    pub fn of(program: &Program) -> Checked<Shape> {
        let count = program.insns().len();
        let next = (0..count as u32).map(|i| successors(program, i)).collect();
        let mut shape = Shape { points: vec![Point::default(); count], open_ended: false, next };
        for i in 0..count as u32 {
            shape.mark(program, i);
        }
        shape.check_reached(program)?;
        shape.open_ended = shape.points.iter().any(|point| point.checkpoint);
        shape.find_loops();
        Ok(shape)
    }

    /// Where control may go from an instruction inside its function.
    pub fn next(&self, insn: u32) -> impl DoubleEndedIterator<Item = u32> + use<> {
        self.next[insn as usize].into_iter().filter(|n| *n != NONE)
    }

    fn mark(&mut self, program: &Program, i: u32) {
        let insn = &program.insns()[i as usize];
        let target = program.jump_target(InsnId(i)).map(|t| t.0);
        match insn {
            Insn::Jump { .. } | Insn::JumpLong { .. } => self.join(target.unwrap_or(i)),
            Insn::JumpIf { .. } | Insn::MayGoto { .. } => {
                self.points[i as usize].prune = true;
                self.points[i as usize].checkpoint |= matches!(insn, Insn::MayGoto { .. });
                self.join(target.unwrap_or(i));
            }
            Insn::Call(call) => {
                self.join_next(i, 1);
                if let Some(callee) = program.callee(InsnId(i)) {
                    self.points[i as usize].prune = true;
                    self.join(program.functions()[callee.index()].insns.start);
                }
                if calls_back(*call) {
                    self.join(i);
                    let point = &mut self.points[i as usize];
                    (point.checkpoint, point.calls_back) = (true, true);
                }
            }
            Insn::LoadPseudo { .. } if program.callee(InsnId(i)).is_some() => {
                self.points[i as usize].prune = true;
                self.join_next(i, 1);
                let callee = program.callee(InsnId(i)).expect("just seen");
                self.join(program.functions()[callee.index()].insns.start);
            }
            _ => {}
        }
    }

    fn join_next(&mut self, i: u32, distance: u32) {
        if ((i + distance) as usize) < self.points.len() {
            self.join(i + distance);
        }
    }

    fn join(&mut self, i: u32) {
        let point = &mut self.points[i as usize];
        (point.prune, point.joined) = (true, true);
    }

    fn check_reached(&self, program: &Program) -> Checked {
        let mut seen = vec![false; self.points.len()];
        let mut todo = vec![0];
        while let Some(i) = todo.pop() {
            if !std::mem::replace(&mut seen[i as usize], true) {
                todo.extend(self.next(i));
                todo.extend(program.callee(InsnId(i)).map(|f| program.functions()[f.index()].insns.start));
            }
        }
        match seen.iter().position(|seen| !seen) {
            None => Ok(()),
            Some(i) => {
                let insn = InsnId(i as u32);
                let mut fault = Fault::new(Code::Unreachable, format!("unreachable insn {}", program.slot(insn).0));
                fault.insn = Some(insn);
                Err(fault)
            }
        }
    }

    /// Numbers the loops: instructions that can reach each other, without recursion.
    fn find_loops(&mut self) {
        let count = self.points.len();
        let (mut order, mut low) = (vec![0u32; count], vec![0u32; count]);
        let (mut open, mut walk): (Vec<u32>, Vec<(u32, u8)>) = (Vec::new(), Vec::new());
        let (mut on_open, mut time, mut scc) = (vec![false; count], 0, 0);
        for root in 0..count as u32 {
            if order[root as usize] != 0 {
                continue;
            }
            walk.push((root, 0));
            while let Some((i, step)) = walk.pop() {
                let at = i as usize;
                if step == 0 {
                    time += 1;
                    (order[at], low[at]) = (time, time);
                    open.push(i);
                    on_open[at] = true;
                }
                if step > 0 {
                    let child = self.next[at][step as usize - 1];
                    if child != NONE && on_open[child as usize] {
                        low[at] = low[at].min(low[child as usize]);
                    }
                }
                if step < 2 {
                    walk.push((i, step + 1));
                    let child = self.next[at][step as usize];
                    if child != NONE && order[child as usize] == 0 {
                        walk.push((child, 0));
                    }
                    continue;
                }
                if low[at] == order[at] {
                    let from = open.iter().rposition(|o| *o == i).expect("an open instruction");
                    let alone = open.len() - from == 1;
                    if !alone || self.next[at].contains(&i) || self.points[at].calls_back {
                        scc += 1;
                        open[from..].iter().for_each(|o| self.points[*o as usize].scc = scc);
                    }
                    open.drain(from..).for_each(|o| on_open[o as usize] = false);
                }
            }
        }
    }
}

/// Whether a helper calls a function of the program while it runs.
pub(crate) fn calls_back(call: CallTarget) -> bool {
    let CallTarget::Helper(id) = call else { return false };
    u32::try_from(id).ok().and_then(proto).is_some_and(|row| row.args.contains(&Arg::Func))
}

fn successors(program: &Program, i: u32) -> [u32; 2] {
    let insn = &program.insns()[i as usize];
    let fall = if insn.falls_through() && (i as usize + 1) < program.insns().len() { i + 1 } else { NONE };
    [fall, program.jump_target(InsnId(i)).map_or(NONE, |t| t.0)]
}
