//! What helpers on maps do.

use oxbpf_abi::MapType;
use oxbpf_abi::errno::{E2BIG, EFAULT, EINVAL, ENOENT, ENOSPC, EOPNOTSUPP};
use oxbpf_ir::MapIdx;

use super::args::{Args, Result, ctx_arg, fail, status};
use crate::events::EventKind;
use crate::maps::{MAX_KEY, Map, Steps};
use crate::trap::{Access, TrapKind};
use crate::vm::Vm;

/// A map in r1 of a type that this says.
fn map_of(vm: &Vm, helper: &'static str, handle: u64, wanted: &'static str, fits: fn(&Map) -> bool) -> Result<MapIdx> {
    let map = vm.map_of_handle(handle).ok_or(TrapKind::HelperArg { helper, reg: 1, wanted: "a map" })?;
    if fits(vm.map(map)) { Ok(map) } else { Err(TrapKind::HelperArg { helper, reg: 1, wanted }) }
}

/// Whether a map has keys and values that programs look up.
fn keyed(map: &Map) -> bool {
    use MapType as T;
    !matches!(
        map.def().map_type,
        T::PROG_ARRAY | T::PERF_EVENT_ARRAY | T::RINGBUF | T::QUEUE | T::STACK | T::BLOOM_FILTER
    )
}

/// Whether a map has values of its own that programs change by key.
fn changeable(map: &Map) -> bool {
    keyed(map) && map.writable() && !matches!(map.def().map_type, MapType::ARRAY_OF_MAPS | MapType::HASH_OF_MAPS)
}

/// The key that an argument points to: on the host's stack, unless it is longer than any on a program's.
struct Key {
    short: [u8; MAX_KEY],
    long: Vec<u8>,
    size: usize,
}

impl Key {
    fn read(vm: &mut Vm, map: MapIdx, addr: u64) -> Result<Key> {
        let size = vm.map(map).def().key_size as usize;
        let mut key = Key { short: [0; MAX_KEY], long: Vec::new(), size };
        if size > MAX_KEY {
            vm.memory().span(addr, size as u64, Access::Read)?;
            vm.charge_bytes(size as u64)?;
            key.long = vec![0; size];
            vm.memory().copy_in(addr, &mut key.long)?;
        } else {
            vm.memory().copy_in(addr, &mut key.short[..size])?;
        }
        Ok(key)
    }

    fn bytes(&self) -> &[u8] {
        if self.size > MAX_KEY { &self.long } else { &self.short[..self.size] }
    }
}

pub(super) fn map_lookup_elem(vm: &mut Vm, [map, key, ..]: Args) -> Result {
    let map = map_of(vm, "map_lookup_elem", map, "a map with keys", keyed)?;
    let key = Key::read(vm, map, key)?;
    let mut steps = Steps::default();
    let found = match vm.map(map).def().inner {
        None => vm.map(map).lookup(key.bytes(), vm.cpu(), &mut steps).map(|off| vm.value_addr(map, off)),
        Some(_) => vm.map(map).inner(key.bytes(), &mut steps).map(|inner| vm.map_handle(inner)),
    };
    vm.charge(steps.0.into())?;
    Ok(found.unwrap_or(0))
}

pub(super) fn map_update_elem(vm: &mut Vm, [map, key, value, flags, _]: Args) -> Result {
    let map = map_of(vm, "map_update_elem", map, "a map that programs may write by key", changeable)?;
    let key = Key::read(vm, map, key)?;
    let size = vm.map(map).def().value_size;
    let (cpu, mut steps) = (vm.cpu(), Steps::default());
    let update = |vm: &mut Vm, value: &[u8]| vm.map(map).update(key.bytes(), value, flags, cpu, &mut steps);
    let updated = vm.with_copy(value, size.into(), update)?;
    vm.charge(steps.0.into())?;
    status(updated)
}

pub(super) fn map_delete_elem(vm: &mut Vm, [map, key, ..]: Args) -> Result {
    let map = map_of(vm, "map_delete_elem", map, "a map that programs may write by key", changeable)?;
    let key = Key::read(vm, map, key)?;
    let mut steps = Steps::default();
    let deleted = vm.map(map).delete(key.bytes(), &mut steps);
    vm.charge(steps.0.into())?;
    status(deleted)
}

/// The value that another CPU has.
pub(super) fn map_lookup_percpu_elem(vm: &mut Vm, [map, key, cpu, ..]: Args) -> Result {
    let fits = |map: &Map| crate::maps::per_cpu(map.def().map_type);
    let map = map_of(vm, "map_lookup_percpu_elem", map, "a map with values for each CPU", fits)?;
    let key = Key::read(vm, map, key)?;
    let mut steps = Steps::default();
    let found = vm.map(map).lookup(key.bytes(), cpu as u32, &mut steps);
    vm.charge(steps.0.into())?;
    Ok(found.map_or(0, |off| vm.value_addr(map, off)))
}

