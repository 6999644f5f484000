//! Texts to units, their errors, and back.

use oxbpf_abi::{MapType, ProgType};
use oxbpf_ir::{MapInit, MapPurpose, ProgIdx, Unit};
use oxbpf_isa::text::PrintOptions as InsnOptions;
use oxbpf_isa::{Insn, Pseudo};

use super::*;

fn unit(text: &str) -> Unit {
    parse(text, "test.bpf", &Options::default()).unwrap_or_else(|e| panic!("{}", render(&e, text, "test.bpf")))
}

fn fails(text: &str) -> Vec<String> {
    let errors = parse(text, "test.bpf", &Options::default()).unwrap_err();
    errors.iter().map(|e| format!("{} {}:{}+{}", e.code(), e.line, e.column, e.width)).collect()
}

const WHOLE: &str = r#"
; two programs, the second reached by a tail call
.license "Dual MIT/GPL"
.map flows hash key=4 value=8 entries=16 flags=1 id=0 pinning=2
.map jmp prog_array entries=2
.entry flows 01000000 = 00*7 ff    ; a comment
.entry jmp 1 = second
.data counter u8:0*2 u16:0 u32:-0
.rodata text "n=%d\n\0"

.program first sched_cls
    r6 = r1
    call helper_fn
    r2 = jmp ll
    r1 = r6
    r3 = 1
    call tail_call
    goto out
out: exit
helper_fn:
    r1 = counter + 4 ll
    r0 = 0
    exit
.program second sched_cls
    r1 = text ll
    r2 = flows ll
    r0 = 7
out: exit
"#;

#[test]
fn a_whole_unit() {
    let unit = unit(WHOLE);
    assert_eq!(unit.license(), "Dual MIT/GPL");
    let maps: Vec<_> = unit.maps().iter().map(|m| (m.name.as_str(), m.map_type, m.value_size, m.purpose)).collect();
    use MapPurpose::{Data, Rodata, User};
    assert_eq!(
        maps,
        [
            ("flows", MapType::HASH, 8, User),
            ("jmp", MapType::PROG_ARRAY, 4, User),
            ("counter", MapType::ARRAY, 8, Data),
            ("text", MapType::ARRAY, 6, Rodata),
        ]
    );
    assert_eq!(unit.maps()[0].init, MapInit::Entries(vec![(vec![1, 0, 0, 0], vec![0, 0, 0, 0, 0, 0, 0, 255])]));
    assert_eq!(unit.maps()[1].init, MapInit::Programs(vec![(1, ProgIdx(1))]));
    assert_eq!(unit.maps()[2].init, MapInit::Empty, "zeros are what an array holds anyway");
    assert_eq!(unit.maps()[3].init, MapInit::Entries(vec![(vec![0; 4], b"n=%d\n\0".to_vec())]));
    let first = &unit.programs()[0];
    let functions: Vec<_> = first.functions().iter().map(|f| f.name.as_str()).collect();
    assert_eq!(functions, ["first", "helper_fn"]);
    let loads =
        first.insns().iter().filter_map(|i| if let Insn::LoadPseudo { value, .. } = i { Some(*value) } else { None });
    assert_eq!(loads.collect::<Vec<_>>(), [Pseudo::MapFd(1), Pseudo::MapValue { fd: 2, off: 4 }]);
    let line = first.line(oxbpf_ir::InsnId(1)).unwrap();
    assert_eq!((&*line.file, line.line, line.column, &*line.text), ("test.bpf", 13, 5, "call helper_fn"));
}

/// What a unit is, without the lines of its source.
fn essence(unit: &Unit) -> String {
    let programs: Vec<_> = unit.programs().iter().map(|p| (p.name(), p.prog_type(), p.insns())).collect();
    format!("{:?} {:?} {programs:?}", unit.license(), unit.maps())
}

#[test]
fn what_is_printed_parses_back() {
    let unit = unit(WHOLE);
    for bits in 0..16 {
        let on = |bit: u32| bits & 1 << bit != 0;
        let insns = InsnOptions { labels: on(0), slots: on(1), bytes: on(2), ..InsnOptions::default() };
        let text = print(&unit, &PrintOptions { insns, source_lines: on(3) });
        let again = self::unit(&text);
        assert_eq!(essence(&again), essence(&unit), "{text}");
    }
}

#[test]
fn names_that_text_cannot_carry_are_replaced() {
    let maps = ["a b", "r1", "", "a b", "ok"].map(|n| oxbpf_ir::MapDef::new(n, MapType::HASH, 4, 4, 1));
    let parts = oxbpf_ir::ProgramParts::new("x\ny", ProgType::Xdp, vec![Insn::Exit]);
    let program = oxbpf_ir::Program::new(parts).unwrap();
    let unit = Unit::new("u", "\"\\\n", maps.to_vec(), vec![program]).unwrap();
    let again = self::unit(&print(&unit, &PrintOptions::default()));
    let names: Vec<_> = again.maps().iter().map(|m| m.name.as_str()).collect();
    assert_eq!(names, ["map_0", "map_1", "map_2", "map_3", "ok"]);
    assert_eq!((again.programs()[0].name(), again.license()), ("prog_0", "\"\\\n"));
}

