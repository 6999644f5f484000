//! Guest memory: an arena of host addresses, and a table that says for each page whose it is.
//!
//! A guest pointer is a host address inside the arena. An access that nothing has proved is looked up by
//! page and bounded by its own region: by the region's ends, and for arrays of map values or stack frames
//! by the element it starts in. Regions are page-aligned with unmapped pages between them.
#![allow(unsafe_code)]

mod arena;
mod raw;
mod region;
mod storage;

use std::collections::BTreeMap;

use oxbpf_isa::{AtomicOp, MemSize, Width};

pub use arena::{Arena, ArenaError, Block};
pub(crate) use region::{Bounds, Region};
pub use region::{Elements, RegionId, RegionKind};
pub use storage::Storage;

use crate::trap::{Access, Place, TrapKind};
use region::{Owner, describe};

/// What an address leads to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Located {
    /// Bytes of the arena, bounded.
    Bytes,
    /// The context, at this offset; to be answered by field.
    Context(u64),
}

/// An arena and its regions.
#[derive(Debug)]
pub struct Memory {
    arena: Arena,
    /// By region: what is looked at for each access. Region 0 is nobody's and contains nothing.
    bounds: Vec<Bounds>,
    /// By region: the rest.
    owners: Vec<Owner>,
    /// Records of ring buffers that are being written: their lengths, by where they start.
    records: BTreeMap<u64, u64>,
}

impl Memory {
    /// An empty memory.
    ///
    /// Fails when the host gives no address space.
    pub fn new() -> Result<Memory, ArenaError> {
        let nobody = Owner { name: "nothing".into(), within: 0..0 };
        let nothing = Region::new("nothing", RegionKind::Nothing, 0).bounds(0);
        Ok(Memory { arena: Arena::new()?, bounds: vec![nothing], owners: vec![nobody], records: BTreeMap::new() })
    }

    /// The arena, to see where it lies.
    pub fn arena(&self) -> &Arena {
        &self.arena
    }

    /// Zeroed memory of the guest's own that belongs to no region yet.
    pub(crate) fn alloc(&mut self, len: usize) -> Result<Block, ArenaError> {
        self.arena.alloc(len)
    }

    /// A map's memory in the guest's address space, and perhaps once more from an offset on.
    pub(crate) fn map(&mut self, storage: &Storage, twice_from: Option<usize>) -> Result<Block, ArenaError> {
        match twice_from {
            None => self.arena.map(storage),
            Some(from) => self.arena.map_twice(storage, from),
        }
    }

    /// Lets programs reach a record, which lies in a region of records and overlaps no other.
    pub(crate) fn open_record(&mut self, addr: u64, len: u64) {
        self.records.insert(addr, len);
    }

    /// Ends that; none where no record starts here.
    pub(crate) fn close_record(&mut self, addr: u64) -> Option<u64> {
        self.records.remove(&addr)
    }

    /// Some record that is open.
    pub(crate) fn an_open_record(&self) -> Option<u64> {
        self.records.keys().next().copied()
    }

    /// Whether an access lies inside one open record.
    fn in_record(&self, addr: u64, size: u64) -> bool {
        let before = self.records.range(..=addr).next_back();
        before.is_some_and(|(start, len)| addr - start <= *len && size <= len - (addr - start))
    }

    /// Makes a part of a block a region that programs may reach; the rest of the block belongs to it, out of bounds.
    pub(crate) fn add_region(&mut self, block: Block, off: u64, region: Region) -> RegionId {
        let within = block.range();
        let fits = within.end - within.start;
        assert!(off <= fits && region.len <= fits - off, "a region lies inside its block");
        assert!(!matches!(region.kind, RegionKind::Context | RegionKind::Handles), "those have no memory");
        self.enter(region, within.start + off, within)
    }

