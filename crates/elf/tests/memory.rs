//! Files of 1 MiB take less than 64 MiB, however they are made.
#![allow(unsafe_code)] // an allocator that counts

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use common::{ALLOC, FUNC, LOCAL_SECTION, PROGBITS, R_64_32, RETURN, Rng, Writer, call};
use oxbpf_elf::load;

struct Counting;

static NOW: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every request goes to the system's allocator unchanged; the counters
// do not touch memory.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let now = NOW.fetch_add(layout.size(), Relaxed) + layout.size();
        PEAK.fetch_max(now, Relaxed);
        // SAFETY: the caller's promises are those that `System` asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Relaxed);
        // SAFETY: `at` came from `System` with this layout.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const FILE: usize = 1 << 20;
const LIMIT: usize = 64 << 20;

/// The most memory in use at once, beyond what was before, while loading and linking.
fn peak(bytes: &[u8]) -> (usize, &'static str) {
    let before = NOW.load(Relaxed);
    PEAK.store(before, Relaxed);
    let outcome = match load(bytes).and_then(|object| common::link_all(&object)) {
        Ok(_) => "linked",
        Err(e) => e.code(),
    };
    (PEAK.load(Relaxed) - before, outcome)
}

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|w| w.to_le_bytes()).collect()
}

/// `.BTF` with `types` pointers to void, and `.BTF.ext` with a line for each of
/// the first `lines` slots of `section`.
fn debug_info(w: &mut Writer, types: usize, section: &str, lines: u32) {
    let strings = format!("\0{section}\0");
    let types = words(&[0, 2 << 24, 0]).repeat(types);
    let mut btf = vec![0x9f, 0xeb, 1, 0];
    btf.extend(words(&[24, 0, types.len() as u32, types.len() as u32, strings.len() as u32]));
    btf.extend(&types);
    btf.extend(strings.as_bytes());
    let mut ext = vec![0x9f, 0xeb, 1, 0];
    ext.extend(words(&[24, 0, 0, 0, 12 + lines * 16, 16, 1, lines]));
    for i in 0..lines {
        ext.extend(words(&[i * 8, 1, 1, 1 << 10]));
    }
    w.section(".BTF", PROGBITS, 0, &btf, btf.len() as u64);
    w.section(".BTF.ext", PROGBITS, ALLOC, &ext, ext.len() as u64);
}

/// `count` programs that all call one large subprogram with a line for each slot.
fn shared_subprogram(count: usize) -> Vec<u8> {
    let mut w = Writer::default();
    let slots = FILE / 26;
    let body = common::insn(0xb7, 0, 0, 0).repeat(slots);
    let text = w.code(".text", &[&body, &RETURN]);
    w.symbol("shared", FUNC, text, 0, body.len() as u64 + 16);
    let target = w.symbol("", LOCAL_SECTION, text, 0, 0);
    let tc = w.code("tc", &[&[&call(-1)[..], &RETURN[8..]].concat().repeat(count)]);
    for i in 0..count as u64 {
        w.symbol("p", FUNC, tc, i * 16, 16);
        w.reloc(tc, i * 16, R_64_32, target);
    }
    debug_info(&mut w, 1, ".text", slots as u32);
    w.bytes()
}

/// As many functions as fit, all with the longest name.
fn many_functions(section: &str) -> Vec<u8> {
    let mut w = Writer::default();
    let count = FILE / (16 + 24);
    let code = w.code(section, &[&RETURN.repeat(count)]);
    w.code("classifier", &[&RETURN]);
    for i in 0..count as u64 {
        w.symbol(&"n".repeat(255), FUNC, code, i * 16, 16);
    }
    w.bytes()
}

/// BTF full of the smallest types, and of lines.
fn many_types() -> Vec<u8> {
    let mut w = Writer::default();
    let body = common::insn(0xb7, 0, 0, 0).repeat(1000);
    let tc = w.code("tc", &[&body, &RETURN]);
    w.symbol("main", FUNC, tc, 0, body.len() as u64 + 16);
    debug_info(&mut w, FILE / 24, "tc", FILE as u32 / 40);
    w.bytes()
}

#[test]
fn a_mebibyte_takes_less_than_64() {
    let mut cases = vec![
        ("shared subprogram, as often as may be", shared_subprogram(15)),
        ("shared subprogram, too often", shared_subprogram(1000)),
        ("many programs", many_functions("tc")),
        ("many functions", many_functions(".text")),
        ("many types", many_types()),
    ];
    let mut rng = Rng(7);
    for (name, bytes) in common::examples() {
        assert!(peak(&bytes).0 < LIMIT / 16, "{name}");
    }
    // An example with a mebibyte behind it, some of its bytes changed.
    for _ in 0..200 {
        let mut bytes = common::example("tc_flow");
        let len = bytes.len();
        bytes.resize_with(FILE, || rng.next() as u8);
        for _ in 0..4 {
            let at = rng.below(len);
            bytes[at] = rng.next() as u8;
        }
        cases.push(("changed and padded", bytes));
    }
    for (name, bytes) in cases {
        assert!(bytes.len() <= FILE + FILE / 8, "{name}: {}", bytes.len());
        let (peak, outcome) = peak(&bytes);
        if name != "changed and padded" {
            eprintln!("{name}: {} bytes, peak {peak}, {outcome}", bytes.len());
        }
        assert!(peak < LIMIT, "{name}: {peak} bytes, {outcome}");
    }
}
