//! What programs may load from and store to their context, and load from sockets: by field, width and program type.
//!
//! Pure functions over the tables of [`oxbpf_abi::ctx`]; `tests/context.rs` asks the running kernel about every
//! offset and width.

use oxbpf_abi::ProgType;
use oxbpf_abi::ctx::Shape;
use oxbpf_isa::Reg as R;

use crate::code::Code;
use crate::options::Options;
use crate::reg::{Kind, Reg, Sock};
use crate::report::{Checked, Fault};

/// What is done at an offset.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Use {
    /// A load.
    Load,
    /// A load that extends the sign.
    LoadSigned,
    /// A store.
    Store,
}

/// What a context's field holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Value {
    /// A number of the access's width.
    Number,
    /// A pointer of this kind.
    Pointer(Kind),
    /// A socket, or null.
    SockOrNull(Sock),
}

/// `BPF_XDP_DEVMAP`, of programs that a device map runs.
const ATTACH_XDP_DEVMAP: u32 = 35;

/// What an access to the context yields, `off` counted from its start.
///
/// Fails where the field may not be accessed so by programs of this type.
pub fn access(prog_type: ProgType, options: &Options, off: i32, size: u32, what: Use) -> Checked<Value> {
    legal(prog_type, options, off, size, what)
        .ok_or_else(|| Fault::new(Code::ContextAccess, format!("invalid bpf_context access off={off} size={size}")))
}

fn legal(prog_type: ProgType, options: &Options, off: i32, size: u32, what: Use) -> Option<Value> {
    let store = what == Use::Store;
    let field = prog_type.ctx().access(u32::try_from(off).ok()?, size, store)?;
    let of_devmap = field.name == "egress_ifindex" && options.attach_type == ATTACH_XDP_DEVMAP && !store;
    let allowed = if store { field.writable_by(prog_type) } else { field.readable_by(prog_type) };
    if !allowed && !of_devmap {
        return None;
    }
    let privileged = matches!(field.shape, Shape::Pointer) || field.name == "tstamp" && store;
    if prog_type == ProgType::CgroupSkb && privileged && !options.caps.bpf {
        return None;
    }
    let value = match (field.shape, field.name) {
        (Shape::Pointer, "data") => Value::Pointer(Kind::Packet),
        (Shape::Pointer, "data_meta") => Value::Pointer(Kind::PacketMeta),
        (Shape::Pointer, _) => Value::Pointer(Kind::PacketEnd),
        (Shape::Opaque, _) => Value::SockOrNull(Sock::Common),
        _ => Value::Number,
    };
    (value == Value::Number || what != Use::LoadSigned).then_some(value)
}

/// Whether a pointer, in register `reg`, is as it was given: to the context, and to others that have no inside.
///
/// Fails where it was moved.
pub fn unmoved(reg: R, pointer: &Reg) -> Checked {
    let number = reg as u8;
    let (off, tnum) = (pointer.off, pointer.num.tnum);
    if off == 0 && pointer.num.as_const() == Some(0) {
        return Ok(());
    }
    let name = pointer.type_name();
    let text = if off < 0 {
        format!("negative offset {name} ptr R{number} off={off} disallowed")
    } else if off != 0 {
        format!("dereference of modified {name} ptr R{number} off={off} disallowed")
    } else {
        format!("variable {name} access var_off=({:#x}; {:#x}) disallowed", tnum.value, tnum.mask)
    };
    Err(Fault::new(Code::ContextAccess, text))
}

/// In which widths a socket's field may be loaded.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Widths {
    /// Four bytes.
    Word,
    /// From its start, one, two or four bytes.
    Start,
    /// One, two or four aligned bytes.
    Any,
    /// A port of two bytes: those, aligned, and four from its start.
    Port,
    /// Eight bytes.
    Long,
}
use Widths::{Any, Long, Port, Start, Word};

/// Fields of `struct bpf_sock` that all sockets have: offset, size, widths.
const COMMON: &[(u32, u32, Widths)] = &[
    (0, 4, Word),   // bound_dev_if
    (4, 4, Start),  // family
    (24, 20, Any),  // src_ip4, src_ip6
    (44, 4, Start), // src_port
    (48, 4, Port),  // dst_port
    (52, 20, Any),  // dst_ip4, dst_ip6
    (72, 4, Start), // state
    (76, 4, Start), // rx_queue_mapping
];

