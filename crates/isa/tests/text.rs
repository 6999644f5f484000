//! What the dialect's reader accepts besides what is printed, what it hands up, and listings with labels.

use oxbpf_isa::text::{Names, PrintOptions, SymbolKind, parse, print};
use oxbpf_isa::{CallTarget, Insn, Pseudo, Slot};

fn read(text: &str) -> oxbpf_isa::text::Source {
    parse(text).unwrap_or_else(|e| panic!("{}", e[0].render(text, "test")))
}

/// The printed form of each instruction of a text.
fn printed(text: &str) -> Vec<String> {
    read(text).insns.iter().map(Insn::to_string).collect()
}

#[test]
fn variants_of_one_instruction() {
    let rows = [
        // The kernel's log and bpftool.
        ("(61) r7 = *(u32 *)(r6 +112)", "r7 = *(u32 *)(r6 + 112)"),
        ("  12: (61) r7 = *(u32 *)(r6 -112)   ; R7_w=scalar()", "r7 = *(u32 *)(r6 - 112)"),
        ("0: (b7) r0 = 1", "r0 = 1"),
        ("(18) r1 = 0xffff888102030405", "r1 = 0xffff888102030405 ll"),
        ("(18) r1 = 0x0", "r1 = 0x0 ll"),
        ("(05) goto pc+2", "goto +2"),
        ("(06) gotol pc-2", "gotol -2"),
        ("(e5) may_goto pc+0", "may_goto +0"),
        ("(15) if r1 == 0x0 goto pc+2", "if r1 == 0 goto +2"),
        ("(26) if w1 > 0xfffffffe goto pc-2", "if w1 > -2 goto -2"),
        ("(85) call pc+4#bpf_prog_ab12_f", "call pc+4"),
        ("(85) call pc-4", "call pc-4"),
        ("(48) r0 = *(u16 *)skb[r1 + -4]", "r0 = *(u16 *)skb[r1 - 4]"),
        ("(db) r2 = atomic64_fetch_add((u64 *)(r1 +0), r2)", "r2 = atomic_fetch_add((u64 *)(r1 + 0), r2)"),
        ("(c3) r2 = atomic_fetch_add((u32 *)(r1 +0), r2)", "w2 = atomic_fetch_add((u32 *)(r1 + 0), w2)"),
        ("(db) r2 = atomic64_xchg((u64 *)(r1 +8), r2)", "r2 = xchg_64(r1 + 8, r2)"),
        ("(c3) r0 = atomic_cmpxchg((u32 *)(r1 +8), r0, r2)", "w0 = cmpxchg32_32(r1 + 8, w0, w2)"),
        ("(d3) r0 = load_acquire((u8 *)(r1 +0))", "w0 = load_acquire((u8 *)(r1 + 0))"),
        ("(c3) lock *(u32 *)(r1 +0) |= r2", "lock *(u32 *)(r1 + 0) |= w2"),
        // llvm-objdump.
        ("       0:\tb7 00 00 00 01 00 00 00\tr0 = 0x1", "r0 = 1"),
        ("25 07 02 00 64 00 00 00 if r7 > 0x64 goto +0x2 <LBB0_2>", "if r7 > 100 goto +2"),
        ("12: if r7 > 0x64 goto +0x2 <.text+0x78>", "if r7 > 100 goto +2"),
        ("21: 18 01 00 00 ff ff ff ff 00 00 00 00 ff ff ff ff r1 = -0x1 ll", "r1 = 0xffffffffffffffff ll"),
        ("35: c3 21 00 00 f1 00 00 00 <unknown>", "w0 = cmpxchg32_32(r1 + 0, w0, w2)"),
        ("33: c3 21 00 00 01 00 00 00 lock *(u32 *)(r1 + 0x0) += r2", "w2 = atomic_fetch_add((u32 *)(r1 + 0), w2)"),
        ("28: 85 10 00 00 26 00 00 00 call 0x26", "call pc+38"),
        ("18 11 00 00 03 00 00 00 00 00 00 00 00 00 00 00 r1 = 0x3 ll", "r1 = map_fd(3) ll"),
        ("57: 05 00 09 00 00 00 00 00 goto +0x9 <fn>", "goto +9"),
        // Clang, with registers and blanks as it and people write them.
        ("\tw7 = *(u32 *)(r6 + 112)", "r7 = *(u32 *)(r6 + 112)"),
        ("*(u8*)(r10-1)=w5 // store", "*(u8 *)(r10 - 1) = r5"),
        ("r1 = *(u64 *)(r10)", "r1 = *(u64 *)(r10 + 0)"),
        ("lock *(u64 *)(r1 + 0) += r2 # comment", "lock *(u64 *)(r1 + 0) += r2"),
        ("r1=-5", "r1 = -5"),
        ("r1 += 0xffffffff", "r1 += -1"),
        ("r1 = -0x80000000", "r1 = -2147483648"),
        ("if r1 s>= r2 goto 4", "if r1 s>= r2 goto +4"),
        ("r1 = 0X1F ll", "r1 = 0x1f ll"),
        ("r1 = 18446744073709551615 ll", "r1 = 0xffffffffffffffff ll"),
    ];
    for (text, want) in rows {
        assert_eq!(printed(text), [want], "{text}");
    }
}

