//! A program: typed instructions cut into closed functions, with source lines.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use oxbpf_abi::ProgType;
use oxbpf_isa::{CallTarget, Insn, Pseudo, Reg, Slot};

use crate::build_error::{BuildError, BuildFault};

/// The most instructions a program may have, in slots: the kernel's limit for a privileged load.
const MAX_SLOTS: usize = 1_000_000;

/// An instruction by its position in [`Program::insns`]; not a [`Slot`], since wide instructions count once.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct InsnId(pub u32);

impl InsnId {
    /// As an index.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// A function by its position in [`Program::functions`]; 0 is the entry.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct FuncIdx(pub u32);

impl FuncIdx {
    /// As an index.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// A function of a program: a run of instructions that no jump leaves or enters.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Function {
    /// Its name, or `sub_SLOT` where none is known.
    pub name: String,
    /// Its instructions.
    pub insns: Range<u32>,
    /// Whether other files see it: then it is judged by its type alone, and not for each call.
    pub global: bool,
}

/// A line of source that starts at an instruction.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LineRef {
    /// The first instruction of the line.
    pub insn: InsnId,
    /// File name as the compiler wrote it.
    pub file: Arc<str>,
    /// Line, from 1.
    pub line: u32,
    /// Column, from 1; 0 where unknown.
    pub column: u32,
    /// The source text, where the object carries it.
    pub text: Arc<str>,
}

/// What a loader knows of a program; [`Program::new`] checks it.
#[derive(Clone, Debug)]
pub struct ProgramParts {
    /// The program's name, usually its C function's.
    pub name: String,
    /// The section it came from; empty where there is none.
    pub section: String,
    /// Its type.
    pub prog_type: ProgType,
    /// Its instructions. Map references ([`Pseudo::MapFd`], [`Pseudo::MapValue`]) hold the unit's map index.
    pub insns: Vec<Insn>,
    /// Known function names by the slot they start at; starts that nothing calls are kept as functions too.
    pub functions: Vec<(Slot, String)>,
    /// Where functions start that other files see.
    pub globals: Vec<Slot>,
    /// Source lines, in any order; those past the end are dropped.
    pub lines: Vec<LineRef>,
}

impl ProgramParts {
    /// Parts without section, function names or lines.
    pub fn new(name: &str, prog_type: ProgType, insns: Vec<Insn>) -> Self {
        ProgramParts {
            name: name.to_string(),
            section: String::new(),
            prog_type,
            insns,
            functions: Vec::new(),
            globals: Vec::new(),
            lines: Vec::new(),
        }
    }
}

/// A well-shaped program: jumps land on instructions of their own function, functions end in a jump or exit,
/// and nothing writes the frame pointer.
#[derive(Clone, Debug)]
pub struct Program {
    name: String,
    section: String,
    prog_type: ProgType,
    insns: Vec<Insn>,
    /// Where each instruction stands; one more than `insns`, the last is the program's length.
    slots: Vec<Slot>,
    functions: Vec<Function>,
    lines: Vec<LineRef>,
}

impl Program {
    /// The program of these parts.
    ///
    /// Fails where the shape is wrong: see [`BuildFault`].
    pub fn new(parts: ProgramParts) -> Result<Program, BuildError> {
        let slots = slots_of(&parts.insns)?;
        let mut program = Program {
            name: parts.name,
            section: parts.section,
            prog_type: parts.prog_type,
            insns: parts.insns,
            slots,
            functions: Vec::new(),
            lines: parts.lines,
        };
        program.functions = program.cut_functions(&parts.functions)?;
        let globals: BTreeSet<Slot> = parts.globals.into_iter().collect();
        for i in 0..program.functions.len() {
            let first = InsnId(program.functions[i].insns.start);
            program.functions[i].global = globals.contains(&program.slot(first));
        }
        program.check_functions()?;
        let count = program.insns.len();
        program.lines.retain(|l| l.insn.index() < count);
        program.lines.sort_by_key(|l| l.insn);
        Ok(program)
    }

    /// The program's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The section it came from, or an empty string.
    pub fn section(&self) -> &str {
        &self.section
    }

    /// Its type.
    pub fn prog_type(&self) -> ProgType {
        self.prog_type
    }

    /// Its instructions.
    pub fn insns(&self) -> &[Insn] {
        &self.insns
    }

    /// Its functions; the first is the entry.
    pub fn functions(&self) -> &[Function] {
        &self.functions
    }

    /// Its source lines, by instruction.
    pub fn lines(&self) -> &[LineRef] {
        &self.lines
    }

    /// Its length in slots.
    pub fn slot_count(&self) -> u32 {
        self.slots[self.insns.len()].0
    }

    /// Where an instruction stands.
    pub fn slot(&self, insn: InsnId) -> Slot {
        self.slots[insn.index()]
    }

    /// The instruction at a slot; none in the second half of a wide one or outside.
    pub fn insn_at(&self, slot: i64) -> Option<InsnId> {
        let slot = Slot(u32::try_from(slot).ok()?);
        let at = self.slots[..self.insns.len()].binary_search(&slot).ok()?;
        Some(InsnId(at as u32))
    }

