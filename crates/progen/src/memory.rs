//! Loads, stores and atomic operations: on the frame, and behind pointers to memory that holds numbers.

use oxbpf_isa::{AluOp, AtomicOp, Insn, MemSize, Narrow, Operand, Reg, Width};

use crate::fun::Fun;
use crate::rows::Topic;
use crate::state::{Kind, Owner, Regs};

/// `len` initialised bytes at `base + off`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) base: Reg,
    pub(crate) off: i16,
    pub(crate) len: u16,
    /// The start is aligned to 8: accesses stay aligned, and atomic ones are possible.
    pub(crate) aligned: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Access {
    Load,
    LoadSx,
    StoreReg,
    StoreImm,
    Atomic,
    Acquire,
    Release,
}

const ACCESSES: [(u32, Access); 7] = [
    (6, Access::Load),
    (3, Access::LoadSx),
    (4, Access::StoreReg),
    (2, Access::StoreImm),
    (5, Access::Atomic),
    (1, Access::Acquire),
    (1, Access::Release),
];

/// Those that need no alignment.
const PLAIN: [(u32, Access); 4] =
    [(6, Access::Load), (3, Access::LoadSx), (4, Access::StoreReg), (2, Access::StoreImm)];

const ATOMIC: [(u32, Access); 3] = [(5, Access::Atomic), (1, Access::Acquire), (1, Access::Release)];

impl Fun {
    /// One access of any kind and size inside the place.
    pub(crate) fn touch(&mut self, place: Place) {
        let access = if place.aligned { self.rng().weighted(&ACCESSES) } else { self.rng().weighted(&PLAIN) };
        self.access(place, access);
    }

    fn access(&mut self, place: Place, access: Access) {
        match access {
            Access::LoadSx => {
                let fits = Narrow::ALL.iter().take_while(|n| n.size().bytes() <= place.len.into()).count();
                let size = self.rng().pick(&Narrow::ALL[..fits]);
                let off = self.offset(place, size.size());
                let dst = self.fresh(Regs::NONE.with(place.base));
                self.push(Insn::LoadSx { size, dst, base: place.base, off });
                self.state.set(dst, Kind::Scalar);
            }
            Access::Atomic if place.len >= 4 => self.atomic(place),
            _ => {
                let fits = MemSize::ALL.iter().take_while(|s| s.bytes() <= place.len.into()).count();
                let size = self.rng().pick(&MemSize::ALL[..fits]);
                let off = self.offset(place, size);
                self.sized_access(place, access, size, off);
            }
        }
    }

    fn sized_access(&mut self, place: Place, access: Access, size: MemSize, off: i16) {
        let base = place.base;
        match access {
            Access::StoreReg => {
                let src = Operand::Reg(self.scalar_but(Regs::NONE.with(base)));
                self.store(size, base, off, src);
            }
            Access::StoreImm => {
                let imm = self.rng().imm();
                self.store(size, base, off, Operand::Imm(imm));
            }
            Access::Release => {
                let src = self.scalar_but(Regs::NONE.with(base));
                self.push(Insn::StoreRelease { size, base, off, src });
                self.note(Topic::Atomics);
            }
            Access::Acquire => {
                let dst = self.fresh(Regs::NONE.with(base));
                self.push(Insn::LoadAcquire { size, dst, base, off });
                self.state.set(dst, Kind::Scalar);
                self.note(Topic::Atomics);
            }
            Access::Load | Access::LoadSx | Access::Atomic => {
                let dst = self.fresh(Regs::NONE.with(base));
                self.load(size, dst, base, off);
            }
        }
    }

    /// An offset at which `size` bytes fit, aligned where the place is.
    fn offset(&mut self, place: Place, size: MemSize) -> i16 {
        let size = size.bytes();
        let room = u32::from(place.len) - size;
        let at = if place.aligned { self.rng().range(0, room / size) * size } else { self.rng().range(0, room) };
        place.off + at as i16
    }

    fn atomic(&mut self, place: Place) {
        let op = self.rng().pick(&AtomicOp::ROWS).op;
        let (width, size) =
            if place.len >= 8 && self.rng().chance(50) { (Width::W64, MemSize::Dw) } else { (Width::W32, MemSize::W) };
        let base = if op == AtomicOp::Cmpxchg { self.free_r0(place.base) } else { place.base };
        let off = self.offset(place, size);
        if op.fetches() && self.may_be_frame(base) {
            self.unknown_to_the_verifier(width, base, off);
        }
        if op == AtomicOp::Cmpxchg {
            self.compare_value(size, base, off);
        }
        let avoid = Regs::NONE.with(base);
        let src = if op.fetches() { self.scalar_but(self.pinned.union(avoid)) } else { self.scalar_but(avoid) };
        self.push(Insn::Atomic { op, width, base, off, src });
        self.note(Topic::Atomics);
        if op == AtomicOp::Cmpxchg && width == Width::W32 {
            self.read_whole_r0();
        }
    }

