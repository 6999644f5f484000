//! Whether a type of the object and one of the target may stand for each other.

use super::finder::{Finder, Pair};
use super::target::same_kind;
use super::{CoreError, MAX_COMPARE_DEPTH};
use crate::types::{FuncProto, Type, TypeId};

impl Finder<'_> {
    /// Whether fields of these types hold the same thing. Structures and unions
    /// stand for each other whatever is in them, so do integers of all sizes;
    /// enumerations and declarations want the same name or none, arrays
    /// elements that stand for each other.
    pub(super) fn fields_compatible(&mut self, local: TypeId, target: TypeId) -> Result<bool, CoreError> {
        let (mut local, mut target) = (local, target);
        for _ in 0..MAX_COMPARE_DEPTH {
            self.work.charge_type()?;
            let pair = self.resolve(local, target)?;
            let composite = |t: &Type| matches!(t, Type::Struct(_) | Type::Union(_));
            if composite(pair.local) && composite(pair.target) {
                return Ok(true);
            }
            if !pair.same_kind() {
                return Ok(false);
            }
            match (pair.local, pair.target) {
                (Type::Ptr(_), _) | (Type::Float { .. }, _) => return Ok(true),
                (Type::Enum(_) | Type::Enum64(_) | Type::Fwd { .. }, _) => {
                    let (a, b) = self.names(&pair)?;
                    return Ok(a.is_empty() || b.is_empty() || a == b);
                }
                (Type::Int(a), Type::Int(b)) => return Ok(a.bit_offset == 0 && b.bit_offset == 0),
                (Type::Array(a), Type::Array(b)) => (local, target) = (a.elem, b.elem),
                _ => return Ok(false),
            }
        }
        Ok(false)
    }

    /// Whether these types are of the same make, whatever their names (which the
    /// caller has compared), sizes and members.
    pub(super) fn types_compatible(&mut self, local: TypeId, target: TypeId, depth: u32) -> Result<bool, CoreError> {
        let (mut local, mut target, mut depth) = (local, target, depth);
        loop {
            self.work.charge_type()?;
            if depth >= MAX_COMPARE_DEPTH {
                return Err(self.too_deep(local));
            }
            depth += 1;
            let pair = self.resolve(local, target)?;
            if !pair.same_kind() {
                return Ok(false);
            }
            match (pair.local, pair.target) {
                (Type::Void, _)
                | (Type::Struct(_) | Type::Union(_) | Type::Fwd { .. }, _)
                | (Type::Enum(_) | Type::Enum64(_), _) => return Ok(true),
                (Type::Int(a), Type::Int(b)) => return Ok(a.bit_offset == 0 && b.bit_offset == 0),
                (Type::Ptr(a), Type::Ptr(b)) => (local, target) = (*a, *b),
                (Type::Array(a), Type::Array(b)) => (local, target) = (a.elem, b.elem),
                (Type::FuncProto(a), Type::FuncProto(b)) => {
                    if !self.params(a, b, |finder, a, b| finder.types_compatible(a, b, depth))? {
                        return Ok(false);
                    }
                    (local, target) = (a.ret, b.ret);
                }
                _ => return Ok(false),
            }
        }
    }

    /// Whether two prototypes have as many parameters and each pair agrees.
    pub(super) fn params(
        &mut self,
        a: &FuncProto,
        b: &FuncProto,
        mut agree: impl FnMut(&mut Self, TypeId, TypeId) -> Result<bool, CoreError>,
    ) -> Result<bool, CoreError> {
        if a.params.len() != b.params.len() {
            return Ok(false);
        }
        for (a, b) in a.params.iter().zip(&b.params) {
            if !agree(self, a.target, b.target)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

impl Pair<'_> {
    pub(super) fn same_kind(&self) -> bool {
        same_kind(self.local.kind(), self.target.kind())
    }
}
