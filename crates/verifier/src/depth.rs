//! How deep the stack gets over nested calls.

use std::collections::HashMap;

use oxbpf_abi::TAIL_CALL;
use oxbpf_ir::{FuncIdx, InsnId, Program};
use oxbpf_isa::{CallTarget, Insn};

use crate::code::Code;
use crate::report::{Checked, Fault};
use crate::state::MAX_FRAMES;

const MAX_STACK: u32 = 512;
/// With so much stack above it a subprogram may not tail-call: 33 of them must fit.
const TAIL_CALL_STACK: u32 = 256;

/// Checks that the frames of nested calls fit.
pub(crate) fn check_depth(program: &Program, stack: &[u32]) -> Checked {
    let mut walk = Walk { program, stack, seen: HashMap::new() };
    walk.enter(FuncIdx(0), 0, 0)
}

struct Walk<'a> {
    program: &'a Program,
    stack: &'a [u32],
    /// The most stack that was above a function, by it and the number of frames.
    seen: HashMap<(FuncIdx, u32), u32>,
}

impl Walk<'_> {
    fn enter(&mut self, func: FuncIdx, frames: u32, above: u32) -> Checked {
        if frames as usize >= MAX_FRAMES {
            let text = format!("the call stack of {} frames is too deep !", frames + 1);
            return Err(Fault::new(Code::CallDepth, text));
        }
        if self.seen.get(&(func, frames)).is_some_and(|most| *most >= above) {
            return Ok(());
        }
        self.seen.insert((func, frames), above);
        let function = &self.program.functions()[func.index()];
        let body = function.insns.start..function.insns.end;
        let insn = |i: u32| &self.program.insns()[i as usize];
        let tail_call = Insn::Call(CallTarget::Helper(TAIL_CALL.cast_signed()));
        let tail_calls = body.clone().any(|i| *insn(i) == tail_call);
        if frames > 0 && tail_calls && above >= TAIL_CALL_STACK {
            let text =
                format!("tail_calls are not allowed when call stack of previous frames is {above} bytes. Too large");
            return Err(Fault::new(Code::StackTooDeep, text));
        }
        let depth = above + self.stack[func.index()].next_multiple_of(16);
        if depth > MAX_STACK {
            let text = format!("combined stack size of {} calls is {depth}. Too large", frames + 1);
            return Err(Fault::new(Code::StackTooDeep, text));
        }
        for i in body {
            if let Some(callee) = self.program.callee(InsnId(i)) {
                self.enter(callee, frames + 1, depth)?;
            }
        }
        Ok(())
    }
}
