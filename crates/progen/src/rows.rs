//! What a generated instruction is a case of: one row per operator, width and kind of operand, so that a
//! test can ask whether each was generated.

use oxbpf_isa::{AluOp, AtomicOp, CallTarget, Cond, EndianOp, Insn, MemSize, MovSx, Narrow, Operand, Pseudo, Width};

/// Helpers that generated programs call, by id.
pub const HELPERS: [i32; 27] =
    [1, 2, 3, 5, 7, 8, 9, 10, 11, 17, 18, 19, 26, 28, 31, 32, 38, 39, 41, 43, 44, 48, 50, 54, 65, 135, 188];

/// One kind of instruction. The last `bool` of a row says whether the operand is a register.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs)]
pub enum Row {
    Alu(AluOp, Width, bool),
    Neg(Width),
    MovSx(MovSx),
    Endian(EndianOp),
    JumpIf(Cond, Width, bool),
    Load(MemSize),
    LoadSx(Narrow),
    Store(MemSize, bool),
    Atomic(AtomicOp, Width),
    LoadAcquire(MemSize),
    StoreRelease(MemSize),
    LdAbs(Narrow),
    LdInd(Narrow),
    Helper(i32),
    LoadImm64,
    MapFd,
    MapValue,
    Jump,
    JumpLong,
    MayGoto,
    CallLocal,
    Exit,
}

impl Row {
    /// Every row a generator can produce, in the order of [`Row::index`].
    pub fn all() -> Vec<Row> {
        let mut out = Vec::with_capacity(COUNT);
        let operands = |width| [false, true].map(|reg| (width, reg));
        let forms: Vec<(Width, bool)> = Width::ALL.into_iter().flat_map(operands).collect();
        for row in AluOp::ROWS {
            out.extend(forms.iter().map(|&(width, reg)| Row::Alu(row.op, width, reg)));
        }
        out.extend(Width::ALL.map(Row::Neg));
        out.extend(MovSx::ALL.map(Row::MovSx));
        out.extend(EndianOp::ROWS.map(|r| Row::Endian(r.op)));
        for row in Cond::ROWS {
            out.extend(forms.iter().map(|&(width, reg)| Row::JumpIf(row.cond, width, reg)));
        }
        out.extend(MemSize::ALL.map(Row::Load));
        out.extend(Narrow::ALL.map(Row::LoadSx));
        out.extend(MemSize::ALL.into_iter().flat_map(|s| [false, true].map(|reg| Row::Store(s, reg))));
        out.extend(AtomicOp::ROWS.into_iter().flat_map(|r| Width::ALL.map(|w| Row::Atomic(r.op, w))));
        out.extend(MemSize::ALL.map(Row::LoadAcquire));
        out.extend(MemSize::ALL.map(Row::StoreRelease));
        out.extend(Narrow::ALL.map(Row::LdAbs));
        out.extend(Narrow::ALL.map(Row::LdInd));
        out.extend(HELPERS.map(Row::Helper));
        out.extend(SINGLES);
        out
    }

    /// The row of an instruction; none for what is never generated.
    pub fn of(insn: &Insn) -> Option<Row> {
        let is_reg = |src| matches!(src, Operand::Reg(_));
        Some(match *insn {
            Insn::Alu { op, width, src, .. } => Row::Alu(op, width, is_reg(src)),
            Insn::Neg { width, .. } => Row::Neg(width),
            Insn::MovSx { op, .. } => Row::MovSx(op),
            Insn::Endian { op, .. } => Row::Endian(op),
            Insn::JumpIf { cond, width, src, .. } => Row::JumpIf(cond, width, is_reg(src)),
            Insn::Load { size, .. } => Row::Load(size),
            Insn::LoadSx { size, .. } => Row::LoadSx(size),
            Insn::Store { size, src, .. } => Row::Store(size, is_reg(src)),
            Insn::Atomic { op, width, .. } => Row::Atomic(op, width),
            Insn::LoadAcquire { size, .. } => Row::LoadAcquire(size),
            Insn::StoreRelease { size, .. } => Row::StoreRelease(size),
            Insn::LdAbs { size, .. } => Row::LdAbs(size),
            Insn::LdInd { size, .. } => Row::LdInd(size),
            Insn::Call(CallTarget::Helper(id)) if HELPERS.contains(&id) => Row::Helper(id),
            Insn::Call(CallTarget::Local(_)) => Row::CallLocal,
            Insn::LoadImm64 { .. } => Row::LoadImm64,
            Insn::LoadPseudo { value: Pseudo::MapFd(_), .. } => Row::MapFd,
            Insn::LoadPseudo { value: Pseudo::MapValue { .. }, .. } => Row::MapValue,
            Insn::Jump { .. } => Row::Jump,
            Insn::JumpLong { .. } => Row::JumpLong,
            Insn::MayGoto { .. } => Row::MayGoto,
            Insn::Exit => Row::Exit,
            Insn::AddrSpaceCast { .. } | Insn::LoadPseudo { .. } | Insn::Call(_) | Insn::CallX { .. } => return None,
        })
    }

