//! Helpers that make room in a packet, or take it away.

use oxbpf_abi::errno::{EALREADY, EFAULT, EINVAL, ENOMEM, ENOTSUPP};

use super::args::{Args, Result, ctx_arg, fail, status};
use super::fields::forget_hash;
use crate::vm::Vm;

/// The longest packet that helpers make: what the kernel allocates in one piece, less its own bookkeeping.
/// Measured on Linux 6.18 with pages of 4 KiB.
const MAX_LEN: u32 = 16_064;

/// Protocols in network order, as the context holds them.
const IP: u32 = 0x0800u16.to_be() as u32;
const IPV6: u32 = 0x86ddu16.to_be() as u32;
const IP_HLEN: u32 = 20;
const IPV6_HLEN: u32 = 40;

/// Cuts the packet off, or appends zeros.
pub(super) fn skb_change_tail(vm: &mut Vm, [ctx, len, flags, ..]: Args) -> Result {
    ctx_arg(vm, "skb_change_tail", ctx)?;
    vm.charge_packet()?;
    let len = len as u32;
    if flags != 0 || len > MAX_LEN || (len as usize) < vm.packet().least_len() {
        return fail(EINVAL);
    }
    if vm.meta().encapsulated {
        return fail(ENOTSUPP);
    }
    set_len(vm, len);
    (vm.skb_mut().gso_size, vm.skb_mut().gso_segs) = (0, 0);
    Ok(0)
}

/// What the capture cut off of a packet stays unknown: then only the length grows.
fn set_len(vm: &mut Vm, len: u32) {
    let (captured, whole) = (vm.packet().len() as u32, vm.skb().len);
    if len < captured || whole <= captured {
        vm.reshape(|packet, memory| packet.set_len(len as usize, memory));
    }
    vm.skb_mut().len = len;
}

/// Room of zeros before the packet, in which the link header now begins.
pub(super) fn skb_change_head(vm: &mut Vm, [ctx, room, flags, ..]: Args) -> Result {
    ctx_arg(vm, "skb_change_head", ctx)?;
    vm.charge_packet()?;
    let room = room as u32;
    let len = vm.skb().len.checked_add(room);
    let fits = len.is_some_and(|len| len <= MAX_LEN || vm.is_gso());
    if flags != 0 || i32::try_from(room).is_err() || !fits {
        return fail(EINVAL);
    }
    if !vm.reshape(|packet, memory| packet.push_front(room as usize, memory)) {
        return fail(ENOMEM);
    }
    lengthen(vm, room);
    Ok(0)
}

/// Between IPv4 and IPv6: room for the longer header, or less for the shorter one.
pub(super) fn skb_change_proto(vm: &mut Vm, [ctx, to, flags, ..]: Args) -> Result {
    ctx_arg(vm, "skb_change_proto", ctx)?;
    vm.charge_packet()?;
    const DIFFERENCE: u32 = IPV6_HLEN - IP_HLEN;
    if flags != 0 {
        return fail(EINVAL);
    }
    let to = u32::from(to as u16);
    let at = vm.packet().network_offset();
    let changed = match (vm.skb().protocol, to) {
        (IP, IPV6) => grow(vm, at, DIFFERENCE),
        (IPV6, IP) => shrink(vm, at, DIFFERENCE),
        _ => Err(ENOTSUPP),
    };
    if changed.is_ok() {
        vm.skb_mut().protocol = to;
        vm.meta_mut().gso_typed = vm.is_gso();
        forget_hash(vm);
    }
    status(changed)
}

/// The length counts what a capture cut off too, and users may set any.
fn lengthen(vm: &mut Vm, count: u32) {
    vm.skb_mut().len = vm.skb().len.saturating_add(count);
}

/// Opens room of zeros at an offset; link and network header stay in front of it.
fn grow(vm: &mut Vm, at: usize, count: u32) -> std::result::Result<(), i64> {
    if !vm.reshape(|packet, memory| packet.push_header(at, count as usize, memory)) {
        return Err(ENOMEM);
    }
    lengthen(vm, count);
    Ok(())
}

fn shrink(vm: &mut Vm, at: usize, count: u32) -> std::result::Result<(), i64> {
    if !vm.reshape(|packet, memory| packet.pull_header(at, count as usize, memory)) {
        return Err(ENOMEM);
    }
    vm.skb_mut().len = vm.skb().len.saturating_sub(count);
    Ok(())
}

/// `enum bpf_adj_room_mode`: behind the network header, or before it.
const ROOM_NET: u32 = 0;
const ROOM_MAC: u32 = 1;
/// `BPF_F_ADJ_ROOM_…`.
const FIXED_GSO: u64 = 1 << 0;
const ENCAP_L3_IPV4: u64 = 1 << 1;
const ENCAP_L3_IPV6: u64 = 1 << 2;
const ENCAP_L4_GRE: u64 = 1 << 3;
const ENCAP_L4_UDP: u64 = 1 << 4;
const NO_CSUM_RESET: u64 = 1 << 5;
const ENCAP_L2_ETH: u64 = 1 << 6;
const DECAP_L3_IPV4: u64 = 1 << 7;
const DECAP_L3_IPV6: u64 = 1 << 8;
/// Eight bits that say how long the inner link header is.
const L2_SHIFT: u32 = 56;
const L2_MASK: u64 = 0xff << L2_SHIFT;
const ENCAP_L3: u64 = ENCAP_L3_IPV4 | ENCAP_L3_IPV6;
const DECAP_L3: u64 = DECAP_L3_IPV4 | DECAP_L3_IPV6;
const KNOWN_FLAGS: u64 =
    FIXED_GSO | ENCAP_L3 | ENCAP_L4_GRE | ENCAP_L4_UDP | NO_CSUM_RESET | ENCAP_L2_ETH | DECAP_L3 | L2_MASK;
