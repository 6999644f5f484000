//! The types as data.

use std::fmt;

use crate::kind::Kind;

/// The number of a type; 0 is void.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TypeId(pub u32);

impl TypeId {
    /// No type, and the type that is nothing.
    pub const VOID: TypeId = TypeId(0);
}

impl fmt::Display for TypeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}]", self.0)
    }
}

/// A name or source text, as its offset in the string section; 0 is the empty
/// string. [`Btf::str`] reads it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StrOff(pub u32);

impl StrOff {
    /// Whether this names nothing.
    #[must_use]
    pub fn is_anonymous(self) -> bool {
        self.0 == 0
    }
}

/// The types and strings of one `.BTF` section. See the crate's page.
#[derive(Debug, Clone)]
pub struct Btf {
    /// By id; the first is void.
    pub(crate) types: Vec<Type>,
    /// The string section with each byte that is not UTF-8 made a `?`, so that
    /// offsets hold. It starts and ends with NUL.
    pub(crate) strings: String,
    /// Whether it is of a big-endian machine.
    pub(crate) big_endian: bool,
}

/// One type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Type {
    /// Type 0.
    Void,
    /// An integer.
    Int(Int),
    /// A pointer to a type.
    Ptr(TypeId),
    /// An array.
    Array(Array),
    /// A structure.
    Struct(Composite),
    /// A union.
    Union(Composite),
    /// An enumeration of up to 32 bits.
    Enum(Enum),
    /// A structure or union that is declared and not defined.
    Fwd {
        /// Its name.
        name: StrOff,
        /// Whether a union was declared.
        is_union: bool,
    },
    /// Another name for a type.
    Typedef {
        /// The new name.
        name: StrOff,
        /// The type that is named.
        target: TypeId,
    },
    /// `volatile` of a type.
    Volatile(TypeId),
    /// `const` of a type.
    Const(TypeId),
    /// `restrict` of a type.
    Restrict(TypeId),
    /// A function.
    Func(Func),
    /// What a function takes and gives.
    FuncProto(FuncProto),
    /// A global variable.
    Var(Var),
    /// The variables of an ELF section.
    DataSec(DataSec),
    /// A floating-point number.
    Float {
        /// Its name.
        name: StrOff,
        /// Its size in bytes.
        size: u32,
    },
    /// A tag on a declaration.
    DeclTag {
        /// The text of the tag.
        name: StrOff,
        /// The structure, function, variable or typedef.
        target: TypeId,
        /// The member or parameter meant, or none for the whole.
        component: Option<u32>,
    },
    /// A tag on a type.
    TypeTag {
        /// The text of the tag.
        name: StrOff,
        /// The type that is tagged.
        target: TypeId,
    },
    /// An enumeration of up to 64 bits.
    Enum64(Enum),
}

/// An integer type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Int {
    /// Its name.
    pub name: StrOff,
    /// Its size in bytes, 1 to 16.
    pub size: u32,
    /// Its width in bits.
    pub bits: u8,
    /// Where the bits start, for the rare bit-field types.
    pub bit_offset: u8,
    /// Whether it is signed.
    pub signed: bool,
    /// Whether it is a character.
    pub is_char: bool,
    /// Whether it is a truth value.
    pub is_bool: bool,
}

/// An array type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Array {
    /// What it holds.
    pub elem: TypeId,
    /// What it is indexed by.
    pub index: TypeId,
    /// How many it holds; 0 for a flexible array.
    pub len: u32,
}

/// A structure or union.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Composite {
    /// Its name.
    pub name: StrOff,
    /// Its size in bytes.
    pub size: u32,
    /// Its members in the order written.
    pub members: Box<[Member]>,
}

/// A member of a structure or union.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    /// Its name.
    pub name: StrOff,
    /// Its type.
    pub target: TypeId,
    /// Where it starts, in bits from the start of the structure.
    pub bit_offset: u32,
    /// Its width in bits if it is a bit field, else 0.
    pub bitfield: u8,
}

