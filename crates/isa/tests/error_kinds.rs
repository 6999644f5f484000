//! Every kind of bytes that are no instruction, in its exact words.

#[path = "../../../tests/codes/mod.rs"]
mod codes;

use codes::{check, shown};
use oxbpf_isa::{RawInsn, decode_all};

#[test]
fn bytes() {
    let decode = |bytes: &[[u8; 8]]| {
        let words: Vec<_> = bytes.iter().map(|b| RawInsn::from_bytes(*b)).collect();
        shown!(decode_all(&words).unwrap_err())
    };
    let wide = [0x18, 1, 0, 0, 1, 0, 0, 0];
    let rows = [
        ("isa-opcode", "insn 0: unknown opcode 0xff", decode(&[[0xff, 0, 0, 0, 0, 0, 0, 0]])),
        (
            "isa-reserved",
            "insn 1: opcode 0x95 reserves field imm, which is 0x7",
            decode(&[[0xb7, 0, 0, 0, 0, 0, 0, 0], [0x95, 0, 0, 0, 7, 0, 0, 0]]),
        ),
        ("isa-register", "insn 0: register r11 does not exist", decode(&[[0xbf, 0xb0, 0, 0, 0, 0, 0, 0]])),
        (
            "isa-selector",
            "insn 0: opcode 0xdb has no operation 0x13 in field imm",
            decode(&[[0xdb, 0x10, 0, 0, 0x13, 0, 0, 0]]),
        ),
        ("isa-truncated", "insn 0: wide instruction is cut off at the end of the program", decode(&[wide])),
        (
            "isa-second-slot",
            "insn 0: second slot of a wide instruction has a non-zero field besides imm",
            decode(&[wide, [0, 0, 1, 0, 0, 0, 0, 0]]),
        ),
    ];
    check(include_str!("../src/decode.rs"), &rows);
}