#[test]
fn types_come_from_the_option_the_directive_the_section_or_the_default() {
    let of = |text, options: &Options| parse(text, "x", options).unwrap().programs()[0].prog_type();
    let plain = Options::default();
    let forced = Options { prog_type: Some(ProgType::SchedAct), ..plain };
    let fallback = Options { default_type: ProgType::CgroupSkb, ..plain };
    assert_eq!(of(".program p xdp\nexit", &plain), ProgType::Xdp);
    assert_eq!(of(".program p xdp\nexit", &forced), ProgType::SchedAct);
    assert_eq!(of(".section xdp,\"ax\",@progbits\nexit", &fallback), ProgType::Xdp);
    assert_eq!(of("exit", &plain), ProgType::SchedCls);
    assert_eq!(of("exit", &fallback), ProgType::CgroupSkb);
}

#[test]
fn what_clang_writes_is_read() {
    let text = "\t.file\t\"x.c\"\n\t.section\ttc,\"ax\",@progbits\n\t.globl\tprog      # -- Begin\n\t.p2align\t3\n\
        \t.type\tprog,@function\nprog:                    # @prog\n# %bb.0:\n\tw0 = -1\n\texit\n.Lfunc_end0:\n\
        \t.size\tprog, .Lfunc_end0-prog\n\t.type\t_license,@object\n\t.section\tlicense,\"aw\",@progbits\n_license:\n\
        \t.asciz\t\"GPL v2\"\n\t.section\t.debug_str,\"MS\",@progbits,1\n\t.byte\t1\n\t.addrsig\n";
    let unit = unit(text);
    assert_eq!((unit.license(), unit.programs()[0].section()), ("GPL v2", "tc"));
    assert_eq!(unit.programs()[0].insns().len(), 2);
}

#[test]
fn errors_have_codes_and_places() {
    let cases: &[(&str, &[&str])] = &[
        ("", &["build-empty 1:1+1"]),
        ("r0 = r11\nexit", &["asm-register 1:6+3"]),
        ("call nonsense\nexit", &["unit-unknown-name 1:6+8"]),
        ("r1 = nowhere ll\nexit", &["unit-unknown-name 1:6+7"]),
        ("r0 = 0", &["build-falls-off 1:1+6"]),
        ("  r10 = 0 ; no\nexit", &["build-frame-pointer-written 1:3+7"]),
        ("goto +5\nexit", &["build-jump-outside 1:1+7"]),
        ("r1 = map_fd(1) ll\nexit", &["build-no-such-map 1:1+17"]),
        (".mapp x\nexit", &["unit-directive 1:2+4"]),
        (".map x hsh key=1\nexit", &["unit-unknown-name 1:8+3"]),
        (".map x hash key=1\nexit", &["unit-syntax 1:18+1"]),
        (".map x hash kye=1\nexit", &["unit-unknown-name 1:13+3"]),
        (".map x hash key=zz\nexit", &["unit-value 1:17+2"]),
        (".map r1 hash\nexit", &["unit-syntax 1:6+2"]),
        (".map x array value=1 entries=1\n.map x array value=1 entries=1\nexit", &["unit-duplicate 2:6+1"]),
        (".map x array value=1 entries=1\n.entry x 01000000 = 00\nexit", &["unit-value 2:10+8"]),
        (".map x array value=1 entries=1\n.entry x 00 = 00\nexit", &["unit-value 2:10+2"]),
        (".map x array value=1 entries=1\n.entry x 00000000 00\nexit", &["unit-syntax 2:21+1"]),
        (".map j prog_array entries=1\n.entry j 0 = gone\nexit", &["unit-unknown-name 2:14+4"]),
        (".map j prog_array entries=1\n.entry j 1 = test\nexit", &["unit-value 2:10+1"]),
        (".entry x 00 = 00\nexit", &["unit-unknown-name 1:8+1"]),
        (".data x 0\nexit", &["unit-value 1:9+1"]),
        (".data x 00*99999999999\nexit", &["unit-value 1:9+14"]),
        (".data x u8:256\nexit", &["unit-value 1:9+6"]),
        (".data x u8:-129\nexit", &["unit-value 1:9+7"]),
        (".data x \"\\q\"\nexit", &["unit-value 1:10+2"]),
        (".data x \"é\nexit", &["unit-syntax 1:11+1"]),
        (".rodata x 00\nr1 = x + 1 ll\nexit", &["unit-value 2:6+1"]),
        (".license \"a\"\n.license \"b\"\nexit", &["unit-duplicate 2:2+7"]),
        (".byte 1\nexit", &["unit-misplaced 1:2+4"]),
        ("exit\n.program p xdp\nexit", &["unit-misplaced 1:1+1"]),
        ("exit\n.section tc,\"ax\"\nexit", &["unit-misplaced 2:10+2"]),
        (".program p xdpp\nexit", &["unit-unknown-name 1:12+4"]),
        (".program\nexit", &["unit-syntax 1:9+1"]),
        (".program p\nexit\n.program p\nexit", &["unit-duplicate 3:1+1"]),
        (".program p\n.program q\nr0 = 5 5\nx:\nx:", &["asm-syntax 3:8+1", "asm-duplicate-label 5:1+1"]),
        ("call map_lookup_elem#2\nexit", &["unit-value 1:6+15"]),
    ];
    for (text, expected) in cases {
        assert_eq!(fails(text), *expected, "{text}");
    }
}

