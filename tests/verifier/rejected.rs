//! Rejected programs, one for each common message: the kernel refuses them for the reason that the file names.

use std::path::{Path, PathBuf};

use oxbpf::ir::{ProgIdx, Program, ProgramParts, Unit};
use oxbpf::isa::{RawInsn, decode_all, encode_all};
use oxbpf::verdict;
use oxbpf::verifier::{Code, Options, Verdict};

use crate::cli::{oxbpf, stderr, stdout};
use crate::verdicts::{Case, measured};

/// The programs and their names, in order.
pub fn programs() -> Vec<(String, String, PathBuf)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/verifier/rejected");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|e| e == "bpf"));
    files.sort();
    let read = |path: PathBuf| {
        let name = path.file_stem().unwrap().to_str().unwrap().to_string();
        (name, std::fs::read_to_string(&path).unwrap(), path)
    };
    files.into_iter().map(read).collect()
}

/// The code that a file says.
pub fn code(text: &str) -> &str {
    text.lines().find_map(|line| line.strip_prefix("; code: ")).expect("; code: OXnnn")
}

#[test]
fn renderings_are_as_committed() {
    let bless = std::env::var_os("BLESS").is_some();
    let mut wrong = Vec::new();
    for (name, text, path) in programs() {
        let case = Case { name: &format!("{name}.bpf"), text: &text };
        let unit = case.unit().expect("a program of the right shape");
        let Verdict::Rejected(fault) = case.judge() else {
            wrong.push(format!("{name}: not rejected"));
            continue;
        };
        if fault.code.name() != code(&text) {
            wrong.push(format!("{name}: {} {}", fault.code, fault.message()));
        }
        let (shown, golden) = (verdict::render(&unit, &unit.programs()[0], &fault), path.with_extension("txt"));
        if bless {
            std::fs::write(&golden, &shown).unwrap();
        }
        let committed = std::fs::read_to_string(&golden).unwrap_or_default();
        if shown != committed {
            wrong.push(format!("{name}: shown as\n{shown}\ncommitted as\n{committed}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What compilers leave: lines of C, a map with types, a global function with types.
#[test]
fn an_objects_renderings_are_as_committed() {
    let output = oxbpf(&["verify", "tests/verifier/objects/packet.o"]);
    let shown = stderr(&output);
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/verifier/objects/packet.txt");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&golden, &shown).unwrap();
    }
    assert_eq!(shown, std::fs::read_to_string(&golden).unwrap());
    assert_eq!((output.status.code(), stdout(&output).lines().count()), (Some(1), 1), "one is accepted");
}

/// The kernel's refusal is told in the same words.
#[test]
fn an_objects_refusals_are_the_kernels() {
    if !measured("an_objects_refusals_are_the_kernels") {
        return;
    }
    for (program, code) in [("tc/short", "OX301"), ("tc/moved", "OX308"), ("tc/unchecked", "OX309")] {
        let prog = format!("tests/verifier/objects/packet.o:{program}");
        let output = oxbpf(&["run", &prog, "--engine", "kernel", "--pcap", "examples/captures/http.pcap"]);
        assert_eq!(output.status.code(), Some(1), "{program}");
        let said = stderr(&output);
        assert!(said.contains(&format!("\nerror[{code}]: ")) && said.contains("--> ./packet.c:"), "{said}");
    }
}

/// Programs that nobody wrote are judged and shown without harm.
#[test]
fn any_instructions_are_rendered() {
    let mut random = 1u64;
    let mut next = |below: usize| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) as usize % below
    };
    let (mut rejected, programs) = (0, programs());
    for round in 0..4000 {
        let (name, text, _) = &programs[round % programs.len()];
        let case = Case { name, text };
        let unit = case.unit().unwrap();
        let mut words: Vec<[u8; 8]> =
            encode_all(unit.programs()[0].insns()).into_iter().map(|word| word.to_bytes()).collect();
        for _ in 0..=next(3) {
            let (at, byte, bit) = (next(words.len()), next(8), next(8));
            words[at][byte] ^= 1 << bit;
        }
        let words: Vec<RawInsn> = words.into_iter().map(RawInsn::from_bytes).collect();
        let Ok(insns) = decode_all(&words) else { continue };
        let insns = insns.into_iter().map(|(_, insn)| insn).collect();
        let Ok(program) = Program::new(ProgramParts::new(name, unit.programs()[0].prog_type(), insns)) else {
            continue;
        };
        let Ok(unit) = Unit::new(name, "GPL", unit.maps().to_vec(), vec![program]) else { continue };
        let options = Options { limit: 20_000, ..case.options() };
        let judged = verdict::judge(name, &unit, ProgIdx(0), &options);
        rejected += u32::from(judged.refusal.is_some_and(|r| r.rendered.contains("help: ")));
    }
    assert!(rejected > 500, "{rejected}");
}

#[test]
fn our_text_means_our_code() {
    for (name, text, _) in programs() {
        let case = Case { name: &name, text: &text };
        let unit = case.unit().expect("a program of the right shape");
        let Verdict::Rejected(fault) = case.judge() else { panic!("{name}: not rejected") };
        let insn = fault.insn.map(|insn| unit.programs()[0].insns()[insn.index()]);
        let meant = Code::of_kernel_message(&fault.kernel).map(|code| insn.map_or(code, |insn| code.at(&insn)));
        assert_eq!(meant, Some(fault.code), "{name}: {}", fault.kernel);
    }
}

#[test]
fn the_kernel_refuses_them_too() {
    if !measured("the_kernel_refuses_them_too") {
        return;
    }
    let mut wrong = Vec::new();
    let programs = programs();
    assert!(programs.len() >= 30);
    for (name, text, _) in programs {
        let case = Case { name: &name, text: &text };
        let said = case.kernel(Path::new(env!("CARGO_TARGET_TMPDIR")));
        let unit = case.unit().expect("a program of the right shape");
        let ours = case.judge();
        let ours = match &ours {
            Verdict::Rejected(fault) => fault.message(),
            _ => "",
        };
        match said {
            Ok(Some(said))
                if said.code(Some(&unit)).map(|c| c.name()).as_deref() == Some(code(&text)) && said.last == ours => {}
            other => wrong.push(format!("{name}: {other:?}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
