//! Properties of the text: what is printed parses back, with labels and all, and nothing makes the reader panic.

use oxbpf_isa::text::{PrintOptions, parse, print};
use oxbpf_isa::{Insn, RawInsn, Slot, decode};
use proptest::prelude::*;

/// An instruction from random words; fields that the opcode reserves are cleared.
fn insn() -> impl Strategy<Value = Insn> {
    let off = prop_oneof![Just(0i16), Just(1), Just(8), Just(16), Just(32), -8i16..8, any::<i16>()];
    let selectors = vec![0, 1, 16, 32, 64, 0x40, 0x41, 0xa0, 0xe1, 0xf1, 0x100, 0x110];
    let imm = prop_oneof![prop::sample::select(selectors), -8i32..8, any::<i32>()];
    let next = prop_oneof![Just(0), any::<i32>()];
    let word = (any::<u8>(), 0u8..11, 0u8..11, off, imm, next);
    word.prop_map(|(code, dst, src, off, imm, next)| {
        let tries = [true, false].map(|keep| {
            let imms = [(imm, next), (imm, 0), (16, 0), (0, 0)];
            let offs = [off, 0, 1];
            offs.into_iter().flat_map(move |off| imms.map(|imms| (off, imms))).flat_map(move |(off, imms)| {
                let srcs = if keep { [src, src % 7] } else { [0, 0] };
                srcs.into_iter().flat_map(move |src| [dst, 0].map(|dst| decoded(code, dst, src, off, imms)))
            })
        });
        // Half of the opcodes are none.
        tries.into_iter().flatten().find_map(|insn| insn).unwrap_or(Insn::Exit)
    })
}

fn decoded(code: u8, dst: u8, src: u8, off: i16, (imm, next): (i32, i32)) -> Option<Insn> {
    let words = [RawInsn { code, regs: src << 4 | dst, off, imm }, RawInsn { imm: next, ..RawInsn::default() }];
    decode(&words, Slot(0)).ok().map(|(insn, _)| insn)
}

/// Pieces of the dialect, in an order that makes no sense.
fn nonsense() -> impl Strategy<Value = String> {
    let pieces = [
        "r0",
        "w1",
        "r10",
        "r11",
        "=",
        "+=",
        "s>>=",
        "*",
        "(",
        ")",
        "u32",
        "s8",
        "u64 *)",
        "skb",
        "[",
        "]",
        "if",
        "goto",
        "gotol",
        "may_goto",
        "pc",
        "+",
        "-",
        "0x",
        "7",
        "99999999999999999999",
        "-1",
        "ll",
        "call",
        "kfunc",
        "map_fd(",
        "func(",
        "lock",
        "exit",
        "\n",
        "#",
        ";",
        "//",
        ":",
        "l",
        "l:",
        "<",
        ">",
        "<unknown>",
        ".map",
        "(61)",
        "b7 00 00",
        "00 00 00 00 00",
        "18",
        "\t",
        " ",
        "\u{fc}",
        "\u{200b}",
        ",",
        "cmpxchg_64",
        "load_acquire((",
        "be16",
        "s<",
        "&",
    ];
    let blank = prop::sample::select(vec!["", " "]);
    prop::collection::vec((prop::sample::select(pieces.to_vec()), blank), 0..40)
        .prop_map(|v| v.into_iter().map(|(piece, blank)| format!("{piece}{blank}")).collect())
}

/// Reads a text and, if it is wrong, renders what is wrong.
fn read_anything(text: &str) -> Result<(), TestCaseError> {
    match parse(text) {
        Ok(source) => prop_assert_eq!(source.insns.len(), source.positions.len()),
        Err(errors) => {
            prop_assert!((1..=oxbpf_isa::text::MAX_ERRORS).contains(&errors.len()));
            for e in errors {
                prop_assert!(e.line >= 1 && e.column >= 1 && e.width >= 1);
                prop_assert!(e.render(text, "f").contains(e.code()));
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn one_instruction_round_trips(insn in insn()) {
        let source = parse(&insn.to_string()).unwrap();
        prop_assert_eq!(source.insns, [insn]);
    }

    #[test]
    fn a_program_round_trips(
        insns in prop::collection::vec(insn(), 0..30),
        labels: bool,
        slots: bool,
        bytes: bool,
    ) {
        let text = print(&insns, &PrintOptions { labels, slots, bytes, ..PrintOptions::default() }, &());
        let source = parse(&text).map_err(|e| TestCaseError::fail(e[0].render(&text, "f")))?;
        prop_assert!(source.symbols.is_empty(), "{}", text);
        prop_assert_eq!(source.insns, insns, "{}", text);
    }

    #[test]
    fn random_text_does_not_panic(text in any::<String>()) {
        read_anything(&text)?;
    }

    #[test]
    fn nonsense_does_not_panic(text in nonsense()) {
        read_anything(&text)?;
    }

    #[test]
    fn a_damaged_line_does_not_panic(insn in insn(), at in 0usize..40, with in any::<char>(), cut: bool) {
        let mut text: Vec<char> = insn.to_string().chars().collect();
        let at = at.min(text.len());
        if cut {
            text.truncate(at);
        }
        text.insert(at.min(text.len()), with);
        read_anything(&text.into_iter().collect::<String>())?;
    }
}
