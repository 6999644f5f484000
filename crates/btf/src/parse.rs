//! From the bytes of a `.BTF` section to types.
//!
//! ```text
//!  header            magic:16 version:8 flags:8 | hdr_len | type_off | type_len | str_off | str_len
//!  type section      name_off | info | size or type | kind's own tail ...
//!  info              31 kind_flag   28..24 kind   15..0 vlen
//! ```
//!
//! Offsets count from the end of the header. Source: the kernel's
//! `Documentation/bpf/btf.rst`.

use crate::error::BtfError;
use crate::kind::Kind;
use crate::reader::Reader;
use crate::types::{
    Array, Btf, Composite, DataSec, Enum, EnumValue, Func, FuncProto, Int, Linkage, Member, Param, SecVar, StrOff,
    Type, TypeId, Var,
};

/// Bytes of the header that must be there.
const HEADER_LEN: u32 = 24;

/// Bytes that every type starts with.
const TYPE_HEADER_LEN: usize = 12;

impl Btf {
    /// Reads a `.BTF` section, or the kernel's own BTF, of either byte order.
    ///
    /// # Errors
    /// [`BtfError`] with the place, if anything is not as the format says. All
    /// references between types and to strings are checked here.
    pub fn parse(bytes: &[u8]) -> Result<Btf, BtfError> {
        let mut header = Reader::open(bytes)?;
        let hdr_len = header.u32()?;
        if hdr_len < HEADER_LEN || !hdr_len.is_multiple_of(4) {
            return Err(BtfError::BadHeaderLength { len: hdr_len });
        }
        let mut body = Reader::open(bytes)?;
        // `open` has taken 4 bytes; the header length counts from the start.
        body.take(hdr_len as usize - 4)?;
        let (type_off, type_len) = (header.u32()?, header.u32()?);
        let (str_off, str_len) = (header.u32()?, header.u32()?);
        let strings = strings(body.window(str_off, str_len)?)?;

        let mut builder = Builder { btf: Btf { types: vec![Type::Void], strings, big_endian: header.big_endian() } };
        builder.types(body.window(type_off, type_len)?)?;
        builder.btf.check_references()?;
        Ok(builder.btf)
    }
}

/// The string section as text of the same length.
fn strings(section: Reader<'_>) -> Result<String, BtfError> {
    let bytes = section.rest();
    if bytes.first() != Some(&0) || bytes.last() != Some(&0) {
        return Err(BtfError::BadStrings { at: section.at() });
    }
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| '?'));
    }
    Ok(text)
}

/// The common header of a type.
struct Head {
    /// Where the type starts.
    at: usize,
    name: StrOff,
    kind: Kind,
    vlen: u16,
    kind_flag: bool,
    size_or_type: u32,
}

impl Head {
    fn target(&self) -> TypeId {
        TypeId(self.size_or_type)
    }

    fn bad(&self, field: &'static str, value: u32) -> BtfError {
        let at = self.at;
        BtfError::BadField { at, field, value }
    }
}

/// The types read so far.
struct Builder {
    btf: Btf,
}

impl Builder {
    fn types(&mut self, mut section: Reader<'_>) -> Result<(), BtfError> {
        while !section.is_empty() {
            let head = self.head(&mut section)?;
            let tail = section.take(head.kind.tail_len(head.vlen))?;
            let parsed = self.one(&head, tail)?;
            self.btf.types.push(parsed);
        }
        Ok(())
    }

    fn head(&self, section: &mut Reader<'_>) -> Result<Head, BtfError> {
        let at = section.at();
        let mut words = section.take(TYPE_HEADER_LEN)?;
        let name = self.name(at, words.u32()?)?;
        let info = words.u32()?;
        let number = (info >> 24 & 0x1f) as u8;
        let kind = Kind::from_number(number).ok_or(BtfError::UnknownKind { at, kind: number })?;
        Ok(Head {
            at,
            name,
            kind,
            vlen: (info & 0xffff) as u16,
            kind_flag: info >> 31 != 0,
            size_or_type: words.u32()?,
        })
    }

