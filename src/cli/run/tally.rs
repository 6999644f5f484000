//! Packets and bytes by verdict.

use std::collections::BTreeMap;

use oxbpf_runtime::{Outcome, Refusal, TrapKind};
use oxbpf_tc::Verdict;

use super::packets::Prepared;
use super::report::PacketLine;
use crate::cli::Exit;

/// One verdict's share.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) what: String,
    /// The verdict and the outcome of the row's packets; none where they are of several kinds or were not run.
    pub(super) kind: Option<(Option<Verdict>, Outcome)>,
    pub(super) packets: u64,
    pub(super) bytes: u64,
    pub(super) first: u64,
}

/// All verdicts so far.
#[derive(Default)]
pub(super) struct Tally {
    rows: BTreeMap<String, Row>,
    worst: Worst,
    pub(super) packets: u64,
    pub(super) bytes: u64,
    /// Packets of which the capture has less than they were.
    pub(super) truncated: u64,
}

/// Different verdicts that are told apart; a program may return anything.
const MAX_ROWS: usize = 1000;

/// How bad an end of a run is, in this order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Debug)]
enum Worst {
    #[default]
    Returned,
    OutOfFuel,
    Unsupported,
    Trapped,
    Defect,
}

impl From<&Outcome> for Worst {
    fn from(outcome: &Outcome) -> Worst {
        match outcome {
            Outcome::Return(_) => Worst::Returned,
            Outcome::Trap(trap) => match trap.kind {
                TrapKind::OutOfFuel { .. } => Worst::OutOfFuel,
                TrapKind::Unsupported { .. } | TrapKind::HelperRefused { .. } => Worst::Unsupported,
                TrapKind::HelperPanic { .. } => Worst::Defect,
                _ => Worst::Trapped,
            },
        }
    }
}

impl Tally {
    /// Counts what the engine made of a packet.
    pub(super) fn add(&mut self, packet: &Prepared<'_>, line: &PacketLine) {
        self.worst = self.worst.max(Worst::from(&line.outcome));
        self.count(packet, line.what(), Some((line.verdict, line.outcome.clone())));
    }

    /// Counts a packet that the engine cannot be told.
    pub(super) fn leave_out(&mut self, packet: &Prepared<'_>, refusals: &[Refusal]) {
        self.worst = self.worst.max(Worst::Unsupported);
        let reasons: Vec<_> = refusals.iter().map(|r| r.to_string()).collect();
        self.count(packet, format!("not run: {}", reasons.join(", ")), None);
    }

    fn count(&mut self, packet: &Prepared<'_>, mut what: String, mut kind: Option<(Option<Verdict>, Outcome)>) {
        self.packets += 1;
        self.bytes += u64::from(packet.len);
        self.truncated += u64::from(packet.truncated());
        if self.rows.len() >= MAX_ROWS && !self.rows.contains_key(&what) {
            (what, kind) = ("others".into(), None);
        }
        let row =
            self.rows.entry(what.clone()).or_insert(Row { what, kind, packets: 0, bytes: 0, first: packet.number });
        row.packets += 1;
        row.bytes += u64::from(packet.len);
    }

    /// Rows, the most frequent first.
    pub(super) fn rows(&self) -> Vec<&Row> {
        let mut rows: Vec<_> = self.rows.values().collect();
        rows.sort_by_key(|r| (std::cmp::Reverse(r.packets), r.first));
        rows
    }

    /// The exit code of the worst that a packet ended with.
    pub(super) fn worst(&self) -> Exit {
        match self.worst {
            Worst::Returned => Exit::Ok,
            Worst::OutOfFuel => Exit::Limit,
            Worst::Unsupported => Exit::Unsupported,
            Worst::Trapped => Exit::Finding,
            Worst::Defect => Exit::Internal,
        }
    }
}
