//! Calls of helpers, with arguments that matter.

use crate::case::{Call, Case};
use crate::common::pair::*;
use oxbpf_abi::ProgType;

/// Calls that stand beside those of the helper that a case is about.
pub fn mixed(prog_type: ProgType) -> &'static [Call] {
    const TC: &[Call] = &[
        load_bytes_relative,
        skb_load_bytes,
        skb_store_bytes,
        vlan_push,
        vlan_push,
        vlan_pop,
        change_tail,
        change_head,
        change_proto,
        adjust_room,
        adjust_room,
        clone_redirect,
        csum_level,
        set_hash,
        pull_data,
        change_type,
    ];
    const XDP: &[Call] = &[xdp_adjust_head, xdp_adjust_tail, xdp_adjust_meta, xdp_load_bytes, xdp_store_bytes];
    match prog_type {
        ProgType::SchedCls | ProgType::SchedAct => TC,
        ProgType::Xdp => XDP,
        ProgType::SocketFilter | ProgType::CgroupSkb => &[load_bytes_relative, skb_load_bytes],
    }
}

impl Case<'_> {
    /// Mostly one of these, else any number.
    pub fn mostly(&mut self, usual: &[u64]) -> u64 {
        match self.rng.below(12) {
            0 => self.rng.next(),
            1 => self.rng.next() & 0xffff_ffff,
            2 => 1 << self.rng.below(64),
            3 => self.rng.pick(&[0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 1 << 32, u64::MAX]),
            _ => self.rng.pick(usual),
        }
    }

    /// Flags: mostly none.
    fn flags(&mut self, known: u64) -> u64 {
        match self.rng.below(10) {
            0 => 1 << self.rng.below(64),
            1 => self.rng.next(),
            _ => known & self.rng.next(),
        }
    }

    /// About the packet's length, or a distance from it.
    fn length(&mut self) -> u64 {
        let len = self.packet.len() as u64;
        match self.rng.below(8) {
            0 => self.rng.below(64),
            1 => self.rng.below(len + 40),
            2 => self.mostly(&[0, 13, 14, 15, 18, 34, 3712, 16_003, 16_004, 16_064, 16_065, 0xffff]),
            3 => len + self.rng.below(4000),
            _ => (len + 12).saturating_sub(self.rng.below(25)),
        }
    }

    fn offset(&mut self) -> u64 {
        match self.rng.below(6) {
            0 => self.length(),
            1 => self.mostly(&[0, 0xffff, 0x1_0000]),
            _ => self.rng.below(70),
        }
    }

    /// Loads through a helper into the scratch memory: the context, an offset, memory, a size and one thing more.
    fn load(&mut self, name: &str, off: u64, size: i32, last: Option<u64>) {
        self.push([copy(R[1], R[6]), wide(R[2], off)]);
        self.scratch(R[3], size);
        self.push([imm(R[4], size)]);
        if let Some(last) = last {
            self.push([wide(R[5], last)]);
        }
        let shown = format!("{name}({off:#x}, {size}, {last:x?})");
        self.call(name, shown.clone());
        self.keep_scratch(format!("  memory of {shown}"));
    }

    fn store(&mut self, name: &str, off: u64, size: i32, last: Option<u64>) {
        self.push([copy(R[1], R[6]), wide(R[2], off)]);
        self.scratch(R[3], size);
        self.push([imm(R[4], size)]);
        if let Some(last) = last {
            self.push([wide(R[5], last)]);
        }
        self.call(name, format!("{name}({off:#x}, {size}, {last:x?})"));
    }

    fn size(&mut self) -> i32 {
        1 + self.rng.below(64) as i32
    }
}

pub fn skb_load_bytes(c: &mut Case<'_>) {
    let (off, size) = (c.offset(), c.size());
    c.load("skb_load_bytes", off, size, None);
}

pub fn load_bytes_relative(c: &mut Case<'_>) {
    let (off, size) = (c.offset(), c.size());
    let from = c.mostly(&[0, 0, 1, 1, 2]);
    c.load("skb_load_bytes_relative", off, size, Some(from));
}

pub fn skb_store_bytes(c: &mut Case<'_>) {
    let (off, size, flags) = (c.offset(), c.size(), c.flags(3));
    c.store("skb_store_bytes", off, size, Some(flags));
}

pub fn pull_data(c: &mut Case<'_>) {
    let len = c.length();
    c.call_ctx("skb_pull_data", &[len]);
}

