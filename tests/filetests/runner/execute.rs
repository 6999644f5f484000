//! A case in an engine, and what differs from what its file expects.

use std::fmt::Write as _;
use std::sync::Arc;

use oxbpf::abi::ProgType;
use oxbpf::ir::{MapIdx, ProgIdx, Unit};
use oxbpf::runtime::skb::{self, Link};
use oxbpf::runtime::{EngineError, Image, Input, Instance, Outcome, Trap};
use oxbpf::text_unit::{self, Options, PrintOptions};

use super::EngineRow;
use super::bless;
use super::case::Case;
use super::expect::{Expect, What};

fn parse(case: &Case) -> Result<Unit, text_unit::UnitTextErrors> {
    let options = Options { prog_type: case.prog_type, default_type: ProgType::SchedCls, syntax: None };
    text_unit::parse(&case.text, &case.name, &options)
}

/// A text that is read only: its errors are those that it names, or it prints back to itself.
pub fn text(case: &Case) -> Result<(), String> {
    let found = match parse(case) {
        Ok(unit) => {
            if let Some(missing) = case.errors.first() {
                return Err(format!("line {}: no error, expected error[{}]", missing.line, missing.code));
            }
            let printed = text_unit::print(&unit, &PrintOptions::default());
            let again = text_unit::parse(&printed, &case.name, &Options::default());
            let again = again.map_err(|e| text_unit::render(&e, &printed, "printed"))?;
            let same = unit.maps() == again.maps()
                && unit.programs().iter().map(|p| p.insns()).eq(again.programs().iter().map(|p| p.insns()));
            return if same { Ok(()) } else { Err(format!("printed, it is another program:\n{printed}")) };
        }
        Err(errors) => errors,
    };
    let mut wrong = String::new();
    for e in found.iter() {
        let named = |a: &&super::case::Annotation| {
            a.line == e.line && a.code == e.code() && a.column.is_none_or(|column| column == e.column)
        };
        if case.errors.iter().find(named).is_none() {
            let _ = writeln!(wrong, "not expected:\n{}", e.render(&case.text, &case.name));
        }
    }
    for a in &case.errors {
        if !found.iter().any(|e| e.line == a.line && e.code() == a.code) {
            let _ = writeln!(wrong, "line {}: no error[{}]", a.line, a.code);
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong) }
}

/// Runs a case; the reason where the engine cannot.
pub fn run(case: &Case, engine: EngineRow) -> Result<Option<String>, String> {
    let unit = Arc::new(parse(case).map_err(|e| text_unit::render(&e, &case.text, &case.name))?);
    if let Some((_, reason)) = case.skips.iter().find(|s| s.0 == engine.name) {
        return Ok(Some(reason.clone()));
    }
    let entry = match &case.entry {
        None => 0,
        Some(name) => unit.programs().iter().position(|p| p.name() == name).ok_or(format!("no program {name}"))?,
    };
    let image = Image::unproven(unit.clone(), ProgIdx(entry as u32));
    let mut instance = match (engine.make)().prepare(&image, &case.env) {
        Ok(instance) => instance,
        Err(EngineError::Rejected { message, log, .. }) => return rejected(case, engine, &message, &log),
        Err(e) => return Err(format!("{} [{}]", e, e.code())),
    };
    if let (Some(_), false) = (&case.kernel_rejects, engine.traps) {
        return Err("loaded, where `kernel: rejects` says that it must not".to_string());
    }
    if case.trap.is_some() && !engine.traps {
        return Err("loaded, where a trap is expected; say `; kernel: rejects` or `; kernel: skip REASON`".to_string());
    }
    let mut ctx = skb::derive(&case.packet, case.packet.len() as u32, Link::Ethernet);
    for (name, index, value) in &case.ctx {
        skb::set_element(&mut ctx, name, *index, *value).map_err(|e| e.to_string())?;
    }
    let input = Input { skb: ctx, time_ns: 1_000_000_000, cpu: case.cpu, ..Input::new(&case.packet, Link::Ethernet) };
    let refusals = instance.refuses(&input);
    if !refusals.is_empty() {
        let reasons: Vec<_> = refusals.iter().map(ToString::to_string).collect();
        return Ok(Some(format!("the packet or context cannot be told: {}", reasons.join(", "))));
    }
    let mut outcome = Outcome::Return(0);
    for _ in 0..case.runs {
        outcome = instance.run(&input).map_err(|e| e.to_string())?;
    }
    let r0 = match (&outcome, &case.trap) {
        (Outcome::Trap(trap), Some(_)) => {
            trapped(case, &unit, trap)?;
            None
        }
        (Outcome::Trap(trap), None) => return Err(format!("{trap}{}", place(&unit, trap))),
        (Outcome::Return(r0), Some(a)) => return Err(format!("returned {r0:#x}, expected trap[{}]", a.code)),
        (Outcome::Return(r0), None) => Some(*r0),
    };
    let observed = observe(case, engine, r0, &*instance, &unit)?;
    if bless::wanted() {
        return bless::rewrite(case, engine, &observed).map(|()| None);
    }
    differences(&observed)
}

