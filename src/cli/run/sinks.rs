//! Where packets and events go: the written capture, one capture per interface, lines of events.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use oxbpf_capture::{CaptureError, Format, Interface, Recorder};
use oxbpf_runtime::{Instance, Sent, Target};
use serde_json::json;

use super::options::{Arguments, Job};
use super::packets::Prepared;
use super::report::PacketLine;
use super::{Exit, Failure};

/// Interfaces that one run may redirect to, each an open file.
const MAX_TARGETS: usize = 256;

/// Everything that is written beside the report.
#[derive(Default)]
pub(super) struct Sinks {
    output: Option<(Recorder, Format)>,
    /// Said once a packet is to be written, or at the end.
    output_error: Option<CaptureError>,
    redirects: Option<Redirects>,
    events: Option<BufWriter<Box<dyn Write>>>,
    maps: Vec<String>,
    /// Events and copies that a run had no room for.
    pub(super) lost: u64,
}

impl Sinks {
    pub(super) fn open(arguments: &Arguments, maps: Vec<String>) -> Result<Sinks, Failure> {
        let mut sinks = Sinks { maps, ..Sinks::default() };
        if let Some(path) = &arguments.write {
            let format = arguments.capture.format(path);
            match Recorder::create(path, format) {
                Ok(recorder) => sinks.output = Some((recorder, format)),
                Err(e) => sinks.output_error = Some(e),
            }
        }
        if let Some(dir) = &arguments.capture.redirect_dir {
            fs::create_dir_all(dir)
                .map_err(|e| Failure::usage(format!("error[redirect-dir]: {}: {e}", dir.display())))?;
            let format = arguments.capture.format(Path::new(""));
            sinks.redirects = Some(Redirects { dir: dir.clone(), format, files: BTreeMap::new(), nowhere: 0 });
        }
        if let Some(path) = &arguments.capture.events {
            sinks.events = Some(BufWriter::new(open_events(path)?));
        }
        Ok(sinks)
    }

    /// Whether they want to know what programs send.
    pub(super) fn want_sent(&self) -> bool {
        self.redirects.is_some() || self.events.is_some()
    }

    /// Writes what came of a packet.
    pub(super) fn keep(
        &mut self,
        job: &Job,
        packet: &Prepared<'_>,
        line: &PacketLine,
        instance: &dyn Instance,
    ) -> Result<(), Failure> {
        if job.arguments.write.is_some() && (line.passes() || job.arguments.capture.write_all) {
            self.write(packet, line, &instance.packet())?;
        }
        let Some(sent) = instance.sent().filter(|_| self.want_sent()) else { return Ok(()) };
        self.lost += sent.lost();
        if let Some(redirects) = &mut self.redirects {
            redirects.keep(packet, line, sent, instance)?;
        }
        match &mut self.events {
            Some(events) => write_events(events, sent, &self.maps),
            None => Ok(()),
        }
    }

    fn write(&mut self, packet: &Prepared<'_>, line: &PacketLine, data: &[u8]) -> Result<(), Failure> {
        if let Some(e) = self.output_error.take() {
            return Err(e.into());
        }
        let Some((output, format)) = &mut self.output else { return Ok(()) };
        let mut comments = Vec::new();
        if *format == Format::Pcapng {
            comments.extend(packet.comments.iter().cloned());
            comments.push(format!("oxbpf: {}", line.what()));
        }
        let comments: Vec<&str> = comments.iter().map(String::as_str).collect();
        let (len, data) = packet.rebuilt(data);
        Ok(output.write(packet.interface, packet.time_ns, len, &data, &comments)?)
    }

    /// Writes out what is buffered for readers of lines.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.events.as_mut().map_or(Ok(()), BufWriter::flush)
    }

    /// Puts everything in its place. Captures without packets are of `interface`.
    pub(super) fn finish(&mut self, interface: &Interface) -> Result<(), Failure> {
        if let Some(e) = self.output_error.take() {
            return Err(e.into());
        }
        if let Some((output, _)) = self.output.take() {
            output.finish(interface)?;
        }
        if let Some(redirects) = &mut self.redirects {
            for (_, recorder) in std::mem::take(&mut redirects.files) {
                recorder.finish(interface)?;
            }
        }
        Ok(self.flush()?)
    }

    /// Packets whose verdict was to redirect them and whose program named no interface.
    pub(super) fn nowhere(&self) -> u64 {
        self.redirects.as_ref().map_or(0, |r| r.nowhere)
    }
}

/// One capture for each interface that packets go to.
struct Redirects {
    dir: PathBuf,
    format: Format,
    files: BTreeMap<Target, Recorder>,
    nowhere: u64,
}

impl Redirects {
    fn keep(
        &mut self,
        packet: &Prepared<'_>,
        line: &PacketLine,
        sent: &Sent,
        instance: &dyn Instance,
    ) -> Result<(), Failure> {
        for clone in sent.clones() {
            self.write(packet, clone.target, &clone.packet)?;
        }
        match sent.target() {
            _ if !line.redirects() => Ok(()),
            Some(target) => self.write(packet, target, &instance.packet()),
            None => {
                self.nowhere += 1;
                Ok(())
            }
        }
    }

    fn write(&mut self, packet: &Prepared<'_>, target: Target, data: &[u8]) -> Result<(), Failure> {
        if self.files.len() == MAX_TARGETS && !self.files.contains_key(&target) {
            let message = format!("error[redirect-targets]: packets go to more than {MAX_TARGETS} interfaces");
            return Err(Failure { message, exit: Exit::Limit });
        }
        let Target { ifindex, ingress } = target;
        let direction = if ingress { "ingress" } else { "egress" };
        let recorder = match self.files.entry(target) {
            std::collections::btree_map::Entry::Occupied(entry) => entry.into_mut(),
            std::collections::btree_map::Entry::Vacant(entry) => {
                let name = format!("if{ifindex}-{direction}.{}", self.format.extension());
                entry.insert(Recorder::create(self.dir.join(name), self.format)?)
            }
        };
        let interface = Interface::new(packet.interface.link_type).named(&format!("if{ifindex}"));
        let comment = format!("packet {}", packet.number);
        let (len, data) = packet.rebuilt(data);
        Ok(recorder.write(&interface, packet.time_ns, len, &data, &[&comment])?)
    }
}

fn open_events(path: &Path) -> Result<Box<dyn Write>, Failure> {
    if path == Path::new("-") {
        return Ok(Box::new(io::stdout()));
    }
    match File::create(path) {
        Ok(file) => Ok(Box::new(file)),
        Err(e) => Err(Failure::usage(format!("error[events]: {}: {e}", path.display()))),
    }
}

fn write_events(to: &mut impl Write, sent: &Sent, maps: &[String]) -> Result<(), Failure> {
    for event in sent.events() {
        let data: String = event.bytes.iter().map(|b| format!("{b:02x}")).collect();
        let line = json!({
            "packet": event.packet, "cpu": event.cpu, "map": maps.get(event.map.index()), "kind": event.kind.name(),
            "time_ns": event.time_ns, "data": data,
        });
        writeln!(to, "{line}")?;
    }
    Ok(())
}
