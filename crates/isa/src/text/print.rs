//! Instructions to text.

use core::fmt;
use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;

use super::cursor::is_name;
use crate::insn::{CallTarget, Insn, Operand, Pseudo};
use crate::ops::{AtomicOp, MemSize, Width};
use crate::raw::{Reg, Slot};

/// What a listing shows besides the instructions.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct PrintOptions {
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

/// A listing, one line for each instruction and label.
///
/// ```
/// use oxbpf_isa::text::{PrintOptions, parse, print};
///
/// let insns = parse("r0 = 0\nif r1 == 0 goto +1\nr0 = 1\nexit").unwrap().insns;
/// let text = print(&insns, &PrintOptions { labels: true, ..Default::default() }, &());
/// assert_eq!(text, "  r0 = 0\n  if r1 == 0 goto L3\n  r0 = 1\nL3:\n  exit\n");
/// assert_eq!(parse(&text).unwrap().insns, insns);
/// ```
pub fn print(insns: &[Insn], options: &PrintOptions, names: &dyn Names) -> String {
    let labels = if options.labels { labels(insns, names) } else { BTreeMap::new() };
    let taken: HashSet<&str> = labels.values().map(String::as_str).collect();
    let usable = |name: &str| is_name(name) && !taken.contains(name);
    let end = insns.iter().map(Insn::slots).sum();
    let mut out = String::new();
    let mut slot = Slot(0);
    // Writing to a string does not fail.
    for (index, insn) in insns.iter().enumerate() {
        if let Some(label) = labels.get(&slot.0) {
            let _ = writeln!(out, "{label}:");
        }
        if options.labels {
            out.push_str("  ");
        }
        if options.slots {
            let _ = write!(out, "{slot:>4}: ");
        }
        if options.bytes {
            write_bytes(&mut out, insn);
        }
        let target = target(insn, slot).filter(|&t| named_target(insn, t, end)).and_then(|t| labels.get(&t));
        let _ = match (*insn, target) {
            (Insn::Call(called @ (CallTarget::Helper(_) | CallTarget::Kfunc { .. })), _) => {
                match names.call(called).filter(|n| usable(n) && n != "kfunc") {
                    Some(name) => writeln!(out, "call {name}"),
                    None => writeln!(out, "{insn}"),
                }
            }
            (Insn::LoadPseudo { dst, value: Pseudo::Func(_) }, Some(label)) => writeln!(out, "{dst} = {label} ll"),
            (Insn::LoadPseudo { dst, value }, _) => match names.address(index, value).filter(|n| usable(&n.0)) {
                Some((name, 0)) => writeln!(out, "{dst} = {name} ll"),
                Some((name, n)) => writeln!(out, "{dst} = {name} {} ll", Signed(n)),
                None => writeln!(out, "{insn}"),
            },
            (Insn::Call(CallTarget::Local(_)), Some(label)) => writeln!(out, "call {label}"),
            (_, Some(label)) => writeln!(out, "{}", Shown { insn: *insn, target: Some(label) }),
            (_, None) => writeln!(out, "{insn}"),
        };
        slot.0 += insn.slots();
    }
    if let Some(label) = labels.get(&slot.0) {
        let _ = writeln!(out, "{label}:");
    }
    out
}

