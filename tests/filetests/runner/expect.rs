//! What a file expects of a run, one row per kind, and how that is written.

use std::fmt;

/// One `; expect:` line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Expect {
    pub line: u32,
    pub what: What,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum What {
    /// The low 32 bits of r0, of every engine.
    Return(u32),
    /// All of r0, of engines that tell it.
    Return64(u64),
    /// The value of a map's key.
    Map { map: String, key: Vec<u8>, value: Option<Vec<u8>> },
    /// The packet afterwards.
    Packet(Vec<u8>),
    /// A context field afterwards, of engines that report it.
    Ctx { name: String, index: usize, value: u64 },
    /// A line that was printed, of engines that tell; in order.
    Trace(String),
}

impl Expect {
    pub fn parse(text: &str, line: u32) -> Result<Expect, String> {
        let (kind, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        let rest = rest.trim();
        let what = match kind {
            "return" => What::Return(number32(rest)?),
            "return64" => What::Return64(number(rest)?),
            "map" => map(rest)?,
            "packet" => What::Packet(bytes(rest)?),
            "ctx" => {
                let (name, index, value) = field(rest)?;
                What::Ctx { name, index, value }
            }
            "trace" => What::Trace(rest.to_string()),
            other => return Err(format!("nothing to expect is called `{other}`")),
        };
        Ok(Expect { line, what })
    }
}

/// `NAME KEY = VALUE` or `NAME KEY absent`.
fn map(text: &str) -> Result<What, String> {
    let (name, rest) = text.split_once(' ').ok_or("NAME KEY = VALUE")?;
    let (key, value) = match rest.split_once('=') {
        Some((key, value)) => (key, Some(bytes(value)?)),
        None => (rest.strip_suffix("absent").ok_or("`= VALUE` or `absent`")?, None),
    };
    Ok(What::Map { map: name.to_string(), key: bytes(key)?, value })
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            What::Return(r0) => write!(f, "return {r0:#x}"),
            What::Return64(r0) => write!(f, "return64 {r0:#x}"),
            What::Map { map, key, value: Some(value) } => write!(f, "map {map} {} = {}", Hex(key), Hex(value)),
            What::Map { map, key, value: None } => write!(f, "map {map} {} absent", Hex(key)),
            What::Packet(bytes) => write!(f, "packet {}", Hex(bytes)),
            What::Ctx { name, index: 0, value } => write!(f, "ctx {name}={value:#x}"),
            What::Ctx { name, index, value } => write!(f, "ctx {name}[{index}]={value:#x}"),
            What::Trace(line) => write!(f, "trace {line}"),
        }
    }
}

/// Bytes as the files have them: runs of eight equal ones and more in short.
struct Hex<'a>(&'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut first = true;
        let mut repeated = false;
        for run in self.0.chunk_by(|a, b| a == b) {
            let long = run.len() > 8;
            if !first && (long || repeated) {
                f.write_str(" ")?;
            }
            if long {
                write!(f, "{:02x}*{}", run[0], run.len())?;
            } else {
                run.iter().try_for_each(|b| write!(f, "{b:02x}"))?;
            }
            (first, repeated) = (false, long);
        }
        Ok(())
    }
}

/// `name=value` or `name[index]=value`.
pub fn field(text: &str) -> Result<(String, usize, u64), String> {
    let (name, value) = text.split_once('=').ok_or("FIELD=VALUE")?;
    let value = number(value.trim())?;
    match name.trim().strip_suffix(']').and_then(|n| n.split_once('[')) {
        None => Ok((name.trim().to_string(), 0, value)),
        Some((name, index)) => Ok((name.to_string(), number(index)? as usize, value)),
    }
}

/// A number, decimal or hexadecimal, negative ones as 64 bits.
pub fn number(text: &str) -> Result<u64, String> {
    let bad = || format!("`{text}` is no number");
    match (text.strip_prefix("0x"), text.strip_prefix('-')) {
        (Some(hex), _) => u64::from_str_radix(hex, 16).map_err(|_| bad()),
        (_, Some(_)) => text.parse::<i64>().map(|n| n as u64).map_err(|_| bad()),
        _ => text.parse().map_err(|_| bad()),
    }
}

fn number32(text: &str) -> Result<u32, String> {
    let value = number(text)?;
    let fits = u32::try_from(value).ok().or(i32::try_from(value as i64).ok().map(|n| n as u32));
    fits.ok_or(format!("`{text}` has more than 32 bits"))
}

/// Bytes as the text format has them: pairs of hexadecimal digits, with blanks anywhere between them, numbers like
/// `u32:7`, and either repeated by `*COUNT`.
pub fn bytes(text: &str) -> Result<Vec<u8>, String> {
    let mut out = Vec::new();
    for word in text.split_whitespace() {
        let (run, count) = word.split_once('*').unwrap_or((word, "1"));
        out.extend(item(run)?.repeat(number(count)? as usize));
    }
    Ok(out)
}

fn item(text: &str) -> Result<Vec<u8>, String> {
    for (prefix, size) in [("u8:", 1), ("u16:", 2), ("u32:", 4), ("u64:", 8)] {
        if let Some(digits) = text.strip_prefix(prefix) {
            return Ok(number(digits)?.to_le_bytes()[..size].to_vec());
        }
    }
    if !text.len().is_multiple_of(2) || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(format!("`{text}` are no bytes"));
    }
    Ok((0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect())
}
