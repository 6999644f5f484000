//! What each helper does. The name is the row's name; the number of a failure is negated into r0.

use oxbpf_ir::MapIdx;

use super::args::{Args, Result, status};
use crate::maps::{MAX_KEY, Steps};
use crate::trap::TrapKind;
use crate::vm::Vm;

pub(super) use super::{
    bytes::*, checksum::*, classic::*, fields::*, host::*, redirect::*, resize::*, text::*, vlan::*, xdp::*,
};

fn map_arg(vm: &Vm, helper: &'static str, handle: u64) -> Result<MapIdx> {
    let map = vm.map_of_handle(handle).ok_or(TrapKind::HelperArg { helper, reg: 1, wanted: "a map" })?;
    match vm.map(map).def().map_type {
        // Programs use program arrays by tail calls only.
        oxbpf_abi::MapType::PROG_ARRAY => Err(TrapKind::HelperArg { helper, reg: 1, wanted: "a map of values" }),
        _ => Ok(map),
    }
}

/// The key that an argument points to, on the host's stack.
struct Key {
    bytes: [u8; MAX_KEY],
    size: usize,
}

impl Key {
    fn bytes(&self) -> &[u8] {
        &self.bytes[..self.size]
    }
}

fn key_arg(vm: &Vm, map: MapIdx, addr: u64) -> Result<Key> {
    let size = vm.map(map).def().key_size as usize;
    let mut bytes = [0; MAX_KEY];
    vm.memory().copy_in(addr, &mut bytes[..size])?;
    Ok(Key { bytes, size })
}

/// Only maps that programs may change.
fn writable_map_arg(vm: &Vm, helper: &'static str, handle: u64) -> Result<MapIdx> {
    let map = map_arg(vm, helper, handle)?;
    let wanted = "a map that programs may write";
    if vm.map(map).writable() { Ok(map) } else { Err(TrapKind::HelperArg { helper, reg: 1, wanted }) }
}

pub(super) fn map_lookup_elem(vm: &mut Vm, [map, key, ..]: Args) -> Result {
    let map = map_arg(vm, "map_lookup_elem", map)?;
    let key = key_arg(vm, map, key)?;
    let mut steps = Steps::default();
    let found = vm.map(map).lookup(key.bytes(), &mut steps);
    vm.charge(steps.0.into())?;
    Ok(found.map_or(0, |off| vm.value_addr(map, off)))
}

pub(super) fn map_update_elem(vm: &mut Vm, [map, key, value, flags, _]: Args) -> Result {
    let map = writable_map_arg(vm, "map_update_elem", map)?;
    let key = key_arg(vm, map, key)?;
    let size = vm.map(map).def().value_size;
    let mut steps = Steps::default();
    let updated =
        vm.with_copy(value, size.into(), |vm, value| vm.map(map).update(key.bytes(), value, flags, &mut steps))?;
    vm.charge(steps.0.into())?;
    status(updated)
}

pub(super) fn map_delete_elem(vm: &mut Vm, [map, key, ..]: Args) -> Result {
    let map = writable_map_arg(vm, "map_delete_elem", map)?;
    let key = key_arg(vm, map, key)?;
    let mut steps = Steps::default();
    let deleted = vm.map(map).delete(key.bytes(), &mut steps);
    vm.charge(steps.0.into())?;
    status(deleted)
}

/// Engines take tail calls themselves; reached only by a call that names it where no engine would.
pub(super) fn tail_call(_: &mut Vm, _: Args) -> Result {
    Err(TrapKind::UnknownHelper { id: 12 })
}