pub(super) fn map_push_elem(vm: &mut Vm, [map, value, flags, ..]: Args) -> Result {
    let fits = |map: &Map| {
        map.writable() && matches!(map.def().map_type, MapType::QUEUE | MapType::STACK | MapType::BLOOM_FILTER)
    };
    let map = map_of(vm, "map_push_elem", map, "a queue, stack or Bloom filter that programs may write", fits)?;
    let size = vm.map(map).def().value_size;
    let pushed = vm.with_copy(value, size.into(), |vm, value| vm.map(map).push(value, flags))?;
    status(pushed)
}

pub(super) fn map_pop_elem(vm: &mut Vm, [map, value, ..]: Args) -> Result {
    let fits = |map: &Map| map.writable() && matches!(map.def().map_type, MapType::QUEUE | MapType::STACK);
    let map = map_of(vm, "map_pop_elem", map, "a queue or stack that programs may write", fits)?;
    let mut bytes = value_room(vm, map, value, Access::Write)?;
    let popped = vm.map(map).pop(&mut bytes);
    vm.memory().copy_out(value, &bytes)?;
    status(popped)
}

pub(super) fn map_peek_elem(vm: &mut Vm, [map, value, ..]: Args) -> Result {
    let fits = |map: &Map| {
        map.readable() && matches!(map.def().map_type, MapType::QUEUE | MapType::STACK | MapType::BLOOM_FILTER)
    };
    let map = map_of(vm, "map_peek_elem", map, "a queue, stack or Bloom filter that programs may read", fits)?;
    // A Bloom filter is asked about the value that is there.
    let asked = vm.map(map).def().map_type == MapType::BLOOM_FILTER;
    let mut bytes = value_room(vm, map, value, if asked { Access::Read } else { Access::Write })?;
    if asked {
        vm.memory().copy_in(value, &mut bytes)?;
        return status(vm.map(map).peek(&mut bytes));
    }
    let peeked = vm.map(map).peek(&mut bytes);
    vm.memory().copy_out(value, &bytes)?;
    status(peeked)
}

/// Room for a value that a helper copies, bounded and charged.
fn value_room(vm: &mut Vm, map: MapIdx, addr: u64, access: Access) -> Result<Vec<u8>> {
    let size = u64::from(vm.map(map).def().value_size);
    vm.memory().span(addr, size, access)?;
    vm.charge_bytes(size)?;
    Ok(vec![0; size as usize])
}

/// The low 32 bits of the flags: which event, where all ones mean the CPU's own.
const INDEX_MASK: u64 = 0xffff_ffff;
const CURRENT_CPU: u32 = u32::MAX;
/// Bits 32 to 51: bytes of the packet that follow the data.
const PACKET_SHIFT: u32 = 32;
const PACKET_MASK: u64 = 0xf_ffff << PACKET_SHIFT;

/// Sends data, and so many bytes of the packet, to whoever listens to a perf event.
pub(super) fn perf_event_output(vm: &mut Vm, [ctx, map, flags, data, size]: Args) -> Result {
    let helper = "perf_event_output";
    ctx_arg(vm, helper, ctx)?;
    let map = vm.map_of_handle(map).ok_or(TrapKind::HelperArg { helper, reg: 2, wanted: "a map" })?;
    if vm.map(map).def().map_type != MapType::PERF_EVENT_ARRAY {
        return Err(TrapKind::HelperArg { helper, reg: 2, wanted: "a perf event array" });
    }
    if flags & !(INDEX_MASK | PACKET_MASK) != 0 {
        return fail(EINVAL);
    }
    let packet = ((flags & PACKET_MASK) >> PACKET_SHIFT) as usize;
    let mut tail = vec![0; packet];
    if packet > 0 && !vm.read_packet(0, &mut tail) {
        return fail(EFAULT);
    }
    vm.charge_bytes(packet as u64)?;
    let index = match (flags & INDEX_MASK) as u32 {
        CURRENT_CPU => vm.cpu(),
        index => index,
    };
    let bytes = vm.with_copy(data, size as u32 as u64, |_, data| [data, &tail].concat())?;
    if index >= vm.map(map).def().max_entries {
        return fail(E2BIG);
    }
    match vm.map(map).event(index) {
        None => fail(ENOENT),
        Some(cpu) if cpu != vm.cpu() => fail(EOPNOTSUPP),
        Some(_) if vm.emit(map, EventKind::Perf, bytes) => Ok(0),
        Some(_) => fail(ENOSPC),
    }
}

fn ring_arg(vm: &Vm, helper: &'static str, handle: u64) -> Result<MapIdx> {
    map_of(vm, helper, handle, "a ring buffer", |map| map.def().map_type == MapType::RINGBUF)
}

