//! Verdicts compared and counted, and the tables of that.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use crate::case::{Case, Judged, Ours};
use crate::oracle::{self, Maps, Told};

/// Programs above this many processed instructions count for figures of cost.
pub const LARGE: u64 = 200;
/// How many small programs that differ in cost are named.
const SMALL: usize = 8;
/// Files written for one row of the table.
const EXAMPLES: usize = 3;

/// How two verdicts differ. The first is the dangerous one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Difference {
    Panicked,
    WeAccept,
    WeReject,
    Unsupported,
    Failed,
}

#[derive(Default)]
struct Row {
    count: u64,
    files: Vec<PathBuf>,
}

/// The cost of one program on both sides.
struct Cost {
    name: String,
    processed: (u64, u64),
    states: ((u64, u64), (u64, u64)),
    micros: (f64, f64),
}

/// Counts over one corpus.
#[derive(Default)]
pub struct Tally {
    corpus: String,
    total: u64,
    accepted: u64,
    agree_accepted: u64,
    agree_rejected: u64,
    same_message: u64,
    same_processed: (u64, u64),
    failed: u64,
    /// Programs left out, by reason.
    left_out: BTreeMap<String, u64>,
    differences: BTreeMap<(Difference, String, String), Row>,
    messages: BTreeMap<String, u64>,
    costs: Vec<Cost>,
    /// Small programs of which other numbers of instructions are processed.
    small: Vec<String>,
}

/// A message with its numbers masked, so that rows are classes.
pub fn class_of(message: &str) -> String {
    let mut out = String::with_capacity(message.len());
    let mut digits = false;
    for c in message.chars() {
        let digit = c.is_ascii_digit();
        if digit && !digits {
            if out.ends_with('-') {
                out.pop();
            }
            out.push('N');
        } else if !digit {
            out.push(c);
        }
        digits = digit;
    }
    out
}

impl Tally {
    pub fn new(corpus: &str) -> Tally {
        Tally { corpus: corpus.to_string(), ..Tally::default() }
    }

    pub fn total(&self) -> u64 {
        self.total
    }

    /// Whether rejects with this message already make their share, so that another one would unbalance the corpus.
    pub fn saturated(&self, message: &str) -> bool {
        let rejected = self.total - self.accepted;
        let count = self.messages.get(&class_of(message)).copied().unwrap_or(0);
        count >= 3 && (count + 1) * 100 > 10 * (rejected + 1)
    }

    /// Enters a program with both verdicts.
    pub fn enter(&mut self, case: &Case, maps: &Maps, told: &Told, ours: &Judged) {
        self.total += 1;
        let (accepted, message, processed) = match told {
            Told::Failed { how } => {
                self.failed += 1;
                self.differ(Difference::Failed, class_of(how), String::new(), case, None, ours);
                return;
            }
            Told::Verdict { accepted, message, processed, .. } => (*accepted, message.as_str(), *processed),
        };
        let kernel = if accepted { "accepted".to_string() } else { class_of(message) };
        if accepted {
            self.accepted += 1;
        } else {
            *self.messages.entry(kernel.clone()).or_default() += 1;
        }
        let (difference, said) = match &ours.verdict {
            Ours::Accepted if accepted => {
                self.agree_accepted += 1;
                self.same_processed.1 += 1;
                self.same_processed.0 += u64::from(processed == ours.processed);
                if processed != ours.processed && processed <= LARGE && self.small.len() < SMALL {
                    self.small.push(format!("({processed}, {}) {}", ours.processed, case.name));
                }
                return;
            }
            Ours::Rejected { message: ours, .. } if !accepted => {
                self.agree_rejected += 1;
                let ours = ours.split(" (insn ").next().unwrap_or_default();
                self.same_message += u64::from(class_of(ours) == kernel);
                return;
            }
            Ours::Accepted => (Difference::WeAccept, "accepted".to_string()),
            Ours::Rejected { code, message } => (Difference::WeReject, format!("{code} {}", class_of(message))),
            Ours::Unsupported { what } => (Difference::Unsupported, class_of(what)),
            Ours::Panicked { message } => (Difference::Panicked, class_of(message)),
        };
        self.differ(difference, kernel, said, case, Some((maps, accepted)), ours);
    }

