//! Packets of the capture as inputs.

use oxbpf_abi::layout::SkBuff;
use oxbpf_capture::{LinkType, Reader};
use oxbpf_runtime::Input;
use oxbpf_runtime::skb::{self, Link};

use super::Failure;
use super::options::Job;

type File = Reader<oxbpf_capture::Source>;

/// The capture, from the first wanted packet to the last.
pub(super) struct Source {
    reader: File,
    pub(super) link_type: LinkType,
    link: Link,
    delivered: u64,
}

/// A packet with its context.
pub(super) struct Prepared<'a> {
    pub(super) number: u64,
    pub(super) time_ns: u64,
    pub(super) len: u32,
    pub(super) data: &'a [u8],
    link: Link,
    skb: SkBuff,
}

impl Prepared<'_> {
    pub(super) fn input(&self) -> Input<'_> {
        Input { skb: self.skb, time_ns: self.time_ns, number: self.number, ..Input::new(self.data, self.link) }
    }
}

impl Source {
    pub(super) fn open(job: &Job) -> Result<Source, Failure> {
        let reader = Reader::open(job.arguments.pcap())?;
        let link_type = reader.interfaces().first().map_or(LinkType::EN10MB, |i| i.link_type);
        let link = match link_type {
            LinkType::EN10MB => Link::Ethernet,
            LinkType::RAW | LinkType::IPV4 | LinkType::IPV6 => Link::Ip,
            other => {
                return Err(Failure {
                    message: format!(
                        "error[link-type]: {}: captures of link type {other} are not supported yet; there are {}, {}, {} and {}",
                        job.arguments.pcap().display(),
                        LinkType::EN10MB,
                        LinkType::RAW,
                        LinkType::IPV4,
                        LinkType::IPV6,
                    ),
                    exit: super::Exit::Unsupported,
                });
            }
        };
        Ok(Source { reader, link_type, link, delivered: 0 })
    }

    /// The next wanted packet.
    pub(super) fn next(&mut self, job: &Job) -> Result<Option<Prepared<'_>>, Failure> {
        if job.arguments.limit.is_some_and(|limit| self.delivered >= limit) {
            return Ok(None);
        }
        for _ in 0..if self.delivered == 0 { job.arguments.skip } else { 0 } {
            if self.reader.next_packet()?.is_none() {
                return Ok(None);
            }
        }
        let Some(packet) = self.reader.next_packet()? else { return Ok(None) };
        self.delivered += 1;
        // A capture may say less than it carries; a packet has at least the bytes that are there.
        let len = packet.len.max(packet.data.len() as u32);
        let mut ctx = skb::derive(packet.data, len, self.link);
        job.ctx.apply(packet.number, &mut ctx);
        Ok(Some(Prepared {
            number: packet.number,
            time_ns: packet.time_ns,
            len,
            data: packet.data,
            link: self.link,
            skb: ctx,
        }))
    }
}
