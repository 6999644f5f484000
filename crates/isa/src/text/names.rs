//! Tables from names to what they stand for, made once and asked for every word of a text.

/// A table that is searched by the hash of a name, of which few share a place.
#[derive(Debug)]
pub(super) struct NameTable<T> {
    /// Sorted by hash and name.
    entries: Vec<(u64, String, T)>,
    /// At the place of its hash, or the next ones, a name's entry, counted from 1; 0 ends a search. A power of two, and
    /// at least four times as many as entries.
    places: Vec<u32>,
}

impl<T: Copy> NameTable<T> {
    /// Of entries with one name, the first stands.
    pub fn new(entries: impl IntoIterator<Item = (String, T)>) -> Self {
        let mut entries: Vec<_> = entries.into_iter().map(|(n, v)| (hash(n.as_bytes()), n, v)).collect();
        entries.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
        entries.dedup_by(|later, first| later.1 == first.1);
        let mut places = vec![0; (entries.len() * 4 + 1).next_power_of_two()];
        for (number, entry) in (1..).zip(&entries) {
            let mut at = entry.0 as usize;
            while places[at % places.len()] != 0 {
                at = at.wrapping_add(1);
            }
            let len = places.len();
            places[at % len] = number;
        }
        NameTable { entries, places }
    }

    pub fn get(&self, name: &str) -> Option<T> {
        self.get_parts(&[name])
    }

    /// What a name that is given in parts stands for.
    pub fn get_parts(&self, parts: &[&str]) -> Option<T> {
        let hash = parts.iter().fold(SEED, |h, p| extend(h, p.as_bytes()));
        let mask = self.places.len() - 1;
        let mut at = hash as usize;
        while let entry @ 1.. = self.places[at & mask] {
            let (h, name, value) = &self.entries[entry as usize - 1];
            let mut left = name.as_str();
            if *h == hash && parts.iter().all(|p| left.strip_prefix(p).map(|l| left = l).is_some()) && left.is_empty() {
                return Some(*value);
            }
            at = at.wrapping_add(1);
        }
        None
    }
}

/// The beginning of FNV-1a.
const SEED: u64 = 0xcbf2_9ce4_8422_2325;

fn hash(bytes: &[u8]) -> u64 {
    extend(SEED, bytes)
}

fn extend(hash: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(hash, |h, &b| (h ^ u64::from(b)).wrapping_mul(0x100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_a_name_stands_and_others_do_not() {
        let table = NameTable::new([("lock add", 1), ("b", 2), ("b", 3)].map(|(n, v)| (n.to_owned(), v)));
        assert_eq!((table.get("b"), table.get("lock add"), table.get("lock")), (Some(2), Some(1), None));
        assert_eq!((table.get_parts(&["lock ", "add"]), table.get_parts(&["lock ", "addx"])), (Some(1), None));
    }
}
