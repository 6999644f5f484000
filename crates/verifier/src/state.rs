//! What is known at one point of one path: registers and stack of each frame, references and locks held.

use oxbpf_ir::FuncIdx;
use oxbpf_isa::Reg as R;

use crate::reg::{Id, Reg};

/// What is known of a byte of stack.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Byte {
    /// Never written.
    #[default]
    Invalid,
    /// Part of a spilled register.
    Spill,
    /// Anything.
    Misc,
    /// Zero.
    Zero,
}

/// Eight bytes of stack.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StackSlot {
    /// Each byte, lowest address first.
    pub bytes: [Byte; 8],
    /// The register that was spilled here, where the last byte is [`Byte::Spill`].
    pub spill: Reg,
}

impl StackSlot {
    /// Never written.
    pub const EMPTY: StackSlot = StackSlot { bytes: [Byte::Invalid; 8], spill: Reg::NOT_INIT };

    /// Whether a register was spilled here and its lowest bytes are still whole.
    pub fn is_spill(&self) -> bool {
        self.bytes[0] == Byte::Spill
    }

    /// Whether a whole number was spilled here.
    pub fn is_full_scalar(&self) -> bool {
        self.bytes == [Byte::Spill; 8] && self.spill.is_scalar()
    }
}

/// A callback that a frame runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Callback {
    /// The helper that calls it.
    pub helper: u32,
    /// The least and the most it may return.
    pub returns: (i64, i64),
}

/// A function's activation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Frame {
    /// The function.
    pub func: FuncIdx,
    /// The instruction that called it; `u32::MAX` for the program itself.
    pub callsite: u32,
    /// r0 to r10.
    pub regs: [Reg; 11],
    /// The stack, from the frame pointer down: entry 0 is `fp-8`.
    pub stack: Vec<StackSlot>,
    /// Where it is a callback's.
    pub callback: Option<Callback>,
    /// Of a frame that called a helper with a callback: how often that has run on this path.
    pub callback_depth: u32,
}

/// The most frames.
pub(crate) const MAX_FRAMES: usize = 8;

/// The caller of the program itself.
pub const NO_CALLSITE: u32 = u32::MAX;

impl Frame {
    /// A frame in which nothing but the frame pointer is set.
    pub fn new(func: FuncIdx, callsite: u32, depth: u8) -> Frame {
        let mut regs = [Reg::NOT_INIT; 11];
        regs[10] = Reg::pointer(crate::reg::Kind::Stack(depth));
        Frame { func, callsite, regs, stack: Vec::new(), callback: None, callback_depth: 0 }
    }

    /// The register.
    pub fn reg(&self, reg: R) -> &Reg {
        &self.regs[reg as usize]
    }

    /// The register, to change it.
    pub fn reg_mut(&mut self, reg: R) -> &mut Reg {
        &mut self.regs[reg as usize]
    }
}

/// Something acquired that must be given back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Held {
    /// A socket or a record.
    Reference,
    /// A spin lock, by the pointer that was locked: its map or reference, and its name.
    Lock {
        /// Of which pointer.
        id: Id,
        /// The map of the value, where it is one.
        map: Option<crate::reg::MapRef>,
    },
}

/// One of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reference {
    /// Its name.
    pub id: Id,
    /// The instruction that acquired it.
    pub insn: u32,
    /// What it is.
    pub held: Held,
}

/// Everything known at one point of one path.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct State {
    /// The frames, the program's own first.
    pub frames: Vec<Frame>,
    /// What is held, in the order it was acquired.
    pub refs: Vec<Reference>,
    /// How often `may_goto` was taken on this path.
    pub may_goto_depth: u32,
    /// How often callbacks were unrolled on this path.
    pub callback_unroll_depth: u32,
}

impl State {
    /// What is known where a function begins that is judged on its own.
    pub fn starting(frame: Frame) -> State {
        State { frames: vec![frame], ..State::default() }
    }

    /// Whether the same calls led here.
    pub fn same_callers(&self, other: &State) -> bool {
        self.frames.len() == other.frames.len()
            && self.frames.iter().zip(&other.frames).all(|(a, b)| a.callsite == b.callsite)
    }

    /// The innermost frame.
    pub fn frame(&self) -> &Frame {
        self.frames.last().expect("a state has a frame")
    }

    /// The innermost frame, to change it.
    pub fn frame_mut(&mut self) -> &mut Frame {
        self.frames.last_mut().expect("a state has a frame")
    }

    /// The innermost frame's index.
    pub fn depth(&self) -> usize {
        self.frames.len() - 1
    }

    /// A register of the innermost frame.
    pub fn reg(&self, reg: R) -> &Reg {
        self.frame().reg(reg)
    }

    /// A register of the innermost frame, to change it.
    pub fn reg_mut(&mut self, reg: R) -> &mut Reg {
        self.frame_mut().reg_mut(reg)
    }

    /// All registers and spilled slots of all frames.
    pub fn each_reg_mut(&mut self, mut f: impl FnMut(&mut Reg)) {
        for frame in &mut self.frames {
            frame.regs[..10].iter_mut().for_each(&mut f);
            for slot in frame.stack.iter_mut().filter(|slot| slot.is_spill()) {
                f(&mut slot.spill);
            }
        }
    }

    /// Whether a spin lock is held.
    pub fn locked(&self) -> bool {
        self.refs.iter().any(|r| matches!(r.held, Held::Lock { .. }))
    }
}
