//! Helpers as rows: number, signature, who may call them. One enumerating macro, instantiated here for
//! the table and by the runtime for the bodies: a row without a body does not compile.

use crate::ProgType;

/// What a helper wants in an argument register.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Arg {
    /// The program's context.
    Ctx,
    /// A map, from a wide load.
    Map,
    /// Readable memory of the map's key size.
    MapKey,
    /// Readable memory of the map's value size.
    MapValue,
    /// Writable memory of the map's value size; of a Bloom filter, readable.
    UninitMapValue,
    /// The lock in a map's value.
    Lock,
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
    /// Writable memory, need not be initialised, size in the next argument.
    UninitMem,
    /// The same, or null.
    UninitMemOrNull,
    /// Eight writable bytes, aligned, need not be initialised.
    UninitLong,
    /// A text with a terminating zero in a map that is frozen and read-only for programs.
    ConstStr,
    /// The size of the memory before, at least 1.
    Size,
    /// The size of the memory before, 0 allowed.
    SizeOrZero,
    /// Anything: a number, or a pointer taken as one.
    Anything,
}

/// What a helper leaves in r0.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ret {
    /// A number.
    Scalar,
    /// A pointer to a map value, or null.
    MapValueOrNull,
    /// A pointer to a ring buffer's record, or null.
    RecordOrNull,
    /// Nothing that a caller may rely on.
    Void,
}

/// Which program types may call a helper.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Callers {
    /// All networking types.
    All,
    /// Only these.
    Only(&'static [ProgType]),
}

/// One helper.
#[derive(Clone, Copy, Debug)]
pub struct HelperRow {
    /// `BPF_FUNC_…` number.
    pub id: u32,
    /// The name without `bpf_`.
    pub name: &'static str,
    /// Arguments from r1 on.
    pub args: &'static [Arg],
    /// What r0 holds afterwards.
    pub ret: Ret,
    /// Only programs under a GPL-compatible licence may call it.
    pub gpl_only: bool,
    /// Which types may call it.
    pub callers: Callers,
    /// Whether packet pointers from before the call are void after it.
    pub moves_packet: bool,
    /// Whether the body can stop the program (bad memory, nonsense arguments).
    ///
    /// While the program holds a lock, every helper does but the one that gives it back.
    pub may_trap: bool,
    /// Whether the answer is the host's own (clock, chance, CPU), so that no two engines need agree.
    pub hosts_own: bool,
}

/// Where this toolchain's own helpers begin: what migrated classic programs need and the UAPI does not offer.
///
/// No kernel has them, and none will: the kernel numbers its helpers from 1 without gaps, has 211, and adds kernel
/// functions instead of helpers since. The range also keeps off the numbers about 2,000,000,000 that libbpf puts into
/// calls which it could not resolve. So a kernel that is given such a program refuses it by number.
pub const PRIVATE_HELPERS: u32 = 0x0cbf_0000;

/// Program types that see tc's side of a packet.
const TC: Callers = Callers::Only(&[ProgType::SchedCls, ProgType::SchedAct]);
/// Program types whose context is an skb.
const SKB: Callers =
    Callers::Only(&[ProgType::SocketFilter, ProgType::SchedCls, ProgType::SchedAct, ProgType::CgroupSkb]);
/// XDP alone.
const XDP: Callers = Callers::Only(&[ProgType::Xdp]);
/// Program types for which the sender's control group is known.
const TC_CGROUP: Callers = Callers::Only(&[ProgType::SchedCls, ProgType::SchedAct, ProgType::CgroupSkb]);
/// tc and XDP.
const TC_XDP: Callers = Callers::Only(&[ProgType::SchedCls, ProgType::SchedAct, ProgType::Xdp]);

