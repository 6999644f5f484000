//! Program types of networking, as the kernel numbers them.

/// A program type that this toolchain knows.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[allow(missing_docs)]
pub enum ProgType {
    SocketFilter,
    SchedCls,
    SchedAct,
    Xdp,
    CgroupSkb,
}

/// How much of the packet a program may touch through `data` and `data_end`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PacketAccess {
    /// `data` and `data_end` are not part of its context.
    None,
    /// Loads only.
    Read,
    /// Loads and stores.
    Write,
}

/// What a [`ProgType`] is.
#[derive(Clone, Copy, Debug)]
pub struct ProgTypeRow {
    /// The type.
    pub prog_type: ProgType,
    /// `enum bpf_prog_type`.
    pub id: u32,
    /// The name on command lines and in reports, as bpftool writes it.
    pub name: &'static str,
    /// Other names that users type.
    pub aliases: &'static [&'static str],
    /// The `expected_attach_type` a load gives by default.
    pub attach_type: u32,
    /// ELF section names that select this type: exact, or as a prefix before `/`.
    pub sections: &'static [&'static str],
    /// What it may do with the packet's memory.
    pub packet: PacketAccess,
    /// Whether the packet starts at the network header when the program runs in a kernel test run.
    pub starts_at_l3: bool,
}

/// `BPF_CGROUP_INET_INGRESS`.
const CGROUP_INET_INGRESS: u32 = 0;
/// `BPF_CGROUP_INET_EGRESS`.
const CGROUP_INET_EGRESS: u32 = 1;
/// `BPF_XDP_DEVMAP`.
const ATTACH_XDP_DEVMAP: u32 = 33;
/// `BPF_XDP`.
const ATTACH_XDP: u32 = 37;
/// `BPF_XDP_CPUMAP`.
const ATTACH_XDP_CPUMAP: u32 = 35;
/// `BPF_TCX_INGRESS`.
const TCX_INGRESS: u32 = 46;
/// `BPF_TCX_EGRESS`.
const TCX_EGRESS: u32 = 47;

/// ELF sections, exact or in front of `/`, whose programs are loaded for another attach type than their type's default.
const ATTACH_TYPES: [(&str, ProgType, u32); 9] = [
    ("tc/ingress", ProgType::SchedCls, TCX_INGRESS),
    ("tc/egress", ProgType::SchedCls, TCX_EGRESS),
    ("tcx/ingress", ProgType::SchedCls, TCX_INGRESS),
    ("tcx/egress", ProgType::SchedCls, TCX_EGRESS),
    ("xdp/devmap", ProgType::Xdp, ATTACH_XDP_DEVMAP),
    ("xdp.frags/devmap", ProgType::Xdp, ATTACH_XDP_DEVMAP),
    ("xdp/cpumap", ProgType::Xdp, ATTACH_XDP_CPUMAP),
    ("xdp.frags/cpumap", ProgType::Xdp, ATTACH_XDP_CPUMAP),
    ("cgroup_skb/egress", ProgType::CgroupSkb, CGROUP_INET_EGRESS),
];

/// All program types, in the order of the enum.
pub const PROG_TYPES: [ProgTypeRow; 5] = [
    ProgTypeRow {
        prog_type: ProgType::SocketFilter,
        id: 1,
        name: "socket_filter",
        aliases: &["socket"],
        attach_type: 0,
        sections: &["socket", "socket_filter"],
        packet: PacketAccess::None,
        starts_at_l3: true,
    },
    ProgTypeRow {
        prog_type: ProgType::SchedCls,
        id: 3,
        name: "sched_cls",
        aliases: &["cls", "tc", "classifier", "tcx"],
        attach_type: 0,
        sections: &["classifier", "tc", "tcx"],
        packet: PacketAccess::Write,
        starts_at_l3: false,
    },
    ProgTypeRow {
        prog_type: ProgType::SchedAct,
        id: 4,
        name: "sched_act",
        aliases: &["act", "action"],
        attach_type: 0,
        sections: &["action"],
        packet: PacketAccess::Write,
        starts_at_l3: false,
    },
    ProgTypeRow {
        prog_type: ProgType::Xdp,
        id: 6,
        name: "xdp",
        aliases: &[],
        attach_type: ATTACH_XDP,
        sections: &["xdp", "xdp.frags"],
        packet: PacketAccess::Write,
        starts_at_l3: false,
    },
    ProgTypeRow {
        prog_type: ProgType::CgroupSkb,
        id: 8,
        name: "cgroup_skb",
        aliases: &["cgskb"],
        attach_type: CGROUP_INET_INGRESS,
        sections: &["cgroup_skb", "cgroup/skb"],
        packet: PacketAccess::Read,
        starts_at_l3: true,
    },
];

