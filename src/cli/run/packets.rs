//! Packets of the capture as inputs.

use std::borrow::Cow;
use std::io;

use oxbpf_abi::layout::SkBuff;
use oxbpf_capture::{Format, Interface, LinkType, MAX_CAPTURED, Packet, Reader};
use oxbpf_runtime::Input;
use oxbpf_runtime::skb::Link;

use super::follow::{self, Follow};
use super::link::{self, Framed, LinkAs};
use super::options::{Arguments, Job};
use super::sidecar::Sidecar;
use super::{Exit, Failure, cpus};

type File = Reader<oxbpf_capture::Source>;

/// The capture, from the first wanted packet to the last.
pub(super) struct Source {
    reader: File,
    follow: Option<Follow>,
    sidecar: Option<Sidecar>,
    /// Whether packets' comments are wanted.
    comments: bool,
    delivered: u64,
    /// Packets of link types that are not supported.
    pub(super) left_out: u64,
    /// Packets that `--skip` passed over.
    pub(super) skipped: u64,
}

/// What comes next.
pub(super) enum Item<'a> {
    Packet(Box<Prepared<'a>>),
    /// A packet of a link type that is not supported, which the user wants to be left out.
    LeftOut,
}

/// A packet with its context.
pub(super) struct Prepared<'a> {
    pub(super) number: u64,
    pub(super) time_ns: u64,
    pub(super) len: u32,
    /// All captured bytes.
    pub(super) data: &'a [u8],
    pub(super) interface: &'a Interface,
    pub(super) comments: Vec<String>,
    /// Bytes of `data` that no program sees.
    header: usize,
    link: Link,
    skb: SkBuff,
    cpu: u32,
}

impl Prepared<'_> {
    pub(super) fn input(&self) -> Input<'_> {
        Input {
            skb: self.skb,
            time_ns: self.time_ns,
            number: self.number,
            cpu: self.cpu,
            ..Input::new(&self.data[self.header..], self.link)
        }
    }

    /// Whether fewer bytes were captured than the packet had.
    pub(super) fn truncated(&self) -> bool {
        self.data.len() < self.len as usize
    }

    /// What a program left of the packet as it stands in a capture, and its length there: behind the capture's own
    /// header, and what the capture cut off stays cut off.
    pub(super) fn rebuilt<'b>(&self, left: &'b [u8]) -> (u32, Cow<'b, [u8]>) {
        let missing = self.len - self.data.len() as u32;
        // A capture may claim any length; what the program added need not fit above it.
        let len = ((self.header + left.len()) as u32).saturating_add(missing);
        let mut data = match self.header {
            0 => Cow::Borrowed(left),
            header => Cow::Owned([&self.data[..header], left].concat()),
        };
        // A program may have made the longest packet longer.
        if data.len() > MAX_CAPTURED {
            data.to_mut().truncate(MAX_CAPTURED);
        }
        (len, data)
    }
}

impl Source {
    pub(super) fn open(job: &Job) -> Result<Source, Failure> {
        let arguments = &job.arguments;
        let path = arguments.pcap();
        let options = &arguments.capture;
        let interrupted = || {
            let what = "was interrupted before a capture's header was there";
            Failure::usage(format!("error[follow]: {} {what}", path.display()))
        };
        let (mut reader, follow) = match options.follow {
            false => (Reader::open(path)?, None),
            true => {
                let follow = Follow::new().map_err(|e| Failure::usage(format!("error[follow]: {e}")))?;
                (follow.open(path)?.ok_or_else(interrupted)?, Some(follow))
            }
        };
        if follow.is_some() {
            follow::check(&reader, path)?;
        }
        // What is wrong with it is found again by who asks for packets.
        let _ = reader.poll();
        let unsupported = reader.interfaces().iter().map(|i| i.link_type).find(|l| !link::supported(*l));
        if let (Some(link_type), Some(_), None, false) =
            (unsupported, reader.header(), options.link, options.skip_links)
        {
            return Err(unsupported_link(arguments, link_type, None));
        }
        if let (Some(header), false) = (reader.header(), options.skip_links)
            && let Some(link_type) = meant_for_another(job, header.link_type)
        {
            return Err(other_link(job, link_type, None));
        }
        let sidecar = options.ctx_lines.as_deref().map(Sidecar::open).transpose()?;
        let comments = arguments.write.as_deref().is_some_and(|path| options.format(path) == Format::Pcapng);
        Ok(Source { reader, follow, sidecar, comments, delivered: 0, left_out: 0, skipped: 0 })
    }

    /// The link types that are known by now.
    pub(super) fn link_types(&self) -> String {
        let mut names: Vec<String> = Vec::new();
        for interface in self.reader.interfaces() {
            let name = interface.link_type.to_string();
            if !names.contains(&name) {
                names.push(name);
            }
        }
        if names.is_empty() { "no interface".into() } else { names.join(", ") }
    }

    /// The interface that a capture without packets is of.
    pub(super) fn interface(&self) -> Interface {
        let first = self.reader.interfaces().first();
        first.cloned().unwrap_or_else(|| Interface::new(LinkType::EN10MB))
    }

    /// The file's size; none for what is no regular file.
    pub(super) fn size(&self) -> Option<u64> {
        self.reader.source().file_len()
    }

