//! `--expect`: lines as `--jsonl` prints them, compared key by key.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// Failures kept for the report; the rest are counted.
const KEPT: usize = 10;

/// The engine whose lines stand for those of any other that shows the verdicts.
const REFERENCE: &str = "interp";

/// What packets were expected to do, and where they did not.
#[derive(Default)]
pub(super) struct Expected {
    lines: BTreeMap<(u64, String), Map<String, Value>>,
    primary: String,
    /// Lines of engines that do not run, by engine.
    pub(super) left_out: BTreeMap<String, u64>,
    pub(super) failures: Vec<String>,
    pub(super) failed: u64,
}

impl Expected {
    /// Reads lines of JSON objects, each with a `packet` number. Blank lines and lines that start with `#` are left
    /// out. A line without `engine` is of `primary`, the engine whose verdicts are shown; where that has no line, the
    /// interpreter's holds for it.
    pub(super) fn parse(text: &str, primary: &str, others: &[&str]) -> Result<Expected, String> {
        let mut lines = BTreeMap::new();
        for (i, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let at = |what: String| format!("line {}: {what}", i + 1);
            let mut object = match serde_json::from_str(line) {
                Ok(Value::Object(object)) => object,
                Ok(_) => return Err(at("no JSON object".into())),
                Err(e) => return Err(at(e.to_string())),
            };
            let engine = match object.remove("engine") {
                None => primary.to_string(),
                Some(Value::String(name)) => name,
                Some(other) => return Err(at(format!("engine {other} is no name"))),
            };
            let number = object.remove("packet").and_then(|n| n.as_u64());
            let number = number.filter(|n| *n > 0).ok_or_else(|| at("no packet number from 1".into()))?;
            if lines.insert((number, engine), object).is_some() {
                return Err(at(format!("packet {number} is expected twice")));
            }
        }
        Ok(Expected { primary: primary.into(), ..Expected::default() }.of_engines(lines, others))
    }

    /// Keeps the lines of engines that run.
    fn of_engines(mut self, lines: BTreeMap<(u64, String), Map<String, Value>>, others: &[&str]) -> Expected {
        let reference = |number: u64| (number, REFERENCE.to_string());
        for ((number, engine), line) in lines {
            if engine == self.primary || others.contains(&&*engine) {
                self.lines.insert((number, engine), line);
            } else if engine == REFERENCE {
                self.lines.insert(reference(number), line);
            } else {
                *self.left_out.entry(engine).or_default() += 1;
            }
        }
        if self.primary != REFERENCE {
            let numbers: Vec<u64> = self.lines.keys().filter(|(_, e)| e == REFERENCE).map(|(n, _)| *n).collect();
            for number in numbers {
                if let Some(line) = self.lines.remove(&reference(number)) {
                    self.lines.entry((number, self.primary.clone())).or_insert(line);
                }
            }
        }
        self
    }

    /// Compares an engine's line for a packet with what was expected of it.
    pub(super) fn check(&mut self, packet: u64, engine: &str, actual: impl FnOnce() -> Map<String, Value>) {
        if self.lines.is_empty() {
            return;
        }
        let Some(expected) = self.lines.remove(&(packet, engine.to_string())) else { return };
        let actual = actual();
        let who = self.who(packet, engine);
        for (key, want) in expected {
            let have = actual.get(&key).unwrap_or(&Value::Null);
            if *have != want {
                self.fail(format!("{who}: {key} is {have}, expected {want}"));
            }
        }
    }

    fn who(&self, packet: u64, engine: &str) -> String {
        if engine == self.primary { format!("packet {packet}") } else { format!("packet {packet}, {engine}") }
    }

    fn fail(&mut self, what: String) {
        self.failed += 1;
        if self.failures.len() < KEPT {
            self.failures.push(what);
        }
    }

    /// Packets that were expected and never came.
    pub(super) fn missing(&self) -> Vec<u64> {
        let mut numbers: Vec<u64> = self.lines.keys().map(|(number, _)| *number).collect();
        numbers.dedup();
        numbers
    }

    pub(super) fn failed(&self) -> bool {
        self.failed > 0 || !self.lines.is_empty()
    }
}
