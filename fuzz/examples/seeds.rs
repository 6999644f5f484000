//! Writes seeds for all targets to `corpus/TARGET`, out of the example objects and captures:
//! `cargo run --example seeds` in `fuzz`.

use std::fs;
use std::path::Path;

use object::{Object, ObjectSection, SectionKind};
use oxbpf_capture::{NgWriter, Reader};
use oxbpf_cbpf_asm::filter::Link;
use oxbpf_cbpf_asm::{Format, Options, read, write};
use oxbpf_isa::cbpf::SockFilter;
use oxbpf_isa::text::{Dialect, PrintOptions, print};
use oxbpf_isa::{Insn, RawInsn, decode_all};
use oxbpf_progen::{ClassicFeatures, classic, classic_packet};

/// Captures beyond this size would only slow the fuzzer down.
const MAX_CAPTURE: usize = 16 << 10;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    for entry in fs::read_dir(&examples)?.chain(fs::read_dir(examples.join("captures"))?) {
        let path = entry?.path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        match path.extension().and_then(|e| e.to_str()) {
            Some("o") => object_seeds(&name, &fs::read(&path)?)?,
            Some("pcap") => {
                let bytes = fs::read(&path)?;
                let bytes = &bytes[..bytes.len().min(MAX_CAPTURE)];
                seed("pcap", &name, bytes)?;
                seed("pcapng", &name, &as_pcapng(bytes)?)?;
            }
            _ => {}
        }
    }
    core_seeds()?;
    filter_seeds()?;
    // What examples do not have: settings, weak symbols, maps in maps of all sorts, big-endian objects.
    for entry in fs::read_dir(examples.join("../crates/elf/tests/objects"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|e| e == "o") {
            seed("object", &path.file_stem().unwrap_or_default().to_string_lossy(), &fs::read(&path)?)?;
        }
    }
    for number in 0..32 {
        seed("interp", &format!("random-{number}"), &random(number, 600))?;
    }
    classic_seeds()
}

/// Generated programs and recorded filters, in every format for its reader.
fn classic_seeds() -> Result<(), Box<dyn std::error::Error>> {
    let features = ClassicFeatures { headers: true, hosts_own: true, packet_len: 60 };
    for number in 0..24 {
        let program = classic(number, &features);
        in_every_format(&format!("generated-{number}"), &program.encode())?;
        let insns = program.len().min(64);
        let bytes = program.encode()[..insns].iter().flat_map(|i| i.to_le_bytes()).collect::<Vec<u8>>();
        // The highest bit: as it is.
        let head = [insns as u8 - 1 | if program.len() == insns { 0x80 } else { 0 }];
        let packet = [&[0], &classic_packet(number, 60)[..]].concat();
        seed("classic_run", &format!("generated-{number}"), &[&head, &bytes[..], &packet].concat())?;
    }
    let recorded = include_str!("../../crates/cbpf-asm/tests/tcpdump.json");
    let recorded: Vec<serde_json::Value> = serde_json::from_str(recorded)?;
    for (number, filter) in recorded.iter().enumerate() {
        let ddd = filter["ddd"].as_str().ok_or("no ddd")?;
        let read = read(ddd.as_bytes(), Some(Format::Ddd), &Options::default()).map_err(|e| e[0].to_string())?;
        in_every_format(&format!("tcpdump-{number}"), &read.code)?;
    }
    Ok(())
}

fn in_every_format(name: &str, code: &[SockFilter]) -> Result<(), Box<dyn std::error::Error>> {
    for row in Format::ROWS {
        let target = match row.format {
            Format::AsmC => "classic_dd".to_string(),
            Format::RawLe | Format::RawBe => "classic_raw".to_string(),
            _ => format!("classic_{}", row.name),
        };
        let bytes = write(row.format, code)?;
        let name = format!("{name}.{}", row.name);
        seed(&target, &name, &bytes)?;
        seed("classic", &name, &bytes)?;
    }
    Ok(())
}

