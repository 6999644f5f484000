//! The kernel's log of level 2, read: what was known after each instruction.

use std::collections::HashMap;

use oxbpf_verifier::scalar::{Scalar, Tnum};

/// The scalars of a printed state, by register, with the text they were printed as but for ids. What is no scalar is left out.
pub type Regs = HashMap<u8, (Scalar, String)>;

/// What the log says of one load.
#[derive(Default)]
pub struct Trace {
    /// The first path: each instruction in order, with the registers printed behind it.
    pub path: Vec<(usize, Regs)>,
    /// Each jump's other outcome, as it was first taken up: instruction and target.
    pub from: HashMap<(usize, usize), Regs>,
    /// Lines with which the kernel complains of itself.
    pub bugs: Vec<String>,
}

impl Trace {
    /// Reads a log.
    pub fn parse(log: &str) -> Trace {
        let mut trace = Trace::default();
        let mut first_path = true;
        for line in log.lines() {
            if line.contains("REG INVARIANTS") || line.contains("verifier bug") {
                trace.bugs.push(line.to_string());
            } else if let Some(rest) = line.strip_prefix("from ") {
                first_path = false;
                if let Some((places, state)) = rest.split_once(": ")
                    && let Some((from, to)) = places.split_once(" to ")
                {
                    let to = to.split(' ').next().unwrap_or(to);
                    let key = (from.parse().unwrap_or(usize::MAX), to.parse().unwrap_or(usize::MAX));
                    trace.from.entry(key).or_insert_with(|| regs(state));
                }
            } else if first_path && let Some((slot, rest)) = line.split_once(": ") {
                let Ok(slot) = slot.parse() else { continue };
                if rest.starts_with('(') {
                    let state = rest.split_once("; ").map_or("", |(_, state)| state);
                    trace.path.push((slot, regs(state)));
                } else if rest.starts_with('R')
                    && let Some((_, last)) = trace.path.last_mut()
                {
                    *last = regs(rest);
                }
            }
        }
        trace
    }
}

/// The scalars in `R0=5 R1=scalar(…) R10=fp0`.
fn regs(state: &str) -> Regs {
    let mut out = Regs::new();
    let mut rest = state;
    while let Some(at) = rest.find('R') {
        rest = &rest[at + 1..];
        let Some((name, value)) = rest.split_once('=') else { break };
        let Ok(reg) = name.split('_').next().unwrap_or(name).parse() else { continue };
        let value = value.strip_prefix('P').unwrap_or(value);
        let end = value_end(value);
        if let Some(scalar) = scalar(&value[..end]) {
            out.insert(reg, (scalar, without_id(&value[..end])));
        }
        rest = &value[end..];
    }
    out
}

fn without_id(text: &str) -> String {
    let Some(rest) = text.strip_prefix("scalar(id=") else { return text.to_string() };
    let end = rest.find([',', ')']).unwrap_or(0);
    format!("scalar({}", rest[end..].trim_start_matches(','))
}

/// Where a register's value ends: at the first space that is not inside of parentheses.
fn value_end(value: &str) -> usize {
    let mut depth = 0;
    for (at, char) in value.char_indices() {
        match char {
            '(' => depth += 1,
            ')' => depth -= 1,
            ' ' if depth == 0 => return at,
            _ => {}
        }
    }
    value.len()
}

fn scalar(text: &str) -> Option<Scalar> {
    let Some(text) = text.strip_prefix("scalar(").and_then(|text| text.strip_suffix(')')) else {
        return number(text).map(Scalar::constant);
    };
    let mut scalar = Scalar::UNKNOWN;
    let (bounds, bits) = text.split_once("var_off=").unwrap_or((text, ""));
    if let Some((value, mask)) = bits.trim_matches(['(', ')']).split_once("; ") {
        scalar.tnum = Tnum { value: number(value)?, mask: number(mask)? };
    }
    for chain in bounds.split(',').filter(|chain| !chain.is_empty()) {
        let names: Vec<&str> = chain.split('=').collect();
        let (value, names) = names.split_last()?;
        if names[..] == ["id"] {
            continue;
        }
        let v = number(value)?;
        for name in names {
            match *name {
                "smin" => scalar.smin = v as i64,
                "smax" => scalar.smax = v as i64,
                "umin" => scalar.umin = v,
                "umax" => scalar.umax = v,
                "smin32" => scalar.s32_min = v as i32,
                "smax32" => scalar.s32_max = v as i32,
                "umin32" => scalar.u32_min = v as u32,
                "umax32" => scalar.u32_max = v as u32,
                _ => {}
            }
        }
    }
    Some(scalar)
}

fn number(text: &str) -> Option<u64> {
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse::<i64>().map(|v| v as u64).or_else(|_| text.parse()).ok(),
    }
}
