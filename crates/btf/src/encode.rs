//! From types back to the bytes of a `.BTF` section.

use crate::types::{Btf, Composite, Enum, Linkage, StrOff, Type};

/// Bytes of the header.
const HEADER_LEN: u32 = 24;
/// Magic number, version 1, no flags.
const START: u32 = 0x1_eb9f;
/// The bit of a type's second word whose meaning is the kind's.
const KIND_FLAG: u32 = 1 << 31;

impl Btf {
    /// The `.BTF` section that says this, in little-endian order; what is parsed from it is the same.
    ///
    /// ```
    /// use oxbpf_btf::Btf;
    /// # let mut bytes = vec![0x9f, 0xeb, 1, 0];
    /// # for word in [24u32, 0, 16, 16, 5, /* int */ 1, 0x0100_0000, 4, 0x0100_0020] {
    /// #     bytes.extend(word.to_le_bytes());
    /// # }
    /// # bytes.extend(b"\0int\0");
    /// assert_eq!(Btf::parse(&bytes)?.to_bytes(), bytes);
    /// # Ok::<(), oxbpf_btf::BtfError>(())
    /// ```
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut types = Words(Vec::new());
        self.types.iter().skip(1).for_each(|one| types.one(one));
        // Sections are far below 4 GiB: they were parsed from one, or grew by names.
        let (types, strings) = (types.0, self.strings.as_bytes());
        let (type_len, str_len) = (types.len() as u32, strings.len() as u32);
        let mut out = Words(Vec::with_capacity(HEADER_LEN as usize + types.len() + strings.len()));
        out.all(&[START, HEADER_LEN, 0, type_len, type_len, str_len]);
        out.0.extend(types);
        out.0.extend(strings);
        out.0
    }

    /// Adds a text to the string section; zeros in it become `?`.
    pub fn add_string(&mut self, text: &str) -> StrOff {
        if text.is_empty() {
            return StrOff(0);
        }
        let at = StrOff(self.strings.len() as u32);
        self.strings.extend(text.chars().map(|c| if c == '\0' { '?' } else { c }));
        self.strings.push('\0');
        at
    }
}

struct Words(Vec<u8>);

impl Words {
    fn all(&mut self, words: &[u32]) {
        self.0.extend(words.iter().flat_map(|word| word.to_le_bytes()));
    }

    /// What every type starts with, of `vlen` items.
    fn head(&mut self, one: &Type, vlen: usize, flag: bool, size_or_type: u32) {
        let flag = if flag { KIND_FLAG } else { 0 };
        self.all(&[one.name().0, flag | (one.kind() as u32) << 24 | vlen as u32 & 0xffff, size_or_type]);
    }

    fn one(&mut self, one: &Type) {
        match one {
            // Type 0 is never written.
            Type::Void => {}
            Type::Int(t) => {
                self.head(one, 0, false, t.size);
                let encoding = u32::from(t.signed) | u32::from(t.is_char) << 1 | u32::from(t.is_bool) << 2;
                self.all(&[encoding << 24 | u32::from(t.bit_offset) << 16 | u32::from(t.bits)]);
            }
            Type::Ptr(to) | Type::Volatile(to) | Type::Const(to) | Type::Restrict(to) => self.head(one, 0, false, to.0),
            Type::Typedef { target, .. } | Type::TypeTag { target, .. } => self.head(one, 0, false, target.0),
            Type::Array(t) => {
                self.head(one, 0, false, 0);
                self.all(&[t.elem.0, t.index.0, t.len]);
            }
            Type::Struct(t) | Type::Union(t) => self.composite(one, t),
            Type::Enum(t) | Type::Enum64(t) => self.enumeration(one, t),
            Type::Fwd { is_union, .. } => self.head(one, 0, *is_union, 0),
            Type::Func(t) => self.head(one, linkage(t.linkage) as usize, false, t.proto.0),
            Type::FuncProto(t) => {
                self.head(one, t.params.len(), false, t.ret.0);
                t.params.iter().for_each(|p| self.all(&[p.name.0, p.target.0]));
            }
            Type::Var(t) => {
                self.head(one, 0, false, t.target.0);
                self.all(&[linkage(t.linkage)]);
            }
            Type::DataSec(t) => {
                self.head(one, t.vars.len(), false, t.size);
                t.vars.iter().for_each(|v| self.all(&[v.var.0, v.offset, v.size]));
            }
            Type::Float { size, .. } => self.head(one, 0, false, *size),
            Type::DeclTag { target, component, .. } => {
                self.head(one, 0, false, target.0);
                self.all(&[component.unwrap_or(u32::MAX)]);
            }
        }
    }

    fn composite(&mut self, one: &Type, t: &Composite) {
        let bitfields = t.members.iter().any(|m| m.bitfield != 0);
        self.head(one, t.members.len(), bitfields, t.size);
        for m in &t.members {
            self.all(&[m.name.0, m.target.0, u32::from(m.bitfield) << 24 | m.bit_offset]);
        }
    }

    fn enumeration(&mut self, one: &Type, t: &Enum) {
        self.head(one, t.values.len(), t.signed, t.size);
        let wide = matches!(one, Type::Enum64(_));
        for v in &t.values {
            self.all(&[v.name.0, v.value as u32]);
            if wide {
                self.all(&[(v.value >> 32) as u32]);
            }
        }
    }
}

fn linkage(linkage: Linkage) -> u32 {
    match linkage {
        Linkage::Static => 0,
        Linkage::Global => 1,
        Linkage::Extern => 2,
    }
}
