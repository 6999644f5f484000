//! Longest prefix matches: a binary trie whose nodes skip bits in which all below them agree.
//!
//! A key is a number of bits (4 bytes, host order) and as many bytes as an address has. A look-up finds the entry with
//! most bits among those that begin as its key does.
//!
//! ```text
//! storage:  | lock | used | free | len | root | - | nodes ...                              |
//! node:     | left | right | bits | mark | value, padded to 8 | address, padded to 8       |
//! ```
//! A link is a node's number plus one, 0 leads nowhere. A node without an entry joins two below it, so there are at most
//! twice as many nodes as entries. An update puts another node in the place of the old one, as hashes do.

use oxbpf_abi::{errno, map_flags};
use oxbpf_ir::MapDef;

use super::store::{By, Cells, Steps, Store, aligned, elements};
use super::values::Values;
use crate::memory::{Elements, Storage};

/// The header's words, by offset.
const LOCK: usize = 0;
const USED: usize = 4;
const FREE: usize = 8;
const LEN: usize = 12;
const ROOT: usize = 16;
const NODES: usize = 24;

/// A node's words, by offset; the links to the left and right come first.
const PREFIX: usize = 8;
const MARK: usize = 12;
const VALUE: usize = 16;
/// Marks of nodes: with an entry, and without.
const ENTRY: u32 = 1;
const JOINT: u32 = 0;

/// Bytes of the number in front of an address.
const LENGTH: usize = 4;
/// The longest address.
const MAX_ADDRESS: usize = 256;

#[derive(Debug)]
pub(super) struct Lpm {
    stride: usize,
    address_off: usize,
    address_size: usize,
    values: Values,
    cells: Cells,
    max_entries: u32,
}

/// A key taken apart.
struct Key<'k> {
    bits: u32,
    address: &'k [u8],
}

/// A node's prefix, read out.
struct Node {
    bits: u32,
    address: [u8; MAX_ADDRESS],
}

/// A way down: the cell that leads to a node, and the node.
#[derive(Clone, Copy)]
struct Found {
    cell: usize,
    link: u32,
    /// The cell that leads to the node's parent, and the parent; where there is one.
    parent: Option<(usize, u32)>,
}

/// Bit `i` of an address, from its first byte's highest on.
fn bit(address: &[u8], i: u32) -> usize {
    usize::from(address[i as usize / 8] >> (7 - i % 8) & 1)
}

/// How many bits two addresses share from the start, up to `most`.
fn common(a: &[u8], b: &[u8], most: u32) -> u32 {
    let whole = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    let rest = a.get(whole).zip(b.get(whole)).map_or(0, |(x, y)| (x ^ y).leading_zeros());
    (whole as u32 * 8 + rest).min(most)
}

impl Lpm {
    pub(super) fn new(def: &MapDef) -> Lpm {
        let address_off = VALUE + aligned(def.value_size);
        let address_size = def.key_size as usize - LENGTH;
        let stride = address_off + address_size.next_multiple_of(8);
        let cells = Cells { first: NODES + VALUE, stride, slots: 1 };
        let values = Values::new(def, None);
        Lpm { stride, address_off, address_size, values, cells, max_entries: def.max_entries }
    }

    /// Nodes, of which those without an entry are fewer than those with one, and one that replaces another.
    fn count(&self) -> usize {
        self.max_entries as usize * 2
    }

    fn max_bits(&self) -> u32 {
        self.address_size as u32 * 8
    }

