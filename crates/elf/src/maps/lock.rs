//! Where values have their lock: the `struct bpf_spin_lock` in a value's type.
//!
//! What counts is measured with Linux 6.18: members that are the structure itself or an array of one, also in structures
//! inside; not behind a typedef or a qualifier, and not in a union. Of several in different structures the last counts.

use oxbpf_abi::MapType;
use oxbpf_btf::{Btf, Member, Type, TypeId};

/// The structure that locks a value.
const LOCK: &str = "bpf_spin_lock";
const LOCK_SIZE: u32 = 4;

/// Structures around a lock, besides the value itself: where there are more, the kernel takes no types.
const MAX_NESTING: u32 = 30;

/// Members of values that are looked at in one object: those of nested structures multiply.
const MAX_LOOKS: u32 = 1 << 20;

/// Looks for locks in the values of an object's maps.
pub(super) struct Locks<'a> {
    types: &'a Btf,
    left: u32,
}

/// Why a search ends early.
enum Stop {
    /// The kernel makes no map with such types; loaders make one without, so without a lock.
    Refused,
    TooMany,
}

/// There are more members than an object's values may have.
pub(super) struct TooMany;

impl<'a> Locks<'a> {
    pub(super) fn new(types: &'a Btf) -> Locks<'a> {
        Locks { types, left: MAX_LOOKS }
    }

    /// The offset of the lock in values of this type, where they have one and maps of this type may.
    pub(super) fn of(&mut self, map_type: MapType, value: TypeId) -> Result<Option<u32>, TooMany> {
        if !matches!(map_type, MapType::HASH | MapType::ARRAY) {
            return Ok(None);
        }
        let Ok(Type::Struct(value)) = self.types.resolved(value) else { return Ok(None) };
        match self.last(&value.members, 0, 0) {
            Ok(lock) => Ok(lock),
            Err(Stop::Refused) => Ok(None),
            Err(Stop::TooMany) => Err(TooMany),
        }
    }

    /// The last lock among the members of a structure that starts at this byte.
    fn last(&mut self, members: &[Member], start: u32, level: u32) -> Result<Option<u32>, Stop> {
        let types = self.types;
        let (mut last, mut own) = (None, false);
        for member in members {
            self.left = self.left.checked_sub(1).ok_or(Stop::TooMany)?;
            let (target, count) = self.element(member.target);
            let Ok(Type::Struct(inner)) = types.get(target) else { continue };
            if count == 0 {
                continue;
            }
            let at = start.checked_add(member.bit_offset / 8).ok_or(Stop::Refused)?;
            let found = if types.str_is(inner.name, LOCK) {
                if std::mem::replace(&mut own, true) || inner.size != LOCK_SIZE || !at.is_multiple_of(LOCK_SIZE) {
                    return Err(Stop::Refused);
                }
                Some(at)
            } else if level < MAX_NESTING {
                self.last(&inner.members, at, level + 1)?
            } else {
                return Err(Stop::Refused);
            };
            if found.is_some() && count > 1 {
                return Err(Stop::Refused);
            }
            last = found.or(last);
        }
        Ok(last)
    }

    /// What an array of arrays holds, and how many; of anything else, one of itself.
    fn element(&self, mut id: TypeId) -> (TypeId, u64) {
        let mut count = 1u64;
        for _ in 0..MAX_NESTING {
            let Ok(Type::Array(array)) = self.types.get(id) else { break };
            count = count.saturating_mul(array.len.into());
            id = array.elem;
        }
        (id, count)
    }
}
