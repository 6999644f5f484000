//! Helpers that are implemented here, as rows: number and what engines have to know. One enumerating macro, instantiated here for
//! the table and by the runtime for the bodies: a row without a body does not compile.

use crate::ProgType;
use crate::protos::{Proto, eq, has, proto};

/// One helper that is implemented here: its prototype, and what calling it means for engines.
#[derive(Clone, Copy, Debug)]
pub struct HelperRow {
    /// `BPF_FUNC_…` number.
    pub id: u32,
    /// The name without `bpf_`.
    pub name: &'static str,
    /// What it takes and returns.
    pub proto: &'static Proto,
    /// Whether the body can stop the program (bad memory, nonsense arguments).
    ///
    /// While the program holds a lock, every helper does but the one that gives it back.
    pub may_trap: bool,
    /// Whether the answer is the host's own (clock, chance, CPU), so that no two engines need agree.
    pub hosts_own: bool,
    /// Of this toolchain's own: whether it looks at an skb.
    wants_skb: bool,
}

/// Where this toolchain's own helpers begin: what migrated classic programs need and the UAPI does not offer.
///
/// No kernel has them, and none will: the kernel numbers its helpers from 1 without gaps, has 211, and adds kernel
/// functions instead of helpers since. The range also keeps off the numbers about 2,000,000,000 that libbpf puts into
/// calls which it could not resolve. So a kernel that is given such a program refuses it by number.
pub const PRIVATE_HELPERS: u32 = 0x0cbf_0000;

/// Calls the given macro with all helpers. No helper runs guest code: those that take a callback are expanded by
/// lowering into calls, so that fuel, frames and traps stay the engine's.
///
/// A tail call that is followed does not return to its function, but to that function's caller, after another program
/// ran: a call of a function that may tail-call voids what was known of the packet and of memory that it could reach.
///
/// A row: `id name [attributes]`. What they take and return is in [`PROTOS`](crate::PROTOS), who may call them in
/// [`uapi::HELPERS`](crate::uapi::HELPERS).
#[macro_export]
macro_rules! for_each_helper {
    ($then:ident) => {
        $then! {
            1 map_lookup_elem [may_trap]
            2 map_update_elem [may_trap]
            3 map_delete_elem [may_trap]
            5 ktime_get_ns [hosts_own]
            6 trace_printk [may_trap]
            7 get_prandom_u32 [hosts_own]
            8 get_smp_processor_id [hosts_own]
            9 skb_store_bytes [may_trap]
            10 l3_csum_replace [may_trap]
            11 l4_csum_replace [may_trap]
            12 tail_call [may_trap]
            13 clone_redirect [may_trap]
            17 get_cgroup_classid [may_trap]
            18 skb_vlan_push [may_trap]
            19 skb_vlan_pop [may_trap]
            23 redirect []
            24 get_route_realm [may_trap]
            25 perf_event_output [may_trap]
            26 skb_load_bytes [may_trap]
            28 csum_diff [may_trap]
            31 skb_change_proto [may_trap]
            32 skb_change_type [may_trap]
            34 get_hash_recalc [may_trap hosts_own]
            38 skb_change_tail [may_trap]
            39 skb_pull_data [may_trap]
            40 csum_update [may_trap]
            41 set_hash_invalid [may_trap]
            42 get_numa_node_id [hosts_own]
            43 skb_change_head [may_trap]
            44 xdp_adjust_head [may_trap]
            48 set_hash [may_trap]
            50 skb_adjust_room [may_trap]
            54 xdp_adjust_meta [may_trap]
            65 xdp_adjust_tail [may_trap]
            68 skb_load_bytes_relative [may_trap]
            79 skb_cgroup_id [may_trap]
            87 map_push_elem [may_trap]
            88 map_pop_elem [may_trap]
            89 map_peek_elem [may_trap]
            93 spin_lock [may_trap]
            94 spin_unlock [may_trap]
            97 skb_ecn_set_ce [may_trap]
            105 strtol [may_trap]
            106 strtoul [may_trap]
            118 jiffies64 [hosts_own]
            125 ktime_get_boot_ns [hosts_own]
            130 ringbuf_output [may_trap]
            131 ringbuf_reserve [may_trap]
            132 ringbuf_submit [may_trap]
            133 ringbuf_discard [may_trap]
            134 ringbuf_query [may_trap]
            135 csum_level [may_trap]
            151 skb_cgroup_classid [may_trap]
            152 redirect_neigh [may_trap]
            155 redirect_peer []
            160 ktime_get_coarse_ns [hosts_own]
            164 for_each_map_elem [may_trap]
            165 snprintf [may_trap]
            177 trace_vprintk [may_trap]
            181 r#loop [may_trap]
            182 strncmp [may_trap]
            188 xdp_get_buff_len [may_trap]
            189 xdp_load_bytes [may_trap]
            190 xdp_store_bytes [may_trap]
            195 map_lookup_percpu_elem [may_trap]
            208 ktime_get_tai_ns [hosts_own]
            0x0cbf_0000 classic_nlattr [skb may_trap]
            0x0cbf_0001 classic_nlattr_nest [skb may_trap]
            0x0cbf_0002 classic_pay_offset [skb may_trap]
            0x0cbf_0003 classic_hatype [skb may_trap]
            0x0cbf_0004 map_visit_next [may_trap]
            0x0cbf_0005 map_visit_entry [may_trap]
        }
    };
}

