//! What each fuzz target does with its bytes.
//!
//! [`TARGETS`] lists them. A target returns where all is well, whatever the bytes are, and panics where a
//! promise is broken; time and memory are bounded by the fuzzer's own limits.
//!
//! The bodies stand here and not in a crate of the workspace, so that nothing that is built for users depends
//! on them; `tests/fuzz_regressions.rs` of the root package includes this file by its path and replays the
//! committed inputs on a stable compiler.

mod captures;
mod classic;
mod filter;
mod interp;
mod json;
mod maps;
mod reader;
mod records;
mod steps;

use oxbpf_abi::ProgType;
use oxbpf_btf::core::CoreTarget;
use oxbpf_btf::{Btf, BtfExt};
use oxbpf_elf::ObjProgram;
use oxbpf_isa::text::{Dialect, MAX_ERRORS, PrintOptions, convert, detect, parse_as, print};
use oxbpf_isa::{Insn, RawInsn, decode_all, encode_all};

pub use captures::{compressed, pcap, pcapng};
pub use classic::*;
pub use filter::filter;
pub use interp::interp;
pub use json::ctx_json;
pub use maps::map_json;
pub use records::core;

/// A target by name.
pub type Target = (&'static str, fn(&[u8]));

/// All targets; each has a file in `fuzz_targets`.
pub const TARGETS: [Target; 23] = [
    ("core", core),
    ("decode", decode),
    ("text", text),
    ("object", object),
    ("btf", btf),
    ("pcap", pcap),
    ("pcapng", pcapng),
    ("compressed", compressed),
    ("ctx_json", ctx_json),
    ("map_json", map_json),
    ("interp", interp),
    READERS[0],
    READERS[1],
    READERS[2],
    READERS[3],
    READERS[4],
    READERS[5],
    READERS[6],
    READERS[7],
    READERS[8],
    READERS[9],
    ("classic_run", classic_run),
    ("filter", filter),
];

/// Programs of one object that are linked each for itself.
const MAX_ROOTS: usize = 32;

/// Bytes as instructions: what decodes encodes to the same bytes.
pub fn decode(bytes: &[u8]) {
    let (words, _) = bytes.as_chunks();
    let words: Vec<RawInsn> = words.iter().map(|w| RawInsn::from_bytes(*w)).collect();
    match decode_all(&words) {
        Ok(decoded) => {
            let insns: Vec<Insn> = decoded.iter().map(|d| d.1).collect();
            assert_eq!(encode_all(&insns), words);
        }
        Err(error) => {
            assert!(error.slot.index() < words.len() && !error.to_string().is_empty());
            assert!(error.code().starts_with("isa-"));
        }
    }
}

/// Bytes as text in each dialect: what parses prints, and parses again to the same instructions; errors render.
pub fn text(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let detected = detect(text);
    for dialect in Dialect::ROWS.map(|r| r.dialect) {
        match parse_as(text, dialect) {
            Ok(source) => {
                assert_eq!(source.insns.len(), source.positions.len());
                for all in [false, true] {
                    let options = PrintOptions { dialect, labels: all, slots: all, bytes: all };
                    let printed = print(&source.insns, &options, &());
                    let again = parse_as(&printed, dialect).map_err(|errors| errors.render(&printed, "printed"));
                    assert_eq!(again.expect("what was printed parses").insns, source.insns, "{printed}");
                }
                // Names may mean something else in the other dialect; it is written in any case.
                assert!(convert(text, dialect, detected).is_ok());
            }
            Err(errors) => {
                assert!((1..=MAX_ERRORS).contains(&errors.len()));
                for error in errors.iter() {
                    assert!(error.line >= 1 && error.column >= 1 && error.width >= 1);
                    assert!(error.render(text, "file").contains(error.code()));
                }
            }
        }
    }
}

/// What the kernel's configuration says in [`object`].
const CONFIG: &str = "# Linux/x86 6.18.0 Kernel Configuration\nCONFIG_HZ=250\nCONFIG_BPF=y\nCONFIG_IPV6=m\n\
    CONFIG_NET_CLS_BPF=m\nCONFIG_DEFAULT_HOSTNAME=\"(none)\"\nCONFIG_TOO_WIDE=0x8000\n";

/// Bytes as an object: its listing, every program by itself, then all of them, in a unit; without and with settings.
pub fn object(bytes: &[u8]) {
    let sound = |error: &oxbpf_elf::ElfError| !error.code().is_empty() && !error.to_string().is_empty();
    if let Ok(found) = oxbpf_elf::inspect(bytes) {
        assert!(found.sections.iter().all(|s| s.flag_letters().len() <= 5 && s.type_name() != Some("")));
        assert!(found.relocations.iter().all(|r| r.kind_name() != Some("")));
    }
    let mut object = match oxbpf_elf::load(bytes) {
        Ok(object) => object,
        Err(error) => return assert!(sound(&error)),
    };
    for map in 0..object.maps().len() {
        assert!(object.map_contents(map).count() <= bytes.len() && object.map_fault(map).is_none_or(sound));
    }
    assert_eq!(object.map_sources().count(), object.maps().len());
    linked(&object);
    object.resolve_kconfig(&oxbpf_elf::Kconfig::parse(CONFIG));
    assert!(object.externs().iter().all(|e| !e.name().is_empty() && e.value().is_none_or(|v| !v.is_empty())));
    // Its own types are what it is adapted to, so that most records have an answer.
    if let Some(types) = object.types().cloned() {
        let target = CoreTarget::new(types);
        object.relocate_core(&target);
        for record in object.core_relocations() {
            let _ = (record.local().len(), record.answer(&target).len());
        }
    }
    linked(&object);
}

/// Links every program by itself, then all of them.
fn linked(object: &oxbpf_elf::Object) {
    let type_of = |p: &ObjProgram| p.prog_type().or(Some(ProgType::SchedCls));
    let link = |roots: &[usize]| match object.unit_to_list("fuzz", roots, type_of) {
        Ok(unit) => {
            assert!(unit.programs().len() >= roots.len() && unit.maps().len() <= object.maps().len());
            assert!(!object.is_big_endian() || object.unit("fuzz", roots, type_of).is_err());
            None
        }
        Err(error) => {
            assert!(!error.code().is_empty() && !error.to_string().is_empty());
            Some(error)
        }
    };
    let all: Vec<usize> = (0..object.programs().len()).collect();
    let survey = object.survey();
    for root in all.iter().take(MAX_ROOTS) {
        let alone = link(&[*root]);
        // Linked together programs may be too large, which each of them is not.
        assert!(alone.is_none() || survey[*root].fault.is_some(), "{alone:?}");
    }
    link(&all);
    for program in object.programs().iter().take(MAX_ROOTS) {
        let _ = object.select(Some(&format!("{}/{}", program.section(), program.name())));
    }
    let _ = (object.select(None).is_ok(), object.license().len(), object.notes().len());
}

/// Bytes as `.BTF` with `.BTF.ext` behind it, the first four bytes telling the length of `.BTF`.
pub fn btf(bytes: &[u8]) {
    let Some((len, bytes)) = bytes.split_first_chunk() else { return };
    let len = (u32::from_le_bytes(*len) as usize).min(bytes.len());
    let (types, ext) = bytes.split_at(len);
    let btf = match Btf::parse(types) {
        Ok(btf) => btf,
        Err(error) => return assert!(error.code().starts_with("btf-") && !error.to_string().is_empty()),
    };
    for (id, t) in btf.types() {
        let _ = (btf.resolve(id), btf.size_of(id), btf.func(id));
        for (name, member) in btf.members(id) {
            let _ = (name.len(), btf.size_of(member.target));
        }
        let name = btf.str(t.name());
        assert!(name.len() <= oxbpf_btf::MAX_STR);
        let _ = (btf.find(t.kind(), name), btf.datasec(name));
    }
    match BtfExt::parse(ext, &btf) {
        Ok(ext) => {
            for line in ext.sections().iter().flat_map(|s| &s.lines) {
                let _ = (btf.str(line.file), btf.str(line.line_text));
            }
        }
        Err(error) => assert!(error.code().starts_with("btf-") && !error.to_string().is_empty()),
    }
}
