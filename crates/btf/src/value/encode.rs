//! From a value to bytes.

use super::bits::{MAX_BITS, write};
use super::{MAX_VALUE_DEPTH, Value, ValueError};
use crate::types::{Array, Btf, Composite, Enum, Int, Member, Type, TypeId};

/// The largest value that is made; far above what a map takes.
const MAX_BYTES: u64 = 64 << 20;

/// The most members and enumerators that are looked at for one value.
const MAX_STEPS: usize = 1 << 26;

/// Steps that going one anonymous member deeper counts as.
const STEPS_INTO: usize = 64;

impl Btf {
    /// The bytes of `value` as data of type `id`. What is not mentioned is
    /// zero: members of a structure, elements at the end of an array. Members
    /// of an anonymous member may be given under its empty name or directly.
    /// Integers may be texts (`"0x1f"`, `"-5"`), arrays of `char` texts or
    /// arrays, enumerations names or numbers.
    ///
    /// # Errors
    /// [`ValueError`] with the part that does not fit.
    pub fn encode(&self, id: TypeId, value: &Value) -> Result<Vec<u8>, ValueError> {
        let size = self.size_of(id)?;
        if size > MAX_BYTES {
            return Err(ValueError::Type(crate::BtfError::SizeOverflow { id }));
        }
        let mut encoder = Encoder { btf: self, bytes: vec![0; size as usize], path: String::new(), steps: 0 };
        encoder.value(id, 0, value, 0)?;
        Ok(encoder.bytes)
    }
}

struct Encoder<'a> {
    btf: &'a Btf,
    bytes: Vec<u8>,
    path: String,
    /// Members and enumerators looked at.
    steps: usize,
}

