//! Pages about instructions.

use std::fmt::Write;

use oxbpf_isa::catalog::{Edge, Form, Kind, PseudoKind};
use oxbpf_isa::{AluOp, AtomicOp, Insn, RawInsn, Width};
use serde_json::{Value, json};

use super::line;
use crate::selftest::{Subject, Vector, Wanted, vectors};

/// The instructions, a line each: name, group, what clang writes, what it does.
pub fn list(kinds: &[Kind]) -> String {
    let row = |kind: &Kind| {
        let sample = kind.sample(Form::Reg).to_string();
        format!("{:20} {:9} {sample:40} {}\n", kind.name(), kind.group().row().name, meaning(*kind))
    };
    kinds.iter().map(row).collect()
}

/// Pages about the instructions that a word names: a name, an opcode such as `0x37`, or an instruction's text.
pub fn explain(word: &str) -> Option<String> {
    let kinds = named(word);
    (!kinds.is_empty()).then(|| kinds.into_iter().map(page).collect::<Vec<_>>().join("\n"))
}

/// The instructions that a word names.
pub fn named(word: &str) -> Vec<Kind> {
    if let Some(kind) = Kind::by_name(word) {
        return vec![kind];
    }
    if let Some(code) = word.strip_prefix("0x").and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
        let has = |kind: &Kind| kind.forms().iter().any(|&form| first(&kind.sample(form)).code == code);
        return Kind::all().filter(has).collect();
    }
    match oxbpf_isa::text::parse(word) {
        Ok(source) if source.insns.len() == 1 => vec![Kind::of(&source.insns[0])],
        _ => Vec::new(),
    }
}

/// The page about an instruction.
pub fn page(kind: Kind) -> String {
    let mut out = format!("{}\n  {}\n\n", kind.name(), meaning(kind));
    for &form in kind.forms() {
        let sample = kind.sample(form);
        let bytes: Vec<_> = sample.encode().words().iter().map(|word| hex(*word)).collect();
        let _ = writeln!(out, "  {:40} {}", sample.to_string(), bytes.join("  "));
    }
    let _ = write!(out, "\n{}\n", layout(kind));
    out += &line("group", &format!("{} ({})", kind.group(), kind.group().row().about));
    out += &line("defined", &defined(kind));
    out += &line("since", &since(kind));
    for edge in edges(kind) {
        out += &line("edge", &format!("{}: {}", edge.name(), edge.row().rule));
    }
    if let Some(example) = example(kind) {
        out += &line("example", &example);
    }
    out
}

/// The same as a JSON value.
pub fn value(kind: Kind) -> Value {
    let forms = kind.forms().iter().map(|&form| {
        let sample = kind.sample(form);
        let opcode = first(&sample).code;
        json!({ "form": form.name(), "opcode": format!("{opcode:#04x}"), "sample": sample.to_string() })
    });
    json!({
        "name": kind.name(),
        "meaning": meaning(kind),
        "forms": forms.collect::<Vec<_>>(),
        "group": kind.group().row().name,
        "rfc9669": kind.rfc_section(),
        "since": kind.since(),
        "cpu": kind.cpu_level().name(),
        "edges": edges(kind).map(|edge| json!({ "name": edge.name(), "rule": edge.row().rule })).collect::<Vec<_>>(),
        "example": example(kind),
    })
}

fn edges(kind: Kind) -> impl Iterator<Item = Edge> {
    let binds = move |edge: &Edge| kind.forms().iter().any(|&form| edge.binds(kind, form));
    Edge::ROWS.iter().map(|row| row.edge).filter(binds)
}

fn defined(kind: Kind) -> String {
    match kind.rfc_section() {
        Some(section) => format!("RFC 9669, section {section}"),
        None => "by Linux, beyond RFC 9669".to_string(),
    }
}

fn since(kind: Kind) -> String {
    let level = kind.cpu_level().name().map(|level| format!(", clang -mcpu={level}")).unwrap_or_default();
    match kind.since() {
        Some(version) => format!("Linux {version}{level}"),
        None => "no Linux accepts it".to_string(),
    }
}

