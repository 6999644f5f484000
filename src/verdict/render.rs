//! A rejection as people read it: one cause, its place, what was known there, what is missing, how control came there,
//! what to do, and what the kernel prints.

use std::fmt::Write;

use oxbpf_ir::{InsnId, LineRef, MapPurpose, Program, Unit};
use oxbpf_isa::text::{Names, PrintOptions, excerpt, print};
use oxbpf_isa::{CallTarget, Insn, Pseudo, Reg as R};
use oxbpf_verifier::{Code, Fault};

use super::{needed, way, words};

/// A fault of a program, in the style of rustc.
///
/// ```text
/// error[OX301]: a packet access is not covered by a comparison with data_end
///   --> header.bpf:3:5
///    |
///  3 | r0 = *(u16 *)(r2 + 12)
///    | ^^^^^^^^^^^^^^^^^^^^^^
///    = insn 2: r0 = *(u16 *)(r2 + 12)
///    = r2 is packet data, 0 bytes proved
///    = missing: a comparison that proves data + 14 <= data_end
///    = help: compare with `data_end` before the access, on every path: `if (data + N > data_end) return`
///    = kernel: R2 offset is outside of the packet
/// ```
pub fn render(unit: &Unit, program: &Program, fault: &Fault) -> String {
    if fault.code == Code::Unsupported {
        return unsupported(unit, program, fault);
    }
    let mut out = head(program, &format!("error[{}]: {}", fault.code, fault.code.title()), fault.insn);
    if let Some(insn) = fault.insn {
        note(&mut out, &format!("insn {}: {}", program.slot(insn), insn_text(unit, program, insn)));
        registers(&mut out, unit, program, fault, insn);
    }
    note(&mut out, &format!("missing: {}", needed::clause(unit, program, fault)));
    if let Some(branches) = way::branches(program, fault) {
        note(&mut out, &format!("path: {branches}"));
    }
    note(&mut out, &format!("help: {}", fault.code.help()));
    for line in fault.kernel.lines() {
        note(&mut out, &format!("kernel: {line}"));
    }
    out
}

/// The first lines of an unsupported program's report: nothing is wrong with it.
fn unsupported(unit: &Unit, program: &Program, fault: &Fault) -> String {
    let head_line = format!("note[{}]: not judged yet: {}", fault.code, fault.message());
    let mut out = head(program, &head_line, fault.insn);
    if let Some(insn) = fault.insn {
        note(&mut out, &format!("insn {}: {}", program.slot(insn), insn_text(unit, program, insn)));
    }
    note(&mut out, &format!("help: {}", fault.code.help()));
    out
}

/// What the kernel's refusal of a program means: our code for what it printed, with the place and what helps. None
/// where its words are not known.
pub fn of_kernel(unit: &Unit, program: &Program, text: &str, slot: Option<u32>) -> Option<String> {
    let insn = slot.and_then(|slot| program.insn_at(slot.into()));
    let code = Code::of_kernel_message(text)?;
    let code = insn.map_or(code, |insn| code.at(&program.insns()[insn.index()]));
    let mut out = head(program, &format!("error[{code}]: {}", code.title()), insn);
    if let Some(insn) = insn {
        note(&mut out, &format!("insn {}: {}", program.slot(insn), insn_text(unit, program, insn)));
    }
    note(&mut out, &format!("missing: {}", code.missing()));
    note(&mut out, &format!("help: {}", code.help()));
    for line in text.lines() {
        note(&mut out, &format!("kernel: {line}"));
    }
    Some(out)
}

fn note(out: &mut String, text: &str) {
    let text: String = text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    // Writing to a string does not fail.
    let _ = writeln!(out, "   = {text}");
}

/// The message, and the line of source where there is one.
fn head(program: &Program, message: &str, insn: Option<InsnId>) -> String {
    match insn.and_then(|insn| program.line(insn)) {
        Some(line) if !line.text.trim().is_empty() => source(message, line),
        Some(line) => format!("{message}\n  --> {}:{}\n", line.file, line.line),
        None => {
            let section = program.section();
            let section = if section.is_empty() { String::new() } else { format!(" in section {section}") };
            format!("{message}\n  --> program {}{section}\n", program.name())
        }
    }
}

