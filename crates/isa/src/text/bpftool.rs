//! Instructions as bpftool 7.1 shows them.

use core::fmt::{Display, Write as _};

use crate::ops::{AluOp, AtomicOp, Cond, MemSize};
use crate::raw::RawInsn;

/// Names of what is called, which only the one who shows a program knows. `()` knows none.
pub trait Callees {
    /// What stands behind `call ` for a helper or a kernel function, and `call pc` for a function of the program.
    fn callee(&self, _call: RawInsn) -> Option<String> {
        None
    }

    /// The name of a helper by its number.
    fn helper(&self, _id: i32) -> Option<String> {
        None
    }
}

impl Callees for () {}

/// The instruction that begins at the first of these words as bpftool 7.1 shows it, its opcode in front; a wide one takes
/// the second word along, where there is one.
///
/// bpftool looks at less than the instruction set has today: signed division is shown as `/=`, a sign-extending move as a
/// move; what it does not know is `BUG_…`.
///
/// ```
/// use oxbpf_isa::RawInsn;
/// use oxbpf_isa::text::bpftool_insn;
///
/// let mut out = String::new();
/// bpftool_insn(&mut out, &[RawInsn { code: 0x55, regs: 1, off: 4, imm: -5 }], &());
/// assert_eq!(out, "(55) if r1 != 0xfffffffb goto pc+4");
/// ```
pub fn bpftool_insn(out: &mut String, words: &[RawInsn], callees: &dyn Callees) {
    let Some(&insn) = words.first() else { return };
    let shown = match insn.code & 7 {
        LD => ld(insn, words.get(1).map_or(0, |w| w.imm)),
        LDX => ldx(insn),
        ST => st(insn),
        STX => stx(insn),
        ALU | ALU64 => alu(insn),
        _ => Ok(jump(insn, callees)),
    };
    // Writing to a string does not fail.
    let _ = match shown {
        Ok(text) => write!(out, "({:02x}) {text}", insn.code),
        Err(bug) => write!(out, "{bug}{:02x}", insn.code),
    };
}

const LD: u8 = 0;
const LDX: u8 = 1;
const ST: u8 = 2;
const STX: u8 = 3;
const ALU: u8 = 4;
const JMP32: u8 = 6;
const ALU64: u8 = 7;

/// Modes of loads and stores.
const IMM: u8 = 0x00;
const ABS: u8 = 0x20;
const IND: u8 = 0x40;
const MEM: u8 = 0x60;
const ATOMIC: u8 = 0xc0;

/// The text behind the opcode, or what stands in front of the opcode of an instruction that is not known.
type Shown = Result<String, &'static str>;

fn size(insn: RawInsn) -> &'static str {
    let bytes = match insn.code & 0x18 {
        0x00 => 4,
        0x08 => 2,
        0x10 => 1,
        _ => 8,
    };
    MemSize::ALL.into_iter().find(|s| s.bytes() == bytes).map_or("", MemSize::unsigned_name)
}

/// `*(u32 *)(r1 +112)`, without the star.
fn memory(insn: RawInsn, base: u8) -> String {
    format!("({} *)(r{base} {:+})", size(insn), insn.off)
}

fn ld(insn: RawInsn, high: i32) -> Shown {
    match insn.code & 0xe0 {
        ABS => Ok(format!("r0 = *({} *)skb[{}]", size(insn), insn.imm)),
        IND => Ok(format!("r0 = *({} *)skb[r{} + {}]", size(insn), insn.src(), insn.imm)),
        IMM if insn.code & 0x18 == 0x18 => Ok(format!("r{} = {}", insn.dst(), wide(insn, high))),
        _ => Err("BUG_ld_"),
    }
}

/// What a wide load loads, by its kind.
fn wide(insn: RawInsn, high: i32) -> String {
    let low = insn.imm as u32;
    match insn.src() {
        1 => format!("map[id:{low}]"),
        2 => format!("map[id:{low}][0]+{}", high as u32),
        6 => format!("map[idx:{low}]+{}", high as u32),
        4 => format!("subprog[{:+}]", insn.imm),
        _ => format!("{:#x}", u64::from(high as u32) << 32 | u64::from(low)),
    }
}

fn ldx(insn: RawInsn) -> Shown {
    match insn.code & 0xe0 {
        MEM => Ok(format!("r{} = *{}", insn.dst(), memory(insn, insn.src()))),
        _ => Err("BUG_ldx_"),
    }
}

