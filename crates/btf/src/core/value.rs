//! What a record asks of a spec: offsets, sizes, shifts.

use super::CoreError;
use super::error::shown;
use super::spec::{Spec, Step};
use crate::error::BtfError;
use crate::ext::CoreKind;
use crate::types::{Btf, Type, TypeId};

/// What may be done with a load or store whose offset a field is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// As it stands.
    Same,
    /// Its width follows the field's: an unsigned integer or a pointer.
    Resize {
        /// Bytes in the object's types.
        from: u64,
        /// Bytes in the target's types.
        to: u64,
    },
    /// Nothing: the widths differ and the value would be wrong.
    Unsafe,
}

/// The answer of one BTF.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) value: u64,
    /// Whether a compiler cannot have meant another value: of bit fields it
    /// chooses which bytes it loads.
    pub(super) certain: bool,
    /// The type that a load or store at this offset is of.
    accessed: Option<TypeId>,
}

impl Answer {
    fn certain(value: u64) -> Answer {
        Answer { value, certain: true, accessed: None }
    }
}

/// What `kind` asks of a spec that is there.
pub(super) fn answer(btf: &Btf, kind: CoreKind, spec: &Spec) -> Result<Answer, CoreError> {
    Ok(match kind {
        CoreKind::FieldExists | CoreKind::TypeExists | CoreKind::TypeMatches | CoreKind::EnumValueExists => {
            Answer::certain(1)
        }
        CoreKind::TypeIdLocal | CoreKind::TypeIdTarget => {
            Answer { certain: false, ..Answer::certain(spec.root.0.into()) }
        }
        CoreKind::TypeSize => Answer::certain(btf.size_of(spec.root)?),
        CoreKind::EnumValue => Answer::certain(spec.enumerator_value(btf).unwrap_or(0).cast_unsigned()),
        CoreKind::FieldByteOffset
        | CoreKind::FieldByteSize
        | CoreKind::FieldSigned
        | CoreKind::FieldLeftShift
        | CoreKind::FieldRightShift => field(btf, kind, spec)?,
    })
}

/// What `kind` is of something that is not there; none makes the instruction unusable.
pub(super) fn absent(kind: CoreKind) -> Option<u64> {
    match kind {
        CoreKind::FieldExists
        | CoreKind::TypeExists
        | CoreKind::TypeMatches
        | CoreKind::EnumValueExists
        | CoreKind::TypeSize
        | CoreKind::TypeIdTarget => Some(0),
        CoreKind::FieldByteOffset
        | CoreKind::FieldByteSize
        | CoreKind::FieldSigned
        | CoreKind::FieldLeftShift
        | CoreKind::FieldRightShift
        | CoreKind::TypeIdLocal
        | CoreKind::EnumValue => None,
    }
}

fn field(btf: &Btf, kind: CoreKind, spec: &Spec) -> Result<Answer, CoreError> {
    if let Some(Step::Element { id, .. }) = spec.steps.last() {
        return match kind {
            CoreKind::FieldByteOffset => Ok(Answer { accessed: Some(*id), ..Answer::certain(spec.bit_offset / 8) }),
            CoreKind::FieldByteSize => Ok(Answer::certain(btf.size_of(*id)?)),
            _ => Err(CoreError::NotAMember { kind: kind.name(), field: shown(&spec.path(btf)) }),
        };
    }
    let Some(member) = spec.last_member(btf) else {
        return Err(CoreError::NotAMember { kind: kind.name(), field: shown(&spec.path(btf)) });
    };
    let id = btf.resolve(member.target)?;
    if kind == CoreKind::FieldSigned {
        let signed = match btf.get(id)? {
            Type::Int(int) => int.signed,
            Type::Enum(e) | Type::Enum64(e) => e.signed,
            _ => false,
        };
        return Ok(Answer::certain(signed.into()));
    }
    let window = Window::of(btf, spec, id, member.bitfield)?;
    let certain = member.bitfield == 0;
    Ok(match kind {
        CoreKind::FieldByteOffset => Answer { value: window.byte, certain, accessed: Some(id).filter(|_| certain) },
        CoreKind::FieldByteSize => Answer { certain, ..Answer::certain(window.size) },
        CoreKind::FieldLeftShift => {
            let start = spec.bit_offset - window.byte * 8;
            // What lies above the field is shifted out; there are 8 bytes at most.
            let above = match btf.is_big_endian() {
                true => 64u64.wrapping_sub(window.size * 8).wrapping_add(start),
                false => 64u64.wrapping_sub(start + window.bits),
            };
            Answer { certain, ..Answer::certain(above) }
        }
        _ => Answer::certain(64u64.wrapping_sub(window.bits)),
    })
}

/// The bytes that hold a field.
struct Window {
    /// Where they start.
    byte: u64,
    /// How many they are.
    size: u64,
    /// The field's width.
    bits: u64,
}

impl Window {
    fn of(btf: &Btf, spec: &Spec, id: TypeId, bitfield: u8) -> Result<Window, CoreError> {
        let mut size = btf.size_of(id)?;
        if bitfield == 0 {
            let bits = size.checked_mul(8).ok_or(BtfError::SizeOverflow { id })?;
            return Ok(Window { byte: spec.bit_offset / 8, size, bits });
        }
        // The smallest aligned load, from the declared type's size on, that holds all bits.
        let end = spec.bit_offset.checked_add(bitfield.into()).ok_or(BtfError::SizeOverflow { id })?;
        while size > 0 {
            let byte = spec.bit_offset / 8 / size * size;
            if end - byte * 8 <= size * 8 {
                return Ok(Window { byte, size, bits: bitfield.into() });
            }
            if size >= 8 {
                break;
            }
            size *= 2;
        }
        Err(CoreError::WideBitField { field: shown(&spec.path(btf)) })
    }
}

/// Whether a load or store of the object's field still is one of the target's.
pub(super) fn access(local: &Btf, of: &Answer, target: &Btf, to: &Answer) -> Result<Access, CoreError> {
    let (Some(a), Some(b)) = (of.accessed, to.accessed) else {
        // Of a bit field on one side only nothing is known.
        return Ok(if of.accessed == to.accessed { Access::Same } else { Access::Unsafe });
    };
    let (a, from) = element(local, a)?;
    let (b, to) = element(target, b)?;
    Ok(match (a, b) {
        _ if from == to => Access::Same,
        (Type::Ptr(_), Type::Ptr(_)) => Access::Resize { from, to },
        (Type::Int(a), Type::Int(b)) if !a.signed && !b.signed => Access::Resize { from, to },
        _ => Access::Unsafe,
    })
}

/// What a load or store at a field is of: of an array, its element.
fn element(btf: &Btf, id: TypeId) -> Result<(&Type, u64), BtfError> {
    let mut at = id;
    for _ in 0..super::MAX_COMPARE_DEPTH {
        at = btf.resolve(at)?;
        match btf.get(at)? {
            Type::Array(array) => at = array.elem,
            t => return Ok((t, btf.size_of(at).unwrap_or(0))),
        }
    }
    Err(BtfError::TooDeep { id })
}