    /// Addresses of this kind without memory behind them: handles or the context. Returns the first.
    pub(crate) fn add_opaque(&mut self, name: &str, kind: RegionKind, len: u64) -> Result<u64, ArenaError> {
        assert!(matches!(kind, RegionKind::Context | RegionKind::Handles), "others have memory");
        let start = self.arena.reserve(len as usize)?;
        self.enter(Region::new(name, kind, len), start, start..start + len);
        Ok(start)
    }

    fn enter(&mut self, region: Region, start: u64, within: std::ops::Range<u64>) -> RegionId {
        assert!(region.elements.is_none_or(|e| e.stride > 0 && e.off + e.size <= e.stride), "elements do not overlap");
        let id = RegionId(self.bounds.len() as u32);
        self.arena.own(within.clone(), id.0);
        self.bounds.push(region.bounds(start));
        self.owners.push(Owner { name: region.name, within });
        id
    }

    /// Moves a region's ends inside the block it was made of.
    pub(crate) fn resize(&mut self, id: RegionId, start: u64, end: u64) {
        let within = &self.owners[id.index()].within;
        assert!(within.start <= start && start <= end && end <= within.end, "a region stays in its block");
        let bounds = &mut self.bounds[id.index()];
        (bounds.start, bounds.len) = (start, end - start);
    }

    #[inline(always)]
    fn bounds_at(&self, addr: u64) -> &Bounds {
        // The page table holds only numbers that `own` was given.
        &self.bounds[self.arena.owner(addr) as usize]
    }

    #[inline(always)]
    pub(crate) fn locate(&self, addr: u64, size: u64, access: Access) -> Result<Located, TrapKind> {
        let bounds = self.bounds_at(addr);
        if !bounds.contain(addr, size) {
            return Err(self.out_of_bounds(addr, size, access));
        }
        match bounds.kind {
            RegionKind::Stack | RegionKind::Packet | RegionKind::MapValues => match access {
                Access::Read if !bounds.readable => Err(TrapKind::WriteOnly { size, place: self.place(addr) }),
                Access::Write if !bounds.writable => Err(TrapKind::ReadOnly { size, place: self.place(addr) }),
                _ => Ok(Located::Bytes),
            },
            RegionKind::Records if self.in_record(addr, size) => Ok(Located::Bytes),
            RegionKind::Context => Ok(Located::Context(addr - bounds.start)),
            RegionKind::Records | RegionKind::Handles | RegionKind::Nothing => {
                Err(self.out_of_bounds(addr, size, access))
            }
        }
    }

    #[cold]
    fn out_of_bounds(&self, addr: u64, size: u64, access: Access) -> TrapKind {
        TrapKind::OutOfBounds { access, size, place: self.place(addr) }
    }

    /// Where an address points, for a report.
    #[cold]
    pub fn place(&self, addr: u64) -> Place {
        const NEAR: u64 = 4096;
        if addr.wrapping_add(NEAR) < 2 * NEAR {
            return Place::Null { off: addr as i64 };
        }
        // A pointer one page off still tells which region was meant.
        for near in [addr, addr.wrapping_sub(NEAR), addr.wrapping_add(NEAR)] {
            let region = self.arena.owner(near) as usize;
            if region != 0 {
                let (name, off) = describe(&self.bounds[region], &self.owners[region], addr);
                return Place::Region { name, off };
            }
        }
        Place::Nowhere
    }

    /// Loads where the caller knows the access to be in bounds.
    ///
    /// # Safety
    ///
    /// `locate` answered this access with [`Located::Bytes`], or a fact that holds says it would.
    #[inline(always)]
    pub(crate) unsafe fn load_unchecked(&self, addr: u64, size: MemSize) -> u64 {
        debug_assert_eq!(self.locate(addr, size.bytes().into(), Access::Read), Ok(Located::Bytes));
        // SAFETY: the caller's word.
        unsafe { self.arena.load(addr, size) }
    }

