//! Numbers that are known to be equal, or a known distance apart: what a comparison tells of one, it tells of all.

use oxbpf_isa::{AluOp, Width};

use super::Scalar;

/// How a number is tied to others.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Link {
    /// The name that tied numbers share; 0 is none.
    pub id: u32,
    /// The width at which something was added since the name was given, and what.
    pub delta: Option<(Width, i32)>,
}

impl Link {
    /// Tied to nothing.
    pub const NONE: Link = Link { id: 0, delta: None };

    /// The link of a number about to be copied, with which the copy is tied to it. A distance cannot be handed on: the
    /// number gets a new name, which a constant does not need.
    #[inline]
    pub fn for_copy(self, num: &Scalar, new_id: impl FnOnce() -> u32) -> Link {
        let kept = if self.delta.is_some() { Link::NONE } else { self };
        if kept.id != 0 || num.as_const().is_some() { kept } else { Link { id: new_id(), delta: None } }
    }

    /// The link of `dst` after `dst = dst op src`: kept only where that adds or subtracts one known number, once, and no
    /// bits are cut off before.
    #[inline]
    pub fn after(self, op: AluOp, width: Width, dst: &Scalar, src: &Scalar) -> Link {
        let by = match (op, width) {
            (AluOp::Add | AluOp::Sub, Width::W64) => src.as_const().and_then(|v| i32::try_from(v as i64).ok()),
            (AluOp::Add | AluOp::Sub, Width::W32) if dst.umax <= u32::MAX.into() => src.as_const32().map(|v| v as i32),
            _ => None,
        };
        let by = if op == AluOp::Sub { by.and_then(i32::checked_neg) } else { by };
        match by {
            Some(by) if self.id != 0 && self.delta.is_none() => Link { delta: Some((width, by)), ..self },
            _ => Link::NONE,
        }
    }

    /// What is added to the name's number.
    #[inline]
    fn distance(self) -> i64 {
        self.delta.map_or(0, |(_, by)| by.into())
    }
}

impl Scalar {
    /// What a number tied by `link` is, where one tied by `known_link` is `known`; and its link then. `None` where they
    /// are not tied.
    #[inline]
    pub fn follow(link: Link, known: &Scalar, known_link: Link) -> Option<(Scalar, Link)> {
        if link.id == 0 || link.id != known_link.id {
            return None;
        }
        let widths = (link.delta.map(|d| d.0), known_link.delta.map(|d| d.0));
        if let (Some(a), Some(b)) = widths
            && a != b
        {
            return None;
        }
        if widths == (None, None) || link.distance() == known_link.distance() {
            return Some((*known, known_link));
        }
        let delta = Scalar::constant((link.distance() - known_link.distance()) as u64);
        let width = widths.0.or(widths.1).unwrap_or(Width::W64);
        Some((Scalar::alu(AluOp::Add, width, known, &delta), link))
    }
}
