//! A value as JSON, in bpftool's form: bit fields and 128-bit integers as
//! hexadecimal texts, enumerators by name.

use std::fmt::{Display, Formatter, Result, Write};

use super::Value;

impl Display for Value {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Value::Bool(v) => write!(f, "{v}"),
            Value::Int(v) => write!(f, "{v}"),
            Value::Bits(v) => write!(f, "\"{v:#x}\""),
            // JSON has no infinity.
            Value::Float(v) if v.is_finite() => write!(f, "{v:?}"),
            Value::Float(v) => write!(f, "\"{v}\""),
            Value::Enum { name, .. } => text(f, name),
            Value::Str(v) => text(f, v),
            Value::Array(all) => {
                f.write_char('[')?;
                for (i, value) in all.iter().enumerate() {
                    write!(f, "{}{value}", if i == 0 { "" } else { "," })?;
                }
                f.write_char(']')
            }
            Value::Struct(all) => {
                f.write_char('{')?;
                for (i, (name, value)) in all.iter().enumerate() {
                    f.write_str(if i == 0 { "" } else { "," })?;
                    text(f, name)?;
                    write!(f, ":{value}")?;
                }
                f.write_char('}')
            }
        }
    }
}

fn text(f: &mut Formatter<'_>, text: &str) -> Result {
    f.write_char('"')?;
    for c in text.chars() {
        match c {
            '"' => f.write_str("\\\"")?,
            '\\' => f.write_str("\\\\")?,
            '\n' => f.write_str("\\n")?,
            '\t' => f.write_str("\\t")?,
            '\r' => f.write_str("\\r")?,
            c if c < ' ' => write!(f, "\\u{:04x}", u32::from(c))?,
            c => f.write_char(c)?,
        }
    }
    f.write_char('"')
}
