//! Listings of the example programs as bpftool 7.1 writes them: as it writes them now of what the running kernel makes of
//! them, as committed, and read back.
//!
//! What is committed is in a normal form: a map's id is its number in the order of first mention, and the distance of a
//! helper or kernel function is 65536. `BLESS=1` rewrites it out of bpftool itself.

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::Command;

use oxbpf::abi::ProgType;
use oxbpf::elf::load;
use oxbpf::ir::{ProgIdx, Unit};
use oxbpf::isa::text::{Callees, parse};
use oxbpf::isa::{RawInsn, decode_all, encode_all};
use oxbpf::listing::bpftool::{Helpers, Listed, Options, SourceLine, Symbols, print, read_bytes};
use oxbpf_kernel::{LoadedProgram, probe};

const FORMS: [(&str, Options); 3] = [
    ("plain", Options { opcodes: false, linum: false }),
    ("opcodes", Options { opcodes: true, linum: false }),
    ("linum", Options { opcodes: false, linum: true }),
];

const GOLDENS: &str = "tests/listings/bpftool";
/// Stands for every distance of a helper.
const FAR: i32 = 65536;

fn on_dev(reason: &str) {
    assert!(std::env::var_os("OXBPF_DEV").is_none(), "skipped: {reason}");
    println!("skipped: {reason}");
}

fn examples() -> Vec<(String, Unit)> {
    let dir = std::fs::read_dir("examples").expect("examples are committed");
    let mut files: Vec<_> = dir.map(|e| e.expect("readable").path()).collect();
    files.retain(|p| p.extension().is_some_and(|e| e == "o"));
    files.sort();
    let unit = |path: PathBuf| {
        let name = path.file_stem().and_then(|n| n.to_str()).expect("text").to_owned();
        let object = load(&std::fs::read(&path).expect("readable")).expect("an object");
        let roots: Vec<usize> = (0..object.programs().len()).collect();
        // Old sections tell no type, nor do those of tail calls.
        let unit = object.unit(&name, &roots, |p| p.prog_type().or(Some(ProgType::SchedCls))).expect("linked");
        (name, unit)
    };
    files.into_iter().map(unit).collect()
}

/// What bpftool says of a program; none where it cannot be asked.
fn bpftool(id: u32, form: &str) -> Option<String> {
    let id = id.to_string();
    // It mounts what it misses, which is to go with it.
    let mut arguments = vec!["-m", "bpftool", "prog", "dump", "xlated", "id", &id];
    arguments.extend((form != "plain").then_some(form));
    let output = Command::new("unshare").args(arguments).output().ok()?;
    output.status.success().then(|| String::from_utf8(output.stdout).expect("text"))
}

fn version_7_1() -> bool {
    let version = Command::new("unshare").args(["-m", "bpftool", "version"]).output();
    version.is_ok_and(|output| output.stdout.starts_with(b"bpftool v7.1."))
}

#[test]
fn listings_are_bpftools() {
    if let Some(reason) = probe().reason() {
        return on_dev(reason);
    }
    if !version_7_1() {
        return on_dev("there is no bpftool 7.1, or it cannot be run in a mount namespace of its own");
    }
    let kallsyms = std::fs::read_to_string("/proc/kallsyms").expect("readable");
    let bless = std::env::var_os("BLESS").is_some();
    let mut compared = 0;
    for (object, unit) in examples() {
        for (index, program) in unit.programs().iter().enumerate() {
            let name = format!("{object}.{}", program.name());
            let loaded = LoadedProgram::load(&unit, ProgIdx(index as u32)).unwrap_or_else(|e| panic!("{name}: {e}"));
            let id = loaded.prog.info().expect("told").id;
            let translated = loaded.prog.translated().expect("read back");
            let listed = Listed::of_translated(&translated, loaded.types.as_ref());
            // The program's own names are among the symbols only while it is loaded.
            let now = if translated.ksyms.is_empty() { None } else { std::fs::read_to_string("/proc/kallsyms").ok() };
            let symbols = Symbols::new(now.as_deref().unwrap_or(&kallsyms), &translated.ksyms);
            let normal = Normal::of(&listed.insns);
            let mut golden = format!("{}\n", Golden::text(&normal, &listed, &symbols));
            for (form, options) in FORMS {
                let theirs = bpftool(id, form).unwrap_or_else(|| panic!("{name}: bpftool fails"));
                assert_eq!(print(&listed, &options, &symbols), theirs, "{name} {form}");
                let _ = write!(golden, "== {form}\n{}", normal.text(&theirs));
                compared += 1;
            }
            if bless {
                std::fs::write(format!("{GOLDENS}/{name}.txt"), golden).expect("written");
            }
        }
    }
    println!("{compared} listings compared");
    assert!(compared >= 3 * 24, "{compared}");
}

