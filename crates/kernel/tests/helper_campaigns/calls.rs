//! Calls of helpers, with arguments that matter.

use crate::case::{CONSTANTS, Call, Case, DATA};
use crate::common::pair::*;
use oxbpf_abi::ProgType;
use oxbpf_isa::{MemSize, Reg};

/// Calls that stand beside those of the helper that a case is about.
pub fn mixed(prog_type: ProgType) -> &'static [Call] {
    const TC: &[Call] = &[
        load_bytes_relative,
        skb_load_bytes,
        skb_store_bytes,
        vlan_push,
        vlan_push,
        vlan_pop,
        change_tail,
        change_head,
        change_proto,
        adjust_room,
        adjust_room,
        clone_redirect,
        csum_level,
        set_hash,
        pull_data,
        change_type,
    ];
    const XDP: &[Call] = &[xdp_adjust_head, xdp_adjust_tail, xdp_adjust_meta, xdp_load_bytes, xdp_store_bytes];
    match prog_type {
        ProgType::SchedCls | ProgType::SchedAct => TC,
        ProgType::Xdp => XDP,
        ProgType::SocketFilter | ProgType::CgroupSkb => &[load_bytes_relative, skb_load_bytes],
    }
}

impl Case<'_> {
    /// Mostly one of these, else any number.
    fn mostly(&mut self, usual: &[u64]) -> u64 {
        match self.rng.below(12) {
            0 => self.rng.next(),
            1 => self.rng.next() & 0xffff_ffff,
            2 => 1 << self.rng.below(64),
            3 => self.rng.pick(&[0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 1 << 32, u64::MAX]),
            _ => self.rng.pick(usual),
        }
    }

    /// Flags: mostly none.
    fn flags(&mut self, known: u64) -> u64 {
        match self.rng.below(10) {
            0 => 1 << self.rng.below(64),
            1 => self.rng.next(),
            _ => known & self.rng.next(),
        }
    }

    /// About the packet's length, or a distance from it.
    fn length(&mut self) -> u64 {
        let len = self.packet.len() as u64;
        match self.rng.below(8) {
            0 => self.rng.below(64),
            1 => self.rng.below(len + 40),
            2 => self.mostly(&[0, 13, 14, 15, 18, 34, 3712, 16_003, 16_004, 16_064, 16_065, 0xffff]),
            3 => len + self.rng.below(4000),
            _ => (len + 12).saturating_sub(self.rng.below(25)),
        }
    }

    fn offset(&mut self) -> u64 {
        match self.rng.below(6) {
            0 => self.length(),
            1 => self.mostly(&[0, 0xffff, 0x1_0000]),
            _ => self.rng.below(70),
        }
    }

    /// Loads through a helper into the scratch memory: the context, an offset, memory, a size and one thing more.
    fn load(&mut self, name: &str, off: u64, size: i32, last: Option<u64>) {
        self.push([copy(R[1], R[6]), wide(R[2], off)]);
        self.scratch(R[3], size);
        self.push([imm(R[4], size)]);
        if let Some(last) = last {
            self.push([wide(R[5], last)]);
        }
        let shown = format!("{name}({off:#x}, {size}, {last:x?})");
        self.call(name, shown.clone());
        self.keep_scratch(format!("  memory of {shown}"));
    }

    fn store(&mut self, name: &str, off: u64, size: i32, last: Option<u64>) {
        self.push([copy(R[1], R[6]), wide(R[2], off)]);
        self.scratch(R[3], size);
        self.push([imm(R[4], size)]);
        if let Some(last) = last {
            self.push([wide(R[5], last)]);
        }
        self.call(name, format!("{name}({off:#x}, {size}, {last:x?})"));
    }

    fn size(&mut self) -> i32 {
        1 + self.rng.below(64) as i32
    }
}

pub fn skb_load_bytes(c: &mut Case<'_>) {
    let (off, size) = (c.offset(), c.size());
    c.load("skb_load_bytes", off, size, None);
}

pub fn load_bytes_relative(c: &mut Case<'_>) {
    let (off, size) = (c.offset(), c.size());
    let from = c.mostly(&[0, 0, 1, 1, 2]);
    c.load("skb_load_bytes_relative", off, size, Some(from));
}

pub fn skb_store_bytes(c: &mut Case<'_>) {
    let (off, size, flags) = (c.offset(), c.size(), c.flags(3));
    c.store("skb_store_bytes", off, size, Some(flags));
}

