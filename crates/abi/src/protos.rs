//! What helpers take and return, in the kernel's sense: one row for each helper that networking programs may call,
//! whether it is implemented here or not. Found by asking Linux 6.18; `crates/kernel/tests/prototypes.rs` asks again.

use crate::ProgType;

/// What a helper wants in an argument register.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Arg {
    /// The program's context.
    Ctx,
    /// The program's context, or null.
    CtxOrNull,
    /// A map, from a wide load.
    Map,
    /// Readable memory of the map's key size.
    MapKey,
    /// Readable memory of the map's value size.
    MapValue,
    /// Readable memory of the map's value size, or null.
    MapValueOrNull,
    /// Writable memory of the map's value size; of a Bloom filter, readable.
    UninitMapValue,
    /// The lock in a map's value.
    Lock,
    /// The timer in a map's value.
    Timer,
    /// A kernel pointer's place in a map's value.
    KptrPlace,
    /// An object for such a place, or null; the call takes it over.
    KptrOrNull,
    /// A record that `ringbuf_reserve` gave.
    Record,
    /// The size of a record, a constant.
    RecordSize,
    /// A function of the program, called back.
    Func,
    /// Memory on the stack that goes to the function called back, or null.
    StackOrNull,
    /// Readable memory whose size is the next argument.
    Mem,
    /// Readable memory or null, size in the next argument.
    MemOrNull,
    /// Writable memory that must be initialised, size in the next argument.
    WriteMem,
    /// Writable memory, need not be initialised, size in the next argument.
    UninitMem,
    /// The same, or null.
    UninitMemOrNull,
    /// Eight writable bytes, aligned, need not be initialised.
    UninitLong,
    /// Four writable bytes, aligned, that must be initialised.
    WriteInt,
    /// A readable IPv4 header without options.
    Ipv4Header,
    /// A readable IPv6 header.
    Ipv6Header,
    /// A readable TCP header without options.
    TcpHeader,
    /// A text with a terminating zero in a map that is frozen and read-only for programs.
    ConstStr,
    /// The size of the memory before, at least 1.
    Size,
    /// The size of the memory before, 0 allowed.
    SizeOrZero,
    /// The size of a dynamic pointer's slice, a constant.
    SliceSize,
    /// A socket, of the structures that the UAPI describes.
    Sock,
    /// A socket, of those or of the kernel's own structures.
    AnySock,
    /// A task, in the kernel's own structure.
    Task,
    /// The same, or null.
    TaskOrNull,
    /// A control group, in the kernel's own structure, or null.
    CgroupOrNull,
    /// A variable of the kernel with a copy for each CPU.
    PerCpu,
    /// A dynamic pointer.
    Dynptr,
    /// A dynamic pointer to a record; the call gives it back.
    RecordDynptr,
    /// A place on the stack for a dynamic pointer.
    UninitDynptr,
    /// Anything: a number, or a pointer taken as one.
    Anything,
}

impl Arg {
    /// The size of the memory that it points to, where that does not depend on anything.
    pub const fn fixed_size(self) -> Option<u32> {
        match self {
            Arg::WriteInt => Some(4),
            Arg::UninitLong => Some(8),
            Arg::Ipv4Header | Arg::TcpHeader => Some(20),
            Arg::Ipv6Header => Some(40),
            _ => None,
        }
    }

    /// Whether null will do.
    pub const fn or_null(self) -> bool {
        use Arg::{CgroupOrNull, CtxOrNull, KptrOrNull, MapValueOrNull, MemOrNull, TaskOrNull, UninitMemOrNull};
        matches!(
            self,
            CtxOrNull
                | MapValueOrNull
                | KptrOrNull
                | Arg::StackOrNull
                | MemOrNull
                | UninitMemOrNull
                | TaskOrNull
                | CgroupOrNull
        )
    }
}

/// What a helper leaves in r0.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Ret {
    /// A number.
    Scalar,
    /// A pointer to a map value.
    MapValue,
    /// A pointer to a map value, or null.
    MapValueOrNull,
    /// A pointer to a ring buffer's record, or null.
    RecordOrNull,
    /// A pointer to a dynamic pointer's slice, or null.
    SliceOrNull,
    /// A full socket, or null.
    SockOrNull,
    /// What all sockets have, or null.
    SockCommonOrNull,
    /// A TCP socket, or null.
    TcpSockOrNull,
    /// A structure of the kernel's own, or null.
    KernelOrNull,
    /// A structure of the kernel's own.
    Kernel,
    /// A variable of the kernel, or null.
    VarOrNull,
    /// A variable of the kernel.
    Var,
    /// Nothing that a caller may rely on.
    Void,
}

