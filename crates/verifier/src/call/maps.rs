//! Which helper takes which map, and which maps programs of a type may use.

use oxbpf_abi::{MapType, ProgType, map_flags};
use oxbpf_ir::{MapIdx, Program, Unit, map_ref};

use crate::call::Call;
use crate::code::Code;
use crate::explore::Explorer;
use crate::memory::region::access_flags;
use crate::report::{Checked, Fault};

/// Maps that take only these helpers, by number.
const OF_MAPS: &[(MapType, &[u32])] = &[
    (MapType::PROG_ARRAY, &[12]),
    (MapType::PERF_EVENT_ARRAY, &[22, 25, 55]),
    (MapType::RINGBUF, &[130, 131, 134, 198, 199, 200]),
    (MapType::USER_RINGBUF, &[209]),
    (MapType::STACK_TRACE, &[27]),
    (MapType::CGROUP_ARRAY, &[33, 37]),
    (MapType::CGROUP_STORAGE_DEPRECATED, &[81]),
    (MapType::PERCPU_CGROUP_STORAGE_DEPRECATED, &[81]),
    (MapType::DEVMAP, &[51, 1]),
    (MapType::DEVMAP_HASH, &[51, 1]),
    (MapType::CPUMAP, &[51]),
    (MapType::XSKMAP, &[51, 1]),
    (MapType::ARRAY_OF_MAPS, &[1]),
    (MapType::HASH_OF_MAPS, &[1]),
    (MapType::SOCKMAP, &[1, 2, 3]),
    (MapType::SOCKHASH, &[1, 2, 3]),
    (MapType::REUSEPORT_SOCKARRAY, &[82]),
    (MapType::QUEUE, &[87, 88, 89]),
    (MapType::STACK, &[87, 88, 89]),
    (MapType::SK_STORAGE, &[107, 108, 194]),
    (MapType::INODE_STORAGE, &[145, 146, 194]),
    (MapType::TASK_STORAGE, &[156, 157, 194]),
    (MapType::CGRP_STORAGE, &[210, 211, 194]),
    (MapType::BLOOM_FILTER, &[87, 89]),
];

/// Helpers that take only these maps.
const OF_HELPERS: &[(&[u32], &[MapType])] = &[
    (&[12], &[MapType::PROG_ARRAY]),
    (&[22, 25, 55], &[MapType::PERF_EVENT_ARRAY]),
    (&[130, 131, 134, 198], &[MapType::RINGBUF]),
    (&[209], &[MapType::USER_RINGBUF]),
    (&[33, 37], &[MapType::CGROUP_ARRAY]),
    (&[51], &[MapType::DEVMAP, MapType::DEVMAP_HASH, MapType::CPUMAP, MapType::XSKMAP]),
    (&[81], &[MapType::CGROUP_STORAGE_DEPRECATED, MapType::PERCPU_CGROUP_STORAGE_DEPRECATED]),
    (&[88], &[MapType::QUEUE, MapType::STACK]),
    (&[87, 89], &[MapType::QUEUE, MapType::STACK, MapType::BLOOM_FILTER]),
    (&[107, 108], &[MapType::SK_STORAGE]),
    (&[156, 157], &[MapType::TASK_STORAGE]),
    (&[210, 211], &[MapType::CGRP_STORAGE]),
    (&[195], &[MapType::PERCPU_ARRAY, MapType::PERCPU_HASH, MapType::LRU_PERCPU_HASH]),
];

/// Helpers that change a map's contents.
const CHANGES: [u32; 4] = [2, 3, 87, 88];
const MAP_UPDATE: u32 = 2;
const MAP_DELETE: u32 = 3;

/// Maps that `for_each_map_elem` walks over.
const WALKED: [MapType; 6] = [
    MapType::HASH,
    MapType::ARRAY,
    MapType::PERCPU_HASH,
    MapType::PERCPU_ARRAY,
    MapType::LRU_HASH,
    MapType::LRU_PERCPU_HASH,
];

