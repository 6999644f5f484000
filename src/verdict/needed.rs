//! What an access needed that a path did not give it: in figures, where the fault is one of bounds.

use oxbpf_ir::{Program, Unit};
use oxbpf_isa::{CallTarget, Insn, Operand, Reg as R};
use oxbpf_verifier::{Code, Fault, Frame, Kind, Reg};

/// The bytes that an instruction accesses, counted from its base register: first and number.
fn access(insn: &Insn) -> Option<(R, i64, i64)> {
    Some(match *insn {
        Insn::Load { size, base, off, .. } | Insn::Store { size, base, off, .. } => {
            (base, off.into(), size.bytes().into())
        }
        Insn::LoadAcquire { size, base, off, .. } | Insn::StoreRelease { size, base, off, .. } => {
            (base, off.into(), size.bytes().into())
        }
        Insn::LoadSx { size, base, off, .. } => (base, off.into(), size.size().bytes().into()),
        Insn::Atomic { width, base, off, .. } => (base, off.into(), width.bytes().into()),
        _ => return None,
    })
}

/// A clause on what is missing, with the figures of this place.
pub(super) fn clause(unit: &Unit, program: &Program, fault: &Fault) -> String {
    let special = || {
        let (insn, frame) = (&program.insns()[fault.insn?.index()], fault.frames.last()?);
        let (base, off, size) = access(insn)?;
        in_figures(unit, fault.code, base, frame.reg(base), off, size)
    };
    special().unwrap_or_else(|| fault.code.missing().to_string())
}

fn in_figures(unit: &Unit, code: Code, base: R, reg: &Reg, off: i64, size: i64) -> Option<String> {
    let start = i64::from(reg.off) + off;
    let least = start.saturating_add(reg.num.smin);
    let most = start.saturating_add(reg.num.smax).saturating_add(size);
    let bytes = |limit: u32| match reg.num.as_const() {
        Some(_) => {
            format!(
                "an access within bytes 0 to {}; this one is of bytes {least} to {}",
                i64::from(limit) - 1,
                most - 1
            )
        }
        None => {
            let last = i64::from(limit) - size;
            format!("an offset of 0 to {last}; this one can be {least} to {}", most - size)
        }
    };
    match (code, reg.kind) {
        (Code::PacketBounds, Kind::Packet | Kind::PacketMeta) => {
            let from = if reg.kind == Kind::Packet { "data" } else { "data_meta" };
            match reg.num.as_const() {
                Some(n) => {
                    let end = start.saturating_add(n as i64).saturating_add(size);
                    Some(format!("a comparison that proves {from} + {end} <= data_end"))
                }
                None => Some(format!("a comparison that proves {base} + {} <= data_end", off + size)),
            }
        }
        (Code::MapValueBounds, Kind::MapValue(map)) if !map.inner => {
            Some(bytes(unit.maps().get(map.map.index())?.value_size))
        }
        (Code::MemoryBounds, Kind::Mem(mem)) => Some(bytes(mem.size)),
        (Code::StackBounds, Kind::Stack(_)) if reg.num.as_const().is_some() => {
            Some(format!("an access within r10-512 to r10-1; this one is of r10{least:+} to r10{:+}", most - 1))
        }
        (Code::MaybeNull, _) => Some(format!("a comparison of {base} with null")),
        _ => None,
    }
}

/// The registers that an instruction reads, those that matter most first.
pub(super) fn read(insn: &Insn, frame: &Frame) -> Vec<R> {
    let operand = |src: Operand| match src {
        Operand::Reg(r) => Some(r),
        Operand::Imm(_) => None,
    };
    let mut regs = match *insn {
        Insn::Alu { op: oxbpf_isa::AluOp::Mov, src, .. } => operand(src).into_iter().collect(),
        Insn::Alu { dst, src, .. } | Insn::JumpIf { dst, src, .. } => {
            [Some(dst), operand(src)].into_iter().flatten().collect()
        }
        Insn::Neg { dst, .. } | Insn::Endian { dst, .. } => vec![dst],
        Insn::MovSx { src, .. } | Insn::AddrSpaceCast { src, .. } => vec![src],
        Insn::Store { base, src, .. } => [Some(base), operand(src)].into_iter().flatten().collect(),
        Insn::StoreRelease { base, src, .. } | Insn::Atomic { base, src, .. } => vec![base, src],
        Insn::Load { base, .. } | Insn::LoadSx { base, .. } | Insn::LoadAcquire { base, .. } => vec![base],
        Insn::LdAbs { .. } => vec![R::R6],
        Insn::LdInd { src, .. } => vec![R::R6, src],
        Insn::Call(CallTarget::Helper(id)) => arguments(id),
        Insn::Call(_) => ARGUMENTS.into_iter().filter(|r| frame.reg(*r).kind != Kind::NotInit).collect(),
        Insn::CallX { target } => vec![target],
        Insn::Exit => vec![R::R0],
        Insn::LoadImm64 { .. } | Insn::LoadPseudo { .. } | Insn::Jump { .. } | Insn::JumpLong { .. } => vec![],
        Insn::MayGoto { .. } => vec![],
    };
    regs.dedup();
    regs
}

const ARGUMENTS: [R; 5] = [R::R1, R::R2, R::R3, R::R4, R::R5];

/// The registers that a helper takes its arguments in.
fn arguments(id: i32) -> Vec<R> {
    let helper = u32::try_from(id).ok().and_then(oxbpf_abi::uapi::helper_by_id);
    let count = helper.map_or(0, |h| if h.params.is_empty() { 0 } else { h.params.split(',').count() });
    ARGUMENTS.into_iter().take(count).collect()
}
