//! Helpers that send the packet, or a copy of it, to another interface.
//!
//! Every interface with a number exists here and is up; where packets go is kept for whoever asks
//! ([`Sent`](crate::Sent)).

use oxbpf_abi::errno::{EBADMSG, EINVAL, ENOMEM};

use super::args::{Args, Result, ctx_arg, fail};
use crate::events::Target;
use crate::trap::Access;
use crate::vm::Vm;

/// `BPF_F_INGRESS`.
const INGRESS: u64 = 1;
/// Verdicts of tc's programs, and of XDP's.
const TC_SHOT: u64 = 2;
const TC_REDIRECT: u64 = 7;
const XDP_ABORTED: u64 = 0;
const XDP_REDIRECT: u64 = 4;
/// The least that `struct bpf_redir_neigh` may have: family and an address.
const NEIGH_SIZE: u32 = 20;

pub(super) fn clone_redirect(vm: &mut Vm, [ctx, ifindex, flags, ..]: Args) -> Result {
    ctx_arg(vm, "clone_redirect", ctx)?;
    let ifindex = ifindex as u32;
    if flags & !INGRESS != 0 {
        return fail(EINVAL);
    }
    // The kernel's test run makes packets that stand for several without saying of which kind, and sends no such; those
    // whose protocol then changed arrive, but cannot be cut to leave.
    if vm.is_gso() && !vm.meta().gso_typed {
        return fail(EBADMSG);
    }
    if ifindex == 0 {
        return fail(EINVAL);
    }
    if vm.is_gso() && flags & INGRESS == 0 {
        return fail(ENOMEM);
    }
    // A copy that is lost for want of room is counted; the kernel's sender does not learn of losses either.
    vm.send_clone(Target { ifindex, ingress: flags & INGRESS != 0 })?;
    Ok(0)
}

/// The verdict that carries out a redirection, or the one that drops.
fn verdict(vm: &mut Vm, accepted: bool, target: Target) -> Result {
    let xdp = vm.prog_type() == oxbpf_abi::ProgType::Xdp;
    let (redirect, drop) = if xdp { (XDP_REDIRECT, XDP_ABORTED) } else { (TC_REDIRECT, TC_SHOT) };
    if !accepted {
        return Ok(drop);
    }
    vm.set_redirect(target);
    Ok(redirect)
}

pub(super) fn redirect(vm: &mut Vm, [ifindex, flags, ..]: Args) -> Result {
    // XDP knows no direction.
    let known = if vm.prog_type() == oxbpf_abi::ProgType::Xdp { 0 } else { INGRESS };
    let target = Target { ifindex: ifindex as u32, ingress: flags & INGRESS != 0 };
    verdict(vm, flags & !known == 0, target)
}

/// To the peer of a device, where the packet arrives.
pub(super) fn redirect_peer(vm: &mut Vm, [ifindex, flags, ..]: Args) -> Result {
    verdict(vm, flags == 0, Target { ifindex: ifindex as u32, ingress: true })
}

/// To a device, with the link header filled in from the neighbour; the neighbour is not resolved here.
pub(super) fn redirect_neigh(vm: &mut Vm, [ifindex, params, len, flags, _]: Args) -> Result {
    let len = len as u32;
    if len > 0 {
        vm.memory().span(params, len.into(), Access::Read)?;
    }
    let accepted = flags == 0 && (len == 0 || len >= NEIGH_SIZE);
    verdict(vm, accepted, Target { ifindex: ifindex as u32, ingress: false })
}
