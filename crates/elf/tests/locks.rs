//! Locks in the values of maps, from `objects/locks.c` and `objects/unlocked.c`: where Linux 6.18 finds them, and only
//! there. `tests/cli_maps.rs` of the root package runs them beside the kernel.

mod common;

use std::time::{Duration, Instant};

use common::{link_all, refused};
use oxbpf_elf::load;

const LOCKS: &[u8] = include_bytes!("objects/locks.o");
const UNLOCKED: &[u8] = include_bytes!("objects/unlocked.o");

/// The maps of an object by name, with the offsets of their locks.
fn locks(bytes: &[u8]) -> Vec<(String, Option<u32>)> {
    let unit = link_all(&load(bytes).unwrap()).unwrap();
    let mut all: Vec<_> = unit.maps().iter().map(|m| (m.name.clone(), m.lock)).collect();
    all.sort();
    all
}

#[test]
fn locks_are_found_in_structures_and_arrays_of_one() {
    let found = [("inside", Some(16)), ("several", Some(24)), ("single", Some(0))];
    assert_eq!(locks(LOCKS), found.map(|(name, lock)| (name.to_string(), lock)));
}

#[test]
fn what_the_kernel_does_not_take_for_a_lock_is_none() {
    let names = ["dropped", "pair", "per_cpu", "qualified", "renamed", "shared", "unaligned"];
    assert_eq!(locks(UNLOCKED), names.map(|name| (name.to_string(), None)));
}

#[test]
fn members_that_multiply_are_too_many() {
    let begun = Instant::now();
    let error = refused(include_bytes!("objects/multiplied.o"));
    assert_eq!(error.code(), "elf-bad-map");
    assert!(error.to_string().contains("has a value of too many members"), "{error}");
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
}