/// An enumeration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enum {
    /// Its name.
    pub name: StrOff,
    /// Its size in bytes.
    pub size: u32,
    /// Whether values are signed.
    pub signed: bool,
    /// Its values in the order written.
    pub values: Box<[EnumValue]>,
}

/// A value of an enumeration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EnumValue {
    /// Its name.
    pub name: StrOff,
    /// Its value; of an unsigned 64-bit enumeration the bits.
    pub value: i64,
}

/// How far a function or variable is visible.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Linkage {
    /// In its file.
    Static,
    /// Everywhere.
    Global,
    /// Defined elsewhere.
    Extern,
}

/// A function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Func {
    /// Its name.
    pub name: StrOff,
    /// Its prototype, a [`Type::FuncProto`].
    pub proto: TypeId,
    /// How far it is visible.
    pub linkage: Linkage,
}

/// A function's prototype.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FuncProto {
    /// What it returns.
    pub ret: TypeId,
    /// What it takes. A last parameter of type 0 without name means `...`.
    pub params: Box<[Param]>,
}

/// A parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Param {
    /// Its name.
    pub name: StrOff,
    /// Its type.
    pub target: TypeId,
}

/// A global variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Var {
    /// Its name.
    pub name: StrOff,
    /// Its type.
    pub target: TypeId,
    /// How far it is visible.
    pub linkage: Linkage,
}

/// The variables of an ELF section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataSec {
    /// The section's name.
    pub name: StrOff,
    /// The section's size; 0 in an object file, where the ELF header has it.
    pub size: u32,
    /// Its variables.
    pub vars: Box<[SecVar]>,
}

/// A variable's place in its section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SecVar {
    /// The variable, a [`Type::Var`] (or a [`Type::Func`] in `.ksyms`).
    pub var: TypeId,
    /// Where it starts; 0 in an object file, where a relocation has it.
    pub offset: u32,
    /// Its size in bytes.
    pub size: u32,
}

impl Type {
    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Type::Void => Kind::Void,
            Type::Int(_) => Kind::Int,
            Type::Ptr(_) => Kind::Ptr,
            Type::Array(_) => Kind::Array,
            Type::Struct(_) => Kind::Struct,
            Type::Union(_) => Kind::Union,
            Type::Enum(_) => Kind::Enum,
            Type::Fwd { .. } => Kind::Fwd,
            Type::Typedef { .. } => Kind::Typedef,
            Type::Volatile(_) => Kind::Volatile,
            Type::Const(_) => Kind::Const,
            Type::Restrict(_) => Kind::Restrict,
            Type::Func(_) => Kind::Func,
            Type::FuncProto(_) => Kind::FuncProto,
            Type::Var(_) => Kind::Var,
            Type::DataSec(_) => Kind::DataSec,
            Type::Float { .. } => Kind::Float,
            Type::DeclTag { .. } => Kind::DeclTag,
            Type::TypeTag { .. } => Kind::TypeTag,
            Type::Enum64(_) => Kind::Enum64,
        }
    }

    /// Its name, which may be the empty string.
    #[must_use]
    pub fn name(&self) -> StrOff {
        match self {
            Type::Int(t) => t.name,
            Type::Struct(t) | Type::Union(t) => t.name,
            Type::Enum(t) | Type::Enum64(t) => t.name,
            Type::Func(t) => t.name,
            Type::Var(t) => t.name,
            Type::DataSec(t) => t.name,
            Type::Fwd { name, .. }
            | Type::Typedef { name, .. }
            | Type::Float { name, .. }
            | Type::DeclTag { name, .. }
            | Type::TypeTag { name, .. } => *name,
            Type::Void
            | Type::Ptr(_)
            | Type::Array(_)
            | Type::Volatile(_)
            | Type::Const(_)
            | Type::Restrict(_)
            | Type::FuncProto(_) => StrOff(0),
        }
    }
}