/// Those that only full sockets have.
const FULL: &[(u32, u32, Widths)] = &[
    (8, 4, Start),  // type
    (12, 4, Start), // protocol
    (16, 4, Word),  // mark
    (20, 4, Word),  // priority
];

/// Fields of `struct bpf_tcp_sock`.
const TCP: &[(u32, u32, Widths)] = &[
    (0, 80, Word),  // snd_cwnd to rate_interval_us
    (80, 16, Long), // bytes_received, bytes_acked
    (96, 16, Word), // dsack_dups to icsk_retransmits
];

/// Fields of `struct bpf_xdp_sock`.
const XDP: &[(u32, u32, Widths)] = &[(0, 4, Word)]; // queue_id

impl Widths {
    fn take(self, inside: u32, size: u32) -> bool {
        let aligned = inside.is_multiple_of(size);
        match self {
            Word => size == 4 && aligned,
            Start => inside == 0 && size <= 4,
            Any => size <= 4 && aligned,
            Port => aligned && (size == 4 || size <= 2 && inside + size <= 2),
            Long => size == 8 && aligned,
        }
    }
}

/// Whether `size` bytes at `off` of a socket may be accessed, `base` being the register that points to it. What is
/// loaded is a number.
///
/// Fails for stores, and where no field can be loaded so.
pub fn sock_access(base: R, sock: Sock, off: i32, size: u32, store: bool) -> Checked {
    let name = Reg::pointer(Kind::Sock(sock)).type_name();
    let number = base as u8;
    if store {
        return Err(Fault::new(Code::SocketAccess, format!("R{number} cannot write into {name}")));
    }
    let tables: [&[_]; 2] = match sock {
        Sock::Common => [COMMON, &[]],
        Sock::Full => [COMMON, FULL],
        Sock::Tcp => [TCP, &[]],
        Sock::Xdp => [XDP, &[]],
    };
    let mut rows = tables.into_iter().flatten();
    let at = u32::try_from(off).ok();
    let row = at.and_then(|at| rows.find(|(start, len, _)| (*start..start + len).contains(&at)).map(|row| (at, row)));
    match row {
        Some((at, (start, _, widths))) if widths.take(at - start, size) => Ok(()),
        // The upper halves of the 64-bit fields pass the check of fields and fail when loads are rewritten.
        Some((at, (_, _, Long))) if size == 4 && at % 8 == 4 => {
            let text = "verifier bug: error during ctx access conversion (0)";
            Err(Fault::new(Code::SocketAccess, text))
        }
        _ => Err(Fault::new(Code::SocketAccess, format!("R{number} invalid {name} access off={off} size={size}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_are_loaded_whole() {
        let options = Options::default();
        let data = |size, what| access(ProgType::SchedCls, &options, 76, size, what);
        assert_eq!(data(4, Use::Load).unwrap(), Value::Pointer(Kind::Packet));
        let fault = data(4, Use::LoadSigned).unwrap_err();
        assert_eq!(fault.message(), "invalid bpf_context access off=76 size=4");
        assert!(data(2, Use::Load).is_err() && data(4, Use::Store).is_err());
        let sk = access(ProgType::SocketFilter, &options, 168, 8, Use::Load).unwrap();
        assert_eq!(sk, Value::SockOrNull(Sock::Common));
    }

    #[test]
    fn a_device_map_tells_where_packets_leave() {
        let mut options = Options::default();
        assert!(access(ProgType::Xdp, &options, 20, 4, Use::Load).is_err());
        options.attach_type = ATTACH_XDP_DEVMAP;
        assert!(access(ProgType::Xdp, &options, 20, 4, Use::Load).is_ok());
        assert!(access(ProgType::Xdp, &options, 20, 4, Use::Store).is_err());
    }

    #[test]
    fn unprivileged_cgroup_programs_see_no_packet() {
        let mut options = Options::default();
        options.caps.bpf = false;
        assert!(access(ProgType::CgroupSkb, &options, 76, 4, Use::Load).is_err());
        assert!(access(ProgType::CgroupSkb, &options, 152, 8, Use::Store).is_err());
        assert!(access(ProgType::CgroupSkb, &options, 152, 8, Use::Load).is_ok());
    }
}