/// What a helper takes and returns.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Proto {
    /// `BPF_FUNC_…` number.
    pub id: u32,
    /// The name without `bpf_`.
    pub name: &'static str,
    /// Arguments from r1 on.
    pub args: &'static [Arg],
    /// What r0 holds afterwards.
    pub ret: Ret,
    /// Whether memory that it reads may be the packet's.
    pub pkt_access: bool,
    /// Whether packet pointers from before the call are void after it.
    pub moves_packet: bool,
    /// Whether what it returns must be given back.
    pub acquires: bool,
    /// Which argument it gives back, from 1; 0 for none.
    pub releases: u8,
    /// Whether it sleeps, which networking programs may not.
    pub sleeps: bool,
}

/// Whether a word stands in a row's attributes.
macro_rules! has {
    ($word:literal in $($attr:ident)*) => { false $(|| $crate::protos::eq(stringify!($attr), $word))* };
}
pub(crate) use has;

pub(crate) const fn eq(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() != b.len() {
        return false;
    }
    let mut i = 0;
    while i < a.len() {
        if a[i] != b[i] {
            return false;
        }
        i += 1;
    }
    true
}

macro_rules! protos {
    ($($id:literal $name:ident ($($arg:ident),*) -> $ret:ident $([$($attr:ident)*])?;)*) => {
        /// The prototypes, by number; this toolchain's own helpers last.
        pub static PROTOS: &[Proto] = &[$(Proto {
            id: $id,
            name: stringify!($name),
            args: &[$(Arg::$arg),*],
            ret: Ret::$ret,
            pkt_access: has!("pkt_access" in $($($attr)*)?),
            moves_packet: has!("moves_packet" in $($($attr)*)?),
            acquires: has!("acquires" in $($($attr)*)?),
            releases: if has!("releases_1" in $($($attr)*)?) { 1 } else if has!("releases_2" in $($($attr)*)?) { 2 } else { 0 },
            sleeps: has!("sleeps" in $($($attr)*)?),
        }),*];
    };
}

