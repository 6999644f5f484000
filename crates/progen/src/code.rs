//! A function under construction: instructions with labels, and the linking of functions to a program.

use oxbpf_isa::{CallTarget, Insn, Pseudo, Reg};

/// A place in a function, possibly not yet known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Label(usize);

#[derive(Clone, Copy, Debug)]
enum Target {
    None,
    Label(Label),
    Function(usize),
}

#[derive(Clone, Copy, Debug)]
struct Item {
    insn: Insn,
    slot: u32,
    target: Target,
}

/// One function's instructions.
#[derive(Clone, Debug, Default)]
pub(crate) struct Code {
    items: Vec<Item>,
    labels: Vec<u32>,
    slots: u32,
}

impl Code {
    pub(crate) fn push(&mut self, insn: Insn) {
        self.add(insn, Target::None);
    }

    /// A jump, whose distance is filled in when the program is linked.
    pub(crate) fn jump(&mut self, insn: Insn, to: Label) {
        self.add(insn, Target::Label(to));
    }

    /// A call of the program's function `index`, the main function being 0.
    pub(crate) fn call(&mut self, index: usize) {
        self.add(Insn::Call(CallTarget::Local(0)), Target::Function(index));
    }

    /// The address of the program's function `index`.
    pub(crate) fn function(&mut self, dst: Reg, index: usize) {
        self.add(Insn::LoadPseudo { dst, value: Pseudo::Func(0) }, Target::Function(index));
    }

    pub(crate) fn label(&mut self) -> Label {
        self.labels.push(u32::MAX);
        Label(self.labels.len() - 1)
    }

    /// Puts the label before the next instruction.
    pub(crate) fn place(&mut self, label: Label) {
        self.labels[label.0] = self.slots;
    }

    /// Whether a jump leads to the label.
    pub(crate) fn leads_to(&self, label: Label) -> bool {
        self.items.iter().any(|item| matches!(item.target, Target::Label(to) if to == label))
    }

    /// How many slots there are.
    pub(crate) fn slots(&self) -> u32 {
        self.slots
    }

    fn add(&mut self, insn: Insn, target: Target) {
        self.items.push(Item { insn, slot: self.slots, target });
        self.slots += insn.slots();
    }
}

/// The program made of these functions, the main function first.
pub(crate) fn link(functions: &[&Code]) -> Vec<Insn> {
    let mut starts = Vec::with_capacity(functions.len());
    let mut total = 0;
    for code in functions {
        starts.push(total);
        total += code.slots;
    }
    let mut out = Vec::with_capacity(total as usize);
    for (code, start) in functions.iter().zip(&starts) {
        for item in &code.items {
            let next = (item.slot + 1) as i32;
            out.push(match item.target {
                Target::None => item.insn,
                Target::Label(label) => with_distance(item.insn, code.labels[label.0] as i32 - next),
                Target::Function(index) => to_function(item.insn, starts[index] as i32 - *start as i32 - next),
            });
        }
    }
    out
}

/// The call, or the load of an address, with its distance.
fn to_function(insn: Insn, distance: i32) -> Insn {
    match insn {
        Insn::LoadPseudo { dst, .. } => Insn::LoadPseudo { dst, value: Pseudo::Func(distance) },
        _ => Insn::Call(CallTarget::Local(distance)),
    }
}

/// The jump with its distance; programs are far smaller than 32,768 slots.
fn with_distance(insn: Insn, distance: i32) -> Insn {
    let off = distance as i16;
    match insn {
        Insn::Jump { .. } => Insn::Jump { off },
        Insn::JumpLong { .. } => Insn::JumpLong { off: distance },
        Insn::MayGoto { .. } => Insn::MayGoto { off },
        Insn::JumpIf { cond, width, dst, src, .. } => Insn::JumpIf { cond, width, dst, src, off },
        other => other,
    }
}
