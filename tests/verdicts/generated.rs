//! Programs from the generator, and single faults in them.

use std::sync::Arc;

use oxbpf::abi::{MapType, ProgType};
use oxbpf::ir::{MapDef, MapInit, MapPurpose};
use oxbpf::isa::encode_all;
use oxbpf_progen::checked::{self, Checked, MAPS, Palette};

use crate::case::Case;

/// Of a hundred programs, so many are as they were made, without a fault.
pub const UNCHANGED: u64 = 16;

/// The maps that all of them share.
pub fn maps() -> Arc<Vec<MapDef>> {
    Arc::new(MAPS.iter().enumerate().map(|(i, map)| def(i, map)).collect())
}

fn def(index: usize, map: &Palette) -> MapDef {
    let counted = (1..=map.value as u8).collect();
    let inner = |(key, value, entries)| Box::new(MapDef::new("inner", MapType::ARRAY, key, value, entries));
    MapDef {
        flags: map.flags,
        lock: map.lock,
        inner: map.inner.map(inner),
        purpose: if map.frozen { MapPurpose::Rodata } else { MapPurpose::User },
        init: if map.frozen { MapInit::Entries(vec![(vec![0; 4], counted)]) } else { MapInit::Empty },
        ..MapDef::new(&format!("map{index}"), MapType(map.map_type), map.key, map.value, map.entries)
    }
}

/// The case of a program without a fault.
pub fn case(program: &Checked, maps: &Arc<Vec<MapDef>>) -> Case {
    Case {
        name: format!("{} seed {}", program.prog_type, program.seed),
        prog_type: program.prog_type,
        attach: program.prog_type.row().attach_type,
        flags: 0,
        license: "GPL".to_string(),
        words: encode_all(&program.insns),
        maps: maps.clone(),
        types: None,
        unit: None,
        typed: true,
    }
}

/// The case of that program with a fault.
pub fn faulty(program: &Checked, maps: &Arc<Vec<MapDef>>, seed: u64) -> Case {
    let (fault, insns) = checked::mutant(seed, &program.insns);
    let name = format!("{} seed {} fault {fault:?} {seed}", program.prog_type, program.seed);
    Case { name, words: encode_all(&insns), ..case(program, maps) }
}

/// All types, in the order in which they are tried.
pub const TYPES: [ProgType; 5] =
    [ProgType::SchedCls, ProgType::Xdp, ProgType::SocketFilter, ProgType::CgroupSkb, ProgType::SchedAct];
