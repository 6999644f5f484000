//! Instructions by hand, and the skip where there is no kernel.

#![allow(dead_code)] // each test binary uses its part

pub mod pair;

use oxbpf_kernel::{KernelMap, KernelProg, LoadSpec, MapSpec, probe};

pub type Insn = [u8; 8];

pub const SOCKET_FILTER: u32 = 1;
pub const SCHED_CLS: u32 = 3;
pub const SCHED_ACT: u32 = 4;
pub const XDP: u32 = 6;
pub const CGROUP_SKB: u32 = 8;

pub const HASH: u32 = 1;
pub const ARRAY: u32 = 2;
pub const PROG_ARRAY: u32 = 3;

/// Whether the kernel can be asked; otherwise says that the test is skipped.
pub fn kernel(test: &str) -> bool {
    match probe().reason() {
        None => true,
        Some(reason) => {
            println!("{test}: skipped: {reason}");
            false
        }
    }
}

/// Whether this is the kernel that rules were measured on, which older and newer ones need not share.
pub fn measured(test: &str) -> bool {
    let availability = probe();
    let same = availability.release().is_some_and(|release| release.starts_with("6.18"));
    if !same || !cfg!(target_arch = "x86_64") {
        println!("{test}: skipped: {availability}, measured on 6.18 on x86-64");
    }
    same && cfg!(target_arch = "x86_64")
}

pub fn insn(code: u8, dst: u8, src: u8, off: i16, imm: i32) -> Insn {
    let (off, imm) = (off.to_le_bytes(), imm.to_le_bytes());
    [code, dst | src << 4, off[0], off[1], imm[0], imm[1], imm[2], imm[3]]
}

pub fn mov(dst: u8, imm: i32) -> Insn {
    insn(0xb7, dst, 0, 0, imm)
}

pub fn mov_reg(dst: u8, src: u8) -> Insn {
    insn(0xbf, dst, src, 0, 0)
}

pub fn add(dst: u8, imm: i32) -> Insn {
    insn(0x07, dst, 0, 0, imm)
}

/// `dst = *(u32 *)(src + off)`
pub fn load32(dst: u8, src: u8, off: i16) -> Insn {
    insn(0x61, dst, src, off, 0)
}

/// `dst = *(u64 *)(src + off)`
pub fn load64(dst: u8, src: u8, off: i16) -> Insn {
    insn(0x79, dst, src, off, 0)
}

/// `*(u64 *)(dst + off) = src`
pub fn store64(dst: u8, src: u8, off: i16) -> Insn {
    insn(0x7b, dst, src, off, 0)
}

/// `*(u32 *)(dst + off) = imm`
pub fn store32_imm(dst: u8, off: i16, imm: i32) -> Insn {
    insn(0x62, dst, 0, off, imm)
}

pub fn call(helper: i32) -> Insn {
    insn(0x85, 0, 0, 0, helper)
}

pub fn exit() -> Insn {
    insn(0x95, 0, 0, 0, 0)
}

pub fn map_of(dst: u8, map: &KernelMap) -> [Insn; 2] {
    [insn(0x18, dst, 1, 0, map.raw_fd()), insn(0, 0, 0, 0, 0)]
}

/// A program that leaves the context in r6 and the value of `map[0]` in r7, runs `body`, and returns r0.
pub fn with_value(map: &KernelMap, body: &[Insn]) -> Vec<Insn> {
    let mut prog = vec![mov_reg(6, 1), store32_imm(10, -4, 0)];
    prog.extend(map_of(1, map));
    prog.extend([mov_reg(2, 10), add(2, -4), call(1), insn(0x55, 0, 0, 2, 0), mov(0, 0), exit(), mov_reg(7, 0)]);
    prog.extend(body);
    prog.push(exit());
    prog
}

pub fn array(value_size: u32) -> KernelMap {
    KernelMap::create(&MapSpec::new(ARRAY, 4, value_size, 1)).unwrap()
}

pub fn load(prog_type: u32, insns: &[Insn]) -> KernelProg {
    match KernelProg::load(&LoadSpec::new(prog_type, insns)) {
        Ok(loaded) => loaded.prog,
        Err(error) => panic!("type {prog_type}: {error}"),
    }
}

/// A frame of `len` bytes with the EtherType at 12, as much of it as there is room for; the rest counts up.
pub fn frame(len: usize, ether_type: u16) -> Vec<u8> {
    let mut bytes: Vec<u8> = (0..len).map(|at| at as u8).collect();
    for (place, byte) in bytes.iter_mut().zip([2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2]) {
        *place = byte;
    }
    for (place, byte) in bytes.iter_mut().skip(12).zip(ether_type.to_be_bytes()) {
        *place = byte;
    }
    bytes
}
