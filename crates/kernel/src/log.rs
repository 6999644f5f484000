//! The verifier's log, taken apart.
//!
//! A rejected program's log is a trace (at level 1 and up), the error in one or a few lines, and a line of figures:
//!
//! ```text
//! 0: R1=ctx() R10=fp0
//! 0: (79) r1 = *(u64 *)(r1 +999)
//! invalid bpf_context access off=999 size=8
//! verification time 38 usec
//! stack depth 0
//! processed 1 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0
//! ```
//!
//! Some errors end without a newline and run into the figures, so these are looked for inside a line as well.

/// What the kernel wrote about a load.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VerifierLog {
    /// The text; of one that was too long, the end.
    pub text: String,
    /// Whether the text is not all of it.
    pub truncated: bool,
    /// Bytes that all of it takes, with a final zero; 0 where the kernel does not say.
    pub true_size: u32,
    /// The slot of the instruction that the error stands at, as far as the log tells.
    pub at: Option<u32>,
    /// The figures of the last line.
    pub stats: Option<Stats>,
    /// What the verifier took, which it says at level 4.
    pub micros: Option<u64>,
    /// The error within the text.
    error: std::ops::Range<usize>,
}

/// The verifier's account of its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stats {
    /// Instructions processed, over all paths.
    pub insns: u64,
    /// Instructions it would process at most.
    pub limit: u64,
    /// Most states kept at one instruction.
    pub max_states_per_insn: u64,
    /// States kept in all.
    pub total_states: u64,
    /// Most states kept at one time.
    pub peak_states: u64,
    /// The longest chain of read marks; 0 on kernels that no longer count it.
    pub mark_read: u64,
}

impl VerifierLog {
    /// Takes a log apart; any text is one.
    pub fn parse(text: String, truncated: bool, true_size: u32) -> Self {
        let (body, stats) = split_stats(&text);
        let (body, micros) = split_times(body);
        let (start, traced) = error_start(body);
        let error = trim(&text, start..body.len());
        let at = traced.or_else(|| named_insn(&text[error.clone()]));
        Self { at, stats, micros, error, truncated, true_size, text }
    }

    /// The error: the lines after the last traced instruction. `None` when there are none, as for an accepted program.
    pub fn error(&self) -> Option<&str> {
        let text = self.text.get(self.error.clone())?;
        (!text.is_empty()).then_some(text)
    }

    /// The error's last line, which sums up those before it; states that the kernel prints behind it are passed over.
    pub fn last_error_line(&self) -> Option<&str> {
        let is_state = |line: &&str| line.starts_with("cur state: ") || line.starts_with("old state: ");
        self.error()?.lines().rfind(|line| !is_state(line))
    }
}

/// The text before the figures, and the figures.
fn split_stats(text: &str) -> (&str, Option<Stats>) {
    const START: &str = "processed ";
    for (at, _) in text.rmatch_indices(START).take(SEARCHES) {
        if let Some(stats) = read_stats(&text[at..]) {
            return (&text[..at], Some(stats));
        }
    }
    (text, None)
}

/// How many places a final line is looked for at: more than one only where a source line in the log says the same word.
const SEARCHES: usize = 8;

fn read_stats(text: &str) -> Option<Stats> {
    let mut words = text.lines().next()?.split([' ', '(', ')']).filter(|word| !word.is_empty());
    let mut named = |name: &str| -> Option<u64> { (words.next()? == name).then(|| words.next()?.parse().ok())? };
    let insns = named("processed")?;
    // "insns (limit N)": the number stands before its name once, so step over that name.
    (words.next()? == "insns").then_some(())?;
    let mut named = |name: &str| -> Option<u64> { (words.next()? == name).then(|| words.next()?.parse().ok())? };
    Some(Stats {
        insns,
        limit: named("limit")?,
        max_states_per_insn: named("max_states_per_insn")?,
        total_states: named("total_states")?,
        peak_states: named("peak_states")?,
        mark_read: named("mark_read").unwrap_or(0),
    })
}

/// The text before the lines on time and stack depth, and the time.
fn split_times(body: &str) -> (&str, Option<u64>) {
    const TIME: &str = "verification time ";
    let Some(at) = body.rfind(TIME) else {
        return (body, None);
    };
    let micros = body[at + TIME.len()..].split(' ').next().and_then(|word| word.parse().ok());
    match micros {
        Some(micros) => (&body[..at], Some(micros)),
        None => (body, None),
    }
}

/// Where the error starts: behind the last line that belongs to the trace; and the slot that line is about.
fn error_start(body: &str) -> (usize, Option<u32>) {
    let mut start = 0;
    let mut at = None;
    let mut offset = 0;
    for line in body.split_inclusive('\n') {
        offset += line.len();
        if let Some(slot) = traced_slot(line) {
            // This error does not begin a line: it stands behind the jump whose state came back.
            let behind = line.find(RUNS_ON).map_or(0, |found| line.len() - found);
            (start, at) = (offset - behind, Some(slot));
        } else if is_annotation(line) {
            start = offset;
        }
    }
    (start, at)
}

