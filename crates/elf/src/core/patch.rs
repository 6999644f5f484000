//! Answers put into instructions.

use oxbpf_btf::core::{Access, Resolved};
use oxbpf_isa::RawInsn;

use super::CoreFault;

/// The helper number that an instruction without a right value calls.
pub const POISON: i32 = oxbpf_abi::CORE_POISON.cast_signed();

/// The instruction that stands where there is nothing right.
pub(super) const TRAP: RawInsn = RawInsn { code: 0x85, regs: 0, off: 0, imm: POISON };

/// Classes of instructions (RFC 9669 section 3.1).
mod class {
    pub(super) const MASK: u8 = 0x07;
    pub(super) const LD: u8 = 0x00;
    pub(super) const LDX: u8 = 0x01;
    pub(super) const ST: u8 = 0x02;
    pub(super) const STX: u8 = 0x03;
    pub(super) const ALU: u8 = 0x04;
    pub(super) const ALU64: u8 = 0x07;
}

/// The opcode of a wide load.
const WIDE: u8 = 0x18;
/// The bit of an operand that is a register.
const SOURCE_REG: u8 = 0x08;
/// The bits of a load's or store's width, and what they mean in bytes.
const SIZE_MASK: u8 = 0x18;
const SIZES: [(u8, u64); 4] = [(0x00, 4), (0x08, 2), (0x10, 1), (0x18, 8)];

/// Changes the instruction at the start of `code` to hold the answer.
pub(super) fn apply(code: &mut [RawInsn], resolved: &Resolved) -> Result<(), CoreFault> {
    let (Some(value), access) = (resolved.value, resolved.access) else {
        poison(code);
        return Ok(());
    };
    let insn = code[0];
    let expect = |holds: u64| match resolved.expected {
        Some(expected) if expected != holds => Err(CoreFault::Unexpected { holds, expected }),
        _ => Ok(()),
    };
    let wrong = Err(CoreFault::WrongInsn { code: insn.code });
    match insn.code & class::MASK {
        class::ALU | class::ALU64 if insn.code & SOURCE_REG == 0 => {
            expect(i64::from(insn.imm).cast_unsigned())?;
            // Of a number beyond 32 bits libbpf keeps the low half too.
            code[0].imm = (value as u32).cast_signed();
        }
        class::LDX | class::ST | class::STX => {
            expect(i64::from(insn.off).cast_unsigned())?;
            let off = i16::try_from(value).map_err(|_| CoreFault::OutOfRange { value })?;
            match access {
                Access::Same => code[0].off = off,
                Access::Resize { from, to } => {
                    code[0] = RawInsn { off, code: resized(insn.code, from, to)?, ..insn };
                }
                Access::Unsafe => poison(code),
            }
        }
        class::LD if insn.code == WIDE => match code {
            [first, second, ..] if *second == (RawInsn { imm: second.imm, ..RawInsn::default() }) => {
                let half = |imm: i32| u64::from(imm.cast_unsigned());
                expect(half(first.imm) | half(second.imm) << 32)?;
                first.imm = (value as u32).cast_signed();
                second.imm = ((value >> 32) as u32).cast_signed();
            }
            _ => return wrong,
        },
        _ => return wrong,
    }
    Ok(())
}

/// Makes the instruction one that nothing runs; of a wide load both halves.
fn poison(code: &mut [RawInsn]) {
    let slots = if code[0].code == WIDE { 2 } else { 1 };
    code.iter_mut().take(slots).for_each(|slot| *slot = TRAP);
}

/// The opcode of a load or store with another width.
fn resized(code: u8, from: u64, to: u64) -> Result<u8, CoreFault> {
    let insn = SIZES.iter().find(|s| s.0 == code & SIZE_MASK).map_or(0, |s| s.1);
    if insn != from {
        return Err(CoreFault::WrongWidth { insn, field: from });
    }
    let bits = SIZES.iter().find(|s| s.1 == to).ok_or(CoreFault::NoWidth { field: to })?.0;
    Ok(code & !SIZE_MASK | bits)
}
