//! Our text against LLVM's assembler and disassembler, where they are installed; elsewhere the tests say that
//! they skip.

use std::io::Write;
use std::process::{Command, Stdio};

use oxbpf_isa::text::parse;
use oxbpf_isa::{AluOp, AtomicOp, CallTarget, Cond, EndianOp, Insn, MemSize, MovSx, Narrow, Operand, Reg, Width};

const LLVM_MC: &str = "llvm-mc-19";

/// What llvm-mc prints for this input, or none where it is not installed.
fn llvm_mc(args: &[&str], input: &str) -> Option<String> {
    let child = Command::new(LLVM_MC)
        .args(["-triple", "bpfel", "-mcpu=v4"])
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = match child {
        Ok(child) => child,
        Err(e) => {
            println!("skipped: {LLVM_MC}: {e}");
            return None;
        }
    };
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_owned();
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && !errors.contains("warning"), "{LLVM_MC}: {errors}");
    Some(String::from_utf8(output.stdout).unwrap())
}

/// All operators with a few operands each, without what LLVM 19 has no text for: ordered loads and stores, indexed
/// packet loads with a displacement, `gotol` with more than 16 bits, and what the loader resolves.
fn insns() -> Vec<Insn> {
    let (r1, r9, r10) = (Reg::R1, Reg::R9, Reg::R10);
    let operands = [Operand::Reg(Reg::R2), Operand::Imm(1), Operand::Imm(-1), Operand::Imm(i32::MIN)];
    let offs = [0, 1, -1, i16::MAX, i16::MIN];
    let mut out = vec![Insn::Exit, Insn::CallX { target: Reg::R3 }];
    for width in Width::ALL {
        for src in operands {
            out.extend(AluOp::ROWS.iter().map(|r| Insn::Alu { op: r.op, width, dst: r9, src }));
            out.extend(Cond::ROWS.iter().map(|r| Insn::JumpIf { cond: r.cond, width, dst: r1, src, off: -3 }));
        }
        out.push(Insn::Neg { width, dst: Reg::R4 });
        for off in offs {
            out.extend(AtomicOp::ROWS.iter().map(|r| Insn::Atomic { op: r.op, width, base: r10, off, src: r1 }));
        }
    }
    out.extend(EndianOp::ROWS.iter().map(|r| Insn::Endian { op: r.op, dst: r9 }));
    out.extend(MovSx::ALL.map(|op| Insn::MovSx { op, dst: r9, src: r1 }));
    for off in offs {
        for size in MemSize::ALL {
            out.push(Insn::Load { size, dst: r1, base: r10, off });
            out.extend(operands.map(|src| Insn::Store { size, base: r10, off, src }));
        }
        out.extend(Narrow::ALL.map(|size| Insn::LoadSx { size, dst: r1, base: r10, off }));
        out.extend([Insn::Jump { off }, Insn::MayGoto { off }, Insn::JumpLong { off: off.into() }]);
    }
    for imm in [0, 7, -1, i32::MAX, i32::MIN] {
        out.extend(Narrow::ALL.map(|size| Insn::LdAbs { size, imm }));
        out.push(Insn::Call(CallTarget::Helper(imm)));
    }
    out.extend(Narrow::ALL.map(|size| Insn::LdInd { size, src: Reg::R7, imm: 0 }));
    out.extend([0, 1, 0xffff_ffff, 1 << 32, 1 << 63, u64::MAX].map(|value| Insn::LoadImm64 { dst: r1, value }));
    out.extend([(0, 1), (1, 0), (0xffff, 0x7fff)].map(|(to, from)| Insn::AddrSpaceCast { dst: r1, src: r9, to, from }));
    out
}

fn bytes(insn: &Insn) -> Vec<String> {
    insn.encode().words().iter().flat_map(|w| w.to_bytes()).map(|b| format!("0x{b:02x}")).collect()
}

#[test]
fn llvm_assembles_our_text_to_our_bytes() {
    let insns = insns();
    assert!(insns.len() > 400, "{}", insns.len());
    let text: String = insns.iter().map(|i| format!("{i}\n")).collect();
    let Some(listing) = llvm_mc(&["-show-encoding"], &text) else { return };
    let encodings: Vec<&str> = listing.lines().filter_map(|l| l.split_once("# encoding: ").map(|(_, e)| e)).collect();
    for (encoding, insn) in encodings.iter().zip(&insns) {
        assert_eq!(*encoding, format!("[{}]", bytes(insn).join(",")), "{insn}");
    }
    assert_eq!(encodings.len(), insns.len());
}

#[test]
fn we_read_what_llvm_disassembles() {
    let insns = insns();
    let hex: String = insns.iter().map(|i| bytes(i).join(" ") + "\n").collect();
    let Some(listing) = llvm_mc(&["-disassemble"], &hex) else { return };
    let source = parse(&listing).unwrap_or_else(|e| panic!("{}", e[0].render(&listing, "llvm-mc")));
    for (got, want) in source.insns.iter().zip(&insns) {
        assert_eq!(got, want, "{want}");
    }
    assert_eq!(source.insns.len(), insns.len());
}
