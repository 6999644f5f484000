//! Instructions without their operands: names, forms, groups, and since when there are such.

use super::Group;
use crate::insn::{CallTarget, Insn, Operand, Pseudo};
use crate::ops::{AluOp, AtomicOp, Cond, EndianOp, MemSize, MovSx, Narrow, Width};

/// An instruction without its operands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[allow(missing_docs)]
pub enum Kind {
    Alu(AluOp, Width),
    Neg(Width),
    MovSx(MovSx),
    Endian(EndianOp),
    AddrSpaceCast,
    LoadImm64,
    LoadPseudo(PseudoKind),
    Load(MemSize),
    LoadSx(Narrow),
    Store(MemSize),
    Atomic(AtomicOp, Width),
    LoadAcquire(MemSize),
    StoreRelease(MemSize),
    LdAbs(Narrow),
    LdInd(Narrow),
    Jump,
    JumpLong,
    MayGoto,
    JumpIf(Cond, Width),
    CallHelper,
    CallLocal,
    CallKfunc,
    CallX,
    Exit,
}

/// What a wide load names instead of a value; see [`Pseudo`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[allow(missing_docs)]
pub enum PseudoKind {
    MapFd,
    MapValue,
    BtfVar,
    Func,
    MapIdx,
    MapIdxValue,
}

impl PseudoKind {
    /// All of them, by the number in the source field, from 1.
    pub const ALL: [PseudoKind; 6] = [
        PseudoKind::MapFd,
        PseudoKind::MapValue,
        PseudoKind::BtfVar,
        PseudoKind::Func,
        PseudoKind::MapIdx,
        PseudoKind::MapIdxValue,
    ];

    const fn name(self) -> &'static str {
        match self {
            PseudoKind::MapFd => "lddw_map_fd",
            PseudoKind::MapValue => "lddw_map_value",
            PseudoKind::BtfVar => "lddw_btf_var",
            PseudoKind::Func => "lddw_func",
            PseudoKind::MapIdx => "lddw_map_idx",
            PseudoKind::MapIdxValue => "lddw_map_idx_value",
        }
    }
}

/// Which operands an instruction has, where its kind leaves a choice.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Form {
    /// The source is a register, or there is no choice.
    Reg,
    /// The source is the immediate.
    Imm,
}

impl Form {
    /// The form of an instruction.
    pub const fn of(insn: &Insn) -> Form {
        match insn {
            Insn::Alu { src: Operand::Imm(_), .. }
            | Insn::JumpIf { src: Operand::Imm(_), .. }
            | Insn::Store { src: Operand::Imm(_), .. } => Form::Imm,
            _ => Form::Reg,
        }
    }

    /// `reg` or `imm`.
    pub const fn name(self) -> &'static str {
        match self {
            Form::Reg => "reg",
            Form::Imm => "imm",
        }
    }
}

/// The lowest version of the instruction set, as compilers count (`-mcpu`), that has an instruction.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum CpuLevel {
    /// `-mcpu=v1`, Linux 3.18.
    V1,
    /// `-mcpu=v2`, Linux 4.14: comparisons for less.
    V2,
    /// `-mcpu=v3`, Linux 5.1 and 5.12: 32-bit jumps; atomics that fetch.
    V3,
    /// `-mcpu=v4`, Linux 6.6: signed division, sign extension, unconditional swaps, long jumps.
    V4,
    /// No compiler level.
    None,
}

