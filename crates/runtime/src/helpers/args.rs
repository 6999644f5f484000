//! What helpers' arguments mean, and how helpers answer.

use crate::trap::TrapKind;
use crate::vm::Vm;

pub(super) type Result<T = u64> = std::result::Result<T, TrapKind>;
pub(super) type Args = [u64; 5];

/// The answer of a helper that fails: an error's number, negated in 64 bits.
pub(super) fn fail(errno: i64) -> Result {
    Ok((-errno) as u64)
}

/// 0, or an error's number.
pub(super) fn status(result: std::result::Result<(), i64>) -> Result {
    result.map_or_else(fail, |()| Ok(0))
}

/// A number, or an error's number.
pub(super) fn answer(result: std::result::Result<u64, i64>) -> Result {
    result.map_or_else(fail, Ok)
}

pub(super) fn ctx_arg(vm: &Vm, helper: &'static str, ctx: u64) -> Result<()> {
    if ctx == vm.context_addr() { Ok(()) } else { Err(TrapKind::HelperArg { helper, reg: 1, wanted: "the context" }) }
}

/// A packet offset as helpers take it: 32 bits, of which the upper half of the range is an error.
pub(super) fn packet_offset(off: u64) -> Option<usize> {
    i32::try_from(off as u32).ok().map(|o| o as usize)
}