protos! {
    1 map_lookup_elem (Map, MapKey) -> MapValueOrNull [pkt_access];
    2 map_update_elem (Map, MapKey, MapValue, Anything) -> Scalar [pkt_access];
    3 map_delete_elem (Map, MapKey) -> Scalar [pkt_access];
    5 ktime_get_ns () -> Scalar;
    6 trace_printk (Mem, Size) -> Scalar;
    7 get_prandom_u32 () -> Scalar;
    8 get_smp_processor_id () -> Scalar;
    9 skb_store_bytes (Ctx, Anything, Mem, Size, Anything) -> Scalar [moves_packet];
    10 l3_csum_replace (Ctx, Anything, Anything, Anything, Anything) -> Scalar [moves_packet];
    11 l4_csum_replace (Ctx, Anything, Anything, Anything, Anything) -> Scalar [moves_packet];
    12 tail_call (Ctx, Map, Anything) -> Void;
    13 clone_redirect (Ctx, Anything, Anything) -> Scalar [moves_packet];
    14 get_current_pid_tgid () -> Scalar;
    15 get_current_uid_gid () -> Scalar;
    16 get_current_comm (UninitMem, Size) -> Scalar;
    17 get_cgroup_classid (Ctx) -> Scalar;
    18 skb_vlan_push (Ctx, Anything, Anything) -> Scalar [moves_packet];
    19 skb_vlan_pop (Ctx) -> Scalar [moves_packet];
    20 skb_get_tunnel_key (Ctx, UninitMem, Size, Anything) -> Scalar;
    21 skb_set_tunnel_key (Ctx, Mem, Size, Anything) -> Scalar;
    22 perf_event_read (Map, Anything) -> Scalar;
    23 redirect (Anything, Anything) -> Scalar;
    24 get_route_realm (Ctx) -> Scalar;
    25 perf_event_output (Ctx, Map, Anything, Mem, SizeOrZero) -> Scalar;
    26 skb_load_bytes (Ctx, Anything, UninitMem, Size) -> Scalar;
    28 csum_diff (MemOrNull, SizeOrZero, MemOrNull, SizeOrZero, Anything) -> Scalar [pkt_access];
    29 skb_get_tunnel_opt (Ctx, UninitMem, Size) -> Scalar;
    30 skb_set_tunnel_opt (Ctx, Mem, Size) -> Scalar;
    31 skb_change_proto (Ctx, Anything, Anything) -> Scalar [moves_packet];
    32 skb_change_type (Ctx, Anything) -> Scalar;
    33 skb_under_cgroup (Ctx, Map, Anything) -> Scalar;
    34 get_hash_recalc (Ctx) -> Scalar;
    35 get_current_task () -> Scalar;
    37 current_task_under_cgroup (Map, Anything) -> Scalar;
    38 skb_change_tail (Ctx, Anything, Anything) -> Scalar [moves_packet];
    39 skb_pull_data (Ctx, Anything) -> Scalar [moves_packet];
    40 csum_update (Ctx, Anything) -> Scalar;
    41 set_hash_invalid (Ctx) -> Scalar;
    42 get_numa_node_id () -> Scalar;
    43 skb_change_head (Ctx, Anything, Anything) -> Scalar [moves_packet];
    44 xdp_adjust_head (Ctx, Anything) -> Scalar [moves_packet];
    46 get_socket_cookie (Ctx) -> Scalar;
    47 get_socket_uid (Ctx) -> Scalar;
    48 set_hash (Ctx, Anything) -> Scalar;
    50 skb_adjust_room (Ctx, Anything, Anything, Anything) -> Scalar [moves_packet];
    51 redirect_map (Map, Anything, Anything) -> Scalar;
    54 xdp_adjust_meta (Ctx, Anything) -> Scalar [moves_packet];
    55 perf_event_read_value (Map, Anything, UninitMem, Size) -> Scalar;
    65 xdp_adjust_tail (Ctx, Anything) -> Scalar [moves_packet];
    66 skb_get_xfrm_state (Ctx, Anything, UninitMem, Size, Anything) -> Scalar;
    68 skb_load_bytes_relative (Ctx, Anything, UninitMem, Size, Anything) -> Scalar;
    69 fib_lookup (Ctx, WriteMem, Size, Anything) -> Scalar;
    79 skb_cgroup_id (Ctx) -> Scalar;
    80 get_current_cgroup_id () -> Scalar;
    81 get_local_storage (Map, Anything) -> MapValue;
    83 skb_ancestor_cgroup_id (Ctx, Anything) -> Scalar;
    84 sk_lookup_tcp (Ctx, Mem, SizeOrZero, Anything, Anything) -> SockOrNull [pkt_access acquires];
    85 sk_lookup_udp (Ctx, Mem, SizeOrZero, Anything, Anything) -> SockOrNull [pkt_access acquires];
    86 sk_release (AnySock) -> Scalar [releases_1];
    87 map_push_elem (Map, MapValue, Anything) -> Scalar [pkt_access];
    88 map_pop_elem (Map, UninitMapValue) -> Scalar;
    89 map_peek_elem (Map, UninitMapValue) -> Scalar;
    93 spin_lock (Lock) -> Void;
    94 spin_unlock (Lock) -> Void;
    95 sk_fullsock (Sock) -> SockOrNull;
    96 tcp_sock (Sock) -> TcpSockOrNull;
    97 skb_ecn_set_ce (Ctx) -> Scalar;
    98 get_listener_sock (Sock) -> SockOrNull;
    99 skc_lookup_tcp (Ctx, Mem, SizeOrZero, Anything, Anything) -> SockCommonOrNull [pkt_access acquires];
    100 tcp_check_syncookie (AnySock, Mem, Size, Mem, Size) -> Scalar [pkt_access];
    105 strtol (Mem, Size, Anything, UninitLong) -> Scalar;
    106 strtoul (Mem, Size, Anything, UninitLong) -> Scalar;
    107 sk_storage_get (Map, AnySock, MapValueOrNull, Anything) -> MapValueOrNull;
    108 sk_storage_delete (Map, AnySock) -> Scalar;
    109 send_signal (Anything) -> Scalar;
    110 tcp_gen_syncookie (AnySock, Mem, Size, Mem, Size) -> Scalar [pkt_access];
    112 probe_read_user (UninitMem, SizeOrZero, Anything) -> Scalar;
    113 probe_read_kernel (UninitMem, SizeOrZero, Anything) -> Scalar;
    114 probe_read_user_str (UninitMem, SizeOrZero, Anything) -> Scalar;
    115 probe_read_kernel_str (UninitMem, SizeOrZero, Anything) -> Scalar;
    117 send_signal_thread (Anything) -> Scalar;
    118 jiffies64 () -> Scalar;
    120 get_ns_current_pid_tgid (Anything, Anything, UninitMem, Size) -> Scalar;
    122 get_netns_cookie (CtxOrNull) -> Scalar;
    123 get_current_ancestor_cgroup_id (Anything) -> Scalar;
    124 sk_assign (Ctx, AnySock, Anything) -> Scalar;
    125 ktime_get_boot_ns () -> Scalar;
    128 sk_cgroup_id (AnySock) -> Scalar;
    129 sk_ancestor_cgroup_id (AnySock, Anything) -> Scalar;
    130 ringbuf_output (Map, Mem, SizeOrZero, Anything) -> Scalar;
    131 ringbuf_reserve (Map, RecordSize, Anything) -> RecordOrNull [acquires];
    132 ringbuf_submit (Record, Anything) -> Void [releases_1];
    133 ringbuf_discard (Record, Anything) -> Void [releases_1];
    134 ringbuf_query (Map, Anything) -> Scalar;
    135 csum_level (Ctx, Anything) -> Scalar;
    136 skc_to_tcp6_sock (AnySock) -> KernelOrNull;
    137 skc_to_tcp_sock (AnySock) -> KernelOrNull;
    138 skc_to_tcp_timewait_sock (AnySock) -> KernelOrNull;
    139 skc_to_tcp_request_sock (AnySock) -> KernelOrNull;
    140 skc_to_udp6_sock (AnySock) -> KernelOrNull;
    141 get_task_stack (Task, UninitMem, SizeOrZero, Anything) -> Scalar;
    148 copy_from_user (UninitMem, SizeOrZero, Anything) -> Scalar [sleeps];
    149 snprintf_btf (WriteMem, Size, Mem, Size, Anything) -> Scalar;
    151 skb_cgroup_classid (Ctx) -> Scalar;
    152 redirect_neigh (Anything, MemOrNull, SizeOrZero, Anything) -> Scalar;
    153 per_cpu_ptr (PerCpu, Anything) -> VarOrNull;
    154 this_cpu_ptr (PerCpu) -> Var;
    155 redirect_peer (Anything, Anything) -> Scalar;
    156 task_storage_get (Map, TaskOrNull, MapValueOrNull, Anything) -> MapValueOrNull;
    157 task_storage_delete (Map, TaskOrNull) -> Scalar;
    158 get_current_task_btf () -> Kernel;
    160 ktime_get_coarse_ns () -> Scalar;
    163 check_mtu (Ctx, Anything, WriteInt, Anything, Anything) -> Scalar;
    164 for_each_map_elem (Map, Func, StackOrNull, Anything) -> Scalar;
    165 snprintf (UninitMemOrNull, SizeOrZero, ConstStr, MemOrNull, SizeOrZero) -> Scalar;
    169 timer_init (Timer, Map, Anything) -> Scalar;
    170 timer_set_callback (Timer, Func) -> Scalar;
    171 timer_start (Timer, Anything, Anything) -> Scalar;
    172 timer_cancel (Timer) -> Scalar;
    175 task_pt_regs (Task) -> Kernel;
    176 get_branch_snapshot (UninitMem, SizeOrZero) -> Scalar;
    177 trace_vprintk (Mem, Size, MemOrNull, SizeOrZero) -> Scalar;
    178 skc_to_unix_sock (AnySock) -> KernelOrNull;
    180 find_vma (Task, Anything, Func, StackOrNull, Anything) -> Scalar;
    181 loop (Anything, Func, StackOrNull, Anything) -> Scalar;
    182 strncmp (Mem, Size, ConstStr) -> Scalar;
    188 xdp_get_buff_len (Ctx) -> Scalar;
    189 xdp_load_bytes (Ctx, Anything, UninitMem, Size) -> Scalar;
    190 xdp_store_bytes (Ctx, Anything, Mem, Size) -> Scalar;
    191 copy_from_user_task (UninitMem, SizeOrZero, Anything, Task, Anything) -> Scalar [sleeps];
    192 skb_set_tstamp (Ctx, Anything, Anything) -> Scalar;
    194 kptr_xchg (KptrPlace, KptrOrNull) -> KernelOrNull [releases_2];
    195 map_lookup_percpu_elem (Map, MapKey, Anything) -> MapValueOrNull [pkt_access];
    196 skc_to_mptcp_sock (Sock) -> KernelOrNull;
    197 dynptr_from_mem (UninitMem, SizeOrZero, Anything, UninitDynptr) -> Scalar;
    198 ringbuf_reserve_dynptr (Map, Anything, Anything, UninitDynptr) -> Scalar [acquires];
    199 ringbuf_submit_dynptr (RecordDynptr, Anything) -> Void [releases_1];
    200 ringbuf_discard_dynptr (RecordDynptr, Anything) -> Void [releases_1];
    201 dynptr_read (UninitMem, SizeOrZero, Dynptr, Anything, Anything) -> Scalar;
    202 dynptr_write (Dynptr, Anything, Mem, SizeOrZero, Anything) -> Scalar;
    203 dynptr_data (Dynptr, Anything, SliceSize) -> SliceOrNull;
    204 tcp_raw_gen_syncookie_ipv4 (Ipv4Header, Mem, SizeOrZero) -> Scalar [pkt_access];
    205 tcp_raw_gen_syncookie_ipv6 (Ipv6Header, Mem, SizeOrZero) -> Scalar [pkt_access];
    206 tcp_raw_check_syncookie_ipv4 (Ipv4Header, TcpHeader) -> Scalar [pkt_access];
    207 tcp_raw_check_syncookie_ipv6 (Ipv6Header, TcpHeader) -> Scalar [pkt_access];
    208 ktime_get_tai_ns () -> Scalar;
    209 user_ringbuf_drain (Map, Func, StackOrNull, Anything) -> Scalar;
    210 cgrp_storage_get (Map, CgroupOrNull, MapValueOrNull, Anything) -> MapValueOrNull;
    211 cgrp_storage_delete (Map, CgroupOrNull) -> Scalar;
    0x0cbf_0000 classic_nlattr (Ctx, Anything, Anything) -> Scalar;
    0x0cbf_0001 classic_nlattr_nest (Ctx, Anything, Anything) -> Scalar;
    0x0cbf_0002 classic_pay_offset (Ctx) -> Scalar;
    0x0cbf_0003 classic_hatype (Ctx) -> Scalar;
    0x0cbf_0004 map_visit_next (Map, Anything) -> Scalar;
    0x0cbf_0005 map_visit_entry (Map, Anything, UninitMem) -> MapValueOrNull;
}

