//! Who may call a helper: by program type and capability.

use std::sync::LazyLock;

use oxbpf_abi::{PROG_TYPES, ProgType, uapi};

use crate::options::Caps;

/// Helpers that want `CAP_BPF`, of those that all programs may call.
const WANT_BPF: &[u32] = &[
    93, 94, 118, 153, 154, 160, 164, 169, 170, 171, 172, 181, 194, 197, 198, 199, 200, 201, 202, 203, 208, 209, 210,
    211,
];

/// Helpers that want `CAP_PERFMON`: they show kernel memory, or write where others look. Measured on Linux 6.18.
const WANT_PERFMON: &[u32] = &[
    6, 16, 22, 35, 55, 109, 112, 113, 114, 115, 117, 136, 137, 138, 139, 140, 141, 148, 149, 158, 165, 175, 176, 177,
    178, 180, 191, 196,
];

/// For each helper, a bit for each program type.
static TYPES: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let of = |info: &uapi::HelperInfo| {
        let allowed = PROG_TYPES.iter().filter(|row| info.callers.allows(row.name));
        allowed.fold(0, |bits, row| bits | 1 << row.prog_type as u8)
    };
    uapi::HELPERS.iter().map(of).collect()
});

/// Whether programs of this type, loaded with these capabilities, may call a helper of the kernel.
pub(super) fn may_call(id: u32, prog_type: ProgType, caps: Caps) -> bool {
    TYPES[id as usize - 1] & 1 << prog_type as u8 != 0
        && (caps.bpf || !WANT_BPF.contains(&id))
        && (caps.perfmon || !WANT_PERFMON.contains(&id))
}
