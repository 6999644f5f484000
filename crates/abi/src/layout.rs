//! Memory that lowered code may name: the context as engines hold it. Offsets are part of the contract
//! between lowering and code generators; they may change with any release.

/// The packet context of a run, skb or XDP: every field a program can ask for, in host form.
///
/// `data`, `data_end` and `data_meta` are guest addresses; the program's 32-bit fields of those names
/// yield them whole. Numbers are in host order except where the UAPI says network order.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[allow(missing_docs)]
pub struct SkBuff {
    pub data: u64,
    pub data_end: u64,
    pub data_meta: u64,
    /// Nanoseconds.
    pub tstamp: u64,
    /// Nanoseconds.
    pub hwtstamp: u64,
    /// Bytes of the whole packet, also of what a capture cut off.
    pub len: u32,
    pub pkt_type: u32,
    pub mark: u32,
    pub queue_mapping: u32,
    /// EtherType in network order.
    pub protocol: u32,
    pub vlan_present: u32,
    pub vlan_tci: u32,
    /// In network order.
    pub vlan_proto: u32,
    pub priority: u32,
    pub ingress_ifindex: u32,
    pub ifindex: u32,
    pub tc_index: u32,
    pub cb: [u32; 5],
    pub hash: u32,
    pub tc_classid: u32,
    pub napi_id: u32,
    pub family: u32,
    pub remote_ip4: u32,
    pub local_ip4: u32,
    pub remote_ip6: [u32; 4],
    pub local_ip6: [u32; 4],
    pub remote_port: u32,
    pub local_port: u32,
    pub wire_len: u32,
    pub gso_segs: u32,
    pub gso_size: u32,
    pub tstamp_type: u32,
    pub rx_queue_index: u32,
    pub egress_ifindex: u32,
    /// The device's type, an ARPHRD number: only classic programs ask for it.
    pub hatype: u32,
    /// The class that the sender's control group gives its packets: a helper asks for it.
    pub cgroup_classid: u32,
    /// The realm of the packet's route: a helper asks for it.
    pub route_realm: u32,
    /// The sender's control group: a helper asks for it.
    pub cgroup_id: u64,
}

/// What a run counts and what generated code looks at: the head of an engine's world, before everything else.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct VmHead {
    /// Instructions left.
    pub fuel_left: u64,
    /// Not 0 after a helper that stopped the program.
    pub trapped: u32,
    /// Tail calls followed in this run.
    pub tail_calls: u32,
    /// The packet's context.
    pub skb: SkBuff,
}

const _: () = assert!(size_of::<SkBuff>().is_multiple_of(8), "no padding at the end");
