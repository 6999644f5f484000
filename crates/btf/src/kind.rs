//! The kinds of types as rows: number, name, and how many bytes follow the
//! common header of a type.

/// The kind of a type, numbered as in the format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
#[allow(missing_docs)] // the names say it
pub enum Kind {
    Void = 0,
    Int = 1,
    Ptr = 2,
    Array = 3,
    Struct = 4,
    Union = 5,
    Enum = 6,
    Fwd = 7,
    Typedef = 8,
    Volatile = 9,
    Const = 10,
    Restrict = 11,
    Func = 12,
    FuncProto = 13,
    Var = 14,
    DataSec = 15,
    Float = 16,
    DeclTag = 17,
    TypeTag = 18,
    Enum64 = 19,
}

/// One row of [`KINDS`].
struct Row {
    kind: Kind,
    name: &'static str,
    /// Bytes after the common header.
    fixed: usize,
    /// Bytes after those for each of `vlen` items.
    item: usize,
}

const fn row(kind: Kind, name: &'static str, fixed: usize, item: usize) -> Row {
    Row { kind, name, fixed, item }
}

/// Every kind, at the index of its number.
const KINDS: [Row; 20] = [
    row(Kind::Void, "void", 0, 0),
    row(Kind::Int, "int", 4, 0),
    row(Kind::Ptr, "ptr", 0, 0),
    row(Kind::Array, "array", 12, 0),
    row(Kind::Struct, "struct", 0, 12),
    row(Kind::Union, "union", 0, 12),
    row(Kind::Enum, "enum", 0, 8),
    row(Kind::Fwd, "fwd", 0, 0),
    row(Kind::Typedef, "typedef", 0, 0),
    row(Kind::Volatile, "volatile", 0, 0),
    row(Kind::Const, "const", 0, 0),
    row(Kind::Restrict, "restrict", 0, 0),
    row(Kind::Func, "func", 0, 0),
    row(Kind::FuncProto, "func_proto", 0, 8),
    row(Kind::Var, "var", 4, 0),
    row(Kind::DataSec, "datasec", 0, 12),
    row(Kind::Float, "float", 0, 0),
    row(Kind::DeclTag, "decl_tag", 4, 0),
    row(Kind::TypeTag, "type_tag", 0, 0),
    row(Kind::Enum64, "enum64", 0, 12),
];

const _: () = {
    let mut i = 0;
    while i < KINDS.len() {
        assert!(KINDS[i].kind as usize == i);
        i += 1;
    }
};

impl Kind {
    /// The kind with this number, if it may stand in a type section. Void is
    /// type 0 and never written.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Kind> {
        match number {
            0 => None,
            n => KINDS.get(usize::from(n)).map(|row| row.kind),
        }
    }

    /// Its name in lower case, as bpftool prints it in upper case.
    #[must_use]
    pub fn name(self) -> &'static str {
        KINDS[self as usize].name
    }

    /// Bytes that follow the common header of a type with `vlen` items.
    pub(crate) fn tail_len(self, vlen: u16) -> usize {
        let row = &KINDS[self as usize];
        row.fixed + row.item * usize::from(vlen)
    }
}
