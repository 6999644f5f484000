//! Comparisons: which way they go, and what is known on each side.

use oxbpf_isa::{Cond, Operand, Reg as R, Width};

use crate::code::Code;
use crate::equal::frame_insn;
use crate::explore::{Explorer, Flow};
use crate::path::{Linked, Place};
use crate::prune::widen;
use crate::reg::{AT_END, BEYOND_END, Id, Kind, MapRef, Reg, Sock};
use crate::report::{Checked, Fault};
use crate::scalar::{Link, Scalar, Test};
use crate::state::State;
use oxbpf_abi::MapType;

/// Packet offsets beyond this are not followed.
const MAX_PACKET: u64 = 0xffff;

/// The condition that holds where the operands are exchanged.
fn flipped(cond: Cond) -> Cond {
    match cond {
        Cond::Gt => Cond::Lt,
        Cond::Ge => Cond::Le,
        Cond::Lt => Cond::Gt,
        Cond::Le => Cond::Ge,
        Cond::SGt => Cond::SLt,
        Cond::SGe => Cond::SLe,
        Cond::SLt => Cond::SGt,
        Cond::SLe => Cond::SGe,
        Cond::Eq | Cond::Ne | Cond::Set => cond,
    }
}

fn packet_or_end(reg: &Reg) -> bool {
    matches!(reg.kind, Kind::Packet | Kind::PacketMeta | Kind::PacketEnd)
}

/// Whether a pointer is known not to be null, in the kernel's eyes.
fn not_null(reg: &Reg) -> bool {
    !reg.or_null
        && matches!(reg.kind, Kind::Sock(_) | Kind::MapValue(_) | Kind::MapKey(_) | Kind::Mem(_) | Kind::Map(_))
}

/// Which way a comparison goes, where that is known.
fn decide(cond: Cond, width: Width, a: &Reg, b: &Reg) -> Option<bool> {
    if packet_or_end(a) && packet_or_end(b) && width == Width::W64 {
        return decide_packet(cond, a, b);
    }
    let is_const = |reg: &Reg| {
        reg.is_scalar()
            && match width {
                Width::W64 => reg.num.as_const().is_some(),
                Width::W32 => reg.num.as_const32().is_some(),
            }
    };
    let (cond, a, b) = if is_const(b) { (cond, a, b) } else { (flipped(cond), b, a) };
    if a.is_pointer() {
        let zero = is_const(b) && if width == Width::W64 { b.is_null() } else { b.num.as_const32() == Some(0) };
        return match cond {
            Cond::Eq if zero && not_null(a) => Some(false),
            Cond::Ne if zero && not_null(a) => Some(true),
            _ => None,
        };
    }
    if b.is_pointer() {
        return None;
    }
    Scalar::decide(cond, width, &a.num, &b.num)
}

fn decide_packet(cond: Cond, a: &Reg, b: &Reg) -> Option<bool> {
    let (cond, ptr) = match (a.kind, b.kind) {
        (_, Kind::PacketEnd) => (cond, a),
        (Kind::PacketEnd, _) => (flipped(cond), b),
        _ => return None,
    };
    match cond {
        Cond::Le | Cond::Gt if ptr.range == BEYOND_END => Some(cond == Cond::Gt),
        Cond::Lt | Cond::Ge if ptr.range == BEYOND_END || ptr.range == AT_END => Some(cond == Cond::Ge),
        _ => None,
    }
}

