//! Remembered states: when one is made, when one ends a path, when one is given up.

use crate::code::Code;
use crate::equal::{Likeness, frame_insn};
use crate::explore::Explorer;
use crate::path::{Node, NodeId, Path};
use crate::reg::{Kind, Reg};
use crate::report::{Checked, Fault};
use crate::state::{Byte, StackSlot, State};

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
        let bucket = self.bucket();
        let list = std::mem::take(&mut self.remembered[bucket]);
        let result = self.search(&list, bucket, force, &mut add, jumps, processed);
        if let Search::Found = result? {
            return Ok(true);
        }
        if add {
            self.remember(bucket);
        }
        Ok(false)
    }

    /// Goes through the remembered states, newest first.
    fn search(
        &mut self,
        list: &[NodeId],
        bucket: usize,
        force: bool,
        add: &mut bool,
        jumps: u32,
        processed: u32,
    ) -> Checked<Search> {
        let mut kept = list.to_vec();
        for id in list {
            self.clean_if_done(*id);
        }
        let mut found = Search::Missed;
        let mut count = 0;
        for id in list.iter().rev().copied() {
            count += 1;
            if self.nodes.get(id).insn != self.insn {
                continue;
            }
            match self.compare(id, force, add, jumps, processed)? {
                Search::Found => {
                    found = Search::Found;
                    break;
                }
                Search::Missed => self.missed(id, *add, &mut kept),
            }
        }
        if let Search::Missed = found {
            self.stats.max_states_per_insn = self.stats.max_states_per_insn.max(count);
        }
        self.remembered[bucket] = kept;
        Ok(found)
    }

    fn compare(&mut self, id: NodeId, force: bool, add: &mut bool, jumps: u32, processed: u32) -> Checked<Search> {
        let insn = self.insn;
        let point = self.shape.points[insn as usize];
        if self.nodes.get(id).branches > 0 {
            let old = self.take_state(id);
            let found = self.compare_open(&old, point.calls_back, point.checkpoint && !point.calls_back);
            self.put_state(id, old);
            match found? {
                // What calls back is found equal without a mark on its loop.
                Open::Loop => return self.hit(id, !point.calls_back).map(|()| Search::Found),
                Open::Differs => {
                    if !force && jumps < 20 && processed < 100 {
                        *add = false;
                    }
                    return Ok(Search::Missed);
                }
            }
        }
        let loops = self.loops.has_backedges(&self.shape, &self.nodes.get(id).path.state, insn);
        let likeness = if loops { Likeness::Within } else { Likeness::Safe };
        let old = self.take_state(id);
        let alike = self.alike(&old, insn, likeness);
        self.put_state(id, old);
        if alike {
            self.hit(id, loops)?;
            return Ok(Search::Found);
        }
        Ok(Search::Missed)
    }

    fn take_state(&mut self, id: NodeId) -> State {
        let empty = State { frames: Vec::new(), refs: Vec::new(), may_goto_depth: 0, callback_unroll_depth: 0 };
        std::mem::replace(&mut self.nodes.get_mut(id).path.state, empty)
    }

    fn put_state(&mut self, id: NodeId, state: State) {
        self.nodes.get_mut(id).path.state = state;
    }

    /// A state on the way here: a loop that makes progress, or one that does not.
    fn compare_open(&mut self, old: &State, calls_back: bool, may_goto: bool) -> Checked<Open> {
        let insn = self.insn;
        if calls_back {
            return Ok(if self.alike(old, insn, Likeness::Within) { Open::Loop } else { Open::Differs });
        }
        let cur = &self.cur.state;
        let (goto, unroll) = (cur.may_goto_depth, cur.callback_unroll_depth);
        if may_goto && old.may_goto_depth != goto && self.alike(old, insn, Likeness::Within) {
            return Ok(Open::Loop);
        }
        let stuck = same_registers(old, &self.cur.state)
            && old.may_goto_depth == goto
            && old.callback_unroll_depth == unroll
            && self.alike(old, insn, Likeness::Same);
        if stuck {
            let text = format!("infinite loop detected at insn {}", self.slot(insn));
            return Err(Fault::new(Code::InfiniteLoop, text));
        }
        Ok(Open::Differs)
    }

    /// The path ends here: what the older state's safety rested on, this path's rests on too.
    fn hit(&mut self, id: NodeId, loops: bool) -> Checked {
        self.nodes.get_mut(id).hits += 1;
        if self.shape.points[self.insn as usize].joined {
            self.step();
        }
        self.adopt_precision(id, None)?;
        if loops {
            let path = self.cur.clone();
            self.loops.add_backedge(&self.shape, id, path, self.insn);
        }
        Ok(())
    }

    fn missed(&mut self, id: NodeId, add: bool, kept: &mut Vec<NodeId>) {
        let checkpoint = self.shape.points[self.insn as usize].checkpoint;
        let node = self.nodes.get_mut(id);
        if add {
            node.misses += 1;
        }
        let patience = if checkpoint && node.branches > 0 { 64 } else { 3 };
        if node.misses > node.hits * patience + patience {
            node.listed = false;
            kept.retain(|k| *k != id);
            self.forget_unlisted(id);
        }
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
            path: Path { history: std::mem::take(&mut self.cur.history), ..self.cur.clone_without_history() },
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
        let same_callers = node.path.state.frames.len() == self.cur.state.frames.len()
            && node.path.state.frames.iter().zip(&self.cur.state.frames).all(|(a, b)| a.callsite == b.callsite);
        if !same_callers || self.loops.has_backedges(&self.shape, &node.path.state, node.insn) {
            return;
        }
        let mut state = self.take_state(id);
        let alive = self.stack_live.query(&self.shape, &state, self.insn);
        let at: Vec<_> = (0..state.frames.len()).map(|f| frame_insn(&state, f, self.insn)).collect();
        for ((frame, insn), alive) in state.frames.iter_mut().zip(at).zip(alive) {
            let live = self.live[insn as usize];
            for (i, reg) in frame.regs[..10].iter_mut().enumerate() {
                if live & (1 << i) == 0 {
                    *reg = Reg::NOT_INIT;
                }
            }
            for (spi, slot) in frame.stack.iter_mut().enumerate() {
                if alive & (1 << spi) == 0 {
                    *slot = StackSlot { bytes: [Byte::Invalid; 8], spill: Reg::NOT_INIT };
                }
            }
        }
        self.put_state(id, state);
        self.nodes.get_mut(id).cleaned = true;
    }

    /// The last visit of the instruction at hand on this path, before a given state.
    pub(crate) fn earlier_visit(&self, except: Option<NodeId>) -> Option<NodeId> {
        let callers = &self.cur.state.frames;
        self.remembered[self.bucket()].iter().rev().copied().find(|id| {
            let node = self.nodes.get(*id);
            Some(*id) != except
                && node.insn == self.insn
                && node.branches > 0
                && node.path.state.frames.len() == callers.len()
                && node.path.state.frames.iter().zip(callers).all(|(a, b)| a.callsite == b.callsite)
        })
    }

    /// Numbers that changed since an earlier visit, and on which nothing rested, are taken as unknown.
    pub(crate) fn widen(&mut self, earlier: NodeId, state: &mut State) {
        let old = &self.nodes.get(earlier).path.state;
        let widen = |old: &Reg, new: &mut Reg| {
            let same = old.num == new.num && (old.id == 0) == (new.id == 0) && old.linked == new.linked;
            if old.is_scalar() && new.is_scalar() && !old.precise && !new.precise && !same {
                *new = Reg::UNKNOWN;
            }
        };
        for (o, n) in old.frames.iter().zip(&mut state.frames) {
            o.regs[..10].iter().zip(&mut n.regs[..10]).for_each(|(o, n)| widen(o, n));
            for (o, n) in o.stack.iter().zip(&mut n.stack) {
                if o.is_spill() && n.is_spill() {
                    widen(&o.spill, &mut n.spill);
                }
            }
        }
    }
}

impl Path {
    fn clone_without_history(&self) -> Path {
        Path { state: self.state.clone(), parent: self.parent, first: self.first, last: self.last, history: Vec::new() }
    }
}

enum Search {
    Found,
    Missed,
}

enum Open {
    Loop,
    Differs,
}

/// Whether the innermost registers are the same to the bit: only then is a loop suspected.
fn same_registers(old: &State, new: &State) -> bool {
    old.frames.len() == new.frames.len()
        && old.frame().regs.iter().zip(&new.frame().regs).all(|(o, n)| {
            o.kind == n.kind
                && (o.kind == Kind::NotInit || Reg { precise: false, ..*o } == Reg { precise: false, ..*n })
        })
}
