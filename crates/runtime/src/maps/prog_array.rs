//! Program arrays: programs by index, for tail calls.

use oxbpf_abi::errno;
use oxbpf_ir::ProgIdx;

use super::Entry;

#[derive(Debug)]
pub(super) struct ProgArray {
    max_entries: u32,
    /// Sparse: a table of a million indices with three programs costs three rows.
    programs: std::collections::BTreeMap<u32, ProgIdx>,
}

impl ProgArray {
    pub(super) fn new(max_entries: u32) -> ProgArray {
        ProgArray { max_entries, programs: Default::default() }
    }

    pub(super) fn get(&self, index: u32) -> Option<ProgIdx> {
        self.programs.get(&index).copied()
    }

    pub(super) fn set(&mut self, index: u32, program: Option<ProgIdx>) -> Result<(), i64> {
        if index >= self.max_entries {
            return Err(errno::E2BIG);
        }
        match program {
            Some(p) => {
                self.programs.insert(index, p);
                Ok(())
            }
            None => self.programs.remove(&index).map(drop).ok_or(errno::ENOENT),
        }
    }

    /// Indices in use and the number of the program there.
    pub(super) fn entries(&self) -> Vec<Entry> {
        let row = |(i, p): (&u32, &ProgIdx)| (i.to_le_bytes().to_vec(), p.0.to_le_bytes().to_vec());
        self.programs.iter().map(row).collect()
    }
}