fn st(insn: RawInsn) -> Shown {
    match insn.code & 0xe0 {
        MEM => Ok(format!("*{} = {}", memory(insn, insn.dst()), insn.imm)),
        // A barrier that only the kernel's own rewriting puts in.
        0xc0 => Ok("nospec".to_owned()),
        _ => Err("BUG_st_"),
    }
}

fn stx(insn: RawInsn) -> Shown {
    match insn.code & 0xe0 {
        MEM => Ok(format!("*{} = r{}", memory(insn, insn.dst()), insn.src())),
        ATOMIC => AtomicOp::ROWS.iter().find(|r| r.imm == insn.imm).map_or(Err("BUG_"), |row| Ok(atomic(insn, row.op))),
        _ => Err("BUG_"),
    }
}

fn atomic(insn: RawInsn, op: AtomicOp) -> String {
    let (memory, src, row) = (memory(insn, insn.dst()), insn.src(), op.row());
    if !op.fetches() {
        return format!("lock *{memory} {} r{src}", row.symbol);
    }
    let width = if insn.code & 0x18 == 0x18 { "64" } else { "" };
    let name = row.mnemonic.strip_prefix("atomic_").unwrap_or(row.mnemonic);
    match op {
        AtomicOp::Cmpxchg => format!("r0 = atomic{width}_{name}({memory}, r0, r{src})"),
        _ => format!("r{src} = atomic{width}_{name}({memory}, r{src})"),
    }
}

/// `r` of whole registers, `w` of lower halves.
fn letter(narrow: bool) -> char {
    if narrow { 'w' } else { 'r' }
}

fn alu(insn: RawInsn) -> Shown {
    const NEG: u8 = 0x80;
    const END: u8 = 0xd0;
    let (r, dst) = (letter(insn.code & 7 == ALU), insn.dst());
    let by_register = insn.code & 8 != 0;
    match insn.code & 0xf0 {
        END if insn.code & 7 == ALU64 => Err("BUG_alu64_"),
        END => Ok(format!("r{dst} = {}{} r{dst}", if by_register { "be" } else { "le" }, insn.imm)),
        NEG => Ok(format!("{r}{dst} = -{r}{dst}")),
        code => {
            // Of operators with the same code, the one without `off` is shown.
            let row = AluOp::ROWS.iter().find(|row| row.code == code && row.off == 0);
            let symbol = row.map_or("(null)", |row| row.symbol);
            Ok(if by_register {
                format!("{r}{dst} {symbol} {r}{}", insn.src())
            } else {
                format!("{r}{dst} {symbol} {}", insn.imm)
            })
        }
    }
}

fn jump(insn: RawInsn, callees: &dyn Callees) -> String {
    const JA: u8 = 0x00;
    const CALL: u8 = 0x80;
    const EXIT: u8 = 0x90;
    let goto = |condition: &dyn Display| format!("if {condition} goto pc{:+}", insn.off);
    match insn.code & 0xf0 {
        CALL => call(insn, callees),
        JA => format!("goto pc{:+}", insn.off),
        EXIT => "exit".to_owned(),
        code => {
            let (r, dst) = (letter(insn.code & 7 == JMP32), insn.dst());
            let symbol = Cond::ROWS.iter().find(|row| row.code == code).map_or("(null)", |row| row.symbol);
            if insn.code & 8 != 0 {
                goto(&format_args!("{r}{dst} {symbol} {r}{}", insn.src()))
            } else {
                goto(&format_args!("{r}{dst} {symbol} {:#x}", insn.imm))
            }
        }
    }
}

fn call(insn: RawInsn, callees: &dyn Callees) -> String {
    const LOCAL: u8 = 1;
    const KFUNC: u8 = 2;
    let helper = (insn.src() == 0).then(|| callees.helper(insn.imm)).flatten();
    let named = helper.or_else(|| callees.callee(insn));
    match insn.src() {
        LOCAL => format!("call pc{}", named.unwrap_or_else(|| format!("{:+}", insn.imm))),
        src => {
            let unnamed = if src == KFUNC { "kernel-function" } else { "unknown" };
            format!("call {}#{}", named.as_deref().unwrap_or(unnamed), insn.imm)
        }
    }
}
