//! What each helper does. The name is the row's name; the number of a failure is negated into r0.

use oxbpf_abi::errno::{EFAULT, EINVAL};

use oxbpf_ir::MapIdx;

use super::format;
use crate::csum;
use crate::maps::{MAX_KEY, Steps};
use crate::trap::{Access, TrapKind};
use crate::vm::Vm;

type Result<T = u64> = std::result::Result<T, TrapKind>;
type Args = [u64; 5];

fn fail(errno: i64) -> Result {
    Ok((-errno) as u64)
}

/// The kernel reads the number of an error as a 64-bit negative.
fn status(result: std::result::Result<(), i64>) -> Result {
    result.map_or_else(fail, |()| Ok(0))
}

fn map_arg(vm: &Vm, helper: &'static str, handle: u64) -> Result<MapIdx> {
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

/// The key that an argument points to, on the host's stack.
struct Key {
    bytes: [u8; MAX_KEY],
    size: usize,
}

impl Key {
    fn bytes(&self) -> &[u8] {
        &self.bytes[..self.size]
    }
}

fn key_arg(vm: &Vm, map: MapIdx, addr: u64) -> Result<Key> {
    let size = vm.map(map).def().key_size as usize;
    let mut bytes = [0; MAX_KEY];
    vm.memory().copy_in(addr, &mut bytes[..size])?;
    Ok(Key { bytes, size })
}

/// Only maps that programs may change.
fn writable_map_arg(vm: &Vm, helper: &'static str, handle: u64) -> Result<MapIdx> {
    let map = map_arg(vm, helper, handle)?;
    let wanted = "a map that programs may write";
    if vm.map(map).writable() { Ok(map) } else { Err(TrapKind::HelperArg { helper, reg: 1, wanted }) }
}

pub(super) fn map_lookup_elem(vm: &mut Vm, [map, key, ..]: Args) -> Result {
    let map = map_arg(vm, "map_lookup_elem", map)?;
    let key = key_arg(vm, map, key)?;
    let mut steps = Steps::default();
    let found = vm.map(map).lookup(key.bytes(), &mut steps);
    vm.charge(steps.0.into())?;
    Ok(found.map_or(0, |off| vm.value_addr(map, off)))
}

pub(super) fn map_update_elem(vm: &mut Vm, [map, key, value, flags, _]: Args) -> Result {
    let map = writable_map_arg(vm, "map_update_elem", map)?;
    let key = key_arg(vm, map, key)?;
    let size = vm.map(map).def().value_size;
    let mut steps = Steps::default();
    let updated =
        vm.with_copy(value, size.into(), |vm, value| vm.map(map).update(key.bytes(), value, flags, &mut steps))?;
    vm.charge(steps.0.into())?;
    status(updated)
}

pub(super) fn map_delete_elem(vm: &mut Vm, [map, key, ..]: Args) -> Result {
    let map = writable_map_arg(vm, "map_delete_elem", map)?;
    let key = key_arg(vm, map, key)?;
    let mut steps = Steps::default();
    let deleted = vm.map(map).delete(key.bytes(), &mut steps);
    vm.charge(steps.0.into())?;
    status(deleted)
}

pub(super) fn ktime_get_ns(vm: &mut Vm, _: Args) -> Result {
    Ok(vm.time_ns())
}

pub(super) fn get_prandom_u32(vm: &mut Vm, _: Args) -> Result {
    Ok(vm.next_random().into())
}

pub(super) fn get_smp_processor_id(vm: &mut Vm, _: Args) -> Result {
    Ok(vm.cpu().into())
}

/// Engines take tail calls themselves; reached only by a call that names it where no engine would.
pub(super) fn tail_call(_: &mut Vm, _: Args) -> Result {
    Err(TrapKind::UnknownHelper { id: 12 })
}

/// Prints `format` of `size` bytes with up to three arguments.
pub(super) fn trace_printk(vm: &mut Vm, [addr, size, a, b, c]: Args) -> Result {
    let formatted = vm.with_copy(addr, size as u32 as u64, |vm, text| format::format(text, &[a, b, c], vm.memory()))?;
    match formatted {
        Ok(line) => {
            vm.charge_bytes(line.bytes.len() as u64)?;
            let text = String::from_utf8_lossy(&line.bytes);
            vm.print(text.trim_end_matches('\n').to_string());
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
        vm.skb_mut().hash = 0;
    }
    Ok(0)
}

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