    /// Notes a program that is not compared.
    pub fn leave_out(&mut self, reason: &str) {
        *self.left_out.entry(reason.to_string()).or_default() += 1;
    }

    /// Enters the cost of a program that both accept.
    pub fn enter_cost(&mut self, case: &Case, told: &Told, ours: &Judged, micros: (f64, f64)) {
        if let Told::Verdict { processed, states, .. } = told {
            self.costs.push(Cost {
                name: case.name.clone(),
                processed: (*processed, ours.processed),
                states: (*states, (ours.total_states, ours.peak_states)),
                micros,
            });
        }
    }

    fn differ(
        &mut self,
        difference: Difference,
        kernel: String,
        said: String,
        case: &Case,
        asked: Option<(&Maps, bool)>,
        ours: &Judged,
    ) {
        let number = self.differences.len();
        let row = self.differences.entry((difference, kernel.clone(), said.clone())).or_default();
        row.count += 1;
        if row.files.len() >= EXAMPLES {
            return;
        }
        let dir = PathBuf::from("target/verdicts").join(&self.corpus);
        let stem = format!("{difference:?}-{}-{}", number, row.files.len()).to_lowercase();
        let file = dir.join(format!("{stem}.txt"));
        let said = match &ours.verdict {
            Ours::Accepted => "accepted".to_string(),
            Ours::Rejected { code, message } => format!("{code} {message}"),
            Ours::Unsupported { what } => format!("unsupported: {what}"),
            Ours::Panicked { message } => format!("panicked: {message}"),
        };
        let mut text = format!(
            "{}\ntype {} attach {} flags {:#x}\nkernel: {kernel}\nours:   {said}\n\n{}\n",
            case.name,
            case.prog_type,
            case.attach,
            case.flags,
            case.listing()
        );
        for (i, map) in case.maps.iter().enumerate() {
            let _ = writeln!(
                text,
                "map {i}: {} key {} value {} entries {} flags {:#x} lock {:?}",
                map.map_type, map.key_size, map.value_size, map.max_entries, map.flags, map.lock
            );
        }
        if let Some((maps, accepted)) = asked {
            let _ = write!(text, "\nkernel's log:\n{}", oracle::trace(case, maps, accepted));
        }
        let written = std::fs::create_dir_all(&dir).and_then(|()| std::fs::write(&file, text));
        written.unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        row.files.push(file);
    }

    /// How many verdicts of all agree, in percent.
    pub fn agreement(&self) -> f64 {
        percent(self.agree_accepted + self.agree_rejected, self.total)
    }

    /// How many programs of this difference there are.
    pub fn count(&self, difference: Difference) -> u64 {
        self.differences.iter().filter(|((d, _, _), _)| *d == difference).map(|(_, row)| row.count).sum()
    }

    /// The kernel's share of acceptance, in percent.
    pub fn accepted_share(&self) -> f64 {
        percent(self.accepted, self.total)
    }

    /// The greatest share of rejects that one message has, in percent, with that message.
    pub fn greatest_message(&self) -> (f64, &str) {
        let rejected = self.total - self.accepted - self.failed;
        let most = self.messages.iter().max_by_key(|(_, n)| **n);
        most.map_or((0.0, ""), |(message, n)| (percent(*n, rejected), message))
    }