impl Explorer<'_> {
    pub(crate) fn jump_if(&mut self, cond: Cond, width: Width, dst: R, src: Operand) -> Checked<Flow> {
        self.jumps += 1;
        let (fall, taken) = (self.insn + 1, self.target());
        let prohibited = |n: R| {
            let text = format!("R{} pointer comparison prohibited", n as u8);
            Err(Fault::new(Code::PointerComparison, text))
        };
        let a = *self.read(dst)?;
        let b = match src {
            Operand::Reg(reg) => *self.read(reg)?,
            Operand::Imm(_) => self.operand(src, Width::W64)?,
        };
        if let Operand::Reg(reg) = src
            && self.secret(&b)
            && !(packet_or_end(&a) && packet_or_end(&b))
        {
            return prohibited(reg);
        }
        let on_stack = |reg: &Reg| matches!(reg.kind, Kind::Stack(_));
        if on_stack(&a) || on_stack(&b) {
            let step = self.step();
            step.dst_stack |= on_stack(&a);
            step.src_stack |= on_stack(&b);
        }
        if let Some(holds) = decide(cond, width, &a, &b) {
            if !a.is_pointer() {
                self.mark_precise(dst);
            }
            if let (Operand::Reg(reg), false) = (src, b.is_pointer()) {
                self.mark_precise(reg);
            }
            return Ok(Flow::To(if holds { taken } else { fall }));
        }
        let src_reg = match src {
            Operand::Reg(reg) => Some(reg),
            Operand::Imm(_) => None,
        };
        let mut linked = Linked::default();
        // The second collection sees what the first one had no room for.
        for reg in src_reg.into_iter().chain([dst]) {
            let value = *self.reg(reg);
            if value.is_scalar() && value.id != 0 {
                self.collect_linked(value.id, &mut linked);
            }
        }
        if linked.len() > 1 {
            self.step().linked = linked;
        }
        self.push(taken)?;
        let (here, there) = (&mut self.cur.state, &mut self.pending.last_mut().expect("just pushed").path.state);
        if a.is_scalar() && b.is_scalar() {
            learn(there, Test::Holds(cond), width, dst, src_reg, &b);
            learn(here, Test::fails(cond), width, dst, src_reg, &b);
            for reg in src_reg.into_iter().chain([dst]) {
                if here.reg(reg).id == 0 {
                    continue;
                }
                spread(here, reg, &linked);
                spread(there, reg, &linked);
            }
        }
        if let Some(reg) = src_reg
            && width == Width::W64
            && a.is_pointer()
            && b.is_pointer()
            && a.or_null != b.or_null
        {
            let equal = match cond {
                Cond::Eq => Some(&mut *there),
                Cond::Ne => Some(&mut *here),
                _ => None,
            };
            if let Some(state) = equal {
                let which = if a.or_null { dst } else { reg };
                let known = not_null_value(self.unit, state.reg(which));
                *state.reg_mut(which) = known;
            }
        }
        let null_test = width == Width::W64 && src == Operand::Imm(0) && a.or_null;
        let done = if let (true, Cond::Eq | Cond::Ne) = (null_test, cond) {
            mark_null(self.unit, here, dst, cond == Cond::Ne);
            mark_null(self.unit, there, dst, cond == Cond::Eq);
            true
        } else {
            src_reg.is_some_and(|reg| width == Width::W64 && learn_range(cond, dst, reg, here, there))
        };
        if !done && self.secret(&a) {
            return prohibited(dst);
        }
        Ok(Flow::To(fall))
    }

    pub(crate) fn may_goto(&mut self) -> Checked<Flow> {
        self.jumps += 1;
        let (body, out) = (self.insn + 1, self.target());
        let earlier = self.earlier_visit(self.cur.parent);
        self.push(body)?.may_goto_depth += 1;
        if let Some(earlier) = earlier {
            let state = &mut self.pending.last_mut().expect("just pushed").path.state;
            widen(&self.nodes.get(earlier).path.state, state);
        }
        Ok(Flow::To(out))
    }

    /// The places of a state whose numbers share a name, of registers those that are read later; where there are too
    /// many, the rest lose it.
    fn collect_linked(&mut self, id: Id, linked: &mut Linked) {
        let mut visit = |place: Place, reg: &mut Reg| {
            if reg.is_scalar() && reg.id == id && !linked.push(place) {
                reg.set_link(Link::NONE);
            }
        };
        let state = &mut self.cur.state;
        for f in (0..state.frames.len()).rev() {
            let live = self.live[frame_insn(state, f, self.insn) as usize];
            let frame = &mut state.frames[f];
            for (r, reg) in frame.regs[..10].iter_mut().enumerate().filter(|(r, _)| live & (1 << r) != 0) {
                visit(Place::Reg(f as u8, r as u8), reg);
            }
            for (s, slot) in frame.stack.iter_mut().enumerate().filter(|(_, slot)| slot.is_spill()) {
                visit(Place::Slot(f as u8, s as u8), &mut slot.spill);
            }
        }
    }
}

/// What a comparison says of its two numbers.
fn learn(state: &mut State, test: Test, width: Width, dst: R, src: Option<R>, by: &Reg) {
    if src == Some(dst) {
        state.reg_mut(dst).num = Scalar::refine_same(test, width, state.reg(dst).num).settled();
        return;
    }
    let b = src.map_or(by.num, |reg| state.reg(reg).num);
    let (a, b) = Scalar::refine(test, width, state.reg(dst).num, b);
    state.reg_mut(dst).num = a.settled();
    if let Some(reg) = src {
        state.reg_mut(reg).num = b.settled();
    }
}