/// The message above its line, which is marked as far as it is code: programs keep lines without their indentation, so
/// that a column says nothing about them.
fn source(message: &str, line: &LineRef) -> String {
    let shown = line.text.trim();
    let code = shown.chars().take_while(|c| !matches!(c, ';' | '#')).collect::<String>();
    let code = if code.trim().is_empty() || shown.ends_with(';') { shown } else { code.trim_end() };
    let width = code.chars().count().max(1) as u32;
    renumber(&excerpt(message, (1, 1, width), shown, &line.file), &line.file, line.line, line.column)
}

/// The excerpt of line 1 as that of another.
fn renumber(excerpt: &str, file: &str, number: u32, column: u32) -> String {
    let pad = " ".repeat(number.to_string().len() - 1);
    let place = if column > 0 { format!("{file}:{number}:{column}") } else { format!("{file}:{number}") };
    let line = |(i, text): (usize, &str)| match i {
        0 => format!("{text}\n"),
        1 => format!("{pad}  --> {place}\n"),
        _ => match text.strip_prefix(" 1 |") {
            Some(rest) => format!(" {number} |{rest}\n"),
            None => format!("{pad}{text}\n"),
        },
    };
    excerpt.lines().enumerate().map(line).collect()
}

/// What the registers held that the instruction reads, and the one that the kernel names.
fn registers(out: &mut String, unit: &Unit, program: &Program, fault: &Fault, insn: InsnId) {
    let Some(frame) = fault.frames.last() else { return };
    let mut regs = needed::read(&program.insns()[insn.index()], frame);
    if let Some(named) = named_register(fault.message())
        && !regs.contains(&named)
    {
        regs.insert(0, named);
    }
    for (i, reg) in regs.into_iter().filter(|r| *r != R::R10).enumerate() {
        let words = words::register(unit, program, fault.frames.len() - 1, frame.reg(reg));
        note(out, &format!("{reg} is {words}"));
        if i == 0 && ORIGINS.contains(&fault.code) {
            origin(out, unit, program, fault, reg);
        }
    }
}

/// The `R7` that a kernel's message starts with.
fn named_register(message: &str) -> Option<R> {
    let digits = message.strip_prefix('R')?.split(' ').next()?;
    R::new(digits.parse().ok()?)
}

/// Where the register got what it holds that is not what is needed.
fn origin(out: &mut String, unit: &Unit, program: &Program, fault: &Fault, reg: R) {
    let way::Origin { set, void } = way::origin(program, fault, reg);
    let place = |insn: InsnId| {
        let line = program.line(insn).map(|l| format!(" (line {})", l.line)).unwrap_or_default();
        format!("insn {}{line}: {}", program.slot(insn), insn_text(unit, program, insn))
    };
    if let Some(insn) = set {
        note(out, &format!("{reg} was set by {}", place(insn)));
    }
    if let Some((insn, what)) = void {
        note(out, &format!("{} {what}", place(insn)));
    }
}

/// Codes for which it helps to know where the register came from.
const ORIGINS: [Code; 5] =
    [Code::NotAPointer, Code::UninitRegister, Code::MaybeNull, Code::PacketBounds, Code::UnboundedAccess];

/// An instruction as text, with the names of maps and helpers.
fn insn_text(unit: &Unit, program: &Program, insn: InsnId) -> String {
    if let (Insn::Call(_), Some(callee)) = (program.insns()[insn.index()], program.callee(insn)) {
        return format!("call {}", program.functions()[callee.index()].name);
    }
    let text = print(&[program.insns()[insn.index()]], &PrintOptions::default(), &Known(unit));
    text.trim().to_string()
}

/// The names of a unit's maps, and of helpers.
pub(super) struct Known<'a>(pub(super) &'a Unit);

impl Names for Known<'_> {
    fn call(&self, target: CallTarget) -> Option<String> {
        crate::text_unit::helper_name(target)
    }

    fn address(&self, _: usize, value: Pseudo) -> Option<(String, i64)> {
        let (index, off) = match value {
            Pseudo::MapFd(fd) => (fd, 0),
            Pseudo::MapValue { fd, off } => (fd, off),
            _ => return None,
        };
        let def = self.0.maps().get(usize::try_from(index).ok()?)?;
        (def.purpose == MapPurpose::User || matches!(value, Pseudo::MapValue { .. }))
            .then(|| (def.name.clone(), off.into()))
    }
}
