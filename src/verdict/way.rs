//! The way to a fault: the branches of its path, and where a register got what it holds.

use oxbpf_abi::proto;
use oxbpf_ir::{InsnId, Program};
use oxbpf_isa::{CallTarget, Insn, Reg as R};
use oxbpf_verifier::{Code, Fault};

/// Instructions that are walked back over.
const STEPS: usize = 100_000;

/// Groups of equal branches that are shown; of a longer path the last.
const SHOWN: usize = 8;

/// An instruction of the path, and the one that control went on to.
type Passed = (InsnId, InsnId);

/// The path backwards from the fault. The recorded moves are those out of sequence, and some others.
fn backwards(fault: &Fault) -> Vec<Passed> {
    let Some(end) = fault.insn else { return Vec::new() };
    let mut moves = fault.path.iter().rev().peekable();
    let (mut at, mut passed) = (end, Vec::new());
    while passed.len() < STEPS {
        let before = match moves.next_if(|(_, to)| *to == at) {
            Some((from, _)) => *from,
            None if at.0 == 0 => break,
            None => InsnId(at.0 - 1),
        };
        passed.push((before, at));
        at = before;
    }
    passed
}

/// The branches that led to the fault, oldest first, in a clause; none where there were none.
pub(super) fn branches(program: &Program, fault: &Fault) -> Option<String> {
    let mut groups: Vec<(String, u32)> = Vec::new();
    let passed = backwards(fault);
    let mut more = passed.len() == STEPS;
    for (from, to) in passed {
        if !matches!(program.insns()[from.index()], Insn::JumpIf { .. } | Insn::MayGoto { .. }) {
            continue;
        }
        let line = program.line(from).map(|l| format!(" (line {})", l.line)).unwrap_or_default();
        let taken = if to.0 == from.0 + 1 { "not taken" } else { "taken" };
        let text = format!("{}{line} {taken}", program.slot(from));
        if let Some((_, count)) = groups.last_mut().filter(|(last, _)| *last == text) {
            *count += 1;
        } else if groups.len() == SHOWN {
            more = true;
            break;
        } else {
            groups.push((text, 1));
        }
    }
    let shown = |(text, count): &(String, u32)| if *count > 1 { format!("{text} {count} times") } else { text.clone() };
    let shown: Vec<String> = groups.iter().rev().map(shown).collect();
    (!shown.is_empty()).then(|| format!("{}{}", if more { "..., " } else { "" }, shown.join(", ")))
}

/// What became of a register that does not hold what is needed: the instruction that set it last, and the call that took
/// its pointer away.
pub(super) struct Origin {
    pub set: Option<InsnId>,
    /// The call, and what it does.
    pub void: Option<(InsnId, &'static str)>,
}

/// Where a register got what it holds, looked for in the fault's own frame.
pub(super) fn origin(program: &Program, fault: &Fault, reg: R) -> Origin {
    let mut origin = Origin { set: None, void: None };
    let mut deeper = 0;
    for (insn, _) in backwards(fault) {
        match program.insns()[insn.index()] {
            Insn::Exit => deeper += 1,
            Insn::Call(CallTarget::Local(_)) if deeper > 0 => deeper -= 1,
            // Here the frame began.
            Insn::Call(CallTarget::Local(_)) if !(1..=5).contains(&(reg as u8)) => break,
            _ if deeper > 0 => continue,
            _ => {}
        }
        if deeper > 0 {
            continue;
        }
        let code = program.insns()[insn.index()];
        if let (Insn::Call(CallTarget::Helper(id)), None, Code::NotAPointer) = (code, origin.void, fault.code) {
            origin.void = voids(id).map(|what| (insn, what));
        }
        if code.written() == Some(reg) || clobbers(&code, reg) {
            origin.set = Some(insn);
            return origin;
        }
    }
    // Without the instruction that set it, what came later explains nothing.
    Origin { set: None, void: None }
}

/// Whether an instruction leaves nothing in a register.
fn clobbers(insn: &Insn, reg: R) -> bool {
    matches!(insn, Insn::Call(_) | Insn::CallX { .. } | Insn::LdAbs { .. } | Insn::LdInd { .. })
        && (1..=5).contains(&(reg as u8))
}

/// What a helper takes away.
fn voids(id: i32) -> Option<&'static str> {
    let proto = proto(u32::try_from(id).ok()?)?;
    match (proto.moves_packet, proto.releases) {
        (true, _) => Some("may move the packet, so that pointers into it are void"),
        (_, 1..) => Some("gave back what it was given, and every pointer to that"),
        _ => None,
    }
}