    /// How much of the file was read.
    pub(super) fn read(&self) -> u64 {
        self.reader.file_read()
    }

    /// The next wanted packet. `idle` is called before waiting for more.
    pub(super) fn next(
        &mut self,
        job: &Job,
        idle: &mut dyn FnMut() -> io::Result<()>,
    ) -> Result<Option<Item<'_>>, Failure> {
        if job.arguments.limit.is_some_and(|limit| self.delivered >= limit) {
            return Ok(None);
        }
        while self.skipped < job.arguments.skip {
            if !self.more(idle)? || self.reader.next_packet()?.is_none() {
                return Ok(None);
            }
            self.skipped += 1;
        }
        if !self.more(idle)? {
            return Ok(None);
        }
        let numbered = self.reader.header().is_none();
        let Some(packet) = self.reader.next_packet()? else { return Ok(None) };
        let as_type = job.arguments.capture.link.unwrap_or(LinkAs::Type(packet.link_type));
        // A capture may say less than it carries; a packet has at least the bytes that are there.
        let len = packet.len.max(packet.data.len() as u32);
        let framed = link::frame(as_type, packet.data, len);
        let other = meant_for_another(job, packet.link_type);
        let (Some(mut framed), None) = (framed, other) else {
            self.left_out += 1;
            return match (job.arguments.capture.skip_links, other) {
                (true, _) => Ok(Some(Item::LeftOut)),
                (false, None) => Err(unsupported_link(&job.arguments, packet.link_type, Some(packet.number))),
                (false, Some(link_type)) => Err(other_link(job, link_type, Some(packet.number))),
            };
        };
        if job.filter_link.is_some() {
            framed = framed.with_header();
        }
        self.delivered += 1;
        if numbered && framed.skb.ifindex == 1 {
            framed.skb.ifindex += packet.interface.id;
        }
        let comments = if self.comments { packet.comments().map(Cow::into_owned).collect() } else { Vec::new() };
        prepare(job, &packet, len, framed, comments, self.sidecar.as_mut()).map(|p| Some(Item::Packet(Box::new(p))))
    }

    /// Whether it is worth to ask for a packet: with `--follow`, once one is there.
    fn more(&mut self, idle: &mut dyn FnMut() -> io::Result<()>) -> Result<bool, Failure> {
        let Some(follow) = &self.follow else { return Ok(true) };
        loop {
            if follow.stopped() {
                return Ok(false);
            }
            if self.reader.poll()? {
                return Ok(true);
            }
            self.reader.check_length()?;
            idle()?;
            if !follow.wait() {
                return Ok(false);
            }
        }
    }
}

fn prepare<'a>(
    job: &Job,
    packet: &Packet<'a>,
    len: u32,
    framed: Framed,
    comments: Vec<String>,
    sidecar: Option<&mut Sidecar>,
) -> Result<Prepared<'a>, Failure> {
    let Framed { header, link, mut skb } = framed;
    let (rule, cpus) = (job.arguments.capture.cpu_rule, job.env.cpus);
    let cpu = cpus::cpu(rule, cpus, packet.number, &skb, link, &packet.data[header..]);
    job.ctx.apply(packet.number, &mut skb);
    if let Some(sidecar) = sidecar {
        sidecar.apply(packet.number, &mut skb)?;
    }
    Ok(Prepared {
        number: packet.number,
        time_ns: packet.time_ns,
        len,
        data: packet.data,
        interface: packet.interface,
        comments,
        header,
        link,
        skb,
        cpu,
    })
}

/// What link type packets of this link type are taken for, where the program is a filter for another. To bytes that are
/// no packets of any it may be applied.
fn meant_for_another(job: &Job, link_type: LinkType) -> Option<LinkType> {
    match (job.filter_link, job.arguments.capture.link.unwrap_or(LinkAs::Type(link_type))) {
        (Some(wanted), LinkAs::Type(link_type)) if wanted != link_type => Some(link_type),
        _ => None,
    }
}

fn other_link(job: &Job, link_type: LinkType, packet: Option<u64>) -> Failure {
    let place = packet.map_or(String::new(), |number| format!(" packet {number}:"));
    let wanted = job.filter_link.unwrap_or(link_type);
    let own = match oxbpf_cbpf_asm::filter::Link::by_number(link_type.0) {
        Some(_) => format!("filter:{link_type}:EXPR is for them, "),
        None => String::new(),
    };
    Failure::usage(format!(
        "error[filter-link]: {}:{place} the filter is for {wanted}, packets are {link_type}\n\
         help: {own}--link {wanted} takes them for such, --link bytes applies the filter to what they begin with, \
         --skip-links leaves them out",
        job.arguments.pcap().display(),
    ))
}

fn unsupported_link(arguments: &Arguments, link_type: LinkType, packet: Option<u64>) -> Failure {
    let place = packet.map_or(String::new(), |number| format!(" packet {number}:"));
    let message = format!(
        "error[link-type]: {}:{place} link type {link_type} is not supported; there are {}\n\
         help: --link TYPE says how packets begin, --link bytes runs them as they are, --skip-links leaves them out",
        arguments.pcap().display(),
        link::names(),
    );
    Failure { message, exit: Exit::Unsupported }
}
