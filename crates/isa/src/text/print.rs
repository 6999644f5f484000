//! Programs to text: what stands around the instructions, and the names in them.

use core::fmt::{self, Write};
use std::collections::{BTreeMap, HashSet};

use super::cursor::is_name;
use super::dialect::{Dialect, Family};
use super::digits::{byte, dec, plus};
use super::{macros, mnemonic, pseudo_c};
use crate::insn::{CallTarget, Insn, Operand, Pseudo};
use crate::raw::Slot;

/// What a listing shows besides the instructions.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct PrintOptions {
    /// How instructions are written.
    pub dialect: Dialect,
    /// Targets of jumps and calls get a label `L7:`, by their slot, instead of distances.
    pub labels: bool,
    /// The slot in front of each instruction: `12: `.
    pub slots: bool,
    /// The raw bytes in front of each instruction, as llvm-objdump shows them.
    pub bytes: bool,
}

/// Names that a listing shows instead of numbers. `()` knows none.
///
/// A name that cannot be written is passed over. What is printed with names parses back to the same
/// instructions once they are resolved again, see [`Source::symbols`](super::Source::symbols).
pub trait Names {
    /// The name of a helper or a kfunc.
    fn call(&self, _target: CallTarget) -> Option<String> {
        None
    }

    /// The name of a map or variable, and what is added to its address.
    fn address(&self, _insn: usize, _value: Pseudo) -> Option<(String, i64)> {
        None
    }

    /// The name of the function that starts at this slot.
    fn function(&self, _slot: Slot) -> Option<String> {
        None
    }
}

impl Names for () {}

