//! The rules under which Linux attaches a classic program, found by asking a running kernel.

use core::fmt;

use thiserror::Error;

use super::insn::{Insn, M, SockFilter};
use super::ops::{AluOp, Ext, Operand};

/// The longest program.
pub const MAX_INSNS: usize = 4096;

/// A rule that a program breaks, and where.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CheckError {
    /// The instruction's index; 0 where the program as a whole is at fault.
    pub at: usize,
    /// The rule.
    pub fault: Fault,
}

impl fmt::Display for CheckError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.fault {
            Fault::Empty | Fault::TooLong { .. } => self.fault.fmt(f),
            fault => write!(f, "insn {}: {fault}", self.at),
        }
    }
}

impl std::error::Error for CheckError {}

impl CheckError {
    /// A stable code, `cbpf-…`.
    pub const fn code(&self) -> &'static str {
        self.fault.code()
    }
}

/// What is wrong with a classic instruction or program.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[allow(missing_docs)]
pub enum Fault {
    /// There is no instruction.
    #[error("a program has at least one instruction")]
    Empty,
    /// There are too many.
    #[error("a program has at most {MAX_INSNS} instructions, this one {len}")]
    TooLong { len: usize },
    /// No instruction has this opcode.
    #[error("unknown opcode {code:#04x}")]
    Opcode { code: u16 },
    /// `ret x` can be written, but nothing runs it.
    #[error("no kernel runs `ret x`")]
    RetX,
    /// An index of scratch memory over 15.
    #[error("M[{k}] does not exist, there are M[0] to M[15]")]
    Scratch { k: u32 },
    /// A word of scratch memory that is read and not written on every way here.
    #[error("M[{m}] is read before it is written on every way here")]
    Unwritten { m: usize },
    /// A jump behind the last instruction; backward jumps look the same.
    #[error("jump to insn {target}, behind the last of {len}")]
    Jump { target: u64, len: usize },
    /// A constant divisor of zero.
    #[error("division by the constant 0")]
    DivisionByZero,
    /// A constant shift by 32 bits or more.
    #[error("shift by {k}, which is not below 32")]
    Shift { k: u32 },
    /// An offset in the range of extensions that names none.
    #[error("offset {k:#010x} names no extension")]
    Extension { k: u32 },
    /// The last instruction does not end the program.
    #[error("the last instruction is no ret")]
    NoRet,
}

macro_rules! codes {
    ($($fault:ident $code:literal,)*) => {
        impl Fault {
            /// The codes of all rules, in the order of the enumeration.
            pub const CODES: [&str; [$($code),*].len()] = [$($code),*];

            /// A stable code, `cbpf-…`.
            pub const fn code(&self) -> &'static str {
                match self {
                    $(Fault::$fault { .. } => $code,)*
                }
            }
        }
    };
}
codes! {
    Empty "cbpf-empty",
    TooLong "cbpf-too-long",
    Opcode "cbpf-opcode",
    RetX "cbpf-ret-x",
    Scratch "cbpf-scratch",
    Unwritten "cbpf-unwritten",
    Jump "cbpf-jump",
    DivisionByZero "cbpf-division",
    Shift "cbpf-shift",
    Extension "cbpf-extension",
    NoRet "cbpf-no-ret",
}

/// A program that keeps the kernel's rules: at most 4,096 instructions that all decode, jumps forward and inside,
/// a `ret` at the end, no constant divisor of zero, no scratch memory read before it is written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Program {
    insns: Vec<Insn>,
}

impl Program {
    /// The program in these instructions, or the first rule that they break. [`check_all`] finds all of them.
    pub fn check(raw: &[SockFilter]) -> Result<Program, CheckError> {
        match checked(raw) {
            (insns, errors) if errors.is_empty() => Ok(Program { insns }),
            (_, errors) => Err(errors[0]),
        }
    }

    /// Its instructions.
    pub fn insns(&self) -> &[Insn] {
        &self.insns
    }

