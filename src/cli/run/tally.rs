//! Packets and bytes by verdict.

use std::collections::BTreeMap;

use oxbpf_runtime::Outcome;

use super::packets::Prepared;
use super::report::PacketLine;

/// One verdict's share.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) what: String,
    pub(super) outcome: Outcome,
    pub(super) packets: u64,
    pub(super) bytes: u64,
    pub(super) first: u64,
}

/// All verdicts so far.
#[derive(Default)]
pub(super) struct Tally {
    rows: BTreeMap<String, Row>,
    pub(super) packets: u64,
    pub(super) bytes: u64,
}

/// Different verdicts that are told apart; a program may return anything.
const MAX_ROWS: usize = 1000;

impl Tally {
    pub(super) fn add(&mut self, packet: &Prepared<'_>, line: &PacketLine) {
        self.packets += 1;
        self.bytes += u64::from(packet.len);
        let mut what = line.what();
        if self.rows.len() >= MAX_ROWS && !self.rows.contains_key(&what) {
            what = "others".into();
        }
        let row = self.rows.entry(what.clone()).or_insert(Row {
            what,
            outcome: line.outcome.clone(),
            packets: 0,
            bytes: 0,
            first: packet.number,
        });
        row.packets += 1;
        row.bytes += u64::from(packet.len);
    }

    /// Rows, the most frequent first.
    pub(super) fn rows(&self) -> Vec<&Row> {
        let mut rows: Vec<_> = self.rows.values().collect();
        rows.sort_by_key(|r| (std::cmp::Reverse(r.packets), r.first));
        rows
    }

    /// Outcomes that are traps, one of each kind.
    pub(super) fn traps(&self) -> impl Iterator<Item = &Outcome> {
        self.rows.values().map(|r| &r.outcome).filter(|o| matches!(o, Outcome::Trap(_)))
    }
}