impl Kind {
    /// Every kind, grouped as RFC 9669 orders them.
    pub fn all() -> impl Iterator<Item = Kind> {
        let both = |kind: fn(Width) -> Kind| Width::ALL.map(kind);
        let alu = AluOp::ROWS.iter().flat_map(|row| Width::ALL.map(|width| Kind::Alu(row.op, width)));
        let jumps = Cond::ROWS.iter().flat_map(|row| Width::ALL.map(|width| Kind::JumpIf(row.cond, width)));
        let atomics = AtomicOp::ROWS.iter().flat_map(|row| Width::ALL.map(|width| Kind::Atomic(row.op, width)));
        alu.chain(both(Kind::Neg))
            .chain(MovSx::ALL.map(Kind::MovSx))
            .chain(EndianOp::ROWS.iter().map(|row| Kind::Endian(row.op)))
            .chain([Kind::Jump, Kind::JumpLong])
            .chain(jumps)
            .chain([Kind::CallHelper, Kind::CallLocal, Kind::CallKfunc, Kind::Exit])
            .chain(MemSize::ALL.map(Kind::Load))
            .chain(Narrow::ALL.map(Kind::LoadSx))
            .chain(MemSize::ALL.map(Kind::Store))
            .chain(atomics)
            .chain([Kind::LoadImm64])
            .chain(PseudoKind::ALL.map(Kind::LoadPseudo))
            .chain(Narrow::ALL.map(Kind::LdAbs))
            .chain(Narrow::ALL.map(Kind::LdInd))
            .chain(MemSize::ALL.map(Kind::LoadAcquire))
            .chain(MemSize::ALL.map(Kind::StoreRelease))
            .chain([Kind::MayGoto, Kind::AddrSpaceCast, Kind::CallX])
    }

    /// The kind of an instruction.
    pub const fn of(insn: &Insn) -> Kind {
        match *insn {
            Insn::Alu { op, width, .. } => Kind::Alu(op, width),
            Insn::Neg { width, .. } => Kind::Neg(width),
            Insn::MovSx { op, .. } => Kind::MovSx(op),
            Insn::Endian { op, .. } => Kind::Endian(op),
            Insn::AddrSpaceCast { .. } => Kind::AddrSpaceCast,
            Insn::LoadImm64 { .. } => Kind::LoadImm64,
            Insn::LoadPseudo { value, .. } => Kind::LoadPseudo(match value {
                Pseudo::MapFd(_) => PseudoKind::MapFd,
                Pseudo::MapValue { .. } => PseudoKind::MapValue,
                Pseudo::BtfVar { .. } => PseudoKind::BtfVar,
                Pseudo::Func(_) => PseudoKind::Func,
                Pseudo::MapIdx(_) => PseudoKind::MapIdx,
                Pseudo::MapIdxValue { .. } => PseudoKind::MapIdxValue,
            }),
            Insn::Load { size, .. } => Kind::Load(size),
            Insn::LoadSx { size, .. } => Kind::LoadSx(size),
            Insn::Store { size, .. } => Kind::Store(size),
            Insn::Atomic { op, width, .. } => Kind::Atomic(op, width),
            Insn::LoadAcquire { size, .. } => Kind::LoadAcquire(size),
            Insn::StoreRelease { size, .. } => Kind::StoreRelease(size),
            Insn::LdAbs { size, .. } => Kind::LdAbs(size),
            Insn::LdInd { size, .. } => Kind::LdInd(size),
            Insn::Jump { .. } => Kind::Jump,
            Insn::JumpLong { .. } => Kind::JumpLong,
            Insn::MayGoto { .. } => Kind::MayGoto,
            Insn::JumpIf { cond, width, .. } => Kind::JumpIf(cond, width),
            Insn::Call(CallTarget::Helper(_)) => Kind::CallHelper,
            Insn::Call(CallTarget::Local(_)) => Kind::CallLocal,
            Insn::Call(CallTarget::Kfunc { .. }) => Kind::CallKfunc,
            Insn::CallX { .. } => Kind::CallX,
            Insn::Exit => Kind::Exit,
        }
    }

