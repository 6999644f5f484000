//! Context structures by field: `__sk_buff` and `xdp_md`, who may read and write what, in which widths; and what
//! belongs to a packet beside them.

use core::mem::offset_of;

use crate::ProgType;
use crate::layout::SkBuff;

/// How a field may be accessed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shape {
    /// Four bytes; loads of 1, 2 and 4 aligned bytes, stores of 4.
    U32,
    /// As `U32`, but 0xffff and above, which mean "no queue", are not stored.
    Queue,
    /// Four bytes, all at once.
    Word,
    /// Eight bytes, all at once.
    U64,
    /// `cb[]`: loads and stores of any aligned width.
    Bytes,
    /// Four bytes that yield a 64-bit packet pointer; loads of 4.
    Pointer,
    /// One byte.
    U8,
    /// A pointer to a kernel object, loaded all at once. Known to the UAPI, but engines here do not answer it.
    Opaque,
}

/// One field of a context.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// The UAPI name.
    pub name: &'static str,
    /// Byte offset in the UAPI structure.
    pub off: u32,
    /// Size in bytes, of all elements.
    pub size: u32,
    /// How it may be accessed.
    pub shape: Shape,
    /// Bytes that the kernel keeps of each element: a number's upper bytes are dropped when it is stored.
    pub kept: u32,
    /// Offset in [`SkBuff`].
    pub host: usize,
    /// Types that may load it.
    pub readers: &'static [ProgType],
    /// Types that may store it.
    pub writers: &'static [ProgType],
    /// Whether the kernel's test run takes it as input.
    pub test_run_in: bool,
    /// Whether the kernel's test run reports it afterwards.
    pub test_run_out: bool,
}

/// A context structure.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    /// The UAPI structure's name.
    pub name: &'static str,
    /// Its size in bytes.
    pub size: u32,
    /// Its fields by offset.
    pub fields: &'static [Field],
}

use ProgType::{CgroupSkb, SchedAct, SchedCls, SocketFilter, Xdp};
use Shape::{Bytes, Opaque, Pointer, Queue, U8, U32, U64, Word};

const NOBODY: &[ProgType] = &[];
const ALL: &[ProgType] = &[SocketFilter, SchedCls, SchedAct, CgroupSkb];
const TC: &[ProgType] = &[SchedCls, SchedAct];
const TC_CGROUP: &[ProgType] = &[SchedCls, SchedAct, CgroupSkb];
const CGROUP: &[ProgType] = &[CgroupSkb];
const XDP_ONLY: &[ProgType] = &[Xdp];

/// What a kernel test run does with a field.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Told {
    Refused,
    In,
    InOut,
}

macro_rules! fields {
    ($($off:literal $size:literal $name:literal $host:ident $shape:ident $kept:literal $readers:ident $writers:ident $told:ident)*) => {
        &[$(Field {
            name: $name,
            off: $off,
            size: $size,
            shape: $shape,
            kept: $kept,
            host: offset_of!(SkBuff, $host),
            readers: $readers,
            writers: $writers,
            test_run_in: matches!(Told::$told, Told::In | Told::InOut),
            test_run_out: matches!(Told::$told, Told::InOut),
        }),*]
    };
}

/// `struct __sk_buff`.
pub const SKB: Layout = Layout {
    name: "__sk_buff",
    size: 192,
    fields: fields! {
        0   4  "len"             len             U32     4 ALL       NOBODY    Refused
        4   4  "pkt_type"        pkt_type        U32     1 ALL       NOBODY    Refused
        8   4  "mark"            mark            U32     4 ALL       TC_CGROUP InOut
        12  4  "queue_mapping"   queue_mapping   Queue   2 ALL       TC        Refused
        16  4  "protocol"        protocol        U32     2 ALL       NOBODY    Refused
        20  4  "vlan_present"    vlan_present    U32     4 ALL       NOBODY    Refused
        24  4  "vlan_tci"        vlan_tci        U32     2 ALL       NOBODY    Refused
        28  4  "vlan_proto"      vlan_proto      U32     2 ALL       NOBODY    Refused
        32  4  "priority"        priority        U32     4 ALL       TC_CGROUP InOut
        36  4  "ingress_ifindex" ingress_ifindex U32     4 ALL       NOBODY    InOut
        40  4  "ifindex"         ifindex         U32     4 ALL       NOBODY    InOut
        44  4  "tc_index"        tc_index        U32     2 ALL       TC        Refused
        48  20 "cb"              cb              Bytes   4 ALL       ALL       InOut
        68  4  "hash"            hash            U32     4 ALL       NOBODY    Refused
        72  4  "tc_classid"      tc_classid      U32     2 TC        TC        Refused
        76  4  "data"            data            Pointer 4 TC_CGROUP NOBODY    Refused
        80  4  "data_end"        data_end        Pointer 4 TC_CGROUP NOBODY    Refused
        84  4  "napi_id"         napi_id         U32     4 ALL       NOBODY    Refused
        88  4  "family"          family          U32     2 CGROUP    NOBODY    Refused
        92  4  "remote_ip4"      remote_ip4      Word    4 CGROUP    NOBODY    Refused
        96  4  "local_ip4"       local_ip4       Word    4 CGROUP    NOBODY    Refused
        100 16 "remote_ip6"      remote_ip6      Word    4 CGROUP    NOBODY    Refused
        116 16 "local_ip6"       local_ip6       Word    4 CGROUP    NOBODY    Refused
        132 4  "remote_port"     remote_port     U32     2 CGROUP    NOBODY    Refused
        136 4  "local_port"      local_port      U32     2 CGROUP    NOBODY    Refused
        140 4  "data_meta"       data_meta       Pointer 4 TC        NOBODY    Refused
        144 8  "flow_keys"       data            Opaque  8 NOBODY    NOBODY    Refused
        152 8  "tstamp"          tstamp          U64     8 TC_CGROUP TC_CGROUP InOut
        160 4  "wire_len"        wire_len        U32     4 TC        NOBODY    InOut
        164 4  "gso_segs"        gso_segs        U32     2 ALL       NOBODY    InOut
        168 8  "sk"              data            Opaque  8 ALL       NOBODY    Refused
        176 4  "gso_size"        gso_size        U32     2 ALL       NOBODY    In
        180 1  "tstamp_type"     tstamp_type     U8      1 TC        NOBODY    Refused
        184 8  "hwtstamp"        hwtstamp        U64     8 TC_CGROUP NOBODY    InOut
    },
};