#[test]
fn lines_without_instructions() {
    for text in ["", "\n\n", "; int x = 1;", "  # comment", "// r0 = 1", "7:", "\t"] {
        assert_eq!(read(text).insns, [], "{text:?}");
    }
    assert_eq!(printed("r0 = 1\r\nexit\r\n"), ["r0 = 1", "exit"]);
}

#[test]
fn labels_are_slots_and_forward_or_backward() {
    let source = read("start: r1 = 1 ll\nmid: goto end\ngotol start\nif r1 == 0 goto mid\nend:\nlast: exit\nbehind:\n");
    let text: Vec<String> = source.insns.iter().map(Insn::to_string).collect();
    assert_eq!(text, ["r1 = 0x1 ll", "goto +2", "gotol -4", "if r1 == 0 goto -3", "exit"]);
    let labels: Vec<_> = source.labels.iter().map(|l| (l.name.as_str(), l.slot.0, l.pos.line)).collect();
    assert_eq!(labels, [("start", 0, 1), ("mid", 2, 2), ("end", 5, 5), ("last", 5, 6), ("behind", 6, 7)]);
}

#[test]
fn objdump_labels_and_compiler_labels() {
    assert_eq!(printed("0000000000000218 <fn>:\n call fn\n.L1: goto .L1"), ["call pc-1", "goto -1"]);
}

#[test]
fn functions_are_labels_that_are_called_or_taken() {
    assert_eq!(
        printed("call f\nr1 = f ll\nr1 = 0\nexit\nf: exit"),
        ["call pc+4", "r1 = func(+3) ll", "r1 = 0", "exit", "exit"]
    );
}

#[test]
fn names_that_are_no_labels_go_up() {
    let source = read("  call bpf_ktime_get_ns\n r1 = flows ll\nr2 = .rodata + 8 ll\ncall bpf_x#22592\nr3 = v-8 ll\n");
    let symbols: Vec<_> =
        source.symbols.iter().map(|s| (s.insn, s.kind, &*s.name, s.addend, s.pos.line, s.pos.column)).collect();
    assert_eq!(
        symbols,
        [
            (0, SymbolKind::Call, "bpf_ktime_get_ns", 0, 1, 8),
            (1, SymbolKind::Address, "flows", 0, 2, 7),
            (2, SymbolKind::Address, ".rodata", 8, 3, 6),
            (3, SymbolKind::Call, "bpf_x", 22592, 4, 6),
            (4, SymbolKind::Address, "v", -8, 5, 6),
        ]
    );
    assert_eq!(source.insns[0], Insn::Call(CallTarget::Helper(0)));
    assert_eq!(source.insns[3], Insn::Call(CallTarget::Helper(22592)));
}

#[test]
fn a_label_in_front_of_data_is_a_symbol() {
    let source = read("r1 = arr ll\nexit\n.section .bss\narr:\n.zero 32");
    assert_eq!(source.symbols[0].name, "arr");
}