    /// An offset that [`Btf::str`] can read: inside, and not within a character.
    fn name(&self, at: usize, off: u32) -> Result<StrOff, BtfError> {
        if self.btf.holds(StrOff(off)) { Ok(StrOff(off)) } else { Err(BtfError::BadStringOffset { at, off }) }
    }

    fn one(&self, head: &Head, tail: Reader<'_>) -> Result<Type, BtfError> {
        let (name, target) = (head.name, head.target());
        let mut words = tail;
        Ok(match head.kind {
            Kind::Void => Type::Void,
            Kind::Int => Type::Int(int(head, words.u32()?)?),
            Kind::Ptr => Type::Ptr(target),
            Kind::Array => {
                Type::Array(Array { elem: TypeId(words.u32()?), index: TypeId(words.u32()?), len: words.u32()? })
            }
            Kind::Struct => Type::Struct(self.composite(head, tail)?),
            Kind::Union => Type::Union(self.composite(head, tail)?),
            Kind::Enum => Type::Enum(self.enumeration(head, tail)?),
            Kind::Fwd => Type::Fwd { name, is_union: head.kind_flag },
            Kind::Typedef => Type::Typedef { name, target },
            Kind::Volatile => Type::Volatile(target),
            Kind::Const => Type::Const(target),
            Kind::Restrict => Type::Restrict(target),
            Kind::Func => Type::Func(Func { name, proto: target, linkage: linkage(head, u32::from(head.vlen))? }),
            Kind::FuncProto => Type::FuncProto(self.proto(head, tail)?),
            Kind::Var => Type::Var(Var { name, target, linkage: linkage(head, words.u32()?)? }),
            Kind::DataSec => Type::DataSec(DataSec { name, size: head.size_or_type, vars: self.sec_vars(tail) }),
            Kind::Float => Type::Float { name, size: float_size(head)? },
            Kind::DeclTag => Type::DeclTag {
                name,
                target,
                // -1 means the declaration itself.
                component: Some(words.u32()?).filter(|&c| c != u32::MAX),
            },
            Kind::TypeTag => Type::TypeTag { name, target },
            Kind::Enum64 => Type::Enum64(self.enumeration(head, tail)?),
        })
    }

    fn composite(&self, head: &Head, tail: Reader<'_>) -> Result<Composite, BtfError> {
        let member = |at, [name, target, offset]: [u32; 3]| {
            // With the flag, the offset word is width:8 offset:24.
            let (bitfield, bit_offset) = match head.kind_flag {
                true => ((offset >> 24) as u8, offset & 0x00ff_ffff),
                false => (0, offset),
            };
            Ok(Member { name: self.name(at, name)?, target: TypeId(target), bit_offset, bitfield })
        };
        Ok(Composite { name: head.name, size: head.size_or_type, members: items(tail, member)? })
    }

    fn enumeration(&self, head: &Head, tail: Reader<'_>) -> Result<Enum, BtfError> {
        let size = head.size_or_type;
        if !matches!(size, 1 | 2 | 4 | 8) {
            return Err(head.bad("size", size));
        }
        let signed = head.kind_flag;
        let narrow = |at, [name, value]: [u32; 2]| {
            let name = self.name(at, name)?;
            let value = match signed {
                true => i64::from(value.cast_signed()),
                false => i64::from(value),
            };
            Ok(EnumValue { name, value })
        };
        let wide = |at, [name, low, high]: [u32; 3]| {
            let name = self.name(at, name)?;
            let value = u64::from(high) << 32 | u64::from(low);
            let value = value.cast_signed();
            Ok(EnumValue { name, value })
        };
        Ok(Enum {
            name: head.name,
            size,
            signed,
            values: match head.kind {
                Kind::Enum64 => items(tail, wide)?,
                _ => items(tail, narrow)?,
            },
        })
    }

    fn proto(&self, head: &Head, tail: Reader<'_>) -> Result<FuncProto, BtfError> {
        let param = |at, [name, target]: [u32; 2]| Ok(Param { name: self.name(at, name)?, target: TypeId(target) });
        Ok(FuncProto { ret: head.target(), params: items(tail, param)? })
    }

