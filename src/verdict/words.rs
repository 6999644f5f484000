//! What is known of a register, in words.

use oxbpf_ir::{Program, Unit};
use oxbpf_verifier::{AT_END, BEYOND_END, Kind, MapRef, Reg, Sock};

/// A clause on what a register holds, as of a frame at this depth.
///
/// ```
/// use oxbpf::ir::{Program, ProgramParts, Unit};
/// use oxbpf::verdict::words;
/// use oxbpf::verifier::{Kind, Reg};
///
/// let insns = oxbpf::isa::text::parse("r0 = 0\nexit").unwrap().insns;
/// let program = Program::new(ProgramParts::new("p", oxbpf::abi::ProgType::SchedCls, insns)).unwrap();
/// let unit = Unit::new("u", "GPL", vec![], vec![]).unwrap();
/// let packet = Reg { off: 12, ..Reg::pointer(Kind::Packet) };
/// assert_eq!(words::register(&unit, &program, 0, &packet), "packet data+12, 0 bytes proved");
/// assert_eq!(words::register(&unit, &program, 0, &Reg::constant(7)), "number 7");
/// ```
pub fn register(unit: &Unit, program: &Program, depth: usize, reg: &Reg) -> String {
    let map = |map: MapRef| {
        let name = unit.maps().get(map.map.index()).map_or("?", |def| def.name.as_str());
        if map.inner { format!("a map in {name}") } else { format!("map {name}") }
    };
    let at = |what: &str| format!("{what}{}", offset(reg));
    let mut words = match reg.kind {
        Kind::NotInit => return "not set".to_string(),
        Kind::Scalar => return number(reg),
        Kind::Ctx => at("context"),
        Kind::Map(m) => at(&map(m)),
        Kind::MapValue(m) => at(&format!("value of {}", map(m))),
        Kind::MapKey(m) => at(&format!("key of {}", map(m))),
        Kind::Stack(frame) if usize::from(frame) == depth => at("stack r10"),
        Kind::Stack(frame) => at(&format!("stack of frame {frame}, its r10")),
        Kind::Packet => format!("{}, {}", at("packet data"), proved(reg)),
        Kind::PacketMeta => format!("{}, {}", at("packet data_meta"), proved(reg)),
        Kind::PacketEnd => at("packet data_end"),
        Kind::Mem(mem) => {
            let what = if mem.record { "record" } else { "memory" };
            let only = if mem.read_only { ", to be read only" } else { "" };
            format!("{}{only}", at(&format!("{what} of {} bytes", mem.size)))
        }
        Kind::Sock(sock) => at(socket(sock)),
        Kind::Func(func) => {
            let name = program.functions().get(func.index()).map_or("?", |f| f.name.as_str());
            format!("function {name}")
        }
    };
    if reg.or_null {
        words.push_str(", or null");
    }
    words
}

const fn socket(sock: Sock) -> &'static str {
    match sock {
        Sock::Common => "socket, perhaps not a full one",
        Sock::Full => "socket",
        Sock::Tcp => "TCP socket",
        Sock::Xdp => "XDP socket",
    }
}

/// The bytes from the base that comparisons proved.
fn proved(reg: &Reg) -> String {
    match reg.range {
        BEYOND_END => "behind the packet's end".to_string(),
        AT_END => "at the packet's end or behind".to_string(),
        1 => "1 byte proved".to_string(),
        n => format!("{} bytes proved", n.max(0)),
    }
}

/// `+12`, `-8+(0..255)`, or nothing.
fn offset(reg: &Reg) -> String {
    let fixed = i64::from(reg.off) + reg.num.as_const().unwrap_or(0) as i64;
    let mut words = if fixed == 0 { String::new() } else { format!("{fixed:+}") };
    if reg.num.as_const().is_none() {
        words.push_str(&format!("+({})", bounds(reg)));
    }
    words
}

fn number(reg: &Reg) -> String {
    match reg.num.as_const() {
        // Small negative numbers are meant as such.
        Some(n) if (n as i64) < 0 && (n as i64) >= -0x8000_0000 => format!("number {}", n as i64),
        Some(n) if n > 0xffff => format!("number {n:#x}"),
        Some(n) => format!("number {n}"),
        None => format!("number {}", bounds(reg)),
    }
}

/// The bounds that say most: unsigned or signed, whichever are closer.
fn bounds(reg: &Reg) -> String {
    let num = &reg.num;
    let shown = |n: u64| if n > 0xffff { format!("{n:#x}") } else { n.to_string() };
    let unsigned = num.umax - num.umin;
    // Two's complement: the width of the signed range as an unsigned number.
    let signed = num.smax.wrapping_sub(num.smin) as u64;
    match (unsigned.min(signed), unsigned <= signed) {
        (u64::MAX, _) => "of any size".to_string(),
        (_, true) if num.umin >= (1 << 63) => format!("{}..{}", num.smin, num.smax),
        (_, true) if num.umax == u64::MAX => format!("from {} on, unsigned", shown(num.umin)),
        (_, true) => format!("{}..{}", shown(num.umin), shown(num.umax)),
        (_, false) => match (num.smin, num.smax) {
            (i64::MIN, max) => format!("up to {max}, or any negative one"),
            (min, i64::MAX) => format!("from {min} on"),
            (min, max) => format!("{min}..{max}"),
        },
    }
}
