//! What a run prints: a table for people, or JSON.

use std::io::Write;
use std::sync::Arc;

use comfy_table::{CellAlignment, Table, presets};
use oxbpf_abi::ctx::Field;
use oxbpf_btf::Btf;
use oxbpf_ir::{MapDef, MapIdx};
use oxbpf_runtime::{Instance, Outcome, Refusal, skb};
use oxbpf_tc::Verdict;
use serde_json::{Map, Value, json};

use super::Failure;
use super::expect::Expected;
use super::options::{Job, With};
use super::packets::{Prepared, Source};
use super::tally::{Row, Tally};
use crate::cli::say;
use crate::compare::Comparison;
use crate::map_json;
use crate::prog::Loaded;

/// What one engine made of one packet.
pub(super) struct PacketLine {
    pub(super) packet: u64,
    pub(super) outcome: Outcome,
    len: u32,
    caplen: usize,
    pub(super) engine: &'static str,
    pub(super) verdict: Option<Verdict>,
    data: Option<Vec<u8>>,
    ctx: Option<Value>,
    trace: Option<Vec<String>>,
}

impl PacketLine {
    pub(super) fn new(
        job: &Job,
        packet: &Prepared<'_>,
        engine: &'static str,
        outcome: &Outcome,
        instance: &dyn Instance,
    ) -> PacketLine {
        let with = |w| job.arguments.with.contains(&w);
        let after = instance.skb();
        let trace = || Some(instance.trace()?.into_iter().map(|l| l.text).collect());
        PacketLine {
            packet: packet.number,
            outcome: outcome.clone(),
            len: packet.len,
            caplen: packet.data.len(),
            engine,
            verdict: outcome.verdict().map(|v| job.semantics.verdict(v, after.tc_classid)),
            data: with(With::Data).then(|| instance.packet()),
            ctx: with(With::Ctx).then(|| writable(job, instance)),
            trace: if job.arguments.trace { trace() } else { None },
        }
    }

    /// The row of the table it counts in.
    pub(super) fn what(&self) -> String {
        match (&self.verdict, &self.outcome) {
            (Some(v), _) => v.to_string(),
            (None, Outcome::Trap(t)) => t.to_string(),
            (None, Outcome::Return(r0)) => r0.to_string(),
        }
    }

    pub(super) fn redirects(&self) -> bool {
        self.verdict == Some(Verdict::Redirect)
    }

    pub(super) fn passes(&self) -> bool {
        self.verdict.is_some_and(|v| v.passes())
    }

    /// The object that `--jsonl` prints.
    pub(super) fn json(&self) -> Map<String, Value> {
        let trap = match &self.outcome {
            Outcome::Return(_) => Value::Null,
            Outcome::Trap(t) => json!({ "kind": t.kind.code(), "program": &*t.program, "slot": t.slot.0 }),
        };
        let mut object = head(self.packet, self.len, self.caplen, self.engine);
        object.insert("return".into(), self.outcome.verdict().into());
        object.insert("verdict".into(), self.verdict.map(|v| v.word()).into());
        object.insert("classid".into(), self.verdict.and_then(|v| v.classid()).map(|c| c.to_string()).into());
        object.insert("trap".into(), trap);
        if let Some(data) = &self.data {
            let hex: String = data.iter().map(|b| format!("{b:02x}")).collect();
            object.insert("data".into(), hex.into());
        }
        if let Some(ctx) = &self.ctx {
            object.insert("ctx".into(), ctx.clone());
        }
        if let Some(trace) = &self.trace {
            object.insert("trace".into(), trace.clone().into());
        }
        object
    }
}

fn head(packet: u64, len: u32, caplen: usize, engine: &str) -> Map<String, Value> {
    let mut object = Map::new();
    object.insert("packet".into(), packet.into());
    object.insert("len".into(), len.into());
    object.insert("caplen".into(), caplen.into());
    object.insert("engine".into(), engine.into());
    object
}

