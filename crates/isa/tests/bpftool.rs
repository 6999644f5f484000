//! Instructions as bpftool 7.1 shows them, and its listings read.

use oxbpf_isa::text::{bpftool_insn, parse};
use oxbpf_isa::{RawInsn, encode_all};

/// Bytes and the text; bpftool looks at less than there is.
const ROWS: &[(&str, &str)] = &[
    ("3f21010000000000", "(3f) r1 /= r2"),
    ("bf21080000000000", "(bf) r1 = r2"),
    ("c402000002000000", "(c4) w2 s>>= 2"),
    ("8401000000000000", "(84) w1 = -w1"),
    ("dc01000010000000", "(dc) r1 = be16 r1"),
    ("d401000040000000", "(d4) r1 = le64 r1"),
    ("d701000010000000", "BUG_alu64_d7"),
    ("8121fcff00000000", "BUG_ldx_81"),
    ("7912000000000000", "(79) r2 = *(u64 *)(r1 +0)"),
    ("6b2afeff00000000", "(6b) *(u16 *)(r10 -2) = r2"),
    ("720affffffffffff", "(72) *(u8 *)(r10 -1) = -1"),
    ("c32a0000a0000000", "(c3) lock *(u32 *)(r10 +0) ^= r2"),
    ("db2af8ff01000000", "(db) r2 = atomic64_fetch_add((u64 *)(r10 -8), r2)"),
    ("c32af8ffe1000000", "(c3) r2 = atomic_xchg((u32 *)(r10 -8), r2)"),
    ("db2af8fff1000000", "(db) r0 = atomic64_cmpxchg((u64 *)(r10 -8), r0, r2)"),
    ("3000000017000000", "(30) r0 = *(u8 *)skb[23]"),
    ("4820000004000000", "(48) r0 = *(u16 *)skb[r2 + 4]"),
    ("1811000005000000 0000000000000000", "(18) r1 = map[id:5]"),
    ("1821000005000000 0000000008000000", "(18) r1 = map[id:5][0]+8"),
    ("1861000005000000 0000000008000000", "(18) r1 = map[idx:5]+8"),
    ("1841000007000000 0000000000000000", "(18) r1 = subprog[+7]"),
    ("18010000ffffffff 0000000001000000", "(18) r1 = 0x1ffffffff"),
    ("0500feff00000000", "(05) goto pc-2"),
    ("d501010000000080", "(d5) if r1 s<= 0x80000000 goto pc+1"),
    ("4e21010000000000", "(4e) if w1 & w2 goto pc+1"),
    ("e500020000000000", "(e5) if r0 (null) 0x0 goto pc+2"),
    ("8510000003000000", "(85) call pc+3"),
    ("8500000006000000", "(85) call unknown#6"),
    ("8520000006000000", "(85) call kernel-function#6"),
    ("9500000000000000", "(95) exit"),
];

fn words(hex: &str) -> Vec<RawInsn> {
    let word = |text: &str| RawInsn::from_bytes(u64::from_str_radix(text, 16).unwrap().to_be_bytes());
    hex.split(' ').map(word).collect()
}

fn bytes(words: &[RawInsn]) -> String {
    words.iter().flat_map(|w| w.to_bytes()).map(|b| format!("{b:02x}")).collect::<Vec<_>>().join(" ")
}

#[test]
fn instructions_are_shown_and_read_by_their_bytes() {
    for (hex, want) in ROWS {
        let words = words(hex);
        let mut text = String::new();
        bpftool_insn(&mut text, &words, &());
        assert_eq!(text, *want);
        // Whatever the text leaves out, and though it could not be read without.
        let listing = format!("int main(void):\n; a line\n   0: {text}\n       {}\n", bytes(&words));
        match parse(&listing) {
            Ok(source) => assert_eq!(encode_all(&source.insns), words, "{listing}"),
            Err(e) => panic!("{}", e.render(&listing, "listing")),
        }
    }
}

#[test]
fn any_words_are_shown() {
    let mut out = String::new();
    bpftool_insn(&mut out, &[], &());
    assert_eq!(out, "");
    for code in 0..=255 {
        for regs in [0, 0xff, 0x16] {
            for imm in [0, -1, 0x51, i32::MIN] {
                let one = RawInsn { code, regs, off: i16::MIN, imm };
                out.clear();
                bpftool_insn(&mut out, &[one], &());
                let known = out.starts_with(&format!("({code:02x}) "));
                assert!(known || out.starts_with("BUG_") && out.ends_with(&format!("{code:02x}")), "{out}");
            }
        }
    }
}

#[test]
fn bytes_below_must_be_the_text_above() {
    let code = |text: &str| parse(text).unwrap_err().first.iter().map(|e| (e.code(), e.line)).collect::<Vec<_>>();
    assert_eq!(code("   0: (b7) r0 = 2\n       b7 00 00 00 01 00 00 00"), [("asm-bytes", 2)]);
    assert_eq!(code("   0: BUG_ldx_81\n       b7 00 00 00 01 00 00 00"), [("asm-mnemonic", 1), ("asm-bytes", 2)]);
    // Only the line right above, and only once.
    assert_eq!(code("r0 = 1\n\nb7 00 00 00 01 00 00 00"), [("asm-syntax", 3)]);
    let twice = "r0 = 1\nb7 00 00 00 01 00 00 00\nb7 00 00 00 01 00 00 00";
    assert_eq!(code(twice), [("asm-syntax", 3)]);
    // A call of a function has its distance in the offset, once the kernel has numbered functions.
    let call = "   0: (85) call pc+3#bpf_prog_f\n       85 10 03 00 01 00 00 00";
    assert_eq!(parse(call).unwrap().insns[0].to_string(), "call pc+3");
    assert_eq!(code(&call.replace("03 00", "04 00")), [("asm-bytes", 2)]);
}
