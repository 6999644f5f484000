//! What the context's fields hold, in the kernel and in the interpreter: derived from frames, set, and stored by programs.

mod common;

use common::pair::*;
use common::{frame, measured};
use oxbpf_abi::ctx::Shape;
use oxbpf_abi::{PROG_TYPES, ProgType};
use oxbpf_isa::{Insn, MemSize, Reg};
use oxbpf_runtime::skb;

/// Every legal access of numbers: offset and size.
fn accesses(prog_type: ProgType, write: bool) -> Vec<(i16, MemSize)> {
    let layout = prog_type.ctx();
    let all = (0..layout.size).flat_map(|off| MemSize::ALL.map(|size| (off, size)));
    let legal = all.filter(|&(off, size)| {
        layout.access(off, size.bytes(), write).is_some_and(|field| {
            let number = !matches!(field.shape, Shape::Pointer | Shape::Opaque);
            number && if write { field.writable_by(prog_type) } else { field.readable_by(prog_type) }
        })
    });
    legal.map(|(off, size)| (off as i16, size)).collect()
}

/// A program in the making, and what its results mean.
struct Recorder {
    insns: Vec<Insn>,
    names: Vec<String>,
}

impl Recorder {
    fn new() -> Recorder {
        Recorder { insns: prologue(), names: Vec::new() }
    }

    fn keep(&mut self, name: String, src: Reg) {
        self.insns.push(store(MemSize::Dw, R[7], self.names.len() as i16 * 8, src));
        self.names.push(name);
    }

    fn load(&mut self, off: i16, size: MemSize, note: &str) {
        self.insns.push(load(size, R[1], R[6], off));
        self.keep(format!("{} bytes at {off}{note}", size.bytes()), R[1]);
    }

    /// The distance between two pointers.
    fn distance(&mut self, prog_type: ProgType, from: &str, to: &str) {
        let field = |name| prog_type.ctx().field(name).filter(|f| f.readable_by(prog_type));
        if let (Some(from_field), Some(to_field)) = (field(from), field(to)) {
            self.insns.push(load(MemSize::W, R[1], R[6], to_field.off as i16));
            self.insns.push(load(MemSize::W, R[2], R[6], from_field.off as i16));
            self.insns.push(sub(R[1], R[2]));
            self.keep(format!("{to} - {from}"), R[1]);
        }
    }

    fn finish(mut self, prog_type: ProgType) -> (Pair, Vec<String>) {
        self.insns.extend(end(1));
        let maps = vec![result_map(self.names.len() as u32 * 8)];
        (Pair::new(&unit(prog_type, maps, vec![self.insns])).unwrap(), self.names)
    }
}

fn reader(prog_type: ProgType) -> (Pair, Vec<String>) {
    let mut recorder = Recorder::new();
    for (off, size) in accesses(prog_type, false) {
        recorder.load(off, size, "");
    }
    recorder.distance(prog_type, "data", "data_end");
    recorder.distance(prog_type, "data_meta", "data");
    recorder.finish(prog_type)
}

fn frames() -> Vec<Vec<u8>> {
    let mut frames: Vec<Vec<u8>> = [0x0800, 0x86dd, 0x0806, 0x8100, 0x88a8, 0x0600, 0x05ff, 0x0040, 0, 0xffff]
        .map(|kind| frame(60, kind))
        .to_vec();
    for mac in [[0; 6], [1, 0, 0x5e, 0, 0, 1], [0xff; 6], [0, 0, 0, 0, 0, 2], [2, 0, 0, 0, 0, 0]] {
        let mut bytes = frame(74, 0x0800);
        bytes[..6].copy_from_slice(&mac);
        frames.push(bytes);
    }
    for kind in [0x0003u16, 0x0800] {
        let mut raw = frame(60, kind);
        raw[14..16].fill(0xff);
        frames.push(raw);
    }
    frames.extend([
        frame(14, 0x0806),
        frame(15, 0x0005),
        frame(14, 0x0005),
        frame(34, 0x0800),
        frame(54, 0x86dd),
        frame(1514, 0x0800),
    ]);
    frames.push(frame(3500, 0x86dd));
    frames
}

#[test]
fn derived_fields_read_the_same() {
    if !measured("derived_fields_read_the_same") {
        return;
    }
    let mut different = Vec::new();
    let mut compared = 0;
    for row in &PROG_TYPES {
        let (mut pair, names) = reader(row.prog_type);
        for (i, bytes) in frames().iter().enumerate() {
            let what = format!("{} frame {i} {:02x?}", row.name, &bytes[..14]);
            different.extend(compare(&mut pair, &names, &input(bytes), &what));
            compared += names.len();
        }
    }
    all_same(compared, &different);
}

const VALUES: [u64; 11] =
    [0, 1, 0x80, 77, 0x1_0000_0005, 0xffff, 0x1_0000, 0x8000_0000, 0xffff_fffe, 0xffff_ffff, 0x1234_5678_9abc_def0];

#[test]
fn fields_that_are_set_read_the_same() {
    if !measured("fields_that_are_set_read_the_same") {
        return;
    }
    let bytes = frame(60, 0x0800);
    let (mut compared, mut refused) = (0, 0);
    let mut different = Vec::new();
    for row in PROG_TYPES.iter().filter(|row| row.prog_type != ProgType::Xdp) {
        let (mut pair, names) = reader(row.prog_type);
        for field in row.prog_type.ctx().fields.iter().filter(|f| f.test_run_in) {
            for index in 0..skb::get(&input(&bytes).skb, field).len() {
                for value in VALUES {
                    let mut input = input(&bytes);
                    if skb::set_element(&mut input.skb, field.name, index, value).is_err() {
                        continue;
                    }
                    if !pair.kernel.refuses(&input).is_empty() {
                        refused += 1;
                        continue;
                    }
                    let what = format!("{} {}[{index}] = {value:#x}", row.name, field.name);
                    different.extend(compare(&mut pair, &names, &input, &what));
                    compared += 1;
                }
            }
        }
    }
    assert!(compared > 300, "{compared} contexts, {refused} refused");
    all_same(compared, &different);
}

#[test]
fn stored_fields_read_back_the_same() {
    if !measured("stored_fields_read_back_the_same") {
        return;
    }
    let mut different = Vec::new();
    let mut compared = 0;
    for row in &PROG_TYPES {
        let mut recorder = Recorder::new();
        for (off, size) in accesses(row.prog_type, true) {
            for value in VALUES {
                recorder.insns.extend([wide(R[2], value), store(size, R[6], off, R[2])]);
                recorder.load(off, size, &format!(" after {value:#x}"));
            }
            for value in [0, 7, 0xfffe, -1, 0xffff, -2, 0x1_0005, i32::MIN, i32::MAX] {
                recorder.insns.push(store_imm(size, R[6], off, value));
                recorder.load(off, size, &format!(" after {value} at once"));
            }
        }
        if recorder.names.is_empty() {
            continue;
        }
        for (off, size) in accesses(row.prog_type, false) {
            recorder.load(off, size, " at the end");
        }
        let (mut pair, names) = recorder.finish(row.prog_type);
        for bytes in [frame(60, 0x0800), frame(60, 0x86dd)] {
            different.extend(compare(&mut pair, &names, &input(&bytes), row.name));
            compared += names.len();
        }
    }
    all_same(compared, &different);
}
