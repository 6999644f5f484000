//! Calls of the program's own functions, and the ends of functions.

use oxbpf_abi::ProgType;
use oxbpf_ir::{FuncIdx, InsnId};
use oxbpf_isa::{CallTarget, Reg as R};

use crate::call::SPIN_UNLOCK;
use crate::code::Code;
use crate::explore::{Explorer, Flow};
use crate::prune::widen;
use crate::reg::{Kind, Reg};
use crate::report::{Checked, Fault};
use crate::state::{Callback, Frame, Held};

/// `BPF_CGROUP_INET_EGRESS`.
const CGROUP_EGRESS: u32 = 1;

const CALLER_SAVED: [R; 6] = [R::R0, R::R1, R::R2, R::R3, R::R4, R::R5];

impl Explorer<'_> {
    pub(crate) fn call(&mut self, target: CallTarget) -> Checked<Flow> {
        if self.cur.state.locked() {
            let unlock = matches!(target, CallTarget::Helper(id) if id.cast_unsigned() == SPIN_UNLOCK);
            if !unlock && !matches!(target, CallTarget::Local(_)) {
                let text = "function calls are not allowed while holding a lock";
                return Err(Fault::new(Code::LockedCall, text));
            }
        }
        match target {
            CallTarget::Helper(id) => self.call_helper(id),
            CallTarget::Kfunc { .. } => Err(Fault::unsupported("kernel functions")),
            CallTarget::Local(_) => {
                let callee = self.program.callee(InsnId(self.insn)).expect("functions start where they are called");
                if self.is_global(callee) {
                    self.call_global(callee)?;
                    return Ok(Flow::To(self.insn + 1));
                }
                self.enter(callee)?;
                Ok(Flow::To(self.program.functions()[callee.index()].insns.start))
            }
        }
    }

    /// Enters a function with the caller's arguments.
    fn enter(&mut self, func: FuncIdx) -> Checked {
        let depth = self.cur.state.frames.len();
        Self::check_frames(depth)?;
        let mut frame = Frame::new(func, self.insn, depth as u8);
        frame.regs[1..6].copy_from_slice(&self.cur.state.frame().regs[1..6]);
        self.clobber();
        self.cur.state.frames.push(frame);
        self.stack_live.follow(self.program, &self.cur.state);
        Ok(())
    }

    /// A call leaves nothing in r0 to r5.
    pub(crate) fn clobber(&mut self) {
        for reg in CALLER_SAVED {
            *self.reg_mut(reg) = Reg::NOT_INIT;
        }
    }

    pub(crate) fn exit(&mut self) -> Checked<Flow> {
        let outermost = self.cur.state.depth() == 0;
        self.check_nothing_held("BPF_EXIT instruction in main prog", outermost)?;
        if !outermost {
            return self.leave();
        }
        self.check_result()?;
        Ok(Flow::End)
    }

    /// Goes back to the caller: after the call, or to a helper that calls back once more.
    pub(crate) fn leave(&mut self) -> Checked<Flow> {
        let result = *self.reg(R::R0);
        if matches!(result.kind, Kind::Stack(_)) {
            return Err(Fault::new(Code::ReturnPointer, "cannot return stack pointer to the caller"));
        }
        let callee = self.cur.state.frame();
        let (callsite, callback) = (callee.callsite, callee.callback);
        if let Some(Callback { returns, .. }) = callback {
            if !result.is_scalar() {
                return Err(Fault::new(Code::CallbackContract, "R0 not a scalar value"));
            }
            self.mark_precise(R::R0);
            check_range(&result, "At callback return", returns, Code::CallbackContract)?;
        }
        self.stack_live.settle(&self.shape);
        self.cur.state.frames.pop();
        self.stack_live.follow(self.program, &self.cur.state);
        if callback.is_none() {
            *self.reg_mut(R::R0) = result;
            return Ok(Flow::To(callsite + 1));
        }
        let here = std::mem::replace(&mut self.insn, callsite);
        if let Some(earlier) = self.earlier_visit(None) {
            widen(&self.nodes.get(earlier).path.state, &mut self.cur.state);
        }
        self.insn = here;
        Ok(Flow::To(callsite))
    }

    /// What is acquired must have been given back where this would end the program.
    pub(crate) fn check_nothing_held(&mut self, what: &str, locks: bool) -> Checked {
        if locks && self.cur.state.locked() {
            let text = format!("{what} cannot be used inside bpf_spin_lock-ed region");
            return Err(Fault::new(Code::LockMisuse, text));
        }
        if self.cur.state.depth() > 0 {
            return Ok(());
        }
        let held = self.cur.state.refs.iter().filter(|r| r.held == Held::Reference);
        let lines: Vec<_> =
            held.map(|r| format!("Unreleased reference id={} alloc_insn={}\n", r.id, self.slot(r.insn))).collect();
        if lines.is_empty() {
            return Ok(());
        }
        let text = format!("{}{what} would lead to reference leak", lines.concat());
        Err(Fault::new(Code::ReferenceLeak, text))
    }

    /// What the program returns.
    fn check_result(&mut self) -> Checked {
        let result = *self.reg(R::R0);
        if result.kind == Kind::NotInit {
            return Err(Fault::new(Code::ReturnUninit, "R0 !read_ok"));
        }
        if self.secret(&result) {
            return Err(Fault::new(Code::PointerLeak, "R0 leaks addr as return value"));
        }
        let func = self.cur.state.frame().func;
        if func != FuncIdx(0) {
            if !result.is_scalar() {
                let text = format!("At subprogram exit the register R0 is not a scalar value ({})", result.type_name());
                return Err(Fault::new(Code::ReturnPointer, text));
            }
            return Ok(());
        }
        let range = match self.prog_type() {
            ProgType::CgroupSkb if self.options.attach_type == CGROUP_EGRESS => (0, 3),
            ProgType::CgroupSkb => (0, 1),
            _ => return Ok(()),
        };
        if !result.is_scalar() {
            let text = format!("At program exit the register R0 is not a known value ({})", result.type_name());
            return Err(Fault::new(Code::ReturnPointer, text));
        }
        self.mark_precise(R::R0);
        check_range(&result, "At program exit", range, Code::ReturnRange)
    }
}

/// Whether what a function returns is in the range that its caller takes.
fn check_range(reg: &Reg, place: &str, range: (i64, i64), code: Code) -> Checked {
    let (min, max) = (reg.num.smin, reg.num.smax);
    if range.0 <= min && max <= range.1 {
        return Ok(());
    }
    let mut text = format!("{place} the register R0 has");
    if min > i64::MIN {
        text += &format!(" smin={min}");
    }
    if max < i64::MAX {
        text += &format!(" smax={max}");
    }
    if (min, max) == (i64::MIN, i64::MAX) {
        text += " unknown scalar value";
    }
    Err(Fault::new(code, text + &format!(" should have been in [{}, {}]", range.0, range.1)))
}
