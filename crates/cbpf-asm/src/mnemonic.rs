//! The words of the language as rows: what each instruction is called and what it takes.

use oxbpf_isa::Narrow;
use oxbpf_isa::cbpf::{AluOp, Cond, Ext, Insn, M, Operand};

/// What stands behind a mnemonic.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Arg {
    K(u32),
    X,
    A,
    Len,
    Ext(Ext),
    Mem(M),
    Abs(u32),
    Ind(u32),
    HeaderLength(u32),
}

/// What an instruction is made of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Shape {
    Ld(Narrow),
    Ldi,
    Ldx,
    Ldxb,
    Ldxi,
    St,
    Stx,
    Ja,
    /// A jump where the condition holds: one label, or two.
    Jump(Cond),
    /// A jump where the condition does not hold: one label.
    JumpNot(Cond),
    Alu(AluOp),
    /// No operand.
    Plain(Insn),
    Ret,
}

/// A mnemonic's row.
pub(crate) struct Mnemonic {
    pub name: &'static str,
    pub shape: Shape,
    /// What it takes, for messages.
    pub takes: &'static str,
}

const VALUE: &str = "`#k` or `x`";
const PACKET: &str = "`[k]`, `[x + k]` or an extension";

const fn row(name: &'static str, shape: Shape, takes: &'static str) -> Mnemonic {
    Mnemonic { name, shape, takes }
}

/// All mnemonics, the frequent ones first.
pub(crate) const MNEMONICS: [Mnemonic; 33] = [
    row("ldh", Shape::Ld(Narrow::H), PACKET),
    row("jeq", Shape::Jump(Cond::Eq), VALUE),
    row("ldb", Shape::Ld(Narrow::B), PACKET),
    row("ld", Shape::Ld(Narrow::W), "`#k`, `len`, `M[k]`, `[k]`, `[x + k]` or an extension"),
    row("ret", Shape::Ret, "`#k`, `a` or `x`"),
    row("jset", Shape::Jump(Cond::Set), VALUE),
    row("jne", Shape::JumpNot(Cond::Eq), VALUE),
    row("jneq", Shape::JumpNot(Cond::Eq), VALUE),
    row("jgt", Shape::Jump(Cond::Gt), VALUE),
    row("jge", Shape::Jump(Cond::Ge), VALUE),
    row("jlt", Shape::JumpNot(Cond::Ge), VALUE),
    row("jle", Shape::JumpNot(Cond::Gt), VALUE),
    row("ja", Shape::Ja, "a label"),
    row("jmp", Shape::Ja, "a label"),
    row("and", Shape::Alu(AluOp::And), VALUE),
    row("add", Shape::Alu(AluOp::Add), VALUE),
    row("sub", Shape::Alu(AluOp::Sub), VALUE),
    row("mul", Shape::Alu(AluOp::Mul), VALUE),
    row("div", Shape::Alu(AluOp::Div), VALUE),
    row("mod", Shape::Alu(AluOp::Mod), VALUE),
    row("or", Shape::Alu(AluOp::Or), VALUE),
    row("xor", Shape::Alu(AluOp::Xor), VALUE),
    row("lsh", Shape::Alu(AluOp::Lsh), VALUE),
    row("rsh", Shape::Alu(AluOp::Rsh), VALUE),
    row("ldxb", Shape::Ldxb, "`4*([k]&0xf)`"),
    row("ldx", Shape::Ldx, "`#k`, `len`, `M[k]` or `4*([k]&0xf)`"),
    row("ldi", Shape::Ldi, "`#k`"),
    row("ldxi", Shape::Ldxi, "`#k`"),
    row("st", Shape::St, "`M[k]`"),
    row("stx", Shape::Stx, "`M[k]`"),
    row("tax", Shape::Plain(Insn::Tax), "nothing"),
    row("txa", Shape::Plain(Insn::Txa), "nothing"),
    row("neg", Shape::Plain(Insn::Neg), "nothing"),
];

/// The mnemonic of this name, in any case.
pub(crate) fn mnemonic(name: &str) -> Option<&'static Mnemonic> {
    MNEMONICS.iter().find(|m| m.name.eq_ignore_ascii_case(name))
}

/// The extension of this name, in any case.
pub(crate) fn extension(name: &str) -> Option<Ext> {
    let named = |n: &&str| n.eq_ignore_ascii_case(name);
    Ext::ROWS.iter().find(|r| r.names.iter().any(named)).map(|r| r.ext)
}

/// Whether a word has a meaning of its own and so is no label.
pub(crate) fn is_keyword(name: &str) -> bool {
    let registers = ["a", "x", "m", "len"];
    registers.iter().any(|r| r.eq_ignore_ascii_case(name)) || mnemonic(name).is_some() || extension(name).is_some()
}

impl Shape {
    /// The instruction with this operand, if there is one. Jumps have labels and are not made here.
    pub(crate) fn with(self, arg: Arg) -> Option<Insn> {
        Some(match (self, arg) {
            (Shape::Ld(Narrow::W) | Shape::Ldi, Arg::K(k)) => Insn::LdImm(k),
            (Shape::Ld(Narrow::W), Arg::Len) => Insn::LdLen,
            (Shape::Ld(Narrow::W), Arg::Mem(m)) => Insn::LdMem(m),
            (Shape::Ld(size), Arg::Ext(ext)) => Insn::LdExt { size, ext },
            (Shape::Ld(size), Arg::Ind(k)) => Insn::LdInd { size, k },
            (Shape::Ld(size), Arg::Abs(k)) => Insn::ld_abs(size, k),
            (Shape::Ldx | Shape::Ldxi, Arg::K(k)) => Insn::LdxImm(k),
            (Shape::Ldx, Arg::Len) => Insn::LdxLen,
            (Shape::Ldx, Arg::Mem(m)) => Insn::LdxMem(m),
            (Shape::Ldx | Shape::Ldxb, Arg::HeaderLength(k)) => Insn::LdxMsh(k),
            (Shape::St, Arg::Mem(m)) => Insn::St(m),
            (Shape::Stx, Arg::Mem(m)) => Insn::Stx(m),
            (Shape::Alu(op), _) => Insn::Alu { op, src: arg.value()? },
            (Shape::Ret, Arg::K(k)) => Insn::RetK(k),
            (Shape::Ret, Arg::A) => Insn::RetA,
            (Shape::Ret, Arg::X) => Insn::RetX,
            _ => return None,
        })
    }
}

impl Arg {
    /// This as the right side of an operator or a condition.
    pub(crate) fn value(self) -> Option<Operand> {
        match self {
            Arg::K(k) => Some(Operand::K(k)),
            Arg::X => Some(Operand::X),
            _ => None,
        }
    }
}