pub fn clone_redirect(c: &mut Case<'_>) {
    // Which other interfaces there are is the host's affair.
    let (ifindex, flags) = (c.rng.pick(&[1, 1, 1, 0, 1 << 32, (1 << 32) + 1]), c.flags(1));
    c.call_ctx("clone_redirect", &[ifindex, flags]);
}

/// Calls a helper that takes no context.
fn plain(c: &mut Case<'_>, name: &str, args: &[u64]) {
    for (i, &value) in args.iter().enumerate() {
        c.push([wide(R[1 + i], value)]);
    }
    c.call(name, format!("{name}{args:x?}"));
}

pub fn redirect(c: &mut Case<'_>) {
    let (ifindex, flags) = (c.mostly(&[0, 1, 2]), c.flags(1));
    plain(c, "redirect", &[ifindex, flags]);
}

pub fn redirect_peer(c: &mut Case<'_>) {
    let (ifindex, flags) = (c.mostly(&[0, 1, 2]), c.flags(0));
    plain(c, "redirect_peer", &[ifindex, flags]);
}

pub fn redirect_neigh(c: &mut Case<'_>) {
    let (ifindex, flags) = (c.mostly(&[0, 1, 2]), c.flags(0));
    let len = c.rng.pick(&[0, 0, 1, 4, 19, 20, 20, 20, 21, 24, 64]);
    c.push([wide(R[1], ifindex)]);
    match len {
        0 => c.push([imm(R[2], 0)]),
        _ => c.scratch(R[2], len),
    }
    c.push([imm(R[3], len), wide(R[4], flags)]);
    c.call("redirect_neigh", format!("redirect_neigh({ifindex:#x}, {len}, {flags:#x})"));
}

pub fn vlan_push(c: &mut Case<'_>) {
    let protocol = c.mostly(&[0x0081, 0xa888, 0, 8, 0x8100, 0x88a8]);
    let tci = c.mostly(&[0, 1, 0x0fff, 0x1000, 0xe001, 0xffff, 0x1_0005]);
    c.call_ctx("skb_vlan_push", &[protocol, tci]);
}

pub fn vlan_pop(c: &mut Case<'_>) {
    c.call_ctx("skb_vlan_pop", &[]);
}

pub fn change_tail(c: &mut Case<'_>) {
    let (len, flags) = (c.length(), c.flags(0));
    c.call_ctx("skb_change_tail", &[len, flags]);
}

pub fn change_head(c: &mut Case<'_>) {
    let flags = c.flags(0);
    let room = match c.rng.below(4) {
        0 if c.gso_size == 0 => c.length(),
        // The kernel lets packets that stand for several grow to megabytes.
        _ if c.gso_size > 0 => c.rng.below(3000),
        1 => (16_064 - c.packet.len() as u64 + 2).saturating_sub(c.rng.below(5)),
        _ => c.rng.below(100),
    };
    c.call_ctx("skb_change_head", &[room, flags]);
}

pub fn change_proto(c: &mut Case<'_>) {
    let (to, flags) = (c.mostly(&[0x0008, 0xdd86, 0xdd86, 0x0008, 0x0608, 0x0800]), c.flags(0));
    c.call_ctx("skb_change_proto", &[to, flags]);
}

pub fn change_type(c: &mut Case<'_>) {
    let to = c.mostly(&[0, 1, 2, 3, 3, 4, 5, 6, 7, 8]);
    c.call_ctx("skb_change_type", &[to]);
}

pub fn adjust_room(c: &mut Case<'_>) {
    let difference = match c.rng.below(10) {
        0 => c.mostly(&[0xfff, 0x1000, (-0xfff_i64) as u64, (-0x1000_i64) as u64]),
        1 => (c.packet.len() as u64).wrapping_sub(54).wrapping_neg().wrapping_add(c.rng.below(40)).wrapping_sub(20),
        2 => 0,
        3..7 => c.rng.below(80),
        _ => (c.rng.below(80)).wrapping_neg(),
    };
    let mode = c.mostly(&[0, 0, 1, 1, 2]);
    let one = c.rng.pick(&[0u64, 0, 1, 2, 4, 2 | 8, 4 | 16, 2 | 64, 4 | 16 | 64, 0x20, 0x80, 0x100, 0x180, 6, 0x18]);
    let mut flags = one | if c.rng.below(4) == 0 { 0x1ff & c.rng.next() } else { 0 };
    if c.rng.below(4) == 0 {
        flags |= c.rng.pick(&[0, 13, 14, 15, 20, 255]) << 56;
    }
    if c.rng.below(20) == 0 {
        flags = c.rng.next();
    }
    c.call_ctx("skb_adjust_room", &[difference, mode, flags]);
}