    /// Whether this pointer may lead to a frame: an argument may be the address of a caller's.
    fn may_be_frame(&self, base: Reg) -> bool {
        base == Reg::R10 || matches!(self.state.get(base), Kind::Stack { .. } | Kind::Mem { of: Owner::Argument, .. })
    }

    /// An atomic operation that fetches nothing, after which the verifier knows no value of these frame bytes.
    ///
    /// Linux 6.18 takes what it knows of a frame slot for the result of a fetch, but when a branch then rests on
    /// the result, it does not remember that it rests on the slot. It takes paths with other values in the slot
    /// for the same, and removes branches that they take (docs/kernel-engine.md has the program).
    fn unknown_to_the_verifier(&mut self, width: Width, base: Reg, off: i16) {
        let op = self.rng().pick(&[AtomicOp::Add, AtomicOp::Or, AtomicOp::And, AtomicOp::Xor]);
        let src = self.scalar_but(Regs::NONE.with(base));
        self.push(Insn::Atomic { op, width, base, off, src });
    }

    /// A read of all of r0, right behind a 32-bit compare-and-exchange.
    ///
    /// On x86-64 Linux 6.18 clears r0's upper half there only if it saw a read of it. A read behind the place
    /// where the path joins one that is verified already is not seen; with this one, none decides.
    fn read_whole_r0(&mut self) {
        self.alu(AluOp::Mov, Width::W64, Reg::R0, Operand::Reg(Reg::R0));
    }

    /// The base, moved out of r0 if it is there: r0 is about to hold a number.
    fn free_r0(&mut self, base: Reg) -> Reg {
        if base != Reg::R0 {
            return base;
        }
        let to = self.fresh(Regs::NONE.with(Reg::R0));
        self.copy(to, base);
        to
    }

    /// Puts into r0 what a compare-and-exchange compares: rather what memory holds.
    fn compare_value(&mut self, size: MemSize, base: Reg, off: i16) {
        if self.rng().chance(50) {
            self.load(size, Reg::R0, base, off);
        } else if !self.state.is_scalar(Reg::R0) {
            let imm = self.rng().imm();
            self.set_imm(Reg::R0, imm);
        }
    }

    // The frame.

    /// Whether these bytes may be overwritten with numbers.
    fn is_writable(&self, at: u16, len: u16) -> bool {
        !self.pinned_bytes.any(at, len) && !self.state.has_pointer(at, len)
    }

    /// The frame through r10, or through another register that points into it.
    fn frame_base(&mut self, at: u16) -> (Reg, i16) {
        if self.rng().chance(30)
            && let Some(reg) = self.pointer(|k| matches!(k, Kind::Stack { .. }))
            && let Kind::Stack { at: from } = self.state.get(reg)
        {
            return (reg, at as i16 - from as i16);
        }
        (Reg::R10, self.frame_off(at))
    }

    /// The start of some aligned piece of the frame.
    fn piece(&mut self, len: u16) -> u16 {
        let pieces = u32::from(self.frame / len);
        self.rng().below(pieces) as u16 * len
    }

    /// An aligned piece of the frame that may be overwritten.
    fn writable_piece(&mut self, len: u16) -> Option<u16> {
        for _ in 0..8 {
            let at = self.piece(len);
            if self.is_writable(at, len) {
                return Some(at);
            }
        }
        None
    }

    /// `len` bytes of the frame, aligned to 8, that hold numbers and may be overwritten: initialised if they
    /// are not. None if chance finds no such place.
    pub(crate) fn region(&mut self, len: u16) -> Option<u16> {
        let slots = len.div_ceil(8);
        for _ in 0..12 {
            let most = (self.frame / 8).checked_sub(slots)?;
            let at = self.rng().range(0, most.into()) as u16 * 8;
            if self.is_writable(at, slots * 8) {
                for slot in 0..slots {
                    self.initialise(at + slot * 8);
                }
                return Some(at);
            }
        }
        None
    }

    fn initialise(&mut self, at: u16) {
        if self.state.init.all(at, 8) {
            return;
        }
        let off = self.frame_off(at);
        let src = if self.rng().chance(50) { Operand::Imm(self.rng().imm()) } else { Operand::Reg(self.scalar()) };
        self.store(MemSize::Dw, Reg::R10, off, src);
        self.state.init.add(at, 8);
    }

    pub(crate) fn stack_store_stmt(&mut self) {
        let size = self.rng().pick(&MemSize::ALL);
        let Some(at) = self.writable_piece(size.bytes() as u16) else { return };
        let (base, off) = self.frame_base(at);
        let src = if self.rng().chance(30) {
            Operand::Imm(self.rng().imm())
        } else {
            Operand::Reg(self.scalar_but(Regs::NONE.with(base)))
        };
        self.store(size, base, off, src);
        self.state.init.add(at, size.bytes() as u16);
    }

