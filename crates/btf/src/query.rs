//! Questions about types: by name, by id, sizes, members.

use crate::error::BtfError;
use crate::kind::Kind;
use crate::types::{Btf, Composite, DataSec, Func, FuncProto, Member, StrOff, Type, TypeId, Var};

/// How many references a walk follows. Real chains are shorter than ten; the
/// kernel's own bound is 32.
pub const MAX_DEPTH: usize = 64;

/// Where [`Btf::str`] cuts. One string can be as long as the section and be
/// named by every type, so that reading names would take quadratic time.
pub const MAX_STR: usize = 4096;

impl Btf {
    /// The number of types, void included.
    #[must_use]
    #[allow(clippy::len_without_is_empty)] // void is always there
    pub fn len(&self) -> usize {
        self.types.len()
    }

    /// Whether it describes a big-endian machine.
    #[must_use]
    pub fn is_big_endian(&self) -> bool {
        self.big_endian
    }

    /// All types with their ids, void first.
    pub fn types(&self) -> impl Iterator<Item = (TypeId, &Type)> {
        (0..).map(TypeId).zip(&self.types)
    }

    /// The type with this id.
    ///
    /// # Errors
    /// [`BtfError::NoType`] if there is none.
    pub fn get(&self, id: TypeId) -> Result<&Type, BtfError> {
        self.types.get(id.0 as usize).ok_or(BtfError::NoType { id })
    }

    /// The text at an offset of the string section, cut after [`MAX_STR`]
    /// bytes; the empty string if the offset is none that this BTF handed out.
    #[must_use]
    pub fn str(&self, off: StrOff) -> &str {
        let tail = self.strings.get(off.0 as usize..).unwrap_or("");
        let tail = &tail[..tail.floor_char_boundary(MAX_STR)];
        tail.split('\0').next().unwrap_or("")
    }

    /// Whether the text at `off` is `text`, in time linear in `text`.
    #[must_use]
    pub fn str_is(&self, off: StrOff, text: &str) -> bool {
        let tail = self.strings.as_bytes().get(off.0 as usize..);
        tail.and_then(|tail| tail.strip_prefix(text.as_bytes())).is_some_and(|tail| tail.first() == Some(&0))
    }

    /// The name of a type; the empty string if it has none or is not there.
    #[must_use]
    pub fn name(&self, id: TypeId) -> &str {
        self.get(id).map_or("", |t| self.str(t.name()))
    }

    /// The first type of that kind and name. Looks at every type.
    #[must_use]
    pub fn find(&self, kind: Kind, name: &str) -> Option<TypeId> {
        self.types().find(|(_, t)| t.kind() == kind && self.str_is(t.name(), name)).map(|(id, _)| id)
    }

    /// The type behind typedefs, qualifiers and type tags.
    ///
    /// # Errors
    /// [`BtfError::TooDeep`] for circles and chains beyond [`MAX_DEPTH`],
    /// [`BtfError::NoType`].
    pub fn resolve(&self, id: TypeId) -> Result<TypeId, BtfError> {
        let mut at = id;
        for _ in 0..MAX_DEPTH {
            match self.get(at)? {
                Type::Typedef { target, .. }
                | Type::TypeTag { target, .. }
                | Type::Volatile(target)
                | Type::Const(target)
                | Type::Restrict(target) => at = *target,
                _ => return Ok(at),
            }
        }
        Err(BtfError::TooDeep { id })
    }

    /// The type behind typedefs, qualifiers and type tags, as data.
    ///
    /// # Errors
    /// As [`Btf::resolve`].
    pub fn resolved(&self, id: TypeId) -> Result<&Type, BtfError> {
        self.get(self.resolve(id)?)
    }

    /// The size in bytes of a value of this type. Pointers are of 8 bytes, as
    /// BPF has them; a variable is as large as its type.
    ///
    /// # Errors
    /// [`BtfError::NoSize`] for void, functions, tags on declarations and
    /// forward declarations; [`BtfError::SizeOverflow`];
    /// [`BtfError::TooDeep`]; [`BtfError::NoType`].
    pub fn size_of(&self, id: TypeId) -> Result<u64, BtfError> {
        let mut count: u64 = 1;
        let mut at = id;
        for _ in 0..MAX_DEPTH {
            at = self.resolve(at)?;
            let size = match self.get(at)? {
                Type::Array(array) => {
                    count = count.checked_mul(u64::from(array.len)).ok_or(BtfError::SizeOverflow { id })?;
                    at = array.elem;
                    continue;
                }
                Type::Var(var) => {
                    at = var.target;
                    continue;
                }
                Type::Int(int) => int.size,
                Type::Ptr(_) => 8,
                Type::Struct(t) | Type::Union(t) => t.size,
                Type::Enum(t) | Type::Enum64(t) => t.size,
                Type::Float { size, .. } => *size,
                Type::DataSec(t) => t.size,
                _ => return Err(BtfError::NoSize { id: at }),
            };
            return count.checked_mul(u64::from(size)).ok_or(BtfError::SizeOverflow { id });
        }
        Err(BtfError::TooDeep { id })
    }

    /// The structure or union behind typedefs and qualifiers.
    #[must_use]
    pub fn composite(&self, id: TypeId) -> Option<&Composite> {
        match self.resolved(id).ok()? {
            Type::Struct(t) | Type::Union(t) => Some(t),
            _ => None,
        }
    }

    /// The members of a structure or union, none for other types.
    #[must_use]
    pub fn members(&self, id: TypeId) -> Members<'_> {
        Members { btf: self, rest: self.composite(id).map_or(&[], |t| &t.members) }
    }

    /// The function and its prototype.
    #[must_use]
    pub fn func(&self, id: TypeId) -> Option<(&Func, &FuncProto)> {
        match self.get(id).ok()? {
            Type::Func(func) => match self.get(func.proto).ok()? {
                Type::FuncProto(proto) => Some((func, proto)),
                _ => None,
            },
            _ => None,
        }
    }

    /// The variable with this id.
    #[must_use]
    pub fn var(&self, id: TypeId) -> Option<&Var> {
        match self.get(id).ok()? {
            Type::Var(var) => Some(var),
            _ => None,
        }
    }

    /// The variables of the ELF section of this name.
    #[must_use]
    pub fn datasec(&self, name: &str) -> Option<&DataSec> {
        match self.get(self.find(Kind::DataSec, name)?).ok()? {
            Type::DataSec(sec) => Some(sec),
            _ => None,
        }
    }
}

/// The members of a structure with their names, from [`Btf::members`].
#[derive(Debug, Clone)]
pub struct Members<'a> {
    btf: &'a Btf,
    rest: &'a [Member],
}

impl<'a> Iterator for Members<'a> {
    type Item = (&'a str, &'a Member);

    fn next(&mut self) -> Option<Self::Item> {
        let (member, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some((self.btf.str(member.name), member))
    }
}
