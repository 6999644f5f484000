//! From bytes to a value.

use super::bits::{MAX_BITS, read, sign_extend};
use super::{MAX_VALUE_DEPTH, Value, ValueError};
use crate::types::{Array, Btf, Composite, Enum, Int, Member, Type, TypeId};

/// Unions show their bytes once for each member, so a value has more parts
/// than bytes; this many for each byte, and some for empty members.
const PARTS_PER_BYTE: usize = 16;
const FREE_PARTS: usize = 4096;

/// Bytes of a name, and enumerators looked through, that count as a part more.
const NAME_PER_PART: usize = 32;
const ENUMERATORS_PER_PART: usize = 16;

impl Btf {
    /// The value that `bytes` are as data of type `id`. Bytes behind it are
    /// not looked at.
    ///
    /// # Errors
    /// [`ValueError`], among them a limit on the number of parts in proportion
    /// to the bytes.
    pub fn decode(&self, id: TypeId, bytes: &[u8]) -> Result<Value, ValueError> {
        let size = self.size_of(id)?;
        let have = bytes.len() as u64;
        if size > have {
            return Err(ValueError::TooShort { path: String::new(), need: size, have });
        }
        let limit = bytes.len().saturating_mul(PARTS_PER_BYTE).saturating_add(FREE_PARTS);
        let mut decoder = Decoder { btf: self, bytes, path: String::new(), parts: 0, limit };
        decoder.value(id, 0, 0)
    }
}

struct Decoder<'a> {
    btf: &'a Btf,
    bytes: &'a [u8],
    path: String,
    parts: usize,
    limit: usize,
}

