//! Guest memory: an arena of host addresses, and a table that says for each page whose it is.
//!
//! A guest pointer is a host address inside the arena. An access that nothing has proved is looked up by
//! page and bounded by its own region: by the region's ends, and for arrays of map values or stack frames
//! by the element it starts in. Regions are page-aligned with unmapped pages between them.
#![allow(unsafe_code)]

mod arena;
mod region;

use std::sync::Arc;

use oxbpf_isa::{AtomicOp, MemSize, Width};

pub use arena::{Arena, ArenaError, Block};
pub use region::{Elements, Region, RegionId, RegionKind};

use crate::trap::{Access, Place, TrapKind};

/// What an address leads to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Located {
    /// Bytes of the arena, bounded.
    Bytes,
    /// The context, at this offset; to be answered by field.
    Context(u64),
}

/// An arena and its regions.
#[derive(Debug)]
pub struct Memory {
    arena: Arc<Arena>,
    regions: Vec<Region>,
}

impl Memory {
    /// An empty memory.
    ///
    /// Fails when the host gives no address space.
    pub fn new() -> Result<Memory, ArenaError> {
        // Region 0 is what a page without an owner belongs to: it contains nothing.
        let nobody = Region::new("nothing", RegionKind::Nothing, 0, 0);
        Ok(Memory { arena: Arc::new(Arena::new()?), regions: vec![nobody] })
    }

    /// The arena, to see where it lies.
    pub fn arena(&self) -> &Arena {
        &self.arena
    }

    /// Zeroed, writable memory of at least `len` bytes that belongs to no region yet.
    pub fn alloc(&mut self, len: usize) -> Result<Block, ArenaError> {
        Arena::alloc(&self.arena, len)
    }

    /// Makes a range of a block a region that programs may reach.
    pub fn add_region(&mut self, block: &Block, off: usize, region: Region) -> RegionId {
        let id = RegionId(self.regions.len() as u32);
        let (first, last) = (block.addr(), block.addr() + block.len() as u64);
        let region =
            Region { start: first + off as u64, end: first + off as u64 + region.len(), owned: first..last, ..region };
        assert!(region.end <= last, "a region lies inside its block");
        self.arena.own(first..last, id.0);
        self.regions.push(region);
        id
    }

    /// Addresses without memory behind them: handles and the context.
    pub fn add_opaque(&mut self, name: &str, kind: RegionKind, len: u64) -> Result<(RegionId, u64), ArenaError> {
        let id = RegionId(self.regions.len() as u32);
        let start = self.arena.reserve(len as usize)?;
        self.arena.own(start..start + len, id.0);
        self.regions.push(Region::new(name, kind, start, start + len));
        Ok((id, start))
    }

    /// Moves a region's ends inside the block it was made of.
    pub fn resize(&mut self, id: RegionId, start: u64, end: u64) {
        let region = &mut self.regions[id.index()];
        assert!(region.owned.start <= start && start <= end && end <= region.owned.end, "a region stays in its block");
        (region.start, region.end) = (start, end);
    }

    /// A region.
    pub fn region(&self, id: RegionId) -> &Region {
        &self.regions[id.index()]
    }

    #[inline]
    fn owner(&self, addr: u64) -> &Region {
        // The page table holds only numbers that `own` was given.
        &self.regions[self.arena.owner(addr) as usize]
    }

    #[inline]
    pub(crate) fn locate(&self, addr: u64, size: u64, access: Access) -> Result<Located, TrapKind> {
        let region = self.owner(addr);
        if !region.contains(addr, size) {
            return Err(self.out_of_bounds(addr, size, access));
        }
        match region.kind {
            RegionKind::Context => Ok(Located::Context(addr - region.start)),
            RegionKind::Handles | RegionKind::Nothing => Err(self.out_of_bounds(addr, size, access)),
            _ if access == Access::Write && !region.writable => {
                Err(TrapKind::ReadOnly { size, place: self.place(addr) })
            }
            _ => Ok(Located::Bytes),
        }
    }

    #[cold]
    fn out_of_bounds(&self, addr: u64, size: u64, access: Access) -> TrapKind {
        TrapKind::OutOfBounds { access, size, place: self.place(addr) }
    }

    /// Where an address points, for a report.
    #[cold]
    pub fn place(&self, addr: u64) -> Place {
        const PAGE: u64 = 4096;
        if addr.wrapping_add(PAGE) < 2 * PAGE {
            return Place::Null { off: addr as i64 };
        }
        // A pointer one page off still tells which region was meant.
        for near in [addr, addr.wrapping_sub(PAGE), addr.wrapping_add(PAGE)] {
            let region = self.owner(near);
            if region.kind != RegionKind::Nothing {
                let (name, off) = region.describe(addr);
                return Place::Region { name, off };
            }
        }
        Place::Nowhere
    }

    /// Loads a little-endian number; a context address is an error here.
    pub fn load(&self, addr: u64, size: MemSize) -> Result<u64, TrapKind> {
        self.bytes(addr, size.bytes().into(), Access::Read)?;
        // SAFETY: just bounded by a region, which lies in a block of this arena.
        Ok(unsafe { self.arena.load(addr, size) })
    }

    /// Stores the low bytes of a number.
    pub fn store(&self, addr: u64, size: MemSize, value: u64) -> Result<(), TrapKind> {
        self.bytes(addr, size.bytes().into(), Access::Write)?;
        // SAFETY: just bounded by a region, which lies in a block of this arena.
        unsafe { self.arena.store(addr, size, value) };
        Ok(())
    }

    /// Loads where the caller knows the access to be in bounds.
    ///
    /// # Safety
    ///
    /// `locate` answered this access with [`Located::Bytes`], or a fact that holds says it would.
    #[inline]
    pub(crate) unsafe fn load_unchecked(&self, addr: u64, size: MemSize) -> u64 {
        debug_assert!(matches!(self.locate(addr, size.bytes().into(), Access::Read), Ok(Located::Bytes)));
        // SAFETY: the caller's word.
        unsafe { self.arena.load(addr, size) }
    }

    /// Stores where the caller knows the access to be in bounds.
    ///
    /// # Safety
    ///
    /// As for [`Memory::load_unchecked`].
    #[inline]
    pub(crate) unsafe fn store_unchecked(&self, addr: u64, size: MemSize, value: u64) {
        debug_assert!(matches!(self.locate(addr, size.bytes().into(), Access::Write), Ok(Located::Bytes)));
        // SAFETY: the caller's word.
        unsafe { self.arena.store(addr, size, value) }
    }

    /// An atomic read-modify-write; returns what memory held.
    pub fn atomic(&self, op: AtomicOp, width: Width, addr: u64, src: u64, r0: u64) -> Result<u64, TrapKind> {
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
        self.bytes(addr, size, access)?;
        if !addr.is_multiple_of(size) {
            return Err(TrapKind::Misaligned { size, place: self.place(addr) });
        }
        // The verifier refuses these whatever the alignment.
        match self.owner(addr).kind {
            RegionKind::Packet => Err(TrapKind::AtomicNotAllowed { what: "packet" }),
            _ => Ok(()),
        }
    }

    /// Bounds an access that must hit memory, not the context.
    fn bytes(&self, addr: u64, size: u64, access: Access) -> Result<(), TrapKind> {
        match self.locate(addr, size, access)? {
            Located::Bytes => Ok(()),
            Located::Context(_) => Err(TrapKind::AtomicNotAllowed { what: "context" }),
        }
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
}