/// Calls the given macro with all helpers. No helper runs guest code: those that take a callback are expanded by
/// lowering into calls, so that fuel, frames and traps stay the engine's.
///
/// A tail call that is followed does not return to its function, but to that function's caller, after another program
/// ran: a call of a function that may tail-call voids what was known of the packet and of memory that it could reach.
///
/// A row: `id name (args) -> ret, callers, [attributes]`.
#[macro_export]
macro_rules! for_each_helper {
    ($then:ident) => {
        $then! {
            1 map_lookup_elem (Map, MapKey) -> MapValueOrNull, All, [may_trap]
            2 map_update_elem (Map, MapKey, MapValue, Anything) -> Scalar, All, [may_trap]
            3 map_delete_elem (Map, MapKey) -> Scalar, All, [may_trap]
            5 ktime_get_ns () -> Scalar, All, [hosts_own]
            6 trace_printk (Mem, Size, Anything, Anything, Anything) -> Scalar, All, [gpl_only may_trap]
            7 get_prandom_u32 () -> Scalar, All, [hosts_own]
            8 get_smp_processor_id () -> Scalar, All, [hosts_own]
            9 skb_store_bytes (Ctx, Anything, Mem, Size, Anything) -> Scalar, TC, [moves_packet may_trap]
            10 l3_csum_replace (Ctx, Anything, Anything, Anything, Anything) -> Scalar, TC, [moves_packet may_trap]
            11 l4_csum_replace (Ctx, Anything, Anything, Anything, Anything) -> Scalar, TC, [moves_packet may_trap]
            12 tail_call (Ctx, Map, Anything) -> Void, All, [may_trap]
            13 clone_redirect (Ctx, Anything, Anything) -> Scalar, TC, [moves_packet may_trap]
            17 get_cgroup_classid (Ctx) -> Scalar, All, [may_trap]
            18 skb_vlan_push (Ctx, Anything, Anything) -> Scalar, TC, [moves_packet may_trap]
            19 skb_vlan_pop (Ctx) -> Scalar, TC, [moves_packet may_trap]
            23 redirect (Anything, Anything) -> Scalar, TC_XDP, []
            24 get_route_realm (Ctx) -> Scalar, TC, [may_trap]
            25 perf_event_output (Ctx, Map, Anything, Mem, SizeOrZero) -> Scalar, All, [may_trap gpl_only]
            26 skb_load_bytes (Ctx, Anything, UninitMem, Size) -> Scalar, SKB, [may_trap]
            28 csum_diff (MemOrNull, SizeOrZero, MemOrNull, SizeOrZero, Anything) -> Scalar, TC_XDP, [may_trap]
            31 skb_change_proto (Ctx, Anything, Anything) -> Scalar, TC, [moves_packet may_trap]
            32 skb_change_type (Ctx, Anything) -> Scalar, TC, [may_trap]
            34 get_hash_recalc (Ctx) -> Scalar, TC, [may_trap hosts_own]
            38 skb_change_tail (Ctx, Anything, Anything) -> Scalar, TC, [moves_packet may_trap]
            39 skb_pull_data (Ctx, Anything) -> Scalar, TC, [moves_packet may_trap]
            40 csum_update (Ctx, Anything) -> Scalar, TC, [may_trap]
            41 set_hash_invalid (Ctx) -> Scalar, TC, [may_trap]
            42 get_numa_node_id () -> Scalar, All, [hosts_own]
            43 skb_change_head (Ctx, Anything, Anything) -> Scalar, TC, [moves_packet may_trap]
            44 xdp_adjust_head (Ctx, Anything) -> Scalar, XDP, [moves_packet may_trap]
            48 set_hash (Ctx, Anything) -> Scalar, TC, [may_trap]
            50 skb_adjust_room (Ctx, Anything, Anything, Anything) -> Scalar, TC, [moves_packet may_trap]
            54 xdp_adjust_meta (Ctx, Anything) -> Scalar, XDP, [moves_packet may_trap]
            65 xdp_adjust_tail (Ctx, Anything) -> Scalar, XDP, [moves_packet may_trap]
            68 skb_load_bytes_relative (Ctx, Anything, UninitMem, Size, Anything) -> Scalar, SKB, [may_trap]
            79 skb_cgroup_id (Ctx) -> Scalar, TC_CGROUP, [may_trap]
            87 map_push_elem (Map, MapValue, Anything) -> Scalar, All, [may_trap]
            88 map_pop_elem (Map, UninitMapValue) -> Scalar, All, [may_trap]
            89 map_peek_elem (Map, UninitMapValue) -> Scalar, All, [may_trap]
            93 spin_lock (Lock) -> Void, All, [may_trap]
            94 spin_unlock (Lock) -> Void, All, [may_trap]
            97 skb_ecn_set_ce (Ctx) -> Scalar, TC_CGROUP, [may_trap]
            105 strtol (Mem, Size, Anything, UninitLong) -> Scalar, All, [may_trap]
            106 strtoul (Mem, Size, Anything, UninitLong) -> Scalar, All, [may_trap]
            118 jiffies64 () -> Scalar, All, [hosts_own]
            125 ktime_get_boot_ns () -> Scalar, All, [hosts_own]
            130 ringbuf_output (Map, Mem, SizeOrZero, Anything) -> Scalar, All, [may_trap]
            131 ringbuf_reserve (Map, RecordSize, Anything) -> RecordOrNull, All, [may_trap]
            132 ringbuf_submit (Record, Anything) -> Void, All, [may_trap]
            133 ringbuf_discard (Record, Anything) -> Void, All, [may_trap]
            134 ringbuf_query (Map, Anything) -> Scalar, All, [may_trap]
            135 csum_level (Ctx, Anything) -> Scalar, TC, [may_trap]
            151 skb_cgroup_classid (Ctx) -> Scalar, TC, [may_trap]
            152 redirect_neigh (Anything, MemOrNull, SizeOrZero, Anything) -> Scalar, TC, [may_trap]
            155 redirect_peer (Anything, Anything) -> Scalar, TC, []
            160 ktime_get_coarse_ns () -> Scalar, All, [hosts_own]
            164 for_each_map_elem (Map, Func, StackOrNull, Anything) -> Scalar, All, [may_trap]
            165 snprintf (UninitMemOrNull, SizeOrZero, ConstStr, MemOrNull, SizeOrZero) -> Scalar, All, [gpl_only may_trap]
            177 trace_vprintk (Mem, Size, MemOrNull, SizeOrZero) -> Scalar, All, [gpl_only may_trap]
            181 r#loop (Anything, Func, StackOrNull, Anything) -> Scalar, All, [may_trap]
            182 strncmp (Mem, Size, ConstStr) -> Scalar, All, [may_trap]
            188 xdp_get_buff_len (Ctx) -> Scalar, XDP, [may_trap]
            189 xdp_load_bytes (Ctx, Anything, UninitMem, Size) -> Scalar, XDP, [may_trap]
            190 xdp_store_bytes (Ctx, Anything, Mem, Size) -> Scalar, XDP, [may_trap]
            195 map_lookup_percpu_elem (Map, MapKey, Anything) -> MapValueOrNull, All, [may_trap]
            208 ktime_get_tai_ns () -> Scalar, All, [hosts_own]
            0x0cbf_0000 classic_nlattr (Ctx, Anything, Anything) -> Scalar, SKB, [may_trap]
            0x0cbf_0001 classic_nlattr_nest (Ctx, Anything, Anything) -> Scalar, SKB, [may_trap]
            0x0cbf_0002 classic_pay_offset (Ctx) -> Scalar, SKB, [may_trap]
            0x0cbf_0003 classic_hatype (Ctx) -> Scalar, SKB, [may_trap]
            0x0cbf_0004 map_visit_next (Map, Anything) -> Scalar, All, [may_trap]
            0x0cbf_0005 map_visit_entry (Map, Anything, UninitMem) -> MapValueOrNull, All, [may_trap]
        }
    };
}