impl Decoder<'_> {
    /// The data of type `id` that starts at bit `at`.
    fn value(&mut self, id: TypeId, at: u64, depth: usize) -> Result<Value, ValueError> {
        self.charge(1)?;
        if depth > MAX_VALUE_DEPTH {
            return Err(ValueError::TooDeep { path: self.path.clone() });
        }
        let btf = self.btf;
        match btf.resolved(id)? {
            Type::Int(int) => self.int(int, at),
            Type::Ptr(_) => Ok(Value::Int(self.raw(at, 64)?.cast_signed())),
            Type::Enum(e) | Type::Enum64(e) => self.enumeration(e, at),
            Type::Float { size, .. } => self.float(*size, at, id),
            Type::Array(array) => self.array(array, at, depth),
            Type::Struct(t) | Type::Union(t) => self.composite(t, at, depth),
            // A section as a value: what global data is.
            Type::DataSec(sec) => {
                let mut all = Vec::new();
                for var in &sec.vars {
                    let Some(v) = btf.var(var.var) else { continue };
                    let at = at + u64::from(var.offset) * 8;
                    all.push(self.named(btf.str(v.name), |d| d.value(v.target, at, depth + 1))?);
                }
                Ok(Value::Struct(all))
            }
            Type::Var(var) => self.value(var.target, at, depth + 1),
            _ => Err(ValueError::NoData { path: self.path.clone(), id }),
        }
    }

    /// Bounds time and memory by the bytes that there are.
    fn charge(&mut self, parts: usize) -> Result<(), ValueError> {
        self.parts += parts;
        match self.parts > self.limit {
            true => Err(ValueError::TooMany { path: self.path.clone(), limit: self.limit }),
            false => Ok(()),
        }
    }

    /// A member's name and value; errors within have it in their path.
    fn named(
        &mut self,
        name: &str,
        value: impl FnOnce(&mut Self) -> Result<Value, ValueError>,
    ) -> Result<(String, Value), ValueError> {
        self.charge(name.len() / NAME_PER_PART)?;
        let len = self.path.len();
        if !name.is_empty() {
            self.path.push('.');
            self.path.push_str(name);
        }
        let value = value(self)?;
        self.path.truncate(len);
        Ok((name.to_owned(), value))
    }

    fn composite(&mut self, t: &Composite, at: u64, depth: usize) -> Result<Value, ValueError> {
        let mut all = Vec::new();
        for member in &t.members {
            let name = self.btf.str(member.name);
            all.push(self.named(name, |d| d.member(member, at, depth))?);
        }
        Ok(Value::Struct(all))
    }

    fn member(&mut self, member: &Member, at: u64, depth: usize) -> Result<Value, ValueError> {
        let at = at + u64::from(member.bit_offset);
        match member.bitfield {
            0 => self.value(member.target, at, depth + 1),
            width => {
                self.charge(1)?;
                Ok(Value::Bits(self.raw(at, width.into())?))
            }
        }
    }

    fn array(&mut self, array: &Array, at: u64, depth: usize) -> Result<Value, ValueError> {
        let size = self.btf.size_of(array.elem)?.saturating_mul(8);
        if let Some(text) = self.text(array, at) {
            return Ok(Value::Str(text));
        }
        let mut all = Vec::new();
        for i in 0..array.len {
            let len = self.path.len();
            self.path.push_str(&format!("[{i}]"));
            let at = at.saturating_add(size.saturating_mul(i.into()));
            all.push(self.value(array.elem, at, depth + 1)?);
            self.path.truncate(len);
        }
        Ok(Value::Array(all))
    }

    /// The text in an array of `char`, if a zero ends it and all before can be
    /// shown.
    fn text(&self, array: &Array, at: u64) -> Option<String> {
        if !self.btf.is_char(array.elem) || !at.is_multiple_of(8) {
            return None;
        }
        let bytes = self.bytes.get(usize::try_from(at / 8).ok()?..)?.get(..array.len as usize)?;
        let text = &bytes[..bytes.iter().position(|&b| b == 0)?];
        let shown = |b: &u8| b.is_ascii_graphic() || *b == b' ';
        text.iter().all(shown).then(|| String::from_utf8_lossy(text).into_owned())
    }

    fn int(&self, int: &Int, at: u64) -> Result<Value, ValueError> {
        let (bits, size) = (u32::from(int.bits), int.size * 8);
        let raw = self.raw(at + u64::from(int.bit_offset), bits)?;
        Ok(match bits {
            0 => Value::Int(0),
            _ if int.is_bool => Value::Bool(raw != 0),
            _ if bits != size || bits > 64 => Value::Bits(raw),
            _ if int.signed => Value::Int(sign_extend(raw, bits)),
            _ => Value::Int(raw.cast_signed()),
        })
    }

    fn enumeration(&mut self, e: &Enum, at: u64) -> Result<Value, ValueError> {
        self.charge(e.values.len() / ENUMERATORS_PER_PART)?;
        let bits = e.size * 8;
        let raw = self.raw(at, bits)?;
        let value = if e.signed { sign_extend(raw, bits) } else { raw.cast_signed() };
        let named = e.values.iter().find(|v| e.number(v) == value);
        Ok(match named {
            Some(v) => {
                let name = self.btf.str(v.name).to_owned();
                self.charge(name.len() / NAME_PER_PART)?;
                Value::Enum { name, value }
            }
            None => Value::Int(value),
        })
    }

    fn float(&self, size: u32, at: u64, id: TypeId) -> Result<Value, ValueError> {
        match size {
            4 => Ok(Value::Float(f32::from_bits(self.raw(at, 32)? as u32).into())),
            8 => Ok(Value::Float(f64::from_bits(self.raw(at, 64)? as u64))),
            _ => Err(ValueError::NoData { path: self.path.clone(), id }),
        }
    }

    fn raw(&self, at: u64, width: u32) -> Result<u128, ValueError> {
        let have = self.bytes.len() as u64;
        let short = || {
            let need = at.saturating_add(width.into()).div_ceil(8);
            ValueError::TooShort { path: self.path.clone(), need, have }
        };
        if width > MAX_BITS {
            let value = String::from("a bit field");
            return Err(ValueError::OutOfRange { path: self.path.clone(), value, bits: MAX_BITS });
        }
        read(self.bytes, at, width).ok_or_else(short)
    }
}

impl Btf {
    /// Whether a type is C's `char`, which texts are made of, by any name.
    pub(super) fn is_char(&self, id: TypeId) -> bool {
        matches!(self.resolved(id), Ok(Type::Int(int)) if int.size == 1 && self.str_is(int.name, "char"))
    }
}

impl Enum {
    /// The number of one of its values, by its own signedness.
    pub(super) fn number(&self, value: &crate::types::EnumValue) -> i128 {
        if self.signed { value.value.into() } else { i128::from(value.value.cast_unsigned()) }
    }
}