    /// A key with no more bits than an address has.
    fn key<'k>(&self, key: &'k [u8]) -> Option<Key<'k>> {
        let (bits, address) = key.split_first_chunk::<LENGTH>()?;
        let bits = u32::from_le_bytes(*bits);
        (bits <= self.max_bits()).then_some(Key { bits, address })
    }

    fn node(&self, link: u32) -> usize {
        NODES + (link as usize - 1) * self.stride
    }

    fn valid(&self, link: u32) -> bool {
        link != 0 && link as usize <= self.count()
    }

    fn prefix(&self, storage: &Storage, link: u32) -> Node {
        let mut address = [0; MAX_ADDRESS];
        let node = self.node(link);
        storage.read(node + self.address_off, &mut address[..self.address_size]);
        Node { bits: storage.u32(node + PREFIX), address }
    }

    /// Where a node's link to one side is.
    fn side(&self, link: u32, side: usize) -> usize {
        self.node(link) + side * 4
    }

    fn is_entry(&self, storage: &Storage, link: u32) -> bool {
        storage.u32(self.node(link) + MARK) == ENTRY
    }

    /// The node with the most bits that a key begins with, where it has an entry.
    fn longest(&self, storage: &Storage, key: &Key<'_>, steps: &mut Steps) -> Option<u32> {
        let (mut link, mut best) = (storage.u32(ROOT), None);
        // A way down has no more nodes than a key has bits, and one for none.
        for _ in 0..=self.max_bits() {
            if !self.valid(link) {
                break;
            }
            steps.0 += 1;
            let node = self.prefix(storage, link);
            let most = node.bits.min(key.bits);
            if common(&node.address[..self.address_size], key.address, most) < node.bits {
                break;
            }
            if self.is_entry(storage, link) {
                best = Some(link);
            }
            if node.bits >= self.max_bits() || node.bits >= key.bits {
                break;
            }
            link = storage.u32(self.side(link, bit(key.address, node.bits)));
        }
        best
    }

    /// Goes down as far as a key leads: to its own node, to one that it parts from, or to where none is yet. With the
    /// number of bits that the key shares with that node.
    fn descend(&self, storage: &Storage, key: &Key<'_>, steps: &mut Steps) -> (Found, u32, Node) {
        let mut found = Found { cell: ROOT, link: storage.u32(ROOT), parent: None };
        loop {
            if !self.valid(found.link) {
                return (Found { link: 0, ..found }, 0, Node { bits: 0, address: [0; MAX_ADDRESS] });
            }
            steps.0 += 1;
            let node = self.prefix(storage, found.link);
            let shared = common(&node.address[..self.address_size], key.address, node.bits.min(key.bits));
            if shared < node.bits || node.bits >= key.bits {
                return (found, shared, node);
            }
            let cell = self.side(found.link, bit(key.address, node.bits));
            found = Found { cell, link: storage.u32(cell), parent: Some((found.cell, found.link)) };
        }
    }

    fn take(&self, storage: &Storage) -> u32 {
        match storage.u32(FREE) {
            0 => {
                let used = storage.u32(USED) + 1;
                storage.set_u32(USED, used);
                used
            }
            link => {
                storage.set_u32(FREE, storage.u32(self.node(link)));
                link
            }
        }
    }

    fn give_back(&self, storage: &Storage, link: u32) {
        storage.set_u32(self.node(link), storage.u32(FREE));
        storage.set_u32(FREE, link);
    }

    /// A new node with these links below it.
    fn make(&self, storage: &Storage, bits: u32, address: &[u8], mark: u32, below: [u32; 2]) -> u32 {
        let link = self.take(storage);
        let node = self.node(link);
        storage.set_u32(node, below[0]);
        storage.set_u32(node + 4, below[1]);
        storage.set_u32(node + PREFIX, bits);
        storage.set_u32(node + MARK, mark);
        storage.write(node + self.address_off, address);
        link
    }

    fn insert(&self, storage: &Storage, key: &Key<'_>, value: &[u8], flags: u64, steps: &mut Steps) -> Result<(), i64> {
        let (found, shared, old) = self.descend(storage, key, steps);
        let own = found.link != 0 && shared == old.bits && old.bits == key.bits;
        let present = own && self.is_entry(storage, found.link);
        match flags {
            map_flags::NOEXIST if present => return Err(errno::EEXIST),
            map_flags::EXIST if !present => return Err(errno::ENOENT),
            _ => {}
        }
        let len = storage.u32(LEN);
        if !present {
            if len >= self.max_entries {
                return Err(errno::ENOSPC);
            }
            storage.set_u32(LEN, len + 1);
        }
        let below = |link: u32, side: usize| if side == 0 { [link, 0] } else { [0, link] };
        let new = if own {
            let links = [storage.u32(self.side(found.link, 0)), storage.u32(self.side(found.link, 1))];
            self.make(storage, key.bits, key.address, ENTRY, links)
        } else if found.link != 0 && shared == key.bits {
            // The key is a prefix of the node that is there.
            self.make(storage, key.bits, key.address, ENTRY, below(found.link, bit(&old.address, shared)))
        } else {
            self.make(storage, key.bits, key.address, ENTRY, [0, 0])
        };
        self.values.write_new(storage, &self.cells, new as usize - 1, value, By::Outside)?;
        if own || found.link == 0 || shared == key.bits {
            storage.set_u32(found.cell, new);
        } else {
            let side = bit(key.address, shared);
            let links = if side == 0 { [new, found.link] } else { [found.link, new] };
            let joint = self.make(storage, shared, &old.address[..self.address_size], JOINT, links);
            storage.set_u32(found.cell, joint);
        }
        if own {
            self.give_back(storage, found.link);
        }
        Ok(())
    }

    fn remove(&self, storage: &Storage, key: &Key<'_>, steps: &mut Steps) -> Result<(), i64> {
        let (found, shared, node) = self.descend(storage, key, steps);
        let own = found.link != 0 && shared == node.bits && node.bits == key.bits;
        if !own || !self.is_entry(storage, found.link) {
            return Err(errno::ENOENT);
        }
        storage.set_u32(LEN, storage.u32(LEN).saturating_sub(1));
        let (left, right) = (storage.u32(self.side(found.link, 0)), storage.u32(self.side(found.link, 1)));
        if left != 0 && right != 0 {
            storage.set_u32(self.node(found.link) + MARK, JOINT);
            return Ok(());
        }
        let child = left.max(right);
        match found.parent {
            // A joint whose one side goes joins nothing any more.
            Some((cell, parent)) if child == 0 && !self.is_entry(storage, parent) => {
                let sides = [storage.u32(self.side(parent, 0)), storage.u32(self.side(parent, 1))];
                storage.set_u32(cell, if sides[0] == found.link { sides[1] } else { sides[0] });
                self.give_back(storage, parent);
            }
            _ => storage.set_u32(found.cell, child),
        }
        self.give_back(storage, found.link);
        Ok(())
    }

    /// The first node in order below and at a node: children before parents, left before right.
    fn first_at(&self, storage: &Storage, mut link: u32) -> u32 {
        for _ in 0..=self.max_bits() {
            let [left, right] = [0, 1].map(|side| storage.u32(self.side(link, side)));
            match (self.valid(left), self.valid(right)) {
                (true, _) => link = left,
                (false, true) => link = right,
                (false, false) => break,
            }
        }
        link
    }

    /// The nodes on the way to a key's own node, which comes last; none where it has none.
    fn way(&self, storage: &Storage, key: &Key<'_>) -> Option<Vec<u32>> {
        let (mut way, mut link) = (Vec::new(), storage.u32(ROOT));
        while self.valid(link) && way.len() <= self.max_bits() as usize {
            way.push(link);
            let node = self.prefix(storage, link);
            if common(&node.address[..self.address_size], key.address, node.bits.min(key.bits)) < node.bits {
                return None;
            }
            if node.bits >= key.bits {
                return (node.bits == key.bits && self.is_entry(storage, link)).then_some(way);
            }
            link = storage.u32(self.side(link, bit(key.address, node.bits)));
        }
        None
    }

    /// The entry after the last node of a way.
    fn after(&self, storage: &Storage, mut way: Vec<u32>) -> Option<u32> {
        let mut here = way.pop()?;
        while let Some(parent) = way.pop() {
            let right = storage.u32(self.side(parent, 1));
            if right != here && self.valid(right) {
                // Leaves have entries.
                return Some(self.first_at(storage, right));
            }
            if self.is_entry(storage, parent) {
                return Some(parent);
            }
            here = parent;
        }
        None
    }

    fn key_of(&self, storage: &Storage, link: u32) -> Vec<u8> {
        let node = self.prefix(storage, link);
        [&node.bits.to_le_bytes(), &node.address[..self.address_size]].concat()
    }

    fn visit(&self, storage: &Storage, visit: &mut dyn FnMut(&[u8], &[u8])) {
        let mut left = self.count();
        // With whether a node's children have been visited.
        let mut waiting = vec![(storage.u32(ROOT), false)];
        while let Some((link, seen)) = waiting.pop() {
            if !self.valid(link) {
                continue;
            }
            if !seen {
                let Some(rest) = left.checked_sub(1) else { return };
                left = rest;
                waiting.push((link, true));
                waiting.extend([1, 0].map(|side| (storage.u32(self.side(link, side)), false)));
            } else if self.is_entry(storage, link) {
                visit(&self.key_of(storage, link), &self.values.read(storage, &self.cells, link as usize - 1));
            }
        }
    }
}

