//! Context fields: those that a test run of the kernel fixes, or that it can be told.

use oxbpf_isa::{MemSize, Operand, Reg};

use crate::ProgType;
use crate::fun::Fun;
use crate::rows::Topic;
use crate::state::{Kind, Regs};

const CLS: u8 = 1 << ProgType::SchedCls as u8;
const SOCKET: u8 = 1 << ProgType::SocketFilter as u8;
const XDP: u8 = 1 << ProgType::Xdp as u8;

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
const FIELDS: [Field; 19] = [
    field(0, 1, CLS | SOCKET, 0, true),             // len
    field(4, 1, CLS | SOCKET, 0, true),             // pkt_type
    field(8, 1, CLS | SOCKET, CLS, true),           // mark
    field(12, 1, CLS | SOCKET, CLS, true),          // queue_mapping
    field(16, 1, CLS | SOCKET, 0, true),            // protocol
    field(20, 1, CLS | SOCKET, 0, true),            // vlan_present
    field(24, 1, CLS | SOCKET, 0, true),            // vlan_tci
    field(28, 1, CLS | SOCKET, 0, true),            // vlan_proto
    field(32, 1, CLS | SOCKET, CLS, true),          // priority
    field(36, 1, CLS | SOCKET, 0, true),            // ingress_ifindex
    field(40, 1, CLS | SOCKET, 0, true),            // ifindex
    field(44, 1, CLS | SOCKET, CLS, true),          // tc_index
    field(48, 5, CLS | SOCKET, CLS | SOCKET, true), // cb
    field(48, 5, CLS | SOCKET, CLS | SOCKET, true), // cb, twice as likely
    field(68, 1, CLS | SOCKET, 0, true),            // hash
    field(72, 1, CLS, CLS, true),                   // tc_classid
    field(12, 1, XDP, 0, false),                    // ingress_ifindex
    field(16, 1, XDP, 0, false),                    // rx_queue_index
    field(12, 1, XDP, 0, false),                    // ingress_ifindex
];

impl Fun {
    fn field(&mut self, allowed: fn(&Field) -> u8) -> Option<Field> {
        let me = 1 << self.world.prog_type as u8;
        let fields: Vec<Field> = FIELDS.into_iter().filter(|f| allowed(f) & me != 0).collect();
        (!fields.is_empty()).then(|| self.rng().pick(&fields))
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
