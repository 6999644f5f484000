//! Which helpers are compared with the kernel, how, and why others are not.

use crate::calls;
use crate::case::Call;
use crate::texts;
use oxbpf_abi::ProgType;

/// How a helper is compared.
#[derive(Clone, Copy)]
pub enum Compared {
    /// By the campaign of this test: programs of these types with such calls.
    Calls { types: &'static [ProgType], call: Call },
    /// By another test of this crate.
    By { file: &'static str, test: &'static str },
    /// Not, and why.
    No(&'static str),
}

/// A helper's row.
pub struct Row {
    pub helper: &'static str,
    pub compared: Compared,
}

const fn calls(helper: &'static str, types: &'static [ProgType], call: Call) -> Row {
    Row { helper, compared: Compared::Calls { types, call } }
}

const fn by(helper: &'static str, file: &'static str, test: &'static str) -> Row {
    Row { helper, compared: Compared::By { file, test } }
}

const fn no(helper: &'static str, why: &'static str) -> Row {
    Row { helper, compared: Compared::No(why) }
}

use ProgType::{CgroupSkb, SchedAct, SchedCls, SocketFilter, Xdp};

const TC: &[ProgType] = &[SchedCls, SchedAct];
const TC_XDP: &[ProgType] = &[SchedCls, SchedAct, Xdp];
const TC_CGROUP: &[ProgType] = &[SchedCls, SchedAct, CgroupSkb];
const SKB: &[ProgType] = &[SchedCls, SchedAct, SocketFilter, CgroupSkb];
const XDP: &[ProgType] = &[Xdp];
const ALL: &[ProgType] = &[SchedCls, SchedAct, Xdp, SocketFilter, CgroupSkb];

const CLOCK: &str = "clocks differ; ours is the capture's";

/// Every helper that the kernel has too, once.
pub const ROWS: &[Row] = &[
    by("map_lookup_elem", "map_helpers.rs", "look_ups_updates_and_deletions"),
    by("map_update_elem", "map_helpers.rs", "look_ups_updates_and_deletions"),
    by("map_delete_elem", "map_helpers.rs", "look_ups_updates_and_deletions"),
    no("ktime_get_ns", CLOCK),
    by("trace_printk", "trace_printk.rs", "lengths_and_refusals"),
    no("get_prandom_u32", "random; ours follows from the seed and the packet's number"),
    no("get_smp_processor_id", "the CPU is the input's here, the caller's there"),
    by("skb_store_bytes", "helpers.rs", "skb_store_bytes"),
    by("l3_csum_replace", "helpers.rs", "l3_csum_replace"),
    by("l4_csum_replace", "helpers.rs", "l4_csum_replace"),
    by("tail_call", "tail_calls.rs", "thirty_three_follow_the_first"),
    calls("clone_redirect", TC, calls::clone_redirect),
    calls("get_cgroup_classid", ALL, calls::get_cgroup_classid),
    calls("skb_vlan_push", TC, calls::vlan_push),
    calls("skb_vlan_pop", TC, calls::vlan_pop),
    calls("redirect", TC_XDP, calls::redirect),
    calls("get_route_realm", TC, calls::get_route_realm),
    by("skb_load_bytes", "helpers.rs", "skb_load_bytes"),
    by("csum_diff", "helpers.rs", "csum_diffs"),
    calls("skb_change_proto", TC, calls::change_proto),
    calls("skb_change_type", TC, calls::change_type),
    calls("get_hash_recalc", TC, calls::get_hash_recalc),
    calls("skb_change_tail", TC, calls::change_tail),
    calls("skb_pull_data", TC, calls::pull_data),
    calls("csum_update", TC, calls::csum_update),
    calls("set_hash_invalid", TC, calls::set_hash_invalid),
    no("get_numa_node_id", "the node is the host's; here there is one"),
    calls("skb_change_head", TC, calls::change_head),
    calls("xdp_adjust_head", XDP, calls::xdp_adjust_head),
    calls("set_hash", TC, calls::set_hash),
    calls("skb_adjust_room", TC, calls::adjust_room),
    calls("xdp_adjust_meta", XDP, calls::xdp_adjust_meta),
    calls("xdp_adjust_tail", XDP, calls::xdp_adjust_tail),
    calls("skb_load_bytes_relative", SKB, calls::load_bytes_relative),
    calls("skb_cgroup_id", TC_CGROUP, calls::skb_cgroup_id),
    calls("skb_ecn_set_ce", TC_CGROUP, calls::skb_ecn_set_ce),
    calls("strtol", ALL, texts::strtol),
    calls("strtoul", ALL, texts::strtoul),
    no("jiffies64", CLOCK),
    no("ktime_get_boot_ns", CLOCK),
    calls("csum_level", TC, calls::csum_level),
    calls("skb_cgroup_classid", TC, calls::skb_cgroup_classid),
    calls("redirect_neigh", TC, calls::redirect_neigh),
    calls("redirect_peer", TC, calls::redirect_peer),
    no("ktime_get_coarse_ns", CLOCK),
    calls("snprintf", ALL, texts::snprintf),
    calls("trace_vprintk", ALL, texts::trace_vprintk),
    calls("strncmp", ALL, texts::strncmp),
    calls("xdp_get_buff_len", XDP, calls::xdp_get_buff_len),
    calls("xdp_load_bytes", XDP, calls::xdp_load_bytes),
    calls("xdp_store_bytes", XDP, calls::xdp_store_bytes),
    no("ktime_get_tai_ns", CLOCK),
    by("perf_event_output", "events.rs", "perf_events"),
    by("map_push_elem", "map_kinds.rs", "values_without_keys"),
    by("map_pop_elem", "map_kinds.rs", "values_without_keys"),
    by("map_peek_elem", "map_kinds.rs", "values_without_keys"),
    by("spin_lock", "map_kinds.rs", "values_with_locks"),
    by("spin_unlock", "map_kinds.rs", "values_with_locks"),
    by("ringbuf_output", "events.rs", "ring_buffers"),
    by("ringbuf_reserve", "events.rs", "ring_buffers"),
    by("ringbuf_submit", "events.rs", "ring_buffers"),
    by("ringbuf_discard", "events.rs", "ring_buffers"),
    by("ringbuf_query", "events.rs", "ring_buffers"),
    by("for_each_map_elem", "callbacks.rs", "entries_one_by_one"),
    by("map_lookup_percpu_elem", "map_kinds.rs", "keys_and_values"),
    by("loop", "callbacks.rs", "loops"),
];
