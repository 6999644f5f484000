//! Names that may have been meant.

/// The candidate that is written most alike, where one is close enough to be meant.
pub(crate) fn near<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    // Longer names are compared with nothing: the work is in proportion to the square.
    if name.len() > MAX_COMPARED {
        return None;
    }
    let far = (name.len() / 3).max(1) + 1;
    let scored =
        candidates.into_iter().take(MAX_CANDIDATES).filter(|c| c.len() <= MAX_COMPARED).map(|c| (distance(name, c), c));
    scored.filter(|(d, _)| *d < far).min().map(|(_, c)| c.to_string())
}

const MAX_COMPARED: usize = 64;
/// A text may have a million names; a hint is not worth looking at all of them.
const MAX_CANDIDATES: usize = 1000;

/// How many letters must be inserted, removed or replaced to make `b` of `a`.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, letter) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, other) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(letter != *other);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_one_that_may_be_meant() {
        let names = ["map_lookup_elem", "map_update_elem", "tail_call"];
        assert_eq!(near("map_lokup_elem", names).as_deref(), Some("map_lookup_elem"));
        assert_eq!(near("tailcall", names).as_deref(), Some("tail_call"));
        assert_eq!(near("xdp", names), None);
        assert_eq!(near(&"a".repeat(100_000), names), None);
    }
}