/// The prototype of the helper of this number, where networking programs may call it.
pub const fn proto(id: u32) -> Option<&'static Proto> {
    let (mut low, mut high) = (0, PROTOS.len());
    while low < high {
        let middle = (low + high) / 2;
        if PROTOS[middle].id < id {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if low < PROTOS.len() && PROTOS[low].id == id { Some(&PROTOS[low]) } else { None }
}

/// The same for programs of one type: for some, a helper has another prototype.
pub fn proto_for(id: u32, prog_type: ProgType) -> Option<&'static Proto> {
    /// The class of the packet's sender where tc knows it; elsewhere that of the current task.
    const GET_CGROUP_CLASSID: u32 = 17;
    static OF_TASK: Proto = Proto {
        id: GET_CGROUP_CLASSID,
        name: "get_cgroup_classid",
        args: &[],
        ret: Ret::Scalar,
        pkt_access: false,
        moves_packet: false,
        acquires: false,
        releases: 0,
        sleeps: false,
    };
    match (id, prog_type) {
        (GET_CGROUP_CLASSID, ProgType::SocketFilter | ProgType::Xdp | ProgType::CgroupSkb) => Some(&OF_TASK),
        _ => proto(id),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{PROG_TYPES, uapi};

    #[test]
    fn every_helper_that_networking_may_call_has_one() {
        assert!(PROTOS.is_sorted_by(|a, b| a.id < b.id), "by number, each once");
        for info in &uapi::HELPERS {
            let callable = PROG_TYPES.iter().any(|row| info.callers.allows(row.name));
            assert_eq!(proto(info.id).map(|p| p.name), callable.then_some(info.name), "{}", info.id);
        }
    }

    #[test]
    fn sizes_follow_memory() {
        use Arg::{Mem, MemOrNull, Size, SizeOrZero, UninitMem, UninitMemOrNull, WriteMem};
        for proto in PROTOS.iter().filter(|p| p.id < crate::PRIVATE_HELPERS) {
            for (i, arg) in proto.args.iter().enumerate() {
                let sized = matches!(proto.args.get(i + 1), Some(Size | SizeOrZero));
                let memory = matches!(arg, Mem | MemOrNull | UninitMem | UninitMemOrNull | WriteMem);
                assert_eq!(sized, memory, "{} r{}", proto.name, i + 1);
            }
        }
    }
}
