//! Functions that other files see, with the types that a call and the function itself are judged by.

use std::sync::Arc;

use oxbpf_abi::ProgType;
use oxbpf_btf::Btf;
use oxbpf_ir::{InsnId, ProgIdx, Program, ProgramParts, Unit};
use oxbpf_isa::{Slot, encode_all};
use oxbpf_kernel::{KernelBtf, KernelProg, LoadError, LoadSpec, LogPolicy, ProgBtf};
use oxbpf_verifier::{Options, Verdict, verify};

use crate::kernel::measured;

/// The types that prototypes below name, by number.
const INT: u32 = 1;
const PAIR_PTR: u32 = 3;
const CTX_PTR: u32 = 5;
const VOID_PTR: u32 = 6;
const INT_PTR: u32 = 7;
const PAIR: u32 = 2;
const CONST_PAIR_PTR: u32 = 9;

/// BTF in the making.
struct Builder {
    types: Vec<u32>,
    strings: Vec<u8>,
    count: u32,
}

impl Builder {
    /// With the types above.
    fn new() -> Builder {
        let mut b = Builder { types: Vec::new(), strings: vec![0], count: 0 };
        b.add("int", 1, 0, 4, &[0x0100_0020]);
        let (first, second) = (b.string("a"), b.string("b"));
        b.add("pair", 4, 2, 8, &[first, INT, 0, second, INT, 32]);
        b.add("", 2, 0, PAIR, &[]);
        let len = b.string("len");
        b.add("__sk_buff", 4, 1, 4, &[len, INT, 0]);
        b.add("", 2, 0, 4, &[]);
        b.add("", 2, 0, 0, &[]);
        b.add("", 2, 0, INT, &[]);
        b.add("", 10, 0, PAIR, &[]);
        b.add("", 2, 0, 8, &[]);
        b
    }

    fn string(&mut self, text: &str) -> u32 {
        let at = self.strings.len() as u32;
        self.strings.extend(text.bytes().chain([0]));
        at
    }

    fn add(&mut self, name: &str, kind: u32, vlen: u32, size: u32, more: &[u32]) -> u32 {
        let name = if name.is_empty() { 0 } else { self.string(name) };
        self.types.extend([name, kind << 24 | vlen, size]);
        self.types.extend(more);
        self.count += 1;
        self.count
    }

    fn func(&mut self, name: &str, ret: u32, params: &[u32], tag: Option<&str>) -> u32 {
        const GLOBAL: u32 = 1;
        let mut more = Vec::new();
        for param in params {
            more.extend([self.string("p"), *param]);
        }
        let proto = self.add("", 13, params.len() as u32, ret, &more);
        let func = self.add(name, 12, GLOBAL, proto, &[]);
        if let Some(tag) = tag {
            self.add(tag, 17, 0, func, &[0]);
        }
        func
    }

    fn bytes(&self) -> Vec<u8> {
        let (types, strings) = (self.types.len() as u32 * 4, self.strings.len() as u32);
        let head = [0x1_eb9f, 24, 0, types, types, strings];
        let words = head.iter().chain(&self.types).flat_map(|word| word.to_le_bytes());
        words.chain(self.strings.iter().copied()).collect()
    }
}

/// A program whose second function is global: its text, and the function's type.
struct Case {
    title: &'static str,
    text: &'static str,
    ret: u32,
    params: &'static [u32],
    tag: Option<&'static str>,
}

const fn case(title: &'static str, params: &'static [u32], text: &'static str) -> Case {
    Case { title, text, ret: INT, params, tag: None }
}