/// The expressions of the corpus behind the number of their link type.
fn filter_seeds() -> Result<(), Box<dyn std::error::Error>> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/filters");
    for row in Link::ROWS {
        let text = fs::read_to_string(corpus.join(format!("{}.txt", row.name)))?;
        for (i, expr) in text.lines().filter_map(|line| line.strip_prefix("> ")).enumerate() {
            seed("filter", &format!("{}-{i}", row.name), &[&[row.link as u8], expr.as_bytes()].concat())?;
        }
    }
    Ok(())
}

fn object_seeds(name: &str, bytes: &[u8]) -> Result<(), Box<dyn std::error::Error>> {
    seed("object", name, bytes)?;
    let elf = object::File::parse(bytes)?;
    for section in elf.sections().filter(|s| s.kind() == SectionKind::Text && s.size() > 0) {
        let data = section.data()?;
        let words: Vec<RawInsn> = data.as_chunks().0.iter().map(|w| RawInsn::from_bytes(*w)).collect();
        let Ok(decoded) = decode_all(&words) else { continue };
        let insns: Vec<Insn> = decoded.iter().map(|d| d.1).collect();
        let name = format!("{name}-{}", section.index());
        seed("decode", &name, data)?;
        for (row, all) in Dialect::ROWS.into_iter().flat_map(|r| [(r, false), (r, true)]) {
            let options = PrintOptions { dialect: row.dialect, labels: all, slots: all, bytes: all };
            let text = print(&insns, &options, &());
            seed("text", &format!("{name}-{}-{all}", row.name), text.as_bytes())?;
        }
    }
    let types = elf.section_by_name(".BTF").ok_or("no .BTF")?.data()?;
    let ext = elf.section_by_name(".BTF.ext").ok_or("no .BTF.ext")?.data()?;
    seed("btf", name, &[&(types.len() as u32).to_le_bytes(), types, ext].concat())
}

/// The packets of a capture in a pcapng, each with a comment.
fn as_pcapng(bytes: &[u8]) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
    let mut reader = Reader::new(bytes, "seed")?;
    let mut writer = NgWriter::new(Vec::new(), "seed")?;
    // The capture may be cut within a packet.
    while let Ok(Some(packet)) = reader.next_packet() {
        let comment = format!("packet {}", packet.number);
        writer.write_packet(packet.interface, packet.time_ns, packet.len, packet.data, &[&comment])?;
    }
    Ok(writer.finish()?)
}

/// The objects of the CO-RE tests against the types that they are adapted to there.
fn core_seeds() -> Result<(), Box<dyn std::error::Error>> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/elf/tests/core");
    let section = |file: &str, name: &str| -> Result<Vec<u8>, Box<dyn std::error::Error>> {
        let bytes = fs::read(dir.join(file))?;
        let elf = object::File::parse(&*bytes)?;
        Ok(elf.section_by_name(name).ok_or("no such section")?.data()?.to_vec())
    };
    let target = section("target.o", ".BTF")?;
    for file in ["fields.o", "bits.o", "types.o", "matches.o"] {
        let (types, ext) = (section(file, ".BTF")?, section(file, ".BTF.ext")?);
        let lens = [(types.len() as u32).to_le_bytes(), (target.len() as u32).to_le_bytes()].concat();
        seed("core", file, &[&lens, &types, &target, &ext].map(Vec::as_slice).concat())?;
    }
    Ok(())
}

fn seed(target: &str, name: &str, bytes: &[u8]) -> Result<(), Box<dyn std::error::Error>> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    fs::create_dir_all(&dir)?;
    Ok(fs::write(dir.join(name), bytes)?)
}

/// The same bytes every time (SplitMix64).
fn random(number: u64, len: usize) -> Vec<u8> {
    let mut state = number;
    let mut next = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (state ^ state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        (z ^ z >> 27) as u8
    };
    (0..len).map(|_| next()).collect()
}