pub fn csum_update(c: &mut Case<'_>) {
    let sum = c.mostly(&[0, 1, 0xffff]);
    c.call_ctx("csum_update", &[sum]);
}

pub fn csum_level(c: &mut Case<'_>) {
    for _ in 0..1 + c.rng.below(4) {
        let what = c.mostly(&[0, 1, 1, 1, 2, 3, 4]);
        c.call_ctx("csum_level", &[what]);
    }
    c.call_ctx("csum_level", &[0]);
}

pub fn set_hash(c: &mut Case<'_>) {
    let hash = c.mostly(&[0, 1, 77]);
    c.call_ctx("set_hash", &[hash]);
}

/// The hash of a packet that has none is each host's own: it is forgotten at once.
pub fn get_hash_recalc(c: &mut Case<'_>) {
    if c.rng.below(4) > 0 {
        set_hash(c);
        c.call_ctx("get_hash_recalc", &[]);
        return;
    }
    c.push([copy(R[1], R[6]), call(34)]);
    c.call_ctx("set_hash_invalid", &[]);
}

pub fn set_hash_invalid(c: &mut Case<'_>) {
    set_hash(c);
    c.call_ctx("set_hash_invalid", &[]);
}

/// Mostly behind a header that says something of congestion, and a checksum at its edges.
pub fn skb_ecn_set_ce(c: &mut Case<'_>) {
    if c.packet.len() > 26 {
        c.packet[15] = c.rng.next() as u8;
        let check = c.rng.pick(&[0u16, 1, 2, 3, 0xffff, 0xfffe, 0xfffd, 0x1234]);
        c.packet[24..26].copy_from_slice(&check.to_be_bytes());
    }
    c.call_ctx("skb_ecn_set_ce", &[]);
}

pub fn get_cgroup_classid(c: &mut Case<'_>) {
    c.call_ctx("get_cgroup_classid", &[]);
}

pub fn skb_cgroup_classid(c: &mut Case<'_>) {
    c.call_ctx("skb_cgroup_classid", &[]);
}

pub fn skb_cgroup_id(c: &mut Case<'_>) {
    c.call_ctx("skb_cgroup_id", &[]);
}

pub fn get_route_realm(c: &mut Case<'_>) {
    c.call_ctx("get_route_realm", &[]);
}

fn change_of(c: &mut Case<'_>, usual: &[i64]) -> u64 {
    match c.rng.below(3) {
        0 => c.rng.pick(usual) as u64,
        1 => c.mostly(&[0, 1, 4]),
        _ => (c.rng.below(80) as i64 - 40) as u64,
    }
}

pub fn xdp_adjust_head(c: &mut Case<'_>) {
    let len = c.packet.len() as i64;
    let by = change_of(c, &[-216, -217, -220, -256, -180, len - 14, len - 13, len, 0]);
    c.call_ctx("xdp_adjust_head", &[by]);
}

pub fn xdp_adjust_tail(c: &mut Case<'_>) {
    let len = c.packet.len() as i64;
    let by = change_of(c, &[3520 - len, 3521 - len, 14 - len, 13 - len, -len, 4096, 0]);
    c.call_ctx("xdp_adjust_tail", &[by]);
}

pub fn xdp_adjust_meta(c: &mut Case<'_>) {
    let by = match c.rng.below(3) {
        0 => (c.rng.below(20) as i64 * -4) as u64,
        _ => change_of(c, &[-216, -217, -212, -220, -256, -3, -2, -32, 4, 0]),
    };
    c.call_ctx("xdp_adjust_meta", &[by]);
}

pub fn xdp_get_buff_len(c: &mut Case<'_>) {
    c.call_ctx("xdp_get_buff_len", &[]);
}

pub fn xdp_load_bytes(c: &mut Case<'_>) {
    let (off, size) = (c.offset(), c.size());
    c.load("xdp_load_bytes", off, size, None);
}

pub fn xdp_store_bytes(c: &mut Case<'_>) {
    let (off, size) = (c.offset(), c.size());
    c.store("xdp_store_bytes", off, size, None);
}