/// What is now known of a number is known of all that share its name.
fn spread(state: &mut State, known: R, linked: &Linked) {
    let depth = state.depth();
    let source = *state.reg(known);
    for place in linked.iter() {
        let reg = match place {
            Place::Reg(f, r) if (f as usize, r) == (depth, known as u8) => continue,
            Place::Reg(f, r) => &mut state.frames[f as usize].regs[r as usize],
            Place::Slot(f, s) => &mut state.frames[f as usize].stack[s as usize].spill,
        };
        if !reg.is_scalar() {
            continue;
        }
        if let Some((num, link)) = Scalar::follow(reg.link(), &source.num, source.link()) {
            let mut new = Reg { num, ..source };
            new.set_link(link);
            *reg = new;
        }
    }
}

/// A pointer that turned out not to be null.
pub(crate) fn not_null_value(unit: &oxbpf_ir::Unit, reg: &Reg) -> Reg {
    let mut new = Reg { or_null: false, ..*reg };
    if let Kind::MapValue(MapRef { map, inner: false }) = reg.kind {
        let def = &unit.maps()[map.index()];
        new.kind = match def.map_type {
            MapType::ARRAY_OF_MAPS | MapType::HASH_OF_MAPS => Kind::Map(MapRef { map, inner: true }),
            MapType::XSKMAP => Kind::Sock(Sock::Xdp),
            MapType::SOCKMAP | MapType::SOCKHASH => Kind::Sock(Sock::Full),
            _ => reg.kind,
        };
    }
    new
}

/// A pointer was compared with null: all that are null together are known now.
fn mark_null(unit: &oxbpf_ir::Unit, state: &mut State, dst: R, null: bool) {
    let Reg { id, ref_id, .. } = *state.reg(dst);
    if null && ref_id != 0 && ref_id == id {
        state.refs.retain(|r| r.id != id);
    }
    state.each_reg_mut(|reg| {
        if !reg.or_null || reg.id != id {
            return;
        }
        if null {
            *reg = Reg::constant(0);
            return;
        }
        *reg = not_null_value(unit, reg);
        let lockable = match reg.kind {
            Kind::MapValue(MapRef { map, inner }) => {
                let def = &unit.maps()[map.index()];
                if inner { def.inner.as_ref().is_some_and(|i| i.lock.is_some()) } else { def.lock.is_some() }
            }
            _ => false,
        };
        if !lockable {
            reg.id = 0;
        }
    });
}

/// What a comparison with the packet's end proves on each side; false where it is no such comparison.
fn learn_range(cond: Cond, dst: R, src: R, here: &mut State, there: &mut State) -> bool {
    let (a, b) = (*here.reg(dst), *here.reg(src));
    let ends = |ptr: &Reg, end: &Reg| match (ptr.kind, end.kind) {
        (Kind::Packet, Kind::PacketEnd) => true,
        (Kind::PacketMeta, Kind::Packet) => end.id == 0 && end.off == 0 && end.num.as_const() == Some(0),
        _ => false,
    };
    let (cond, ptr, ptr_reg) = if ends(&a, &b) {
        (cond, a, dst)
    } else if ends(&b, &a) {
        (flipped(cond), b, src)
    } else {
        return false;
    };
    // Where the pointer is before the end, bytes up to it can be read; elsewhere it is at the end or beyond.
    let (before, beyond, open) = match cond {
        Cond::Gt => (here, there, false),
        Cond::Lt => (there, here, true),
        Cond::Ge => (here, there, true),
        Cond::Le => (there, here, false),
        _ => return false,
    };
    prove(before, &ptr, open);
    let reg = beyond.reg_mut(ptr_reg);
    if reg.kind == Kind::Packet {
        reg.range = if open { AT_END } else { BEYOND_END };
    }
    true
}

/// Bytes up to this pointer lie before the packet's end; one more where it is strictly before.
fn prove(state: &mut State, ptr: &Reg, open: bool) {
    if ptr.off < 0 || (ptr.off == 0 && open) {
        return;
    }
    if ptr.num.umax > MAX_PACKET || ptr.num.umax + ptr.off as u64 > MAX_PACKET {
        return;
    }
    let range = ptr.off + i32::from(open);
    state.each_reg_mut(|reg| {
        if reg.kind == ptr.kind && reg.id == ptr.id {
            reg.range = reg.range.max(range);
        }
    });
}