/// `BPF_RB_NO_WAKEUP` and `BPF_RB_FORCE_WAKEUP`.
const WAKEUP_FLAGS: u64 = 0b11;

pub(super) fn ringbuf_output(vm: &mut Vm, [map, data, size, flags, _]: Args) -> Result {
    let map = ring_arg(vm, "ringbuf_output", map)?;
    if flags & !WAKEUP_FLAGS != 0 {
        return fail(EINVAL);
    }
    let written = vm.with_copy(data, size, |vm, bytes| {
        // The type has been looked at.
        vm.map(map).ring().map_or(Err(EINVAL), |ring| ring.output(bytes))
    })?;
    status(written)
}

pub(super) fn ringbuf_reserve(vm: &mut Vm, [map, size, flags, ..]: Args) -> Result {
    let map = ring_arg(vm, "ringbuf_reserve", map)?;
    if flags != 0 {
        return Ok(0);
    }
    Ok(vm.reserve_record(map, size))
}

pub(super) fn ringbuf_submit(vm: &mut Vm, [record, ..]: Args) -> Result {
    commit(vm, "ringbuf_submit", record, false)
}

pub(super) fn ringbuf_discard(vm: &mut Vm, [record, ..]: Args) -> Result {
    commit(vm, "ringbuf_discard", record, true)
}

fn commit(vm: &mut Vm, helper: &'static str, record: u64, discard: bool) -> Result {
    let wanted = "a record that is being written";
    if vm.commit_record(record, discard) { Ok(0) } else { Err(TrapKind::HelperArg { helper, reg: 1, wanted }) }
}

pub(super) fn ringbuf_query(vm: &mut Vm, [map, what, ..]: Args) -> Result {
    let map = ring_arg(vm, "ringbuf_query", map)?;
    Ok(vm.map(map).ring().map_or(0, |ring| ring.query(what)))
}

pub(super) fn spin_lock(vm: &mut Vm, [lock, ..]: Args) -> Result {
    change_lock(vm, "spin_lock", lock, true)
}

pub(super) fn spin_unlock(vm: &mut Vm, [lock, ..]: Args) -> Result {
    change_lock(vm, "spin_unlock", lock, false)
}

fn change_lock(vm: &mut Vm, helper: &'static str, lock: u64, take: bool) -> Result {
    let arg = |wanted| Err(TrapKind::HelperArg { helper, reg: 1, wanted });
    if !vm.is_lock(lock) {
        return arg("a lock in a map's value");
    }
    match (vm.lock(lock, take), take) {
        (true, _) => Ok(0),
        (false, true) => arg("a lock while none is held"),
        (false, false) => arg("the lock that is held"),
    }
}

/// Lowering expands these into calls; reached only by a call that names them where no engine would.
pub(super) fn r#loop(_: &mut Vm, _: Args) -> Result {
    Err(TrapKind::UnknownHelper { id: 181 })
}

pub(super) fn for_each_map_elem(_: &mut Vm, _: Args) -> Result {
    Err(TrapKind::UnknownHelper { id: 164 })
}

/// Whether programs can visit a map's entries one by one.
fn visited(map: &Map) -> bool {
    use MapType as T;
    matches!(
        map.def().map_type,
        T::ARRAY | T::PERCPU_ARRAY | T::HASH | T::PERCPU_HASH | T::LRU_HASH | T::LRU_PERCPU_HASH
    ) && map.def().key_size as usize <= MAX_KEY
}

/// The cursor of the next entry after the cursor in the low half, with a count of entries in the high half; 0 at the end.
pub(super) fn map_visit_next(vm: &mut Vm, [map, cursor, ..]: Args) -> Result {
    vm.without_lock("for_each_map_elem")?;
    let map = map_of(vm, "for_each_map_elem", map, "a map whose entries can be visited", visited)?;
    let (most, mut steps) = (u32::try_from(vm.fuel_left()).unwrap_or(u32::MAX), Steps::default());
    let next = vm.map(map).step(cursor as u32, most, &mut steps);
    vm.charge(steps.0.into())?;
    Ok(next.map_or(0, |next| (cursor >> 32).wrapping_add(1) << 32 | u64::from(next)))
}

/// Copies the key at a cursor to memory; returns the value's address.
pub(super) fn map_visit_entry(vm: &mut Vm, [map, cursor, to, ..]: Args) -> Result {
    let map = map_of(vm, "for_each_map_elem", map, "a map whose entries can be visited", visited)?;
    let Some((key, off)) = vm.map(map).at(cursor as u32, vm.cpu()) else { return Ok(0) };
    vm.memory().copy_out(to, &key)?;
    Ok(vm.value_addr(map, off))
}