/// A program that the engine did not load.
fn rejected(case: &Case, engine: EngineRow, message: &str, log: &str) -> Result<Option<String>, String> {
    match &case.kernel_rejects {
        Some(why) if !engine.traps && log.contains(why.as_str()) => Ok(None),
        Some(why) if !engine.traps => Err(format!("rejected, but not with \"{why}\": {message}\n{log}")),
        _ => Err(format!("rejected: {message}\n{log}")),
    }
}

/// Whether it was this trap at this line.
fn trapped(case: &Case, unit: &Unit, trap: &Trap) -> Result<(), String> {
    let Some(expected) = &case.trap else { return Ok(()) };
    let line = line_of(unit, trap);
    if trap.kind.code() == expected.code && line == Some(expected.line) {
        return Ok(());
    }
    Err(format!("{trap}{}, expected trap[{}] at line {}", place(unit, trap), expected.code, expected.line))
}

fn line_of(unit: &Unit, trap: &Trap) -> Option<u32> {
    let program = unit.programs().iter().find(|p| p.name() == &*trap.program)?;
    let insn = program.insn_at(trap.slot.0.into())?;
    program.line(insn).map(|l| l.line)
}

fn place(unit: &Unit, trap: &Trap) -> String {
    line_of(unit, trap).map_or_else(String::new, |line| format!(" (line {line})"))
}

/// An expectation, and what the engine shows in its place; none where the engine does not tell.
pub type Observed = Vec<(Expect, Option<What>)>;

fn observe(
    case: &Case,
    engine: EngineRow,
    r0: Option<u64>,
    instance: &dyn Instance,
    unit: &Unit,
) -> Result<Observed, String> {
    let mut printed = instance.trace().map(Vec::into_iter);
    let mut observed = Vec::new();
    for expect in &case.expects {
        let what = match &expect.what {
            What::Return(_) => Some(What::Return(r0.ok_or("a trap has no return value")? as u32)),
            What::Return64(_) => engine.traps.then_some(r0).flatten().map(What::Return64),
            What::Map { map, key, .. } => {
                let index = unit.maps().iter().position(|m| m.name == *map).ok_or(format!("no map {map}"))?;
                let entries = instance.map_entries(MapIdx(index as u32)).map_err(|e| e.to_string())?;
                let value = entries.into_iter().find(|e| e.0 == *key).map(|e| e.1);
                Some(What::Map { map: map.clone(), key: key.clone(), value })
            }
            What::Packet(_) => Some(What::Packet(instance.packet())),
            What::Ctx { name, index, .. } => {
                let layout = unit.programs()[0].prog_type().ctx();
                let field = layout.field(name).ok_or(format!("no field {name}"))?;
                let value = skb::get(&instance.skb(), field).get(*index).copied().ok_or("no such element")?;
                instance.reports(field).then_some(What::Ctx { name: name.clone(), index: *index, value })
            }
            What::Trace(_) => {
                printed.as_mut().map(|lines| What::Trace(lines.next().map_or_else(String::new, |l| l.text)))
            }
        };
        observed.push((expect.clone(), what));
    }
    if let Some(more) = printed.and_then(|mut lines| lines.next())
        && case.expects.iter().any(|e| matches!(e.what, What::Trace(_)))
    {
        return Err(format!("printed one line more: {}", more.text));
    }
    Ok(observed)
}

fn differences(observed: &Observed) -> Result<Option<String>, String> {
    let mut wrong = String::new();
    for (expect, what) in observed {
        if let Some(what) = what.as_ref().filter(|w| **w != expect.what) {
            let _ = writeln!(
                wrong,
                "line {}: expected {}\n{:w$}got      {what}",
                expect.line,
                expect.what,
                "",
                w = 7 + expect.line.to_string().len()
            );
        }
    }
    match wrong.is_empty() {
        true if observed.iter().any(|o| o.1.is_some()) || observed.is_empty() => Ok(None),
        true => Ok(Some("nothing that the file expects is told by this engine".to_string())),
        false => Err(wrong),
    }
}
