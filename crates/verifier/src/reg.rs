//! What is known of a register's or a spilled slot's contents.

use oxbpf_ir::{FuncIdx, MapIdx};
use oxbpf_isa::Width;

use crate::scalar::{Link, Scalar};

/// Names equal values, pointers that are null together, and packet pointers of one base. 0 is no name.
pub type Id = u32;

/// A map, or what the maps in it look like.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct MapRef {
    /// The unit's map.
    pub map: MapIdx,
    /// Whether one of the maps in it is meant.
    pub inner: bool,
}

/// Which socket structure a pointer points to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Sock {
    /// What all sockets have: `struct bpf_sock` before it is known to be full.
    Common,
    /// `struct bpf_sock`.
    Full,
    /// `struct bpf_tcp_sock`.
    Tcp,
    /// `struct bpf_xdp_sock`.
    Xdp,
}

/// Plain memory of a known size.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Mem {
    /// Its bytes.
    pub size: u32,
    /// Whether it may only be read.
    pub read_only: bool,
    /// Whether it is a record of a ring buffer.
    pub record: bool,
}

/// What a register holds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Kind {
    /// Nothing that may be read.
    NotInit,
    /// A number.
    Scalar,
    /// The context.
    Ctx,
    /// A map.
    Map(MapRef),
    /// A value of a map.
    MapValue(MapRef),
    /// A key of a map, in a callback.
    MapKey(MapRef),
    /// The stack of this frame.
    Stack(u8),
    /// The packet from `data` on.
    Packet,
    /// The packet from `data_meta` on.
    PacketMeta,
    /// The packet's end.
    PacketEnd,
    /// Memory of a known size.
    Mem(Mem),
    /// A socket.
    Sock(Sock),
    /// A function of the program.
    Func(FuncIdx),
}

/// A register, or a spilled slot.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reg {
    /// What it holds.
    pub kind: Kind,
    /// Whether it may be null instead.
    pub or_null: bool,
    /// Whether acceptance rests on what is known of the number.
    pub precise: bool,
    /// Of a number: whether it differs from others of the same `id` by `off`, which was added at this width.
    pub linked: Option<Width>,
    /// The fixed part of a pointer's offset; of a linked number, its distance.
    pub off: i32,
    /// Of a packet pointer: the bytes from the base that a comparison proved, or one of [`BEYOND_END`], [`AT_END`].
    pub range: i32,
    /// What it is equal to, null with, or based on.
    pub id: Id,
    /// The reference that it holds.
    pub ref_id: Id,
    /// Of an inner map and its values: which look-up it came from.
    pub map_uid: Id,
    /// The number, or the variable part of a pointer's offset.
    pub num: Scalar,
}

/// [`Reg::range`] of a pointer known to be behind the packet's end.
pub const BEYOND_END: i32 = -1;
/// [`Reg::range`] of a pointer known to be the packet's end or behind it.
pub const AT_END: i32 = -2;

impl Reg {
    /// Nothing.
    pub const NOT_INIT: Reg = Reg {
        kind: Kind::NotInit,
        or_null: false,
        precise: false,
        linked: None,
        off: 0,
        range: 0,
        id: 0,
        ref_id: 0,
        map_uid: 0,
        num: Scalar::UNKNOWN,
    };

    /// A number of which nothing is known.
    pub const UNKNOWN: Reg = Reg { kind: Kind::Scalar, ..Reg::NOT_INIT };

    /// This number.
    pub const fn constant(value: u64) -> Reg {
        Reg::number(Scalar::constant(value))
    }

    /// A number in these bounds.
    pub const fn number(num: Scalar) -> Reg {
        Reg { num, ..Reg::UNKNOWN }
    }

    /// A pointer to the start of this.
    pub const fn pointer(kind: Kind) -> Reg {
        Reg { kind, num: Scalar::constant(0), ..Reg::NOT_INIT }
    }

    /// How a number is tied to others.
    pub fn link(&self) -> Link {
        Link { id: self.id, delta: self.linked.map(|width| (width, self.off)) }
    }

    /// Ties a number to others, or to none.
    pub fn set_link(&mut self, link: Link) {
        self.id = link.id;
        (self.linked, self.off) = match link.delta {
            Some((width, by)) => (Some(width), by),
            None => (None, 0),
        };
    }

    /// Whether it is a number.
    pub fn is_scalar(&self) -> bool {
        self.kind == Kind::Scalar
    }

    /// Whether it is a pointer, null or not.
    pub fn is_pointer(&self) -> bool {
        !matches!(self.kind, Kind::Scalar | Kind::NotInit)
    }

    /// The number, where it is known.
    pub fn as_const(&self) -> Option<u64> {
        if self.is_scalar() { self.num.as_const() } else { None }
    }

    /// Whether it is the number zero.
    pub fn is_null(&self) -> bool {
        self.as_const() == Some(0)
    }

    /// Whether it points into the packet.
    pub fn in_packet(&self) -> bool {
        matches!(self.kind, Kind::Packet | Kind::PacketMeta)
    }

    /// The kernel's name for what it holds.
    pub fn type_name(&self) -> String {
        let base = match self.kind {
            Kind::NotInit => "?",
            Kind::Scalar => "scalar",
            Kind::Ctx => "ctx",
            Kind::Map(_) => "map_ptr",
            Kind::MapValue(_) => "map_value",
            Kind::MapKey(_) => "map_key",
            Kind::Stack(_) => "fp",
            Kind::Packet => "pkt",
            Kind::PacketMeta => "pkt_meta",
            Kind::PacketEnd => "pkt_end",
            Kind::Mem(_) => "mem",
            Kind::Sock(Sock::Common) => "sock_common",
            Kind::Sock(Sock::Full) => "sock",
            Kind::Sock(Sock::Tcp) => "tcp_sock",
            Kind::Sock(Sock::Xdp) => "xdp_sock",
            Kind::Func(_) => "func",
        };
        let prefix = match self.kind {
            Kind::Mem(Mem { record: true, .. }) => "ringbuf_",
            Kind::Mem(Mem { read_only: true, .. }) => "rdonly_",
            _ => "",
        };
        let suffix = if self.or_null { "_or_null" } else { "" };
        format!("{prefix}{base}{suffix}")
    }
}
