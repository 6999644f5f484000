//! Instructions as llvm-objdump of LLVM 19 shows them where no CPU is named.

use core::fmt::Write as _;

use super::print::Shown;
use super::pseudo_c;
use crate::decode::decode;
use crate::insn::{CallTarget, Insn};
use crate::ops::{AtomicOp, MemSize, Width};
use crate::raw::{RawInsn, Reg, Slot};

/// The instruction that begins at the first of these words as llvm-objdump shows it, and how many words it takes.
///
/// What the disassembler does not know of an instruction is not shown: which kind of address a wide load takes or a call
/// goes to. What it does not know at all, and what is no instruction, is `<unknown>`. Jumps are followed by the name of
/// their target, which is for the caller to add.
///
/// ```
/// use oxbpf_isa::RawInsn;
/// use oxbpf_isa::text::objdump_insn;
///
/// let mut out = String::new();
/// assert_eq!(objdump_insn(&mut out, &[RawInsn { code: 0xb7, regs: 1, off: 0, imm: -5 }]), 1);
/// assert_eq!(out, "r1 = -0x5");
/// ```
pub fn objdump_insn(out: &mut String, words: &[RawInsn]) -> usize {
    let decoded = decode(words, Slot(0)).ok().map(|(insn, slots)| (insn, slots as usize));
    match decoded.and_then(|(insn, slots)| Some((shown(insn)?, slots))) {
        // What a wide load takes the address of is a number to it, and the second slot's immediate is not shown.
        Some((Insn::LoadPseudo { dst, .. }, slots)) => {
            out.push_str("ld_pseudo\t");
            let _ = write!(out, "{dst}, {:#x}, {:#x}", words[0].src(), words[0].imm);
            slots
        }
        Some((insn, slots)) => {
            // Writing to a string does not fail.
            let _ = pseudo_c::write(out, &pseudo_c::OBJDUMP, &insn, Shown::Number);
            slots
        }
        None => {
            out.push_str("<unknown>");
            1
        }
    }
}

/// What of an instruction is shown; none where it is not known.
fn shown(insn: Insn) -> Option<Insn> {
    Some(match insn {
        Insn::Call(CallTarget::Local(number) | CallTarget::Kfunc { id: number, .. }) => {
            Insn::Call(CallTarget::Helper(number))
        }
        Insn::LdInd { size, src, .. } => Insn::LdInd { size, src, imm: 0 },
        // Without a CPU that has them, LLVM 19 knows no 32-bit atomics but the oldest, which it takes two for.
        Insn::Atomic { op: AtomicOp::Add | AtomicOp::FetchAdd, width: Width::W32, base, off, src } => {
            lock(Width::W32, base, src, off)
        }
        Insn::Atomic { width: Width::W32, .. } => return None,
        // Their immediates are not looked at in full.
        Insn::LoadAcquire { size: MemSize::W, dst, base, off } => lock(Width::W32, dst, base, off),
        Insn::LoadAcquire { size: MemSize::Dw, dst, base, off } => lock(Width::W64, dst, base, off),
        Insn::LoadAcquire { .. } | Insn::StoreRelease { .. } => return None,
        other => other,
    })
}

/// `lock *(u64 *)(base + off) += src`.
const fn lock(width: Width, base: Reg, src: Reg, off: i16) -> Insn {
    Insn::Atomic { op: AtomicOp::Add, width, base, off, src }
}
