//! A world's maps: their handles, the addresses of their values, records of ring buffers, and locks.

use std::sync::Arc;

use oxbpf_ir::{FuncIdx, MapIdx};

use super::{HANDLE_STRIDE, MAX_FUNCS, MAX_HANDLES, View, Vm};
use crate::events::EventKind;
use crate::maps::Map;
use crate::memory::ArenaError;
use crate::trap::TrapKind;

impl Vm {
    pub(super) fn attach(&mut self, map: Arc<Map>) -> Result<(), ArenaError> {
        if self.views.len() as u64 == MAX_HANDLES {
            return Err(ArenaError::Full { wanted: HANDLE_STRIDE as usize });
        }
        let base = match map.values() {
            None => 0,
            Some((off, region)) => {
                let block = self.memory.map(map.storage(), map.twice_from())?;
                self.memory.add_region(block, off, region);
                block.addr()
            }
        };
        self.views.push(View { map, base });
        Ok(())
    }

    /// A map.
    pub fn map(&self, map: MapIdx) -> &Arc<Map> {
        &self.views[map.index()].map
    }

    /// Sets an entry of a map from outside; of a map of maps, by the number of a map.
    pub fn write_map(&self, map: MapIdx, key: &[u8], value: &[u8], flags: u64) -> Result<(), i64> {
        self.maps.write(map, key, value, flags)
    }

    /// What a map reference yields.
    pub fn map_handle(&self, map: MapIdx) -> u64 {
        self.handles_addr + u64::from(map.0) * HANDLE_STRIDE
    }

    /// The map that a helper's argument refers to.
    pub fn map_of_handle(&self, handle: u64) -> Option<MapIdx> {
        let index = index_of(handle, self.handles_addr, self.views.len() as u64)?;
        Some(MapIdx(index as u32))
    }

    /// What a reference to a function yields.
    pub fn func_handle(&self, func: FuncIdx) -> u64 {
        self.funcs_addr + (u64::from(func.0) % MAX_FUNCS) * HANDLE_STRIDE
    }

    /// The function that a helper's argument refers to, of so many that the running program has.
    pub fn func_of_handle(&self, handle: u64, count: usize) -> Option<FuncIdx> {
        let index = index_of(handle, self.funcs_addr, MAX_FUNCS.min(count as u64))?;
        Some(FuncIdx(index as u32))
    }

    /// The address of an offset in a map's storage.
    pub(crate) fn value_addr(&self, map: MapIdx, off: usize) -> u64 {
        self.views[map.index()].base + off as u64
    }

    /// What a reference into a map's only value yields.
    pub fn map_value(&self, map: MapIdx, off: u32) -> Result<u64, TrapKind> {
        let name = || self.map(map).def().name.clone();
        let unsupported = || TrapKind::Unsupported { what: format!("address of byte {off} in map {}", name()) };
        let at = self.map(map).first_value(off).ok_or_else(unsupported)?;
        Ok(self.value_addr(map, at))
    }

    /// Begins a record of a ring buffer: its address, or 0 where there is no room.
    pub(crate) fn reserve_record(&mut self, map: MapIdx, size: u64) -> u64 {
        let Some(off) = self.map(map).ring().and_then(|ring| ring.reserve(size)) else { return 0 };
        let addr = self.value_addr(map, off);
        self.memory.open_record(addr, size);
        addr
    }

    /// Completes a record; false where none is being written at this address.
    pub(crate) fn commit_record(&mut self, addr: u64, discard: bool) -> bool {
        if self.memory.close_record(addr).is_none() {
            return false;
        }
        // Views do not overlap, so a record lies in the last one that starts before it.
        let view = self.views.iter().filter(|v| v.base != 0 && v.base <= addr && v.map.ring().is_some());
        if let Some(view) = view.max_by_key(|v| v.base)
            && let Some(ring) = view.map.ring()
        {
            ring.commit((addr - view.base) as usize, discard);
        }
        true
    }

    /// Takes or gives back a lock in a map's value; false where the program holds another, or none.
    pub(crate) fn lock(&mut self, addr: u64, take: bool) -> bool {
        let wanted = (!take).then_some(addr);
        let fits = self.lock == wanted;
        if fits {
            self.lock = take.then_some(addr);
        }
        fits
    }

    /// Whether the program holds a lock.
    #[inline(always)]
    pub fn holds_lock(&self) -> bool {
        self.lock.is_some()
    }

    /// A trap where the program holds a lock: while it does, it must not call helpers, save to give the lock back.
    pub fn without_lock(&self, helper: &'static str) -> Result<(), TrapKind> {
        if self.holds_lock() { Err(TrapKind::UnderLock { helper }) } else { Ok(()) }
    }

    /// Whether a lock stands at an address: inside a value of a map whose values have locks.
    pub(crate) fn is_lock(&self, addr: u64) -> bool {
        self.views.iter().any(|view| {
            let Some(lock) = view.map.def().lock else { return false };
            let Some((off, region)) = view.map.values() else { return false };
            let Some(e) = region.elements else { return false };
            let inside = addr.wrapping_sub(view.base + off);
            inside < region.len && inside % e.stride == e.off + u64::from(lock)
        })
    }

    /// Ends a run: what programs still write in ring buffers is discarded, and consumers take out what is complete.
    ///
    /// To be called after every run; [`Vm::sent`] shows the records afterwards.
    pub fn end(&mut self) {
        while let Some(addr) = self.memory.an_open_record() {
            self.commit_record(addr, true);
        }
        for index in 0..self.views.len() {
            if self.views[index].map.ring().is_none() {
                continue;
            }
            let (map, idx) = (self.views[index].map.clone(), MapIdx(index as u32));
            map.consume(&mut |bytes| {
                self.emit(idx, EventKind::Ringbuf, bytes);
            });
        }
    }
}

/// Which of `count` handles an address is.
fn index_of(handle: u64, first: u64, count: u64) -> Option<u64> {
    let off = handle.wrapping_sub(first);
    let index = off / HANDLE_STRIDE;
    (off.is_multiple_of(HANDLE_STRIDE) && index < count).then_some(index)
}
