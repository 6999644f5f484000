//! A fast hash for small keys of the compiler's own making: a rotation and a multiplication for each word.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hash, Hasher};

/// A map with the fast hash. Keys come from expressions of bounded length, so that collisions cost bounded time.
pub(super) type FastMap<K, V> = HashMap<K, V, BuildHasherDefault<FastHasher>>;

/// Different values, numbered in the order in which they came.
pub(super) struct Interned<T> {
    list: Vec<T>,
    /// At the place of its hash, or the next ones, a value's number, counted from 1; 0 ends a search. A power of two, and
    /// at least twice as many as values.
    places: Vec<u32>,
}

impl<T: Copy + Eq + Hash> Interned<T> {
    /// Without values, and with room for some.
    pub(super) fn with_capacity(capacity: usize) -> Self {
        Interned { list: Vec::with_capacity(capacity), places: vec![0; (capacity * 2).next_power_of_two().max(2)] }
    }

    pub(super) fn list(&self) -> &[T] {
        &self.list
    }

    /// For changes of values that are all known: what is changed is no longer found.
    pub(super) fn list_mut(&mut self) -> &mut [T] {
        &mut self.list
    }

    /// The number of a value, counted from 0, which is the next one where there is none like it.
    pub(super) fn intern(&mut self, value: T) -> u32 {
        if (self.list.len() + 1) * 2 > self.places.len() {
            self.grow();
        }
        let place = self.place(value);
        if self.places[place] == 0 {
            self.list.push(value);
            self.places[place] = self.list.len() as u32;
        }
        self.places[place] - 1
    }

    /// Where a value is found, or would be.
    fn place(&self, value: T) -> usize {
        let mask = self.places.len() - 1;
        let mut hasher = FastHasher::default();
        value.hash(&mut hasher);
        let mut at = hasher.finish() as usize & mask;
        while let number @ 1.. = self.places[at]
            && self.list[number as usize - 1] != value
        {
            at = (at + 1) & mask;
        }
        at
    }

    #[cold]
    fn grow(&mut self) {
        self.places = vec![0; self.places.len() * 2];
        for (number, i) in (1..).zip(0..self.list.len()) {
            let place = self.place(self.list[i]);
            self.places[place] = number;
        }
    }
}

#[derive(Default)]
pub(super) struct FastHasher(u64);

/// An odd number without a pattern: 2^64 divided by the golden ratio.
const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;

impl Hasher for FastHasher {
    fn finish(&self) -> u64 {
        // The map looks at the lowest and the uppermost bits; multiplication moves what differs upwards.
        self.0 ^ self.0 >> 32
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|&b| self.write_u64(b.into()));
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(MULTIPLIER);
    }

    fn write_u8(&mut self, n: u8) {
        self.write_u64(n.into());
    }

    fn write_u32(&mut self, n: u32) {
        self.write_u64(n.into());
    }

    fn write_usize(&mut self, n: usize) {
        self.write_u64(n as u64);
    }

    fn write_isize(&mut self, n: isize) {
        self.write_u64(n as u64);
    }
}