/// Instructions without what differs from one load to the next.
struct Normal {
    was: Vec<RawInsn>,
    is: Vec<RawInsn>,
}

impl Normal {
    fn of(insns: &[RawInsn]) -> Normal {
        let mut maps = HashMap::new();
        let mut high = false;
        let normal = |insn: &RawInsn| {
            if std::mem::take(&mut high) {
                return *insn;
            }
            high = insn.code == 0x18;
            let count = maps.len() as i32;
            match (insn.code, insn.src()) {
                (0x18, 1 | 2) => RawInsn { imm: *maps.entry(insn.imm).or_insert(count), ..*insn },
                (0x85, 0) if !(0..212).contains(&insn.imm) => RawInsn { imm: FAR, ..*insn },
                (0x85, 2) => RawInsn { imm: FAR, ..*insn },
                _ => *insn,
            }
        };
        Normal { was: insns.to_vec(), is: insns.iter().map(normal).collect() }
    }

    /// A listing of the instructions as they were, made one of what they are.
    fn text(&self, listing: &str) -> String {
        let mut out = String::new();
        let mut slot = 0;
        for line in listing.lines() {
            let number = line.split_once(": (").and_then(|(n, _)| n.trim().parse::<usize>().ok());
            slot = number.unwrap_or(slot);
            let (was, is) = (self.was[slot], self.is[slot]);
            let line = match number {
                Some(_) if was.code == 0x18 => line.replace(&format!("[id:{}]", was.imm), &format!("[id:{}]", is.imm)),
                Some(_) if was.code == 0x85 => line.replace(&format!("#{}", was.imm), &format!("#{}", is.imm)),
                None if line.starts_with("       ") => line.replace(&hex(was, " "), &hex(is, " ")),
                _ => line.to_owned(),
            };
            out += &(line + "\n");
        }
        out
    }
}

fn hex(insn: RawInsn, between: &str) -> String {
    insn.to_bytes().map(|b| format!("{b:02x}")).join(between)
}

/// A program as it is committed.
#[derive(Default)]
struct Golden {
    listed: Listed,
    /// Of the calls that bpftool knows no helper's number of, in order: in the normal form their bytes do not tell.
    callees: VecDeque<String>,
    forms: HashMap<String, String>,
}

impl Golden {
    /// The program's part: declarations, lines, names of callees, instructions.
    fn text(normal: &Normal, listed: &Listed, symbols: &Symbols) -> String {
        let mut out = String::from("== program\n");
        for (slot, declared) in &listed.functions {
            let _ = writeln!(out, "function {slot} {declared}");
        }
        for SourceLine { slot, text, file, line, column } in &listed.lines {
            let _ = writeln!(out, "line {slot} {line} {column} {file}\t{text}");
        }
        for (insn, normal) in normal.was.iter().zip(&normal.is) {
            let callee = (insn.code == 0x85).then(|| symbols.callee(*insn)).flatten();
            let named = insn.src() == 0 && Helpers.helper(insn.imm).is_some();
            let callee = callee.filter(|_| !named).map_or(String::new(), |name| format!(" {name}"));
            let _ = writeln!(out, "insn {}{callee}", hex(*normal, ""));
        }
        out.pop();
        out
    }

