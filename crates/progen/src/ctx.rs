//! Context fields: those that a test run of the kernel fixes, or that it can be told.

use oxbpf_isa::{MemSize, Operand, Reg};

use crate::fun::Fun;
use crate::rows::Topic;
use crate::state::{Kind, Regs};
use crate::{CLS, SOCKET, XDP};

/// A context field of one or more words: who may read it, who may write it.
#[derive(Clone, Copy)]
struct Field {
    off: i16,
    words: u8,
    readers: u8,
    writers: u8,
    /// Whether a part of a word may be accessed.
    parts: bool,
}

const fn field(off: i16, words: u8, readers: u8, writers: u8, parts: bool) -> Field {
    Field { off, words, readers, writers, parts }
}

/// `__sk_buff` and `xdp_md`, by offset.
const FIELDS: [(u32, Field); 17] = [
    (1, field(0, 1, CLS | SOCKET, 0, true)),             // len
    (1, field(4, 1, CLS | SOCKET, 0, true)),             // pkt_type
    (1, field(8, 1, CLS | SOCKET, CLS, true)),           // mark
    (1, field(12, 1, CLS | SOCKET, CLS, true)),          // queue_mapping
    (1, field(16, 1, CLS | SOCKET, 0, true)),            // protocol
    (1, field(20, 1, CLS | SOCKET, 0, true)),            // vlan_present
    (1, field(24, 1, CLS | SOCKET, 0, true)),            // vlan_tci
    (1, field(28, 1, CLS | SOCKET, 0, true)),            // vlan_proto
    (1, field(32, 1, CLS | SOCKET, CLS, true)),          // priority
    (1, field(36, 1, CLS | SOCKET, 0, true)),            // ingress_ifindex
    (1, field(40, 1, CLS | SOCKET, 0, true)),            // ifindex
    (1, field(44, 1, CLS | SOCKET, CLS, true)),          // tc_index
    (2, field(48, 5, CLS | SOCKET, CLS | SOCKET, true)), // cb
    (1, field(68, 1, CLS | SOCKET, 0, true)),            // hash
    (1, field(72, 1, CLS, CLS, true)),                   // tc_classid
    (1, field(12, 1, XDP, 0, false)),                    // ingress_ifindex
    (1, field(16, 1, XDP, 0, false)),                    // rx_queue_index
];

impl Fun {
    fn field(&mut self, allowed: fn(&Field) -> u8) -> Option<Field> {
        let me = self.world.prog_type.bit();
        let fields: Vec<(u32, Field)> = FIELDS.into_iter().filter(|(_, f)| allowed(f) & me != 0).collect();
        (!fields.is_empty()).then(|| self.rng().weighted(&fields))
    }

    /// The word of a field, as an offset into the context.
    fn word(&mut self, field: Field) -> i16 {
        field.off + self.rng().below(field.words.into()) as i16 * 4
    }

    pub(crate) fn ctx_read_stmt(&mut self) {
        let (Some(base), Some(field)) = (self.ctx, self.field(|f| f.readers)) else { return };
        let word = self.word(field);
        let (size, off) = match self.rng().below(10) {
            0 if field.parts => (MemSize::B, word + self.rng().below(4) as i16),
            1 if field.parts => (MemSize::H, word + self.rng().below(2) as i16 * 2),
            2 if field.words > 1 => (MemSize::Dw, field.off + self.rng().below(2) as i16 * 8),
            _ => (MemSize::W, word),
        };
        let dst = self.fresh(Regs::NONE);
        self.load(size, dst, base, off);
        self.note(Topic::ContextRead);
    }

    pub(crate) fn ctx_write_stmt(&mut self) {
        let (Some(base), Some(field)) = (self.ctx, self.field(|f| f.writers)) else { return };
        let word = self.word(field);
        let (size, off) = match self.rng().below(6) {
            0 if field.words > 1 => (MemSize::B, word + self.rng().below(4) as i16),
            1 if field.words > 1 => (MemSize::H, word + self.rng().below(2) as i16 * 2),
            2 if field.words > 1 => (MemSize::Dw, field.off + self.rng().below(2) as i16 * 8),
            _ => (MemSize::W, word),
        };
        let src = if self.rng().chance(30) { Operand::Imm(self.rng().imm()) } else { Operand::Reg(self.scalar()) };
        self.store(size, base, off, src);
        self.note(Topic::ContextWrite);
    }

    /// Keeps the context, which an argument register holds, in a register that calls preserve.
    pub(crate) fn settle_ctx(&mut self, from: Reg, home: Reg) {
        self.copy(home, from);
        self.state.set(home, Kind::Ctx);
        self.pinned = self.pinned.with(home);
        self.ctx = Some(home);
    }
}
