//! The tables of veristat, the kernel's tool: its columns as comma-separated values, and its comparison of two of them.
//!
//! The columns are those that veristat writes, so that what reads its files reads these; a column `code` of our own
//! stands behind them.

use std::collections::BTreeMap;

use oxbpf_abi::ProgType;

use super::{Judged, Outcome};

/// veristat's columns, and ours behind them.
pub const COLUMNS: [&str; 17] = [
    "file_name",
    "prog_name",
    "verdict",
    "duration",
    "total_insns",
    "total_states",
    "peak_states",
    "max_states_per_insn",
    "max_mark_read_len",
    "prog_size",
    "prog_size_jited",
    "prog_type",
    "attach_type",
    "stack_depth",
    "max_stack_depth",
    "mem_peak",
    "code",
];

/// The columns that a comparison is about, as far as the baseline has them, and their titles.
const COMPARED: [(&str, &str); 5] = [
    ("verdict", "Verdict"),
    ("total_insns", "Insns"),
    ("total_states", "States"),
    ("peak_states", "Peak states"),
    ("max_states_per_insn", "Max states per insn"),
];

/// What stands where there is nothing.
const NONE: &str = "N/A";

/// All programs, with the header.
pub fn csv(programs: &[Judged]) -> String {
    let mut out = COLUMNS.join(",") + "\n";
    for program in programs {
        let cells: Vec<String> = COLUMNS.iter().map(|column| quoted(&cell(program, column))).collect();
        out.push_str(&(cells.join(",") + "\n"));
    }
    out
}

/// veristat's word for the verdict; it knows no third.
fn verdict(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Accepted => "success",
        Outcome::Rejected | Outcome::Unreadable => "failure",
        Outcome::Unsupported => "unsupported",
    }
}

fn cell(program: &Judged, column: &str) -> String {
    let stats = &program.stats;
    match column {
        "file_name" => crate::prog::file_name(&program.file).to_string(),
        "prog_name" => program.name.clone(),
        "verdict" => verdict(program.outcome).to_string(),
        "duration" => program.time.as_micros().to_string(),
        "total_insns" => stats.processed.to_string(),
        "total_states" => stats.total_states.to_string(),
        "peak_states" => stats.peak_states.to_string(),
        "max_states_per_insn" => stats.max_states_per_insn.to_string(),
        "prog_size" => program.insns.to_string(),
        "prog_type" => program.prog_type.map_or("", |t| t.row().name).to_string(),
        "attach_type" => program.prog_type.map_or("", attach_type).to_string(),
        "stack_depth" => program.stack.iter().sum::<u32>().to_string(),
        "max_stack_depth" => program.stack.iter().max().copied().unwrap_or(0).to_string(),
        "code" => program.refusal.as_ref().map_or(String::new(), |r| r.code.clone()),
        // Read marks are no longer counted, nothing is compiled, and memory is not the kernel's.
        _ => "0".to_string(),
    }
}

/// libbpf's name of the attach type that a program is loaded with; 0 has a name like any other.
fn attach_type(prog_type: ProgType) -> &'static str {
    match prog_type {
        ProgType::Xdp => "xdp",
        _ => "cgroup_inet_ingress",
    }
}

/// A cell, in quotation marks where it needs them.
fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_string() }
}

/// A table of values by file and program.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Table {
    columns: Vec<String>,
    rows: BTreeMap<(String, String), Vec<String>>,
}

impl Table {
    /// Reads a table with a header, of veristat's or of [`csv`]'s.
    ///
    /// # Errors
    /// What is wrong with it, in a clause with the line.
    ///
    /// ```
    /// use oxbpf::verdict::veristat::Table;
    ///
    /// assert!(Table::parse("file_name,prog_name,verdict\na.o,p,success\n").is_ok());
    /// assert_eq!(Table::parse("verdict\n").unwrap_err(), "line 1: no column file_name");
    /// ```
    pub fn parse(text: &str) -> Result<Table, String> {
        let mut lines = text.lines().zip(1u32..).filter(|(line, _)| !line.trim().is_empty());
        let (header, number) = lines.next().ok_or("line 1: no header")?;
        let columns = cells(header).map_err(|e| format!("line {number}: {e}"))?;
        let position = |name: &str| {
            let found = columns.iter().position(|c| c == name);
            found.ok_or_else(|| format!("line {number}: no column {name}"))
        };
        let (file, program) = (position("file_name")?, position("prog_name")?);
        let mut rows = BTreeMap::new();
        for (line, number) in lines {
            let row = cells(line).map_err(|e| format!("line {number}: {e}"))?;
            if row.len() != columns.len() {
                return Err(format!("line {number}: {} cells under {} columns", row.len(), columns.len()));
            }
            rows.insert((row[file].clone(), row[program].clone()), row);
        }
        Ok(Table { columns, rows })
    }

    fn get(&self, key: &(String, String), column: &str) -> Option<&str> {
        let at = self.columns.iter().position(|c| c == column)?;
        self.rows.get(key).map(|row| row[at].as_str())
    }
}

/// The cells of a line.
fn cells(line: &str) -> Result<Vec<String>, &'static str> {
    let mut cells = vec![String::new()];
    let mut chars = line.trim_end_matches('\r').chars().peekable();
    let mut inside = false;
    while let Some(c) = chars.next() {
        let cell = cells.last_mut().expect("there is a cell");
        match c {
            '"' if inside && chars.peek() == Some(&'"') => {
                chars.next();
                cell.push('"');
            }
            '"' => inside = !inside,
            ',' if !inside => cells.push(String::new()),
            c => cell.push(c),
        }
    }
    if inside { Err("a quotation mark without its other") } else { Ok(cells) }
}

