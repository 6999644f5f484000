//! The walk over all paths.

use std::fmt::Write as _;

use oxbpf_abi::ProgType;
use oxbpf_ir::{FuncIdx, InsnId, MapIdx, Program, Unit};
use oxbpf_isa::{Insn, Operand, Pseudo, Reg as R, Width};

use crate::code::Code;
use crate::global::{Signature, signatures};
use crate::live::{RegSet, live_registers};
use crate::notes::Note;
use crate::options::{LogLevel, Options};
use crate::path::{IdMap, NodeId, Nodes, Path, START, Step};
use crate::reg::{Id, Kind, MapRef, Reg};
use crate::report::{Checked, Fault, Stats};
use crate::scc::Loops;
use crate::shape::Shape;
use crate::stack_live::StackLive;
use crate::state::{Frame, MAX_FRAMES, NO_CALLSITE, State};

/// The most branches that wait to be followed.
const MAX_PENDING: usize = 8192;

/// Where a path goes after an instruction.
pub(crate) enum Flow {
    /// To this instruction.
    To(u32),
    /// Nowhere: it ended.
    End,
}

/// A branch that is still to be followed.
pub(crate) struct Pending {
    pub path: Path,
    pub insn: u32,
    pub from: u32,
}

/// A program under verification.
pub(crate) struct Explorer<'a> {
    pub unit: &'a Unit,
    pub program: &'a Program,
    pub options: &'a Options,
    pub shape: Shape,
    pub live: Vec<RegSet>,
    pub stack_live: StackLive,
    pub loops: Loops,
    /// What is known where the walk stands.
    pub cur: Path,
    /// The instruction that is being done, and the one before it on this path.
    pub insn: u32,
    pub from: u32,
    /// Whether this instruction has an entry in the history already.
    pub stepped: bool,
    pub pending: Vec<Pending>,
    pub nodes: Nodes,
    /// Remembered states by instruction and caller, newest last.
    pub remembered: Vec<Vec<NodeId>>,
    pub stats: Stats,
    /// Comparisons and calls done, and both counts when a state was last remembered.
    pub jumps: u32,
    pub last_jumps: u32,
    pub last_processed: u32,
    pub ids: Id,
    pub id_map: IdMap,
    /// What acceptance rests on, by instruction.
    pub notes: Vec<Note>,
    /// The deepest stack of each function, in bytes.
    pub stack_depth: Vec<u32>,
    /// Memory that a helper will fill: the register that points to it, and how many bytes.
    pub raw_fill: Option<(R, u32)>,
    /// Global functions that were called, to be verified on their own.
    pub called: Vec<bool>,
    /// What functions take that other files see; none for others.
    pub signatures: Vec<Option<Signature>>,
    pub log: String,
}

