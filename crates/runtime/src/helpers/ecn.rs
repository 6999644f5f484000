//! Explicit congestion notification (RFC 3168): marking packets of senders that listen.

use super::args::{Args, Result, ctx_arg};
use crate::csum;
use crate::skb::{ETH_HLEN, is_vlan};
use crate::vm::Vm;

/// Protocols in network order.
const IP: u16 = 0x0800u16.to_be();
const IPV6: u16 = 0x86ddu16.to_be();
/// Tags that are looked behind.
const MAX_TAGS: usize = 8;
/// "Congestion experienced", and what a sender that listens sets: one bit or the other.
const CE: u8 = 3;

/// Whether the packet is marked now.
pub(super) fn skb_ecn_set_ce(vm: &mut Vm, [ctx, ..]: Args) -> Result {
    ctx_arg(vm, "skb_ecn_set_ce", ctx)?;
    Ok(match protocol(vm) {
        IP => mark_ip(vm),
        IPV6 => mark_ipv6(vm),
        _ => false,
    }
    .into())
}

/// The protocol behind the tags that stand in the packet.
///
/// Where the program sees no link header, the kernel skips the length of one all the same. Measured on Linux 6.18.
fn protocol(vm: &Vm) -> u16 {
    let mut protocol = vm.skb().protocol as u16;
    let mut at = vm.packet().network_offset().max(ETH_HLEN) + 2;
    for _ in 0..MAX_TAGS {
        let mut next = [0; 2];
        if !is_vlan(protocol) {
            return protocol;
        }
        if !vm.read_packet(at, &mut next) {
            return 0;
        }
        protocol = u16::from_le_bytes(next);
        at += 4;
    }
    0
}

fn mark_ip(vm: &mut Vm) -> bool {
    const TOS: usize = 1;
    const CHECK: usize = 10;
    let at = vm.packet().network_offset();
    let mut header = [0; 20];
    if !vm.read_packet(at, &mut header) {
        return false;
    }
    let tos = header[TOS];
    if tos & CE == 0 || tos & CE == CE {
        return tos & CE == CE;
    }
    // The checksum rises by what the word with the TOS falls, as the kernel adds it: from 0xffff it goes to where it
    // would go from 0.
    let field = u16::from_be_bytes([header[CHECK], header[CHECK + 1]]);
    let added = u32::from(field) + 0xffff - u32::from(CE - (tos & CE));
    let marked = csum::to16(added);
    vm.write_packet(at + TOS, &[tos | CE]);
    vm.write_packet(at + CHECK, &marked.to_be_bytes());
    true
}

fn mark_ipv6(vm: &mut Vm) -> bool {
    let at = vm.packet().network_offset();
    let mut header = [0; 40];
    if !vm.read_packet(at, &mut header) {
        return false;
    }
    // The traffic class stands across two bytes, its lowest bits in the upper half of the second.
    let ecn = header[1] >> 4 & CE;
    if ecn == 0 || ecn == CE {
        return ecn == CE;
    }
    vm.write_packet(at + 1, &[header[1] | CE << 4]);
    true
}
