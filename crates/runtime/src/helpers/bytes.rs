//! Helpers that copy packet bytes in and out.

use oxbpf_abi::errno::{EFAULT, EINVAL, ENOMEM};

use super::args::{Args, Result, ctx_arg, fail, packet_offset};
use super::fields::forget_hash;
use crate::trap::Access;
use crate::vm::Vm;

pub(super) fn skb_load_bytes(vm: &mut Vm, [ctx, off, to, size, _]: Args) -> Result {
    ctx_arg(vm, "skb_load_bytes", ctx)?;
    let size = u64::from(size as u32);
    vm.memory().span(to, size, Access::Write)?;
    vm.charge_bytes(size)?;
    // Where the packet is too short, the target is cleared.
    let mut bytes = vec![0; size as usize];
    let loaded = packet_offset(off).is_some_and(|off| vm.read_packet(off, &mut bytes));
    vm.memory().copy_out(to, &bytes)?;
    if loaded { Ok(0) } else { fail(EFAULT) }
}

/// `BPF_F_RECOMPUTE_CSUM` and `BPF_F_INVALIDATE_HASH`.
const STORE_FLAGS: u64 = 0b11;
const INVALIDATE_HASH: u64 = 0b10;

pub(super) fn skb_store_bytes(vm: &mut Vm, [ctx, off, from, size, flags]: Args) -> Result {
    ctx_arg(vm, "skb_store_bytes", ctx)?;
    let size = u64::from(size as u32);
    vm.memory().span(from, size, Access::Read)?;
    if flags & !STORE_FLAGS != 0 {
        return fail(EINVAL);
    }
    let Some(off) = packet_offset(off) else { return fail(EFAULT) };
    if !vm.with_copy(from, size, |vm, bytes| vm.write_packet(off, bytes))? {
        return fail(EFAULT);
    }
    if flags & INVALIDATE_HASH != 0 {
        forget_hash(vm);
    }
    Ok(0)
}

const FROM_MAC: u32 = 0;
const FROM_NETWORK: u32 = 1;

pub(super) fn skb_load_bytes_relative(vm: &mut Vm, [ctx, off, to, size, from]: Args) -> Result {
    ctx_arg(vm, "skb_load_bytes_relative", ctx)?;
    let size = u64::from(size as u32);
    vm.memory().span(to, size, Access::Write)?;
    vm.charge_bytes(size)?;
    let mut bytes = vec![0; size as usize];
    let origin = match from as u32 {
        FROM_MAC => Some(vm.packet().mac()),
        FROM_NETWORK => Some(vm.packet().network()),
        _ => None,
    };
    let place = packet_offset(off).zip(origin);
    let loaded = place.is_some_and(|(off, origin)| vm.packet().read_from(origin, off, &mut bytes, vm.memory()));
    vm.memory().copy_out(to, &bytes)?;
    if loaded { Ok(0) } else { fail(EFAULT) }
}

/// All bytes that there are can be reached anyway; those that the kernel would have to fetch are too many here too.
pub(super) fn skb_pull_data(vm: &mut Vm, [ctx, len, ..]: Args) -> Result {
    ctx_arg(vm, "skb_pull_data", ctx)?;
    if len as u32 > vm.skb().len { fail(ENOMEM) } else { Ok(0) }
}
