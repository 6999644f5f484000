//! Remembered states: when one is made, when one ends a path, when one is given up.

use crate::code::Code;
use crate::equal::{Likeness, frame_insn};
use crate::explore::Explorer;
use crate::path::{Node, NodeId, Path};
use crate::reg::{Kind, Reg};
use crate::report::{Checked, Fault};
use crate::state::{StackSlot, State};

/// Steps that may go by before a state is remembered in any case.
const LONG_HISTORY: usize = 40;

impl Explorer<'_> {
    /// Where states that may be compared with this one are kept.
    fn bucket(&self) -> usize {
        let callsite = match self.cur.state.frame().callsite {
            u32::MAX => u32::MAX,
            insn => self.slot(insn),
        };
        (self.slot(self.insn) ^ callsite) as usize % self.remembered.len()
    }

    /// Whether what is known here was found safe before; if not, it is remembered now and then.
    pub(crate) fn seen_before(&mut self) -> Checked<bool> {
        let point = self.shape.points[self.insn as usize];
        let force = point.checkpoint || self.cur.history.len() > LONG_HISTORY;
        let (jumps, processed) = (self.jumps - self.last_jumps, self.stats.processed - self.last_processed);
        let mut add = force || (jumps >= 2 && processed >= 8);
        // Of a loop's rounds only some are remembered.
        let recent = !force && jumps < 20 && processed < 100;
        let bucket = self.bucket();
        let mut list = std::mem::take(&mut self.remembered[bucket]);
        let found = self.search(&mut list, recent, &mut add)?;
        self.remembered[bucket] = list;
        if !found && add {
            self.remember(bucket);
        }
        Ok(found)
    }

    /// Goes through the remembered states, newest first; those that were of no use for long are given up.
    fn search(&mut self, list: &mut Vec<NodeId>, recent: bool, add: &mut bool) -> Checked<bool> {
        list.iter().for_each(|id| self.clean_if_done(*id));
        let count = list.len() as u32;
        for at in (0..list.len()).rev() {
            let id = list[at];
            if self.nodes.get(id).insn != self.insn {
                continue;
            }
            if self.compare(id, recent, add)? {
                return Ok(true);
            }
            if self.missed(id, *add) {
                list.remove(at);
            }
        }
        self.stats.max_states_per_insn = self.stats.max_states_per_insn.max(count);
        Ok(false)
    }

    /// Whether what is known here was found safe from this state on.
    fn compare(&mut self, id: NodeId, recent: bool, add: &mut bool) -> Checked<bool> {
        if self.nodes.get(id).branches > 0 {
            if self.goes_round(id)? {
                // What calls back is found equal without a mark on its loop.
                let marked = !self.shape.points[self.insn as usize].calls_back;
                self.hit(id, marked);
                return Ok(true);
            }
            *add &= !recent;
            return Ok(false);
        }
        let loops = self.loops.has_backedges(&self.shape, &self.nodes.get(id).path.state, self.insn);
        let likeness = if loops { Likeness::Within } else { Likeness::Safe };
        let alike = self.alike(id, likeness);
        if alike {
            self.hit(id, loops);
        }
        Ok(alike)
    }

    /// Whether a state on the way here is met again in a loop that may be left for that; fails where the loop makes no
    /// progress.
    fn goes_round(&mut self, id: NodeId) -> Checked<bool> {
        let point = self.shape.points[self.insn as usize];
        if point.calls_back {
            return Ok(self.alike(id, Likeness::Within));
        }
        let (old, new) = (&self.nodes.get(id).path.state, &self.cur.state);
        let same_goto = old.may_goto_depth == new.may_goto_depth;
        let suspect = same_goto && old.callback_unroll_depth == new.callback_unroll_depth && same_registers(old, new);
        if point.checkpoint && !same_goto && self.alike(id, Likeness::Within) {
            return Ok(true);
        }
        if suspect && self.alike(id, Likeness::Same) {
            let text = format!("infinite loop detected at insn {}", self.slot(self.insn));
            return Err(Fault::new(Code::InfiniteLoop, text));
        }
        Ok(false)
    }

    /// The path ends here: what the older state's safety rested on, this path's rests on too.
    fn hit(&mut self, id: NodeId, loops: bool) {
        self.nodes.get_mut(id).hits += 1;
        if self.shape.points[self.insn as usize].joined {
            self.step();
        }
        self.adopt_precision(id, None);
        if loops {
            let path = self.cur.clone();
            self.loops.add_backedge(&self.shape, id, path, self.insn);
        }
    }

    /// Counts that a state was of no use; true where it is given up.
    fn missed(&mut self, id: NodeId, add: bool) -> bool {
        let checkpoint = self.shape.points[self.insn as usize].checkpoint;
        let node = self.nodes.get_mut(id);
        if add {
            node.misses += 1;
        }
        let patience = if checkpoint && node.branches > 0 { 64 } else { 3 };
        let useless = node.misses > node.hits * patience + patience;
        if useless {
            node.listed = false;
            self.forget_unlisted(id);
        }
        useless
    }

    /// Drops a state that nothing will look at again.
    pub(crate) fn forget_unlisted(&mut self, id: NodeId) {
        let node = self.nodes.get(id);
        if !node.listed && node.branches == 0 && !self.loops.has_backedges(&self.shape, &node.path.state, node.insn) {
            self.nodes.remove(id);
        }
    }

    fn remember(&mut self, bucket: usize) {
        self.stats.total_states += 1;
        (self.last_jumps, self.last_processed) = (self.jumps, self.stats.processed);
        if self.options.caps.bpf {
            self.cur.state.each_reg_mut(|reg| reg.precise = false);
        }
        let node = Node {
            path: Path { history: std::mem::take(&mut self.cur.history), ..self.cur.clone() },
            insn: self.insn,
            branches: 1,
            hits: 0,
            misses: 0,
            cleaned: false,
            listed: true,
        };
        let id = self.nodes.add(node);
        self.stats.peak_states = self.stats.peak_states.max(self.nodes.count());
        self.loops.enter(&self.shape, id, &self.cur.state, self.insn);
        self.remembered[bucket].push(id);
        self.cur.parent = Some(id);
        self.cur.first = self.insn;
        // The step that led here is the older state's; a comparison at this instruction starts afresh.
        self.stepped = false;
    }

    /// Forgets what is not read any more in a state whose paths have all ended.
    fn clean_if_done(&mut self, id: NodeId) {
        let node = self.nodes.get(id);
        if node.branches > 0 || node.cleaned || node.insn != self.insn {
            return;
        }
        let state = &node.path.state;
        if !state.same_callers(&self.cur.state) || self.loops.has_backedges(&self.shape, state, node.insn) {
            return;
        }
        let alive = self.stack_live.query(&self.shape, state, self.insn);
        let node = self.nodes.get_mut(id);
        let state = &mut node.path.state;
        let at: Vec<_> = (0..state.frames.len()).map(|f| frame_insn(state, f, self.insn)).collect();
        for ((frame, insn), alive) in state.frames.iter_mut().zip(at).zip(alive) {
            let live = self.live[insn as usize];
            for (i, reg) in frame.regs[..10].iter_mut().enumerate() {
                if live & (1 << i) == 0 {
                    *reg = Reg::NOT_INIT;
                }
            }
            for (spi, slot) in frame.stack.iter_mut().enumerate() {
                if alive & (1 << spi) == 0 {
                    *slot = StackSlot::EMPTY;
                }
            }
        }
        node.cleaned = true;
    }

    /// The last visit of the instruction at hand on this path, before a given state.
    pub(crate) fn earlier_visit(&self, except: Option<NodeId>) -> Option<NodeId> {
        self.remembered[self.bucket()].iter().rev().copied().find(|id| {
            let node = self.nodes.get(*id);
            Some(*id) != except
                && node.insn == self.insn
                && node.branches > 0
                && node.path.state.same_callers(&self.cur.state)
        })
    }
}

/// Numbers that changed since an earlier visit, and on which nothing rested, are taken as unknown.
pub(crate) fn widen(old: &State, new: &mut State) {
    let widen = |old: &Reg, new: &mut Reg| {
        let same = old.num == new.num && (old.id == 0) == (new.id == 0) && old.linked == new.linked;
        if old.is_scalar() && new.is_scalar() && !old.precise && !new.precise && !same {
            *new = Reg::UNKNOWN;
        }
    };
    for (o, n) in old.frames.iter().zip(&mut new.frames) {
        o.regs[..10].iter().zip(&mut n.regs[..10]).for_each(|(o, n)| widen(o, n));
        for (o, n) in o.stack.iter().zip(&mut n.stack) {
            if o.is_spill() && n.is_spill() {
                widen(&o.spill, &mut n.spill);
            }
        }
    }
}

/// Whether the innermost registers are the same to the bit: only then is a loop suspected.
fn same_registers(old: &State, new: &State) -> bool {
    old.frames.len() == new.frames.len()
        && old.frame().regs.iter().zip(&new.frame().regs).all(|(o, n)| {
            o.kind == n.kind
                && (o.kind == Kind::NotInit || Reg { precise: false, ..*o } == Reg { precise: false, ..*n })
        })
}
