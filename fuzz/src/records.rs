//! CO-RE records against types, and data by its type.

use oxbpf_btf::core::{CoreResolver, CoreTarget};
use oxbpf_btf::{Btf, BtfExt};

/// Bytes as `.BTF`, the target's `.BTF` and `.BTF.ext`, the first eight bytes telling the length of the first two:
/// every record has an answer or an error, and the answer does not change when it is asked for again.
pub fn core(bytes: &[u8]) {
    let Some((lens, bytes)) = bytes.split_first_chunk::<8>() else { return };
    let len = |at: usize| u32::from_le_bytes([lens[at], lens[at + 1], lens[at + 2], lens[at + 3]]) as usize;
    let (local, bytes) = bytes.split_at(len(0).min(bytes.len()));
    let (target, ext) = bytes.split_at(len(4).min(bytes.len()));
    let Ok(local) = Btf::parse(local) else { return };
    let Ok(target) = Btf::parse(target) else { return };
    let Ok(ext) = BtfExt::parse(ext, &local) else { return };
    let target = CoreTarget::new(target);
    let mut resolver = CoreResolver::new(&local, &target);
    for relo in ext.sections().iter().flat_map(|s| &s.relos) {
        let answer = resolver.resolve(relo);
        assert_eq!(answer, resolver.resolve(relo));
        match answer {
            Ok(resolved) => {
                assert!(!resolved.local.describe(&local).is_empty() && !resolved.local.access().is_empty());
                let _ = resolved.target.as_ref().map(|spec| spec.describe(target.btf()).len());
            }
            Err(error) => {
                assert!(error.code().starts_with("core-") || error.code().starts_with("btf-"));
                assert!(!error.to_string().is_empty());
            }
        }
    }
    values(&local);
}

/// Data of each type: what was decoded encodes, and decodes to the same again.
fn values(btf: &Btf) {
    let data: Vec<u8> = (0..MAX_VALUE).map(|i| (i as u8).wrapping_mul(37)).collect();
    for (id, _) in btf.types().take(MAX_TYPES) {
        match btf.decode(id, &data) {
            Ok(value) => match btf.encode(id, &value) {
                // Members may lie over each other, and the last one written is what they all show.
                Ok(again) => assert!(btf.decode(id, &again).is_ok()),
                Err(error) => assert!(!error.code().is_empty() && !error.to_string().is_empty()),
            },
            Err(error) => assert!(!error.code().is_empty() && !error.to_string().is_empty()),
        }
    }
}

/// Bytes of the data that is read by its type, and types that are tried.
const MAX_VALUE: usize = 256;
const MAX_TYPES: usize = 256;