/// What an instruction does, in the notation of clang's assembly.
fn meaning(kind: Kind) -> String {
    let narrow = |width: Width| if width == Width::W32 { "; the upper half of dst is cleared" } else { "" };
    match kind {
        Kind::Alu(AluOp::Mov, width) => format!("dst = src{}", narrow(width)),
        Kind::Alu(op, width) => format!("dst {} src, of {} bits{}", op.row().symbol, width.bits(), narrow(width)),
        Kind::Neg(width) => format!("dst = -dst, of {} bits{}", width.bits(), narrow(width)),
        Kind::MovSx(op) => {
            format!("dst = the low {} bits of src, sign-extended to {}", op.from_bits(), op.width().bits())
        }
        Kind::Endian(op) => match op.row().name.as_bytes()[0] {
            b'l' => format!("dst = its low {} bits, as little-endian", op.row().bits),
            b'b' if op.row().name.starts_with("be") => format!("dst = its low {} bits, as big-endian", op.row().bits),
            _ => format!("dst = its low {} bits, bytes swapped", op.row().bits),
        },
        Kind::AddrSpaceCast => "dst = src as a pointer into another address space (arena maps)".to_string(),
        Kind::LoadImm64 => "dst = imm, all 64 bits; takes two slots".to_string(),
        Kind::LoadPseudo(pseudo) => format!("dst = {}; takes two slots", pseudo_meaning(pseudo)),
        Kind::Load(size) => format!("dst = {} bytes at src + off, zero-extended", size.bytes()),
        Kind::LoadSx(size) => format!("dst = {} bytes at src + off, sign-extended", size.size().bytes()),
        Kind::Store(size) => format!("{} bytes at dst + off = src", size.bytes()),
        Kind::Atomic(op, width) => atomic_meaning(op, width.bytes()),
        Kind::LoadAcquire(size) => format!("dst = {} bytes at src + off, atomic, with acquire order", size.bytes()),
        Kind::StoreRelease(size) => format!("{} bytes at dst + off = src, atomic, with release order", size.bytes()),
        Kind::LdAbs(size) => {
            format!(
                "r0 = {} bytes of the packet at imm, from network byte order; outside, the program ends with 0",
                size.size().bytes()
            )
        }
        Kind::LdInd(size) => {
            format!(
                "r0 = {} bytes of the packet at src + imm, from network byte order; outside, the program ends with 0",
                size.size().bytes()
            )
        }
        Kind::Jump => "goes on off slots after the next".to_string(),
        Kind::JumpLong => "goes on imm slots after the next".to_string(),
        Kind::MayGoto => "goes on off slots after the next once a loop's budget is used up".to_string(),
        Kind::JumpIf(cond, width) => {
            format!("if dst {} src, of {} bits, goes on off slots after the next", cond.row().symbol, width.bits())
        }
        Kind::CallHelper => "r0 = helper imm of r1 to r5; r1 to r5 are lost".to_string(),
        Kind::CallLocal => "r0 = the function imm slots after the next, of r1 to r5".to_string(),
        Kind::CallKfunc => "r0 = the kernel function with BTF id imm, of r1 to r5".to_string(),
        Kind::CallX => "r0 = the helper whose number is in dst, of r1 to r5".to_string(),
        Kind::Exit => "returns r0 to the caller, or from the program".to_string(),
    }
}

fn pseudo_meaning(pseudo: PseudoKind) -> &'static str {
    match pseudo {
        PseudoKind::MapFd => "the map with this file descriptor",
        PseudoKind::MapValue => "an address inside the value of the map with this file descriptor",
        PseudoKind::BtfVar => "the kernel variable with this BTF id",
        PseudoKind::Func => "a function of this program, as a callback",
        PseudoKind::MapIdx => "the map at this place of the descriptors given at load time",
        PseudoKind::MapIdxValue => "an address inside the value of the map at this place",
    }
}

fn atomic_meaning(op: AtomicOp, bytes: u32) -> String {
    let place = format!("the {bytes} bytes at dst + off");
    match op {
        AtomicOp::Xchg => format!("exchanges {place} with src, atomically"),
        AtomicOp::Cmpxchg => format!("where {place} equal r0, sets them to src, atomically; r0 = what they were"),
        _ => {
            let name = op.row().mnemonic.trim_start_matches("atomic_").trim_start_matches("fetch_");
            let fetch = if op.fetches() { "; src = what they were" } else { "" };
            format!("{place} = {name} of them and src, atomically{fetch}")
        }
    }
}

/// The instruction's word as fields, with what each holds.
fn layout(kind: Kind) -> String {
    let mut out = String::from(
        "  +--------+-----+-----+----------------+--------------------------------+\n  \
           | opcode | src | dst |      off       |              imm               |\n  \
           | 8 bits |  4  |  4  |    16 bits     |            32 bits             |\n  \
           +--------+-----+-----+----------------+--------------------------------+\n",
    );
    for &form in kind.forms() {
        let (one, other) = (first(&kind.sample(form)), first(&differ(kind.sample(form))));
        let cell = |a: String, b: String| if a == b { a } else { "any".to_string() };
        let code = format!("{:#04x}", one.code);
        let src = cell(one.src().to_string(), other.src().to_string());
        let dst = cell(one.dst().to_string(), other.dst().to_string());
        let off = cell(one.off.to_string(), other.off.to_string());
        let imm = cell(format!("{:#x}", one.imm), format!("{:#x}", other.imm));
        let _ = writeln!(out, "  | {code:6} | {src:>3} | {dst:>3} | {off:>14} | {imm:>30} |");
    }
    out + "  +--------+-----+-----+----------------+--------------------------------+\n"
}