fn write_bytes(out: &mut String, insn: &Insn) {
    for word in insn.encode().words() {
        for byte in word.to_bytes() {
            let _ = write!(out, "{byte:02x} ");
        }
    }
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
fn labels(insns: &[Insn], names: &dyn Names) -> BTreeMap<u32, String> {
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
        let fits = |n: &String| is_name(n) && !synthesised(n) && n != "pc";
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
        Shown { insn: *self, target: None }.fmt(f)
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

/// An instruction, and the label it jumps to where there is one.
struct Shown<'a> {
    insn: Insn,
    target: Option<&'a str>,
}

impl Shown<'_> {
    fn jump(&self, f: &mut fmt::Formatter<'_>, verb: &str, off: i32) -> fmt::Result {
        match self.target {
            Some(label) => write!(f, "{verb} {label}"),
            None => write!(f, "{verb} {off:+}"),
        }
    }
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.insn {
            Insn::Alu { op, width, dst, src } => {
                write!(f, "{} {} {}", R(dst, width), op.row().symbol, Rhs(src, width))
            }
            Insn::Neg { width, dst } => write!(f, "{0} = -{0}", R(dst, width)),
            Insn::MovSx { op, dst, src } => {
                write!(f, "{} = (s{}){}", R(dst, op.width()), op.from_bits(), R(src, op.width()))
            }
            Insn::Endian { op, dst } => write!(f, "{dst} = {} {dst}", op.row().name),
            Insn::AddrSpaceCast { dst, src, to, from } => write!(f, "{dst} = addr_space_cast({src}, {to}, {from})"),
            Insn::LoadImm64 { dst, value } => write!(f, "{dst} = {value:#x} ll"),
            Insn::LoadPseudo { dst, value } => write!(f, "{dst} = {} ll", ShownPseudo(value)),
            Insn::Load { size, dst, base, off } => write!(f, "{dst} = *{}", Mem(size.unsigned_name(), base, off)),
            Insn::LoadSx { size, dst, base, off } => write!(f, "{dst} = *{}", Mem(size.signed_name(), base, off)),
            Insn::Store { size, base, off, src } => write!(f, "*{} = {src}", Mem(size.unsigned_name(), base, off)),
            Insn::Atomic { op, width, base, off, src } => atomic(f, op, width, (base, off), R(src, width)),
            Insn::LoadAcquire { size, dst, base, off } => {
                write!(f, "{} = load_acquire({})", holding(dst, size), Mem(size.unsigned_name(), base, off))
            }
            Insn::StoreRelease { size, base, off, src } => {
                write!(f, "store_release({}, {})", Mem(size.unsigned_name(), base, off), holding(src, size))
            }
            Insn::LdAbs { size, imm } => write!(f, "r0 = *({} *)skb[{imm}]", size.size().unsigned_name()),
            Insn::LdInd { size, src, imm: 0 } => write!(f, "r0 = *({} *)skb[{src}]", size.size().unsigned_name()),
            Insn::LdInd { size, src, imm } => {
                write!(f, "r0 = *({} *)skb[{src} {}]", size.size().unsigned_name(), Signed(imm.into()))
            }
            Insn::Jump { off } => self.jump(f, "goto", off.into()),
            Insn::JumpLong { off } => self.jump(f, "gotol", off),
            Insn::MayGoto { off } => self.jump(f, "may_goto", off.into()),
            Insn::JumpIf { cond, width, dst, src, off } => {
                write!(f, "if {} {} {} ", R(dst, width), cond.row().symbol, Rhs(src, width))?;
                self.jump(f, "goto", off.into())
            }
            Insn::Call(CallTarget::Helper(id)) => write!(f, "call {id}"),
            Insn::Call(CallTarget::Local(off)) => write!(f, "call pc{off:+}"),
            Insn::Call(CallTarget::Kfunc { id, fd_idx }) => write!(f, "call kfunc({id}, {fd_idx})"),
            Insn::CallX { target } => write!(f, "callx {target}"),
            Insn::Exit => f.write_str("exit"),
        }
    }
}

fn atomic(f: &mut fmt::Formatter<'_>, op: AtomicOp, width: Width, (base, off): (Reg, i16), src: R) -> fmt::Result {
    let suffix = match width {
        Width::W32 => "32_32",
        Width::W64 => "_64",
    };
    let mem = Mem(if width == Width::W32 { "u32" } else { "u64" }, base, off);
    let (name, address) = (op.row().mnemonic, At(base, off));
    match op {
        AtomicOp::Add | AtomicOp::Or | AtomicOp::And | AtomicOp::Xor => {
            write!(f, "lock *{mem} {} {src}", op.row().symbol)
        }
        AtomicOp::FetchAdd | AtomicOp::FetchOr | AtomicOp::FetchAnd | AtomicOp::FetchXor => {
            write!(f, "{src} = {name}({mem}, {src})")
        }
        AtomicOp::Xchg => write!(f, "{src} = {name}{suffix}({address}, {src})"),
        AtomicOp::Cmpxchg => write!(f, "{0} = {name}{suffix}({address}, {0}, {src})", R(Reg::R0, width)),
    }
}

/// `r3`, or `w3` for a lower half.
#[derive(Clone, Copy)]
struct R(Reg, Width);

impl fmt::Display for R {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letter = if self.1 == Width::W32 { 'w' } else { 'r' };
        write!(f, "{letter}{}", self.0.number())
    }
}

/// The register of an ordered load or store, which LLVM writes as a lower half where the access is narrower.
fn holding(reg: Reg, size: MemSize) -> R {
    R(reg, if size == MemSize::Dw { Width::W64 } else { Width::W32 })
}

struct Rhs(Operand, Width);

impl fmt::Display for Rhs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Operand::Reg(r) => R(r, self.1).fmt(f),
            Operand::Imm(i) => i.fmt(f),
        }
    }
}

/// `+ 8` or `- 8`.
struct Signed(i64);

impl fmt::Display for Signed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", if self.0 < 0 { '-' } else { '+' }, self.0.unsigned_abs())
    }
}

/// `r6 + 112`.
struct At(Reg, i16);

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.0, Signed(self.1.into()))
    }
}

/// `(u32 *)(r6 + 112)`.
struct Mem(&'static str, Reg, i16);

impl fmt::Display for Mem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({} *)({})", self.0, At(self.1, self.2))
    }
}

struct ShownPseudo(Pseudo);

impl fmt::Display for ShownPseudo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Pseudo::MapFd(fd) => write!(f, "map_fd({fd})"),
            Pseudo::MapValue { fd, off } => write!(f, "map_value({fd}, {off})"),
            Pseudo::BtfVar { id, fd } => write!(f, "btf_var({id}, {fd})"),
            Pseudo::Func(off) => write!(f, "func({off:+})"),
            Pseudo::MapIdx(idx) => write!(f, "map_idx({idx})"),
            Pseudo::MapIdxValue { idx, off } => write!(f, "map_idx_value({idx}, {off})"),
        }
    }
}
