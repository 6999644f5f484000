//! Helpers that change what stands beside the packet: its hash and its type.

use oxbpf_abi::errno::EINVAL;

use super::args::{Args, Result, ctx_arg, fail};
use crate::vm::Vm;

/// The hash as it is known; else one of the flow, the same for both directions.
pub(super) fn get_hash_recalc(vm: &mut Vm, [ctx, ..]: Args) -> Result {
    ctx_arg(vm, "get_hash_recalc", ctx)?;
    if !vm.meta().hash_known {
        let protocol = u16::from_be(vm.skb().protocol as u16);
        let hash = vm.with_packet(|view| view.flow_hash(protocol))?;
        set_known(vm, hash);
    }
    Ok(vm.skb().hash.into())
}

pub(super) fn set_hash(vm: &mut Vm, [ctx, hash, ..]: Args) -> Result {
    ctx_arg(vm, "set_hash", ctx)?;
    set_known(vm, hash as u32);
    Ok(0)
}

fn set_known(vm: &mut Vm, hash: u32) {
    vm.skb_mut().hash = hash;
    vm.meta_mut().hash_known = true;
}

pub(super) fn set_hash_invalid(vm: &mut Vm, [ctx, ..]: Args) -> Result {
    ctx_arg(vm, "set_hash_invalid", ctx)?;
    forget_hash(vm);
    Ok(0)
}

/// What follows where the packet's flow may have become another.
pub(super) fn forget_hash(vm: &mut Vm) {
    vm.skb_mut().hash = 0;
    vm.meta_mut().hash_known = false;
}

/// `PACKET_OTHERHOST`, the last type that a packet may be given, and may have.
const MAX_TYPE: u32 = 3;

pub(super) fn skb_change_type(vm: &mut Vm, [ctx, to, ..]: Args) -> Result {
    ctx_arg(vm, "skb_change_type", ctx)?;
    let to = to as u32;
    if to > MAX_TYPE || vm.skb().pkt_type > MAX_TYPE {
        return fail(EINVAL);
    }
    vm.skb_mut().pkt_type = to;
    Ok(0)
}
