//! Helpers that cannot be answered truthfully here, and why.

const MEMORY: &str = "there is no kernel and no process whose memory it could read";
const TASK: &str = "no task is running the program";
const SOCKETS: &str = "there are no sockets";
const TUNNEL: &str = "packets come from no tunnel device";
const ROUTES: &str = "there are no routes and no devices";
const GROUPS: &str = "there is no hierarchy of control groups";
const TRACING: &str = "nothing is traced";

/// Rows: names without `bpf_`, and the reason that holds for them.
const REFUSED: &[(&[&str], &str)] = &[
    (
        &[
            "probe_read",
            "probe_read_str",
            "probe_read_user",
            "probe_read_user_str",
            "probe_read_kernel",
            "probe_read_kernel_str",
            "probe_write_user",
            "copy_from_user",
            "copy_from_user_task",
        ],
        MEMORY,
    ),
    (
        &[
            "get_current_pid_tgid",
            "get_current_uid_gid",
            "get_current_comm",
            "get_current_task",
            "get_current_task_btf",
            "get_ns_current_pid_tgid",
            "get_task_stack",
            "task_pt_regs",
            "task_storage_get",
            "task_storage_delete",
            "send_signal",
            "send_signal_thread",
            "find_vma",
        ],
        TASK,
    ),
    (
        &[
            "get_socket_cookie",
            "get_socket_uid",
            "sk_lookup_tcp",
            "sk_lookup_udp",
            "skc_lookup_tcp",
            "sk_release",
            "sk_fullsock",
            "tcp_sock",
            "get_listener_sock",
            "sk_storage_get",
            "sk_storage_delete",
            "sk_assign",
            "sk_cgroup_id",
            "sk_ancestor_cgroup_id",
            "skc_to_tcp6_sock",
            "skc_to_tcp_sock",
            "skc_to_tcp_timewait_sock",
            "skc_to_tcp_request_sock",
            "skc_to_udp6_sock",
            "skc_to_unix_sock",
            "skc_to_mptcp_sock",
            "get_netns_cookie",
        ],
        SOCKETS,
    ),
    (
        &["skb_get_tunnel_key", "skb_set_tunnel_key", "skb_get_tunnel_opt", "skb_set_tunnel_opt", "skb_get_xfrm_state"],
        TUNNEL,
    ),
    (&["fib_lookup", "check_mtu"], ROUTES),
    (
        &[
            "skb_under_cgroup",
            "current_task_under_cgroup",
            "get_current_cgroup_id",
            "get_current_ancestor_cgroup_id",
            "skb_ancestor_cgroup_id",
            "get_local_storage",
            "cgrp_storage_get",
            "cgrp_storage_delete",
        ],
        GROUPS,
    ),
    (&["get_branch_snapshot", "get_stackid", "perf_event_read", "perf_event_read_value"], TRACING),
];

/// Why a helper of this name, without `bpf_`, is not answered; none where it is, or is only not implemented yet.
///
/// ```
/// use oxbpf_runtime::helpers::refusal;
///
/// assert!(refusal("probe_read").unwrap().contains("memory"));
/// assert_eq!(refusal("skb_vlan_push"), None);
/// ```
pub fn refusal(name: &str) -> Option<&'static str> {
    REFUSED.iter().find(|(names, _)| names.contains(&name)).map(|&(_, why)| why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_refused_exists_and_is_not_implemented() {
        for name in REFUSED.iter().flat_map(|row| row.0) {
            assert!(oxbpf_abi::uapi::helper(name).is_some(), "{name}");
            assert!(oxbpf_abi::helper_by_name(name).is_none(), "{name}");
        }
    }
}
