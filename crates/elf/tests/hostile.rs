//! Broken objects give errors, never a panic.

mod common;

use common::{Rng, link_all, refused};
use oxbpf_elf::load;

/// Changed copies of each example.
const MUTATIONS: usize = 10_000;

#[test]
fn mutated_examples_do_no_harm() {
    for (index, (name, bytes)) in common::examples().into_iter().enumerate() {
        let mut rng = Rng(0x9e37_79b9_7f4a_7c15 + index as u64);
        let mut survived = 0;
        for _ in 0..MUTATIONS {
            let mutant = mutate(&bytes, &mut rng);
            survived += usize::from(load(&mutant).is_ok_and(|object| link_all(&object).is_ok()));
        }
        // Neither all nor none, or the test changes nothing that matters.
        assert!((MUTATIONS / 100..MUTATIONS).contains(&survived), "{name}: {survived}");
    }
}

/// Flips bits, overwrites bytes or words, or cuts.
fn mutate(bytes: &[u8], rng: &mut Rng) -> Vec<u8> {
    let mut mutant = bytes.to_vec();
    for _ in 0..=rng.below(3) {
        let at = rng.below(mutant.len());
        match rng.below(8) {
            0..3 => mutant[at] ^= 1 << rng.below(8),
            3..5 => mutant[at] = rng.next() as u8,
            5..7 => {
                let word = [0, u64::MAX, 1 << 31, rng.next()][rng.below(4)].to_le_bytes();
                let len = word.len().min(mutant.len() - at);
                mutant[at..at + len].copy_from_slice(&word[..len]);
            }
            _ => mutant.truncate(at + 1),
        }
    }
    mutant
}

#[test]
fn headers_bear_every_value_of_every_byte() {
    let bytes = common::example("tail_call");
    for at in 0..64 {
        for value in 0..=255 {
            let mut mutant = bytes.clone();
            mutant[at] = value;
            let _ = load(&mutant);
        }
    }
}

#[test]
fn a_cut_at_any_byte_is_an_error() {
    let bytes = common::example("minimal");
    for len in 0..bytes.len() {
        assert!(load(&bytes[..len]).is_err(), "{len}");
    }
}

#[test]
fn any_alignment_will_do() {
    let bytes = common::example("tc_flow");
    for shift in 0..8 {
        let mut moved = vec![0; shift];
        moved.extend(&bytes);
        assert!(load(&moved[shift..]).is_ok(), "{shift}");
    }
}

#[test]
fn files_of_another_sort_are_told_apart() {
    let with = |at: usize, byte: u8| {
        let mut bytes = common::example("minimal");
        bytes[at] = byte;
        refused(&bytes)
    };
    assert_eq!(refused(&[]).to_string(), "not a usable ELF file: it is empty");
    assert_eq!(refused(b"int main() {}").code(), "elf-malformed");
    assert_eq!(with(4, 1).code(), "elf-wrong-file");
    assert_eq!(with(5, 2).code(), "elf-big-endian");
    assert_eq!(with(16, 2).code(), "elf-wrong-file");
    let machine = with(18, 62);
    assert_eq!(machine.code(), "elf-wrong-machine");
    assert!(machine.to_string().contains("machine 62"), "{machine}");
}

#[test]
fn code_of_odd_length_is_refused() {
    let mut w = common::Writer::default();
    w.code("tc", &[&common::RETURN, &[0]]);
    assert_eq!(refused(&w.bytes()).code(), "elf-code-length");
}

#[test]
fn an_object_without_programs_says_so() {
    let object = load(&common::Writer::default().bytes()).unwrap();
    assert_eq!(object.select(None).unwrap_err().to_string(), "no program ; there are: none");
}
