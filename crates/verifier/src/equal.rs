//! Whether what is known now was found safe before.

use crate::explore::Explorer;
use crate::live::RegSet;
use crate::path::{IdMap, NodeId};
use crate::reg::{Id, Kind, Reg};
use crate::state::{Byte, Frame, Held, StackSlot, State};

/// How like two states must be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Likeness {
    /// The newer one is within the older one, as far as that rested on what was known.
    Safe,
    /// The newer one is within the older one in all that is known.
    Within,
    /// They are the same.
    Same,
}

/// What states are compared under.
pub(crate) struct Compare<'a> {
    pub ids: &'a mut IdMap,
    pub live: &'a [RegSet],
    pub uninit_ok: bool,
    pub likeness: Likeness,
}

impl Explorer<'_> {
    /// Whether the state at hand need not be followed, since `old` was.
    pub(crate) fn alike(&mut self, old: NodeId, likeness: Likeness) -> bool {
        let uninit_ok = self.options.caps.perfmon;
        let mut compare = Compare { ids: &mut self.id_map, live: &self.live, uninit_ok, likeness };
        compare.states(&self.nodes.get(old).path.state, &self.cur.state, self.insn)
    }
}

/// The instruction at which a frame stands.
pub(crate) fn frame_insn(state: &State, frame: usize, insn: u32) -> u32 {
    state.frames.get(frame + 1).map_or(insn, |callee| callee.callsite)
}

impl Compare<'_> {
    pub fn states(&mut self, old: &State, new: &State, insn: u32) -> bool {
        if old.frames.len() != new.frames.len() {
            return false;
        }
        self.ids.reset();
        if !self.references(old, new) {
            return false;
        }
        old.frames.iter().zip(&new.frames).enumerate().all(|(i, (o, n))| {
            let live = self.live[frame_insn(old, i, insn) as usize];
            o.callsite == n.callsite && self.frames(o, n, live)
        })
    }

    fn references(&mut self, old: &State, new: &State) -> bool {
        old.refs.len() == new.refs.len()
            && old.refs.iter().zip(&new.refs).all(|(o, n)| {
                self.ids.agree(o.id, n.id)
                    && match (o.held, n.held) {
                        (Held::Reference, Held::Reference) => true,
                        (Held::Lock { map: m, .. }, Held::Lock { map: k, .. }) => m == k,
                        _ => false,
                    }
            })
    }

    fn frames(&mut self, old: &Frame, new: &Frame, live: RegSet) -> bool {
        if old.callback_depth > new.callback_depth {
            return false;
        }
        for i in 0..11 {
            if live & (1 << i) != 0 && !self.regs(&old.regs[i], &new.regs[i]) {
                return false;
            }
        }
        self.stacks(&old.stack, &new.stack)
    }

    fn regs(&mut self, old: &Reg, new: &Reg) -> bool {
        if self.likeness == Likeness::Same {
            return self.same(old, new);
        }
        if old.kind == Kind::NotInit {
            return self.likeness == Likeness::Safe || new.kind == Kind::NotInit;
        }
        if old.kind != new.kind || old.or_null != new.or_null {
            return false;
        }
        match old.kind {
            Kind::Scalar => {
                if !old.precise && self.likeness == Likeness::Safe {
                    return true;
                }
                // A number without a name has no distance to keep.
                (old.id == 0 || old.linked == new.linked)
                    && (old.linked.is_none() || old.off == new.off)
                    && within(old, new)
                    && self.ids.agree_numbers(name(old), name(new))
            }
            Kind::MapKey(_) | Kind::MapValue(_) | Kind::Mem(_) => {
                old.off == new.off
                    && old.map_uid == new.map_uid
                    && within(old, new)
                    && self.ids.agree(old.id, new.id)
                    && self.ids.agree(old.ref_id, new.ref_id)
            }
            Kind::Packet | Kind::PacketMeta => {
                let range_ok =
                    if old.range < 0 || new.range < 0 { old.range == new.range } else { old.range <= new.range };
                range_ok && old.off == new.off && self.ids.agree(old.id, new.id) && within(old, new)
            }
            _ => self.same(old, new),
        }
    }

    fn same(&mut self, old: &Reg, new: &Reg) -> bool {
        old.kind == new.kind
            && old.or_null == new.or_null
            && old.off == new.off
            && old.range == new.range
            && old.map_uid == new.map_uid
            && old.num == new.num
            && self.ids.agree(name(old), name(new))
            && self.ids.agree(old.ref_id, new.ref_id)
    }

    fn stacks(&mut self, old: &[StackSlot], new: &[StackSlot]) -> bool {
        old.iter().enumerate().all(|(i, o)| self.slots(o, new.get(i)))
    }

    fn slots(&mut self, old: &StackSlot, new: Option<&StackSlot>) -> bool {
        if self.likeness != Likeness::Safe && new.is_none_or(|new| new.bytes != old.bytes) {
            return false;
        }
        let ignored = |b: &Byte| *b == Byte::Invalid || (*b == Byte::Misc && self.uninit_ok);
        if old.bytes.iter().all(ignored) {
            return true;
        }
        let Some(slot) = new else { return false };
        if let (Some(o), Some(n)) = (self.number_in(old), self.number_in(slot)) {
            return self.regs(&o, &n);
        }
        for (o, n) in old.bytes.iter().zip(slot.bytes) {
            let fine = match o {
                Byte::Invalid => true,
                Byte::Misc if self.uninit_ok => true,
                Byte::Misc => matches!(n, Byte::Misc | Byte::Zero),
                _ => *o == n,
            };
            if !fine {
                return false;
            }
        }
        // The last byte that was compared decides, which is the one at the lowest address.
        match (old.bytes[0], slot.bytes[0]) {
            (Byte::Spill, Byte::Spill) => self.regs(&old.spill, &slot.spill),
            _ => true,
        }
    }

    /// A slot that reads as one number: a spilled one, or eight bytes of which nothing is known.
    fn number_in(&self, slot: &StackSlot) -> Option<Reg> {
        if slot.is_full_scalar() {
            return Some(slot.spill);
        }
        let unknown = slot.bytes.iter().all(|b| *b == Byte::Misc || (*b == Byte::Invalid && self.uninit_ok));
        unknown.then_some(Reg::UNKNOWN)
    }
}

/// A number's name, which differs for those at a distance.
fn name(reg: &Reg) -> Id {
    if reg.linked.is_some() { reg.id | 1 << 31 } else { reg.id }
}

fn within(old: &Reg, new: &Reg) -> bool {
    old.num.contains_range(&new.num) && old.num.tnum.contains(new.num.tnum)
}