/// Two tables beside each other.
pub struct Comparison {
    /// The columns compared, with their titles.
    columns: Vec<(&'static str, &'static str)>,
    /// File, program, and for each column base, now and difference.
    rows: Vec<Vec<String>>,
}

/// Compares programs with a table from before.
pub fn compare(base: &Table, programs: &[Judged]) -> Comparison {
    let now = Table::parse(&csv(programs)).unwrap_or_default();
    let columns: Vec<_> = COMPARED.into_iter().filter(|(name, _)| base.columns.iter().any(|c| c == name)).collect();
    let mut keys: Vec<_> = base.rows.keys().chain(now.rows.keys()).collect();
    keys.sort();
    keys.dedup();
    let row = |key: &(String, String)| {
        let mut row = vec![key.0.clone(), key.1.clone()];
        for (column, _) in &columns {
            let (a, b) = (base.get(key, column), now.get(key, column));
            let shown = |v: Option<&str>| v.unwrap_or(NONE).to_string();
            row.extend([shown(a), shown(b), difference(column, a, b)]);
        }
        row
    };
    Comparison { rows: keys.into_iter().map(row).collect(), columns }
}

fn difference(column: &str, a: Option<&str>, b: Option<&str>) -> String {
    let (Some(a), Some(b)) = (a, b) else { return NONE.to_string() };
    if column == "verdict" {
        return if a == b { "MATCH" } else { "MISMATCH" }.to_string();
    }
    let (Ok(from), Ok(to)) = (a.parse::<i64>(), b.parse::<i64>()) else { return NONE.to_string() };
    let by = to.saturating_sub(from);
    let share = match from {
        0 if by == 0 => 0.0,
        0 => 100.0 * by.signum() as f64,
        _ => by as f64 / from as f64 * 100.0,
    };
    format!("{by:+} ({share:+.2}%)")
}

impl Comparison {
    /// As comma-separated values: `X_base,X_comp,X_diff` of each column.
    pub fn csv(&self) -> String {
        let header = ["file_name".to_string(), "prog_name".to_string()].into_iter();
        let header =
            header.chain(self.columns.iter().flat_map(|(c, _)| ["base", "comp", "diff"].map(|s| format!("{c}_{s}"))));
        let lines = std::iter::once(header.collect::<Vec<_>>()).chain(self.rows.iter().cloned());
        lines.map(|cells| cells.iter().map(|c| quoted(c)).collect::<Vec<_>>().join(",") + "\n").collect()
    }

    /// As a table for people.
    pub fn text(&self) -> String {
        let titles = ["File".to_string(), "Program".to_string()].into_iter();
        let titles =
            titles.chain(self.columns.iter().flat_map(|(_, t)| ["A", "B", "DIFF"].map(|s| format!("{t} ({s})"))));
        let titles: Vec<String> = titles.collect();
        let width = |i: usize| self.rows.iter().chain([&titles]).map(|row| row[i].chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..titles.len()).map(width).collect();
        let rule: Vec<String> = widths.iter().map(|w| "-".repeat(*w)).collect();
        let line = |cells: &Vec<String>, titles: bool| {
            let cell = |(i, text): (usize, &String)| {
                // Names and verdicts stand at the left, numbers at the right.
                let left = titles || i < 5;
                if left { format!("{text:<w$}", w = widths[i]) } else { format!("{text:>w$}", w = widths[i]) }
            };
            let line = cells.iter().enumerate().map(cell).collect::<Vec<_>>().join("  ");
            line.trim_end().to_string() + "\n"
        };
        line(&titles, true) + &line(&rule, true) + &self.rows.iter().map(|row| line(row, false)).collect::<String>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(name: &str, processed: u32) -> Judged {
        let refusal = super::super::Refusal {
            code: String::new(),
            slot: None,
            place: None,
            message: String::new(),
            kernel: String::new(),
            rendered: String::new(),
            path: Vec::new(),
        };
        let mut program = Judged::without("dir/file-a", name, Outcome::Accepted, refusal);
        program.stats.processed = processed;
        program.stats.total_states = 12;
        program
    }

    #[test]
    fn missing_programs_are_not_available() {
        let base = "file_name,prog_name,verdict,total_states\nfile-a,a,success,12\nfile-b,b,success,67\n";
        let comparison = compare(&Table::parse(base).unwrap(), &[judged("a", 5), judged("c", 6)]);
        let expected = "\
file_name,prog_name,verdict_base,verdict_comp,verdict_diff,total_states_base,total_states_comp,total_states_diff
file-a,a,success,success,MATCH,12,12,+0 (+0.00%)
file-a,c,N/A,success,N/A,N/A,12,N/A
file-b,b,success,N/A,N/A,67,N/A,N/A
";
        assert_eq!(comparison.csv(), expected);
    }

    #[test]
    fn differences_have_signs_and_shares() {
        assert_eq!(difference("total_insns", Some("21547"), Some("20920")), "-627 (-2.91%)");
        assert_eq!(difference("total_insns", Some("0"), Some("3")), "+3 (+100.00%)");
        assert_eq!(difference("verdict", Some("success"), Some("failure")), "MISMATCH");
    }

    #[test]
    fn cells_may_be_quoted() {
        assert_eq!(cells("a,\"b,\"\"c\",").unwrap(), ["a", "b,\"c", ""]);
        assert!(cells("\"a").is_err());
        assert_eq!(quoted("b,\"c"), "\"b,\"\"c\"");
    }

    #[test]
    fn what_is_written_can_be_read() {
        let text = csv(&[judged("a", 5)]);
        let table = Table::parse(&text).unwrap();
        assert_eq!(table.get(&("file-a".into(), "a".into()), "total_insns"), Some("5"));
    }
}
