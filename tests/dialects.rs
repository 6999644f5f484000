//! Instructions in every dialect: what is printed parses back to the same, converts to every other dialect, and is told
//! apart from the others.
//!
//! `OXBPF_PROGRAMS=1000000 cargo test --release --test dialects` runs as many programs as it says.

use oxbpf::isa::text::{Dialect, Names, PrintOptions, Source, SymbolKind, convert, detect, parse_as, print};
use oxbpf::isa::{CallTarget, Fields, Insn, Pseudo, Reg, Slot};
use oxbpf_progen::insns;

/// How many programs are generated.
fn programs() -> u64 {
    std::env::var("OXBPF_PROGRAMS").ok().and_then(|n| n.parse().ok()).unwrap_or(2000)
}

fn dialects() -> [Dialect; 6] {
    Dialect::ROWS.map(|r| r.dialect)
}

fn read(text: &str, dialect: Dialect) -> Source {
    parse_as(text, dialect).unwrap_or_else(|e| panic!("{dialect}: {}", e.render(text, "printed")))
}

/// Names for everything that may have one.
struct Known;

impl Names for Known {
    fn call(&self, target: CallTarget) -> Option<String> {
        match target {
            CallTarget::Helper(id) if id > 0 => Some(format!("bpf_helper_{id}")),
            _ => None,
        }
    }

    fn address(&self, _: usize, value: Pseudo) -> Option<(String, i64)> {
        match value {
            Pseudo::MapFd(fd) => Some((format!("map{}", fd.unsigned_abs()), 0)),
            Pseudo::MapValue { fd, off } => Some((format!("data.{}", fd.unsigned_abs()), off.into())),
            _ => None,
        }
    }

    fn function(&self, slot: Slot) -> Option<String> {
        // Some are words that mean something in one dialect or another.
        let words = ["main", "add", "fetch", "local", "helper", "BPF_ADD", "exit", "lock", "goto", "pc", "r1", "ll"];
        words.get(slot.0 as usize).map(|w| w.to_string())
    }
}

/// The instructions with what stands for a name put back: numbers in names are the instructions'.
fn resolved(source: &Source) -> Vec<Insn> {
    let mut insns = source.insns.clone();
    for symbol in &source.symbols {
        let number = |prefix: &str| symbol.name.trim_start_matches("bpf_").strip_prefix(prefix)?.parse::<i32>().ok();
        insns[symbol.insn] = match (symbol.kind, insns[symbol.insn]) {
            (SymbolKind::Call, _) => Insn::Call(CallTarget::Helper(number("helper_").expect("a helper"))),
            (SymbolKind::Address, Insn::LoadImm64 { dst, .. }) => {
                let value = match (number("map"), number("data.")) {
                    (Some(fd), _) => Pseudo::MapFd(fd),
                    (_, Some(fd)) => Pseudo::MapValue { fd, off: symbol.addend as i32 },
                    _ => panic!("{} names nothing", symbol.name),
                };
                Insn::LoadPseudo { dst, value }
            }
            (_, other) => other,
        };
    }
    insns
}

/// The program without what the names above do not tell: signs of maps' numbers.
fn nameable(insns: Vec<Insn>) -> Vec<Insn> {
    let positive = |n: i32| n.checked_abs().unwrap_or(0);
    let make = |insn| match insn {
        Insn::LoadPseudo { dst, value: Pseudo::MapFd(fd) } => {
            Insn::LoadPseudo { dst, value: Pseudo::MapFd(positive(fd)) }
        }
        Insn::LoadPseudo { dst, value: Pseudo::MapValue { fd, off } } => {
            Insn::LoadPseudo { dst, value: Pseudo::MapValue { fd: positive(fd), off } }
        }
        other => other,
    };
    insns.into_iter().map(make).collect()
}

#[test]
fn what_is_printed_parses_back_and_converts_to_every_dialect() {
    for seed in 0..programs() {
        let insns = nameable(insns(seed, (seed % 23) as usize));
        let on = |bit: u64| seed & 1 << bit != 0;
        let names: &dyn Names = if on(3) { &Known } else { &() };
        for (index, dialect) in dialects().into_iter().enumerate() {
            let options = PrintOptions { dialect, labels: on(0), slots: on(1), bytes: on(2) };
            let text = print(&insns, &options, names);
            assert_eq!(resolved(&read(&text, dialect)), insns, "{dialect}, seed {seed}:\n{text}");
            // Each pair has its turn, in another of the forms that the seed's bits choose.
            let to = dialects()[(index + (seed / 16) as usize) % 6];
            let converted = convert(&text, dialect, to).expect("what parses converts");
            let again = read(&converted, to);
            assert_eq!(resolved(&again), insns, "{dialect} to {to}, seed {seed}:\n{text}\n{converted}");
        }
    }
}

#[test]
fn dialects_are_told_apart() {
    let mut told = 0;
    for seed in 0..programs().min(2000) {
        let insns = insns(seed, 12);
        for dialect in dialects() {
            let options = PrintOptions { dialect, ..PrintOptions::default() };
            let text = print(&insns, &options, &());
            let detected = detect(&text);
            assert_eq!(read(&text, detected).insns, insns, "{dialect} taken for {detected}:\n{text}");
            told += u64::from(detected == dialect);
        }
    }
    // The kernel's dialect is read as clang's; uBPF's, rbpf's and GNU's texts may be each other's.
    assert!(told > programs().min(2000) * 4, "{told}");
}

/// Each row at the edges of its operands, alone: a failure names it.
#[test]
fn every_row_at_its_edges() {
    let regs = [(Reg::R0, Reg::R10), (Reg::R10, Reg::R0), (Reg::R5, Reg::R5)];
    let offs = [0, 1, -1, 8, 0x7f, i16::MAX, i16::MIN];
    let imms = [0, 1, -1, 9, 10, 0xffff, -0x8000, i32::MAX, i32::MIN];
    for row in Insn::rows() {
        for (dst, src) in regs {
            for off in offs {
                for (imm, next) in imms.into_iter().zip(imms.into_iter().rev()).flat_map(|(a, b)| [(a, b), (a, 0)]) {
                    let insn = row.with(&Fields { dst, src, off, imm, next });
                    for dialect in dialects() {
                        let options = PrintOptions { dialect, ..PrintOptions::default() };
                        let text = print(&[insn], &options, &());
                        assert_eq!(read(&text, dialect).insns, [insn], "{dialect}: {text}");
                    }
                }
            }
        }
    }
}
