//! Assembled programs in the formats that others read.

use std::fmt::Write as _;

use clap::ValueEnum;
use oxbpf_ir::Program;
use oxbpf_isa::{RawInsn, encode_all};

/// A format of bytecode.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(super) enum Format {
    /// The bytes, eight for each slot
    Raw,
    /// A line of sixteen hexadecimal digits for each slot
    Hex,
    /// Arrays of `struct bpf_insn`
    C,
    /// A document with maps and programs
    Json,
}

pub(super) fn words(program: &Program) -> Vec<RawInsn> {
    encode_all(program.insns())
}

pub(super) fn raw(program: &Program) -> Vec<u8> {
    words(program).into_iter().flat_map(RawInsn::to_bytes).collect()
}

/// Lines of sixteen digits; several programs are told apart by comments.
pub(super) fn hex(programs: &[&Program]) -> String {
    let mut out = String::new();
    // Writing to a string does not fail.
    for program in programs {
        if programs.len() > 1 {
            let _ = writeln!(out, "# {}", program.name());
        }
        for word in words(program) {
            for byte in word.to_bytes() {
                let _ = write!(out, "{byte:02x}");
            }
            out.push('\n');
        }
    }
    out
}

/// One array for each program, the instruction behind each of its first slots.
pub(super) fn c(programs: &[&Program]) -> String {
    let mut out = String::new();
    for (i, program) in programs.iter().enumerate() {
        let gap = if i > 0 { "\n" } else { "" };
        let _ = writeln!(out, "{gap}static const struct bpf_insn {}[] = {{", identifier(program.name()));
        for insn in program.insns() {
            for (half, word) in insn.encode().words().iter().enumerate() {
                let RawInsn { code, off, imm, .. } = *word;
                let (dst, src) = (word.dst(), word.src());
                let _ =
                    write!(out, "\t{{ .code = {code:#04x}, .dst_reg = {dst}, .src_reg = {src}, .off = {off}, .imm = ");
                // The most negative number has no literal of its own in C.
                let _ = if imm == i32::MIN { write!(out, "-2147483647 - 1") } else { write!(out, "{imm}") };
                let _ = if half == 0 { writeln!(out, " }}, /* {insn} */") } else { writeln!(out, " }},") };
            }
        }
        out.push_str("};\n");
    }
    out
}

/// A name that C takes.
fn identifier(name: &str) -> String {
    let replaced: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    if replaced.starts_with(|c: char| c.is_ascii_digit()) { format!("_{replaced}") } else { replaced }
}