/// Those that mean something where room is taken away.
const SHRINK_FLAGS: u64 = FIXED_GSO | NO_CSUM_RESET | DECAP_L3;
/// The most that one call adds or removes.
const MAX_DIFFERENCE: u32 = 0xfff;

/// Makes or removes room behind the link header or behind the network header.
pub(super) fn skb_adjust_room(vm: &mut Vm, [ctx, difference, mode, flags, _]: Args) -> Result {
    ctx_arg(vm, "skb_adjust_room", ctx)?;
    vm.charge_packet()?;
    let adjusted = adjust_room(vm, difference as i32, mode as u32, flags);
    if adjusted.is_ok() && flags & NO_CSUM_RESET == 0 {
        vm.meta_mut().verified = None;
    }
    status(adjusted)
}

fn adjust_room(vm: &mut Vm, difference: i32, mode: u32, flags: u64) -> std::result::Result<(), i64> {
    let (count, shrinks) = (difference.unsigned_abs(), difference < 0);
    if flags & !KNOWN_FLAGS != 0 {
        return Err(EINVAL);
    }
    if count > MAX_DIFFERENCE {
        return Err(EFAULT);
    }
    let header = match vm.skb().protocol {
        IP => IP_HLEN,
        IPV6 => IPV6_HLEN,
        _ => return Err(ENOTSUPP),
    };
    let network = vm.packet().network_offset();
    let at = match mode {
        ROOM_NET => network + header as usize,
        ROOM_MAC => network,
        _ => return Err(ENOTSUPP),
    };
    let least = match flags & DECAP_L3 {
        0 => header,
        _ if !shrinks => return Err(EINVAL),
        DECAP_L3_IPV4 => IP_HLEN,
        DECAP_L3_IPV6 => IPV6_HLEN,
        _ => return Err(EINVAL),
    };
    let len = vm.skb().len;
    let behind = len.saturating_sub(network as u32);
    if shrinks {
        if count >= behind || behind - count < least {
            return Err(ENOTSUPP);
        }
        decapsulate(vm, at, count, flags)
    } else {
        if len.saturating_add(count) > MAX_LEN && !vm.is_gso() {
            return Err(ENOTSUPP);
        }
        encapsulate(vm, at, count, flags)
    }
}

fn decapsulate(vm: &mut Vm, at: usize, count: u32, flags: u64) -> std::result::Result<(), i64> {
    if flags & !SHRINK_FLAGS != 0 {
        return Err(EINVAL);
    }
    if vm.is_gso() {
        return Err(ENOTSUPP);
    }
    shrink(vm, at, count)?;
    match flags & DECAP_L3 {
        DECAP_L3_IPV4 => vm.skb_mut().protocol = IP,
        DECAP_L3_IPV6 => vm.skb_mut().protocol = IPV6,
        _ => {}
    }
    Ok(())
}

fn encapsulate(vm: &mut Vm, at: usize, count: u32, flags: u64) -> std::result::Result<(), i64> {
    if vm.is_gso() {
        return Err(ENOTSUPP);
    }
    let encapsulates = flags & ENCAP_L3 != 0;
    if encapsulates {
        check_encapsulation(vm, count, flags)?;
    }
    grow(vm, at, count)?;
    if encapsulates {
        let (protocol, header) = if flags & ENCAP_L3_IPV6 != 0 { (IPV6, IPV6_HLEN) } else { (IP, IP_HLEN) };
        vm.meta_mut().encapsulated = true;
        vm.skb_mut().protocol = protocol;
        if flags & (ENCAP_L4_GRE | ENCAP_L4_UDP) != 0 {
            let transport = vm.packet().network_offset() + header as usize;
            vm.reshape(|packet, _| packet.set_transport(transport));
        }
    }
    Ok(())
}

fn check_encapsulation(vm: &Vm, count: u32, flags: u64) -> std::result::Result<(), i64> {
    const ETH_HLEN: u32 = 14;
    let has = |both: u64| flags & both == both;
    let inner_link = (flags >> L2_SHIFT) as u32;
    if has(ENCAP_L3) || has(ENCAP_L4_GRE | ENCAP_L4_UDP) || (has(ENCAP_L2_ETH) && inner_link < ETH_HLEN) {
        return Err(EINVAL);
    }
    if vm.meta().encapsulated {
        return Err(EALREADY);
    }
    if inner_link > count { Err(EINVAL) } else { Ok(()) }
}
