//! The program types and map types of Linux 6.18, by number, and kernel functions that networking programs call.

use super::{KfuncInfo, MapTypeInfo, ProgTypeInfo};

const fn prog(id: u32, name: &'static str, since: &'static str, runs: &'static str) -> ProgTypeInfo {
    ProgTypeInfo { id, name, since, runs }
}

/// All program types, from number 1 on without gaps.
pub const PROG_TYPES: [ProgTypeInfo; 32] = [
    prog(1, "socket_filter", "3.19", "a filter on a socket: how many bytes of a packet it keeps"),
    prog(2, "kprobe", "4.1", "at a function of the kernel or of a user program"),
    prog(3, "sched_cls", "4.1", "tc's classifier, and tcx and netkit"),
    prog(4, "sched_act", "4.1", "tc's action"),
    prog(5, "tracepoint", "4.7", "at a tracepoint"),
    prog(6, "xdp", "4.8", "on a packet in the driver, before there is an skb"),
    prog(7, "perf_event", "4.9", "at a sample of a perf event"),
    prog(8, "cgroup_skb", "4.10", "on packets of the sockets of a cgroup"),
    prog(9, "cgroup_sock", "4.10", "when a cgroup makes, binds or closes a socket"),
    prog(10, "lwt_in", "4.10", "on packets that a route takes in"),
    prog(11, "lwt_out", "4.10", "on packets that a route sends out"),
    prog(12, "lwt_xmit", "4.10", "on packets that a route transmits, to change them"),
    prog(13, "sock_ops", "4.13", "at events of TCP connections of a cgroup"),
    prog(14, "sk_skb", "4.14", "on the stream of a socket in a map"),
    prog(15, "cgroup_device", "4.15", "when a cgroup opens a device"),
    prog(16, "sk_msg", "4.17", "on what is sent through a socket in a map"),
    prog(17, "raw_tracepoint", "4.17", "at a tracepoint, with its bare arguments"),
    prog(18, "cgroup_sock_addr", "4.17", "on addresses in system calls of a cgroup"),
    prog(19, "lwt_seg6local", "4.18", "as an action of segment routing"),
    prog(20, "lirc_mode2", "4.18", "on pulses of infrared"),
    prog(21, "sk_reuseport", "4.19", "to choose a socket of a reuseport group"),
    prog(22, "flow_dissector", "4.20", "to dissect flows"),
    prog(23, "cgroup_sysctl", "5.2", "when a cgroup reads or writes a system control"),
    prog(24, "raw_tracepoint_writable", "5.2", "at a tracepoint whose arguments may be changed"),
    prog(25, "cgroup_sockopt", "5.3", "on socket options of a cgroup"),
    prog(26, "tracing", "5.5", "at entry or exit of a function, and as an iterator"),
    prog(27, "struct_ops", "5.6", "as a function of a kernel interface, such as congestion control"),
    prog(28, "ext", "5.6", "in place of a function of another program"),
    prog(29, "lsm", "5.7", "at a hook of the security modules"),
    prog(30, "sk_lookup", "5.9", "to choose the socket of a connection"),
    prog(31, "syscall", "5.14", "when a user runs it"),
    prog(32, "netfilter", "6.4", "at a hook of netfilter"),
];

const fn map(id: u32, since: &'static str, key: &'static str, value: &'static str, is: &'static str) -> MapTypeInfo {
    MapTypeInfo { id, since, key, value, is }
}

/// All map types, from number 1 on without gaps; their names are in [`crate::MAP_TYPES`].
pub const MAP_TYPES: [MapTypeInfo; 33] = [
    map(1, "3.19", "any bytes", "any bytes", "a hash table"),
    map(2, "3.19", "u32 index", "any bytes", "an array; entries always exist"),
    map(3, "4.2", "u32 index", "u32 program", "programs for tail calls"),
    map(4, "4.3", "u32 index", "u32 perf event", "perf events, by CPU"),
    map(5, "4.6", "any bytes", "any bytes, for each CPU", "a hash table with a value for each CPU"),
    map(6, "4.6", "u32 index", "any bytes, for each CPU", "an array with a value for each CPU"),
    map(7, "4.6", "u32 stack id", "u64 addresses", "stack traces"),
    map(8, "4.8", "u32 index", "u32 cgroup", "cgroups"),
    map(9, "4.10", "any bytes", "any bytes", "a hash table that gives up what was not used lately"),
    map(10, "4.10", "any bytes", "any bytes, for each CPU", "the same with a value for each CPU"),
    map(11, "4.11", "u32 prefix length and bytes", "any bytes", "longest prefix match"),
    map(12, "4.12", "u32 index", "u32 map", "an array of maps"),
    map(13, "4.12", "any bytes", "u32 map", "a hash table of maps"),
    map(14, "4.14", "u32 index", "u32 ifindex, or with a program", "devices to send XDP packets to"),
    map(15, "4.14", "u32 index", "socket", "sockets"),
    map(16, "4.15", "u32 CPU", "u32 queue size, or with a program", "CPUs to send XDP packets to"),
    map(17, "4.18", "u32 queue", "socket", "AF_XDP sockets"),
    map(18, "4.18", "any bytes", "socket", "sockets by key"),
    map(19, "4.19", "cgroup and attach type", "any bytes", "storage of a cgroup for a program"),
    map(20, "4.19", "u32 index", "socket", "sockets of a reuseport group"),
    map(21, "4.20", "cgroup and attach type", "any bytes, for each CPU", "the same for each CPU"),
    map(22, "4.20", "none", "any bytes", "first in, first out"),
    map(23, "4.20", "none", "any bytes", "last in, first out"),
    map(24, "5.2", "socket", "any bytes", "storage of sockets"),
    map(25, "5.4", "u32 key", "u32 ifindex, or with a program", "devices by key"),
    map(26, "5.6", "u32 zero", "functions", "functions of a kernel interface"),
    map(27, "5.8", "none", "none", "a ring buffer from programs to users"),
    map(28, "5.10", "inode", "any bytes", "storage of inodes"),
    map(29, "5.11", "task", "any bytes", "storage of tasks"),
    map(30, "5.16", "none", "any bytes", "a set that may be wrong when it says yes"),
    map(31, "6.1", "none", "none", "a ring buffer from users to programs"),
    map(32, "6.2", "cgroup", "any bytes", "storage of cgroups"),
    map(33, "6.9", "none", "none", "pages that programs and users share"),
];