    fn sec_vars(&self, tail: Reader<'_>) -> Box<[SecVar]> {
        let var = |_, [var, offset, size]: [u32; 3]| Ok(SecVar { var: TypeId(var), offset, size });
        items(tail, var).unwrap_or_default()
    }
}

/// Reads items of `N` words each, as many as `tail` holds.
fn items<const N: usize, T>(
    mut tail: Reader<'_>,
    mut item: impl FnMut(usize, [u32; N]) -> Result<T, BtfError>,
) -> Result<Box<[T]>, BtfError> {
    let mut all = Vec::with_capacity(tail.rest().len() / (4 * N));
    while !tail.is_empty() {
        let at = tail.at();
        let mut row = [0; N];
        for word in &mut row {
            *word = tail.u32()?;
        }
        all.push(item(at, row)?);
    }
    Ok(all.into_boxed_slice())
}

/// The encoding word of an integer is encoding:4 offset:8 zero:8 bits:8 from
/// bit 27 down.
fn int(head: &Head, word: u32) -> Result<Int, BtfError> {
    let size = head.size_or_type;
    if !matches!(size, 1 | 2 | 4 | 8 | 16) {
        return Err(head.bad("size", size));
    }
    let bits = (word & 0xff) as u8;
    let bit_offset = (word >> 16 & 0xff) as u8;
    if u32::from(bits) + u32::from(bit_offset) > size * 8 {
        return Err(head.bad("bits", u32::from(bits)));
    }
    let encoding = word >> 24 & 0xf;
    Ok(Int {
        name: head.name,
        size,
        bits,
        bit_offset,
        signed: encoding & 1 != 0,
        is_char: encoding & 2 != 0,
        is_bool: encoding & 4 != 0,
    })
}

fn float_size(head: &Head) -> Result<u32, BtfError> {
    match head.size_or_type {
        size @ (2 | 4 | 8 | 12 | 16) => Ok(size),
        size => Err(head.bad("size", size)),
    }
}

fn linkage(head: &Head, number: u32) -> Result<Linkage, BtfError> {
    match number {
        0 => Ok(Linkage::Static),
        1 => Ok(Linkage::Global),
        2 => Ok(Linkage::Extern),
        other => Err(head.bad("linkage", other)),
    }
}

impl Btf {
    /// Whether [`Btf::str`] can read at this offset.
    pub(crate) fn holds(&self, off: StrOff) -> bool {
        let off = off.0 as usize;
        off < self.strings.len() && self.strings.is_char_boundary(off)
    }

    /// Every reference names a type that is there, and functions, variables
    /// and sections name ones of the kind they need.
    fn check_references(&self) -> Result<(), BtfError> {
        for (from, holder) in self.types() {
            let bad = |to| BtfError::BadReference { from, to };
            let there = |to: TypeId| self.get(to).map_err(|_| bad(to));
            match holder {
                Type::Void | Type::Int(_) | Type::Enum(_) | Type::Enum64(_) | Type::Fwd { .. } | Type::Float { .. } => {
                }
                Type::Ptr(to) | Type::Volatile(to) | Type::Const(to) | Type::Restrict(to) => {
                    there(*to)?;
                }
                Type::Typedef { target, .. } | Type::TypeTag { target, .. } | Type::DeclTag { target, .. } => {
                    there(*target)?;
                }
                Type::Array(array) => {
                    there(array.elem)?;
                    there(array.index)?;
                }
                Type::Struct(t) | Type::Union(t) => {
                    for member in &t.members {
                        there(member.target)?;
                    }
                }
                Type::Func(func) => match there(func.proto)? {
                    Type::FuncProto(_) => {}
                    _ => return Err(bad(func.proto)),
                },
                Type::FuncProto(proto) => {
                    there(proto.ret)?;
                    for param in &proto.params {
                        there(param.target)?;
                    }
                }
                Type::Var(var) => {
                    there(var.target)?;
                }
                Type::DataSec(sec) => {
                    for var in &sec.vars {
                        match there(var.var)? {
                            Type::Var(_) | Type::Func(_) => {}
                            _ => return Err(bad(var.var)),
                        }
                    }
                }
            }
        }
        Ok(())
    }
}
