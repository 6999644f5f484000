//! Whether a type of the object describes one of the target: every member and
//! enumerator that it has is there, of a matching type. What stands behind a
//! pointer only has to have the name and be a structure or union.

use super::finder::Finder;
use super::{CoreError, MAX_COMPARE_DEPTH};
use crate::types::{Composite, Enum, Type, TypeId};

impl Finder<'_> {
    /// Whether the target's type has all that the local one says.
    pub(super) fn types_match(
        &mut self,
        local: TypeId,
        target: TypeId,
        behind_pointer: bool,
        depth: u32,
    ) -> Result<bool, CoreError> {
        let (mut local, mut target, mut behind_pointer, mut depth) = (local, target, behind_pointer, depth);
        loop {
            self.work.charge_type()?;
            if depth >= MAX_COMPARE_DEPTH {
                return Err(self.too_deep(local));
            }
            depth += 1;
            let pair = self.resolve(local, target)?;
            let (a, b) = self.names(&pair)?;
            if a != b {
                return Ok(false);
            }
            match (pair.local, pair.target) {
                (Type::Void, Type::Void) => return Ok(true),
                (Type::Fwd { .. } | Type::Struct(_) | Type::Union(_), _) if behind_pointer => {
                    return Ok(is_union(pair.local) == is_union(pair.target));
                }
                (Type::Fwd { is_union: a, .. }, Type::Fwd { is_union: b, .. }) => return Ok(a == b),
                (Type::Enum(a) | Type::Enum64(a), Type::Enum(b) | Type::Enum64(b)) => {
                    return self.enums_match(a, b);
                }
                (Type::Struct(a), Type::Struct(b)) | (Type::Union(a), Type::Union(b)) => {
                    return self.members_match(a, b, depth);
                }
                (Type::Int(a), Type::Int(b)) => return Ok(a.size == b.size && a.signed == b.signed),
                (Type::Ptr(a), Type::Ptr(b)) => {
                    behind_pointer = true;
                    (local, target) = (*a, *b);
                }
                (Type::Array(a), Type::Array(b)) if a.len == b.len => (local, target) = (a.elem, b.elem),
                (Type::FuncProto(a), Type::FuncProto(b)) => {
                    let behind = behind_pointer;
                    if !self.params(a, b, |finder, a, b| finder.types_match(a, b, behind, depth))? {
                        return Ok(false);
                    }
                    (local, target) = (a.ret, b.ret);
                }
                _ => return Ok(false),
            }
        }
    }

    /// Each enumerator of `a` is in `b`, whatever its number.
    fn enums_match(&mut self, a: &Enum, b: &Enum) -> Result<bool, CoreError> {
        if a.values.len() > b.values.len() {
            return Ok(false);
        }
        for value in &a.values {
            let name = self.local.str(value.name);
            let mut found = false;
            for other in &b.values {
                found = self.essential_equal(name, self.target.str(other.name))?;
                if found {
                    break;
                }
            }
            if !found {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Each member of `a` is in `b` under its name, of a matching type.
    fn members_match(&mut self, a: &Composite, b: &Composite, depth: u32) -> Result<bool, CoreError> {
        if a.members.len() > b.members.len() {
            return Ok(false);
        }
        for member in &a.members {
            let name = self.local.str(member.name);
            let mut found = false;
            for other in &b.members {
                found = self.essential_equal(name, self.target.str(other.name))?
                    && self.types_match(member.target, other.target, false, depth)?;
                if found {
                    break;
                }
            }
            if !found {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Whether a type is a union or the declaration of one; none for other types than those of structures.
fn is_union(t: &Type) -> Option<bool> {
    match t {
        Type::Struct(_) => Some(false),
        Type::Union(_) => Some(true),
        Type::Fwd { is_union, .. } => Some(*is_union),
        _ => None,
    }
}
