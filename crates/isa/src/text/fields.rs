//! Operands that every dialect writes alike.

use super::cursor::{Cursor, Result};
use super::number::Number;
use crate::insn::Pseudo;

/// How messages name the immediate field.
pub(super) const IMM: &str = "a 32-bit immediate";

impl<'a> Cursor<'a> {
    /// `+ 8`, `- 8` or `+ -8`, if one comes next.
    pub fn displacement(&mut self) -> Result<Option<Number<'a>>> {
        match self.next_byte() {
            Some(b'+') => {
                self.pass();
                self.number().map(Some)
            }
            // A minus sign belongs to the number, blanks between or not.
            Some(b'-') => self.number().map(Some),
            _ => Ok(None),
        }
    }

    /// A 32-bit immediate.
    pub fn imm(&mut self) -> Result<i32> {
        self.number()?.to_i32(IMM)
    }
}

/// After `name(`: the operands of a wide load that the loader resolves; none if `name` is no such load.
pub(super) fn pseudo_named(c: &mut Cursor<'_>, name: &str) -> Option<Result<Pseudo>> {
    let one = |c: &mut Cursor<'_>, make: fn(i32) -> Pseudo| {
        let value = make(c.imm()?);
        c.expect(")").map(|()| value)
    };
    let two = |c: &mut Cursor<'_>, make: fn(i32, i32) -> Pseudo| {
        let first = c.imm()?;
        c.expect(",")?;
        let value = make(first, c.imm()?);
        c.expect(")").map(|()| value)
    };
    Some(match name {
        "map_fd" => one(c, Pseudo::MapFd),
        "map_value" => two(c, |fd, off| Pseudo::MapValue { fd, off }),
        "btf_var" => two(c, |id, fd| Pseudo::BtfVar { id, fd }),
        "func" => one(c, Pseudo::Func),
        "map_idx" => one(c, Pseudo::MapIdx),
        "map_idx_value" => two(c, |idx, off| Pseudo::MapIdxValue { idx, off }),
        _ => return None,
    })
}