/// The context fields that the program may write, as far as the engine tells them.
fn writable(job: &Job, instance: &dyn Instance) -> Value {
    let after = instance.skb();
    let fields = job.prog_type.ctx().fields.iter();
    let told = fields.filter(|f| f.writable_by(job.prog_type) && instance.reports(f));
    let value = |f: &Field| match &skb::get(&after, f)[..] {
        [one] => json!(one),
        many => json!(many),
    };
    Value::Object(told.map(|f| (f.name.to_string(), value(f))).collect())
}

/// The line of an engine that was not asked about a packet.
pub(super) fn refused(packet: &Prepared<'_>, engine: &str, refusals: &[Refusal]) -> Map<String, Value> {
    let mut object = head(packet.number, packet.len, packet.data.len(), engine);
    let reasons: Vec<_> = refusals.iter().map(|r| r.to_string()).collect();
    object.insert("left_out".into(), reasons.into());
    object
}

/// An engine that does not take the program.
pub(super) struct Rejected {
    pub(super) engine: &'static str,
    pub(super) message: String,
}

/// What a run has come to.
pub(super) struct Ending<'a> {
    pub(super) tally: &'a Tally,
    pub(super) primary: &'a dyn Instance,
    pub(super) others: &'a [Comparison],
    pub(super) rejected: &'a [Rejected],
    pub(super) expected: &'a Expected,
    /// Packets of the capture that nobody was asked about: passed over by `--skip`, left out by `--skip-links`.
    pub(super) skipped: u64,
    pub(super) left_out: u64,
    /// Packets redirected to no interface; events and copies for which there was no room.
    pub(super) nowhere: u64,
    pub(super) lost: u64,
    /// What maps hold and were not to.
    pub(super) maps: &'a [String],
}

impl Ending<'_> {
    /// What is worth to be said about packets, where there is something.
    fn remarks(&self) -> Vec<(&'static str, String)> {
        let rows = [
            ("truncated", self.tally.truncated, "packet", "captured shorter than they were"),
            ("skipped", self.skipped, "packet", "by --skip"),
            ("left out", self.left_out, "packet", "of link types that are not supported"),
            ("redirected", self.nowhere, "packet", "to no interface"),
            ("lost", self.lost, "event or copy", "beyond what one run may send"),
        ];
        let some = rows.into_iter().filter(|row| row.1 > 0);
        some.map(|(word, n, what, why)| (word, format!("{}, {why}", plural(n, what)))).collect()
    }
}

/// Everything printed and written over a run.
pub(super) struct Report {
    head: Vec<(&'static str, String)>,
    json: Value,
    maps: Vec<MapDef>,
    types: Option<Arc<Btf>>,
}

impl Report {
    pub(super) fn new(job: &Job, loaded: &Loaded, source: &Source, engine: &'static str) -> Report {
        let program = loaded.program();
        let unit = &loaded.unit;
        let place = match program.section() {
            "" => unit.name().to_string(),
            section => format!("{}:{section}/{}", unit.name(), program.name()),
        };
        let flowid = job.semantics.flowid.map_or("none".into(), |f| f.to_string());
        let (hook, mode) = (job.semantics.hook.name(), job.semantics.mode.name());
        let link = source.link_types();
        let file = job.arguments.pcap().display().to_string();
        let maps = unit.maps().len();
        let insns = program.slot_count();
        let head = vec![
            (
                "program",
                format!("{place}  {}, {}, {}", job.prog_type, plural(insns.into(), "insn"), plural(maps as u64, "map")),
            ),
            ("hook", format!("{hook}, mode {mode}, flowid {flowid}")),
            ("capture", format!("{file}  {link}")),
            ("engine", engine.to_string()),
        ];
        let json = json!({
            "schema": "oxbpf.run/1",
            "program": {
                "unit": unit.name(), "section": program.section(), "name": program.name(),
                "type": job.prog_type.row().name, "insns": insns, "maps": maps,
            },
            "hook": hook,
            "mode": mode,
            "flowid": job.semantics.flowid.map(|f| f.to_string()),
            "capture": { "file": file, "link_type": link },
            "engine": engine,
        });
        Report { head, json, maps: unit.maps().to_vec(), types: unit.types().cloned() }
    }