/// A row's name, of which some are keywords of Rust.
pub const fn plain(name: &'static str) -> &'static str {
    match name.as_bytes() {
        [b'r', b'#', ..] => name.split_at(2).1,
        _ => name,
    }
}

/// The prototype of an implemented helper; where it has none, this does not compile.
const fn proto_of(id: u32, name: &'static str) -> &'static Proto {
    match proto(id) {
        Some(proto) if eq(proto.name, name) => proto,
        _ => panic!("a helper without a prototype of its name"),
    }
}

macro_rules! rows {
    ($($id:literal $name:ident [$($attr:ident)*])*) => {
        /// All helpers that this toolchain implements, by number.
        pub static HELPERS: &[HelperRow] = &[$(HelperRow {
            id: $id,
            name: plain(stringify!($name)),
            proto: const { proto_of($id, plain(stringify!($name))) },
            may_trap: has!("may_trap" in $($attr)*),
            hosts_own: has!("hosts_own" in $($attr)*),
            wants_skb: has!("skb" in $($attr)*),
        }),*];
    };
}

for_each_helper!(rows);

/// The helper of this number.
pub fn helper_by_id(id: u32) -> Option<&'static HelperRow> {
    HELPERS.iter().find(|h| h.id == id)
}

/// The name of a helper of Linux 6.18 without `bpf_`, whether it is implemented here or not.
pub fn helper_name(id: u32) -> Option<&'static str> {
    crate::uapi::helper_by_id(id).map(|h| h.name)
}

/// The helper that goes on in another program, which engines and the verifier treat apart.
pub const TAIL_CALL: u32 = 12;

/// The number that libbpf has instructions call which depend on a type or field that the kernel lacks. No kernel has
/// that helper, so that such programs are accepted only where the call is never reached.
pub const CORE_POISON: u32 = 0x0bad_2310;

/// How listings name [`CORE_POISON`].
const CORE_POISON_NAME: &str = "core_unresolved";

/// A helper's number as listings name it: `bpf_ktime_get_ns`. Helpers of the kernel that are not implemented here are
/// named too, so that a program which calls one is read, and told by name where it stops.
///
/// ```
/// assert_eq!(oxbpf_abi::call_name(113).as_deref(), Some("bpf_probe_read_kernel"));
/// assert_eq!(oxbpf_abi::call_id("probe_read_kernel"), Some(113));
/// ```
pub fn call_name(id: i32) -> Option<String> {
    let id = u32::try_from(id).ok()?;
    match id {
        CORE_POISON => Some(CORE_POISON_NAME.to_string()),
        _ => helper_by_id(id).map(|row| row.name).or_else(|| helper_name(id)).map(|name| format!("bpf_{name}")),
    }
}

/// The number of a helper by its name in listings, with or without `bpf_`.
pub fn call_id(name: &str) -> Option<i32> {
    match name {
        CORE_POISON_NAME => Some(CORE_POISON.cast_signed()),
        _ => {
            let known = || crate::uapi::helper(name.strip_prefix("bpf_").unwrap_or(name)).map(|info| info.id);
            helper_by_name(name).map(|row| row.id).or_else(known).map(u32::cast_signed)
        }
    }
}

/// The helper of this name, with or without `bpf_`.
pub fn helper_by_name(name: &str) -> Option<&'static HelperRow> {
    let name = name.strip_prefix("bpf_").unwrap_or(name);
    HELPERS.iter().find(|h| h.name == name)
}

impl HelperRow {
    /// Whether it is this toolchain's own and no kernel's.
    pub const fn private(&self) -> bool {
        self.id >= PRIVATE_HELPERS
    }

    /// Whether programs of this type may call it.
    pub fn callable_by(&self, prog_type: ProgType) -> bool {
        match crate::uapi::helper_by_id(self.id) {
            Some(info) => info.callers.allows(prog_type.row().name),
            None => !self.wants_skb || prog_type != ProgType::Xdp,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_have_the_names_of_their_numbers() {
        for row in HELPERS {
            assert_eq!(helper_name(row.id), Some(row.name).filter(|_| !row.private()));
        }
        assert_eq!((helper_name(0), helper_name(69), helper_name(212)), (None, Some("fib_lookup"), None));
    }
}