    /// The tables.
    pub fn report(&self) -> String {
        let mut out = String::new();
        let rejected = self.total - self.accepted - self.failed;
        let _ = writeln!(
            out,
            "{}: {} programs, agreement {:.2} %; kernel accepts {:.1} %, failed {}; we accept what it rejects {}, reject \
             what it accepts {}, unsupported {}, panicked {}; same message {:.1} % of {} rejects, processed equal {:.1} % of {}",
            self.corpus,
            self.total,
            self.agreement(),
            self.accepted_share(),
            self.failed,
            self.count(Difference::WeAccept),
            self.count(Difference::WeReject),
            self.count(Difference::Unsupported),
            self.count(Difference::Panicked),
            percent(self.same_message, self.agree_rejected),
            self.agree_rejected,
            percent(self.same_processed.0, self.same_processed.1),
            self.same_processed.1,
        );
        for (reason, n) in &self.left_out {
            let _ = writeln!(out, "  left out: {n} {reason}");
        }
        let mut rows: Vec<_> = self.differences.iter().collect();
        rows.sort_by_key(|((difference, ..), row)| (*difference, std::cmp::Reverse(row.count)));
        for ((difference, kernel, said), row) in rows {
            let file = row.files.first().map(|f| f.display().to_string()).unwrap_or_default();
            let _ = writeln!(out, "  {difference:?} {:>6}  kernel: {kernel} | ours: {said} | {file}", row.count);
        }
        let mut messages: Vec<_> = self.messages.iter().collect();
        messages.sort_by_key(|(_, n)| std::cmp::Reverse(**n));
        let _ = writeln!(out, "  {} different messages of rejection; the most frequent:", messages.len());
        for (message, n) in messages.iter().take(12) {
            let _ = writeln!(out, "    {:>5.1} %  {message}", percent(**n, rejected));
        }
        for small in &self.small {
            let _ = writeln!(out, "  small, processed (kernel, ours) {small}");
        }
        self.report_costs(&mut out);
        out
    }

    fn report_costs(&self, out: &mut String) {
        let n = self.costs.len() as u64;
        if n == 0 {
            return;
        }
        let equal = self.costs.iter().filter(|c| c.processed.0 == c.processed.1).count() as u64;
        let near = self.costs.iter().filter(|c| ratio(c.processed.0, c.processed.1) <= 1.25).count() as u64;
        let states = self.costs.iter().filter(|c| c.states.0 == c.states.1).count() as u64;
        let mut speed: Vec<(f64, &Cost)> = self.costs.iter().map(|c| (c.micros.0 / c.micros.1.max(0.1), c)).collect();
        speed.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mean = (speed.iter().map(|(s, _)| s.max(1e-6).ln()).sum::<f64>() / n as f64).exp();
        let _ = writeln!(
            out,
            "  {n} accepted programs above {LARGE} processed: processed equal {:.1} %, within 1.25 times {:.1} %, states \
             equal {:.1} %; faster than the kernel {mean:.2} times (geometric mean), least {:.2}, under 2 times {}",
            percent(equal, n),
            percent(near, n),
            percent(states, n),
            speed[0].0,
            speed.iter().filter(|(s, _)| *s < 2.0).count(),
        );
        for (s, cost) in speed.iter().take(3) {
            let _ = writeln!(
                out,
                "    slow: {s:.2} times, {} kernel {:.0} us ours {:.0} us, processed {:?}",
                cost.name, cost.micros.0, cost.micros.1, cost.processed
            );
        }
        let mut worst: Vec<&Cost> = self.costs.iter().collect();
        worst.sort_by(|a, b| ratio(b.processed.0, b.processed.1).total_cmp(&ratio(a.processed.0, a.processed.1)));
        let small = self.costs.iter().filter(|c| c.processed.0 != c.processed.1).min_by_key(|c| c.processed.0);
        worst.splice(0..0, small);
        for cost in worst.iter().take(8).filter(|c| c.processed.0 != c.processed.1) {
            let _ = writeln!(
                out,
                "    processed (kernel, ours) {:?}, states {:?}: {}",
                cost.processed, cost.states, cost.name
            );
        }
    }
}

fn percent(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 * 100.0 / whole as f64 }
}

fn ratio(a: u64, b: u64) -> f64 {
    let (low, high) = (a.min(b).max(1), a.max(b).max(1));
    high as f64 / low as f64
}