/// What section names of other program types begin with, as libbpf reads them.
const FOREIGN_SECTIONS: [&str; 34] = [
    "kprobe",
    "kretprobe",
    "uprobe",
    "uretprobe",
    "ksyscall",
    "kretsyscall",
    "usdt",
    "tracepoint",
    "tp",
    "raw_tracepoint",
    "raw_tp",
    "tp_btf",
    "fentry",
    "fexit",
    "fmod_ret",
    "freplace",
    "lsm",
    "lsm_cgroup",
    "iter",
    "syscall",
    "perf_event",
    "sockops",
    "sk_skb",
    "sk_msg",
    "sk_lookup",
    "sk_reuseport",
    "flow_dissector",
    "lwt_in",
    "lwt_out",
    "lwt_xmit",
    "lirc_mode2",
    "cgroup",
    "netfilter",
    "struct_ops",
];

impl ProgType {
    /// This type's row.
    pub const fn row(self) -> &'static ProgTypeRow {
        &PROG_TYPES[self as usize]
    }

    /// Whether an ELF section's name selects a type that is none of networking's and not known here: such a program
    /// has another context.
    pub fn is_foreign_section(section: &str) -> bool {
        let kind = section.split(['/', '.', '+']).next().unwrap_or(section);
        FOREIGN_SECTIONS.contains(&kind) && ProgType::by_section(section).is_none()
    }

    /// The type of this name or alias.
    pub fn by_name(name: &str) -> Option<ProgType> {
        let hit = PROG_TYPES.iter().find(|r| r.name == name || r.aliases.contains(&name));
        hit.map(|r| r.prog_type)
    }

    /// The `expected_attach_type` for the load of a program of this type out of an ELF section of this name.
    ///
    /// ```
    /// use oxbpf_abi::ProgType;
    /// assert_eq!(ProgType::CgroupSkb.attach_type("cgroup_skb/egress"), 1);
    /// assert_eq!(ProgType::SchedCls.attach_type("cgroup_skb/egress"), 0);
    /// ```
    pub fn attach_type(self, section: &str) -> u32 {
        let hit = ATTACH_TYPES.iter().find(|row| row.1 == self && begins(section, row.0));
        hit.map_or(self.row().attach_type, |row| row.2)
    }

    /// The type that an ELF section's name selects: `tc`, `tc/x`, `tcx/ingress`, `classifier/x`, `xdp`, …
    pub fn by_section(section: &str) -> Option<ProgType> {
        PROG_TYPES.iter().find(|r| r.sections.iter().any(|s| begins(section, s))).map(|r| r.prog_type)
    }
}

/// Whether a section's name is this, or this and something behind a `/`.
fn begins(section: &str, name: &str) -> bool {
    section.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

impl core::fmt::Display for ProgType {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.row().name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_select_attach_types() {
        for (section, prog_type, attach_type) in [
            ("tc", ProgType::SchedCls, 0),
            ("tc/egress", ProgType::SchedCls, 47),
            ("tc/egress_of_mine", ProgType::SchedCls, 0),
            ("tcx/ingress", ProgType::SchedCls, 46),
            ("tcx/ingress/a", ProgType::SchedCls, 46),
            ("xdp", ProgType::Xdp, 37),
            ("xdp/cpumap", ProgType::Xdp, 35),
            ("xdp.frags/devmap", ProgType::Xdp, 33),
            ("cgroup_skb/ingress", ProgType::CgroupSkb, 0),
            ("cgroup_skb/egress", ProgType::CgroupSkb, 1),
            ("cgroup_skb/egress", ProgType::SocketFilter, 0),
            ("", ProgType::Xdp, 37),
        ] {
            assert_eq!(prog_type.attach_type(section), attach_type, "{section}");
        }
    }

    #[test]
    fn sections_select_types_as_libbpf_has_them() {
        for (section, prog_type) in [
            ("tc", ProgType::SchedCls),
            ("tcx/ingress", ProgType::SchedCls),
            ("classifier/x", ProgType::SchedCls),
            ("action", ProgType::SchedAct),
            ("xdp.frags", ProgType::Xdp),
            ("cgroup/skb", ProgType::CgroupSkb),
            ("cgroup_skb/egress", ProgType::CgroupSkb),
            ("socket", ProgType::SocketFilter),
        ] {
            assert_eq!(ProgType::by_section(section), Some(prog_type), "{section}");
            assert!(!ProgType::is_foreign_section(section), "{section}");
        }
        for custom in ["lb", "cls", "1/0", "tcp", "my/kprobe"] {
            assert_eq!(ProgType::by_section(custom), None, "{custom}");
            assert!(!ProgType::is_foreign_section(custom), "{custom}");
        }
        for foreign in ["kprobe/do_exit", "kprobe.multi/x", "cgroup/connect4", "sk_msg", "fentry.s/x", "lsm/x"] {
            assert!(ProgType::is_foreign_section(foreign), "{foreign}");
        }
    }
}
