//! The way into a type that an access string describes.

use std::fmt::Write;

use super::error::{MAX_SHOWN, shown};
use super::{CoreError, MAX_STEPS, Subject};
use crate::error::BtfError;
use crate::ext::CoreRelo;
use crate::types::{Array, Btf, Composite, Enum, Member, Type, TypeId};

/// A type, or a part of it: what a record asks about, in one BTF.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spec {
    /// The type that the way starts at.
    pub root: TypeId,
    /// The way, without the anonymous members on it; empty where the type
    /// itself is meant.
    pub steps: Vec<Step>,
    /// The numbers of the way, with anonymous members.
    pub raw: Vec<u32>,
    /// Where the part starts, in bits from the start of the type.
    pub bit_offset: u64,
}

/// One step of a way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// To an element, of the type at the start or of an array.
    Element {
        /// The type of the element.
        id: TypeId,
        /// Which one.
        index: u32,
    },
    /// To a named member of a structure or union.
    Member {
        /// The structure or union.
        holder: TypeId,
        /// Which of its members.
        index: u32,
    },
    /// To an enumerator.
    Enumerator {
        /// The enumeration.
        holder: TypeId,
        /// Which of its values.
        index: u32,
    },
}

impl Spec {
    /// The way that starts at a type and goes nowhere.
    pub(super) fn at(root: TypeId) -> Spec {
        Spec { root, steps: Vec::new(), raw: Vec::new(), bit_offset: 0 }
    }

    /// Reads a record's access string.
    pub(super) fn parse(btf: &Btf, relo: &CoreRelo) -> Result<Spec, CoreError> {
        let text = btf.str(relo.access_str);
        let bad = |what| CoreError::BadAccess { id: relo.type_id, access: shown(text), what };
        let mut numbers = Vec::new();
        for part in text.split(':') {
            let digits = !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
            let number = part.parse().ok().filter(|_| digits).ok_or_else(|| bad("not numbers between colons"))?;
            if numbers.len() == MAX_STEPS {
                return Err(bad("too long"));
            }
            numbers.push(number);
        }
        let mut spec = Spec::at(relo.type_id);
        match relo.kind.subject() {
            Subject::Type if numbers == [0] => spec.raw = numbers,
            Subject::Type => return Err(bad("a type has no parts here")),
            Subject::EnumValue => spec.enumerator(btf, &numbers).map_err(|e| e.or(bad))?,
            Subject::Field => spec.field(btf, &numbers).map_err(|e| e.or(bad))?,
        }
        Ok(spec)
    }

    fn enumerator(&mut self, btf: &Btf, numbers: &[u32]) -> Result<(), Fault> {
        let holder = btf.resolve(self.root)?;
        let Some(e) = btf.enumeration(holder) else {
            return Err(Fault::Shape("the type is no enumeration"));
        };
        match *numbers {
            [index] if (index as usize) < e.values.len() => self.step(Step::Enumerator { holder, index }, index),
            _ => return Err(Fault::Shape("there is no such enumerator")),
        }
        Ok(())
    }

    fn field(&mut self, btf: &Btf, numbers: &[u32]) -> Result<(), Fault> {
        let mut id = btf.resolve(self.root)?;
        let (first, rest) = numbers.split_first().ok_or(Fault::Shape("empty"))?;
        self.element(btf, id, *first)?;
        for &index in rest {
            match btf.get(id)? {
                Type::Struct(t) | Type::Union(t) => {
                    let member = t.members.get(index as usize).ok_or(Fault::Shape("there is no such member"))?;
                    if member.name.is_anonymous() {
                        self.raw.push(index);
                    } else {
                        self.step(Step::Member { holder: id, index }, index);
                    }
                    self.advance(id, u64::from(member.bit_offset))?;
                    id = btf.resolve(member.target)?;
                }
                Type::Array(array) => {
                    if index >= array.len && !self.is_flexible(btf, array) {
                        return Err(Fault::Shape("the array has no such element"));
                    }
                    id = btf.resolve(array.elem)?;
                    self.element(btf, id, index)?;
                }
                _ => return Err(Fault::Shape("it goes on where the type has no parts")),
            }
        }
        Ok(())
    }

    /// Whether an array that the way has come to is the last member of its
    /// structure and has no length: any element may be meant.
    pub(super) fn is_flexible(&self, btf: &Btf, array: &Array) -> bool {
        let Some(Step::Member { holder, index }) = self.steps.last() else {
            return false;
        };
        let last = |t: &Composite| *index as usize + 1 == t.members.len();
        array.len == 0 && btf.composite(*holder).is_some_and(last)
    }

