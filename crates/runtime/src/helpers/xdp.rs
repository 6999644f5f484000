//! Helpers of XDP programs: the buffer's ends, its metadata, and copies of its bytes.

use oxbpf_abi::errno::{EACCES, EFAULT, EINVAL};

use super::args::{Args, Result, ctx_arg, fail};
use crate::trap::Access;
use crate::vm::Vm;

/// A difference of 32 bits, signed.
fn difference(arg: u64) -> i64 {
    i64::from(arg as i32)
}

pub(super) fn xdp_adjust_head(vm: &mut Vm, [ctx, by, ..]: Args) -> Result {
    ctx_arg(vm, "xdp_adjust_head", ctx)?;
    let moved = vm.reshape(|packet, memory| packet.move_head(difference(by), memory));
    if moved { Ok(0) } else { fail(EINVAL) }
}

pub(super) fn xdp_adjust_tail(vm: &mut Vm, [ctx, by, ..]: Args) -> Result {
    ctx_arg(vm, "xdp_adjust_tail", ctx)?;
    let moved = vm.reshape(|packet, memory| packet.move_tail(difference(by), memory));
    if !moved {
        return fail(EINVAL);
    }
    vm.skb_mut().len = vm.packet().len() as u32;
    Ok(0)
}

pub(super) fn xdp_adjust_meta(vm: &mut Vm, [ctx, by, ..]: Args) -> Result {
    ctx_arg(vm, "xdp_adjust_meta", ctx)?;
    /// The longest metadata; its length is a multiple of four.
    const MAX_META: usize = 252;
    let by = difference(by);
    match vm.packet().meta_after(by) {
        None => fail(EINVAL),
        Some(len) if len > MAX_META || !len.is_multiple_of(4) => fail(EACCES),
        Some(len) => {
            vm.reshape(|packet, _| packet.set_meta(len));
            Ok(0)
        }
    }
}

pub(super) fn xdp_get_buff_len(vm: &mut Vm, [ctx, ..]: Args) -> Result {
    ctx_arg(vm, "xdp_get_buff_len", ctx)?;
    Ok(vm.packet().len() as u64)
}

/// An offset and a length that may be meant, or the error.
fn range(vm: &Vm, off: u64, size: u64) -> std::result::Result<usize, i64> {
    const MAX: u64 = 0xffff;
    let (off, size) = (u64::from(off as u32), u64::from(size as u32));
    match off + size {
        _ if off > MAX || size > MAX => Err(EFAULT),
        end if end > vm.packet().len() as u64 => Err(EINVAL),
        _ => Ok(off as usize),
    }
}

pub(super) fn xdp_load_bytes(vm: &mut Vm, [ctx, off, to, size, _]: Args) -> Result {
    ctx_arg(vm, "xdp_load_bytes", ctx)?;
    let len = u64::from(size as u32);
    vm.memory().span(to, len, Access::Write)?;
    match range(vm, off, size) {
        Err(errno) => fail(errno),
        Ok(off) => {
            vm.charge_bytes(len)?;
            let mut bytes = vec![0; len as usize];
            vm.read_packet(off, &mut bytes);
            vm.memory().copy_out(to, &bytes)?;
            Ok(0)
        }
    }
}

pub(super) fn xdp_store_bytes(vm: &mut Vm, [ctx, off, from, size, _]: Args) -> Result {
    ctx_arg(vm, "xdp_store_bytes", ctx)?;
    let len = u64::from(size as u32);
    vm.memory().span(from, len, Access::Read)?;
    match range(vm, off, size) {
        Err(errno) => fail(errno),
        Ok(off) => {
            vm.with_copy(from, len, |vm, bytes| vm.write_packet(off, bytes))?;
            Ok(0)
        }
    }
}