pub fn pull_data(c: &mut Case<'_>) {
    let len = c.length();
    c.call_ctx("skb_pull_data", &[len]);
}

pub fn clone_redirect(c: &mut Case<'_>) {
    // Which other interfaces there are is the host's affair.
    let (ifindex, flags) = (c.rng.pick(&[1, 1, 1, 0, 1 << 32, (1 << 32) + 1]), c.flags(1));
    c.call_ctx("clone_redirect", &[ifindex, flags]);
}

/// Calls a helper that takes no context.
fn plain(c: &mut Case<'_>, name: &str, args: &[u64]) {
    for (i, &value) in args.iter().enumerate() {
        c.push([wide(R[1 + i], value)]);
    }
    c.call(name, format!("{name}{args:x?}"));
}

pub fn redirect(c: &mut Case<'_>) {
    let (ifindex, flags) = (c.mostly(&[0, 1, 2]), c.flags(1));
    plain(c, "redirect", &[ifindex, flags]);
}

pub fn redirect_peer(c: &mut Case<'_>) {
    let (ifindex, flags) = (c.mostly(&[0, 1, 2]), c.flags(0));
    plain(c, "redirect_peer", &[ifindex, flags]);
}

pub fn redirect_neigh(c: &mut Case<'_>) {
    let (ifindex, flags) = (c.mostly(&[0, 1, 2]), c.flags(0));
    let len = c.rng.pick(&[0, 0, 1, 4, 19, 20, 20, 20, 21, 24, 64]);
    c.push([wide(R[1], ifindex)]);
    match len {
        0 => c.push([imm(R[2], 0)]),
        _ => c.scratch(R[2], len),
    }
    c.push([imm(R[3], len), wide(R[4], flags)]);
    c.call("redirect_neigh", format!("redirect_neigh({ifindex:#x}, {len}, {flags:#x})"));
}

pub fn vlan_push(c: &mut Case<'_>) {
    let protocol = c.mostly(&[0x0081, 0xa888, 0, 8, 0x8100, 0x88a8]);
    let tci = c.mostly(&[0, 1, 0x0fff, 0x1000, 0xe001, 0xffff, 0x1_0005]);
    c.call_ctx("skb_vlan_push", &[protocol, tci]);
}

pub fn vlan_pop(c: &mut Case<'_>) {
    c.call_ctx("skb_vlan_pop", &[]);
}

pub fn change_tail(c: &mut Case<'_>) {
    let (len, flags) = (c.length(), c.flags(0));
    c.call_ctx("skb_change_tail", &[len, flags]);
}

pub fn change_head(c: &mut Case<'_>) {
    let flags = c.flags(0);
    let room = match c.rng.below(4) {
        0 if c.gso_size == 0 => c.length(),
        // The kernel lets packets that stand for several grow to megabytes.
        _ if c.gso_size > 0 => c.rng.below(3000),
        1 => (16_064 - c.packet.len() as u64 + 2).saturating_sub(c.rng.below(5)),
        _ => c.rng.below(100),
    };
    c.call_ctx("skb_change_head", &[room, flags]);
}

pub fn change_proto(c: &mut Case<'_>) {
    let (to, flags) = (c.mostly(&[0x0008, 0xdd86, 0xdd86, 0x0008, 0x0608, 0x0800]), c.flags(0));
    c.call_ctx("skb_change_proto", &[to, flags]);
}

pub fn change_type(c: &mut Case<'_>) {
    let to = c.mostly(&[0, 1, 2, 3, 3, 4, 5, 6, 7, 8]);
    c.call_ctx("skb_change_type", &[to]);
}

pub fn adjust_room(c: &mut Case<'_>) {
    let difference = match c.rng.below(10) {
        0 => c.mostly(&[0xfff, 0x1000, (-0xfff_i64) as u64, (-0x1000_i64) as u64]),
        1 => (c.packet.len() as u64).wrapping_sub(54).wrapping_neg().wrapping_add(c.rng.below(40)).wrapping_sub(20),
        2 => 0,
        3..7 => c.rng.below(80),
        _ => (c.rng.below(80)).wrapping_neg(),
    };
    let mode = c.mostly(&[0, 0, 1, 1, 2]);
    let one = c.rng.pick(&[0u64, 0, 1, 2, 4, 2 | 8, 4 | 16, 2 | 64, 4 | 16 | 64, 0x20, 0x80, 0x100, 0x180, 6, 0x18]);
    let mut flags = one | if c.rng.below(4) == 0 { 0x1ff & c.rng.next() } else { 0 };
    if c.rng.below(4) == 0 {
        flags |= c.rng.pick(&[0, 13, 14, 15, 20, 255]) << 56;
    }
    if c.rng.below(20) == 0 {
        flags = c.rng.next();
    }
    c.call_ctx("skb_adjust_room", &[difference, mode, flags]);
}

