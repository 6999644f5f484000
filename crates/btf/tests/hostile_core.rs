//! Broken records and types on either side have an answer or an error, the same each time, and never take long; so
//! has data of broken types.

mod common;

use common::Rng;
use oxbpf_btf::core::{CoreResolver, CoreTarget};
use oxbpf_btf::{Btf, BtfExt};

/// Changed copies of each object's and the target's sections.
const MUTATIONS: usize = 1500;

/// Asks every record, and reads and writes data of every type; whether all three sections were readable.
fn exercise(local: &[u8], target: &[u8], ext: &[u8]) -> bool {
    let (Ok(local), Ok(target)) = (Btf::parse(local), Btf::parse(target)) else { return false };
    let data: Vec<u8> = (0..=255u8).map(|i| i.wrapping_mul(37)).collect();
    for (id, _) in local.types() {
        let Ok(value) = local.decode(id, &data) else { continue };
        let _ = (local.encode(id, &value).is_ok(), value.to_string().len());
    }
    let Ok(ext) = BtfExt::parse(ext, &local) else { return false };
    let target = CoreTarget::new(target);
    let mut resolver = CoreResolver::new(&local, &target);
    for relo in ext.sections().iter().flat_map(|s| &s.relos) {
        let answer = resolver.resolve(relo);
        assert_eq!(answer, resolver.resolve(relo));
        match answer {
            Ok(resolved) => {
                assert!(!resolved.local.describe(&local).is_empty());
                let _ = resolved.target.as_ref().map(|spec| spec.describe(target.btf()).len());
            }
            Err(error) => assert!(!error.code().is_empty() && !error.to_string().is_empty()),
        }
    }
    true
}

#[test]
fn flipped_bits_and_bytes_do_no_harm() {
    let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/../elf/tests/core");
    let section = |file: &str, name| common::section(&std::fs::read(format!("{dir}/{file}")).unwrap(), name);
    let target = section("target.o", ".BTF");
    for (index, file) in ["fields.o", "bits.o", "types.o", "matches.o"].into_iter().enumerate() {
        let whole = [section(file, ".BTF"), target.clone(), section(file, ".BTF.ext")];
        assert!(exercise(&whole[0], &whole[1], &whole[2]), "{file}");
        let mut rng = Rng(0x51ed_2701_9e37_79b9 + index as u64);
        let mut survived = 0;
        for _ in 0..MUTATIONS {
            let mut parts = whole.clone();
            for _ in 0..=rng.below(3) {
                let victim = &mut parts[rng.below(3)];
                // Not in the header, which only makes it unreadable.
                let at = 24 + rng.below(victim.len() - 24);
                match rng.below(3) {
                    0 => victim[at] ^= 1 << rng.below(8),
                    1 => victim[at] = rng.next() as u8,
                    _ => victim[at] = [0, 0xff, 1, 2][rng.below(4)],
                }
            }
            survived += usize::from(exercise(&parts[0], &parts[1], &parts[2]));
        }
        // Neither all nor none, or the test changes nothing that matters.
        assert!((1..MUTATIONS).contains(&survived), "{file}: {survived}");
    }
}
