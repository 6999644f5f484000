//! Instructions of every row, with operands at their edges: what codecs and texts are tested with.

use std::sync::LazyLock;

use oxbpf_isa::{Fields, Insn, Reg};

use crate::rng::Rng;

static ROWS: LazyLock<Vec<Insn>> = LazyLock::new(Insn::rows);

/// `len` instructions, each row as likely as any other; the same for the same seed. Jumps lead anywhere.
///
/// ```
/// assert_eq!(oxbpf_progen::insns(1, 20), oxbpf_progen::insns(1, 20));
/// assert_ne!(oxbpf_progen::insns(1, 20), oxbpf_progen::insns(2, 20));
/// ```
pub fn insns(seed: u64, len: usize) -> Vec<Insn> {
    let mut rng = Rng::new(seed);
    (0..len).map(|_| rng.pick(&ROWS).with(&fields(&mut rng, len))).collect()
}

fn fields(rng: &mut Rng, len: usize) -> Fields {
    Fields {
        dst: rng.pick(&Reg::ALL),
        src: rng.pick(&Reg::ALL),
        off: off(rng, len as i32),
        // Half of the distances, which jumps and calls have here, are to near places.
        imm: if rng.chance(20) { near(rng, len as i32) } else { rng.imm() },
        next: if rng.chance(30) { 0 } else { rng.imm() },
    }
}

/// A distance within a program of `len` instructions.
fn near(rng: &mut Rng, len: i32) -> i32 {
    rng.below(2 * len as u32 + 1) as i32 - len
}

/// An offset: half of them within the program, for jumps; others at edges, or anything.
fn off(rng: &mut Rng, len: i32) -> i16 {
    match rng.below(6) {
        0..=2 => near(rng, len) as i16,
        3 => rng.pick(&OFFS),
        4 => rng.below(0x40) as i16 * 8,
        _ => rng.word() as i16,
    }
}

const OFFS: [i16; 9] = [0, 1, -1, 8, 16, 32, 0x7f, i16::MAX, i16::MIN];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_row_is_generated() {
        let zero = Fields::default();
        let seen: HashSet<Insn> = (0..200).flat_map(|seed| insns(seed, 30)).map(|i| i.with(&zero)).collect();
        assert_eq!(seen.len(), ROWS.len());
    }
}