const fn kfunc(
    name: &'static str,
    returns: &'static str,
    params: &'static str,
    since: &'static str,
    does: &'static str,
) -> KfuncInfo {
    KfuncInfo { name, returns, params, since, does }
}

/// Kernel functions that networking programs call. They have no numbers: a program names them, and the running kernel's
/// BTF tells the rest. Parameters are those of 6.18.
#[rustfmt::skip]
pub const KFUNCS: &[KfuncInfo] = &[
    kfunc("bpf_dynptr_from_skb", "int", "struct __sk_buff *s, u64 flags, struct bpf_dynptr *ptr__uninit", "6.4", "a dynamic pointer to the packet"),
    kfunc("bpf_dynptr_from_skb_meta", "int", "struct __sk_buff *skb_, u64 flags, struct bpf_dynptr *ptr__uninit", "6.18", "a dynamic pointer to the metadata in front of the packet"),
    kfunc("bpf_dynptr_from_xdp", "int", "struct xdp_md *x, u64 flags, struct bpf_dynptr *ptr__uninit", "6.4", "a dynamic pointer to the packet of XDP"),
    kfunc("bpf_dynptr_slice", "void *", "const struct bpf_dynptr *p, u32 offset, void *buffer__opt, u32 buffer__szk", "6.4", "a slice to read, copied into a buffer where it is not in one piece"),
    kfunc("bpf_dynptr_slice_rdwr", "void *", "const struct bpf_dynptr *p, u32 offset, void *buffer__opt, u32 buffer__szk", "6.4", "a slice to write"),
    kfunc("bpf_dynptr_adjust", "int", "const struct bpf_dynptr *p, u32 start, u32 end", "6.5", "moves start and end of a dynamic pointer"),
    kfunc("bpf_dynptr_is_null", "bool", "const struct bpf_dynptr *p", "6.5", "whether a dynamic pointer is null"),
    kfunc("bpf_dynptr_is_rdonly", "bool", "const struct bpf_dynptr *p", "6.5", "whether it may only be read"),
    kfunc("bpf_dynptr_size", "__u32", "const struct bpf_dynptr *p", "6.5", "how many bytes it has"),
    kfunc("bpf_dynptr_clone", "int", "const struct bpf_dynptr *p, struct bpf_dynptr *clone__uninit", "6.5", "another dynamic pointer to the same"),
    kfunc("bpf_dynptr_copy", "int", "struct bpf_dynptr *dst_ptr, u32 dst_off, struct bpf_dynptr *src_ptr, u32 src_off, u32 size", "6.17", "copies bytes between dynamic pointers"),
    kfunc("bpf_dynptr_memset", "int", "struct bpf_dynptr *p, u32 offset, u32 size, u8 val", "6.18", "fills bytes of a dynamic pointer"),
    kfunc("bpf_skb_ct_alloc", "struct nf_conn___init *", "struct __sk_buff *skb_ctx, struct bpf_sock_tuple *bpf_tuple, u32 tuple__sz, struct bpf_ct_opts *opts, u32 opts__sz", "6.0", "a new connection of connection tracking"),
    kfunc("bpf_skb_ct_lookup", "struct nf_conn *", "struct __sk_buff *skb_ctx, struct bpf_sock_tuple *bpf_tuple, u32 tuple__sz, struct bpf_ct_opts *opts, u32 opts__sz", "5.18", "finds the connection of a packet"),
    kfunc("bpf_xdp_ct_alloc", "struct nf_conn___init *", "struct xdp_md *xdp_ctx, struct bpf_sock_tuple *bpf_tuple, u32 tuple__sz, struct bpf_ct_opts *opts, u32 opts__sz", "6.0", "a new connection, for XDP"),
    kfunc("bpf_xdp_ct_lookup", "struct nf_conn *", "struct xdp_md *xdp_ctx, struct bpf_sock_tuple *bpf_tuple, u32 tuple__sz, struct bpf_ct_opts *opts, u32 opts__sz", "5.18", "finds a connection, for XDP"),
    kfunc("bpf_ct_insert_entry", "struct nf_conn *", "struct nf_conn___init *nfct_i", "6.0", "puts a new connection into the table"),
    kfunc("bpf_ct_release", "void", "struct nf_conn *nfct", "5.18", "gives back a connection"),
    kfunc("bpf_ct_set_timeout", "void", "struct nf_conn___init *nfct, u32 timeout", "6.0", "sets when a new connection ends"),
    kfunc("bpf_ct_change_timeout", "int", "struct nf_conn *nfct, u32 timeout", "6.0", "changes when a connection ends"),
    kfunc("bpf_ct_set_status", "int", "const struct nf_conn___init *nfct, u32 status", "6.0", "sets the status bits of a new connection"),
    kfunc("bpf_ct_change_status", "int", "struct nf_conn *nfct, u32 status", "6.0", "changes the status bits of a connection"),
    kfunc("bpf_ct_set_nat_info", "int", "struct nf_conn___init *nfct, union nf_inet_addr *addr, int port, enum nf_nat_manip_type manip", "6.1", "sets the address translation of a new connection"),
    kfunc("bpf_sk_assign_tcp_reqsk", "int", "struct __sk_buff *s, struct sock *sk, struct bpf_tcp_req_attrs *attrs, int attrs__sz", "6.9", "gives the packet a connection request made from a SYN cookie"),
    kfunc("bpf_sock_destroy", "int", "struct sock_common *sock", "6.5", "closes a socket"),
    kfunc("bpf_sock_addr_set_sun_path", "int", "struct bpf_sock_addr_kern *sa_kern, const u8 *sun_path, u32 sun_path__sz", "6.7", "sets the path of a Unix socket address"),
    kfunc("bpf_xdp_metadata_rx_timestamp", "int", "const struct xdp_md *ctx, u64 *timestamp", "6.3", "when the device received the packet"),
    kfunc("bpf_xdp_metadata_rx_hash", "int", "const struct xdp_md *ctx, u32 *hash, enum xdp_rss_hash_type *rss_type", "6.3", "the flow hash of the device"),
    kfunc("bpf_xdp_metadata_rx_vlan_tag", "int", "const struct xdp_md *ctx, __be16 *vlan_proto, u16 *vlan_tci", "6.8", "the VLAN tag that the device removed"),
    kfunc("bpf_xdp_get_xfrm_state", "struct xfrm_state *", "struct xdp_md *ctx, struct bpf_xfrm_state_opts *opts, u32 opts__sz", "6.8", "finds an IPsec state"),
    kfunc("bpf_xdp_xfrm_state_release", "void", "struct xfrm_state *x", "6.8", "gives it back"),
    kfunc("bpf_xdp_pull_data", "int", "struct xdp_md *x, u32 len", "6.18", "makes bytes of the packet accessible directly"),
    kfunc("bpf_cast_to_kern_ctx", "void *", "void *obj", "6.2", "the kernel's own structure of the context"),
    kfunc("bpf_rdonly_cast", "void *", "const void *obj__ign, u32 btf_id__k", "6.2", "memory as a kernel type, to read"),
    kfunc("bpf_rcu_read_lock", "void", "", "6.2", "begins a section in which nothing is freed"),
    kfunc("bpf_rcu_read_unlock", "void", "", "6.2", "ends it"),
    kfunc("bpf_preempt_disable", "void", "", "6.10", "keeps the CPU"),
    kfunc("bpf_preempt_enable", "void", "", "6.10", "gives it up"),
    kfunc("bpf_iter_num_new", "int", "struct bpf_iter_num *it, int start, int end", "6.4", "begins a loop over numbers"),
    kfunc("bpf_iter_num_next", "int *", "struct bpf_iter_num *it", "6.4", "the next number, or null"),
    kfunc("bpf_iter_num_destroy", "void", "struct bpf_iter_num *it", "6.4", "ends the loop"),
    kfunc("bpf_obj_new_impl", "void *", "u64 local_type_id__k, void *meta__ign", "6.2", "makes an object of a program's type"),
    kfunc("bpf_obj_drop_impl", "void", "void *p__alloc, void *meta__ign", "6.2", "drops it"),
    kfunc("bpf_throw", "void", "u64 cookie", "6.7", "leaves the program at once"),
    kfunc("bpf_map_sum_elem_count", "s64", "const struct bpf_map *map", "6.6", "how many elements a map has"),
    kfunc("bpf_strcmp", "int", "const char *s1__ign, const char *s2__ign", "6.17", "compares two strings"),
    kfunc("bpf_strlen", "int", "const char *s__ign", "6.17", "the length of a string"),
];
