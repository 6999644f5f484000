//! Precision: which numbers acceptance rests on, found by walking back along a path.

use oxbpf_abi::TAIL_CALL;
use oxbpf_ir::{FuncIdx, InsnId};
use oxbpf_isa::{AluOp, CallTarget, Insn, Operand, Reg as R};

use crate::explore::Explorer;
use crate::path::{NodeId, Path, Place, START, Step};
use crate::state::NO_CALLSITE;

const ARGS: u16 = 0b11_1110;

/// Registers and slots of stack, by frame, whose values are wanted precisely.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Wanted {
    /// The frame that the walk is in.
    frame: usize,
    regs: [u16; 8],
    slots: [u64; 8],
}

impl Wanted {
    fn is_empty(&self) -> bool {
        self.regs == [0; 8] && self.slots == [0; 8]
    }

    fn has(&self, reg: R) -> bool {
        self.regs[self.frame] & (1 << reg as u16) != 0
    }

    fn want(&mut self, reg: R) {
        if reg != R::R10 {
            self.regs[self.frame] |= 1 << reg as u16;
        }
    }

    /// Whether it was wanted; it is not any more.
    fn take(&mut self, reg: R) -> bool {
        let had = self.has(reg);
        self.regs[self.frame] &= !(1 << reg as u16);
        had
    }

    fn has_place(&self, place: Place) -> bool {
        match place {
            Place::Reg(f, r) => self.regs[f as usize] & (1 << r) != 0,
            Place::Slot(f, s) => self.slots[f as usize] & (1 << s) != 0,
        }
    }

    fn want_place(&mut self, place: Place) {
        match place {
            Place::Reg(f, r) => self.regs[f as usize] |= 1 << r,
            Place::Slot(f, s) => self.slots[f as usize] |= 1 << s,
        }
    }

    /// Where one of the values that share a name is wanted, all are.
    fn spread(&mut self, step: Option<&Step>) {
        let Some(step) = step else { return };
        if step.linked.iter().any(|place| self.has_place(place)) {
            step.linked.iter().for_each(|place| self.want_place(place));
        }
    }
}

/// The walk met something that it cannot see through.
struct Lost;