pub fn csum_update(c: &mut Case<'_>) {
    let sum = c.mostly(&[0, 1, 0xffff]);
    c.call_ctx("csum_update", &[sum]);
}

pub fn csum_level(c: &mut Case<'_>) {
    for _ in 0..1 + c.rng.below(4) {
        let what = c.mostly(&[0, 1, 1, 1, 2, 3, 4]);
        c.call_ctx("csum_level", &[what]);
    }
    c.call_ctx("csum_level", &[0]);
}

pub fn set_hash(c: &mut Case<'_>) {
    let hash = c.mostly(&[0, 1, 77]);
    c.call_ctx("set_hash", &[hash]);
}

/// The hash of a packet that has none is each host's own: it is forgotten at once.
pub fn get_hash_recalc(c: &mut Case<'_>) {
    if c.rng.below(4) > 0 {
        set_hash(c);
        c.call_ctx("get_hash_recalc", &[]);
        return;
    }
    c.push([copy(R[1], R[6]), call(34)]);
    c.call_ctx("set_hash_invalid", &[]);
}

pub fn set_hash_invalid(c: &mut Case<'_>) {
    set_hash(c);
    c.call_ctx("set_hash_invalid", &[]);
}

pub fn get_cgroup_classid(c: &mut Case<'_>) {
    c.call_ctx("get_cgroup_classid", &[]);
}

pub fn skb_cgroup_classid(c: &mut Case<'_>) {
    c.call_ctx("skb_cgroup_classid", &[]);
}

pub fn skb_cgroup_id(c: &mut Case<'_>) {
    c.call_ctx("skb_cgroup_id", &[]);
}

pub fn get_route_realm(c: &mut Case<'_>) {
    c.call_ctx("get_route_realm", &[]);
}

fn change_of(c: &mut Case<'_>, usual: &[i64]) -> u64 {
    match c.rng.below(3) {
        0 => c.rng.pick(usual) as u64,
        1 => c.mostly(&[0, 1, 4]),
        _ => (c.rng.below(80) as i64 - 40) as u64,
    }
}

pub fn xdp_adjust_head(c: &mut Case<'_>) {
    let len = c.packet.len() as i64;
    let by = change_of(c, &[-216, -217, -220, -256, -180, len - 14, len - 13, len, 0]);
    c.call_ctx("xdp_adjust_head", &[by]);
}

pub fn xdp_adjust_tail(c: &mut Case<'_>) {
    let len = c.packet.len() as i64;
    let by = change_of(c, &[3520 - len, 3521 - len, 14 - len, 13 - len, -len, 4096, 0]);
    c.call_ctx("xdp_adjust_tail", &[by]);
}

pub fn xdp_adjust_meta(c: &mut Case<'_>) {
    let by = match c.rng.below(3) {
        0 => (c.rng.below(20) as i64 * -4) as u64,
        _ => change_of(c, &[-216, -217, -212, -220, -256, -3, -2, -32, 4, 0]),
    };
    c.call_ctx("xdp_adjust_meta", &[by]);
}

pub fn xdp_get_buff_len(c: &mut Case<'_>) {
    c.call_ctx("xdp_get_buff_len", &[]);
}

pub fn xdp_load_bytes(c: &mut Case<'_>) {
    let (off, size) = (c.offset(), c.size());
    c.load("xdp_load_bytes", off, size, None);
}

pub fn xdp_store_bytes(c: &mut Case<'_>) {
    let (off, size) = (c.offset(), c.size());
    c.store("xdp_store_bytes", off, size, None);
}

