//! Our text against LLVM's assembler and disassembler, where they are installed; elsewhere the tests say that
//! they skip.

use std::collections::HashSet;
use std::io::Write;
use std::process::{Command, Stdio};

use oxbpf_isa::text::{objdump_insn, parse};
use oxbpf_isa::{CallTarget, Fields, Insn, Narrow, Reg};

/// What a tool of LLVM writes for this input, or none where it is not installed; on a development machine it must be.
fn llvm(tool: &str, args: &[&str], input: &[u8]) -> Option<Vec<u8>> {
    let child =
        Command::new(tool).args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = match child {
        Ok(child) => child,
        Err(e) => {
            let reason = format!("skipped: {tool}: {e}");
            assert!(std::env::var_os("OXBPF_DEV").is_none(), "{reason}");
            println!("{reason}");
            return None;
        }
    };
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_owned();
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && !errors.contains("warning"), "{tool}: {errors}");
    Some(output.stdout)
}

fn llvm_mc(args: &[&str], input: &str) -> Option<String> {
    let args = [&["-triple", "bpf", "-mcpu=v4"], args].concat();
    llvm("llvm-mc-19", &args, input.as_bytes()).map(|out| String::from_utf8(out).unwrap())
}

/// Operands at their edges.
fn fields() -> Vec<Fields> {
    let mut fields = Vec::new();
    for (n, imm) in [0, 1, -1, 7, 0x7fff, -0x8000, i32::MAX, i32::MIN].into_iter().enumerate() {
        for (off, next) in [(0, 0), (1, 1), (-1, -1), (-3, 0), (i16::MAX, i32::MAX), (i16::MIN, i32::MIN)] {
            fields.push(Fields { dst: Reg::ALL[n], src: Reg::ALL[10 - n], off, imm, next });
        }
    }
    fields
}

/// Why LLVM 19 at -mcpu=v4 has no text for an instruction; none where it has.
fn unknown_to_llvm(insn: &Insn) -> Option<&'static str> {
    match *insn {
        Insn::LoadAcquire { .. } | Insn::StoreRelease { .. } => Some("ordered loads and stores came with LLVM 20"),
        Insn::LdInd { imm, .. } if imm != 0 => Some("no displacement of a packet load by register"),
        Insn::JumpLong { off } if i16::try_from(off).is_err() => Some("no gotol by more than 16 bits"),
        Insn::LoadPseudo { .. } => Some("relocations say what a wide load takes the address of"),
        Insn::Call(CallTarget::Local(_) | CallTarget::Kfunc { .. }) => Some("relocations say where a call goes to"),
        _ => None,
    }
}

/// Every row with each of the operands, each instruction once.
fn insns() -> Vec<Insn> {
    let mut seen = HashSet::new();
    let all = Insn::rows().into_iter().flat_map(|row| fields().into_iter().map(move |f| row.with(&f)));
    all.filter(|i| seen.insert(*i)).collect()
}

fn known() -> Vec<Insn> {
    let known: Vec<Insn> = insns().into_iter().filter(|i| unknown_to_llvm(i).is_none()).collect();
    assert!(known.len() > 4000, "{}", known.len());
    known
}

fn bytes(insn: &Insn) -> Vec<String> {
    insn.encode().words().iter().flat_map(|w| w.to_bytes()).map(|b| format!("0x{b:02x}")).collect()
}

#[test]
fn llvm_assembles_our_text_to_our_bytes() {
    let insns = known();
    let text: String = insns.iter().map(|i| format!("{i}\n")).collect();
    let Some(listing) = llvm_mc(&["-show-encoding"], &text) else { return };
    let encodings: Vec<&str> = listing.lines().filter_map(|l| l.split_once("# encoding: ").map(|(_, e)| e)).collect();
    for (encoding, insn) in encodings.iter().zip(&insns) {
        assert_eq!(*encoding, format!("[{}]", bytes(insn).join(",")), "{insn}");
    }
    assert_eq!(encodings.len(), insns.len());
}

/// What is left out of the other test, one by one: a row that LLVM takes after all is to be compared.
#[test]
fn llvm_has_no_text_for_the_rest() {
    let zero = Fields::default();
    let edges = [Insn::LdInd { size: Narrow::W, src: Reg::R1, imm: 4 }, Insn::JumpLong { off: 0x8000 }];
    let rest = Insn::rows().into_iter().map(|r| r.with(&zero)).chain(edges).filter(|i| unknown_to_llvm(i).is_some());
    for insn in rest {
        let Some(listing) = refused_or(&insn) else { continue };
        assert_ne!(listing, format!("[{}]", bytes(&insn).join(",")), "{insn}");
    }
}

/// The encoding that llvm-mc gives our text, if it takes it.
fn refused_or(insn: &Insn) -> Option<String> {
    let mut child = Command::new("llvm-mc-19")
        .args(["-triple", "bpf", "-mcpu=v4", "-show-encoding"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    child.stdin.take()?.write_all(format!("{insn}\n").as_bytes()).ok()?;
    let output = child.wait_with_output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    output.status.success().then(|| text.lines().find_map(|l| l.split_once("# encoding: ").map(|e| e.1.to_owned())))?
}

#[test]
fn we_read_what_llvm_disassembles() {
    let insns = known();
    let hex: String = insns.iter().map(|i| bytes(i).join(" ") + "\n").collect();
    let Some(listing) = llvm_mc(&["-disassemble"], &hex) else { return };
    let source = parse(&listing).unwrap_or_else(|e| panic!("{}", e[0].render(&listing, "llvm-mc")));
    for (got, want) in source.insns.iter().zip(&insns) {
        assert_eq!(got, want, "{want}");
    }
    assert_eq!(source.insns.len(), insns.len());
}

/// llvm-objdump's listing of all rows: we write its instructions byte for byte, and read it back to the same.
#[test]
fn we_write_and_read_what_llvm_objdump_shows() {
    let insns = insns();
    let data: String = insns.iter().map(|i| format!(".byte {}\n", bytes(i).join(","))).collect();
    let Some(object) = llvm("llvm-mc-19", &["-triple", "bpf", "-filetype=obj"], data.as_bytes()) else { return };
    let Some(listing) = llvm("llvm-objdump-19", &["-d", "-"], &object) else { return };
    let listing = String::from_utf8(listing).unwrap();
    let body = &listing[listing.find("<.text>:").unwrap() + 8..];
    let lines: Vec<&str> = body.lines().filter(|l| l.contains('\t')).collect();
    assert_eq!(lines.len(), insns.len());
    for (line, insn) in lines.iter().zip(&insns) {
        let mut ours = String::new();
        objdump_insn(&mut ours, insn.encode().words());
        let shown = line.splitn(3, '\t').nth(2).unwrap();
        let shown = shown.split_once(" <.text").map_or(shown, |(insn, _)| insn);
        assert_eq!(ours, shown, "{insn}");
    }
    let source = parse(body).unwrap_or_else(|e| panic!("{}", e[0].render(body, "llvm-objdump")));
    assert_eq!(source.insns, insns);
}