    /// Stores where the caller knows the access to be in bounds.
    ///
    /// # Safety
    ///
    /// As for [`Memory::load_unchecked`], of a store.
    #[inline(always)]
    pub(crate) unsafe fn store_unchecked(&self, addr: u64, size: MemSize, value: u64) {
        debug_assert_eq!(self.locate(addr, size.bytes().into(), Access::Write), Ok(Located::Bytes));
        // SAFETY: the caller's word.
        unsafe { self.arena.store(addr, size, value) }
    }

    /// An atomic read-modify-write; returns what memory held.
    pub(crate) fn atomic(&self, op: AtomicOp, width: Width, addr: u64, src: u64, r0: u64) -> Result<u64, TrapKind> {
        self.atomic_place(addr, width.bytes().into(), Access::Write)?;
        // SAFETY: just bounded by a region, which lies in a block of this arena, and aligned.
        Ok(unsafe { self.arena.atomic(op, width, addr, src, r0) })
    }

    /// A load with acquire ordering.
    pub fn load_acquire(&self, addr: u64, size: MemSize) -> Result<u64, TrapKind> {
        self.atomic_place(addr, size.bytes().into(), Access::Read)?;
        // SAFETY: just bounded by a region, which lies in a block of this arena, and aligned.
        Ok(unsafe { self.arena.load_acquire(addr, size) })
    }

    /// A store with release ordering.
    pub fn store_release(&self, addr: u64, size: MemSize, value: u64) -> Result<(), TrapKind> {
        self.atomic_place(addr, size.bytes().into(), Access::Write)?;
        // SAFETY: just bounded by a region, which lies in a block of this arena, and aligned.
        unsafe { self.arena.store_release(addr, size, value) };
        Ok(())
    }

    fn atomic_place(&self, addr: u64, size: u64, access: Access) -> Result<(), TrapKind> {
        // The verifier refuses atomics on packet and context whatever their alignment.
        if let Located::Context(_) = self.locate(addr, size, access)? {
            return Err(TrapKind::AtomicNotAllowed { what: "context" });
        }
        if self.bounds_at(addr).kind == RegionKind::Packet {
            return Err(TrapKind::AtomicNotAllowed { what: "packet" });
        }
        if !addr.is_multiple_of(size) {
            return Err(TrapKind::Misaligned { size, place: self.place(addr) });
        }
        Ok(())
    }

    /// Copies guest memory out to the host.
    pub fn copy_in(&self, addr: u64, to: &mut [u8]) -> Result<(), TrapKind> {
        self.span(addr, to.len() as u64, Access::Read)?;
        // SAFETY: just bounded by a region, which lies in a block of this arena.
        unsafe { self.arena.copy_in(addr, to) };
        Ok(())
    }

    /// Copies host bytes into guest memory.
    pub fn copy_out(&self, addr: u64, from: &[u8]) -> Result<(), TrapKind> {
        self.span(addr, from.len() as u64, Access::Write)?;
        // SAFETY: just bounded by a region, which lies in a block of this arena.
        unsafe { self.arena.copy_out(addr, from) };
        Ok(())
    }

    /// Bounds a helper's memory argument of any size.
    pub fn span(&self, addr: u64, size: u64, access: Access) -> Result<(), TrapKind> {
        match self.locate(addr, size, access)? {
            Located::Bytes => Ok(()),
            Located::Context(off) => Err(TrapKind::Context { access, off, size }),
        }
    }

    /// Copies bytes out of a block of the guest's own memory.
    pub(crate) fn read_block(&self, block: Block, off: usize, to: &mut [u8]) {
        self.arena.read(block, off, to);
    }

    /// Copies bytes into a block of the guest's own memory.
    pub(crate) fn write_block(&mut self, block: Block, off: usize, from: &[u8]) {
        self.arena.write(block, off, from);
    }

    /// Clears bytes of a block of the guest's own memory.
    pub(crate) fn clear_block(&mut self, block: Block, off: usize, len: usize) {
        self.arena.clear(block, off, len);
    }
}