    /// The wire form, with zero in fields that an instruction does not use.
    pub fn encode(&self) -> Vec<SockFilter> {
        self.insns.iter().map(Insn::encode).collect()
    }

    /// How many instructions there are, 1 to 4,096.
    #[allow(clippy::len_without_is_empty)]
    pub fn len(&self) -> usize {
        self.insns.len()
    }
}

/// Every rule that a program breaks, in order of instructions. Scratch memory is looked at where nothing else is wrong.
pub fn check_all(raw: &[SockFilter]) -> Vec<CheckError> {
    checked(raw).1
}

fn checked(raw: &[SockFilter]) -> (Vec<Insn>, Vec<CheckError>) {
    let whole = |fault| (Vec::new(), vec![CheckError { at: 0, fault }]);
    let Some(last) = raw.len().checked_sub(1) else { return whole(Fault::Empty) };
    if raw.len() > MAX_INSNS {
        return whole(Fault::TooLong { len: raw.len() });
    }
    let mut insns = Vec::with_capacity(raw.len());
    let mut errors = Vec::new();
    for (at, word) in raw.iter().enumerate() {
        let insn = word.decode().and_then(|insn| alone(insn, at, raw.len()).map(|()| insn));
        match insn {
            Ok(insn) if at == last && !insn.is_ret() => errors.push(CheckError { at, fault: Fault::NoRet }),
            Ok(insn) => insns.push(insn),
            Err(fault) => errors.push(CheckError { at, fault }),
        }
    }
    if errors.is_empty() {
        unwritten(&insns, &mut errors);
    }
    (insns, errors)
}

/// What an instruction must keep by itself.
fn alone(insn: Insn, at: usize, len: usize) -> Result<(), Fault> {
    let lands = |skip: u32| {
        let target = at as u64 + 1 + u64::from(skip);
        if target < len as u64 { Ok(()) } else { Err(Fault::Jump { target, len }) }
    };
    match insn {
        Insn::Alu { op: AluOp::Div | AluOp::Mod, src: Operand::K(0) } => Err(Fault::DivisionByZero),
        Insn::Alu { op: AluOp::Lsh | AluOp::Rsh, src: Operand::K(k @ 32..) } => Err(Fault::Shift { k }),
        // Those that name one are LdExt.
        Insn::LdAbs { k, .. } if k.k() >= Ext::BASE => Err(Fault::Extension { k: k.k() }),
        Insn::Ja(k) => lands(k),
        Insn::JumpIf { jt, jf, .. } => lands(jt.into()).and_then(|()| lands(jf.into())),
        Insn::RetX => Err(Fault::RetX),
        _ => Ok(()),
    }
}

/// Finds reads of scratch memory that is not written on every way. As in the kernel, what stands behind a `ret`
/// counts as reached from it, and what stands behind a jump and is no target as reached with everything written.
fn unwritten(insns: &[Insn], errors: &mut Vec<CheckError>) {
    const ALL: u16 = u16::MAX;
    let bit = |m: M| 1u16 << m.index();
    // What is written on every jump to an instruction, and on the way from the one before.
    let mut jumps = vec![ALL; insns.len()];
    let mut written = 0;
    for (at, insn) in insns.iter().enumerate() {
        written &= jumps[at];
        let mut jump = |skip: usize| jumps[at + 1 + skip] &= written;
        match *insn {
            Insn::St(m) | Insn::Stx(m) => written |= bit(m),
            Insn::LdMem(m) | Insn::LdxMem(m) if written & bit(m) == 0 => {
                errors.push(CheckError { at, fault: Fault::Unwritten { m: m.index() } });
            }
            Insn::Ja(k) => {
                jump(k as usize);
                written = ALL;
            }
            Insn::JumpIf { jt, jf, .. } => {
                jump(jt.into());
                jump(jf.into());
                written = ALL;
            }
            _ => {}
        }
    }
}