    /// Its forms of operands, one or two.
    pub const fn forms(self) -> &'static [Form] {
        match self {
            Kind::Alu(..) | Kind::JumpIf(..) | Kind::Store(_) => &[Form::Reg, Form::Imm],
            _ => &[Form::Reg],
        }
    }

    /// Its name: the mnemonic with its width, as in `add32`, `jslt64`, `ldxsb`, `atomic_fetch_or64`.
    pub fn name(self) -> String {
        match self {
            Kind::Alu(op, width) => format!("{}{}", op.row().mnemonic, width.bits()),
            Kind::Neg(width) => format!("neg{}", width.bits()),
            Kind::MovSx(op) => format!("movsx{}_{}", op.width().bits(), op.from_bits()),
            Kind::Endian(op) => op.row().name.to_string(),
            Kind::LoadImm64 => "lddw".to_string(),
            Kind::LoadPseudo(pseudo) => pseudo.name().to_string(),
            Kind::Load(size) => format!("ldx{}", letters(size)),
            Kind::LoadSx(size) => format!("ldxs{}", letters(size.size())),
            Kind::Store(size) => format!("stx{}", letters(size)),
            Kind::Atomic(op, width) => format!("{}{}", op.row().mnemonic, width.bits()),
            Kind::LoadAcquire(size) => format!("load_acquire_{}", letters(size)),
            Kind::StoreRelease(size) => format!("store_release_{}", letters(size)),
            Kind::LdAbs(size) => format!("ldabs{}", letters(size.size())),
            Kind::LdInd(size) => format!("ldind{}", letters(size.size())),
            Kind::Jump => "ja".to_string(),
            Kind::JumpLong => "ja32".to_string(),
            Kind::MayGoto => "may_goto".to_string(),
            Kind::JumpIf(cond, width) => format!("{}{}", cond.row().mnemonic, width.bits()),
            Kind::CallHelper => "call".to_string(),
            Kind::CallLocal => "call_local".to_string(),
            Kind::CallKfunc => "call_kfunc".to_string(),
            Kind::CallX => "callx".to_string(),
            Kind::AddrSpaceCast => "addr_space_cast".to_string(),
            Kind::Exit => "exit".to_string(),
        }
    }

    /// The kind of this name. A name without width means 64 bits, as assemblers have it.
    pub fn by_name(name: &str) -> Option<Kind> {
        let find = |wanted: &str| Kind::all().find(|kind| kind.name() == wanted);
        find(name).or_else(|| find(&format!("{name}64")))
    }

    /// Its conformance group.
    pub const fn group(self) -> Group {
        match self {
            Kind::Alu(AluOp::Mul | AluOp::Div | AluOp::SDiv | AluOp::Mod | AluOp::SMod, width) => match width {
                Width::W32 => Group::DivMul32,
                Width::W64 => Group::DivMul64,
            },
            Kind::Alu(_, width) | Kind::Neg(width) | Kind::JumpIf(_, width) => base(width),
            Kind::MovSx(op) => base(op.width()),
            Kind::Endian(EndianOp::Le64 | EndianOp::Be64 | EndianOp::Swap64) => Group::Base64,
            Kind::Endian(_) => Group::Base32,
            Kind::Load(MemSize::Dw) | Kind::Store(MemSize::Dw) => Group::Base64,
            Kind::LoadSx(_) | Kind::LoadImm64 | Kind::LoadPseudo(_) => Group::Base64,
            Kind::Load(_) | Kind::Store(_) => Group::Base32,
            Kind::Jump | Kind::JumpLong => Group::Base32,
            Kind::CallHelper | Kind::CallLocal | Kind::CallKfunc | Kind::Exit => Group::Base32,
            Kind::Atomic(_, Width::W32) => Group::Atomic32,
            Kind::Atomic(_, Width::W64) => Group::Atomic64,
            Kind::LdAbs(_) | Kind::LdInd(_) => Group::Packet,
            Kind::LoadAcquire(_) | Kind::StoreRelease(_) => Group::Linux,
            Kind::MayGoto | Kind::AddrSpaceCast | Kind::CallX => Group::Linux,
        }
    }

    /// The section of RFC 9669 that defines it; none of what Linux has beyond.
    pub const fn rfc_section(self) -> Option<&'static str> {
        Some(match self {
            Kind::Alu(..) | Kind::Neg(_) | Kind::MovSx(_) => "4.1",
            Kind::Endian(_) => "4.2",
            Kind::Jump | Kind::JumpLong | Kind::JumpIf(..) | Kind::Exit => "4.3",
            Kind::CallHelper => "4.3.1",
            Kind::CallLocal | Kind::CallKfunc => "4.3.2",
            Kind::Load(_) | Kind::Store(_) => "5.1",
            Kind::LoadSx(_) => "5.2",
            Kind::Atomic(..) => "5.3",
            Kind::LoadImm64 | Kind::LoadPseudo(_) => "5.4",
            Kind::LdAbs(_) | Kind::LdInd(_) => "5.5",
            Kind::LoadAcquire(_) | Kind::StoreRelease(_) | Kind::MayGoto | Kind::AddrSpaceCast | Kind::CallX => {
                return None;
            }
        })
    }

    /// The compiler level that emits it first.
    pub const fn cpu_level(self) -> CpuLevel {
        match self {
            Kind::Alu(AluOp::SDiv | AluOp::SMod, _) | Kind::MovSx(_) | Kind::LoadSx(_) | Kind::JumpLong => CpuLevel::V4,
            Kind::Endian(EndianOp::Swap16 | EndianOp::Swap32 | EndianOp::Swap64) => CpuLevel::V4,
            Kind::LoadAcquire(_) | Kind::StoreRelease(_) => CpuLevel::V4,
            Kind::Atomic(AtomicOp::Add, _) => CpuLevel::V1,
            Kind::Alu(_, Width::W32) | Kind::Neg(Width::W32) | Kind::JumpIf(_, Width::W32) | Kind::Atomic(..) => {
                CpuLevel::V3
            }
            Kind::JumpIf(Cond::Lt | Cond::Le | Cond::SLt | Cond::SLe, Width::W64) => CpuLevel::V2,
            Kind::MayGoto | Kind::AddrSpaceCast | Kind::CallX => CpuLevel::None,
            _ => CpuLevel::V1,
        }
    }

    /// The first Linux whose verifier accepts it; none has `callx`.
    pub const fn since(self) -> Option<&'static str> {
        Some(match self {
            Kind::CallX => return None,
            Kind::Alu(AluOp::SDiv | AluOp::SMod, _) | Kind::MovSx(_) | Kind::LoadSx(_) | Kind::JumpLong => "6.6",
            Kind::Endian(EndianOp::Swap16 | EndianOp::Swap32 | EndianOp::Swap64) => "6.6",
            Kind::LoadAcquire(_) | Kind::StoreRelease(_) => "6.15",
            Kind::MayGoto | Kind::AddrSpaceCast => "6.9",
            Kind::Atomic(AtomicOp::Add, _) => "3.18",
            Kind::Atomic(..) => "5.12",
            Kind::JumpIf(_, Width::W32) => "5.1",
            Kind::JumpIf(Cond::Lt | Cond::Le | Cond::SLt | Cond::SLe, _) => "4.14",
            Kind::CallLocal => "4.16",
            Kind::CallKfunc | Kind::LoadPseudo(PseudoKind::Func) => "5.13",
            Kind::LoadPseudo(PseudoKind::MapValue) => "5.2",
            Kind::LoadPseudo(PseudoKind::BtfVar) => "5.10",
            Kind::LoadPseudo(PseudoKind::MapIdx | PseudoKind::MapIdxValue) => "5.14",
            _ => "3.18",
        })
    }
}

const fn base(width: Width) -> Group {
    match width {
        Width::W32 => Group::Base32,
        Width::W64 => Group::Base64,
    }
}

const fn letters(size: MemSize) -> &'static str {
    match size {
        MemSize::B => "b",
        MemSize::H => "h",
        MemSize::W => "w",
        MemSize::Dw => "dw",
    }
}

impl CpuLevel {
    /// `v1` to `v4`; none has no name.
    pub const fn name(self) -> Option<&'static str> {
        match self {
            CpuLevel::V1 => Some("v1"),
            CpuLevel::V2 => Some("v2"),
            CpuLevel::V3 => Some("v3"),
            CpuLevel::V4 => Some("v4"),
            CpuLevel::None => None,
        }
    }
}
