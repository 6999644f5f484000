//! Where packets of a capture come from.

use crate::link::LinkType;
use crate::pcapng::Clock;

/// An interface that a capture describes. A pcap has one, a pcapng one or several in each of its sections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// The number of its section in the file, from 0.
    pub section: u32,
    /// Its number in its section, from 0.
    pub id: u32,
    /// How its packets begin.
    pub link_type: LinkType,
    /// The length to which its packets were cut; 0 where there was no bound.
    pub snaplen: u32,
    /// Its name, such as `eth0`, where the capture has it; at most 255 bytes of it.
    pub name: Option<Box<str>>,
    pub(crate) clock: Clock,
}

impl Interface {
    /// An interface without a name, the first of the first section, whose packets are whole.
    ///
    /// ```
    /// use oxbpf_capture::{Interface, LinkType};
    ///
    /// let interface = Interface::new(LinkType::EN10MB);
    /// assert_eq!((interface.id, interface.snaplen), (0, 0));
    /// ```
    pub fn new(link_type: LinkType) -> Interface {
        Interface { section: 0, id: 0, link_type, snaplen: 0, name: None, clock: Clock::MICRO }
    }

    /// The same interface with this name.
    #[must_use]
    pub fn named(self, name: &str) -> Interface {
        Interface { name: Some(name[..name.floor_char_boundary(MAX_NAME)].into()), ..self }
    }
}

/// The most bytes of a name that are kept: far beyond what systems allow, and a bound on what an interface takes.
const MAX_NAME: usize = 255;
