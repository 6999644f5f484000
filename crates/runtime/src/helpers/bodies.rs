//! What each helper does. The name is the row's name; the number of a failure is negated into r0.

use super::args::{Args, Result};
use crate::trap::TrapKind;
use crate::vm::Vm;

pub(super) use super::{
    bytes::*, checksum::*, classic::*, ecn::*, fields::*, host::*, maps::*, redirect::*, resize::*, text::*, vlan::*,
    xdp::*,
};

/// Engines take tail calls themselves; reached only by a call that names it where no engine would.
pub(super) fn tail_call(_: &mut Vm, _: Args) -> Result {
    Err(TrapKind::UnknownHelper { id: 12 })
}