#[test]
fn an_error_is_shown_at_its_line() {
    let text = ".map flows hash key=4 value=8 entries=1\n\tr1 = flow ll\nexit";
    let errors = parse(text, "x.bpf", &Options::default()).unwrap_err();
    assert_eq!(
        render(&errors, text, "dir/x.bpf"),
        "error[unit-unknown-name]: no map, data or label `flow`; did you mean `flows`?\n  --> dir/x.bpf:2:7\n   |\n \
         2 | \tr1 = flow ll\n   | \t     ^^^^\n"
    );
}

#[test]
fn hostile_texts_end_in_errors() {
    let long = "x".repeat(100_000);
    for text in [
        format!(".map {long} hash"),
        format!(".{long}"),
        format!("call {long}\nexit"),
        ".map".to_string(),
        ".entry".to_string(),
        ".data x \"\\".to_string(),
        ".data x \"\\xé".to_string(),
        ".section".to_string(),
        ".program \u{0}".to_string(),
        ".license \"\\xff\"\nexit".to_string(),
        ".map m array value=1 entries=1\n".repeat(10_000),
        "call nothing\n".repeat(100_000),
        ".entry nothing 0 = 0\n".repeat(100_000) + "exit",
        (0..20_000).map(|i| format!(".map m{i} array value=1 entries=1\n")).collect::<String>()
            + &"r1 = m ll\n".repeat(100),
    ] {
        let errors = parse(&text, "", &Options::default()).unwrap_err();
        assert!((1..=oxbpf_isa::text::MAX_ERRORS).contains(&errors.len()));
        assert!(render(&errors, &text, "x").len() < 20_000);
    }
}

#[test]
fn generated_programs_print_and_parse_back() {
    for seed in 0..150 {
        let generated = oxbpf_progen::Generator::new(seed).program();
        let map = |(i, m): (usize, &oxbpf_progen::MapSpec)| {
            oxbpf_ir::MapDef::new(&format!("m{i}"), MapType::HASH, 4, m.value_size, 1)
        };
        let maps = generated.maps.iter().enumerate().map(map).collect();
        let parts = oxbpf_ir::ProgramParts::new("generated", ProgType::SchedCls, generated.insns);
        let unit = Unit::new("g", "GPL", maps, vec![oxbpf_ir::Program::new(parts).unwrap()]).unwrap();
        let insns =
            InsnOptions { labels: seed % 2 == 0, slots: seed % 3 == 0, bytes: seed % 5 == 0, ..InsnOptions::default() };
        let text = print(&unit, &PrintOptions { insns, source_lines: false });
        assert_eq!(essence(&self::unit(&text)), essence(&unit), "seed {seed}:\n{text}");
    }
}

/// Pieces that mean something, so that random texts get far.
const PIECES: [&str; 40] = [
    ".program",
    ".map",
    ".entry",
    ".data",
    ".rodata",
    ".license",
    ".section",
    ".text",
    ".byte",
    "\n",
    "\n",
    "\n",
    "\n",
    " ",
    " ",
    "=",
    "x",
    "y",
    "hash",
    "prog_array",
    "array",
    "key",
    "value",
    "entries",
    "4",
    "1",
    "0x",
    "00*",
    "u64:",
    "-1",
    "\"",
    "\\x",
    "ll",
    "r1",
    "call",
    "exit",
    ":",
    ";",
    "+",
    "é",
];

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(2000))]

    #[test]
    fn no_text_panics(picks in proptest::collection::vec(0..PIECES.len(), 0..60)) {
        let text: String = picks.into_iter().map(|i| PIECES[i]).collect();
        match parse(&text, "p.bpf", &Options::default()) {
            Ok(unit) => {
                let printed = print(&unit, &PrintOptions::default());
                proptest::prop_assert_eq!(essence(&self::unit(&printed)), essence(&unit), "{}", printed);
            }
            Err(errors) => proptest::prop_assert!(!render(&errors, &text, "p").is_empty()),
        }
    }
}
