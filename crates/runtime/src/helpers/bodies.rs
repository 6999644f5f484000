//! What each helper does. The name is the row's name; the number of a failure is negated into r0.

use oxbpf_abi::errno::{EFAULT, EINVAL};

use super::format;
use crate::csum;
use crate::maps::MAX_KEY;
use crate::trap::{Access, TrapKind};
use crate::vm::{TraceLine, Vm};

type Result<T = u64> = std::result::Result<T, TrapKind>;
type Args = [u64; 5];

fn fail(errno: i64) -> Result {
    Ok((-errno) as u64)
}

/// The kernel reads the number of an error as a 64-bit negative.
fn status(result: std::result::Result<(), i64>) -> Result {
    result.map_or_else(fail, |()| Ok(0))
}

fn map_arg(vm: &Vm, helper: &'static str, handle: u64) -> Result<oxbpf_ir::MapIdx> {
    let map = vm.map_of_handle(handle).ok_or(TrapKind::HelperArg { helper, reg: 1, wanted: "a map" })?;
    match vm.map(map).def().map_type {
        // Programs use program arrays by tail calls only.
        oxbpf_abi::MapType::PROG_ARRAY => Err(TrapKind::HelperArg { helper, reg: 1, wanted: "a map of values" }),
        _ => Ok(map),
    }
}

fn ctx_arg(vm: &Vm, helper: &'static str, ctx: u64) -> Result<()> {
    if ctx == vm.context_addr() { Ok(()) } else { Err(TrapKind::HelperArg { helper, reg: 1, wanted: "the context" }) }
}

/// A map argument and the key that the next one points to.
fn map_and_key(vm: &Vm, helper: &'static str, args: Args) -> Result<(oxbpf_ir::MapIdx, [u8; MAX_KEY], usize)> {
    let map = map_arg(vm, helper, args[0])?;
    let size = vm.map(map).def().key_size as usize;
    let mut key = [0; MAX_KEY];
    vm.memory().copy_in(args[1], &mut key[..size])?;
    Ok((map, key, size))
}

pub(super) fn map_lookup_elem(vm: &mut Vm, args: Args) -> Result {
    let (map, key, size) = map_and_key(vm, "map_lookup_elem", args)?;
    Ok(vm.map(map).lookup(&key[..size]))
}

pub(super) fn map_update_elem(vm: &mut Vm, args: Args) -> Result {
    let (map, key, size) = map_and_key(vm, "map_update_elem", args)?;
    let def = vm.map(map).def();
    if def.frozen() || def.flags & oxbpf_abi::map_flags::RDONLY_PROG != 0 {
        return Err(TrapKind::HelperArg { helper: "map_update_elem", reg: 1, wanted: "a writable map" });
    }
    let size_of_value = def.value_size as usize;
    let mut value = std::mem::take(&mut vm.scratch);
    value.resize(size_of_value, 0);
    let copied = vm.memory().copy_in(args[2], &mut value);
    let result = copied.map(|()| vm.map_mut(map).update(&key[..size], &value, args[3]));
    vm.scratch = value;
    status(result?)
}

pub(super) fn map_delete_elem(vm: &mut Vm, args: Args) -> Result {
    let (map, key, size) = map_and_key(vm, "map_delete_elem", args)?;
    status(vm.map_mut(map).delete(&key[..size]))
}

pub(super) fn ktime_get_ns(vm: &mut Vm, _: Args) -> Result {
    Ok(vm.time_ns)
}

/// SplitMix64, the upper half: any seed gives a good sequence.
pub(super) fn get_prandom_u32(vm: &mut Vm, _: Args) -> Result {
    vm.random = vm.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = vm.random;
    z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    Ok((z ^ z >> 31) >> 32)
}

pub(super) fn get_smp_processor_id(vm: &mut Vm, _: Args) -> Result {
    Ok(vm.cpu.into())
}

/// Engines take tail calls themselves; reached only by a call that names it where no engine would.
pub(super) fn tail_call(_: &mut Vm, _: Args) -> Result {
    Err(TrapKind::UnknownHelper { id: 12 })
}

/// Prints `format` of `size` bytes with up to three arguments.
pub(super) fn trace_printk(vm: &mut Vm, [addr, size, a, b, c]: Args) -> Result {
    // The kernel's verifier bounds the format by the stack or a map value; so does the region's check.
    let size = u64::from(size as u32);
    vm.memory().span(addr, size, Access::Read)?;
    let mut text = vec![0; size as usize];
    vm.memory().copy_in(addr, &mut text)?;
    match format::format(&text, &[a, b, c], vm.memory()) {
        Ok(line) => {
            let text = String::from_utf8_lossy(&line.bytes);
            vm.trace.push(TraceLine { text: text.trim_end_matches('\n').to_string() });
            Ok(line.len as u64)
        }
        Err(refused) => fail(refused.errno()),
    }
}

/// A packet offset as helpers take it: 32 bits, of which the upper half of the range is an error.
fn packet_offset(off: u64) -> Option<usize> {
    i32::try_from(off as u32).ok().map(|o| o as usize)
}

pub(super) fn skb_load_bytes(vm: &mut Vm, [ctx, off, to, size, _]: Args) -> Result {
    ctx_arg(vm, "skb_load_bytes", ctx)?;
    let size = u64::from(size as u32);
    vm.memory().span(to, size, Access::Write)?;
    let mut bytes = std::mem::take(&mut vm.scratch);
    bytes.clear();
    bytes.resize(size as usize, 0);
    // Where the packet is too short, the target is cleared.
    let loaded = packet_offset(off).is_some_and(|off| vm.packet.read(off, &mut bytes));
    if !loaded {
        bytes.fill(0);
    }
    let copied = vm.memory().copy_out(to, &bytes);
    vm.scratch = bytes;
    copied?;
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
    let mut bytes = std::mem::take(&mut vm.scratch);
    bytes.resize(size as usize, 0);
    let stored = vm.memory().copy_in(from, &mut bytes).map(|()| vm.packet.write(off, &bytes));
    vm.scratch = bytes;
    if !stored? {
        return fail(EFAULT);
    }
    if flags & INVALIDATE_HASH != 0 {
        vm.skb.hash = 0;
    }
    Ok(0)
}

/// The 16-bit field at an even offset of the packet.
fn checksum_field(vm: &Vm, off: u64) -> Option<(usize, u16)> {
    const MAX_OFFSET: usize = 0xffff;
    let off = off as u32 as usize;
    let mut field = [0; 2];
    let reachable = off <= MAX_OFFSET && off.is_multiple_of(2) && vm.packet.read(off, &mut field);
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
    vm.packet.write(off, &new.to_le_bytes());
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
    vm.packet.write(off, &new.to_le_bytes());
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
    let mut sum_of = |addr: u64, size: u32, seed: u32| {
        // Before there is room for it: a program may claim four gigabytes.
        vm.memory().span(addr, size.into(), Access::Read)?;
        let mut bytes = std::mem::take(&mut vm.scratch);
        bytes.resize(size as usize, 0);
        let copied = vm.memory().copy_in(addr, &mut bytes);
        let sum = csum::partial(&bytes, seed);
        vm.scratch = bytes;
        copied.map(|()| sum)
    };
    let seed = seed as u32;
    let sum = match (from_size, to_size) {
        (0, 0) => seed,
        (0, _) => sum_of(to, to_size, seed)?,
        (_, 0) => !sum_of(from, from_size, !seed)?,
        _ => csum::sub(sum_of(to, to_size, seed)?, sum_of(from, from_size, 0)?),
    };
    Ok(csum::to16(sum).into())
}
