//! Helpers besides those of maps: packet bytes and checksums, whose results are determined, and a few whose
//! results are not and are therefore dropped.

use oxbpf_isa::Reg;

use crate::fun::Fun;
use crate::state::{Kind, Regs};
use crate::{CLS, SOCKET, XDP};

/// One helper: its id, for which program types, and what emits the call.
#[derive(Clone, Copy)]
struct Helper {
    id: i32,
    types: u8,
    needs_ctx: bool,
    emit: fn(&mut Fun, i32),
}

const fn helper(id: i32, types: u8, needs_ctx: bool, emit: fn(&mut Fun, i32)) -> Helper {
    Helper { id, types, needs_ctx, emit }
}

const HELPERS: [(u32, Helper); 24] = [
    (6, helper(26, CLS | SOCKET, true, Fun::skb_load_bytes)),
    (5, helper(9, CLS, true, Fun::skb_store_bytes)),
    (4, helper(10, CLS, true, Fun::l3_csum_replace)),
    (4, helper(11, CLS, true, Fun::l4_csum_replace)),
    (4, helper(28, CLS | XDP, false, Fun::csum_diff)),
    (1, helper(17, CLS | SOCKET | XDP, true, Fun::of_context)), // get_cgroup_classid
    (2, helper(18, CLS, true, Fun::skb_vlan_push)),
    (2, helper(19, CLS, true, Fun::moving)), // skb_vlan_pop
    (1, helper(31, CLS, true, Fun::skb_change_proto)),
    (1, helper(32, CLS, true, Fun::skb_change_type)),
    (2, helper(38, CLS, true, Fun::skb_change_tail)),
    (1, helper(39, CLS, true, Fun::skb_pull_data)),
    (1, helper(41, CLS, true, Fun::of_context)), // set_hash_invalid
    (1, helper(43, CLS, true, Fun::skb_change_head)),
    (1, helper(44, XDP, true, Fun::xdp_adjust)), // xdp_adjust_head
    (1, helper(48, CLS, true, Fun::set_hash)),
    (2, helper(50, CLS, true, Fun::skb_adjust_room)),
    (1, helper(54, XDP, true, Fun::xdp_adjust)), // xdp_adjust_meta
    (1, helper(65, XDP, true, Fun::xdp_adjust)), // xdp_adjust_tail
    (1, helper(135, CLS, true, Fun::csum_level)),
    (1, helper(188, XDP, true, Fun::of_context)), // xdp_get_buff_len
    (1, helper(5, CLS | SOCKET | XDP, false, Fun::dropped_result)), // ktime_get_ns
    (1, helper(7, CLS | SOCKET | XDP, false, Fun::dropped_result)), // get_prandom_u32
    (1, helper(8, CLS | SOCKET | XDP, false, Fun::dropped_result)), // get_smp_processor_id
];

/// Sizes that the checksum helpers know in the low four bits of their flags; 0 takes a ready difference.
const L3_FLAGS: [(u32, i32); 5] = [(3, 2), (3, 4), (2, 0), (1, 1), (1, 0x12)];

/// The same with pseudo header 0x10, mangled zero 0x20, enforce 0x40.
const L4_FLAGS: [(u32, i32); 8] = [(3, 2), (3, 4), (2, 0), (1, 0x12), (1, 0x14), (1, 0x22), (1, 0x24), (1, 0x62)];

/// Recompute the checksum 1, drop the hash 2, and a flag that does not exist.
const STORE_FLAGS: [(u32, i32); 4] = [(4, 0), (2, 1), (1, 2), (1, 4)];

impl Fun {
    pub(crate) fn helper_stmt(&mut self) {
        let me = self.world.prog_type.bit();
        let has_ctx = self.ctx.is_some();
        let possible = |h: &Helper| h.types & me != 0 && (has_ctx || !h.needs_ctx);
        let rows: Vec<(u32, Helper)> = HELPERS.into_iter().filter(|(_, h)| possible(h)).collect();
        let row = self.rng().weighted(&rows);
        (row.emit)(self, row.id);
    }

    /// r1 = the context, r2 = an offset into the packet, seldom out of range.
    fn ctx_and_offset(&mut self, len: u32, align: u32) {
        let Some(ctx) = self.ctx else { return };
        self.copy(Reg::R1, ctx);
        if self.rng().chance(30) {
            let mask = 63 & !(align - 1);
            return self.masked_into(Reg::R2, mask as i32, Regs::NONE);
        }
        let packet = self.world.packet_len;
        let most = if self.rng().chance(8) { packet + 4 } else { packet - len };
        let off = self.rng().range(0, most / align) * align;
        self.set_imm(Reg::R2, off as i32);
    }

    fn skb_load_bytes(&mut self, id: i32) {
        let len = self.rng().range(1, 32);
        let Some(to) = self.region(len as u16) else { return };
        self.ctx_and_offset(len, 1);
        self.frame_address(Reg::R3, to);
        self.set_imm(Reg::R4, len as i32);
        self.call_helper(id);
    }

    fn skb_store_bytes(&mut self, id: i32) {
        let len = self.rng().range(1, 32);
        let Some(from) = self.region(len as u16) else { return };
        self.ctx_and_offset(len, 1);
        self.frame_address(Reg::R3, from);
        self.set_imm(Reg::R4, len as i32);
        let flags = self.rng().weighted(&STORE_FLAGS);
        self.set_imm(Reg::R5, flags);
        self.call_helper(id);
        self.packet_moved();
    }