const CASES: &[Case] = &[
    case("numbers", &[INT, INT], "r1 = 1\nr2 = 2\ncall f\nexit\nf: r0 = r1\nr0 += r2\nexit"),
    case("no number", &[INT], "call f\nexit\nf: r0 = r1\nexit"),
    case("nothing passed", &[INT, INT], "r1 = 1\ncall f\nexit\nf: r0 = r1\nexit"),
    case(
        "what is returned is any number",
        &[INT],
        "r1 = 1\ncall f\nr1 = r10\nr1 += r0\nr0 = *(u8 *)(r1 - 8)\nexit\nf: r0 = 0\nexit",
    ),
    case("the context", &[CTX_PTR], "call f\nexit\nf: r0 = *(u32 *)(r1 + 0)\nexit"),
    case("the context, moved", &[CTX_PTR], "r1 += 4\ncall f\nexit\nf: r0 = 0\nexit"),
    case("no context", &[CTX_PTR], "r1 = 0\ncall f\nexit\nf: r0 = 0\nexit"),
    case(
        "memory",
        &[PAIR_PTR],
        "*(u64 *)(r10 - 8) = 0\nr1 = r10\nr1 += -8\ncall f\nexit\nf: if r1 == 0 goto out\nr0 = *(u32 *)(r1 + 4)\nout: r0 = 0\nexit",
    ),
    case(
        "memory, not checked",
        &[PAIR_PTR],
        "*(u64 *)(r10 - 8) = 0\nr1 = r10\nr1 += -8\ncall f\nexit\nf: r0 = *(u32 *)(r1 + 4)\nexit",
    ),
    case(
        "memory, beyond its end",
        &[PAIR_PTR],
        "*(u64 *)(r10 - 8) = 0\nr1 = r10\nr1 += -8\ncall f\nexit\nf: if r1 == 0 goto out\nr0 = *(u32 *)(r1 + 8)\nout: r0 = 0\nexit",
    ),
    case("memory that is too small", &[PAIR_PTR], "r1 = r10\nr1 += -4\ncall f\nexit\nf: r0 = 0\nexit"),
    case("memory not written yet", &[PAIR_PTR], "r1 = r10\nr1 += -8\ncall f\nexit\nf: r0 = 0\nexit"),
    case("null", &[PAIR_PTR], "r1 = 0\ncall f\nexit\nf: r0 = 0\nexit"),
    case("a number as memory", &[PAIR_PTR], "r1 = 4\ncall f\nexit\nf: r0 = 0\nexit"),
    case("the context as memory", &[PAIR_PTR], "call f\nexit\nf: r0 = 0\nexit"),
    case(
        "constant memory",
        &[CONST_PAIR_PTR],
        "*(u64 *)(r10 - 8) = 0\nr1 = r10\nr1 += -8\ncall f\nexit\nf: if r1 == 0 goto out\n*(u32 *)(r1 + 4) = 1\nout: r0 = 0\nexit",
    ),
    case(
        "an int's memory",
        &[INT_PTR],
        "*(u64 *)(r10 - 8) = 0\nr1 = r10\nr1 += -8\ncall f\nexit\nf: if r1 == 0 goto out\n*(u32 *)(r1 + 0) = 1\nout: r0 = 0\nexit",
    ),
    case("memory of no size", &[VOID_PTR], "r1 = 0\ncall f\nexit\nf: r0 = 0\nexit"),
    case("a structure", &[PAIR], "r1 = 0\ncall f\nexit\nf: r0 = 0\nexit"),
    case("six parameters", &[INT; 6], "r1 = 0\ncall f\nexit\nf: r0 = 0\nexit"),
    Case {
        tag: Some("arg:nonnull"),
        ..case(
            "memory, not null",
            &[PAIR_PTR],
            "*(u64 *)(r10 - 8) = 0\nr1 = r10\nr1 += -8\ncall f\nexit\nf: r0 = *(u32 *)(r1 + 4)\nexit",
        )
    },
    Case {
        tag: Some("arg:nonnull"),
        ..case("null where it will not do", &[PAIR_PTR], "r1 = 0\ncall f\nexit\nf: r0 = *(u32 *)(r1 + 4)\nexit")
    },
    Case {
        tag: Some("arg:ctx"),
        ..case("a context by its tag", &[VOID_PTR], "call f\nexit\nf: r0 = *(u32 *)(r1 + 0)\nexit")
    },
    Case { tag: Some("arg:what"), ..case("an unknown tag", &[PAIR_PTR], "r1 = 0\ncall f\nexit\nf: r0 = 0\nexit") },
    Case { tag: Some("arg:nonnull"), ..case("a number with a tag", &[INT], "r1 = 0\ncall f\nexit\nf: r0 = 0\nexit") },
    Case { ret: 0, ..case("nothing returned", &[INT], "r1 = 0\ncall f\nr0 = 0\nexit\nf: r0 = 0\nexit") },
    Case { ret: PAIR_PTR, ..case("a pointer returned", &[INT], "r1 = 0\ncall f\nr0 = 0\nexit\nf: r0 = 0\nexit") },
    case("a context returned after all", &[CTX_PTR], "call f\nr0 = 0\nexit\nf: r0 = r1\nexit"),
    case("its own stack returned", &[INT], "r1 = 0\ncall f\nr0 = 0\nexit\nf: r0 = r10\nexit"),
    case("r0 not set", &[INT], "r1 = 0\ncall f\nr0 = 0\nexit\nf: exit"),
    case("r6 from the caller", &[INT], "r6 = 1\nr1 = 0\ncall f\nr0 = r6\nexit\nf: r0 = r6\nexit"),
    case("an argument that it does not have", &[INT], "r1 = 0\nr2 = 0\ncall f\nr0 = 0\nexit\nf: r0 = r2\nexit"),
    case(
        "the packet moved by it",
        &[CTX_PTR],
        "r6 = *(u32 *)(r1 + 76)\nr7 = *(u32 *)(r1 + 80)\nr2 = r6\nr2 += 14\nif r2 > r7 goto out\ncall f\nr0 = *(u8 *)(r6 + 0)\nout: r0 = 0\nexit\nf: r2 = 0\ncall 39\nr0 = 0\nexit",
    ),
    case(
        "the packet not moved by it",
        &[CTX_PTR],
        "r6 = *(u32 *)(r1 + 76)\nr7 = *(u32 *)(r1 + 80)\nr2 = r6\nr2 += 14\nif r2 > r7 goto out\ncall f\nr0 = *(u8 *)(r6 + 0)\nout: r0 = 0\nexit\nf: call 79\nr0 = 0\nexit",
    ),
    case(
        "a division that only its caller makes safe",
        &[INT],
        "r1 = 4\ncall f\nexit\nf: r2 = r10\nr2 += -8\nr2 += r1\nr0 = *(u8 *)(r2 + 0)\nexit",
    ),
];

