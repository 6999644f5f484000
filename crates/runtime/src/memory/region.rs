//! Regions: runs of addresses with one owner and one rule.

use std::ops::Range;

use oxbpf_ir::MapIdx;

/// A region by number; 0 is what belongs to nobody.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RegionId(pub(crate) u32);

impl RegionId {
    pub(crate) const fn index(self) -> usize {
        self.0 as usize
    }
}

/// Whose a region is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RegionKind {
    /// Nobody's.
    Nothing,
    /// Frames of functions.
    Stack,
    /// The packet from `data_meta` to `data_end`.
    Packet,
    /// Values of a map.
    MapValues(MapIdx),
    /// Handles of maps: addresses that only helpers understand.
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

/// A run of addresses.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Region {
    pub(crate) name: String,
    pub(crate) kind: RegionKind,
    pub(crate) start: u64,
    pub(crate) end: u64,
    /// The memory its ends may move in.
    pub(crate) owned: Range<u64>,
    pub(crate) writable: bool,
    pub(crate) elements: Option<Elements>,
}

impl Region {
    pub(crate) fn new(name: &str, kind: RegionKind, start: u64, end: u64) -> Region {
        Region { name: name.to_string(), kind, start, end, owned: start..end, writable: true, elements: None }
    }

    /// A region of `len` bytes, to be placed in a block.
    pub fn sized(name: &str, kind: RegionKind, len: u64) -> Region {
        Region::new(name, kind, 0, len)
    }

    /// The same, in elements.
    pub fn with_elements(self, elements: Elements) -> Region {
        Region { elements: Some(elements), ..self }
    }

    /// The same, which programs only read.
    pub fn read_only(self) -> Region {
        Region { writable: false, ..self }
    }

    /// Its first address.
    pub fn start(&self) -> u64 {
        self.start
    }

    pub(crate) fn len(&self) -> u64 {
        self.end - self.start
    }

    /// Whether `size` bytes at `addr` lie inside, and inside one element.
    #[inline]
    pub fn contains(&self, addr: u64, size: u64) -> bool {
        let off = addr.wrapping_sub(self.start);
        let len = self.end - self.start;
        if off > len || size > len - off {
            return false;
        }
        match self.elements {
            None => true,
            Some(Elements { stride, off: first, size: bytes }) => {
                let inside = (off % stride).wrapping_sub(first);
                inside <= bytes && size <= bytes - inside
            }
        }
    }

    /// A name and an offset for an address in or near this region.
    pub(crate) fn describe(&self, addr: u64) -> (String, i64) {
        let off = addr.wrapping_sub(self.start) as i64;
        match self.elements {
            Some(e) if off >= 0 && self.kind != RegionKind::Stack && self.len() > e.stride => {
                let (index, inside) = (off as u64 / e.stride, off as u64 % e.stride);
                (format!("{}[{index}]", self.name), inside.wrapping_sub(e.off) as i64)
            }
            // Frames count down from the frame pointer, which stands past the frame's end.
            Some(e) if off >= 0 && self.kind == RegionKind::Stack => {
                let (index, inside) = (off as u64 / e.stride, off as u64 % e.stride);
                (format!("{} frame {index} fp", self.name), inside as i64 - (e.off + e.size) as i64)
            }
            Some(e) => (self.name.clone(), off.wrapping_sub(e.off as i64)),
            None => (self.name.clone(), off),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values() -> Region {
        let elements = Elements { stride: 24, off: 8, size: 12 };
        Region::new("m", RegionKind::MapValues(MapIdx(0)), 4096, 4096 + 72).with_elements(elements)
    }

    #[test]
    fn an_access_stays_in_its_element() {
        let r = values();
        assert!(r.contains(4096 + 8, 12));
        assert!(!r.contains(4096 + 8, 13));
        assert!(!r.contains(4096 + 7, 1), "before the value");
        assert!(!r.contains(4096 + 20, 1), "after the value");
        assert!(r.contains(4096 + 24 + 8, 8));
        assert!(!r.contains(4096 + 19, 16), "into the next element");
    }

    #[test]
    fn ends_are_exact_and_do_not_wrap() {
        let r = Region::new("p", RegionKind::Packet, 4096, 4106);
        assert!(r.contains(4096, 10));
        assert!(!r.contains(4096, 11));
        assert!(!r.contains(4095, 1));
        assert!(!r.contains(4105, u64::MAX));
        assert!(!r.contains(u64::MAX, 2));
    }

    #[test]
    fn reports_name_the_element() {
        assert_eq!(values().describe(4096 + 24 + 8 + 12), ("m[1]".to_string(), 12));
    }
}