    fn read(text: &str) -> Golden {
        let mut golden = Golden::default();
        let mut title = "";
        for line in text.lines() {
            match line.strip_prefix("== ") {
                Some(next) => title = next,
                None if title == "program" => golden.row(line),
                None => {
                    let form = golden.forms.entry(title.to_owned()).or_default();
                    *form += line;
                    form.push('\n');
                }
            }
        }
        golden
    }

    fn row(&mut self, line: &str) {
        let (kind, rest) = line.split_once(' ').expect("a kind");
        let mut words = rest.splitn(4, ' ');
        let mut number = || words.next().and_then(|w| w.parse().ok()).expect("a number");
        match kind {
            "function" => {
                let slot = number();
                self.listed.functions.push((slot, rest.split_once(' ').expect("declared").1.to_owned()));
            }
            "line" => {
                let (slot, line, column) = (number(), number(), number());
                let (file, text) = words.next().and_then(|w| w.split_once('\t')).expect("file and text");
                let (file, text) = (file.to_owned(), text.to_owned());
                self.listed.lines.push(SourceLine { slot, text, file, line, column });
            }
            "insn" => {
                let (bytes, callee) = rest.split_once(' ').unwrap_or((rest, ""));
                let bytes = u64::from_str_radix(bytes, 16).expect("bytes").to_be_bytes();
                self.callees.extend((!callee.is_empty()).then(|| callee.to_owned()));
                self.listed.insns.push(RawInsn::from_bytes(bytes));
            }
            other => panic!("{other}"),
        }
    }
}

/// Names of calls one after the other.
struct InOrder(RefCell<VecDeque<String>>);

impl Callees for InOrder {
    fn callee(&self, _: RawInsn) -> Option<String> {
        self.0.borrow_mut().pop_front()
    }

    fn helper(&self, id: i32) -> Option<String> {
        Helpers.helper(id)
    }
}

impl Golden {
    /// The instructions with calls of functions by their distance, as texts have them.
    fn with_distances(&self) -> Vec<RawInsn> {
        let distance = |insn: &RawInsn| match (insn.code, insn.src()) {
            (0x85, 1) if insn.off != 0 => RawInsn { off: 0, imm: insn.off.into(), ..*insn },
            _ => *insn,
        };
        self.listed.insns.iter().map(distance).collect()
    }
}

#[test]
fn committed_listings_are_printed_and_read_back() {
    let (mut files, mut whole) = (0, 0);
    for entry in std::fs::read_dir(GOLDENS).expect("committed") {
        let path = entry.expect("readable").path();
        let name = path.display();
        let golden = Golden::read(&std::fs::read_to_string(&path).expect("text"));
        let insns = golden.with_distances();
        for (form, options) in FORMS {
            let want = &golden.forms[form];
            assert_eq!(
                print(&golden.listed, &options, &InOrder(golden.callees.clone().into())),
                *want,
                "{name} {form}"
            );
            let source = parse(want);
            if options.opcodes {
                assert_eq!(read_bytes(want).as_ref(), Ok(&golden.listed.insns), "{name}");
            }
            match (source, decode_all(&insns)) {
                // The kernel puts instructions in that are none of a program's, and whose text is another's.
                (Err(errors), Err(_)) => assert!(errors.iter().all(|e| e.code() == "asm-not-insn"), "{name} {form}"),
                (Ok(_), Err(_)) => assert!(!options.opcodes, "{name} {form}"),
                (Err(e), Ok(_)) => panic!("{name} {form}: {}", e.render(want, "listing")),
                (Ok(source), Ok(_)) => {
                    assert_eq!(encode_all(&source.insns), insns, "{name} {form}");
                    whole += 1;
                }
            }
        }
        files += 1;
    }
    assert!(files >= 24 && whole >= 3 * (files - 2), "{files} {whole}");
}
