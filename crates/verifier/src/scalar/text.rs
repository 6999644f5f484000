//! A scalar as the kernel's log prints it.

use std::fmt::{self, Write};

use super::Scalar;

impl Scalar {
    /// As the log of level 2 prints it: `5`, or `scalar(smin=…,var_off=(0x0; 0xff))` without what is unknown.
    pub fn kernel_text(&self, precise: bool) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = self.write_kernel(&mut text, precise, "");
        text
    }

    /// The same into `out`, with more about the register (such as `id=1`) before the bounds.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write_kernel(&self, out: &mut impl Write, precise: bool, more: &str) -> fmt::Result {
        if precise {
            out.write_char('P')?;
        }
        if let Some(v) = self.as_const() {
            return signed(out, v as i64);
        }
        write!(out, "scalar({more}")?;
        let mut comma = if more.is_empty() { "" } else { "," };
        self.write_bounds(out, &mut comma)?;
        if !self.tnum.is_unknown() {
            write!(out, "{comma}var_off={}", self.tnum)?;
        }
        out.write_char(')')
    }

    /// The bounds as the log prints them, equal ones together: `smin=umin=14`. `comma` separates from what was before.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write_bounds(&self, out: &mut impl Write, comma: &mut &'static str) -> fmt::Result {
        let mut rows = self.rows();
        for at in 0..rows.len() {
            let row = rows[at];
            if row.omit {
                continue;
            }
            write!(out, "{comma}{}=", row.name)?;
            *comma = ",";
            // Least values stand with least values, greatest with greatest.
            for other in rows[at..].iter_mut().step_by(2).skip(1) {
                if !other.omit && other.value == row.value && other.is_negative() == row.is_negative() {
                    other.omit = true;
                    write!(out, "{}=", other.name)?;
                }
            }
            if row.signed { signed(out, row.value as i64)? } else { unsigned(out, row.value)? }
        }
        Ok(())
    }

    fn rows(&self) -> [Row; 8] {
        let row = |name, value, signed, omit| Row { name, value, signed, omit };
        [
            row("smin", self.smin as u64, true, self.smin == i64::MIN),
            row("smax", self.smax as u64, true, self.smax == i64::MAX),
            row("umin", self.umin, false, self.umin == 0),
            row("umax", self.umax, false, self.umax == u64::MAX),
            row("smin32", half(self.s32_min), true, self.s32_min == i32::MIN),
            row("smax32", half(self.s32_max), true, self.s32_max == i32::MAX),
            row("umin32", self.u32_min.into(), false, self.u32_min == 0),
            row("umax32", self.u32_max.into(), false, self.u32_max == u32::MAX),
        ]
    }
}

/// A bound to be printed.
#[derive(Clone, Copy)]
struct Row {
    name: &'static str,
    value: u64,
    signed: bool,
    /// Unknown, or printed already beside an equal one.
    omit: bool,
}

impl Row {
    fn is_negative(&self) -> bool {
        self.signed && (self.value as i64) < 0
    }
}

/// A signed half is sign-extended where it will be printed in decimal, else not: hexadecimal digits show what is there.
fn half(v: i32) -> u64 {
    if is_short(v.into()) { v as u64 } else { (v as u32).into() }
}

/// Signed numbers of 16 bits are printed in decimal.
fn is_short(v: i64) -> bool {
    i16::try_from(v).is_ok()
}

fn signed(out: &mut impl Write, v: i64) -> fmt::Result {
    if is_short(v) { write!(out, "{v}") } else { write!(out, "{v:#x}") }
}

fn unsigned(out: &mut impl Write, v: u64) -> fmt::Result {
    if v <= u16::MAX.into() { write!(out, "{v}") } else { write!(out, "{v:#x}") }
}