/// `struct xdp_md`.
pub const XDP: Layout = Layout {
    name: "xdp_md",
    size: 24,
    fields: fields! {
        0  4 "data"            data            Pointer 4 XDP_ONLY NOBODY Refused
        4  4 "data_end"        data_end        Pointer 4 XDP_ONLY NOBODY Refused
        8  4 "data_meta"       data_meta       Pointer 4 XDP_ONLY NOBODY Refused
        12 4 "ingress_ifindex" ifindex         Word    4 XDP_ONLY NOBODY Refused
        16 4 "rx_queue_index"  rx_queue_index  Word    4 XDP_ONLY NOBODY Refused
        20 4 "egress_ifindex"  egress_ifindex  Word    4 NOBODY   NOBODY Refused
    },
};

/// What belongs to a packet and `__sk_buff` does not have: classic programs and helpers ask for it. The offsets are
/// this table's own.
pub const BESIDE: Layout = Layout {
    name: "beside",
    size: 24,
    fields: fields! {
        0  4 "hatype"         hatype         U32 2 NOBODY NOBODY Refused
        4  4 "cgroup_classid" cgroup_classid U32 4 NOBODY NOBODY Refused
        8  4 "route_realm"    route_realm    U32 4 NOBODY NOBODY Refused
        16 8 "cgroup_id"      cgroup_id      U64 8 NOBODY NOBODY Refused
    },
};

impl ProgType {
    /// The context structure of programs of this type.
    pub const fn ctx(self) -> &'static Layout {
        match self {
            ProgType::Xdp => &XDP,
            ProgType::SocketFilter | ProgType::SchedCls | ProgType::SchedAct | ProgType::CgroupSkb => &SKB,
        }
    }
}

impl Layout {
    /// The field of this name.
    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|f| f.name == name)
    }

    /// The field that `size` bytes at `off` lie in, where such an access has a legal width and alignment.
    pub fn access(&self, off: u32, size: u32, write: bool) -> Option<&'static Field> {
        let end = off.checked_add(size)?;
        let field = self.fields.iter().find(|f| f.off <= off && end <= f.off + f.size)?;
        let aligned = size.is_power_of_two() && off.is_multiple_of(size);
        let legal = match field.shape {
            Shape::U32 | Shape::Queue => aligned && (size == 4 || (size < 4 && !write)),
            Shape::Word => aligned && size == 4,
            Shape::U64 => size == 8 && off == field.off,
            Shape::Bytes => aligned && size <= 8,
            Shape::Pointer => size == 4 && off == field.off && !write,
            Shape::U8 => size == 1,
            Shape::Opaque => size == 8 && off == field.off && !write,
        };
        legal.then_some(field)
    }
}

impl Field {
    /// Offset in [`SkBuff`] of what a legal access at `off` reaches.
    ///
    /// A part of a number that is at least as wide as what the kernel keeps of it reads as the whole number, wherever
    /// it starts: of `protocol`, two bytes, the upper half of the field equals the lower one. Measured on Linux 6.18.
    pub const fn host_at(&self, off: u32, size: u32) -> usize {
        let inside = off - self.off;
        match self.shape {
            Shape::U32 | Shape::Queue if size < 4 && size >= self.kept => self.host,
            _ => self.host + inside as usize,
        }
    }

    /// Whether programs of this type may load the field.
    pub fn readable_by(&self, prog_type: ProgType) -> bool {
        self.readers.contains(&prog_type)
    }

    /// Whether programs of this type may store to the field.
    pub fn writable_by(&self, prog_type: ProgType) -> bool {
        self.writers.contains(&prog_type)
    }
}
