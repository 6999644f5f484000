//! What the kinds of maps have in common: the operations, and where elements stand.

use oxbpf_abi::errno;
use oxbpf_ir::MapIdx;

use crate::memory::{Elements, Storage};

/// What an operation cost besides its constant part, in steps of a chain, or buckets passed over, 64 in a step: charged to a program's fuel, so that
/// colliding keys are not free.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Steps(pub u32);

/// Who asks for an operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum By {
    /// A program on this CPU: of what each CPU has, it means its own.
    Program(u32),
    /// Somebody outside: of what each CPU has, all.
    Outside,
}

/// One kind of map over a storage. What a kind does not have, it answers as the kernel does for it; a failure is an
/// error number.
///
/// Keys have the map's size. Values too, except that those of a per-CPU map have, for somebody outside, a slot of 8-byte
/// steps for each CPU.
pub(super) trait Store: std::fmt::Debug + Send + Sync {
    /// Bytes of the storage, where that is a number.
    fn len(&self) -> Option<usize>;

    /// Brings a zeroed storage into its first state.
    fn prepare(&self, _: &Storage) {}

    /// Where programs reach values: offset, length and how they lie. None where programs reach none.
    fn values(&self) -> Option<(usize, u64, Elements)> {
        None
    }

    /// Where the value that a program on this CPU gets is.
    fn lookup(&self, _: &Storage, _: &[u8], _cpu: u32, _: &mut Steps) -> Option<usize> {
        None
    }

    /// A copy of a value for somebody outside.
    fn read(&self, storage: &Storage, key: &[u8], steps: &mut Steps) -> Result<Vec<u8>, i64>;

    /// Creates or overwrites an entry. `flags` are 0 to 2, and perhaps [`F_LOCK`](oxbpf_abi::map_flags::F_LOCK).
    fn update(&self, _: &Storage, _: &[u8], _: &[u8], _flags: u64, _: By, _: &mut Steps) -> Result<(), i64>;

    /// Removes an entry.
    fn delete(&self, storage: &Storage, key: &[u8], steps: &mut Steps) -> Result<(), i64>;

    /// The key after a key, or the first; also where the key is not there.
    fn next_key(&self, storage: &Storage, key: Option<&[u8]>) -> Result<Vec<u8>, i64>;

    /// Puts a value in.
    fn push(&self, _: &Storage, _: &[u8], _flags: u64) -> Result<(), i64> {
        Err(errno::ENOTSUPP)
    }

    /// Takes a value out. A failure leaves zeros.
    fn pop(&self, _: &Storage, _: &mut [u8]) -> Result<(), i64> {
        Err(errno::ENOTSUPP)
    }

    /// Looks at the value that would be taken out; a Bloom filter looks whether it may hold `value`.
    fn peek(&self, _: &Storage, _: &mut [u8]) -> Result<(), i64> {
        Err(errno::ENOTSUPP)
    }

    /// The cursor of the entry after a cursor's, from 0 on, for a program that visits all; none at the end, and where
    /// it would take more than `most` steps to find it. Then more are counted, so that whoever pays for them cannot.
    fn step(&self, _: &Storage, _cursor: u32, _most: u32, _: &mut Steps) -> Option<u32> {
        None
    }

    /// The key and the place of the value at a cursor that [`Store::step`] gave.
    fn at(&self, _: &Storage, _cursor: u32, _cpu: u32) -> Option<(Vec<u8>, usize)> {
        None
    }

    /// The number at a key, in maps that hold programs, maps or events.
    fn number(&self, _: &Storage, _key: &[u8], _: &mut Steps) -> Option<u32> {
        None
    }

    /// Calls `visit` with all keys and values. The same in every run.
    fn for_each(&self, storage: &Storage, visit: &mut dyn FnMut(&[u8], &[u8]));
}

/// Where values stand: elements of equal distance, each with a slot for every CPU that has its own.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cells {
    pub(super) first: usize,
    pub(super) stride: usize,
    pub(super) slots: u32,
}

impl Cells {
    /// Bytes up to the end of so many elements.
    pub(super) fn len(&self, count: usize) -> Option<usize> {
        self.stride.checked_mul(self.slots as usize)?.checked_mul(count)?.checked_add(self.first)
    }

    /// The offset of an element's slot.
    pub(super) fn at(&self, element: usize, slot: u32) -> Option<usize> {
        (slot < self.slots).then(|| self.first + (element * self.slots as usize + slot as usize) * self.stride)
    }
}

/// An array's key: the kernel reads it as a host number.
pub(super) fn index_of(key: &[u8]) -> u32 {
    key.try_into().map_or(u32::MAX, u32::from_le_bytes)
}

/// The index after an index, where keys are indices; after one that is too large comes the first.
pub(super) fn next_index(key: Option<&[u8]>, count: u32) -> Result<Vec<u8>, i64> {
    match key.map(index_of) {
        Some(last) if last == count - 1 => Err(errno::ENOENT),
        Some(index) if index < count => Ok((index + 1).to_le_bytes().to_vec()),
        _ => Ok(vec![0; 4]),
    }
}

/// A number that a map of maps or programs holds as a value.
pub(super) fn number(value: &[u8]) -> u32 {
    index_of(value)
}

/// A map by its number in the set.
pub(super) fn map_number(map: MapIdx) -> [u8; 4] {
    map.0.to_le_bytes()
}

/// Where values of 8-byte aligned elements start: values are aligned for 64-bit atomics, as in the kernel.
pub(super) fn aligned(size: u32) -> usize {
    (size as usize).next_multiple_of(8)
}

/// Reads an element's bytes into a buffer of the right size.
pub(super) fn read<'a>(storage: &Storage, off: usize, size: u32, buffer: &'a mut Vec<u8>) -> &'a [u8] {
    buffer.resize(size as usize, 0);
    storage.read(off, buffer);
    buffer
}

/// Equal elements of a region, in the units of [`Elements`].
pub(super) fn elements(stride: usize, off: usize, size: u32) -> Elements {
    Elements { stride: stride as u64, off: off as u64, size: size.into() }
}

/// The hash of a key. It stands in storages, so it never changes: words of eight bytes, little-endian and padded
/// with zeros, each mixed in by a multiplication with 2^64 divided by the golden ratio and a fold of the upper half.
pub(super) fn hash(key: &[u8]) -> u64 {
    let mut h = key.len() as u64;
    for word in key.chunks(8) {
        let mut bytes = [0; 8];
        bytes[..word.len()].copy_from_slice(word);
        h = (h ^ u64::from_le_bytes(bytes)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        h ^= h >> 32;
    }
    h
}
