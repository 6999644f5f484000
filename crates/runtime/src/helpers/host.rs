//! Helpers that ask the host: clocks, chance, the CPU, and where a packet belongs.

use super::args::{Args, Result, ctx_arg};
use crate::vm::Vm;

/// Nanoseconds of a tick: the clock that counts 250 in a second, as distributions build kernels.
const TICK_NS: u64 = 4_000_000;

/// All clocks start with the capture's.
pub(super) fn ktime_get_ns(vm: &mut Vm, _: Args) -> Result {
    Ok(vm.time_ns())
}

pub(super) fn ktime_get_boot_ns(vm: &mut Vm, _: Args) -> Result {
    Ok(vm.time_ns())
}

/// The kernel's goes on with each tick only.
pub(super) fn ktime_get_coarse_ns(vm: &mut Vm, _: Args) -> Result {
    Ok(vm.time_ns() / TICK_NS * TICK_NS)
}

pub(super) fn ktime_get_tai_ns(vm: &mut Vm, _: Args) -> Result {
    Ok(vm.time_ns())
}

pub(super) fn jiffies64(vm: &mut Vm, _: Args) -> Result {
    Ok(vm.time_ns() / TICK_NS)
}

pub(super) fn get_prandom_u32(vm: &mut Vm, _: Args) -> Result {
    Ok(vm.next_random().into())
}

pub(super) fn get_smp_processor_id(vm: &mut Vm, _: Args) -> Result {
    Ok(vm.cpu().into())
}

/// There is one node.
pub(super) fn get_numa_node_id(_: &mut Vm, _: Args) -> Result {
    Ok(0)
}

pub(super) fn get_cgroup_classid(vm: &mut Vm, [ctx, ..]: Args) -> Result {
    ctx_arg(vm, "get_cgroup_classid", ctx)?;
    Ok(vm.skb().cgroup_classid.into())
}

pub(super) fn skb_cgroup_classid(vm: &mut Vm, [ctx, ..]: Args) -> Result {
    ctx_arg(vm, "skb_cgroup_classid", ctx)?;
    Ok(vm.skb().cgroup_classid.into())
}

pub(super) fn skb_cgroup_id(vm: &mut Vm, [ctx, ..]: Args) -> Result {
    ctx_arg(vm, "skb_cgroup_id", ctx)?;
    Ok(vm.skb().cgroup_id)
}

pub(super) fn get_route_realm(vm: &mut Vm, [ctx, ..]: Args) -> Result {
    ctx_arg(vm, "get_route_realm", ctx)?;
    Ok(vm.skb().route_realm.into())
}
