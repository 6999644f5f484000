//! Helpers that call functions of the program: the function is followed as if it were called again and again.

use oxbpf_isa::Reg as R;

use crate::call::{Call, LOOP};
use crate::code::Code;
use crate::explore::Explorer;
use crate::reg::{Kind, Reg};
use crate::report::{Checked, Fault};
use crate::state::{Callback, Frame};

impl Explorer<'_> {
    /// Goes through `for_each_map_elem`.
    pub(super) fn each_element(&mut self, call: &Call) -> Checked {
        self.check_walked(call)?;
        let Some(map) = call.map else { return Ok(()) };
        let given = |caller: &Frame, frame: &mut Frame| {
            frame.regs[1] = *caller.reg(R::R1);
            frame.regs[2] = Reg::pointer(Kind::MapKey(map));
            frame.regs[3] = Reg { map_uid: call.map_uid, ..Reg::pointer(Kind::MapValue(map)) };
            frame.regs[4] = *caller.reg(R::R3);
        };
        self.call_back(call, given)
    }

    /// Goes through `loop`, as often as it may run.
    pub(super) fn each_round(&mut self, call: &Call) -> Checked {
        if !self.reg(R::R1).is_scalar() {
            // The kernel takes any value for the count, and then fails to see where it comes from.
            return Err(Fault::new(Code::ArgumentType, "verifier bug: backtracking misuse"));
        }
        self.mark_precise(R::R1);
        let rounds = self.reg(R::R1).num.umax;
        let frame = self.cur.state.frame_mut();
        if u64::from(frame.callback_depth) >= rounds {
            frame.callback_depth = 0;
            return Ok(());
        }
        self.call_back(call, |caller, frame| {
            frame.regs[1] = Reg::UNKNOWN;
            frame.regs[2] = *caller.reg(R::R3);
        })
    }

    /// Follows the function later, from what is known now; the walk goes on behind the call.
    fn call_back(&mut self, call: &Call, given: impl FnOnce(&Frame, &mut Frame)) -> Checked {
        let Some(func) = call.func else { return Ok(()) };
        let (first, callsite) = (self.program.functions()[func.index()].insns.start, self.insn);
        let precise = !self.options.caps.bpf;
        let helper = call.proto.id;
        let state = self.push(first)?;
        let depth = state.frames.len();
        Self::check_frames(depth)?;
        let mut frame = Frame::new(func, callsite, depth as u8);
        frame.callback = Some(Callback { helper, returns: (0, 1) });
        given(state.frame(), &mut frame);
        frame.regs[1].precise |= precise && helper == LOOP;
        state.callback_unroll_depth += 1;
        state.frame_mut().callback_depth += 1;
        state.frames.push(frame);
        self.cur.state.frame_mut().callback_depth = 0;
        Ok(())
    }
}