    /// The row's place in [`Row::all`].
    pub fn index(self) -> usize {
        let form = |width: Width, reg| width as usize * 2 + usize::from(reg);
        match self {
            Row::Alu(op, width, reg) => ALU + op as usize * 4 + form(width, reg),
            Row::Neg(width) => NEG + width as usize,
            Row::MovSx(op) => MOVSX + op as usize,
            Row::Endian(op) => ENDIAN + op as usize,
            Row::JumpIf(cond, width, reg) => JUMP_IF + cond as usize * 4 + form(width, reg),
            Row::Load(size) => LOAD + size as usize,
            Row::LoadSx(size) => LOAD_SX + size as usize,
            Row::Store(size, reg) => STORE + size as usize * 2 + usize::from(reg),
            Row::Atomic(op, width) => ATOMIC + op as usize * 2 + width as usize,
            Row::LoadAcquire(size) => ACQUIRE + size as usize,
            Row::StoreRelease(size) => RELEASE + size as usize,
            Row::LdAbs(size) => ABS + size as usize,
            Row::LdInd(size) => IND + size as usize,
            Row::Helper(id) => HELPER + HELPERS.iter().position(|&h| h == id).unwrap_or(0),
            single => SINGLE + SINGLES.iter().position(|&s| s == single).unwrap_or(0),
        }
    }
}

const SINGLES: [Row; 8] =
    [Row::LoadImm64, Row::MapFd, Row::MapValue, Row::Jump, Row::JumpLong, Row::MayGoto, Row::CallLocal, Row::Exit];

// Where each factor's rows begin in the product.
const ALU: usize = 0;
const NEG: usize = ALU + AluOp::ROWS.len() * 4;
const MOVSX: usize = NEG + Width::ALL.len();
const ENDIAN: usize = MOVSX + MovSx::ALL.len();
const JUMP_IF: usize = ENDIAN + EndianOp::ROWS.len();
const LOAD: usize = JUMP_IF + Cond::ROWS.len() * 4;
const LOAD_SX: usize = LOAD + MemSize::ALL.len();
const STORE: usize = LOAD_SX + Narrow::ALL.len();
const ATOMIC: usize = STORE + MemSize::ALL.len() * 2;
const ACQUIRE: usize = ATOMIC + AtomicOp::ROWS.len() * 2;
const RELEASE: usize = ACQUIRE + MemSize::ALL.len();
const ABS: usize = RELEASE + MemSize::ALL.len();
const IND: usize = ABS + Narrow::ALL.len();
const HELPER: usize = IND + Narrow::ALL.len();
const SINGLE: usize = HELPER + HELPERS.len();
const COUNT: usize = SINGLE + SINGLES.len();

/// A set of rows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct RowSet([u64; COUNT.div_ceil(64)]);

impl RowSet {
    /// Adds a row.
    pub fn insert(&mut self, row: Row) {
        let index = row.index();
        self.0[index / 64] |= 1 << (index % 64);
    }

    /// Whether the row is in the set.
    pub fn contains(&self, row: Row) -> bool {
        let index = row.index();
        self.0[index / 64] >> (index % 64) & 1 != 0
    }

    /// Adds every row of another set.
    pub fn extend(&mut self, other: &RowSet) {
        for (word, more) in self.0.iter_mut().zip(other.0) {
            *word |= more;
        }
    }

    /// The rows that are not in the set.
    pub fn missing(&self) -> Vec<Row> {
        Row::all().into_iter().filter(|&row| !self.contains(row)).collect()
    }
}

/// What a program does, beyond single instructions.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Topic {
    /// A loop with a bounded number of rounds.
    Loops,
    /// A call of a function of the program.
    Calls,
    /// An atomic read-modify-write, a load-acquire or a store-release.
    Atomics,
    /// A map looked up, changed, or its value read or written.
    Maps,
    /// Packet bytes read or written, directly or by LD_ABS and LD_IND.
    Packet,
    /// LD_ABS or LD_IND.
    LegacyLoads,
    /// A call of a helper.
    Helpers,
    /// A context field read.
    ContextRead,
    /// A context field written.
    ContextWrite,
    /// A pointer stored on the stack and loaded from there.
    PointerSpills,
    /// An access at an offset held by a register.
    VariableOffset,
    /// `may_goto`.
    MayGoto,
}

impl Topic {
    /// All topics, in the order of the enum.
    pub const ALL: [Topic; 12] = [
        Topic::Loops,
        Topic::Calls,
        Topic::Atomics,
        Topic::Maps,
        Topic::Packet,
        Topic::LegacyLoads,
        Topic::Helpers,
        Topic::ContextRead,
        Topic::ContextWrite,
        Topic::PointerSpills,
        Topic::VariableOffset,
        Topic::MayGoto,
    ];
}

/// The topics and instruction rows of one program.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Features {
    topics: u16,
    /// The rows its instructions are cases of.
    pub rows: RowSet,
}

impl Features {
    /// Whether the program has this.
    pub fn has(&self, topic: Topic) -> bool {
        self.topics >> topic as u8 & 1 != 0
    }

    pub(crate) fn note(&mut self, topic: Topic) {
        self.topics |= 1 << topic as u8;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_numbered_in_order() {
        let all = Row::all();
        assert_eq!(all.len(), COUNT);
        for (at, row) in all.iter().enumerate() {
            assert_eq!(row.index(), at, "{row:?}");
        }
    }
}