/// Texts that are numbers, nearly numbers, or none.
const NUMBERS: [&str; 44] = [
    "0",
    "1",
    "7",
    "10",
    "42",
    "-1",
    "-42",
    "+5",
    "--1",
    "",
    " ",
    " 12",
    "\t\n 12",
    "- 1",
    "0x",
    "0x1f",
    "0X1F",
    "x1f",
    "0xg",
    "08",
    "017",
    "0777",
    "-017",
    "-0x10",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "-9223372036854775809",
    "18446744073709551615",
    "18446744073709551616",
    "0x7fffffffffffffff",
    "0xffffffffffffffff",
    "0x10000000000000000",
    "777777777777777777777",
    "1777777777777777777777",
    "2000000000000000000000",
    "12abc",
    "abc",
    "fF",
    "1 2",
    "00000000000000000000000000000000000000000000000000000000000000000001",
    "                                                                  7",
    "\x0b\x0c\r8",
    "1_000",
];

fn number(c: &mut Case<'_>, name: &str) {
    let mut text = c.rng.pick(&NUMBERS).as_bytes().to_vec();
    match c.rng.below(6) {
        0 => text.push(0),
        1 => text.extend([0xa0, b'1']),
        2 => text.insert(0, c.rng.next() as u8),
        3 => {
            let digits = c.rng.below(24) as usize;
            text = (0..digits).map(|_| b'0' + c.rng.below(10) as u8).collect();
        }
        _ => {}
    }
    if text.is_empty() {
        text.push(0);
    }
    let (at, len) = (c.place(&text), text.len() as i32);
    let base = c.mostly(&[0, 0, 0, 8, 10, 10, 16, 16, 2, 31, 32]);
    c.push([map_value(R[1], DATA, at), imm(R[2], len), wide(R[3], base), copy(R[4], R[10]), add(R[4], -8)]);
    c.push([store_imm(MemSize::Dw, R[10], -8, 0x5a5a)]);
    let shown = format!("{name}({:?}, {base:#x})", String::from_utf8_lossy(&text));
    c.call(name, shown.clone());
    c.push([load(MemSize::Dw, R[1], R[10], -8)]);
    c.keep(format!("  result of {shown}"), R[1]);
}

pub fn strtol(c: &mut Case<'_>) {
    number(c, "strtol");
}

pub fn strtoul(c: &mut Case<'_>) {
    number(c, "strtoul");
}

pub fn strncmp(c: &mut Case<'_>) {
    let text = |rng: &mut Rng| -> Vec<u8> {
        let mut text: Vec<u8> = b"abcdefgh"[..rng.below(9) as usize].to_vec();
        if let Some(byte) = text.last_mut().filter(|_| rng.below(3) == 0) {
            *byte = 1 + rng.below(255) as u8;
        }
        text
    };
    let (a, b) = (text(c.rng), text(c.rng));
    let (at, constant) = (c.place(&[&a[..], &[0; 8]].concat()), c.constant(&b));
    let size = 1 + c.rng.below(a.len() as u64 + 4) as i32;
    c.push([map_value(R[1], DATA, at), imm(R[2], size), map_value(R[3], CONSTANTS, constant)]);
    c.call("strncmp", format!("strncmp({a:x?}, {size}, {b:x?})"));
}

/// What a conversion prints.
#[derive(Clone, Copy)]
enum Wants {
    Number,
    Text,
    Bytes,
}

/// How many conversions are of numbers, how many with plain texts, how many with those that `%p` reads.
const NUMBERS_ONLY: usize = 14;
const NO_FOREIGN: usize = 15;
const FOREIGN: usize = CONVERSIONS.len();

const CONVERSIONS: [(&str, Wants); 19] = [
    ("d", Wants::Number),
    ("i", Wants::Number),
    ("u", Wants::Number),
    ("x", Wants::Number),
    ("X", Wants::Number),
    ("c", Wants::Number),
    ("ld", Wants::Number),
    ("lu", Wants::Number),
    ("lx", Wants::Number),
    ("lld", Wants::Number),
    ("lli", Wants::Number),
    ("llu", Wants::Number),
    ("llX", Wants::Number),
    ("px", Wants::Number),
    ("s", Wants::Text),
    ("pks", Wants::Text),
    ("pi4", Wants::Bytes),
    ("pI4", Wants::Bytes),
    ("pI6", Wants::Bytes),
];

/// Where arguments stand below the frame pointer, out of the scratch memory.
const ARGUMENTS: i32 = 256;

