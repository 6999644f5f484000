//! What `trace_printk` returns for formats that are right and wrong, in the kernel and in the interpreter.

mod common;

use common::pair::*;
use common::{frame, measured};
use oxbpf_abi::{MapType, ProgType};
use oxbpf_ir::{MapDef, MapInit};

const TRACE_PRINTK: i32 = 6;

/// Formats in one program.
const AT_ONCE: usize = 40;

/// Arguments that every conversion can take: numbers, and addresses that nothing is at.
const ARGS: [[u64; 3]; 5] = [
    [0, 0, 0],
    [1, 2, 3],
    [u64::MAX, u64::MAX, u64::MAX],
    [0xffff_ffff, 0x8000_0000, 1 << 63],
    [0x1_0000_0041, 65, 10],
];

fn formats() -> Vec<Vec<u8>> {
    let mut formats: Vec<Vec<u8>> = FORMATS.iter().map(|text| [text.as_bytes(), b"\0"].concat()).collect();
    // No end, two ends, an end in between, bytes that are not ASCII.
    formats.extend([
        b"abc".to_vec(),
        b"abc\0\0".to_vec(),
        b"ab%\0d\0".to_vec(),
        b"%d\xc3\xa4\0".to_vec(),
        b"\x80\0".to_vec(),
    ]);
    formats.extend([
        b"\x01\0".to_vec(),
        b"\x7f\0".to_vec(),
        b"a\tb\x0bc\x0c\r\n\0".to_vec(),
        b"\x1b[0m\0".to_vec(),
        vec![0],
    ]);
    formats.push([&[b'x'; 200][..], b"%d\0"].concat());
    formats.push([&b"%200d%200d%200d"[..], b"\0"].concat());
    // Each byte behind each kind of conversion.
    for conversion in ["%s", "%p", "%d", "%c", "%pks", "%pK", "%pi4", "%px", "%", "%l", "%5", ""] {
        formats.extend((1..=255u8).map(|byte| [conversion.as_bytes(), &[byte, 0]].concat()));
    }
    formats
}

const FORMATS: &[&str] = &[
    "",
    "plain",
    "line\n",
    "%%",
    "100%% %d",
    "%",
    "%d",
    "%i",
    "%u",
    "%x",
    "%X",
    "%c",
    "%o",
    "%b",
    "%f",
    "%e",
    "%g",
    "%a",
    "%n",
    "%q",
    "%ld",
    "%li",
    "%lu",
    "%lx",
    "%lX",
    "%lld",
    "%lli",
    "%llu",
    "%llx",
    "%llX",
    "%lc",
    "%llc",
    "%lllu",
    "%l",
    "%ll",
    "%l%",
    "%hd",
    "%hhd",
    "%hu",
    "%hhx",
    "%zd",
    "%zu",
    "%jd",
    "%td",
    "%Lu",
    "%5d",
    "%-5d|",
    "%05d",
    "%+d",
    "% d",
    "%+5d",
    "%-+5d|",
    "%#x",
    "%#o",
    "%08x",
    "%016llx",
    "%.3d",
    "%5.3d",
    "%*d",
    "%1000d",
    "%9999d",
    "%99999999999d",
    "%-",
    "%0",
    "%5",
    "%+",
    "% ",
    "%d %d %d",
    "%d %d %d %d",
    "%d%d%d%%",
    "%%%d",
    "%d%%",
    "%d%",
    "%dd",
    "%u.%u",
    "a%cb%cc",
    "%5c|",
    "%-5c|",
    "%05c|",
    "%5u|",
    "%-5u|",
    "%05u",
    "%-05u|",
    "%0-5u|",
    "%+u",
    "% u",
    "%+x",
    "%5%",
    "%s",
    "%5s|",
    "%-5s|",
    "%.2s",
    "%ls",
    "%ss",
    "%p",
    "%pK",
    "%px",
    "%pB",
    "%ps",
    "%pS",
    "%pi4",
    "%pI4",
    "%pi6",
    "%pI6",
    "%pI",
    "%pi",
    "%pI5",
    "%p4",
    "%pa",
    "%pM",
    "%p %p",
    "%pK %px",
    "%5p|",
    "%020p",
    "%-20p|",
    "%pd",
    "%pE",
    "%pks",
    "%pus",
    "%pk",
    "%pu",
    "%pkx",
    "%pks %pus",
    "%p.",
    "%p%d",
    "%lp",
    "%llp",
    "%pU",
    "%pV",
    "%I4",
    "%pI4h",
    "%pI6c",
    "%pi4 %pI6",
    "%pf",
    "%pF",
    "%pO",
    "%pr",
];

