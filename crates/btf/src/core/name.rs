//! Names and their flavours.

/// A name without its flavour: `task_struct` of `task_struct___old`. The
/// flavour is what follows the last three underscores that stand between two
/// other characters.
///
/// ```
/// use oxbpf_btf::core::essential;
///
/// assert_eq!(essential("sk_buff___v5___x"), "sk_buff___v5");
/// assert_eq!(essential("a____b"), "a____b");
/// assert_eq!(essential("___b"), "___b");
/// ```
#[must_use]
pub fn essential(name: &str) -> &str {
    let is_mark = |w: &[u8]| w[0] != b'_' && w[1..4] == *b"___" && w[4] != b'_';
    match name.as_bytes().windows(5).rposition(is_mark) {
        // The window may start within a character; its end is where the mark starts.
        Some(at) => &name[..at + 1],
        None => name,
    }
}
