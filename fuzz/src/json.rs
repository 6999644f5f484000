//! JSON that people write for the command line.

use oxbpf::ctx_json::CtxFields;
use oxbpf_abi::layout::SkBuff;

/// Bytes as the context's JSON: what is taken can be set, again and again to the same.
pub fn ctx_json(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match CtxFields::parse(text) {
        Ok(fields) => {
            let (mut once, mut twice) = (SkBuff::default(), SkBuff::default());
            for number in 1..4 {
                fields.apply(number, &mut once);
                fields.apply(number, &mut twice);
                fields.apply(number, &mut twice);
            }
            assert_eq!(once, twice);
        }
        Err(error) => assert!(!error.is_empty()),
    }
}