    fn l3_csum_replace(&mut self, id: i32) {
        let flags = self.rng().weighted(&L3_FLAGS);
        self.csum_replace(id, flags);
    }

    fn l4_csum_replace(&mut self, id: i32) {
        let flags = self.rng().weighted(&L4_FLAGS);
        self.csum_replace(id, flags);
    }

    fn csum_replace(&mut self, id: i32, flags: i32) {
        self.ctx_and_offset(2, 2);
        // A ready difference has no old value.
        if flags & 0xf == 0 {
            self.set_imm(Reg::R3, 0);
        } else {
            let from = self.scalar();
            self.copy(Reg::R3, from);
        }
        let to = self.scalar();
        self.copy(Reg::R4, to);
        self.set_imm(Reg::R5, flags);
        self.call_helper(id);
        self.packet_moved();
    }

    fn csum_diff(&mut self, id: i32) {
        let sizes = [self.rng().below(5) as u16 * 4, self.rng().below(5) as u16 * 4];
        let (Some(from), Some(to)) = (self.region(sizes[0]), self.region(sizes[1])) else { return };
        for (at, size, ptr, len) in [(from, sizes[0], Reg::R1, Reg::R2), (to, sizes[1], Reg::R3, Reg::R4)] {
            if size == 0 {
                self.set_imm(ptr, 0);
            } else {
                self.frame_address(ptr, at);
            }
            self.set_imm(len, size.into());
        }
        let seed = self.scalar();
        self.copy(Reg::R5, seed);
        self.call_helper(id);
    }

    /// A call with nothing but the context.
    fn of_context(&mut self, id: i32) {
        let Some(ctx) = self.ctx else { return };
        self.copy(Reg::R1, ctx);
        self.call_helper(id);
    }

    /// The same, of a helper that may move the packet.
    fn moving(&mut self, id: i32) {
        self.of_context(id);
        self.packet_moved();
    }

    /// A call with the context and numbers.
    fn of_numbers(&mut self, id: i32, numbers: &[i32]) {
        for (reg, &number) in [Reg::R2, Reg::R3, Reg::R4].into_iter().zip(numbers) {
            self.set_imm(reg, number);
        }
        self.of_context(id);
    }

    fn moving_by(&mut self, id: i32, numbers: &[i32]) {
        self.of_numbers(id, numbers);
        self.packet_moved();
    }

    /// A number from `least` to `most`.
    fn between(&mut self, least: i32, most: i32) -> i32 {
        self.rng().range(0, (most - least) as u32) as i32 + least
    }

    fn skb_vlan_push(&mut self, id: i32) {
        // 802.1Q and 802.1ad in network order, and what is neither.
        let protocol = self.rng().weighted(&[(4, 0x0081), (3, 0xa888), (1, 0x0008)]);
        let tci = self.between(0, 0xffff);
        self.moving_by(id, &[protocol, tci]);
    }

    fn skb_change_proto(&mut self, id: i32) {
        // IPv4 and IPv6 in network order.
        let protocol = self.rng().weighted(&[(3, 0xdd86), (3, 0x0008), (1, 0x0608)]);
        self.moving_by(id, &[protocol, 0]);
    }

    fn skb_change_type(&mut self, id: i32) {
        let to = self.between(0, 4);
        self.of_numbers(id, &[to]);
    }

    fn skb_change_tail(&mut self, id: i32) {
        let packet = self.world.packet_len as i32;
        let len = if self.rng().chance(10) { 13 } else { self.between(packet - 20, packet + 40) };
        self.moving_by(id, &[len, 0]);
    }

    fn skb_change_head(&mut self, id: i32) {
        let room = self.between(0, 24);
        self.moving_by(id, &[room, 0]);
    }

    fn skb_pull_data(&mut self, id: i32) {
        let packet = self.world.packet_len as i32;
        let len = self.between(0, packet + 4);
        self.moving_by(id, &[len]);
    }

    fn set_hash(&mut self, id: i32) {
        let hash = self.scalar();
        self.copy(Reg::R2, hash);
        self.of_context(id);
    }

    /// Behind the link header only: behind a network header that is cut off, the kernel takes in what it finds there.
    fn skb_adjust_room(&mut self, id: i32) {
        let by = self.between(-24, 40);
        let flags = self.rng().weighted(&[(6, 0), (1, 1), (1, 0x20), (1, 2), (1, 4), (1, 0x80)]);
        self.moving_by(id, &[by, 1, flags]);
    }

    fn csum_level(&mut self, id: i32) {
        let what = self.between(0, 4);
        self.of_numbers(id, &[what]);
    }

    fn xdp_adjust(&mut self, id: i32) {
        let by = self.between(-5, 5) * 4;
        self.moving_by(id, &[by]);
    }

    /// A call whose result no one can predict: it is overwritten at once.
    fn dropped_result(&mut self, id: i32) {
        self.call_helper(id);
        self.state.set(Reg::R0, Kind::Unknown);
        let imm = self.rng().imm();
        self.set_imm(Reg::R0, imm);
    }

    fn packet_moved(&mut self) {
        self.effects.packet = true;
        self.state.forget_packet();
    }
}
