//! Wire form to typed instruction. The row is selected by opcode, source, offset and immediate together:
//! signed division and sign-extending moves live in the offset, atomics in the immediate.

use thiserror::Error;

use crate::encode::{ADDR_SPACE_CAST, CALL, EXIT, JA, JCOND, LOAD_ACQUIRE, MOV, NEG, STORE_RELEASE, X};
use crate::insn::{CallTarget, Insn, Operand, Pseudo};
use crate::ops::{AluOp, AtomicOp, Cond, EndianOp, MemSize, MovSx, Narrow, Width};
use crate::raw::{RawInsn, Reg, Slot, class, mode};

/// Bytes that are no instruction: where, and what is wrong with them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error("insn {slot}: {fault}")]
pub struct DecodeError {
    /// The instruction's slot.
    pub slot: Slot,
    /// What is wrong.
    pub fault: DecodeFault,
}

/// What is wrong with an instruction's bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[allow(missing_docs)]
pub enum DecodeFault {
    /// No instruction has this opcode with these selectors.
    #[error("unknown opcode {code:#04x}")]
    Opcode { code: u8 },
    /// A field that this instruction reserves is not zero.
    #[error("opcode {code:#04x} reserves field {field}, which is {value:#x}")]
    Reserved { code: u8, field: &'static str, value: i64 },
    /// A register number above 10.
    #[error("register r{number} does not exist")]
    Register { number: u8 },
    /// The opcode is known, but not with this selector in this field.
    #[error("opcode {code:#04x} has no operation {value:#x} in field {field}")]
    Selector { code: u8, field: &'static str, value: i64 },
    /// A wide instruction's second slot is missing.
    #[error("wide instruction is cut off at the end of the program")]
    Truncated,
    /// A wide instruction's second slot has more than an immediate.
    #[error("second slot of a wide instruction has a non-zero field besides imm")]
    SecondSlot,
}

impl DecodeError {
    /// A stable code, `isa-…`.
    pub const fn code(&self) -> &'static str {
        match self.fault {
            DecodeFault::Opcode { .. } => "isa-opcode",
            DecodeFault::Reserved { .. } => "isa-reserved",
            DecodeFault::Register { .. } => "isa-register",
            DecodeFault::Selector { .. } => "isa-selector",
            DecodeFault::Truncated => "isa-truncated",
            DecodeFault::SecondSlot => "isa-second-slot",
        }
    }
}

type Result<T> = core::result::Result<T, DecodeFault>;

/// The instruction at `slot` and how many slots it takes.
///
/// Fails when `slot` is past the end, or its bytes are no instruction or set a reserved bit.
pub fn decode(words: &[RawInsn], slot: Slot) -> core::result::Result<(Insn, u32), DecodeError> {
    let err = |fault| DecodeError { slot, fault };
    let raw = *words.get(slot.index()).ok_or(err(DecodeFault::Truncated))?;
    let insn = if raw.code == WIDE {
        let second = *words.get(slot.index() + 1).ok_or(err(DecodeFault::Truncated))?;
        wide(raw, second)
    } else {
        basic(raw)
    };
    insn.map(|i| (i, i.slots())).map_err(err)
}

/// All instructions of a program, each with its slot.
pub fn decode_all(words: &[RawInsn]) -> core::result::Result<Vec<(Slot, Insn)>, DecodeError> {
    let mut out = Vec::with_capacity(words.len());
    let mut slot = Slot(0);
    while slot.index() < words.len() {
        let (insn, slots) = decode(words, slot)?;
        out.push((slot, insn));
        slot.0 += slots;
    }
    Ok(out)
}

// The rows again, by what selects them: a search in each instruction would cost more than the rest.

/// Operators by the opcode's high four bits, and by the offset, which is 0 or 1.
const ALU: [[Option<AluOp>; 2]; 16] = {
    let mut table = [[None; 2]; 16];
    let mut n = 0;
    while n < AluOp::ROWS.len() {
        let row = &AluOp::ROWS[n];
        table[(row.code >> 4) as usize][row.off as usize] = Some(row.op);
        n += 1;
    }
    table
};

/// Conditions by the opcode's high four bits.
const COND: [Option<Cond>; 16] = {
    let mut table = [None; 16];
    let mut n = 0;
    while n < Cond::ROWS.len() {
        table[(Cond::ROWS[n].code >> 4) as usize] = Some(Cond::ROWS[n].cond);
        n += 1;
    }
    table
};

/// Atomic operators by the immediate, which has 8 bits.
const ATOMIC: [Option<AtomicOp>; 256] = {
    let mut table = [None; 256];
    let mut n = 0;
    while n < AtomicOp::ROWS.len() {
        table[AtomicOp::ROWS[n].imm as usize] = Some(AtomicOp::ROWS[n].op);
        n += 1;
    }
    table
};

/// The high four bits of the opcodes of byte swaps.
const END: u8 = 0xd0;

const WIDE: u8 = class::LD | mode::IMM | 0x18;

fn reg(number: u8) -> Result<Reg> {
    Reg::new(number).ok_or(DecodeFault::Register { number })
}

fn dst(raw: RawInsn) -> Result<Reg> {
    reg(raw.dst())
}

fn src(raw: RawInsn) -> Result<Reg> {
    reg(raw.src())
}

fn zero(raw: RawInsn, field: &'static str, value: i64) -> Result<()> {
    if value == 0 { Ok(()) } else { Err(DecodeFault::Reserved { code: raw.code, field, value }) }
}

fn no_dst(raw: RawInsn) -> Result<()> {
    zero(raw, "dst", raw.dst().into())
}

fn no_src(raw: RawInsn) -> Result<()> {
    zero(raw, "src", raw.src().into())
}

fn no_off(raw: RawInsn) -> Result<()> {
    zero(raw, "off", raw.off.into())
}

fn no_imm(raw: RawInsn) -> Result<()> {
    zero(raw, "imm", raw.imm.into())
}

fn unknown(raw: RawInsn) -> DecodeFault {
    DecodeFault::Opcode { code: raw.code }
}

fn selector(raw: RawInsn, field: &'static str, value: i64) -> DecodeFault {
    DecodeFault::Selector { code: raw.code, field, value }
}

/// Register or immediate, by the opcode's source bit; the other field is reserved.
fn operand(raw: RawInsn) -> Result<Operand> {
    if raw.code & X != 0 {
        no_imm(raw)?;
        Ok(Operand::Reg(src(raw)?))
    } else {
        no_src(raw)?;
        Ok(Operand::Imm(raw.imm))
    }
}

fn basic(raw: RawInsn) -> Result<Insn> {
    match raw.code & 0x07 {
        class::LD => legacy(raw),
        class::LDX => load(raw),
        class::ST => store_imm(raw),
        class::STX => store_reg(raw),
        class::ALU => alu(raw, Width::W32),
        class::ALU64 => alu(raw, Width::W64),
        class::JMP => jump(raw, Width::W64),
        _ => jump(raw, Width::W32),
    }
}

fn wide(raw: RawInsn, second: RawInsn) -> Result<Insn> {
    let dst = dst(raw)?;
    no_off(raw)?;
    if second.code != 0 || second.regs != 0 || second.off != 0 {
        return Err(DecodeFault::SecondSlot);
    }
    let (lo, hi) = (raw.imm, second.imm);
    let only = |p| {
        if hi == 0 { Ok(p) } else { Err(DecodeFault::Reserved { code: raw.code, field: "next imm", value: hi.into() }) }
    };
    let value = match raw.src() {
        0 => {
            let value = u64::from(lo as u32) | u64::from(hi as u32) << 32;
            return Ok(Insn::LoadImm64 { dst, value });
        }
        1 => only(Pseudo::MapFd(lo))?,
        2 => Pseudo::MapValue { fd: lo, off: hi },
        3 => Pseudo::BtfVar { id: lo, fd: hi },
        4 => only(Pseudo::Func(lo))?,
        5 => only(Pseudo::MapIdx(lo))?,
        6 => Pseudo::MapIdxValue { idx: lo, off: hi },
        n => return Err(selector(raw, "src", n.into())),
    };
    Ok(Insn::LoadPseudo { dst, value })
}

fn legacy(raw: RawInsn) -> Result<Insn> {
    let size = Narrow::from_size(MemSize::from_code(raw.code)).ok_or(unknown(raw))?;
    match raw.code & 0xe0 {
        mode::ABS => {
            no_dst(raw)?;
            no_src(raw)?;
            no_off(raw)?;
            Ok(Insn::LdAbs { size, imm: raw.imm })
        }
        mode::IND => {
            no_dst(raw)?;
            no_off(raw)?;
            Ok(Insn::LdInd { size, src: src(raw)?, imm: raw.imm })
        }
        _ => Err(unknown(raw)),
    }
}

fn load(raw: RawInsn) -> Result<Insn> {
    let size = MemSize::from_code(raw.code);
    let insn = match raw.code & 0xe0 {
        mode::MEM => Insn::Load { size, dst: dst(raw)?, base: src(raw)?, off: raw.off },
        mode::MEMSX => {
            let size = Narrow::from_size(size).ok_or(unknown(raw))?;
            Insn::LoadSx { size, dst: dst(raw)?, base: src(raw)?, off: raw.off }
        }
        _ => return Err(unknown(raw)),
    };
    no_imm(raw)?;
    Ok(insn)
}

fn store_imm(raw: RawInsn) -> Result<Insn> {
    if raw.code & 0xe0 != mode::MEM {
        return Err(unknown(raw));
    }
    no_src(raw)?;
    let size = MemSize::from_code(raw.code);
    Ok(Insn::Store { size, base: dst(raw)?, off: raw.off, src: Operand::Imm(raw.imm) })
}

fn store_reg(raw: RawInsn) -> Result<Insn> {
    let size = MemSize::from_code(raw.code);
    match raw.code & 0xe0 {
        mode::MEM => {
            no_imm(raw)?;
            Ok(Insn::Store { size, base: dst(raw)?, off: raw.off, src: Operand::Reg(src(raw)?) })
        }
        mode::ATOMIC => atomic(raw, size),
        _ => Err(unknown(raw)),
    }
}

fn atomic(raw: RawInsn, size: MemSize) -> Result<Insn> {
    let off = raw.off;
    match raw.imm {
        LOAD_ACQUIRE => return Ok(Insn::LoadAcquire { size, dst: dst(raw)?, base: src(raw)?, off }),
        STORE_RELEASE => return Ok(Insn::StoreRelease { size, base: dst(raw)?, off, src: src(raw)? }),
        _ => {}
    }
    let width = match size {
        MemSize::W => Width::W32,
        MemSize::Dw => Width::W64,
        MemSize::B | MemSize::H => return Err(selector(raw, "imm", raw.imm.into())),
    };
    let op = ATOMIC[raw.imm as usize & 0xff].filter(|op| op.row().imm == raw.imm);
    let op = op.ok_or(selector(raw, "imm", raw.imm.into()))?;
    Ok(Insn::Atomic { op, width, base: dst(raw)?, off, src: src(raw)? })
}

fn alu(raw: RawInsn, width: Width) -> Result<Insn> {
    if raw.code & 0xf0 == END && EndianOp::ROWS.iter().any(|r| r.code == raw.code) {
        no_src(raw)?;
        no_off(raw)?;
        let row = EndianOp::ROWS.iter().find(|r| r.code == raw.code && r.bits == raw.imm);
        let row = row.ok_or(selector(raw, "imm", raw.imm.into()))?;
        return Ok(Insn::Endian { op: row.op, dst: dst(raw)? });
    }
    let code = raw.code & 0xf0;
    if code == NEG {
        if raw.code & X != 0 {
            return Err(unknown(raw));
        }
        no_src(raw)?;
        no_off(raw)?;
        no_imm(raw)?;
        return Ok(Insn::Neg { width, dst: dst(raw)? });
    }
    if code == MOV && raw.off != 0 && raw.code & X != 0 {
        return special_move(raw, width);
    }
    let [plain, signed] = ALU[usize::from(code >> 4)];
    let op = match raw.off {
        0 => plain,
        1 => signed,
        _ => None,
    };
    match op {
        Some(op) => Ok(Insn::Alu { op, width, dst: dst(raw)?, src: operand(raw)? }),
        None if plain.is_none() => Err(unknown(raw)),
        None => Err(selector(raw, "off", raw.off.into())),
    }
}

/// A register move with a non-zero offset: sign extension, or a cast between address spaces.
fn special_move(raw: RawInsn, width: Width) -> Result<Insn> {
    if raw.off == ADDR_SPACE_CAST && width == Width::W64 {
        let (to, from) = ((raw.imm as u32 >> 16) as u16, raw.imm as u16);
        return Ok(Insn::AddrSpaceCast { dst: dst(raw)?, src: src(raw)?, to, from });
    }
    let op = MovSx::ALL.into_iter().find(|m| m.width() == width && m.from_bits() as i16 == raw.off);
    let op = op.ok_or(selector(raw, "off", raw.off.into()))?;
    no_imm(raw)?;
    Ok(Insn::MovSx { op, dst: dst(raw)?, src: src(raw)? })
}

fn jump(raw: RawInsn, width: Width) -> Result<Insn> {
    let wide = width == Width::W64;
    let (code, x) = (raw.code & 0xf0, raw.code & X != 0);
    match (code, wide, x) {
        (JA, true, false) => {
            no_dst(raw)?;
            no_src(raw)?;
            no_imm(raw)?;
            Ok(Insn::Jump { off: raw.off })
        }
        (JA, false, false) => {
            no_dst(raw)?;
            no_src(raw)?;
            no_off(raw)?;
            Ok(Insn::JumpLong { off: raw.imm })
        }
        (JCOND, true, false) => {
            no_dst(raw)?;
            no_src(raw)?;
            no_imm(raw)?;
            Ok(Insn::MayGoto { off: raw.off })
        }
        (CALL, true, false) => {
            no_dst(raw)?;
            call(raw).map(Insn::Call)
        }
        (CALL, true, true) => {
            no_src(raw)?;
            no_off(raw)?;
            no_imm(raw)?;
            Ok(Insn::CallX { target: dst(raw)? })
        }
        (EXIT, true, false) => {
            no_dst(raw)?;
            no_src(raw)?;
            no_off(raw)?;
            no_imm(raw)?;
            Ok(Insn::Exit)
        }
        _ => {
            let cond = COND[usize::from(code >> 4)].ok_or(unknown(raw))?;
            Ok(Insn::JumpIf { cond, width, dst: dst(raw)?, src: operand(raw)?, off: raw.off })
        }
    }
}

fn call(raw: RawInsn) -> Result<CallTarget> {
    match raw.src() {
        0 => {
            no_off(raw)?;
            Ok(CallTarget::Helper(raw.imm))
        }
        1 => {
            no_off(raw)?;
            Ok(CallTarget::Local(raw.imm))
        }
        2 => Ok(CallTarget::Kfunc { id: raw.imm, fd_idx: raw.off }),
        n => Err(selector(raw, "src", n.into())),
    }
}
