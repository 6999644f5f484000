//! `--expect`: lines as `--jsonl` prints them, compared key by key.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::report::PacketLine;

/// Failures kept for the report; the rest are counted.
const KEPT: usize = 10;

/// What packets were expected to do, and where they did not.
#[derive(Default)]
pub(super) struct Expected {
    by_packet: BTreeMap<u64, Map<String, Value>>,
    pub(super) failures: Vec<String>,
    pub(super) failed: u64,
}

impl Expected {
    /// Reads lines of JSON objects, each with a `packet` number. Lines of engines other than the interpreter,
    /// blank lines and lines that start with `#` are left out.
    pub(super) fn parse(text: &str) -> Result<Expected, String> {
        let mut by_packet = BTreeMap::new();
        for (i, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let at = |what: String| format!("line {}: {what}", i + 1);
            let mut object: Map<String, Value> = serde_json::from_str(line).map_err(|e| at(e.to_string()))?;
            if object.remove("engine").is_some_and(|e| e != "interp") {
                continue;
            }
            let number = object.remove("packet").and_then(|n| n.as_u64());
            let number = number.filter(|n| *n > 0).ok_or_else(|| at("no packet number from 1".into()))?;
            if by_packet.insert(number, object).is_some() {
                return Err(at(format!("packet {number} is expected twice")));
            }
        }
        Ok(Expected { by_packet, ..Expected::default() })
    }

    /// Compares a packet's line with what was expected of it.
    pub(super) fn check(&mut self, line: &PacketLine) {
        let Some(expected) = self.by_packet.remove(&line.packet) else { return };
        let actual = line.json();
        for (key, want) in expected {
            let have = actual.get(&key).unwrap_or(&Value::Null);
            if *have != want {
                self.fail(format!("packet {}: {key} is {have}, expected {want}", line.packet));
            }
        }
    }

    fn fail(&mut self, what: String) {
        self.failed += 1;
        if self.failures.len() < KEPT {
            self.failures.push(what);
        }
    }

    /// Packets that were expected and never came.
    pub(super) fn missing(&self) -> impl Iterator<Item = &u64> {
        self.by_packet.keys()
    }

    pub(super) fn failed(&self) -> bool {
        self.failed > 0 || !self.by_packet.is_empty()
    }
}