impl<'a> Explorer<'a> {
    pub fn new(unit: &'a Unit, program: &'a Program, options: &'a Options) -> Checked<Explorer<'a>> {
        let shape = Shape::of(program)?;
        let live = live_registers(program, &shape);
        let count = program.insns().len();
        let functions = program.functions().len();
        Ok(Explorer {
            unit,
            program,
            options,
            shape,
            live,
            stack_live: StackLive::new(),
            loops: Loops::default(),
            cur: Path::starting(0, entry()),
            insn: 0,
            from: START,
            stepped: false,
            pending: Vec::new(),
            nodes: Nodes::default(),
            remembered: vec![Vec::new(); program.slot_count() as usize],
            stats: Stats { limit: options.limit, ..Stats::default() },
            jumps: 0,
            last_jumps: 0,
            last_processed: 0,
            ids: 0,
            id_map: IdMap::default(),
            notes: vec![Note::default(); count],
            stack_depth: vec![0; functions],
            raw_fill: None,
            called: vec![false; functions],
            signatures: signatures(unit, program),
            log: String::new(),
        })
    }

    /// Follows every path of a function from what is known at its start.
    pub fn explore(&mut self, func: FuncIdx, start: State) -> Checked {
        let first = self.program.functions()[func.index()].insns.start;
        self.cur = Path::starting(first, start);
        (self.insn, self.from) = (first, START);
        self.stack_live.follow(self.program, &self.cur.state);
        loop {
            match self.visit().map_err(|fault| self.placed(fault))? {
                Flow::To(next) => (self.from, self.insn) = (self.insn, next),
                Flow::End => {
                    self.end_path()?;
                    let Some(pending) = self.pending.pop() else { return Ok(()) };
                    (self.cur, self.insn, self.from) = (pending.path, pending.insn, pending.from);
                    self.stack_live.follow(self.program, &self.cur.state);
                }
            }
        }
    }

    /// Visits one instruction.
    fn visit(&mut self) -> Checked<Flow> {
        self.stepped = false;
        self.stats.processed += 1;
        if self.stats.processed > self.options.limit {
            let text = format!("BPF program is too large. Processed {} insn", self.stats.processed);
            return Err(Fault::new(Code::TooComplex, text));
        }
        self.cur.last = self.from;
        let point = self.shape.points[self.insn as usize];
        if point.prune && self.seen_before()? {
            return Ok(Flow::End);
        }
        if point.joined {
            self.step();
        }
        if self.options.log >= LogLevel::Trace {
            self.trace();
        }
        self.notes[self.insn as usize].visited = true;
        self.stack_live.insn = self.insn;
        let instance = self.stack_live.current();
        let flow = self.execute()?;
        self.stack_live.commit(self.insn, instance);
        Ok(flow)
    }

    /// Does the instruction.
    fn execute(&mut self) -> Checked<Flow> {
        let insn = self.program.insns()[self.insn as usize];
        let next = Flow::To(self.insn + 1);
        match insn {
            Insn::Alu { op, width, dst, src } => self.alu(op, width, dst, src)?,
            Insn::Neg { width, dst } => self.negate(width, dst)?,
            Insn::MovSx { op, dst, src } => self.move_sign_extended(op, dst, src)?,
            Insn::Endian { op, dst } => self.swap_bytes(op, dst)?,
            Insn::AddrSpaceCast { .. } => return Err(Fault::unsupported("addr_space_cast")),
            Insn::LoadImm64 { dst, value } => self.set(dst, Reg::constant(value)),
            Insn::LoadPseudo { dst, value } => self.load_pseudo(dst, value)?,
            Insn::Load { size, dst, base, off } => self.load(size, dst, base, off, false)?,
            Insn::LoadSx { size, dst, base, off } => self.load(size.size(), dst, base, off, true)?,
            Insn::LoadAcquire { size, dst, base, off } => self.load_acquire(size, dst, base, off)?,
            Insn::Store { size, base, off, src } => self.store(size, base, off, src)?,
            Insn::StoreRelease { size, base, off, src } => self.store_release(size, base, off, src)?,
            Insn::Atomic { op, width, base, off, src } => self.atomic(op, width, base, off, src)?,
            Insn::LdAbs { .. } => return self.legacy_load(None),
            Insn::LdInd { src, .. } => return self.legacy_load(Some(src)),
            Insn::Jump { .. } | Insn::JumpLong { .. } => {
                self.jumps += 1;
                return Ok(Flow::To(self.target()));
            }
            Insn::MayGoto { .. } => return self.may_goto(),
            Insn::JumpIf { cond, width, dst, src, .. } => return self.jump_if(cond, width, dst, src),
            Insn::Call(target) => {
                self.jumps += 1;
                return self.call(target);
            }
            Insn::CallX { .. } => return Err(Fault::new(Code::BadInsn, "unknown opcode 8d")),
            Insn::Exit => {
                self.jumps += 1;
                return self.exit();
            }
        }
        Ok(next)
    }

    /// Where the jump at hand goes.
    pub fn target(&self) -> u32 {
        self.program.jump_target(InsnId(self.insn)).expect("jumps land on instructions").0
    }

    fn load_pseudo(&mut self, dst: R, value: Pseudo) -> Checked {
        let at = |index: i32| MapRef { map: MapIdx(index as u32), inner: false };
        let reg = match value {
            Pseudo::MapFd(index) | Pseudo::MapIdx(index) => Reg::pointer(Kind::Map(at(index))),
            Pseudo::MapValue { fd: index, off } | Pseudo::MapIdxValue { idx: index, off } => {
                Reg { off, ..Reg::pointer(Kind::MapValue(at(index))) }
            }
            Pseudo::Func(_) => {
                let callee = self.program.callee(InsnId(self.insn)).expect("functions start where they are named");
                if self.is_global(callee) {
                    return Err(Fault::new(Code::CallbackContract, "callback function not static"));
                }
                Reg::pointer(Kind::Func(callee))
            }
            Pseudo::BtfVar { .. } => return Err(Fault::unsupported("kernel variables")),
        };
        self.set(dst, reg);
        Ok(())
    }

    /// A path has ended: the states it came from have one branch less.
    fn end_path(&mut self) -> Checked {
        self.stack_live.settle(&self.shape);
        let mut at = self.cur.parent;
        while let Some(id) = at {
            let node = self.nodes.get_mut(id);
            node.branches -= 1;
            if node.branches > 0 {
                break;
            }
            at = node.path.parent;
            self.leave_loop(id)?;
            self.forget_unlisted(id);
        }
        Ok(())
    }

    /// Whether so many frames and one more are allowed.
    pub fn check_frames(depth: usize) -> Checked {
        if depth < MAX_FRAMES {
            return Ok(());
        }
        Err(Fault::new(Code::CallDepth, format!("the call stack of {} frames is too deep", depth + 1)))
    }

    /// Follows another branch later, from what is known now.
    pub fn push(&mut self, insn: u32) -> Checked<&mut State> {
        if self.pending.len() > MAX_PENDING {
            let text = format!("The sequence of {} jumps is too complex.", self.pending.len());
            return Err(Fault::new(Code::TooManyStates, text));
        }
        if let Some(parent) = self.cur.parent {
            self.nodes.get_mut(parent).branches += 1;
        }
        self.pending.push(Pending { path: self.cur.clone(), insn, from: self.insn });
        Ok(&mut self.pending.last_mut().expect("just pushed").path.state)
    }

    /// The history's entry for the instruction at hand.
    pub fn step(&mut self) -> &mut Step {
        if !std::mem::replace(&mut self.stepped, true) {
            self.cur.history.push(Step::new(self.insn, self.from));
        }
        self.cur.history.last_mut().expect("just pushed")
    }

    /// A name that nothing has yet.
    pub fn new_id(&mut self) -> Id {
        self.ids += 1;
        self.ids
    }

    pub fn reg(&self, reg: R) -> &Reg {
        self.cur.state.reg(reg)
    }

    pub fn reg_mut(&mut self, reg: R) -> &mut Reg {
        self.cur.state.reg_mut(reg)
    }

    /// Sets a register; without privileges every number is followed precisely.
    pub fn set(&mut self, reg: R, mut value: Reg) {
        value.precise |= value.is_scalar() && !self.options.caps.bpf;
        *self.reg_mut(reg) = value;
    }

    /// Sets a register to an unknown number.
    pub fn set_unknown(&mut self, reg: R) {
        self.set(reg, Reg::UNKNOWN);
    }

    /// A register that is read: it must have been written.
    pub fn read(&self, reg: R) -> Checked<&Reg> {
        let value = self.reg(reg);
        match value.kind {
            Kind::NotInit => Err(Fault::new(Code::UninitRegister, format!("R{} !read_ok", reg as u8))),
            _ => Ok(value),
        }
    }

    /// An operand that is read; immediates are sign-extended, or cut to 32 bits.
    pub fn operand(&self, src: Operand, width: Width) -> Checked<Reg> {
        match src {
            Operand::Reg(reg) => self.read(reg).copied(),
            Operand::Imm(imm) => Ok(Reg::constant(match width {
                Width::W64 => imm as i64 as u64,
                Width::W32 => u64::from(imm as u32),
            })),
        }
    }

    /// Whether a register holds a pointer that the program must not show.
    pub fn secret(&self, reg: &Reg) -> bool {
        !self.options.caps.perfmon && reg.is_pointer()
    }

    pub fn prog_type(&self) -> ProgType {
        self.program.prog_type()
    }

    /// The slot of an instruction, as messages count.
    pub fn slot(&self, insn: u32) -> u32 {
        self.program.slot(InsnId(insn)).0
    }

    /// A fault with its place, what was known there, and how it was got to.
    fn placed(&self, mut fault: Box<Fault>) -> Box<Fault> {
        let at = *fault.insn.get_or_insert(InsnId(self.insn));
        fault.code = fault.code.at(&self.program.insns()[at.index()]);
        fault.frames = self.cur.state.frames.clone();
        let mut steps: Vec<_> = self.cur.history.iter().rev().collect();
        let mut at = self.cur.parent;
        while let Some(id) = at {
            let node = self.nodes.get(id);
            steps.extend(node.path.history.iter().rev());
            at = node.path.parent;
        }
        let came = steps.iter().rev().filter(|step| step.from != START && step.from != step.insn);
        fault.path = came.map(|step| (InsnId(step.from), InsnId(step.insn))).collect();
        fault
    }

    /// One line of the log: the instruction that is about to be done.
    fn trace(&mut self) {
        let state = crate::text::frame(self.unit, &self.cur.state, self.live[self.insn as usize]);
        let _ = writeln!(self.log, "{}: {state}", self.slot(self.insn));
    }
}

/// What is known where a program starts: the context in r1.
pub(crate) fn entry() -> State {
    let mut frame = Frame::new(FuncIdx(0), NO_CALLSITE, 0);
    *frame.reg_mut(R::R1) = Reg::pointer(Kind::Ctx);
    State::starting(frame)
}
