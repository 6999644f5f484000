//! Comparisons by chance, and what they tell.

use oxbpf_isa::{Cond, Insn, Width};
use oxbpf_verifier::scalar::{Link, Scalar, Test};

use crate::program::{Maker, REGS, reg};

/// How many places are followed at a comparison.
const FOLLOWED: usize = 6;

impl Maker<'_> {
    /// Of the places tied to the operands of a comparison only so many are followed, those tied to both counted twice;
    /// the rest are tied no more.
    fn follow_few(&mut self, at: usize, src_at: Option<usize>) {
        let mut left = FOLLOWED;
        for known in src_at.into_iter().chain([at]) {
            let id = self.links[known].id;
            for link in self.links.iter_mut().filter(|link| id != 0 && link.id == id) {
                if left == 0 {
                    *link = Link::NONE;
                }
                left = left.saturating_sub(1);
            }
        }
    }

    /// The registers where the operands of a comparison are `to`, and all that are tied to them.
    fn learnt(&self, at: usize, src_at: Option<usize>, to: (Scalar, Scalar)) -> ([Scalar; REGS], [Link; REGS + 1]) {
        let (mut regs, mut links) = (self.regs, self.links);
        regs[at] = to.0;
        if let Some(src_at) = src_at {
            regs[src_at] = to.1;
        }
        for known in src_at.into_iter().chain([at]) {
            for other in (0..=REGS).filter(|&other| other != known) {
                if let Some((num, link)) = Scalar::follow(links[other], &regs[known], links[known]) {
                    links[other] = link;
                    if other < REGS {
                        regs[other] = num;
                    }
                }
            }
        }
        (regs, links)
    }

    pub(crate) fn jump(&mut self) {
        let (width, cond) = (self.random.pick(&Width::ALL), self.random.pick(&Cond::ROWS).cond);
        let at = self.random.below(REGS);
        let (src, b, src_at) = self.operand(None, width, at);
        let a = self.regs[at];
        let insn = |off| Insn::JumpIf { cond, width, dst: reg(at), src, off };
        let mut named = vec![at];
        named.extend(src_at.filter(|&src_at| src_at != at));
        let same = src_at == Some(at);
        let kind = if same {
            "same"
        } else if src_at.is_some() {
            "reg"
        } else {
            "imm"
        };
        let label = format!("{}{} {kind}", cond.row().mnemonic, width.bits());
        let before = format!("{} with {}", a.kernel_text(false), b.kernel_text(false));
        match Scalar::decide(cond, width, &a, &b) {
            Some(false) => self.step(label + " decided", before, insn(1), &named),
            Some(true) => self.step(label + " decided", before, insn(1), &named),
            None => {
                let mut contradiction = false;
                let mut refined = |test: Test| {
                    let (x, y) = if same {
                        let both = Scalar::refine_same(test, width, a);
                        (both, both)
                    } else {
                        Scalar::refine(test, width, a, b)
                    };
                    contradiction |= x.is_contradictory() || y.is_contradictory();
                    (x.settled(), y.settled())
                };
                self.follow_few(at, src_at);
                let taken = refined(Test::of(cond, true));
                let fall = refined(Test::of(cond, false));
                let (regs, _) = self.learnt(at, src_at, taken);
                let taken = (0..).zip(regs).collect();
                (self.regs, self.links) = self.learnt(at, src_at, fall);
                let label = if contradiction { format!("{label} contradiction") } else { label };
                self.step(label, before, insn(0), &named);
                self.jumps.push((self.insns.len() - 1, self.steps.len() - 1));
                if let Some(step) = self.steps.last_mut() {
                    step.other = Some((0, taken));
                }
                return;
            }
        }
        // Decided: the next instruction ends the program, where the jump is not taken; else one is jumped over.
        if Scalar::decide(cond, width, &a, &b) == Some(true) {
            self.insns.push(Insn::Exit);
        } else if let Some(Insn::JumpIf { off, .. }) = self.insns.last_mut() {
            *off = 0;
            let jump = self.insns.len() - 1;
            self.jumps.push((jump, self.steps.len() - 1));
        }
    }
}