    /// Prints a packet's line where lines are wanted.
    pub(super) fn packet(&mut self, out: &mut impl Write, job: &Job, line: &PacketLine) -> Result<(), Failure> {
        if job.arguments.jsonl {
            writeln!(out, "{}", Value::Object(line.json()))?;
        } else {
            for text in line.trace.iter().flatten() {
                match job.arguments.json {
                    true => say(format_args!("#{}: {text}", line.packet)),
                    false => writeln!(out, "#{}: {text}", line.packet)?,
                }
            }
        }
        Ok(())
    }

    /// Prints the line of an engine that was not asked about a packet.
    pub(super) fn refused(
        &mut self,
        out: &mut impl Write,
        job: &Job,
        line: &Map<String, Value>,
    ) -> Result<(), Failure> {
        if job.arguments.jsonl {
            serde_json::to_writer(&mut *out, line).map_err(std::io::Error::from)?;
            writeln!(out)?;
        }
        Ok(())
    }

    /// Prints the totals.
    pub(super) fn finish(self, out: &mut impl Write, job: &Job, ending: &Ending<'_>) -> Result<(), Failure> {
        if job.arguments.json {
            return self.print_json(out, job, ending);
        }
        if job.arguments.jsonl {
            if job.arguments.map_dump {
                // Lines are of packets; that nobody hears the rest changes nothing.
                let _ = self.print_maps(&mut std::io::stderr(), ending.primary);
            }
        } else {
            self.print_table(out, ending)?;
            print_comparisons(out, ending)?;
            if job.arguments.map_dump {
                self.print_maps(out, ending.primary)?;
            }
        }
        print_expectations(ending.expected);
        for line in ending.maps {
            say(format_args!("{line}"));
        }
        Ok(())
    }

