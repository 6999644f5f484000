//! Every way in which a run ends early, and every reason why a map or a run cannot be had, in their exact words.

#[path = "../../../tests/codes/mod.rs"]
mod codes;

use codes::{Row, check, shown};
use oxbpf_abi::MapType;
use oxbpf_ir::{MapDef, MapInit};
use oxbpf_isa::Slot;
use oxbpf_runtime::maps::{Map, MapError};
use oxbpf_runtime::memory::ArenaError;
use oxbpf_runtime::{Access, EngineError as E, Place, Trap, TrapKind as K, VmError};

fn trap(code: &'static str, words: &'static str, kind: K) -> Row {
    let trap = Trap { kind, program: "main".into(), slot: Slot(7) };
    let shown = trap.to_string();
    let words_found = shown.strip_prefix(&format!("trap[{code}] in main at insn 7: ")).expect("code and place");
    (code, words, (trap.kind.code(), words_found.to_string()))
}

#[test]
fn traps() {
    let stack = || Place::Region { name: "stack of frame 0".into(), off: -520 };
    let helper = "map_update_elem";
    let rows = [
        trap(
            "out-of-bounds",
            "read of 8 bytes at stack of frame 0-520 is out of bounds",
            K::OutOfBounds { access: Access::Read, size: 8, place: stack() },
        ),
        trap(
            "out-of-bounds",
            "write of 1 bytes at null+4 is out of bounds",
            K::OutOfBounds { access: Access::Write, size: 1, place: Place::Null { off: 4 } },
        ),
        trap(
            "read-only",
            "write of 4 bytes at an address that belongs to nothing, which is read-only",
            K::ReadOnly { size: 4, place: Place::Nowhere },
        ),
        trap(
            "write-only",
            "read of 4 bytes at stack of frame 0-520, which is write-only",
            K::WriteOnly { size: 4, place: stack() },
        ),
        trap(
            "misaligned",
            "atomic access of 8 bytes at stack of frame 0-520 is not aligned",
            K::Misaligned { size: 8, place: stack() },
        ),
        trap("atomic-not-allowed", "atomic access to the packet", K::AtomicNotAllowed { what: "packet" }),
        trap(
            "context-access",
            "write of 4 bytes at context offset 0 is no access this program type has",
            K::Context { access: Access::Write, off: 0, size: 4 },
        ),
        trap("unknown-helper", "helper 999 does not exist", K::UnknownHelper { id: 999 }),
        trap(
            "core-unresolved",
            "the instruction depends on a type or field that the kernel's types lack (CO-RE)",
            K::CoreUnresolved,
        ),
        trap(
            "helper-not-allowed",
            "helper redirect is not available to programs of type socket_filter",
            K::HelperNotAllowed { name: "redirect", prog_type: "socket_filter" },
        ),
        trap(
            "helper-argument",
            "argument r1 of helper map_update_elem is not a map",
            K::HelperArg { helper, reg: 1, wanted: "a map" },
        ),
        trap("lock-held", "helper map_update_elem is called while a lock is held", K::UnderLock { helper }),
        trap("lock-held", "legacy packet load while a lock is held", K::LegacyUnderLock),
        trap(
            "helper-panic",
            "helper map_update_elem failed inside: this is a defect of the toolchain",
            K::HelperPanic { helper },
        ),
        trap("unsupported", "kernel function 7 is not supported", K::Unsupported { what: "kernel function 7".into() }),
        trap(
            "unsupported",
            "helper probe_read is not supported: there is no kernel memory",
            K::HelperRefused { name: "probe_read", why: "there is no kernel memory" },
        ),
        trap("legacy-without-context", "legacy packet load without the context in r6", K::LegacyWithoutContext),
        trap("call-depth", "call depth exceeds 8 frames", K::CallDepth { limit: 8 }),
        trap("out-of-fuel", "fuel of 100 instructions is used up", K::OutOfFuel { limit: 100 }),
    ];
    check(include_str!("../src/trap.rs"), &rows);
}

#[test]
fn maps() {
    let of = |def: MapDef| shown!(Map::new(&def).unwrap_err());
    let def = |map_type, key, value, entries| MapDef::new("flows", map_type, key, value, entries);
    let filled =
        MapDef { init: MapInit::Entries(vec![(vec![9, 0, 0, 0], vec![0; 8])]), ..def(MapType::ARRAY, 4, 8, 2) };
    let rows = [
        ("map-unsupported", "map flows: sockmap is not supported", of(def(MapType(15), 4, 4, 1))),
        ("map-definition", "map flows: key size 8 of a map of type array is not 4", of(def(MapType::ARRAY, 8, 8, 1))),
        (
            "map-memory",
            "map flows: 64 bytes are more than the limit of 32",
            shown!(MapError::Memory { map: "flows".into(), source: ArenaError::Limit { wanted: 64, limit: 32 } }),
        ),
        ("map-init", "map flows: the initial entry for key [09, 00, 00, 00] fails with errno 7", of(filled)),
    ];
    check(include_str!("../src/maps/error.rs"), &rows);
}

#[test]
fn engines() {
    let engine = "kernel";
    let row = |code, words, error: E| -> Row { (code, words, shown!(error)) };
    let full = VmError::Memory(ArenaError::Full { wanted: 9 });
    let map = MapError::Unsupported { map: "flows".into(), what: "type sockmap".into() };
    let rows = [
        row(
            "engine-unavailable",
            "engine kernel is unavailable: this is no Linux",
            E::Unavailable { engine, reason: "this is no Linux".into() },
        ),
        row(
            "engine-rejected",
            "engine kernel rejects program main: EACCES",
            E::Rejected { engine, program: "main".into(), message: "EACCES".into(), log: "0: (95) exit".into() },
        ),
        row(
            "engine-unsupported",
            "engine kernel does not support fuel",
            E::Unsupported { engine, what: "fuel".into() },
        ),
        row("engine-failed", "engine kernel failed: ENOMEM", E::Failed { engine, what: "ENOMEM".into() }),
        row("engine-memory", "9 bytes do not fit into the arena's remaining address space", full.into()),
        row("map-unsupported", "map flows: type sockmap is not supported", VmError::Map(map).into()),
    ];
    check(include_str!("../src/engine.rs"), &rows);
}
