//! Bloom filters: which values may have been put in. What was put in is always found; what was not is found with a
//! chance that depends on the number of hashes, and on the hashes, which are not the kernel's.
//!
//! ```text
//! storage:  | lock | - | bits, a power of two of them |
//! ```

use oxbpf_abi::errno;
use oxbpf_ir::MapDef;

use super::store::{By, Steps, Store, hash};
use crate::memory::Storage;

const LOCK: usize = 0;
const BITS: usize = 8;
/// As the kernel has it where none is said.
const DEFAULT_HASHES: u64 = 5;
/// The least and the most bits: whole words, and as many as a 32-bit hash tells apart.
const FEWEST: u64 = 64;
const MOST: u64 = 1 << 32;

#[derive(Debug)]
pub(super) struct Bloom {
    hashes: u32,
    bits: u64,
}

impl Bloom {
    pub(super) fn new(def: &MapDef) -> Bloom {
        let hashes = if def.extra == 0 { DEFAULT_HASHES } else { def.extra };
        // The optimum for n values is n * hashes / ln 2 bits.
        let wanted = (u64::from(def.max_entries) * hashes).saturating_mul(1443) / 1000;
        Bloom { hashes: hashes as u32, bits: wanted.next_power_of_two().clamp(FEWEST, MOST) }
    }

    /// The word and the bit of each hash of a value.
    fn places(&self, value: &[u8]) -> impl Iterator<Item = (usize, u32)> {
        let (h, mask) = (hash(value), self.bits - 1);
        // Any linear combination of two hashes is one more.
        let (first, second) = (h >> 32, h & 0xffff_ffff | 1);
        (0..u64::from(self.hashes)).map(move |i| {
            let bit = first.wrapping_add(second.wrapping_mul(i)) & mask;
            (BITS + (bit / 32) as usize * 4, 1 << (bit % 32))
        })
    }
}

impl Store for Bloom {
    fn len(&self) -> Option<usize> {
        Some(BITS + (self.bits / 8) as usize)
    }

    /// Somebody outside asks with a value, which this cannot see: [`Store::peek`] has it.
    fn read(&self, _: &Storage, _: &[u8], _: &mut Steps) -> Result<Vec<u8>, i64> {
        Err(errno::EINVAL)
    }

    fn update(&self, storage: &Storage, _: &[u8], value: &[u8], flags: u64, by: By, _: &mut Steps) -> Result<(), i64> {
        if matches!(by, By::Program(_)) {
            return Err(errno::EINVAL);
        }
        self.push(storage, value, flags)
    }

    fn delete(&self, _: &Storage, _: &[u8], _: &mut Steps) -> Result<(), i64> {
        Err(errno::EOPNOTSUPP)
    }

    fn next_key(&self, _: &Storage, _: Option<&[u8]>) -> Result<Vec<u8>, i64> {
        Err(errno::EOPNOTSUPP)
    }

    fn push(&self, storage: &Storage, value: &[u8], flags: u64) -> Result<(), i64> {
        if flags != 0 {
            return Err(errno::EINVAL);
        }
        storage.locked(LOCK, || {
            self.places(value).for_each(|(at, bit)| storage.set_u32(at, storage.u32(at) | bit));
        });
        Ok(())
    }

    fn pop(&self, _: &Storage, _: &mut [u8]) -> Result<(), i64> {
        Err(errno::EOPNOTSUPP)
    }

    fn peek(&self, storage: &Storage, value: &mut [u8]) -> Result<(), i64> {
        let found = self.places(value).all(|(at, bit)| storage.u32(at) & bit != 0);
        if found { Ok(()) } else { Err(errno::ENOENT) }
    }

    /// What was put in cannot be told.
    fn for_each(&self, _: &Storage, _: &mut dyn FnMut(&[u8], &[u8])) {}
}
