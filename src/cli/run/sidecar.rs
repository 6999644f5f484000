//! `--ctx-lines`: context fields for each packet, line by line.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use oxbpf_abi::layout::SkBuff;

use super::Failure;
use crate::ctx_json::CtxFields;

/// The longest line: many times what all fields take.
const MAX_LINE: u64 = 1 << 20;

/// A file whose line N is for packet N.
pub(super) struct Sidecar {
    path: PathBuf,
    lines: BufReader<File>,
    /// Lines read so far.
    at: u64,
    line: Vec<u8>,
}

impl Sidecar {
    pub(super) fn open(path: &Path) -> Result<Sidecar, Failure> {
        match File::open(path) {
            Ok(file) => Ok(Sidecar { path: path.into(), lines: BufReader::new(file), at: 0, line: Vec::new() }),
            Err(e) => Err(Failure::usage(format!("error[ctx-lines]: {}: {e}", path.display()))),
        }
    }

    /// Sets the fields of a packet's line; packets come in order.
    ///
    /// Fails where there is no such line or it is no context.
    pub(super) fn apply(&mut self, packet: u64, skb: &mut SkBuff) -> Result<(), Failure> {
        while self.at < packet {
            self.next_line(packet)?;
        }
        let line = str::from_utf8(&self.line).map_err(|_| self.wrong("is not UTF-8"))?.trim();
        if line.is_empty() {
            return Ok(());
        }
        let fields = CtxFields::parse(line).map_err(|e| self.wrong(&e))?;
        if fields.by_packet() {
            return Err(self.wrong("packets has no meaning here: the line is of one packet"));
        }
        fields.apply(packet, skb);
        Ok(())
    }

    fn next_line(&mut self, packet: u64) -> Result<(), Failure> {
        self.line.clear();
        let read = (&mut self.lines).take(MAX_LINE).read_until(b'\n', &mut self.line);
        let read = read.map_err(|e| self.wrong(&format!("cannot be read: {e}")))?;
        if read == 0 {
            let what = format!("has {} lines, there is none for packet {packet}", self.at);
            return Err(Failure::usage(format!("error[ctx-lines]: {}: {what}", self.path.display())));
        }
        self.at += 1;
        if read as u64 == MAX_LINE && self.line.last() != Some(&b'\n') {
            return Err(self.wrong(&format!("is longer than {MAX_LINE} bytes")));
        }
        Ok(())
    }

    fn wrong(&self, what: &str) -> Failure {
        Failure::usage(format!("error[ctx-lines]: {}: line {}: {what}", self.path.display(), self.at))
    }
}