/// An error that runs on from the last traced line.
const RUNS_ON: &str = "infinite loop detected at insn ";

/// The slot of a line such as `12: (b7) r0 = 0` or `12: R0=1 R10=fp0`.
fn traced_slot(line: &str) -> Option<u32> {
    let (number, rest) = line.split_once(": ")?;
    let traced =
        rest.starts_with('(') || rest.starts_with('R') || rest.starts_with("safe") || rest.starts_with("frame");
    traced.then(|| number.parse().ok())?
}

/// Whether a line is part of the trace without being an instruction.
fn is_annotation(line: &str) -> bool {
    const STARTS: [&str; 14] = [
        "; ",
        "func#",
        "from ",
        "mark_precise: ",
        "propagating ",
        "caller:",
        "callee:",
        "returning from callee:",
        "to caller at ",
        "Func#",
        "Validating ",
        "Global function ",
        " frame",
        "Live regs before insn",
    ];
    STARTS.iter().any(|start| line.starts_with(start))
}

/// The number in an error's first `insn N`, for those found before any instruction is traced.
fn named_insn(error: &str) -> Option<u32> {
    let (_, rest) = error.split_once("insn ")?;
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    rest[..digits].parse().ok()
}

fn trim(text: &str, range: std::ops::Range<usize>) -> std::ops::Range<usize> {
    let part = &text[range.clone()];
    let start = range.start + (part.len() - part.trim_start().len());
    start..start + part.trim().len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> VerifierLog {
        VerifierLog::parse(text.to_string(), false, 0)
    }

    const FIGURES: &str =
        "processed 7 insns (limit 1000000) max_states_per_insn 1 total_states 2 peak_states 3 mark_read 4\n";

    fn stats() -> Option<Stats> {
        Some(Stats {
            insns: 7,
            limit: 1_000_000,
            max_states_per_insn: 1,
            total_states: 2,
            peak_states: 3,
            mark_read: 4,
        })
    }

    #[test]
    fn an_error_behind_an_instruction() {
        let log = parse(&format!(
            "2: (55) if r0 != 0x3c goto pc-2 infinite loop detected at insn 1\ncur state: R0=1\n{FIGURES}"
        ));
        assert_eq!(log.error(), Some("infinite loop detected at insn 1\ncur state: R0=1"));
        assert_eq!((log.last_error_line(), log.at), (Some("infinite loop detected at insn 1"), Some(2)));
    }

    #[test]
    fn traced_error() {
        let log = parse(&format!(
            "func#0 @0\n0: R1=ctx() R10=fp0\n0: (b7) r0 = 0  ; R0=0\n1: (79) r1 = *(u64 *)(r1 +999)\n\
             invalid bpf_context access off=999 size=8\nverification time 38 usec\nstack depth 0\n{FIGURES}"
        ));
        assert_eq!(log.error(), Some("invalid bpf_context access off=999 size=8"));
        assert_eq!((log.at, log.micros, log.stats), (Some(1), Some(38), stats()));
    }

    #[test]
    fn error_without_newline() {
        let log = parse(&format!("3: (85) call bpf_tail_call#12\nexpected prog array map for tail call{FIGURES}"));
        assert_eq!(log.error(), Some("expected prog array map for tail call"));
        assert_eq!((log.at, log.stats), (Some(3), stats()));
    }

    #[test]
    fn error_before_the_trace_names_its_insn() {
        let log = parse(&format!("jump out of range from insn 12 to 40\n{FIGURES}"));
        assert_eq!((log.at, log.error()), (Some(12), Some("jump out of range from insn 12 to 40")));
    }

    #[test]
    fn two_lines_of_error() {
        let log = parse("5: (bf) r0 = r2\nR2 !read_ok\nsecond line\n");
        assert_eq!(log.error(), Some("R2 !read_ok\nsecond line"));
        assert_eq!((log.at, log.stats, log.last_error_line()), (Some(5), None, Some("second line")));
    }

    #[test]
    fn states_behind_the_error() {
        let log = parse("2: (05) goto pc-1\ninfinite loop detected at insn 2\ncur state: R0=0\nold state: R0=0\n");
        assert_eq!(log.last_error_line(), Some("infinite loop detected at insn 2"));
    }

    #[test]
    fn accepted_program_has_no_error() {
        let log = parse(&format!("0: R1=ctx() R10=fp0\n0: (b7) r0 = 0\n1: (95) exit\n{FIGURES}"));
        assert_eq!((log.error(), log.stats), (None, stats()));
        assert_eq!(parse("").error(), None);
    }

    #[test]
    fn any_text_is_a_log() {
        for text in
            ["processed ", "processed x insns", "insn ", "verification time ", ": (", "\u{20ac}: R", "9999999999: (95)"]
        {
            parse(text);
        }
        let log = parse("processed 99999999999999999999999 insns (limit 1)");
        assert_eq!(log.stats, None);
    }
}