impl Store for Lpm {
    fn len(&self) -> Option<usize> {
        (self.max_entries < u32::MAX / 2).then_some(())?;
        self.stride.checked_mul(self.count())?.checked_add(NODES)
    }

    fn values(&self) -> Option<(usize, u64, Elements)> {
        let len = self.stride as u64 * self.count() as u64;
        Some((NODES, len, elements(self.stride, VALUE, self.values.size)))
    }

    fn lookup(&self, storage: &Storage, key: &[u8], _: u32, steps: &mut Steps) -> Option<usize> {
        let link = self.longest(storage, &self.key(key)?, steps)?;
        self.cells.at(link as usize - 1, 0)
    }

    fn read(&self, storage: &Storage, key: &[u8], steps: &mut Steps) -> Result<Vec<u8>, i64> {
        let key = self.key(key).ok_or(errno::ENOENT)?;
        let link = self.longest(storage, &key, steps).ok_or(errno::ENOENT)?;
        Ok(self.values.read(storage, &self.cells, link as usize - 1))
    }

    fn update(
        &self,
        storage: &Storage,
        key: &[u8],
        value: &[u8],
        flags: u64,
        _: By,
        steps: &mut Steps,
    ) -> Result<(), i64> {
        self.values.lockable(flags)?;
        let key = self.key(key).ok_or(errno::EINVAL)?;
        storage.locked(LOCK, || self.insert(storage, &key, value, flags, steps))
    }

    fn delete(&self, storage: &Storage, key: &[u8], steps: &mut Steps) -> Result<(), i64> {
        let key = self.key(key).ok_or(errno::EINVAL)?;
        storage.locked(LOCK, || self.remove(storage, &key, steps))
    }

    fn next_key(&self, storage: &Storage, key: Option<&[u8]>) -> Result<Vec<u8>, i64> {
        let root = storage.u32(ROOT);
        if !self.valid(root) {
            return Err(errno::ENOENT);
        }
        let way = key.and_then(|key| self.key(key)).and_then(|key| self.way(storage, &key));
        let next = match way {
            Some(way) => self.after(storage, way),
            None => Some(self.first_at(storage, root)),
        };
        next.map(|link| self.key_of(storage, link)).ok_or(errno::ENOENT)
    }

    fn for_each(&self, storage: &Storage, visit: &mut dyn FnMut(&[u8], &[u8])) {
        self.visit(storage, visit);
    }
}
