//! The loop: one `match` over operations.

use oxbpf_ir::{Check, Code, CodeFunc, Op, ProgIdx, RegionClass, Src, Target, VReg};
use oxbpf_isa::{AluOp, MemSize, Narrow, sign_extend};
use oxbpf_runtime::{MAX_CALL_DEPTH, MAX_FRAMES, TrapKind, Vm};

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

/// Where a run goes after an operation.
enum Flow {
    Next,
    To(usize),
    Return(u64),
}

type Step = Result<Flow, TrapKind>;

/// Runs a program from its entry; returns r0.
pub(crate) fn run(vm: &mut Vm, programs: &[Loaded], entry: ProgIdx) -> Result<u64, Stop> {
    let code = &programs[entry.index()].code;
    let frames = Vec::new();
    let mut machine =
        Machine { vm, programs, program: entry, code, regs: [0; 11], frames, may_goto: MAY_GOTO_BUDGET, depth: 1 };
    machine.start_program();
    machine.run()
}

impl Machine<'_> {
    fn run(mut self) -> Result<u64, Stop> {
        let mut pc = 0;
        loop {
            match self.step(pc) {
                Ok(Flow::Next) => pc += 1,
                Ok(Flow::To(op)) => pc = op,
                Ok(Flow::Return(r0)) => return Ok(r0),
                Err(kind) => return Err(Stop { kind, program: self.program, op: pc }),
            }
        }
    }

    #[inline(always)]
    fn step(&mut self, pc: usize) -> Step {
        match self.code.ops()[pc] {
            Op::Charge { insns } => self.vm.charge(insns.into()).map(|()| Flow::Next),
            Op::Alu { op, width, dst, a, b } => self.set(dst, op.eval(width, self.get(a), self.src(b))),
            Op::Neg { width, dst, a } => self.set(dst, AluOp::Sub.eval(width, 0, self.get(a))),
            Op::MovSx { op, dst, a } => self.set(dst, op.eval(self.get(a))),
            Op::Endian { op, dst, a } => self.set(dst, op.eval(self.get(a))),
            Op::Const { dst, value } => self.set(dst, value),
            Op::MapHandle { dst, map } => self.set(dst, self.vm.map_handle(map)),
            Op::MapValue { dst, map, off } => {
                let addr = self.vm.map_value(map, off)?;
                self.set(dst, addr)
            }
            Op::FuncHandle { dst, func } => self.set(dst, self.vm.func_handle(func)),
            Op::Load { size, dst, base, off, check } => {
                let value = load(self.vm, self.addr(base, off), size, check)?;
                self.set(dst, value)
            }
            Op::LoadSx { size, dst, base, off, check } => {
                let value = load(self.vm, self.addr(base, off), size.size(), check)?;
                self.set(dst, sign_extend(value, size.size().bytes() * 8))
            }
            Op::Store { size, base, off, src, check } => {
                let (addr, value) = (self.addr(base, off), self.src(src));
                store(self.vm, addr, size, value, matches!(src, Src::Imm(_)), check).map(|()| Flow::Next)
            }
            Op::Atomic { op, width, base, off, src, fetch } => {
                let old = self.vm.atomic(op, width, self.addr(base, off), self.get(src), self.get(VReg::RESULT))?;
                match fetch {
                    Some(v) => self.set(v, old),
                    None => Ok(Flow::Next),
                }
            }
            Op::LoadAcquire { size, dst, base, off } => {
                let value = self.vm.memory().load_acquire(self.addr(base, off), size)?;
                self.set(dst, value)
            }
            Op::StoreRelease { size, base, off, src } => {
                self.vm.memory().store_release(self.addr(base, off), size, self.get(src)).map(|()| Flow::Next)
            }
            Op::Legacy { size, index, imm } => self.legacy(size, index, imm),
            Op::Jump { to } => Ok(go(to)),
            Op::Branch { cond, width, a, b, to } => {
                Ok(if cond.eval(width, self.get(a), self.src(b)) { go(to) } else { Flow::Next })
            }
            Op::MayGoto { to } => match self.may_goto.checked_sub(1) {
                Some(left) => {
                    self.may_goto = left;
                    Ok(Flow::Next)
                }
                None => Ok(go(to)),
            },
            Op::Helper { id } => self.helper(id),
            Op::HelperIn { id } => {
                // What is wider than a number of a helper is none.
                self.helper(self.get(id).try_into().unwrap_or(u32::MAX))
            }
            Op::Call { func } => self.call(pc + 1, &self.code.funcs()[func.index()]),
            Op::CallHandle { func, helper } => self.call_back(pc + 1, self.get(func), helper),
            Op::TailCall => self.tail_call(),
            Op::Exit => Ok(self.exit(self.get(VReg::RESULT))),
            Op::Unsupported { what } => Err(TrapKind::Unsupported { what: what.to_string() }),
        }
    }

    #[inline(always)]
    fn helper(&mut self, id: u32) -> Step {
        let [_, r1, r2, r3, r4, r5, ..] = self.regs;
        let r0 = self.vm.call_helper(id, [r1, r2, r3, r4, r5])?;
        Ok(self.answer(r0))
    }

    #[inline(always)]
    fn get(&self, v: VReg) -> u64 {
        self.regs[v.index()]
    }

    #[inline(always)]
    fn set(&mut self, v: VReg, value: u64) -> Step {
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

    /// What a call leaves: r0, and zero in r1 to r5 (see [`Code`]).
    #[inline(always)]
    fn answer(&mut self, r0: u64) -> Flow {
        self.regs[1..6].fill(0);
        self.regs[VReg::RESULT.index()] = r0;
        Flow::Next
    }

    /// What a program finds when it is entered: the context, a zeroed frame, and zero everywhere else.
    fn start_program(&mut self) {
        self.depth = 1;
        self.may_goto = MAY_GOTO_BUDGET;
        self.regs = [0; 11];
        self.regs[1] = self.vm.context_addr();
        self.regs[VReg::FP.index()] = self.vm.enter_frame(self.frames.len() as u32);
    }

    /// Enters a function of this program: the caller's registers are kept, the callee gets a fresh frame.
    fn call(&mut self, resume: usize, callee: &CodeFunc) -> Step {
        // A builtin function stands for a helper: it calls functions that count, and none calls it but those.
        let counts = u32::from(!callee.builtin);
        if self.depth + counts > MAX_CALL_DEPTH {
            return Err(TrapKind::CallDepth { limit: MAX_CALL_DEPTH });
        }
        let [.., r6, r7, r8, r9, fp] = self.regs;
        let saved = [r6, r7, r8, r9];
        let Machine { program, may_goto, depth, .. } = *self;
        self.frames.push(Frame { program, resume, saved, fp, may_goto, depth });
        self.depth += counts;
        self.may_goto = MAY_GOTO_BUDGET;
        let frame = self.frames.len() as u32;
        debug_assert!(frame < MAX_FRAMES, "tail calls and call depth bound the frames");
        self.regs[VReg::FP.index()] = self.vm.enter_frame(frame);
        Ok(Flow::To(callee.ops.start as usize))
    }

    /// Enters a function of this program by its handle, for a helper that calls back.
    fn call_back(&mut self, resume: usize, handle: u64, helper: u32) -> Step {
        let funcs = self.code.funcs();
        let name = || oxbpf_abi::helper_by_id(helper).map_or("unknown", |h| h.name);
        if self.vm.holds_lock() {
            return Err(TrapKind::UnderLock { helper: name() });
        }
        match self.vm.func_of_handle(handle, funcs.len()).map(|f| &funcs[f.index()]).filter(|f| !f.builtin) {
            Some(callee) => self.call(resume, callee),
            None => {
                let helper = name();
                Err(TrapKind::HelperArg { helper, reg: 2, wanted: "a function" })
            }
        }
    }

    /// Leaves a function: back to its caller, or out of the run.
    fn exit(&mut self, r0: u64) -> Flow {
        let Some(frame) = self.frames.pop() else { return Flow::Return(r0) };
        self.program = frame.program;
        self.code = &self.programs[frame.program.index()].code;
        self.answer(r0);
        self.regs[6..10].copy_from_slice(&frame.saved);
        self.regs[VReg::FP.index()] = frame.fp;
        self.may_goto = frame.may_goto;
        self.depth = frame.depth;
        Flow::To(frame.resume)
    }

    /// Goes on in another program, in this function's frame; its exit returns to this function's caller.
    fn tail_call(&mut self) -> Step {
        let [_, r1, r2, r3, ..] = self.regs;
        let target = self.vm.tail_call(r1, r2, r3)?;
        match target.and_then(|p| self.programs.get(p.index()).map(|loaded| (p, loaded))) {
            // The kernel leaves r0 undefined here; ours is zero.
            None => Ok(self.answer(0)),
            Some((program, loaded)) => {
                self.program = program;
                self.code = &loaded.code;
                self.start_program();
                Ok(Flow::To(0))
            }
        }
    }

    /// A legacy packet load; out of range it leaves the function with 0.
    fn legacy(&mut self, size: Narrow, index: Option<VReg>, imm: i32) -> Step {
        let index = index.map_or(0, |v| self.get(v));
        let off = (index as i32).wrapping_add(imm);
        match self.vm.legacy_load(size, off, self.get(VReg::LEGACY_CTX))? {
            Some(value) => Ok(self.answer(value)),
            None => Ok(self.exit(0)),
        }
    }
}

fn go(to: Target) -> Flow {
    Flow::To(to.0 as usize)
}

#[inline(always)]
fn load(vm: &Vm, addr: u64, size: MemSize, check: Check) -> Result<u64, TrapKind> {
    match check {
        Check::Full => vm.load(addr, size),
        Check::Proven(class) => load_proven(vm, addr, size, class),
    }
}

#[inline(always)]
fn store(vm: &mut Vm, addr: u64, size: MemSize, value: u64, immediate: bool, check: Check) -> Result<(), TrapKind> {
    match check {
        Check::Full => vm.store(addr, size, value, immediate),
        Check::Proven(class) => store_proven(vm, addr, size, value, immediate, class),
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
fn store_proven(
    vm: &mut Vm,
    addr: u64,
    size: MemSize,
    value: u64,
    immediate: bool,
    class: RegionClass,
) -> Result<(), TrapKind> {
    // SAFETY: as in `load_proven`.
    unsafe { vm.store_proven(addr, size, value, immediate, class) }
}
