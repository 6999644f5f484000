//! How many bytes user space sees of a map's value: what the element calls' soundness rests on.

/// Map types whose value user space sees once per possible CPU, each slot rounded up to eight bytes:
/// per-CPU hash, per-CPU array, per-CPU LRU hash, per-CPU cgroup storage.
const PER_CPU: [u32; 4] = [5, 6, 10, 21];

/// The last map type whose value is known to be laid out as here (an instruction array).
const LAST_KNOWN: u32 = 34;

/// Bytes of one value as user space reads and writes it; `None` for a type that is not known, or more than `usize` holds.
pub fn user_value_size(map_type: u32, value_size: u32, cpus: usize) -> Option<usize> {
    let size = value_size as usize;
    if map_type > LAST_KNOWN {
        None
    } else if PER_CPU.contains(&map_type) {
        size.checked_next_multiple_of(8)?.checked_mul(cpus)
    } else {
        Some(size)
    }
}

/// How many CPUs the kernel may ever run, from the text of `/sys/devices/system/cpu/possible` (`0-3,8`).
pub fn count_cpus(possible: &str) -> Option<usize> {
    possible.trim().split(',').try_fold(0usize, |count, range| {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (first, last) = (first.parse::<usize>().ok()?, last.parse::<usize>().ok()?);
        count.checked_add(last.checked_sub(first)?.checked_add(1)?)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn per_cpu_values_are_rounded_slots() {
        assert_eq!(user_value_size(2, 5, 3), Some(5));
        assert_eq!(user_value_size(6, 5, 3), Some(24));
        assert_eq!(user_value_size(35, 5, 3), None);
        assert_eq!(user_value_size(5, u32::MAX, usize::MAX), None);
    }

    #[test]
    fn cpu_ranges() {
        assert_eq!(count_cpus("0-1\n"), Some(2));
        assert_eq!(count_cpus("0"), Some(1));
        assert_eq!(count_cpus("0-3,8,10-11"), Some(7));
        assert_eq!(count_cpus(""), None);
        assert_eq!(count_cpus("3-1"), None);
    }
}