/// A format of right conversions; its arguments are put where r8 then points.
///
/// Conversions are the first so many of the list. With [`FOREIGN`] ones the text must fit: where the kernel's buffer is
/// full before them, it goes on with the wrong arguments.
fn format(c: &mut Case<'_>, conversions: u64, known: usize) -> Vec<u8> {
    let mut text = Vec::new();
    c.push([copy(R[8], R[10]), add(R[8], -ARGUMENTS)]);
    for i in 0..13 {
        c.push([store_imm(MemSize::Dw, R[8], i * 8, 0)]);
    }
    for i in 0..conversions {
        let literal: &[u8] = c.rng.pick(&[&b""[..], b"a", b" = ", b"%%", b"\xc3\xa4", b"100%% "]);
        text.extend(literal);
        let (conversion, wants) = c.rng.pick(&CONVERSIONS[..known]);
        text.push(b'%');
        let flags: &[u8] =
            c.rng.pick(&[&b""[..], b"", b"", b"0", b"-", b"+", b" ", b"-0", b"5", b"08", b"-12", b"+9", b"30"]);
        text.extend(flags);
        text.extend(conversion.bytes());
        text.push(c.rng.pick(b" .,|:"));
        match wants {
            Wants::Number => {
                let value = c.mostly(&[0, 1, 65, 10, 0x7fff_ffff, 0x8000_0000, u64::MAX, 1 << 63]);
                c.push([wide(R[1], value)]);
            }
            Wants::Text => {
                let len = c.rng.pick(if known > NO_FOREIGN { &[0, 1, 5, 20] } else { &[0, 1, 5, 20, 100, 200] });
                let mut bytes: Vec<u8> = (0..len).map(|i: usize| b'a' + (i % 26) as u8).collect();
                bytes.resize(len + 1, 0);
                let at = c.place(&bytes);
                c.push([map_value(R[1], DATA, at)]);
            }
            Wants::Bytes => {
                let bytes = c.rng.bytes(16);
                let at = c.place(&bytes);
                c.push([map_value(R[1], DATA, at)]);
            }
        }
        c.push([store(MemSize::Dw, R[8], i as i16 * 8, R[1])]);
    }
    text
}

pub fn trace_vprintk(c: &mut Case<'_>) {
    let conversions = c.rng.pick(&[0, 1, 2, 3, 5, 12, 13]);
    // What becomes of a format by one more byte may print an address.
    let known = c.rng.pick(&[NUMBERS_ONLY, NO_FOREIGN, FOREIGN]);
    let mut text = format(c, conversions, known);
    if known == NUMBERS_ONLY && c.rng.below(2) == 0 {
        let at = c.rng.below(text.len() as u64 + 1) as usize;
        let byte = c.rng.next() as u8;
        text.insert(at, byte);
    }
    text.push(0);
    let at = c.place(&text);
    let size = text.len() as i32 - i32::from(c.rng.below(12) == 0 && text.len() > 1);
    arguments(c, conversions, R[3], R[4]);
    c.push([map_value(R[1], DATA, at), imm(R[2], size)]);
    c.call("trace_vprintk", format!("trace_vprintk({:?}, {size})", String::from_utf8_lossy(&text)));
}

/// Points to the arguments, mostly with their size.
fn arguments(c: &mut Case<'_>, count: u64, ptr: Reg, size: Reg) {
    let bytes = match c.rng.below(12) {
        0 => c.rng.below(105),
        1 => count.saturating_sub(1) * 8,
        _ => count * 8,
    };
    if bytes == 0 && c.rng.below(2) == 0 {
        c.push([imm(ptr, 0)]);
    } else {
        c.push([copy(ptr, R[8])]);
    }
    c.push([imm(size, bytes as i32)]);
}

pub fn snprintf(c: &mut Case<'_>) {
    let (known, room) = match c.rng.below(2) {
        0 => (FOREIGN, 128),
        _ => (NO_FOREIGN, c.rng.pick(&[0, 1, 2, 10, 64, 128])),
    };
    let conversions = if known == FOREIGN { 1 + c.rng.below(2) } else { c.rng.pick(&[0, 1, 2, 3, 5, 12]) };
    let text = format(c, conversions, known);
    let constant = c.constant(&text);
    // The verifier checks the format against the arguments.
    let bytes = conversions * 8;
    match room {
        0 => c.push([imm(R[1], 0)]),
        _ => c.scratch(R[1], room),
    }
    c.push([imm(R[2], room), map_value(R[3], CONSTANTS, constant), copy(R[4], R[8]), imm(R[5], bytes as i32)]);
    let shown = format!("snprintf({room}, {:?})", String::from_utf8_lossy(&text));
    c.call("snprintf", shown.clone());
    c.keep_scratch(format!("  memory of {shown}"));
}
