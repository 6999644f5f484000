//! Bytes as programs that are run unproven: whatever they do, a run returns or traps.

mod program;

use std::sync::Arc;

use oxbpf_abi::{MapType, ProgType, map_flags};
use oxbpf_interp::Interp;
use oxbpf_ir::{MapDef, MapIdx, MapInit, MapPurpose, ProgIdx, Unit};
use oxbpf_runtime::skb::{self, Link};
use oxbpf_runtime::{Engine, Env, Image, Input, Outcome};

use super::reader::{Bytes, pick};
use program::program;

/// Instructions that one run may execute.
const FUEL: u64 = 10_000;
/// Maps of a unit; the last is read-only.
const MAPS: i32 = 15;
/// The map of constants, and the one whose value has a lock, among them.
const RODATA: i32 = 4;
const LOCKED: i32 = 5;
/// Programs of a unit; the program array leads from one to the other.
const PROGRAMS: usize = 2;
const TYPES: [ProgType; 5] =
    [ProgType::SchedCls, ProgType::SchedAct, ProgType::Xdp, ProgType::SocketFilter, ProgType::CgroupSkb];
/// Packets are of odd and of extreme lengths.
const LENGTHS: [usize; 8] = [60, 1514, 0, 1, 13, 14, 33, 9000];

/// Builds two programs and a packet out of the bytes and runs them twice over the same maps.
pub fn interp(bytes: &[u8]) {
    let mut bytes = Bytes::new(bytes);
    let prog_type = pick(&TYPES, bytes.u8());
    let link = pick(&[Link::Ethernet, Link::Ip], bytes.u8());
    let packet = packet(&mut bytes);
    let mut ctx = skb::derive(&packet, packet.len() as u32, link);
    (ctx.mark, ctx.cb[0], ctx.tstamp) = (bytes.u16().into(), bytes.i32() as u32, bytes.u64());

    let names = ["first", "second"];
    let programs = names.map(|name| program(name, prog_type, &mut bytes)).into();
    let unit = Unit::new("fuzz", "GPL", maps().into(), programs).expect("programs name maps that are there");
    let image = Image::unproven(Arc::new(unit), ProgIdx(0));
    let env = Env { fuel: FUEL, ..Env::default() };
    let mut instance = Interp.prepare(&image, &env).expect("the maps can be made");
    for time_ns in [0, u64::MAX] {
        let input = Input { skb: ctx, time_ns, ..Input::new(&packet, link) };
        match instance.run(&input).expect("the interpreter runs everything") {
            Outcome::Return(_) => {}
            Outcome::Trap(trap) => {
                let program = image.unit().programs().iter().find(|p| p.name() == &*trap.program);
                let program = program.expect("a trap names a program of the unit");
                assert!(program.insn_at(trap.slot.0.into()).is_some(), "a trap stands at an instruction: {trap:?}");
                assert!(!trap.to_string().is_empty());
            }
        }
        assert!(instance.executed().expect("the interpreter counts") <= FUEL);
        assert_eq!(instance.packet().len(), packet.len());
        let trace = instance.trace().expect("the interpreter traces");
        assert!(trace.iter().all(|line| line.text.len() <= 4 * 1024));
        for map in 0..image.unit().maps().len() {
            let entries = instance.map_entries(MapIdx(map as u32)).expect("maps can be read");
            assert!(entries.len() <= image.unit().maps()[map].max_entries as usize);
        }
    }
}

/// A packet that begins with 32 given bytes, which repeat.
fn packet(bytes: &mut Bytes<'_>) -> Vec<u8> {
    let length = pick(&LENGTHS, bytes.u8());
    let head: [u8; 32] = bytes.take();
    head.iter().copied().cycle().take(length).collect()
}

/// Maps of every kind, small, so that programs hit their ends.
fn maps() -> [MapDef; MAPS as usize] {
    let programs = (0..PROGRAMS as u32).map(|i| (i, ProgIdx(i))).collect();
    [
        MapDef::new("array", MapType::ARRAY, 4, 12, 3),
        MapDef::new("hash", MapType::HASH, 4, 8, 4),
        MapDef::new("wide_hash", MapType::HASH, 16, 40, 2),
        MapDef { init: MapInit::Programs(programs), ..MapDef::new("programs", MapType::PROG_ARRAY, 4, 4, 4) },
        MapDef {
            purpose: MapPurpose::Rodata,
            init: MapInit::Entries(vec![(vec![0; 4], b"%d %s %pI6 %llx\0\0".to_vec())]),
            ..MapDef::new(".rodata", MapType::ARRAY, 4, 17, 1)
        },
        MapDef { lock: Some(4), ..MapDef::new("locked", MapType::ARRAY, 4, 12, 1) },
        MapDef::new("lru", MapType::LRU_HASH, 4, 8, 3),
        MapDef::new("each", MapType::PERCPU_HASH, 4, 8, 3),
        MapDef { flags: map_flags::NO_PREALLOC, ..MapDef::new("trie", MapType::LPM_TRIE, 8, 4, 4) },
        MapDef::new("queue", MapType::QUEUE, 0, 8, 3),
        MapDef::new("stack", MapType::STACK, 0, 5, 3),
        MapDef::new("ring", MapType::RINGBUF, 0, 0, 4096),
        MapDef::new("events", MapType::PERF_EVENT_ARRAY, 4, 4, 2),
        MapDef::new("bloom", MapType::BLOOM_FILTER, 0, 8, 8),
        MapDef {
            inner: Some(Box::new(MapDef::new("", MapType::HASH, 4, 8, 4))),
            init: MapInit::Maps(vec![(vec![1, 0, 0, 0], MapIdx(1))]),
            ..MapDef::new("outer", MapType::ARRAY_OF_MAPS, 4, 4, 2)
        },
    ]
}
