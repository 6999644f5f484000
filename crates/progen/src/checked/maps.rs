//! The maps that all generated programs share.

/// A map's definition, by the kernel's numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Palette {
    /// The map type.
    pub map_type: u32,
    /// Bytes of a key.
    pub key: u32,
    /// Bytes of a value.
    pub value: u32,
    /// The most entries.
    pub entries: u32,
    /// Creation flags.
    pub flags: u32,
    /// Where in a value its lock stands.
    pub lock: Option<u32>,
    /// Key, value and entries of the arrays in it.
    pub inner: Option<(u32, u32, u32)>,
    /// Whether it is frozen, with the bytes of its only value counting up from 1.
    pub frozen: bool,
}

const fn map(map_type: u32, key: u32, value: u32, entries: u32) -> Palette {
    Palette { map_type, key, value, entries, flags: 0, lock: None, inner: None, frozen: false }
}

pub(crate) const ARRAY: usize = 0;
pub(crate) const HASH: usize = 1;
pub(crate) const SMALL: usize = 2;
pub(crate) const PERCPU: usize = 3;
pub(crate) const LRU: usize = 4;
pub(crate) const LPM: usize = 5;
pub(crate) const PROGS: usize = 6;
pub(crate) const RINGBUF: usize = 7;
pub(crate) const LOCKED: usize = 8;
pub(crate) const QUEUE: usize = 9;
pub(crate) const OUTER: usize = 10;
pub(crate) const FROZEN: usize = 11;
pub(crate) const EVENTS: usize = 12;
pub(crate) const WRITE_ONLY: usize = 14;
pub(crate) const WIDE: usize = 16;

/// All of them, by index. Number 13 is read only for programs, 15 holds devices: faults lead there.
pub const MAPS: [Palette; 17] = [
    map(2, 4, 48, 4),
    Palette { flags: 1, ..map(1, 8, 16, 8) },
    map(2, 4, 3, 2),
    map(6, 4, 24, 2),
    map(9, 12, 40, 16),
    Palette { flags: 1, ..map(11, 8, 8, 8) },
    map(3, 4, 4, 4),
    map(27, 0, 0, 4096),
    Palette { lock: Some(8), ..map(2, 4, 32, 1) },
    map(22, 0, 16, 4),
    Palette { inner: Some((4, 24, 3)), ..map(12, 4, 4, 2) },
    Palette { frozen: true, ..map(2, 4, 64, 1) },
    map(4, 4, 4, 4),
    Palette { flags: 128, ..map(2, 4, 32, 2) },
    Palette { flags: 256, ..map(2, 4, 32, 2) },
    map(14, 4, 4, 4),
    map(2, 4, 1024, 1),
];