/// Formats whose lines hold what differs from kernel to kernel: hashed or symbolic addresses.
fn line_is_comparable(format: &[u8]) -> bool {
    let text = String::from_utf8_lossy(format);
    !["%ps", "%pS", "%pB"].iter().any(|symbolic| text.contains(symbolic))
}

#[test]
fn lengths_and_refusals() {
    if !measured("lengths_and_refusals") {
        return;
    }
    let (mut different, mut count) = (Vec::new(), 0);
    // Addresses are printed as keyed hashes; one in sixteen has fewer digits than ours.
    let hashed = |format: &[u8]| format.starts_with(b"%5p|");
    let formats: Vec<_> = formats().into_iter().filter(|f| line_is_comparable(f) && !hashed(f)).collect();
    for formats in formats.chunks(AT_ONCE) {
        let mut cases = Cases::new(&mut Rng(1));
        let mut value = Vec::new();
        for format in formats {
            for args in ARGS {
                cases.push([map_value(R[1], 1, value.len() as i32), imm(R[2], format.len() as i32)]);
                cases.push([wide(R[3], args[0]), wide(R[4], args[1]), wide(R[5], args[2]), call(TRACE_PRINTK)]);
                cases.keep(format!("{:?} {args:x?}", String::from_utf8_lossy(format)), R[0]);
            }
            value.extend(format);
        }
        let mut def = MapDef::new("formats", MapType::ARRAY, 4, value.len() as u32, 1);
        def.init = MapInit::Entries(vec![(vec![0; 4], value)]);
        let (mut pair, names) = cases.finish(ProgType::SchedCls, 0, vec![def]);
        different.extend(compare(&mut pair, &names, &input(&frame(60, 0x0800)), ""));
        count += names.len();
    }
    all_same(count, &different);
}

/// Formats over what stands in memory; other arguments are numbers. Nothing follows a text that may be
/// cut off by the buffer's end, because the kernel then goes on past it.
const OF_MEMORY: [&str; 24] = [
    "%s",
    "%5s|",
    "%-12s|",
    "%012s|",
    "%pks",
    "%pus|",
    "%8pks|",
    "%pI4",
    "%pi4",
    "%pI6",
    "%pi6",
    "%20pI4|",
    "%-20pi4|",
    "%pI6 %d",
    "%pi4 %lld",
    "%s %d",
    "%s %lld",
    "%d %s %d",
    "%lld %s %c",
    "%pi4 %pI6 %d",
    "%s %s %s",
    "%s %pI6",
    "%s %pI4",
    "%s %px",
];

#[test]
fn what_stands_in_memory() {
    if !measured("what_stands_in_memory") {
        return;
    }
    let lengths = [0, 1, 4, 40, 169, 170, 171, 250, 254, 255, 256].into_iter().chain(460..514).chain([600]);
    let (mut different, mut count) = (Vec::new(), 0);
    for length in lengths {
        let mut cases = Cases::new(&mut Rng(1));
        let mut defs = Vec::new();
        for (i, format) in OF_MEMORY.iter().enumerate() {
            let mut bytes = [format.as_bytes(), b"\0"].concat();
            let size = bytes.len() as i32;
            bytes.resize(64, 0);
            bytes.extend((0..length).map(|i| b'a' + (i % 26) as u8));
            bytes.resize(704, 0);
            let mut def = MapDef::new("format", MapType::ARRAY, 4, bytes.len() as u32, 1);
            def.init = MapInit::Entries(vec![(vec![0; 4], bytes)]);
            defs.push(def);
            let index = i as i32 + 1;
            cases.push([map_value(R[1], index, 0), imm(R[2], size)]);
            let conversions =
                format.split('%').skip(1).map(|c| c.contains('s') || c.contains("pI") || c.contains("pi"));
            for (arg, memory) in [R[3], R[4], R[5]].into_iter().zip(conversions.chain([false; 3])) {
                cases.push([if memory { map_value(arg, index, 64) } else { imm(arg, -77) }]);
            }
            cases.push([call(TRACE_PRINTK)]);
            cases.keep(format!("{format} of {length} bytes"), R[0]);
        }
        let (mut pair, names) = cases.finish(ProgType::SchedCls, 0, defs);
        different.extend(compare(&mut pair, &names, &input(&frame(60, 0x0800)), ""));
        count += names.len();
    }
    all_same(count, &different);
}
