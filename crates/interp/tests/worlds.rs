//! One image, several worlds: maps are shared where they are given, contexts and packets are each world's own.

use std::sync::Arc;
use std::time::{Duration, Instant};

use oxbpf_abi::{MapType, ProgType};
use oxbpf_interp::Interp;
use oxbpf_ir::{MapDef, MapIdx, MapInit, ProgIdx, Program, ProgramParts, Unit};
use oxbpf_isa::text;
use oxbpf_runtime::maps::MapSet;
use oxbpf_runtime::skb::Link;
use oxbpf_runtime::{Engine, EngineError, Env, Image, Input, Instance, Outcome, TrapKind};

fn program(name: &str, prog_type: ProgType, source: &str) -> Program {
    let source = text::parse(source).expect("the test's text is right");
    Program::new(ProgramParts::new(name, prog_type, source.insns)).expect("the program is well shaped")
}

fn image(maps: Vec<MapDef>, programs: Vec<Program>) -> Image {
    Image::unproven(Arc::new(Unit::new("u", "GPL", maps, programs).unwrap()), ProgIdx(0))
}

fn run(instance: &mut dyn Instance) -> Outcome {
    instance.run(&Input::new(&[0; 60], Link::Ethernet)).expect("the interpreter runs everything")
}

/// Adds one to the only value of map 0 and returns what it was.
const COUNT: &str = "r1 = map_value(0, 0) ll\nr0 = 1\nr0 = atomic_fetch_add((u64 *)(r1 + 0), r0)\nexit";

#[test]
fn worlds_share_the_maps_that_they_are_given() {
    let image = image(vec![MapDef::new("n", MapType::ARRAY, 4, 8, 1)], vec![program("p", ProgType::SchedCls, COUNT)]);
    let env = Env::default();
    let maps = MapSet::new(image.unit(), env.memory).unwrap();
    let code = Interp.compile(&image).unwrap();
    let mut worlds: Vec<_> = (0..3).map(|_| code.instance(&maps, &env).unwrap()).collect();
    std::thread::scope(|s| {
        for world in &mut worlds {
            s.spawn(move || (0..1000).for_each(|_| drop(run(&mut **world))));
        }
    });
    let count = maps.get(MapIdx(0)).unwrap().entries()[0].1.clone();
    assert_eq!(count, 3000u64.to_le_bytes());
    let mut alone = Interp.prepare(&image, &env).unwrap();
    assert_eq!(run(&mut *alone), Outcome::Return(0), "maps of its own");
}

