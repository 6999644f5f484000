//! VLAN tags: the outermost stands beside the packet, others in it, as in the kernel.

use oxbpf_abi::errno::ENOMEM;
use oxbpf_abi::layout::SkBuff;

use super::args::{Args, Result, ctx_arg, fail};
use crate::packet::VLAN_HLEN;
use crate::skb::{ETH_HLEN, encapsulated_protocol, is_vlan};
use crate::vm::Vm;

/// 802.1Q, in network order.
const DEFAULT_PROTOCOL: u16 = 0x8100u16.to_be();

/// Pushes a tag; the one that stood beside the packet goes into it.
pub(super) fn skb_vlan_push(vm: &mut Vm, [ctx, protocol, tci, ..]: Args) -> Result {
    ctx_arg(vm, "skb_vlan_push", ctx)?;
    vm.charge_packet()?;
    if vm.skb().vlan_present != 0 {
        let SkBuff { vlan_proto, vlan_tci, .. } = *vm.skb();
        let mut tag = [0; VLAN_HLEN];
        tag[..2].copy_from_slice(&(vlan_proto as u16).to_le_bytes());
        tag[2..].copy_from_slice(&(vlan_tci as u16).to_be_bytes());
        if !vm.reshape(|packet, memory| packet.insert_tag(tag, memory)) {
            return fail(ENOMEM);
        }
        let skb = vm.skb_mut();
        skb.protocol = vlan_proto;
        skb.len = skb.len.saturating_add(VLAN_HLEN as u32);
    }
    let protocol = if is_vlan(protocol as u16) { protocol as u16 } else { DEFAULT_PROTOCOL };
    set_tag(vm.skb_mut(), Some((protocol, tci as u16)));
    Ok(0)
}

fn set_tag(skb: &mut SkBuff, tag: Option<(u16, u16)>) {
    let (protocol, tci) = tag.unwrap_or_default();
    (skb.vlan_present, skb.vlan_proto, skb.vlan_tci) = (tag.is_some().into(), protocol.into(), tci.into());
}

/// Takes the outermost tag off; the next one in the packet moves beside it.
pub(super) fn skb_vlan_pop(vm: &mut Vm, [ctx, ..]: Args) -> Result {
    ctx_arg(vm, "skb_vlan_pop", ctx)?;
    vm.charge_packet()?;
    if vm.skb().vlan_present != 0 {
        set_tag(vm.skb_mut(), None);
    } else if is_vlan(vm.skb().protocol as u16) {
        if take_tag(vm).is_none() {
            return fail(ENOMEM);
        }
    } else {
        return Ok(0);
    }
    let protocol = vm.skb().protocol as u16;
    if !is_vlan(protocol) {
        return Ok(0);
    }
    let Some(tci) = take_tag(vm) else { return fail(ENOMEM) };
    set_tag(vm.skb_mut(), Some((protocol, tci)));
    Ok(0)
}

/// Removes the tag that stands behind the addresses; its control information.
fn take_tag(vm: &mut Vm) -> Option<u16> {
    // The protocol behind the tag must be there too.
    const TAGGED_HLEN: usize = ETH_HLEN + VLAN_HLEN;
    let mut header = [0; TAGGED_HLEN + 2];
    if !vm.read_packet(0, &mut header[..TAGGED_HLEN]) {
        return None;
    }
    vm.read_packet(TAGGED_HLEN, &mut header[TAGGED_HLEN..]);
    if !vm.reshape(|packet, memory| packet.remove_tag(memory)) {
        return None;
    }
    let skb = vm.skb_mut();
    skb.len = skb.len.saturating_sub(VLAN_HLEN as u32);
    skb.protocol = encapsulated_protocol(&header[ETH_HLEN + 2..]).to_be().into();
    Some(u16::from_be_bytes([header[ETH_HLEN], header[ETH_HLEN + 1]]))
}