    fn print_table(&self, out: &mut impl Write, ending: &Ending<'_>) -> Result<(), Failure> {
        for (name, value) in &self.head {
            writeln!(out, "{name:<10} {value}")?;
        }
        writeln!(out)?;
        let tally = ending.tally;
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        table.set_header(["verdict", "packets", "bytes", "first"]);
        for row in tally.rows() {
            table.add_row([
                row.what.clone(),
                row.packets.to_string(),
                row.bytes.to_string(),
                format!("#{}", row.first),
            ]);
        }
        table.add_row(["total".to_string(), tally.packets.to_string(), tally.bytes.to_string(), String::new()]);
        for (i, column) in table.column_iter_mut().enumerate() {
            column.set_padding((0, 2));
            if i > 0 {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        for line in table.lines() {
            writeln!(out, "{}", line.trim_end())?;
        }
        for (i, (word, what)) in ending.remarks().iter().enumerate() {
            let gap = if i == 0 { "\n" } else { "" };
            writeln!(out, "{gap}{word:<10} {what}")?;
        }
        Ok(())
    }

    fn print_maps(&self, out: &mut impl Write, primary: &dyn Instance) -> Result<(), Failure> {
        for (i, def) in self.maps.iter().enumerate() {
            let entries = primary.map_entries(MapIdx(i as u32))?;
            writeln!(out)?;
            writeln!(
                out,
                "map {}  {}, key {} bytes, value {} bytes",
                def.name, def.map_type, def.key_size, def.value_size
            )?;
            write!(out, "{}", map_json::plain(def, &entries))?;
        }
        Ok(())
    }

    fn print_json(mut self, out: &mut impl Write, job: &Job, ending: &Ending<'_>) -> Result<(), Failure> {
        let Ending { tally, primary, others, rejected, expected, maps: unexpected, .. } = *ending;
        self.json["packets"] = tally.packets.into();
        self.json["bytes"] = tally.bytes.into();
        self.json["truncated"] = tally.truncated.into();
        self.json["skipped"] = ending.skipped.into();
        self.json["left_out"] = ending.left_out.into();
        self.json["redirected_nowhere"] = ending.nowhere.into();
        self.json["lost"] = ending.lost.into();
        self.json["verdicts"] = tally.rows().into_iter().map(row_json).collect();
        let compared = others.iter().map(|o| {
            let left_out = o.left_out.iter().map(|(r, n)| json!({ "reason": r.to_string(), "packets": n }));
            let differences = o.differences.iter().map(|(n, d)| json!({ "packet": n, "what": d.to_string() }));
            json!({
                "engine": o.name, "packets": o.ran, "different": o.different, "by_nature": o.by_nature,
                "left_out": left_out.collect::<Vec<_>>(), "differences": differences.collect::<Vec<_>>(),
            })
        });
        let rejects = rejected.iter().map(|r| json!({ "engine": r.engine, "rejected": r.message }));
        self.json["compared"] = compared.chain(rejects).collect();
        if job.arguments.map_dump {
            let mut maps = Map::new();
            for (i, def) in self.maps.iter().enumerate() {
                let entries = primary.map_entries(MapIdx(i as u32))?;
                maps.insert(def.name.clone(), map_json::bpftool(def, &entries, self.types.as_deref()));
            }
            self.json["maps"] = maps.into();
        }
        if !unexpected.is_empty() {
            self.json["unexpected_maps"] = json!(unexpected);
        }
        if expected.failed() {
            self.json["unexpected"] =
                json!({ "count": expected.failed, "first": expected.failures, "missing": expected.missing() });
        }
        writeln!(out, "{}", serde_json::to_string_pretty(&self.json).unwrap_or_default())?;
        Ok(())
    }
}

/// A row of the totals; `text` is what the table says.
fn row_json(row: &Row) -> Value {
    let mut object = match &row.kind {
        Some((_, Outcome::Trap(t))) => json!({ "trap": {
            "kind": t.kind.code(), "program": &*t.program, "slot": t.slot.0, "message": t.kind.to_string(),
        } }),
        Some((Some(v), _)) => json!({ "verdict": v.word(), "classid": v.classid().map(|c| c.to_string()) }),
        Some((None, _)) | None => json!({}),
    };
    object["text"] = row.what.as_str().into();
    object["packets"] = row.packets.into();
    object["bytes"] = row.bytes.into();
    object["first"] = row.first.into();
    object
}

/// `3 packets`, `1 packet`.
fn plural(n: u64, one: &str) -> String {
    format!("{n} {one}{}", if n == 1 { "" } else { "s" })
}

fn print_comparisons(out: &mut impl Write, ending: &Ending<'_>) -> Result<(), Failure> {
    for r in ending.rejected {
        writeln!(out, "\nengines    {} rejects the program", r.engine)?;
    }
    for o in ending.others {
        match (o.ran, o.different) {
            (0, 0) => write!(out, "\nengines    interp and {} not compared: no packet ran on both", o.name)?,
            (ran, 0) => write!(out, "\nengines    interp = {} on {}", o.name, plural(ran, "packet"))?,
            (ran, n) => {
                let (packets, differences) = (plural(ran, "packet"), plural(n, "difference"));
                write!(out, "\nengines    interp ≠ {} on {packets}, {differences}", o.name)?;
            }
        }
        writeln!(out)?;
        for (reason, packets) in &o.left_out {
            writeln!(out, "           {packets} not sent to the {}: {reason}", o.name)?;
        }
        if o.by_nature > 0 {
            let helpers = o.hosts_own.join(", ");
            writeln!(
                out,
                "           {} map entries differ; the program calls {helpers}, which each host answers",
                o.by_nature
            )?;
        }
        for (number, difference) in &o.differences {
            let place = if *number == 0 { "in the end".to_string() } else { format!("packet {number}") };
            writeln!(out, "           {place}: interp {difference}")?;
        }
    }
    Ok(())
}

fn print_expectations(expected: &Expected) {
    for failure in &expected.failures {
        say(format_args!("unexpected: {failure}"));
    }
    if expected.failed as usize > expected.failures.len() {
        say(format_args!("unexpected: {} more", expected.failed as usize - expected.failures.len()));
    }
    let missing = expected.missing();
    for number in missing.iter().take(10) {
        say(format_args!("unexpected: packet {number} was not seen"));
    }
    if missing.len() > 10 {
        say(format_args!("unexpected: {} more were not seen", missing.len() - 10));
    }
}
