//! What the generator knows at one place of a function: which registers and stack bytes hold numbers, which
//! hold pointers, and how far each pointer may be followed.

use oxbpf_isa::Reg;

/// The largest frame, in bytes.
pub(crate) const MAX_FRAME: u16 = 256;

/// Whose memory a pointer leads to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Owner {
    /// An array map: it stays whatever happens.
    Array,
    /// A hash map's element: gone when that map changes.
    Element,
    /// An argument of this function: a part of a caller's frame, or an array map's value.
    Argument,
}

/// What a register or a spilled stack slot holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// Nothing that may be read.
    Unknown,
    /// A number that does not depend on any address or uninitialised byte.
    Scalar,
    /// The program's context.
    Ctx,
    /// The byte `at` of this function's frame, counted from its lowest.
    Stack { at: u16 },
    /// `len` bytes that always hold numbers, aligned to 8 unless shorter.
    Mem { len: u16, of: Owner },
    /// Packet bytes, the first `len` checked against the packet's end.
    Packet { len: u16 },
}

impl Kind {
    /// What is known where two paths meet.
    fn meet(self, other: Kind) -> Kind {
        match (self, other) {
            (a, b) if a == b => a,
            (Kind::Mem { len: a, of }, Kind::Mem { len: b, of: other }) if of == other => {
                Kind::Mem { len: a.min(b), of }
            }
            (Kind::Packet { len: a }, Kind::Packet { len: b }) => Kind::Packet { len: a.min(b) },
            _ => Kind::Unknown,
        }
    }

    fn is_pointer(self) -> bool {
        !matches!(self, Kind::Unknown | Kind::Scalar)
    }
}

/// A set of registers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Regs(u16);

impl Regs {
    pub(crate) const NONE: Regs = Regs(0);
    /// r0 to r5: lost or overwritten by a call.
    pub(crate) const CALLER_SAVED: Regs = Regs(0b11_1111);

    pub(crate) fn of(list: &[Reg]) -> Regs {
        list.iter().fold(Regs::NONE, |set, &reg| set.with(reg))
    }

    pub(crate) const fn with(self, reg: Reg) -> Regs {
        Regs(self.0 | 1 << reg.number())
    }

    pub(crate) const fn without(self, reg: Reg) -> Regs {
        Regs(self.0 & !(1 << reg.number()))
    }

    pub(crate) const fn union(self, other: Regs) -> Regs {
        Regs(self.0 | other.0)
    }

    pub(crate) const fn has(self, reg: Reg) -> bool {
        self.0 >> reg.number() & 1 != 0
    }
}

/// A set of the frame's bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Bytes([u64; MAX_FRAME as usize / 64]);

impl Bytes {
    pub(crate) fn all(&self, at: u16, len: u16) -> bool {
        (0..self.0.len()).all(|w| self.0[w] & span(w, at, len) == span(w, at, len))
    }

    pub(crate) fn any(&self, at: u16, len: u16) -> bool {
        (0..self.0.len()).any(|w| self.0[w] & span(w, at, len) != 0)
    }

    pub(crate) fn add(&mut self, at: u16, len: u16) {
        for (w, word) in self.0.iter_mut().enumerate() {
            *word |= span(w, at, len);
        }
    }
}

/// The bits of word `word` that stand for the bytes `at` to `at + len`.
fn span(word: usize, at: u16, len: u16) -> u64 {
    let start = word as u32 * 64;
    let below = |end: u32| match end.saturating_sub(start) {
        64.. => u64::MAX,
        bits => (1 << bits) - 1,
    };
    below(u32::from(at) + u32::from(len)) & !below(at.into())
}

/// What is known at one place of a function.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct State {
    regs: [Kind; 11],
    /// Stack bytes that hold numbers.
    pub(crate) init: Bytes,
    /// Pointers spilled to 8-byte slots.
    spills: [Kind; MAX_FRAME as usize / 8],
}

impl State {
    pub(crate) fn new() -> State {
        State { regs: [Kind::Unknown; 11], init: Bytes::default(), spills: [Kind::Unknown; MAX_FRAME as usize / 8] }
    }

    pub(crate) fn get(&self, reg: Reg) -> Kind {
        self.regs[reg.index()]
    }

    pub(crate) fn set(&mut self, reg: Reg, kind: Kind) {
        self.regs[reg.index()] = kind;
    }

    pub(crate) fn is_scalar(&self, reg: Reg) -> bool {
        self.get(reg) == Kind::Scalar
    }

    /// Registers r0 to r9 whose kind satisfies `want`.
    pub(crate) fn regs_where<F: Fn(Kind) -> bool>(&self, want: F) -> impl Iterator<Item = Reg> + use<F> {
        let regs = self.regs;
        Reg::ALL[..10].iter().copied().filter(move |r| want(regs[r.index()]))
    }

    /// The pointer spilled in the 8-byte slot `slot`.
    pub(crate) fn spill(&self, slot: u16) -> Kind {
        self.spills[usize::from(slot)]
    }

    pub(crate) fn set_spill(&mut self, slot: u16, kind: Kind) {
        self.spills[usize::from(slot)] = kind;
    }

    /// Whether any slot touched by these bytes holds a pointer.
    pub(crate) fn has_pointer(&self, at: u16, len: u16) -> bool {
        (at / 8..(at + len).div_ceil(8)).any(|s| self.spill(s).is_pointer())
    }

    /// What is known where this path and another meet.
    pub(crate) fn meet(&mut self, other: &State) {
        for (a, b) in self.regs.iter_mut().zip(other.regs) {
            *a = a.meet(b);
        }
        for (a, b) in self.spills.iter_mut().zip(other.spills) {
            *a = a.meet(b);
        }
        for (a, b) in self.init.0.iter_mut().zip(other.init.0) {
            *a &= b;
        }
    }

    /// A call happened: r1 to r5 are lost, r0 is a number.
    pub(crate) fn call(&mut self) {
        for reg in Reg::ALL[1..=5].iter() {
            self.set(*reg, Kind::Unknown);
        }
        self.set(Reg::R0, Kind::Scalar);
    }

    /// Forgets pointers of which `gone` is true, in registers and on the stack.
    pub(crate) fn forget(&mut self, gone: impl Fn(Kind) -> bool) {
        for kind in self.regs.iter_mut().chain(&mut self.spills) {
            if gone(*kind) {
                *kind = Kind::Unknown;
            }
        }
    }

    /// The packet may have moved.
    pub(crate) fn forget_packet(&mut self) {
        self.forget(|k| matches!(k, Kind::Packet { .. }));
    }

    /// A hash map changed: elements may have been freed or replaced.
    pub(crate) fn forget_elements(&mut self) {
        self.forget(|k| matches!(k, Kind::Mem { of: Owner::Element, .. }));
    }

    /// Keeps numbers and the registers in `keep`: what holds at the head of a loop whatever its body does.
    pub(crate) fn forget_pointers(&mut self, keep: Regs) {
        for reg in Reg::ALL {
            if !keep.has(reg) && self.get(reg).is_pointer() {
                self.set(reg, Kind::Unknown);
            }
        }
        self.spills.fill(Kind::Unknown);
    }
}