#[test]
fn tail_calls_stay_among_programs_of_one_type() {
    let jumps = |target| MapDef {
        init: MapInit::Programs(vec![(0, ProgIdx(target))]),
        ..MapDef::new("jumps", MapType::PROG_ARRAY, 4, 4, 1)
    };
    let entry = || program("entry", ProgType::SchedCls, "r2 = map_fd(0) ll\nr3 = 0\ncall 12\nr0 = 9\nexit");
    let other = |t| program("other", t, "r0 = 5\nexit");
    let good = image(vec![jumps(1)], vec![entry(), other(ProgType::SchedCls)]);
    assert_eq!(run(&mut *Interp.prepare(&good, &Env::default()).unwrap()), Outcome::Return(5));
    let bad = image(vec![jumps(1)], vec![entry(), other(ProgType::Xdp)]);
    match Interp.prepare(&bad, &Env::default()).map(drop) {
        Err(EngineError::Rejected { message, .. }) => {
            assert_eq!(message, "map jumps leads at 0 to program other of type xdp");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn calls_leave_nothing_in_argument_registers() {
    for source in [
        "r1 = 7\nr2 = 8\nr3 = 9\nr4 = 10\nr5 = 11\ncall 8\nr0 = r1\nr0 |= r2\nr0 |= r3\nr0 |= r4\nr0 |= r5\nexit",
        "r1 = 7\nr5 = 8\ncall f\nr0 = r1\nr0 |= r5\nexit\nf: r1 = 9\nr0 = 1\nexit",
    ] {
        let image = image(vec![], vec![program("p", ProgType::SchedCls, source)]);
        assert_eq!(run(&mut *Interp.prepare(&image, &Env::default()).unwrap()), Outcome::Return(0), "{source}");
    }
}

#[test]
fn randomness_follows_seed_and_packet_and_nothing_else() {
    let image = image(vec![], vec![program("p", ProgType::SchedCls, "call 7\nexit")]);
    let draw = |seed, number, before: u64| {
        let mut world = Interp.prepare(&image, &Env { seed, ..Env::default() }).unwrap();
        let input = |number| Input { number, ..Input::new(&[0; 60], Link::Ethernet) };
        (0..before).for_each(|n| drop(world.run(&input(n)).unwrap()));
        world.run(&input(number)).unwrap()
    };
    assert_eq!(draw(1, 5, 0), draw(1, 5, 4), "runs before do not matter");
    assert_ne!(draw(1, 5, 0), draw(2, 5, 0));
    assert_ne!(draw(1, 5, 0), draw(1, 6, 0));
}

/// Visits the entries of map 0, from which nothing is wanted.
const VISIT: &str = "
        r1 = map_fd(0) ll
        r2 = visit ll
        r3 = 0
        r4 = 0
        call 164
        exit
    visit:
        r0 = 0
        exit";

#[test]
fn buckets_that_a_visit_passes_over_are_paid_for() {
    let visit = |entries: u32, fuel: u64| {
        // Two entries, so that there is an element to go on from.
        let two = MapInit::Entries([1u32, 2].map(|key| (key.to_le_bytes().to_vec(), vec![0; 8])).into());
        let sparse = MapDef { init: two, ..MapDef::new("sparse", MapType::HASH, 4, 8, entries) };
        let image = image(vec![sparse], vec![program("p", ProgType::SchedCls, VISIT)]);
        run(&mut *Interp.prepare(&image, &Env { fuel, ..Env::default() }).unwrap())
    };
    let trap = |outcome| match outcome {
        Outcome::Trap(trap) => trap.kind,
        other => panic!("{other:?}"),
    };
    // 64 buckets for an instruction, and the program's own.
    assert_eq!(visit(1 << 18, (1 << 18) / 64 + 100), Outcome::Return(2));
    assert_eq!(trap(visit(1 << 18, (1 << 18) / 64 - 10)), TrapKind::OutOfFuel { limit: (1 << 18) / 64 - 10 });
    assert_eq!(visit(4, 100), Outcome::Return(2));
    // The search itself ends where the fuel does: all these buckets would take seconds.
    let begun = Instant::now();
    assert_eq!(trap(visit(1 << 26, 200)), TrapKind::OutOfFuel { limit: 200 });
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
}

#[test]
fn work_of_helpers_is_paid_for() {
    let copy = "
        r6 = r1
        r7 = 100
    again:
        r1 = map_fd(0) ll
        r2 = r10
        r2 += -4
        *(u32 *)(r10 - 4) = 0
        r3 = map_value(0, 0) ll
        r4 = 0
        call 2
        r7 += -1
        if r7 != 0 goto again
        r0 = 0
        exit";
    let big = MapDef::new("big", MapType::ARRAY, 4, 1 << 20, 1);
    let image = image(vec![big], vec![program("p", ProgType::SchedCls, copy)]);
    let mut world = Interp.prepare(&image, &Env { fuel: 100_000, ..Env::default() }).unwrap();
    match run(&mut *world) {
        Outcome::Trap(trap) => assert_eq!(trap.kind, TrapKind::OutOfFuel { limit: 100_000 }),
        other => panic!("{other:?}"),
    }
}

#[test]
fn printed_text_is_bounded() {
    let print = "
        *(u64 *)(r10 - 8) = 0x61616161
    again:
        r1 = r10
        r1 += -8
        r2 = 8
        call 6
        goto again
        exit";
    let image = image(vec![], vec![program("p", ProgType::SchedCls, print)]);
    let mut world = Interp.prepare(&image, &Env { fuel: 3_000_000, ..Env::default() }).unwrap();
    assert!(matches!(run(&mut *world), Outcome::Trap(_)));
    let printed: usize = world.trace().unwrap().iter().map(|l| l.text.len()).sum();
    assert!((1000..1 << 20).contains(&printed), "{printed}");
}
