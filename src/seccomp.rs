//! System calls as classic programs see them: `struct seccomp_data` and the rules for programs that look at it.

use std::str::FromStr;

use oxbpf_isa::Narrow;
use oxbpf_isa::cbpf::{AluOp, Insn, Program};
use oxbpf_runtime::Input;
use oxbpf_runtime::skb::Link;
use thiserror::Error;

/// Bytes of `struct seccomp_data`.
pub const SIZE: usize = 64;

/// Architectures by name, with their audit numbers.
const ARCHITECTURES: [(&str, u32); 4] =
    [("x86_64", 0xc000_003e), ("aarch64", 0xc000_00b7), ("i386", 0x4000_0003), ("arm", 0x4000_0028)];

/// One system call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SeccompData {
    /// The call's number.
    pub nr: u32,
    /// The architecture's audit number.
    pub arch: u32,
    /// Where the call was made.
    pub ip: u64,
    /// Its arguments.
    pub args: [u64; 6],
}

/// What is wrong with the text of a system call.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[allow(missing_docs)]
pub enum DataError {
    #[error("{part:?} is not nr=N, arch=NAME, ip=N or args=N:N:...")]
    Part { part: String },
    #[error("{text:?} is no number of {bits} bits")]
    Number { text: String, bits: u32 },
    #[error("a call has 6 arguments at most, not {count}")]
    Arguments { count: usize },
}

impl FromStr for SeccompData {
    type Err = DataError;

    /// Reads `nr=N,arch=NAME,ip=N,args=N:N:...`; what is left out is 0, and the architecture x86_64.
    fn from_str(text: &str) -> Result<SeccompData, DataError> {
        let mut data = SeccompData { nr: 0, arch: ARCHITECTURES[0].1, ip: 0, args: [0; 6] };
        for part in text.split(',') {
            match part.split_once('=') {
                Some(("nr", n)) => data.nr = number(n, 32)? as u32,
                Some(("arch", name)) => {
                    let known = ARCHITECTURES.iter().find(|(n, _)| *n == name);
                    data.arch = known.map_or_else(|| number(name, 32).map(|n| n as u32), |(_, n)| Ok(*n))?;
                }
                Some(("ip", n)) => data.ip = number(n, 64)?,
                Some(("args", list)) => {
                    let args: Vec<&str> = list.split(':').collect();
                    if args.len() > data.args.len() {
                        return Err(DataError::Arguments { count: args.len() });
                    }
                    for (to, arg) in data.args.iter_mut().zip(args) {
                        *to = number(arg, 64)?;
                    }
                }
                _ => return Err(DataError::Part { part: part.into() }),
            }
        }
        Ok(data)
    }
}

fn number(text: &str, bits: u32) -> Result<u64, DataError> {
    let parsed = match text.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16),
        None => text.parse(),
    };
    let fits = |n: &u64| bits == 64 || n >> bits == 0;
    parsed.ok().filter(fits).ok_or(DataError::Number { text: text.into(), bits })
}

impl SeccompData {
    /// A packet whose words are what a program loads: loads take network order, and the host's words are put so.
    /// The 64-bit fields have their low half first, as on x86-64 and arm64.
    pub fn words(&self) -> [u8; SIZE] {
        let wide = [self.ip].into_iter().chain(self.args).flat_map(|v| [v as u32, (v >> 32) as u32]);
        let mut bytes = [0; SIZE];
        for (to, word) in bytes.chunks_exact_mut(4).zip([self.nr, self.arch].into_iter().chain(wide)) {
            to.copy_from_slice(&word.to_be_bytes());
        }
        bytes
    }
}

/// The input of a run over [`SeccompData::words`].
pub fn input(words: &[u8; SIZE]) -> Input<'_> {
    Input::new(words, Link::Ip)
}

/// A rule of seccomp that a program breaks, and at which instruction.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error("insn {at}: {fault}")]
pub struct RuleError {
    /// The instruction's index.
    pub at: usize,
    /// The rule.
    pub fault: Rule,
}

/// What a program on system calls must not do. Found by asking Linux 6.18.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[allow(missing_docs)]
pub enum Rule {
    #[error("offset {k} is not that of a word in the {SIZE} bytes of a call's data")]
    Offset { k: u32 },
    #[error("a call's data is loaded by whole words at constant offsets")]
    Load,
    #[error("seccomp has no `mod`")]
    Modulo,
}

impl RuleError {
    /// A stable code, `seccomp-…`.
    pub const fn code(&self) -> &'static str {
        match self.fault {
            Rule::Offset { .. } => "seccomp-offset",
            Rule::Load => "seccomp-load",
            Rule::Modulo => "seccomp-modulo",
        }
    }
}

/// Checks that a program may look at system calls; the first rule that it breaks otherwise.
pub fn check(program: &Program) -> Result<(), RuleError> {
    let rule = |insn: &Insn| match *insn {
        Insn::LdAbs { size: Narrow::W, k } if k.k().is_multiple_of(4) && k.k() < SIZE as u32 => None,
        Insn::LdAbs { size: Narrow::W, k } => Some(Rule::Offset { k: k.k() }),
        Insn::LdAbs { .. } | Insn::LdInd { .. } | Insn::LdExt { .. } | Insn::LdxMsh(_) => Some(Rule::Load),
        Insn::Alu { op: AluOp::Mod, .. } => Some(Rule::Modulo),
        _ => None,
    };
    let broken = program.insns().iter().enumerate().find_map(|(at, insn)| Some(RuleError { at, fault: rule(insn)? }));
    broken.map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_stand_where_programs_look() {
        let data: SeccompData = "nr=59,arch=aarch64,ip=0x1122334455667788,args=1:0xffffffffffffffff".parse().unwrap();
        let words = data.words();
        let word = |k: usize| u32::from_be_bytes(words[k..k + 4].try_into().unwrap());
        assert_eq!([0, 4, 8, 12].map(word), [59, 0xc000_00b7, 0x5566_7788, 0x1122_3344]);
        assert_eq!([16, 20, 24, 28, 32].map(word), [1, 0, u32::MAX, u32::MAX, 0]);
    }

    #[test]
    fn broken_rules_have_codes_and_texts() {
        let broken = |insn: Insn| {
            let raw = [insn, Insn::RetA].map(|i| i.encode());
            let error = check(&Program::check(&raw).unwrap()).unwrap_err();
            (error.code(), error.to_string())
        };
        let offset = "insn 0: offset 62 is not that of a word in the 64 bytes of a call's data";
        assert_eq!(broken(Insn::ld_abs(Narrow::W, 62)), ("seccomp-offset", offset.into()));
        let load = "insn 0: a call's data is loaded by whole words at constant offsets";
        assert_eq!(broken(Insn::LdxMsh(0)), ("seccomp-load", load.into()));
        let modulo = Insn::Alu { op: AluOp::Mod, src: oxbpf_isa::cbpf::Operand::X };
        assert_eq!(broken(modulo), ("seccomp-modulo", "insn 0: seccomp has no `mod`".into()));
    }

    #[test]
    fn wrong_texts_say_what_is_wrong() {
        for (text, part) in [
            ("", "is not nr="),
            ("nr", "is not nr="),
            ("nr=0x100000000", "no number of 32 bits"),
            ("arch=vax", "no number of 32 bits"),
            ("args=1:2:3:4:5:6:7", "not 7"),
        ] {
            let error = text.parse::<SeccompData>().unwrap_err().to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