/// The kernel's structure of a map, as messages name it.
pub(crate) const fn structure(map_type: MapType) -> &'static str {
    match map_type {
        MapType::HASH | MapType::PERCPU_HASH | MapType::LRU_HASH | MapType::LRU_PERCPU_HASH | MapType::HASH_OF_MAPS => {
            "bpf_htab"
        }
        MapType::STACK_TRACE => "bpf_stack_map",
        MapType::LPM_TRIE => "lpm_trie",
        MapType::DEVMAP | MapType::DEVMAP_HASH => "bpf_dtab",
        MapType::SOCKMAP => "bpf_stab",
        MapType::SOCKHASH => "bpf_shtab",
        MapType::CPUMAP => "bpf_cpu_map",
        MapType::XSKMAP => "xsk_map",
        MapType::CGROUP_STORAGE_DEPRECATED | MapType::PERCPU_CGROUP_STORAGE_DEPRECATED => "bpf_cgroup_storage_map",
        MapType::REUSEPORT_SOCKARRAY => "reuseport_array",
        MapType::QUEUE | MapType::STACK => "bpf_queue_stack",
        MapType::SK_STORAGE | MapType::INODE_STORAGE | MapType::TASK_STORAGE | MapType::CGRP_STORAGE => {
            "bpf_local_storage_map"
        }
        MapType::RINGBUF | MapType::USER_RINGBUF => "bpf_ringbuf_map",
        MapType::BLOOM_FILTER => "bpf_bloom_filter",
        _ => "bpf_array",
    }
}

impl Explorer<'_> {
    /// A map that programs only read must not be changed.
    pub(super) fn check_map_change(&self, call: &Call) -> Checked {
        let Some(map) = call.map else { return Ok(()) };
        if CHANGES.contains(&call.proto.id) && access_flags(self.map(map)) & map_flags::RDONLY_PROG != 0 {
            return Err(Fault::new(Code::ReadOnly, "write into map forbidden"));
        }
        Ok(())
    }

    /// Whether the helper takes maps of this type.
    pub(super) fn check_map_fits(&self, call: &Call) -> Checked {
        let Some(map) = call.map else { return Ok(()) };
        let (id, map_type) = (call.proto.id, self.map(map).map_type);
        let refuse = |before: &str| {
            let text = format!("{before}cannot pass map_type {} into func {}", map_type.0, call.named());
            Err(Fault::new(Code::MapMismatch, text))
        };
        let of_map = OF_MAPS.iter().find(|(t, _)| *t == map_type);
        if of_map.is_some_and(|(_, helpers)| !helpers.contains(&id)) {
            return refuse("");
        }
        let sockets = matches!(map_type, MapType::SOCKMAP | MapType::SOCKHASH);
        if sockets && matches!(id, MAP_UPDATE | MAP_DELETE) && self.prog_type() == ProgType::CgroupSkb {
            return refuse("cannot update sockmap in this context\n");
        }
        let of_helper = OF_HELPERS.iter().find(|(helpers, _)| helpers.contains(&id));
        if of_helper.is_some_and(|(_, maps)| !maps.contains(&map_type)) {
            return refuse("");
        }
        Ok(())
    }

    /// Whether a map can be walked over with a callback.
    pub(super) fn check_walked(&self, call: &Call) -> Checked {
        let walked = call.map.is_none_or(|map| WALKED.contains(&self.map(map).map_type));
        if walked { Ok(()) } else { Err(Fault::new(Code::MapMismatch, "callback function not allowed for map")) }
    }
}

/// Whether programs of this type may use the maps that the program names.
pub(crate) fn check_named(unit: &Unit, program: &Program) -> Checked {
    let named = program.insns().iter().filter_map(map_ref).filter_map(|index| u32::try_from(index).ok());
    for map in named.map(MapIdx) {
        let def = &unit.maps()[map.index()];
        if def.lock.is_some() && program.prog_type() == ProgType::SocketFilter {
            let text = "socket filter progs cannot use bpf_spin_lock yet";
            return Err(Fault::new(Code::MapCompat, text));
        }
        if def.map_type == MapType::STRUCT_OPS {
            return Err(Fault::new(Code::MapCompat, "bpf_struct_ops map cannot be used in prog"));
        }
        if def.map_type == MapType::ARENA {
            return Err(Fault::unsupported("arenas"));
        }
    }
    Ok(())
}
