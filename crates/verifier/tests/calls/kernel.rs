//! The running kernel's verdict on bare instructions.

use oxbpf_abi::ProgType;
use oxbpf_isa::{AluOp, Cond, Insn, MemSize, Operand, Reg, Width, encode_all};
use oxbpf_kernel::{KernelProg, LoadError, LoadSpec, LogPolicy, probe};

/// Whether this is the kernel that the rules were measured on; otherwise says that the test is skipped.
pub fn measured() -> bool {
    let availability = probe();
    let same =
        availability.release().is_some_and(|release| release.starts_with("6.18")) && cfg!(target_arch = "x86_64");
    if !same {
        let reason = format!("skipped: {availability}, measured on 6.18 on x86-64");
        assert_ne!(std::env::var("OXBPF_DEV").as_deref(), Ok("1"), "{reason}");
        println!("{reason}");
    }
    same
}

/// What the kernel says in the end about a program that it refuses.
pub fn refusal(prog_type: ProgType, insns: &[Insn]) -> Option<String> {
    let words: Vec<_> = encode_all(insns).into_iter().map(|word| word.to_bytes()).collect();
    let spec = LoadSpec {
        log: LogPolicy::Level(1),
        expected_attach_type: prog_type.row().attach_type,
        ..LoadSpec::new(prog_type.row().id, &words)
    };
    match KernelProg::load(&spec) {
        Ok(_) => None,
        Err(LoadError::Rejected { log, .. }) => Some(log.last_error_line().unwrap_or_default().to_string()),
        Err(error) => panic!("{error}"),
    }
}

pub fn imm(dst: Reg, value: i32) -> Insn {
    Insn::Alu { op: AluOp::Mov, width: Width::W64, dst, src: Operand::Imm(value) }
}

pub fn copy(dst: Reg, src: Reg) -> Insn {
    Insn::Alu { op: AluOp::Mov, width: Width::W64, dst, src: Operand::Reg(src) }
}

/// Leaves with 0 where the register is null.
pub fn or_leave(reg: Reg) -> [Insn; 3] {
    let jump = Insn::JumpIf { cond: Cond::Ne, width: Width::W64, dst: reg, src: Operand::Imm(0), off: 2 };
    [jump, imm(Reg::R0, 0), Insn::Exit]
}

pub fn load(size: MemSize, dst: Reg, base: Reg, off: i16) -> Insn {
    Insn::Load { size, dst, base, off }
}
