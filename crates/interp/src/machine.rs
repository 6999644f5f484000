//! The loop: one `match` over operations.

use oxbpf_ir::{Check, Code, Op, ProgIdx, RegionClass, Src, Target, VReg};
use oxbpf_isa::{MemSize, Narrow};
use oxbpf_runtime::{MAX_FRAMES, TrapKind, Vm};

use crate::instance::Loaded;

/// Where and why a run stopped.
pub(crate) struct Stop {
    pub(crate) kind: TrapKind,
    pub(crate) program: ProgIdx,
    pub(crate) op: usize,
}

/// Loop iterations that `may_goto` allows a frame: the kernel's `BPF_MAX_LOOPS`.
const MAY_GOTO_BUDGET: u32 = 8 << 20;

/// A caller's state, kept while a function of its program runs.
#[derive(Clone, Copy)]
struct Frame {
    program: ProgIdx,
    /// The operation to go on with.
    resume: usize,
    /// v6 to v9.
    saved: [u64; 4],
    fp: u64,
    may_goto: u32,
    depth: u32,
}

/// The running function's state.
struct Machine<'a> {
    vm: &'a mut Vm,
    programs: &'a [Loaded],
    program: ProgIdx,
    code: &'a Code,
    regs: [u64; 11],
    frames: Vec<Frame>,
    may_goto: u32,
    /// Active functions of the current program: the kernel's limit counts them, not all frames.
    depth: u32,
}

/// What an operation does to control.
enum Flow {
    Next,
    To(Target),
    Return(u64),
}

/// Runs a program from its entry; returns r0.
pub(crate) fn run(vm: &mut Vm, programs: &[Loaded], entry: ProgIdx) -> Result<u64, Stop> {
    let code = &programs[entry.index()].code;
    let mut machine = Machine {
        regs: [0; 11],
        frames: Vec::new(),
        may_goto: MAY_GOTO_BUDGET,
        depth: 1,
        program: entry,
        code,
        programs,
        vm,
    };
    machine.regs[1] = machine.vm.context_addr();
    machine.regs[10] = machine.vm.enter_frame(0);
    machine.run()
}

