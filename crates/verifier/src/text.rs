//! Registers and stack as the kernel's log shows them.

use std::fmt::Write as _;

use oxbpf_ir::Unit;

use crate::live::RegSet;
use crate::reg::{Kind, MapRef, Reg};
use crate::state::{Byte, Frame, State};

/// What is known of the live registers and the stack of the innermost frame.
pub(crate) fn frame(unit: &Unit, state: &State, live: RegSet) -> String {
    let mut out = String::new();
    let frame = state.frame();
    if state.depth() > 0 {
        let _ = write!(out, "frame{}: ", state.depth());
    }
    for (i, reg) in frame.regs.iter().enumerate() {
        if (live & (1 << i) != 0 || i == 10) && reg.kind != Kind::NotInit {
            let _ = write!(out, "R{i}={} ", self::reg(unit, reg));
        }
    }
    stack(unit, frame, &mut out);
    out.truncate(out.trim_end().len());
    out
}

fn stack(unit: &Unit, frame: &Frame, out: &mut String) {
    for (i, slot) in frame.stack.iter().enumerate() {
        if slot.bytes == [Byte::Invalid; 8] {
            continue;
        }
        let off = 8 * (i + 1);
        if slot.bytes == [Byte::Spill; 8] {
            let _ = write!(out, "fp-{off}={} ", reg(unit, &slot.spill));
            continue;
        }
        let letter = |b: &Byte| match b {
            Byte::Invalid => '?',
            Byte::Spill => 'r',
            Byte::Misc => 'm',
            Byte::Zero => '0',
        };
        let bytes: String = slot.bytes.iter().rev().map(letter).collect();
        let _ = write!(out, "fp-{off}={bytes} ");
    }
}

/// One register.
pub(crate) fn reg(unit: &Unit, reg: &Reg) -> String {
    match reg.kind {
        Kind::NotInit => return "?".to_string(),
        Kind::Scalar => {
            let mut text = String::new();
            let more = match (reg.id, reg.linked) {
                (0, _) => String::new(),
                (id, None) => format!("id={id}"),
                (id, Some(_)) => format!("id={id}{:+}", reg.off),
            };
            let _ = reg.num.write_kernel(&mut text, reg.precise, &more);
            return text;
        }
        Kind::Stack(_) if reg.num.as_const() == Some(0) => return format!("fp{}", reg.off),
        _ => {}
    }
    let mut parts = Vec::new();
    if reg.id != 0 {
        parts.push(format!("id={}", reg.id));
    }
    if reg.ref_id != 0 {
        parts.push(format!("ref_obj_id={}", reg.ref_id));
    }
    if let Kind::Map(map) | Kind::MapValue(map) | Kind::MapKey(map) = reg.kind {
        let MapRef { map, inner } = map;
        let def = &unit.maps()[map.index()];
        let shown = if inner { def.inner.as_deref().unwrap_or(def) } else { def };
        parts.push(format!("map={},ks={},vs={}", def.name, shown.key_size, shown.value_size));
    }
    if reg.off != 0 {
        parts.push(format!("off={}", reg.off));
    }
    if reg.in_packet() {
        parts.push(format!("r={}", reg.range));
    }
    if let Kind::Mem(mem) = reg.kind {
        parts.push(format!("sz={}", mem.size));
    }
    let mut text = format!("{}({}", reg.type_name(), parts.join(","));
    if reg.num.as_const().is_none() {
        let mut comma = if parts.is_empty() { "" } else { "," };
        let _ = reg.num.write_bounds(&mut text, &mut comma);
    }
    text.push(')');
    text
}