    /// A load of any size from bytes that hold numbers.
    pub(crate) fn stack_load_stmt(&mut self) {
        for _ in 0..8 {
            let size = self.rng().pick(&MemSize::ALL);
            let len = size.bytes() as u16;
            let at = self.piece(len);
            if self.state.init.all(at, len) {
                let (base, off) = self.frame_base(at);
                let place = Place { base, off, len, aligned: true };
                let access = if size == MemSize::Dw || self.rng().chance(60) { Access::Load } else { Access::LoadSx };
                match access {
                    Access::Load => self.sized_access(place, access, size, off),
                    _ => self.access(place, access),
                }
                return;
            }
        }
    }

    /// Any access to eight bytes that hold numbers.
    pub(crate) fn stack_touch_stmt(&mut self) {
        let Some(at) = self.region(8) else { return };
        let (base, off) = self.frame_base(at);
        self.touch(Place { base, off, len: 8, aligned: true });
    }

    /// An atomic operation on the frame or on memory behind a pointer.
    pub(crate) fn atomic_stmt(&mut self) {
        let mem = self.pointer(|k| matches!(k, Kind::Mem { .. }));
        let place = match mem.map(|reg| (reg, self.state.get(reg))) {
            Some((base, Kind::Mem { len, .. })) if self.rng().chance(60) => Place { base, off: 0, len, aligned: true },
            _ => {
                let Some(at) = self.region(8) else { return };
                let (base, off) = self.frame_base(at);
                Place { base, off, len: 8, aligned: true }
            }
        };
        let access = self.rng().weighted(&ATOMIC);
        self.access(place, access);
    }

    /// A pointer into the frame, to be used as a base.
    pub(crate) fn stack_pointer_stmt(&mut self) {
        let dst = self.fresh(Regs::NONE);
        let at = self.piece(8);
        self.frame_address(dst, at);
    }

    /// An access to the frame at an offset that is not constant.
    pub(crate) fn stack_variable_stmt(&mut self) {
        let len = self.rng().pick(&[16u16, 32]);
        let Some(at) = self.region(len) else { return };
        let base = self.fresh(Regs::NONE);
        self.frame_address(base, at);
        self.variable(base, len, &PLAIN);
    }

    /// Moves `base` by a bounded unknown distance and accesses the memory there.
    fn variable(&mut self, base: Reg, len: u16, accesses: &[(u32, Access)]) {
        let window = 1u16 << len.ilog2();
        let piece = self.rng().pick(&[1u16, 4, 8]).min(window);
        let index = self.masked((window - piece).into(), Regs::NONE.with(base));
        self.alu(AluOp::Add, Width::W64, base, Operand::Reg(index));
        let moved = match self.state.get(base) {
            Kind::Mem { of, .. } => Kind::Mem { len: piece, of },
            _ => Kind::Unknown,
        };
        self.state.set(base, moved);
        let access = self.rng().weighted(accesses);
        self.access(Place { base, off: 0, len: piece, aligned: true }, access);
        self.note(Topic::VariableOffset);
    }

    // Memory behind pointers.

    pub(crate) fn mem_touch_stmt(&mut self) {
        let Some(base) = self.pointer(|k| matches!(k, Kind::Mem { .. })) else { return };
        for _ in 0..self.rng().range(1, 3) {
            // The access before may have overwritten the pointer.
            if let Kind::Mem { len, .. } = self.state.get(base) {
                self.touch(Place { base, off: 0, len, aligned: true });
            }
        }
    }

    pub(crate) fn mem_variable_stmt(&mut self) {
        let Some(from) = self.pointer(|k| matches!(k, Kind::Mem { .. })) else { return };
        let Kind::Mem { len, of } = self.state.get(from) else { return };
        let base = self.fresh(Regs::NONE.with(from));
        self.copy(base, from);
        if of == Owner::Argument {
            // It may lead to a frame, where the kernel refuses some atomic operations at unknown offsets.
            self.variable(base, len, &PLAIN);
            if !self.state.is_scalar(base) {
                self.state.set(base, Kind::Unknown);
            }
        } else {
            self.variable(base, len, &ACCESSES);
        }
    }

    // Pointers on the stack.

    /// Stores a pointer in a slot that holds nothing.
    pub(crate) fn spill_stmt(&mut self) {
        let Some(reg) = self.pointer(|k| !matches!(k, Kind::Unknown | Kind::Scalar)) else { return };
        let slot = self.piece(8) / 8;
        if self.state.init.any(slot * 8, 8) || self.pinned_bytes.any(slot * 8, 8) {
            return;
        }
        let off = self.frame_off(slot * 8);
        self.store(MemSize::Dw, Reg::R10, off, Operand::Reg(reg));
        self.state.set_spill(slot, self.state.get(reg));
    }

    /// Loads a pointer from the stack.
    pub(crate) fn fill_stmt(&mut self) {
        let held: Vec<u16> = (0..self.frame / 8).filter(|&s| self.state.spill(s) != Kind::Unknown).collect();
        if held.is_empty() {
            return;
        }
        let slot = self.rng().pick(&held);
        let dst = self.fresh(Regs::NONE);
        let off = self.frame_off(slot * 8);
        self.load(MemSize::Dw, dst, Reg::R10, off);
        self.state.set(dst, self.state.spill(slot));
        self.note(Topic::PointerSpills);
    }
}