impl Encoder<'_> {
    fn value(&mut self, id: TypeId, at: u64, value: &Value, depth: usize) -> Result<(), ValueError> {
        if depth > MAX_VALUE_DEPTH {
            return Err(ValueError::TooDeep { path: self.path.clone() });
        }
        let btf = self.btf;
        match btf.resolved(id)? {
            Type::Int(int) => self.int(int, at, value),
            Type::Ptr(_) => self.number(at, 64, false, value, "a number"),
            Type::Enum(e) | Type::Enum64(e) => {
                let number = self.enumerator(e, value)?;
                self.number(at, e.size * 8, e.signed, &number, "an enumerator or a number")
            }
            Type::Float { size, .. } => self.float(*size, at, value, id),
            Type::Array(array) => self.array(array, at, value, depth),
            Type::Struct(t) | Type::Union(t) => {
                let Value::Struct(given) = value else { return Err(self.wrong("an object")) };
                self.composite(t, at, given, depth)
            }
            Type::DataSec(sec) => {
                let Value::Struct(given) = value else { return Err(self.wrong("an object")) };
                for (name, value) in given {
                    self.charge(sec.vars.len())?;
                    let vars = sec.vars.iter().filter_map(|v| Some((v, btf.var(v.var)?)));
                    let found = vars.into_iter().find(|(_, var)| btf.str_is(var.name, name));
                    let Some((place, var)) = found else { return Err(self.no_member(name)) };
                    let at = at + u64::from(place.offset) * 8;
                    self.within(name, |e| e.value(var.target, at, value, depth + 1))?;
                }
                Ok(())
            }
            Type::Var(var) => self.value(var.target, at, value, depth + 1),
            _ => Err(ValueError::NoData { path: self.path.clone(), id }),
        }
    }

    fn within(&mut self, name: &str, act: impl FnOnce(&mut Self) -> Result<(), ValueError>) -> Result<(), ValueError> {
        let len = self.path.len();
        if !name.is_empty() {
            self.path.push('.');
            self.path.push_str(name);
        }
        act(self)?;
        self.path.truncate(len);
        Ok(())
    }

    fn composite(&mut self, t: &Composite, at: u64, given: &[(String, Value)], depth: usize) -> Result<(), ValueError> {
        // Of several anonymous members the n-th empty name means the n-th.
        let mut anonymous = t.members.iter().filter(|m| m.name.is_anonymous());
        for (name, value) in given {
            let found = match name.is_empty() {
                true => anonymous.next().map(|m| (0, *m)),
                false => self.find_member(t, name, 0)?,
            };
            let Some((base, member)) = found else { return Err(self.no_member(name)) };
            self.within(name, |e| e.member(&member, at + base, value, depth))?;
        }
        Ok(())
    }

    fn member(&mut self, member: &Member, at: u64, value: &Value, depth: usize) -> Result<(), ValueError> {
        let at = at + u64::from(member.bit_offset);
        match member.bitfield {
            0 => self.value(member.target, at, value, depth + 1),
            width => {
                let btf = self.btf;
                let (signed, value) = match btf.resolved(member.target)? {
                    Type::Enum(e) | Type::Enum64(e) => (e.signed, &self.enumerator(e, value)?),
                    Type::Int(int) => (int.signed, value),
                    _ => (false, value),
                };
                self.number(at, width.into(), signed, value, "a number")
            }
        }
    }

    /// A member by name, in anonymous members too, and where its holder starts in bits.
    fn find_member(&mut self, t: &Composite, name: &str, depth: usize) -> Result<Option<(u64, Member)>, ValueError> {
        let btf = self.btf;
        self.charge(t.members.len() + depth * STEPS_INTO)?;
        if let Some(member) = t.members.iter().find(|m| btf.str_is(m.name, name)) {
            return Ok(Some((0, *member)));
        }
        if depth >= MAX_VALUE_DEPTH {
            return Ok(None);
        }
        for m in t.members.iter().filter(|m| m.name.is_anonymous() && m.bitfield == 0) {
            let Some(inner) = btf.composite(m.target) else { continue };
            if let Some((base, found)) = self.find_member(inner, name, depth + 1)? {
                return Ok(Some((base + u64::from(m.bit_offset), found)));
            }
        }
        Ok(None)
    }

    /// Bounds the time that looking for names takes.
    fn charge(&mut self, steps: usize) -> Result<(), ValueError> {
        self.steps += steps;
        match self.steps > MAX_STEPS {
            true => Err(ValueError::TooMany { path: self.path.clone(), limit: MAX_STEPS }),
            false => Ok(()),
        }
    }

    fn array(&mut self, array: &Array, at: u64, value: &Value, depth: usize) -> Result<(), ValueError> {
        let size = self.btf.size_of(array.elem)?.saturating_mul(8);
        let too_many = |path: &str, count| {
            let path = path.to_owned();
            ValueError::TooManyElements { path, count, len: array.len }
        };
        match value {
            Value::Str(text) if self.btf.is_char(array.elem) && at.is_multiple_of(8) => {
                let start = (at / 8) as usize;
                let room = self.bytes.get_mut(start..).and_then(|b| b.get_mut(..array.len as usize));
                // A text without room for its zero would read back as numbers.
                match room.and_then(|room| room.get_mut(..text.len())).filter(|_| text.len() < array.len as usize) {
                    Some(room) => room.copy_from_slice(text.as_bytes()),
                    None => return Err(too_many(&self.path, text.len().saturating_add(1))),
                }
                Ok(())
            }
            Value::Array(all) => {
                if all.len() > array.len as usize {
                    return Err(too_many(&self.path, all.len()));
                }
                for (i, value) in all.iter().enumerate() {
                    let len = self.path.len();
                    self.path.push_str(&format!("[{i}]"));
                    let at = at.saturating_add(size.saturating_mul(i as u64));
                    self.value(array.elem, at, value, depth + 1)?;
                    self.path.truncate(len);
                }
                Ok(())
            }
            _ if self.btf.is_char(array.elem) => Err(self.wrong("a text or an array")),
            _ => Err(self.wrong("an array")),
        }
    }

    fn int(&mut self, int: &Int, at: u64, value: &Value) -> Result<(), ValueError> {
        let bits = u32::from(int.bits);
        let at = at + u64::from(int.bit_offset);
        match value {
            Value::Bool(v) => self.number(at, bits, false, &Value::Int((*v).into()), "a number"),
            _ if int.is_bool => self.number(at, bits.min(1), false, value, "true or false"),
            _ => self.number(at, bits, int.signed, value, "a number"),
        }
    }

    /// The number that a name or number of an enumeration is.
    fn enumerator(&mut self, e: &Enum, value: &Value) -> Result<Value, ValueError> {
        let name = match value {
            Value::Enum { name, .. } | Value::Str(name) => name,
            number => return Ok(number.clone()),
        };
        self.charge(e.values.len())?;
        if let Some(v) = e.values.iter().find(|v| self.btf.str_is(v.name, name)) {
            return Ok(Value::Int(e.number(v)));
        }
        match parse(name) {
            Some(number) => Ok(number),
            None => Err(ValueError::NoEnumerator { path: self.path.clone(), name: name.clone() }),
        }
    }

    fn float(&mut self, size: u32, at: u64, value: &Value, id: TypeId) -> Result<(), ValueError> {
        let number = match value {
            Value::Float(v) => *v,
            Value::Int(v) => *v as f64,
            Value::Str(text) => text.parse().map_err(|_| self.wrong("a number"))?,
            _ => return Err(self.wrong("a number")),
        };
        match size {
            4 => self.put(at, 32, u128::from((number as f32).to_bits())),
            8 => self.put(at, 64, u128::from(number.to_bits())),
            _ => Err(ValueError::NoData { path: self.path.clone(), id }),
        }
    }

    /// Writes a number that fits as what the type is, or as bits where it was given so.
    fn number(
        &mut self,
        at: u64,
        width: u32,
        signed: bool,
        value: &Value,
        expected: &'static str,
    ) -> Result<(), ValueError> {
        let parsed;
        let value = match value {
            Value::Str(text) => {
                parsed = parse(text).ok_or_else(|| self.wrong(expected))?;
                &parsed
            }
            value => value,
        };
        let (fits, raw) = match *value {
            Value::Bits(v) => (width >= MAX_BITS || v >> width == 0, v),
            Value::Int(v) | Value::Enum { value: v, .. } => (fits(v, width, signed), v.cast_unsigned()),
            Value::Bool(v) => (width > 0, v.into()),
            _ => return Err(self.wrong(expected)),
        };
        if !fits || width > MAX_BITS {
            let value = value.to_string();
            return Err(ValueError::OutOfRange { path: self.path.clone(), value, bits: width });
        }
        self.put(at, width, raw)
    }

    fn put(&mut self, at: u64, width: u32, raw: u128) -> Result<(), ValueError> {
        if write(&mut self.bytes, at, width, raw) {
            return Ok(());
        }
        let need = at.saturating_add(width.into()).div_ceil(8);
        Err(ValueError::TooShort { path: self.path.clone(), need, have: self.bytes.len() as u64 })
    }

    fn wrong(&self, expected: &'static str) -> ValueError {
        ValueError::WrongForm { path: self.path.clone(), expected }
    }

    fn no_member(&self, name: &str) -> ValueError {
        ValueError::NoMember { path: self.path.clone(), name: name.to_owned() }
    }
}

/// A number as text: hexadecimal ones are bits, decimal ones have their sign.
fn parse(text: &str) -> Option<Value> {
    match text.strip_prefix("0x") {
        Some(digits) if !digits.starts_with('+') => u128::from_str_radix(digits, 16).ok().map(Value::Bits),
        _ => text.parse().ok().map(Value::Int),
    }
}

fn fits(value: i128, width: u32, signed: bool) -> bool {
    match (width, signed) {
        (0, _) => value == 0,
        (MAX_BITS.., true) => true,
        (127.., false) => value >= 0,
        (_, true) => (-(1i128 << (width - 1))..1i128 << (width - 1)).contains(&value),
        (_, false) => (0..1i128 << width).contains(&value),
    }
}