impl Explorer<'_> {
    /// Acceptance rests on the number in this register.
    pub(crate) fn mark_precise(&mut self, reg: R) {
        if !self.options.caps.bpf {
            return;
        }
        let mut wanted = Wanted { frame: self.cur.state.depth(), ..Wanted::default() };
        wanted.want(reg);
        self.walk_back(wanted, None);
    }

    /// Acceptance rests on the number in this slot of stack.
    pub(crate) fn mark_slot_precise(&mut self, frame: u8, slot: usize) {
        let mut wanted = Wanted { frame: self.cur.state.depth(), ..Wanted::default() };
        wanted.want_place(Place::Slot(frame, slot as u8));
        self.walk_back(wanted, None);
    }

    /// This path ends in a state that was found safe: what that rested on, this path rests on.
    ///
    /// Of another path than the one at hand, where one is given. Tells whether a mark was new.
    pub(crate) fn adopt_precision(&mut self, old: NodeId, path: Option<(&Path, u32)>) -> bool {
        let mut wanted = Wanted::default();
        let state = &self.nodes.get(old).path.state;
        wanted.frame = state.depth();
        for (f, frame) in state.frames.iter().enumerate() {
            for (r, reg) in frame.regs[..10].iter().enumerate() {
                if reg.is_scalar() && reg.precise {
                    wanted.regs[f] |= 1 << r;
                }
            }
            for (s, slot) in frame.stack.iter().enumerate() {
                if slot.is_spill() && slot.spill.is_scalar() && slot.spill.precise {
                    wanted.slots[f] |= 1 << s;
                }
            }
        }
        self.walk_back(wanted, path)
    }

    /// Tells whether a mark was new.
    fn walk_back(&mut self, mut wanted: Wanted, path: Option<(&Path, u32)>) -> bool {
        let mut changed = false;
        if wanted.is_empty() {
            return changed;
        }
        let (start, mut last) = match path {
            Some((path, insn)) => (path.parent, insn),
            None => (self.cur.parent, self.insn),
        };
        let mut first = path.map_or(self.cur.first, |(path, _)| path.first);
        let mut at: Option<NodeId> = None;
        let mut subsequent = START;
        let mut skip = true;
        loop {
            if last == START {
                // The start of a function that is verified on its own: its arguments are what they are.
                self.mark_arguments(at, &wanted);
                return changed;
            }
            let history = match (at, path) {
                (Some(id), _) => &self.nodes.get(id).path.history,
                (None, Some((path, _))) => &path.history,
                (None, None) => &self.cur.history,
            };
            match self.walk_segment(history, first, last, subsequent, skip, &mut wanted) {
                Err(Lost) => {
                    self.mark_all_precise(start);
                    return changed;
                }
                Ok(true) => return changed,
                Ok(false) => {}
            }
            skip = false;
            at = match at {
                None => start,
                Some(id) => self.nodes.get(id).path.parent,
            };
            let Some(id) = at else { break };
            changed |= self.mark_state(id, &mut wanted);
            if wanted.is_empty() {
                return changed;
            }
            subsequent = first;
            let path = &self.nodes.get(id).path;
            (last, first) = (path.last, path.first);
        }
        if !wanted.is_empty() {
            self.mark_all_precise(start);
        }
        changed
    }

    /// Walks back through the instructions since a remembered state; true where nothing is wanted any more.
    fn walk_segment(
        &self,
        history: &[Step],
        first: u32,
        last: u32,
        mut subsequent: u32,
        mut skip: bool,
        wanted: &mut Wanted,
    ) -> Result<bool, Lost> {
        let mut left = history.len();
        let mut i = last;
        loop {
            let step = history[..left].last().filter(|step| step.insn == i);
            if !std::mem::replace(&mut skip, false) {
                self.undo(i, subsequent, step, wanted)?;
            }
            if wanted.is_empty() {
                return Ok(true);
            }
            subsequent = i;
            if i == first && (left == 0 || (left == 1 && history[0].insn == i)) {
                return Ok(false);
            }
            match step {
                Some(step) => {
                    i = step.from;
                    left -= 1;
                }
                None if i == 0 => return Ok(false),
                None => i -= 1,
            }
            if i == START {
                return Ok(false);
            }
        }
    }

    /// What is wanted before an instruction, given what is wanted after it.
    fn undo(&self, i: u32, subsequent: u32, step: Option<&Step>, wanted: &mut Wanted) -> Result<(), Lost> {
        wanted.spread(step);
        self.undo_insn(i, subsequent, step, wanted)?;
        wanted.spread(step);
        Ok(())
    }

    fn undo_insn(&self, i: u32, subsequent: u32, step: Option<&Step>, wanted: &mut Wanted) -> Result<(), Lost> {
        match self.program.insns()[i as usize] {
            Insn::Alu { op: AluOp::Mov, dst, src, .. } => {
                if wanted.take(dst)
                    && let Operand::Reg(reg) = src
                {
                    wanted.want(reg);
                }
            }
            Insn::MovSx { dst, src, .. } | Insn::AddrSpaceCast { dst, src, .. } => {
                if wanted.take(dst) {
                    wanted.want(src);
                }
            }
            Insn::Alu { dst, src: Operand::Reg(reg), .. } => {
                if wanted.has(dst) {
                    wanted.want(reg);
                }
            }
            Insn::Alu { .. } | Insn::Neg { .. } | Insn::Endian { .. } => {}
            Insn::Load { dst, .. } | Insn::LoadSx { dst, .. } | Insn::LoadAcquire { dst, .. } => {
                if wanted.take(dst)
                    && let Some((frame, slot)) = step.and_then(|step| step.stack)
                {
                    wanted.want_place(Place::Slot(frame, slot));
                }
            }
            Insn::Store { base, src, .. } => {
                let value = match src {
                    Operand::Reg(reg) => Some(reg),
                    Operand::Imm(_) => None,
                };
                undo_store(base, value, step, wanted)?;
            }
            Insn::StoreRelease { base, src, .. } | Insn::Atomic { base, src, .. } => {
                undo_store(base, Some(src), step, wanted)?;
            }
            Insn::LoadImm64 { dst, .. } | Insn::LoadPseudo { dst, .. } => {
                wanted.take(dst);
            }
            Insn::LdAbs { .. } | Insn::LdInd { .. } => {
                if wanted.take(R::R0) {
                    return Err(Lost);
                }
            }
            Insn::Jump { .. } | Insn::JumpLong { .. } | Insn::MayGoto { .. } => {}
            Insn::JumpIf { dst, src: Operand::Reg(src), .. } => {
                if wanted.has(dst) || wanted.has(src) {
                    if step.is_none_or(|step| !step.src_stack) {
                        wanted.want(src);
                    }
                    if step.is_none_or(|step| !step.dst_stack) {
                        wanted.want(dst);
                    }
                }
            }
            Insn::JumpIf { .. } => {}
            Insn::Call(target) => self.undo_call(i, target, subsequent, wanted)?,
            Insn::CallX { .. } => return Err(Lost),
            Insn::Exit => self.undo_exit(subsequent, wanted)?,
        }
        Ok(())
    }

    fn undo_call(&self, i: u32, target: CallTarget, subsequent: u32, wanted: &mut Wanted) -> Result<(), Lost> {
        let frame = wanted.frame;
        match target {
            CallTarget::Local(_) => {
                let callee = self.program.callee(InsnId(i));
                if callee.is_some_and(|callee| self.is_global(callee)) {
                    wanted.take(R::R0);
                    return Ok(());
                }
                if wanted.regs[frame] & !ARGS != 0 || wanted.slots[frame] != 0 || frame == 0 {
                    return Err(Lost);
                }
                wanted.regs[frame - 1] |= wanted.regs[frame] & ARGS;
                wanted.regs[frame] = 0;
                wanted.frame -= 1;
            }
            _ if crate::shape::calls_back(target) && subsequent != i + 1 => {
                if wanted.regs[frame] & !ARGS != 0 || wanted.slots[frame] != 0 || frame == 0 {
                    return Err(Lost);
                }
                wanted.regs[frame] = 0;
                wanted.frame -= 1;
            }
            _ => {
                wanted.take(R::R0);
                if wanted.regs[frame] & ARGS != 0 {
                    return Err(Lost);
                }
                let tail = matches!(target, CallTarget::Helper(id) if id.cast_unsigned() == TAIL_CALL);
                if tail && subsequent != START && subsequent != i + 1 {
                    enter(wanted)?;
                }
            }
        }
        Ok(())
    }

    fn undo_exit(&self, subsequent: u32, wanted: &mut Wanted) -> Result<(), Lost> {
        if subsequent != START && self.shape.points[subsequent as usize].calls_back {
            wanted.regs[wanted.frame] &= !ARGS;
        }
        if wanted.regs[wanted.frame] & ARGS != 0 {
            return Err(Lost);
        }
        let result = wanted.take(R::R0);
        let called = subsequent != START
            && subsequent > 0
            && matches!(self.program.insns()[subsequent as usize - 1], Insn::Call(CallTarget::Local(_)));
        enter(wanted)?;
        if result && called {
            wanted.want(R::R0);
        }
        Ok(())
    }

    /// Marks what is wanted in a remembered state; what is no number there, or marked already, is wanted no longer.
    fn mark_state(&mut self, id: NodeId, wanted: &mut Wanted) -> bool {
        let mut changed = false;
        let frames = &mut self.nodes.get_mut(id).path.state.frames;
        for (f, frame) in frames.iter_mut().enumerate().take(wanted.frame + 1) {
            for r in bits(wanted.regs[f].into()) {
                let reg = &mut frame.regs[r];
                if !reg.is_scalar() || reg.precise {
                    wanted.regs[f] &= !(1 << r);
                } else {
                    reg.precise = true;
                    changed = true;
                }
            }
            for s in bits(wanted.slots[f]) {
                match frame.stack.get_mut(s).filter(|slot| slot.is_spill() && slot.spill.is_scalar()) {
                    Some(slot) if !slot.spill.precise => {
                        slot.spill.precise = true;
                        changed = true;
                    }
                    _ => wanted.slots[f] &= !(1 << s),
                }
            }
        }
        changed
    }

    fn mark_arguments(&mut self, at: Option<NodeId>, wanted: &Wanted) {
        let Some(id) = at else { return };
        let frame = &mut self.nodes.get_mut(id).path.state.frames[0];
        if frame.callsite != NO_CALLSITE || frame.func == FuncIdx(0) {
            return;
        }
        for r in bits((wanted.regs[0] & ARGS).into()) {
            frame.regs[r].precise |= frame.regs[r].is_scalar();
        }
    }

    /// The walk lost its way: every number on this path counts.
    pub(crate) fn mark_all_precise(&mut self, start: Option<NodeId>) {
        let mut at = start;
        while let Some(id) = at {
            let node = self.nodes.get_mut(id);
            node.path.state.each_reg_mut(|reg| reg.precise |= reg.is_scalar());
            at = node.path.parent;
        }
    }
}

fn enter(wanted: &mut Wanted) -> Result<(), Lost> {
    if wanted.frame + 1 >= wanted.regs.len() {
        return Err(Lost);
    }
    wanted.frame += 1;
    Ok(())
}

fn undo_store(base: R, value: Option<R>, step: Option<&Step>, wanted: &mut Wanted) -> Result<(), Lost> {
    if wanted.has(base) {
        return Err(Lost);
    }
    let Some((frame, slot)) = step.and_then(|step| step.stack) else { return Ok(()) };
    let (f, bit) = (frame as usize, 1 << slot);
    if wanted.slots[f] & bit != 0 {
        wanted.slots[f] &= !bit;
        if let Some(reg) = value {
            wanted.want(reg);
        }
    }
    Ok(())
}

/// The bits that are set.
fn bits(mut set: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let at = set.trailing_zeros();
        (set != 0).then(|| {
            set &= set - 1;
            at as usize
        })
    })
}
