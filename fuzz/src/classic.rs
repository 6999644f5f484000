//! Classic programs: a target for each reader, and one that runs what the rules allow.

use std::sync::Arc;

use oxbpf_abi::ProgType;
use oxbpf_cbpf_asm::{Format, Options, Read, read, write};
use oxbpf_cbpf2ebpf::migrate;
use oxbpf_interp::Interp;
use oxbpf_interp::classic::{Code, Packet};
use oxbpf_ir::{ProgIdx, Unit};
use oxbpf_isa::cbpf::{Insn, MAX_INSNS, Program, SockFilter, check_all};
use oxbpf_isa::text::MAX_ERRORS;
use oxbpf_runtime::skb::Link;
use oxbpf_runtime::{Engine, Env, Image, Input, Outcome};

use super::Target;
use super::reader::Bytes;

const LOOSE: Options = Options { strict: false, relax: false };
const STRICT: Options = Options { strict: true, relax: false };
const RELAXED: Options = Options { strict: false, relax: true };

macro_rules! readers {
    ($($name:ident: $about:literal, $([$format:expr, $options:expr]),+;)*) => {
        $(#[doc = $about]
        pub fn $name(bytes: &[u8]) {
            $(reader(bytes, $format, &$options);)+
        })*

        /// The targets of readers.
        pub const READERS: [Target; [$(stringify!($name)),*].len()] = [$((stringify!($name), $name)),*];
    };
}
readers! {
    classic: "Bytes in the format that they seem to be in.", [None, LOOSE];
    classic_text: "Bytes as the text of bpf_asm.",
        [Some(Format::Text), LOOSE], [Some(Format::Text), STRICT], [Some(Format::Text), RELAXED];
    classic_d: "Bytes as the listing of `tcpdump -d`.", [Some(Format::D), LOOSE];
    classic_dd: "Bytes as the table of `tcpdump -dd` or `bpf_asm -c`.",
        [Some(Format::Dd), LOOSE], [Some(Format::AsmC), LOOSE];
    classic_ddd: "Bytes as the numbers of `tcpdump -ddd`.", [Some(Format::Ddd), LOOSE];
    classic_tc: "Bytes as tc takes them.", [Some(Format::Tc), LOOSE];
    classic_c: "Bytes as an array in C.", [Some(Format::C), LOOSE];
    classic_rust: "Bytes as an array in Rust.", [Some(Format::Rust), LOOSE];
    classic_json: "Bytes as JSON.", [Some(Format::Json), LOOSE];
    classic_raw: "Bytes as `struct sock_filter` from either end.",
        [Some(Format::RawLe), LOOSE], [Some(Format::RawBe), LOOSE];
}

/// Bytes as a classic program in a format: what reads is written in every format and reads again to the same; errors
/// render.
fn reader(bytes: &[u8], format: Option<Format>, options: &Options) {
    match read(bytes, format, options) {
        Ok(read) => written(&read),
        Err(errors) => {
            assert!((1..=MAX_ERRORS).contains(&errors.len()));
            let source = String::from_utf8_lossy(bytes);
            for error in errors {
                let shown = error.render(&source, "file");
                assert!(error.line >= 1 && error.column >= 1 && error.width >= 1 && shown.contains(error.code()));
            }
        }
    }
}

fn written(program: &Read) {
    let code = &program.code;
    assert!((1..=MAX_INSNS).contains(&code.len()));
    assert!(program.places.is_empty() || program.places.len() == code.len());
    for error in check_all(code) {
        assert!(error.at < code.len() && error.code().starts_with("cbpf-") && !error.to_string().is_empty());
    }
    let typed = |code: &[SockFilter]| code.iter().map(|insn| insn.decode()).collect::<Result<Vec<Insn>, _>>();
    for row in Format::ROWS {
        // Text has no labels for jumps that lead out of the program, and no words for what is no opcode.
        let Ok(bytes) = write(row.format, code) else { continue };
        let again = read(&bytes, Some(row.format), &STRICT);
        // What instructions do not use is in no text and no listing, and what has no opcode is in no listing.
        match (row.format, typed(code)) {
            (Format::Text, insns) => assert_eq!(typed(&again.expect("text that was written reads").code), insns),
            (Format::D, Ok(insns)) => assert_eq!(typed(&again.expect("a listing reads").code), Ok(insns)),
            (Format::D, Err(_)) => {}
            (format, _) => assert_eq!(&again.expect("what was written reads").code, code, "{}", format.row().name),
        }
    }
}

/// Bytes as a program and a packet: a program that keeps the rules returns the same as it stands, and migrated.
pub fn classic_run(bytes: &[u8]) {
    let mut bytes = Bytes::new(bytes);
    let head = bytes.u8();
    let mut code: Vec<SockFilter> = (0..1 + head % 64).map(|_| SockFilter::from_le_bytes(bytes.take())).collect();
    if head & 0x80 == 0 {
        repair(&mut code);
    }
    let errors = check_all(&code);
    let program = match Program::check(&code) {
        Ok(program) => program,
        Err(error) => return assert_eq!(errors.first(), Some(&error)),
    };
    assert!(errors.is_empty());
    let prog_type = [ProgType::SchedCls, ProgType::SocketFilter][usize::from(head >> 6 & 1)];
    let link = [Link::Ethernet, Link::Ip][usize::from(bytes.u8() & 1)];
    let mut packet = Vec::new();
    while !bytes.is_empty() && packet.len() < 256 {
        packet.push(bytes.u8());
    }
    let mut input = Input::new(&packet, link);
    (input.skb.mark, input.skb.hash, input.skb.ifindex) = (7, 0x8765_4321, packet.len() as u32 % 2);
    let env = Env::default();
    let direct = Code::new(&program).run(&Packet::new(&input, prog_type.row().starts_at_l3, env.seed));
    let migrated = migrate(&program, "fuzz", prog_type).expect("what keeps the rules can be migrated");
    let unit = Unit::new("fuzz", "GPL", Vec::new(), vec![migrated.into_program()]).expect("a program without maps");
    let mut interp = Interp.prepare(&Image::unproven(Arc::new(unit), ProgIdx(0)), &env).expect("there are no maps");
    let outcome = interp.run(&input).expect("the interpreter runs everything");
    assert_eq!(outcome, Outcome::Return(direct.into()), "{:?}", program.insns());
}

/// Makes most of what bytes say keep the rules: a known opcode, jumps inside, scratch memory that exists, a `ret`.
fn repair(code: &mut [SockFilter]) {
    let len = code.len();
    for (at, insn) in code.iter_mut().enumerate() {
        let left = (len - at - 1).min(256);
        if left == 0 {
            *insn = Insn::RetA.encode();
            continue;
        }
        let known = |code: &u16| SockFilter::stmt(*code, 0).decode().is_ok_and(|i| !matches!(i, Insn::RetX));
        insn.code = (insn.code & 0xff..=0xff).chain(0..=0xff).find(known).unwrap_or(0);
        (insn.jt, insn.jf) = ((insn.jt as usize % left) as u8, (insn.jf as usize % left) as u8);
        match (SockFilter { k: 0, ..*insn }).decode() {
            Ok(Insn::LdMem(_) | Insn::LdxMem(_) | Insn::St(_) | Insn::Stx(_)) => insn.k %= 16,
            Ok(Insn::Ja(_)) => insn.k %= left as u32,
            Ok(Insn::Alu { op, .. }) if op.shifts() => insn.k %= 32,
            Ok(Insn::Alu { op, .. }) if op.divides() => insn.k = insn.k.max(1),
            _ => {}
        }
    }
}