/// Whether a word stands in a row's attributes.
macro_rules! has {
    ($word:literal in $($attr:ident)*) => { false $(|| eq(stringify!($attr), $word))* };
}

const fn eq(a: &str, b: &str) -> bool {
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

/// A row's name, of which some are keywords of Rust.
pub const fn plain(name: &'static str) -> &'static str {
    match name.as_bytes() {
        [b'r', b'#', ..] => name.split_at(2).1,
        _ => name,
    }
}

use Callers::All;

macro_rules! rows {
    ($($id:literal $name:ident ($($arg:ident),*) -> $ret:ident, $callers:ident, [$($attr:ident)*])*) => {
        /// All helpers that this toolchain knows, by number.
        pub const HELPERS: &[HelperRow] = &[$(HelperRow {
            id: $id,
            name: plain(stringify!($name)),
            args: &[$(Arg::$arg),*],
            ret: Ret::$ret,
            gpl_only: has!("gpl_only" in $($attr)*),
            callers: $callers,
            moves_packet: has!("moves_packet" in $($attr)*),
            may_trap: has!("may_trap" in $($attr)*),
            hosts_own: has!("hosts_own" in $($attr)*),
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
        match self.callers {
            Callers::All => true,
            Callers::Only(types) => types.contains(&prog_type),
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
