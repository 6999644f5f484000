//! Licences, as the kernel compares them.

/// The licences that the kernel takes for compatible with the GPL.
const COMPATIBLE: [&str; 6] =
    ["GPL", "GPL v2", "GPL and additional rights", "Dual BSD/GPL", "Dual MIT/GPL", "Dual MPL/GPL"];

/// Whether programs that declare this licence may call helpers for the GPL only. The text is compared as a whole.
///
/// ```
/// assert!(oxbpf_abi::is_gpl_compatible("Dual MIT/GPL"));
/// assert!(!oxbpf_abi::is_gpl_compatible("GPL-2.0"));
/// ```
pub fn is_gpl_compatible(license: &str) -> bool {
    COMPATIBLE.contains(&license)
}
