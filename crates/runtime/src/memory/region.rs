//! Regions: runs of addresses with one owner and one rule.

use std::ops::Range;

/// A region by number; 0 is what belongs to nobody.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RegionId(pub(super) u32);

impl RegionId {
    pub(super) const fn index(self) -> usize {
        self.0 as usize
    }
}

/// Whose a region is.
#[repr(u8)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RegionKind {
    /// Nobody's.
    Nothing,
    /// Frames of functions.
    Stack,
    /// The packet from `data_meta` to `data_end`.
    Packet,
    /// Values of a map.
    MapValues,
    /// Records of a ring buffer, of which only those may be reached that are being written.
    Records,
    /// Handles of maps and functions: addresses that only helpers understand.
    Handles,
    /// The context: answered by field.
    Context,
}

/// Equal elements in a region; an access stays in the one it starts in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Elements {
    /// Distance between elements.
    pub stride: u64,
    /// Where in a stride the accessible bytes start.
    pub off: u64,
    /// How many bytes are accessible.
    pub size: u64,
}

/// What bounds an access: the part of a region that is looked at for each. A code generator may name its fields.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Bounds {
    pub(crate) start: u64,
    pub(crate) len: u64,
    /// Distance between elements; 0 where the region is one whole.
    pub(crate) stride: u64,
    pub(crate) first: u64,
    pub(crate) size: u64,
    pub(crate) kind: RegionKind,
    pub(crate) readable: bool,
    pub(crate) writable: bool,
}

impl Bounds {
    /// Whether `size` bytes at `addr` lie inside, and inside one element.
    #[inline(always)]
    pub(crate) fn contain(&self, addr: u64, size: u64) -> bool {
        let off = addr.wrapping_sub(self.start);
        if off > self.len || size > self.len - off {
            return false;
        }
        if self.stride == 0 {
            return true;
        }
        let inside = (off % self.stride).wrapping_sub(self.first);
        inside <= self.size && size <= self.size - inside
    }
}

/// What a region is to be, before it has a place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Region {
    pub(crate) name: String,
    pub(crate) kind: RegionKind,
    pub(crate) len: u64,
    pub(crate) elements: Option<Elements>,
    pub(crate) readable: bool,
    pub(crate) writable: bool,
}

impl Region {
    /// A region of `len` bytes that programs read and write.
    pub(crate) fn new(name: &str, kind: RegionKind, len: u64) -> Region {
        Region { name: name.to_string(), kind, len, elements: None, readable: true, writable: true }
    }

    /// The same, in elements.
    pub(crate) fn with_elements(self, elements: Elements) -> Region {
        Region { elements: Some(elements), ..self }
    }

    pub(crate) fn bounds(&self, start: u64) -> Bounds {
        let e = self.elements.unwrap_or(Elements { stride: 0, off: 0, size: 0 });
        let Region { len, kind, readable, writable, .. } = *self;
        Bounds { start, len, stride: e.stride, first: e.off, size: e.size, kind, readable, writable }
    }
}

/// The part of a region that only reports and the runtime look at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Owner {
    pub(crate) name: String,
    /// The memory its ends may move in.
    pub(crate) within: Range<u64>,
}

/// A name and an offset for an address in or near a region.
pub(crate) fn describe(bounds: &Bounds, owner: &Owner, addr: u64) -> (String, i64) {
    let off = addr.wrapping_sub(bounds.start) as i64;
    if bounds.stride == 0 {
        return (owner.name.clone(), off);
    }
    let Ok(inside) = u64::try_from(off) else { return (owner.name.clone(), off.wrapping_sub(bounds.first as i64)) };
    let (index, inside) = (inside / bounds.stride, (inside % bounds.stride) as i64);
    match bounds.kind {
        // Frames count down from the frame pointer, which stands past the frame's end.
        RegionKind::Stack => (format!("{} frame {index} fp", owner.name), inside - (bounds.first + bounds.size) as i64),
        _ if bounds.len > bounds.stride => (format!("{}[{index}]", owner.name), inside - bounds.first as i64),
        _ => (owner.name.clone(), inside - bounds.first as i64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values() -> Bounds {
        let elements = Elements { stride: 24, off: 8, size: 12 };
        Region::new("m", RegionKind::MapValues, 72).with_elements(elements).bounds(4096)
    }

    #[test]
    fn an_access_stays_in_its_element() {
        let r = values();
        assert!(r.contain(4096 + 8, 12));
        assert!(!r.contain(4096 + 8, 13));
        assert!(!r.contain(4096 + 7, 1), "before the value");
        assert!(!r.contain(4096 + 20, 1), "after the value");
        assert!(r.contain(4096 + 24 + 8, 8));
        assert!(!r.contain(4096 + 19, 16), "into the next element");
    }

    #[test]
    fn ends_are_exact_and_do_not_wrap() {
        let r = Region::new("p", RegionKind::Packet, 10).bounds(4096);
        assert!(r.contain(4096, 10));
        assert!(!r.contain(4096, 11));
        assert!(!r.contain(4095, 1));
        assert!(!r.contain(4105, u64::MAX));
        assert!(!r.contain(u64::MAX, 2));
    }

    #[test]
    fn reports_name_the_element() {
        let owner = Owner { name: "m".into(), within: 4096..4168 };
        assert_eq!(describe(&values(), &owner, 4096 + 24 + 8 + 12), ("m[1]".to_string(), 12));
    }
}