    /// The source line an instruction belongs to.
    pub fn line(&self, insn: InsnId) -> Option<&LineRef> {
        let after = self.lines.partition_point(|l| l.insn <= insn);
        self.lines[..after].last()
    }

    /// Where a jump of this instruction goes, if it is one.
    pub fn jump_target(&self, insn: InsnId) -> Option<InsnId> {
        let off = self.insns[insn.index()].jump_off()?;
        self.insn_at(self.relative(insn, off))
    }

    /// The function that a local call or callback reference of this instruction names.
    pub fn callee(&self, insn: InsnId) -> Option<FuncIdx> {
        let target = self.insn_at(self.relative(insn, callee_off(&self.insns[insn.index()])?))?;
        self.function_starting_at(target)
    }

    fn function_starting_at(&self, insn: InsnId) -> Option<FuncIdx> {
        let at = self.functions.binary_search_by_key(&insn.0, |f| f.insns.start).ok()?;
        Some(FuncIdx(at as u32))
    }

    fn relative(&self, insn: InsnId, off: i32) -> i64 {
        i64::from(self.slot(insn).0) + 1 + i64::from(off)
    }

    fn error(&self, insn: usize, fault: BuildFault) -> BuildError {
        BuildError { slot: self.slots[insn], fault }
    }

    /// The instruction `off` slots after `insn`'s next slot.
    fn landing(&self, insn: usize, off: i32) -> Result<InsnId, BuildError> {
        let target = self.relative(InsnId(insn as u32), off);
        self.insn_at(target).ok_or_else(|| {
            let inside = (0..i64::from(self.slot_count())).contains(&target);
            let fault = if inside { BuildFault::JumpIntoWide { target } } else { BuildFault::JumpOutside { target } };
            self.error(insn, fault)
        })
    }

    /// Functions start at the entry, at every call or callback target, and where the loader names one.
    fn cut_functions(&self, named: &[(Slot, String)]) -> Result<Vec<Function>, BuildError> {
        let mut starts = BTreeSet::from([0u32]);
        let mut names = BTreeMap::new();
        for (slot, name) in named {
            if let Some(insn) = self.insn_at(slot.0.into()) {
                starts.insert(insn.0);
                names.insert(insn.0, name.clone());
            }
        }
        for (i, insn) in self.insns.iter().enumerate() {
            if let Some(off) = callee_off(insn) {
                let callee = self.landing(i, off).map_err(|e| match e.fault {
                    BuildFault::JumpOutside { target } => self.error(i, BuildFault::CallOutside { target }),
                    _ => e,
                });
                starts.insert(callee?.0);
            }
        }
        let starts: Vec<u32> = starts.into_iter().collect();
        let ends = starts.iter().skip(1).copied().chain([self.insns.len() as u32]);
        let function = |(start, end): (u32, u32)| {
            let unnamed = || match start {
                0 => self.name.clone(),
                _ => format!("sub_{}", self.slots[start as usize]),
            };
            Function { name: names.get(&start).cloned().unwrap_or_else(unnamed), insns: start..end, global: false }
        };
        Ok(starts.iter().copied().zip(ends).map(function).collect())
    }

    fn check_functions(&self) -> Result<(), BuildError> {
        for function in &self.functions {
            for i in function.insns.start as usize..function.insns.end as usize {
                let insn = &self.insns[i];
                if let Some(off) = insn.jump_off() {
                    let target = self.landing(i, off)?;
                    if !function.insns.contains(&target.0) {
                        let target = self.relative(InsnId(i as u32), off);
                        return Err(self.error(i, BuildFault::JumpOutOfFunction { target }));
                    }
                }
                if insn.written() == Some(Reg::R10) {
                    return Err(self.error(i, BuildFault::FramePointerWritten));
                }
            }
            let last = function.insns.end as usize - 1;
            if self.insns[last].falls_through() {
                return Err(self.error(last, BuildFault::FallsOff { function: function.name.clone() }));
            }
        }
        Ok(())
    }
}

/// The slot distance to the function that an instruction calls or takes the address of.
fn callee_off(insn: &Insn) -> Option<i32> {
    match *insn {
        Insn::Call(CallTarget::Local(off)) => Some(off),
        Insn::LoadPseudo { value: Pseudo::Func(off), .. } => Some(off),
        _ => None,
    }
}

fn slots_of(insns: &[Insn]) -> Result<Vec<Slot>, BuildError> {
    let error = |fault| Err(BuildError { slot: Slot(0), fault });
    if insns.is_empty() {
        return error(BuildFault::Empty);
    }
    let count: usize = insns.iter().map(|i| i.slots() as usize).sum();
    if count > MAX_SLOTS {
        return error(BuildFault::TooLong { count, limit: MAX_SLOTS });
    }
    let mut next = 0;
    let mut slots = Vec::with_capacity(insns.len() + 1);
    for insn in insns {
        slots.push(Slot(next));
        next += insn.slots();
    }
    slots.push(Slot(next));
    Ok(slots)
}
