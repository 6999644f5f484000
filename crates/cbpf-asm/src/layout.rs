//! From labels to distances, and conditions that reach further than they can.

use oxbpf_isa::cbpf::Insn;

use crate::assemble::{Item, Labels, Mistake, Name, Op};
use crate::error::{Fault, quote};
use crate::mnemonic::is_keyword;

/// Where a side of a condition leads.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Goto<'s> {
    /// To the next instruction of the text.
    Next,
    Label(Name<'s>),
}

/// Which sides of a condition go through a `ja` behind it.
#[derive(Clone, Copy, Default)]
struct Detour {
    yes: bool,
    no: bool,
}

impl Detour {
    fn len(self) -> usize {
        usize::from(self.yes) + usize::from(self.no)
    }
}

/// The instructions of the items, each with the item it comes from. Jumps that cannot be made are added to `errors`
/// and yield nothing of use.
pub(crate) fn lay_out<'s>(
    items: &[Item<'s>],
    labels: &Labels<'s>,
    relax: bool,
    errors: &mut Vec<Mistake>,
) -> Vec<(Insn, usize)> {
    let jumps = Jumps { items, labels };
    let mut detours = vec![Detour::default(); items.len()];
    let mut starts = jumps.starts(&detours);
    let targets = if relax { jumps.targets() } else { Vec::new() };
    // Detours only grow, so that this ends.
    while widen(&mut detours, &starts, &targets) {
        starts = jumps.starts(&detours);
    }
    let mut out = Vec::with_capacity(items.len());
    for (at, item) in items.iter().enumerate() {
        let here = starts[at];
        match item.op {
            Op::Insn(insn) => out.push((insn, at)),
            Op::Ja(name) => out.push((Insn::Ja(jumps.distance(name, here, &starts, errors)), at)),
            Op::JumpIf { cond, src, yes, no } => {
                let detour = detours[at];
                let mut added = Vec::new();
                let mut side = |goto: Goto<'s>, detoured: bool, errors: &mut Vec<Mistake>| match goto {
                    Goto::Next => detour.len() as u8,
                    Goto::Label(name) if detoured => {
                        let place = added.len();
                        added.push(Insn::Ja(jumps.distance(name, here + 1 + place, &starts, errors)));
                        place as u8
                    }
                    Goto::Label(name) => {
                        let distance = jumps.distance(name, here, &starts, errors);
                        u8::try_from(distance).unwrap_or_else(|_| {
                            let fault = Fault::Distance { name: quote(name.text), distance };
                            errors.push((name.at, name.text.len(), fault));
                            0
                        })
                    }
                };
                let jt = side(yes, detour.yes, errors);
                let jf = side(no, detour.no, errors);
                out.push((Insn::JumpIf { cond, src, jt, jf }, at));
                out.extend(added.into_iter().map(|ja| (ja, at)));
            }
        }
    }
    out
}

struct Jumps<'a, 's> {
    items: &'a [Item<'s>],
    labels: &'a Labels<'s>,
}

impl<'s> Jumps<'_, 's> {
    /// The first instruction of each item, and how many there are.
    fn starts(&self, detours: &[Detour]) -> Vec<usize> {
        let mut next = 0;
        let mut starts = Vec::with_capacity(self.items.len() + 1);
        for detour in detours {
            starts.push(next);
            next += 1 + detour.len();
        }
        starts.push(next);
        starts
    }

    /// For each item the items that its sides lead to, where they have labels that exist.
    fn targets(&self) -> Vec<[Option<usize>; 2]> {
        let of = |goto: Goto<'s>| match goto {
            Goto::Next => None,
            Goto::Label(name) => self.labels.get(name.text).map(|&(item, _)| item),
        };
        let both = |item: &Item<'s>| match item.op {
            Op::JumpIf { yes, no, .. } => [of(yes), of(no)],
            Op::Insn(_) | Op::Ja(_) => [None; 2],
        };
        self.items.iter().map(both).collect()
    }

    /// How far a label is from the instruction behind `here`.
    fn distance(&self, name: Name<'s>, here: usize, starts: &[usize], errors: &mut Vec<Mistake>) -> u32 {
        let mut wrong = |fault| {
            errors.push((name.at, name.text.len(), fault));
            0
        };
        let Some(&(item, _)) = self.labels.get(name.text) else {
            let name = quote(name.text);
            return wrong(if is_keyword(&name) { Fault::Keyword { name } } else { Fault::UnknownLabel { name } });
        };
        match starts[item].checked_sub(here + 1) {
            // Below 3 * 4,097.
            Some(distance) => distance as u32,
            None => wrong(Fault::Backward { name: quote(name.text) }),
        }
    }
}

/// Adds detours for the sides that are too far; whether there were any.
fn widen(detours: &mut [Detour], starts: &[usize], targets: &[[Option<usize>; 2]]) -> bool {
    let mut any = false;
    for (at, [yes, no]) in targets.iter().enumerate() {
        let far = |target: Option<usize>| target.is_some_and(|item| starts[item] > starts[at] + 1 + 255);
        let wider = Detour { yes: detours[at].yes || far(*yes), no: detours[at].no || far(*no) };
        any |= wider.len() > detours[at].len();
        detours[at] = wider;
    }
    any
}