/// The same instruction with other operands.
fn differ(insn: Insn) -> Insn {
    use oxbpf_isa::{CallTarget, Operand, Pseudo, Reg};
    let other = |operand: Operand| match operand {
        Operand::Reg(_) => Operand::Reg(Reg::R8),
        Operand::Imm(_) => Operand::Imm(-9),
    };
    let (dst, base, src, off) = (Reg::R7, Reg::R8, Reg::R8, -9);
    match insn {
        Insn::Alu { op, width, src, .. } => Insn::Alu { op, width, dst, src: other(src) },
        Insn::Neg { width, .. } => Insn::Neg { width, dst },
        Insn::MovSx { op, .. } => Insn::MovSx { op, dst, src },
        Insn::Endian { op, .. } => Insn::Endian { op, dst },
        Insn::AddrSpaceCast { .. } => Insn::AddrSpaceCast { dst, src, to: 1, from: 0 },
        Insn::LoadImm64 { .. } => Insn::LoadImm64 { dst, value: !0x1122_3344_5566_7788 },
        Insn::LoadPseudo { value, .. } => {
            let value = match value {
                Pseudo::MapFd(_) => Pseudo::MapFd(9),
                Pseudo::MapValue { .. } => Pseudo::MapValue { fd: 9, off: 9 },
                Pseudo::BtfVar { .. } => Pseudo::BtfVar { id: 9, fd: 9 },
                Pseudo::Func(_) => Pseudo::Func(9),
                Pseudo::MapIdx(_) => Pseudo::MapIdx(9),
                Pseudo::MapIdxValue { .. } => Pseudo::MapIdxValue { idx: 9, off: 9 },
            };
            Insn::LoadPseudo { dst, value }
        }
        Insn::Load { size, .. } => Insn::Load { size, dst, base, off },
        Insn::LoadSx { size, .. } => Insn::LoadSx { size, dst, base, off },
        Insn::Store { size, src, .. } => Insn::Store { size, base: dst, off, src: other(src) },
        Insn::Atomic { op, width, .. } => Insn::Atomic { op, width, base: dst, off, src },
        Insn::LoadAcquire { size, .. } => Insn::LoadAcquire { size, dst, base, off },
        Insn::StoreRelease { size, .. } => Insn::StoreRelease { size, base: dst, off, src },
        Insn::LdAbs { size, .. } => Insn::LdAbs { size, imm: -9 },
        Insn::LdInd { size, .. } => Insn::LdInd { size, src, imm: -9 },
        Insn::Jump { .. } => Insn::Jump { off },
        Insn::JumpLong { .. } => Insn::JumpLong { off: -9 },
        Insn::MayGoto { .. } => Insn::MayGoto { off },
        Insn::JumpIf { cond, width, src, .. } => Insn::JumpIf { cond, width, dst, src: other(src), off },
        Insn::Call(CallTarget::Helper(_)) => Insn::Call(CallTarget::Helper(9)),
        Insn::Call(CallTarget::Local(_)) => Insn::Call(CallTarget::Local(-9)),
        Insn::Call(CallTarget::Kfunc { .. }) => Insn::Call(CallTarget::Kfunc { id: 9, fd_idx: 9 }),
        Insn::CallX { .. } => Insn::CallX { target: dst },
        Insn::Exit => Insn::Exit,
    }
}

fn first(insn: &Insn) -> RawInsn {
    insn.encode().words()[0]
}

fn hex(word: RawInsn) -> String {
    word.to_bytes().map(|byte| format!("{byte:02x}")).join(" ")
}

/// A vector of the self-test, as an example: one that shows an edge rule, if there is one.
fn example(kind: Kind) -> Option<String> {
    let mine = || vectors().iter().filter(|v| v.kind == kind && !v.kernel_refuses);
    let zero = |v: &&Vector| matches!(&v.subject, Subject::Insn { operands, .. } if operands[0] == 0);
    let shows = |v: &&Vector| Edge::ROWS.iter().any(|row| v.shows(row.edge));
    let telling = mine().filter(shows).find(|v| !zero(v));
    let vector = telling.or(mine().next())?;
    let Wanted::Values(values) = &vector.wanted else {
        return None;
    };
    let results: Vec<_> = values.iter().map(|v| format!("{v:#x}")).collect();
    Some(match &vector.subject {
        Subject::Insn { .. } if matches!(kind, Kind::JumpIf(..)) => {
            format!("{}: {}", vector.name(), if values[0] == 1 { "taken" } else { "not taken" })
        }
        Subject::Insn { .. } => format!("{} = {}", vector.name(), results.join(", then ")),
        Subject::Program { text, .. } => {
            let insns: Vec<_> = text.lines().map(str::trim).filter(|l| !l.is_empty()).collect();
            format!("{} returns {}", insns.join("; "), results.join(" "))
        }
    })
}
