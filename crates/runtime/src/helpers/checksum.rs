//! Helpers about checksums: of the packet's headers, of bytes, and what is known of the packet's own.

use oxbpf_abi::errno::{EACCES, EFAULT, EINVAL, ENOTSUPP};

use super::args::{Args, Result, ctx_arg, fail};
use crate::csum;
use crate::vm::Vm;

/// The 16-bit field at an even offset of the packet.
fn checksum_field(vm: &Vm, off: u64) -> Option<(usize, u16)> {
    const MAX_OFFSET: usize = 0xffff;
    let off = off as u32 as usize;
    let mut field = [0; 2];
    let reachable = off <= MAX_OFFSET && off.is_multiple_of(2) && vm.read_packet(off, &mut field);
    reachable.then(|| (off, u16::from_le_bytes(field)))
}

/// The size of what changed, in the low bits of the flags.
const FIELD_MASK: u64 = 0xf;

pub(super) fn l3_csum_replace(vm: &mut Vm, [ctx, off, from, to, flags]: Args) -> Result {
    ctx_arg(vm, "l3_csum_replace", ctx)?;
    if flags & !FIELD_MASK != 0 {
        return fail(EINVAL);
    }
    let Some((off, old)) = checksum_field(vm, off) else { return fail(EFAULT) };
    let Some(new) = replaced(old, from, to, flags & FIELD_MASK) else { return fail(EINVAL) };
    vm.write_packet(off, &new.to_le_bytes());
    Ok(0)
}

/// The field after `from` became `to`; a size of 0 means that `to` is a difference already.
fn replaced(field: u16, from: u64, to: u64, size: u64) -> Option<u16> {
    match size {
        0 if from != 0 => None,
        0 => Some(csum::replace_by_diff(field, to as u32)),
        2 => Some(csum::replace2(field, from as u16, to as u16)),
        4 => Some(csum::replace4(field, from as u32, to as u32)),
        _ => None,
    }
}

const F_PSEUDO_HDR: u64 = 0x10;
const F_MARK_MANGLED_0: u64 = 0x20;
const F_MARK_ENFORCE: u64 = 0x40;
const F_IPV6: u64 = 0x80;
/// What a UDP checksum of zero is written as.
const MANGLED_0: u16 = 0xffff;

pub(super) fn l4_csum_replace(vm: &mut Vm, [ctx, off, from, to, flags]: Args) -> Result {
    ctx_arg(vm, "l4_csum_replace", ctx)?;
    if flags & !(FIELD_MASK | F_PSEUDO_HDR | F_MARK_MANGLED_0 | F_MARK_ENFORCE | F_IPV6) != 0 {
        return fail(EINVAL);
    }
    let Some((off, old)) = checksum_field(vm, off) else { return fail(EFAULT) };
    let mark = flags & F_MARK_MANGLED_0 != 0;
    if mark && flags & F_MARK_ENFORCE == 0 && old == 0 {
        return Ok(0);
    }
    // On a 16-bit field the kernel works with the words of the 32-bit form.
    let Some(mut new) = replaced_l4(old, from, to, flags & FIELD_MASK) else { return fail(EINVAL) };
    if mark && new == 0 {
        new = MANGLED_0;
    }
    vm.write_packet(off, &new.to_le_bytes());
    Ok(0)
}

fn replaced_l4(field: u16, from: u64, to: u64, size: u64) -> Option<u16> {
    match size {
        2 => Some(csum::replace4(field, u32::from(from as u16), u32::from(to as u16))),
        _ => replaced(field, from, to, size),
    }
}

/// The difference of two buffers' sums, folded to 16 bits; either may be absent.
pub(super) fn csum_diff(vm: &mut Vm, [from, from_size, to, to_size, seed]: Args) -> Result {
    let (from_size, to_size) = (from_size as u32, to_size as u32);
    let mut sum_of =
        |addr: u64, size: u32, seed: u32| vm.with_copy(addr, size.into(), |_, bytes| csum::partial(bytes, seed));
    let seed = seed as u32;
    let sum = match (from_size, to_size) {
        (0, 0) => seed,
        (0, _) => sum_of(to, to_size, seed)?,
        (_, 0) => !sum_of(from, from_size, !seed)?,
        _ => csum::sub(sum_of(to, to_size, seed)?, sum_of(from, from_size, 0)?),
    };
    Ok(csum::to16(sum).into())
}

/// Only of packets whose sum a device computed; no capture tells it.
pub(super) fn csum_update(vm: &mut Vm, [ctx, ..]: Args) -> Result {
    ctx_arg(vm, "csum_update", ctx)?;
    fail(ENOTSUPP)
}

const LEVEL_QUERY: u64 = 0;
const LEVEL_INC: u64 = 1;
const LEVEL_DEC: u64 = 2;
const LEVEL_RESET: u64 = 3;
/// Checksums beyond the first that may be known to be right.
const MAX_LEVEL: u8 = 3;

/// How many checksums one after another are said to be right; none where nothing is said.
pub(super) fn csum_level(vm: &mut Vm, [ctx, what, ..]: Args) -> Result {
    ctx_arg(vm, "csum_level", ctx)?;
    let level = &mut vm.meta_mut().verified;
    match what {
        LEVEL_QUERY => return level.map_or_else(|| fail(EACCES), |level| Ok(level.into())),
        LEVEL_INC => *level = Some(level.map_or(0, |level| (level + 1).min(MAX_LEVEL))),
        LEVEL_DEC => *level = level.and_then(|level| level.checked_sub(1)),
        LEVEL_RESET => *level = None,
        _ => return fail(EINVAL),
    }
    Ok(0)
}