    /// Goes to an element of a type, which is resolved.
    pub(super) fn element(&mut self, btf: &Btf, id: TypeId, index: u32) -> Result<(), BtfError> {
        let size = btf.size_of(id)?;
        let bits = size.checked_mul(8).and_then(|bits| bits.checked_mul(index.into()));
        self.step(Step::Element { id, index }, index);
        self.advance(id, bits.ok_or(BtfError::SizeOverflow { id })?)
    }

    pub(super) fn step(&mut self, step: Step, number: u32) {
        self.steps.push(step);
        self.raw.push(number);
    }

    pub(super) fn advance(&mut self, id: TypeId, bits: u64) -> Result<(), BtfError> {
        self.bit_offset = self.bit_offset.checked_add(bits).ok_or(BtfError::SizeOverflow { id })?;
        Ok(())
    }

    /// The member that the way ends at, if it ends at one.
    pub(super) fn last_member<'a>(&self, btf: &'a Btf) -> Option<&'a Member> {
        match self.steps.last()? {
            Step::Member { holder, index } => btf.composite(*holder)?.members.get(*index as usize),
            _ => None,
        }
    }

    /// The number of the enumerator that the way ends at.
    pub(super) fn enumerator_value(&self, btf: &Btf) -> Option<i64> {
        match self.steps.last()? {
            Step::Enumerator { holder, index } => Some(btf.enumeration(*holder)?.values.get(*index as usize)?.value),
            _ => None,
        }
    }

    /// The spec for people: `struct sk_buff.cb[2] at byte 48`, `enum color.RED`,
    /// `struct sk_buff`. `btf` is the one that it is of.
    #[must_use]
    pub fn describe(&self, btf: &Btf) -> String {
        let mut out = self.path(btf);
        if matches!(self.steps.first(), Some(Step::Element { .. })) {
            let _ = match (self.bit_offset % 8, self.last_member(btf).map_or(0, |m| m.bitfield)) {
                (0, 0) => write!(out, " at byte {}", self.bit_offset / 8),
                (_, 0) => write!(out, " at bit {}", self.bit_offset),
                (_, width) => write!(out, " at bit {}, {width} wide", self.bit_offset),
            };
        }
        out
    }

    /// The part without its place.
    pub(super) fn path(&self, btf: &Btf) -> String {
        let kind = btf.get(self.root).map_or("type", |t| t.kind().name());
        let name = Some(btf.name(self.root)).filter(|name| !name.is_empty()).unwrap_or("(anonymous)");
        let mut out = format!("{kind} {name}");
        for (i, step) in self.steps.iter().enumerate() {
            if out.len() > MAX_SHOWN {
                out.push('…');
                break;
            }
            let name = match *step {
                Step::Element { index: 0, .. } if i == 0 => continue,
                Step::Element { index, .. } => {
                    let _ = write!(out, "[{index}]");
                    continue;
                }
                Step::Member { holder, index } => {
                    btf.composite(holder).and_then(|t| t.members.get(index as usize)).map(|m| m.name)
                }
                Step::Enumerator { holder, index } => {
                    btf.enumeration(holder).and_then(|e| e.values.get(index as usize)).map(|v| v.name)
                }
            };
            let _ = write!(out, ".{}", name.map_or("?", |name| btf.str(name)));
        }
        out
    }

    /// The numbers as an access string.
    #[must_use]
    pub fn access(&self) -> String {
        self.raw.iter().map(u32::to_string).collect::<Vec<_>>().join(":")
    }
}

/// What is wrong with an access string: told by BTF, or by its shape.
enum Fault {
    Btf(BtfError),
    Shape(&'static str),
}

impl From<BtfError> for Fault {
    fn from(e: BtfError) -> Fault {
        Fault::Btf(e)
    }
}

impl Fault {
    fn or(self, bad: impl FnOnce(&'static str) -> CoreError) -> CoreError {
        match self {
            Fault::Btf(e) => CoreError::Btf(e),
            Fault::Shape(what) => bad(what),
        }
    }
}

impl Btf {
    /// The enumeration with this id, of either width.
    pub(crate) fn enumeration(&self, id: TypeId) -> Option<&Enum> {
        match self.get(id).ok()? {
            Type::Enum(e) | Type::Enum64(e) => Some(e),
            _ => None,
        }
    }
}