impl Machine<'_> {
    fn run(mut self) -> Result<u64, Stop> {
        let mut pc = 0;
        loop {
            let op = &self.code.ops()[pc];
            let flow = match op {
                Op::Call { func } => self.call(pc + 1).map(|()| Flow::To(self.entry_of(func.index()))),
                Op::TailCall => self.tail_call(),
                Op::Exit => Ok(self.exit(self.get(VReg::RESULT), &mut pc)),
                Op::Legacy { size, index, imm } => self.legacy(*size, *index, *imm, &mut pc),
                op => self.simple(op),
            };
            match flow {
                Ok(Flow::Next) => pc += 1,
                Ok(Flow::To(target)) => pc = target.0 as usize,
                Ok(Flow::Return(r0)) => return Ok(r0),
                Err(kind) => return Err(Stop { kind, program: self.program, op: pc }),
            }
        }
    }

    #[inline(always)]
    fn get(&self, v: VReg) -> u64 {
        self.regs[v.index()]
    }

    #[inline(always)]
    fn set(&mut self, v: VReg, value: u64) -> Result<Flow, TrapKind> {
        self.regs[v.index()] = value;
        Ok(Flow::Next)
    }

    #[inline(always)]
    fn src(&self, src: Src) -> u64 {
        match src {
            Src::Reg(v) => self.get(v),
            Src::Imm(imm) => imm as i64 as u64,
        }
    }

    #[inline(always)]
    fn addr(&self, base: VReg, off: i16) -> u64 {
        self.get(base).wrapping_add(off as i64 as u64)
    }

    /// Operations that stay in their function.
    #[inline(always)]
    fn simple(&mut self, op: &Op) -> Result<Flow, TrapKind> {
        match *op {
            Op::Charge { insns } => self.vm.charge(insns).map(|()| Flow::Next),
            Op::Alu { op, width, dst, a, b } => self.set(dst, op.eval(width, self.get(a), self.src(b))),
            Op::Neg { width, dst, a } => self.set(dst, oxbpf_isa::AluOp::Sub.eval(width, 0, self.get(a))),
            Op::MovSx { op, dst, a } => self.set(dst, op.eval(self.get(a))),
            Op::Endian { op, dst, a } => self.set(dst, op.eval(self.get(a))),
            Op::Const { dst, value } => self.set(dst, value),
            Op::MapHandle { dst, map } => self.set(dst, self.vm.map_handle(map)),
            Op::MapValue { dst, map, off } => {
                let addr = self.vm.map_value(map, off)?;
                self.set(dst, addr)
            }
            Op::FuncHandle { .. } => Err(TrapKind::Unsupported { what: "a callback".into() }),
            Op::Load { size, dst, base, off, check } => {
                let value = load(self.vm, self.addr(base, off), size, check)?;
                self.set(dst, value)
            }
            Op::LoadSx { size, dst, base, off, check } => {
                let value = load(self.vm, self.addr(base, off), size.size(), check)?;
                self.set(dst, oxbpf_isa::sign_extend(value, size.size().bytes() * 8))
            }
            Op::Store { size, base, off, src, check } => {
                let addr = self.addr(base, off);
                match (src, check) {
                    // Of the context, an immediate may be stored otherwise than a register.
                    (Src::Imm(imm), Check::Full | Check::Proven(RegionClass::Context)) => {
                        self.vm.store_imm(addr, size, imm)?;
                    }
                    _ => store(self.vm, addr, size, self.src(src), check)?,
                }
                Ok(Flow::Next)
            }
            Op::Atomic { op, width, base, off, src, fetch, .. } => {
                let old = self.vm.atomic(op, width, self.addr(base, off), self.get(src), self.get(VReg::RESULT))?;
                match fetch {
                    Some(v) => self.set(v, old),
                    None => Ok(Flow::Next),
                }
            }
            Op::LoadAcquire { size, dst, base, off, .. } => {
                let value = self.vm.memory().load_acquire(self.addr(base, off), size)?;
                self.set(dst, value)
            }
            Op::StoreRelease { size, base, off, src, .. } => {
                self.vm.memory().store_release(self.addr(base, off), size, self.get(src)).map(|()| Flow::Next)
            }
            Op::Jump { to } => Ok(Flow::To(to)),
            Op::Branch { cond, width, a, b, to } => {
                Ok(if cond.eval(width, self.get(a), self.src(b)) { Flow::To(to) } else { Flow::Next })
            }
            Op::MayGoto { to } => match self.may_goto.checked_sub(1) {
                Some(left) => {
                    self.may_goto = left;
                    Ok(Flow::Next)
                }
                None => Ok(Flow::To(to)),
            },
            Op::Helper { id } => {
                let [_, r1, r2, r3, r4, r5, ..] = self.regs;
                let r0 = self.vm.call_helper(id, [r1, r2, r3, r4, r5])?;
                self.set(VReg::RESULT, r0)
            }
            Op::Unsupported { what } => Err(TrapKind::Unsupported { what: what.to_string() }),
            // `run` takes these itself.
            Op::Call { .. } | Op::TailCall | Op::Exit | Op::Legacy { .. } => Ok(Flow::Next),
        }
    }

    fn entry_of(&self, func: usize) -> Target {
        Target(self.code.funcs()[func].ops.start)
    }

    /// Enters a function of this program: the caller's registers are kept, the callee gets a fresh frame.
    fn call(&mut self, resume: usize) -> Result<(), TrapKind> {
        const LIMIT: u32 = 8;
        if self.depth == LIMIT {
            return Err(TrapKind::CallDepth { limit: LIMIT });
        }
        let [.., r6, r7, r8, r9, fp] = self.regs;
        self.frames.push(Frame {
            program: self.program,
            resume,
            saved: [r6, r7, r8, r9],
            fp,
            may_goto: self.may_goto,
            depth: self.depth,
        });
        self.depth += 1;
        self.may_goto = MAY_GOTO_BUDGET;
        let frame = self.frames.len() as u32;
        debug_assert!(frame < MAX_FRAMES, "tail calls and call depth bound the frames");
        self.regs[VReg::FP.index()] = self.vm.enter_frame(frame);
        Ok(())
    }

    /// Leaves a function: back to its caller, or out of the run.
    fn exit(&mut self, r0: u64, pc: &mut usize) -> Flow {
        let Some(frame) = self.frames.pop() else { return Flow::Return(r0) };
        self.program = frame.program;
        self.code = &self.programs[frame.program.index()].code;
        self.regs[6..10].copy_from_slice(&frame.saved);
        self.regs[VReg::FP.index()] = frame.fp;
        self.regs[0] = r0;
        self.may_goto = frame.may_goto;
        self.depth = frame.depth;
        // The caller's loop adds one: it goes on behind the call.
        *pc = frame.resume - 1;
        Flow::Next
    }

    /// Goes on in another program, in this function's frame; its exit returns to this function's caller.
    fn tail_call(&mut self) -> Result<Flow, TrapKind> {
        let [_, r1, r2, r3, ..] = self.regs;
        match self.vm.tail_call(r1, r2, r3)? {
            // The kernel leaves r0 undefined here; ours is zero.
            None => self.set(VReg::RESULT, 0),
            Some(program) => {
                self.program = program;
                self.code = &self.programs[program.index()].code;
                self.depth = 1;
                self.may_goto = MAY_GOTO_BUDGET;
                self.regs = [0; 11];
                self.regs[1] = self.vm.context_addr();
                self.regs[10] = self.vm.enter_frame(self.frames.len() as u32);
                Ok(Flow::To(Target(0)))
            }
        }
    }

    /// A legacy packet load; out of range it leaves the function with 0.
    fn legacy(&mut self, size: Narrow, index: Option<VReg>, imm: i32, pc: &mut usize) -> Result<Flow, TrapKind> {
        let index = index.map_or(0, |v| self.get(v));
        let off = (index as i32).wrapping_add(imm);
        match self.vm.legacy_load(size, off, self.get(VReg::LEGACY_CTX))? {
            Some(value) => self.set(VReg::RESULT, value),
            None => Ok(self.exit(0, pc)),
        }
    }
}

#[inline(always)]
fn load(vm: &Vm, addr: u64, size: MemSize, check: Check) -> Result<u64, TrapKind> {
    match check {
        Check::Full => vm.load(addr, size),
        Check::Proven(class) => load_proven(vm, addr, size, class),
    }
}

#[inline(always)]
fn store(vm: &mut Vm, addr: u64, size: MemSize, value: u64, check: Check) -> Result<(), TrapKind> {
    match check {
        Check::Full => vm.store(addr, size, value),
        Check::Proven(class) => store_proven(vm, addr, size, value, class),
    }
}

#[inline(always)]
#[allow(unsafe_code)]
fn load_proven(vm: &Vm, addr: u64, size: MemSize, class: RegionClass) -> Result<u64, TrapKind> {
    // SAFETY: the check is absent because a fact of the vetted program holds at every visit of this operation.
    unsafe { vm.load_proven(addr, size, class) }
}

#[inline(always)]
#[allow(unsafe_code)]
fn store_proven(vm: &mut Vm, addr: u64, size: MemSize, value: u64, class: RegionClass) -> Result<(), TrapKind> {
    // SAFETY: as in `load_proven`.
    unsafe { vm.store_proven(addr, size, value, class) }
}
