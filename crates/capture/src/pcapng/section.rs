//! A section and its interfaces.

use super::options::{Options, code};
use super::{Clock, Head, MAX_INTERFACES, fixed};
use crate::bytes::ByteOrder;
use crate::error::CaptureErrorKind;
use crate::interface::Interface;
use crate::link::LinkType;

/// What is known of the section that is being read.
#[derive(Debug)]
pub(crate) struct Section {
    /// Its number in the file, from 0.
    pub(crate) number: u32,
    pub(crate) order: ByteOrder,
    pub(crate) interfaces: Vec<Interface>,
}

impl Section {
    /// Reads a section header's body. Its length is not believed and not needed.
    pub(crate) fn decode(head: Head, body: &[u8], number: u32) -> Result<Section, CaptureErrorKind> {
        let (fields, _) = fixed::<16>(head, body)?;
        match (head.order.get16(fields, 4), head.order.get16(fields, 6)) {
            // 1.2 was written by some for what is 1.0.
            (1, 0 | 2) => Ok(Section { number, order: head.order, interfaces: Vec::new() }),
            (major, minor) => Err(CaptureErrorKind::SectionVersion { major, minor }),
        }
    }

    /// Reads an interface description's body, and adds the interface.
    pub(crate) fn add_interface(&mut self, head: Head, body: &[u8]) -> Result<(), CaptureErrorKind> {
        if self.interfaces.len() == MAX_INTERFACES {
            return Err(CaptureErrorKind::Interfaces);
        }
        let (fields, options) = fixed::<8>(head, body)?;
        let link_type = LinkType::from_number(self.order.get16(fields, 0).into());
        let mut interface = Interface {
            section: self.number,
            id: self.interfaces.len() as u32,
            snaplen: self.order.get32(fields, 4),
            ..Interface::new(link_type)
        };
        let (mut resolution, mut offset_s) = (6, 0);
        Options::new(self.order, options).read(|code, value| {
            let wrong = || CaptureErrorKind::OptionLength { code, len: value.len() };
            match code {
                code::IF_NAME => interface = interface.clone().named(&text(value)),
                code::IF_TSRESOL => resolution = *value.first().filter(|_| value.len() == 1).ok_or_else(wrong)?,
                code::IF_TSOFFSET => {
                    let bytes: [u8; 8] = value.try_into().map_err(|_| wrong())?;
                    offset_s = match self.order {
                        ByteOrder::Little => i64::from_le_bytes(bytes),
                        ByteOrder::Big => i64::from_be_bytes(bytes),
                    };
                }
                _ => {}
            }
            Ok(())
        })?;
        interface.clock = Clock::new(resolution, offset_s);
        self.interfaces.push(interface);
        Ok(())
    }

    /// The interface of that number.
    #[inline]
    pub(crate) fn interface(&self, id: u32) -> Result<&Interface, CaptureErrorKind> {
        let known = self.interfaces.len();
        self.interfaces.get(id as usize).ok_or(CaptureErrorKind::Interface { id, known })
    }
}

/// Text of an option: whatever is no UTF-8 is replaced, and what follows a NUL, which some write, left out.
pub(crate) fn text(value: &[u8]) -> std::borrow::Cow<'_, str> {
    let end = value.iter().position(|&b| b == 0).unwrap_or(value.len());
    String::from_utf8_lossy(&value[..end])
}
