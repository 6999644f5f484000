//! Broken objects give errors, never a panic.

mod common;

use common::{Rng, link_all, refused};
use object::LittleEndian as LE;
use object::elf::{FileHeader64, SHT_SYMTAB};
use object::read::elf::{FileHeader, SectionHeader, Sym};
use oxbpf_elf::{Kconfig, inspect, load};

/// Changed copies of all examples together, and of each other object.
const MUTATIONS: usize = 60_000;
const MUTATIONS_OF_OTHERS: usize = 2_500;

#[test]
fn mutated_examples_do_no_harm() {
    let examples = common::examples();
    let count = MUTATIONS / examples.len();
    for (index, (name, bytes)) in examples.into_iter().enumerate() {
        let mut rng = Rng(0x9e37_79b9_7f4a_7c15 + index as u64);
        let mut survived = 0;
        for _ in 0..count {
            let mutant = mutate(&bytes, &mut rng);
            survived += usize::from(load(&mutant).is_ok_and(|object| link_all(&object).is_ok()));
        }
        // Neither all nor none, or the test changes nothing that matters.
        assert!((count / 100..count).contains(&survived), "{name}: {survived}");
    }
}

/// Objects with maps in maps, settings, weak symbols, callbacks and pointers.
const OTHERS: [(&str, &[u8]); 4] = [
    ("kernel", include_bytes!("objects/kernel.o")),
    ("nested", include_bytes!("objects/nested.o")),
    ("references", include_bytes!("objects/references.o")),
    ("refused", include_bytes!("objects/refused.o")),
];

#[test]
fn mutated_objects_of_all_sorts_do_no_harm() {
    let config = Kconfig::parse("# Linux/x86 6.18.0 Kernel\nCONFIG_HZ=250\nCONFIG_BPF=y\nCONFIG_NET_CLS_BPF=m\n");
    for (index, (name, bytes)) in OTHERS.into_iter().enumerate() {
        let mut rng = Rng(0x517c_c1b7_2722_0a95 + index as u64);
        let mut survived = 0;
        for _ in 0..MUTATIONS_OF_OTHERS {
            let mutant = mutate(bytes, &mut rng);
            let listed = inspect(&mutant).is_ok();
            let Ok(mut object) = load(&mutant) else { continue };
            assert!(listed, "{name}: what can be loaded can be listed");
            object.resolve_kconfig(&config);
            let sound = object.survey().iter().filter(|s| s.fault.is_none()).count();
            survived += usize::from(sound > 0);
            let _ = link_all(&object);
        }
        assert!((MUTATIONS_OF_OTHERS / 100..MUTATIONS_OF_OTHERS).contains(&survived), "{name}: {survived}");
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

/// The place of a table's entry in the file.
fn place_of<T>(bytes: &[u8], entry: &T) -> usize {
    std::ptr::from_ref(entry).addr() - bytes.as_ptr().addr()
}

fn with_word(mut bytes: Vec<u8>, at: usize, word: u64) -> Vec<u8> {
    bytes[at..at + 8].copy_from_slice(&word.to_le_bytes());
    bytes
}

#[test]
fn a_map_whose_values_lie_beyond_all_places_is_refused() {
    let bytes = common::example("tail_call_btf");
    let sections = FileHeader64::parse(&*bytes).unwrap().sections(LE, &*bytes).unwrap();
    let symbols = sections.symbols(LE, &*bytes, SHT_SYMTAB).unwrap();
    let stages = symbols.iter().find(|s| s.name(LE, symbols.strings()) == Ok(b"stages")).unwrap();
    let at = place_of(&bytes, &stages.st_value);
    let error = refused(&with_word(bytes, at, u64::MAX));
    assert_eq!(error.to_string(), "section .maps: map stages: lies outside the section");
}

#[test]
fn a_program_between_two_slots_of_its_array_is_refused() {
    let bytes = common::example("tail_call_btf");
    let sections = FileHeader64::parse(&*bytes).unwrap().sections(LE, &*bytes).unwrap();
    let (maps, _) = sections.section_by_name(LE, b".maps").unwrap();
    let tables = sections.iter().filter_map(|s| s.rel(LE, &*bytes).unwrap().map(|t| (s.sh_info(LE), t.0)));
    let table = tables.filter(|t| t.0 as usize == maps.0).map(|t| t.1).next().unwrap();
    let (at, offset) = (place_of(&bytes, &table[0].r_offset), table[0].r_offset.get(LE));
    let error = refused(&with_word(bytes, at, offset + 4));
    let wanted = format!("section .maps: relocation at {:#x}: it does not stand at a pointer", offset + 4);
    assert_eq!(error.to_string(), wanted);
}

#[test]
fn a_licence_is_as_long_as_the_kernel_reads() {
    for (license, kept) in [(vec![b'x'; 127], 127), (vec![b'x'; 128], 127), (vec![0xff; 200], 126)] {
        let mut w = common::Writer::default();
        w.code("tc", &[&common::RETURN]);
        w.data("license", &license);
        assert_eq!(load(&w.bytes()).unwrap().license().len(), kept);
    }
}