#[test]
fn directives_go_up_verbatim() {
    let source = read("r0 = 0\n  .map flows hash # 4 ; 8 \nexit\n.Lend:\n");
    let directives: Vec<_> = source.directives.iter().map(|d| (d.pos.line, d.pos.column, &*d.text, d.insn)).collect();
    assert_eq!(directives, [(2, 3, ".map flows hash # 4 ; 8", 1)]);
    assert_eq!(source.labels[0].name, ".Lend");
}

#[test]
fn positions_are_where_instructions_start() {
    let source = read("\n  l: 12: (b7) r0 = 1\nexit");
    let positions: Vec<_> = source.positions.iter().map(|p| (p.line, p.column)).collect();
    assert_eq!(positions, [(2, 10), (3, 1)]);
}

#[test]
fn each_pseudo_has_its_text() {
    for text in [
        "r1 = map_fd(3) ll",
        "r1 = map_value(3, -8) ll",
        "r1 = btf_var(9, 2) ll",
        "r1 = func(-7) ll",
        "r1 = map_idx(0) ll",
        "r1 = map_idx_value(0, 8) ll",
        "call kfunc(12, -1)",
        "r0 = *(u16 *)skb[r1 - 2147483648]",
    ] {
        assert_eq!(printed(text), [text]);
    }
}

struct Known;

impl Names for Known {
    fn call(&self, target: CallTarget) -> Option<String> {
        (target == CallTarget::Helper(5)).then(|| "bpf_ktime_get_ns".to_owned())
    }

    fn address(&self, _: usize, value: Pseudo) -> Option<(String, i64)> {
        match value {
            Pseudo::MapFd(1) => Some(("flows".to_owned(), 0)),
            Pseudo::MapValue { fd: 2, off } => Some((".rodata".to_owned(), off.into())),
            // Neither can be written.
            Pseudo::MapFd(3) => Some(("r1".to_owned(), 0)),
            Pseudo::MapFd(_) => Some(("two words".to_owned(), 0)),
            _ => None,
        }
    }

    fn function(&self, slot: Slot) -> Option<String> {
        // The second would collide with a label of ours.
        [(14, "callback"), (3, "L0")].into_iter().find(|n| n.0 == slot.0).map(|n| n.1.to_owned())
    }
}

const NAMED: &str = "\
L0:
  r1 = flows ll
  call bpf_ktime_get_ns
L3:
  r2 = .rodata + 8 ll
  r3 = map_fd(3) ll
  r3 = map_fd(4) ll
  r2 = callback ll
  if r1 == 0 goto L3
  goto L15
  gotol +77
callback:
  call L0
L15:
";

#[test]
fn a_listing_with_names_and_labels() {
    let text = "r1 = map_fd(1) ll\ncall 5\nr2 = map_value(2, 8) ll\nr3 = map_fd(3) ll\nr3 = map_fd(4) ll
        r2 = func(+4) ll\nif r1 == 0 goto -9\ngoto +2\ngotol +77\ncall pc-15";
    let insns = read(text).insns;
    let listing = print(&insns, &PrintOptions { labels: true, ..Default::default() }, &Known);
    assert_eq!(listing, NAMED);
    let again = read(&listing);
    let names: Vec<_> = again.symbols.iter().map(|s| (s.insn, &*s.name)).collect();
    assert_eq!(names, [(0, "flows"), (1, "bpf_ktime_get_ns"), (2, ".rodata")]);
    for (i, (got, want)) in again.insns.iter().zip(&insns).enumerate() {
        assert!(got == want || names.iter().any(|n| n.0 == i), "{got}");
    }
}

#[test]
fn a_listing_with_slots_and_bytes() {
    let insns = read("r1 = 1 ll\nexit").insns;
    let listing = print(&insns, &PrintOptions { slots: true, bytes: true, ..PrintOptions::default() }, &());
    let want =
        "   0: 18 01 00 00 01 00 00 00 00 00 00 00 00 00 00 00 r1 = 0x1 ll\n   2: 95 00 00 00 00 00 00 00 exit\n";
    assert_eq!(listing, want);
    assert_eq!(read(&listing).insns, insns);
}