/// What is shown in place of an instruction's number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Shown<'a> {
    /// Nothing: the number itself.
    Number,
    /// The label that is jumped to, called, or whose address is taken.
    Label(&'a str),
    /// The name of a helper or a kfunc.
    Call(&'a str),
    /// The name of a map or variable, and what is added to its address.
    Address(&'a str, i64),
}

/// A listing, one line for each instruction and label.
///
/// ```
/// use oxbpf_isa::text::{Dialect, PrintOptions, parse, parse_as, print};
///
/// let insns = parse("r0 = 0\nif r1 == 0 goto +1\nr0 = 1\nexit").unwrap().insns;
/// let text = print(&insns, &PrintOptions { labels: true, ..Default::default() }, &());
/// assert_eq!(text, "  r0 = 0\n  if r1 == 0 goto L3\n  r0 = 1\nL3:\n  exit\n");
/// assert_eq!(parse(&text).unwrap().insns, insns);
///
/// let text = print(&insns, &PrintOptions { dialect: Dialect::Ubpf, ..Default::default() }, &());
/// assert_eq!(text, "mov %r0, 0\njeq %r1, 0, +1\nmov %r0, 1\nexit\n");
/// assert_eq!(parse_as(&text, Dialect::Ubpf).unwrap().insns, insns);
/// ```
pub fn print(insns: &[Insn], options: &PrintOptions, names: &dyn Names) -> String {
    let dialect = options.dialect;
    let labels = if options.labels { labels(insns, names, dialect) } else { BTreeMap::new() };
    let taken: HashSet<&str> = labels.values().map(String::as_str).collect();
    let usable = |name: &str| can_be_named(name, dialect) && !taken.contains(name);
    let end = insns.iter().map(Insn::slots).sum();
    let mut out = String::with_capacity(insns.len() * 24);
    let mut slot = Slot(0);
    for (index, insn) in insns.iter().enumerate() {
        if options.labels
            && let Some(label) = labels.get(&slot.0)
        {
            out.push_str(label);
            out.push_str(":\n");
        }
        front(&mut out, options, slot, insn);
        let name = match *insn {
            Insn::Call(called @ (CallTarget::Helper(_) | CallTarget::Kfunc { .. })) => {
                names.call(called).filter(|n| usable(n)).map(|n| (n, None))
            }
            Insn::LoadPseudo { value, .. } if !matches!(value, Pseudo::Func(_)) => {
                names.address(index, value).filter(|n| usable(&n.0)).map(|(n, addend)| (n, Some(addend)))
            }
            _ => None,
        };
        let shown = match &name {
            Some((name, Some(addend))) => Shown::Address(name, *addend),
            Some((name, None)) => Shown::Call(name),
            None if options.labels => target(insn, slot)
                .filter(|&t| named_target(insn, t, end))
                .and_then(|t| labels.get(&t))
                .map_or(Shown::Number, |l| Shown::Label(l)),
            None => Shown::Number,
        };
        // Writing to a string does not fail.
        let _ = write_insn(&mut out, options.dialect, insn, shown);
        out.push('\n');
        slot.0 += insn.slots();
    }
    if let Some(label) = labels.get(&slot.0) {
        out.push_str(label);
        out.push_str(":\n");
    }
    out
}

/// Whether a label, a map or a function may stand in a text by this name.
fn can_be_named(name: &str, dialect: Dialect) -> bool {
    let means = dialect == Dialect::Macros && macros::is_constant(name);
    is_name(name) && !RESERVED.contains(&name) && !means
}

/// Words that mean something behind `call` or as an address, and so name nothing.
const RESERVED: [&str; 8] = ["kfunc", "local", "helper", "runtime", "unknown", "map", "subprog", "pc"];

/// What stands in front of an instruction: a margin, the slot, the bytes.
fn front(out: &mut String, options: &PrintOptions, slot: Slot, insn: &Insn) {
    if options.labels {
        out.push_str("  ");
    }
    if options.slots {
        let start = out.len();
        let _ = dec(out, slot.0.into());
        let missing = 4usize.saturating_sub(out.len() - start);
        out.insert_str(start, &"    "[..missing]);
        out.push_str(": ");
    }
    if options.bytes {
        for b in insn.encode().words().iter().flat_map(|w| w.to_bytes()) {
            let _ = byte(out, b);
            out.push(' ');
        }
    }
}

/// One instruction in a dialect.
pub(super) fn write_insn<W: Write>(w: &mut W, dialect: Dialect, insn: &Insn, shown: Shown<'_>) -> fmt::Result {
    match dialect.row().family {
        Family::PseudoC if dialect == Dialect::Kernel => pseudo_c::write(w, &pseudo_c::KERNEL, insn, shown),
        Family::PseudoC => pseudo_c::write(w, &pseudo_c::CLANG, insn, shown),
        Family::Mnemonic => mnemonic::write(w, mnemonic::style(dialect), insn, shown),
        Family::Macros => macros::write(w, insn, shown),
    }
}

/// What a wide load names, where no assembler has a text for it: `map_fd(3)`.
pub(super) fn pseudo<W: Write>(w: &mut W, value: Pseudo) -> fmt::Result {
    let (name, first, second) = match value {
        Pseudo::MapFd(fd) => ("map_fd(", fd, None),
        Pseudo::MapValue { fd, off } => ("map_value(", fd, Some(off)),
        Pseudo::BtfVar { id, fd } => ("btf_var(", id, Some(fd)),
        Pseudo::Func(off) => {
            w.write_str("func(")?;
            plus(w, off.into())?;
            return w.write_str(")");
        }
        Pseudo::MapIdx(idx) => ("map_idx(", idx, None),
        Pseudo::MapIdxValue { idx, off } => ("map_idx_value(", idx, Some(off)),
    };
    w.write_str(name)?;
    dec(w, first.into())?;
    if let Some(second) = second {
        w.write_str(", ")?;
        dec(w, second.into())?;
    }
    w.write_str(")")
}

/// The slot that an instruction jumps to, calls or takes as a callback, if it is one of the program's.
fn target(insn: &Insn, slot: Slot) -> Option<u32> {
    let distance = match *insn {
        Insn::Call(CallTarget::Local(off)) | Insn::LoadPseudo { value: Pseudo::Func(off), .. } => off,
        _ => insn.jump_off()?,
    };
    u32::try_from(i64::from(slot.0) + 1 + i64::from(distance)).ok()
}

/// Whether the instruction may name this target: a label behind the last instruction would be taken for a
/// variable where an address is loaded.
fn named_target(insn: &Insn, target: u32, end: u32) -> bool {
    target < end || !matches!(insn, Insn::LoadPseudo { .. })
}

/// The labels that are needed, by slot. A target inside a wide instruction or outside the program gets none.
fn labels(insns: &[Insn], names: &dyn Names, dialect: Dialect) -> BTreeMap<u32, String> {
    let slots = || {
        insns.iter().scan(0, |next, insn| {
            let slot = *next;
            *next += insn.slots();
            Some((Slot(slot), insn))
        })
    };
    let end = insns.iter().map(Insn::slots).sum();
    let mut starts: HashSet<u32> = slots().map(|(slot, _)| slot.0).collect();
    starts.insert(end);
    let wanted =
        |(slot, insn): (Slot, &Insn)| target(insn, slot).filter(|t| starts.contains(t) && named_target(insn, *t, end));
    let mut labels: BTreeMap<u32, String> = slots().filter_map(wanted).map(|t| (t, format!("L{t}"))).collect();
    let mut used = HashSet::new();
    for (&slot, label) in &mut labels {
        let synthesised = |n: &str| n.strip_prefix('L').is_some_and(|d| d.parse::<u32>().is_ok());
        let fits = |n: &String| can_be_named(n, dialect) && !synthesised(n);
        if let Some(name) = names.function(Slot(slot)).filter(fits)
            && used.insert(name.clone())
        {
            *label = name;
        }
    }
    labels
}

impl fmt::Display for Insn {
    /// One line of the clang dialect, jumps by distance: `if r7 > 100 goto +2`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_insn(f, Dialect::Clang, self, Shown::Number)
    }
}

impl fmt::Display for Operand {
    /// `r3` or `-5`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Operand::Reg(r) => r.fmt(f),
            Operand::Imm(i) => i.fmt(f),
        }
    }
}
