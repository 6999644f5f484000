//! Helpers of this toolchain's own, which migrated classic programs call.

use super::args::{Args, Result, ctx_arg};
use crate::vm::Vm;

/// The host's protocol of the packet.
fn protocol(vm: &Vm) -> u16 {
    u16::from_be(vm.skb().protocol as u16)
}

pub(super) fn classic_nlattr(vm: &mut Vm, [ctx, at, kind, ..]: Args) -> Result {
    ctx_arg(vm, "classic_nlattr", ctx)?;
    vm.with_packet(|view| view.nlattr(at as u32, kind as u32).into())
}

pub(super) fn classic_nlattr_nest(vm: &mut Vm, [ctx, at, kind, ..]: Args) -> Result {
    ctx_arg(vm, "classic_nlattr_nest", ctx)?;
    vm.with_packet(|view| view.nlattr_nest(at as u32, kind as u32).into())
}

pub(super) fn classic_pay_offset(vm: &mut Vm, [ctx, ..]: Args) -> Result {
    ctx_arg(vm, "classic_pay_offset", ctx)?;
    let protocol = protocol(vm);
    vm.with_packet(|view| view.payload_offset(protocol).into())
}

pub(super) fn classic_hatype(vm: &mut Vm, [ctx, ..]: Args) -> Result {
    ctx_arg(vm, "classic_hatype", ctx)?;
    Ok(u64::from(vm.skb().hatype as u16))
}