#[test]
fn global_functions_are_judged_as_by_the_kernel() {
    if !measured() {
        return;
    }
    let mut different = Vec::new();
    for case in CASES {
        let (ours, kernel) = (ours(case), kernel(case));
        if ours != kernel {
            different.push(format!("{}: {ours:?}, kernel {kernel:?}", case.title));
        }
    }
    println!("{} functions", CASES.len());
    assert!(different.is_empty(), "{} of {}:\n{}", different.len(), CASES.len(), different.join("\n"));
}

/// The types, and the numbers of both functions.
fn types(case: &Case) -> (Vec<u8>, [u32; 2]) {
    let mut btf = Builder::new();
    let main = btf.func("main", INT, &[CTX_PTR], None);
    let f = btf.func("f", case.ret, case.params, case.tag);
    (btf.bytes(), [main, f])
}

/// The program, and the slot at which the function starts.
fn program(case: &Case) -> (Program, Slot) {
    let insns = oxbpf_isa::text::parse(&case.text.replace("call f", "call pc+0")).expect(case.title).insns;
    let lines = case.text.lines();
    let slot = |line: usize| Slot(insns[..line].iter().map(|insn| insn.slots()).sum());
    let start = slot(lines.clone().position(|line| line.starts_with("f:")).expect("a function"));
    let calls: Vec<_> = lines.enumerate().filter(|(_, line)| line.contains("call f")).map(|(i, _)| i).collect();
    let mut insns = insns.clone();
    for at in calls {
        let distance = start.0 as i32 - slot(at).0 as i32 - 1;
        insns[at] = oxbpf_isa::Insn::Call(oxbpf_isa::CallTarget::Local(distance));
    }
    let mut parts = ProgramParts::new("main", ProgType::SchedCls, insns);
    parts.functions = vec![(start, "f".into())];
    parts.globals = vec![Slot(0), start];
    (Program::new(parts).expect(case.title), start)
}

fn ours(case: &Case) -> Option<String> {
    let btf = Btf::parse(&types(case).0).expect("types");
    let unit = Unit::new("global", "GPL", vec![], vec![program(case).0]).expect("no maps");
    let report = verify(&unit.with_types(Arc::new(btf)), ProgIdx(0), &Options::default());
    match &report.verdict {
        Verdict::Unsupported(fault) => Some(format!("unsupported {}", fault.message())),
        _ => report.fault().map(|fault| fault.message().to_string()),
    }
}

fn kernel(case: &Case) -> Option<String> {
    let (bytes, [main, f]) = types(case);
    let btf = KernelBtf::load(&bytes).expect("the kernel takes the types");
    let (program, start) = program(case);
    let records: Vec<u8> = [0, main, start.0, f].iter().flat_map(|word| word.to_le_bytes()).collect();
    assert!(program.insn_at(start.0.into()).is_some_and(|id| id != InsnId(0)));
    let words: Vec<_> = encode_all(program.insns()).into_iter().map(|word| word.to_bytes()).collect();
    let types =
        ProgBtf { btf: &btf, func_info: &records, func_info_rec_size: 8, line_info: &[], line_info_rec_size: 0 };
    let spec = LoadSpec { btf: Some(types), log: LogPolicy::Level(1), ..LoadSpec::new(3, &words) };
    match KernelProg::load(&spec) {
        Ok(_) => None,
        Err(LoadError::Rejected { log, .. }) => Some(log.last_error_line().unwrap_or_default().to_string()),
        Err(error) => panic!("{error}"),
    }
}
